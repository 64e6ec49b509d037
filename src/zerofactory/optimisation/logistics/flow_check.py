"""A network plan judged without a solver: flow balance, loads, range, circulation, hours, limits, cost and emissions again.

Only the tables of the plan are read (`Carried`, `Driven`, vehicles); nothing of the model that made it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.logistics.network import NetworkPlan, NetworkProblem, charging_stops_h, reaches

TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class NetworkCheck:
    """Every breach, and the largest relative deviation that was let pass."""

    problems: tuple[Problem, ...]
    worst_fraction: float

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


class _Findings:
    """Breaches and the worst deviation, while checking."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.worst = 0.0

    def equal(self, code: str, given: float, wanted: float, what: Text, scale: float | None = None) -> None:
        off = abs(given - wanted) / max(1.0, abs(wanted) if scale is None else scale)
        self.worst = max(self.worst, min(off, TOLERANCE) if off <= TOLERANCE else 0.0)
        if not off <= TOLERANCE:
            said = Text(
                f"{what.zh}: {given:,.4f}, 应为 {wanted:,.4f}。", f"{what.en}: {given:,.4f}, should be {wanted:,.4f}."
            )
            self.problems.append(
                Problem(f"logistics.check_{code}", said, Text("方案未通过独立检查。", "The independent check failed."))
            )

    def most(self, code: str, given: float, limit: float, what: Text) -> None:
        if given > limit + TOLERANCE * max(1.0, abs(limit)):
            said = Text(
                f"{what.zh}: {given:,.4f}, 上限 {limit:,.4f}。", f"{what.en}: {given:,.4f} of at most {limit:,.4f}."
            )
            self.problems.append(
                Problem(f"logistics.check_{code}", said, Text("方案未通过独立检查。", "The independent check failed."))
            )


def check_network(problem: NetworkProblem, plan: NetworkPlan) -> NetworkCheck:
    """Return every breach of a plan."""
    found = _Findings()
    _balance(problem, plan, found)
    _loads(problem, plan, found)
    _circulation(problem, plan, found)
    _limits(problem, plan, found)
    _totals(problem, plan, found)
    return NetworkCheck(tuple(found.problems), found.worst)


def _balance(problem: NetworkProblem, plan: NetworkPlan, found: _Findings) -> None:
    legs = {leg.id: leg for leg in problem.legs}
    net: dict[tuple[str, str], float] = defaultdict(float)
    for one in plan.carried:
        if one.tonnes < -TOLERANCE or one.vehicle not in legs[one.leg].vehicles:
            found.most(
                "flow", 1.0, 0.0, Text(f"{one.leg} 上不能用 {one.vehicle}", f"{one.vehicle} may not run on {one.leg}")
            )
        net[one.flow, legs[one.leg].start] += one.tonnes
        net[one.flow, legs[one.leg].end] -= one.tonnes
    for flow in problem.flows:
        for node in problem.nodes:
            wanted = flow.tonnes * ((node.id == flow.start) - (node.id == flow.end))
            what = Text(
                f"货流“{flow.title.zh}”在“{node.title.zh}”的净出量 t",
                f"net outflow of '{flow.title.en}' at '{node.title.en}', t",
            )
            found.equal("balance", net[flow.id, node.id], wanted, what, flow.tonnes)


def _loads(problem: NetworkProblem, plan: NetworkPlan, found: _Findings) -> None:
    legs, flows = {leg.id: leg for leg in problem.legs}, {flow.id: flow for flow in problem.flows}
    tonnes: dict[tuple[str, str], float] = defaultdict(float)
    cubic: dict[tuple[str, str], float] = defaultdict(float)
    for one in plan.carried:
        tonnes[one.leg, one.vehicle] += one.tonnes
        cubic[one.leg, one.vehicle] += one.tonnes * 1000.0 / flows[one.flow].kg_per_m3
    trips = {(one.leg, one.vehicle): one.trips for one in plan.driven}
    for (leg, vehicle), mass in tonnes.items():
        fleet = problem.fleet(vehicle)
        if reaches(fleet, legs[leg]) is not None:
            found.most(
                "range",
                legs[leg].driven_km,
                fleet.kind.range_km,
                Text(f"{vehicle} 在 {leg} 的续航 km", f"range of {vehicle} on {leg}, km"),
            )
        if fleet.kind.is_service:
            continue
        made, place = trips.get((leg, vehicle), 0.0), Text(f"{leg} 上 {vehicle}", f"{vehicle} on {leg}")
        found.most("weight", mass, made * fleet.kind["payload_t"], Text(f"{place.zh} 载重 t", f"{place.en}, tonnes"))
        found.most(
            "volume",
            cubic[leg, vehicle],
            made * fleet.kind["volume_m3"],
            Text(f"{place.zh} 容积 m3", f"{place.en}, m3"),
        )
    for one in plan.carried:
        flow = flows[one.flow]
        if (
            flow.shipments > 0
            and not problem.fleet(one.vehicle).kind.is_service
            and one.tonnes > flow.tonnes * TOLERANCE
        ):
            found.most(
                "shipments",
                flow.shipments,
                trips.get((one.leg, one.vehicle), 0.0),
                Text(f"{flow.title.zh} 每年班次({one.leg})", f"shipments of {flow.title.en} on {one.leg}"),
            )


