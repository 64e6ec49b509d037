"""A blank on its own strip: the turn, the layout and the offset of the second row at which pitch × width per blank is least.

    minimise  pitch · width ÷ blanks a pitch   over  the turn θ, the layout (one-up, two-up, head-to-head, a pair of two parts),
    the second row's height dy and shift dx;  nothing nearer than the bridge, edges kept free by the margin

Every layout is periodic, so one pitch tells all (`lattice`). Turns and heights are walked on a grid, the best are sharpened by
halving; the answer is the best of what was tried, and the bound is the area of the blank with half a bridge around it: what no
layout with straight bridges between convex neighbours undercuts is not claimed, only the plain area bound is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from shapely.affinity import rotate, scale
from shapely.geometry import Polygon

from zerofactory.errors import Text
from zerofactory.optimisation.material.lattice import Floats, over_heights, overlapping, shortest_pitch

LAYOUTS = {
    "one_up": Text("单排", "one-up"),
    "two_up": Text("双排", "two-up"),
    "head_to_head": Text("对头双排", "head-to-head"),
    "mirrored": Text("镜像对排", "mirrored pair"),
    "pair": Text("左右件对排", "pair of two parts"),
}
QUARTER, COARSE = (
    16,
    3,
)  # chords in a quarter circle when a blank is widened (the chord's loss is added back): finely, in the walk
ROUGH_MM = 0.3  # corners nearer than this to the line are left out of the walk, never of the answer
TURN_STEP_DEGREES, HEIGHTS, SHARPEN, STARTS = 3.0, 40, 9, 12


@dataclass(frozen=True, slots=True)
class StripRules:
    """What the die asks: least bridge between blanks, margin (carrier) at each edge, widest strip, and how far a blank may be
    turned against the rolling direction (``turns_degrees``: those allowed; None any)."""

    bridge_mm: float
    margin_mm: float
    widest_mm: float = math.inf
    turns_degrees: tuple[float, ...] | None = None
    tolerance_degrees: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A blank in the first pitch: which part, turned by and then moved by."""

    part: str
    rotation_degrees: float
    x_mm: float
    y_mm: float
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class StripLayout:
    """A periodic layout: strip of ``width_mm`` fed by ``pitch_mm`` holds the placed blanks once a stroke."""

    layout: str
    pitch_mm: float
    width_mm: float
    placed: tuple[Placed, ...]
    area_mm2: float
    runtime_s: float = 0.0
    tried: int = 0

    @property
    def area_a_blank_mm2(self) -> float:
        """Strip used for one blank (for one of each, where two parts are paired)."""
        return self.pitch_mm * self.width_mm / len(self.placed)

    @property
    def utilisation_fraction(self) -> float:
        """Area of the blanks ÷ pitch × width."""
        return self.area_mm2 / (self.pitch_mm * self.width_mm)


def turned(outline: Polygon, placed: Placed) -> Polygon:
    """Return an outline where it lies: mirrored, turned about its own origin, moved."""
    from shapely.affinity import translate

    shape = scale(outline, 1.0, -1.0, origin=(0.0, 0.0)) if placed.mirrored else outline
    shape = rotate(shape, placed.rotation_degrees, origin=(0.0, 0.0))
    return translate(shape, placed.x_mm, placed.y_mm)


def widened(shape: Polygon, bridge_mm: float, chords: int = QUARTER) -> Polygon:
    """Return a shape with everything nearer than the bridge; its round corners lie outside the true ones."""
    outer = Polygon(shape.exterior)
    if bridge_mm <= 0:
        return outer
    return Polygon(outer.buffer(bridge_mm / math.cos(math.pi / (4 * chords)), quad_segs=chords).exterior)


