"""单车碳排放较基准年下降率: reduction of emissions per vehicle from the base year."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="intensity_reduction_from_base",
    title=Text("单车碳排放较基准年下降率", "reduction of emissions per vehicle from the base year"),
    unit="fraction",
    inputs={
        "base": "base_emissions",
        "base_vehicles": "base_vehicles",
        "now": "emissions@plant",
        "vehicles": "vehicles",
    },
    compute=lambda x: 1.0 - x["now"] / x["vehicles"] / (x["base"] / x["base_vehicles"]),
    formula="1 − (E_t / Q_t) / (E_b / Q_b)",
    reference="ISO 14064-1:2018 6.4; intensity",
    example=Example(
        {"base": 250000.0, "base_vehicles": 250000.0, "now": 225000.0, "vehicles": 300000.0},
        0.25,
        "worked by hand from the formula: 1 − 0.75 / 1.0",
    ),
)
