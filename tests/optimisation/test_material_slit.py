"""Slitting: published best-known numbers of stock, brute force on small cases, faults named, planted errors caught."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from zerofactory.optimisation.material.check import check_slit
from zerofactory.optimisation.material.knapsack import all_fillings, best_filling
from zerofactory.optimisation.material.metal import metal
from zerofactory.optimisation.material.slit import clash, plan
from zerofactory.optimisation.material.slit_cuts import masses, rows
from zerofactory.optimisation.material.slit_problem import Coil, Order, SlitProblem, SlitRules

DATA = (
    Path(os.environ.get("ZF_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    / "cutting"
    / "cutting_stock_1d"
)
NAMES = [f"u250_0{k}" for k in range(6)] + [f"t60_0{k}" for k in range(4)]
STEEL = metal("steel")


def rolls(width: float, orders: list[tuple[float, int]], knives: int = 10_000) -> SlitProblem:
    coil = Coil("roll", "g", 1.0, width, 1000.0, 100_000)
    asked = tuple(Order(str(i), ("g",), 1.0, size, None, number) for i, (size, number) in enumerate(orders))
    return SlitProblem((coil,), asked, SlitRules(knives=knives), count_coils=True)


@pytest.mark.parametrize("name", NAMES)
def test_bars_of_the_literature_take_no_more_than_the_best_known(name: str) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no instances in {DATA}")
    best = {
        row["instance"]: row
        for row in csv.DictReader((DATA / "best_known.csv").read_text(encoding="utf-8").splitlines())
    }[name]
    with (DATA / "instances" / f"{name}.csv").open(encoding="utf-8") as stream:
        orders = [(float(row["length"]), int(row["quantity"])) for row in csv.DictReader(stream)]
    problem = rolls(float(best["stock_length"]), orders)
    found = plan(problem)
    assert found.bound is not None
    assert found.bound.value == found.bound.bound == int(best["best_known_stock_pieces"])
    assert check_slit(problem, rows(problem, found, STEEL)) == ()


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_widths_are_within_one_roll_of_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = rng.choice(np.arange(60, 700), 100, replace=False)
    found = plan(rolls(1500.0, [(float(w), int(q)) for w, q in zip(widths, rng.integers(5, 40, 100), strict=True)]))
    assert found.bound is not None
    assert found.bound.value <= found.bound.bound + 1


def least_rolls(width: int, orders: list[tuple[int, int]], knives: int) -> int:
    """Return the least number of rolls by trying every pattern on every rest (brute force)."""
    ranges = [range(min(number, width // size) + 1) for size, number in orders]
    patterns = [
        p
        for p in product(*ranges)
        if 0 < sum(a * s for a, (s, _) in zip(p, orders, strict=True)) <= width and sum(p) < knives
    ]
    start = tuple(number for _, number in orders)
    reached, steps = {start}, 0
    while (0,) * len(orders) not in reached:
        reached = {tuple(max(0, a - b) for a, b in zip(rest, p, strict=True)) for rest in reached for p in patterns}
        steps += 1
    return steps


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("knives", [3, 99])
def test_small_cases_agree_with_brute_force(seed: int, knives: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.choice(np.arange(11, 60), 3, replace=False)
    orders = [(int(s), int(q)) for s, q in zip(sizes, rng.integers(1, 5, 3), strict=True)]
    found = plan(rolls(100.0, [(float(s), q) for s, q in orders], knives))
    assert found.bound is not None
    assert found.bound.value == least_rolls(100, orders, knives)
    assert found.bound.bound <= found.bound.value


def test_the_knapsack_agrees_with_trying_everything() -> None:
    rng = np.random.default_rng(7)
    for most in (2, 4, 50):
        widths, copies, values = rng.integers(3, 12, 4), rng.integers(1, 4, 4), rng.uniform(0.1, 3.0, 4)
        every = [
            np.array(p) for p in product(*(range(c + 1) for c in copies)) if np.dot(p, widths) <= 20 and sum(p) <= most
        ]
        value, taken = best_filling(values, widths, copies, most, np.zeros(21))
        assert value == pytest.approx(max(p @ values for p in every))
        assert taken @ widths <= 20
        assert taken.sum() <= most
    order = np.argsort(-widths)
    number, found = all_fillings(values[order], widths[order], copies[order], 20, 2.0, 10_000)
    wanted = [
        p
        for p in product(*(range(c + 1) for c in copies[order]))
        if np.dot(p, widths[order]) <= 20 and np.dot(p, values[order]) >= 2.0
    ]
    assert {tuple(row) for row in found[:number].tolist()} == set(wanted)


def store() -> SlitProblem:
    coils = (
        Coil("wide", "DC04", 1.0, 1250.0, 10_000.0, 4), Coil("narrow", "DC04", 1.0, 1000.0, 8_000.0, 4),
        Coil("rest", "DC04", 1.0, 300.0, 2_000.0, 1), Coil("other", "DP780", 1.0, 1250.0, 10_000.0, 1),
    )  # fmt: skip
    orders = (
        Order("a", ("DC04",), 1.0, 296.0, 9_000.0, None, 0.05, 0.08), Order("b", ("DC04", "DP780"), 1.0, 410.0, 12_000.0, None, 0.05, 0.08),
        Order("c", ("DC04",), 1.0, 128.0, 3_000.0, None, 0.05, 0.10),
    )  # fmt: skip
    return SlitProblem(coils, orders, SlitRules(5.0, 12, 150.0, 0.85, 4, frozenset({"rest"})))


def test_masses_balance_leftovers_are_kept_and_tolerances_hold() -> None:
    problem = store()
    assert problem.check() == []
    found = plan(problem)
    cuts = rows(problem, found, STEEL)
    assert check_slit(problem, cuts) == ()
    told = masses(cuts)
    coils = {coil.id: coil for coil in problem.lots()}
    taken = sum(coils[one.coil].mass_kg * one.times for one in found.patterns)
    assert told.put_in_kg + told.leftover_kg == pytest.approx(taken, rel=1e-9)
    assert told.put_in_kg == pytest.approx(told.good_kg + told.all_scrap_kg, rel=1e-9)
    assert 0.9 < told.utilisation_fraction < 1.0
    assert found.bound is not None
    assert found.bound.bound <= found.bound.value <= taken
    # the objective is the metal taken less what is kept at its value
    assert found.bound.value == pytest.approx(taken - 0.85 * told.leftover_kg, rel=1e-9)


def test_a_stored_rest_is_used_before_a_new_coil() -> None:
    coils = (Coil("new", "DC04", 1.0, 1000.0, 8_000.0, 2), Coil("rest", "DC04", 1.0, 300.0, 2_400.0, 1))
    orders = (Order("a", ("DC04",), 1.0, 150.0, 2_400.0, None, 0.01, 0.01),)
    found = plan(SlitProblem(coils, orders))
    assert [(one.coil, one.strips, one.times) for one in found.patterns] == [("rest", (("a", 2),), 1)]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("y_mm", 1.0, "overlap"),
        ("width_mm", 297.0, "wrong"),
        ("repeats", 90, "there are"),
        ("part", "c", "wrong"),
        ("stock", "other", "wrong"),
    ],
)
def test_the_check_catches_what_is_planted(field: str, value: object, said: str) -> None:
    problem = store()
    cuts = [dict(row) for row in rows(problem, plan(problem), STEEL)]
    pieces = [row for row in cuts if row["use"] == "piece" and row["part"] == "a"]
    group = [row for row in cuts if row["pattern"] == pieces[0]["pattern"]]
    for row in group if field in ("repeats", "stock") else pieces[:1]:
        row[field] = value
    assert any(said in one.en for one in check_slit(problem, cuts))


def test_the_check_counts_knives_and_amounts() -> None:
    problem = store()
    cuts = rows(problem, plan(problem), STEEL)
    few = replace(problem, rules=replace(problem.rules, knives=2))
    assert any("knives" in one.en for one in check_slit(few, cuts))
    assert any("gets" in one.en for one in check_slit(problem, [row for row in cuts if row["part"] != "c"]))


def test_faults_are_named_before_anything_is_solved() -> None:
    good = store()
    order = good.orders[0]
    cases = {
        "wider_than_coil": replace(good, orders=(replace(order, width_mm=1245.0, row=3),)),
        "width_unit": replace(good, orders=(replace(order, width_mm=0.296),)),
        "above_stock": replace(good, orders=(replace(order, mass_kg=900_000.0),)),
        "no_such_coil": replace(good, orders=(replace(order, thickness_mm=2.0),)),
        "tolerance": replace(good, orders=(replace(order, over_fraction=5.0),)),
        "not_positive": replace(good, orders=(replace(order, mass_kg=-1.0),)),
        "repeated": replace(good, orders=(order, order)),
        "rule": replace(good, rules=replace(good.rules, knives=1)),
        "thickness_unit": replace(good, coils=(replace(good.coils[0], thickness_mm=800.0),)),
        "no_orders": replace(good, orders=()),
    }
    for code, problem in cases.items():
        found = problem.check()
        assert code in {one.code.removeprefix("material.") for one in found}, code
        assert all(one.message.zh and one.message.en and one.hint.zh and one.hint.en for one in found)
    assert cases["wider_than_coil"].check()[0].row == 3


def test_what_cannot_be_met_is_answered_with_the_smallest_clash() -> None:
    coils = (Coil("c", "DC04", 1.0, 1000.0, 10_000.0, 1),)
    exact = Order("exact", ("DC04",), 1.0, 300.0, 3_500.0, None, 0.01, 0.01)  # strips of 3 000 kg: never 3 500
    easy = Order("easy", ("DC04",), 1.0, 400.0, 4_000.0, None, 0.05, 0.05)
    assert plan(SlitProblem(coils, (easy, exact))).unmet == ("exact",)
    wide = Order("wide", ("DC04",), 1.0, 700.0, 7_000.0, None, 0.01, 0.01)
    assert set(clash(SlitProblem(coils, (easy, wide)))) == {"easy", "wide"}


def test_the_bound_is_a_bound_for_every_order_of_the_same_orders() -> None:
    orders = [(45.0, 7), (36.0, 9), (31.0, 6), (14.0, 11)]
    values = {plan(rolls(100.0, given)).bound.value for given in (orders, orders[::-1])}  # type: ignore[union-attr]
    assert len(values) == 1
    assert values.pop() >= math.ceil(sum(size * number for size, number in orders) / 100)
