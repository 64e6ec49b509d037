"""The search of large rounds, compiled: strings of neighbouring stops are taken out and put back where they cost least.

Slack induction by string removals (Christiaens & Vanden Berghe, Transportation Science 54 (2020) 417, doi 10.1287/trsc.2019.0914)
with annealing; what a place costs is judged on the whole round with its charging (`route_range.fit`). To save a vehicle, stops
may wait outside: a solution is kept when those outside have been outside less often before (their absence counts).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from zerofactory.optimisation.logistics.route_range import DUE, KM, LOAD, MINUTES, READY, SERVICE, Array, fit

STRING, REMOVED = 10, 10  # longest string and mean number of stops taken out, as the paper sets them
SPLIT, BLINK = 0.5, 0.01  # of the paper: share of split strings, chance that a place is overlooked
LOOKED_AT = 5  # places of a stop judged with charging, by their detour


class Plan(NamedTuple):
    """Rounds in the hand of the search: stops in order, how many, kilometres; the round of each stop (−1: outside)."""

    way: Array
    length: Array
    km: Array
    of: Array


class Rule(NamedTuple):
    """What the search may do: price of a vehicle in km, most rounds, the temperatures, whether it saves a vehicle."""

    fixed_km: float
    most: int
    hot: float
    cold: float
    saving: bool


@njit(cache=True, error_model="numpy")
def copy(a: Any, b: Any) -> None:
    """Make plan ``b`` equal to ``a``."""
    b.way[:] = a.way
    b.length[:] = a.length
    b.km[:] = a.km
    b.of[:] = a.of


@njit(cache=True, error_model="numpy")
def cost(p: Any, fixed_km: float) -> float:
    """Return kilometres and vehicles of a plan in kilometres."""
    total = 0.0
    for r in range(len(p.length)):
        if p.length[r]:
            total += p.km[r] + fixed_km
    return total


@njit(cache=True, error_model="numpy")
def _take(g: Any, w: Any, p: Any, r: int, first: int, count: int) -> None:
    """Take stops out of a round and measure it again."""
    for n in range(first, first + count):
        p.of[p.way[r, n]] = -1
    for n in range(first + count, p.length[r]):
        p.way[r, n - count] = p.way[r, n]
    p.length[r] -= count
    p.km[r] = fit(g, w, p.way[r], p.length[r]) if p.length[r] else 0.0


@njit(cache=True, error_model="numpy")
def ruin(g: Any, w: Any, p: Any, near: Any, touched: Any) -> None:
    """Take strings out around one stop, one from each round met."""
    used, rounds = 0, 0
    for r in range(len(p.length)):
        touched[r] = False
        used += p.length[r]
        rounds += 1 if p.length[r] else 0
    if used == 0:
        return
    longest = min(float(STRING), used / rounds)
    strings = int(np.random.uniform(1.0, 4.0 * REMOVED / (1.0 + longest)))
    seed = np.random.randint(1, g.stops + 1)
    for n in range(near.shape[1]):
        stop = near[seed, n]
        r = p.of[stop]
        if strings <= 0:
            return
        if r < 0 or touched[r]:
            continue
        touched[r] = True
        strings -= 1
        size = min(p.length[r], max(1, int(np.random.uniform(1.0, min(longest, float(p.length[r])) + 1.0))))
        at = 0
        while p.way[r, at] != stop:
            at += 1
        _string(g, w, p, (r, at, size))


@njit(cache=True, error_model="numpy")
def _string(g: Any, w: Any, p: Any, where: Any) -> None:
    """Take one string that holds a stop out of its round, whole or with a part in it left standing."""
    r, at, size = where
    kept = 0
    if size > 1 and size < p.length[r] and np.random.random() < SPLIT:
        kept = 1
        while size + kept < p.length[r] and np.random.random() > BLINK * 10:
            kept += 1
            if np.random.random() < 0.5:
                break
    whole = size + kept
    low, high = max(0, at - whole + 1), min(at, p.length[r] - whole)
    first = low + np.random.randint(0, high - low + 1)
    if kept == 0:
        _take(g, w, p, r, first, size)
        return
    head = 1 + np.random.randint(0, size - 1)
    _take(g, w, p, r, first + head + kept, size - head)
    _take(g, w, p, r, first, head)


@njit(cache=True, error_model="numpy")
def _best_place(g: Any, w: Any, p: Any, stop: int, trial: Any) -> Any:
    """Return round, place and kilometres of the cheapest place of a stop in the rounds there are (round −1: none)."""
    spots, at_round, at_place = np.full(LOOKED_AT, np.inf), np.zeros(LOOKED_AT, np.int64), np.zeros(LOOKED_AT, np.int64)
    for r in range(len(p.length)):
        if p.length[r] == 0:
            continue
        load = g.node[LOAD, stop]
        for n in range(p.length[r]):
            load += g.node[LOAD, p.way[r, n]]
        if load > g.payload + 1e-7:
            continue
        t, before = g.node[READY, 0], 0
        for n in range(p.length[r] + 1):
            after = p.way[r, n] if n < p.length[r] else 0
            t_stop = max(t + g.pair[MINUTES, before, stop], g.node[READY, stop])
            if t_stop > g.node[DUE, stop] + 1e-7:
                break
            if (
                t_stop + g.node[SERVICE, stop] + g.pair[MINUTES, stop, after] <= g.node[DUE, after] + 1e-7
                and np.random.random() > BLINK
            ):
                _note(
                    spots,
                    at_round,
                    at_place,
                    (g.pair[KM, before, stop] + g.pair[KM, stop, after] - g.pair[KM, before, after], r, n),
                )
            t = max(t + g.pair[MINUTES, before, after], g.node[READY, after]) + g.node[SERVICE, after]
            before = after
    best, best_round, best_place, best_km = np.inf, -1, 0, 0.0
    for k in range(LOOKED_AT):
        if spots[k] >= best:
            break
        r = at_round[k]
        _with(p, r, at_place[k], stop, trial)
        km = fit(g, w, trial, p.length[r] + 1)
        if km - p.km[r] < best:
            best, best_round, best_place, best_km = km - p.km[r], r, at_place[k], km
    return best_round, best_place, best_km, best


@njit(cache=True, error_model="numpy")
def _note(spots: Any, at_round: Any, at_place: Any, spot: Any) -> None:
    """Keep a place among the best by detour, sorted."""
    detour, r, n = spot
    if detour >= spots[-1]:
        return
    k = len(spots) - 1
    while k > 0 and spots[k - 1] > detour:
        spots[k], at_round[k], at_place[k] = spots[k - 1], at_round[k - 1], at_place[k - 1]
        k -= 1
    spots[k], at_round[k], at_place[k] = detour, r, n


@njit(cache=True, error_model="numpy")
def _with(p: Any, r: int, at: int, stop: int, trial: Any) -> None:
    for n in range(at):
        trial[n] = p.way[r, n]
    trial[at] = stop
    for n in range(at, p.length[r]):
        trial[n + 1] = p.way[r, n]


@njit(cache=True, error_model="numpy")
def _put(p: Any, spot: Any, stop: int, trial: Any) -> None:
    r, at, km = spot
    _with(p, r, at, stop, trial)
    p.length[r] += 1
    for n in range(p.length[r]):
        p.way[r, n] = trial[n]
    p.km[r] = km
    p.of[stop] = r


@njit(cache=True, error_model="numpy")
def recreate(g: Any, w: Any, p: Any, rule: Any, trial: Any) -> None:
    """Put every stop that is outside back where it costs least; a new round where that is cheaper or nothing else is left."""
    out = np.array([stop for stop in range(1, g.stops + 1) if p.of[stop] < 0])
    np.random.shuffle(out)
    key, which = np.zeros(len(out)), np.random.randint(0, 5)
    for k in range(len(out)):
        stop = out[k]
        if which == 1:
            key[k] = -g.node[LOAD, stop]
        elif which == 2:
            key[k] = -g.pair[KM, 0, stop]
        elif which == 3:
            key[k] = g.node[DUE, stop] - g.node[READY, stop]
        elif which == 4:
            key[k] = g.node[DUE, stop]
    for k in np.argsort(key, kind="mergesort"):
        stop = out[k]
        r, at, km, more = _best_place(g, w, p, stop, trial)
        if r >= 0 and (rule.saving or more <= 2.0 * g.pair[KM, 0, stop] + rule.fixed_km + 1e-9):
            _put(p, (r, at, km), stop, trial)
            continue
        if not _alone(g, w, p, (rule, stop, r, more), trial) and r >= 0:
            _put(p, (r, at, km), stop, trial)


@njit(cache=True, error_model="numpy")
def _alone(g: Any, w: Any, p: Any, asked: Any, trial: Any) -> bool:
    """Give a stop a round of its own where there is one to spare and that is cheaper than the best place, or the only way."""
    rule, stop, r, more = asked
    rounds, free = 0, -1
    for q in range(len(p.length)):
        if p.length[q]:
            rounds += 1
        elif free < 0:
            free = q
    if free < 0 or rounds >= rule.most:
        return False
    trial[0] = stop
    km = fit(g, w, trial, 1)
    if km == np.inf or (r >= 0 and km + rule.fixed_km >= more):
        return False
    p.way[free, 0], p.length[free], p.km[free], p.of[stop] = stop, 1, km, free
    return True


@njit(cache=True, error_model="numpy")
def search(g: Any, w: Any, plans: Any, rule: Any, span: Any) -> bool:
    """Anneal for some iterations from ``now``, keeping the ``best``; return whether a vehicle was saved (then at once).

    Parameters
    ----------
    plans : now, next, best, neighbours of each stop by distance, absence counts, room for flags and for a way.
    span : seed, first and last iteration, and all there will be (the temperature falls over all).
    """
    now, new, best, near, absent, touched, trial = plans
    seed, first, last, whole = span
    np.random.seed(seed)
    best_cost, now_cost = cost(best, rule.fixed_km), cost(now, rule.fixed_km)
    for n in range(first, last):
        heat = rule.hot * (rule.cold / rule.hot) ** (n / whole)
        copy(now, new)
        ruin(g, w, new, near, touched)
        recreate(g, w, new, rule, trial)
        new_cost = cost(new, rule.fixed_km)
        if rule.saving:
            if _fewer_outside(new, now, absent):
                copy(new, now)
                if not _any_outside(now):
                    return True
            continue
        if _any_outside(new):
            continue
        if new_cost < now_cost - heat * np.log(np.random.random()):
            copy(new, now)
            now_cost = new_cost
            if new_cost < best_cost - 1e-9:
                copy(new, best)
                best_cost = new_cost
    return False


@njit(cache=True, error_model="numpy")
def _any_outside(p: Any) -> bool:
    outside = 0
    for stop in range(1, len(p.of)):
        if p.of[stop] < 0:
            outside += 1
    return outside > 0


@njit(cache=True, error_model="numpy")
def _fewer_outside(new: Any, now: Any, absent: Any) -> bool:
    """Whether those outside have been outside less often than those now; counts them."""
    here, there = 0, 0
    for stop in range(1, len(new.of)):
        if new.of[stop] < 0:
            here += absent[stop]
        if now.of[stop] < 0:
            there += absent[stop]
    for stop in range(1, len(new.of)):
        if new.of[stop] < 0:
            absent[stop] += 1
    return here < there or (here == there and np.random.random() < 0.5)
