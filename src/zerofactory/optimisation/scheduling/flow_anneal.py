"""The compiled search of a flow shop: simulated annealing over the order, every order timed line by line (see `flow_kernel`).

A neighbour moves a lot, swaps two, moves a block, sends a lot to another line of its stage, or shifts the times behind a
position; its times start from those of the lots before, are raised to the least feasible ones and then improved by dynamic
programming. Annealing: Kirkpatrick, Gelatt and Vecchi 1983, doi 10.1126/science.220.4598.671. Levelling of variants: Miltenburg
1989, doi 10.1287/mnsc.35.2.192.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from zerofactory.optimisation.scheduling.flow_kernel import (
    INF,
    ROUNDS,
    SMALL,
    Arrays,
    Floats,
    Ints,
    Walk,
    draw,
    line_load,
    lower_starts,
    neighbours,
    raise_starts,
    time_line,
)

KINDS = 20
NEAR, FAR, AFRESH = 5, 12, 8
NEARBY = 8  # a lot whose old time lies further before the lot ahead of it takes that one's
NUMBERS = 1 << 30


@njit(cache=True)
def spread(a: Arrays, order: Ints) -> float:
    """Return the sum over positions and variants of (made so far − share of what is made)²."""
    made = np.zeros(len(a.share))
    total, done = 0.0, 0.0
    for k in range(len(order)):
        j = order[k]
        made[a.variant[j]] += a.size[j]
        done += a.size[j]
        for v in range(len(a.share)):
            gap = made[v] - done * a.share[v]
            total += gap * gap
    return total


@njit(cache=True)
def broken_rules(a: Arrays, order: Ints) -> int:
    """Return how many windows of ``among`` lots hold more than ``most`` with an option, over all options."""
    count = 0
    for o in range(len(a.rules)):
        most, among = a.rules[o, 0], a.rules[o, 1]
        inside = 0
        for k in range(len(order)):
            if a.options[order[k], o]:
                inside += 1
            if k >= among and a.options[order[k - among], o]:
                inside -= 1
            if inside > most:
                count += 1
    return count


@njit(cache=True)
def value(a: Arrays, walk: Walk, loads: Floats) -> float:
    """Return the objective: weighted draw on the grid added by the lines, set-ups, lateness, span, spread, rules."""
    order, line, start, _ = walk
    stages, lots = a.duration.shape
    total = 0.0
    for t in range(len(a.weight)):
        load = 0.0
        for g in range(len(loads)):
            load += loads[g, t]
        total += (max(0.0, load - a.spare[t]) - max(0.0, -a.spare[t])) * a.weight[t]
    last = 0
    for j in range(lots):
        end = start[stages - 1, j] + a.duration[stages - 1, j]
        total += a.weigh[j] * max(0, end - a.jobs[j, 2])
        last = max(last, end)
    total += float(a.weigh[lots]) * last
    return float(total + order_value(a, order, line))


@njit(cache=True)
def order_value(a: Arrays, order: Ints, line: Ints) -> float:
    """Return what the order alone decides: set-ups, spread, rules."""
    stages, lots = a.duration.shape
    total = 0.0
    if a.weigh[lots + 1] > 0.0:
        total += a.weigh[lots + 1] * spread(a, order)
    if len(a.rules) > 0:
        total += a.weigh[lots + 2] * broken_rules(a, order)
    for m in range(stages):
        for g in range(a.first_line[m], a.first_line[m + 1]):
            before = -1
            for k in range(lots):
                j = order[k]
                if line[m, j] != g or a.entry[j] > m:
                    continue
                if before >= 0:
                    total += a.setup_cost[m, a.family[m, before], a.family[m, j]]
                before = j
    return total


@njit(cache=True)
def settle(a: Arrays, state: Ints, walk: Walk, reach: int, steps: int) -> None:
    """Better the order alone by swaps that leave every lot within ``reach`` places of where it was given; times are not looked at."""
    order, line = walk.order, walk.line
    lots = len(order)
    home = np.empty(lots, dtype=np.int64)
    for k in range(lots):
        home[order[k]] = k
    now = order_value(a, order, line)
    for _ in range(steps):
        i = draw(state, lots)
        k = min(lots - 1, max(0, i + draw(state, 2 * reach + 1) - reach))
        if i == k or abs(home[order[i]] - k) > reach or abs(home[order[k]] - i) > reach:
            continue
        exchange(order, line, i, k)
        found = order_value(a, order, line)
        if found <= now and may_run(a, line, order[i]) and may_run(a, line, order[k]):
            now = found
        else:
            exchange(order, line, i, k)


@njit(cache=True)
def exchange(order: Ints, line: Ints, i: int, k: int) -> None:
    """Let two lots change places and lines."""
    for m in range(len(line)):
        line[m, order[i]], line[m, order[k]] = line[m, order[k]], line[m, order[i]]
    order[i], order[k] = order[k], order[i]


@njit(cache=True)
def may_run(a: Arrays, line: Ints, j: int) -> bool:
    """Return whether a lot's lines can do it."""
    missing = 0
    for m in range(len(line)):
        if not a.eligible[j, line[m, j]]:
            missing += 1
    return missing == 0


