"""The schedule of the car line for a day: carbon- and cost-aware, checked, booked, beside the schedule as orders come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from zerofactory.assets.grid import Grid
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.optimisation.energy.plan import Quantity
from zerofactory.optimisation.scheduling.flow_check import FlowCheck, check
from zerofactory.optimisation.scheduling.flow_exact import bound
from zerofactory.optimisation.scheduling.flow_faults import faults
from zerofactory.optimisation.scheduling.flow_plan import FlowMeasures, measures, schedule_rows, unit_kw
from zerofactory.optimisation.scheduling.flow_search import Effort, as_it_comes, search
from zerofactory.optimisation.scheduling.flow_shop import Aim, Floats, FlowPlan, FlowShop
from zerofactory.optimisation.solving.result import gap_fraction
from zerofactory.periods import zone
from zerofactory.runs import energy_factors, line_file
from zerofactory.runs.context import Context
from zerofactory.runs.line_file import LineFile
from zerofactory.runs.line_signals import Background, booking_of, signals_of

OBJECTIVES: Mapping[str, Text] = {
    "carbon": Text("碳排放", "carbon"),
    "cost": Text("电费与换型损失", "cost of electricity and changes"),
    "balanced": Text("费用与碳各半(按现状归一)", "cost and carbon, each as a share of today's"),
    "makespan": Text("完工时间", "makespan"),
}
LATE_SHARE, UNEVEN_SHARE, RULE_SHARE, SPAN_SHARE = 0.01, 0.02, 0.002, 1e-5
"""What a late slot of a lot, the whole unevenness of today, a broken rule and a slot of makespan weigh beside today's objective."""


HOT, COLD = 0.00005, 0.000001  # most of a line's objective is work that no plan avoids: temperatures of what is left


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Parameters
    ----------
    day : the local day on which the plan begins (any moment of it).
    moves : work of the search; seconds beats it where given. points: of the front of cost and carbon; 0 none.
    """

    day: datetime
    objective: str = "carbon"
    moves: int = 4000
    seconds: float | None = None
    points: int = 0
    with_bound: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan, what it comes to, what the accounts book for it, and its check."""

    plan: FlowPlan
    measures: FlowMeasures
    check: FlowCheck
    booked_t: float


@dataclass(frozen=True, slots=True)
class Point:
    """One plan of the front."""

    carbon_share: float
    cost_cny: float
    carbon_t: float
    tardiness_slots: float


@dataclass(frozen=True, slots=True, eq=False)
class LineSchedule:
    """The answer; both plans passed their check."""

    problem: FlowShop
    objective: str
    naive: Judged
    best: Judged
    background: Background
    bound: float | None
    gap: float | None
    front: tuple[Point, ...]
    moves: int
    runtime_s: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        from zerofactory.runs.schedule_line_json import as_json

        return as_json(self)


def read(context: Context, day: datetime) -> tuple[FlowShop, Background, LineFile]:
    """Return the line of a workspace with its orders and the signals of a day; every fault is told."""
    line = line_file.parse(line_file.read(context))
    wanted = line_file.orders(line_file.read(context, line_file.ORDERS), line)
    start = line_file.start_of(line, day.astimezone(zone(context.workspace.plant.time_zone)), context.workspace.plant.time_zone)  # fmt: skip
    grid = Grid(start, line.line.slot_minutes, line.slots, context.workspace.plant.time_zone)
    shops = [stage.shop for stage in line.stages]
    known = {shop.id for shop in context.workspace.plant.shops}
    for name in shops:
        if name not in known:
            raise NotFound(Text("车间", "shop"), name, tuple(sorted(known)))
    background = signals_of(context, shops, grid)
    problem = line_file.shop(line, wanted, background.signals, start)
    refuse(faults(problem))
    return problem, background, line


