"""注销时限: delay of retirement."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="retirement_delay",
    title=Text("注销时限", "delay of retirement"),
    unit="a",
    inputs={"years": "retirement_years"},
    compute=lambda x: x["years"],
    formula="years from the declaration to the retirement",
    reference="PAS 2060:2014 9: within 12 months",
    example=Example({"years": 0.75}, 0.75, "nine months"),
)
