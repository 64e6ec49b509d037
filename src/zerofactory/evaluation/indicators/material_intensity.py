"""原材料消耗强度: main raw material intensity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="material_intensity",
    title=Text("原材料消耗强度", "main raw material intensity"),
    unit="t/{per}",
    inputs={"material": "material_input", "output": "{per}"},
    compute=lambda x: x["material"] / x["output"],
    formula="M / Q; M / G",
    reference="GB/T 36132-2025 B.6, B.7",
    example=Example(
        {"material": 240000.0, "output": 300000.0},
        0.8,
        "worked by hand from the formula: 240 000 t / 300 000 vehicles",
        {"per": "vehicles"},
    ),
    choices={"per": ("vehicles", "output_value", "value_added")},
)
