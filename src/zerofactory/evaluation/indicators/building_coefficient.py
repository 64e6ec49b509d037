"""建筑系数: building coefficient."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="building_coefficient",
    title=Text("建筑系数", "building coefficient"),
    unit="fraction",
    inputs={"built": "footprint_area", "land": "land_area"},
    compute=lambda x: x["built"] / x["land"],
    formula="(buildings + structures + storage yards) / A",
    reference="GB/T 36132-2025 B.27",
    example=Example(
        {"built": 600000.0, "land": 1500000.0}, 0.4, "worked by hand from the formula: 600 000 / 1 500 000 m2"
    ),
)
