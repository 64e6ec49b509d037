"""Chillers and heaters (冷水机组、锅炉、热泵): what they take for the heat or cold they give, by weather and by part load.

chiller     EER = η T_cold / (T_condenser − T_cold),  η from the rated EER; condenser water a few K above the wet bulb (towers) or air
heat pump   COP = η T_sink / (T_sink − T_source)                                                     Carnot with a share of it, K
part load   P = Q_full / EER · (c0 + c1 x + c2 x²),  x = Q / Q_full; below the least x it runs part of the time
            (EIR as a function of part load, EnergyPlus Engineering Reference, Chiller:Electric:EIR; Hydeman, Gillespie 2002, ASHRAE Trans. 108)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numba import njit

from zerofactory.errors import Text
from zerofactory.optimisation.utilities.air import ZERO_CELSIUS_KELVIN
from zerofactory.optimisation.utilities.driven import Floats, Outdoors

Kind = Literal["gas", "electric", "district", "heat_pump"]
CARRIER: Mapping[str, str] = {
    "gas": "natural_gas",
    "electric": "electricity",
    "district": "heat",
    "heat_pump": "electricity",
}
STRAIGHT = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Chiller:
    """A chiller on a loop.

    Parameters
    ----------
    cooling_kw : at most.
    rated_eer_fraction : at ``rated_condenser_celsius`` and the loop's supply temperature; ``eer_maximum_fraction`` at most.
    approach_k : condenser above the wet bulb, or above the air with ``air_cooled``; not below ``least_condenser_celsius``.
    part_load : c0, c1, c2; ``least_fraction`` of the output, below which it runs part of the time.
    tower_kw_per_kw : towers and condenser pumps by heat rejected.
    """

    id: str
    title: Text
    shop: str | None
    loop: str
    cooling_kw: float
    rated_eer_fraction: float
    rated_condenser_celsius: float
    approach_k: float
    least_condenser_celsius: float
    eer_maximum_fraction: float
    part_load: tuple[float, float, float] = STRAIGHT
    least_fraction: float = 0.0
    tower_kw_per_kw: float = 0.0
    air_cooled: bool = False
    available: bool = True
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heater:
    """A boiler (``gas``, ``electric``), a heat pump or a district connection on a loop.

    ``efficiency_fraction`` of gas by net calorific value; of a heat pump its share of the Carnot figure, with ``approach_k``
    between the outdoor air and its evaporator and ``cop_maximum_fraction`` at most.
    """

    id: str
    title: Text
    shop: str | None
    loop: str
    kind: Kind
    heat_kw: float
    efficiency_fraction: float = 1.0
    approach_k: float = 0.0
    cop_maximum_fraction: float = 1.0
    standing_kw: float = 0.0
    available: bool = True
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def eer(chiller: Chiller, outdoors: Outdoors, supply_celsius: float) -> Floats:
    """Return the cold per power at full load in each interval.

    >>> one = Chiller("c", Text("c", "c"), None, "cold", 1.0, 6.0, 30.0, 0.0, 15.0, 12.0, air_cooled=True)
    >>> days = Outdoors(np.array([30.0, 22.0]), np.zeros(2), np.zeros(2))
    >>> [round(float(e), 2) for e in eer(one, days, 7.0)]
    [6.0, 9.2]
    """
    cold = supply_celsius + ZERO_CELSIUS_KELVIN
    share = chiller.rated_eer_fraction * (chiller.rated_condenser_celsius - supply_celsius) / cold
    sink = outdoors.celsius if chiller.air_cooled else outdoors.wet_bulb_celsius
    condenser = np.maximum(sink + chiller.approach_k, chiller.least_condenser_celsius)
    lift = np.maximum(condenser - supply_celsius, 1e-6)
    return np.minimum(share * cold / lift, chiller.eer_maximum_fraction)


def per_input(heater: Heater, outdoors: Outdoors, supply_celsius: float) -> Floats:
    """Return the heat per input in each interval.

    >>> pump = Heater("h", Text("h", "h"), None, "hot", "heat_pump", 1.0, 0.5, 5.0, 8.0)
    >>> round(float(per_input(pump, Outdoors(np.array([5.0]), np.zeros(1), np.zeros(1)), 55.0)[0]), 3)
    2.983
    """
    if heater.kind != "heat_pump":
        return np.full(len(outdoors.celsius), heater.efficiency_fraction)
    lift = np.maximum(supply_celsius - (outdoors.celsius - heater.approach_k), 1e-6)
    carnot = (supply_celsius + ZERO_CELSIUS_KELVIN) / lift
    return np.minimum(heater.efficiency_fraction * carnot, heater.cop_maximum_fraction)


@njit(cache=True, nogil=True)
def input_kw(output_kw: float, full_kw: float, ratio: float, curve: Floats) -> float:
    """Return what a source takes for an output; ``curve`` is c0, c1, c2 and the least share of the output.

    >>> round(input_kw(50.0, 100.0, 5.0, np.array([0.1, 0.9, 0.0, 0.2])), 6)
    11.0
    >>> round(input_kw(10.0, 100.0, 5.0, np.array([0.1, 0.9, 0.0, 0.2])), 6)
    2.8
    """
    if output_kw <= 0.0 or full_kw <= 0.0:
        return 0.0
    x = output_kw / full_kw
    at = max(x, curve[3])
    return float(full_kw / ratio * (curve[0] + curve[1] * at + curve[2] * at * at) * (x / at))
