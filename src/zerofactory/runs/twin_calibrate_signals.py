"""What state signals say of the stations over some months: failures and repairs, shares of the shift, cycle times; and remember it.

readings of the signals ─► stretches ─┬─► times to failure and to repair ─► distribution, mean, shape
                                      ├─► seconds by state and day of the shifts ─► share of each state
                                      └─► seconds at work by day, pieces counted ─► cycle time
twin.signals.csv ─► with_signals(twin.toml) ─► the twin's failures, repairs and cycles are those of the plant
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np

from zerofactory.connectors.sample import to_us
from zerofactory.errors import Text
from zerofactory.metering.interval import MANUAL, MEASURED, SUSPECT
from zerofactory.optimisation.twin.lifetimes import Life, Lifetimes, terms
from zerofactory.optimisation.twin.lifetimes import fit as fit_life
from zerofactory.optimisation.twin.line import WORKING, Clock, Station
from zerofactory.optimisation.twin.signal_log import Stretches
from zerofactory.optimisation.twin.spells import OPEN, day_seconds, failures, in_shifts, ratio, shares
from zerofactory.optimisation.twin.statistics import Interval
from zerofactory.periods import Period, local_midnight, zone
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month
from zerofactory.runs.twin_file import Twin, windows
from zerofactory.runs.twin_signal_file import BETWEEN, COLUMNS, SIGNALS
from zerofactory.runs.twin_signals import SignalBook
from zerofactory.store.files import write_bytes_whole

BACK_DAYS = 31  # the state at the beginning may have been told so long before


@dataclass(frozen=True, slots=True)
class SeenDay:
    """A local day: its first and last instant, its shifts (µs), and the pieces each station counted on it (NaN: not known)."""

    whole: tuple[int, int]
    shifts: tuple[tuple[int, int], ...]
    pieces: Mapping[str, float]


@dataclass(frozen=True)
class Spoken:
    """What the signals of one station say.

    Parameters
    ----------
    signals : their ids.
    between, repair : time to failure by ``clock`` (of twin.toml), time to repair; None where no failure was seen, or one signal stands for several machines.
    shares : share of the known time of the shifts in each state.
    cycle_s : s a piece of a family without a factor takes a machine; None where nothing counts pieces.
    known_fraction : share of the time of the shifts in which the states were known.
    worked_s : s that all machines were seen to work.
    """

    place: str
    title: Text
    signals: tuple[str, ...]
    between: Life | None
    repair: Life | None
    shares: Mapping[str, Interval]
    cycle_s: Interval | None
    known_fraction: float
    worked_s: float
    notes: tuple[Text, ...] = ()
    clock: Clock = "working"

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "station": self.place, "title": {"zh": self.title.zh, "en": self.title.en}, "signals": list(self.signals),
            "clock": self.clock,
            "between": None if self.between is None else self.between.as_json(),
            "repair": None if self.repair is None else self.repair.as_json(),
            "shares": {state: one.as_json() for state, one in self.shares.items()},
            "cycle_s": None if self.cycle_s is None else self.cycle_s.as_json(),
            "known_fraction": self.known_fraction, "worked_h": self.worked_s / 3600.0,
            "notes": [{"zh": one.zh, "en": one.en} for one in self.notes],
        }  # fmt: skip


def calibrate(context: Context, twin: Twin, months: Sequence[str], confidence: float = 0.95) -> tuple[Spoken, ...]:
    """Return what the signals of each station say over some months; stations without a reading of theirs are left out."""
    every = tuple(one for own in twin.signals.values() for one in own)
    if not every or not months:
        return ()
    book = SignalBook(context, every)
    parts: dict[str, list[Stretches]] = {one.id: [] for one in every}
    days: list[SeenDay] = []
    for run in _runs(months):
        zone = context.workspace.plant.time_zone
        first, last = Period.parse(run[0]).start(zone), min(Period.parse(run[-1]).end(zone), context.now)
        for name, log in book.logs(first - timedelta(days=BACK_DAYS), last).items():
            parts[name].append(log.stretches.between(to_us(first), to_us(last)))
        for label in run:
            days += _days(context, twin, label)
    found = []
    for station in twin.line.stations:
        logs = [log for one in twin.signals.get(station.id, ()) for log in parts[one.id] if (log.state >= 0).any()]
        if logs:
            found.append(_spoken(twin, station, logs, days, confidence))
    return tuple(found)


def _runs(months: Sequence[str]) -> Iterator[list[str]]:
    """Yield the months in runs that follow each other."""
    run: list[Period] = []
    for one in sorted({Period.parse(label) for label in months}):
        if run and run[-1].next_first_day != one.first_day:
            yield [part.label for part in run]
            run = []
        run.append(one)
    if run:
        yield [part.label for part in run]


def _days(context: Context, twin: Twin, label: str) -> Iterator[SeenDay]:
    """Yield the days of a month."""
    plant, period = context.workspace.plant, Period.parse(label)
    count = (period.next_first_day - period.first_day).days
    dates = [period.first_day + timedelta(days=number) for number in range(count + 1)]
    edges = [to_us(local_midnight(day, plant.time_zone)) for day in dates]
    eve = dates[0] - timedelta(days=1)  # its night shift ends in this month
    wall = datetime.combine(eve, time(), zone(plant.time_zone))  # shifts go by the clock on the wall
    opened = [
        (to_us(wall + timedelta(seconds=one.start_s)), to_us(wall + timedelta(seconds=one.end_s)))
        for one in windows(plant, eve, count + 1)
    ]
    pieces = _pieces(context, twin, label)
    for place in range(count):
        first, last = edges[place], edges[place + 1]
        inside = tuple((max(a, first), min(b, last)) for a, b in opened if a < last and b > first)
        shifts = inside if plant.calendar.shifts else ((first, last),)
        yield SeenDay((first, last), shifts, {name: values[place] for name, values in pieces.items()})


def _pieces(context: Context, twin: Twin, label: str) -> dict[str, list[float]]:
    """Return the pieces of each day by station, where a meter counts them; NaN for a day with a gap."""
    month = meter_month(context, label)
    first = month.grid.midnights[:-1]
    found = {}
    for (what, station), meter in twin.counters.items():
        if what == "made" and station in twin.signals and meter in month.meter_ids:
            row = month.row(meter)
            amount = np.add.reduceat(month.amount_milli[row] / 1000.0, first)
            lost = np.add.reduceat(~np.isin(month.state[row], (MEASURED, MANUAL, SUSPECT)), first, dtype=np.int64)
            found[station] = np.where(lost > 0, np.nan, amount).tolist()
    return found


def _spoken(
    twin: Twin, station: Station, logs: Sequence[Stretches], days: Sequence[SeenDay], confidence: float
) -> Spoken:
    signals = twin.signals[station.id]
    notes: list[Text] = []
    between = repair = None
    worked_s = sum(float(log.seconds(int(log.begin_us[0]), int(log.end_us[-1]))[WORKING]) for log in logs)
    clock = station.failure.clock if station.failure is not None else "working"
    if len(signals) == station.machines:
        worked, repaired = _lives(logs, clock, days)
        between, repair = fit_life(worked, confidence), fit_life(repaired, confidence)
        if clock == "open":
            notes.append(Text(f"{station.title.zh}: 失效前时间按班内时间计。", f"{station.title.en}: time to failure counts the time of the shifts."))  # fmt: skip
        if between is None:
            notes.append(Text(f"{station.title.zh}: 工作 {worked_s / 3600.0:,.0f} 小时没有故障, 失效仍按 twin.toml。", f"{station.title.en}: no failure in {worked_s / 3600.0:,.0f} h at work; failures stay as in twin.toml."))  # fmt: skip
        if repair is not None and station.failure is not None and station.failure.repairers is not None:
            notes.append(Text(f"{station.title.zh}: 修复时间含等维修人员的时间, 修复仍按 twin.toml。", f"{station.title.en}: the repair told contains the wait for its crew; repairs stay as in twin.toml."))  # fmt: skip
    else:
        notes.append(Text(f"{station.title.zh}: 一个信号代表 {station.machines} 台, 不拟合故障。", f"{station.title.en}: one signal for {station.machines} machines, failures are not fitted."))  # fmt: skip
    inside = day_seconds(logs, [one.shifts for one in days])
    due_s = len(signals) * sum((last - first) / 1e6 for one in days for first, last in one.shifts)
    return Spoken(
        station.id, station.title, tuple(one.id for one in signals), between, repair, dict(shares(inside, confidence)),
        _cycle(twin, station, logs, days, confidence), float(inside.sum()) / due_s if due_s else 0.0, worked_s, tuple(notes), clock,
    )  # fmt: skip


def _lives(logs: Sequence[Stretches], clock: Clock, days: Sequence[SeenDay]) -> tuple[Lifetimes, Lifetimes]:
    """Return times to failure by the clock of the station, and times to repair."""
    if clock == "working":
        return failures(logs)
    shifts = [one for day in days for one in day.shifts]
    return failures([in_shifts(log, shifts) for log in logs], OPEN)


def _cycle(
    twin: Twin, station: Station, logs: Sequence[Stretches], days: Sequence[SeenDay], confidence: float
) -> Interval | None:
    """Return seconds at work by piece, over the whole days on which both are known; a family's factor is taken out by the mix."""
    counted = np.array([one.pieces.get(station.id, np.nan) for one in days])
    if not np.isfinite(counted).any():
        return None
    count = len(twin.signals[station.id])
    seconds = day_seconds(logs, [(one.whole,) for one in days])
    due_s = count * np.array([(one.whole[1] - one.whole[0]) / 1e6 for one in days])
    used = (seconds.sum(axis=1) >= due_s - 1.0) & (np.nan_to_num(counted) > 0.0)
    factor = float(np.mean([station.cycle_factors.get(family, 1.0) for family in twin.line.mix]))
    at_work = seconds[:, WORKING] * station.machines / count
    return ratio(at_work[used], counted[used] * factor, confidence)


