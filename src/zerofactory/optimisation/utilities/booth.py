"""A paint booth (喷漆室): supply air brought into its window from outdoors and from the booth itself, and the fans that move it.

    mixed     t, w of (1 − r) outdoor air, warmed by the wheel with ε (t_booth − t_outdoor), and r booth air; fans add their heat
    dried     Q = (1 − r) m (h_outdoor − h_coil − (w_outdoor − w_coil) h_condensate), coil at the dew point the mixture needs
    heated    Q = m (h_supply − h_mixed − (w_supply − w_mixed) h_water), or cooled; water sprayed or steam
                                                                       ASHRAE Fundamentals (2017) 1.11, HVAC Systems (2020) 23
    fans      P = P_rated · (flow / rated flow)³                                   affinity laws, ASHRAE HVAC Systems (2020) 21

The target is the nearest point of the window: temperature first, then humidity at that temperature. m in kg of dry air a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import air
from zerofactory.optimisation.utilities.driven import Driven, Floats, Outdoors

FAN_EXPONENT = 3.0
STEAM_CELSIUS = 100.0
RESTING = ("off", "standby")
"""States in which the booth is not kept in its window but only from freezing (``rest``)."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the supply air must be: temperatures and relative humidities from … to."""

    low_celsius: float
    high_celsius: float
    low_fraction: float = 0.0
    high_fraction: float = 1.0


@dataclass(frozen=True, slots=True)
class Booth:
    """A booth.

    Parameters
    ----------
    stations : whose states it follows.
    supply_m3_per_h : air into the booth at full flow; ``recirculated_fraction`` of it is booth air.
    flow_fraction : of the full flow by state, 1 where none is given.
    rest : the window in the states off and standby.
    fan_kw : all fans at full flow; ``fan_heat_fraction`` of it ends in the supply air.
    wheel_fraction : sensible effectiveness of the heat wheel between exhaust and outdoor air.
    steam : humidified by steam instead of sprayed water.
    heat_from, cool_from : loops; heat ``gas`` is a burner in the air stream of ``burner_fraction``.
    pump_kw_per_kw : pumps and sprays by cooling and drying.
    """

    id: str
    title: Text
    shop: str | None
    stations: tuple[str, ...]
    supply_m3_per_h: float
    window: Window
    rest: Window
    fan_kw: float
    heat_from: str
    cool_from: str
    recirculated_fraction: float = 0.0
    flow_fraction: Mapping[str, float] = field(default_factory=dict)
    fan_heat_fraction: float = 1.0
    wheel_fraction: float = 0.0
    steam: bool = False
    burner_fraction: float = 1.0
    pump_kw_per_kw: float = 0.0
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Conditioned(NamedTuple):
    """What the air takes, in kW and kg of water an hour."""

    heat_kw: Floats
    cold_kw: Floats
    water_kg_per_h: Floats
    fan_kw: float


def rated_kg_per_s(booth: Booth, pressure_pa: float) -> float:
    """Return the dry air of the full flow at the middle of the window."""
    window = booth.window
    t = (window.low_celsius + window.high_celsius) / 2.0
    w = air.humidity(t, (window.low_fraction + window.high_fraction) / 2.0, pressure_pa)
    return booth.supply_m3_per_h / 3600.0 / float(air.volume(t, w, pressure_pa))


