"""The event core: any line, machine by machine, from one event to the next (compiled).

A machine is off, warming up, starved, on standby, working, blocked, failed or being set up. It starts when its shift is open,
every buffer before it offers a piece and its operators are free; when it fails and who repairs it is in `breakdown`; a finished piece is
rejected, reworked or handed on, and waits in the machine while the buffer is full. The seconds of each state are added up by
station and interval as they pass; nothing is sampled.
"""

from __future__ import annotations

from zerofactory.optimisation.twin.breakdown import repaired, stop_clock, strike, tick, work
from zerofactory.optimisation.twin.draw import uniform
from zerofactory.optimisation.twin.heap import Queue, compiled, pop, push
from zerofactory.optimisation.twin.line import BLOCKED, FAILED, IDLE, OFF, SETUP, WARM_UP, WORKING
from zerofactory.optimisation.twin.records import A_BUFFER, A_PIECE, NOBODY, SPARE, World
from zerofactory.optimisation.twin.tally import (
    AWAKE,
    BACK,
    CARRIED,
    CLOSES,
    CYCLE,
    DONE,
    FAILS,
    FINISHED,
    JUDGED,
    MADE,
    OPENS,
    PURPOSES,
    READY,
    REPAIRED,
    REWORKED,
    SCRAPPED,
    SET,
    SETUPS,
    WARMS,
    count,
    drawn,
    enter,
    look,
    see,
)


@compiled
def put(w: World, q: Queue, buffer: int, family: int, born: float, at: float) -> None:
    """Put a piece into a buffer that has room."""
    place = (w.buffers[buffer].head + w.buffers[buffer].held) % w.buffers[buffer].room
    w.slots[w.buffers[buffer].slots + place].family = family
    w.slots[w.buffers[buffer].slots + place].born = born
    w.buffers[buffer].held += 1
    see(w, at, A_BUFFER, (buffer, w.buffers[buffer].held, family))
    seconds, vehicles = w.buffers[buffer].travel_s, w.buffers[buffer].vehicles
    if vehicles != NOBODY:
        w.buffers[buffer].waiting += 1
        carry(w, q, vehicles, at)
    elif seconds > 0.0:
        push(q, at + seconds, READY, buffer, 0)
    else:
        arrive(w, buffer)


@compiled
def arrive(w: World, buffer: int) -> None:
    """Let the next piece of a buffer have arrived, and its takers look."""
    w.buffers[buffer].ready += 1
    for one in range(w.buffers[buffer].takers, w.buffers[buffer].end_takers):
        look(w, w.lists[one])


@compiled
def carry(w: World, q: Queue, pool: int, at: float) -> None:
    """Send free vehicles of a pool where most pieces wait; each comes back empty."""
    while w.pools[pool] > 0:
        longest, most = NOBODY, 0
        for buffer in range(len(w.buffers)):
            if w.buffers[buffer].vehicles == pool and w.buffers[buffer].waiting > most:
                longest, most = buffer, w.buffers[buffer].waiting
        if longest == NOBODY:
            return
        w.buffers[longest].waiting -= 1
        w.pools[pool] -= 1
        push(q, at + w.buffers[longest].travel_s, CARRIED, longest, 0)


@compiled
def take(w: World, buffer: int, at: float) -> tuple[int, float]:
    """Take the oldest piece out of a buffer; who could not put one in looks again."""
    place = w.buffers[buffer].head
    slot = w.slots[w.buffers[buffer].slots + place]
    family, born = slot.family, slot.born
    w.buffers[buffer].head = (place + 1) % w.buffers[buffer].room
    w.buffers[buffer].held -= 1
    w.buffers[buffer].ready -= 1
    see(w, at, A_BUFFER, (buffer, w.buffers[buffer].held, family))
    for one in range(w.buffers[buffer].givers, w.buffers[buffer].end_givers):
        look(w, w.lists[one])
    return family, born


@compiled
def operators(w: World, s: int, sign: int) -> None:
    """Take operators from their pool, or give them back and let the stations that share it look."""
    pool = w.stations[s].pool
    if pool == NOBODY:
        return
    w.pools[pool] += sign * w.stations[s].operators
    if sign > 0:
        for other in range(len(w.stations)):
            if w.stations[other].pool == pool:
                look(w, other)


@compiled
def may_staff(w: World, s: int) -> bool:
    """Tell whether the operators of one more machine of a station are free."""
    pool = w.stations[s].pool
    return bool(pool == NOBODY or w.pools[pool] >= w.stations[s].operators)


@compiled
def may_start(w: World, s: int) -> bool:
    """Tell whether a free machine of a station can start a piece."""
    if not w.stations[s].open:
        return False
    for one in range(w.stations[s].takes, w.stations[s].end_takes):
        if w.buffers[w.lists[one]].ready == 0:
            return False
    gives = w.stations[s].gives
    if gives != NOBODY and w.buffers[gives].before and w.buffers[gives].held + taken(w, gives) >= w.buffers[gives].room:
        return False
    return may_staff(w, s)


