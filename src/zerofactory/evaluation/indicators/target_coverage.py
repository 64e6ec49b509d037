"""目标覆盖比例: coverage of the target."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="target_coverage",
    title=Text("目标覆盖比例", "coverage of the target"),
    unit="fraction",
    inputs={"share": "target_coverage_{scope}"},
    compute=lambda x: x["share"],
    formula="emissions in the target / emissions of the scope",
    reference="SBTi CNZS V1",
    example=Example({"share": 0.96}, 0.96, "96 % covered", {"scope": "12"}),
    choices={"scope": ("12", "3_near", "3_long")},
)
