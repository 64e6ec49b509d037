"""The inner loop of the exact energy search, compiled (numba): move, mend, draw power, price, accept or take back.

A selection is the mode and start of each operation and the order on each machine. A move shifts an operation in time or puts it
elsewhere; what no longer fits is pushed later (or pulled earlier) until links, set-ups, windows and spans hold. The load of every
machine (work, set-up, ramps, the cheapest rest in each gap) is written down by interval and priced at the meter, so on-site
power, demand charge and rest states are exact. Simulated annealing: Kirkpatrick, Gelatt and Vecchi 1983, doi
10.1126/science.220.4598.671.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NONE = -1
WORST = 1e300


class Plant(NamedTuple):
    """The problem as arrays; ``*_at`` holds where the list of each operation, mode or machine begins."""

    mode_at: Ints
    mode_machine: Ints
    mode_ticks: Ints
    step_at: Ints
    step_ticks: Ints
    step_kw: Floats
    before_at: Ints
    before: Ints
    before_least: Ints
    before_most: Ints
    after_at: Ints
    after: Ints
    after_least: Ints
    after_most: Ints
    earliest: Ints
    latest: Ints
    family: Ints
    setup: Any
    setup_kw: Floats
    window_at: Ints
    window_first: Ints
    window_last: Ints
    rest_at: Ints
    rest_figures: Floats  # power, enter ticks, enter power, leave ticks, leave power
    ramp: Floats  # machine × (ticks, power)


class Meter(NamedTuple):
    """Prices by interval and by tick; ``figures``: interval ticks, tick hours, export price, demand price, paid kW."""

    price: Floats
    grams: Floats
    net_kw: Floats  # other − on-site
    running: Floats  # running sum of the tick price by which rests are chosen
    figures: Floats
    without: Floats  # cost and grams without own load


class Aim(NamedTuple):
    """Weights and limits of makespan, tardiness, cost, carbon, changes; due dates by job; the plan before."""

    weights: Floats
    limits: Floats
    job_of: Ints
    due: Ints
    late_weight: Floats
    before_mode: Ints
    before_start: Ints


class Choice(NamedTuple):
    """A selection."""

    mode: Ints
    start: Ints
    left: Ints
    right: Ints
    first: Ints


@njit(cache=True, nogil=True)
def draw(state: Ints, below: int) -> int:
    """Return a pseudo-random number below a bound (Lehmer: Park and Miller 1988)."""
    state[0] = state[0] * 48271 % 2147483647
    return state[0] % max(1, below)


@njit(cache=True, nogil=True)
def copy(source: Choice, target: Choice) -> None:
    """Copy a selection."""
    target.mode[:] = source.mode
    target.start[:] = source.start
    target.left[:] = source.left
    target.right[:] = source.right
    target.first[:] = source.first


@njit(cache=True, nogil=True)
def lead(p: Plant, c: Choice, v: int) -> int:
    """Return the ticks of set-up (and, first on its machine, of the ramp) before v."""
    k = p.mode_machine[c.mode[v]]
    a = c.left[v]
    if a == NONE:
        return p.setup[k, p.setup.shape[1] - 1, p.family[v]] + int(p.ramp[k, 0])
    return p.setup[k, p.family[a], p.family[v]]


@njit(cache=True, nogil=True)
def own_setup(p: Plant, c: Choice, v: int) -> int:
    """Return the ticks of set-up alone before v."""
    k = p.mode_machine[c.mode[v]]
    a = c.left[v]
    return p.setup[k, p.setup.shape[1] - 1 if a == NONE else p.family[a], p.family[v]]


@njit(cache=True, nogil=True)
def later(p: Plant, c: Choice, v: int, low: int) -> int:
    """Return the first start from ``low`` on inside a window, −1 where there is none."""
    k, ticks, setup = p.mode_machine[c.mode[v]], p.mode_ticks[c.mode[v]], own_setup(p, c, v)
    if p.window_at[k] == p.window_at[k + 1]:
        return low
    for w in range(p.window_at[k], p.window_at[k + 1]):
        start = max(low, p.window_first[w] + setup)
        if start + ticks <= p.window_last[w]:
            return start
    return NONE


@njit(cache=True, nogil=True)
def sooner(p: Plant, c: Choice, v: int, high: int) -> int:
    """Return the last start up to ``high`` inside a window, −1 where there is none."""
    k, ticks, setup = p.mode_machine[c.mode[v]], p.mode_ticks[c.mode[v]], own_setup(p, c, v)
    if p.window_at[k] == p.window_at[k + 1]:
        return high
    for w in range(p.window_at[k + 1] - 1, p.window_at[k] - 1, -1):
        start = min(high, p.window_last[w] - ticks)
        if start - setup >= p.window_first[w]:
            return start
    return NONE


@njit(cache=True, nogil=True)
def least_start(p: Plant, c: Choice, v: int) -> int:
    """Return the earliest start that links and the machine leave to v."""
    low = max(p.earliest[v], lead(p, c, v))
    a = c.left[v]
    if a != NONE:
        low = max(low, c.start[a] + p.mode_ticks[c.mode[a]] + own_setup(p, c, v))
    for e in range(p.before_at[v], p.before_at[v + 1]):
        u = p.before[e]
        low = max(low, c.start[u] + p.mode_ticks[c.mode[u]] + p.before_least[e])
    return low


@njit(cache=True, nogil=True)
def most_start(p: Plant, c: Choice, v: int) -> int:
    """Return the latest start that links and the machine leave to v."""
    ticks = p.mode_ticks[c.mode[v]]
    high = p.latest[v] - ticks
    b = c.right[v]
    if b != NONE:
        high = min(high, c.start[b] - own_setup(p, c, b) - ticks)
    for e in range(p.after_at[v], p.after_at[v + 1]):
        high = min(high, c.start[p.after[e]] - p.after_least[e] - ticks)
    return high


@njit(cache=True, nogil=True)
def push(p: Plant, c: Choice, queue: Ints, fill: int) -> bool:
    """Move what stands too early later until all holds; ``queue`` holds whom to look at first. False: it cannot be."""
    n, at, most = len(c.mode), 0, len(queue)
    while at < fill:
        v = queue[at]
        at += 1
        low = later(p, c, v, max(c.start[v], least_start(p, c, v)))
        ticks = p.mode_ticks[c.mode[v]]
        if low == NONE or low + ticks > p.latest[v]:
            return False
        c.start[v] = low
        for e in range(p.after_at[v], p.after_at[v + 1]):
            u = p.after[e]
            if c.start[u] < low + ticks + p.after_least[e]:
                if fill >= most:
                    return False
                queue[fill] = u
                fill += 1
        for e in range(p.before_at[v], p.before_at[v + 1]):
            u = p.before[e]
            own = p.mode_ticks[c.mode[u]]
            if p.before_most[e] >= 0 and low > c.start[u] + own + p.before_most[e]:
                if fill >= most:
                    return False
                c.start[u] = low - p.before_most[e] - own
                queue[fill] = u
                fill += 1
        b = c.right[v]
        if b != NONE and c.start[b] < low + ticks + own_setup(p, c, b):
            if fill >= most:
                return False
            queue[fill] = b
            fill += 1
    return n > 0


@njit(cache=True, nogil=True)
def pull(p: Plant, c: Choice, queue: Ints, fill: int) -> bool:
    """Move what stands too late earlier until all holds. False: it cannot be."""
    at, most = 0, len(queue)
    while at < fill:
        v = queue[at]
        at += 1
        high = sooner(p, c, v, min(c.start[v], most_start(p, c, v)))
        if high == NONE or high < p.earliest[v] or high < lead(p, c, v):
            return False
        c.start[v] = high
        ticks = p.mode_ticks[c.mode[v]]
        for e in range(p.before_at[v], p.before_at[v + 1]):
            u = p.before[e]
            if c.start[u] + p.mode_ticks[c.mode[u]] + p.before_least[e] > high:
                if fill >= most:
                    return False
                queue[fill] = u
                fill += 1
        for e in range(p.after_at[v], p.after_at[v + 1]):
            u = p.after[e]
            if p.after_most[e] >= 0 and c.start[u] > high + ticks + p.after_most[e]:
                if fill >= most:
                    return False
                c.start[u] = high + ticks + p.after_most[e]
                queue[fill] = u
                fill += 1
        a = c.left[v]
        if a != NONE and c.start[a] + p.mode_ticks[c.mode[a]] + own_setup(p, c, v) > high:
            if fill >= most:
                return False
            queue[fill] = a
            fill += 1
    return True


@njit(cache=True, nogil=True)
def holds(p: Plant, c: Choice) -> bool:
    """Whether every rule holds."""
    for v in range(len(c.mode)):
        start = c.start[v]
        if start < least_start(p, c, v) or start > most_start(p, c, v) or later(p, c, v, start) != start:
            return False
        for e in range(p.before_at[v], p.before_at[v + 1]):
            u = p.before[e]
            if p.before_most[e] >= 0 and start > c.start[u] + p.mode_ticks[c.mode[u]] + p.before_most[e]:
                return False
    return True


@njit(cache=True, nogil=True)
def put(load: Floats, interval: int, first: int, last: int, kw: float) -> None:
    """Add a power over ticks [first, last) to the mean power of the intervals."""
    while first < last:
        s = first // interval
        until = min(last, (s + 1) * interval)
        if s < len(load):
            load[s] += kw * (until - first) / interval
        first = until


@njit(cache=True, nogil=True)
def rest_cost(m: Meter, p: Plant, r: int, first: int, last: int) -> float:
    """Return what a gap in a rest state weighs by the running tick price; more than any cost where it does not fit."""
    enter, leave = int(p.rest_figures[r, 1]), int(p.rest_figures[r, 3])
    if enter + leave > last - first:
        return WORST
    top = len(m.running) - 1
    a, b = min(first + enter, top), min(last - leave, top)
    ramps = p.rest_figures[r, 2] * (m.running[a] - m.running[min(first, top)])
    ramps += p.rest_figures[r, 4] * (m.running[min(last, top)] - m.running[b])
    return ramps + p.rest_figures[r, 0] * (m.running[b] - m.running[a])


@njit(cache=True, nogil=True)
def draw_power(p: Plant, c: Choice, m: Meter, load: Floats) -> None:
    """Write the mean power of all machines by interval."""
    load[:] = 0.0
    interval = int(m.figures[0])
    for k in range(len(c.first)):
        v, end = c.first[k], NONE
        while v != NONE:
            begin = c.start[v] - own_setup(p, c, v)
            if end == NONE:
                put(load, interval, begin - int(p.ramp[k, 0]), begin, p.ramp[k, 1])
            elif begin > end and p.rest_at[k] < p.rest_at[k + 1]:
                best, cost = p.rest_at[k], WORST
                for r in range(p.rest_at[k], p.rest_at[k + 1]):
                    own = rest_cost(m, p, r, end, begin)
                    if own < cost:
                        best, cost = r, own
                enter, leave = int(p.rest_figures[best, 1]), int(p.rest_figures[best, 3])
                put(load, interval, end, end + enter, p.rest_figures[best, 2])
                put(load, interval, end + enter, begin - leave, p.rest_figures[best, 0])
                put(load, interval, begin - leave, begin, p.rest_figures[best, 4])
            put(load, interval, begin, c.start[v], p.setup_kw[k])
            at = c.start[v]
            for e in range(p.step_at[c.mode[v]], p.step_at[c.mode[v] + 1]):
                put(load, interval, at, at + p.step_ticks[e], p.step_kw[e])
                at += p.step_ticks[e]
            end = at
            v = c.right[v]


@njit(cache=True, nogil=True)
def times(p: Plant, c: Choice, a: Aim, late: Floats) -> tuple[int, int]:
    """Write the lateness of each job; return the makespan and how many operations lie elsewhere than before."""
    makespan, moved = 0, 0
    late[:] = 0.0
    for v in range(len(c.mode)):
        end = c.start[v] + p.mode_ticks[c.mode[v]]
        makespan = max(makespan, end)
        j = a.job_of[v]
        if a.due[j] >= 0 and end > a.due[j]:
            late[j] = max(late[j], float(end - a.due[j]))
        if a.before_mode[v] >= 0 and (a.before_mode[v] != c.mode[v] or a.before_start[v] != c.start[v]):
            moved += 1
    return makespan, moved


@njit(cache=True, nogil=True)
def value(p: Plant, c: Choice, m: Meter, a: Aim, load: Floats, late: Floats) -> float:
    """Return the goal of a selection: weighted measures, and what exceeds a limit at a price that no gain repays."""
    makespan, moved = times(p, c, a, late)
    draw_power(p, c, m, load)
    hours = m.figures[0] * m.figures[1]
    cost = grams = peak = 0.0
    for s in range(len(load)):
        net = load[s] + m.net_kw[s]
        if net > 0.0:
            cost += net * m.price[s] * hours
            grams += net * m.grams[s] * hours
            peak = max(peak, net)
        else:
            cost += net * m.figures[2] * hours
    cost += m.figures[3] * max(0.0, peak - m.figures[4])
    total = 0.0
    tardiness = 0.0
    for j in range(len(late)):
        tardiness += late[j] * a.late_weight[j]
    for place in range(5):
        own = float(makespan)
        if place == 1:
            own = tardiness
        elif place == 2:
            own = cost - m.without[0]
        elif place == 3:
            own = grams - m.without[1]
        elif place == 4:
            own = float(moved)
        total += a.weights[place] * own
        if own > a.limits[place]:
            total += 1e6 * (own - a.limits[place]) / max(1.0, abs(a.limits[place])) * (1.0 + abs(total))
    return total


@njit(cache=True, nogil=True)
def take_out(p: Plant, c: Choice, v: int) -> None:
    """Take an operation from its machine."""
    a, b = c.left[v], c.right[v]
    if a == NONE:
        c.first[p.mode_machine[c.mode[v]]] = b
    else:
        c.right[a] = b
    if b != NONE:
        c.left[b] = a


@njit(cache=True, nogil=True)
def put_in(p: Plant, c: Choice, v: int, way: int, a: int) -> None:
    """Put an operation in a mode after ``a`` (none: first)."""
    k = p.mode_machine[way]
    b = c.first[k] if a == NONE else c.right[a]
    c.mode[v], c.left[v], c.right[v] = way, a, b
    if a == NONE:
        c.first[k] = v
    else:
        c.right[a] = v
    if b != NONE:
        c.left[b] = v


@njit(cache=True, nogil=True)
def put_about(p: Plant, c: Choice, v: int, aim: tuple[int, int], queue: Ints) -> bool:
    """Put v in a mode (``aim``: mode, start) where its start comes in order on the machine; what does not fit is pushed later."""
    way, target = aim
    b = c.right[v]
    take_out(p, c, v)
    a, u = NONE, c.first[p.mode_machine[way]]
    while u != NONE and c.start[u] < target:
        a = u
        u = c.right[u]
    put_in(p, c, v, way, a)
    c.start[v] = target
    queue[0], fill = v, 1
    for u in (b, c.right[v]):
        if u != NONE:
            queue[fill] = u
            fill += 1
    return push(p, c, queue, fill)


@njit(cache=True, nogil=True)
def elsewhere(p: Plant, c: Choice, v: int, state: Ints, queue: Ints) -> bool:
    """Put v in a mode drawn at random, where it comes to stand about a start drawn at random."""
    if p.latest[v] - p.earliest[v] == p.mode_ticks[c.mode[v]]:
        return False  # frozen, or without any room
    n_ways = p.mode_at[v + 1] - p.mode_at[v]
    way = p.mode_at[v] + draw(state, n_ways)
    room = p.latest[v] - p.mode_ticks[way] - p.earliest[v]
    if room < 0:
        return False
    target = p.earliest[v] + draw(state, room + 1)
    if draw(state, 3):
        target = max(
            p.earliest[v], min(p.earliest[v] + room, c.start[v] + draw(state, 2 * (room // 6) + 1) - room // 6)
        )
    return put_about(p, c, v, (way, target), queue)


@njit(cache=True, nogil=True)
def as_before(p: Plant, c: Choice, a: Aim, v: int, queue: Ints) -> bool:
    """Put v where it was in the plan before; what does not fit is pushed later."""
    if a.before_mode[v] < 0 or p.latest[v] - p.earliest[v] == p.mode_ticks[c.mode[v]]:
        return False
    return put_about(p, c, v, (a.before_mode[v], a.before_start[v]), queue)


@njit(cache=True, nogil=True)
def shifted(p: Plant, c: Choice, v: int, state: Ints, queue: Ints) -> bool:
    """Move v in time: within its slack, or so far that others are pushed later or pulled earlier."""
    low, high = least_start(p, c, v), most_start(p, c, v)
    kind = draw(state, 3)
    if kind == 0 and high > low:
        c.start[v] = low + draw(state, high - low + 1)
        return later(p, c, v, c.start[v]) == c.start[v]
    room = p.latest[v] - p.mode_ticks[c.mode[v]] - p.earliest[v]
    if room <= 0:
        return False
    step = 1 + draw(state, max(1, room // (1 + draw(state, 16))))
    queue[0] = v
    if kind == 1:
        c.start[v] = min(p.latest[v] - p.mode_ticks[c.mode[v]], c.start[v] + step)
        return push(p, c, queue, 1)
    c.start[v] = max(p.earliest[v], c.start[v] - step)
    return pull(p, c, queue, 1)


@njit(cache=True, nogil=True)
def anneal(
    given: tuple[Plant, Meter, Aim], now: Choice, best: Choice, values: Floats, state: Ints, heat: Floats
) -> None:
    """Try so many moves at a falling temperature. ``values``: now and best; ``heat``: first, last temperature, moves."""
    p, m, a = given
    n = len(now.mode)
    trial = Choice(now.mode.copy(), now.start.copy(), now.left.copy(), now.right.copy(), now.first.copy())
    queue = np.zeros(8 * n + 8, dtype=np.int64)
    load, late = np.zeros(len(m.price)), np.zeros(len(a.due))
    moves = int(heat[2])
    cooling = (heat[1] / heat[0]) ** (1.0 / max(1, moves))
    warm = heat[0]
    for _ in range(moves):
        warm *= cooling
        v = draw(state, n)
        kind = draw(state, 4)
        if kind == 0 and a.weights[4] > 0.0 and a.before_mode[v] >= 0:
            fits = as_before(p, trial, a, v, queue)
        else:
            fits = elsewhere(p, trial, v, state, queue) if kind < 2 else shifted(p, trial, v, state, queue)
        if not fits or not holds(p, trial):
            copy(now, trial)
            continue
        own = value(p, trial, m, a, load, late)
        chance = float(draw(state, 1 << 30)) / (1 << 30)
        if own <= values[0] or chance < math.exp(-(own - values[0]) / warm):
            values[0] = own
            copy(trial, now)
            if own < values[1] - 1e-9:
                values[1] = own
                copy(now, best)
        else:
            copy(now, trial)
