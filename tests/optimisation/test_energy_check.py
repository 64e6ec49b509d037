"""The independent check: it passes a true plan, catches every error planted into one, and a failed plan is not shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.optimisation.energy_cases import asset_use, hours, problem_of, source

from zerofactory.optimisation.energy import sizing
from zerofactory.optimisation.energy.assembly import assemble
from zerofactory.optimisation.energy.check import Check, Finding, bill_findings, check, tonnes_findings
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals
from zerofactory.optimisation.energy.sizing import size
from zerofactory.optimisation.solving.solver import solve


def problem(**goals: float) -> EnergyProblem:
    grid = hours(24 * 7)
    clock = np.arange(grid.length) % 24
    sun = np.clip(np.sin((clock - 6) / 12 * np.pi), 0, None)
    price = np.where((clock < 6) | (clock >= 22), 0.3, 0.9)
    pv = {"peak_maximum_kw": 3000.0, "capex_cny_per_kw": 2500.0}
    uses = (
        source("grid", price, grid, upper=5000.0),
        asset_use("pv", "photovoltaic", pv, grid, {"yield_kw_per_kw": sun}, sized=True),
        asset_use("battery", "battery", {"capacity_maximum_kwh": 4000.0}, grid, sized=True),
        asset_use("boiler", "gas_boiler", {"heat_kw": 900.0, "heat_level": "heat_high"}, grid),
        asset_use("gas", "gas_supply", {"limit_nm3_per_h": 1e4}, grid, {"gas_price_cny_per_nm3": 3.0}),
        asset_use(
            "pump",
            "heat_pump",
            {"heat_maximum_kw": 900.0, "heat_level": "heat_high"},
            grid,
            {"ambient_celsius": 10.0 + clock / 4},
            sized=True,
        ),
        asset_use(
            "tank", "thermal_storage", {"capacity_maximum_kwh": 4000.0, "carrier": "heat_high"}, grid, sized=True
        ),
    )
    load = 1000.0 + 400.0 * np.sin(clock / 24 * 2 * np.pi)
    heat = np.where(clock < 12, 800.0, 300.0)
    return problem_of(grid, uses, load, loads={"heat_high": heat}, goals=Goals(**goals))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plan() -> Plan:
    answer = size(problem(carbon_cap_t=80.0, physical_fraction=0.2, budget_cny=8e6, grid_limit_kw=2500.0))
    assert answer.plan is not None, answer
    return answer.plan


def planted(plan: Plan, asset: str, variable: str, change: Callable[[np.ndarray], np.ndarray]) -> Plan:  # type: ignore[type-arg]
    values = {name: dict(own) for name, own in plan.values.items()}
    values[asset][variable] = change(values[asset][variable].copy())
    return replace(plan, values=values)


def at(slot: int, factor: float, offset: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:  # type: ignore[type-arg]
    def change(values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        values[slot] = values[slot] * factor + offset
        return values

    return change


def codes(found: Check) -> set[str]:
    return {one.code for one in found.findings}


def test_a_true_plan_passes_and_the_check_is_cheap(plan: Plan) -> None:
    found = check(plan)
    assert found.passed
    assert found.worst_fraction < 1e-6
    assert codes(found) == set()


@pytest.mark.parametrize(
    ("asset", "variable", "change", "code"),
    [
        ("grid", "import_kw", at(40, 1.01, 0.5), "check.balance"),
        ("pump", "power_kw", at(5, 1.0, 3.0), "check.balance"),
        ("battery", "stored_kwh", at(30, 1.0, 5.0), "check.row"),
        ("tank", "charge_kw", at(20, 1.0, 2.0), "check.row"),
        ("tank", "stored_kwh", at(47, 1.0, 9.0), "check.row"),
        ("grid", "import_kw", at(8, 1.0, -9000.0), "check.bound"),
        ("battery", "stored_kwh", at(11, 0.0, -1.0), "check.bound"),
        ("pv", "used_kw", at(0, 1.0, 50.0), "check.row"),
        ("pv", "peak_kw", at(0, 0.9), "check.row"),
        ("pv", "peak_kw", at(0, 1.1), "check.cost"),
        ("gas", "gas_nm3_per_h", at(17, 1.0, 1.0), "check.cost"),
        ("grid", "import_kw", lambda values: values * 1.5, "check.goal"),
        ("pump", "power_kw", lambda values: values[:-1], "check.value"),
        ("pump", "power_kw", at(3, float("nan")), "check.value"),
    ],
)
def test_a_planted_error_is_caught(plan: Plan, asset: str, variable: str, change: Callable, code: str) -> None:  # type: ignore[type-arg]
    assert code in codes(check(planted(plan, asset, variable, change)))


def test_physics_is_replayed_from_the_state_the_plan_claims(plan: Plan) -> None:
    """A block whose balance is wrong (no losses) gives plans that its own rows accept; the physics does not."""
    grid = plan.problem.grid
    true = plan.problem.use("battery")
    rows = tuple(
        replace(row, terms=tuple(replace(t, coefficient=-1.0) if t.variable == "charge_kw" else t for t in row.terms))
        if row.name == "stored_kwh_balance"
        else row
        for row in true.block.rows
    )
    wrong = replace(true, block=replace(true.block, rows=rows))
    uses = tuple(wrong if use.id == "battery" else use for use in plan.problem.uses)
    assert grid.length == plan.problem.grid.length
    answer = size(replace(plan.problem, uses=uses))
    assert answer.plan is None
    assert answer.check is not None
    assert codes(answer.check) == {"check.physics"}


def test_a_result_that_fails_its_check_is_not_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    assembled = assemble(problem())
    solution = solve(assembled.program)
    broken = replace(solution, x=solution.x * 1.001)
    answer = sizing.answer_of(assembled, broken)
    assert answer.plan is None
    assert answer.check is not None
    assert not answer.check.passed
    assert not answer.is_as_asked


def test_bill_and_tonnes_of_others_are_compared(plan: Plan) -> None:
    running = plan.costs.running_cny["grid"]
    assert bill_findings(plan, {"grid": running * (1 + 1e-7)}) == []
    (found,) = bill_findings(plan, {"grid": running * 1.001})
    assert isinstance(found, Finding)
    assert found.code == "check.bill"
    assert tonnes_findings({"purchased_electricity": 10.0}, {"purchased_electricity": 10.0}) == []
    (wrong,) = tonnes_findings({"purchased_electricity": 10.0}, {"purchased_electricity": 9.9})
    assert wrong.code == "check.tonnes"
    assert not check(plan).with_findings([wrong]).passed
