"""Chiller: cold = EER · power, the EER by the temperature of the cooling water.

    EER = η · T_cold / (T_condenser − T_cold),   η from the rated EER at rated temperatures, both in K

The cooling water follows the outside air plus an approach and does not fall below a floor (GB/T 18430.1-2024 rates at
30 °C cooling water and 7 °C chilled water).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.grid import Floats
from zerofactory.assets.size import capacity
from zerofactory.errors import Text

ZERO_CELSIUS_KELVIN = 273.15


def eer(values: Values, ambient_celsius: Floats) -> Floats:
    """Return the cold per power at an outside temperature.

    Examples
    --------
    >>> from zerofactory.assets.asset import asset, values_of
    >>> values, _ = values_of(asset("chiller"), {"cooling_kw": 1, "rated_eer_fraction": 6.0, "cooling_water_approach_kelvin": 0.0})
    >>> [round(float(e), 2) for e in eer(values, np.array([30.0, 22.0]))]
    [6.0, 9.2]
    """
    cold = values["chilled_celsius"] + ZERO_CELSIUS_KELVIN
    rated_lift = values["rated_cooling_water_celsius"] - values["chilled_celsius"]
    second_law = values["rated_eer_fraction"] * rated_lift / cold
    water = np.maximum(
        ambient_celsius + values["cooling_water_approach_kelvin"], values["cooling_water_minimum_celsius"]
    )
    lift = np.maximum(water - values["chilled_celsius"], 1e-9)
    return np.minimum(second_law * cold / lift, values["eer_maximum_fraction"])


def profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return the EER of each interval."""
    return {"eer": eer(values, conditions.array("ambient_celsius"))}


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the chiller does: the wish cut so that the cold stays within its size."""
    return Stepped(state, {"power_kw": min(max(action["power_kw"], 0.0), values["cooling_kw"] / at.series["eer"])})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the chiller."""
    size, ratio = capacity(values, conditions, "cooling", "kw"), profile(values, conditions)["eer"]
    power, rows = size.ceiling(Variable("power_kw"), 1.0 / ratio)
    flows = (Flow("electricity", "power_kw", -1.0), Flow("cold", "power_kw", ratio))
    return AssetBlock("chiller", (*size.variables, power), rows, flows, sizes=size.sizes)


ASSET = Asset(
    id="chiller",
    title=Text("冷水机组", "chiller"),
    actions=("power_kw",),
    size="cooling_kw",
    step=step,
    block=block,
    profile=profile,
    inputs=(Input("ambient_celsius", "°C", Text("室外气温", "outside air")),),
    reference="GB/T 18430.1-2024 蒸气压缩循环冷水(热泵)机组 (名义工况); GB 19577-2024 冷水机组能效; Carnot bound of refrigeration",
    example=Example(
        text=Text("7 MW 机组, EER 6, 欲用 2 MW 电", "7 MW machine at an EER of 6, 2 MW wished"),
        given={"cooling_kw": 7000.0},
        action={"power_kw": 2000.0},
        series={"eer": 6.0},
        expected={"power_kw": 1166.6666667},
        citation="by hand: 7000 / 6",
    ),
)
