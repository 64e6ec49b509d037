"""Rounds: published optima, hand-made cases, PyVRP's own answer, and what the independent check catches."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zerofactory.errors import FaultyData
from zerofactory.optimisation.logistics.evrptw_file import read_instance
from zerofactory.optimisation.logistics.route_check import check_rounds
from zerofactory.optimisation.logistics.route_faults import route_problems
from zerofactory.optimisation.logistics.route_problem import INF, Place, Recharge, RouteProblem, Truck, in_the_plane
from zerofactory.optimisation.logistics.route_pyvrp import rounds_without_range
from zerofactory.optimisation.logistics.route_times import timed
from zerofactory.optimisation.logistics.routing import Effort, fixed_km, plan_rounds

DATA = Path(os.environ.get("ZF_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "logistics" / "evrptw"
PUBLISHED = ("c101C5", "c206C5", "r104C5", "rc105C5", "c101C10", "r102C10")
STEADY = Effort(seconds=None, iterations=300, exact=False)


def published(name: str, recharge: Recharge = "full") -> tuple[RouteProblem, int, float]:
    file = DATA / "instances" / f"{name}.txt"
    if not file.is_file():
        pytest.skip(f"{file} is not there: see ../shared/data/logistics/evrptw")
    with (DATA / "best_known.csv").open(encoding="utf-8") as stream:
        row = next(row for row in csv.DictReader(stream) if row["instance"] == name)
    return read_instance(file.read_text(), recharge), int(row["vehicles"]), float(row["distance"])


def milk_run(stops: int, battery_kwh: float, seed: int = 1) -> RouteProblem:
    draw = np.random.default_rng(seed)
    depot = Place("depot", 50.0, 50.0, 0.0, 0.0, 720.0)
    made = []
    for n in range(stops):
        x, y = (float(value) for value in draw.uniform(0.0, 100.0, 2))
        opens = float(draw.uniform(60.0, 400.0))
        made.append(Place(f"stop-{n}", x, y, float(draw.integers(200, 1500)), opens, opens + 120.0, 10.0))
    stations = tuple(
        Place(f"charger-{n}", *(float(v) for v in draw.uniform(10.0, 90.0, 2)), 0.0, 0.0, 720.0) for n in range(6)
    )
    truck = Truck(8000.0, battery_kwh, 1.0, 120.0, 60.0, fixed_cny=200.0, cny_per_km=4.0)
    return in_the_plane(depot, tuple(made), stations, truck)


@pytest.mark.parametrize("name", PUBLISHED)
def test_small_instances_are_solved_to_their_published_optimum(name: str) -> None:
    problem, vehicles, distance = published(name)
    found = plan_rounds(problem)
    assert (found.status, found.vehicles, round(found.distance_km, 2)) == ("optimal", vehicles, distance)
    assert check_rounds(problem, found).passed


@pytest.mark.parametrize("name", PUBLISHED)
def test_partial_recharging_never_drives_further(name: str) -> None:
    problem, vehicles, distance = published(name, "partial")
    found = plan_rounds(problem)
    assert found.vehicles <= vehicles
    assert found.vehicles < vehicles or found.distance_km <= distance + 0.005


@pytest.mark.parametrize("name", ["c101C10", "r102C10"])
def test_the_search_for_many_stops_finds_the_published_optimum_of_few(name: str) -> None:
    problem, vehicles, distance = published(name)
    found = plan_rounds(problem, STEADY)
    assert (found.vehicles, round(found.distance_km, 2)) == (vehicles, distance)


def test_where_range_does_not_bind_the_answer_is_pyvrp_s() -> None:
    problem = milk_run(40, 1000.0)
    found = plan_rounds(problem, Effort(seconds=None))
    alone = rounds_without_range(problem, fixed_km(problem), (None, 2000))
    assert alone is not None
    km = sum(problem.distance_km[leg] for way in alone for leg in zip((0, *way), (*way, 0), strict=True))
    assert found.distance_km == pytest.approx(km)
    assert not found.range_binds


def test_where_range_binds_stations_are_visited_and_the_bound_without_range_holds() -> None:
    free, bound = milk_run(40, 1000.0), milk_run(40, 120.0)
    without, found = plan_rounds(free, STEADY), plan_rounds(bound, STEADY)
    assert found.range_binds
    assert sum(one.charged_kwh for one in found.rounds) > 0
    assert found.cost_cny >= without.cost_cny * 0.98  # a heuristic bound: range can only cost
    assert found.cost_cny <= without.cost_cny * 1.15
    assert check_rounds(bound, found).least_charge_kwh >= -1e-6


def test_the_same_iterations_give_the_same_rounds() -> None:
    problem = milk_run(25, 120.0)
    assert plan_rounds(problem, STEADY).rounds == plan_rounds(problem, STEADY).rounds


def straight(battery_kwh: float, stop_km: float, *stations_km: float, recharge: Recharge = "full") -> RouteProblem:
    """A stop and stations on one line, 1 kWh/km, 60 km/h, 60 kW: a minute a kilometre and a kilowatt-hour."""
    stations = tuple(Place(f"charger-{n}", km, 0.0, 0.0, 0.0, 1000.0) for n, km in enumerate(stations_km))
    truck = Truck(1000.0, battery_kwh, 1.0, 60.0, 60.0, recharge=recharge)
    return in_the_plane(
        Place("depot", 0.0, 0.0, 0.0, 0.0, 1000.0), (Place("stop", stop_km, 0.0, 500.0, 0.0, 1000.0),), stations, truck
    )


@pytest.mark.parametrize(("recharge", "home_min"), [("full", 200.0 + 60.0 + 80.0), ("partial", 200.0 + 20.0 + 80.0)])
def test_charging_by_hand(recharge: Recharge, home_min: float) -> None:
    """100 km out and back on 100 kWh, a station at km 60: full: 60 on the way out, 80 on the way back; partial: 20 and 80 → 100 in all."""
    problem = straight(100.0, 100.0, 60.0, recharge=recharge)
    found = plan_rounds(problem)
    (one,) = found.rounds
    assert found.distance_km == pytest.approx(200.0)
    assert one.charged_kwh == pytest.approx(140.0 if recharge == "full" else 100.0)
    assert one.visits[-1].arrives_min == pytest.approx(home_min if recharge == "full" else 300.0)


def test_waiting_is_used_to_charge() -> None:
    """The stop opens at minute 150: the truck, there at 100, charges its wait at the station on the way and is home no later."""
    line = straight(100.0, 100.0, 60.0, recharge="partial")
    late = replace(line, stops=(replace(line.stops[0], ready_min=150.0),))
    one = timed(late, [2, 1, 2])
    assert one is not None
    assert one.visits[1].charged_kwh == pytest.approx(50.0)
    assert one.visits[2].begins_min == pytest.approx(150.0)
    assert one.visits[-1].arrives_min == pytest.approx(150.0 + 40.0 + 50.0 + 60.0)


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (straight(100.0, 160.0, 60.0), "logistics.route_range"),
        (straight(90.0, 100.0), "logistics.route_range"),
        (replace(straight(300.0, 50.0), stops=(Place("stop", 50.0, 0.0, 2000.0),)), "logistics.route_load"),
        (replace(straight(300.0, 50.0), stops=(Place("stop", 50.0, 0.0, 1.0, 10.0, 20.0),)), "logistics.route_window"),
        (replace(straight(300.0, 50.0), stops=(Place("stop", 50.0, 0.0, 1.0, 90.0, 20.0),)), "logistics.route_window"),
        (replace(straight(300.0, 50.0), stops=(Place("depot", 50.0, 0.0, 1.0),)), "logistics.route_data"),
        (replace(straight(300.0, 50.0), truck=Truck(100.0, count=2)), "logistics.route_capacity"),
        (replace(straight(300.0, 50.0), truck=Truck(1000.0, speed_km_per_h=0.0)), "logistics.route_data"),
    ],
)
def test_faults_are_named_before_anything_is_solved(broken: RouteProblem, code: str) -> None:
    problems = route_problems(broken)
    assert code in {one.code for one in problems}
    with pytest.raises(FaultyData):
        plan_rounds(broken)


def test_a_stop_out_of_reach_is_told_with_the_nearest_charger() -> None:
    (told,) = route_problems(straight(100.0, 160.0, 60.0))
    assert "charger-0" in told.message.en
    assert "100.0 km" in told.message.en
    assert "充电处" in told.message.zh


def test_every_fault_of_an_instance_file_is_told_at_once() -> None:
    text = "head\nD0 d 0 0 0 0 100 0\nC1 c 1 x 0 0 100 0\nC2 c 1 1\n\nQ tank /10.0/\n"
    with pytest.raises(FaultyData) as fault:
        read_instance(text, file="x.txt")
    rows = [problem.row for problem in fault.value.problems]
    assert rows[:2] == [3, 4]
    assert len(rows) == 6  # two lines, and C, r, g, v


@pytest.mark.parametrize("spoiled", ["window", "charge", "stop", "battery", "total", "load"])
def test_the_check_catches_what_is_planted(spoiled: str) -> None:
    problem = milk_run(12, 110.0)
    found = plan_rounds(problem)
    assert check_rounds(problem, found).passed
    charged = next(n for n, one in enumerate(found.rounds) if one.charged_kwh > 0)
    one = found.rounds[charged]
    if spoiled == "window":
        stops = tuple(replace(stop, due_min=stop.ready_min, ready_min=0.0) for stop in problem.stops)
        problem = replace(problem, stops=stops)
    elif spoiled == "charge":
        found = replace(
            found,
            rounds=tuple(replace(r, visits=tuple(replace(v, charged_kwh=0.0) for v in r.visits)) for r in found.rounds),
        )
    elif spoiled == "stop":
        found = replace(found, rounds=found.rounds[:-1])
    elif spoiled == "battery":
        visits = tuple(replace(v, charged_kwh=v.charged_kwh + 500.0) if v.charged_kwh else v for v in one.visits)
        found = replace(
            found, rounds=(*found.rounds[:charged], replace(one, visits=visits), *found.rounds[charged + 1 :])
        )
    elif spoiled == "total":
        found = replace(found, distance_km=found.distance_km - 5.0)
    else:
        problem = replace(problem, truck=replace(problem.truck, payload_kg=1500.0))
    assert not check_rounds(problem, found).passed


def test_an_empty_day_needs_no_vehicle() -> None:
    problem = replace(straight(100.0, 10.0), stops=(), distance_km=np.zeros((1, 1)))
    assert plan_rounds(problem).vehicles == 0
    assert plan_rounds(problem).cost_cny < INF
