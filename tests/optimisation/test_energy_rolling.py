"""Rolling dispatch: hand-made cases, the optimum with perfect foresight, and days that were not foreseen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.optimisation.energy_cases import asset_use, hours, problem_of

from zerofactory.assets.grid import Grid
from zerofactory.errors import Misuse
from zerofactory.optimisation.energy.check import check
from zerofactory.optimisation.energy.outlook import DAILY, WEEKLY, Learned, Perfect
from zerofactory.optimisation.energy.problem import EnergyProblem
from zerofactory.optimisation.energy.rolling import Rolling, roll
from zerofactory.optimisation.energy.strategies import judge
from zerofactory.optimisation.energy.window import LOAD, Standpoint, begun, installed, window, with_margin

DAY = 24
KEY = (LOAD, "electricity")
SUN = ("pv", "yield_kw_per_kw")


def plant(days: int, load: np.ndarray | None = None, battery_kwh: float = 400.0, demand: float = 40.0) -> EnergyProblem:
    """Return a plant with a grid connection, a sun that shines at noon and a battery, over some days by the hour."""
    grid = hours(DAY * days)
    hour = grid.minute_of_day / 60.0
    price = np.where(hour < 8, 0.3, np.where((hour >= 18) & (hour < 22), 1.2, 0.7))
    sun = np.maximum(0.0, np.sin((hour - 6.0) / 12.0 * np.pi)) * (hour > 6) * (hour < 18)
    connection = asset_use(
        "grid", "grid_connection",
        {"transformer_kva": 5000.0, "power_factor_fraction": 1.0, "import_limit_kw": 5000.0, "export_limit_kw": 100.0,
         "load_loss_fraction": 0.0, "no_load_loss_kw": 0.0, "demand_basis": "maximum"},
        grid, {"import_price_cny_per_kwh": price, "export_price_cny_per_kwh": np.full(grid.length, 0.2)},
        monthly={"demand_price_cny_per_kw_month": np.full(len(grid.months), demand), "capacity_price_cny_per_kva_month": 0.0, "peak_so_far_kw": 0.0},
    )  # fmt: skip
    pv = asset_use("pv", "photovoltaic", {"peak_kw": 100.0}, grid, {"yield_kw_per_kw": sun})
    store = asset_use(
        "battery", "battery",
        {"capacity_kwh": battery_kwh, "c_rate_per_hour": 0.5, "self_discharge_fraction_per_hour": 0.0, "wear_cny_per_kwh": 0.01}, grid,
    )  # fmt: skip
    if load is None:
        load = 300.0 + 100.0 * ((hour >= 8) & (hour < 20))
    return problem_of(grid, (connection, pv, store), load, sells_own_only=True)


def uncertain(days: int, seed: int = 5) -> np.ndarray:
    """Return a load with working days and weekends, and errors that nobody can foresee."""
    grid = hours(DAY * days)
    random = np.random.Generator(np.random.PCG64(seed))
    hour, weekday = grid.minute_of_day / 60.0, grid.weekday_of
    shape = 250.0 + 250.0 * ((hour >= 8) & (hour < 20) & (weekday <= 5))
    drift = np.zeros(grid.length)
    for slot in range(1, grid.length):
        drift[slot] = 0.8 * drift[slot - 1] + random.normal(0.0, 18.0)
    return np.maximum(shape + drift, 50.0)


def test_with_everything_known_rolling_is_as_good_as_one_plan() -> None:
    problem = plant(6)
    found = judge(problem, Rolling(2 * DAY, DAY, 5 * DAY), Perfect())
    assert found["rolling"].cost_cny == pytest.approx(found["perfect"].cost_cny, rel=5e-3)
    assert found["perfect"].cost_cny < found["rule"].cost_cny < found["none"].cost_cny
    assert all(one.check.passed for one in found.values()), {k: v.check.findings for k, v in found.items()}


def test_what_was_carried_out_passes_the_check_and_keeps_every_balance() -> None:
    load = uncertain(40)
    problem = plant(40, load)
    history = 28 * DAY
    measured = {KEY: load, SUN: problem.use("pv").profile["yield_kw_per_kw"]}
    learned = Learned(measured, {KEY: WEEKLY, SUN: DAILY}, DAY, history)
    done = roll(problem, Rolling(DAY, history, margin_fraction=0.8), learned)
    verdict = check(done.plan, priced=False)
    assert verdict.passed, verdict.findings
    assert (done.failed, done.unserved_kwh, done.steps) == (0, 0.0, 12 * DAY)
    values = done.plan.values
    bus = values["grid"]["import_kw"] - values["grid"]["export_kw"] + values["pv"]["used_kw"]
    bus += values["battery"]["discharge_kw"] - values["battery"]["charge_kw"]
    assert np.allclose(bus, load[history:], atol=1e-6)
    assert values["grid"]["export_kw"].max() <= 100.0 + 1e-9


def test_days_that_nobody_foresaw_are_run_better_than_by_rule() -> None:
    load = uncertain(56)
    problem = plant(56, load)
    history = 28 * DAY
    measured = {KEY: load, SUN: problem.use("pv").profile["yield_kw_per_kw"]}
    learned = Learned(measured, {KEY: WEEKLY, SUN: DAILY}, DAY, history)
    found = judge(problem, Rolling(DAY, history, margin_fraction=0.8), learned)
    saved = {name: found["none"].cost_cny - one.cost_cny for name, one in found.items()}
    assert saved["perfect"] > saved["rolling"] > saved["rule"] > 0.0
    assert saved["rolling"] > 0.6 * saved["perfect"]
    assert found["rolling"].peak_kw < found["none"].peak_kw


def test_a_peak_that_is_paid_already_is_used() -> None:
    load = np.full(2 * DAY, 300.0)
    cheap = plant(2, load)
    new = roll(cheap, Rolling(DAY, 0, DAY)).plan.values["grid"]["import_kw"]
    paid = roll(cheap, Rolling(DAY, 0, DAY, peak_so_far_kw=480.0)).plan.values["grid"]["import_kw"]
    assert new.max() < 320.0  # a new kilowatt of peak costs 40 CNY: charging faster does not earn that in a day
    assert 440.0 < paid.max() <= 480.0 + 1e-6  # below the peak of the month, power costs its energy only


def test_the_battery_holds_the_planned_peak_when_the_load_jumps() -> None:
    load = np.full(30 * DAY, 300.0)
    load[29 * DAY + 8] = 420.0  # in the morning, the battery full; nobody foresaw it
    problem = plant(30, load)
    learned = Learned({KEY: load}, {KEY: WEEKLY}, DAY, 28 * DAY)
    held = roll(problem, Rolling(DAY, 28 * DAY, peak_so_far_kw=310.0), learned).plan.values["grid"]["import_kw"]
    loose = roll(problem, Rolling(DAY, 28 * DAY, peak_so_far_kw=310.0, guard=False), learned).plan.values["grid"][
        "import_kw"
    ]
    assert held.max() == pytest.approx(310.0, abs=1.0)
    assert loose.max() > 360.0


def test_forecasts_never_look_ahead() -> None:
    load = uncertain(40)
    other = load.copy()
    other[30 * DAY :] = 0.0
    here = 30 * DAY
    for series in (load, other):
        made = Learned({KEY: series}, {KEY: WEEKLY}, DAY, 28 * DAY)
        seen = made.at(here, 2 * DAY)[KEY]
        if series is load:
            expected = seen
    assert np.array_equal(seen, expected)
    spread = Learned({KEY: load}, {KEY: WEEKLY}, DAY, 28 * DAY).margin(KEY, DAY, 0.9)
    assert (spread > 0.0).all()
    assert spread[-1] > spread[0]  # the further ahead, the less is known


def test_a_series_without_error_is_foreseen_exactly_and_dark_stays_dark() -> None:
    problem = plant(40)
    sun = problem.use("pv").profile["yield_kw_per_kw"]
    made = Learned(
        {KEY: problem.load("electricity"), SUN: sun + 0.01 * (sun > 0)}, {KEY: WEEKLY, SUN: DAILY}, DAY, 28 * DAY
    )
    seen = made.at(30 * DAY + 12, DAY)
    assert np.allclose(seen[KEY], problem.load("electricity")[30 * DAY + 12 :][:DAY])
    assert (seen[SUN][sun[30 * DAY + 12 :][:DAY] == 0.0] == 0.0).all()


def test_history_that_is_too_short_is_refused() -> None:
    with pytest.raises(Misuse, match="too few"):
        Learned({KEY: np.ones(20 * DAY)}, {KEY: WEEKLY}, DAY, 10 * DAY)


def test_windows_tile_the_whole() -> None:
    problem = begun(plant(4))
    states = {"battery": {"stored_kwh": 123.0}}
    part = window(problem, Standpoint(30, states, {"grid": 55.0}), DAY)
    assert part.grid.start == Grid(problem.grid.start, 60, 31).end.replace() - (part.grid.end - part.grid.start) / DAY
    assert np.array_equal(part.load("electricity"), problem.load("electricity")[30 : 30 + DAY])
    bought = part.use("grid").block.variable("import_kw")
    assert np.array_equal(bought.cost_cny, problem.use("grid").block.variable("import_kw").cost_cny[30 : 30 + DAY])
    assert part.use("grid").block.variable("peak_kw").lower[0] == 55.0
    assert window(problem, Standpoint(90, states), DAY).grid.length == 6
    held = with_margin(part, np.full(DAY, 7.0)).use("grid").block
    assert next(row for row in held.rows if row.name == "peak").bound == pytest.approx(-7.0)


def test_sizes_must_be_fixed_before_running() -> None:
    grid = hours(DAY)
    candidate = asset_use("battery", "battery", {"capacity_maximum_kwh": 500.0}, grid, sized=True)
    problem = replace(plant(1), uses=(*plant(1).uses[:2], candidate))
    with pytest.raises(Misuse, match="fix the sizes"):
        roll(problem, Rolling(DAY))
    assert [use.id for use in installed(problem, {}).uses] == ["grid", "pv"]
    built = installed(problem, {"battery": 300.0})
    assert built.use("battery").block.variable("stored_kwh").upper == pytest.approx(
        300.0 * built.use("battery").values["maximum_charge_fraction"]
    )  # type: ignore[index]
    assert roll(built, Rolling(DAY)).failed == 0
