"""Typical years of weather, packaged: what wind, sun and heat pumps find where the plant has no station of its own.

The hours of a typical year are laid on any grid by month, day and hour of the plant's clock; 29 February repeats the 28th.
Within an hour values stay as they are, so that energy is kept on finer grids; coarser grids take the mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np

from zerofactory.assets.grid import Floats, Grid, Integers
from zerofactory.errors import FaultyData, NotFound, Problem, Text

FEBRUARY_29_HOUR = (31 + 28) * 24
YEAR_HOURS = 8760


@dataclass(frozen=True, slots=True, eq=False)
class WeatherYear:
    """A typical year at a place: 8760 hours of each series, by the name under which assets ask for it."""

    id: str
    title: Text
    latitude_degrees: float
    longitude_degrees: float
    time_zone: str
    wind_height_m: float
    source: str
    licence: str
    status: str
    series: Mapping[str, Floats]

    def on(self, grid: Grid) -> Mapping[str, Floats]:
        """Return each series on a grid.

        Raises
        ------
        FaultyData
            The grid follows another clock than the typical year.
        """
        if grid.time_zone != self.time_zone:
            raise FaultyData([_other_clock(self, grid)])
        first, hours = _place(grid), max(1, grid.step_minutes // 60)
        late = np.maximum(grid.minute_of_day % 60 + grid.step_minutes - 60 * hours, 0) / grid.step_minutes
        return {name: _mean(year, first, hours, late) for name, year in self.series.items()}


def _mean(year: Floats, first: Integers, hours: int, late: Floats) -> Floats:
    """Return the mean of ``hours`` hours from ``first`` on; a share ``late`` of an interval may lie in the hour after."""
    mean = np.mean([year[(first + ahead) % YEAR_HOURS] for ahead in range(hours)], axis=0)
    return np.asarray((1.0 - late) * mean + late * year[(first + hours) % YEAR_HOURS], dtype=np.float64)


def _place(grid: Grid) -> Integers:
    """Return the hour of the typical year of each interval."""
    hour = grid.hour_of_year
    leap = np.asarray([_is_leap(int(label[:4])) for label in grid.months])[grid.month_of]
    return np.asarray(hour - np.where(leap & (hour >= FEBRUARY_29_HOUR), 24, 0), dtype=np.int64)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def places() -> tuple[str, ...]:
    """Return the places whose typical year is packaged."""
    return tuple(sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".toml")))


@lru_cache(maxsize=4)
def weather_year(place: str) -> WeatherYear:
    """Return the typical year of a place; raise `NotFound` with the choices.

    Examples
    --------
    >>> year = weather_year("shanghai")
    >>> len(year.series["ghi_w_per_m2"]), round(float(year.series["ghi_w_per_m2"].sum()) / 1000, 1)
    (8760, 1470.8)
    """
    if place not in places():
        raise NotFound(Text("典型年地点", "place of a typical year"), place, places())
    head = tomllib.loads((_folder() / f"{place}.toml").read_text(encoding="utf-8"))
    with (_folder() / f"{place}.csv").open(encoding="utf-8") as stream:
        table = np.loadtxt(stream, delimiter=",", skiprows=1, dtype=np.int64)
    columns = {
        "ambient_celsius": table[:, 0] / 10.0,
        "ghi_w_per_m2": table[:, 1].astype(np.float64),
        "dni_w_per_m2": table[:, 2].astype(np.float64),
        "dhi_w_per_m2": table[:, 3].astype(np.float64),
        "wind_m_per_s": table[:, 4] / 10.0,
        "dew_point_celsius": table[:, 5] / 10.0,
    }
    return WeatherYear(
        place,
        Text(**head["title"]),
        head["latitude_degrees"],
        head["longitude_degrees"],
        head["time_zone"],
        head["wind_height_m"],
        head["source"],
        head["licence"],
        head["status"],
        columns,
    )


def _folder() -> Traversable:
    return files("zerofactory.assets") / "weather"


def _other_clock(year: WeatherYear, grid: Grid) -> Problem:
    return Problem(
        "assets.weather_clock",
        Text(
            f"{year.title.zh}按 {year.time_zone} 的钟点, 工厂在 {grid.time_zone}。",
            f"The {year.title.en} follows {year.time_zone}, the plant {grid.time_zone}.",
        ),
        Text("请给出当地气象序列。", "Give the weather of the place as series."),
    )
