"""The network of a workspace: which way and by what, before and after, the clean end, what it needs; checked, and booked as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from zerofactory.accounting.quantify import Quantified
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.optimisation.logistics.chain import Chains, chains
from zerofactory.optimisation.logistics.flow_check import NetworkCheck, check_network
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
    great_circle_km,
)
from zerofactory.optimisation.logistics.packaging import Compared, Loop, compare
from zerofactory.optimisation.logistics.vehicle import vehicle_kind, vehicle_kinds
from zerofactory.optimisation.logistics.zero_carbon import Need, needs
from zerofactory.optimisation.solving.conflict import Conflict
from zerofactory.optimisation.solving.result import SolveReport
from zerofactory.periods import Period
from zerofactory.runs import logistics_book, logistics_file, logistics_files
from zerofactory.runs.context import Context
from zerofactory.runs.logistics_book import Desk, Row, desk_of
from zerofactory.runs.logistics_file import LogisticsFile
from zerofactory.runs.logistics_packs import loops

Case = Literal["before", "after", "clean"]
CLEAN = ("electricity", "hydrogen", "service")
AGREE = 1e-6


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Parameters
    ----------
    period : a year or a month that the documents are for; None takes the file's.
    cap : tonnes of CO2e a year, or a share of the chain as it is, ``70%``.
    pareto : points of the front of cost and carbon; 0 none.
    file : another logistics.toml.
    """

    period: Period | None = None
    goals: Goals = field(default_factory=Goals)
    cap: str | None = None
    pareto: int = 0
    file: Path | None = None


@dataclass(frozen=True)
class View:
    """One checked plan: its chains, the check, and how it was solved."""

    problem: NetworkProblem
    plan: NetworkPlan
    chains: Chains
    check: NetworkCheck
    report: SolveReport


