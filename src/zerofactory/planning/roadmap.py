"""The roadmap: which measures in which year, at least cost, so that every limit of every year and every budget is kept.

wishes ─► program ─► solver (gap proved) ─► answer ─► independent check ─► starts, contracts, path, cost
            │ infeasible
            └► nearest plan (least breach) and the smallest set of wishes that clash, in the user's words
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zerofactory.errors import FaultyData, Problem, Text, ZeroFactoryError
from zerofactory.optimisation.solving.by_highs import Kept
from zerofactory.optimisation.solving.linear import Solution
from zerofactory.optimisation.solving.result import SolveReport, SolveStatus
from zerofactory.planning import lever, model
from zerofactory.planning.limit import Limit
from zerofactory.planning.model import Linear, Model, Row, Wishes, linear
from zerofactory.planning.portfolio import Floats, Portfolio
from zerofactory.planning.scenario import default
from zerofactory.planning.search import search

BUDGET, STEADY = "budget", "steady"
BREACH = 1e-6
NEAREST_GAP, NEAREST_COST_GAP = 1e-3, 1e-2


@dataclass(frozen=True, slots=True)
class Goal:
    """A wish over years: grams of a selection of accounts at most so much in each year."""

    id: str
    title: Text
    regime: str
    scopes: tuple[int, ...]
    limits_gco2e: Mapping[int, int]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What the roadmap is asked.

    ``goals`` and ``limits`` must be kept; ``budgets_cny`` by year; carbon is priced on scopes 1 and 2 of ``regime``; from
    ``neutral_year`` on what remains is offset and costs money; ``steady``: no year above the one before (a neutrality
    pathway is one of decreasing unabated emissions, ISO 14068-1:2023, 8).
    """

    regime: str
    goals: tuple[Goal, ...] = ()
    limits: tuple[Limit, ...] = ()
    budgets_cny: Mapping[int, float] = field(default_factory=dict)
    neutral_year: int | None = None
    steady: bool = False
    gap_fraction: float | None = None
    time_limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """How far the nearest plan stays from a wish in a year, in the wish's unit."""

    group: str
    title: Text
    year: int
    wanted: float
    reached: float
    unit: str


@dataclass(frozen=True, eq=False)
class Roadmap:
    """The answer.

    Parameters
    ----------
    on : option × year, 0 or 1. covers_mwh : cover × year, whole MWh. amounts : stream × year.
    starts : option id → first year of effect.
    cost_cny : present value of investment, upkeep, energy, carbon and contracts above doing nothing.
    clash : the smallest set of wishes found that cannot be kept together; empty when all are kept.
    breaches : how far the nearest plan stays from them.
    """

    portfolio: Portfolio
    question: Question
    report: SolveReport
    on: Floats
    covers_mwh: Floats
    amounts: Floats
    starts: Mapping[str, int]
    cost_cny: float
    bill_cny: float
    clash: tuple[str, ...] = ()
    breaches: tuple[Breach, ...] = ()

    @property
    def gap_cny(self) -> float:
        """How much cheaper a plan could be at most, present value in CNY."""
        return max(0.0, self.report.objective - self.report.bound) / model.CNY

    @property
    def kept(self) -> bool:
        """Whether every wish is kept."""
        return not self.breaches

    def path(self, regime: str, scopes: tuple[int, ...], categories: tuple[str, ...] = ()) -> Floats:
        """Return the grams of each year of a selection of accounts."""
        found: Floats = (self.amounts * self.portfolio.selection(regime, scopes, categories)).sum(axis=0)
        return found

    def removals_gco2e(self) -> Floats:
        """Return the removals of each year."""
        found: Floats = (self.amounts * self.portfolio.removals).sum(axis=0)
        return found

    def investment_cny(self) -> dict[int, float]:
        """Return the investment of each year, renewals included."""
        years = self.portfolio.years
        found = dict.fromkeys(years, 0.0)
        for m, option in enumerate(self.portfolio.options):
            if option.id in self.starts:
                for paid in model.payments(self.portfolio, m, self.starts[option.id]):
                    found[paid] += model.investment(self.portfolio, m, paid)
        return found


def title_of(question: Question, group: str) -> Text:
    """Return a group of wishes in the user's words: the target and its year, the limit and its value, the budgets.

    Examples
    --------
    >>> title_of(Question("location"), "budget").en
    'the budgets of the years'
    """
    if group == BUDGET:
        return Text("各年投资上限", "the budgets of the years")
    if group == STEADY:
        return Text("排放逐年不升", "emissions that never rise")
    name, _, rest = group.partition(":")
    if name == "limit":
        limit = question.limits[int(rest.rpartition(":")[2])]
        sign = "≤" if limit.direction == "at_most" else "≥"
        since = Text(f"({limit.year} 年起)", f" (from {limit.year})") if limit.year else Text("", "")
        return Text(
            f"{limit.title.zh} {sign} {limit.value:g} {limit.unit}{since.zh}",
            f"{limit.title.en} {sign} {limit.value:g} {limit.unit}{since.en}",
        )
    goal = next((one for one in question.goals if one.id == name), None)
    return Text(f"{goal.title.zh} {rest} 年", f"{goal.title.en} {rest}") if goal else Text(group, group)


