"""非化石能源消费占比: non-fossil energy share."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="non_fossil_share",
    title=Text("非化石能源消费占比", "non-fossil energy share"),
    unit="fraction",
    inputs={
        "onsite": "onsite_electricity",
        "direct": "direct_electricity",
        "contract": "contract_electricity",
        "tce": "tce_per_kwh",
        "energy": "energy@plant",
    },
    compute=lambda x: (x["onsite"] + x["direct"] + x["contract"]) * x["tce"] / x["energy"],
    formula="non-fossil energy / total energy",
    reference="工信部联节〔2026〕13号 1.2 (third-party reproduction)",
    example=Example(
        {"onsite": 30000000.0, "direct": 0.0, "contract": 70000000.0, "tce": 0.0001229, "energy": 40966.666666666664},
        0.3,
        "worked by hand from the formula: 12 290 / 40 966.67 tce",
    ),
    note=Text("电网中的非化石电量不计", "the non-fossil part of grid electricity is not counted"),
)
