"""金属废料回收率: scrap recovery."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="scrap_recovery",
    title=Text("金属废料回收率", "scrap recovery"),
    unit="fraction",
    inputs={"recovered": "scrap_recovered", "scrap": "scrap"},
    compute=lambda x: x["recovered"] / x["scrap"],
    formula="metal scrap recovered / metal scrap",
    reference="mass balance",
    example=Example(
        {"recovered": 59700.0, "scrap": 60000.0}, 0.995, "worked by hand from the formula: 59 700 / 60 000 t"
    ),
)
