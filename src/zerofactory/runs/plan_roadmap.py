"""The roadmap of a plant: from the book to measures and years, and every planned tonne back through `quantify`.

book ─► portfolio ─► roadmap ─► ACTIVITIES of each year ─► quantify ─► path
                                       (a difference between path and program stops the run)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from zerofactory.accounting import upstream
from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import Quantified, quantify
from zerofactory.errors import FaultyData, NotFound, Text, ZeroFactoryError, errors_of
from zerofactory.periods import Period
from zerofactory.planning import likelihood, macc, roadmap
from zerofactory.planning.commitment import Plan
from zerofactory.planning.facts import PLAN_ROADMAPS
from zerofactory.planning.lever import value as lever_value
from zerofactory.planning.limit import Limit
from zerofactory.planning.measure import CLASSES, measure
from zerofactory.planning.pathway import Pathway, pathway
from zerofactory.planning.portfolio import Floats
from zerofactory.planning.roadmap import Goal, Question, Roadmap
from zerofactory.planning.stream import frame
from zerofactory.planning.target import SCOPES
from zerofactory.planning.tested import half_width
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.plan import SetPlan, current
from zerofactory.runs.plan_book import Asked, PlanBook, base_of, plan_book, with_asked
from zerofactory.runs.plan_factors import REGIMES, World
from zerofactory.store.schema import RUNS

AGREEMENT = 1e-6
REGIME_TITLES: Mapping[str, Text] = {
    "location": Text("基于位置", "location-based"),
    "market_annual": Text("基于市场", "market-based"),
}


@dataclass(frozen=True, slots=True)
class YearPath:
    """What a planned year emits, quantified: grams by regime and scope, removals, and its activities."""

    year: int
    grams: Mapping[tuple[str, int], int]
    removals_gco2e: int

    def total(self, regime: str, scopes: Sequence[int] = (1, 2)) -> int:
        """Return the grams of scopes under a regime."""
        return sum(self.grams.get((regime, scope), 0) for scope in scopes)


@dataclass(frozen=True, eq=False)
class Result:
    """A roadmap with everything that is shown of it."""

    set_plan: SetPlan
    book: PlanBook
    roadmap: Roadmap
    pathways: tuple[Pathway, ...]
    path: tuple[YearPath, ...]
    baseline: tuple[YearPath, ...]
    chances: tuple[likelihood.Chance, ...]
    steps: tuple[macc.Step, ...]
    macc_year: int

    @property
    def plan(self) -> Plan:
        """The plan as it was asked."""
        return self.book.plan


@dataclass(frozen=True, slots=True)
class More:
    """What else a run of the roadmap is asked: limits, the year of the cost curve, how many draws."""

    limits: tuple[Limit, ...] = ()
    macc_year: int | None = None
    draws: int | None = None
    seed: int | None = None
    gap_fraction: float | None = None
    time_limit_s: float | None = None


def run(context: Context, asked: Asked | None = None, more: More | None = None) -> Result:
    """Return the roadmap of the plan in force, with what this run asks differently.

    Raises
    ------
    FaultyData
        No plan, an open base year, a missing factor or price.
    ZeroFactoryError
        The program and the quantified path disagree: a fault of the software, never shown as a plan.
    """
    chosen, further = asked or Asked(), more or More()
    set_plan = current(context)
    book = plan_book(context, with_asked(set_plan.plan, chosen))
    pathways = pathways_of(context, book)
    question = question_of(book, pathways, further)
    found = roadmap.plan(book.portfolio, question)
    path = quantified_path(book, found.amounts)
    agree(found, path)
    idle = found.amounts * 0 + book.portfolio.amounts(found.on * 0, found.covers_mwh * 0)
    chances = likelihood.chances(found, question.goals, likelihood.Draws(further.draws, further.seed))
    year = further.macc_year or _macc_year(book)
    if year not in book.portfolio.years:
        raise NotFound(Text("规划年", "year of the plan"), str(year), [str(one) for one in book.portfolio.years])
    steps = macc.curve(book.portfolio, year, book.plan.plan.regime)
    return Result(set_plan, book, found, pathways, path, quantified_path(book, idle), chances, steps, year)


def _macc_year(book: PlanBook) -> int:
    years = book.portfolio.years
    near = [target.target_year for target in book.plan.targets if target.target_year in years]
    return min(near) if near else years[len(years) // 2]


def pathways_of(context: Context, book: PlanBook) -> tuple[Pathway, ...]:
    """Return the pathway of every target, each on the base year under the view that it counts."""
    regime = book.plan.plan.regime
    return tuple(
        pathway(
            target, book.base if (target.regime or regime) == regime else base_of(context, book.plan, target.regime)
        )
        for target in book.plan.targets
    )


def question_of(book: PlanBook, pathways: Sequence[Pathway], more: More) -> Question:
    """Return targets, limits, budgets and neutrality as the roadmap's question."""
    head, economics = book.plan.plan, book.plan.economics
    years = book.portfolio.years
    goals = tuple(
        Goal(
            way.target.id,
            way.target.title,
            way.target.regime or head.regime,
            SCOPES[way.target.scope],
            {
                year: limit
                for year in years
                if (limit := way.limit(year)) is not None and year >= (way.target.from_year or 0)
            },
            way.target.categories,
        )
        for way in pathways
    )
    budgets = {year: budget for year in years if (budget := economics.budget(year)) is not None}
    return Question(
        regime=head.regime,
        goals=goals,
        limits=more.limits,
        budgets_cny=budgets,
        neutral_year=head.neutral_year,
        steady=economics.never_rising,
        gap_fraction=more.gap_fraction,
        time_limit_s=more.time_limit_s,
    )


