"""The compiled inside of the flow-shop search: windows, the timing of one line by dynamic programming, and what it draws.

With the order of the lots and the times of all other lines held, the best times of one line are exact: over positions i and
end times e,

    best_i(s + d_i) = work_i(s) + min over rests r and e ≤ s − set-up − leave_r of  best_{i−1}(e) + rest_r(e, s)

where every term is what the line adds to max(0, load − on-site) × weight. The running minimum of best(e) − Rest_r(e), Rest_r
being the cumulated cost of resting, makes a position cost as many steps as there are slots. Lines are timed in turn until the
objective rests. Restart instead of idling: Mouzon, Yildirim and Twomey 2007, doi 10.1080/00207540701450013; timing of a fixed
order under time-dependent prices: Aghelinejad, Ouazene and Yalaoui 2018, doi 10.1080/00207543.2017.1414969.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INF = 1e30
SWEEPS = 200
ROUNDS = 2
SMALL = 1e-9


class Arrays(NamedTuple):
    """A problem as arrays: M stages, J lots, G lines, T slots, K rests of the line that has most, F families of a stage.

    ``rest`` holds (power, slots to leave, power to leave) by line and rest; ``rests`` how many rests a line has, ``first`` the
    rest it starts from (−1: ready). ``gaps`` holds, after each stage, (buffer or −1, lag, longest wait or −1).
    ``jobs`` holds (release, deadline, due or T) by lot, ``entry`` the stage at which a lot comes in (those before are done); ``rules`` (most, among) by option, ``options`` flags by lot.
    ``weigh`` holds weights of: tardiness by lot (J), then makespan, spread, rule breaks.
    """

    duration: Ints
    offset: Ints
    power: Floats
    unit: Ints
    stage_of: Ints
    first_line: Ints
    eligible: NDArray[np.bool_]
    family: Ints
    setup: Ints
    setup_kw: Floats
    setup_cost: Floats
    rest: Floats
    rests: Ints
    first: Ints
    open: Ints
    gaps: Ints
    jobs: Ints
    entry: Ints
    weight: Floats
    spare: Floats
    variant: Ints
    share: Floats
    size: Floats
    rules: Ints
    options: NDArray[np.bool_]
    weigh: Floats


class Walk(NamedTuple):
    """A state of the search: the order of the lots, and by stage and lot the line, the start and the rest before it (−1 none)."""

    order: Ints
    line: Ints
    start: Ints
    rest: Ints


@njit(cache=True)
def draw(state: Ints, most: int) -> int:
    """Return a number in [0, most) and step the state (xorshift; Marsaglia 2003, doi 10.18637/jss.v008.i14)."""
    x = state[0]
    x ^= x << 13
    x ^= (x >> 7) & 0x01FFFFFFFFFFFFFF
    x ^= x << 17
    state[0] = x
    return int(((x >> 11) & 0x000FFFFFFFFFFFFF) % most)


@njit(cache=True)
def is_open(a: Arrays, line: int, start: int, slots: int) -> bool:
    """Return whether a line may work in all these slots."""
    return bool(a.open[line, start + slots] - a.open[line, start] == slots)


@njit(cache=True)
def neighbours(a: Arrays, order: Ints, line: Ints) -> Ints:
    """Return by stage and lot: 0 the lot before and 1 the lot after on its line, 2 before and 3 after at the stage (−1: none),
    4 the lot that must have left the store behind the stage when this one comes, 5 the lot that this one must have left for."""
    stages, lots = a.duration.shape
    found = np.full((6, stages, lots), -1, dtype=np.int64)
    visits = np.empty(lots, dtype=np.int64)
    for m in range(stages):
        last = np.full(len(a.stage_of), -1, dtype=np.int64)
        count = 0
        for k in range(lots):
            j = order[k]
            if a.entry[j] > m:
                continue
            before = last[line[m, j]]
            if before >= 0:
                found[0, m, j] = before
                found[1, m, before] = j
            last[line[m, j]] = j
            if count > 0:
                found[2, m, j] = visits[count - 1]
                found[3, m, visits[count - 1]] = j
            store = a.gaps[m, 0]
            if m < stages - 1 and store >= 0 and count >= store:
                other = j if store == 0 else visits[count - store]
                found[4, m, j] = other
                found[5, m, other] = j
            visits[count] = j
            count += 1
    return found


@njit(cache=True)
def opening(a: Arrays, line: int) -> int:
    """Return the slots a line needs before its first work."""
    rest = a.first[line]
    return 0 if rest < 0 else int(a.rest[line, rest, 1])


@njit(cache=True)
def earliest(a: Arrays, near: Ints, start: Ints, m: int, j: int) -> int:
    """Return the least start of a visit that release, the stages beside and, at a stage of several lines, the order allow."""
    stages = a.duration.shape[0]
    d = a.duration[m, j]
    low = a.jobs[j, 0]
    if m > a.entry[j]:
        low = start[m - 1, j] + a.duration[m - 1, j] + a.gaps[m - 1, 1]
    last = near[2, m, j]
    if last >= 0 and a.first_line[m + 1] - a.first_line[m] > 1:
        low = max(low, start[m, last] + a.duration[m, last] - d)
    if m < stages - 1:
        lag, wait = a.gaps[m, 1], a.gaps[m, 2]
        other = near[4, m, j]
        if other >= 0:
            low = max(low, start[m + 1, other] - lag - d)
        if wait >= 0:
            low = max(low, start[m + 1, j] - wait - lag - d)
    return int(low)


@njit(cache=True)
def latest(a: Arrays, near: Ints, start: Ints, m: int, j: int) -> int:
    """Return the greatest start of a visit that deadline, the stages beside and, at a stage of several lines, the order allow."""
    stages = a.duration.shape[0]
    d = a.duration[m, j]
    high = min(len(a.weight), a.jobs[j, 1]) - d if m == stages - 1 else start[m + 1, j] - a.gaps[m, 1] - d
    later = near[3, m, j]
    if later >= 0 and a.first_line[m + 1] - a.first_line[m] > 1:
        high = min(high, start[m, later] + a.duration[m, later] - d)
    if m > a.entry[j]:
        lag, wait = a.gaps[m - 1, 1], a.gaps[m - 1, 2]
        other = near[5, m - 1, j]
        if other >= 0:
            high = min(high, start[m - 1, other] + a.duration[m - 1, other] + lag)
        if wait >= 0:
            high = min(high, start[m - 1, j] + a.duration[m - 1, j] + lag + wait)
    return int(high)


@njit(cache=True)
def raise_starts(a: Arrays, order: Ints, near: Ints, line: Ints, start: Ints) -> bool:
    """Raise starts to the least ones that keep every rule; False where they run over the end or a deadline."""
    stages, lots = a.duration.shape
    end = len(a.weight)
    for _ in range(SWEEPS):
        changed = False
        for k in range(lots):
            j = order[k]
            for m in range(a.entry[j], stages):
                d = a.duration[m, j]
                least = max(start[m, j], earliest(a, near, start, m, j))
                own, before = line[m, j], near[0, m, j]
                if before >= 0:
                    free = start[m, before] + a.duration[m, before]
                    least = max(least, free + a.setup[m, a.family[m, before], a.family[m, j]])
                else:
                    least = max(least, opening(a, own))
                limit = end - d if m < stages - 1 else min(end, a.jobs[j, 1]) - d
                while least <= limit and not is_open(a, own, least, d):
                    least += 1
                if least > limit:
                    return False
                if least > start[m, j]:
                    start[m, j] = least
                    changed = True
        if not changed:
            return True
    return False


@njit(cache=True)
def lower_starts(a: Arrays, order: Ints, near: Ints, line: Ints, start: Ints) -> bool:
    """Lower starts to the greatest ones that keep every rule; False where none are left."""
    stages, lots = a.duration.shape
    end = len(a.weight)
    for _ in range(SWEEPS):
        changed = False
        for k in range(lots - 1, -1, -1):
            j = order[k]
            for m in range(stages - 1, a.entry[j] - 1, -1):
                d = a.duration[m, j]
                most = min(start[m, j], end - d, latest(a, near, start, m, j))
                own, after = line[m, j], near[1, m, j]
                if after >= 0:
                    most = min(most, start[m, after] - d - a.setup[m, a.family[m, j], a.family[m, after]])
                while most >= 0 and not is_open(a, own, most, d):
                    most -= 1
                if most < 0:
                    return False
                if most < start[m, j]:
                    start[m, j] = most
                    changed = True
        if not changed:
            return True
    return False


@njit(cache=True)
def line_load(a: Arrays, walk: Walk, own: int, load: Floats) -> None:
    """Write what one line draws in each slot: work, set-ups, and the rest chosen before each lot."""
    order, line, start, rest = walk
    load[:] = 0.0
    m = a.stage_of[own]
    before = -1
    for k in range(len(order)):
        j = order[k]
        if line[m, j] != own or a.entry[j] > m:
            continue
        s = start[m, j]
        until = s
        if before >= 0:
            slots = a.setup[m, a.family[m, before], a.family[m, j]]
            load[s - slots : s] += a.setup_kw[m]
            until = s - slots
        r = rest[m, j]
        if r >= 0:
            leave = int(a.rest[own, r, 1])
            load[until - leave : until] += a.rest[own, r, 2]
            if before >= 0:
                load[start[m, before] + a.duration[m, before] : until - leave] += a.rest[own, r, 0]
        for i in range(a.duration[m, j]):
            load[s + i] += a.power[a.offset[m, j] + i]
        before = j


@njit(cache=True)
def added(power: float, free: float) -> float:
    """Return what a power adds to the draw on the grid where ``free`` on-site power is left (below 0: none, and others draw)."""
    if free <= 0.0:
        return power
    return max(0.0, power - free)


@njit(cache=True)
def held(a: Arrays, power: float, first: int, last: int, free: Floats) -> float:
    """Return what a power held over slots [first, last) adds to the objective."""
    total = 0.0
    for t in range(first, last):
        total += added(power, free[t]) * a.weight[t]
    return total


@njit(cache=True)
def work(a: Arrays, m: int, j: int, s: int, last: bool, free: Floats) -> float:
    """Return what the work of a lot that starts in a slot adds to the objective; ``last``: it is the last of the order."""
    stages, lots = a.duration.shape
    d = a.duration[m, j]
    total = 0.0
    for t in range(d):
        total += added(a.power[a.offset[m, j] + t], free[s + t]) * a.weight[s + t]
    if m == stages - 1:
        total += a.weigh[j] * max(0, s + d - a.jobs[j, 2])
        if last:
            total += a.weigh[lots] * (s + d)
    return total


class Ends(NamedTuple):
    """What is best up to each end of the lot before, over ends [first, last], and by rest: least best − resting, where, how far seen."""

    best: Floats
    first: int
    last: int
    floor: Floats
    at: Ints
    seen: Ints


@njit(cache=True)
def after_rest(a: Arrays, own: int, until: int, ends: Ends, resting: Floats, free: Floats) -> tuple[float, int, int]:
    """Return the least cost up to a slot after some rest, the end it comes from and the rest."""
    least, at, how = INF, -1, -1
    for r in range(a.rests[own]):
        rested = until - int(a.rest[own, r, 1])
        while ends.seen[r] <= min(rested, ends.last):
            e = ends.seen[r]
            value = ends.best[e] - resting[r, e]
            if ends.best[e] < INF and value < ends.floor[r]:
                ends.floor[r], ends.at[r] = value, e
            ends.seen[r] += 1
        if ends.at[r] >= 0 and rested >= 0:
            value = ends.floor[r] + resting[r, rested] + held(a, a.rest[own, r, 2], rested, until, free)
            if value < least:
                least, at, how = value, ends.at[r], r
    return least, at, how


@njit(cache=True)
def from_start(a: Arrays, own: int, until: int, free: Floats) -> tuple[float, int, int]:
    """Return the same for the first lot of a line: what warming it up costs."""
    r = a.first[own]
    if r < 0:
        return 0.0, -1, -1
    leave = int(a.rest[own, r, 1])
    if until - leave < 0:
        return INF, -1, -1
    return held(a, a.rest[own, r, 2], until - leave, until, free), -1, r


@njit(cache=True)
def chain_of(a: Arrays, walk: Walk, own: int) -> Ints:
    """Return the positions of the lots of a line."""
    m, size = a.stage_of[own], 0
    chain = np.empty(len(walk.order), dtype=np.int64)
    for k in range(len(walk.order)):
        if walk.line[m, walk.order[k]] == own and a.entry[walk.order[k]] <= m:
            chain[size] = k
            size += 1
    return chain[:size]


@njit(cache=True)
def time_line(a: Arrays, walk: Walk, near: Ints, own: int, free: Floats) -> bool:
    """Give one line its best times while the others stay; ``free`` is what on-site power the others leave (below 0: they lack).

    False where no times keep the rules (starts are then as before).
    """
    order, _, start, rest = walk
    end, m, kinds = len(a.weight), a.stage_of[own], a.rests[own]
    chain = chain_of(a, walk, own)
    size = len(chain)
    resting = np.zeros((kinds, end + 1))
    for r in range(kinds):
        for t in range(end):
            resting[r, t + 1] = resting[r, t] + added(a.rest[own, r, 0], free[t]) * a.weight[t]
    windows = chain_windows(a, walk, near, m, chain)
    best, fresh = np.empty(end + 1), np.empty(end + 1)
    came, chose = np.empty((size, end + 1), dtype=np.int64), np.empty((size, end + 1), dtype=np.int64)
    first_end, last_end = 0, -1
    for i in range(size):
        j = order[chain[i]]
        d, low, high = a.duration[m, j], windows[0, i], windows[1, i]
        if high < low:
            return False
        slots = a.setup[m, a.family[m, order[chain[i - 1]]], a.family[m, j]] if i > 0 else 0
        ends = Ends(best, first_end, last_end, np.full(kinds, INF), np.full(kinds, -1), np.full(kinds, first_end))
        for s in range(low, high + 1):
            fresh[s + d] = INF
            if not is_open(a, own, s, d):
                continue
            until = s - slots
            found = after_rest(a, own, until, ends, resting, free) if i > 0 else from_start(a, own, until, free)
            if found[0] < INF:
                changed = held(a, a.setup_kw[m], until, s, free)
                fresh[s + d] = found[0] + changed + work(a, m, j, s, chain[i] == len(order) - 1, free)
                came[i, s + d], chose[i, s + d] = found[1], found[2]
        best, fresh = fresh, best
        first_end, last_end = low + d, high + d
    last = cheapest(best, first_end, last_end)
    if size == 0 or last < 0:
        return size == 0
    for i in range(size - 1, -1, -1):
        j = order[chain[i]]
        start[m, j], rest[m, j] = last - a.duration[m, j], chose[i, last]
        last = came[i, last]
    return True


@njit(cache=True)
def cheapest(best: Floats, first: int, last: int) -> int:
    """Return the end of least cost, the earliest of equals; −1 where there is none."""
    found = -1
    for e in range(first, last + 1):
        if best[e] < INF and (found < 0 or best[e] < best[found]):
            found = e
    return found


@njit(cache=True)
def chain_windows(a: Arrays, walk: Walk, near: Ints, m: int, chain: Ints) -> Ints:
    """Return first and last starts of the lots of a line: as other lines allow, and as its own lots before and behind leave."""
    order, start = walk.order, walk.start
    found = np.empty((2, len(chain)), dtype=np.int64)
    for i in range(len(chain)):
        j = order[chain[i]]
        found[0, i], found[1, i] = earliest(a, near, start, m, j), latest(a, near, start, m, j)
        if i > 0:
            before = order[chain[i - 1]]
            free = found[0, i - 1] + a.duration[m, before] + a.setup[m, a.family[m, before], a.family[m, j]]
            found[0, i] = max(found[0, i], free)
    for i in range(len(chain) - 2, -1, -1):
        j, after = order[chain[i]], order[chain[i + 1]]
        latest_end = found[1, i + 1] - a.setup[m, a.family[m, j], a.family[m, after]]
        found[1, i] = min(found[1, i], latest_end - a.duration[m, j])
    return found