@compiled
def taken(w: World, buffer: int) -> int:
    """Return how many pieces out of a buffer are at the machines that take from it."""
    found = 0
    for one in range(w.buffers[buffer].takers, w.buffers[buffer].end_takers):
        s = w.lists[one]
        for k in range(w.stations[s].first_machine, w.stations[s].end_machine):
            found += w.machines[k].piece != NOBODY
    return found


@compiled
def begin(w: World, q: Queue, k: int, at: float) -> None:
    """Load a machine: wake it from standby, set it up for another family, or start at once."""
    s = w.machines[k].station
    family, born = NOBODY, at
    for one in range(w.stations[s].takes, w.stations[s].end_takes):
        taken, since = take(w, w.lists[one], at)
        if family == NOBODY:
            family, born = taken, since
        elif since < born:
            born = since
    if family == NOBODY:
        family = w.lists[w.clock[0].mix + w.stations[s].entered % (w.clock[0].end_mix - w.clock[0].mix)]
        w.stations[s].entered += 1
    w.machines[k].piece = family
    w.machines[k].begun = born
    w.machines[k].target = NOBODY
    operators(w, s, -1)
    slept = w.machines[k].state == IDLE and at - w.machines[k].since > w.stations[s].patience_s
    if slept and w.stations[s].wake_s > 0.0:
        enter(w, k, WARM_UP, at)
        push(q, at + w.stations[s].wake_s, AWAKE, k, 0)
    else:
        ready_to_work(w, q, k, at)


@compiled
def ready_to_work(w: World, q: Queue, k: int, at: float) -> None:
    """Set a machine up where its family changes, else let it work."""
    s = w.machines[k].station
    if w.stations[s].setup_s > 0.0 and w.machines[k].last != NOBODY and w.machines[k].last != w.machines[k].piece:
        enter(w, k, SETUP, at)
        count(w, s, SETUPS, at)
        push(q, at + w.stations[s].setup_s, SET, k, 0)
        return
    w.machines[k].left_s = drawn(w, s, CYCLE) * w.numbers[w.stations[s].factors + w.machines[k].piece]
    work(w, q, k, at)


@compiled
def done(w: World, q: Queue, k: int, at: float) -> None:
    """Judge a finished piece and hand it on."""
    s = w.machines[k].station
    w.machines[k].last = w.machines[k].piece
    w.clock[0].cycles += 1
    w.clock[0].last_done = at
    count(w, s, MADE, at)
    operators(w, s, 1)
    target = w.stations[s].gives
    if w.stations[s].scrap_or_rework > 0.0:
        judged = w.streams[s * PURPOSES + JUDGED]
        u = uniform(judged.seed, judged.drawn)
        judged.drawn += 1
        if u < w.stations[s].scrap:
            count(w, s, SCRAPPED, at)
            free(w, k, at)
            return
        if u < w.stations[s].scrap_or_rework:
            count(w, s, REWORKED, at)
            target = w.stations[s].rework
    w.machines[k].target = target
    hand_on(w, q, k, at)


@compiled
def awaited(w: World, buffer: int) -> bool:
    """Tell whether a machine that takes from a direct buffer is free to start now."""
    for one in range(w.buffers[buffer].takers, w.buffers[buffer].end_takers):
        s = w.lists[one]
        if w.stations[s].open and may_staff(w, s):
            for k in range(w.stations[s].first_machine, w.stations[s].end_machine):
                if w.machines[k].state == IDLE:
                    return True
    return False


@compiled
def hand_on(w: World, q: Queue, k: int, at: float) -> None:
    """Put a machine's finished piece where it goes, or let the machine wait with it."""
    s, target = w.machines[k].station, w.machines[k].target
    if target == NOBODY:
        if at < w.clock[0].horizon_s:
            w.finished[int(at / w.clock[0].step_s), w.machines[k].piece] += 1
            count(w, s, FINISHED, at)
            w.clock[0].passed += 1
            w.clock[0].passage_s += at - w.machines[k].begun
            see(w, at, A_PIECE, (s, NOBODY, w.machines[k].piece))
    elif w.buffers[target].held < w.buffers[target].room and (not w.buffers[target].direct or awaited(w, target)):
        put(w, q, target, w.machines[k].piece, w.machines[k].begun, at)
    else:
        if w.machines[k].state == WORKING:
            enter(w, k, BLOCKED if w.stations[s].open else OFF, at)
        return
    free(w, k, at)


@compiled
def free(w: World, k: int, at: float) -> None:
    """Empty a machine and let its station look."""
    s = w.machines[k].station
    w.machines[k].piece = NOBODY
    w.machines[k].target = NOBODY
    if w.stations[s].open or w.machines[k].state != WARM_UP:
        enter(w, k, IDLE if w.stations[s].open else OFF, at)
    for one in range(w.stations[s].takes, w.stations[s].end_takes):
        if w.buffers[w.lists[one]].before:
            for giver in range(w.buffers[w.lists[one]].givers, w.buffers[w.lists[one]].end_givers):
                look(w, w.lists[giver])
    look(w, s)


