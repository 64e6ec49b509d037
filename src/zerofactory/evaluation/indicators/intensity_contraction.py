"""强度目标(范围三): intensity target, scope 3."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="intensity_contraction",
    title=Text("强度目标(范围三)", "intensity target, scope 3"),
    unit="fraction",
    inputs={"reduction": "target_intensity", "year": "target_year", "base_year": "base_year"},
    compute=lambda x: x["reduction"] / (1.0 - (1.0 - x["rate"]) ** (x["year"] - x["base_year"])),
    formula="target / (1 − (1 − r)^(target year − base year))",
    reference="SBTi CNZS V1, 7 % a year compound",
    example=Example(
        {"reduction": 0.51, "year": 2030.0, "base_year": 2020.0},
        0.9883382044754856,
        "worked by hand from the formula: 51 % / (1 − 0.93^10)",
        {"rate": 0.07},
    ),
)
