"""Rounds proved best, for a dozen and a few stops: every way worth having is labelled, then the best parts are put together.

Labels over (stops served, last stop) with the dominance of `route_range`; any chain of stations may lie on a leg. Afterwards
the least cost of serving every set of stops by whole rounds, set by set (dynamic programming over subsets).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from zerofactory.optimisation.logistics.route_range import EPS, LOAD, READY, Array, Ground, beats, charge, drive

MOST_STOPS = 15
MOST_LABELS = 3_000_000  # 250 MB; an instance that needs more is left to the search
CHAIN = 4  # stations one after the other on a leg; `CODE` packs six
CODE = 1024  # one more than the largest place
AT_STATIONS = 512


@njit(cache=True, error_model="numpy")
def _row(value: Any, k: int) -> Any:
    return (value[k, 0], value[k, 1], value[k, 2], value[k, 3])


@njit(cache=True, error_model="numpy")
def _at_stations(g: Any, label: Any, here: int, found: Any, codes: Any) -> int:
    """Write what a label can be at the stations, charged, after chains of up to `CHAIN` of them; return how many (−1: no room)."""
    count, first, size = 0, 0, g.pair.shape[1]
    for depth in range(CHAIN):
        last = count
        sources = 1 if depth == 0 else last - first
        for n in range(sources):
            place = here if depth == 0 else codes[first + n] % CODE
            old = label if depth == 0 else _row(found, first + n)
            for s in range(g.stops + 1, size):
                if s == place and depth > 0:
                    continue
                new = drive(g, old, place, s)
                if new[0] < 0.0:
                    continue
                if count == len(codes):
                    return -1
                new = charge(g, new)
                beaten = False
                for k in range(count):
                    if codes[k] % CODE == s and beats(_row(found, k), new, g.rate):
                        beaten = True
                        break
                if not beaten:
                    for part in range(4):
                        found[count, part] = new[part]
                    codes[count] = s if depth == 0 else codes[first + n] * CODE + s
                    count += 1
        first = 0 if depth == 0 else last
    return count


@njit(cache=True, error_model="numpy")
def _insert(g: Any, pool: Any, slot: int, label: Any, origin: Any) -> bool:
    """Put a label into the list of a state unless beaten; return whether there was room."""
    value, link, head, used = pool
    before, k = -1, head[slot]
    while k >= 0:
        old, after = _row(value, k), link[k, 0]
        if beats(old, label, g.rate):
            return True
        if beats(label, old, g.rate):
            if before < 0:
                head[slot] = after
            else:
                link[before, 0] = after
        else:
            before = k
        k = after
    if used[0] == len(value):
        return False
    k = used[0]
    used[0] += 1
    for part in range(4):
        value[k, part] = label[part]
    link[k, 0], link[k, 1], link[k, 2], link[k, 3] = head[slot], origin[0], origin[1], origin[2]
    head[slot] = k
    return True


@njit(cache=True, error_model="numpy")
def _extend(g: Any, pool: Any, state: Any, room: Any) -> bool:
    """Extend one label to every stop not yet served; return whether there was room."""
    label, parent, mask, last, weight = state
    found, codes = room
    stations = _at_stations(g, label, last, found, codes)
    if stations < 0:
        return False
    for j in range(1, g.stops + 1):
        bit = 1 << (j - 1)
        if mask & bit or weight + g.node[LOAD, j] > g.payload + EPS:
            continue
        slot = (mask | bit) * (g.stops + 1) + j
        new = drive(g, label, last, j)
        if new[0] >= 0.0 and not _insert(g, pool, slot, new, (parent, j, 0)):
            return False
        for k in range(stations):
            new = drive(g, _row(found, k), codes[k] % CODE, j)
            if new[0] >= 0.0 and not _insert(g, pool, slot, new, (parent, j, codes[k])):
                return False
    return True


@njit(cache=True, error_model="numpy")
def _close(g: Any, state: Any, room: Any, best: Any, ends: Any) -> None:
    """Drive one label home and note the round if it is the shortest over its stops."""
    label, k, mask, last, _ = state
    found, codes = room
    home = drive(g, label, last, 0)
    if home[0] >= 0.0 and home[0] < best[mask]:
        best[mask], ends[mask, 0], ends[mask, 1] = home[0], k, 0
    for s in range(_at_stations(g, label, last, found, codes)):
        home = drive(g, _row(found, s), codes[s] % CODE, 0)
        if home[0] >= 0.0 and home[0] < best[mask]:
            best[mask], ends[mask, 0], ends[mask, 1] = home[0], k, codes[s]


@njit(cache=True, error_model="numpy")
def label_all(g: Any, pool: Any, best: Any, ends: Any) -> bool:
    """Fill ``best``: the least kilometres of one round over each set of stops; return whether the labels had room."""
    _, link, head, _ = pool
    room = (np.zeros((AT_STATIONS, 4)), np.zeros(AT_STATIONS, dtype=np.int64))
    start = (0.0, g.node[READY, 0], g.battery, g.battery)
    if not _extend(g, pool, (start, -1, 0, 0, 0.0), room):
        return False
    for mask in range(1, 1 << g.stops):
        weight = 0.0
        for j in range(1, g.stops + 1):
            if mask >> (j - 1) & 1:
                weight += g.node[LOAD, j]
        for j in range(1, g.stops + 1):
            k = head[mask * (g.stops + 1) + j]
            while k >= 0:
                state = (_row(pool[0], k), k, mask, j, weight)
                _close(g, state, room, best, ends)
                if not _extend(g, pool, state, room):
                    return False
                k = link[k, 0]
    return True


@njit(cache=True, error_model="numpy")
def partition(best: Any, fixed: float) -> Any:
    """Return for each set of stops the least cost of serving it by whole rounds, and the first round of it."""
    size = len(best)
    total, pick = np.full(size, np.inf), np.zeros(size, dtype=np.int64)
    total[0] = 0.0
    for mask in range(1, size):
        lowest = mask & -mask
        sub = mask
        while sub:
            if sub & lowest and best[sub] + fixed + total[mask ^ sub] < total[mask] - 1e-12:
                total[mask] = best[sub] + fixed + total[mask ^ sub]
                pick[mask] = sub
            sub = (sub - 1) & mask
    return total, pick


def best_rounds(ground: Ground, fixed_km: float) -> list[list[int]] | None:
    """Return the best rounds with their stations, the depot left out; None when the labels outgrew their room.

    Parameters
    ----------
    fixed_km : what a vehicle costs, in kilometres.
    """
    states = (1 << ground.stops) * (ground.stops + 1)
    value, link = np.empty((MOST_LABELS, 4)), np.empty((MOST_LABELS, 4), dtype=np.int64)
    head, used = np.full(states, -1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    best, ends = np.full(1 << ground.stops, np.inf), np.zeros((1 << ground.stops, 2), dtype=np.int64)
    if not label_all(ground, (value, link, head, used), best, ends):
        return None
    total, pick = partition(best, fixed_km)
    left = (1 << ground.stops) - 1
    if not np.isfinite(total[left]):
        return None
    found = []
    while left:
        found.append(_traced(link, int(ends[pick[left], 0]), int(ends[pick[left], 1])))
        left ^= int(pick[left])
    return found


def _traced(link: Array, k: int, chain: int) -> list[int]:
    """Return the places of a round from its last label back."""
    found = _unpacked(chain)[::-1]
    while k >= 0:
        found.append(int(link[k, 2]))
        found += _unpacked(int(link[k, 3]))[::-1]
        k = int(link[k, 1])
    return found[::-1]


def _unpacked(chain: int) -> list[int]:
    """Return the stations of a packed chain, in order.

    Examples
    --------
    >>> _unpacked((7 * CODE + 9) * CODE + 8)
    [7, 9, 8]
    """
    found = []
    while chain:
        found.append(chain % CODE)
        chain //= CODE
    return found[::-1]
