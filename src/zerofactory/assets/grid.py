"""Grid: the intervals of a problem, and which month, hour and day each of them belongs to on the plant's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.periods import Period, Span, zone

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HOUR_MINUTES, DAY_MINUTES, YEAR_HOURS = 60, 1440, 8760.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """Intervals of one length from a moment on, closed on the left and labelled by their start.

    Parameters
    ----------
    start : datetime
        First instant, aware.
    step_minutes : int
        Length of an interval; divides a day.
    length : int
        How many.
    time_zone : str
        The plant's clock: months, hours and days are read on it.

    Examples
    --------
    >>> year = Grid.of_period(Period.parse("2025"), 60)
    >>> year.length, year.months[0], year.months[-1], int(year.month_of[-1])
    (8760, '2025-01', '2025-12', 11)
    """

    start: datetime
    step_minutes: int
    length: int
    time_zone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.length < 1 or self.step_minutes < 1 or DAY_MINUTES % self.step_minutes:
            raise Misuse("a grid starts at an aware moment and its step divides a day")

    @classmethod
    def of_period(cls, period: Period | Span, step_minutes: int, time_zone: str = "Asia/Shanghai") -> Grid:
        """Return the grid of a year or a month on the plant's clock (8760 or 8784 hours; 23 or 25 on a day of change)."""
        return cls(period.start(time_zone), step_minutes, period.slots(time_zone, step_minutes), time_zone)

    @property
    def step_hours(self) -> float:
        """Length of an interval in hours."""
        return self.step_minutes / HOUR_MINUTES

    @property
    def hours(self) -> float:
        """Length of the whole grid in hours."""
        return self.length * self.step_hours

    @property
    def years(self) -> float:
        """Length of the whole grid in years of 8760 h; what is charged by the year is scaled with it."""
        return self.hours / YEAR_HOURS

    @property
    def end(self) -> datetime:
        """First instant after the grid."""
        return self.start + timedelta(minutes=self.step_minutes * self.length)

    @property
    def started_us(self) -> Integers:
        """Start of each interval in microseconds of UTC."""
        first = (self.start - _EPOCH) // timedelta(microseconds=1)
        return np.int64(first) + np.arange(self.length, dtype=np.int64) * np.int64(self.step_minutes * 60_000_000)

    @property
    def months(self) -> tuple[str, ...]:
        """The calendar months touched, in order: ``2025-01``."""
        return _clock(self).months

    @property
    def month_of(self) -> Integers:
        """Index into `months` of each interval."""
        return _clock(self).month_of

    @property
    def month_number(self) -> Integers:
        """Calendar month 1–12 of each interval."""
        return _clock(self).month_number

    @property
    def minute_of_day(self) -> Integers:
        """Minute of the local day at which each interval starts."""
        return _clock(self).minute_of_day

    @property
    def day_of(self) -> Integers:
        """Index of the local day of each interval, from 0."""
        return _clock(self).day_of

    @property
    def weekday_of(self) -> Integers:
        """Weekday of each interval: 1 Monday … 7 Sunday."""
        return _clock(self).weekday_of

    @property
    def hour_of_year(self) -> Integers:
        """Hour of the local calendar year of each interval, from 0 (up to 8783 in a leap year)."""
        return _clock(self).hour_of_year


@dataclass(frozen=True, slots=True)
class _Clock:
    months: tuple[str, ...]
    month_of: Integers
    month_number: Integers
    minute_of_day: Integers
    day_of: Integers
    weekday_of: Integers
    hour_of_year: Integers


@lru_cache(maxsize=64)
def _clock(grid: Grid) -> _Clock:
    local = (grid.started_us // 60_000_000 + _offset_minutes(grid)).astype("datetime64[m]")
    day = local.astype("datetime64[D]")
    month, year = local.astype("datetime64[M]"), local.astype("datetime64[Y]")
    labels, month_of = np.unique(month, return_inverse=True)
    days = day.astype(np.int64)
    return _Clock(
        tuple(str(label) for label in labels),
        month_of.astype(np.int64),
        month.astype(np.int64) % 12 + 1,
        (local - day).astype(np.int64),
        days - days[0],
        (days + 3) % 7 + 1,  # 1970-01-01 was a Thursday
        (local - year).astype(np.int64) // HOUR_MINUTES,
    )


def _offset_minutes(grid: Grid) -> Integers:
    """Return the offset of the local clock from UTC in each interval; zones change only on whole hours of UTC."""
    place = zone(grid.time_zone)
    hours = grid.started_us // 3_600_000_000
    first, last = int(hours[0]), int(hours[-1])
    ends = [_offset(hour, place) for hour in (first, last)]
    coarse = [_offset(hour, place) for hour in range(first, last, 24 * 7)]
    if {*ends, *coarse} == {ends[0]}:
        return np.full(grid.length, ends[0], dtype=np.int64)
    table = np.asarray([_offset(hour, place) for hour in range(first, last + 1)], dtype=np.int64)
    offsets: Integers = table[hours - first]
    return offsets


def _offset(hour: int, place: object) -> int:
    from zoneinfo import ZoneInfo

    assert isinstance(place, ZoneInfo)  # noqa: S101  # narrowing for the type checker
    shift = (_EPOCH + timedelta(hours=hour)).astimezone(place).utcoffset() or timedelta(0)
    return int(shift / timedelta(minutes=1))


def changes_clock(grid: Grid) -> bool:
    """Whether the local clock jumps inside the grid (daylight saving).

    Examples
    --------
    >>> changes_clock(Grid(datetime(2025, 3, 29, 23, tzinfo=UTC), 60, 24, "Europe/Berlin"))
    True
    """
    offsets = _offset_minutes(grid)
    return bool((offsets != offsets[0]).any())
