"""Let the utilities act back on the line: stations that are not served are locked out, the line is run again, until nothing more stops.

A pass is a run of the line and a run of the utilities beside it. What is short in a pass is added to what stands still, until nothing
is short; then what could be served after all is given back, each quarter hour of a stop once at most, so that passes end. A store
carries the plant through as long as it lasts. A replication without a shortage has one pass, and its run is the very run
without any of this. Why so, and what it leaves out: docs/decisions/0039.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.optimisation.twin.energy import Usage, usage
from zerofactory.optimisation.twin.line import Line, Window
from zerofactory.optimisation.twin.production import Run
from zerofactory.optimisation.twin.resume import NEVER_S
from zerofactory.optimisation.twin.statistics import interval
from zerofactory.optimisation.utilities.driven import Driven
from zerofactory.optimisation.utilities.plant import Ended, Utilities, simulate
from zerofactory.optimisation.utilities.shedding import NOT_HELD, Marks, asked, causes, grown, held, released, unheld
from zerofactory.runs.context import Context
from zerofactory.runs.twin_lost import Held, possible, stopped
from zerofactory.runs.twin_utilities import Around, Remark, around, aside, driven, open_in, ready
from zerofactory.runs.twin_utilities_file import Beside

Floats = NDArray[np.float64]
Again = Callable[[Line, int], Run]
MOST_PASSES, FEWEST_PASSES = 16, 3
"""Passes of a replication at most, and those of a round in which only as many stations stop as must; after them all that ask where
something is still short, so that a round ends. A shortage of a day is settled in two or three passes."""
MOST_RELEASES = 2
"""How often what could be served after all is given back: later rounds give back little, as what was short again stays stopped."""


@dataclass(frozen=True)
class Followed:
    """The runs of the line as the utilities let it work, with what is taken, the utilities' runs, and what stood still."""

    runs: tuple[Run, ...]
    usages: tuple[Usage, ...]
    beside: Beside | None = None
    ended: tuple[Ended, ...] = ()
    held: tuple[Held, ...] = ()

    def around(self, skip: int, confidence: float) -> Around | None:
        """Return what is told of the utilities, what they stopped among it; None where there are none."""
        if self.beside is None:
            return None
        utilities = self.beside.utilities
        found, more = around(self.beside, self.ended, skip, confidence), stop_remarks(utilities, self.held, confidence)
        paired = {**found.paired, **{name: values for name, (_, values) in more.items()}}
        return replace(
            found, remarks=(*found.remarks, *(told for told, _ in more.values())), paired=paired,
            stopped=stopped(utilities, self.held, confidence),
        )  # fmt: skip


@dataclass(frozen=True)
class _Pass:
    run: Run
    usage: Usage
    driven: Driven
    ended: Ended


def followed(
    context: Context, beside: Beside, days: tuple[date, int, int], done: Sequence[Run], again: Again
) -> Followed:
    """Return some replications with the utilities beside them, and with what those stop.

    ``days`` are the first day that counts, how many were run before it, and the intervals left out of the figures; ``again``
    runs a line with the random numbers of a replication.
    """
    first, lead_days, skip = days
    utilities, outdoors = ready(context, beside, first, lead_days, done[0])

    def beside_it(run: Run, marks: Marks) -> _Pass:
        used = usage(run)
        drives = driven(used, outdoors)
        drives = replace(drives, stopped=_at_rest(utilities, held(utilities, marks, drives)))
        return _Pass(run, used, drives, simulate(utilities, drives))

    def one(run: Run) -> tuple[_Pass, Held]:
        return _settled(_Search(utilities, run, beside_it, again), skip)

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        found = tuple(pool.map(one, done))
    last = [pair[0] for pair in found]
    return Followed(
        tuple(one.run for one in last),
        tuple(replace(one.usage, aside=aside(one.ended)) for one in last),
        beside,
        tuple(one.ended for one in last),
        tuple(pair[1] for pair in found),
    )