@dataclass(frozen=True)
class PlanResult:
    """The chain as it is, as planned, at its cleanest; the front; what the clean end needs; packaging; the documents.

    ``after`` is None where the wishes clash (``conflict``). ``plant_charged_g`` of its emissions are in the plant's own meters.
    """

    period: Period
    before: View
    after: View | None
    clean: View | None
    conflict: Conflict | None
    front: tuple[NetworkPlan, ...]
    need: Need | None
    packaging: tuple[Compared, ...]
    rows: tuple[Row, ...]
    booked: Quantified | None
    plant_charged_g: float
    notes: tuple[Text, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        from zerofactory.runs.logistics_json import plan_json

        return plan_json(self)


def run(context: Context, asked: Asked) -> PlanResult:
    """Return the plan of a workspace's network; nothing is written.

    Raises
    ------
    FaultyData
        Faults of the file or the network, all told before a solver starts; or a plan failed its check.
    """
    file = logistics_file.read(context, asked.file)
    desk = desk_of(context, file.logistics)
    period = asked.period or Period.parse(file.logistics.period)
    problem = problem_of(file, desk, period, asked.file.name if asked.file else logistics_file.NAME)
    before = _view(_only(problem, file.logistics.baseline, Goals()), None)
    if isinstance(before, Conflict):
        raise FaultyData([_as_it_is(before)])
    goals = replace(asked.goals, carbon_cap_t=_cap(asked.cap, before.plan.emissions_t))
    after = _view(replace(problem, goals=goals), before)
    conflict = after if isinstance(after, Conflict) else None
    shown = None if isinstance(after, Conflict) else after
    clean = _view(_only(problem, _clean_kinds(problem), Goals(objective="emissions")), None)
    last = None if isinstance(clean, Conflict) else clean
    front = pareto(problem, asked.pareto) if asked.pareto else ()
    rows, booked, own = _documents(desk, shown, period)
    packs = tuple(compare(loop) for loop in loops(file, desk, problem.carbon))
    need = None if last is None else needs(last.problem, last.chains, before.plan, last.plan)
    return PlanResult(
        period, before, shown, last, conflict, front, need, packs, tuple(rows), booked, own, _notes(file, problem)
    )


def problem_of(file: LogisticsFile, desk: Desk, period: Period, name: str = logistics_file.NAME) -> NetworkProblem:
    """Return the network of a file, with factors as the accounts book them; raise `FaultyData` with every fault."""
    faults: list[Problem] = []
    fleets = []
    for entry in file.vehicles:
        if entry.kind not in vehicle_kinds():
            faults.append(
                NotFound(Text("车型", "vehicle"), entry.kind, tuple(vehicle_kinds())).as_problem().at(file=name)
            )
            continue
        try:
            fleets.append(_fleet(file, entry))
        except FaultyData as fault:
            faults += [one.at(file=name) for one in fault.problems]
    refuse(faults)
    nodes = tuple(
        Node(n.id, n.name.text, n.kind, n.latitude, n.longitude, n.handling_cny_per_t, n.handling_kwh_per_t, n.limit_t)
        for n in file.nodes
    )
    flows = tuple(
        Flow(f.id, f.name.text, f.start, f.end, f.tonnes, f.direction, f.kg_per_m3, f.shipments) for f in file.flows
    )
    bare = NetworkProblem(nodes, _legs(file, nodes), flows, tuple(fleets), Carbon({}, {}, 0.0))
    with_carbon = replace(bare, carbon=logistics_book.carbon(desk, fleets, period))
    found = network_problems(with_carbon, name)
    refuse(found)
    return with_carbon


def _fleet(file: LogisticsFile, entry: logistics_file.VehicleEntry) -> Fleet:
    """Return a fleet; electricity is priced as it is bought, in part at the plant's own price."""
    kind = vehicle_kind(entry.kind)
    own = dict(entry.parameters)
    if kind.energy == "electricity" and entry.plant_share > 0:
        public = own.get("price_cny_per_use", kind["price_cny_per_use"])
        share = entry.plant_share
        own["price_cny_per_use"] = (1 - share) * public + share * file.logistics.plant_price_cny_per_kwh
    return Fleet(kind.with_figures(own, logistics_file.NAME) if own else kind, entry.count, entry.plant_share)


def _legs(file: LogisticsFile, nodes: Sequence[Node]) -> tuple[Leg, ...]:
    at = {node.id: node for node in nodes}
    found = []
    for leg in file.legs:
        known = leg.start in at and leg.end in at
        km = leg.distance_km or (great_circle_km(at[leg.start], at[leg.end]) if known else 0.0)
        daf = file.logistics.daf if leg.daf is None else leg.daf
        found.append(
            Leg(f"{leg.start}>{leg.end}", leg.start, leg.end, leg.vehicles, km, daf, leg.chargers_km, leg.limit_t)
        )
    return tuple(found)


def _only(problem: NetworkProblem, kinds: Sequence[str], goals: Goals) -> NetworkProblem:
    """Return the network with some kinds of vehicle only; a leg that has none of them keeps what it has."""
    legs = []
    for leg in problem.legs:
        kept = tuple(name for name in leg.vehicles if name in kinds)
        legs.append(replace(leg, vehicles=kept or leg.vehicles))
    return replace(problem, legs=tuple(legs), goals=goals)


def _clean_kinds(problem: NetworkProblem) -> tuple[str, ...]:
    return tuple(fleet.kind.id for fleet in problem.fleets if fleet.kind.energy in CLEAN)


def _view(problem: NetworkProblem, instead: View | None) -> View | Conflict:
    """Return the checked plan of a network, or why there is none."""
    answer = plan_network(problem)
    if answer.conflict is not None:
        return answer.conflict
    if answer.plan is None or answer.report is None:
        raise FaultyData([_not_solved(answer.report)])
    checked = check_network(problem, answer.plan)
    if not checked.passed:
        raise FaultyData(checked.problems)
    return View(problem, answer.plan, chains(problem, answer.plan), checked, answer.report)


def _documents(desk: Desk, view: View | None, period: Period) -> tuple[list[Row], Quantified | None, float]:
    """Return the documents of a plan, their records, and the grams that the plant's own meters book; compare with the plan."""
    if view is None:
        return [], None, 0.0
    rows = logistics_book.rows_of(desk, view.problem, view.plan, period)
    booked = logistics_book.book(desk, rows)
    own = sum(one.emissions_g * view.problem.fleet(one.vehicle).plant_share for one in view.chains.elements)
    if period.month is None:
        total = sum(logistics_book.grams_by_item(booked).values())
        if (
            abs(total + own - view.chains.emissions_g)
            > AGREE * max(view.chains.emissions_g, 1.0) + 100 * len(rows) * 13
        ):
            raise FaultyData([_disagree(total + own, view.chains.emissions_g)])
    return rows, booked, own


def _notes(file: LogisticsFile, problem: NetworkProblem) -> tuple[Text, ...]:
    notes = []
    bare = [fleet.kind.title for fleet in problem.fleets if not logistics_book.has_upstream(fleet.kind.item)]
    if bare:
        notes.append(
            Text(
                f"因子库没有这些运输服务的能源上游, 其数为油箱到车轮: {'、'.join(t.zh for t in bare)}。",
                f"The factor sets know no energy upstream of these services, whose figures are tank to wheel: {', '.join(t.en for t in bare)}.",
            )
        )
    weak = sum(
        1 for fleet in problem.fleets for figure in fleet.kind.figures.values() if figure.status == "placeholder"
    )
    notes.append(
        Text(
            f"网络文件可信度 {file.status}; 车辆参数中 {weak} 个为待替换的估值(vehicle_parameters.csv)。",
            f"Status of the network file: {file.status}; {weak} vehicle figures are estimates to be replaced (vehicle_parameters.csv).",
        )
    )
    return tuple(notes)


def _cap(text: str | None, today_t: float) -> float | None:
    """Return a cap in tonnes, from tonnes or from a share of the chain as it is."""
    if text is None:
        return None
    number, share = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number.replace(",", ""))
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        message = Text(f"“{text}”不是碳上限。", f"'{text}' is no cap.")
        hint = Text(
            "请写每年吨数 12000, 或现状的百分比 70%。", "Write tonnes a year, 12000, or a share of today's, 70%."
        )
        raise FaultyData([Problem("logistics.cap", message, hint)])
    return value / 100.0 * today_t if share else value


