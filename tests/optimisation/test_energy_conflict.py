"""A wish that cannot be met is answered with the smallest clashing set, what each would have to become, and the nearest plan."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optimisation.energy_cases import asset_use, hours, plant, problem_of, source

from zerofactory.errors import Text
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals
from zerofactory.optimisation.energy.sizing import size
from zerofactory.optimisation.solving.conflict import Wish, explain
from zerofactory.optimisation.solving.linear import Draft


def problem(**goals: float) -> EnergyProblem:
    grid = hours(24)
    sun = np.where(np.arange(24) < 12, 1.0, 0.0)
    pv = {"peak_maximum_kw": 400.0, "capex_cny_per_kw": 10.0, "opex_cny_per_kw_year": 0.0}
    uses = (
        source("grid", 0.5, grid),
        asset_use("pv", "photovoltaic", pv, grid, {"yield_kw_per_kw": sun}, sized=True),
    )
    return problem_of(grid, uses, 100.0, goals=Goals(**goals))  # type: ignore[arg-type]


def test_cap_against_budget_names_both_and_leaves_the_innocent_out() -> None:
    """Without sun 1.2 t; each kW of PV (10 CNY) saves 12 kWh = 6 kg. A cap of 0.9 t needs 50 kW = 500 CNY; 200 buy 1.08 t."""
    answer = size(problem(carbon_cap_t=0.9, budget_cny=200.0, grid_limit_kw=150.0))
    assert answer.conflict is not None
    clash = {one.wish.id: one for one in answer.conflict.clashing}
    assert set(clash) == {"balance:electricity", "wish:carbon_cap", "wish:budget"} or set(clash) == {
        "wish:carbon_cap",
        "wish:budget",
    }
    assert clash["wish:carbon_cap"].becomes == pytest.approx(1.08, rel=1e-4)
    assert clash["wish:budget"].becomes == pytest.approx(500.0, rel=1e-4)
    said = answer.conflict.sentence()
    assert "碳排放不超过" in said.zh
    assert "投资不超过(200 CNY)" in said.zh
    assert "emissions of at most (0.9 tCO2e)" in said.en
    assert answer.plan is not None
    assert answer.check is not None
    assert answer.check.passed
    assert not answer.is_as_asked
    assert answer.conflict.nearest


def test_an_hourly_share_that_the_night_forbids() -> None:
    answer = size(problem(hourly_matched_fraction=0.8))
    assert answer.conflict is not None
    clash = {one.wish.id: one for one in answer.conflict.clashing}
    assert "wish:hourly_matched" in clash
    assert clash["wish:hourly_matched"].becomes == pytest.approx(0.5, abs=1e-3)  # half of the day is dark
    assert answer.plan is not None
    assert answer.plan.origin.matched_fraction(answer.plan.problem.grid, "interval") == pytest.approx(0.5, abs=1e-3)


def test_a_load_beyond_the_connection_is_told_as_the_load_that_can_be_met() -> None:
    grid = hours(24)
    uses = (source("grid", 0.5, grid),)
    answer = size(problem_of(grid, uses, 100.0, goals=Goals(grid_limit_kw=80.0)))
    assert answer.conflict is not None
    clash = {one.wish.id: one for one in answer.conflict.clashing}
    assert set(clash) == {"balance:electricity", "wish:grid_limit"}
    assert clash["balance:electricity"].becomes == pytest.approx(0.8, rel=1e-5)
    assert clash["wish:grid_limit"].becomes == pytest.approx(100.0, rel=1e-5)
    assert answer.plan is not None  # the nearest: the grid limit gives way, the dear load stands
    assert answer.conflict.nearest == pytest.approx({"wish:grid_limit": 100.0}, rel=1e-4)


def test_a_plant_that_cannot_run_at_all_says_so() -> None:
    draft = Draft()
    x = draft.add_columns("x", 1, 0.0, 1.0)
    draft.put(draft.add_rows("physics", 1, ">=", 2.0), x, 1.0)
    draft.put(draft.add_rows("asked", 1, "<=", 5.0), x, 1.0)
    found = explain(draft.finish(), [Wish("asked", Text("要求", "asked"), 5.0, "", 5.0, 5.0)])
    assert found.clashing == ()
    assert found.plan is None
    assert "无法运行" in found.sentence().zh


def test_the_smallest_set_is_irreducible() -> None:
    """Four wishes on one sum; only two of them clash, two are met on the way."""
    draft = Draft()
    x = draft.add_columns("x", 3, 0.0, 10.0, 1.0)
    asked = []
    for name, sense, bound, scale in (
        ("a", ">=", 20.0, -20.0),
        ("b", "<=", 15.0, 15.0),
        ("c", "<=", 29.0, 29.0),
        ("d", ">=", 3.0, -3.0),
    ):
        draft.put(draft.add_rows(name, 1, sense, bound), x, 1.0)  # type: ignore[arg-type]
        asked.append(Wish(name, Text(name, name), bound, "", scale, scale))
    found = explain(draft.finish(), asked)
    assert {one.wish.id: one.becomes for one in found.clashing} == pytest.approx({"a": 15.0, "b": 20.0})
    assert found.plan is not None
    assert found.plan.report.status.has_answer


def test_what_is_asked_and_possible_has_no_conflict() -> None:
    answer = size(problem(carbon_cap_t=0.9, budget_cny=501.0))
    assert answer.is_as_asked
    grid = hours(24)
    assert size(problem_of(grid, (source("grid", 0.5, grid), plant("sun", 1.0, 1.0)), 5.0)).conflict is None


def test_a_wish_on_the_very_edge_is_met_with_a_hair_of_room() -> None:
    """Half of the day is dark: an hourly share of 0.5 is just possible, and a little more is told as the edge it is."""
    answer = size(problem(hourly_matched_fraction=0.50002))
    assert answer.conflict is not None
    assert answer.conflict.is_none
    assert answer.conflict.clashing == ()
    assert "边界" in answer.conflict.sentence().zh
    assert answer.plan is not None
    assert answer.plan.origin.matched_fraction(answer.plan.problem.grid, "interval") == pytest.approx(0.5, abs=1e-4)


def test_a_stuck_solver_is_explained_first_and_then_asked_again_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from zerofactory.optimisation.energy import sizing
    from zerofactory.optimisation.solving import solver
    from zerofactory.optimisation.solving.result import SolveStatus

    def stuck(program: object, options: object = None) -> object:
        found = solver.solve(program, options)  # type: ignore[arg-type]
        return replace(found, report=replace(found.report, status=SolveStatus.FAILED, solver="clarabel"))

    monkeypatch.setattr(sizing, "solve", stuck)
    answer = size(problem(carbon_cap_t=0.9))
    assert answer.is_as_asked
    assert answer.report.solver.startswith("highs")
