"""Charging at the dock, and forklifts and AGVs: by hand, by conservation, and with faults planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.logistics.dock import (
    DockPlan,
    DockProblem,
    Stay,
    at_once_kw,
    dock_findings,
    dock_problems,
    plan_dock,
)
from zerofactory.optimisation.logistics.in_plant import (
    InPlant,
    at_work,
    busy,
    in_plant_findings,
    in_plant_problems,
    simulate,
    size_fleet,
)
from zerofactory.optimisation.solving.conflict import Conflict

PRICE = np.array([1.0, 1.0, 0.2, 0.2, 0.2, 1.0])


def dock(*stays: Stay, **more: object) -> DockProblem:
    start = DockProblem(1.0, stays, 4, 500.0, 1.0, PRICE, np.zeros(6), np.zeros(6), 600.0)
    return replace(start, **more)  # type: ignore[arg-type]


def solved(problem: DockProblem) -> DockPlan:
    found = plan_dock(problem)
    assert isinstance(found, DockPlan)
    assert dock_findings(problem, found) == []
    return found


def test_a_truck_charges_when_it_is_cheap() -> None:
    """150 kWh at 100 kW between the first and the last hour: all of it in the three cheap hours; at once it would cost 1.0 a kWh."""
    found = solved(dock(Stay("t", 0, 6, 150.0, 100.0)))
    assert found.load_kw[2:5].sum() == pytest.approx(150.0)
    assert found.cost_cny == pytest.approx(30.0)
    assert found.at_once_cny == pytest.approx(150.0)
    assert found.emissions_g == pytest.approx(150.0 * 600.0)


def test_surplus_of_photovoltaics_comes_first() -> None:
    found = solved(
        dock(
            Stay("t", 0, 6, 150.0, 100.0), surplus_kw=np.array([0.0, 80.0, 0.0, 0.0, 0.0, 0.0]), export_cny_per_kwh=0.1
        )
    )
    assert found.surplus_kw.sum() == pytest.approx(80.0)
    assert found.cost_cny == pytest.approx(80.0 * 0.1 + 70.0 * 0.2)


def test_the_demand_charge_spreads_the_load() -> None:
    """The month's peak is 1 000 kW and the plant draws 980 in the cheap hours: each kW more costs 40, the price only 0.8 a kWh."""
    load = np.array([500.0, 500.0, 980.0, 980.0, 980.0, 500.0])
    found = solved(dock(Stay("t", 0, 6, 150.0, 100.0), load_kw=load, peak_kw=1000.0, demand_cny_per_kw=40.0))
    assert found.peak_rise_kw == pytest.approx(0.0, abs=1e-6)
    assert found.load_kw[2:5].max() <= 20.0 + 1e-6
    assert found.cost_cny == pytest.approx(60.0 * 0.2 + 90.0 * 1.0)


def test_losses_are_bought() -> None:
    found = solved(dock(Stay("t", 0, 6, 90.0, 100.0), efficiency=0.9))
    assert found.load_kw.sum() == pytest.approx(100.0)


def test_a_stay_too_short_is_named() -> None:
    (told,) = dock_problems(dock(Stay("t", 1, 2, 150.0, 100.0)))
    assert "100.0 kWh" in told.message.en
    assert "150.0" in told.message.en


def test_trucks_that_together_need_more_than_the_dock_gives_clash() -> None:
    crowded = dock(
        Stay("a", 0, 2, 150.0, 100.0), Stay("b", 0, 2, 150.0, 100.0), Stay("c", 4, 6, 10.0, 100.0), limit_kw=120.0
    )
    assert dock_problems(crowded) == []
    found = plan_dock(crowded)
    assert isinstance(found, Conflict)
    assert {one.wish.id for one in found.clashing} == {"need:0", "need:1", "limit"}


