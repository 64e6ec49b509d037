"""What is wrong with a network before any solver starts: names, numbers, legs that a vehicle cannot reach over, flows without a way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.logistics.flow_model import path_exists, services
from zerofactory.optimisation.logistics.network import Fleet, Flow, Leg, NetworkProblem, reaches


def network_problems(problem: NetworkProblem, file: str | None = None) -> list[Problem]:
    """Return every fault of a network."""
    found = [*_names(problem), *_numbers(problem)]
    if not found:
        found = list(_reach(problem)) or list(_ways(problem))  # without a way only because out of range: told once
    return [one.at(file=file) for one in found]


def _names(problem: NetworkProblem) -> Iterable[Problem]:
    nodes, kinds = {node.id for node in problem.nodes}, {fleet.kind.id for fleet in problem.fleets}
    for what, names in (
        ("nodes", [node.id for node in problem.nodes]),
        ("legs", [leg.id for leg in problem.legs]),
        ("flows", [flow.id for flow in problem.flows]),
        ("vehicles", [fleet.kind.id for fleet in problem.fleets]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield _fault(
                    "twice",
                    f"“{name}”出现 {count} 次。",
                    f"'{name}' comes {count} times.",
                    ("请改名或删去。", "Rename or remove one."),
                    what,
                )
    for leg in problem.legs:
        yield from _known((leg.start, leg.end), nodes, f"legs.{leg.id}", Text("节点", "node"))
        yield from _known(leg.vehicles, kinds, f"legs.{leg.id}", Text("车型", "vehicle"))
    for flow in problem.flows:
        yield from _known((flow.start, flow.end), nodes, f"flows.{flow.id}", Text("节点", "node"))


def _known(names: Iterable[str], choices: set[str], place: str, what: Text) -> Iterable[Problem]:
    listed = ", ".join(sorted(choices))
    for name in names:
        if name not in choices:
            yield _fault(
                "unknown",
                f"没有{what.zh}“{name}”。",
                f"There is no {what.en} '{name}'.",
                (f"可选: {listed}。", f"Choose one of: {listed}."),
                place,
            )


def _numbers(problem: NetworkProblem) -> Iterable[Problem]:
    for leg in problem.legs:
        if leg.start == leg.end or not leg.distance_km > 0 or leg.daf < 1.0:
            yield _fault(
                "leg",
                f"路段“{leg.id}”须有两端、里程大于 0、DAF 不小于 1。",
                f"Leg '{leg.id}' needs two ends, kilometres above 0 and a DAF of 1 or more.",
                ("请更正。", "Correct it."),
                f"legs.{leg.id}",
            )
        if any(not 0 < km < leg.driven_km for km in leg.chargers_km):
            yield _fault(
                "charger",
                f"路段“{leg.id}”的充电站不在途中(行驶 {leg.driven_km:,.0f} km)。",
                f"A charger of leg '{leg.id}' is not on its way ({leg.driven_km:,.0f} km driven).",
                ("请更正里程。", "Correct the kilometres."),
                f"legs.{leg.id}",
            )
    for flow in problem.flows:
        if flow.start == flow.end or not flow.tonnes > 0 or not flow.kg_per_m3 > 0 or flow.shipments < 0:
            yield _fault(
                "flow",
                f"货流“{flow.id}”须有两端, 吨数与密度大于 0。",
                f"Flow '{flow.id}' needs two ends, tonnes and density above 0.",
                ("请更正。", "Correct it."),
                f"flows.{flow.id}",
            )
    for node in problem.nodes:
        if not (-90 <= node.latitude <= 90 and -180 <= node.longitude <= 180) or node.handling_kwh_per_t < 0:
            yield _fault(
                "node",
                f"节点“{node.id}”的坐标或作业电耗不对。",
                f"Node '{node.id}' has wrong coordinates or handling energy.",
                ("请更正。", "Correct it."),
                f"nodes.{node.id}",
            )


def _reach(problem: NetworkProblem) -> Iterable[Problem]:
    """A vehicle put on a leg by name must reach over it."""
    fleets = {fleet.kind.id: fleet for fleet in problem.fleets}
    for leg in problem.legs:
        for name in leg.vehicles:
            gap = reaches(fleets[name], leg)
            if gap is not None:
                yield _too_far(fleets[name], leg, gap)


def _too_far(fleet: Fleet, leg: Leg, gap: tuple[float, float]) -> Problem:
    kind = fleet.kind
    here, there = gap
    from_zh = "起点" if here == 0 else f"{here:,.0f} km 处的充电站"
    from_en = "the start" if here == 0 else f"the charger at km {here:,.0f}"
    to_zh = "终点" if there >= leg.driven_km else f"{there:,.0f} km 处的充电站"
    to_en = "the end" if there >= leg.driven_km else f"the charger at km {there:,.0f}"
    return _fault(
        "range",
        f"“{kind.title.zh}”在路段“{leg.id}”从{from_zh}到不了{to_zh}: 相距 {there - here:,.0f} km, 满载续航 {kind.range_km:,.0f} km。",
        f"'{kind.title.en}' on leg '{leg.id}' does not reach {to_en} from {from_en}: {there - here:,.0f} km apart, range laden {kind.range_km:,.0f} km.",
        ("请在 chargers_km 加充电站, 加大 battery_kwh, 或从该路段去掉这种车。", "Add a charger to chargers_km, enlarge battery_kwh, or take the vehicle off the leg."),
        f"legs.{leg.id}",
    )  # fmt: skip


def _ways(problem: NetworkProblem) -> Iterable[Problem]:
    offered = services(problem)
    for flow in problem.flows:
        if not path_exists(problem, flow, offered):
            yield _no_way(problem, flow, {s.leg.end for s in offered if s.leg.start == flow.start})


def _no_way(problem: NetworkProblem, flow: Flow, next_to: Sequence[str] | set[str]) -> Problem:
    led = ", ".join(sorted(next_to)) or "—"
    into = ", ".join(sorted({leg.start for leg in problem.legs if leg.end == flow.end})) or "—"
    return _fault(
        "no_way",
        f"货流“{flow.title.zh}”从“{flow.start}”到不了“{flow.end}”: 起点可到 {led}; 终点来自 {into}。",
        f"Flow '{flow.title.en}' has no way from '{flow.start}' to '{flow.end}': the start leads to {led}; the end is reached from {into}.",
        ("请补上路段, 或把中间节点设为可转运(hub、terminal、raw_store、finished_store)。", "Add a leg, or make the node between one that may be passed (hub, terminal, raw_store, finished_store)."),
        f"flows.{flow.id}",
    )  # fmt: skip


def _fault(code: str, zh: str, en: str, hint: tuple[str, str], place: str) -> Problem:
    return Problem(f"logistics.{code}", Text(zh, en), Text(*hint), column=place)
