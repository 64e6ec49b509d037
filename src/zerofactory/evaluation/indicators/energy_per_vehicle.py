"""单车能耗(车间): energy per vehicle by shop."""

from __future__ import annotations

from zerofactory import units
from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

KWH_PER_TCE = units.ratio("tce", "kWh")

INDICATOR = Indicator(
    id="energy_per_vehicle",
    title=Text("单车能耗(车间)", "energy per vehicle by shop"),
    unit="kWh/vehicle",
    inputs={"energy": "energy@{shop}", "vehicles": "vehicles"},
    compute=lambda x: x["energy"] * KWH_PER_TCE / x["vehicles"],
    formula="energy of the shop (1 tce = 29.3076 GJ) / vehicles",
    reference="GB/T 36132-2025 B.1 by shop; GB/T 2589-2020",
    example=Example(
        {"energy": 36000.0, "vehicles": 300000.0},
        976.92,
        "worked by hand from the formula: 36 000 tce × 29 307.6 MJ / 3.6 MJ/kWh / 300 000",
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
    note=Text(
        "车间自有表计的能耗, 不含分摊的公用动力", "what the shop's own meters took, shared utilities not allocated"
    ),
)
