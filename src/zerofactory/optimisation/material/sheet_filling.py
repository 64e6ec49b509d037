"""Fast fillings of sheets: pieces in an order, each into the first or best place of the strips there are, strips into sheets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zerofactory.optimisation.material.sheet_problem import SheetProblem
from zerofactory.optimisation.material.stages import Box, boxed, sorts

Ints = NDArray[np.int64]
ORDERS = 4  # by width, by length, by area, by the longer side


def fill(
    problem: SheetProblem, sheet: int, wanted: Ints, rng: np.random.Generator, trial: int
) -> tuple[list[tuple[Box, ...]], bool]:
    """Return the pieces of each sheet taken, and whether some piece fits none.

    Parameters
    ----------
    wanted : pieces of each order that are to be placed.
    trial : the first `ORDERS` are the plain orders; later ones are varied by chance.
    """
    lengths, widths, orders, turned = sorts(problem, sheet)
    if set(np.flatnonzero(wanted)) - set(orders.tolist()):
        return [], True
    ways = [np.flatnonzero(orders == j) for j in range(len(wanted))]
    chosen = np.array([int(one[rng.integers(len(one))]) if len(one) else -1 for one in ways])
    if trial < ORDERS:
        chosen = np.array([int(one[np.argmin(widths[one])]) if len(one) else -1 for one in ways])
    pieces = np.repeat(chosen, wanted)
    length, width = lengths[pieces].astype(np.float64), widths[pieces].astype(np.float64)
    keys = (width + 1e-6 * length, length + 1e-6 * width, length * width, np.maximum(length, width))
    key = keys[trial % ORDERS]
    if trial >= ORDERS:
        key = key * (1.0 + rng.uniform(0.05, 0.6) * rng.standard_normal(len(key)))
    sequence = pieces[np.argsort(-key, kind="stable")]
    x, y = problem.size(problem.sheets[sheet])
    place = _placed(lengths[sequence], widths[sequence], x, y, problem.stages, bool(trial % 2))
    made: list[list[Box]] = [[] for _ in range(int(place[:, 0].max()) + 1)]
    for i, (number, px, py) in zip(sequence, place, strict=True):
        made[int(number)].append(boxed(problem, (int(orders[i]), turned[i]), int(px), int(py)))
    return [tuple(boxes) for boxes in made], False


@njit(cache=True)
def _placed(lengths: Ints, widths: Ints, x: int, y: int, stages: int, best_fit: bool) -> Any:  # noqa: PLR0912  # one compiled loop: three ways to place a piece
    """Return sheet, x and y of each piece: into the stack, strip or sheet that takes it with least waste (or the first)."""
    count = len(lengths)
    place = np.zeros((count, 3), dtype=np.int64)
    strip = np.zeros((count, 4), dtype=np.int64)  # sheet, y, height, length used
    stack = np.zeros((count, 4), dtype=np.int64)  # strip, x, length, height used
    sheet = np.zeros(count, dtype=np.int64)  # height used
    strips, stacks, sheets = 0, 0, 0
    for i in range(count):
        least, way, at = 1 << 60, 0, -1
        if stages == 3:
            for k in range(stacks):
                if lengths[i] <= stack[k, 2] and stack[k, 3] + widths[i] <= strip[stack[k, 0], 2]:
                    waste = (stack[k, 2] - lengths[i]) * widths[i]
                    if waste < least:
                        least, way, at = waste, 1, k
                        if not best_fit:
                            break
        if way == 0 or best_fit:
            for k in range(strips):
                if widths[i] <= strip[k, 2] and strip[k, 3] + lengths[i] <= x:
                    rest = (strip[k, 2] - widths[i]) * lengths[i]
                    waste = rest // 2 if stages == 3 else rest
                    if waste < least:
                        least, way, at = waste, 2, k
                        if not best_fit:
                            break
        if way == 0:
            at = -1
            for k in range(sheets):
                if sheet[k] + widths[i] <= y and (at < 0 or (best_fit and sheet[k] > sheet[at])):
                    at = k
            if at < 0:
                at = sheets
                sheets += 1
            strip[strips, 0], strip[strips, 1], strip[strips, 2], strip[strips, 3] = at, sheet[at], widths[i], 0
            sheet[at] += widths[i]
            at, way = strips, 2
            strips += 1
        if way == 2:
            stack[stacks, 0], stack[stacks, 1], stack[stacks, 2], stack[stacks, 3] = at, strip[at, 3], lengths[i], 0
            strip[at, 3] += lengths[i]
            at = stacks
            stacks += 1
        own = stack[at, 0]
        place[i, 0], place[i, 1], place[i, 2] = strip[own, 0], stack[at, 1], strip[own, 1] + stack[at, 3]
        stack[at, 3] += widths[i]
    return place