def objective_of(name: str) -> Literal["cost", "emissions"]:
    """Return an objective by name; raise `FaultyData` with the choices."""
    if name == "cost":
        return "cost"
    if name == "emissions":
        return "emissions"
    message = Text(f"没有目标“{name}”。", f"There is no objective '{name}'.")
    raise FaultyData(
        [Problem("logistics.objective", message, Text("可选: cost, emissions。", "Choose one of: cost, emissions."))]
    )


def _as_it_is(conflict: Conflict) -> Problem:
    said = conflict.sentence()
    return Problem(
        "logistics.capacity",
        Text(f"现状的网络运不完: {said.zh}", f"The network as it is cannot carry what is asked: {said.en}"),
        Text("请放宽能力(limit_t、count), 或减少货流。", "Raise a limit (limit_t, count), or carry less."),
        file=logistics_file.NAME,
    )


def _not_solved(report: SolveReport | None) -> Problem:
    said = report.status.words if report is not None else Text("无解", "no answer")
    return Problem(
        "logistics.not_solved", Text(f"没有求得方案: {said.zh}。", f"No plan was found: {said.en}."), Text("", "")
    )


def _disagree(booked_g: float, planned_g: float) -> Problem:
    return Problem(
        "logistics.check_booked",
        Text(
            f"入账 {booked_g / 1e6:,.3f} t 与方案 {planned_g / 1e6:,.3f} t 不符。",
            f"Booked {booked_g / 1e6:,.3f} t, planned {planned_g / 1e6:,.3f} t.",
        ),
        Text("方案未通过独立检查。", "The independent check failed."),
    )


def write(context: Context, asked: Asked, result: PlanResult, folder: Path) -> list[Path]:
    """Write the files of a plan, record the run, and return them: JSON, documents that `zf import` takes, planned records."""
    files = [logistics_files.write_json(folder, "plan.json", result.as_json())]
    if result.booked is not None:
        files.append(
            logistics_files.write_text(
                folder, f"activities-{result.period.label}.csv", logistics_book.as_csv(result.rows)
            )
        )
        files.append(logistics_files.write_frame(folder, "planned_records.parquet", result.booked.records))
    goals = asked.goals
    wanted = {
        "period": result.period.label,
        "objective": goals.objective,
        "carbon_price_cny_per_t": goals.carbon_price_cny_per_t,
        "cap": asked.cap,
    }
    outcome: dict[str, object] = {"emissions_t": None, "cost_cny": None}
    if result.after is not None:
        outcome = {
            "emissions_t": round(result.after.plan.emissions_t, 3),
            "cost_cny": round(result.after.plan.cost_cny),
        }
    logistics_files.record(context, "logistics_plan", wanted, outcome, files)
    return files


def titles(problem: NetworkProblem) -> Mapping[str, Text]:
    """Return the names of nodes, vehicles and flows."""
    return (
        {node.id: node.title for node in problem.nodes}
        | {fleet.kind.id: fleet.kind.title for fleet in problem.fleets}
        | {flow.id: flow.title for flow in problem.flows}
    )


__all__ = ["Asked", "Loop", "PlanResult", "View", "objective_of", "problem_of", "run", "titles", "write"]
