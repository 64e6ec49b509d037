"""A store of hot or cold water (蓄热、蓄冷), mixed or in two layers, with its losses.

Two layers of equal volume: charging brings water of the supply temperature into the layer of use and pushes as much into the other;
drawing takes from the layer of use and fills the other with water of the return temperature:

    charge    f = Q / |T_supply − T_return_layer|,   C dT_use = f (T_supply − T_use) dt,   C dT_return = f (T_use − T_return) dt
    draw      f = Q / |T_use − T_back|,              C dT_use = f (T_return − T_use) dt,   C dT_return = f (T_back − T_return) dt

with losses UA / 2 of each and the exchange between them (multi-node tank of Duffie, Beckman 2013, Solar Engineering of Thermal
Processes, 8.4, with two nodes). What is stored changes by what is charged, drawn and lost, to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from numba import njit

from zerofactory.errors import Text
from zerofactory.optimisation.utilities.driven import Floats

WATER_KWH_PER_M3_K = 4.186 * 998.0 / 3600.0  # water at 20 °C


@dataclass(frozen=True, slots=True)
class Tank:
    """A store on a loop.

    Parameters
    ----------
    volume_m3, layers : 1 mixed, 2 in two layers.
    loss_kw_per_k, exchange_kw_per_k : to the air around, between the layers.
    around_celsius : of that air.
    charge_kw : at most; ``charge_hours`` are the local hours in which it is charged, it is drawn from in the others.
    """

    id: str
    title: Text
    loop: str
    volume_m3: float
    layers: int
    loss_kw_per_k: float
    around_celsius: float
    charge_kw: float
    charge_hours: tuple[int, ...]
    exchange_kw_per_k: float = 0.0


class Water(NamedTuple):
    """A store as the stepping takes it; ``sign`` 1 hot, −1 cold; capacity 0 is no store. Temperatures of the loop."""

    sign: float
    layer_kwh_per_k: float
    layers: int
    loss_kw_per_k: float
    exchange_kw_per_k: float
    around: float
    supply: float
    back: float
    charge_kw: float


@njit(cache=True, nogil=True)
def room_kw(water: Water, layers: Floats, hours: float) -> float:
    """Return what the store can be charged with over an interval."""
    span = water.sign * (water.supply - layers[1])
    if water.layer_kwh_per_k <= 0.0 or span <= 0.0:
        return 0.0
    return float(min(water.charge_kw, _capacity(water) / hours * span))


@njit(cache=True, nogil=True)
def yield_kw(water: Water, layers: Floats, hours: float) -> float:
    """Return what can be drawn over an interval: nothing below the temperature of the return."""
    span = water.sign * (layers[0] - water.back)
    if water.layer_kwh_per_k <= 0.0 or span <= 0.0:
        return 0.0
    return float(_capacity(water) / hours * span)


@njit(cache=True, nogil=True)
def _capacity(water: Water) -> float:
    return water.layer_kwh_per_k * (2.0 if water.layers == 1 else 1.0)


@njit(cache=True, nogil=True)
def step(water: Water, layers: Floats, charge_kw: float, draw_kw: float, hours: float) -> float:
    """Change the layers (use, return) over an interval, and return what is lost to the air, kW (below zero: gained by cold water).

    >>> import numpy as np
    >>> hot, layers = Water(1.0, 10.0, 2, 0.0, 0.0, 20.0, 80.0, 50.0, 1e3), np.array([50.0, 50.0])
    >>> lost = step(hot, layers, 300.0, 0.0, 0.5)
    >>> layers.tolist(), lost
    ([65.0, 50.0], 0.0)
    """
    use, rest, c = layers[0], layers[1], water.layer_kwh_per_k
    if c <= 0.0:
        return 0.0
    lost = water.loss_kw_per_k * ((use + rest) / 2.0 - water.around)
    if water.layers == 1:
        change = (water.sign * (charge_kw - draw_kw) - lost) * hours / (2.0 * c)
        layers[0] = use + change
        layers[1] = rest + change
        return float(lost)
    between = water.exchange_kw_per_k * (use - rest)
    to_use = -between - water.loss_kw_per_k / 2.0 * (use - water.around)
    to_rest = between - water.loss_kw_per_k / 2.0 * (rest - water.around)
    if charge_kw > 0.0:
        flow = charge_kw / (water.sign * (water.supply - rest))
        to_use += flow * (water.supply - use)
        to_rest += flow * (use - rest)
    if draw_kw > 0.0:
        flow = draw_kw / (water.sign * (use - water.back))
        to_use += flow * (rest - use)
        to_rest += flow * (water.back - rest)
    layers[0] = use + to_use * hours / c
    layers[1] = rest + to_rest * hours / c
    return float(lost)


@njit(cache=True, nogil=True)
def kept_kwh(water: Water, layers: Floats) -> float:
    """Return what is stored above (below, cold) the temperature of the return."""
    return float(water.sign * water.layer_kwh_per_k * (layers[0] + layers[1] - 2.0 * water.back))
