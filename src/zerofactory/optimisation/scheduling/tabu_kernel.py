"""The inner loop of the tabu search for flexible job shops, compiled (numba), without the interpreter lock.

Neighbourhood of Mastrolilli and Gambardella 2000 (doi 10.1002/(SICI)1099-1425(200001/02)3:1<3::AID-JOS32>3.0.CO;2-Y): an
operation v of a critical path is taken out; with heads r and tails q of what is left, on every machine k that can do it

    L = {x on k : r(x) + p(x) > r(v)},   R = {x on k : q(x) + p(x) > q(v)}

v may stand anywhere after R \\ L and before L \\ R: no cycle can arise, and the best place on k is among these. The makespan
after the move is max(longest path without v, r'(v) + p(v) + q'(v)): exact, as both are computed on the graph without v. Links
are any acyclic graph with least waits; set-ups by family stand on the arcs of a machine.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
NONE = -1
BIG = 1 << 60


class Shop(NamedTuple):
    """The problem as arrays; lists of modes, links before and links after in compressed form (``*_at`` holds where each begins)."""

    mode_at: Ints
    mode_machine: Ints
    mode_ticks: Ints
    before_at: Ints
    before: Ints
    before_wait: Ints
    after_at: Ints
    after: Ints
    after_wait: Ints
    release: Ints
    family: Ints
    setup: Any  # machine × (family before, last: none) × family after
    kept: Ints  # one figure: whether there are set-ups at all


class State(NamedTuple):
    """A selection: mode and duration of each operation, its neighbours on the machine; ``first`` is the head of each machine's list."""

    mode: Ints
    ticks: Ints
    left: Ints
    right: Ints
    first: Ints


class Memory(NamedTuple):
    """Until when a machine is tabu for an operation; scratch arrays; counters: iteration, best, improved at, random state."""

    tabu: Any
    order: Ints
    place: Ints
    head: Ints
    tail: Ints
    head_without: Ints
    tail_without: Ints
    counts: Ints


ITERATION, BEST, IMPROVED, RANDOM, NOW = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def draw(m: Memory, below: int) -> int:
    """Return a pseudo-random number below a bound (Lehmer's generator modulo 2^31 − 1: Park and Miller 1988)."""
    m.counts[RANDOM] = m.counts[RANDOM] * 48271 % 2147483647
    return m.counts[RANDOM] % below


@njit(cache=True, nogil=True)
def between(s: Shop, k: int, a: int, b: int) -> int:
    """Return the set-up on machine k from operation a (or none) to operation b."""
    if b == NONE:
        return 0
    return s.setup[k, s.setup.shape[1] - 1 if a == NONE else s.family[a], s.family[b]]


@njit(cache=True, nogil=True)
def sort(s: Shop, x: State, m: Memory) -> bool:
    """Write a topological order of links and machine lists; False where there is a cycle."""
    n = len(x.mode)
    waits = m.place
    fill = 0
    for v in range(n):
        waits[v] = s.before_at[v + 1] - s.before_at[v] + (1 if x.left[v] != NONE else 0)
        if waits[v] == 0:
            m.order[fill] = v
            fill += 1
    done = 0
    while done < fill:
        v = m.order[done]
        done += 1
        for e in range(s.after_at[v], s.after_at[v + 1]):
            u = s.after[e]
            waits[u] -= 1
            if waits[u] == 0:
                m.order[fill] = u
                fill += 1
        u = x.right[v]
        if u != NONE:
            waits[u] -= 1
            if waits[u] == 0:
                m.order[fill] = u
                fill += 1
    if fill < n:
        return False
    for at in range(n):
        m.place[m.order[at]] = at
    return True


@njit(cache=True, nogil=True)
def heads(s: Shop, x: State, m: Memory, head: Ints, span: tuple[int, int, int]) -> int:
    """Write heads of the operations at places [first, last) of the order, ``out`` taken out; return their latest end.

    ``span`` holds first, last and out (none: −1). What stands before must be known. Arrays are named once: this is the hottest loop.
    """
    first, last, out = span
    before_at, before, wait, setup, family = s.before_at, s.before, s.before_wait, s.setup, s.family
    ticks, left, order, release, kept = x.ticks, x.left, m.order, s.release, s.kept[0]
    none = setup.shape[1] - 1
    most = 0
    for at in range(first, last):
        v = order[at]
        r = release[v]
        for e in range(before_at[v], before_at[v + 1]):
            u = before[e]
            if u != out:
                r = max(r, head[u] + ticks[u] + wait[e])
        u = left[v]
        if u == out and u != NONE:
            u = left[u]
        if kept:
            k = s.mode_machine[x.mode[v]]
            r = max(r, setup[k, none, family[v]] if u == NONE else head[u] + ticks[u] + setup[k, family[u], family[v]])
        elif u != NONE:
            r = max(r, head[u] + ticks[u])
        head[v] = r
        most = max(most, r + ticks[v])
    return most


