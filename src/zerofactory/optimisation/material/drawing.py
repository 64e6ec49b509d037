"""Layouts drawn: SVG with titles and labels in both languages, and DXF with a layer a use (millimetres)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from shapely.geometry import Polygon

from zerofactory.errors import Language, Text

FILLS = {"piece": "#8fb8a8", "trim": "#d9c6a5", "leftover": "#c3d3e6", "scrap": "#eceff1"}
WORDS = {
    "piece": Text("零件", "piece"), "trim": Text("切边", "edge trim"), "leftover": Text("余料", "leftover"), "scrap": Text("废料", "scrap"),
}  # fmt: skip
COLOURS = {"piece": 3, "trim": 2, "leftover": 5, "scrap": 8, "edge": 7}  # of the DXF colour index
DRAWN_WIDTH, LINE, LEFT, MOST_HEIGHT = 920.0, 15.0, 12.0, 340.0


@dataclass(frozen=True, slots=True)
class Shape:
    """One closed line of a drawing: what it is, its label, its rings (the edge first) in mm."""

    use: str
    label: str
    rings: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One coil, sheet or strip: its size in mm, how often it is cut so, and what lies on it."""

    title: Text
    length_mm: float
    width_mm: float
    shapes: tuple[Shape, ...]


def rectangle(use: str, label: str, x: float, y: float, size: tuple[float, float]) -> Shape:
    """Return a rectangle as a shape."""
    length, width = size
    return Shape(use, label, (((x, y), (x + length, y), (x + length, y + width), (x, y + width)),))


def outline(use: str, label: str, polygon: Polygon) -> Shape:
    """Return a polygon as a shape."""
    rings = [polygon.exterior, *polygon.interiors]
    return Shape(use, label, tuple(tuple((float(x), float(y)) for x, y in ring.coords[:-1]) for ring in rings))


def svg(title: Text, panels: Sequence[Panel], language: Language) -> str:
    """Return the panels under each other as one SVG; it carries a title, a description and a label on every shape.

    Examples
    --------
    >>> panel = Panel(Text("卷", "coil"), 1000.0, 500.0, (rectangle("piece", "a", 0.0, 0.0, (1000.0, 300.0)),))
    >>> text = svg(Text("方案", "plan"), [panel], "en")
    >>> text.startswith("<svg"), "<title>plan</title>" in text, text.count("<path")
    (True, True, 2)
    """
    parts: list[str] = []
    y = 2 * LINE + 8
    for panel in panels:
        drawn, height = _panel(panel, y, language)
        parts += drawn
        y += height
    legend = " · ".join(f"{word.in_language(language)}" for use, word in WORDS.items() if _has(panels, use))
    heading = escape(title.in_language(language))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{DRAWN_WIDTH + 2 * LEFT:.0f}" height="{y:.0f}" '
        f'viewBox="0 0 {DRAWN_WIDTH + 2 * LEFT:.0f} {y:.0f}" font-family="sans-serif" font-size="11" fill="#22343c">'
    )
    lines = [head, f"<title>{heading}</title>", f"<desc>{escape(title.zh)} / {escape(title.en)}</desc>"]
    lines.append(f'<text x="{LEFT}" y="{LINE}" font-size="13" font-weight="bold">{heading}</text>')
    lines.append(f'<text x="{LEFT}" y="{2 * LINE}" fill="#5b6b73">{escape(legend)}</text>')
    return "\n".join([*lines, *parts, "</svg>", ""])


def _has(panels: Sequence[Panel], use: str) -> bool:
    return any(shape.use == use for panel in panels for shape in panel.shapes)


def _panel(panel: Panel, top: float, language: Language) -> tuple[list[str], float]:
    """Return the lines of a panel and its height; both axes have one scale unless the panel is far longer than wide."""
    across = DRAWN_WIDTH / panel.length_mm
    up = across if panel.width_mm * across >= 90.0 else 90.0 / panel.width_mm
    if panel.width_mm * up > MOST_HEIGHT:
        up = MOST_HEIGHT / panel.width_mm
        across = min(across, up)
    height = panel.width_mm * up
    base = top + LINE + height

    def at(point: tuple[float, float]) -> str:
        return f"{LEFT + point[0] * across:.2f} {base - point[1] * up:.2f}"

    def path(shape: Shape) -> str:
        return " ".join("M" + " L".join(at(point) for point in ring) + " Z" for ring in shape.rings)

    lines = [f'<text x="{LEFT}" y="{top + LINE - 4:.1f}">{escape(panel.title.in_language(language))}</text>']
    edge = rectangle("scrap", "", 0.0, 0.0, (panel.length_mm, panel.width_mm))
    lines.append(f'<path d="{path(edge)}" fill="{FILLS["scrap"]}" stroke="#22343c" stroke-width="0.8"/>')
    for shape in panel.shapes:
        said = f"{WORDS[shape.use].in_language(language)} {shape.label}".strip()
        lines.append(
            f'<g role="img" aria-label={quoteattr(said)}><title>{escape(said)}</title>'
            f'<path d="{path(shape)}" fill="{FILLS[shape.use]}" fill-rule="evenodd" stroke="#22343c" stroke-width="0.5"/>'
            f"{_label(shape, across, up, base)}</g>"
        )
    return lines, height + 2 * LINE


def _label(shape: Shape, across: float, up: float, base: float) -> str:
    """Return the label inside a shape where there is room for it."""
    xs, ys = [p[0] for p in shape.rings[0]], [p[1] for p in shape.rings[0]]
    width, height = (max(xs) - min(xs)) * across, (max(ys) - min(ys)) * up
    needed = sum(5.6 if letter.isascii() else 9.4 for letter in shape.label)
    if not shape.label or height < 10 or width < needed + 3:
        return ""
    middle = Polygon(shape.rings[0]).representative_point()  # inside, whatever the shape
    x, y = LEFT + middle.x * across, base - middle.y * up
    return f'<text x="{x:.1f}" y="{y + 3.5:.1f}" text-anchor="middle" font-size="9">{escape(shape.label)}</text>'


def dxf(panels: Sequence[Panel]) -> str:
    """Return the panels above each other as an ASCII DXF (R2010, millimetres), a layer a use, labels as text."""
    import ezdxf

    document = ezdxf.new("R2010", units=4)  # type: ignore[attr-defined]
    for use, colour in COLOURS.items():
        document.layers.add(use.upper(), color=colour)
    space = document.modelspace()
    bottom = 0.0
    for panel in panels:
        frame = [
            (0.0, bottom),
            (panel.length_mm, bottom),
            (panel.length_mm, bottom + panel.width_mm),
            (0.0, bottom + panel.width_mm),
        ]
        space.add_lwpolyline(frame, close=True, dxfattribs={"layer": "EDGE"})
        for shape in panel.shapes:
            for ring in shape.rings:
                space.add_lwpolyline(
                    [(x, y + bottom) for x, y in ring], close=True, dxfattribs={"layer": shape.use.upper()}
                )
            if shape.label:
                x, y = shape.rings[0][0]
                space.add_text(
                    shape.label, height=max(2.0, panel.width_mm / 60), dxfattribs={"layer": shape.use.upper()}
                ).set_placement((x, y + bottom))
        bottom += panel.width_mm * 1.25
    stream = io.StringIO()
    document.write(stream)
    return stream.getvalue()  # fmt: skip
