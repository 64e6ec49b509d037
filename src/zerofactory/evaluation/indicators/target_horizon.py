"""近期目标期限: horizon of the near-term target."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="target_horizon",
    title=Text("近期目标期限", "horizon of the near-term target"),
    unit="a",
    inputs={"year": "target_year", "submitted": "submission_year"},
    compute=lambda x: x["year"] - x["submitted"],
    formula="target year − year of submission",
    reference="SBTi CNZS V1: 5 to 10 years",
    example=Example({"year": 2030.0, "submitted": 2024.0}, 6.0, "worked by hand from the formula: 2030 − 2024"),
)
