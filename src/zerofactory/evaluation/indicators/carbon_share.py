"""车间碳排放占比: share of a shop in the plant's emissions."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="carbon_share",
    title=Text("车间碳排放占比", "share of a shop in the plant's emissions"),
    unit="fraction",
    inputs={"shop": "emissions@{shop}", "plant": "emissions@plant"},
    compute=lambda x: x["shop"] / x["plant"],
    formula="emissions of the shop / emissions of the plant",
    reference="Stellantis, paint by numbers: about 65 % of plant CO2",
    example=Example(
        {"shop": 78000.0, "plant": 195000.0},
        0.4,
        "worked by hand from the formula: 78 000 / 195 000 t",
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
