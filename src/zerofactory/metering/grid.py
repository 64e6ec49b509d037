"""The grid of a period: slots of equal length from its first instant, and where each slot lies in the plant's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from zerofactory.periods import Period, local_midnight
from zerofactory.site.calendar import is_workday
from zerofactory.site.model import Calendar, Plant

MICROSECONDS_PER_MINUTE = 60_000_000
DAY_MINUTES = 1440

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Slots of a period.

    Parameters
    ----------
    start : datetime
        First instant, UTC.
    minutes : int
        Length of a slot.
    slots : int
        How many, T.
    midnights : array (days + 1)
        Slot at which each local day begins; the last is T.
    slot_of_day : array (T)
        Slots since local midnight.
    workday : array (T)
        Whether the plant works on that day.
    """

    period: Period
    time_zone: str
    start: datetime
    minutes: int
    slots: int
    midnights: Integers
    slot_of_day: Integers
    workday: Flags

    @property
    def start_us(self) -> int:
        """First instant in microseconds since 1970-01-01 UTC."""
        return microseconds(self.start)

    @property
    def step_us(self) -> int:
        """Length of a slot in microseconds."""
        return self.minutes * MICROSECONDS_PER_MINUTE

    def moment(self, slot: int) -> datetime:
        """Return the first instant of a slot, UTC."""
        return self.start + timedelta(minutes=int(slot) * self.minutes)

    def edges(self, minutes: int) -> Integers:
        """Return the slots at which intervals of another length begin, and T at the end.

        Whole days begin at local midnight, also where the clock is changed; shorter intervals are counted from the first
        instant of the period.
        """
        if minutes == DAY_MINUTES:
            return self.midnights
        inner = np.arange(0, self.slots, minutes // self.minutes, dtype=np.int64)
        return np.append(inner, np.int64(self.slots))


def grid_of(plant: Plant, period: Period) -> Grid:
    """Return the grid of a period at the finest interval among the plant's real meters."""
    minutes = min((meter.interval_minutes for meter in plant.meters if meter.kind != "virtual"), default=15)
    return grid(period, plant.time_zone, minutes, plant.calendar)


def grid(period: Period, time_zone: str, minutes: int, calendar: Calendar) -> Grid:
    """Return the grid of a period.

    Examples
    --------
    >>> grid(Period(2025, 3), "Europe/Berlin", 15, Calendar()).slots  # one hour is missing
    2972
    """
    days = (period.next_first_day - period.first_day).days
    dates = [period.first_day + timedelta(days=index) for index in range(days + 1)]
    start = local_midnight(dates[0], time_zone)
    begins = [(local_midnight(day, time_zone) - start) // timedelta(minutes=minutes) for day in dates]
    midnights = np.array(begins, dtype=np.int64)
    lengths = np.diff(midnights)
    slots = int(midnights[-1])
    working = np.array([is_workday(calendar, day) for day in dates[:-1]], dtype=np.bool_)
    slot_of_day = np.arange(slots, dtype=np.int64) - np.repeat(midnights[:-1], lengths)
    return Grid(period, time_zone, start, minutes, slots, midnights, slot_of_day, np.repeat(working, lengths))


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC of an aware moment, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def spread(amounts: Integers, lengths: Integers) -> Integers:
    """Return whole amounts shared evenly over ``lengths`` slots each, the sum of every one kept exactly.

    Examples
    --------
    >>> spread(np.array([10, -5]), np.array([4, 2])).tolist()
    [2, 3, 2, 3, -3, -2]
    """
    total, length = np.repeat(amounts, lengths), np.repeat(lengths, lengths)
    firsts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    place = np.arange(len(total), dtype=np.int64) - firsts
    shared: Integers = (place + 1) * total // length - place * total // length
    return shared
