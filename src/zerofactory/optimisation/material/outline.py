"""Outlines of blanks from JSON, DXF and SVG: bounded before they are read, in millimetres, and every fault in words.

Nothing in a file is trusted: its size, the number of its elements and corners are bounded; an SVG with a document type,
entities, references or scripts is refused before it is parsed; a DXF is read as text only. Only what draws a line counts.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import shapely
from shapely.geometry import LineString, Polygon
from shapely.validation import explain_validity

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import json_of
from zerofactory.optimisation.material.cuts import fault

MOST_BYTES, MOST_ELEMENTS, MOST_CORNERS = 4_000_000, 4_000, 4_000
CHORD_MM = 0.05  # how far a chord may lie from its arc
JOIN_MM = 0.02  # ends nearer than this are one
LARGEST_MM, SMALLEST_MM = 6_000.0, 2.0
SVG_REFUSED = re.compile(
    rb"<!DOCTYPE|<!ENTITY|<\s*(?:\w+:)?(use|image|script|foreignObject|style|iframe|symbol|pattern)\b", re.IGNORECASE
)
SVG_TAG = re.compile(rb"<[A-Za-z]")
SVG_LENGTH = re.compile(r"^\s*[0-9.eE+-]+\s*(mm|cm|in)\s*$")
DXF_UNITS = {1: 25.4, 4: 1.0, 5: 10.0, 6: 1000.0}
DXF_DRAWN = ("LINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE", "LWPOLYLINE", "POLYLINE")
Point = tuple[float, float]


def read_outline(content: bytes, name: str) -> Polygon:
    """Return the outline in a file, its corner box at the origin; the kind of file is told by its name.

    Raises
    ------
    FaultyData
        Too large, unreadable, of an unknown kind, without a unit, not one closed line, or a line that crosses itself.

    Examples
    --------
    >>> square = read_outline(b'{"unit": "mm", "points": [[10, 0], [60, 0], [60, 40], [10, 40]]}', "part.json")
    >>> square.area, square.bounds
    (2000.0, (0.0, 0.0, 50.0, 40.0))
    """
    kind = name.lower().rsplit(".", 1)[-1]
    if len(content) > MOST_BYTES:
        raise FaultyData([_too_large(name, Text(f"{len(content)} B", f"{len(content)} B"), f"{MOST_BYTES} B")])
    readers = {"json": _json, "dxf": _dxf, "svg": _svg}
    if kind not in readers:
        raise FaultyData([fault("kind", Text(f"“{name}”不是 JSON、DXF 或 SVG。", f"'{name}' is no JSON, DXF or SVG."), Text("请换一种格式。", "Use one of these.")).at(file=name)])  # fmt: skip
    try:
        rings = readers[kind](content, name)
    except FaultyData:
        raise
    except Exception as broken:
        raise FaultyData([_unreadable(name, Text("写法不对", str(broken)[:120]))]) from None
    return outline_of(rings, name)


def outline_of(rings: Sequence[Sequence[Point]], name: str) -> Polygon:
    """Return the outline of closed lines: the largest is the edge, those inside are holes; refuse everything else."""
    corners = sum(len(ring) for ring in rings)
    if corners > MOST_CORNERS:
        raise FaultyData([_too_large(name, Text(f"{corners} 个顶点", f"{corners} corners"), f"{MOST_CORNERS}")])
    flat = [value for ring in rings for point in ring for value in point]
    if not all(math.isfinite(value) and abs(value) < 1e7 for value in flat):
        raise FaultyData([_unreadable(name, Text("坐标不是有限的数", "a coordinate is not a finite number"))])
    found = [Polygon(ring) for ring in rings if len(ring) >= 3]
    if not found:
        raise FaultyData([fault("no_outline", Text(f"“{name}”中没有闭合轮廓。", f"'{name}' holds no closed outline."), Text("请画一条首尾相接的闭合线。", "Draw one closed line.")).at(file=name)])  # fmt: skip
    problems = [_crossing(name, ring) for ring in found if not ring.is_valid]
    if problems:
        raise FaultyData(problems)
    found.sort(key=lambda ring: -ring.area)
    outer, holes = found[0], [ring for ring in found[1:] if found[0].contains(ring)]
    if len(holes) < len(found) - 1:
        raise FaultyData([fault("several_outlines", Text(f"“{name}”中有 {len(found) - len(holes)} 个互不包含的轮廓。", f"'{name}' holds {len(found) - len(holes)} outlines beside each other."), Text("每个文件只放一个零件。", "Put one part in a file.")).at(file=name)])  # fmt: skip
    length, height = outer.bounds[2] - outer.bounds[0], outer.bounds[3] - outer.bounds[1]
    if not SMALLEST_MM <= max(length, height) <= LARGEST_MM:
        raise FaultyData([fault("outline_unit", Text(f"“{name}”的零件 {length:g} × {height:g} mm, 不像冲压件。", f"The part in '{name}' is {length:g} × {height:g} mm: no stamping."), Text("请核对文件的单位。", "Check the unit of the file.")).at(file=name)])  # fmt: skip
    whole = shapely.geometry.polygon.orient(Polygon(outer.exterior, [hole.exterior for hole in holes]))
    if not whole.is_valid:
        raise FaultyData([_crossing(name, whole)])
    return shapely.affinity.translate(whole, -outer.bounds[0], -outer.bounds[1])


def _json(content: bytes, name: str) -> list[list[Point]]:
    given: Any = json_of(content, name, "material.unreadable")
    unit = given.get("unit") if isinstance(given, dict) else None
    scales = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4}
    if unit not in scales:
        raise FaultyData([_no_unit(name, '"unit": "mm"')])
    rings = [given["points"], *given.get("holes", [])]
    scale = scales[unit]
    return [[(float(x) * scale, float(y) * scale) for x, y in ring] for ring in rings]


def _dxf(content: bytes, name: str) -> list[list[Point]]:
    if content.startswith(b"AutoCAD Binary DXF"):
        raise FaultyData(
            [_unreadable(name, Text("二进制 DXF; 请另存为 ASCII DXF", "binary DXF; save it as ASCII DXF"))]
        )
    if content.count(b"\n") > 20 * MOST_BYTES // 100:
        raise FaultyData([_too_large(name, Text("行数", "lines"), f"{20 * MOST_BYTES // 100}")])
    import ezdxf
    from ezdxf import path as paths

    document = ezdxf.read(io.StringIO(content.decode("utf-8", errors="replace")))  # type: ignore[attr-defined]
    unit = int(document.header.get("$INSUNITS", 0))
    if unit not in DXF_UNITS:
        raise FaultyData([_no_unit(name, "$INSUNITS = 4 (mm)")])
    entities = list(document.modelspace())
    if len(entities) > MOST_ELEMENTS:
        raise FaultyData(
            [_too_large(name, Text(f"{len(entities)} 个图元", f"{len(entities)} elements"), f"{MOST_ELEMENTS}")]
        )
    if any(entity.dxftype() == "INSERT" for entity in entities):
        raise FaultyData([fault("blocks", Text(f"“{name}”中有块引用。", f"'{name}' holds block references."), Text("请先分解块(EXPLODE)再导出。", "Explode blocks before exporting.")).at(file=name)])  # fmt: skip
    scale = DXF_UNITS[unit]
    lines = []
    for entity in entities:
        if entity.dxftype() in DXF_DRAWN:
            flat = paths.make_path(entity).flattening(CHORD_MM / scale, segments=8)
            lines.append([(float(p.x) * scale, float(p.y) * scale) for p in flat])
            if sum(map(len, lines)) > MOST_CORNERS:
                raise FaultyData([_too_large(name, Text("顶点", "corners"), f"{MOST_CORNERS}")])
    return closed(lines, name)


def _svg(content: bytes, name: str) -> list[list[Point]]:
    found = SVG_REFUSED.search(content)
    if found:
        what = found.group(0).decode("ascii", errors="replace")
        raise FaultyData([fault("svg_refused", Text(f"“{name}”含有不接受的内容“{what}”。", f"'{name}' holds '{what}', which is not taken."), Text("只保留轮廓线: 另存为纯路径的 SVG。", "Keep the outline only: save as a plain SVG of paths.")).at(file=name)])  # fmt: skip
    if len(SVG_TAG.findall(content)) > MOST_ELEMENTS:
        raise FaultyData([_too_large(name, Text("图元", "elements"), f"{MOST_ELEMENTS}")])
    from svgelements import SVG, Path, Shape

    head = content[: content.find(b">", content.lower().find(b"<svg")) + 1].decode("utf-8", errors="replace")
    stated = re.search(r"\bwidth\s*=\s*[\"']([^\"']*)[\"']", head)
    if stated is None or not SVG_LENGTH.match(stated.group(1)):
        raise FaultyData([_no_unit(name, 'width="200mm" height="100mm" viewBox="0 0 200 100"')])
    drawing = SVG.parse(io.BytesIO(content), ppi=25.4, reify=True)
    lines = []
    for element in drawing.elements():
        if isinstance(element, Shape):
            for part in Path(element).as_subpaths():
                lines.append(_flat(Path(part)))
                if sum(map(len, lines)) > MOST_CORNERS:
                    raise FaultyData([_too_large(name, Text("顶点", "corners"), f"{MOST_CORNERS}")])
    return closed([line for line in lines if len(line) > 1], name)


def _flat(path: Any) -> list[Point]:
    """Return a path of an SVG as corners, its y axis turned up; curves by chords no farther than allowed."""
    points: list[Point] = []
    for segment in path:
        if segment.end is None or type(segment).__name__ == "Move":
            if segment.end is not None:
                points.append((float(segment.end.x), -float(segment.end.y)))
            continue
        steps = 1
        if type(segment).__name__ not in ("Line", "Close"):
            steps = max(4, min(256, math.ceil(math.sqrt(float(segment.length(error=1e-2)) / (8 * CHORD_MM)) * 4)))
        for k in range(1, steps + 1):
            at = segment.point(k / steps)
            points.append((float(at.x), -float(at.y)))
    return points


def closed(lines: Iterable[Sequence[Point]], name: str) -> list[list[Point]]:
    """Return the closed lines that pieces of line make when ends that meet are joined; refuse a line that stays open."""
    rings: list[list[Point]] = []
    open_lines = []
    for line in lines:
        kept = _without_repeats(line)
        if len(kept) > 3 and math.dist(kept[0], kept[-1]) <= JOIN_MM:
            rings.append(kept[:-1])
        elif len(kept) > 1:
            open_lines.append(kept)
    while open_lines:
        ring = open_lines.pop()
        grown = True
        while grown and math.dist(ring[0], ring[-1]) > JOIN_MM:
            grown = False
            for place, other in enumerate(open_lines):
                if math.dist(ring[-1], other[0]) <= JOIN_MM or math.dist(ring[-1], other[-1]) <= JOIN_MM:
                    onward = other if math.dist(ring[-1], other[0]) <= JOIN_MM else other[::-1]
                    ring, grown = [*ring, *onward[1:]], True
                    del open_lines[place]
                    break
        if math.dist(ring[0], ring[-1]) > JOIN_MM:
            length = LineString(ring).length
            end = ring[-1]
            raise FaultyData([fault("open_line", Text(f"“{name}”中有一条长 {length:.1f} mm 的线没有闭合, 断点在 ({end[0]:.2f}, {end[1]:.2f})。", f"A line of {length:.1f} mm in '{name}' is not closed; it ends at ({end[0]:.2f}, {end[1]:.2f})."), Text("请闭合轮廓, 删去中心线和标注。", "Close the outline; delete centre lines and dimensions.")).at(file=name)])  # fmt: skip
        rings.append(ring[:-1])
    return rings


def _without_repeats(line: Sequence[Point]) -> list[Point]:
    kept = [line[0]]
    for point in line[1:]:
        if math.dist(point, kept[-1]) > 1e-9:
            kept.append(point)
    return kept


def _crossing(name: str, ring: Polygon) -> Problem:
    said = explain_validity(ring)
    where = re.search(r"\[(.*)\]", said)
    place = f" ({where.group(1).replace(' ', ', ')})" if where else ""
    return fault("crosses_itself", Text(f"“{name}”的轮廓自相交{place}。", f"The outline in '{name}' crosses itself{place}."), Text("请修改该处的线, 使轮廓不与自身相交。", "Mend the line there so that it does not cross itself.")).at(file=name)  # fmt: skip


def _too_large(name: str, given: Text, limit: str) -> Problem:
    return fault("too_large", Text(f"“{name}”超出上限: {given.zh} > {limit}。", f"'{name}' is beyond the limit: {given.en} > {limit}."), Text("请简化图形, 每个文件一个零件。", "Simplify the drawing; one part a file.")).at(file=name)  # fmt: skip


def _unreadable(name: str, why: Text) -> Problem:
    return fault("unreadable", Text(f"“{name}”无法读取: {why.zh}。", f"'{name}' cannot be read: {why.en}."), Text("请重新导出该文件。", "Export the file again.")).at(file=name)  # fmt: skip


def _no_unit(name: str, example: str) -> Problem:
    return fault("no_unit", Text(f"“{name}”没有写明单位。", f"'{name}' states no unit."), Text(f"请写明, 例如 {example}。", f"State it, for example {example}.")).at(file=name)  # fmt: skip
