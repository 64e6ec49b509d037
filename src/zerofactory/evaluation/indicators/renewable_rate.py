"""可再生能源利用率: renewable energy utilisation rate."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="renewable_rate",
    title=Text("可再生能源利用率", "renewable energy utilisation rate"),
    unit="fraction",
    inputs={
        "onsite": "onsite_electricity",
        "direct": "direct_electricity",
        "contract": "contract_electricity",
        "tce": "tce_per_kwh",
        "energy": "energy@plant",
    },
    compute=lambda x: (x["onsite"] + x["direct"] + x["contract"]) * x["tce"] / x["energy"],
    formula="(self-generated + direct line + market-traded + separately bought GEC) × tce/kWh / E",
    reference="GB/T 36132-2025 B.5, no double count",
    example=Example(
        {"onsite": 20000000.0, "direct": 10000000.0, "contract": 70000000.0, "tce": 0.0001229, "energy": 49160.0},
        0.25,
        "worked by hand from the formula: 100 GWh × 0.1229 kgce/kWh = 12 290 tce of 49 160",
    ),
)
