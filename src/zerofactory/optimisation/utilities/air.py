"""Moist air (湿空气): vapour pressure, humidity, enthalpy, volume, wet bulb; an ideal gas at the pressure of the place.

ASHRAE Handbook – Fundamentals (2017), chapter 1, equations by number; temperatures in °C, pressures in Pa, humidity ratio in kg of
water a kg of dry air, enthalpy in kJ a kg of dry air above dry air and liquid water at 0 °C. All take numbers or arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SEA_LEVEL_PA = 101_325.0
ZERO_CELSIUS_KELVIN = 273.15
WATER_TO_AIR = 0.621945  # ratio of molar masses, eq. 20
AIR_J_PER_KG_K = 287.042  # gas constant of dry air, eq. 1
AIR_KJ_PER_KG_K, VAPOUR_KJ_PER_KG_K, WATER_KJ_PER_KG_K, EVAPORATION_KJ_PER_KG = 1.006, 1.86, 4.186, 2501.0  # eq. 30, 32
ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)  # eq. 5
WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 6.5459673)  # eq. 6
WET_BULB_STEPS = 40  # halvings of the range of possible wet bulbs: below 1e-9 K


def saturation_pa(celsius: Any) -> Floats:
    """Return the pressure of water vapour over ice or water (eq. 5 and 6, Hyland and Wexler 1983).

    >>> [round(float(p), 1) for p in saturation_pa(np.array([0.0, 20.0, 100.0]))]
    [611.2, 2338.8, 101418.7]
    """
    t = np.asarray(celsius, dtype=np.float64) + ZERO_CELSIUS_KELVIN
    a, b, c, d, e, f, g = ICE
    ice = a / t + b + c * t + d * t**2 + e * t**3 + f * t**4 + g * np.log(t)
    a, b, c, d, e, f = WATER
    water = a / t + b + c * t + d * t**2 + e * t**3 + f * np.log(t)
    return np.asarray(np.exp(np.where(t < ZERO_CELSIUS_KELVIN, ice, water)))


def humidity(celsius: Any, relative_fraction: Any, pressure_pa: float = SEA_LEVEL_PA) -> Floats:
    """Return the humidity ratio (eq. 20 and 22); at a dew point with ``relative_fraction`` 1.

    >>> round(float(humidity(25.0, 0.5)), 5)
    0.00988
    """
    vapour = np.asarray(relative_fraction) * saturation_pa(celsius)
    return np.asarray(WATER_TO_AIR * vapour / (pressure_pa - vapour))


def relative(celsius: Any, ratio: Any, pressure_pa: float = SEA_LEVEL_PA) -> Floats:
    """Return the relative humidity of a humidity ratio.

    >>> round(float(relative(25.0, humidity(25.0, 0.5))), 6)
    0.5
    """
    w = np.asarray(ratio, dtype=np.float64)
    return np.asarray(pressure_pa * w / ((WATER_TO_AIR + w) * saturation_pa(celsius)))


def enthalpy(celsius: Any, ratio: Any) -> Floats:
    """Return the enthalpy (eq. 30).

    >>> round(float(enthalpy(25.0, 0.01)), 2)
    50.62
    """
    t = np.asarray(celsius, dtype=np.float64)
    return np.asarray(AIR_KJ_PER_KG_K * t + np.asarray(ratio) * (EVAPORATION_KJ_PER_KG + VAPOUR_KJ_PER_KG_K * t))


def temperature(enthalpy_kj_per_kg: Any, ratio: Any) -> Floats:
    """Return the temperature of an enthalpy at a humidity ratio (eq. 30 the other way round).

    >>> round(float(temperature(enthalpy(25.0, 0.01), 0.01)), 9)
    25.0
    """
    w = np.asarray(ratio, dtype=np.float64)
    dry = np.asarray(enthalpy_kj_per_kg) - w * EVAPORATION_KJ_PER_KG
    return np.asarray(dry / (AIR_KJ_PER_KG_K + VAPOUR_KJ_PER_KG_K * w))


def volume(celsius: Any, ratio: Any, pressure_pa: float = SEA_LEVEL_PA) -> Floats:
    """Return the volume in m3 of the moist air that has a kg of dry air (eq. 26).

    >>> round(float(volume(20.0, 0.0)), 4)
    0.8305
    """
    kelvin = np.asarray(celsius, dtype=np.float64) + ZERO_CELSIUS_KELVIN
    return np.asarray(AIR_J_PER_KG_K * kelvin * (1.0 + np.asarray(ratio) / WATER_TO_AIR) / pressure_pa)


def dew_point(ratio: Any, pressure_pa: float = SEA_LEVEL_PA) -> Floats:
    """Return the temperature at which air of a humidity ratio is saturated, between −60 and 100 °C, by halving.

    >>> round(float(dew_point(humidity(12.5, 1.0))), 6)
    12.5
    """
    w = np.asarray(ratio, dtype=np.float64)
    low, high = np.full(w.shape, -60.0), np.full(w.shape, 99.0)
    for _ in range(WET_BULB_STEPS):
        middle = (low + high) / 2.0
        above = humidity(middle, 1.0, pressure_pa) > w
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2.0)


def wet_bulb(celsius: Any, ratio: Any, pressure_pa: float = SEA_LEVEL_PA) -> Floats:
    """Return the thermodynamic wet bulb (eq. 33 and 35), by halving between −60 °C and the dry bulb.

    >>> round(float(wet_bulb(40.0, 0.0065)))
    20
    """
    t, w = np.broadcast_arrays(np.asarray(celsius, dtype=np.float64), np.asarray(ratio, dtype=np.float64))
    low, high = np.full(t.shape, -60.0), t.copy()
    for _ in range(WET_BULB_STEPS):
        wet = (low + high) / 2.0
        saturated = humidity(wet, 1.0, pressure_pa)
        over_water = ((2501.0 - 2.326 * wet) * saturated - 1.006 * (t - wet)) / (2501.0 + 1.86 * t - 4.186 * wet)
        over_ice = ((2830.0 - 0.24 * wet) * saturated - 1.006 * (t - wet)) / (2830.0 + 1.86 * t - 2.1 * wet)
        above = np.where(wet >= 0.0, over_water, over_ice) > w
        low, high = np.where(above, low, wet), np.where(above, wet, high)
    return np.asarray((low + high) / 2.0)


def pressure_pa(altitude_m: float) -> float:
    """Return the standard pressure at a height (eq. 3).

    >>> round(pressure_pa(1000.0))
    89875
    """
    return float(SEA_LEVEL_PA * (1.0 - 2.25577e-5 * altitude_m) ** 5.2559)
