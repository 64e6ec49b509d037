"""公路货运电动化率: electrified share of road freight."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="freight_electrified",
    title=Text("公路货运电动化率", "electrified share of road freight"),
    unit="fraction",
    inputs={
        "electric": "freight_electric",
        "road": "freight",
        "trips_electric": "freight_trips_electric",
        "trips": "freight_trips",
        "load": "freight_load",
    },
    compute=lambda x: (x["electric"] + x["trips_electric"] * x["load"]) / (x["road"] + x["trips"] * x["load"]),
    formula="tonne-kilometres by battery-electric trucks and vans / tonne-kilometres by road",
    reference="GLEC Framework / ISO 14083 transport activity",
    example=Example(
        {"electric": 20000000.0, "road": 290000000.0, "trips_electric": 1000000.0, "trips": 1000000.0, "load": 10.0},
        0.1,
        "worked by hand from the formula: (20 + 1 × 10) / (290 + 1 × 10) million t·km",
    ),
    note=Text("按车公里记账的行程须证明平均载重", "trips booked by vehicle-kilometre need their mean load attested"),
)
