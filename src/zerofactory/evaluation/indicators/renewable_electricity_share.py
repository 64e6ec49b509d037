"""可再生电力占比: renewable electricity share."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="renewable_electricity_share",
    title=Text("可再生电力占比", "renewable electricity share"),
    unit="fraction",
    inputs={
        "onsite": "onsite_electricity",
        "direct": "direct_electricity",
        "contract": "contract_electricity",
        "used": "electricity",
    },
    compute=lambda x: (x["onsite"] + x["direct"] + x["contract"]) / x["used"],
    formula="(self-use + direct line + contracts and certificates) / electricity used",
    reference="T/CECA-G 0171-2022, Type I six-star: 100 %",
    example=Example(
        {"onsite": 20000000.0, "direct": 0.0, "contract": 55000000.0, "used": 300000000.0},
        0.25,
        "worked by hand from the formula: 75 / 300 GWh",
    ),
)
