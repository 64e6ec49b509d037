"""工业用水重复利用率: industrial water reuse rate."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="water_reuse",
    title=Text("工业用水重复利用率", "industrial water reuse rate"),
    unit="fraction",
    inputs={"reused": "water_reused", "taken": "water_intake"},
    compute=lambda x: x["reused"] / (x["taken"] + x["reused"]),
    formula="Vr / (V + Vr)",
    reference="GB/T 36132-2025 B.10",
    example=Example({"reused": 800.0, "taken": 200.0}, 0.8, "worked by hand from the formula: 800 / (200 + 800)"),
)
