"""What to build: a workspace's year → the best structure under what is asked, checked, booked, and set beside the plant as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zerofactory.accounting.quantify import Quantified
from zerofactory.assets.bill import DemandBasis, Metered, Terms, bill
from zerofactory.assets.grid import Floats, Grid
from zerofactory.assets.tariff import Tariff
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.energy.check import Finding, bill_findings, tonnes_findings
from zerofactory.optimisation.energy.finance import Purchase, Worth, worth
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import OBJECTIVES, REGIMES, EnergyProblem, Goals, Objective, Regime
from zerofactory.optimisation.energy.sizing import (
    Answer,
    FrontPoint,
    Reaction,
    pareto,
    sensitivity,
    size,
    without_candidates,
)
from zerofactory.periods import Period
from zerofactory.runs import energy_factors, energy_file
from zerofactory.runs.context import Context
from zerofactory.runs.energy_factors import Booking
from zerofactory.runs.energy_problem import Setting, make
from zerofactory.runs.energy_regimes import Claimed, claimed
from zerofactory.runs.profile import months_of

GRID_KIND = "grid_connection"
ELECTRIC = (energy_factors.PURCHASED, energy_factors.EXPORTED, energy_factors.RENEWABLE)
STEPS = (15, 30, 60)


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Parameters
    ----------
    period : a year or a month with readings; None takes the last whole year.
    cap : tonnes of CO2e, or a share of today's written as ``70%``.
    pareto : how many points of the front; 0 none.
    sensitivity_fraction : how far each price is moved up and down, one at a time.
    """

    period: Period | None = None
    goals: Goals = field(default_factory=Goals)
    cap: str | None = None
    step_minutes: int = 60
    pareto: int = 0
    sensitivity_fraction: float | None = None


@dataclass(frozen=True)
class View:
    """One plan as a manager reads it: what it costs a year, emits and claims under each regime."""

    plan: Plan
    energy_cny: float
    fuels_and_others_cny: float
    upkeep_cny: float
    annuity_cny: float
    other_t: float
    claims: Mapping[str, Claimed]
    quantified: Quantified

    @property
    def total_cny(self) -> float:
        """Everything that is paid in the period, carbon price apart."""
        return self.energy_cny + self.fuels_and_others_cny + self.upkeep_cny + self.annuity_cny

    def tonnes(self, regime: str) -> float:
        """Return tonnes under a regime: electricity as it claims, everything else as booked."""
        return self.claims[regime].emissions_t + self.other_t


@dataclass(frozen=True)
class SizingResult:
    """The answer: the plant as it is, the plan (none when its check failed), worth, front and reactions."""

    period: str
    step_minutes: int
    goals: Goals
    before: View
    after: View | None
    answer: Answer
    worth: Worth | None
    front: tuple[FrontPoint, ...]
    reactions: tuple[Reaction, ...]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        from zerofactory.runs.energy_size_json import as_json

        return as_json(self)


def run(context: Context, asked: Asked) -> SizingResult:
    """Return the best structure and how it compares.

    Raises
    ------
    FaultyData
        The problem has faults; they are all told before a solver starts. Or the check failed of the plant as it is.
    """
    if asked.step_minutes not in STEPS:
        raise FaultyData([_step(asked.step_minutes)])
    file = energy_file.read(context)
    booking = energy_factors.booking_of(context, file)
    setting = Setting(context, file, asked.period or last_year(context), asked.step_minutes)
    open_problem = make(setting, asked.goals, booking)
    before = size(without_candidates(open_problem))
    if before.plan is None or before.conflict is not None:
        raise FaultyData([_cannot_run(before)])
    first = _view(before.plan, setting, booking)
    cap_t = _cap(asked.cap, first.tonnes(asked.goals.regime))
    problem = replace(open_problem, goals=replace(open_problem.goals, carbon_cap_t=cap_t))
    answer = audited(size(problem), setting, booking)
    view = None if answer.plan is None else _view(answer.plan, setting, booking)
    front = pareto(problem, asked.pareto) if asked.pareto else ()
    reactions = () if asked.sensitivity_fraction is None else _reactions(problem, asked.sensitivity_fraction)
    gain = None if view is None else _worth(first, view, setting)
    return SizingResult(
        setting.period.label, asked.step_minutes, problem.goals, first, view, answer, gain, front, reactions, (),
    )  # fmt: skip


def last_year(context: Context) -> Period:
    """Return the last year of which every month has readings; raise `FaultyData` when there is none."""
    there = set(months_of(context))
    whole = [year for year in {int(label[:4]) for label in there} if {f"{year}-{m:02d}" for m in range(1, 13)} <= there]
    if not whole:
        hint = Text("请用 --period 指定有读数的月份。", "Name a month with readings with --period.")
        message = Text("没有读数完整的年度。", "There is no year with readings of every month.")
        raise FaultyData([Problem("energy.no_year", message, hint)])
    return Period(max(whole))


def regime_of(name: str) -> Regime:
    """Return a regime by name; raise `FaultyData` with the choices."""
    for regime in REGIMES:
        if regime == name:
            return regime
    choices = ", ".join(REGIMES)
    message = Text(f"“{name}”不能作为约束口径。", f"'{name}' cannot be a regime of the goals.")
    raise FaultyData([Problem("energy.regime", message, Text(f"可选: {choices}。", f"Choose one of: {choices}."))])


def objective_of(name: str) -> Objective:
    """Return an objective by name; raise `FaultyData` with the choices."""
    for objective in OBJECTIVES:
        if objective == name:
            return objective
    message = Text(f"没有目标“{name}”。", f"There is no objective '{name}'.")
    choices = ", ".join(OBJECTIVES)
    raise FaultyData([Problem("energy.objective", message, Text(f"可选: {choices}。", f"Choose one of: {choices}."))])


