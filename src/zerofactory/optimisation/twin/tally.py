"""What every event does to the world: a duration is drawn, a state is entered, something is counted, remembered, or to be looked at (compiled)."""

from __future__ import annotations

from zerofactory.optimisation.twin.draw import EMPIRICAL, duration, uniform
from zerofactory.optimisation.twin.heap import compiled
from zerofactory.optimisation.twin.line import BLOCKED, IDLE, STANDBY
from zerofactory.optimisation.twin.records import A_MACHINE, World

DONE, FAILS, REPAIRED, READY, OPENS, CLOSES, WARMS, AWAKE, SET, CARRIED, BACK = range(11)
CYCLE, BETWEEN, REPAIR, JUDGED = range(4)
PURPOSES = 4
MADE, SCRAPPED, REWORKED, FINISHED, FAILURES, SETUPS = range(6)
STATES_TOLD = 8


@compiled
def drawn(w: World, s: int, what: int) -> float:
    """Return the next duration of a station."""
    one = w.streams[s * PURPOSES + what]
    u = uniform(one.seed, one.drawn)
    one.drawn += 1
    if one.kind == EMPIRICAL:
        return float(w.numbers[one.observed + int(u * (one.end - one.observed))])
    return float(duration(one.kind, one.first, one.second, one.third, u))


@compiled
def passed(w: World, s: int, state: int, start: float, end: float) -> None:
    """Add the seconds of a state to the intervals they fall in."""
    end = min(end, w.clock[0].horizon_s)
    place = int(start / w.clock[0].step_s)
    while start < end:
        edge = (place + 1) * w.clock[0].step_s
        until = edge if edge < end else end
        w.tally[s, place, state] += until - start
        start = until
        place += 1


@compiled
def see(w: World, at: float, kind: int, what: tuple[int, int, int]) -> None:
    """Remember something (who, value, family) where the run is traced and there is room."""
    place = w.clock[0].traced
    if place < len(w.trace):
        w.trace[place].at_s = at
        w.trace[place].kind = kind
        w.trace[place].who = what[0]
        w.trace[place].value = what[1]
        w.trace[place].family = what[2]
        w.clock[0].traced += 1


@compiled
def enter(w: World, k: int, state: int, at: float) -> None:
    """Put a machine into a state; a wait that was long enough is told as standby from then on."""
    s, old, since = w.machines[k].station, w.machines[k].state, w.machines[k].since
    patience = w.stations[s].patience_s
    if old in (IDLE, BLOCKED) and at - since > patience:
        passed(w, s, old, since, since + patience)
        passed(w, s, STANDBY, since + patience, at)
        see(w, since + patience, A_MACHINE, (k, STANDBY, w.machines[k].piece))
    else:
        passed(w, s, old, since, at)
    w.machines[k].state = state
    w.machines[k].since = at
    see(w, at, A_MACHINE, (k, state, w.machines[k].piece))


@compiled
def count(w: World, s: int, what: int, at: float) -> None:
    """Count something at a station in the interval it falls in."""
    if at < w.clock[0].horizon_s:
        w.tally[s, int(at / w.clock[0].step_s), STATES_TOLD + what] += 1


@compiled
def look(w: World, s: int) -> None:
    """Remember to look at a station."""
    if not w.stations[s].flag:
        w.stations[s].flag = True
        w.lists[w.clock[0].end_mix + w.clock[0].top] = s
        w.clock[0].top += 1
