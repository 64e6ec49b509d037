"""Charging at the dock: when each truck charges between coming home and leaving again, under the plant's tariff and photovoltaics.

    minimise   Σ (price + carbon price × intensity) × grid · h + export price × surplus taken · h + demand price × rise of the month's peak
    subject to Σ_t η · charge[s, t] · h = need[s]          while truck s stands
               Σ_s charge[s, t] = grid[t] + surplus taken[t],  surplus taken[t] ≤ surplus[t]
               Σ_s charge[s, t] ≤ limit,   Σ_s charge[s, t] / power[s] ≤ chargers      (trucks may change places within an interval)
               peak ≥ load[t] + grid[t],   peak ≥ the month's peak so far

Surplus is what the plant's photovoltaics make beyond its load: below that a kilowatt-hour taken by a truck is bought by the plant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.solving.conflict import Conflict, Wish, explain
from zerofactory.optimisation.solving.linear import Draft, Floats, LinearProgram
from zerofactory.optimisation.solving.result import SolveReport
from zerofactory.optimisation.solving.solver import solve

NOTHING_KWH = 1e-9


@dataclass(frozen=True, slots=True)
class Stay:
    """A truck at the dock from interval ``first`` up to ``last`` (not included), what it needs in its battery, and its power."""

    vehicle: str
    first: int
    last: int
    need_kwh: float
    power_kw: float


@dataclass(frozen=True, slots=True, eq=False)
class DockProblem:
    """Stays and the dock; series by interval. ``load_kw`` is the plant without the dock, ``peak_kw`` the month's peak so far."""

    step_hours: float
    stays: tuple[Stay, ...]
    chargers: int
    limit_kw: float
    efficiency: float
    price_cny_per_kwh: Floats
    surplus_kw: Floats
    load_kw: Floats
    intensity_g_per_kwh: float
    export_cny_per_kwh: float = 0.0
    demand_cny_per_kw: float = 0.0
    peak_kw: float = 0.0
    carbon_price_cny_per_t: float = 0.0

    @property
    def length(self) -> int:
        """How many intervals."""
        return len(self.price_cny_per_kwh)


@dataclass(frozen=True, slots=True, eq=False)
class DockPlan:
    """Charging power of each stay by interval (S × T), surplus taken, cost and what charging at once would have cost."""

    charge_kw: Floats
    surplus_kw: Floats
    cost_cny: float
    at_once_cny: float
    peak_rise_kw: float
    emissions_g: float
    report: SolveReport

    @property
    def load_kw(self) -> Floats:
        """Power of the dock by interval."""
        total: Floats = self.charge_kw.sum(axis=0)
        return total


def dock_problems(problem: DockProblem) -> list[Problem]:
    """Return every stay that is too short for its need, and a dock too small for all of them together."""
    found = []
    for stay in problem.stays:
        power = min(stay.power_kw, problem.limit_kw)
        most = max(0, stay.last - stay.first) * problem.step_hours * power * problem.efficiency
        if stay.need_kwh > most + 1e-6:
            found.append(_too_short(stay, most))
    return found


def plan_dock(problem: DockProblem) -> DockPlan | Conflict:
    """Return the cheapest charging, or the smallest set of stays and limits that clash."""
    program = _program(problem)
    found = solve(program)
    if not found.report.status.has_answer:
        return explain(program, _wishes(problem))
    charge = np.zeros((len(problem.stays), problem.length))
    for s, stay in enumerate(problem.stays):
        charge[s, stay.first : stay.last] = np.maximum(found.value(f"charge:{s}"), 0.0)
    taken = np.minimum(np.maximum(found.value("surplus"), 0.0), charge.sum(axis=0))
    at_once = at_once_kw(problem)
    cost, rise = cost_of(problem, charge.sum(axis=0), taken)
    free = np.minimum(problem.surplus_kw, at_once)
    grams = float((charge.sum(axis=0) - taken).sum()) * problem.step_hours * problem.intensity_g_per_kwh
    return DockPlan(charge, taken, cost, cost_of(problem, at_once, free)[0], rise, grams, found.report)


def _program(problem: DockProblem) -> LinearProgram:
    draft, h, length = Draft(), problem.step_hours, problem.length
    carbon = problem.carbon_price_cny_per_t * problem.intensity_g_per_kwh / 1e6
    grid = draft.add_columns("grid", length, cost=(problem.price_cny_per_kwh + carbon) * h)
    surplus = draft.add_columns("surplus", length, upper=problem.surplus_kw, cost=problem.export_cny_per_kwh * h)
    peak = draft.add_columns("peak", 1, lower=max(problem.peak_kw, 0.0), cost=problem.demand_cny_per_kw)
    balance = draft.add_rows("balance", length, "=", 0.0)
    limit = draft.add_rows("limit", length, "<=", problem.limit_kw)
    places = draft.add_rows("chargers", length, "<=", float(problem.chargers))
    rise = draft.add_rows("rise", length, "<=", -problem.load_kw)
    draft.put(balance, grid, -1.0)
    draft.put(balance, surplus, -1.0)
    draft.put(rise, grid, 1.0)
    draft.put(rise, peak, -1.0)
    for s, stay in enumerate(problem.stays):
        span = slice(stay.first, stay.last)
        power = draft.add_columns(f"charge:{s}", max(stay.last - stay.first, 0), upper=stay.power_kw)
        draft.put(draft.add_rows(f"need:{s}", 1, "=", stay.need_kwh), power, problem.efficiency * h)
        draft.put(balance.places[span], power, 1.0)
        draft.put(limit.places[span], power, 1.0)
        draft.put(places.places[span], power, 1.0 / stay.power_kw)
    return draft.finish()


