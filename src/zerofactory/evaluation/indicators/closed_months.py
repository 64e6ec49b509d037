"""已封存月份占比: share of months closed."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="closed_months",
    title=Text("已封存月份占比", "share of months closed"),
    unit="fraction",
    inputs={"closed": "months_closed", "wanted": "months_wanted"},
    compute=lambda x: x["closed"] / x["wanted"],
    formula="months closed / months of the period",
    reference="the book: a period is sealed month by month",
    example=Example({"closed": 12.0, "wanted": 12.0}, 1.0, "a whole year"),
)
