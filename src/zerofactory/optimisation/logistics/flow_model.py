"""Which way, by what: the network as a linear program with whole vehicles and yes-or-no services.

    minimise   Σ cost + carbon price × emissions
    subject to each flow leaves its start, passes nodes unchanged, and ends where it is wanted
               tonnes ≤ payload × trips,  cubic metres ≤ volume × trips          (load factor: what is left of it)
               trips ≥ shipments of a flow where the flow uses the service
               laden and empty trips of a vehicle balance at every node          (empty running is a result, not an assumption)
               hours of all trips ≤ hours of the vehicles;  limits of nodes, legs, fleets, carbon

Trips are means of a year and need not be whole; vehicles are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.logistics.network import (
    Carried,
    Driven,
    Fleet,
    Flow,
    Leg,
    NetworkPlan,
    NetworkProblem,
    charging_stops_h,
    reaches,
)
from zerofactory.optimisation.solving.conflict import Conflict, Wish, explain
from zerofactory.optimisation.solving.linear import Block, Draft, Floats, Ints, LinearProgram
from zerofactory.optimisation.solving.result import SolveReport
from zerofactory.optimisation.solving.solver import Options, solve

GAP = 1e-4
SECONDS = 60.0
TIE = 1e-6  # tonnes a yuan, to choose the cheaper of equal emissions
NOTHING_T = 1e-6
GRAMS = 1e6


@dataclass(frozen=True, slots=True)
class Service:
    """A vehicle on a leg, with what a trip and a tonne cost and emit."""

    leg: Leg
    fleet: Fleet
    trip_cny: float
    trip_g: float
    tonne_cny: float
    tonne_g: float

    @property
    def is_road(self) -> bool:
        """Whether it drives trips of its own."""
        return not self.fleet.kind.is_service


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    """The plan (none when the wishes clash), the report, and the clash."""

    plan: NetworkPlan | None
    report: SolveReport | None
    conflict: Conflict | None = None


def services(problem: NetworkProblem) -> tuple[Service, ...]:
    """Return every vehicle on every leg that it can drive within its range."""
    fleets = {fleet.kind.id: fleet for fleet in problem.fleets}
    found = []
    for leg in problem.legs:
        for name in leg.vehicles:
            if name in fleets and reaches(fleets[name], leg) is None:
                found.append(_service(problem, leg, fleets[name]))
    return tuple(found)


def _service(problem: NetworkProblem, leg: Leg, fleet: Fleet) -> Service:
    kind, end = fleet.kind, problem.node(leg.end)
    handled_g = end.handling_kwh_per_t * problem.carbon.handling_g_per_kwh
    if kind.is_service:
        own_g = leg.driven_km * problem.carbon.per_tkm_g[kind.id]
        return Service(
            leg,
            fleet,
            0.0,
            0.0,
            leg.distance_km * kind["price_cny_per_tkm"] + end.handling_cny_per_t,
            own_g + handled_g,
        )
    use, slope = leg.driven_km * kind["use_empty_per_km"], leg.driven_km * kind.use_slope_per_tkm
    price, grams = kind["price_cny_per_use"], problem.carbon.per_use_g[kind.id]
    return Service(
        leg, fleet, use * price + leg.driven_km * kind["other_cny_per_km"], use * grams,
        slope * price + end.handling_cny_per_t, slope * grams + handled_g,
    )  # fmt: skip


def plan_network(problem: NetworkProblem) -> NetworkAnswer:
    """Return the best plan, or the smallest set of wishes that clash."""
    offered = services(problem)
    program = assemble(problem, offered)
    loose = replace(program, integer=np.zeros(len(program.cost), dtype=np.bool_))
    relaxed = solve(loose)
    if not relaxed.report.status.has_answer:
        return NetworkAnswer(None, relaxed.report, explain(loose, wishes(problem)))
    found = solve(program, Options(gap_fraction=GAP, time_limit_s=SECONDS))
    if not found.report.status.has_answer:
        return NetworkAnswer(None, found.report)
    return NetworkAnswer(_plan(problem, offered, found.x, program), found.report)


def pareto(problem: NetworkProblem, points: int) -> tuple[NetworkPlan, ...]:
    """Return plans from the least cost to the least emissions, limits evenly between (the ε-constraint method)."""
    cheap = plan_network(replace(problem, goals=replace(problem.goals, objective="cost", carbon_cap_t=None))).plan
    clean = plan_network(replace(problem, goals=replace(problem.goals, objective="emissions", carbon_cap_t=None))).plan
    if cheap is None or clean is None:
        return ()
    found = [cheap]
    for cap_t in np.linspace(cheap.emissions_t, clean.emissions_t, max(points, 2))[1:-1]:
        goals = replace(problem.goals, objective="cost", carbon_cap_t=float(cap_t))
        answer = plan_network(replace(problem, goals=goals))
        if answer.plan is not None:
            found.append(answer.plan)
    return (*found, clean)


def assemble(problem: NetworkProblem, offered: Sequence[Service]) -> LinearProgram:
    """Return the program of a network."""
    flows, road = problem.flows, [s for s in offered if s.is_road]
    draft, goals = Draft(), problem.goals

    def priced(cny: float, grams: float) -> float:
        tonnes = grams / GRAMS
        return tonnes + TIE * cny if goals.objective == "emissions" else cny + goals.carbon_price_cny_per_t * tonnes

    tonne = [priced(s.tonne_cny, s.tonne_g) for s in offered]
    draft.add_columns("carried", len(flows) * len(offered), cost=np.tile(tonne, len(flows)))
    trip = [priced(s.trip_cny, s.trip_g) for s in road]
    laden = draft.add_columns("trips", len(road), cost=trip)
    empty = draft.add_columns("empty", len(road), cost=trip)
    own = [fleet for fleet in problem.fleets if not fleet.kind.is_service]
    yearly = [priced(one.kind["fixed_cny_per_year"], 0.0) for one in own]
    fleet = draft.add_columns("vehicles", len(own), cost=yearly, integer=True)
    _flow_rows(draft, problem, offered)
    _load_rows(draft, problem, offered, (laden, empty))
    _fleet_rows(draft, problem, (road, own), (laden, empty, fleet))
    _limit_rows(draft, problem, offered)
    if goals.carbon_cap_t is not None:
        row = draft.add_rows("carbon_cap", 1, "<=", goals.carbon_cap_t)
        draft.put(row, np.arange(len(flows) * len(offered)), np.tile([s.tonne_g / GRAMS for s in offered], len(flows)))
        for block in (laden, empty):
            draft.put(row, block, [s.trip_g / GRAMS for s in road])
    return draft.finish()


def _carried(offered: Sequence[Service], flow: int, chosen: Sequence[int]) -> Ints:
    """Return the columns of what a flow sends by some services."""
    return np.asarray([flow * len(offered) + n for n in chosen], dtype=np.int64)


def _flow_rows(draft: Draft, problem: NetworkProblem, offered: Sequence[Service]) -> None:
    """What leaves the start is the flow; what comes to a node that may be passed leaves it; elsewhere nothing comes."""
    for f, flow in enumerate(problem.flows):
        for node in problem.nodes:
            if node.id == flow.end:
                continue
            out = [n for n, s in enumerate(offered) if s.leg.start == node.id]
            into = [n for n, s in enumerate(offered) if s.leg.end == node.id]
            if node.id == flow.start:
                row = draft.add_rows(f"flow:{flow.id}", 1, "=", flow.tonnes)
            elif node.may_be_passed:
                row = draft.add_rows(f"pass:{flow.id}:{node.id}", 1, "=", 0.0)
            else:
                row = draft.add_rows(f"not:{flow.id}:{node.id}", 1, "=", 0.0)
                out = []
            _put(draft, row, _carried(offered, f, out), 1.0)
            _put(draft, row, _carried(offered, f, into), -1.0 if node.may_be_passed or node.id == flow.start else 1.0)


def _put(draft: Draft, row: Block, columns: Ints, value: float) -> None:
    if len(columns):
        draft.put(row, columns, value)


def _load_rows(draft: Draft, problem: NetworkProblem, offered: Sequence[Service], trips: tuple[Block, Block]) -> None:
    """Weight, volume and shipments of each road service."""
    place = {id(s): n for n, s in enumerate(offered)}
    road = [s for s in offered if s.is_road]
    weight = draft.add_rows("weight", len(road), "<=", 0.0)
    volume = draft.add_rows("volume", len(road), "<=", 0.0)
    for r, service in enumerate(road):
        kind, n = service.fleet.kind, place[id(service)]
        for f, flow in enumerate(problem.flows):
            column = _carried(offered, f, [n])
            draft.put(weight.places[r : r + 1], column, 1.0)
            draft.put(volume.places[r : r + 1], column, 1000.0 / flow.kg_per_m3)
        draft.put(weight.places[r : r + 1], trips[0].places[r : r + 1], -kind["payload_t"])
        draft.put(volume.places[r : r + 1], trips[0].places[r : r + 1], -kind["volume_m3"])
    timely = [(f, flow) for f, flow in enumerate(problem.flows) if flow.shipments > 0]
    if not timely or not road:
        return
    served = draft.add_columns("served", len(timely) * len(road), upper=1.0, integer=True)
    often = draft.add_rows("shipments", len(timely) * len(road), ">=", 0.0)
    opened = draft.add_rows("opened", len(timely) * len(road), "<=", 0.0)
    for k, (f, flow) in enumerate(timely):
        for r, service in enumerate(road):
            at = k * len(road) + r
            one, row, gate = served.places[at : at + 1], often.places[at : at + 1], opened.places[at : at + 1]
            draft.put(row, trips[0].places[r : r + 1], 1.0)
            draft.put(row, one, -flow.shipments)
            draft.put(gate, _carried(offered, f, [place[id(service)]]), 1.0)
            draft.put(gate, one, -flow.tonnes)


def _fleet_rows(
    draft: Draft,
    problem: NetworkProblem,
    what: tuple[Sequence[Service], Sequence[Fleet]],
    blocks: tuple[Block, Block, Block],
) -> None:
    """Trips balance at each node; hours and number of vehicles."""
    road, own = what
    trips, empty, vehicles = (block.places for block in blocks)
    for v, fleet in enumerate(own):
        mine = [(r, s) for r, s in enumerate(road) if s.fleet.kind.id == fleet.kind.id]
        touched = [node for node in problem.nodes if any(node.id in (s.leg.start, s.leg.end) for _, s in mine)]
        for node in touched:
            row = draft.add_rows(f"circle:{fleet.kind.id}:{node.id}", 1, "=", 0.0)
            for r, s in mine:
                sign = (s.leg.start == node.id) - (s.leg.end == node.id)
                if sign:
                    draft.put(row, trips[r : r + 1], float(sign))
                    draft.put(row, empty[r : r + 1], -float(sign))
        row = draft.add_rows(f"hours:{fleet.kind.id}", 1, "<=", 0.0)
        for r, s in mine:
            drive, stand = trip_hours(s.fleet, s.leg)
            draft.put(row, trips[r : r + 1], drive + stand)
            draft.put(row, empty[r : r + 1], drive)
        draft.put(row, vehicles[v : v + 1], -fleet.kind["hours_per_year"])
        if fleet.count is not None:
            row = draft.add_rows(f"count:{fleet.kind.id}", 1, "<=", float(fleet.count))
            draft.put(row, vehicles[v : v + 1], 1.0)


def trip_hours(fleet: Fleet, leg: Leg) -> tuple[float, float]:
    """Return the hours a trip drives and charges on the way, and those it stands for loading and unloading."""
    kind = fleet.kind
    return leg.driven_km / kind["speed_km_per_h"] + charging_stops_h(fleet, leg), kind["turnaround_h"]


def _limit_rows(draft: Draft, problem: NetworkProblem, offered: Sequence[Service]) -> None:
    for node in problem.nodes:
        into = [n for n, s in enumerate(offered) if s.leg.end == node.id]
        if node.limit_t is not None:
            row = draft.add_rows(f"node:{node.id}", 1, "<=", node.limit_t)
            for f in range(len(problem.flows)):
                _put(draft, row, _carried(offered, f, into), 1.0)
    for leg in problem.legs:
        over = [n for n, s in enumerate(offered) if s.leg.id == leg.id]
        if leg.limit_t is not None:
            row = draft.add_rows(f"leg:{leg.id}", 1, "<=", leg.limit_t)
            for f in range(len(problem.flows)):
                _put(draft, row, _carried(offered, f, over), 1.0)


def wishes(problem: NetworkProblem) -> list[Wish]:
    """Return what may give way: each flow, each limit, each fleet, the carbon limit."""
    found = [
        _wish(f"flow:{flow.id}", f"货流“{flow.title.zh}”", f"flow '{flow.title.en}'", flow.tonnes, -1.0)
        for flow in problem.flows
    ]
    found += [
        _wish(f"node:{node.id}", f"“{node.title.zh}”的能力", f"limit of '{node.title.en}'", node.limit_t, 1.0)
        for node in problem.nodes
        if node.limit_t is not None
    ]
    found += [
        _wish(f"leg:{leg.id}", f"“{leg.start}→{leg.end}”的能力", f"limit of {leg.start}→{leg.end}", leg.limit_t, 1.0)
        for leg in problem.legs
        if leg.limit_t is not None
    ]
    for fleet in problem.fleets:
        if fleet.count is not None and not fleet.kind.is_service:
            title = fleet.kind.title
            found.append(
                _wish(
                    f"count:{fleet.kind.id}",
                    f"“{title.zh}”的车辆数",
                    f"number of '{title.en}'",
                    float(fleet.count),
                    1.0,
                    "vehicle",
                )
            )
    if problem.goals.carbon_cap_t is not None:
        found.append(_wish("carbon_cap", "碳上限", "carbon limit", problem.goals.carbon_cap_t, 1.0))
    return found


def _wish(name: str, zh: str, en: str, bound: float, sign: float, unit: str = "t") -> Wish:
    scale = sign * max(abs(bound), 1.0)
    return Wish(name, Text(zh, en), bound, unit, scale, scale)


def _plan(problem: NetworkProblem, offered: Sequence[Service], x: Floats, program: LinearProgram) -> NetworkPlan:
    """Return the plan a point means, costs and emissions added up from it."""
    tonnes = x[program.columns["carried"].span].reshape(len(problem.flows), len(offered))
    trips, empty = x[program.columns["trips"].span], x[program.columns["empty"].span]
    carried = tuple(
        Carried(flow.id, s.leg.id, s.fleet.kind.id, float(tonnes[f, n]))
        for f, flow in enumerate(problem.flows)
        for n, s in enumerate(offered)
        if tonnes[f, n] > NOTHING_T
    )
    driven, road = [], [(n, s) for n, s in enumerate(offered) if s.is_road]
    for r, (n, s) in enumerate(road):
        if trips[r] + empty[r] > NOTHING_T:
            kind = s.fleet.kind
            use = s.leg.driven_km * (
                (trips[r] + empty[r]) * kind["use_empty_per_km"] + kind.use_slope_per_tkm * tonnes[:, n].sum()
            )
            driven.append(Driven(s.leg.id, kind.id, float(trips[r]), float(empty[r]), float(use)))
    own = [fleet for fleet in problem.fleets if not fleet.kind.is_service]
    counts = {
        fleet.kind.id: round(float(value))
        for fleet, value in zip(own, x[program.columns["vehicles"].span], strict=True)
    }
    cost = sum(counts[fleet.kind.id] * fleet.kind["fixed_cny_per_year"] for fleet in own)
    cost += sum(s.trip_cny * (trips[r] + empty[r]) for r, (_, s) in enumerate(road))
    cost += sum(s.tonne_cny * tonnes[:, n].sum() for n, s in enumerate(offered))
    grams = sum(s.trip_g * (trips[r] + empty[r]) for r, (_, s) in enumerate(road))
    grams += sum(s.tonne_g * tonnes[:, n].sum() for n, s in enumerate(offered))
    return NetworkPlan(carried, tuple(driven), counts, float(cost), float(grams) / GRAMS)


def path_exists(problem: NetworkProblem, flow: Flow, offered: Sequence[Service]) -> bool:
    """Whether some chain of services leads from a flow's start to its end."""
    seen, open_ends = {flow.start}, [flow.start]
    while open_ends:
        here = open_ends.pop()
        if here == flow.end:
            return True
        if here != flow.start and not problem.node(here).may_be_passed:
            continue
        for s in offered:
            if s.leg.start == here and s.leg.end not in seen:
                seen.add(s.leg.end)
                open_ends.append(s.leg.end)
    return False