@compiled
def invite(w: World, s: int) -> None:
    """Let those look who wait to hand a piece directly to a station."""
    for one in range(w.stations[s].takes, w.stations[s].end_takes):
        buffer = w.lists[one]
        if w.buffers[buffer].direct and w.buffers[buffer].held == 0 and awaited(w, buffer):
            for giver in range(w.buffers[buffer].givers, w.buffers[buffer].end_givers):
                if stuck(w, w.lists[giver], buffer):
                    look(w, w.lists[giver])


@compiled
def stuck(w: World, s: int, buffer: int) -> bool:
    """Tell whether a machine of a station waits with a finished piece for a buffer."""
    for k in range(w.stations[s].first_machine, w.stations[s].end_machine):
        if w.machines[k].target == buffer and w.machines[k].state in (BLOCKED, OFF, WARM_UP):
            return True
    return False


@compiled
def attend(w: World, q: Queue, at: float) -> None:
    """Look at every station that something changed for, until nothing changes any more."""
    while w.clock[0].top > 0:
        w.clock[0].top -= 1
        s = w.lists[w.clock[0].end_mix + w.clock[0].top]
        w.stations[s].flag = False
        for k in range(w.stations[s].first_machine, w.stations[s].end_machine):
            state = w.machines[k].state
            if state == BLOCKED or (state in (OFF, WARM_UP) and w.machines[k].target != NOBODY):
                hand_on(w, q, k, at)
            if w.machines[k].state == IDLE:
                if may_start(w, s):
                    begin(w, q, k, at)
                elif w.stations[s].open:
                    invite(w, s)


@compiled
def call(w: World, q: Queue, s: int, window: int, at: float) -> None:
    """Enter the beginning of a shift, and the warming up before it where there is time."""
    if window < w.stations[s].end_window:
        start = w.numbers[window]
        if w.stations[s].warm_up_s > 0.0:
            push(q, max(at, start - w.stations[s].warm_up_s), WARMS, s, window)
        push(q, start, OPENS, s, window)


@compiled
def shift(w: World, q: Queue, event: tuple[int, int, int], at: float) -> None:
    """Open or close the shift of a station, or warm its machines up; a piece in work is finished first."""
    kind, s, window = event
    if kind == OPENS:
        w.stations[s].open = True
        w.stations[s].closes_s = w.numbers[window + 1]
        push(q, w.numbers[window + 1], CLOSES, s, window)
        look(w, s)
    elif kind == CLOSES:
        w.stations[s].open = False
        call(w, q, s, window + 2, at)
    for k in range(w.stations[s].first_machine, w.stations[s].end_machine):
        state = w.machines[k].state
        if kind == WARMS and state == OFF:
            enter(w, k, WARM_UP, at)
        if kind == OPENS and state != FAILED:
            tick(w, q, k, at)
        elif kind == CLOSES:
            stop_clock(w, k, at)
        if kind == OPENS and state in (OFF, WARM_UP):
            if w.machines[k].target != NOBODY:
                enter(w, k, BLOCKED, at)
            elif w.machines[k].piece == NOBODY:
                enter(w, k, IDLE, at)
        elif kind == CLOSES and state in (IDLE, BLOCKED):
            enter(w, k, OFF, at)


@compiled
def happen(w: World, q: Queue, event: tuple[int, int, int], at: float) -> None:
    """Let one event (kind, who, stamp) happen."""
    kind, who = event[0], event[1]
    if kind == DONE:
        done(w, q, who, at)
    elif kind == FAILS:
        strike(w, q, who, at)
    elif kind == REPAIRED:
        repaired(w, q, who, at)
    elif kind == READY:
        arrive(w, who)
    elif kind == CARRIED:
        arrive(w, who)
        push(q, at + w.buffers[who].travel_s, BACK, w.buffers[who].vehicles, 0)
    elif kind == BACK:
        w.pools[who] += 1
        carry(w, q, who, at)
    elif kind == AWAKE:
        ready_to_work(w, q, who, at)
    elif kind == SET:
        w.machines[who].last = w.machines[who].piece
        ready_to_work(w, q, who, at)
    else:
        shift(w, q, event, at)


@compiled
def full(w: World) -> bool:
    """Tell whether the trace must be emptied before anything more happens."""
    return len(w.trace) > 0 and w.clock[0].traced > len(w.trace) - SPARE


@compiled
def run(w: World, q: Queue, until: float) -> float:
    """Let events happen up to a moment; return it, or the moment of the last event where none is left or the trace is full."""
    at = 0.0
    while q.size[0] > 0 and q.when[0, 0] <= until and not full(w):
        at, kind, who, stamp = pop(q)
        w.clock[0].events += 1
        happen(w, q, (kind, who, stamp), at)
        attend(w, q, at)
    return at if q.size[0] == 0 else until


@compiled
def settle(w: World, at: float) -> None:
    """Add up the seconds of the states that last until now."""
    for k in range(len(w.machines)):
        enter(w, k, w.machines[k].state, at)