def with_cycles(twin: Twin, done: Sequence[Spoken]) -> Twin:
    """Return the twin with the cycle times that signals and counters told, so that powers are fitted to the time really at work."""
    told = {one.place: one.cycle_s.mean for one in done if _is_told(one.cycle_s) and one.cycle_s is not None}
    stations = tuple(
        replace(one, cycle=one.cycle.stretched(told[one.id])) if told.get(one.id) and one.cycle.average_s else one
        for one in twin.line.stations
    )
    return replace(twin, line=replace(twin.line, stations=stations))


def _is_told(one: Interval | None) -> bool:
    return one is not None and one.runs >= terms().least_days


def write(context: Context, done: Sequence[Spoken], months: Sequence[str]) -> Path | None:
    """Write what was found beside twin.toml; return the file, or None where nothing can be written.

    Times to failure and to repair are written from `least_events` ends on, shares and cycles from `least_days` days on
    (`lifetimes.toml`); what is not written stays as twin.toml has it. A file of before stays where nothing can be written.
    """
    rows = [row for one in done for row in _rows(one)]
    path = context.workspace.folder / SIGNALS
    if not rows:
        return None
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for place, quantity, kind, one in rows:
        figures = [f"{value:.6g}" for value in (one.mean, one.low, one.high)]
        table.writerow([place, quantity, kind, *figures, one.runs, months[0], months[-1]])
    write_bytes_whole(path, text.getvalue().encode())
    return path


def _rows(one: Spoken) -> Iterator[tuple[str, str, str, Interval]]:
    given = terms()
    lives = ((BETWEEN[one.clock], one.between), ("repair", one.repair))
    if one.between is not None and one.between.ends >= given.least_events:
        for name, life in lives:
            if life is not None and life.ends >= given.least_events:
                yield one.place, f"{name}_mean_s", life.kind, life.mean_s
                if life.kind == "weibull" and life.shape is not None:
                    yield one.place, f"{name}_shape", life.kind, life.shape
    if one.cycle_s is not None and _is_told(one.cycle_s):
        yield one.place, "cycle_s", "", one.cycle_s
    for state, share in one.shares.items():
        if share.runs >= given.least_days:
            yield one.place, f"share_{state}", "", share
