"""第三方核查: verification."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="verification_level",
    title=Text("第三方核查", "verification"),
    unit="fraction",
    inputs={"level": "verification"},
    compute=lambda x: x["level"],
    formula="0 none, 1 limited assurance, 2 reasonable assurance",
    reference="ISO 14064-3:2019",
    example=Example({"level": 1.0}, 1.0, "limited assurance in force"),
)
