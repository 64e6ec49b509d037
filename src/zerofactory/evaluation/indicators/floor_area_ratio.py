"""容积率: floor area ratio."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="floor_area_ratio",
    title=Text("容积率", "floor area ratio"),
    unit="fraction",
    inputs={"floor": "floor_area", "land": "land_area"},
    compute=lambda x: x["floor"] / x["land"],
    formula="total floor area / A, storeys above 8 m twice",
    reference="GB/T 36132-2025 B.28",
    example=Example(
        {"floor": 1800000.0, "land": 1500000.0}, 1.2, "worked by hand from the formula: 1 800 000 / 1 500 000 m2"
    ),
)
