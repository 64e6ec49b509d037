"""低碳运输占比: low-carbon share of freight."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="freight_low_carbon_share",
    title=Text("低碳运输占比", "low-carbon share of freight"),
    unit="fraction",
    inputs={
        "low": "freight_low_carbon",
        "all": "freight_all",
        "trips_electric": "freight_trips_electric",
        "trips": "freight_trips",
        "load": "freight_load",
    },
    compute=lambda x: (x["low"] + x["trips_electric"] * x["load"]) / (x["all"] + x["trips"] * x["load"]),
    formula="tonne-kilometres by rail, water and electric road / all",
    reference="ISO 14083 transport activity",
    example=Example(
        {"low": 690000000.0, "all": 990000000.0, "trips_electric": 1000000.0, "trips": 1000000.0, "load": 10.0},
        0.7,
        "worked by hand from the formula: (690 + 10) / (990 + 10) million t·km",
    ),
)
