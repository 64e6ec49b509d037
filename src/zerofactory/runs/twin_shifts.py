"""When the stations of a twin work: the plant's shifts, other shifts for all or some stations, overtime, stations that are down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.twin.line import Line, Window
from zerofactory.runs.twin_change import unknown
from zerofactory.runs.twin_file import windows
from zerofactory.site.model import Plant, Shift
from zerofactory.wording import row_name

DAY_S, HOUR_S = 86400.0, 3600.0
MOST_OVERTIME_H = 24.0


class _Strict(BaseModel):
    """A part of a scenario: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ShiftsEntry(_Strict):
    """Other shifts: ``times`` are pairs of start and end on the plant's clock (an end before its start lies on the next day).

    ``stations`` left out: all of them; ``weekdays`` left out: the plant's. Holidays stay those of the plant.
    """

    times: tuple[tuple[time, time], ...] = Field(min_length=1)
    weekdays: tuple[int, ...] | None = None
    stations: tuple[str, ...] = ()


class DownEntry(_Strict):
    """A station that stands still: on day ``day`` of the days simulated (1 is the first) from ``at`` on for ``hours``.

    It is locked out: it takes what it takes when it is off, and goes on with its piece afterwards.
    """

    station: str
    day: int = Field(ge=1)
    at: time
    hours: float = Field(gt=0.0)


class When(_Strict):
    """The parts of a scenario that say when stations work."""

    shifts: tuple[ShiftsEntry, ...] = ()
    down: tuple[DownEntry, ...] = ()
    overtime_h: float = Field(default=0.0, ge=0.0, le=MOST_OVERTIME_H)


def when_of(change: Mapping[str, Any] | None) -> When:
    """Return what a scenario says of the time of work; pydantic's error when it is no such thing."""
    return When.model_validate({name: value for name, value in (change or {}).items() if name in When.model_fields})


def arranged(line: Line, plant: Plant, when: When, first: date, lead_days: int, days: int) -> Line:
    """Return the line with its windows of work, in seconds from the beginning of ``lead_days`` before the first day on.

    Where every station has the plant's shifts and none is down, there is one list of windows for all.
    """
    begin = first - timedelta(days=lead_days)
    everyday = _of(plant, None, when.overtime_h, begin, lead_days + days)
    own: dict[str, tuple[Window, ...]] = {}
    for entry in when.shifts:
        opened = _of(plant, entry, when.overtime_h, begin, lead_days + days)
        if not entry.stations:
            everyday = opened
        own |= dict.fromkeys(entry.stations, opened)
    for station, cuts in _cuts(when.down, lead_days).items():
        left = without(own.get(station, everyday), cuts)
        never = (lead_days + days + 2) * DAY_S
        own[station] = left or (Window(never, never + DAY_S),)
    return replace(line, windows=everyday, own_windows=own)


def without(opened: Sequence[Window], cuts: Sequence[tuple[float, float]]) -> tuple[Window, ...]:
    """Return windows less some spans of time.

    >>> [(one.start_s, one.end_s) for one in without([Window(0.0, 10.0)], [(2.0, 4.0), (9.0, 12.0)])]
    [(0.0, 2.0), (4.0, 9.0)]
    """
    found = [(one.start_s, one.end_s) for one in opened]
    for start, end in cuts:
        found = [part for a, b in found for part in ((a, min(b, start)), (max(a, end), b)) if part[1] > part[0]]
    return tuple(Window(*one) for one in sorted(found))


def open_hours(line: Line, begin_s: float, end_s: float) -> float:
    """Return the hours in which the line works between two moments."""
    return sum(max(min(one.end_s, end_s) - max(one.start_s, begin_s), 0.0) for one in line.windows) / HOUR_S


def faults(when: When, stations: Sequence[str], days: int) -> Iterator[Problem]:
    """Yield the stations that are not there, those with two patterns, weekdays that are none, and days beyond the simulated."""
    seen: list[str] = []
    patterns = [{"stations": entry.stations} for entry in when.shifts]
    stops = [{"station": down.station} for down in when.down]
    for place, entry in enumerate(when.shifts):
        where = f"shifts{row_name(patterns[place], place, patterns)}"
        for name in entry.stations:
            if name not in stations:
                yield unknown(f"{where}.stations", name, "station", stations, "scenario")
        for name in entry.stations or ("*",):
            if name in seen:
                yield _fault("shifts_twice", f"{where}.stations", f"“{name}”有两套班次。", f"'{name}' has two patterns of shifts.", ("每个工位只写一套; 全部工位也只写一套。", "State one for a station, and one for all."))  # fmt: skip
            seen.append(name)
        for day in entry.weekdays or ():
            if not 1 <= day <= 7:
                yield _fault("weekday", f"{where}.weekdays", f"{day} 不是星期。", f"{day} is no weekday.", ("1 是星期一, 7 是星期日。", "1 is Monday, 7 Sunday."))  # fmt: skip
        if entry.weekdays == ():
            yield _fault("weekday", f"{where}.weekdays", "没有工作日。", "It has no day of work.", ("例如 [1, 2, 3, 4, 5, 6]。", "Such as [1, 2, 3, 4, 5, 6]."))  # fmt: skip
    for place, down in enumerate(when.down):
        where = f"down{row_name(stops[place], place, stops)}"
        if down.station not in stations:
            yield unknown(f"{where}.station", down.station, "station", stations, "scenario")
        if down.day > days:
            yield _fault("down_day", f"{where}.day", f"第 {down.day} 天在模拟的 {days} 天之后。", f"Day {down.day} lies after the {days} days simulated.", ("请改小, 或用 --days 多模拟几天。", "Make it smaller, or simulate more with --days."))  # fmt: skip


def _of(plant: Plant, entry: ShiftsEntry | None, overtime_h: float, begin: date, days: int) -> tuple[Window, ...]:
    if entry is None:
        return windows(plant, begin, days, overtime_h)
    name = Text("场景班次", "shift of the scenario")
    shifts = tuple(Shift(name, start, end) for start, end in entry.times)
    weekdays = plant.calendar.weekdays if entry.weekdays is None else entry.weekdays
    calendar = replace(plant.calendar, shifts=shifts, weekdays=weekdays)
    return windows(replace(plant, calendar=calendar), begin, days, overtime_h)


def _cuts(downs: Sequence[DownEntry], lead_days: int) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for one in downs:
        start = (lead_days + one.day - 1) * DAY_S + one.at.hour * HOUR_S + one.at.minute * 60.0 + one.at.second
        found.setdefault(one.station, []).append((start, start + one.hours * HOUR_S))
    return found


def _fault(code: str, column: str, zh: str, en: str, hint: tuple[str, str]) -> Problem:
    return Problem(f"twin.{code}", Text(zh, en), Text(*hint), file="scenario", column=column)
