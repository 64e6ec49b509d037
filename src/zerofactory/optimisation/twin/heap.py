"""The queue of events: a binary heap in arrays, ordered by time and then by the order of entry (compiled)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit

Made = TypeVar("Made", bound=Callable[..., Any])
OPTIONS: Mapping[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
"""The core allocates nothing, so it needs no counting of references, which would take half of its time."""


def compiled(function: Made) -> Made:
    """Compile a function of the event core."""
    made: Made = njit(**OPTIONS)(function)
    return made


AT, ORDER = 0, 1
KIND, WHO, STAMP = 0, 1, 2


class Queue(NamedTuple):
    """Events: when and in which order they were entered, what and whom; ``size`` holds the number waiting and the order."""

    when: Any  # place × (time, order)
    what: Any  # place × (kind, who, stamp)
    size: Any


def queue(capacity: int) -> Queue:
    """Return an empty queue."""
    return Queue(np.zeros((capacity, 2)), np.zeros((capacity, 3), dtype=np.int64), np.zeros(2, dtype=np.int64))


@compiled
def push(q: Queue, at: float, kind: int, who: int, stamp: int) -> None:
    """Enter an event."""
    place = q.size[0]
    order = float(q.size[1])
    q.size[0] += 1
    q.size[1] += 1
    while place > 0:
        above = (place - 1) >> 1
        if q.when[above, AT] <= at:
            break
        q.when[place, AT], q.when[place, ORDER] = q.when[above, AT], q.when[above, ORDER]
        for column in range(3):
            q.what[place, column] = q.what[above, column]
        place = above
    q.when[place, AT], q.when[place, ORDER] = at, order
    q.what[place, KIND], q.what[place, WHO], q.what[place, STAMP] = kind, who, stamp


@compiled
def earlier(q: Queue, a: int, b: int) -> bool:
    """Tell whether the event at one place comes before that at another."""
    if q.when[a, AT] != q.when[b, AT]:
        return bool(q.when[a, AT] < q.when[b, AT])
    return bool(q.when[a, ORDER] < q.when[b, ORDER])


@compiled
def pop(q: Queue) -> tuple[float, int, int, int]:
    """Take out the next event: time, kind, who, stamp. The queue must not be empty."""
    at = q.when[0, AT]
    kind, who, stamp = q.what[0, KIND], q.what[0, WHO], q.what[0, STAMP]
    q.size[0] -= 1
    end = q.size[0]
    when, order = q.when[end, AT], q.when[end, ORDER]
    k, w, s = q.what[end, KIND], q.what[end, WHO], q.what[end, STAMP]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= end:
            break
        if child + 1 < end and earlier(q, child + 1, child):
            child += 1
        later = q.when[child, AT] > when or (q.when[child, AT] == when and q.when[child, ORDER] > order)
        if later:
            break
        q.when[place, AT], q.when[place, ORDER] = q.when[child, AT], q.when[child, ORDER]
        for column in range(3):
            q.what[place, column] = q.what[child, column]
        place = child
    q.when[place, AT], q.when[place, ORDER] = when, order
    q.what[place, KIND], q.what[place, WHO], q.what[place, STAMP] = k, w, s
    return at, kind, who, stamp
