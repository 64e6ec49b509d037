"""清单覆盖比例: coverage of the inventory."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="inventory_coverage",
    title=Text("清单覆盖比例", "coverage of the inventory"),
    unit="fraction",
    inputs={"share": "coverage"},
    compute=lambda x: x["share"],
    formula="quantified / (quantified + estimated of what was left out)",
    reference="ISO 14064-1:2018 5.2.3; PAS 2060: >= 95 %",
    example=Example({"share": 0.98}, 0.98, "98 % quantified"),
)
