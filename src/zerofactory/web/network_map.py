"""Maps drawn by ourselves, without tiles from outside: nodes and flows of a network, rounds around a plant, as SVG.

Projection: equirectangular about the middle latitude (x = longitude · cos φ, y = latitude), true enough over a country; rounds are in
kilometres already. Labels move down until they hide no other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from zerofactory.web.charts import PALETTE

WIDTH, MARGIN = 960.0, 60.0
COLOUR = {
    "diesel": "#8a4b08",
    "lng": "#c98a1b",
    "battery": "#0b6e4f",
    "fuel": "#2d6a8e",
    "rail": "#7a4e9e",
    "ship": "#3c6e91",
}
MOST_WIDE, THIN = 9.0, 1.2
LINE = 15.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on a map: where, what it is called, its mark."""

    x: float
    y: float
    label: str
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line on a map through points, its colour, width and what it says."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float
    title: str


def projected(places: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude as flat coordinates, north up.

    Examples
    --------
    >>> projected({"a": (30.0, 120.0), "b": (30.0, 121.0)})["b"][0] - projected({"a": (30.0, 120.0), "b": (30.0, 121.0)})["a"][0] < 1.0
    True
    """
    middle = math.radians(sum(latitude for latitude, _ in places.values()) / max(len(places), 1))
    return {name: (longitude * math.cos(middle), -latitude) for name, (latitude, longitude) in places.items()}


def colour_of(vehicle: str) -> str:
    """Return the colour of a vehicle by its energy or mode, from the first word of its id."""
    return COLOUR.get(vehicle.split("_", 1)[0], "#5f6368")


def stroke_width(tonnes: float, most: float) -> float:
    """Return how wide a flow is drawn: its area grows with the tonnes."""
    return THIN + (MOST_WIDE - THIN) * math.sqrt(max(tonnes, 0.0) / most) if most > 0 else THIN


def svg(spots: Sequence[Spot], strokes: Sequence[Stroke], name: str) -> str:
    """Return a map; every text is escaped."""
    xs = [spot.x for spot in spots] or [0.0]
    ys = [spot.y for spot in spots] or [0.0]
    span = max(max(xs) - min(xs), (max(ys) - min(ys)) * 1.2, 1e-9)
    scale = (WIDTH - 2 * MARGIN) / span
    height = (max(ys) - min(ys)) * scale + 2 * MARGIN

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return MARGIN + (point[0] - min(xs)) * scale, MARGIN + (point[1] - min(ys)) * scale

    look = 'style="width:100%;max-height:560px;font-family:inherit"'
    parts = [f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{escape(name, quote=True)}" {look}>']
    parts += [_line(stroke, [place(point) for point in stroke.points]) for stroke in strokes]
    parts += _marks([(spot, *place((spot.x, spot.y))) for spot in spots])
    return "".join([*parts, "</svg>"])


def _line(stroke: Stroke, points: Sequence[tuple[float, float]]) -> str:
    way = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    if len(points) == 2:
        (x1, y1), (x2, y2) = points
        bend = 0.08
        way += f"Q{(x1 + x2) / 2 + (y2 - y1) * bend:.1f},{(y1 + y2) / 2 - (x2 - x1) * bend:.1f} {x2:.1f},{y2:.1f}"
    else:
        way += "".join(f"L{x:.1f},{y:.1f}" for x, y in points[1:])
    return (
        f'<path d="{way}" fill="none" stroke="{stroke.colour}" stroke-width="{stroke.width:.1f}" stroke-opacity="0.75" stroke-linecap="round">'
        f"<title>{escape(stroke.title)}</title></path>"
    )


def _marks(spots: Sequence[tuple[Spot, float, float]]) -> list[str]:
    """Return the marks and their labels, each label moved down until it hides no other."""
    taken: list[tuple[float, float, float]] = []
    parts = []
    for spot, x, y in sorted(spots, key=lambda one: (one[2], one[1])):
        radius, fill = (6.0, "#b3261e") if spot.is_main else (3.5, "currentColor")
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}"/>')
        if not spot.label:
            continue
        wide = sum(14.0 if ord(letter) > 0x2E80 else 7.5 for letter in spot.label)
        left = x - wide - 8 if x + wide + 10 > WIDTH else x + 8
        line = y + 4
        while any(abs(line - other) < LINE and left < end and begin < left + wide for begin, end, other in taken):
            line += LINE
        taken.append((left, left + wide, line))
        parts.append(
            f'<text x="{left:.1f}" y="{line:.1f}" font-size="13" fill="currentColor">{escape(spot.label)}</text>'
        )
    return parts


def round_colour(number: int) -> str:
    """Return the colour of a round by its number."""
    return PALETTE[number % len(PALETTE)]