@njit(cache=True, nogil=True)
def tails(s: Shop, x: State, m: Memory, tail: Ints, span: tuple[int, int]) -> None:
    """Write tails of the operations at places below ``last``, from there down, ``out`` taken out (``span``: last, out)."""
    last, out = span
    after_at, after, wait, setup, family = s.after_at, s.after, s.after_wait, s.setup, s.family
    ticks, right, order, kept = x.ticks, x.right, m.order, s.kept[0]
    for at in range(last - 1, -1, -1):
        v = order[at]
        q = 0
        for e in range(after_at[v], after_at[v + 1]):
            u = after[e]
            if u != out:
                q = max(q, tail[u] + ticks[u] + wait[e])
        u = right[v]
        if u == out and u != NONE:
            u = right[u]
        if u != NONE:
            q = max(q, tail[u] + ticks[u] + (setup[s.mode_machine[x.mode[v]], family[v], family[u]] if kept else 0))
        tail[v] = q


@njit(cache=True, nogil=True)
def evaluate(s: Shop, x: State, m: Memory) -> int:
    """Write order, heads and tails; return the makespan, −1 where there is a cycle."""
    if not sort(s, x, m):
        return -1
    n = len(x.mode)
    most = heads(s, x, m, m.head, (0, n, NONE))
    tails(s, x, m, m.tail, (n, NONE))
    m.counts[NOW] = most
    return most


@njit(cache=True, nogil=True)
def take_out(s: Shop, x: State, m: Memory, v: int, reach: Ints) -> int:
    """Write heads and tails without v; return the longest path without it. ``reach`` is the longest end up to each place."""
    n, at = len(x.mode), m.place[v]
    m.head_without[:] = m.head
    m.tail_without[:] = m.tail
    most = heads(s, x, m, m.head_without, (at + 1, n, v))
    tails(s, x, m, m.tail_without, (at, v))
    return max(most, reach[at - 1]) if at else most


@njit(cache=True, nogil=True)
def best_place(s: Shop, x: State, m: Memory, v: int, way: int, found: Ints) -> None:
    """Write into ``found`` the best place of v in mode ``way``: longest path through v, operation before it, how many ties.

    ``found[2]`` and ``found[3]`` hold the earliest start and the tail of v by links alone.
    """
    k, p, r, q = s.mode_machine[way], s.mode_ticks[way], found[2], found[3]
    head, tail, ticks, right, kept, setup = m.head_without, m.tail_without, x.ticks, x.right, s.kept[0], s.setup
    same, own, none = way == x.mode[v], s.family[v], s.setup.shape[1] - 1
    found[0], found[1] = BIG, NONE
    left, u, ties = NONE, x.first[k], 0
    if u == v:
        u = right[v]
    while True:
        in_right = u != NONE and tail[u] + ticks[u] > q
        in_left = u != NONE and head[u] + ticks[u] > r
        if in_left or not in_right:
            h, t = r, q
            if left != NONE:
                h = max(h, head[left] + ticks[left] + (setup[k, s.family[left], own] if kept else 0))
            elif kept:
                h = max(h, setup[k, none, own])
            if u != NONE:
                t = max(t, tail[u] + ticks[u] + (setup[k, own, s.family[u]] if kept else 0))
            if not (same and left == x.left[v]):
                via = h + p + t
                ties = ties + 1 if via == found[0] else 1
                if via < found[0] or (via == found[0] and draw(m, ties) == 0):
                    found[0], found[1] = via, left
        if u == NONE or (in_left and not in_right):
            return
        left = u
        u = right[u]
        if u == v:
            u = right[v]


@njit(cache=True, nogil=True)
def by_links(s: Shop, x: State, m: Memory, v: int, found: Ints) -> None:
    """Write the earliest start of v and the longest way after it, by links alone, into ``found[2]`` and ``found[3]``."""
    r, q = s.release[v], 0
    for e in range(s.before_at[v], s.before_at[v + 1]):
        u = s.before[e]
        r = max(r, m.head_without[u] + x.ticks[u] + s.before_wait[e])
    for e in range(s.after_at[v], s.after_at[v + 1]):
        u = s.after[e]
        q = max(q, m.tail_without[u] + x.ticks[u] + s.after_wait[e])
    found[2], found[3] = r, q


@njit(cache=True, nogil=True)
def move(s: Shop, x: State, v: int, way: int, left: int) -> None:
    """Take v from its machine and put it after ``left`` (none: first) on the machine of mode ``way``."""
    k = s.mode_machine[x.mode[v]]
    a, b = x.left[v], x.right[v]
    if a == NONE:
        x.first[k] = b
    else:
        x.right[a] = b
    if b != NONE:
        x.left[b] = a
    k = s.mode_machine[way]
    b = x.first[k] if left == NONE else x.right[left]
    x.mode[v], x.ticks[v], x.left[v], x.right[v] = way, s.mode_ticks[way], left, b
    if left == NONE:
        x.first[k] = v
    else:
        x.right[left] = v
    if b != NONE:
        x.left[b] = v