@pytest.mark.parametrize("spoiled", ["energy", "outside", "limit", "cost", "surplus"])
def test_the_dock_s_check_catches_what_is_planted(spoiled: str) -> None:
    problem = dock(Stay("t", 1, 6, 150.0, 100.0))
    found = solved(problem)
    charge = found.charge_kw.copy()
    if spoiled == "energy":
        changed = replace(found, charge_kw=charge * 0.9)
    elif spoiled == "outside":
        charge[0, 0] = 10.0
        changed = replace(found, charge_kw=charge)
    elif spoiled == "limit":
        problem, changed = replace(problem, limit_kw=20.0), found
    elif spoiled == "cost":
        changed = replace(found, cost_cny=found.cost_cny - 1.0)
    else:
        changed = replace(found, surplus_kw=np.full(6, 5.0))
    assert dock_findings(problem, changed)


def test_at_once_is_first_come_first_served() -> None:
    two = dock(Stay("a", 0, 6, 100.0, 100.0), Stay("b", 0, 6, 100.0, 100.0), chargers=1)
    assert at_once_kw(two).tolist() == [100.0, 100.0, 0.0, 0.0, 0.0, 0.0]


LIFT = InPlant(
    "lift",
    Text("叉车", "lift"),
    (0.0,) * 8 + (120.0,) * 8 + (0.0,) * 8,
    180.0,
    1.0,
    6.0,
    30.0,
    0.2,
    12.0,
    10,
    1.0,
    36_500.0,
)
FLAT = np.full(96, 0.5)


def test_vehicles_at_work_by_hand() -> None:
    assert busy(LIFT).max() == 6.0
    assert at_work(replace(LIFT, availability=0.8)).max() == 8.0


def test_a_shift_longer_than_the_battery_needs_more_vehicles_than_work() -> None:
    """Six trucks × 8 h × 6 kW = 288 kWh; each holds 24 usable: more than six, or charging in the shift by vehicles that then stand."""
    found = size_fleet(LIFT, FLAT)
    assert found is not None
    assert in_plant_findings(LIFT, found) == []
    assert found.vehicles > 6
    assert found.charge_kw.sum() / 4.0 == pytest.approx(288.0)
    assert found.energy_cny_per_day == pytest.approx(144.0)
    assert found.lowest_fraction >= 0.0
    # no fleet one smaller can do: the energy above reserve, and what standing vehicles charge in the shift, fall short
    smaller = found.vehicles - 1
    assert (
        smaller * 24.0 + (smaller - 6) * 12.0 * 8.0 < 288.0
        or simulate(LIFT, (smaller, 0), found.charge_kw, smaller * 30.0) < 0
    )


def test_with_swaps_vehicles_are_those_at_work_and_batteries_are_the_pool() -> None:
    swapped = replace(LIFT, is_swapped=True, swap_s=180.0, battery_cny_per_year=3650.0)
    found = size_fleet(swapped, FLAT)
    assert found is not None
    assert in_plant_findings(swapped, found) == []
    assert found.vehicles == int(at_work(swapped).max())
    assert found.batteries >= found.vehicles


def test_charging_moves_to_the_cheap_hours() -> None:
    night = np.where(np.arange(96) < 32, 0.3, 1.0)
    found = size_fleet(LIFT, night)
    assert found is not None
    assert found.energy_cny_per_day < 288.0 * 1.0
    assert found.charge_kw[:32].sum() > found.charge_kw[64:].sum()


def test_fleets_that_cannot_be_are_named() -> None:
    assert "battery" in in_plant_problems(replace(LIFT, cycle_s=20_000.0))[0].message.en
    assert "chargers" in in_plant_problems(replace(LIFT, chargers=1, charge_kw=6.0))[0].message.en


@pytest.mark.parametrize("spoiled", ["vehicles", "charge", "energy"])
def test_the_fleet_s_check_catches_what_is_planted(spoiled: str) -> None:
    found = size_fleet(LIFT, FLAT)
    assert found is not None
    changed = {
        "vehicles": replace(found, vehicles=5),
        "charge": replace(found, charge_kw=found.charge_kw * 0.8),
        "energy": replace(found, energy_kwh=found.energy_kwh + 100.0),
    }[spoiled]
    assert in_plant_findings(LIFT, changed)
