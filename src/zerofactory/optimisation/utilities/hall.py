"""A hall (厂房) as one zone of air and mass: what keeps it between its set points in the weather, and how it drifts when nothing does.

    C dT/dt = (UA + ρ c V̇) (T_out − T) + gains + Q          solved exactly over an interval in which all else is constant

(one resistance, one capacity: ISO 52016-1:2017 in its simplest form; Kramer, van Schijndel, Schellen 2012, doi
10.1016/j.buildenv.2011.12.001). Q is what ends the interval at the set point, cut to the size of what is installed. Moisture of the
ventilation above the room's is drawn off at the heat of evaporation where the hall is being cooled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numba import njit

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import air
from zerofactory.optimisation.utilities.driven import Driven, Floats


@dataclass(frozen=True, slots=True)
class Hall:
    """A hall.

    Parameters
    ----------
    envelope_kw_per_k : walls, roof, doors; ``heat_kwh_per_k`` what air, steel and floor hold.
    infiltration_m3_per_h : always; ``ventilation_m3_per_h`` within shifts, of whose heat ``recovered_fraction`` is kept.
    sun_m2 : glass and roof lights times what they let through, of global radiation.
    gains_fraction : of the electricity of the stations of its shop; ``gains_kw`` within shifts and ``rest_gains_kw`` outside.
    heat_celsius, cool_celsius : within shifts, with ``rest_…`` outside of them; None where it is not heated or cooled.
    heat_kw, cool_kw : what is installed in the hall, from the loops ``heat_from`` and ``cool_from``.
    humid_fraction : relative humidity at ``cool_celsius`` above which the moisture of the ventilation is drawn off.
    fan_kw, rest_fan_kw : ventilation and lighting, electricity within shifts and outside.
    cold_fan_kw_per_kw : what the air handlers take more for the cold they bring.
    """

    id: str
    title: Text
    shop: str | None
    envelope_kw_per_k: float
    heat_kwh_per_k: float
    infiltration_m3_per_h: float = 0.0
    ventilation_m3_per_h: float = 0.0
    recovered_fraction: float = 0.0
    sun_m2: float = 0.0
    gains_fraction: float = 0.0
    gains_kw: float = 0.0
    rest_gains_kw: float = 0.0
    heat_celsius: float | None = None
    rest_heat_celsius: float | None = None
    cool_celsius: float | None = None
    rest_cool_celsius: float | None = None
    heat_kw: float = 0.0
    cool_kw: float = 0.0
    heat_from: str | None = None
    cool_from: str | None = None
    humid_fraction: float = 1.0
    fan_kw: float = 0.0
    rest_fan_kw: float = 0.0
    cold_fan_kw_per_kw: float = 0.0
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@njit(cache=True, nogil=True)
def drift(celsius: float, resting_celsius: float, per_hour: float, hours: float) -> float:
    """Return the temperature after some hours on the way to the one at which it would rest: T∞ + (T − T∞) e^(−t H / C).

    >>> round(drift(20.0, 0.0, 0.1, 10.0), 6) == round(20.0 * math.exp(-1.0), 6)
    True
    """
    return resting_celsius + (celsius - resting_celsius) * math.exp(-per_hour * hours)


@njit(cache=True, nogil=True)
def needed_kw(end_celsius: float, set_celsius: float, kw_per_k: float, decay: float) -> float:
    """Return the constant heat that ends an interval at the set point instead of where it would end; below zero it is cold.

    >>> round(needed_kw(18.0, 20.0, 10.0, math.exp(-0.5)), 6) == round(20.0 / (1.0 - math.exp(-0.5)), 6)
    True
    """
    return (set_celsius - end_celsius) * kw_per_k / (1.0 - decay)


def exchange_kw_per_k(hall: Hall, driven: Driven) -> Floats:
    """Return the heat a hall exchanges with the weather by kelvin, interval by interval."""
    fresh = hall.ventilation_m3_per_h * (1.0 - hall.recovered_fraction) * driven.open_fraction
    outdoors = driven.outdoors
    kg = (hall.infiltration_m3_per_h + fresh) / 3600.0 / air.volume(20.0, 0.0, outdoors.pressure_pa)
    return np.asarray(hall.envelope_kw_per_k + kg * air.AIR_KJ_PER_KG_K)


def gains_kw(hall: Hall, driven: Driven) -> Floats:
    """Return the heat from machines, people, light and sun."""
    power = driven.stations.power_kw.get(hall.shop or "", np.zeros(driven.length))
    own = hall.gains_kw * driven.open_fraction + hall.rest_gains_kw * (1.0 - driven.open_fraction)
    return np.asarray(hall.gains_fraction * power + own + hall.sun_m2 * driven.outdoors.sun_w_per_m2 / 1000.0)


def moisture_kw(hall: Hall, driven: Driven) -> Floats:
    """Return the latent heat of the ventilation while the hall is cooled."""
    if hall.cool_celsius is None:
        return np.zeros(driven.length)
    outdoors = driven.outdoors
    room = air.humidity(hall.cool_celsius, hall.humid_fraction, outdoors.pressure_pa)
    kg = hall.ventilation_m3_per_h * driven.open_fraction / 3600.0 / air.volume(20.0, 0.0, outdoors.pressure_pa)
    return np.asarray(kg * np.maximum(outdoors.humidity_ratio - room, 0.0) * air.EVAPORATION_KJ_PER_KG)


def set_points(hall: Hall, driven: Driven) -> tuple[Floats, Floats]:
    """Return the temperatures below which it is heated and above which it is cooled; within shifts those of the shift."""
    opened = driven.open_fraction > 0.0

    def given(value: float | None, rest: float | None, none: float) -> Floats:
        return np.where(opened, none if value is None else value, none if rest is None else rest)

    low = given(hall.heat_celsius, hall.rest_heat_celsius, -np.inf)
    return low, given(hall.cool_celsius, hall.rest_cool_celsius, np.inf)
