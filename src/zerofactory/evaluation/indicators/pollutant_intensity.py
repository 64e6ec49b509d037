"""主要污染物产生或排放强度: pollutant generation or discharge intensity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="pollutant_intensity",
    title=Text("主要污染物产生或排放强度", "pollutant generation or discharge intensity"),
    unit="{of}/{per}",
    inputs={"amount": "{of}", "output": "{per}"},
    compute=lambda x: x["amount"] / x["output"],
    formula="waste water, waste gas or pollutant, generated or discharged / Q or G",
    reference="GB/T 36132-2025 B.12–B.23",
    example=Example(
        {"amount": 1500000.0, "output": 300000.0},
        5.0,
        "worked by hand from the formula: 1 500 000 m3 / 300 000 vehicles",
        {"of": "waste_water_discharged", "per": "vehicles"},
    ),
    choices={
        "of": (
            "waste_water_generated",
            "waste_water_discharged",
            "waste_gas_generated",
            "waste_gas_discharged",
            "pollutant_generated",
            "pollutant_discharged",
        ),
        "per": ("vehicles", "output_value", "value_added"),
    },
)
