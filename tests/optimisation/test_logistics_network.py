"""The network: hand-made cases, empty running, clashes, ISO 14083 identities, planted faults; packaging; what a clean chain needs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.optimisation.logistics.chain import chains
from zerofactory.optimisation.logistics.flow_check import check_network
from zerofactory.optimisation.logistics.flow_faults import network_problems
from zerofactory.optimisation.logistics.flow_model import pareto, plan_network
from zerofactory.optimisation.logistics.network import (
    Carbon,
    Fleet,
    Flow,
    Goals,
    Leg,
    NetworkPlan,
    NetworkProblem,
    Node,
    reaches,
)
from zerofactory.optimisation.logistics.packaging import Loop, compare, pool_size
from zerofactory.optimisation.logistics.vehicle import Figure, allowed, vehicle_kind, vehicle_kinds
from zerofactory.optimisation.logistics.zero_carbon import needs

CARBON = Carbon(
    {"diesel_49t": 3200.0, "battery_49t": 600.0, "lng_49t": 3500.0, "fuel_cell_49t": 33_000.0},
    {"rail_container": 10.0, "ship_inland": 12.0},
    600.0,
)


def node(name: str, kind: str = "supplier", **more: float) -> Node:
    return Node(name, Text(name, name), kind, 31.0, 121.0, **more)  # type: ignore[arg-type]


def flow(name: str, start: str, end: str, tonnes: float, **more: float) -> Flow:
    return Flow(name, Text(name, name), start, end, tonnes, "inbound", **more)  # type: ignore[arg-type]


def fleets(*names: str, **counts: int) -> tuple[Fleet, ...]:
    return tuple(Fleet(vehicle_kind(name), counts.get(name)) for name in names)


def pair(tonnes: float = 3000.0, back: float = 0.0) -> NetworkProblem:
    """A supplier 100 km from the plant, diesel or battery; perhaps goods back."""
    legs = (
        Leg("in", "s", "p", ("diesel_49t", "battery_49t"), 100.0, 1.05),
        Leg("out", "p", "s", ("diesel_49t", "battery_49t"), 100.0, 1.05),
    )
    flows = [flow("parts", "s", "p", tonnes, kg_per_m3=1000.0)]
    flows += [flow("boxes", "p", "s", back, kg_per_m3=1000.0)] if back else []
    return NetworkProblem(
        (node("s"), node("p", "plant")), legs, tuple(flows), fleets("diesel_49t", "battery_49t"), CARBON
    )


def planned(problem: NetworkProblem) -> NetworkPlan:
    answer = plan_network(problem)
    assert answer.plan is not None, answer.conflict
    assert check_network(problem, answer.plan).problems == ()
    return answer.plan


def only(problem: NetworkProblem, *kinds: str) -> NetworkProblem:
    return replace(problem, legs=tuple(replace(leg, vehicles=kinds) for leg in problem.legs))


def test_by_hand() -> None:
    """3 000 t at 30 t a trip: 100 trips laden, 100 empty, 105 km each; litres, yuan and grams follow."""
    problem = only(pair(), "diesel_49t")
    plan, kind = planned(problem), vehicle_kind("diesel_49t")
    litres = 105.0 * (200 * kind["use_empty_per_km"] + 100 * (kind["use_full_per_km"] - kind["use_empty_per_km"]))
    yuan = litres * kind["price_cny_per_use"] + 200 * 105.0 * kind["other_cny_per_km"] + kind["fixed_cny_per_year"]
    assert plan.vehicles["diesel_49t"] == 1
    assert plan.cost_cny == pytest.approx(yuan)
    assert plan.emissions_t == pytest.approx(litres * 3200.0 / 1e6)


def test_goods_back_fill_trips_that_ran_empty() -> None:
    alone, both = planned(only(pair(), "diesel_49t")), planned(only(pair(back=3000.0), "diesel_49t"))
    assert sum(one.empty_trips for one in alone.driven) == pytest.approx(100.0)
    assert sum(one.empty_trips for one in both.driven) == pytest.approx(0.0, abs=1e-6)
    more = 105.0 * 100 * (0.36 - 0.24) * 3200.0 / 1e6
    assert both.emissions_t == pytest.approx(alone.emissions_t + more)


def test_a_price_of_carbon_and_a_cap_move_the_choice() -> None:
    problem = pair()
    costs = {name: planned(only(problem, name)) for name in ("diesel_49t", "battery_49t")}
    assert costs["battery_49t"].emissions_t < costs["diesel_49t"].emissions_t
    cheap = planned(problem)
    assert cheap.cost_cny == pytest.approx(min(one.cost_cny for one in costs.values()), rel=1e-3)
    clean = planned(replace(problem, goals=Goals("emissions")))
    assert clean.emissions_t == pytest.approx(costs["battery_49t"].emissions_t, rel=1e-6)
    capped = replace(problem, goals=Goals(carbon_cap_t=costs["battery_49t"].emissions_t * 1.001))
    assert planned(capped).emissions_t <= costs["battery_49t"].emissions_t * 1.0011


def test_the_front_falls() -> None:
    front = pareto(pair(), 4)
    assert len(front) == 4
    assert all(a.emissions_t >= b.emissions_t - 1e-6 for a, b in pairwise(front))
    assert front[0].cost_cny <= front[-1].cost_cny + 1.0


def test_volume_binds_before_weight_for_light_goods() -> None:
    problem = only(pair(), "diesel_49t")
    light = replace(problem, flows=(replace(problem.flows[0], kg_per_m3=100.0),))
    trips = sum(one.trips for one in planned(light).driven)
    assert trips == pytest.approx(3000.0 / (0.1 * vehicle_kind("diesel_49t")["volume_m3"]))


def test_shipments_just_in_time_lower_the_load() -> None:
    problem = only(pair(), "diesel_49t")
    timely = replace(problem, flows=(replace(problem.flows[0], shipments=250.0),))
    plan = planned(timely)
    (element,) = [one for one in chains(timely, plan).elements if one.tonnes]
    assert element.load_fraction == pytest.approx(3000.0 / (250 * 30.0))


def through_hub(limit_t: float | None = None) -> NetworkProblem:
    nodes = (
        node("s"),
        replace(node("h", "hub", handling_cny_per_t=10.0, handling_kwh_per_t=2.0), limit_t=limit_t),
        node("p", "plant"),
    )
    legs = (Leg("a", "s", "h", ("diesel_49t",), 50.0, 1.05), Leg("b", "h", "p", ("rail_container",), 400.0, 1.0))
    return NetworkProblem(
        nodes, legs, (flow("parts", "s", "p", 3000.0),), fleets("diesel_49t", "rail_container"), CARBON
    )


def test_chains_add_up_as_iso_14083_asks() -> None:
    problem = through_hub()
    plan = planned(problem)
    found = chains(problem, plan)
    assert found.emissions_g == pytest.approx(plan.emissions_t * 1e6)
    assert sum(one.transport_g + one.hub_g for one in found.consignments) == pytest.approx(found.emissions_g)
    assert found.activity_tkm == pytest.approx(3000.0 * (50.0 + 400.0))
    road = next(one for one in found.elements if one.vehicle == "diesel_49t")
    assert road.driven_tkm / road.activity_tkm == pytest.approx(1.05)  # the distance adjustment factor
    assert road.empty_fraction == pytest.approx(0.5)
    (hub,) = found.hubs
    assert (hub.tonnes, hub.energy_kwh, hub.emissions_g) == pytest.approx((3000.0, 6000.0, 3.6e6))


def test_an_intensity_is_in_the_published_range() -> None:
    """UK 2025: articulated above 33 t, average laden, 77 g tank to wheel and 18 g upstream: 95 g/t·km, at its mean load of about 60 %."""
    problem = only(pair(), "diesel_49t")
    found = chains(problem, planned(problem))
    assert (
        50.0 < found.emissions_g / found.activity_tkm < 95.0
    )  # full out and empty back is a better load than the mean


def test_demand_above_capacity_is_told_as_the_smallest_clash() -> None:
    answer = plan_network(through_hub(limit_t=2000.0))
    assert answer.plan is None
    assert answer.conflict is not None
    assert {one.wish.id for one in answer.conflict.clashing} == {"flow:parts", "node:h"}
    becomes = {one.wish.id: one.becomes for one in answer.conflict.clashing}
    assert becomes["flow:parts"] == pytest.approx(2000.0, rel=1e-3)
    assert becomes["node:h"] == pytest.approx(3000.0, rel=1e-3)


def test_too_few_vehicles_and_too_low_a_cap_clash() -> None:
    few = replace(only(pair(300_000.0), "diesel_49t"), fleets=fleets("diesel_49t", "battery_49t", diesel_49t=1))
    answer = plan_network(few)
    assert answer.conflict is not None
    assert {one.wish.id for one in answer.conflict.clashing} == {"flow:parts", "count:diesel_49t"}
    capped = plan_network(replace(pair(), goals=Goals(carbon_cap_t=1.0)))
    assert capped.conflict is not None
    assert "carbon_cap" in {one.wish.id for one in capped.conflict.clashing}


def test_a_truck_that_cannot_reach_the_next_charger_is_named() -> None:
    problem = pair()
    far = replace(problem, legs=(Leg("far", "s", "p", ("battery_49t",), 500.0, 1.0, (150.0,)),))
    (told,) = network_problems(far)
    assert told.code == "logistics.range"
    assert "the charger at km 150" in told.message.en
    assert "350 km apart, range laden 300 km" in told.message.en
    assert reaches(far.fleets[1], far.legs[0]) == (150.0, 500.0)
    near = replace(problem, legs=(Leg("far", "s", "p", ("battery_49t",), 500.0, 1.0, (250.0,)),))
    assert network_problems(near) == []


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda p: replace(p, legs=(replace(p.legs[0], start="x"),)), "logistics.unknown"),
        (lambda p: replace(p, legs=(replace(p.legs[0], vehicles=("horse",)),)), "logistics.unknown"),
        (lambda p: replace(p, legs=(replace(p.legs[0], distance_km=0.0),)), "logistics.leg"),
        (lambda p: replace(p, legs=(replace(p.legs[0], chargers_km=(900.0,)),)), "logistics.charger"),
        (lambda p: replace(p, flows=(replace(p.flows[0], tonnes=-1.0),)), "logistics.flow"),
        (lambda p: replace(p, nodes=(*p.nodes, p.nodes[0])), "logistics.twice"),
        (lambda p: replace(p, nodes=(replace(p.nodes[0], latitude=99.0), p.nodes[1])), "logistics.node"),
        (lambda p: replace(p, legs=(p.legs[1],)), "logistics.no_way"),
    ],
)
def test_every_fault_is_named_before_solving(spoil: object, code: str) -> None:
    told = network_problems(spoil(pair()))  # type: ignore[operator]
    assert code in {one.code for one in told}
    assert all(one.message.zh and one.message.en and one.hint.en for one in told)


@pytest.mark.parametrize("spoiled", ["tonnes", "trips", "empty", "cost", "emissions", "vehicles", "leg"])
def test_the_check_catches_what_is_planted(spoiled: str) -> None:
    problem = only(pair(), "diesel_49t")
    plan = planned(problem)
    first, driven = plan.carried[0], plan.driven[0]
    changed = {
        "tonnes": replace(plan, carried=(replace(first, tonnes=2900.0),)),
        "trips": replace(
            plan,
            driven=tuple(replace(one, trips=one.trips * 0.9, empty_trips=one.empty_trips * 0.9) for one in plan.driven),
        ),
        "empty": replace(plan, driven=(replace(driven, empty_trips=0.0), *plan.driven[1:])),
        "cost": replace(plan, cost_cny=plan.cost_cny * 0.99),
        "emissions": replace(plan, emissions_t=plan.emissions_t * 0.99),
        "vehicles": replace(plan, vehicles={"diesel_49t": 0}),
        "leg": replace(plan, carried=(replace(first, vehicle="battery_49t"),)),
    }[spoiled]
    assert not check_network(problem, changed).passed


def test_what_a_clean_chain_still_needs() -> None:
    problem = through_hub()
    before = planned(problem)
    electric = replace(
        problem, legs=(replace(problem.legs[0], vehicles=("battery_49t",)), problem.legs[1]), fleets=fleets("battery_49t", "rail_container"),
        goals=Goals("emissions"),
    )  # fmt: skip
    clean = planned(electric)
    need = needs(electric, chains(electric, clean), before, clean)
    assert need.electricity_t + need.services_t + need.engines_t == pytest.approx(clean.emissions_t)
    assert need.services_t == pytest.approx(3000.0 * 400.0 * 10.0 / 1e6)
    assert need.engines_t == 0.0
    assert need.electricity_kwh == pytest.approx(6000.0 + sum(one.use for one in clean.driven))
    assert [one.emissions_t for one in need.residuals] == sorted(
        (one.emissions_t for one in need.residuals), reverse=True
    )


def test_every_packaged_vehicle_has_its_figures_with_source_and_status() -> None:
    for kind in vehicle_kinds().values():
        lacking = set(allowed(kind.energy)) - set(kind.figures) - {"range_km"}
        assert not lacking, (kind.id, lacking)
        assert all(
            one.source and one.unit and one.status in ("verified", "secondary", "placeholder")
            for one in kind.figures.values()
        )
        if not kind.is_service:
            assert kind["use_empty_per_km"] < kind["use_full_per_km"]


def test_own_figures_replace_packaged_ones_and_strange_ones_are_refused() -> None:
    kind = vehicle_kind("battery_49t").with_figures({"battery_kwh": 320.0}, "name plate")
    assert kind.range_km == pytest.approx(200.0)
    assert kind.figures["battery_kwh"] == Figure(320.0, "kWh", "name plate", "plant")
    with pytest.raises(FaultyData):
        kind.with_figures({"wings": 2.0, "payload_t": -1.0}, "x")
    with pytest.raises(NotFound):
        vehicle_kind("horse")


def test_packaging_by_hand() -> None:
    """240 000 boxes a year over 250 days, nine days under way, 15 % in hand: a pool of 960 × 9 × 1.15 = 9 936."""
    assert pool_size(960.0, 9.0, 0.15) == 9936
    loop = Loop(
        "b", Text("箱", "box"), 240_000.0, 250.0, 4.5, 1.2885, 17.5, 2.5776, 9.0, 0.15, 0.04, 120.0, 150.0, 0.0, 30.0
    )
    found = compare(loop)
    made = 240_000 / 120 + 9936 * 0.04
    assert found.returnable_kg == pytest.approx(made * 17.5)
    assert found.saved_t == pytest.approx((240_000 * 4.5 * 1.2885 - made * 17.5 * 2.5776) / 1000.0)
    assert found.break_even_loops == pytest.approx(17.5 * 2.5776 / (4.5 * 1.2885))
    far = compare(replace(loop, return_km=50_000.0, return_g_per_tkm=100.0))
    assert far.break_even_loops is None
    assert far.saved_t < 0
    assert np.isclose(far.return_trips, 240_000 * 17.5 / 1000.0 / 30.0)
