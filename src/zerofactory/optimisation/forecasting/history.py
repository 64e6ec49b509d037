"""A regular series as a forecaster may see it: the values known at one moment, and the calendar before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.periods import zone
from zerofactory.site.calendar import is_workday
from zerofactory.site.model import Calendar

Target = Literal["load", "pv", "price", "intensity"]
TARGETS: tuple[Target, ...] = ("load", "pv", "price", "intensity")
DAY_MINUTES = 1440
WEEK_DAYS = 7

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Values about intervals that became known at stated moments, such as weather forecasts and readings of temperature.

    Parameters
    ----------
    slot : array (N)
        Interval of the history's grid that a value is about; may lie ahead of the history's end.
    known : array (N)
        Slot before whose start the value was known: it may be used by forecasts made at that slot or later.
    value : array (N)
    """

    slot: Places
    known: Places
    value: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One series up to a moment.

    Parameters
    ----------
    start : datetime
        First instant, UTC.
    minutes : int
        Length of an interval; divides a day.
    values : array (T)
        Energy (Wh), power, price or intensity of each interval; not-a-number where missing.
    known : array (T), optional
        Slot from which on each value may be used: the earliest is the end of its interval (place + 1), the default.
    temperature : Outlook, optional
        Outdoor temperature in °C, measured or forecast.
    location : (latitude, longitude), optional
        Degrees north and east; found from the readings themselves when a PV series does not say.
    """

    target: Target
    start: datetime
    minutes: int
    values: Numbers
    time_zone: str
    calendar: Calendar = field(default_factory=Calendar)
    known: Places | None = None
    temperature: Outlook | None = None
    location: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or DAY_MINUTES % self.minutes:
            raise Misuse("a history begins at an aware moment and its interval divides a day")

    @property
    def slots(self) -> int:
        """How many intervals there are, T: the slot at which the next forecast is made."""
        return len(self.values)

    @property
    def day(self) -> int:
        """Intervals in a day."""
        return DAY_MINUTES // self.minutes

    @property
    def end(self) -> datetime:
        """The moment after the last interval."""
        return self.moment(self.slots)

    def moment(self, slot: int) -> datetime:
        """Return the first instant of a slot."""
        return self.start + timedelta(minutes=self.minutes * int(slot))

    def as_known(self, slot: int) -> History:
        """Return what was known at the start of a slot: later intervals are cut off, values not yet known are missing."""
        values = self.values[:slot].copy()
        known = None if self.known is None else self.known[:slot]
        if known is not None:
            values[known > slot] = np.nan
        outlook = self.temperature
        if outlook is not None:
            seen = outlook.known <= slot
            outlook = Outlook(outlook.slot[seen], outlook.known[seen], outlook.value[seen])
        return replace(self, values=values, known=known, temperature=outlook)

    def delay(self) -> int:
        """Return the usual number of slots between the end of an interval and the time its value is known (0 = at once)."""
        if self.known is None or not len(self.known):
            return 0
        lateness = self.known - np.arange(1, self.slots + 1)
        return max(int(np.median(lateness)), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Almanac:
    """What the calendar says about slots 0 … N: known for the future as for the past.

    Parameters
    ----------
    slot_of_day, weekday, day : arrays (N)
        Slot since local midnight, 1 Monday … 7 Sunday, number of the local day since the first.
    working : array (N)
        1 when the plant works on that day, 0 on holidays and free days; make-up days work.
    kind : array (days)
        Kind of each day: 0 free, 1 working, 2 working on a Saturday or Sunday by the weekly pattern.
    """

    slot_of_day: Places
    weekday: Places
    day: Places
    working: Places
    kind: Places


def almanac(history: History, ahead: int) -> Almanac:
    """Return the calendar of a history's slots and of ``ahead`` slots after it."""
    count = history.slots + ahead
    minutes = _local_minutes(history, count)
    days = minutes // DAY_MINUTES
    first = int(days[0]) if count else 0
    day = days - first
    dates = [date(1970, 1, 1) + timedelta(days=first + index) for index in range(int(day[-1]) + 1 if count else 0)]
    working = np.array([is_workday(history.calendar, one) for one in dates], dtype=np.int64)
    weekday = np.array([one.isoweekday() for one in dates], dtype=np.int64)
    made_up = np.array([one in history.calendar.extra_workdays for one in dates], dtype=np.bool_)
    kind = np.where((working == 1) & (weekday > 5) & ~made_up, 2, working)
    slot = (minutes % DAY_MINUTES) // history.minutes
    return Almanac(slot, weekday[day], day, working[day], kind)


def _local_minutes(history: History, count: int) -> Places:
    """Return minutes since 1970-01-01 on the local clock of each slot."""
    place = zone(history.time_zone)
    minutes = np.arange(count, dtype=np.int64) * history.minutes + int(history.start.timestamp()) // 60
    days = minutes // DAY_MINUTES
    offsets: dict[int, int] = {}
    for day in np.unique(days):
        noon = datetime.fromtimestamp(int(day) * 86400 + 43200, tz=place)
        offsets[int(day)] = int((noon.utcoffset() or timedelta()).total_seconds()) // 60
    shift = np.array([offsets[int(day)] for day in np.unique(days)], dtype=np.int64)
    return minutes + shift[np.searchsorted(np.unique(days), days)]


def filled(values: Numbers, day: int) -> Numbers:
    """Return a series with missing values taken from the slot one day (else one week) before, else the last value known."""
    full = values.copy()
    for back in (day, WEEK_DAYS * day):
        for place in np.flatnonzero(np.isnan(full)):
            if place >= back:
                full[place] = full[place - back]
    if np.isnan(full).any():
        sound = np.flatnonzero(~np.isnan(full))
        if not len(sound):
            return np.zeros_like(full)
        last = np.maximum(np.searchsorted(sound, np.arange(len(full)), side="right") - 1, 0)
        full = np.where(np.isnan(full), full[sound[last]], full)
    return full


def bounded(target: Target, forecast: Numbers, ceiling: float | None = None) -> Numbers:
    """Return a forecast inside what can be: load, PV and intensity are not negative; PV not above its ceiling."""
    if target == "price":
        return forecast
    return np.clip(forecast, 0.0, ceiling if target == "pv" else None)


def quantiles_in_order(forecast: Numbers) -> Numbers:
    """Return quantiles (steps × Q) sorted, so that none crosses another (Chernozhukov et al. 2010)."""
    return np.sort(forecast, axis=1)


def check_quantiles(quantiles: Sequence[float]) -> None:
    """Raise `Misuse` unless quantiles rise strictly inside 0 to 1."""
    if not quantiles or any(not 0.0 < q < 1.0 for q in quantiles) or list(quantiles) != sorted(set(quantiles)):
        raise Misuse("quantiles rise strictly inside 0 to 1")
