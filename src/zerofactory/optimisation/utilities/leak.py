"""Air through an orifice: what a leak loses at a pressure.

Isentropic nozzle flow of an ideal gas times a discharge coefficient; choked where p_outside / p ≤ (2 / (γ + 1))^(γ / (γ − 1)), 0.528
of air (ISO 9300:2022, critical flow nozzles; Saad 1993, Compressible Fluid Flow, 3.6 and 3.9).
"""

from __future__ import annotations

import math

from numba import njit

GAMMA, GAS_J_PER_KG_K = 1.4, 287.042
NORMAL_KG_PER_M3 = 101_325.0 / (GAS_J_PER_KG_K * 273.15)  # dry air at 0 °C and 101.325 kPa
CRITICAL = (2.0 / (GAMMA + 1.0)) ** (GAMMA / (GAMMA - 1.0))
CHOKED = math.sqrt(GAMMA) * (2.0 / (GAMMA + 1.0)) ** ((GAMMA + 1.0) / (2.0 * (GAMMA - 1.0)))


@njit(cache=True, nogil=True)
def flux(pressure_pa: float, kelvin: float, outside_pa: float = 101_325.0) -> float:
    """Return the Nm3 an hour through an ideal orifice of one square metre, from an absolute pressure and its temperature.

    >>> round(orifice_nm3_per_h(6.35, 0.97, 690.0, 21.0), 1)
    159.6
    """
    ratio = outside_pa / pressure_pa
    if ratio >= 1.0:
        return 0.0
    if ratio <= CRITICAL:
        kg = CHOKED * pressure_pa / math.sqrt(GAS_J_PER_KG_K * kelvin)
    else:
        part = ratio ** (2.0 / GAMMA) - ratio ** ((GAMMA + 1.0) / GAMMA)
        kg = pressure_pa * math.sqrt(2.0 * GAMMA / ((GAMMA - 1.0) * GAS_J_PER_KG_K * kelvin) * part)
    return float(kg * 3600.0 / NORMAL_KG_PER_M3)


def orifice_nm3_per_h(diameter_mm: float, discharge_fraction: float, gauge_kpa: float, celsius: float) -> float:
    """Return what leaves a hole, in Nm3 an hour.

    Parameters
    ----------
    diameter_mm : of the hole.
    discharge_fraction : coefficient of discharge: about 0.61 with sharp edges, 0.97 well rounded (US DOE, Compressed Air Tip Sheet 3).
    gauge_kpa : pressure above the atmosphere.
    celsius : of the air before the hole.

    >>> round(orifice_nm3_per_h(3.0, 0.61, 700.0, 20.0), 2)
    22.72
    """
    area = math.pi * (diameter_mm / 1000.0) ** 2 / 4.0
    return float(discharge_fraction * area * flux(gauge_kpa * 1000.0 + 101_325.0, celsius + 273.15))
