"""清洁能源消费占比: clean energy share."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="clean_energy_share",
    title=Text("清洁能源消费占比", "clean energy share"),
    unit="fraction",
    inputs={
        "onsite": "onsite_electricity",
        "direct": "direct_electricity",
        "contract": "contract_electricity",
        "tce": "tce_per_kwh",
        "energy": "energy@plant",
    },
    compute=lambda x: (x["onsite"] + x["direct"] + x["contract"]) * x["tce"] / x["energy"],
    formula="clean energy / total energy",
    reference="发改环资〔2025〕910号, guiding index",
    example=Example(
        {"onsite": 0.0, "direct": 100000000.0, "contract": 0.0, "tce": 0.0001229, "energy": 24580.0},
        0.5,
        "worked by hand from the formula: 12 290 / 24 580 tce",
    ),
    note=Text("只计非化石能源, 不计天然气(从严)", "non-fossil energy only, natural gas left out (strict)"),
)
