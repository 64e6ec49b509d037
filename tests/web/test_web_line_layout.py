"""The plan of a line: nothing lies over anything, the order is that of flow, the same line gives the same plan, metres stay metres."""

from __future__ import annotations

import random
import tomllib
from importlib.resources import files
from itertools import combinations

import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import Buffer, Line, Station
from zerofactory.runs.twin_file import TwinFile
from zerofactory.runs.twin_places import placed
from zerofactory.web.line_layout import Area, Layout, aside, downwards, layers, layout, shops_of, ways
from zerofactory.web.line_view import wrapped

SECOND = Spread("fixed", 1.0)


def station(name: str, shop: str, takes: tuple[str, ...] = (), gives: str | None = None, **more: object) -> Station:
    return Station(name, Text(name, name), SECOND, shop=shop, takes=takes, gives=gives, **more)  # type: ignore[arg-type]


def reference_line() -> Line:
    """Return the packaged line of the reference plant."""
    shops = {
        "press": "stamping",
        "underbody": "body",
        "side": "body",
        "closures": "body",
        "framing": "body",
        "trim": "assembly",
        "chassis": "assembly",
        "final": "assembly",
        "test": "assembly",
    }
    raw = tomllib.loads(files("zerofactory.reference_plant").joinpath("twin.toml").read_text(encoding="utf-8"))
    file = TwinFile.model_validate(raw)
    stations = tuple(
        station(
            one.id or str(one.line),
            one.shop or shops.get(str(one.line).split("-")[0], "paint"),
            one.takes,
            one.gives,
            rework=one.rework,
        )
        for one in file.stations
    )
    return Line(stations, tuple(Buffer(one.id, one.capacity) for one in file.buffers))


def some_line(seed: int) -> Line:
    """Return a line of some shops with assemblies, branches and loops of rework."""
    draw = random.Random(seed)  # noqa: S311  (no secret)
    count = draw.randint(1, 14)
    shops = [f"shop{n // 4}" for n in range(count)]
    takes: dict[int, list[str]] = {n: [] for n in range(count)}
    gives: dict[int, str | None] = {}
    rework: dict[int, str] = {}
    for n in range(count - 1):
        gives[n] = f"b{n}"
        takes[draw.randint(n + 1, min(n + 3, count - 1))].append(f"b{n}")
        if draw.random() < 0.3:
            rework[n] = f"r{n}"
            takes[draw.randint(0, count - 1)].append(f"r{n}")
    stations = tuple(station(f"s{n}", shops[n], tuple(takes[n]), gives.get(n), rework=rework.get(n)) for n in range(count))  # fmt: skip
    names = [name for own in takes.values() for name in own]
    return Line(stations, tuple(Buffer(name, 3) for name in names))


def check(line: Line, plan: Layout) -> None:
    assert {one.id for one in plan.spots} == {one.id for one in (*line.stations, *line.buffers)}
    for one, other in combinations(plan.spots, 2):
        assert not one.hides(other), (one.id, other.id)
    shops = shops_of(line)
    for spot in plan.spots:
        assert spot.x - spot.wide / 2 >= 0
        assert spot.x + spot.wide / 2 <= plan.wide
        assert spot.y - spot.high / 2 >= 0
        assert spot.y + spot.high / 2 <= plan.high
        around = [one for one in plan.areas if inside(one, spot.x, spot.y)]
        assert shops[spot.id] in {one.shop for one in around}
    assert {(one.source, one.target) for one in plan.edges} == {(a, b) for a, b, _ in ways(line)}


def inside(one: Area, x: float, y: float) -> bool:
    return one.x <= x <= one.x + one.wide and one.y <= y <= one.y + one.high


def apart(one: Area, other: Area) -> bool:
    return (
        one.x + one.wide <= other.x
        or other.x + other.wide <= one.x
        or one.y + one.high <= other.y
        or other.y + other.high <= one.y
    )


@pytest.mark.parametrize("seed", range(25))
def test_no_box_lies_over_another_whatever_the_line(seed: int) -> None:
    line = some_line(seed)
    for plan in (layout(line), layout(line, aspect=0.7), downwards(line)):
        check(line, plan)
        assert all(apart(a, b) for a, b in combinations(plan.areas, 2))
    assert layout(line) == layout(line)
    assert downwards(line) == downwards(some_line(seed))


def test_the_reference_line_fits_a_wide_screen_and_a_telephone() -> None:
    line = reference_line()
    wide, narrow = layout(line), downwards(line)
    assert 1.2 < wide.wide / wide.high < 2.6
    assert narrow.wide < 560
    assert narrow.high > 2 * narrow.wide
    layer = layers(line)
    assert layer["press-1"] == 0
    for source, target, rework in ways(line):
        assert rework or layer[source] < layer[target]  # flow goes forward
    assert aside(line) == {"polish", "to-polish"}


def test_what_is_reworked_stands_below_the_way_of_good_pieces() -> None:
    line = Line(
        (
            station("paint", "p", (), "done", rework="bad"),
            station("mend", "p", ("bad",), "done"),
            station("wax", "p", ("done",)),
        ),
        (Buffer("done", 2), Buffer("bad", 2)),
    )
    assert aside(line) == {"mend", "bad"}
    spots = {one.id: one for one in layout(line, aspect=50.0).spots}
    assert spots["mend"].y > spots["paint"].y == spots["wax"].y
    assert spots["mend"].y == spots["bad"].y


def test_a_loop_does_not_stop_the_order() -> None:
    line = Line((station("a", "s", ("back",), "b"), station("c", "s", ("b",), None, rework="back")), (Buffer("b", 1), Buffer("back", 1)))  # fmt: skip
    check(line, layout(line))
    assert layers(line)["c"] == layers(line)["b"] + 1


def test_a_true_plan_keeps_its_metres_and_hides_nothing() -> None:
    line = Line((station("a", "s", (), "b"), station("c", "s", ("b",)), station("d", "t")), (Buffer("b", 1),))
    plan = layout(line, {"a": (0.0, 0.0), "c": (40.0, 0.0), "d": (0.0, 30.0)})
    check(line, plan)
    spots = {one.id: one for one in plan.spots}
    across, down = spots["c"].x - spots["a"].x, spots["d"].y - spots["a"].y
    assert across / down == pytest.approx(40.0 / 30.0)
    assert spots["b"].x == pytest.approx((spots["a"].x + spots["c"].x) / 2)  # a buffer without a place stands between


def test_faults_of_places_are_told_together() -> None:
    class One:
        def __init__(self, name: str, x: float | None, y: float | None) -> None:
            self.id, self.line, self.x_m, self.y_m = name, None, x, y

    stations = [One("a", 1.0, 2.0), One("b", 3.0, None), One("c", None, None), One("d", float("nan"), 0.0)]
    found, problems = placed(stations, [One("e", 1.0, 2.0)])
    assert found == {"a": (1.0, 2.0), "e": (1.0, 2.0)}
    assert [one.column for one in problems] == ["stations.b", "stations.d", "stations.c", "e"]
    assert placed([One("a", None, None)], []) == ({}, [])


def test_titles_fit_their_boxes() -> None:
    assert wrapped("a very long name of a station that nobody can read", 90.0) == ["a very long", "name of a…"]
    assert wrapped("非常非常长的一个工位名称写不下的", 60.0, 1) == ["非常非…"]
