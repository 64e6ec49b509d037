"""Scheduling and energy in turn: SIGNALS go to the schedule, its LOAD to the dispatch, until the objective rests.

A round: the dispatch of the hours ahead is solved for the present load; its marginal prices (the duals of the balance of
electricity, demand charge and stores included), halfway prices, and the tariff with the dispatch held fast are three sets of signals;
the line is scheduled under each; each load is dispatched anew; the best is kept if it betters the objective

    J = cost of the dispatch + carbon price · tonnes + losses at changes + what lateness is charged

so J never rises and the answer is never worse than the start. It rests when no set of signals betters J by the tolerance.
Decomposition by marginal prices: Dantzig and Wolfe 1960, doi 10.1287/opre.8.1.101 (here one schedule at a time, not their mixture).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from zerofactory.assets.block import over
from zerofactory.errors import FaultyData, Misuse, Problem, Text, refuse
from zerofactory.optimisation.energy.assembly import assemble
from zerofactory.optimisation.energy.problem import ELECTRICITY, PURCHASED, EnergyProblem, electric
from zerofactory.optimisation.energy.problem import faults as energy_faults
from zerofactory.optimisation.energy.sizing import Answer, answer_of
from zerofactory.optimisation.scheduling.flow_check import check as check_flow
from zerofactory.optimisation.scheduling.flow_plan import FlowMeasures, measures, unit_kw
from zerofactory.optimisation.scheduling.flow_search import Effort, as_it_comes, search
from zerofactory.optimisation.scheduling.flow_shop import Aim, Floats, FlowPlan, FlowShop
from zerofactory.optimisation.scheduling.problem import Signals
from zerofactory.optimisation.solving.solver import Options, solve
from zerofactory.runs import energy_dispatch, schedule_line
from zerofactory.runs.context import Context
from zerofactory.runs.line_signals import Background
from zerofactory.runs.schedule_line import COLD, HOT

TOLERANCE = 1e-5  # of the objective: below it the objective rests
LATE_SHARE = 0.01  # of the first objective, a late slot of a lot
GRAMS = 1e6


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Parameters
    ----------
    day : the local day on which the plan begins. build: candidates of energy.toml taken as built.
    carbon_price_cny_per_t : weighs carbon beside money; moves: work of the search a round.
    """

    day: datetime
    build: Mapping[str, float] | None = None
    carbon_price_cny_per_t: float = 0.0
    rounds: int = 6
    moves: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A schedule with the dispatch of its load, and what both come to."""

    plan: FlowPlan
    measures: FlowMeasures
    answer: Answer
    load_kw: Floats
    marginal_cny_per_kwh: Floats
    energy_cny: float
    emissions_t: float
    objective: float


@dataclass(frozen=True, slots=True)
class Round:
    """A round: the objective of each set of signals, and what was kept."""

    number: int
    tried: Mapping[str, float]
    kept: str
    objective: float


@dataclass(frozen=True, slots=True, eq=False)
class CoOptimised:
    """The answer; schedule and dispatch both passed their checks."""

    problem: FlowShop
    naive: Side
    best: Side
    rounds: tuple[Round, ...]
    rests: bool

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "start": _json(self.naive),
            "best": _json(self.best),
            "rounds": [{"number": r.number, "tried": dict(r.tried), "kept": r.kept, "objective": r.objective} for r in self.rounds],
            "rests": self.rests,
            "load_kw": [round(float(value), 3) for value in self.best.load_kw],
            "order": list(self.best.plan.order),
            "check_passed": True,
        }  # fmt: skip


def _json(side: Side) -> dict[str, object]:
    return {
        "objective": side.objective, "energy_cny": side.energy_cny, "emissions_t": side.emissions_t,
        "line_kwh": side.measures.energy_kwh, "tardiness_slots": side.measures.tardiness_slots, "late": list(side.measures.late),
        "setups": side.measures.setups, "setup_cny": side.measures.setup_cny, "peak_kw": float(side.load_kw.max()),
    }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """Both sides of the plant before anything is decided."""

    shop: FlowShop
    background: Background
    energy: EnergyProblem
    price: float
    late_cny: float = 0.0


def run(context: Context, asked: Asked, on_step: Callable[[str], None] = lambda _: None) -> CoOptimised:
    """Return the schedule and the dispatch that suit each other.

    Raises
    ------
    FaultyData
        The files have faults, a side cannot be run, or a check failed.
    """
    plant = _plant(context, asked)
    first = as_it_comes(plant.shop)
    start = _side(plant, first)
    plant = replace(plant, late_cny=LATE_SHARE * start.objective)
    start = best = _side(plant, first)
    rounds: list[Round] = []
    rests = False
    for number in range(1, asked.rounds + 1):
        on_step(str(number))
        sides = {name: _tried(plant, asked, best, signals, number) for name, signals in _signals(plant, best).items()}
        name = min(sides, key=lambda key: (sides[key].objective, key))
        gain = best.objective - sides[name].objective
        kept = gain > TOLERANCE * abs(best.objective)
        best = sides[name] if kept else best
        rounds.append(Round(number, {key: side.objective for key, side in sides.items()}, name if kept else "", best.objective))  # fmt: skip
        if not kept:
            rests = True
            break
    for side in (start, best):
        refuse(check_flow(plant.shop, side.plan, side.measures.carbon_gco2e, side.measures.cost_cny).problems)
    return CoOptimised(plant.shop, start, best, tuple(rounds), rests)


def _plant(context: Context, asked: Asked) -> Plant:
    shop, background, _ = schedule_line.read(context, asked.day)
    hours = shop.slots * shop.slot_minutes // 60
    wanted = energy_dispatch.Asked(shop.start, hours, shop.slot_minutes, asked.build, margin_fraction=0.5)
    _, ahead, _ = energy_dispatch.ahead_of(context, wanted)
    grams = shop.by_slot(shop.signals.intensity_gco2e_per_kwh)
    factors = {key: grams if key == (PURCHASED, ELECTRICITY) else own for key, own in ahead.factors.items()}
    goals = replace(ahead.goals, carbon_price_cny_per_t=asked.carbon_price_cny_per_t)
    return Plant(shop, background, replace(ahead, factors=factors, goals=goals), asked.carbon_price_cny_per_t)


def _side(plant: Plant, plan: FlowPlan) -> Side:
    """Dispatch the load of a plan and count what both come to."""
    own = measures(plant.shop, plan)
    line_kw = np.sum(list(unit_kw(plant.shop, plan).values()), axis=0)
    load = np.maximum(0.0, plant.energy.load(ELECTRICITY) - plant.background.shops_kw + plant.background.standing_kw) + line_kw  # fmt: skip
    problem = replace(plant.energy, loads={**plant.energy.loads, ELECTRICITY: load})
    refuse(energy_faults(problem))
    assembled = assemble(problem)
    solution = solve(assembled.program, Options())
    answer = answer_of(assembled, solution)
    if answer.plan is None or answer.conflict is not None:
        raise FaultyData([_stuck(answer)])
    dual = solution.dual(f"balance:{ELECTRICITY}") / problem.grid.step_hours
    cost, tonnes = answer.plan.costs.total_cny, answer.plan.emissions_t
    lost = own.setup_cny + plant.price * own.setup_gco2e / GRAMS + plant.late_cny * own.tardiness_slots
    energy = cost - answer.plan.costs.carbon_cny
    return Side(plan, own, answer, load, np.abs(dual), energy, tonnes + own.setup_gco2e / GRAMS, cost + lost)


def _signals(plant: Plant, side: Side) -> dict[str, Signals]:
    """Return the sets of signals of a round: marginal prices, halfway prices, the tariff with the dispatch held fast."""
    shop = plant.shop
    tariff = shop.by_slot(shop.signals.price_cny_per_kwh)
    grams = shop.by_slot(shop.signals.intensity_gco2e_per_kwh)
    priced = tariff + plant.price * grams / GRAMS
    none = np.zeros(shop.slots)
    line_kw = np.sum(list(unit_kw(shop, side.plan).values()), axis=0)
    drawn = _drawn(side)
    return {
        "marginal": Signals(1, side.marginal_cny_per_kwh, none),
        "halfway": Signals(1, 0.5 * (side.marginal_cny_per_kwh + priced), none),
        "held": Signals(1, priced, none, np.maximum(0.0, line_kw - drawn), np.maximum(0.0, drawn - line_kw)),
    }


def _drawn(side: Side) -> Floats:
    """Return what the plant takes from the grid in each slot, less what it gives."""
    plan = side.answer.plan
    if plan is None:
        raise Misuse("a side without a plan")
    total = np.zeros(plan.problem.grid.length)
    for use in plan.problem.uses:
        if use.role == "grid":
            for sign in (1, -1):
                for flow in electric(use, sign):
                    total += over(flow.coefficient, len(total)) * plan.values[use.id][flow.variable]
    return total


def _tried(plant: Plant, asked: Asked, best: Side, signals: Signals, number: int) -> Side:
    """Schedule the line under signals, beginning with the best plan so far, and dispatch its load."""
    charged = plant.price / GRAMS  # carbon of changes, at its price
    aim = Aim(carbon=charged, cost=1.0, tardiness=plant.late_cny)
    shop = replace(plant.shop, signals=signals, aim=aim)
    found = search(shop, Effort(asked.moves, seed=asked.seed + number, hot=HOT, cold=COLD), best.plan)
    return _side(plant, found.plan)


def _stuck(answer: Answer) -> Problem:
    said = answer.conflict.sentence() if answer.conflict is not None else answer.report.status.words
    hint = Text("请核对设备容量(energy.toml)与产线功率(line.toml)。", "See capacities (energy.toml) and powers of the line (line.toml).")  # fmt: skip
    return Problem("co_optimise.energy", Text(f"这个负荷无法供能: {said.zh}", f"This load cannot be supplied: {said.en}"), hint)  # fmt: skip