def audited(answer: Answer, setting: Setting, booking: Booking) -> Answer:
    """Return an answer whose plan was also billed by the tariff code and booked by the accounts; without it when they differ."""
    if answer.plan is None or answer.check is None:
        return answer
    found = answer.check.with_findings([*_billed(answer.plan, setting.tariff), *_booked(answer.plan, booking)])
    return replace(answer, check=found, plan=answer.plan if found.passed else None)


def _billed(plan: Plan, tariff: Tariff) -> Sequence[Finding]:
    expected: dict[str, float] = {}
    for use in plan.problem.uses:
        if use.kind is not None and use.kind.id == GRID_KIND and use.values is not None:
            own = plan.values[use.id]
            basis: DemandBasis = "capacity" if use.values.text("demand_basis") == "capacity" else "maximum"
            rating = use.values["transformer_kva"] if basis == "capacity" else None
            terms = Terms(basis, transformer_kva=rating)
            expected[use.id] = bill_cny(tariff, terms, plan.problem.grid, (own["import_kw"], own["export_kw"]))
    return bill_findings(plan, expected)


def bill_cny(tariff: Tariff, terms: Terms, grid: Grid, flows_kw: tuple[Floats, Floats]) -> float:
    """Return what the tariff code bills over a grid for what passed the meter, month by month."""
    total = 0
    for place, month in enumerate(grid.months):
        inside = grid.month_of == place
        bought, sold = (np.rint(flow[inside] * grid.step_hours * 1000.0).astype(np.int64) for flow in flows_kw)
        own = Grid(Period.parse(month).start(grid.time_zone), grid.step_minutes, int(inside.sum()), grid.time_zone)
        total += bill(tariff, terms, own, Metered(bought, sold)).total_fen
    return total / 100.0


def _booked(plan: Plan, booking: Booking) -> Sequence[Finding]:
    """Compare tonnes by kind of source: as the plan counts them and as the accounts book its quantities."""
    booked = energy_factors.by_kind(energy_factors.book(booking, plan.quantities()))
    own: dict[str, float] = {}
    for one in plan.quantities():
        if one.source not in energy_factors.ZERO:
            grams = float(plan.problem.factor(one.source, one.item)[0]) * one.quantity
            own[one.source] = own.get(one.source, 0.0) + grams / 1e6
    return tonnes_findings(booked, own)


def _view(plan: Plan, setting: Setting, booking: Booking) -> View:
    costs, quantified = plan.costs, energy_factors.book(booking, plan.quantities())
    kinds = energy_factors.by_kind(quantified)
    power = sum(
        costs.running_cny[use.id] for use in plan.problem.uses if use.kind is not None and use.kind.id == GRID_KIND
    )
    return View(
        plan,
        power,
        sum(costs.running_cny.values()) - power,
        costs.upkeep_cny,
        costs.annuity_cny,
        sum(tonnes for kind, tonnes in kinds.items() if kind not in ELECTRIC),
        claimed(plan, setting.book, booking),
        quantified,
    )


def _worth(before: View, after: View, setting: Setting) -> Worth:
    years = after.plan.problem.grid.years
    purchases = [Purchase(one.capex_cny, one.lifetime_years) for one in after.plan.sizes if one.capex_cny > 0]
    saving = (before.plan.costs.operating_cny - after.plan.costs.operating_cny) / years
    settings = setting.file.energy
    return worth(purchases, saving, settings.discount_fraction, settings.horizon_years)


def _reactions(problem: EnergyProblem, fraction: float) -> tuple[Reaction, ...]:
    bought = [use.id for use in problem.uses if use.is_candidate]
    changes = [(f"capex:{name}", 1.0 + sign * fraction) for name in bought for sign in (-1, 1)]
    grids = [use.id for use in problem.uses if use.role == "grid"]
    changes += [(f"running:{name}", 1.0 + sign * fraction) for name in grids for sign in (-1, 1)]
    return sensitivity(problem, changes)


def _cap(text: str | None, today_t: float) -> float | None:
    """Return a cap in tonnes, from tonnes or from a share of today's emissions."""
    if text is None:
        return None
    number, share = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number.replace(",", ""))
    except ValueError:
        message = Text(f"“{text}”不是碳上限。", f"'{text}' is no cap.")
        hint = Text("请写吨数 120000, 或现状的百分比 70%。", "Write tonnes, 120000, or a share of today's, 70%.")
        raise FaultyData([Problem("energy.cap", message, hint)]) from None
    return value / 100.0 * today_t if share else value


def _cannot_run(before: Answer) -> Problem:
    if before.conflict is not None:
        said = before.conflict.sentence()
    elif before.check is not None and before.check.findings:
        said = before.check.findings[0].message
    else:
        said = before.report.status.words
    hint = Text(
        "请核对现有设备的容量是否够得上读数的峰值(energy.toml)。",
        "See whether the assets that stand reach the peaks of the readings (energy.toml).",
    )
    return Problem(
        "energy.as_it_is", Text(f"现状无法复现: {said.zh}", f"The plant as it is cannot be run: {said.en}"), hint
    )


def _step(step: int) -> Problem:
    listed = ", ".join(map(str, STEPS))
    hint = Text(f"可选: {listed}。", f"Choose one of: {listed}.")
    return Problem("energy.step", Text(f"步长不能是 {step} 分钟。", f"The step cannot be {step} minutes."), hint)
