"""Irregular parts of several kinds on one strip: spyrrow from one or several seeds, then our own compaction.

    minimise  L   such that every part lies in [0, L] × [0, width], none nearer to another than the bridge

spyrrow (sparrow: Gardeyn, Vanden Berghe, Wauters 2025, arXiv:2509.13329) searches; what
it leaves is pressed together by a linear programme over small moves: each pair of convex pieces that are near keeps on its
side of a line between them (Gomes and Oliveira 2006, doi 10.1016/j.ejor.2004.09.008). Rounds of it never lengthen the strip.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import Polygon

from zerofactory.errors import Text
from zerofactory.optimisation.material.compaction import Floats, constraints
from zerofactory.optimisation.material.cuts import Bound
from zerofactory.optimisation.material.progressive import Placed, turned
from zerofactory.optimisation.solving.linear import Draft
from zerofactory.optimisation.solving.solver import Options, solve

POLISH_SHARE = 0.08  # of the time, kept for the compaction
ROUNDS, NEAR_SHARE, SETTLED = 12, 0.04, 1e-6
HAIR_MM = (
    1e-4  # what the search's single precision may have taken from a bridge; a round gives it back, even at some length
)
SECONDS_A_SEED = 60.0  # a search is not cut shorter to make room for another seed


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be cut ``pieces`` times; ``turns_degrees`` are those allowed, None any."""

    id: str
    outline: Polygon
    pieces: int
    turns_degrees: tuple[float, ...] | None = (0.0, 180.0)
    row: int | None = None


@dataclass(frozen=True, slots=True)
class StripProblem:
    """Parts for one strip (a coil's width, its length to be found): bridge between parts, margin along both edges."""

    parts: tuple[Part, ...]
    width_mm: float
    bridge_mm: float = 0.0
    margin_mm: float = 0.0

    @property
    def area_mm2(self) -> float:
        """Area of all pieces."""
        return float(sum(one.outline.area * one.pieces for one in self.parts))


@dataclass(frozen=True, slots=True)
class StripPlan:
    """Where every piece lies, the length of strip it takes, and the bound by area."""

    length_mm: float
    placed: tuple[Placed, ...]
    bound: Bound
    runtime_s: float
    pressed_mm: float


