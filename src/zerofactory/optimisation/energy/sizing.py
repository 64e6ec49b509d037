"""Sizing: what to build and how to run it, at once, over a whole year; the front of cost and carbon; what moves the answer.

problem → faults told → program → solve → **independent check** → plan. Where nothing satisfies every wish, the answer is the
conflict instead: the smallest clashing set in the user's words, what each would have to become, and the nearest plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.assets.block import AssetBlock, Variable
from zerofactory.assets.grid import Floats
from zerofactory.errors import refuse
from zerofactory.optimisation.energy.assembly import Assembled, assemble, share_scale
from zerofactory.optimisation.energy.check import Check, check
from zerofactory.optimisation.energy.netting import netted
from zerofactory.optimisation.energy.origin import origins
from zerofactory.optimisation.energy.plan import Plan, PlanValues
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals, Use, faults
from zerofactory.optimisation.solving import by_highs
from zerofactory.optimisation.solving.conflict import EASED, MET, Conflict, explain
from zerofactory.optimisation.solving.linear import INF, LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveReport, SolveStatus
from zerofactory.optimisation.solving.solver import Options, solve

LEAST_SLACK = 1e-4  # of the least emissions: an interior point needs some room inside the last corner
CAP = "carbon_cap"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What comes back: a plan that passed its check, or why there is none.

    Parameters
    ----------
    plan : present only when ``check`` passed; with a conflict it is the nearest feasible plan.
    """

    report: SolveReport
    plan: Plan | None
    check: Check | None
    conflict: Conflict | None = None

    @property
    def is_as_asked(self) -> bool:
        """Whether the plan meets every wish."""
        return self.plan is not None and self.conflict is None


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One plan of the front: the cap it was given, what it costs and emits, its sizes, the price of the last tonne."""

    cap_t: float
    cost_cny: float
    emissions_t: float
    shadow_cny_per_t: float
    sizes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reaction:
    """How the plan reacts to one changed price: total cost, tonnes and sizes beside those of the plan itself."""

    what: str
    factor: float
    cost_cny: float
    emissions_t: float
    sizes: Mapping[str, float]


def size(problem: EnergyProblem, options: Options | None = None) -> Answer:
    """Return the best plan, checked, or the conflict.

    Raises
    ------
    FaultyData
        The problem has faults (all of them are listed); no solver was started.

    Examples
    --------
    A plant that needs 100 kW may buy at 0.8 CNY/kWh or build sun (annuity and upkeep 1 CNY a day and kW) that shines half
    the day: each kW then saves 12 · 0.8 = 9.6 CNY, so 100 kW are built, no more, as nothing can be sold.

    >>> from datetime import UTC, datetime
    >>> from zerofactory.assets.asset import Conditions
    >>> from zerofactory.assets.grid import Grid
    >>> from zerofactory.optimisation.energy.problem import use_of
    >>> day = Grid(datetime(2025, 6, 1, tzinfo=UTC), 60, 24)
    >>> sun = np.repeat([1.0, 0.0], 12)
    >>> series = {"import_price_cny_per_kwh": 0.8, "export_price_cny_per_kwh": 0.0}
    >>> priced = Conditions(day, series, {"demand_price_cny_per_kw_month": 0.0})
    >>> grid, _ = use_of("grid", "grid_connection", {"transformer_kva": 1000, "import_limit_kw": 900, "load_loss_fraction": 0.0}, priced)
    >>> given = {"peak_maximum_kw": 500, "capex_cny_per_kw": 0.0, "opex_cny_per_kw_year": 365.0}
    >>> pv, _ = use_of("pv", "photovoltaic", given, Conditions(day, {"yield_kw_per_kw": sun}, sized=True))
    >>> factors = {("purchased_electricity", "electricity"): 573.7}
    >>> answer = size(EnergyProblem(day, (grid, pv), {"electricity": 100.0}, factors))
    >>> answer.check.passed, round(answer.plan.sizes[0].size, 3), round(answer.plan.costs.total_cny, 2), round(answer.plan.emissions_t, 5)
    (True, 100.0, 1060.0, 0.68844)
    """
    refuse(faults(problem))
    assembled = assemble(problem)
    if problem.goals.objective == "emissions":
        return _least_emissions(assembled, options)
    first = replace(options or Options(), second_opinion=False)  # a stuck solve is explained first: that is quicker
    return answer_of(assembled, solve(assembled.program, first), options)


def answer_of(assembled: Assembled, solution: Solution, options: Options | None = None) -> Answer:
    """Return what a solve of an assembled problem comes to: its plan checked, or its conflict with the nearest plan."""
    status = solution.report.status
    if status.has_answer:
        plan = plan_of(assembled, solution)
        found = check(plan)
        return Answer(solution.report, plan if found.passed else None, found)
    if status is SolveStatus.UNBOUNDED:
        return Answer(solution.report, None, None)
    conflict = explain(assembled.program, assembled.wishes, options)
    is_stuck = status is not SolveStatus.INFEASIBLE and not solution.report.solver.startswith("highs")
    if conflict.is_none and is_stuck:
        return answer_of(assembled, by_highs.solve(assembled.program, method="ipm"), options)
    if conflict.plan is None or not conflict.plan.report.status.has_answer:
        return Answer(solution.report, None, None, conflict)
    plan = plan_of(assembled, conflict.plan)
    found = check(plan, relaxed=tuple(conflict.nearest), eased=2.0 * (MET if conflict.is_none else EASED))
    return Answer(solution.report, plan if found.passed else None, found, conflict)


def plan_of(assembled: Assembled, solution: Solution) -> Plan:
    """Return the plan that a solution means."""
    problem = assembled.problem
    values = netted(problem, assembled.values(solution))
    prices = {}
    for wish in assembled.wishes:
        if wish.id.startswith("wish:"):
            per_unit = 1.0 if wish.measure is None else -consumption_units(problem, values) / 100.0
            prices[wish.id.removeprefix("wish:")] = float(solution.dual(wish.id).sum()) * per_unit
    return Plan(problem, values, solution.report, prices)


def consumption_units(problem: EnergyProblem, values: PlanValues) -> float:
    """Return the electricity that a plan uses as a row of shares counts it: by it the price of a percentage point is told."""
    return float(origins(problem, values).consumption_kwh.sum()) * share_scale(problem)


def _least_emissions(assembled: Assembled, options: Options | None) -> Answer:
    """Return the cheapest of the plans that emit least."""
    first = solve(emitting(assembled), options)
    if not first.report.status.has_answer:
        return answer_of(assembled, first, options)
    least = float(assembled.emissions_gco2e @ first.x) / 1e6
    goals = replace(assembled.problem.goals, objective="cost", carbon_cap_t=least * (1.0 + LEAST_SLACK) + LEAST_SLACK)
    tight = assemble(replace(assembled.problem, goals=goals))
    return answer_of(tight, solve(tight.program, options), options)


def emitting(assembled: Assembled) -> LinearProgram:
    """Return the program that minimises emissions (in tonnes) instead of cost."""
    program = assembled.program
    tonnes = assembled.emissions_gco2e / 1e6
    return program.changed(cost={name: tonnes[block.span] for name, block in program.columns.items()})


def without_candidates(problem: EnergyProblem) -> EnergyProblem:
    """Return the plant as it stands: every size that could be decided is its least, and nothing is asked for but the carbon price."""
    goals = Goals(regime=problem.goals.regime, carbon_price_cny_per_t=problem.goals.carbon_price_cny_per_t)
    return replace(problem, uses=tuple(_unsized(use) for use in problem.uses), goals=goals)


def _unsized(use: Use) -> Use:
    if not use.is_candidate:
        return use
    sized = {size.variable for size in use.block.sizes}
    return replace(use, block=replace(use.block, variables=tuple(_at_least(one, sized) for one in use.block.variables)))


def _at_least(variable: Variable, sized: set[str]) -> Variable:
    return replace(variable, upper=variable.lower) if variable.name in sized else variable


def with_sizes(problem: EnergyProblem, sizes: Mapping[str, float]) -> EnergyProblem:
    """Return the problem with sizes fixed: asset → size."""

    def fixed(use: Use) -> Use:
        if use.id not in sizes:
            return use
        return replace(use, block=_fixed(use.block, sizes[use.id]))

    return replace(problem, uses=tuple(fixed(use) for use in problem.uses))


def _fixed(block: AssetBlock, size: float) -> AssetBlock:
    names = {one.variable for one in block.sizes}
    return replace(
        block,
        variables=tuple(replace(one, lower=size, upper=size) if one.name in names else one for one in block.variables),
    )


def pareto(problem: EnergyProblem, points: int, options: Options | None = None) -> tuple[FrontPoint, ...]:
    """Return the front of cost and emissions: ``points`` caps from the cheapest plan's emissions to the least possible.

    The program is assembled once; only the cap moves. The least weighted point is found by minimising emissions.

    Raises
    ------
    FaultyData
        The problem has faults.
    """
    refuse(faults(problem))
    start = replace(problem.goals, objective="cost", carbon_cap_t=INF)
    assembled = assemble(replace(problem, goals=start))
    cheapest = solve(assembled.program, options)
    cleanest = solve(emitting(assembled), options)
    if not (cheapest.report.status.has_answer and cleanest.report.status.has_answer):
        return ()
    high, low = (float(assembled.emissions_gco2e @ one.x) / 1e6 for one in (cheapest, cleanest))
    front = _front_point(assembled, cheapest, high)
    room = LEAST_SLACK * max(abs(high), 1.0)
    for cap in np.linspace(high, low + room, max(points, 2))[1:]:
        if high - low <= room:
            break
        found = solve(assembled.program.changed(row_bounds={f"wish:{CAP}": (None, cap)}), options)
        if found.report.status.has_answer:
            front += _front_point(assembled, found, float(cap))
    return tuple(front)


def _front_point(assembled: Assembled, solution: Solution, cap_t: float) -> list[FrontPoint]:
    """Return the point of a solution; none when its plan fails the check."""
    plan = plan_of(assembled, solution)
    if not check(plan, relaxed=(f"wish:{CAP}",)).passed:
        return []
    price = max(0.0, -plan.shadow_prices.get(CAP, 0.0))
    bought = {one.asset: one.size for one in plan.sizes}
    return [FrontPoint(cap_t, plan.costs.total_cny, plan.emissions_t, price, bought)]


def sensitivity(
    problem: EnergyProblem, changes: Sequence[tuple[str, float]], options: Options | None = None
) -> tuple[Reaction, ...]:
    """Return how the plan reacts when prices change one at a time; the program is assembled once.

    Parameters
    ----------
    changes : (what, factor): ``capex:<asset>`` multiplies what a candidate costs a year, ``running:<asset>`` what an asset costs to
        run (``running:grid`` is the price of electricity).
    """
    assembled = assemble(problem)
    found = []
    for what, factor in changes:
        solution = solve(assembled.program.changed(cost=_changed_cost(assembled, what, factor)), options)
        if not solution.report.status.has_answer:
            continue
        plan = plan_of(assembled, solution)
        if not check(plan, priced=False).passed:
            continue
        total = {one.asset: one.size for one in plan.sizes}
        found.append(Reaction(what, factor, solution.report.objective, plan.emissions_t, total))
    return tuple(found)


def _changed_cost(assembled: Assembled, what: str, factor: float) -> dict[str, Floats]:
    part, _, name = what.partition(":")
    use, program = assembled.problem.use(name), assembled.program
    sized = {size.variable for size in use.block.sizes}
    chosen = [one.name for one in use.block.variables if (one.name in sized) == (part == "capex")]
    return {f"{name}.{one}": program.cost[program.columns[f"{name}.{one}"].span] * factor for one in chosen}
