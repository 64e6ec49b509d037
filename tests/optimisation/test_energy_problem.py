"""Faults of a problem are named before any solver starts; a year of 8784 hours and a day of clock change are no fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.optimisation.energy_cases import asset_use, hours, plant, problem_of, source

from zerofactory.assets.asset import Conditions
from zerofactory.assets.grid import Grid
from zerofactory.errors import FaultyData
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals, faults, least_emissions_t, use_of
from zerofactory.optimisation.energy.sizing import size
from zerofactory.optimisation.solving import solver
from zerofactory.periods import Period


def codes(problem: EnergyProblem) -> list[str]:
    return [one.code for one in faults(problem)]


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every solve of a faulty problem fail the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a solver was started")

    monkeypatch.setattr("zerofactory.optimisation.energy.sizing.solve", refuse)


def test_missing_hours_name_their_count_and_the_first() -> None:
    grid = hours(48)
    load = np.full(48, 10.0)
    load[[5, 6, 30]] = np.nan
    problem = problem_of(grid, (source("grid", 0.5, grid),), load)
    (found,) = faults(problem)
    assert found.code == "energy.missing_hours"
    assert "3" in found.message.zh
    assert "2024-12-31T21:00" in found.message.en
    with pytest.raises(FaultyData):
        size(problem)


def test_a_leap_year_has_8784_hours() -> None:
    leap = Grid.of_period(Period.parse("2024"), 60)
    assert leap.length == 8784
    assert codes(problem_of(leap, (source("grid", 0.5, leap),), np.ones(8784))) == []
    (found,) = faults(problem_of(leap, (source("grid", 0.5, leap),), np.ones(8760)))
    assert found.code == "energy.length"
    assert "8,784" in found.message.en
    assert "8784" in found.hint.zh


def test_a_day_of_clock_change_has_23_hours() -> None:
    day = Grid(datetime(2025, 3, 29, 23, tzinfo=UTC), 60, 23, "Europe/Berlin")
    assert len(set(day.day_of.tolist())) == 1
    assert codes(problem_of(day, (source("grid", 0.5, day),), np.ones(23))) == []
    assert codes(problem_of(day, (source("grid", 0.5, day),), np.ones(24))) == ["energy.length"]


def test_a_tariff_with_a_gap() -> None:
    grid = hours(24)
    price = np.full(24, 0.5)
    price[7] = np.nan
    (found,) = faults(problem_of(grid, (source("grid", price, grid),), 10.0))
    assert found.code == "energy.tariff_gap"
    assert "2024-12-31T23:00" in found.message.zh


def test_an_asset_without_cost_or_factor_or_supply() -> None:
    grid = hours(24)
    free = plant("free", 1.0, 0.0)
    assert codes(problem_of(grid, (source("grid", 0.5, grid), free), 1.0)) == ["energy.asset_without_cost"]
    no_factor = replace(problem_of(grid, (source("grid", 0.5, grid),), 1.0), factors={})
    assert codes(no_factor) == ["energy.no_factor"]
    boiler = asset_use("boiler", "gas_boiler", {"heat_kw": 5.0, "heat_level": "heat_high"}, grid)
    assert codes(problem_of(grid, (source("grid", 0.5, grid), boiler), 1.0)) == ["energy.no_supply"]  # of gas
    assert codes(problem_of(grid, (source("grid", 0.5, grid),), 1.0, loads={"cold": 1.0})) == ["energy.no_supply"]
    assert codes(problem_of(grid, (source("grid", 0.5, grid),), 1.0, loads={"steam": 1.0})) == [
        "energy.carrier", "energy.no_supply",
    ]  # fmt: skip


def test_every_fault_comes_at_once() -> None:
    grid = hours(24)
    price = np.full(24, np.nan)
    problem = problem_of(grid, (source("grid", price, grid), plant("free", 1.0, 0.0)), np.full(20, 1.0), goals=Goals(physical_fraction=80.0, carbon_cap_t=-1.0))  # fmt: skip
    assert set(codes(problem)) == {"energy.length", "energy.tariff_gap", "energy.asset_without_cost", "energy.fraction", "energy.negative_goal"}  # fmt: skip


def test_negative_prices_are_fine_unless_they_earn_without_end() -> None:
    grid = hours(24)
    price = np.full(24, -0.1)
    assert codes(problem_of(grid, (source("grid", price, grid),), 1.0)) == []
    given = {"transformer_kva": 1000.0, "import_limit_kw": 900.0, "export_limit_kw": 900.0}
    series = {"import_price_cny_per_kwh": price, "export_price_cny_per_kwh": 0.3}
    month = {"demand_price_cny_per_kw_month": 40.0}
    limited = asset_use("grid", "grid_connection", given, grid, series, monthly=month)
    assert codes(problem_of(grid, (limited,), 1.0)) == []
    endless = tuple(replace(one, upper=np.inf) for one in limited.block.variables)
    open_use = replace(limited, block=replace(limited.block, variables=endless))
    assert codes(problem_of(grid, (open_use,), 1.0)) == ["energy.arbitrage"]


def test_a_cap_below_what_is_possible_says_what_is_possible() -> None:
    grid = hours(24)
    sun = np.where(np.arange(24) < 12, 1.0, 0.0)
    uses = (source("grid", 0.5, grid), plant("sun", sun, 10.0, upper=50.0))
    problem = problem_of(grid, uses, 100.0)
    assert least_emissions_t(problem) == pytest.approx((2400 - 600) * 500 / 1e6)
    (found,) = faults(replace(problem, goals=Goals(carbon_cap_t=0.5)))
    assert found.code == "energy.cap_impossible"
    assert "0.9" in found.message.en
    assert codes(replace(problem, goals=Goals(carbon_cap_t=0.95))) == []


def test_a_market_regime_needs_its_factor_and_ids_are_unique() -> None:
    grid = hours(24)
    problem = problem_of(grid, (source("grid", 0.5, grid), source("grid", 0.5, grid)), 1.0, goals=Goals(regime="market_annual"))  # fmt: skip
    assert set(codes(problem)) == {"energy.repeated_asset", "energy.no_residual"}


def test_faults_of_an_asset_name_the_asset() -> None:
    grid = hours(24)
    use, problems = use_of("boiler-7", "gas_boiler", {"heat_kw": -5.0, "colour": "red"}, Conditions(grid))
    assert use is None
    assert {one.code for one in problems} == {"assets.unknown_parameter", "assets.out_of_bounds"}
    _, absent = use_of("pv", "photovoltaic", {"peak_kw": 5.0}, Conditions(grid, {"yield_kw_per_kw": np.ones(20)}))
    assert [one.code for one in absent] == ["assets.series_length"]


def test_the_watch_is_real() -> None:
    grid = hours(2)
    with pytest.raises(AssertionError, match="solver was started"):
        size(problem_of(grid, (source("grid", 0.5, grid),), 1.0))
    assert solver.solve is not None
