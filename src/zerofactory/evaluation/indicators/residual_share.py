"""净零年剩余排放比例: residual share in the net-zero year."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="residual_share",
    title=Text("净零年剩余排放比例", "residual share in the net-zero year"),
    unit="fraction",
    inputs={"residual": "target_residual"},
    compute=lambda x: x["residual"],
    formula="residual emissions / base-year emissions",
    reference="SBTi CNZS V1: <= 10 %",
    example=Example({"residual": 0.1}, 0.1, "10 % left"),
)
