"""From the book to a portfolio: the base year's activities, the end uses from the meters, factors from `quantify`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from zerofactory import units
from zerofactory.accounting.inventory import Regime, counted
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.periods import Period
from zerofactory.planning.assemble import Drawn, draw_up
from zerofactory.planning.commitment import Plan
from zerofactory.planning.end_use import end_use
from zerofactory.planning.pathway import Base
from zerofactory.planning.portfolio import Floats, Portfolio
from zerofactory.planning.scenario import Scenario, carbon_price, default, grid, prices
from zerofactory.planning.stream import Stream, streams_of
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import booked
from zerofactory.runs.plan_factors import UnitEmissions, World, unit_emissions, world_of
from zerofactory.runs.profile import meter_month
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.schema import ACTIVITIES


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run of the roadmap changes of the plan as it is written: years, budget, scenarios."""

    first_year: int | None = None
    last_year: int | None = None
    budget_cny: float | None = None
    grid: str | None = None
    carbon_price: str | None = None


@dataclass(frozen=True, eq=False)
class PlanBook:
    """Everything the roadmap needs, and where it is from."""

    plan: Plan
    portfolio: Portfolio
    drawn: Drawn
    world: World
    base: Base
    carbon: Scenario
    amounts: Mapping[Stream, float]


def with_asked(plan: Plan, asked: Asked) -> Plan:
    """Return the plan with what a run asks differently; raise `FaultyData` when the years do not fit."""
    head, economics = plan.plan, plan.economics
    first, last = asked.first_year or head.first_year, asked.last_year or head.last_year
    if not head.base_year < first <= last:
        message = Text(
            f"年份应晚于基准年 {head.base_year} 且首年不晚于末年: {first}-{last}。",
            f"Years must lie after the base year {head.base_year}, the first not after the last: {first}-{last}.",
        )
        raise FaultyData([Problem("planning.years", message, Text("例如 2026-2050。", "For example 2026-2050."))])
    grid(asked.grid or economics.grid)
    carbon_price(asked.carbon_price or economics.carbon_price)
    changed = replace(
        economics,
        grid=asked.grid or economics.grid,
        carbon_price=asked.carbon_price or economics.carbon_price,
        budget_cny=economics.budget_cny if asked.budget_cny is None else asked.budget_cny,
        budgets_cny=economics.budgets_cny if asked.budget_cny is None else {},
    )
    return replace(plan, plan=replace(head, first_year=first, last_year=last), economics=changed)


def activities_of(context: Context, year: int) -> pl.DataFrame:
    """Return the activities of a closed year; raise `FaultyData` when a month is open."""
    booked(context, Period(year), "1+2")
    labels = [month.label for month in Period(year).months()]
    return context.workspace.journal.active(ACTIVITIES, {"period": labels}).drop("reverses")


def base_of(context: Context, plan: Plan, regime: str | None = None) -> Base:
    """Return the base year as targets see it, under the plan's standard and view."""
    head = plan.plan
    records = booked(context, Period(head.base_year), "all")
    chosen: Regime = "location" if (regime or head.regime) == "location" else "market_annual"
    total = counted(records, load_standard(head.standard), chosen)
    cells = {
        (int(scope), str(shop), str(category)): int(grams)
        for scope, shop, category, grams in total.group_by("scope", "shop", "in_category")
        .agg(pl.col("signed").sum())
        .sort("scope", "shop", "in_category")
        .iter_rows()
        if scope > 0
    }
    made = _vehicles(activities_of(context, head.base_year))
    output = {head.base_year: made} | {int(year): made * share for year, share in plan.economics.volume.items()}
    return Base(head.base_year, dict(sorted(cells.items())), output)


def _vehicles(activities: pl.DataFrame) -> float:
    made = activities.filter((pl.col("source_kind") == "production_output") & (pl.col("unit") == "vehicle"))
    return float(made["quantity"].sum())


def metered_of(context: Context, plan: Plan) -> dict[str, float]:
    """Return the yearly amount of every meter that the plan's end uses name, in the end use's unit."""
    wanted = {meter: end_use(use.id).unit for use in plan.end_uses for meter in use.meters}
    for meter in wanted:
        context.workspace.plant.meter(meter)
    found = dict.fromkeys(wanted, 0.0)
    if not wanted:
        return found
    for month in Period(plan.plan.base_year).months():
        amounts = meter_month(context, month.label)
        for meter, unit in wanted.items():
            if meter in amounts.meter_ids:
                place = amounts.meter_ids.index(meter)
                counted_milli = int(amounts.amount_milli[place].sum())
                found[meter] += units.convert(counted_milli / 1000.0, amounts.units[place], unit)
    return found