def search(
    parts: Sequence[tuple[str, Polygon]], rules: StripRules, layouts: Sequence[str] | None = None
) -> StripLayout | None:
    """Return the layout that takes least strip for a blank, None where none fits the widest strip.

    Parameters
    ----------
    parts : (id, outline) of the blank; two of them are laid as a pair, one of each a pitch.
    layouts : of `LAYOUTS`; None tries one-up, two-up and head-to-head (for two parts: the pair both ways).

    Examples
    --------
    Right triangles lie best head to head: two fill a rectangle.

    >>> triangle = Polygon([(0, 0), (60, 0), (0, 40)])
    >>> found = search([("t", triangle)], StripRules(0.0, 0.0, turns_degrees=(0.0,)))
    >>> found.layout, round(found.utilisation_fraction, 3)
    ('head_to_head', 1.0)
    """
    started = time.perf_counter()
    wanted = tuple(layouts or (("pair",) if len(parts) > 1 else ("one_up", "two_up", "head_to_head")))
    rough = [(name, shape.simplify(ROUGH_MM)) for name, shape in parts]
    coarse: list[tuple[float, float, str, float]] = []
    best, tried = math.inf, 0
    for turn in _turns(rules, TURN_STEP_DEGREES):
        for layout in wanted:
            for flip in (0.0, 180.0) if layout == "pair" else (0.0,):
                cell = _Cell(rough, rules, (layout, turn, flip), COARSE)
                for value, dy in cell.values(cell.heights(), best * 1.08):
                    coarse.append((value, turn, f"{layout}:{flip:g}", dy))
                    best = min(best, value)
                tried += HEIGHTS
    coarse.sort()
    found: tuple[float, StripLayout] | None = None
    for value, turn, name, dy in _distinct(coarse):
        sharp = _sharpened(parts, rules, (value, turn, name, dy))
        if sharp is not None and (found is None or sharp[0] < found[0] - 1e-9):
            found = sharp
        tried += SHARPEN * 9
    if found is None:
        return None
    one = found[1]
    return StripLayout(
        one.layout, one.pitch_mm, one.width_mm, one.placed, one.area_mm2, time.perf_counter() - started, tried
    )


def _distinct(coarse: Sequence[tuple[float, float, str, float]]) -> Iterator[tuple[float, float, str, float]]:
    """Yield the best starts, one for each turn and layout."""
    seen: set[tuple[float, str]] = set()
    for entry in coarse:
        if (entry[1], entry[2]) not in seen:
            seen.add((entry[1], entry[2]))
            yield entry
        if len(seen) == STARTS:
            return


def _turns(rules: StripRules, step: float) -> list[float]:
    """Return the turns to try: those allowed, each with its tolerance, or half a circle (the strip looks the same from behind)."""
    if rules.turns_degrees is None:
        return [float(turn) for turn in np.arange(0.0, 180.0, step)]
    found: set[float] = set()
    for turn in rules.turns_degrees:
        width = rules.tolerance_degrees
        count = max(1, math.ceil(width / step)) if width > 0 else 0
        found |= {round(turn + width * k / count, 9) if count else turn for k in range(-count, count + 1)}
    return sorted(found)


def _is_allowed(rules: StripRules, turn: float) -> bool:
    if rules.turns_degrees is None:
        return True
    return any(abs((turn - one + 180) % 360 - 180) <= rules.tolerance_degrees + 1e-9 for one in rules.turns_degrees)


