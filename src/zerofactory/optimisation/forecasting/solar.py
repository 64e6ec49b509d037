"""Where the sun stands, what a clear sky gives, and where a PV plant lies when nobody says.

Simple formulas of a few minutes' accuracy; a forecaster needs the shape of a clear day, its scale comes from readings.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def cos_zenith(start: datetime, minutes: int, count: int, location: tuple[float, float]) -> Numbers:
    """Return the cosine of the sun's zenith angle in the middle of intervals; negative at night.

    Declination and equation of time as Fourier series of Spencer (1971), *Search* 2 (5), 172;
    cos z = sin φ sin δ + cos φ cos δ cos ω (Duffie and Beckman, *Solar Engineering of Thermal Processes*, eq. 1.6.5).

    Parameters
    ----------
    start : datetime
        First instant, aware.
    location : (latitude [°N], longitude [°E])

    Examples
    --------
    >>> noon = datetime.fromisoformat("2025-06-21T12:00+00:00")
    >>> round(float(cos_zenith(noon, 1, 1, (23.45, 0.0))[0]), 3)  # the sun overhead on the tropic
    1.0
    """
    seconds = start.timestamp() + (np.arange(count) + 0.5) * minutes * 60.0
    days = seconds / 86400.0
    year = np.datetime64(start.replace(tzinfo=None), "Y").astype("datetime64[D]").astype(np.int64)
    turn = 2.0 * np.pi * ((days - float(year)) % 365.2425) / 365.2425
    declination = (
        0.006918 - 0.399912 * np.cos(turn) + 0.070257 * np.sin(turn) - 0.006758 * np.cos(2 * turn)
        + 0.000907 * np.sin(2 * turn) - 0.002697 * np.cos(3 * turn) + 0.00148 * np.sin(3 * turn)
    )  # fmt: skip
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * np.cos(turn)
        - 0.032077 * np.sin(turn)
        - 0.014615 * np.cos(2 * turn)
        - 0.040849 * np.sin(2 * turn)
    )
    latitude, longitude = np.radians(location[0]), location[1]
    solar_min = (days % 1.0) * 1440.0 + 4.0 * longitude + equation_min
    hour_angle = np.radians(solar_min / 4.0 - 180.0)
    height: Numbers = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
    return height


def clear_sky(cosines: Numbers) -> Numbers:
    """Return the global horizontal irradiance of a clear sky in W/m2: 1098 cos z exp(−0.057 / cos z).

    Haurwitz (1945), *Journal of Meteorology* 2, 154–166, with the constants given by Reno, Hansen and Stein (2012),
    SAND2012-2389, section 3.2.

    Examples
    --------
    >>> clear_sky(np.array([-0.2, 1.0])).round(1).tolist()
    [0.0, 1037.2]
    """
    up = np.maximum(cosines, 1e-6)
    return np.where(cosines > 0.0, 1098.0 * up * np.exp(-0.057 / up), 0.0)


def locate(start: datetime, minutes: int, values: Numbers, offset_hours: float) -> tuple[float, float]:
    """Return the latitude and longitude whose clear sky fits the readings of a PV plant best.

    The greatest correlation on a grid of 2° around the meridian of the clock, then of 0.5°. It is an effective place: modules
    that look east or west shift its longitude, tilt its latitude. Readings of a few weeks tell the longitude well and the
    latitude roughly.
    """
    sound = np.flatnonzero(~np.isnan(values))
    if len(sound) < 2 or np.ptp(values[sound]) == 0.0:
        return 30.0, offset_hours * 15.0
    best, step = (30.0, offset_hours * 15.0), 2.0
    spans = (np.arange(16.0, 56.0, step), best[1] + np.arange(-30.0, 30.1, 2 * step))
    for fine in (step, 0.5):
        score = -np.inf
        for latitude in spans[0]:
            for longitude in spans[1]:
                sky = clear_sky(cos_zenith(start, minutes, len(values), (float(latitude), float(longitude))))[sound]
                fit = float(np.corrcoef(sky, values[sound])[0, 1]) if np.ptp(sky) > 0.0 else -1.0
                if fit > score:
                    score, best = fit, (float(latitude), float(longitude))
        if fine == step:
            spans = (best[0] + np.arange(-2.0, 2.1, 0.5), best[1] + np.arange(-4.0, 4.1, 0.5))
    return best
