"""单车金属废料: metal scrap per vehicle."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="scrap_per_vehicle",
    title=Text("单车金属废料", "metal scrap per vehicle"),
    unit="kg/vehicle",
    inputs={"scrap": "scrap", "vehicles": "vehicles"},
    compute=lambda x: x["scrap"] * 1000.0 / x["vehicles"],
    formula="metal scrap / vehicles",
    reference="mass balance",
    example=Example(
        {"scrap": 60000.0, "vehicles": 300000.0}, 200.0, "worked by hand from the formula: 60 000 t / 300 000 vehicles"
    ),
)