def run(context: Context, asked: Asked, on_step: Callable[[float], None] = lambda _: None) -> LineSchedule:
    """Return the schedule of a day beside the one as orders come.

    Raises
    ------
    FaultyData
        The files or the signals have faults, or a plan failed its check.
    """
    if asked.objective not in OBJECTIVES:
        raise NotFound(Text("目标", "objective"), asked.objective, tuple(OBJECTIVES))
    problem, background, _ = read(context, asked.day)
    naive_plan = as_it_comes(problem)
    today = measures(problem, naive_plan)
    aimed = replace(problem, aim=aim(asked.objective, today))
    found = search(aimed, _effort(asked), naive_plan, on_step)
    naive, best = judged(context, aimed, naive_plan), judged(context, aimed, found.plan)
    low = bound(aimed).bound if asked.with_bound else None
    front = tuple(_point(aimed, today, asked, share) for share in np.linspace(0.0, 1.0, asked.points)) if asked.points else ()  # fmt: skip
    return LineSchedule(
        aimed, asked.objective, naive, best, background, low,
        None if low is None else gap_fraction(found.objective, low), front, found.moves, found.runtime_s,
    )  # fmt: skip


def _effort(asked: Asked) -> Effort:
    return Effort(asked.moves, asked.seconds, asked.seed, hot=HOT, cold=COLD)


def aim(objective: str, today: FlowMeasures, carbon_share: float = 0.5) -> Aim:
    """Return the weights of an objective; cost and carbon count as shares of today's where both do, lateness beats both."""
    carbon, cost = max(1.0, today.carbon_gco2e), max(1.0, today.cost_cny)
    weights = {
        "carbon": (1.0, 0.0),
        "cost": (0.0, 1.0),
        "balanced": (carbon_share / carbon, (1.0 - carbon_share) / cost),
        "makespan": (1e-9 / carbon, 0.0),
    }[objective]
    whole = weights[0] * carbon + weights[1] * cost
    if objective == "makespan":
        return Aim(*weights, tardiness=float(today.makespan_slots), makespan=1.0)
    return Aim(*weights, LATE_SHARE * whole, SPAN_SHARE * whole, UNEVEN_SHARE * whole / max(1.0, today.spread), RULE_SHARE * whole)  # fmt: skip


def judged(context: Context, problem: FlowShop, plan: FlowPlan) -> Judged:
    """Return a plan with its figures and its check; raise `FaultyData` when the check fails."""
    own = measures(problem, plan)
    found = check(problem, plan, own.carbon_gco2e, own.cost_cny)
    refuse(found.problems)
    return Judged(plan, own, found, booked_t(context, problem, own))


def quantity(problem: FlowShop, own: FlowMeasures, time_zone: str) -> Quantity:
    """Return what a plan adds to the purchased electricity, as the month in which it begins books it."""
    month = f"{problem.start.astimezone(zone(time_zone)):%Y-%m}"
    return Quantity("line", energy_factors.PURCHASED, "electricity", month, own.grid_kwh, "kWh")


def booked_t(context: Context, problem: FlowShop, own: FlowMeasures) -> float:
    """Return the tonnes that the accounts book for the electricity of a plan (location-based), by `quantify`."""
    time_zone = context.workspace.plant.time_zone
    return energy_factors.tonnes(energy_factors.book(booking_of(context), [quantity(problem, own, time_zone)]))


def _point(problem: FlowShop, today: FlowMeasures, asked: Asked, share: float) -> Point:
    aimed = replace(problem, aim=aim("balanced", today, float(share)))
    own = measures(aimed, search(aimed, _effort(asked), as_it_comes(problem)).plan)
    return Point(float(share), own.cost_cny, own.carbon_gco2e / 1e6, own.tardiness_slots)


def stage_kw(problem: FlowShop, plan: FlowPlan) -> dict[str, Floats]:
    """Return the power of each stage in each slot."""
    powers = unit_kw(problem, plan)
    return {stage.id: np.sum([powers[unit.id] for unit in stage.units], axis=0) for stage in problem.stages}


def moments(problem: FlowShop) -> list[datetime]:
    """Return the start of every slot."""
    return [problem.start + timedelta(minutes=problem.slot_minutes * n) for n in range(problem.slots)]


def none_found(reason: Text) -> FaultyData:
    """Return the fault of a plan that cannot be made."""
    return FaultyData([Problem("line.none", reason, Text("请核对 line.toml 与 orders.csv。", "See line.toml and orders.csv."))])  # fmt: skip


__all__ = [
    "OBJECTIVES",
    "Asked",
    "Judged",
    "LineSchedule",
    "Point",
    "aim",
    "judged",
    "read",
    "run",
    "schedule_rows",
    "stage_kw",
]
