"""土地产出率: land output rate."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="land_output",
    title=Text("土地产出率", "land output rate"),
    unit="{of}/m2",
    inputs={"output": "{of}", "land": "land_area"},
    compute=lambda x: x["output"] / x["land"],
    formula="N / A; G / A",
    reference="GB/T 36132-2025 B.24, B.26",
    example=Example(
        {"output": 300000.0, "land": 1500000.0},
        0.2,
        "worked by hand from the formula: 300 000 vehicles / 1 500 000 m2",
        {"of": "vehicles"},
    ),
    choices={"of": ("vehicles", "output_value")},
)