class _Cell:
    """One turn and layout: the shapes and what they forbid each other, ready for any height of the second row."""

    def __init__(
        self,
        parts: Sequence[tuple[str, Polygon]],
        rules: StripRules,
        lies: tuple[str, float, float],
        chords: int = QUARTER,
    ) -> None:
        layout, turn, flip = lies
        self.rules, self.layout, self.turn = rules, layout, turn
        self.names = [parts[0][0]] + ([] if layout == "one_up" else [parts[-1][0]])
        self.turns = [turn, turn + (180.0 if layout == "head_to_head" else flip)]
        self.mirrored = layout == "mirrored"
        first = rotate(parts[0][1], turn, origin=(0.0, 0.0))
        other = scale(parts[-1][1], 1.0, -1.0, origin=(0.0, 0.0)) if self.mirrored else parts[-1][1]
        second = rotate(other, self.turns[1], origin=(0.0, 0.0))
        self.a, self.b = _corners(first), _corners(second)
        self.wide = _corners(widened(first, rules.bridge_mm, chords))
        self.own = overlapping(self.wide, self.a, 0.0)
        self.other = (
            np.zeros((0, 2))
            if layout == "one_up"
            else overlapping(_corners(widened(second, rules.bridge_mm, chords)), self.b, 0.0)
        )
        self.area_mm2 = float(first.area + (0.0 if layout == "one_up" else second.area))

    def heights(self) -> Floats:
        """Return heights of the second row above the first, from clear below to clear above."""
        if self.layout == "one_up":
            return np.zeros(1)
        low = self.wide[:, 1].min() - self.b[:, 1].max()
        high = self.wide[:, 1].max() - self.b[:, 1].min()
        return np.linspace(low, high, HEIGHTS)

    def values(self, heights: Floats, to_beat: float) -> list[tuple[float, float]]:
        """Return (strip a blank, height) of the heights that beat a value."""
        rows = self._rows(heights, to_beat)
        number = len(self.names)
        return [
            (row[0] * row[2] / number, float(dy)) for row, dy in zip(rows, heights, strict=True) if np.isfinite(row[0])
        ]

    def _rows(self, heights: Floats, to_beat: float) -> Floats:
        margin = 2 * self.rules.margin_mm
        if self.layout == "one_up":
            across = float(np.ptp(self.a[:, 1])) + margin
            if across > self.rules.widest_mm:
                return np.full((1, 3), np.inf)
            most = float(self.own[:, 1].max()) if len(self.own) else 1.0
            pitch, _ = shortest_pitch(self.own, self.other, np.zeros((0, 2)), self.area_mm2 / across, most)
            return np.array([[pitch, 0.0, across]])
        beat = to_beat * len(self.names)
        if math.isinf(beat):
            widest = float(np.ptp(self.a[:, 1]) + np.ptp(self.b[:, 1])) + self.rules.bridge_mm + margin
            beat = widest * (float(np.ptp(self.wide[:, 0])) + float(np.ptp(self.b[:, 0])) + self.rules.bridge_mm)
        limits = np.array([self.area_mm2, beat, margin, self.rules.widest_mm])
        rows: Floats = over_heights((self.a, self.wide), self.b, (self.own, self.other), heights, limits)
        return rows

    def layout_at(self, dy: float) -> StripLayout | None:
        """Return the whole layout at one height of the second row."""
        pitch, shift, across = (float(one) for one in self._rows(np.array([dy]), math.inf)[0])
        if not math.isfinite(pitch):
            return None
        bottom = (
            float(self.a[:, 1].min())
            if len(self.names) == 1
            else min(float(self.a[:, 1].min()), float(self.b[:, 1].min()) + dy)
        )
        rise = self.rules.margin_mm - bottom
        placed = [Placed(self.names[0], self.turns[0], 0.0, rise)]
        if len(self.names) > 1:
            placed.append(Placed(self.names[1], self.turns[1], shift, rise + dy, self.mirrored))
        return StripLayout(self.layout, pitch, across, tuple(placed), self.area_mm2)


def _sharpened(
    parts: Sequence[tuple[str, Polygon]], rules: StripRules, start: tuple[float, float, str, float]
) -> tuple[float, StripLayout] | None:
    """Halve the steps of turn and height around a start until they are fine; return the value and the layout."""
    _, turn, name, dy = start
    layout, flip = name.split(":")[0], float(name.split(":")[1])
    turn_step = TURN_STEP_DEGREES / 2
    cell = _Cell(parts, rules, (layout, turn, flip))
    spread = cell.heights()
    dy_step = float(spread[1] - spread[0]) if len(spread) > 1 else 0.0
    best = min(cell.values(np.array([dy]), math.inf), default=(math.inf, dy))
    for _ in range(SHARPEN):
        at = turn
        for angle in (at - turn_step, at, at + turn_step):
            if not _is_allowed(rules, angle):
                continue
            near = _Cell(parts, rules, (layout, angle, flip))
            around = np.array([best[1] + dy_step * k / 2 for k in range(-4, 5)]) if dy_step else np.zeros(1)
            value = min(near.values(around, best[0]), default=(math.inf, dy))
            if value[0] < best[0] - 1e-9:
                best, turn = value, angle
        turn_step, dy_step = turn_step / 2, dy_step / 2
    found = _Cell(parts, rules, (layout, turn, flip)).layout_at(best[1])
    return None if found is None else (found.area_a_blank_mm2, found)


def _corners(shape: Polygon) -> Floats:
    return np.asarray(shape.exterior.coords[:-1], dtype=np.float64)