@njit(cache=True, nogil=True)
def critical_path(s: Shop, x: State, m: Memory, path: Ints) -> int:
    """Write one critical path, drawn at random, from its end; return how many operations it has."""
    n, v, ties = len(x.mode), NONE, 0
    for u in range(n):
        if m.head[u] + x.ticks[u] == m.counts[NOW]:
            ties += 1
            if draw(m, ties) == 0:
                v = u
    length = 0
    while v != NONE:
        path[length] = v
        length += 1
        step, ties = NONE, 0
        for e in range(s.before_at[v], s.before_at[v + 1]):
            u = s.before[e]
            if m.head[u] + x.ticks[u] + s.before_wait[e] == m.head[v]:
                ties += 1
                if draw(m, ties) == 0:
                    step = u
        u = x.left[v]
        k = s.mode_machine[x.mode[v]]
        if u != NONE and m.head[u] + x.ticks[u] + between(s, k, u, v) == m.head[v]:
            ties += 1
            if draw(m, ties) == 0:
                step = u
        v = step
    return length


@njit(cache=True, nogil=True)
def step(s: Shop, x: State, m: Memory, scratch: Ints, at_random: bool) -> None:
    """Do one move: the best that is not tabu (or beats the best known), or any at random."""
    n = len(x.mode)
    path, reach, found = scratch[:n], scratch[n : 2 * n], scratch[2 * n : 2 * n + 4]
    length = critical_path(s, x, m, path)
    most = 0
    for at in range(n):
        most = max(most, m.head[m.order[at]] + x.ticks[m.order[at]])
        reach[at] = most
    key, second, ties, any_ties, ways = BIG, BIG, 0, 0, 0
    v_best, way_best, left_best, v_any, way_any, left_any = NONE, 0, 0, NONE, 0, 0
    for i in range(length):
        v = path[i]
        rest = take_out(s, x, m, v, reach)
        by_links(s, x, m, v, found)
        ways += s.mode_at[v + 1] - s.mode_at[v]
        for way in range(s.mode_at[v], s.mode_at[v + 1]):
            best_place(s, x, m, v, way, found)
            if found[0] == BIG:
                continue
            any_ties += 1
            if draw(m, any_ties) == 0:
                v_any, way_any, left_any = v, way, found[1]
            span = max(rest, found[0])
            if m.tabu[v, s.mode_machine[way]] > m.counts[ITERATION] and span >= m.counts[BEST]:
                continue
            better = span < key or (span == key and found[0] < second)
            ties = ties + 1 if span == key and found[0] == second else 1
            if better or (span == key and found[0] == second and draw(m, ties) == 0):
                key, second = span, found[0]
                v_best, way_best, left_best = v, way, found[1]
    if at_random or v_best == NONE:
        v_best, way_best, left_best = v_any, way_any, left_any
    if v_best == NONE:
        return
    m.tabu[v_best, s.mode_machine[x.mode[v_best]]] = m.counts[ITERATION] + length + ways // max(1, length) + draw(m, 8)
    move(s, x, v_best, way_best, left_best)


@njit(cache=True, nogil=True)
def copy(source: State, target: State) -> None:
    """Copy a selection."""
    target.mode[:] = source.mode
    target.ticks[:] = source.ticks
    target.left[:] = source.left
    target.right[:] = source.right
    target.first[:] = source.first


@njit(cache=True, nogil=True)
def search(s: Shop, x: State, best: State, m: Memory, limits: Ints) -> int:
    """Search for so many iterations or down to a bound; return the best makespan.

    ``limits``: iterations, bound, patience (iterations without a better answer before the search starts anew from the best,
    shaken by so many random moves), shake.
    """
    n = len(x.mode)
    scratch = np.zeros(2 * n + 4, dtype=np.int64)
    now = evaluate(s, x, m)
    if now >= 0 and now < m.counts[BEST]:
        m.counts[BEST] = now
        copy(x, best)
    until = m.counts[ITERATION] + limits[0]
    while m.counts[ITERATION] < until and m.counts[BEST] > limits[1]:
        m.counts[ITERATION] += 1
        if m.counts[ITERATION] - m.counts[IMPROVED] > limits[2]:
            copy(best, x)
            m.tabu[:] = 0
            m.counts[IMPROVED] = m.counts[ITERATION]
            for _ in range(limits[3] + draw(m, limits[3] + 1)):
                evaluate(s, x, m)
                step(s, x, m, scratch, True)
            evaluate(s, x, m)
        step(s, x, m, scratch, False)
        now = evaluate(s, x, m)
        if now < 0:
            copy(best, x)
            evaluate(s, x, m)
        elif now < m.counts[BEST]:
            m.counts[BEST] = now
            m.counts[IMPROVED] = m.counts[ITERATION]
            copy(x, best)
    return m.counts[BEST]