def plan(problem: StripProblem, time_s: float = 20.0, seed: int = 1) -> StripPlan:
    """Return the shortest strip found in the time given; the same seed and machine may still differ with the time.

    Parameters
    ----------
    problem : sound (see `outline_check.part_faults`).
    time_s : for the whole search; whole seconds are spent.
    """
    started = time.perf_counter()
    pieces = {one.id: convex_pieces(one.outline) for one in problem.parts}
    seeds = max(1, int(time_s // SECONDS_A_SEED))
    left_s = time_s * (1 - POLISH_SHARE) - (time.perf_counter() - started)
    found = [_search(problem, left_s / seeds, seed + k) for k in range(seeds)]
    best: tuple[float, tuple[Placed, ...]] | None = None
    before = min(_length(problem, placed) for placed in found)
    for placed in sorted(found, key=lambda one: _length(problem, one)):
        pressed = press(problem, placed, pieces, started + time_s)
        length = _length(problem, pressed)
        if best is None or length < best[0]:
            best = (length, pressed)
    assert best is not None  # noqa: S101  # narrowing: there is a seed
    least = problem.area_mm2 / (problem.width_mm - 2 * problem.margin_mm)
    bound = Bound(
        best[0], least, Text("mm 条料", "mm of strip"), Text("零件面积 ÷ 可用宽度", "area of the parts ÷ usable width")
    )
    return StripPlan(best[0], best[1], bound, time.perf_counter() - started, before - best[0])


def _search(problem: StripProblem, time_s: float, seed: int) -> tuple[Placed, ...]:
    """Return where one search of spyrrow puts every piece; shapes are handed over widened by half the bridge."""
    import spyrrow

    half = problem.bridge_mm / 2
    items = [
        spyrrow.Item(
            part.id, _hull(part.outline, half), part.pieces, None if part.turns_degrees is None else list(part.turns_degrees)
        )
        for part in problem.parts
    ]  # fmt: skip
    room = problem.width_mm - 2 * problem.margin_mm + 2 * half
    instance = spyrrow.StripPackingInstance("strip", room, items)
    whole = max(2, round(time_s))
    search_s = max(1, round(0.8 * whole))
    config = spyrrow.StripPackingConfig(
        early_termination=False, total_computation_time=None, exploration_time=search_s, compression_time=max(1, whole - search_s), seed=seed,
    )  # fmt: skip
    answer = instance.solve(config)
    return tuple(
        Placed(one.id, one.rotation % 360.0, one.translation[0] - half, one.translation[1] - half + problem.margin_mm)
        for one in answer.placed_items
    )


def _hull(outline: Polygon, half: float) -> list[tuple[float, float]]:
    """Return the outer corners of a shape widened by half the bridge."""
    outer = Polygon(outline.exterior)
    if half > 0:
        outer = Polygon(outer.buffer(half / math.cos(math.pi / 16), quad_segs=4).exterior)
    return [(float(x), float(y)) for x, y in outer.exterior.coords]


def _length(problem: StripProblem, placed: Sequence[Placed]) -> float:
    outlines = {one.id: one.outline for one in problem.parts}
    return float(max(turned(outlines[one.part], one).bounds[2] for one in placed))


def press(
    problem: StripProblem,
    placed: tuple[Placed, ...],
    pieces: dict[str, list[Floats]] | None = None,
    deadline: float = math.inf,
) -> tuple[Placed, ...]:
    """Return the layout pressed together: rounds of small moves, each an exact linear programme, while the strip gets shorter.

    No round begins after the ``deadline`` but the first, which gives back what a bridge lacks.
    """
    outlines = {one.id: one.outline for one in problem.parts}
    pieces = pieces or {one.id: convex_pieces(one.outline) for one in problem.parts}
    reach = NEAR_SHARE * math.sqrt(problem.area_mm2 / max(1, len(placed)))
    length = _length(problem, placed)
    for number in range(ROUNDS):
        if number and time.perf_counter() > deadline:
            break
        moved, lacking = _round(problem, placed, (pieces, outlines), reach)
        if moved is None:
            break
        shorter = _length(problem, moved)
        if shorter > length - SETTLED * length and lacking <= HAIR_MM:
            break
        placed, length = moved, shorter
    return placed


def _round(
    problem: StripProblem,
    placed: tuple[Placed, ...],
    shapes: tuple[dict[str, list[Floats]], dict[str, Polygon]],
    reach: float,
) -> tuple[tuple[Placed, ...] | None, float]:
    """Return the layout after one programme of moves no longer than ``reach`` (None where it has no answer), and what a bridge lacked before."""
    pieces, outlines = shapes
    corners, owner = [], []
    for number, one in enumerate(placed):
        angle = math.radians(one.rotation_degrees)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        for piece in pieces[one.part]:
            corners.append(piece @ turn + np.array([one.x_mm, one.y_mm]))
            owner.append(number)
    starts = np.concatenate([[0], np.cumsum([len(piece) for piece in corners])]).astype(np.int64)
    rows = constraints(np.concatenate(corners), starts, np.array(owner, dtype=np.int64), 2 * reach + problem.bridge_mm)
    moves = _moves(problem, [turned(outlines[one.part], one).bounds for one in placed], rows, reach)
    lacking = float((problem.bridge_mm - rows[:, 4]).max(initial=0.0))
    if moves is None:
        return None, lacking
    moved = tuple(
        replace(one, x_mm=one.x_mm + float(dx), y_mm=one.y_mm + float(dy))
        for one, (dx, dy) in zip(placed, moves, strict=True)
    )
    return moved, lacking


def _moves(
    problem: StripProblem, bounds: Sequence[tuple[float, float, float, float]], rows: Floats, reach: float
) -> Floats | None:
    """Solve for the moves. A row of ``rows``: the two owners, the direction, the gap along it now."""
    box, count = np.array(bounds), len(bounds)
    top = problem.width_mm - problem.margin_mm
    draft = Draft()
    x = draft.add_columns("x", count, np.maximum(-reach, -box[:, 0]), reach)
    low = np.maximum(-reach, problem.margin_mm - box[:, 1])
    y = draft.add_columns("y", count, np.minimum(low, 0.0), np.maximum(np.minimum(reach, top - box[:, 3]), 0.0))
    length = draft.add_columns("length", 1, 0.0, cost=1.0)
    ends = draft.add_rows("ends", count, ">=", box[:, 2])
    draft.put(ends, x, -1.0)
    draft.put(ends, length, 1.0)
    first, second = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    apart = draft.add_rows("apart", len(rows), ">=", problem.bridge_mm - rows[:, 4])
    for block, axis in ((x, 2), (y, 3)):
        draft.put(apart, block.places[second], rows[:, axis])
        draft.put(apart, block.places[first], -rows[:, axis])
    found = solve(draft.finish(), Options(engine="highs"))
    return np.stack([found.value("x"), found.value("y")], axis=1) if found.report.status.has_answer else None


def convex_pieces(outline: Polygon) -> list[Floats]:
    """Return convex pieces that make up a shape (holes filled), corners anticlockwise: triangles joined where they stay convex."""
    outer = Polygon(outline.exterior)
    convex = outer.equals(outer.convex_hull)
    parts = [outer] if convex else list(shapely.constrained_delaunay_triangles(outer).geoms)
    merged = True
    while merged and len(parts) > 1:
        merged = False
        for i in range(len(parts)):
            for j in range(i + 1, len(parts)):
                both = parts[i].union(parts[j])
                if both.geom_type == "Polygon" and both.convex_hull.area <= both.area * (1 + 1e-12):
                    parts[i] = both.convex_hull
                    del parts[j]
                    merged = True
                    break
            if merged:
                break
    return [np.asarray(shapely.geometry.polygon.orient(one).exterior.coords[:-1], dtype=np.float64) for one in parts]
