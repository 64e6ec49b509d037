"""Evaluation and plan: targets of the plan in force as amounts, and the roadmap's cheapest answer to the gap of a grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.evaluation.amount import Amount
from zerofactory.evaluation.gap import Gap
from zerofactory.planning.limit import Limit
from zerofactory.planning.roadmap import Question, Roadmap
from zerofactory.planning.roadmap import plan as solve
from zerofactory.runs.context import Context
from zerofactory.runs.plan import current, targets, versions
from zerofactory.runs.plan_book import plan_book

YEARS_AHEAD = 5
GAP_FRACTION, SECONDS = 0.01, 20.0
DIRECT_AND_ENERGY, VALUE_CHAIN = "1+2", "3"


def target_amounts(context: Context) -> dict[str, Amount]:
    """Return what the plan in force says about targets; nothing where no plan was set.

    The near-term target is the one that ends first, the long-term one the one that ends last and lowers more.
    """
    if not versions(context):
        return {}
    found: dict[str, float] = {"base_year": float(current(context).plan.plan.base_year)}
    ways = [view.pathway for view in targets(context)]
    near = {scope: [w for w in ways if w.target.scope == scope] for scope in (DIRECT_AND_ENERGY, VALUE_CHAIN)}
    both = sorted(near[DIRECT_AND_ENERGY], key=lambda way: way.target.target_year)
    if both:
        found |= {"target_reduction": both[0].reduction_fraction, "target_year": float(both[0].target.target_year)}
        found["target_coverage_12"] = 1.0
        if len(both) > 1 and both[-1].reduction_fraction > both[0].reduction_fraction:
            found |= {"target_long": both[-1].reduction_fraction, "target_residual": 1.0 - both[-1].reduction_fraction}
    if near[VALUE_CHAIN]:
        first = min(near[VALUE_CHAIN], key=lambda way: way.target.target_year)
        found["target_reduction_3"] = first.reduction_fraction
        if not first.target.categories:
            found["target_coverage_3_near"] = 1.0
    return {name: Amount(value) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class CheapestPath:
    """The roadmap's answer.

    Parameters
    ----------
    by : the year from which the limits hold.
    starts : first year of effect and title of every measure that starts no later than that.
    extra_cost_cny : present value above the cheapest plan without these limits.
    kept : whether every limit can be kept; otherwise ``clash`` names the wishes that cannot be kept together.
    limits : what was asked, in the roadmap's terms.
    """

    by: int
    starts: tuple[tuple[int, Text], ...]
    extra_cost_cny: float
    investment_cny: float
    kept: bool
    clash: tuple[str, ...]
    limits: tuple[Limit, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "by": self.by,
            "kept": self.kept,
            "extra_cost_cny": self.extra_cost_cny,
            "investment_cny": self.investment_cny,
            "clash": list(self.clash),
            "limits": [
                {"indicator": one.indicator, "value": one.value, "unit": one.unit, "direction": one.direction}
                for one in self.limits
            ],
            "starts": [{"year": year, "measure": {"zh": title.zh, "en": title.en}} for year, title in self.starts],
        }

    @property
    def said(self) -> Text:
        """The answer in a sentence."""
        cost, paid = self.extra_cost_cny / 1e4, self.investment_cny / 1e4
        if not self.kept:
            listed = ", ".join(self.clash)
            return Text(
                f"{self.by} 年前做不到; 互相冲突的是: {listed}", f"Not possible by {self.by}; these clash: {listed}"
            )
        return Text(
            f"路线图: {self.by} 年起满足 {len(self.limits)} 项限值, 到该年共投资 {paid:,.0f} 万元, 比不设限值的最省方案多 {cost:,.0f} 万元(现值)。",
            f"Roadmap: {len(self.limits)} limits kept from {self.by} on, {paid:,.0f} 万元 (10 000 CNY) invested by then, "
            f"{cost:,.0f} more than the cheapest plan without them (present value).",
        )


def cheapest_path(context: Context, gap: Gap, year: int, by: int | None = None) -> CheapestPath | Text:
    """Return the cheapest way to the limits of a gap, or in words why there is none to ask for.

    Raises
    ------
    FaultyData
        The year lies outside the plan, or the plan itself is at fault.
    """
    if not gap.limits:
        return Text("差距里没有路线图能求解的数值。", "Nothing in the gap that the roadmap steers.")
    if not versions(context):
        return Text(
            "还没有计划: 运行 zf plan set 后, 路线图会给出最省路径。",
            "There is no plan yet: after zf plan set the roadmap answers with the cheapest path.",
        )
    plan = current(context).plan
    first, last = plan.plan.first_year, plan.plan.last_year
    asked = min(max(year + YEARS_AHEAD, first), last) if by is None else by
    if not first <= asked <= last:
        said = Text(f"{asked} 年不在计划期 {first}–{last} 之内。", f"{asked} lies outside the plan, {first} to {last}.")
        raise FaultyData([Problem("evaluation.by", said, Text("请改 --by。", "Change --by."))])
    book = plan_book(context, plan)
    limits = tuple(replace(limit, year=asked) for limit in _tightest(gap.limits).values())
    idle = Question(plan.plan.regime, gap_fraction=GAP_FRACTION, time_limit_s=SECONDS)
    cheapest = solve(book.portfolio, idle)
    found = solve(book.portfolio, replace(idle, limits=limits))
    return _answer(found, cheapest, asked, limits)


def _tightest(limits: tuple[Limit, ...]) -> Mapping[str, Limit]:
    """Return one limit for each lever: the hardest of those that are asked."""
    found: dict[str, Limit] = {}
    for limit in limits:
        before = found.get(limit.indicator)
        if before is None or not limit.met_by(before.value):
            found[limit.indicator] = limit
    return found


def _answer(found: Roadmap, cheapest: Roadmap, by: int, limits: tuple[Limit, ...]) -> CheapestPath:
    titles = {option.id: option.measure.title for option in found.portfolio.options}
    starts = [(year, titles[name]) for name, year in found.starts.items() if year <= by]
    contracts = [
        (found.portfolio.years[int(amounts.nonzero()[0][0])], cover.measure.title)
        for cover, amounts in zip(found.portfolio.covers, found.covers_mwh, strict=True)
        if amounts.any()
    ]
    both = sorted([*starts, *(one for one in contracts if one[0] <= by)], key=lambda one: (one[0], one[1].zh))
    invested = sum(amount for year, amount in found.investment_cny().items() if year <= by)
    return CheapestPath(by, tuple(both), found.cost_cny - cheapest.cost_cny, invested, found.kept, found.clash, limits)
