"""Series cut into local days: meters × days × slots, with the kind of each day and what drives the load.

What is learnt and judged is a day. Days are of a kind: worked (Monday to Friday by the weekly pattern, or made up), worked on
a weekend, free Saturday, free Sunday, free weekday (holiday, stop). The small hours also depend on the day before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.metering.grid import DAY_MINUTES, microseconds
from zerofactory.periods import local_midnight, zone
from zerofactory.site.calendar import is_workday
from zerofactory.site.model import Calendar

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

WORKED, WORKED_WEEKEND, FREE_SATURDAY, FREE_SUNDAY, FREE_WEEKDAY = range(5)
KINDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """A time zone, a calendar and the length of a slot: what places an instant in the plant's day."""

    time_zone: str
    calendar: Calendar
    minutes: int

    @property
    def slots(self) -> int:
        """Slots of a day."""
        return DAY_MINUTES // self.minutes


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Series of meters over consecutive local days.

    Parameters
    ----------
    clock : Clock
        A clock that is put forward leaves a gap in its day; one that is put back has the mean of the repeated slots.
    first : date
        First local day.
    values : array (M × D × S)
        Amount of each slot in the meter's unit; not-a-number where it is missing.
    kind : array (D)
        Kind of each day (`WORKED` …).
    drivers : Mapping
        Name → array (D × S): what the load follows (output, temperature); empty where nothing is known.
    """

    clock: Clock
    first: date
    values: Numbers
    kind: Places
    drivers: Mapping[str, Numbers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.shape[2] != self.clock.slots or len(self.kind) != self.values.shape[1]:
            raise Misuse("values are meters × days × slots, and each day has a kind")

    @property
    def count(self) -> int:
        """How many days."""
        return len(self.kind)

    @property
    def dates(self) -> tuple[date, ...]:
        """The days."""
        return tuple(self.first + timedelta(days=index) for index in range(self.count))

    @property
    def working(self) -> Flags:
        """Whether the plant works, by day."""
        return self.kind <= WORKED_WEEKEND

    def until(self, day: int) -> Days:
        """Return the days before one: what was known when it began."""
        return replace(
            self,
            values=self.values[:, :day],
            kind=self.kind[:day],
            drivers={name: values[:day] for name, values in self.drivers.items()},
        )

    def of(self, meters: Sequence[int] | Places) -> Days:
        """Return some of the meters."""
        return replace(self, values=self.values[np.asarray(meters, dtype=np.int64)])

    def moment(self, day: int, slot: int) -> datetime:
        """Return the first instant of a slot, UTC; slot S is the end of the day."""
        midnight = local_midnight(self.first + timedelta(days=int(day)), self.clock.time_zone)
        following = local_midnight(self.first + timedelta(days=int(day) + 1), self.clock.time_zone)
        return following if slot >= self.clock.slots else midnight + timedelta(minutes=self.clock.minutes * int(slot))


def kind_of(calendar: Calendar, day: date) -> int:
    """Return the kind of a day.

    Examples
    --------
    >>> kind_of(Calendar(holidays=(date(2025, 10, 1),)), date(2025, 10, 1)) == FREE_WEEKDAY
    True
    """
    weekday = day.isoweekday()
    if is_workday(calendar, day):
        return WORKED if weekday <= 5 or day in calendar.extra_workdays else WORKED_WEEKEND
    free: dict[int, int] = {6: FREE_SATURDAY, 7: FREE_SUNDAY}
    return free.get(weekday, FREE_WEEKDAY)


def days_of(values: Numbers, start: datetime, clock: Clock) -> Days:
    """Return series on a regular grid (M × T) from an aware moment on as whole local days, the last as far as it goes."""
    count = values.shape[1]
    first = start.astimezone(zone(clock.time_zone)).date()
    last = (start + timedelta(minutes=clock.minutes * max(count - 1, 0))).astimezone(zone(clock.time_zone)).date()
    dates = [first + timedelta(days=index) for index in range((last - first).days + 1)]
    day, slot = places(start, clock, count)
    cut = np.full((len(values), len(dates), clock.slots), np.nan)
    twice = np.zeros(count, dtype=np.bool_)
    flat = day * clock.slots + slot
    twice[1:] = flat[1:] <= np.maximum.accumulate(flat)[:-1]
    cut[:, day[~twice], slot[~twice]] = values[:, ~twice]
    if twice.any():
        cut[:, day[twice], slot[twice]] = (cut[:, day[twice], slot[twice]] + values[:, twice]) / 2.0
    return Days(clock, first, cut, np.array([kind_of(clock.calendar, one) for one in dates], dtype=np.int64))


def places(start: datetime, clock: Clock, count: int) -> tuple[Places, Places]:
    """Return day (0 the first) and slot on the local clock of ``count`` intervals from an aware moment on."""
    place = zone(clock.time_zone)
    step = clock.minutes * 60
    seconds = microseconds(start) // 1_000_000 + np.arange(count, dtype=np.int64) * step
    hours, inverse = np.unique(seconds // 3600, return_inverse=True)
    offsets = np.array([_offset_seconds(int(hour) * 3600, place) for hour in hours], dtype=np.int64)
    local = seconds + offsets[inverse]
    day = local // 86400
    return day - (day[0] if count else 0), (local % 86400) // step


def _offset_seconds(instant: int, place: object) -> int:
    offset = datetime.fromtimestamp(instant, tz=place).utcoffset()  # type: ignore[arg-type]
    return int((offset or timedelta()).total_seconds())