def _circulation(problem: NetworkProblem, plan: NetworkPlan, found: _Findings) -> None:
    legs = {leg.id: leg for leg in problem.legs}
    net: dict[tuple[str, str], float] = defaultdict(float)
    hours: dict[str, float] = defaultdict(float)
    for one in plan.driven:
        leg, fleet = legs[one.leg], problem.fleet(one.vehicle)
        net[one.vehicle, leg.start] += one.trips - one.empty_trips
        net[one.vehicle, leg.end] -= one.trips - one.empty_trips
        drive = leg.driven_km / fleet.kind["speed_km_per_h"] + charging_stops_h(fleet, leg)
        hours[one.vehicle] += (one.trips + one.empty_trips) * drive + one.trips * fleet.kind["turnaround_h"]
    scale = max((one.trips for one in plan.driven), default=1.0)
    for (vehicle, node), off in net.items():
        found.equal(
            "circle",
            off,
            0.0,
            Text(f"{vehicle} 在 {node} 的净离开趟数", f"net departures of {vehicle} at {node}"),
            scale,
        )
    for vehicle, spent in hours.items():
        limit = plan.vehicles.get(vehicle, 0) * problem.fleet(vehicle).kind["hours_per_year"]
        found.most("hours", spent, limit, Text(f"{vehicle} 工时", f"hours of {vehicle}"))
    for vehicle, count in plan.vehicles.items():
        allowed = problem.fleet(vehicle).count
        if allowed is not None:
            found.most("count", float(count), float(allowed), Text(f"{vehicle} 车辆数", f"number of {vehicle}"))


def _limits(problem: NetworkProblem, plan: NetworkPlan, found: _Findings) -> None:
    legs = {leg.id: leg for leg in problem.legs}
    into: dict[str, float] = defaultdict(float)
    over: dict[str, float] = defaultdict(float)
    for one in plan.carried:
        into[legs[one.leg].end] += one.tonnes
        over[one.leg] += one.tonnes
    for node in problem.nodes:
        if node.limit_t is not None:
            found.most(
                "node",
                into[node.id],
                node.limit_t,
                Text(f"“{node.title.zh}”吞吐 t", f"throughput of '{node.title.en}', t"),
            )
    for leg in problem.legs:
        if leg.limit_t is not None:
            found.most("leg", over[leg.id], leg.limit_t, Text(f"{leg.id} 运量 t", f"tonnes over {leg.id}"))


def _totals(problem: NetworkProblem, plan: NetworkPlan, found: _Findings) -> None:
    cost, grams = recomputed(problem, plan)
    found.equal("cost", plan.cost_cny, cost, Text("费用 CNY", "cost, CNY"))
    found.equal("emissions", plan.emissions_t, grams / 1e6, Text("排放 t", "emissions, t"))
    cap = problem.goals.carbon_cap_t
    if cap is not None:
        found.most("carbon_cap", grams / 1e6, cap, Text("碳上限 t", "carbon limit, t"))


def recomputed(problem: NetworkProblem, plan: NetworkPlan) -> tuple[float, float]:
    """Return yuan and grams of a plan from its tables: energy, other costs, vehicles, carriers' rates, handling."""
    legs = {leg.id: leg for leg in problem.legs}
    load: dict[tuple[str, str], float] = defaultdict(float)
    cost = sum(n * problem.fleet(name).kind["fixed_cny_per_year"] for name, n in plan.vehicles.items())
    grams = 0.0
    for one in plan.carried:
        leg, kind = legs[one.leg], problem.fleet(one.vehicle).kind
        end = problem.node(leg.end)
        load[one.leg, one.vehicle] += one.tonnes
        cost += one.tonnes * end.handling_cny_per_t
        grams += one.tonnes * end.handling_kwh_per_t * problem.carbon.handling_g_per_kwh
        if kind.is_service:
            cost += one.tonnes * leg.distance_km * kind["price_cny_per_tkm"]
            grams += one.tonnes * leg.driven_km * problem.carbon.per_tkm_g[kind.id]
    for trip in plan.driven:
        leg, kind = legs[trip.leg], problem.fleet(trip.vehicle).kind
        km = leg.driven_km * (trip.trips + trip.empty_trips)
        use = energy_of(kind.figures, km, leg.driven_km * load[trip.leg, trip.vehicle])
        cost += use * kind["price_cny_per_use"] + km * kind["other_cny_per_km"]
        grams += use * problem.carbon.per_use_g[kind.id]
    return cost, grams


def energy_of(figures: Mapping[str, object], km: float, tkm: float) -> float:
    """Return the energy of kilometres driven and tonne-kilometres carried: empty use, and more by the share of the payload."""
    empty, full, payload = (float(figures[name].value) for name in ("use_empty_per_km", "use_full_per_km", "payload_t"))  # type: ignore[attr-defined]
    return km * empty + tkm * (full - empty) / payload