def plan_book(context: Context, plan: Plan) -> PlanBook:
    """Return the portfolio of a plan.

    Raises
    ------
    FaultyData
        The base year is not closed, a factor or a price is missing.
    NotFound
        An unknown scenario or meter.
    """
    head, economics = plan.plan, plan.economics
    years = tuple(range(head.first_year, head.last_year + 1))
    amounts = streams_of(activities_of(context, head.base_year))
    drawn = draw_up(plan, context.workspace.plant, amounts, metered_of(context, plan))
    world = world_of(context, drawn.plant, head.base_year, years, grid(economics.grid), head.standard)
    emitted = unit_emissions(world, drawn.streams, years)
    base = base_of(context, plan)
    carbon = carbon_price(economics.carbon_price)
    return PlanBook(plan, portfolio_of(plan, drawn, emitted, base, carbon), drawn, world, base, carbon, amounts)


def portfolio_of(plan: Plan, drawn: Drawn, emitted: UnitEmissions, base: Base, carbon: Scenario) -> Portfolio:
    """Return a draft with factors, prices and the plan's economics."""
    head, economics = plan.plan, plan.economics
    years = tuple(range(head.first_year, head.last_year + 1))
    made = base.output[base.year]
    volume = np.array([base.output.get(year, made) / made if made else 1.0 for year in years])
    return Portfolio(
        base_year=head.base_year,
        years=years,
        streams=drawn.streams,
        base=drawn.base,
        volume=volume,
        grows=np.array([stream.grows for stream in drawn.streams]),
        options=drawn.options,
        links=drawn.links,
        link_matrix=drawn.link_matrix,
        option_matrix=drawn.option_matrix,
        covers=drawn.covers,
        accounts=emitted.accounts,
        removals=emitted.removals,
        prices_cny=_prices(plan, drawn, years),
        tce_per_unit=emitted.tce_per_unit,
        carbon_price_cny_per_t=np.array([carbon.value(year) for year in years]),
        discount_fraction=default("discount_fraction")
        if economics.discount_fraction is None
        else economics.discount_fraction,
        vehicles=made,
        credit=drawn.credit,
        not_applicable=drawn.not_applicable,
    )


def _prices(plan: Plan, drawn: Drawn, years: Sequence[int]) -> Floats:
    """Return money per unit of every stream that a measure touches; raise with every price that is missing."""
    touched = (np.abs(drawn.link_matrix).sum(axis=1) + np.abs(drawn.option_matrix).sum(axis=1)) > 0
    found = np.zeros((len(drawn.streams), len(years)))
    missing: dict[str, Problem] = {}
    for place, stream in enumerate(drawn.streams):
        if not touched[place]:
            continue
        item = stream.item or drawn.plant.source(stream.source_id).item or ""
        price = _price(plan, stream, item)
        if price is None:
            missing[f"{stream.source_kind}:{item}:{stream.unit}"] = _no_price(stream, item)
        else:
            found[place] = price
    if missing:
        raise FaultyData(missing.values())
    return found


def _price(plan: Plan, stream: Stream, item: str) -> float | None:
    """Return the price of a unit of a stream: the plant's own first; an entry without item holds for all items."""
    stated = [(one.source_kind, one.item, one.unit, one.cny) for one in plan.prices]
    packaged = [(one.source_kind, one.item, one.unit, one.cny) for one in prices()]
    for listed in (stated, packaged):
        for wanted in (item, ""):
            for kind, of_item, unit, cny in listed:
                if (kind, of_item) == (stream.source_kind, wanted) and units.parse(unit).dimension == units.parse(
                    stream.unit
                ).dimension:
                    return cny * units.ratio(stream.unit, unit)
    return None


def _no_price(stream: Stream, item: str) -> Problem:
    return Problem(
        code="planning.no_price",
        message=Text(
            f"没有 {stream.source_kind} {item} 每 {stream.unit} 的价格。",
            f"There is no price of {stream.source_kind} {item} per {stream.unit}.",
        ),
        hint=Text(
            "请在 plan.toml 的 [[prices]] 中写明价格与来源。",
            "State one with its source under [[prices]] in plan.toml.",
        ),
    )
