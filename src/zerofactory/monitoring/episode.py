"""From flagged slots to episodes, and what rules say of them."""

from __future__ import annotations

from datetime import date, timedelta
from datetime import time as clock_time

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.days import WORKED_WEEKEND, Clock, Days, Flags, Numbers, Places, kind_of
from zerofactory.monitoring.rule import Subject, Watched
from zerofactory.site.calendar import shifts_of
from zerofactory.site.model import Calendar, Shift


def spells(flags: Flags, least: int, start: int, among: Flags | None = None) -> list[tuple[int, int]]:
    """Return the spells (first, last not included) of flagged slots that reach ``least`` slots, as far as they lie from ``start`` on.

    ``among``: slots that count at all; between two of them nothing is looked at, so a spell goes on from one night to the next.

    Examples
    --------
    >>> spells(np.array([1, 1, 0, 1, 1], dtype=bool), 2, 0, np.array([1, 1, 0, 1, 1], dtype=bool))
    [(0, 5)]
    """
    counted = np.arange(len(flags)) if among is None else np.flatnonzero(among)
    found = np.concatenate([[False], flags[counted], [False]]).astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(found) == 1), np.flatnonzero(np.diff(found) == -1)
    made = []
    for begin, end in zip(begins, ends, strict=True):
        first, last = int(counted[begin]), int(counted[end - 1]) + 1
        if end - begin >= least and last > start:
            made.append((max(first, start), last))
    return made


def production_of(days: Days, margin_minutes: float = 0.0) -> Flags:
    """Return whether a shift runs in a slot (D × S), with a grace before and after; without shifts whole worked days."""
    calendar, minutes = days.clock.calendar, days.clock.minutes
    slots = days.clock.slots
    margin = int(np.ceil(margin_minutes / minutes))
    running = np.zeros((days.count + 2) * slots, dtype=np.bool_)
    worked = np.concatenate([[False], days.working, [False]])
    for day in np.flatnonzero(worked):
        on = days.first + timedelta(days=int(day) - 1)
        spans = [_span(shift, minutes) for shift in shifts_of(calendar, on)] if calendar.shifts else [(0, slots)]
        for first, last in spans:
            begin, end = day * slots + first - margin, day * slots + last + margin
            running[max(begin, 0) : end] = True
    return running[slots:-slots].reshape(days.count, slots)


def _span(shift: Shift, minutes: int) -> tuple[int, int]:
    first, last = _minute(shift.start), _minute(shift.end)
    return first // minutes, -(-(last if last > first else last + 1440) // minutes)


def _minute(clock: clock_time) -> int:
    return clock.hour * 60 + clock.minute


def taught(watched: Watched) -> Numbers:
    """Return the flow of the slots before the first day asked about."""
    return watched.flow[: watched.start]


def known(values: Numbers) -> Numbers:
    """Return what is there of a series."""
    return values[~np.isnan(values)]


def working_level(flow: Numbers, production: Flags) -> float:
    """Return the median flow while a shift runs, the 90 % quantile of everything where none does; zero where nothing is known."""
    inside = known(flow[production.ravel()[: len(flow)]])
    every = known(flow)
    if len(inside):
        return float(np.median(inside))
    return float(np.quantile(every, 0.9)) if len(every) else 0.0


def excess_of(watched: Watched, span: tuple[int, int], level: float, among: Flags | None = None) -> tuple[float, float]:
    """Return the amount above a level over a spell, and the mean flow of it."""
    flow = watched.flow[span[0] : span[1]]
    counted = ~np.isnan(flow) if among is None else ~np.isnan(flow) & among[span[0] : span[1]]
    if not counted.any():
        return 0.0, float("nan")
    return float((flow[counted] - level).sum() * watched.slot_hours), float(flow[counted].mean())


def told(subject: Subject, zh: str, en: str) -> Text:
    """Return a message that begins with the name of the subject."""
    return Text(f"{subject.name.zh}({subject.id}): {zh}", f"{subject.name.en} ({subject.id}): {en}")


def rate(value: float, subject: Subject) -> str:
    """Return a flow with its unit; energy per hour is power.

    Examples
    --------
    >>> rate(1234.5, Subject("E", Text("", ""), "electricity", "kWh"))
    '1,234 kW'
    """
    unit = {"kWh": "kW", "MWh": "MW", "Wh": "W"}.get(subject.unit, f"{subject.unit}/h")
    digits = 0 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f} {unit}"


def example_days(values: Numbers, first: date, minutes: int = 60, shifts: tuple[Shift, ...] = ()) -> Days:
    """Return days for a worked example: values D × S on a clock of UTC, five working days a week."""
    calendar = Calendar(shifts=shifts)
    days = [date.fromordinal(first.toordinal() + index) for index in range(len(values))]
    kinds: Places = np.array([kind_of(calendar, one) for one in days], dtype=np.int64)
    return Days(Clock("UTC", calendar, minutes), first, values[None].astype(np.float64), kinds)


def free(days: Days) -> Flags:
    """Return whether a day is free (D)."""
    return np.asarray(days.kind > WORKED_WEEKEND)
