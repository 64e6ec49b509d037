"""车间能耗占比: share of a shop in the plant's energy."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="energy_share",
    title=Text("车间能耗占比", "share of a shop in the plant's energy"),
    unit="fraction",
    inputs={"shop": "energy@{shop}", "plant": "energy@plant"},
    compute=lambda x: x["shop"] / x["plant"],
    formula="energy of the shop / energy of the plant",
    reference="IOP Conf. Ser. 319 012060 (2018): paint 50–70 %",
    example=Example(
        {"shop": 22000.0, "plant": 55000.0},
        0.4,
        "worked by hand from the formula: 22 000 / 55 000 tce",
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
