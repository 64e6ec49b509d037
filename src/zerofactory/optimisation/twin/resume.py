"""Go on from a moment: the days before fill the line as ever, then it is put into the state it is really in, and runs on from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.optimisation.twin.line import STATES, Line, Window
from zerofactory.optimisation.twin.production import Run, simulate
from zerofactory.optimisation.twin.start import State
from zerofactory.optimisation.twin.trace import Trace

NEVER_S = 1e12
"""Beyond every run: a station that is not worked any more has a window there, since no window at all means always."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Where runs go on: how long after the first midnight, and the state of each replication (where it is not known, they differ)."""

    since_midnight_s: float
    states: tuple[State, ...]

    def state(self, replication: int) -> State:
        """Return the state from which a replication goes on."""
        return self.states[replication % len(self.states)]


def resumed(line: Line, times_s: tuple[float, float, float], numbers: tuple[int, int], state: State) -> Run:
    """Return a run whose intervals before a moment are those of an empty line that filled, and after it those from a state.

    Parameters
    ----------
    times_s : the moment, the end, and the length of an interval; the moment lies on one.
    numbers : seed and replication.
    state : what does not fit the line (a buffer that is not there, more than it holds) is left out.
    """
    moment_s, end_s, step_s = times_s
    after = simulate(later(line, moment_s), end_s - moment_s, step_s, *numbers, state=fitted(state, line))
    if moment_s <= 0.0:
        return after
    before = simulate(line, moment_s, step_s, *numbers)
    return replace(
        after, line=line, horizon_s=end_s,
        seconds=np.concatenate([before.seconds, after.seconds], axis=1),
        counts=np.concatenate([before.counts, after.counts], axis=1),
        finished=np.concatenate([before.finished, after.finished]),
        machine_cycles=before.machine_cycles + after.machine_cycles, events=before.events + after.events,
    )  # fmt: skip


def later(line: Line, moment_s: float) -> Line:
    """Return the line with its windows counted from a moment on.

    Examples
    --------
    >>> from zerofactory.optimisation.twin.line import Line
    >>> later(Line((), windows=(Window(0.0, 10.0), Window(20.0, 40.0), Window(50.0, 60.0))), 25.0).windows
    (Window(start_s=0.0, end_s=15.0), Window(start_s=25.0, end_s=35.0))
    """
    own = {station: _shifted(windows, moment_s) for station, windows in line.own_windows.items()}
    return replace(line, windows=_shifted(line.windows, moment_s), own_windows=own)


def _shifted(windows: Sequence[Window], moment_s: float) -> tuple[Window, ...]:
    left = tuple(
        Window(max(one.start_s - moment_s, 0.0), one.end_s - moment_s) for one in windows if one.end_s > moment_s
    )
    return left or ((Window(NEVER_S, NEVER_S + 1.0),) if windows else ())


def fitted(state: State, line: Line) -> State:
    """Return the part of a state that fits a line: of buffers and stations that are there, no more than there is room for."""
    room = {one.id: one.capacity for one in line.buffers if not one.direct}
    names = {one.id for one in line.stations}
    return State(
        {name: min(held, room[name]) for name, held in state.levels.items() if name in room},
        {name: does for name, does in state.states.items() if name in names},
    )


def ended(trace: Trace) -> State:
    """Return the state in which a traced run ended: what the buffers held, and what the first machine of each station did."""
    levels: dict[str, int] = {one.id: 0 for one in trace.line.buffers}
    ids = [one.id for one in trace.line.buffers]
    for _, buffer, held in trace.levels.tolist():
        levels[ids[buffer]] = int(held)
    first: dict[int, str] = dict.fromkeys(_firsts(trace.station_of), "off")
    for _, machine, state, _ in trace.machines.tolist():
        if machine in first:
            first[machine] = STATES[state]
    return State(levels, {trace.line.stations[trace.station_of[machine]].id: does for machine, does in first.items()})


def joined(ran: State, seen: State) -> State:
    """Return what is seen, and what a run came to where nothing is seen."""
    return State({**ran.levels, **seen.levels}, {**ran.states, **seen.states})


def _firsts(station_of: Iterable[int]) -> list[int]:
    found: dict[int, int] = {}
    for machine, station in enumerate(station_of):
        found.setdefault(station, machine)
    return list(found.values())
