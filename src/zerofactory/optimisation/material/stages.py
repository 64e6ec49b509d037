"""The most valuable sheet cut in two or three stages: a knapsack of pieces in a stack, of stacks in a strip, of strips in a sheet.

A strip runs along the length of the sheet; its height is taken off the width. Two stages: a strip of height h is filled along
its length with pieces no higher than h. Three stages: it is filled with stacks, and a stack of length l and height h is filled
with pieces no longer than l. Trimming a piece out of a larger place is free. Exact for pieces without limit of number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zerofactory.optimisation.material.sheet_problem import GRID_PER_MM, SheetProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Box:
    """A piece on a sheet: which order, where its corner lies (from the trimmed edge), its size as it lies."""

    order: int
    x_mm: float
    y_mm: float
    length_mm: float
    width_mm: float
    turned: bool


def sorts(problem: SheetProblem, sheet: int) -> tuple[Ints, Ints, Ints, list[bool]]:
    """Return length, width, order and turn of each way a piece may lie on a sheet of the kind."""
    room = problem.size(problem.sheets[sheet])
    rows = [
        (*problem.piece(order, turned), j, turned)
        for j, order in enumerate(problem.orders)
        for turned in problem.ways(order)
        if problem.piece(order, turned)[0] <= room[0] and problem.piece(order, turned)[1] <= room[1]
    ]
    numbers = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3)
    return numbers[:, 0].copy(), numbers[:, 1].copy(), numbers[:, 2].copy(), [row[3] for row in rows]


def best_sheet(problem: SheetProblem, sheet: int, worth: Floats) -> tuple[float, tuple[Box, ...]]:
    """Return the greatest value of a sheet and its pieces; ``worth`` is the value of a piece of each order."""
    lengths, widths, orders, turned = sorts(problem, sheet)
    if not len(lengths):
        return 0.0, ()
    room = problem.size(problem.sheets[sheet])
    scale = (int(np.gcd.reduce(lengths)), int(np.gcd.reduce(widths)))
    lengths, widths = lengths // scale[0], widths // scale[1]
    x, y = room[0] // scale[0], room[1] // scale[1]
    values = worth[orders]
    if problem.stages == 2:
        value, number, placed = _two(values, lengths, widths, x, y)
    else:
        value, number, placed = _three(values, lengths, widths, x, y)
    boxes = tuple(
        boxed(problem, (int(orders[i]), turned[i]), int(px) * scale[0], int(py) * scale[1])
        for i, px, py in placed[:number]
    )
    return float(value), boxes


def boxed(problem: SheetProblem, piece: tuple[int, bool], x: int, y: int) -> Box:
    """Return the piece where it lies, in mm, without its kerf."""
    order, turned = problem.orders[piece[0]], piece[1]
    sides = (order.width_mm, order.length_mm) if turned else (order.length_mm, order.width_mm)
    return Box(piece[0], x / GRID_PER_MM, y / GRID_PER_MM, *sides, turned)


@njit(cache=True)
def _fill(values: Floats, sizes: Ints, room: int) -> Any:
    """Return the best value for every room up to ``room`` and which item to take last (−1: leave one unit empty)."""
    best = np.zeros(room + 1)
    last = np.full(room + 1, -1, dtype=np.int64)
    for c in range(1, room + 1):
        best[c] = best[c - 1]
        for i in range(len(sizes)):
            if values[i] > 1e-12 and sizes[i] <= c and best[c - sizes[i]] + values[i] > best[c] + 1e-12:
                best[c] = best[c - sizes[i]] + values[i]
                last[c] = i
    return best, last


@njit(cache=True)
def _two(values: Floats, lengths: Ints, widths: Ints, x: int, y: int) -> Any:
    heights = np.unique(widths)
    strip = np.zeros(len(heights))
    for k in range(len(heights)):
        usable = np.where(widths <= heights[k], values, 0.0)
        best, _ = _fill(usable, lengths, x)
        strip[k] = best[x]
    top, last = _fill(strip, heights, y)
    placed = np.zeros((4096, 3), dtype=np.int64)
    number, c, at_y = 0, y, 0
    while c > 0 and number < 4096:
        k = last[c]
        if k < 0:
            c -= 1
            continue
        usable = np.where(widths <= heights[k], values, 0.0)
        _, inner = _fill(usable, lengths, x)
        d, at_x = x, 0
        while d > 0 and number < 4096:
            i = inner[d]
            if i < 0:
                d -= 1
                continue
            placed[number, 0], placed[number, 1], placed[number, 2] = i, at_x, at_y
            number += 1
            at_x += lengths[i]
            d -= lengths[i]
        at_y += heights[k]
        c -= heights[k]
    return top[y], number, placed


@njit(cache=True)
def _three(values: Floats, lengths: Ints, widths: Ints, x: int, y: int) -> Any:
    stacks = np.unique(lengths)
    inside = np.zeros((len(stacks), y + 1))
    for k in range(len(stacks)):
        usable = np.where(lengths <= stacks[k], values, 0.0)
        best, _ = _fill(usable, widths, y)
        inside[k] = best
    heights = _reachable(widths, y)
    strip = np.zeros(len(heights))
    for h in range(len(heights)):
        column = np.zeros(len(stacks))
        for k in range(len(stacks)):
            column[k] = inside[k, heights[h]]
        best, _ = _fill(column, stacks, x)
        strip[h] = best[x]
    top, last = _fill(strip, heights, y)
    placed = np.zeros((4096, 3), dtype=np.int64)
    number, c, at_y = 0, y, 0
    while c > 0 and number < 4096:
        h = last[c]
        if h < 0:
            c -= 1
            continue
        height = heights[h]
        column = np.zeros(len(stacks))
        for k in range(len(stacks)):
            column[k] = inside[k, height]
        _, along = _fill(column, stacks, x)
        d, at_x = x, 0
        while d > 0:
            k = along[d]
            if k < 0:
                d -= 1
                continue
            usable = np.where(lengths <= stacks[k], values, 0.0)
            _, up = _fill(usable, widths, height)
            e, inner_y = height, 0
            while e > 0 and number < 4096:
                i = up[e]
                if i < 0:
                    e -= 1
                    continue
                placed[number, 0], placed[number, 1], placed[number, 2] = i, at_x, at_y + inner_y
                number += 1
                inner_y += widths[i]
                e -= widths[i]
            at_x += stacks[k]
            d -= stacks[k]
        at_y += height
        c -= height
    return top[y], number, placed


@njit(cache=True)
def _reachable(widths: Ints, y: int) -> Any:
    """Return the heights that sums of widths reach."""
    there = np.zeros(y + 1, dtype=np.bool_)
    there[0] = True
    for c in range(1, y + 1):
        for width in widths:
            if width <= c and there[c - width]:
                there[c] = True
                break
    return np.flatnonzero(there)[1:]