@dataclass
class _Search:
    """The passes of a replication: what has been tried, and how often."""

    utilities: Utilities
    run: Run
    beside_it: Callable[[Run, Marks], _Pass]
    again: Again
    passes: int = 1

    def go(self, now: _Pass, marks: Marks) -> _Pass:
        """Return the pass in which what is marked stands still; the line is run again only where that changes its windows."""
        self.passes += 1
        stands = spans(self.utilities, held(self.utilities, marks, now.driven), self.run.step_s)
        cut = locked(self.run.line, stands, self.run.horizon_s)
        same = cut.own_windows == now.run.line.own_windows
        return self.beside_it(now.run if same else self.again(cut, self.run.replication), marks)

    def grow(self, now: _Pass, marks: Marks, most: Floats) -> tuple[_Pass, Marks, bool]:
        """Return the pass in which nothing more is short, and whether it was reached; ``most`` learns what was asked for."""
        begun = self.passes
        while True:
            np.maximum(most, asked(self.utilities, now.driven, now.ended), out=most)
            more = grown(self.utilities, now.driven, now.ended, marks, fewest=self.passes - begun < FEWEST_PASSES)
            if (more == marks).all():
                return now, marks, True
            if self.passes >= MOST_PASSES:
                return now, marks, False
            now, marks = self.go(now, more), more


def _settled(search: _Search, skip: int) -> tuple[_Pass, Held]:
    """Return the pass that a replication ends with, and what stood still in it."""
    utilities, run = search.utilities, search.run
    marks = unheld(utilities, run.seconds.shape[1])
    now = search.beside_it(run, marks)
    if not utilities.stops:
        return now, _told(search, now, marks, (skip, True))
    most = asked(utilities, now.driven, now.ended)
    now, marks, settled = search.grow(now, marks, most)
    given = np.zeros_like(marks, dtype=bool)
    for _ in range(MOST_RELEASES if settled else 0):
        tried = np.where(given, marks, released(utilities, now.driven, now.ended, marks, most))
        given |= tried != marks
        if (tried == marks).all() or search.passes >= MOST_PASSES:
            break
        other, more, good = search.grow(search.go(now, tried), tried, most)
        if not good or other.run.output[skip:].sum() <= now.run.output[skip:].sum():
            break
        now, marks = other, more
    return now, _told(search, now, marks, (skip, settled))


def _at_rest(utilities: Utilities, marks: Marks) -> dict[tuple[str, str], Floats]:
    """Return the intervals in which loads and consumers of air are at rest, as their stations are stopped."""
    found: dict[tuple[str, str], Floats] = {}
    for one, row in zip(utilities.stops, marks, strict=True):
        for table, name in (("loads", one.load), ("air", one.air)):
            if name is not None and row.any():
                before = found.get((table, name), np.zeros(len(row)))
                found[table, name] = np.maximum(before, row != NOT_HELD)
    return found


def spans(utilities: Utilities, marks: Marks, step_s: float) -> dict[str, list[tuple[float, float]]]:
    """Return when each station is locked out: seconds from the beginning."""
    found: dict[str, list[tuple[float, float]]] = {}
    for station in dict.fromkeys(name for one in utilities.stops for name in one.stations):
        rows = [row for one, row in zip(utilities.stops, marks, strict=True) if station in one.stations]
        stands = np.any(np.array(rows) != NOT_HELD, axis=0).astype(np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], stands, [0]])))
        if len(edges):
            found[station] = [
                (float(a) * step_s, float(b) * step_s) for a, b in zip(edges[::2], edges[1::2], strict=True)
            ]
    return found


def locked(line: Line, cuts: Mapping[str, Sequence[tuple[float, float]]], horizon_s: float) -> Line:
    """Return the line with some stations locked out; one that works outside of its cuts only keeps the windows it has."""
    own = dict(line.own_windows)
    for station, gone in cuts.items():
        opened = tuple(own.get(station, line.windows)) or (Window(0.0, horizon_s),)
        left = less(opened, gone)
        if left != opened:
            own[station] = left or (Window(NEVER_S, NEVER_S + 1.0),)
    return replace(line, own_windows=own)