def _wishes(problem: DockProblem) -> list[Wish]:
    found = [
        Wish(
            f"need:{s}",
            Text(f"“{stay.vehicle}”的充电量", f"charge of '{stay.vehicle}'"),
            stay.need_kwh,
            "kWh",
            -stay.need_kwh,
            -stay.need_kwh,
        )
        for s, stay in enumerate(problem.stays)
        if stay.need_kwh > 0
    ]
    found.append(
        Wish(
            "limit",
            Text("月台功率上限", "power of the dock"),
            problem.limit_kw,
            "kW",
            problem.limit_kw,
            problem.limit_kw,
        )
    )
    count = float(problem.chargers)
    found.append(Wish("chargers", Text("充电桩数", "number of chargers"), count, "piece", count, count))
    return found


def at_once_kw(problem: DockProblem) -> Floats:
    """Return the dock's power when each truck charges as soon as it stands, first come first served within the limits."""
    total, used = np.zeros(problem.length), np.zeros(problem.length)
    for stay in sorted(problem.stays, key=lambda one: (one.first, one.vehicle)):
        left = stay.need_kwh
        for t in range(stay.first, stay.last):
            room = min(stay.power_kw, problem.limit_kw - total[t], (problem.chargers - used[t]) * stay.power_kw)
            power = max(0.0, min(room, left / (problem.efficiency * problem.step_hours)))
            total[t], used[t] = total[t] + power, used[t] + power / stay.power_kw
            left -= power * problem.efficiency * problem.step_hours
            if left <= NOTHING_KWH:
                break
    return total


def cost_of(problem: DockProblem, load_kw: Floats, surplus_kw: Floats) -> tuple[float, float]:
    """Return what a dock's power costs, carbon price included, and by how much it lifts the month's peak."""
    h, bought = problem.step_hours, load_kw - surplus_kw
    carbon = problem.carbon_price_cny_per_t * problem.intensity_g_per_kwh / 1e6
    energy = float(
        (bought * (problem.price_cny_per_kwh + carbon)).sum() * h + surplus_kw.sum() * h * problem.export_cny_per_kwh
    )
    before = max(problem.peak_kw, float(problem.load_kw.max(initial=0.0)))
    rise = max(0.0, float((problem.load_kw + bought).max(initial=0.0)) - before)
    return energy + problem.demand_cny_per_kw * rise, rise


def dock_findings(problem: DockProblem, plan: DockPlan) -> list[Problem]:
    """Return every breach of a plan, worked out from its numbers alone: energy, stays, power, chargers, surplus, cost."""
    found: list[Problem] = []
    given = plan.charge_kw.sum(axis=1) * problem.step_hours * problem.efficiency
    for s, stay in enumerate(problem.stays):
        outside = plan.charge_kw[s].sum() - plan.charge_kw[s, stay.first : stay.last].sum()
        if abs(given[s] - stay.need_kwh) > 1e-5 * max(1.0, stay.need_kwh) or outside > 1e-6:
            found.append(
                _breach(
                    f"“{stay.vehicle}”充入 {given[s]:.3f} kWh, 需要 {stay.need_kwh:.3f}",
                    f"'{stay.vehicle}' gains {given[s]:.3f} kWh of {stay.need_kwh:.3f}",
                )
            )
        if plan.charge_kw[s].max(initial=0.0) > stay.power_kw * (1 + 1e-6):
            found.append(_breach(f"“{stay.vehicle}”功率超限", f"'{stay.vehicle}' charges above its power"))
    share = sum((plan.charge_kw[s] / stay.power_kw for s, stay in enumerate(problem.stays)), np.zeros(problem.length))
    if (plan.load_kw > problem.limit_kw * (1 + 1e-6)).any() or (share > problem.chargers * (1 + 1e-6)).any():
        found.append(_breach("月台功率或充电桩数超限", "The dock's power or chargers are exceeded"))
    if (plan.surplus_kw > problem.surplus_kw + 1e-6).any() or (plan.surplus_kw > plan.load_kw + 1e-6).any():
        found.append(_breach("用了没有的光伏余电", "More surplus is taken than there is"))
    if abs(cost_of(problem, plan.load_kw, plan.surplus_kw)[0] - plan.cost_cny) > 1e-6 * max(1.0, abs(plan.cost_cny)):
        found.append(_breach("费用不符", "The cost differs"))
    return found


def needs_of(stays: Sequence[Stay]) -> float:
    """Return the energy that all stays need."""
    return sum(stay.need_kwh for stay in stays)


def _too_short(stay: Stay, most_kwh: float) -> Problem:
    return Problem(
        "logistics.stay_too_short",
        Text(
            f"“{stay.vehicle}”停靠期间最多充 {most_kwh:.1f} kWh, 需要 {stay.need_kwh:.1f} kWh。",
            f"'{stay.vehicle}' can gain {most_kwh:.1f} kWh while it stands and needs {stay.need_kwh:.1f}.",
        ),
        Text("请延长停靠、加大功率, 或途中充电。", "Stay longer, charge at more power, or charge on the way."),
    )


def _breach(zh: str, en: str) -> Problem:
    return Problem(
        "logistics.check_dock", Text(f"{zh}。", f"{en}."), Text("方案未通过独立检查。", "The independent check failed.")
    )
