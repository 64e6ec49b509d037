"""Blanks on the strip: layouts known from geometry, an independent check of distances, planted overlaps, hostile drawings."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import ezdxf
import numpy as np
import pytest
from ezdxf.document import Drawing
from shapely.affinity import rotate, translate
from shapely.geometry import Point, Polygon

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.material import drawing
from zerofactory.optimisation.material.check import check_nest
from zerofactory.optimisation.material.lattice import overlapping
from zerofactory.optimisation.material.metal import metal
from zerofactory.optimisation.material.nest_cuts import Nest, rows
from zerofactory.optimisation.material.outline import MOST_CORNERS, read_outline
from zerofactory.optimisation.material.progressive import Placed, StripLayout, StripRules, search
from zerofactory.optimisation.material.slit_cuts import masses
from zerofactory.optimisation.material.strip import Part, StripProblem, convex_pieces, plan, press

BRACKET = Polygon([(0, 0), (180, 0), (200, 20), (200, 60), (150, 60), (130, 40), (60, 40), (40, 110), (0, 110)])
STEEL = metal("steel")


def nest_of(layout: StripLayout, rules: StripRules, wanted: dict[str, int]) -> Nest:
    return Nest(
        "strip", "g", 1.0, layout.pitch_mm, layout.width_mm, layout.placed, max(wanted.values()), wanted, rules.bridge_mm,
        rules.margin_mm, True, layout.layout,
    )  # fmt: skip


@pytest.mark.parametrize("dy", [-40.0, -11.5, 0.0, 25.0, 63.0])
def test_the_shifts_that_overlap_are_those_that_shapely_finds(dy: float) -> None:
    other = rotate(BRACKET, 37.0, origin=(0, 0))
    found = overlapping(np.array(BRACKET.exterior.coords[:-1]), np.array(other.exterior.coords[:-1]), dy)
    rng = np.random.default_rng(1)
    for x in rng.uniform(-320, 320, 150):
        inside = any(low + 1e-6 < x < high - 1e-6 for low, high in found)
        assert inside == (BRACKET.intersection(translate(other, x, dy)).area > 1e-9), x


def test_rectangles_take_their_own_size_and_the_bridge() -> None:
    box = Polygon([(0, 0), (60, 0), (60, 40), (0, 40)])
    found = search([("box", box)], StripRules(3.0, 4.0, turns_degrees=(0.0,)), ["one_up"])
    assert found is not None
    assert found.pitch_mm == pytest.approx(63.0, abs=0.02)
    assert found.width_mm == pytest.approx(48.0, abs=1e-9)


def test_discs_in_two_rows_lie_in_the_gaps_of_each_other() -> None:
    """The hexagonal arrangement of two rows: pitch d, height d (1 + √3/2)."""
    disc = Point(0, 0).buffer(50.0, quad_segs=48)
    found = search([("disc", disc)], StripRules(0.0, 0.0))
    assert found is not None
    assert len(found.placed) == 2
    assert found.pitch_mm * found.width_mm == pytest.approx(100.0 * 100.0 * (1 + math.sqrt(3) / 2), rel=2e-3)


def test_triangles_head_to_head_fill_the_strip() -> None:
    triangle = Polygon([(0, 0), (90, 0), (35, 60)])
    found = search([("t", triangle)], StripRules(0.0, 0.0, turns_degrees=(0.0,)))
    assert found is not None
    assert found.layout == "head_to_head"
    assert found.utilisation_fraction == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("bridge", [0.0, 3.0])
def test_the_best_layout_passes_the_check_and_beats_one_up(bridge: float) -> None:
    rules = StripRules(bridge, 4.0)
    found, single = search([("b", BRACKET)], rules), search([("b", BRACKET)], rules, ["one_up"])
    assert found is not None
    assert single is not None
    assert found.area_a_blank_mm2 < 0.95 * single.area_a_blank_mm2
    for layout in (found, single):
        assert check_nest(nest_of(layout, rules, {"b": 10}), {"b": BRACKET}) == ()


def test_turns_and_widths_are_respected() -> None:
    rules = StripRules(2.0, 3.0, 150.0, (0.0, 180.0), 10.0)
    found = search([("b", BRACKET)], rules)
    assert found is not None
    assert found.width_mm <= 150.0
    for one in found.placed:
        assert min(abs((one.rotation_degrees - turn + 180) % 360 - 180) for turn in (0.0, 180.0)) <= 10.0 + 1e-9
    assert search([("b", BRACKET)], replace(rules, widest_mm=60.0)) is None


def test_a_pair_of_parts_comes_one_of_each() -> None:
    mirrored = Polygon([(x, -y) for x, y in BRACKET.exterior.coords])
    rules = StripRules(3.0, 3.0)
    found = search([("left", BRACKET), ("right", mirrored)], rules)
    assert found is not None
    assert [one.part for one in found.placed] == ["left", "right"]
    outlines = {"left": BRACKET, "right": mirrored}
    assert check_nest(nest_of(found, rules, {"left": 3, "right": 3}), outlines) == ()


@pytest.mark.parametrize(("shift", "said"), [((0.5, 0.0), "apart"), ((0.0, 5.0), "margin"), ((40.0, -30.0), "apart")])
def test_the_check_catches_a_planted_shift(shift: tuple[float, float], said: str) -> None:
    rules = StripRules(3.0, 4.0)
    found = search([("b", BRACKET)], rules, ["head_to_head"])
    assert found is not None
    first, second = found.placed
    moved = replace(second, x_mm=second.x_mm + shift[0], y_mm=second.y_mm + shift[1])
    # push towards whichever neighbour is at the bridge: one of both ways must be told
    back = replace(second, x_mm=second.x_mm - shift[0], y_mm=second.y_mm + shift[1])
    told = [
        check_nest(nest_of(replace(found, placed=(first, one)), rules, {"b": 2}), {"b": BRACKET})
        for one in (moved, back)
    ]
    assert any(said in text.en for one in told for text in one)


def test_the_check_counts_pieces_and_sees_the_seam() -> None:
    square = Polygon([(0, 0), (10, 0), (10, 10), (0, 10)])
    few = Nest("s", "g", 1.0, 13.0, 14.0, (Placed("a", 0.0, 0.0, 2.0),), 4, {"a": 5}, 3.0, 2.0, True)
    assert "gets 4 pieces" in check_nest(few, {"a": square})[0].en
    seam = replace(few, length_mm=12.5, repeats=5)
    assert "2.500 mm apart" in check_nest(seam, {"a": square})[0].en


def mixed(bridge: float) -> StripProblem:
    angle = Polygon([(0, 0), (80, 0), (80, 24), (24, 24), (24, 80), (0, 80)])
    pad = Polygon([(0, 0), (92, 0), (92, 40), (70, 62), (22, 62), (0, 40)])
    turns = (0.0, 90.0, 180.0, 270.0)
    return StripProblem((Part("angle", angle, 6, turns), Part("pad", pad, 5, turns)), 200.0, bridge, 2.0)


@pytest.mark.parametrize("bridge", [0.0, 3.0])
def test_a_mixed_strip_is_complete_and_keeps_its_bridges(bridge: float) -> None:
    problem = mixed(bridge)
    found = plan(problem, 3.0)
    wanted = {part.id: part.pieces for part in problem.parts}
    outlines = {part.id: part.outline for part in problem.parts}
    nest = Nest("m", "g", 1.0, found.length_mm, problem.width_mm, found.placed, 1, wanted, bridge, 2.0, False)
    assert check_nest(nest, outlines) == ()
    assert found.bound.bound <= found.bound.value == found.length_mm
    told = masses(rows([nest], outlines, STEEL))
    assert told.put_in_kg == pytest.approx(STEEL.mass_kg(found.length_mm * problem.width_mm, 1.0))
    assert told.good_kg == pytest.approx(STEEL.mass_kg(problem.area_mm2, 1.0))


def test_pressing_shortens_a_loose_layout_and_never_lengthens_one() -> None:
    square = Polygon([(0, 0), (40, 0), (40, 40), (0, 40)])
    problem = StripProblem((Part("q", square, 4, (0.0,)),), 100.0)
    loose = tuple(Placed("q", 0.0, 1.5 * k + 41.0 * (k // 2), 50.0 * (k % 2)) for k in range(4))
    pressed = press(problem, loose)
    length = max(one.x_mm for one in pressed) + 40.0
    assert length == pytest.approx(80.0, abs=1e-4)
    nest = Nest("s", "g", 1.0, length, 100.0, pressed, 1, {"q": 4}, 0.0, 0.0, False)
    assert check_nest(nest, {"q": square}) == ()
    assert press(problem, pressed) == pressed


def test_convex_pieces_make_up_the_shape() -> None:
    pieces = [Polygon(piece) for piece in convex_pieces(BRACKET)]
    assert sum(piece.area for piece in pieces) == pytest.approx(BRACKET.area)
    assert all(piece.area == pytest.approx(piece.convex_hull.area) for piece in pieces)


def dxf_of(draw: object, unit: int = 4) -> bytes:
    document: Drawing = ezdxf.new("R2000", units=unit)  # type: ignore[attr-defined]
    draw(document.modelspace())  # type: ignore[operator]
    stream = io.StringIO()
    document.write(stream)
    return stream.getvalue().encode()


def slot(space: object) -> None:
    """Draw a slotted plate of lines and an arc with a round hole: 100 × 50 and a half disc."""
    space.add_line((0, 0), (100, 0))  # type: ignore[attr-defined]
    space.add_arc((100, 25), 25, -90, 90)  # type: ignore[attr-defined]
    space.add_line((0, 50), (100, 50))  # type: ignore[attr-defined]
    space.add_line((0, 50), (0, 0))  # type: ignore[attr-defined]
    space.add_circle((20, 25), 8)  # type: ignore[attr-defined]


SLOT_AREA = 5000 + math.pi * 25**2 / 2 - math.pi * 64
SVG_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="200mm" height="100mm" viewBox="0 0 200 100">'
SVG_SLOT = f'{SVG_HEAD}<path d="M0 0 H100 A25 25 0 0 1 100 50 H0 Z"/><circle cx="20" cy="25" r="8"/></svg>'


def test_the_same_part_from_dxf_and_svg_has_the_true_area() -> None:
    from_dxf, from_svg = read_outline(dxf_of(slot), "a.dxf"), read_outline(SVG_SLOT.encode(), "a.svg")
    for found in (from_dxf, from_svg):
        assert found.area == pytest.approx(SLOT_AREA, rel=1e-3)
        assert len(found.interiors) == 1
    assert read_outline(dxf_of(slot, unit=5), "cm.dxf").area == pytest.approx(100 * SLOT_AREA, rel=1e-3)


def test_an_svg_is_not_mirrored() -> None:
    """Up on the page is up: a flag on the left of a pole stays on its left."""
    text = f'{SVG_HEAD}<path d="M50 0 H60 V90 H50 V40 H10 V0 Z"/></svg>'
    found = read_outline(text.encode(), "flag.svg")
    assert found.contains(Point(5, 85))
    assert not found.contains(Point(5, 5))


CROSSED = json.dumps({"unit": "mm", "points": [[0, 0], [50, 50], [50, 0], [0, 50]]}).encode()
HOSTILE = {
    "entities.svg": (b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg width="9mm">&b;</svg>', "svg_refused"),
    "use.svg": (f'{SVG_HEAD}<use href="#a"/></svg>'.encode(), "svg_refused"),
    "script.svg": (f"{SVG_HEAD}<script>x</script></svg>".encode(), "svg_refused"),
    "outside.svg": (f'{SVG_HEAD}<image href="file:///etc/passwd"/></svg>'.encode(), "svg_refused"),
    "many.svg": ((SVG_HEAD + "<path d='M0 0 H1 V1 Z'/>" * 5000 + "</svg>").encode(), "too_large"),
    "corners.svg": ((SVG_HEAD + "<path d='M0 0 " + "L1 1 L2 5 " * 4000 + "Z'/></svg>").encode(), "too_large"),
    "unit.svg": (b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><path d="M0 0 H9 V9 Z"/></svg>', "no_unit"),
    "open.svg": (f'{SVG_HEAD}<path d="M0 0 H100 V50"/></svg>'.encode(), "open_line"),
    "two.svg": (f'{SVG_HEAD}<path d="M0 0 H40 V40 Z M100 0 H140 V40 Z"/></svg>'.encode(), "several_outlines"),
    "huge.json": (b" " * 5_000_000, "too_large"),
    "crossed.json": (CROSSED, "crosses_itself"),
    "nan.json": (b'{"unit": "mm", "points": [[0, 0], [NaN, 1], [5, 5]]}', "unreadable"),
    "metres.json": (b'{"unit": "mm", "points": [[0, 0], [0.12, 0], [0.12, 0.05]]}', "outline_unit"),
    "nothing.json": (b'{"unit": "mm", "points": [[0, 0], [1, 1]]}', "no_outline"),
    "unit.json": (b'{"points": [[0, 0], [100, 0], [100, 50]]}', "no_unit"),
    "words.dxf": (b"not a drawing", "unreadable"),
    "binary.dxf": (b"AutoCAD Binary DXF\r\n\x1a\x00", "unreadable"),
    "unit.dxf": (dxf_of(slot, unit=0), "no_unit"),
    "lines.dxf": (b"0\n" * 900_000, "too_large"),
    "many.dxf": (dxf_of(lambda space: [space.add_point((k, 0)) for k in range(4_100)]), "too_large"),
    "part.exe": (b"MZ", "kind"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_faulty_drawings_are_refused_with_a_reason(name: str) -> None:
    content, code = HOSTILE[name]
    with pytest.raises(FaultyData) as caught:
        read_outline(content, name)
    told = caught.value.problems
    assert {one.code for one in told} == {f"material.{code}"}
    assert all(one.file == name and one.message.zh and one.message.en and one.hint.zh for one in told)


def test_where_a_line_crosses_itself_is_said() -> None:
    with pytest.raises(FaultyData) as caught:
        read_outline(CROSSED, "x.json")
    assert "(25, 25)" in caught.value.problems[0].message.en


def test_a_curve_is_bounded_by_its_corners() -> None:
    ring = [
        [50 + 40 * math.cos(2 * math.pi * k / 6000), 50 + 40 * math.sin(2 * math.pi * k / 6000)] for k in range(6000)
    ]
    with pytest.raises(FaultyData, match=str(MOST_CORNERS)):
        read_outline(json.dumps({"unit": "mm", "points": ring}).encode(), "round.json")


def test_drawings_read_back() -> None:
    """The SVG is sound XML with a title in each language; the DXF, read again, holds the outline that was drawn."""
    from xml.etree import ElementTree

    shape = drawing.outline("piece", "零件<A>", BRACKET)
    panel = drawing.Panel(Text("条料 & 步距", "strip & pitch"), 220.0, 130.0, (shape,))
    for language, title in (("zh", "方案"), ("en", "plan")):
        root = ElementTree.fromstring(drawing.svg(Text("方案", "plan"), [panel], language))  # type: ignore[arg-type]  # noqa: S314
        assert root.find("{http://www.w3.org/2000/svg}title").text == title  # type: ignore[union-attr]
    document = ezdxf.read(io.StringIO(drawing.dxf([panel])))  # type: ignore[attr-defined]
    lines = [
        entity for entity in document.modelspace() if entity.dxftype() == "LWPOLYLINE" and entity.dxf.layer == "PIECE"
    ]
    assert Polygon([point[:2] for point in lines[0].get_points()]).area == pytest.approx(BRACKET.area)