def condition(booth: Booth, outdoors: Outdoors, flow: float, window: Window) -> Conditioned:
    """Return what the supply air takes at a share of the full flow, in each interval.

    >>> from zerofactory.errors import Text
    >>> still = Window(20.0, 20.0)
    >>> one = Booth("b", Text("b", "b"), None, ("s",), 3600.0, still, still, 0.0, "gas", "cold")
    >>> cold = Outdoors(np.array([0.0]), np.array([0.0]), np.array([0.0]))
    >>> round(float(condition(one, cold, 1.0, still).heat_kw[0]), 3), round(rated_kg_per_s(one, 101325.0) * 1.006 * 20.0, 3)
    (23.948, 23.948)
    """
    mass = rated_kg_per_s(booth, outdoors.pressure_pa) * flow
    fan_kw = booth.fan_kw * flow**FAN_EXPONENT
    fans = booth.fan_heat_fraction * fan_kw / mass if mass > 0.0 else 0.0
    pa, r = outdoors.pressure_pa, booth.recirculated_fraction
    fresh, inside = _fresh(booth, outdoors, window)
    mixed_w = (1.0 - r) * outdoors.humidity_ratio + r * inside.w
    before = (1.0 - r) * fresh.h + r * inside.h + fans
    target_t = np.clip(air.temperature(before, mixed_w), window.low_celsius, window.high_celsius)
    high_w = air.humidity(target_t, window.high_fraction, pa)
    low_w = np.minimum(air.humidity(target_t, window.low_fraction, pa), high_w)
    wet = mixed_w > high_w
    target_w = np.where(wet, high_w, np.maximum(mixed_w, low_w))
    coil_w = np.where(wet, np.maximum((high_w - r * inside.w) / (1.0 - r), 1e-6), fresh.w)
    coil_t = fresh.t.copy()
    coil_t[wet] = np.minimum(air.dew_point(coil_w[wet], pa), fresh.t[wet])
    drained = (fresh.w - coil_w) * air.WATER_KJ_PER_KG_K * coil_t
    dried = (1.0 - r) * (fresh.h - air.enthalpy(coil_t, coil_w) - drained)
    added = np.where(wet, 0.0, target_w - mixed_w)
    vapour = air.EVAPORATION_KJ_PER_KG + air.VAPOUR_KJ_PER_KG_K * STEAM_CELSIUS
    brought = added * (vapour if booth.steam else air.WATER_KJ_PER_KG_K * np.maximum(outdoors.celsius, 0.0))
    left = air.enthalpy(target_t, target_w) - (before - dried - (1.0 - r) * drained) - brought
    heat, cold = np.maximum(left, 0.0), np.maximum(-left, 0.0) + dried
    return Conditioned(mass * (heat + (added * vapour if booth.steam else 0.0)), mass * cold, mass * added * 3600.0, fan_kw)  # fmt: skip


class Air(NamedTuple):
    """A stream by the kilogram of dry air."""

    t: Floats
    w: Floats
    h: Floats


def _fresh(booth: Booth, outdoors: Outdoors, window: Window) -> tuple[Air, Air]:
    """Return the outdoor air after the wheel, and the booth air: as it was supplied, at the nearest edge of the window."""
    t = np.clip(outdoors.celsius, window.low_celsius, window.high_celsius)
    high = air.humidity(t, window.high_fraction, outdoors.pressure_pa)
    low = np.minimum(air.humidity(t, window.low_fraction, outdoors.pressure_pa), high)
    w = np.clip(outdoors.humidity_ratio, low, high)
    fresh = outdoors.celsius + booth.wheel_fraction * (t - outdoors.celsius)
    after = Air(fresh, outdoors.humidity_ratio, air.enthalpy(fresh, outdoors.humidity_ratio))
    return after, Air(t, w, air.enthalpy(t, w))


class Took(NamedTuple):
    """What a booth takes in each interval; the second of a pair is the part while nothing is painted."""

    heat_kw: Floats
    cold_kw: Floats
    fan_kw: Floats
    water_kg_per_h: Floats
    idle_heat_kw: Floats
    idle_cold_kw: Floats
    idle_fan_kw: Floats


def run(booth: Booth, driven: Driven) -> Took:
    """Return what the booth takes as its stations do what they do."""
    stations = driven.stations
    shares = stations.together(booth.stations)
    total = [np.zeros(driven.length) for _ in range(7)]
    known: dict[tuple[float, bool], Conditioned] = {}
    for place, state in enumerate(stations.states):
        share = shares[:, place]
        if not share.any():
            continue
        key = booth.flow_fraction.get(state, 1.0), state in RESTING
        if key not in known:
            known[key] = condition(booth, driven.outdoors, key[0], booth.rest if key[1] else booth.window)
        one = known[key]
        idle = state not in stations.working
        parts = (one.heat_kw, one.cold_kw, one.fan_kw + booth.pump_kw_per_kw * one.cold_kw)
        for number, part in enumerate(parts):
            total[number] += share * part
            total[number + 4] += share * part * idle
        total[3] += share * one.water_kg_per_h
    return Took(*total)
