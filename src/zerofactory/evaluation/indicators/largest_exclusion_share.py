"""最大单项排除占比: share of the largest exclusion."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="largest_exclusion_share",
    title=Text("最大单项排除占比", "share of the largest exclusion"),
    unit="fraction",
    inputs={"share": "largest_exclusion"},
    compute=lambda x: x["share"],
    formula="largest excluded category / total",
    reference="PAS 2060:2014: each exclusion < 1 %",
    example=Example({"share": 0.004}, 0.004, "0.4 % left out"),
)
