"""Sizing against answers worked out by hand, textbook results, and other tools."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.optimisation.energy_cases import GRID_FACTOR, asset_use, hours, plant, problem_of, source

from zerofactory.optimisation.energy.plan import DISPATCH
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals
from zerofactory.optimisation.energy.sizing import pareto, sensitivity, size, with_sizes, without_candidates
from zerofactory.optimisation.solving.solver import Options


def test_screening_curves_give_the_published_rule_for_a_base_and_a_peak_plant() -> None:
    """Stoft 2002, Power System Economics, ch. 2-2: the peaker covers load of less duration than ΔFC / ΔVC.

    Load runs down from 100 to 0 kW over 1000 hours; base: fixed 4 per kW over the span, running 0.01; peak: fixed 1,
    running 0.02 → they cross at 3 / 0.01 = 300 h, so base = 100 · (1 − 300/1000) = 70 kW and peak = 30 kW.
    """
    grid = hours(1000)
    load = 100.0 * (1.0 - (np.arange(1000) + 0.5) / 1000)
    base = plant("base", 1.0, 4.0 / grid.years, "fossil", running=0.01)
    peak = plant("peak", 1.0, 1.0 / grid.years, "fossil", running=0.02)
    answer = size(problem_of(grid, (base, peak), load))
    assert answer.plan is not None
    found = {one.asset: one.size for one in answer.plan.sizes}
    assert found["base"] == pytest.approx(70.0, abs=0.06)  # one step of the curve is 0.1 kW
    assert found["base"] + found["peak"] == pytest.approx(load.max(), rel=1e-6)


def test_sun_is_bought_when_it_saves_more_than_it_costs_and_a_cap_buys_what_is_dearer() -> None:
    grid = hours(4)
    sun = np.array([1.0, 0.5, 0.0, 0.0])
    # a unit of sun saves 1.5 kWh at 0.8 until hour one is full at 100 kW; beyond it, 0.5 kWh
    for annual, wanted in ((1.0, 100.0), (0.3, 200.0), (1.3, 0.0)):
        uses = (source("grid", 0.8, grid), plant("sun", sun, annual / grid.years))
        answer = size(problem_of(grid, uses, 100.0))
        assert answer.plan is not None
        assert answer.plan.sizes[0].size == pytest.approx(wanted, abs=1e-3)
    dear = (source("grid", 0.8, grid), plant("sun", sun, 1.3 / grid.years))
    capped = size(problem_of(grid, dear, 100.0, goals=Goals(carbon_cap_t=0.17)))
    assert capped.plan is not None
    # 0.17 t = 340 kWh bought at 500 g; 60 kWh from sun = 40 kW at 1.5 kWh each
    assert capped.plan.sizes[0].size == pytest.approx(40.0, abs=1e-3)
    assert capped.plan.emissions_t == pytest.approx(0.17, rel=1e-6)
    # shadow price: 1.3 − 1.5 · 0.8 = 0.1 CNY a kW that avoids 1.5 · 500 g → 0.1 / 0.00075 t
    assert -capped.plan.shadow_prices["carbon_cap"] == pytest.approx(0.1 / 0.00075, rel=1e-4)


def test_a_carbon_price_at_the_shadow_price_of_a_cap_gives_the_cap() -> None:
    grid = hours(48)
    rng = np.random.default_rng(5)
    sun = np.clip(np.sin((np.arange(48) % 24 - 6) / 12 * np.pi), 0, None) * rng.uniform(0.5, 1, 48)
    load = rng.uniform(50, 100, 48)
    uses = (
        source("grid", rng.uniform(0.3, 0.9, 48), grid),
        plant("sun", sun, 3.0 / grid.years),
        asset_use("battery", "battery", {"capacity_maximum_kwh": 1000.0}, grid, sized=True),
    )
    factors = {GRID_FACTOR: rng.uniform(300, 700, 48)}
    free = size(problem_of(grid, uses, load, factors=factors))
    assert free.plan is not None
    cap = 0.8 * free.plan.emissions_t
    capped = size(problem_of(grid, uses, load, factors=factors, goals=Goals(carbon_cap_t=cap)))
    assert capped.plan is not None
    price = -capped.plan.shadow_prices["carbon_cap"]
    assert price > 1.0
    for offset, side in ((1.02, -1), (0.98, 1)):
        priced = size(problem_of(grid, uses, load, factors=factors, goals=Goals(carbon_price_cny_per_t=price * offset)))
        assert priced.plan is not None
        assert side * (priced.plan.emissions_t - cap) >= -1e-6 * cap
    assert capped.plan.costs.total_cny > free.plan.costs.total_cny


def test_battery_arbitrage_by_hand() -> None:
    """100 kWh, one cycle: buy 100 / 0.9 at 0.2 and save 100 · 0.9 at 1.0 → saves 90 − 22.22 = 67.78."""
    grid = hours(2)
    battery = {
        "capacity_kwh": 100.0, "charge_efficiency_fraction": 0.9, "discharge_efficiency_fraction": 0.9, "c_rate_per_hour": 2.0,
        "minimum_charge_fraction": 0.0, "initial_fraction": 0.0, "self_discharge_fraction_per_hour": 0.0, "wear_cny_per_kwh": 0.0,
    }  # fmt: skip
    uses = (source("grid", np.array([0.2, 1.0]), grid), asset_use("battery", "battery", battery, grid))
    answer = size(problem_of(grid, uses, 200.0))
    assert answer.plan is not None
    assert answer.plan.costs.total_cny == pytest.approx(240.0 - (90.0 - 0.2 * 100 / 0.9), rel=1e-7)


def heat_problem(goals: Goals) -> EnergyProblem:
    grid = hours(24)
    boiler = {"heat_kw": 500.0, "efficiency_fraction": 0.9, "heat_level": "heat_high", "running_cny_per_kwh": 0.0}
    pump = {
        "heat_maximum_kw": 500.0, "heat_level": "heat_high", "source": "water", "source_celsius": 30.0, "sink_celsius": 90.0,
        "second_law_fraction": 0.5, "source_approach_kelvin": 0.0, "capex_cny_per_kw": 0.0,
        "opex_cny_per_kw_year": 0.01 * 8760.0, "running_cny_per_kwh": 0.0,
    }  # fmt: skip
    uses = (
        source("grid", 0.9, grid),
        asset_use("gas", "gas_supply", {"limit_nm3_per_h": 1e4}, grid, {"gas_price_cny_per_nm3": 2.0}),
        asset_use("boiler", "gas_boiler", boiler, grid),
        asset_use("pump", "heat_pump", pump, grid, sized=True),
    )
    return problem_of(grid, uses, 10.0, loads={"heat_high": 300.0}, goals=goals)


def test_a_heat_pump_takes_over_from_the_boiler_at_the_carbon_price_of_the_formula() -> None:
    """Boiler: 2 CNY and 2 kg a Nm3 of 9.733 kWh heat; pump: COP 3.026, 0.9 CNY and 0.5 kg a kWh, 0.01 CNY a kWh of size."""
    heat, cop = 0.9 * 10.8142, 0.5 * 363.15 / 60
    turn = (0.9 / cop + 0.01 - 2.0 / heat) / (2000 / heat - 500 / cop) * 1e6
    for share, pumped in ((0.98, 0.0), (1.02, 300.0)):
        answer = size(heat_problem(Goals(carbon_price_cny_per_t=share * turn)))
        assert answer.plan is not None
        assert answer.plan.sizes[0].size == pytest.approx(pumped, abs=1e-3)


def test_monthly_peaks_are_paid_and_a_battery_shaves_them() -> None:
    grid = hours(24 * 59)  # January and February
    load = np.where(np.arange(grid.length) % 24 == 12, 1000.0, 500.0)
    connection = {"transformer_kva": 5000.0, "import_limit_kw": 4000.0, "load_loss_fraction": 0.0}
    series = {"import_price_cny_per_kwh": 0.5, "export_price_cny_per_kwh": 0.0}
    grid_use = asset_use(
        "grid", "grid_connection", connection, grid, series, monthly={"demand_price_cny_per_kw_month": 40.0}
    )
    before = size(problem_of(grid, (grid_use,), load))
    assert before.plan is not None
    assert before.plan.costs.running_cny["grid"] == pytest.approx(0.5 * load.sum() + 2 * 40 * 1000)
    battery = asset_use("battery", "battery", {"capacity_maximum_kwh": 5000.0}, grid, sized=True)
    after = size(problem_of(grid, (grid_use, battery), load))
    assert after.plan is not None
    assert after.plan.values["grid"]["peak_kw"].max() < 800
    assert after.plan.costs.total_cny < before.plan.costs.total_cny


def test_hourly_matching_needs_more_than_the_year_and_counts_what_the_accounts_count() -> None:
    grid = hours(48)
    sun = np.clip(np.sin((np.arange(48) % 24 - 6) / 12 * np.pi), 0, None)
    uses = (
        source("grid", 0.5, grid),
        plant("sun", sun, 5.0 / grid.years),
        asset_use("battery", "battery", {"capacity_maximum_kwh": 5000.0}, grid, sized=True),
    )
    year = size(problem_of(grid, uses, 100.0, goals=Goals(annual_matched_fraction=0.7)))
    hour = size(problem_of(grid, uses, 100.0, goals=Goals(hourly_matched_fraction=0.7)))
    assert year.plan is not None
    assert hour.plan is not None
    # nothing may be sold here, so own sun counts when it is used: both need the same; the share is met exactly
    for plan, grouping in ((year.plan, "one"), (hour.plan, "interval")):
        assert plan.origin.matched_fraction(grid, grouping) == pytest.approx(0.7, abs=1e-5)
    assert hour.plan.shadow_prices["hourly_matched"] > 0
    assert hour.plan.origin.physical_fraction == pytest.approx(0.7, abs=1e-5)


def test_budget_limit_and_roof_hold() -> None:
    grid = hours(24)
    sun = np.full(24, 0.5)
    pv = {"peak_maximum_kw": 1000.0, "capex_cny_per_kw": 1.0, "opex_cny_per_kw_year": 0.0}
    uses = (source("grid", 0.5, grid), asset_use("pv", "photovoltaic", pv, grid, {"yield_kw_per_kw": sun}, sized=True))
    free = size(problem_of(grid, uses, 300.0))
    poor = size(problem_of(grid, uses, 300.0, goals=Goals(budget_cny=250.0)))
    narrow = size(problem_of(grid, uses, 300.0, goals=Goals(grid_limit_kw=100.0)))
    assert free.plan is not None
    assert poor.plan is not None
    assert narrow.plan is not None
    assert free.plan.sizes[0].size == pytest.approx(600.0, rel=1e-6)
    assert poor.plan.sizes[0].size == pytest.approx(250.0, rel=1e-6)
    assert narrow.plan.values["grid"]["import_kw"].max() <= 100.0 * (1 + 1e-6)


def test_front_runs_from_the_cheapest_to_the_cleanest_plan() -> None:
    grid = hours(48)
    sun = np.clip(np.sin((np.arange(48) % 24 - 6) / 12 * np.pi), 0, None)
    uses = (
        source("grid", 0.5, grid),
        plant("sun", sun, 5.0 / grid.years, upper=800.0),
        asset_use("battery", "battery", {"capacity_maximum_kwh": 800.0}, grid, sized=True),
    )
    front = pareto(problem_of(grid, uses, 100.0), 5)
    costs, tonnes = [one.cost_cny for one in front], [one.emissions_t for one in front]
    assert len(front) == 5
    assert costs == sorted(costs)
    assert tonnes == sorted(tonnes, reverse=True)
    slopes = np.diff(costs) / -np.diff(tonnes)
    assert (np.diff(slopes) > -1e-3 * slopes[:-1]).all()  # convex
    prices = [one.shadow_cny_per_t for one in front]
    for place, slope in enumerate(slopes):  # the price of the last tonne lies between the slopes beside it
        assert prices[place] - 1e-2 <= slope * (1 + 1e-3)
        assert slope <= prices[place + 1] * (1 + 1e-3) + 1e-2
    cleanest = size(problem_of(grid, uses, 100.0, goals=Goals(objective="emissions")))
    assert cleanest.plan is not None
    assert cleanest.plan.emissions_t == pytest.approx(tonnes[-1], rel=2e-3)


def test_fixing_the_sizes_found_gives_the_same_cost_and_taking_them_away_the_old_one() -> None:
    grid = hours(24)
    uses = (source("grid", 0.8, grid), plant("sun", np.linspace(0, 1, 24), 2.0 / grid.years))
    problem = problem_of(grid, uses, 100.0)
    answer = size(problem)
    assert answer.plan is not None
    fixed = size(with_sizes(problem, {one.asset: one.size for one in answer.plan.sizes}))
    assert fixed.plan is not None
    assert fixed.plan.costs.total_cny == pytest.approx(answer.plan.costs.total_cny, rel=1e-6)
    before = size(without_candidates(problem))
    assert before.plan is not None
    assert before.plan.costs.total_cny == pytest.approx(0.8 * 2400, rel=1e-9)


def test_equal_prices_both_ways_are_netted_at_the_meter_and_dearer_sales_are_not_shown() -> None:
    grid = hours(48)
    sun = np.clip(np.sin((np.arange(48) % 24 - 6) / 12 * np.pi), 0, None)
    connection = {
        "transformer_kva": 5000.0,
        "import_limit_kw": 800.0,
        "export_limit_kw": 900.0,
        "load_loss_fraction": 0.0,
    }
    pv = asset_use("pv", "photovoltaic", {"peak_kw": 500.0}, grid, {"yield_kw_per_kw": sun})
    for paid, shown in ((0.5, True), (0.4, True), (0.6, False)):
        series = {"import_price_cny_per_kwh": 0.5, "export_price_cny_per_kwh": paid}
        month = {"demand_price_cny_per_kw_month": 0.0}
        meter = asset_use("grid", "grid_connection", connection, grid, series, monthly=month)
        problem = problem_of(grid, (meter, pv), 100.0)
        answer = size(problem, Options(engine="clarabel"))
        assert (answer.plan is not None) is shown
        if answer.plan is None:
            assert answer.check is not None
            assert "check.both_ways" in {one.code for one in answer.check.findings}
        else:
            assert np.minimum(answer.plan.origin.grid, answer.plan.origin.sold).max() < 1e-3
            net = 100.0 - 500.0 * sun
            expected = 0.5 * np.maximum(net, 0).sum() - paid * np.maximum(-net, 0).sum()
            assert answer.plan.costs.total_cny == pytest.approx(expected, rel=1e-6)
        own = size(replace(problem, sells_own_only=True), Options(engine="clarabel"))
        assert own.plan is not None
        assert own.plan.origin.sold.max() <= 400.0 * (1 + 1e-6)


def test_sensitivity_says_what_moves_the_answer() -> None:
    grid = hours(24)
    uses = (source("grid", 0.8, grid), plant("sun", np.linspace(0, 1, 24), 2.0 / grid.years))
    found = sensitivity(problem_of(grid, uses, 100.0), (("capex:sun", 1.5), ("capex:sun", 1.0), ("running:grid", 2.0)))
    dearer, same, power = found
    assert dearer.sizes["sun"] < same.sizes["sun"] < power.sizes["sun"]
    assert dearer.cost_cny > same.cost_cny


def test_the_plan_as_a_table_keeps_the_schema_and_the_energy() -> None:
    grid = hours(24, 15)
    uses = (source("grid", 0.8, grid), plant("sun", np.linspace(0, 1, 24), 2.0 / grid.years))
    answer = size(problem_of(grid, uses, 100.0))
    assert answer.plan is not None
    rows = answer.plan.dispatch()
    assert DISPATCH.check(rows) == []
    assert rows["energy"].sum() == pytest.approx(100.0 * 24 * 0.25, rel=1e-6)
    booked = answer.plan.quantities()
    assert {one.source for one in booked} == {"purchased_electricity"}
    assert sum(one.quantity for one in booked) == pytest.approx(
        float(answer.plan.values["grid"]["import_kw"].sum()) * 0.25
    )


def test_both_solvers_find_the_same_plan_cost() -> None:
    problem = heat_problem(Goals(carbon_cap_t=1.2))
    costs = []
    for engine in ("clarabel", "highs"):
        answer = size(problem, Options(engine=engine))  # type: ignore[arg-type]
        assert answer.plan is not None
        costs.append(answer.plan.costs.total_cny)
    assert costs[0] == pytest.approx(costs[1], rel=1e-6)


def test_market_regimes_count_contracts_by_month_and_by_interval() -> None:
    """Wind blows every other hour at 200 kW per 100 kW of load, settled at most what the grid delivers then: half is covered."""
    grid = hours(48)
    wind = np.tile([1.0, 0.0], 24)
    given = {"capacity_kw": 200.0, "premium_cny_per_kwh": 0.01}
    contract = asset_use("contract", "green_power_contract", given, grid, {"yield_kw_per_kw": wind})
    problem = problem_of(grid, (source("grid", 0.5, grid), contract), 100.0, residual_gco2e_per_kwh=600.0)
    for regime in ("location", "market_annual", "market_hourly"):
        tonnes = {"location": 2.4, "market_annual": 1.44, "market_hourly": 1.44}[regime]
        goals = Goals(regime=regime, objective="emissions")  # type: ignore[arg-type]
        answer = size(replace(problem, goals=goals))
        assert answer.plan is not None
        assert answer.plan.emissions_t == pytest.approx(tonnes, rel=1e-3)
    covered = size(replace(problem, goals=Goals(hourly_matched_fraction=0.3)))
    assert covered.plan is not None
    assert covered.plan.origin.contract.sum() == pytest.approx(0.3 * 4800, rel=1e-5)
    assert covered.plan.origin.physical_fraction == 0.0
    too_much = size(replace(problem, goals=Goals(hourly_matched_fraction=0.6)))
    assert too_much.conflict is not None
    (clash,) = [one for one in too_much.conflict.clashing if one.wish.id == "wish:hourly_matched"]
    assert clash.becomes == pytest.approx(0.5, abs=1e-3)


def test_six_carriers_in_one_problem_and_both_solvers_agree() -> None:
    grid = hours(48)
    clock = np.arange(48) % 24
    air = {"ambient_celsius": 20.0 + 8.0 * np.sin((clock - 9) / 12 * np.pi)}
    uses = (
        source("grid", np.where((clock < 7) | (clock > 21), 0.3, 0.9), grid),
        asset_use("gas", "gas_supply", {"limit_nm3_per_h": 1e4}, grid, {"gas_price_cny_per_nm3": 3.5}),
        asset_use("boiler", "gas_boiler", {"heat_kw": 900.0, "heat_level": "heat_high"}, grid),
        asset_use("pump", "heat_pump", {"heat_maximum_kw": 900.0, "heat_level": "heat_low", "sink_celsius": 50.0}, grid, air, sized=True),
        asset_use("engine", "combined_heat_power", {"power_maximum_kw": 500.0, "heat_level": "heat_high"}, grid, sized=True),
        asset_use("chiller", "chiller", {"cooling_kw": 2000.0}, grid, air),
        asset_use("cold-store", "thermal_storage", {"capacity_maximum_kwh": 3000.0, "carrier": "cold"}, grid, sized=True),
        asset_use("air", "compressed_air", {"power_kw": 600.0}, grid),
        asset_use("cells", "electrolyser", {"power_kw": 1500.0, "store_kg": 100.0}, grid),
    )  # fmt: skip
    loads = {
        "heat_high": 300.0 + 10.0 * clock, "heat_low": 200.0, "cold": 400.0 + 30.0 * clock, "compressed_air": 2000.0, "hydrogen": 5.0,
    }  # fmt: skip
    problem = problem_of(grid, uses, 800.0, loads=loads, goals=Goals(carbon_price_cny_per_t=100.0))
    plans = []
    for engine in ("clarabel", "highs"):
        answer = size(problem, Options(engine=engine))  # type: ignore[arg-type]
        assert answer.plan is not None, answer.check
        plans.append(answer.plan)
    assert plans[0].costs.total_cny == pytest.approx(plans[1].costs.total_cny, rel=1e-6)
    assert set(problem.carriers) == {
        "electricity",
        "heat_high",
        "heat_low",
        "cold",
        "compressed_air",
        "hydrogen",
        "natural_gas",
    }
    rows = plans[0].dispatch()
    assert DISPATCH.check(rows) == []
    made = rows.filter(rows["carrier"] == "hydrogen")["energy"].sum()
    assert made == pytest.approx(5.0 * 48, rel=1e-6)
