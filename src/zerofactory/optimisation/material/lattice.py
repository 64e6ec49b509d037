"""Two shapes repeated along a strip: for which shifts they would overlap, and the shortest pitch at which nothing does.

The shifts along the strip that make B (raised by ``dy``) overlap A are a union of open intervals: between two neighbouring
heights at which a corner lies, the cross-sections of both shapes are intervals with linear ends, so the shifts that overlap
there are exactly one interval for each pair of them. It is the no-fit polygon cut at one height (Bennell and Oliveira 2008,
doi 10.1016/j.ejor.2006.11.038), found without building the polygon, holes of it included. A bridge between the shapes is had
by widening A by the bridge before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOUCH = 1e-7  # shapes that touch do not overlap


@njit(cache=True)
def overlapping(a: Floats, b: Floats, dy: float) -> Any:
    """Return the open intervals of shifts at which B, raised by ``dy``, overlaps A, merged and sorted: rows of (low, high).

    Examples
    --------
    Two unit squares beside each other overlap for shifts between −1 and 1:

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> overlapping(square, square, 0.5).tolist()
    [[-1.0, 1.0]]
    """
    low = max(a[:, 1].min(), b[:, 1].min() + dy)
    high = min(a[:, 1].max(), b[:, 1].max() + dy)
    if high - low <= TOUCH:
        return np.zeros((0, 2))
    heights = np.concatenate((a[:, 1], b[:, 1] + dy, np.array([low, high])))
    heights = np.sort(heights[(heights >= low) & (heights <= high)])
    found = np.zeros((64, 2))
    number = 0
    for slab in range(len(heights) - 1):
        y0, y1 = heights[slab], heights[slab + 1]
        if y1 - y0 <= 1e-9:
            continue
        left = _sections(a, y0, y1)
        right = _sections(b, y0 - dy, y1 - dy)
        for i in range(0, len(left) - 1, 2):
            for j in range(0, len(right) - 1, 2):
                start = min(left[i, 0] - right[j + 1, 0], left[i, 1] - right[j + 1, 1])
                end = max(left[i + 1, 0] - right[j, 0], left[i + 1, 1] - right[j, 1])
                if number == len(found):
                    found = np.concatenate((found, np.zeros_like(found)))
                found[number, 0], found[number, 1] = start, end
                number += 1
    return _merged(found[:number])


@njit(cache=True)
def _sections(shape: Floats, y0: float, y1: float) -> Any:
    """Return where the edges that cross a slab are at its lower and upper end, from left to right."""
    middle = 0.5 * (y0 + y1)
    count = 0
    ends = np.zeros((len(shape), 2))
    key = np.zeros(len(shape))
    for i in range(len(shape)):
        p, q = shape[i], shape[(i + 1) % len(shape)]
        if (p[1] <= middle) == (q[1] <= middle):
            continue
        slope = (q[0] - p[0]) / (q[1] - p[1])
        ends[count, 0] = p[0] + slope * (y0 - p[1])
        ends[count, 1] = p[0] + slope * (y1 - p[1])
        key[count] = p[0] + slope * (middle - p[1])
        count += 1
    return ends[:count][np.argsort(key[:count])]


@njit(cache=True)
def _merged(intervals: Floats) -> Any:
    """Return overlapping open intervals as one; those that only touch stay apart."""
    if len(intervals) == 0:
        return np.zeros((0, 2))
    rows = intervals[np.argsort(intervals[:, 0])]
    kept = np.zeros_like(rows)
    number = 0
    kept[0] = rows[0]
    for i in range(1, len(rows)):
        if rows[i, 0] < kept[number, 1] - TOUCH:
            kept[number, 1] = max(kept[number, 1], rows[i, 1])
        else:
            number += 1
            kept[number] = rows[i]
    return kept[: number + 1]


@njit(cache=True)
def repeats(own: Floats, pitch: float) -> bool:
    """Return whether a shape may be repeated at a pitch: no multiple of it is a shift that overlaps."""
    for i in range(len(own)):
        low, high = own[i, 0], own[i, 1]
        k = max(1, int(np.floor(low / pitch)))
        while k * pitch < high - TOUCH:
            if k * pitch > low + TOUCH:
                return False
            k += 1
    return True


@njit(cache=True)
def offset(between: Floats, pitch: float) -> float:
    """Return a shift of B that overlaps A at no multiple of the pitch, in [0, pitch); not a number where there is none."""
    if len(between) == 0:
        return 0.0
    folded = np.zeros((2 * len(between), 2))
    number = 0
    for i in range(len(between)):
        low, high = between[i, 0] + TOUCH, between[i, 1] - TOUCH
        if high - low >= pitch:
            return np.nan
        start = low - np.floor(low / pitch) * pitch
        end = start + high - low
        folded[number, 0], folded[number, 1] = start, min(end, pitch)
        number += 1
        if end > pitch:
            folded[number, 0], folded[number, 1] = 0.0, end - pitch
            number += 1
    rows = folded[:number][np.argsort(folded[:number, 0])]
    reached = 0.0
    for i in range(number):
        if rows[i, 0] > reached:
            return reached
        reached = max(reached, rows[i, 1])
    return reached if reached < pitch else np.nan


@njit(cache=True)
def shortest_pitch(own: Floats, other: Floats, between: Floats, least: float, most: float) -> Any:
    """Return the shortest pitch found in [least, most] and the shift of B at it; (inf, 0) where there is none.

    ``own`` and ``other`` are the overlapping shifts of A with itself and of B with itself (empty: there is no B).
    Feasible pitches need not be one interval: a coarse walk upwards finds the first, halving sharpens it.
    """
    last = least
    for step in range(WALK + 1):
        pitch = least + (most - least) * step / WALK
        if pitch <= 0 or not (repeats(own, pitch) and repeats(other, pitch)):
            last = pitch
            continue
        shift = offset(between, pitch)
        if np.isnan(shift):
            last = pitch
            continue
        for _ in range(40):
            middle = 0.5 * (last + pitch)
            if middle <= 0 or pitch - last < 1e-6:
                break
            moved = offset(between, middle) if repeats(own, middle) and repeats(other, middle) else np.nan
            if np.isnan(moved):
                last = middle
            else:
                pitch, shift = middle, moved
        return pitch, shift
    return np.inf, 0.0


WALK = 64


@njit(cache=True)
def over_heights(first: Any, b: Floats, forbidden: Any, heights: Floats, limits: Floats) -> Any:
    """Return for each height of B above A: pitch, shift and width across (both shapes).

    ``first``: A, and A widened by the bridge. ``forbidden``: the overlapping shifts of A and of B with itself.

    ``limits``: the least area a pitch must hold, the product pitch × width to beat, what is added to the width, the widest.
    """
    a, wide = first
    own, other = forbidden
    result = np.full((len(heights), 3), np.inf)
    for place in range(len(heights)):
        dy = heights[place]
        across = max(a[:, 1].max(), b[:, 1].max() + dy) - min(a[:, 1].min(), b[:, 1].min() + dy) + limits[2]
        if across > limits[3]:
            continue
        between = overlapping(wide, b, dy)
        most = limits[1] / across
        least = max(limits[0] / across, 1e-3)
        if least > most:
            continue
        pitch, shift = shortest_pitch(own, other, between, least, most)
        result[place, 0], result[place, 1], result[place, 2] = pitch, shift, across
    return result
