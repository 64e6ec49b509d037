"""废水处理回用率: waste water reuse rate."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="waste_water_reuse",
    title=Text("废水处理回用率", "waste water reuse rate"),
    unit="fraction",
    inputs={"reused": "waste_water_reused", "discharged": "waste_water_discharged"},
    compute=lambda x: x["reused"] / (x["reused"] + x["discharged"]),
    formula="V reused / (V reused + V discharged)",
    reference="GB/T 36132-2018 Annex A",
    example=Example({"reused": 300.0, "discharged": 700.0}, 0.3, "worked by hand from the formula: 300 / 1 000"),
)