def wishes_of(portfolio: Portfolio, question: Question) -> Wishes:
    """Return a question as rows and linear figures of a portfolio."""
    found: list[Row] = []
    figures: dict[tuple[str, tuple[int, ...], tuple[str, ...]], Linear] = {}
    priced_by = (question.regime, (1, 2), ())
    for key in [priced_by, *((goal.regime, goal.scopes, goal.categories) for goal in question.goals)]:
        if key not in figures:
            figures[key] = linear(portfolio, portfolio.selection(*key))
    for goal in question.goals:
        grams = figures[(goal.regime, goal.scopes, goal.categories)]
        scale = model.scale_of(grams)
        for year, bound in sorted(goal.limits_gco2e.items()):
            if year in portfolio.years:
                limit = Limit(f"goal:{goal.id}", bound / 1e6, "tCO2e", "at_most", goal.title, year)
                found.append(Row(f"{goal.id}:{year}", year, limit, grams, float(bound), scale))
    for number, limit in enumerate(question.limits):
        found += lever.rows(portfolio, limit, question.regime, f"limit:{limit.indicator}:{number}")
    priced = figures[priced_by]
    removals = linear(portfolio, portfolio.removals)
    net = Linear(
        priced.constant - removals.constant, priced.option - removals.option,
        priced.link - removals.link, priced.cover - removals.cover,
    )  # fmt: skip
    money = linear(portfolio, portfolio.prices_cny)
    return Wishes(
        tuple(found), dict(question.budgets_cny), priced, net, question.neutral_year, money, question.steady
    )  # fmt: skip


def plan(portfolio: Portfolio, question: Question) -> Roadmap:
    """Return the cheapest roadmap that keeps every wish; the nearest one, and what clashes, when none does."""
    wishes = wishes_of(portfolio, question)
    built = model.build(portfolio, wishes)
    solution = _solve(built, question)
    if solution.report.status.has_answer:
        return _answer(built, solution, question, wishes)
    if solution.report.status is not SolveStatus.INFEASIBLE:
        raise FaultyData([_unfinished(solution.report)])
    nearest = _nearest(portfolio, wishes, question)
    return replace(nearest, clash=clashing(portfolio, wishes, [breach.group for breach in nearest.breaches]))


def _unfinished(report: SolveReport) -> Problem:
    return Problem(
        code="planning.unfinished",
        message=Text(
            f"求解在 {report.runtime_s:.0f} s 内没有找到方案({report.status.value})。",
            f"No plan was found within {report.runtime_s:.0f} s ({report.status.value}).",
        ),
        hint=Text("请缩短规划期或放宽预算与限值。", "Shorten the plan, or loosen budgets and limits."),
    )


def _solve(built: Model, question: Question) -> Solution:
    gap = default("gap_fraction") if question.gap_fraction is None else question.gap_fraction
    limit = default("time_limit_s") if question.time_limit_s is None else question.time_limit_s
    return search(built.program, len(built.portfolio.years), gap, limit)


def _nearest(portfolio: Portfolio, wishes: Wishes, question: Question) -> Roadmap:
    """Return the cheapest plan among those that stay nearest to the wishes (least sum of relative breaches)."""
    elastic = model.build(portfolio, wishes, elastic=True)
    least = search(elastic.program, len(portfolio.years), NEAREST_GAP, default("time_limit_s") / 3)
    if not least.report.status.has_answer:
        raise ZeroFactoryError(
            "not even a plan with broken wishes was found: budgets or decided starts contradict each other"
        )
    breached = least.x[elastic.slack.span] if elastic.slack else np.zeros(0)
    allowed = np.maximum(breached, 0.0) * (1 + 1e-6) + 1e-6
    loosened = tuple(
        replace(row, bound=row.bound + row.scale * float(extra))
        for row, extra in zip(wishes.rows, allowed, strict=True)
    )
    for steady in dict.fromkeys((wishes.steady, False)):
        built = model.build(portfolio, replace(wishes, rows=loosened, steady=steady))
        solution = search(built.program, len(portfolio.years), NEAREST_COST_GAP, default("time_limit_s") / 3)
        if solution.report.status.has_answer:
            break
    if not solution.report.status.has_answer:
        built, solution = elastic, least
    return _answer(built, solution, question, wishes)


