"""The knapsack behind the patterns: which widths side by side on one coil are worth most, with a bound on their number.

    maximise  Σ value_i a_i   subject to  Σ width_i a_i ≤ c,  Σ a_i ≤ most,  0 ≤ a_i ≤ copies_i,  a whole

Dynamic programme over the width used (Gilmore and Gomory 1963, doi 10.1287/opre.11.6.863). The bound on the number of strips
(knives) adds a layer a strip; it is only paid for where the plain answer breaks it. Widths are whole numbers of a grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WORTH = 1e-12  # below this a value is not worth a place


def best_filling(values: Floats, widths: Ints, copies: Ints, most: int, rest: Floats) -> tuple[float, Ints]:
    """Return the best value and how many of each item it takes.

    Parameters
    ----------
    values, widths, copies : of each item; an item whose value is not positive is never taken.
    most : the largest number of items in all.
    rest : what an unfilled width of 0, 1, 2 … is worth (never falling); its length less one is the room.

    Examples
    --------
    >>> nothing = np.zeros(11)
    >>> value, taken = best_filling(np.array([5.0, 4.0]), np.array([4, 3]), np.array([9, 9]), 9, nothing)
    >>> value, taken.tolist()
    (13.0, [1, 2])
    >>> value, taken = best_filling(np.array([5.0, 4.0]), np.array([4, 3]), np.array([9, 9]), 2, nothing)
    >>> value, taken.tolist()
    (10.0, [2, 0])
    """
    room = len(rest) - 1
    best, choice = _plain(values, widths, np.minimum(copies, room), room)
    worth = best + rest[::-1]
    place = int(worth.argmax())
    taken = _read(choice, widths, place)
    if taken.sum() <= most:
        return float(worth[place]), taken
    layered, layers = _layered(values, widths, np.minimum(copies, most), room, most)
    worth = layered[most] + rest[::-1]
    place = int(worth.argmax())
    return float(worth[place]), _read_layered(layers, widths, place, most)


@njit(cache=True)
def _plain(values: Floats, widths: Ints, copies: Ints, room: int) -> tuple[Floats, Any]:
    count = len(values)
    best = np.zeros(room + 1)
    choice = np.zeros((count, room + 1), dtype=np.uint16)
    for i in range(count):
        width, value = widths[i], values[i]
        if value <= WORTH or width > room:
            continue
        before = best.copy()
        for c in range(width, room + 1):
            top, taken = before[c], 0
            for k in range(1, min(copies[i], c // width) + 1):
                worth = before[c - k * width] + k * value
                if worth > top + WORTH:
                    top, taken = worth, k
            best[c] = top
            choice[i, c] = taken
    return best, choice


@njit(cache=True)
def _layered(values: Floats, widths: Ints, copies: Ints, room: int, most: int) -> tuple[Any, Any]:
    count = len(values)
    best = np.zeros((most + 1, room + 1))
    choice = np.zeros((count, most + 1, room + 1), dtype=np.uint8)
    for i in range(count):
        width, value = widths[i], values[i]
        if value <= WORTH or width > room:
            continue
        before = best.copy()
        for m in range(1, most + 1):
            for c in range(width, room + 1):
                top, taken = before[m, c], 0
                for k in range(1, min(copies[i], m, c // width) + 1):
                    worth = before[m - k, c - k * width] + k * value
                    if worth > top + WORTH:
                        top, taken = worth, k
                best[m, c] = top
                choice[i, m, c] = taken
    return best, choice


@njit(cache=True)
def _read(choice: Any, widths: Ints, room: int) -> Ints:
    taken = np.zeros(len(widths), dtype=np.int64)
    left = room
    for i in range(len(widths) - 1, -1, -1):
        taken[i] = choice[i, left]
        left -= taken[i] * widths[i]
    return taken


@njit(cache=True)
def _read_layered(choice: Any, widths: Ints, room: int, most: int) -> Ints:
    taken = np.zeros(len(widths), dtype=np.int64)
    left, number = room, most
    for i in range(len(widths) - 1, -1, -1):
        taken[i] = choice[i, number, left]
        left -= taken[i] * widths[i]
        number -= taken[i]
    return taken


@njit(cache=True)
def all_fillings(values: Floats, widths: Ints, copies: Ints, room: int, least: float, limit: int) -> tuple[int, Any]:
    """Return how many fillings are worth at least ``least`` (up to ``limit``) and the fillings, one a row.

    Depth first over the items; a branch is left where even the best of what follows (`_suffix`) cannot reach ``least``.
    """
    count = len(values)
    suffix = _suffix(values, widths, copies, room)
    found = np.zeros((limit, count), dtype=np.int64)
    number = 0
    taken = np.zeros(count, dtype=np.int64)
    left, worth = room, 0.0
    item, down = 0, True
    while item >= 0:
        if item == count:
            if worth >= least and number < limit:
                found[number] = taken
                number += 1
            if number >= limit:
                return number, found
            item, down = item - 1, False
            continue
        if down:
            taken[item] = min(copies[item], left // widths[item]) if values[item] > -WORTH else 0
        elif taken[item] > 0:
            left += taken[item] * widths[item]
            worth -= taken[item] * values[item]
            taken[item] -= 1
        else:
            item -= 1
            continue
        left -= taken[item] * widths[item]
        worth += taken[item] * values[item]
        if worth + suffix[item + 1, left] >= least:
            item, down = item + 1, True
        else:
            down = False
            if taken[item] == 0:
                item -= 1
    return number, found


@njit(cache=True)
def _suffix(values: Floats, widths: Ints, copies: Ints, room: int) -> Any:
    """Return the best value of items i … n − 1 within each width."""
    count = len(values)
    best = np.zeros((count + 1, room + 1))
    for i in range(count - 1, -1, -1):
        for c in range(room + 1):
            top = best[i + 1, c]
            if values[i] > WORTH:
                for k in range(1, min(copies[i], c // widths[i]) + 1):
                    top = max(top, best[i + 1, c - k * widths[i]] + k * values[i])
            best[i, c] = top
    return best


@njit(cache=True)
def value_correction(widths: Ints, wanted: Ints, room: int, target: int, restarts: int) -> tuple[int, Any]:
    """Return how many patterns cover what is wanted, and the patterns, one a row; stops at ``target``.

    Sequential value correction (Belov and Scheithauer 2007, doi 10.1016/j.ejor.2005.04.003): pattern after pattern is the most
    valuable filling of what is left; widths that ended in wasteful patterns are worth more the next time.
    """
    np.random.seed(20260101)
    count, pieces = len(widths), int(wanted.sum())
    best, kept = pieces + 1, np.zeros((pieces + 1, count), dtype=np.int64)
    worth = widths.astype(np.float64) / room
    for _ in range(restarts):
        power = 1.0 + 0.01 + 0.12 * np.random.random()
        left, number = wanted.copy(), 0
        made = np.zeros((pieces + 1, count), dtype=np.int64)
        while left.sum() > 0 and number < best - 1:
            _, choice = _plain(worth, widths, left, room)
            taken = _read(choice, widths, room)
            waste = room - (taken * widths).sum()
            for i in range(count):
                if taken[i] > 0:
                    share = taken[i] / (left[i] + taken[i])
                    fair = (widths[i] / room) ** power * room / (room - waste)
                    worth[i] = (1.0 - share) * worth[i] + share * fair * (1.0 + 0.02 * np.random.random())
            left -= taken
            made[number] = taken
            number += 1
        if left.sum() == 0 and number < best:
            best = number
            kept[:] = made
            if best <= target:
                break
    return best, kept[: min(best, pieces)]
