"""Sheets: at or under the published numbers where guillotine cuts can, brute force on small cases, planted errors caught."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rectpack

from zerofactory.optimisation.material.check import check_sheet
from zerofactory.optimisation.material.metal import metal
from zerofactory.optimisation.material.sheet import SheetPlan, plan
from zerofactory.optimisation.material.sheet_cuts import rows
from zerofactory.optimisation.material.sheet_problem import Rectangle, Sheet, SheetProblem
from zerofactory.optimisation.material.slit_cuts import masses

DATA = (
    Path(os.environ.get("ZF_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    / "cutting"
    / "rectangular_sheets"
)
STEEL = metal("steel")
PACKERS = (
    rectpack.MaxRectsBssf, rectpack.MaxRectsBaf, rectpack.GuillotineBssfSas, rectpack.GuillotineBafSas, rectpack.SkylineBlWm,
)  # fmt: skip


def asked(
    size: tuple[float, float], pieces: list[tuple[float, float, int]], stages: int = 3, turn: bool = False
) -> SheetProblem:
    orders = tuple(Rectangle(str(i), "g", 1.0, a, b, number, turn) for i, (a, b, number) in enumerate(pieces))
    return SheetProblem((Sheet("s", "g", 1.0, *size, 9_999),), orders, stages)


def sound(problem: SheetProblem, found: SheetPlan) -> None:
    assert problem.check() == []
    assert check_sheet(problem, rows(problem, found, STEEL)) == ()
    assert found.bound is not None
    assert found.bound.bound <= found.bound.value == found.sheets


def rectpack_sheets(size: tuple[float, float], pieces: list[tuple[float, float, int]]) -> int:
    counts = []
    for algorithm in PACKERS:
        packer = rectpack.newPacker(rotation=False, pack_algo=algorithm)
        for a, b, number in pieces:
            for _ in range(number):
                packer.add_rect(a, b)
        packer.add_bin(*size, count=float("inf"))
        packer.pack()
        counts.append(len(packer))
    return min(counts)


@pytest.mark.parametrize("klass", ["01", "02"])
@pytest.mark.parametrize("number", [20, 40])
@pytest.mark.parametrize("which", [1, 2, 3])
def test_shared_instances_are_at_or_under_rectpack_and_near_the_best_known(klass: str, number: int, which: int) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no instances in {DATA}")
    name = f"berkey1987__Class_{klass}.2bp_{number}_{which}"
    best = {
        row["instance"]: row
        for row in csv.DictReader((DATA / "best_known.csv").read_text(encoding="utf-8").splitlines())
    }[name]
    with (DATA / "instances" / f"{name}_items.csv").open(encoding="utf-8") as stream:
        pieces = [(float(row["WIDTH"]), float(row["HEIGHT"]), 1) for row in csv.DictReader(stream)]
    size = (float(best["sheet_width"]), float(best["sheet_height"]))
    problem = asked(size, pieces)
    found = plan(problem, 20.0)
    sound(problem, found)
    assert found.sheets <= rectpack_sheets(size, pieces)
    assert found.sheets <= int(best["best_known_sheets"]) + 1
    if klass == "01":
        assert found.sheets == int(best["best_known_sheets"])


def test_what_fits_exactly_is_found() -> None:
    # one sheet of 60 × 40 cut in three stages, given back in pieces: strips of 15 and 25, stacks, pieces
    pieces = [(20.0, 15.0, 3), (30.0, 10.0, 1), (30.0, 15.0, 1), (30.0, 25.0, 1)]
    found = plan(asked((60.0, 40.0), pieces), 6.0)
    assert found.sheets == 1
    # in two stages the stack of 10 on 15 cannot be cut
    assert plan(asked((60.0, 40.0), pieces, stages=2), 3.0).sheets == 2


def test_turning_helps_where_it_is_allowed_and_never_where_not() -> None:
    pieces = [(30.0, 60.0, 4)]
    assert asked((100.0, 40.0), pieces).check()[0].code == "material.larger_than_sheet"
    problem = asked((130.0, 60.0), [(30.0, 60.0, 4), (60.0, 30.0, 0 + 2)], turn=True)
    found = plan(problem)
    sound(problem, found)
    assert found.sheets == 2


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_never_lies_above_a_plan_made_backwards(seed: int) -> None:
    """Sheets are cut up at random by three stages; the pieces then fit that many sheets, so no bound may be above it."""
    rng = np.random.default_rng(seed)
    pieces: list[tuple[float, float, int]] = []
    for _ in range(3):
        y = 0
        while y < 60:
            height = int(min(60 - y, rng.integers(10, 30)))
            x = 0
            while x < 90:
                length = int(min(90 - x, rng.integers(12, 40)))
                split = int(rng.integers(4, height)) if height > 8 else height
                pieces += [(float(length), float(one), 1) for one in (split, height - split) if one > 0]
                x += length
            y += height
    problem = asked((90.0, 60.0), pieces)
    found = plan(problem, 4.0)
    sound(problem, found)
    assert found.bound is not None
    assert found.bound.bound == 3
    assert 3 <= found.sheets <= 4


def test_kerf_trim_and_several_sizes_of_sheet() -> None:
    sheets = (Sheet("big", "g", 1.5, 3000.0, 1500.0, 50), Sheet("small", "g", 1.5, 2000.0, 1000.0, 50))
    orders = (Rectangle("a", "g", 1.5, 640.0, 480.0, 40, True), Rectangle("b", "g", 1.5, 905.0, 310.0, 25, False))
    problem = SheetProblem(sheets, orders, 3, 4.0, 8.0, count_sheets=False)
    found = plan(problem, 4.0)
    cuts = rows(problem, found, STEEL)
    assert check_sheet(problem, cuts) == ()
    told = masses(cuts)
    assert told.good_kg == pytest.approx(STEEL.mass_kg(640 * 480 * 40 + 905 * 310 * 25, 1.5))
    assert found.bound is not None
    assert found.bound.bound <= found.bound.value


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("x_mm", 3.0, "overlap"),
        ("y_mm", 990.0, "outside"),
        ("length_mm", 7.0, "wrong"),
        ("rotation_degrees", 90.0, "wrong"),
        ("repeats", 7, "gets"),
    ],
)
def test_the_check_catches_what_is_planted(field: str, value: float, said: str) -> None:
    problem = asked((100.0, 80.0), [(40.0, 30.0, 7), (25.0, 20.0, 9)])
    cuts = [dict(row) for row in rows(problem, plan(problem), STEEL)]
    pieces = [row for row in cuts if row["use"] == "piece"]
    for row in [row for row in cuts if row["pattern"] == pieces[0]["pattern"]] if field == "repeats" else [pieces[1]]:
        row[field] = value
    assert any(said in one.en for one in check_sheet(problem, cuts))


def test_a_pinwheel_is_no_guillotine_cut() -> None:
    """Five rectangles round a middle: no cut from edge to edge parts them."""
    places = [
        (0.0, 0.0, 2.0, 1.0),
        (2.0, 0.0, 1.0, 2.0),
        (1.0, 2.0, 2.0, 1.0),
        (0.0, 1.0, 1.0, 2.0),
        (1.0, 1.0, 1.0, 1.0),
    ]
    orders = tuple(Rectangle(str(i), "g", 1.0, a, b, 1) for i, (_, _, a, b) in enumerate(places))
    problem = SheetProblem((Sheet("s", "g", 1.0, 3.0, 3.0, 1),), orders, 3)
    shared = {"pattern": "S1", "repeats": 1, "stock": "s", "use": "piece", "rotation_degrees": 0.0}
    cuts = [
        {**shared, "part": str(i), "x_mm": x, "y_mm": y, "length_mm": a, "width_mm": b}
        for i, (x, y, a, b) in enumerate(places)
    ]
    assert [one.en for one in check_sheet(problem, cuts)] == ["S1 cannot be cut in 3 stages."]


def test_faults_are_named_before_anything_is_solved() -> None:
    good = asked((1000.0, 800.0), [(400.0, 300.0, 5)])
    order, sheet = good.orders[0], good.sheets[0]
    cases = {
        "size_unit": replace(good, orders=(replace(order, length_mm=0.4),)),
        "not_positive": replace(good, orders=(replace(order, pieces=0),)),
        "larger_than_sheet": replace(good, orders=(replace(order, width_mm=900.0),)),
        "above_stock": replace(good, sheets=(replace(sheet, count=1),), orders=(replace(order, pieces=50),)),
        "too_many": replace(good, sheets=(replace(sheet, count=10**9),), orders=(replace(order, pieces=2 * 10**6),)),
        "no_such_sheet": replace(good, orders=(replace(order, grade="other"),)),
        "stages": replace(good, stages=5),
        "repeated": replace(good, orders=(order, order)),
        "no_orders": replace(good, orders=()),
    }
    for code, problem in cases.items():
        found = problem.check()
        assert code in {one.code.removeprefix("material.") for one in found}, code
        assert all(one.message.zh and one.message.en and one.hint.zh and one.hint.en for one in found)