def clashing(portfolio: Portfolio, wishes: Wishes, breached: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a smallest set of wishes that cannot be kept together (deletion filter: drop each whose absence changes nothing).

    Chinneck and Dravnieks 1991 (doi 10.1287/ijoc.3.2.157). Whole variables are relaxed while that is already infeasible. The search
    begins with the wishes that the nearest plan breaks, then with budgets and steadiness too; where the solver cannot tell
    within its time, a wish stays named.
    """
    built = model.build(portfolio, replace(wishes, net=None, neutral_year=None))
    program = replace(built.program, cost=np.zeros_like(built.program.cost))
    relaxed = replace(program, integer=np.zeros_like(program.integer))
    asked = program if Kept(relaxed).solve().report.status.has_answer else relaxed

    def impossible(kept: Sequence[str]) -> bool:
        free = [row for group, rows in built.groups.items() if group not in kept for row in rows]
        freed = asked.changed(row_bounds=dict.fromkeys(free, (-np.inf, np.inf)))
        solver = Kept(
            freed, mip_rel_gap=1.0, time_limit=default("clash_limit_s")
        )  # cold: a warm basis of zero cost may stall
        return solver.solve().report.status is SolveStatus.INFEASIBLE

    everything = tuple(built.groups)
    broken = tuple(group for group in everything if group in breached)
    money = tuple(group for group in everything if group in breached or group in (STEADY, BUDGET))
    kept = next((some for some in (broken, money) if some and impossible(some)), everything)
    for group in reversed(kept):
        rest = tuple(one for one in kept if one != group)
        if impossible(rest):
            kept = rest
    return kept


def _answer(built: Model, solution: Solution, question: Question, wishes: Wishes) -> Roadmap:
    """Return the answer, computed again from what is switched on, without the solver's own sums."""
    portfolio = built.portfolio
    on, covers = built.read(solution.x)
    covers = _whole(portfolio, on, covers)
    residuals = portfolio.residuals(on)
    starts = {
        option.id: portfolio.years[int(np.argmax(on[m] > 0.5))]
        for m, option in enumerate(portfolio.options)
        if (on[m] > 0.5).any()
    }
    breaches = _breaches(portfolio, wishes, question.regime, (on, residuals, covers))
    bill = total_cost(portfolio, wishes, question, (on, residuals, covers))
    idle = total_cost(portfolio, wishes, question, (on * 0, residuals * 0, covers * 0))
    return Roadmap(
        portfolio, question, solution.report, on, covers, portfolio.amounts(on, covers), starts, bill - idle, bill,
        breaches=breaches,
    )  # fmt: skip


def _whole(portfolio: Portfolio, on: Floats, covers: Floats) -> Floats:
    """Round contracts to whole MWh: up, so that no limit is missed by it, but never beyond what is purchased."""
    if not len(covers):
        return covers
    none = np.zeros_like(covers)
    bought = model.purchased(portfolio).value(on, portfolio.residuals(on), none) - model.contracted(portfolio)
    whole: Floats = np.where(covers < 1e-6, 0.0, np.ceil(covers - 1e-6))
    for y in range(whole.shape[1]):
        room = np.floor(bought[y] + 1e-9)
        for place in np.argsort(-whole[:, y]):
            over = whole[:, y].sum() - room
            if over > 0:
                whole[place, y] = max(0.0, whole[place, y] - over)
    return whole


def total_cost(
    portfolio: Portfolio, wishes: Wishes, question: Question, answer: tuple[Floats, Floats, Floats]
) -> float:
    """Return the present value of everything the plan pays: investment, upkeep, bills, carbon, contracts, credits [CNY]."""
    on, residuals, covers = answer
    weights = model.discount(portfolio)
    bill = wishes.money or linear(portfolio, portfolio.prices_cny)
    yearly = bill.value(on, residuals, covers)
    yearly = yearly + portfolio.carbon_price_cny_per_t * 1e-6 * wishes.priced.value(on, residuals, covers)
    yearly = yearly + np.array([option.opex_cny for option in portfolio.options]) @ on
    if len(covers):
        yearly = yearly + np.array([one.cny_per_mwh for one in portfolio.covers]) @ covers
    if portfolio.credit is not None and portfolio.credit.credit and question.neutral_year and wishes.net is not None:
        rest = np.maximum(np.ceil(wishes.net.value(on, residuals, covers) * 1e-6), 0.0)
        late = np.array(portfolio.years) >= question.neutral_year
        yearly = yearly + portfolio.credit.credit.cny_per_t * rest * late
    begun = np.diff(on, axis=1, prepend=0.0)
    return float(yearly @ weights + (model.capital(portfolio) * begun).sum())


def _breaches(
    portfolio: Portfolio, wishes: Wishes, regime: str, answer: tuple[Floats, Floats, Floats]
) -> tuple[Breach, ...]:
    """Return the wishes that an answer does not keep, computed from what is on."""
    found = []
    for row in wishes.rows:
        place = portfolio.years.index(row.year)
        value = float(row.figure.value(*answer)[place])
        if value <= row.bound + BREACH * row.scale * 100.0:
            continue
        limit = row.limit
        if limit.indicator.startswith("goal:"):
            reached = value / 1e6
        else:
            reached = float(lever.value(portfolio, limit.indicator, regime, (answer[0], answer[2]))[place])
        found.append(Breach(row.group, limit.title, row.year, limit.value, reached, limit.unit))
    return tuple(found)
