"""余热余冷余压综合利用率: waste heat, cold and pressure utilisation."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="waste_heat_use",
    title=Text("余热余冷余压综合利用率", "waste heat, cold and pressure utilisation"),
    unit="fraction",
    inputs={"used": "waste_heat_used", "available": "waste_heat_available"},
    compute=lambda x: x["used"] / x["available"],
    formula="used / usable",
    reference="发改环资〔2025〕910号, guiding index",
    example=Example(
        {"used": 50000.0, "available": 100000.0}, 0.5, "worked by hand from the formula: 50 000 / 100 000 GJ"
    ),
)
