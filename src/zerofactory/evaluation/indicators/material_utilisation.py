"""材料利用率: material utilisation."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="material_utilisation",
    title=Text("材料利用率", "material utilisation"),
    unit="fraction",
    inputs={"good": "material_output", "input": "material_input"},
    compute=lambda x: x["good"] / x["input"],
    formula="mass in good products / mass put in",
    reference="mass balance; GB/T 36132-2025 B.6 counts the input",
    example=Example({"good": 221000.0, "input": 276250.0}, 0.8, "worked by hand from the formula: 221 000 / 276 250 t"),
)
