"""Linear programs: assembly, both solvers against each other and against hand-made answers, duals, presolve, changed data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import Misuse
from zerofactory.optimisation.solving import by_clarabel, by_highs
from zerofactory.optimisation.solving.linear import INF, Draft, LinearProgram
from zerofactory.optimisation.solving.reduce import reduce
from zerofactory.optimisation.solving.result import SolveStatus
from zerofactory.optimisation.solving.solver import Options, solve


def diet() -> LinearProgram:
    """Hillier and Lieberman's Wyndor Glass Co.: max 3 x1 + 5 x2, x1 <= 4, 2 x2 <= 12, 3 x1 + 2 x2 <= 18 -> (2, 6), 36."""
    draft = Draft()
    x = draft.add_columns("x", 2, cost=[-3.0, -5.0])
    for name, terms, bound in (("plant1", (1.0, 0.0), 4.0), ("plant2", (0.0, 2.0), 12.0), ("plant3", (3.0, 2.0), 18.0)):
        row = draft.add_rows(name, 1, "<=", bound)
        for place, value in enumerate(terms):
            draft.put(row, x.places[place : place + 1], value)
    return draft.finish()


@pytest.mark.parametrize("engine", ["clarabel", "highs"])
def test_the_textbook_answer_and_its_shadow_prices(engine: str) -> None:
    found = solve(diet(), Options(engine=engine))  # type: ignore[arg-type]
    assert found.report.status is SolveStatus.OPTIMAL
    assert found.report.objective == pytest.approx(-36.0, rel=1e-7)
    assert found.report.bound == pytest.approx(-36.0, rel=1e-6)
    assert found.value("x") == pytest.approx([2.0, 6.0], abs=1e-5)
    # published shadow prices 0, 3/2, 1 (per unit of each plant's time); here a cost falls
    assert [float(found.dual(name)[0]) for name in ("plant1", "plant2", "plant3")] == pytest.approx(
        [0, -1.5, -1], abs=1e-5
    )


@st.composite
def programs(draw: st.DrawFn) -> LinearProgram:
    """Return a feasible and bounded program with every kind of row and bound."""
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 8)), int(rng.integers(2, 9))
    matrix = np.where(rng.random((rows, columns)) < 0.5, rng.normal(size=(rows, columns)).round(2), 0.0)
    inside = rng.uniform(0.0, 3.0, columns).round(2)
    draft = Draft()
    lower = np.where(rng.random(columns) < 0.3, inside, -1.0)
    upper = np.where(rng.random(columns) < 0.3, inside, 5.0)
    upper = np.maximum(upper, lower)
    x = draft.add_columns("x", columns, lower, upper, rng.normal(size=columns).round(2))
    for row in range(rows):
        value = float(matrix[row] @ np.clip(inside, lower, upper))
        sense = ("<=", "=", ">=")[int(rng.integers(3))]
        bound = value + {"<=": 0.1, "=": 0.0, ">=": -0.1}[sense]
        made = draft.add_rows(f"r{row}", 1, sense, bound)  # type: ignore[arg-type]
        draft.put(made, x, matrix[row])
    return draft.finish()


@given(programs())
def test_two_solvers_agree_and_duals_prove_it(program: LinearProgram) -> None:
    ours, other = by_clarabel.solve(program), by_highs.solve(program)
    assert ours.report.status is other.report.status is SolveStatus.OPTIMAL
    assert ours.report.objective == pytest.approx(other.report.objective, rel=1e-5, abs=1e-5)
    activity = program.activity(ours.x)
    assert (activity <= program.row_upper + 1e-5).all()
    assert (activity >= program.row_lower - 1e-5).all()
    for found in (ours, other):  # weak duality: bounds times prices reach the objective
        y, d = found.row_duals, found.reduced_costs
        sides = np.where(y > 0, program.row_lower, program.row_upper)
        ends = np.where(d > 0, program.lower, program.upper)
        dual = float(np.where(np.abs(y) > 1e-6, y * np.where(np.isfinite(sides), sides, 0.0), 0.0).sum())
        dual += float(np.where(np.abs(d) > 1e-6, d * ends, 0.0).sum())
        assert dual == pytest.approx(found.report.objective, rel=1e-4, abs=1e-4)


def test_presolve_takes_dark_hours_out_and_gives_their_prices_back() -> None:
    draft = Draft()
    size = draft.add_columns("size", 1, cost=3.0)
    output = draft.add_columns("output", 4)
    bought = draft.add_columns("bought", 4, cost=[1.0, 5.0, 4.0, 1.0])
    load = draft.add_rows("load", 4, "=", 2.0)
    for block in (output, bought):
        draft.put(load, block, 1.0)
    ceiling = draft.add_rows("ceiling", 4, "<=", 0.0)
    draft.put(ceiling, output, 1.0)
    draft.put(ceiling, size, [0.0, -1.0, -0.5, 0.0])
    program = draft.finish()
    left = reduce(program)
    assert len(left.kept_rows) < len(program.row_lower)
    assert len(left.kept_columns) == len(program.cost) - 2 - 2  # two dark outputs, and what must then be bought
    ours, other = by_clarabel.solve(program), by_highs.solve(program)
    # by hand: a unit of size saves 5 + 4 x 0.5 = 7 > 3 while the second hour's load lasts (size <= 2), then 2 < 3
    assert ours.report.objective == pytest.approx(2 * 3.0 + 2 + 0 + 1 * 4 + 2, rel=1e-7)
    assert ours.report.objective == pytest.approx(other.report.objective, rel=1e-7)
    assert ours.value("size")[0] == pytest.approx(2.0, abs=1e-6)
    assert ours.dual("load")[[0, 3]] == pytest.approx([1.0, 1.0], abs=1e-5)
    assert ours.dual("ceiling")[[0, 3]] == pytest.approx([-1.0, -1.0], abs=1e-5)


