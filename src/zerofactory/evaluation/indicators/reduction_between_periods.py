"""较上一期单车碳排放下降率: reduction of emissions per vehicle from the period before."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="reduction_between_periods",
    title=Text("较上一期单车碳排放下降率", "reduction of emissions per vehicle from the period before"),
    unit="fraction",
    inputs={
        "now": "emissions@plant",
        "vehicles": "vehicles",
        "before": "previous_emissions",
        "before_vehicles": "previous_vehicles",
    },
    compute=lambda x: 1.0 - x["now"] / x["vehicles"] / (x["before"] / x["before_vehicles"]),
    formula="1 − (E_t / Q_t) / (E_{t−1} / Q_{t−1})",
    reference="PAS 2060:2014 8; ISO 14068-1:2023 8",
    example=Example(
        {"now": 180000.0, "vehicles": 300000.0, "before": 160000.0, "before_vehicles": 250000.0},
        0.0625,
        "worked by hand from the formula: 1 − 0.60 / 0.64",
    ),
)