def activities_of_year(book: PlanBook, amounts: Floats, year: int) -> pl.DataFrame:
    """Return the ACTIVITIES of a planned year: the streams' amounts, and what follows from fuel and power."""
    plant = book.world.plant_of(year)
    place = book.portfolio.years.index(year)
    bounds = (Period(year).start(plant.time_zone), Period(year).end(plant.time_zone))
    entered = frame(dict(zip(book.portfolio.streams, amounts[:, place].tolist(), strict=True)), year, bounds)
    follows, faults = upstream.derive(entered, plant)
    if errors_of(faults):
        raise FaultyData(errors_of(faults))
    return pl.concat([entered, follows])


def quantified_year(book: PlanBook, amounts: Floats, year: int) -> Quantified:
    """Return the records of a planned year, by the same `quantify` that closes the book."""
    return quantify(activities_of_year(book, amounts, year), book.world.plant_of(year), book.world.factors)


def quantified_path(book: PlanBook, amounts: Floats) -> tuple[YearPath, ...]:
    """Return what each planned year emits."""
    return tuple(_year_path(book.world, quantified_year(book, amounts, year), year) for year in book.portfolio.years)


def _year_path(world: World, quantified: Quantified, year: int) -> YearPath:
    problems = errors_of(quantified.problems)
    if problems:
        raise FaultyData(problems)
    grams: dict[tuple[str, int], int] = {}
    removals = 0
    for regime in REGIMES:
        made = fold(quantified.records, world.standard, regime, "scope")
        for line in made.lines:
            grams[(regime, int(line.key))] = line.emissions_gco2e
        removals = made.apart_gco2e["removals"]
    return YearPath(year, grams, removals)


def agree(found: Roadmap, path: Sequence[YearPath]) -> None:
    """Raise `ZeroFactoryError` when the program's figures and the quantified path differ by more than rounding."""
    for regime in REGIMES:
        for scopes in ((1,), (2,), (3,)):
            linear = found.path(regime, scopes)
            for place, year in enumerate(path):
                apart = abs(linear[place] - year.total(regime, scopes))
                size = max(abs(linear[place]), 1e9)
                if apart > AGREEMENT * size:
                    raise ZeroFactoryError(
                        f"the roadmap's program and quantify differ in {year.year}, {regime}, scope {scopes[0]}: "
                        f"{linear[place]:.0f} against {year.total(regime, scopes)} g"
                    )


