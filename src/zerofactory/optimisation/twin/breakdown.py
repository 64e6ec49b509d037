"""Machines that work until they fail, and who repairs them (compiled).

By default the clock of failures runs while a machine works: what it wears is work (operation-dependent failures). Where it runs
as long as the shift is open (time-dependent failures, `STATION.ticking`), a machine may also fail while it waits or is stuck; then
one event says when, in the shift in which it comes. A machine that is set up or wakes fails as it begins to work, one whose piece
was begun before the shift closed when the piece is done (Buzacott and Hanifin 1978, doi 10.1080/05695557808975194).
"""

from __future__ import annotations

from zerofactory.optimisation.twin.heap import Queue, compiled, push
from zerofactory.optimisation.twin.line import BLOCKED, FAILED, IDLE, OFF, SETUP, WARM_UP, WORKING
from zerofactory.optimisation.twin.records import NOBODY, World
from zerofactory.optimisation.twin.tally import (
    BETWEEN,
    DONE,
    FAILS,
    FAILURES,
    REPAIR,
    REPAIRED,
    count,
    drawn,
    enter,
    look,
)


@compiled
def work(w: World, q: Queue, k: int, at: float) -> None:
    """Let a machine work on what is left of its piece, until it is done or the machine fails."""
    s = w.machines[k].station
    if w.stations[s].ticking:
        work_by_the_clock(w, q, k, at)
        return
    enter(w, k, WORKING, at)
    if w.machines[k].until_s <= w.machines[k].left_s:
        w.machines[k].left_s -= w.machines[k].until_s
        push(q, at + w.machines[k].until_s, FAILS, k, 0)
    else:
        w.machines[k].until_s -= w.machines[k].left_s
        push(q, at + w.machines[k].left_s, DONE, k, 0)


@compiled
def work_by_the_clock(w: World, q: Queue, k: int, at: float) -> None:
    """The same where the clock runs whether there is work or not: the failure has an event of its own."""
    s = w.machines[k].station
    if w.machines[k].due:
        fail(w, q, k, at)
        return
    enter(w, k, WORKING, at)
    ends = at + w.machines[k].left_s
    w.machines[k].ends_s = ends
    fails = w.machines[k].fails_s
    w.machines[k].bound = not (w.stations[s].open and fails < ends and fails < w.stations[s].closes_s)
    if w.machines[k].bound:
        push(q, ends, DONE, k, 0)


@compiled
def tick(w: World, q: Queue, k: int, at: float) -> None:
    """Let the clock of a machine's failures run from now on, while its shift is open."""
    s = w.machines[k].station
    if w.stations[s].ticking and w.stations[s].open:
        w.machines[k].fails_s = at + w.machines[k].until_s
        if w.machines[k].fails_s < w.stations[s].closes_s:
            push(q, w.machines[k].fails_s, FAILS, k, 0)


@compiled
def stop_clock(w: World, k: int, at: float) -> None:
    """Let the clock stand still until the next shift."""
    if w.stations[w.machines[k].station].ticking and w.machines[k].state != FAILED:
        w.machines[k].until_s = max(w.machines[k].fails_s - at, 0.0)
        w.machines[k].due = False


@compiled
def strike(w: World, q: Queue, k: int, at: float) -> None:
    """Let a machine fail whose time has come, or as soon as it may."""
    state = w.machines[k].state
    if w.stations[w.machines[k].station].ticking:
        if state in (SETUP, WARM_UP) or (state == WORKING and w.machines[k].bound):
            w.machines[k].due = True
            return
        if state == WORKING:
            w.machines[k].left_s = w.machines[k].ends_s - at
    fail(w, q, k, at)


@compiled
def fail(w: World, q: Queue, k: int, at: float) -> None:
    """Put a machine out of order, and ask for its repair."""
    w.machines[k].due = False
    count(w, w.machines[k].station, FAILURES, at)
    enter(w, k, FAILED, at)
    repair(w, q, k, at)


@compiled
def first_in_turn(w: World, k: int) -> bool:
    """Tell whether no other machine has waited longer for those who are to repair this one."""
    crew = w.stations[w.machines[k].station].crew
    for other in range(len(w.machines)):
        waits = w.machines[other].unattended and w.stations[w.machines[other].station].crew == crew
        if waits and w.machines[other].since < w.machines[k].since:
            return False
    return True


@compiled
def repair(w: World, q: Queue, k: int, at: float) -> None:
    """Begin the repair of a failed machine, or let it wait until those who repair are free and it is its turn."""
    s = w.machines[k].station
    crew = w.stations[s].crew
    if crew != NOBODY and (w.pools[crew] < w.stations[s].repairers or not first_in_turn(w, k)):
        w.machines[k].unattended = True
        return
    if crew != NOBODY:
        w.pools[crew] -= w.stations[s].repairers
    w.machines[k].unattended = False
    push(q, at + drawn(w, s, REPAIR), REPAIRED, k, 0)


@compiled
def repaired(w: World, q: Queue, k: int, at: float) -> None:
    """Let a machine go on with what it did, and those who repaired it go elsewhere."""
    s = w.machines[k].station
    w.machines[k].until_s = drawn(w, s, BETWEEN)
    tick(w, q, k, at)
    if w.machines[k].piece != NOBODY and w.machines[k].target == NOBODY:
        work(w, q, k, at)
    else:
        waits = IDLE if w.machines[k].piece == NOBODY else BLOCKED
        enter(w, k, waits if w.stations[s].open else OFF, at)
        look(w, s)
    leave(w, q, s, at)


@compiled
def leave(w: World, q: Queue, s: int, at: float) -> None:
    """Give those who repaired at a station back; they go to the machines that have waited longest, in turn, while they are enough."""
    crew = w.stations[s].crew
    if crew == NOBODY:
        return
    w.pools[crew] += w.stations[s].repairers
    while True:
        longest = NOBODY
        for k in range(len(w.machines)):
            waits = w.machines[k].unattended and w.stations[w.machines[k].station].crew == crew
            if waits and (longest == NOBODY or w.machines[k].since < w.machines[longest].since):
                longest = k
        if longest == NOBODY or w.pools[crew] < w.stations[w.machines[longest].station].repairers:
            return
        repair(w, q, longest, at)
