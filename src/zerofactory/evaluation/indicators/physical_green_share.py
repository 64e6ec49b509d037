"""物理认定非化石电力占比: physically identified green electricity share."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="physical_green_share",
    title=Text("物理认定非化石电力占比", "physically identified green electricity share"),
    unit="fraction",
    inputs={"onsite": "onsite_electricity", "direct": "direct_electricity", "used": "electricity"},
    compute=lambda x: (x["onsite"] + x["direct"]) / x["used"],
    formula="(self-use + direct line) / electricity used",
    reference="工信部联节〔2026〕13号 1.3 (third-party reproduction)",
    example=Example(
        {"onsite": 25000000.0, "direct": 5000000.0, "used": 300000000.0},
        0.1,
        "worked by hand from the formula: 30 / 300 GWh",
    ),
)