def test_infeasible_and_unbounded_are_told_apart() -> None:
    draft = Draft()
    x = draft.add_columns("x", 1, cost=-1.0)
    y = draft.add_columns("y", 1)
    draft.put(draft.add_rows("r", 1, ">=", 1.0), x, 1.0)
    row = draft.add_rows("s", 1, "<=", 3.0)
    draft.put(row, y, 1.0)
    unbounded = draft.finish()
    stopped = unbounded.changed(bounds={"x": (None, 0.5)})
    for engine in ("clarabel", "highs"):
        assert solve(unbounded, Options(engine=engine)).report.status is SolveStatus.UNBOUNDED  # type: ignore[arg-type]
        assert solve(stopped, Options(engine=engine)).report.status is SolveStatus.INFEASIBLE  # type: ignore[arg-type]


def test_whole_variables_knapsack() -> None:
    """Values 60, 100, 120, weights 10, 20, 30, capacity 50 -> 220 (Cormen et al., 0-1 knapsack, exercise 16.2)."""
    draft = Draft()
    take = draft.add_columns("take", 3, 0.0, 1.0, [-60.0, -100.0, -120.0], integer=True)
    draft.put(draft.add_rows("weight", 1, "<=", 50.0), take, [10.0, 20.0, 30.0])
    found = solve(draft.finish())
    assert found.report.solver.startswith("highs")
    assert found.value("take") == pytest.approx([0, 1, 1])
    assert found.report.objective == pytest.approx(-220.0)
    with pytest.raises(Misuse):
        solve(found.program, Options(engine="clarabel"))


def test_a_kept_solver_takes_new_data_and_starts_warm() -> None:
    rng = np.random.default_rng(3)
    draft = Draft()
    bought = draft.add_columns("bought", 200, 0.0, 5.0, rng.uniform(1, 2, 200))
    stored = draft.add_columns("stored", 200, 0.0, 20.0)
    balance = draft.add_rows("balance", 200, "=", rng.uniform(1, 3, 200))
    draft.put(balance, bought, 1.0, name="efficiency")
    draft.put(balance, stored, -1.0)
    draft.put(balance.places[1:], stored.places[:-1], 1.0)
    program = draft.finish()
    kept = by_highs.Kept(program)
    cold = kept.solve()
    prices, needs = rng.uniform(1, 2, 200), rng.uniform(1, 3, 200)
    new = program.changed(
        cost={"bought": prices}, row_bounds={"balance": (needs, needs)}, coefficients={"efficiency": np.full(200, 0.9)}
    )
    warm = kept.solve(new)
    fresh = by_clarabel.solve(new)
    assert warm.report.objective == pytest.approx(fresh.report.objective, rel=1e-6)
    assert warm.report.objective != pytest.approx(cold.report.objective, rel=1e-3)
    back = kept.solve(program)
    assert back.report.objective == pytest.approx(cold.report.objective, rel=1e-9)
    with pytest.raises(Misuse):
        kept.solve(diet())


def test_the_same_program_gives_the_same_bytes() -> None:
    first, second = by_clarabel.solve(diet()), by_clarabel.solve(diet())
    assert first.x.tobytes() == second.x.tobytes()
    assert first.row_duals.tobytes() == second.row_duals.tobytes()


def test_misuse_is_told() -> None:
    draft = Draft()
    x = draft.add_columns("x", 2)
    row = draft.add_rows("r", 1, "<=", 1.0)
    with pytest.raises(Misuse, match="twice"):
        draft.add_columns("x", 1)
    with pytest.raises(Misuse, match="paired"):
        draft.put(draft.add_rows("s", 3, "<=", 1.0), x, 1.0)
    with pytest.raises(Misuse, match="values are wanted"):
        draft.add_columns("y", 3, upper=[1.0, 2.0])
    draft.put(row, x, 1.0)
    program = draft.finish()
    with pytest.raises(Misuse, match="no block"):
        program.changed(cost={"z": 1.0})
    with pytest.raises(Misuse, match="no coefficients"):
        program.changed(coefficients={"z": 1.0})
    draft.put(row, x, 2.0)
    with pytest.raises(Misuse, match="same row and column"):
        draft.finish()


def test_options_of_the_solver_are_never_ignored_in_silence() -> None:
    with pytest.raises(Misuse, match="does not take"):
        by_highs.Kept(diet(), solver="no-such-solver")


def test_a_range_and_a_free_variable() -> None:
    draft = Draft()
    x = draft.add_columns("x", 1, -INF, INF, 1.0)
    row = draft.add_rows("r", 1, "<=", 7.0)
    other = draft.add_columns("y", 1, 0.0, 1.0)
    draft.put(row, x, 1.0)
    draft.put(row, other, 1.0)
    program = draft.finish().changed(row_bounds={"r": (-3.0, 7.0)})
    for engine in ("clarabel", "highs"):
        found = solve(program, Options(engine=engine))  # type: ignore[arg-type]
        assert found.value("x")[0] == pytest.approx(-4.0, abs=1e-5)
        assert found.dual("r")[0] == pytest.approx(1.0, abs=1e-5)
