"""How a plant's year runs, from the packaged tables: days, shifts, shapes of load, weather, sun, chance.

Everything is on the plant's clock in quarter hours: arrays have 365 × 96 values, the first at 2025-01-01 00:00. Only
whole numbers are summed and only elementwise arithmetic is done on fractions, so that every machine gets the same bits.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files

import numpy as np
import polars as pl
from numpy.typing import NDArray

YEAR, DAYS, QUARTERS = 2025, 365, 96
SLOTS = DAYS * QUARTERS
START = datetime.fromisoformat(f"{YEAR}-01-01")  # on the plant's clock
DAY_TYPES = ("workday", "saturday", "off")
SEASONS = {12: "winter", 1: "winter", 2: "winter", 6: "summer", 7: "summer", 8: "summer"}

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


@lru_cache(maxsize=32)
def table(name: str) -> pl.DataFrame:
    """Return one packaged table of `tables/` (see the README there for origin, licence and derivation)."""
    data = (files("zerofactory.reference_plant") / "tables" / f"{name}.csv").read_bytes()
    return pl.read_csv(data, infer_schema_length=None)


@lru_cache(maxsize=1)
def parameters() -> dict[str, float]:
    """Return the decisions and assumptions of the fictional plant by id; units are in the ids or in the table."""
    rows = table("parameters").select("id", pl.col("value").cast(pl.Float64)).iter_rows()
    return {str(name): float(value) for name, value in rows}


@lru_cache(maxsize=1)
def days() -> tuple[date, ...]:
    """Return the days of the year in order."""
    return tuple(date(YEAR, 1, 1) + timedelta(days=index) for index in range(DAYS))


@lru_cache(maxsize=1)
def day_types() -> tuple[str, ...]:
    """Return the type of each day: two shifts on workdays, one on Saturdays, none on Sundays, holidays and stops.

    Examples
    --------
    >>> types = dict(zip(days(), day_types()))
    >>> types[date(2025, 10, 1)], types[date(2025, 10, 11)], types[date(2025, 10, 18)]
    ('off', 'workday', 'saturday')
    """
    marks: dict[str, set[str]] = {}
    for day, kind in table("calendar_2025").select("date", "kind").iter_rows():
        marks.setdefault(day, set()).add(kind)
    return tuple(_day_type(day, marks.get(day.isoformat(), set())) for day in days())


def _day_type(day: date, marks: set[str]) -> str:
    if marks & {"holiday", "shutdown"}:
        return "off"
    if "workday" in marks or day.isoweekday() <= 5:
        return "workday"
    return "saturday" if day.isoweekday() == 6 else "off"


@lru_cache(maxsize=1)
def vehicles() -> Whole:
    """Return the vehicles completed on each day of the year.

    The plan of the day type, varied by a share of the day-to-day variability measured in industry.
    """
    given = parameters()
    plan = {"workday": given["vehicles_per_workday"], "saturday": given["vehicles_per_saturday"], "off": 0.0}
    ratio = table("industrial_variability")["day_ratio"].to_numpy()[draws("vehicles", DAYS)]
    varied = 1.0 + given["day_variation_fraction"] * (ratio - 1.0)
    return np.rint(np.array([plan[kind] for kind in day_types()]) * varied).astype(np.int64)


@lru_cache(maxsize=1)
def output_ratio() -> Real:
    """Return, per quarter hour, the day's output over the plan of its type; 1 on days off."""
    given = parameters()
    plan = {"workday": given["vehicles_per_workday"], "saturday": given["vehicles_per_saturday"], "off": 1.0}
    ratio = vehicles() / np.array([plan[kind] for kind in day_types()])
    return np.repeat(np.where(vehicles() > 0, ratio, 1.0), QUARTERS)


@lru_cache(maxsize=32)
def load_shape(name: str) -> Real:
    """Return an end use of electricity or a heat level over the year; 1 is the mean of the measured year.

    ``name`` is a column of `end_use_electricity` or `heat_by_temperature` (where both have it: of the heat table).
    """
    source = table("heat_by_temperature")
    if name not in source.columns:
        source = table("end_use_electricity")
    shapes = {
        key: frame.sort("quarter")[name].to_numpy() / 1000.0
        for key, frame in source.partition_by("season", "day_type", as_dict=True).items()
    }
    season = [SEASONS.get(day.month, "middle") for day in days()]
    return np.concatenate([shapes[key] for key in zip(season, day_types(), strict=True)])


@lru_cache(maxsize=32)
def running(pattern: str) -> Real:
    """Return how much of the running load a shift pattern asks for in each quarter hour, 0 to 1."""
    typical = {kind: np.zeros(QUARTERS) for kind in DAY_TYPES}
    rows = table("patterns").filter(pl.col("pattern") == pattern)
    for kind, start, end, fraction in rows.select("day_type", "start", "end", "running_fraction").iter_rows():
        typical[kind][_quarter(start) : _quarter(end)] = fraction
    return np.concatenate([typical[kind] for kind in day_types()])


