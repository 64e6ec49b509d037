"""一般工业固体废物综合利用率: general industrial solid waste utilisation."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="solid_waste_recovery",
    title=Text("一般工业固体废物综合利用率", "general industrial solid waste utilisation"),
    unit="fraction",
    inputs={"recovered": "solid_waste_recovered", "generated": "solid_waste"},
    compute=lambda x: x["recovered"] / x["generated"],
    formula="Zr / (Z + Zw)",
    reference="GB/T 36132-2025 B.11",
    example=Example(
        {"recovered": 950.0, "generated": 1000.0}, 0.95, "worked by hand from the formula: 950 / (980 + 20)"
    ),
)
