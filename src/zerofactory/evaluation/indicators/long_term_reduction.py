"""长期减排目标: long-term reduction target."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="long_term_reduction",
    title=Text("长期减排目标", "long-term reduction target"),
    unit="fraction",
    inputs={"reduction": "target_long"},
    compute=lambda x: x["reduction"],
    formula="reduction of the long-term target",
    reference="SBTi CNZS V1: >= 90 % by 2050",
    example=Example({"reduction": 0.9}, 0.9, "90 % by 2050"),
)