@dataclass(frozen=True, eq=False)
class Cheapest:
    """The cheapest way to keep limits: which measures from when, what it costs, and whether all limits can be kept."""

    roadmap: Roadmap
    extra_cost_cny: float
    added: tuple[tuple[str, int], ...]
    reached: tuple[tuple[Limit, float], ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        options = {option.id: option for option in self.roadmap.portfolio.options}
        covers = {cover.id: cover for cover in self.roadmap.portfolio.covers}
        return {
            "kept": self.roadmap.kept,
            "clash": list(self.roadmap.clash),
            "extra_cost_cny": round(self.extra_cost_cny, 2),
            "measures": [
                {"measure": name, "title": _both((options.get(name) or covers[name]).measure.title), "start_year": year}
                for name, year in self.added
            ],
            "limits": [
                {
                    "indicator": limit.indicator,
                    "value": limit.value,
                    "unit": limit.unit,
                    "reached": reached,
                    "met": limit.met_by(reached),
                }
                for limit, reached in self.reached
            ],
        }


def cheapest(
    context: Context,
    limits: Sequence[Limit],
    asked: Asked | None = None,
    with_targets: bool = False,
    more: More | None = None,
) -> Cheapest:
    """Return the cheapest measures, years and cost that keep limits (what evaluation asks for the next grade).

    Parameters
    ----------
    limits : indicators must be levers of the roadmap (`lever.levers`); a limit without a year holds from the last year on.
    with_targets : keep the plan's targets too; otherwise only the limits bind.
    """
    book = plan_book(context, with_asked(current(context).plan, asked or Asked()))
    last = book.portfolio.years[-1]
    bound = tuple(limit if limit.year is not None else replace(limit, year=last) for limit in limits)
    pathways = pathways_of(context, book) if with_targets else ()
    question = question_of(book, pathways, replace(more or More(), limits=bound))
    if not with_targets:
        question = replace(question, neutral_year=None, steady=False)
    found = roadmap.plan(book.portfolio, question)
    agree(found, quantified_path(book, found.amounts))
    idle = roadmap.plan(book.portfolio, replace(question, limits=()))
    started = [(name, year) for name, year in found.starts.items() if idle.starts.get(name) != year]
    for place, cover in enumerate(found.portfolio.covers):
        more_mwh = found.covers_mwh[place] > idle.covers_mwh[place] + 0.5
        if more_mwh.any():
            started.append((cover.id, found.portfolio.years[int(np.argmax(more_mwh))]))
    values = {
        limit: lever_value(found.portfolio, limit.indicator, question.regime, (found.on, found.covers_mwh))
        for limit in bound
    }
    reached = tuple((limit, float(values[limit][found.portfolio.years.index(limit.year or last)])) for limit in bound)
    extra = found.bill_cny - idle.bill_cny
    return Cheapest(found, extra, tuple(sorted(started, key=lambda one: (one[1], one[0]))), reached)


def adopt(context: Context, result: Result) -> str:
    """Book a roadmap as the one in force; return its id."""
    found = result.roadmap
    parameters = json.dumps(_parameters(result), ensure_ascii=False, sort_keys=True)
    identity = hashlib.sha256(
        f"{result.set_plan.plan_id}|{parameters}|{sorted(found.starts.items())}|{context.at}".encode()
    )
    name = f"roadmap-{identity.hexdigest()[:10]}"
    summary = json.dumps(
        {
            "cost_cny": round(found.cost_cny),
            "path_gco2e": {str(one.year): one.total(result.plan.plan.regime) for one in result.path},
        },
        sort_keys=True,
    )
    options = {option.id: option for option in found.portfolio.options}
    rows: list[dict[str, object]] = [
        {
            "line_id": f"{name}.{measure}", "roadmap_id": name, "plan_id": result.set_plan.plan_id, "measure_id": measure,
            "start_year": year, "capex_cny": options[measure].capex_cny, "parameters": parameters, "result": summary,
            "at": context.at, "actor": context.actor,
        }
        for measure, year in sorted(found.starts.items())
    ]  # fmt: skip
    for place, cover in enumerate(found.portfolio.covers):
        if found.covers_mwh[place].any():
            year = found.portfolio.years[int(np.argmax(found.covers_mwh[place] > 0))]
            rows.append(
                {
                    **rows[0],
                    "line_id": f"{name}.{cover.id}",
                    "measure_id": cover.id,
                    "start_year": year,
                    "capex_cny": 0.0,
                }
            )
    workspace = context.workspace
    with (
        workspace.locked(),
        workspace.journal.writing(at=context.at, kind="plan_roadmap", actor=context.actor) as writer,
    ):
        writer.append(PLAN_ROADMAPS, PLAN_ROADMAPS.frame(rows))
        writer.append(
            RUNS, run_row("plan_roadmap", context, _parameters(result), {"plan": result.set_plan.plan_id}, name)
        )
        writer.payload = {"roadmap": name, "measures": len(rows)}
    return name


def adopted(context: Context) -> list[dict[str, object]]:
    """Return the lines of the newest adopted roadmap, empty when none was adopted."""
    rows = context.workspace.journal.active(PLAN_ROADMAPS).to_dicts()
    return [row for row in rows if row["roadmap_id"] == rows[-1]["roadmap_id"]] if rows else []


def _parameters(result: Result) -> dict[str, object]:
    head, economics = result.plan.plan, result.plan.economics
    return {
        "years": [head.first_year, head.last_year], "grid": economics.grid, "carbon_price": economics.carbon_price,
        "budget_cny": economics.budget_cny, "discount_fraction": result.book.portfolio.discount_fraction,
        "regime": head.regime, "limits": [limit.indicator for limit in result.roadmap.question.limits],
    }  # fmt: skip


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def as_json(result: Result) -> dict[str, object]:
    """Return a roadmap as plain JSON values."""
    found, regime = result.roadmap, result.plan.plan.regime
    report = found.report.as_json()
    return {
        "plan": result.set_plan.plan_id,
        "parameters": _parameters(result),
        "kept": found.kept,
        "clash": list(found.clash),
        "clash_titles": [_both(roadmap.title_of(found.question, name)) for name in found.clash],
        "breaches": [
            {"wish": b.group, "title": _both(b.title), "year": b.year, "wanted": b.wanted, "reached": b.reached, "unit": b.unit}
            for b in found.breaches
        ],
        "solver": {**report, "gap_cny": round(found.gap_cny, 2)},
        "cost_cny": round(found.cost_cny, 2),
        "paid_cny": round(found.bill_cny, 2),
        "measures": measures_as_json(result),
        "tested": [
            {**(_tested(result.plan, one.id) or {}), "title": _both(measure(one.id).title), "chosen": one.id in found.starts}
            for one in result.plan.tested
        ],
        "contracts": [
            {
                "measure": cover.id, "title": _both(cover.measure.title), "cny_per_mwh": cover.cny_per_mwh,
                "mwh": {str(year): int(found.covers_mwh[place, y]) for y, year in enumerate(found.portfolio.years) if found.covers_mwh[place, y]},
            }
            for place, cover in enumerate(found.portfolio.covers)
        ],
        "investment_cny": {str(year): round(amount, 2) for year, amount in found.investment_cny().items()},
        "path": [_path_as_json(one, regime) for one in result.path],
        "doing_nothing": [_path_as_json(one, regime) for one in result.baseline],
        "targets": [
            {"target": goal.id, "title": _both(goal.title), "limits_gco2e": {str(y): v for y, v in goal.limits_gco2e.items()}}
            for goal in found.question.goals
        ],
        "chances": [
            {"target": c.goal, "year": c.year, "probability": c.probability, "limit_gco2e": c.limit_gco2e,
             "median_gco2e": round(c.median_gco2e), "low_gco2e": round(c.low_gco2e), "high_gco2e": round(c.high_gco2e)}
            for c in result.chances
        ],
        "macc": {
            "year": result.macc_year,
            "steps": [
                {"measure": s.measure.id, "title": _both(s.measure.title), "class": s.measure.kind, "abated_gco2e": round(s.abated_gco2e),
                 "cny_per_t": round(s.cny_per_t, 2), "cumulative_gco2e": round(s.cumulative_gco2e)}
                for s in result.steps
            ],
        },
        "not_applicable": [
            {"measure": one.measure.id, "title": _both(one.measure.title), "reason": {"zh": one.reason_zh, "en": one.reason}}
            for one in found.portfolio.not_applicable
        ],
    }  # fmt: skip


def measures_as_json(result: Result) -> list[dict[str, object]]:
    """Return the chosen measures in the order of their years."""
    options = {option.id: option for option in result.roadmap.portfolio.options}
    return [
        {
            "measure": name, "title": _both(options[name].measure.title), "class": options[name].measure.kind,
            "class_title": _both(CLASSES[options[name].measure.kind]), "start_year": year,
            "decide_year": max(year - options[name].measure.lead_years, result.roadmap.portfolio.years[0]),
            "capex_cny": round(options[name].capex_cny, 2), "opex_cny": round(options[name].opex_cny, 2),
            "life_years": options[name].measure.life_years, "status": options[name].measure.status,
            "tested": _tested(result.plan, name),
        }
        for name, year in sorted(result.roadmap.starts.items(), key=lambda one: (one[1], one[0]))
    ]  # fmt: skip


def _tested(plan: Plan, name: str) -> dict[str, object] | None:
    """Return what the twin says a measure saves, with its interval and origin; None where it was not tested."""
    trial = plan.test_of(name)
    if trial is None:
        return None
    told = trial.as_entry() | {"first": trial.first.isoformat(), "on": trial.on.isoformat()}
    return told | {"half_width_fraction": half_width(trial)}


def _path_as_json(one: YearPath, regime: str) -> dict[str, object]:
    return {
        "year": one.year,
        "scope_1_gco2e": one.total(regime, (1,)),
        "scope_2_gco2e": one.total(regime, (2,)),
        "scope_12_gco2e": one.total(regime),
        "scope_12_location_gco2e": one.total("location"),
        "scope_3_gco2e": one.total(regime, (3,)),
        "removals_gco2e": one.removals_gco2e,
    }
