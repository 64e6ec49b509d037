"""Lines between convex pieces that are near each other: what each move of the compaction must respect."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True)
def constraints(corners: Floats, starts: Ints, owner: Ints, near: float) -> Any:
    """Return one row for each pair of convex pieces of different owners nearer than ``near``: owners, direction, gap.

    The direction is the outward normal, of an edge of either piece or between their nearest corners, along which the gap is
    largest: along it the second piece may not come nearer than the bridge. Corners of a piece run anticlockwise.

    Examples
    --------
    >>> squares = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [3, 0], [4, 0], [4, 1], [3, 1]], dtype=np.float64)
    >>> np.abs(constraints(squares, np.array([0, 4, 8]), np.array([0, 1]), 5.0)).tolist()
    [[0.0, 1.0, 1.0, 0.0, 2.0]]
    """
    pieces = len(starts) - 1
    box = np.zeros((pieces, 4))
    for p in range(pieces):
        part = corners[starts[p] : starts[p + 1]]
        box[p, 0], box[p, 1] = part[:, 0].min(), part[:, 1].min()
        box[p, 2], box[p, 3] = part[:, 0].max(), part[:, 1].max()
    rows = np.zeros((1024, 5))
    number = 0
    for p in range(pieces):
        for q in range(p + 1, pieces):
            if owner[p] == owner[q]:
                continue
            if max(box[q, 0] - box[p, 2], box[p, 0] - box[q, 2], box[q, 1] - box[p, 3], box[p, 1] - box[q, 3]) > near:
                continue
            a, b = corners[starts[p] : starts[p + 1]], corners[starts[q] : starts[q + 1]]
            nx, ny, gap = _widest(a, b)
            if gap > near:
                continue
            if number == len(rows):
                rows = np.concatenate((rows, np.zeros_like(rows)))
            rows[number, 0], rows[number, 1] = owner[p], owner[q]
            rows[number, 2], rows[number, 3], rows[number, 4] = nx, ny, gap
            number += 1
    return rows[:number]


@njit(cache=True)
def _widest(a: Floats, b: Floats) -> Any:
    """Return the direction from A to B along which the gap between them is largest, and the gap (negative: they overlap)."""
    best_x, best_y, best = 0.0, 0.0, -np.inf
    for side in range(2):
        shape = a if side == 0 else b
        sign = 1.0 if side == 0 else -1.0
        for i in range(len(shape)):
            p, q = shape[i], shape[(i + 1) % len(shape)]
            dx, dy = q[0] - p[0], q[1] - p[1]
            size = np.sqrt(dx * dx + dy * dy)
            if size <= 0.0:
                continue
            nx, ny = sign * dy / size, -sign * dx / size
            gap = _gap(a, b, nx, ny)
            if gap > best:
                best, best_x, best_y = gap, nx, ny
    if best > 0.0:
        for i in range(len(a)):
            for j in range(len(b)):
                dx, dy = b[j, 0] - a[i, 0], b[j, 1] - a[i, 1]
                size = np.sqrt(dx * dx + dy * dy)
                if size > best:
                    gap = _gap(a, b, dx / size, dy / size)
                    if gap > best:
                        best, best_x, best_y = gap, dx / size, dy / size
    return best_x, best_y, best


@njit(cache=True)
def _gap(a: Floats, b: Floats, nx: float, ny: float) -> float:
    gap: float = (b[:, 0] * nx + b[:, 1] * ny).min() - (a[:, 0] * nx + a[:, 1] * ny).max()
    return gap
