"""取水强度: water withdrawal intensity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="water_intensity",
    title=Text("取水强度", "water withdrawal intensity"),
    unit="m3/{per}",
    inputs={"water": "water_intake", "output": "{per}"},
    compute=lambda x: x["water"] / x["output"],
    formula="V / Q; V / G",
    reference="GB/T 36132-2025 B.8, B.9",
    example=Example(
        {"water": 900000.0, "output": 300000.0},
        3.0,
        "worked by hand from the formula: 900 000 m3 / 300 000 vehicles",
        {"per": "vehicles"},
    ),
    choices={"per": ("vehicles", "output_value", "value_added")},
)