@njit(cache=True)
def improve(a: Arrays, walk: Walk, near: Ints, loads: Floats, most: int) -> float:
    """Time the lines in turn until the objective rests; return it. ``loads`` is filled with what each line draws."""
    lines = len(loads)
    for g in range(lines):
        line_load(a, walk, g, loads[g])
    before = INF
    for _ in range(most):
        for g in range(lines):
            free = a.spare.copy()
            for other in range(lines):
                if other != g:
                    free -= loads[other]
            time_line(a, walk, near, g, free)
            line_load(a, walk, g, loads[g])
        now = value(a, walk, loads)
        if before - now <= SMALL * (1.0 + abs(now)) or lines == 1:
            return now
        before = now
    return before


@njit(cache=True)
def first_rests(a: Arrays, walk: Walk) -> None:
    """Set the rest before every lot: the one a line starts from before its first, idling elsewhere."""
    order, line, _, rest = walk
    stages, lots = a.duration.shape
    for m in range(stages):
        for g in range(a.first_line[m], a.first_line[m + 1]):
            fresh = True
            for k in range(lots):
                j = order[k]
                if line[m, j] == g and a.entry[j] <= m:
                    rest[m, j] = a.first[g] if fresh else 0
                    fresh = False


@njit(cache=True)
def moved(a: Arrays, state: Ints, walk: Walk) -> None:
    """Change order, lines or times in place by one random move."""
    order, line = walk.order, walk.line
    stages, lots = a.duration.shape
    kind = draw(state, KINDS)
    i = draw(state, lots)
    k = draw(state, lots)
    if kind % 2 == 1:
        k = min(lots - 1, max(0, i + draw(state, 2 * NEAR + 1) - NEAR))
    if kind < 10:
        shifted(order, i, k)
    elif kind < 13:
        order[i], order[k] = order[k], order[i]
    elif kind < 15:
        length = 1 + draw(state, 4)
        for step in range(min(length, lots)):
            shifted(order, (i + step) % lots, k)
    elif kind < 16 and len(a.stage_of) > stages:
        m = draw(state, stages)
        first, count = a.first_line[m], a.first_line[m + 1] - a.first_line[m]
        choice = first + draw(state, count)
        if a.eligible[order[i], choice]:
            line[m, order[i]] = choice
    else:
        push(state, walk, min(i, k), max(i, k))


@njit(cache=True)
def push(state: Ints, walk: Walk, first: int, last: int) -> None:
    """Push the times of a stretch of the order by some slots: to the back also at the stages behind one, to the front before it."""
    order, start = walk.order, walk.start
    stages = len(start)
    by = draw(state, 2 * FAR + 1) - FAR
    stage = draw(state, stages)
    for place in range(first, last + 1):
        for m in range(stages):
            if (by > 0 and m >= stage) or (by < 0 and m <= stage):
                start[m, order[place]] = max(0, start[m, order[place]] + by)


@njit(cache=True)
def shifted(order: Ints, taken: int, to: int) -> None:
    """Move the lot at one place to another, the ones between close up."""
    lot = order[taken]
    if taken < to:
        for k in range(taken, to):
            order[k] = order[k + 1]
    else:
        for k in range(taken, to, -1):
            order[k] = order[k - 1]
    order[to] = lot


@njit(cache=True)
def timed(a: Arrays, walk: Walk, loads: Floats) -> float:
    """Give an order its times, near those it has; return the objective, or `INF` where the order does not fit."""
    order, line, start, _ = walk
    stages, lots = a.duration.shape
    near = neighbours(a, order, line)
    most = np.full((stages, lots), len(a.weight), dtype=np.int64)
    if not lower_starts(a, order, near, line, most):
        return INF
    for m in range(stages):
        floor = 0
        for k in range(lots):
            j = order[k]
            if a.entry[j] > m:
                continue
            start[m, j] = min(most[m, j], max(0, start[m, j]))
            if start[m, j] < floor - NEARBY:
                start[m, j] = min(most[m, j], floor)
            floor = max(floor, start[m, j]) if a.first_line[m + 1] - a.first_line[m] == 1 else 0
    if not raise_starts(a, order, near, line, start):
        return INF
    first_rests(a, walk)
    return improve(a, walk, near, loads, ROUNDS)


@njit(cache=True)
def take(to: Walk, given: Walk) -> None:
    """Copy a state into another."""
    to.order[:] = given.order
    to.line[:] = given.line
    to.start[:] = given.start
    to.rest[:] = given.rest


@njit(cache=True)
def anneal(a: Arrays, state: Ints, now: Walk, best: Walk, figures: Floats, steps: int) -> None:
    """Walk ``steps`` moves; ``figures`` are the objective now, the best one, and the temperature."""
    loads = np.zeros((len(a.stage_of), len(a.weight)))
    tried = Walk(now.order.copy(), now.line.copy(), now.start.copy(), now.rest.copy())
    heat = figures[2]
    for _ in range(steps):
        take(tried, now)
        moved(a, state, tried)
        if draw(state, AFRESH) == 0:
            tried.start[:] = 0
        found = timed(a, tried, loads)
        if found >= INF:
            continue
        gain = figures[0] - found
        if gain < 0.0 and (heat <= 0.0 or draw(state, NUMBERS) / NUMBERS >= math.exp(gain / heat)):
            continue
        take(now, tried)
        figures[0] = found
        if found < figures[1] - SMALL * (1.0 + abs(found)):
            figures[1] = found
            take(best, now)
