"""实测与结算数据占比: share of emissions from measured or invoiced amounts."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="measured_share",
    title=Text("实测与结算数据占比", "share of emissions from measured or invoiced amounts"),
    unit="fraction",
    inputs={"estimated": "estimated"},
    compute=lambda x: 1.0 - x["estimated"],
    formula="1 − share of emissions from estimated amounts",
    reference="GHG Protocol, data quality",
    example=Example({"estimated": 0.02}, 0.98, "2 % estimated"),
)