def less(opened: Sequence[Window], gone: Sequence[tuple[float, float]]) -> tuple[Window, ...]:
    """Return windows less spans of time, both in order, in one walk: a year has thousands of either.

    >>> [(one.start_s, one.end_s) for one in less([Window(0.0, 10.0), Window(12.0, 20.0)], [(2.0, 4.0), (9.0, 13.0), (20.0, 30.0)])]
    [(0.0, 2.0), (4.0, 9.0), (13.0, 20.0)]
    """
    found, place = [], 0
    for one in opened:
        start = one.start_s
        while place < len(gone) and gone[place][1] <= start:
            place += 1
        there = place
        while there < len(gone) and gone[there][0] < one.end_s:
            if gone[there][0] > start:
                found.append(Window(start, gone[there][0]))
            start = max(start, gone[there][1])
            there += 1
        if start < one.end_s:
            found.append(Window(start, one.end_s))
    return tuple(found)


def _told(search: _Search, now: _Pass, found: Marks, how: tuple[int, bool]) -> Held:
    """Return what a replication lost; where several causes stopped stations, the line is run with each of them alone."""
    utilities, before, (skip, settled) = search.utilities, search.run, how
    marks = held(utilities, found, now.driven)
    names, hours = [one.id for one in causes(utilities)], before.step_s / 3600.0
    open_h: dict[tuple[str, str], float] = {}
    standing: dict[int, Floats] = {}
    for (number, station), share in _standing(utilities, before, marks).items():
        lost = float(share[skip:].sum()) * hours
        if lost > 0.0:
            open_h[names[number - 1], station] = lost
            standing[number] = np.maximum(standing.get(number, 0.0), share)
    any_h = {names[number - 1]: float(share[skip:].sum()) * hours for number, share in standing.items()}
    made = float(before.output[skip:].sum())
    pieces = made - float(now.run.output[skip:].sum())
    alone = dict.fromkeys(any_h, pieces)
    for number in standing if len(standing) > 1 else ():
        cut = spans(utilities, np.where(marks == number, number, NOT_HELD), before.step_s)
        single = search.again(locked(before.line, cut, before.horizon_s), before.replication)
        alone[names[number - 1]] = made - float(single.output[skip:].sum())
    return Held(open_h, any_h, pieces, alone, search.passes, settled)


def _standing(utilities: Utilities, run: Run, marks: Marks) -> dict[tuple[int, str], Floats]:
    """Return the share of each interval in which a station stands still in its open time, by cause (1 + its place) and station."""
    found: dict[tuple[int, str], Floats] = {}
    opened: dict[tuple[Window, ...], Floats] = {}
    for one, row in zip(utilities.stops, marks, strict=True):
        for number, station in product(np.unique(row[row != NOT_HELD]).tolist(), one.stations):
            windows = tuple(run.line.own_windows.get(station, run.line.windows))
            if windows not in opened:
                opened[windows] = open_in(windows, marks.shape[1], run.step_s)
            share = np.where(row == number, opened[windows], 0.0)
            found[number, station] = np.maximum(found.get((number, station), 0.0), share)
    return found


def stop_remarks(
    utilities: Utilities, rows: Sequence[Held], confidence: float
) -> dict[str, tuple[Remark, tuple[float, ...]]]:
    """Return what is told of the stops like any other figure, with that of each replication; of nothing that cannot stop."""
    if not utilities.stops:
        return {}
    told = [
        (f"{cause.id}_stopped_h", Text(f"{cause.title.zh}不足而停线", f"stopped for want of {cause.title.en}"), "h", [one.any_h.get(cause.id, 0.0) for one in rows])
        for cause in possible(utilities)
    ]  # fmt: skip
    told.append(("stopped_pieces", Text("因公用动力少做的件数", "pieces lost to utilities"), "1", [one.pieces for one in rows]))  # fmt: skip
    told.append(("stops_unsettled", Text("停线未收敛的重复", "replications not settled"), "1", [float(not one.settled) for one in rows]))  # fmt: skip
    return {
        name: (Remark(name, title, unit, interval(values, confidence), any(values)), tuple(values))
        for name, title, unit, values in told
    }
