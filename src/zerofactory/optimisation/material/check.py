"""The independent check of cuts, in production: from the rows shown and the problem alone, with no solver and no pattern.

Slit: lanes beside each other, inside the coil, knives and coils enough, each order within its tolerance. Sheet: nothing over
another, nothing outside, separable by guillotine cuts in the stages allowed, every piece there. Nest: shapes by shapely, their
distance at least the bridge (across the seams of a periodic strip too), inside the margins, every piece there. A plan with a
finding is not shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from shapely.affinity import translate
from shapely.geometry import Polygon, box
from shapely.strtree import STRtree

from zerofactory.errors import Text
from zerofactory.optimisation.material.nest_cuts import Nest
from zerofactory.optimisation.material.progressive import turned
from zerofactory.optimisation.material.sheet_problem import Rectangle, Sheet, SheetProblem
from zerofactory.optimisation.material.slit_problem import Coil, SlitProblem

NEAR_MM = 1e-3  # a micrometre: what rounding may take from a bridge or an edge
SHARE = 1e-6
Row = Mapping[str, Any]


def check_slit(problem: SlitProblem, rows: Sequence[Row]) -> tuple[Text, ...]:
    """Return what is wrong with a slitting plan.

    Examples
    --------
    >>> check_slit(SlitProblem((), ()), [])
    ()
    """
    wrong: list[Text] = []
    coils = {coil.id: coil for coil in problem.lots()}
    orders = {order.id: order for order in problem.orders}
    used: dict[str, int] = {}
    given = dict.fromkeys(orders, 0.0)
    for pattern, lanes in _grouped(rows).items():
        coil, repeats = coils[str(lanes[0]["stock"])], int(lanes[0]["repeats"])
        used[coil.id] = used.get(coil.id, 0) + repeats
        wrong += _lanes(problem, coil, pattern, lanes)
        for lane in lanes:
            if lane["use"] != "piece":
                continue
            order, width = orders[str(lane["part"])], float(lane["width_mm"])
            if not order.fits(coil) or abs(width - order.width_mm) > NEAR_MM:
                wrong.append(
                    _said(
                        f"排样 {pattern} 中“{order.id}”的牌号、厚度或宽度不符",
                        f"Grade, gauge or width of '{order.id}' in pattern {pattern} is wrong",
                    )
                )
            given[order.id] += repeats * (1.0 if order.mass_kg is None else coil.mass_kg * width / coil.width_mm)
    wrong += _beyond(used, {name: coil.count for name, coil in coils.items()}, Text("卷料", "coil"))
    for name, amount in given.items():
        order = orders[name]
        least = order.amount * (1 - order.under_fraction) * (1 - SHARE)
        free = order.mass_kg is None and not order.over_fraction
        most = math.inf if free else order.amount * (1 + order.over_fraction) * (1 + SHARE)
        if not least <= amount <= most:
            wrong.append(
                _said(
                    f"订单“{name}”得到 {amount:,.1f}, 应在 {least:,.1f} 到 {most:,.1f}",
                    f"Order '{name}' gets {amount:,.1f}, not {least:,.1f} to {most:,.1f}",
                )
            )
    return tuple(wrong)  # fmt: skip


def _said(zh: str, en: str) -> Text:
    return Text(f"{zh}。", f"{en}.")


def _beyond(used: Mapping[str, int], there: Mapping[str, int], what: Text) -> list[Text]:
    return [
        _said(f"{what.zh}“{name}”用了 {number} 份, 只有 {there[name]} 份", f"{number} of {what.en} '{name}' are used; there are {there[name]}")
        for name, number in used.items()
        if number > there[name]
    ]  # fmt: skip


def _lanes(problem: SlitProblem, coil: Coil, pattern: str, lanes: Sequence[Row]) -> list[Text]:
    """Return what is wrong with the lanes of one pattern: overlap, edges, trim, knives, mass."""
    wrong: list[Text] = []
    spans = sorted((float(one["y_mm"]), float(one["y_mm"]) + float(one["width_mm"]), str(one["use"])) for one in lanes)
    if any(one[1] > other[0] + NEAR_MM for one, other in pairwise(spans)):
        wrong.append(_said(f"排样 {pattern} 中两条重叠", f"Two lanes of pattern {pattern} overlap"))
    if spans[0][0] < -NEAR_MM or spans[-1][1] > coil.width_mm + NEAR_MM:
        wrong.append(
            _said(
                f"排样 {pattern} 宽 {spans[-1][1]:g} mm, 超出卷宽 {coil.width_mm:g} mm",
                f"Pattern {pattern} is {spans[-1][1]:g} mm wide; the coil {coil.width_mm:g} mm",
            )
        )
    trim = (coil.width_mm - problem.usable_mm(coil)) / 2
    pieces = [one for one in spans if one[2] == "piece"]
    if any(low < trim - NEAR_MM or high > coil.width_mm - trim + NEAR_MM for low, high, _ in pieces):
        wrong.append(_said(f"排样 {pattern} 有条料落在切边内", f"A strip of pattern {pattern} lies in the edge trim"))
    if len(pieces) + 1 > problem.rules.knives:
        wrong.append(
            _said(f"排样 {pattern} 要 {len(pieces) + 1} 把刀", f"Pattern {pattern} needs {len(pieces) + 1} knives")
        )
    mass = sum(float(one["mass_kg"]) for one in lanes)
    if abs(mass - coil.mass_kg) > SHARE * coil.mass_kg:
        wrong.append(
            _said(
                f"排样 {pattern} 的质量 {mass:,.3f} kg 与卷料 {coil.mass_kg:,.3f} kg 不符",
                f"The masses of pattern {pattern} add up to {mass:,.3f} kg; the coil has {coil.mass_kg:,.3f} kg",
            )
        )
    return wrong  # fmt: skip


def check_sheet(problem: SheetProblem, rows: Sequence[Row]) -> tuple[Text, ...]:
    """Return what is wrong with a plan of sheets."""
    wrong: list[Text] = []
    sheets, orders = {one.id: one for one in problem.sheets}, {one.id: one for one in problem.orders}
    used: dict[str, int] = {}
    given = dict.fromkeys(orders, 0)
    for pattern, lanes in _grouped(rows).items():
        sheet, repeats = sheets[str(lanes[0]["stock"])], int(lanes[0]["repeats"])
        used[sheet.id] = used.get(sheet.id, 0) + repeats
        pieces = [lane for lane in lanes if lane["use"] == "piece"]
        for lane in pieces:
            given[str(lane["part"])] += repeats
            wrong += _piece(problem, sheet, orders[str(lane["part"])], lane)
        boxes = [_box(lane) for lane in pieces]
        wrong += _overlaps(pattern, boxes, problem.kerf_mm)
        if pieces and not _is_guillotine(boxes, problem.stages):
            wrong.append(
                _said(
                    f"{pattern} 不能用 {problem.stages} 段剪切切开",
                    f"{pattern} cannot be cut in {problem.stages} stages",
                )
            )
    wrong += _beyond(used, {name: sheet.count for name, sheet in sheets.items()}, Text("板料", "sheet"))
    for name, number in given.items():
        if number != orders[name].pieces:
            wrong.append(
                _said(
                    f"订单“{name}”切出 {number} 件, 应为 {orders[name].pieces} 件",
                    f"Order '{name}' gets {number} pieces instead of {orders[name].pieces}",
                )
            )
    return tuple(wrong)  # fmt: skip


def _piece(problem: SheetProblem, sheet: Sheet, order: Rectangle, lane: Row) -> list[Text]:
    """Return what is wrong with one piece: size, turn, metal, place."""
    wrong: list[Text] = []
    x0, y0, x1, y1 = _box(lane)
    pattern, turned = lane["pattern"], float(lane["rotation_degrees"]) == 90.0
    sides = (order.width_mm, order.length_mm) if turned else (order.length_mm, order.width_mm)
    may_not = turned and not order.may_turn and order.length_mm != order.width_mm
    if abs(x1 - x0 - sides[0]) > NEAR_MM or abs(y1 - y0 - sides[1]) > NEAR_MM or may_not:
        wrong.append(
            _said(f"{pattern} 中“{order.id}”的尺寸或转向不符", f"Size or turn of '{order.id}' in {pattern} is wrong")
        )
    if order.grade != sheet.grade or order.thickness_mm != sheet.thickness_mm:
        wrong.append(
            _said(f"{pattern} 中“{order.id}”的牌号或厚度不符", f"Grade or gauge of '{order.id}' in {pattern} is wrong")
        )
    trim = problem.trim_mm - NEAR_MM
    if x0 < trim or y0 < trim or x1 > sheet.length_mm - trim or y1 > sheet.width_mm - trim:
        wrong.append(_said(f"{pattern} 中“{order.id}”超出板料", f"'{order.id}' in {pattern} lies outside the sheet"))
    return wrong  # fmt: skip


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["pattern"]), []).append(row)
    return found


def _box(row: Row) -> tuple[float, float, float, float]:
    x, y = float(row["x_mm"]), float(row["y_mm"])
    return x, y, x + float(row["length_mm"]), y + float(row["width_mm"])


def _overlaps(name: str, boxes: Sequence[tuple[float, float, float, float]], gap: float) -> list[Text]:
    shapes = [box(*one) for one in boxes]
    tree = STRtree(shapes)
    for i, shape in enumerate(shapes):
        for j in tree.query(shape.buffer(gap)):
            a, b = boxes[i], boxes[int(j)]
            beside = max(b[0] - a[2], a[0] - b[2], b[1] - a[3], a[1] - b[3])
            if int(j) > i and beside < gap - NEAR_MM:
                return [Text(f"{name} 中有两件重叠或间隙不足。", f"Two pieces of {name} overlap or are too near.")]
    return []


def _is_guillotine(boxes: Sequence[tuple[float, float, float, float]], stages: int) -> bool:
    """Whether cuts from edge to edge, the first along the length, separate the pieces in so many stages and a last trim."""

    def apart(
        members: Sequence[tuple[float, float, float, float]], axis: int
    ) -> list[list[tuple[float, float, float, float]]]:
        groups: list[list[tuple[float, float, float, float]]] = []
        reach = -math.inf
        for one in sorted(members, key=lambda b: b[axis]):
            if one[axis] >= reach - NEAR_MM:
                groups.append([])
            groups[-1].append(one)
            reach = max(reach, one[axis + 2])
        return groups

    def cut(members: Sequence[tuple[float, float, float, float]], axis: int, left: int) -> bool:
        if len(members) <= 1:
            return True
        return left > 0 and all(cut(group, 1 - axis, left - 1) for group in apart(members, axis))

    return cut(boxes, 1, stages)


def check_nest(nest: Nest, outlines: Mapping[str, Polygon]) -> tuple[Text, ...]:
    """Return what is wrong with blanks on a strip; a periodic strip is laid out as far as its blanks reach.

    Examples
    --------
    >>> from zerofactory.optimisation.material.progressive import Placed
    >>> square = Polygon([(0, 0), (10, 0), (10, 10), (0, 10)])
    >>> strip = Nest("s", "DC04", 1.0, 12.0, 14.0, (Placed("a", 0.0, 0.0, 2.0),), 5, {"a": 5}, 3.0, 2.0, True)
    >>> [one.en for one in check_nest(strip, {"a": square})]
    ["'a' and 'a' on strip 's' are 2.000 mm apart; the bridge is 3 mm."]
    """
    wrong: list[Text] = []
    shapes = [turned(outlines[one.part], one) for one in nest.placed]
    names = [one.part for one in nest.placed]
    for name, shape in zip(names, shapes, strict=True):
        low, high = nest.margin_mm - NEAR_MM, nest.width_mm - nest.margin_mm + NEAR_MM
        ends = not nest.is_pitch and (shape.bounds[0] < -NEAR_MM or shape.bounds[2] > nest.length_mm + NEAR_MM)
        if shape.bounds[1] < low or shape.bounds[3] > high or ends:
            wrong.append(
                Text(
                    f"条料“{nest.name}”上“{name}”超出边界或边距。",
                    f"'{name}' lies outside strip '{nest.name}' or its margin.",
                )
            )
    for other, shape in _repeated(nest, shapes, names):
        tree = STRtree(shapes)
        for place in tree.query(shape.buffer(nest.bridge_mm + NEAR_MM)):
            distance = shapes[int(place)].distance(shape)
            deep = distance == 0 and shapes[int(place)].buffer(-NEAR_MM).intersects(shape.buffer(-NEAR_MM))
            if shape is not shapes[int(place)] and (distance < nest.bridge_mm - NEAR_MM or deep):
                wrong.append(
                    Text(
                        f"条料“{nest.name}”上“{names[int(place)]}”与“{other}”相距 {distance:.3f} mm, 搭边应为 {nest.bridge_mm:g} mm。",
                        f"'{names[int(place)]}' and '{other}' on strip '{nest.name}' are {distance:.3f} mm apart; the bridge is {nest.bridge_mm:g} mm.",
                    )
                )
                return tuple(wrong)
    for part, pieces in nest.wanted.items():
        made = names.count(part) * nest.repeats
        if made < pieces:
            wrong.append(
                Text(f"“{part}”得到 {made} 件, 应为 {pieces} 件。", f"'{part}' gets {made} pieces instead of {pieces}.")
            )
    return tuple(wrong)  # fmt: skip


def _repeated(nest: Nest, shapes: Sequence[Polygon], names: Sequence[str]) -> list[tuple[str, Polygon]]:
    """Return the shapes and, on a periodic strip, their repeats as far as they could touch the first pitch."""
    found = list(zip(names, shapes, strict=True))
    if not nest.is_pitch:
        return found
    reach = max(shape.bounds[2] for shape in shapes) - min(shape.bounds[0] for shape in shapes) + nest.bridge_mm
    for k in range(1, math.ceil(reach / nest.length_mm) + 2):
        found += [(name, translate(shape, k * nest.length_mm, 0.0)) for name, shape in zip(names, shapes, strict=True)]
    return found