def _quarter(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 4 + int(minute) // 15


@lru_cache(maxsize=1)
def temperature_fortieths() -> Whole:
    """Return the outdoor temperature in fortieths of a degree (tenths, read straight between the hours)."""
    hourly = _by_hour("dry_bulb_degc", 10)
    difference = np.rint(table("weather_days")["dry_bulb_difference_k"].to_numpy() * 10).astype(np.int64)
    tenths = hourly + np.repeat(difference, 24)
    following = np.append(tenths[1:], tenths[-1])
    quarters = np.arange(4)
    return np.ravel(tenths[:, None] * (4 - quarters) + following[:, None] * quarters)


def _by_hour(column: str, scale: int) -> Whole:
    """Return the monthly mean of each hour of the year as whole numbers of 1/scale."""
    frame = table("weather_hours").sort("month", "hour")
    monthly = np.rint(frame[column].to_numpy() * scale).astype(np.int64).reshape(12, 24)
    return np.concatenate([monthly[day.month - 1] for day in days()])


@lru_cache(maxsize=4)
def weather_need(kind: str) -> Real:
    """Return how much cooling or heating the weather asks for; 1 is the mean of the year.

    Degrees above (``cooling``) or below (``heating``) the threshold of the plant, over their mean; ``none`` is 1
    throughout.
    """
    if kind == "none":
        return np.ones(SLOTS)
    threshold = round(parameters()[f"{kind}_threshold_degc"] * 40)
    degrees = temperature_fortieths() - threshold
    need = np.maximum(degrees if kind == "cooling" else -degrees, 0)
    return need * (SLOTS / int(need.sum()))


@lru_cache(maxsize=1)
def sun_power() -> Real:
    """Return the power of a PV plant in W per kWp installed.

    P = PR × G × (1 + c × (T + r × G/1000 − 25)), G in W/m2 on the horizontal, T in °C: the single-factor form of the
    PVWatts model (NREL/TP-6A20-62641, 2014, eq. 8 with a linear module rise), on flat roofs.
    """
    given = parameters()
    ratio = np.rint(table("weather_days")["sun_ratio"].to_numpy() * 1000).astype(np.int64)
    quarter = _by_quarter(_by_hour("global_wh_per_m2", 1) * np.repeat(ratio, 24)) / 8000.0
    module = temperature_fortieths() / 40.0 + given["pv_module_rise_k_per_kw_m2"] * (quarter / 1000.0)
    cold = 1.0 + given["pv_temperature_coefficient_per_k"] * (module - 25.0)
    return given["pv_performance_ratio"] * quarter * cold


@lru_cache(maxsize=2)
def generation_power(kind: str) -> Whole:
    """Return the output of a power station of a contract partner in W per kW installed.

    ``kind`` is ``wind`` or ``sun``. Mean of the hour by month × ratio of the day to its month, read straight between the
    hours, never above what is installed.
    """
    ratio = np.rint(table("generation_days")[f"{kind}_ratio"].to_numpy() * 1000).astype(np.int64)
    frame = table("generation_hours").sort("month", "hour")
    monthly = frame[f"{kind}_per_mille"].to_numpy().astype(np.int64).reshape(12, 24)
    hourly = np.concatenate([monthly[day.month - 1] for day in days()]) * np.repeat(ratio, 24)
    return np.minimum(_by_quarter(hourly) // 8000, 1000)


def _by_quarter(hourly: Whole) -> Whole:
    """Return eighths of hourly values at every quarter hour, read straight between the middles of the hours."""
    before, after = np.array([3, 1, 0, 0]), np.array([0, 0, 1, 3])  # eighths of the neighbouring hours
    eighths = hourly[:, None] * (8 - before - after) + _shifted(hourly, 1) * before + _shifted(hourly, -1) * after
    return np.ravel(eighths)


def _shifted(hourly: Whole, steps: int) -> Whole:
    return np.roll(hourly, steps)[:, None]


def draws(name: str, count: int) -> NDArray[np.int64]:
    """Return ``count`` whole numbers from 0 to 63, always the same for a name.

    Uses the raw stream of the Philox generator, which numpy keeps unchanged between versions and machines.
    """
    key = int.from_bytes(hashlib.sha256(f"reference_plant/{YEAR}/{name}".encode()).digest()[:16], "little")
    raw = np.random.Philox(key=key).random_raw((count + 7) // 8)
    parts = (raw[:, None] >> np.arange(0, 64, 8, dtype=np.uint64)) & np.uint64(63)
    return np.ravel(parts)[:count].astype(np.int64)


def chance(name: str) -> Real:
    """Return a quarter-hourly ratio around 1 that varies like the measured industrial load.

    Each value is the mean of two neighbouring draws from the quantiles of `industrial_variability`, which gives the
    lag-one correlation of 0.5 found within the working day of the measured series (0.53).
    """
    ratios = np.rint(table("industrial_variability")["slot_ratio"].to_numpy() * 1000).astype(np.int64)
    drawn = ratios[draws(name, SLOTS + 1)]
    ratio: Real = (drawn[1:] + drawn[:-1]) / 2000.0
    return ratio
