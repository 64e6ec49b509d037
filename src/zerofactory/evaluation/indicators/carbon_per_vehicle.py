"""单车碳排放(车间): emissions per vehicle by shop."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="carbon_per_vehicle",
    title=Text("单车碳排放(车间)", "emissions per vehicle by shop"),
    unit="kgCO2e/vehicle",
    inputs={"emissions": "emissions@{shop}", "vehicles": "vehicles"},
    compute=lambda x: x["emissions"] * 1000.0 / x["vehicles"],
    formula="scope 1 and 2 emissions of the shop (location-based) / vehicles",
    reference="GB/T 36132-2025 B.3 by shop; ISO 14064-1 categories 1 and 2",
    example=Example(
        {"emissions": 72000.0, "vehicles": 300000.0},
        240.0,
        "worked by hand from the formula: 72 000 t / 300 000 vehicles",
        {"shop": "paint"},
    ),
    choices={
        "shop": (
            "plant",
            "stamping",
            "body",
            "paint",
            "assembly",
            "powertrain",
            "battery",
            "casting",
            "utilities",
            "other",
        )
    },
)
