"""What a unit of each stream emits in each planned year: asked of `quantify` itself, under the grid scenario of the plan."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from zerofactory.accounting import upstream
from zerofactory.accounting.energy import SIGNS, energy_consumption
from zerofactory.accounting.inventory import Regime, counted, fold
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import FaultyData, errors_of
from zerofactory.factors.load import factor_book, read_set
from zerofactory.factors.model import FactorBook, FactorSet
from zerofactory.factors.resolve import Scope, find
from zerofactory.periods import Period
from zerofactory.planning.portfolio import Account, Floats
from zerofactory.planning.scenario import Scenario
from zerofactory.planning.stream import CONTRACT, ELECTRICITY, Stream, frame
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import SCOPES
from zerofactory.site.model import Pin, Plant
from zerofactory.standards.load import standard as load_standard
from zerofactory.standards.model import Standard
from zerofactory.units import ratio

PROBE = 1e6
SET_NAME = "plan_grid"
ROLES = ("grid.average", "grid.residual")
REGIMES: tuple[Regime, ...] = ("location", "market_annual")


@dataclass(frozen=True, eq=False)
class World:
    """The plant and the factors as a plan sees them: pins by year for the grid, everything else as it is known now."""

    plant: Plant
    factors: FactorBook
    base_year: int
    grid: Scenario
    standard: Standard

    def plant_of(self, year: int) -> Plant:
        """Return the plant with the grid factors of a planned year pinned."""
        if year <= self.base_year or self.grid.value(year) == self.grid.value(self.base_year):
            return self.plant
        pins = tuple(
            Pin(role, _factor_id(role, year), f"规划情景: {self.grid.title.zh} planning scenario: {self.grid.title.en}")
            for role in ROLES
        )
        kept = tuple(pin for pin in self.plant.accounting.pin if pin.role not in ROLES)
        return replace(self.plant, accounting=replace(self.plant.accounting, pin=(*kept, *pins)))


def world_of(context: Context, plant: Plant, base_year: int, years: Sequence[int], grid: Scenario, book: str) -> World:
    """Return the plant and a factor book that holds the grid factors of every planned year.

    The factor of a year is that of the base year × scenario(year) ÷ scenario(base year).
    """
    sets = tuple(read_set_of(context).values())
    known = context.workspace.factor_book
    text = _grid_rows(plant, known, base_year, years, grid)
    made, problems = read_set(text, SET_NAME)
    if made is None:
        raise FaultyData(errors_of(problems))
    return World(plant, factor_book((*sets, made)), base_year, grid, load_standard(book))


def read_set_of(context: Context) -> Mapping[str, FactorSet]:
    """Return the plant's own factor sets, which a plan uses as the book does."""
    book = context.workspace.factor_book
    return {name: book.sets[name] for name in context.workspace.own_factor_files if name in book.sets}


def _factor_id(role: str, year: int) -> str:
    return f"plan.{role}.{year}"


def _grid_rows(plant: Plant, book: FactorBook, base_year: int, years: Sequence[int], grid: Scenario) -> str:
    scope = Scope(
        region=plant.region,
        on=Period(base_year).first_day,
        grid_level=plant.accounting.grid_level,
        fuel_sets=plant.accounting.fuel_sets,
        accepted=plant.accounting.accepted,
        pins=plant.accounting.pins_of(""),
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("id", "role", "item", "name_zh", "name_en", "value", "unit", "gas", "region", "valid_from", "source",
         "provenance", "confidence")
    )  # fmt: skip
    for role in ROLES:
        start = find(book, role, scope, item="electricity").factor
        for year in years:
            value = start.value * grid.value(year) / grid.value(base_year)
            name = f"{year} 年电网({grid.title.zh})", f"grid of {year} ({grid.title.en})"
            writer.writerow(
                (_factor_id(role, year), role, "electricity", *name, repr(value), start.unit, start.gas or "CO2",
                 start.region, f"{year}-01-01", f"{start.id} x scenario {grid.id}: {grid.source}", "expert", "medium")
            )  # fmt: skip
    return out.getvalue()


@dataclass(frozen=True, eq=False)
class UnitEmissions:
    """Grams per unit by account, stream × year; the same for removals; tce per unit by stream."""

    accounts: Mapping[Account, Floats]
    removals: Floats
    tce_per_unit: Floats


def unit_emissions(world: World, streams: Sequence[Stream], years: Sequence[int]) -> UnitEmissions:
    """Return what one unit of each stream emits in each year, under both views, by scope and category.

    A million units of each stream are quantified; what follows from fuel and power (upstream, T&D losses) is derived as in
    closing and given to the stream it follows from. A contract's unit is minus what the electricity it covers would count.
    """
    accounts: dict[Account, Floats] = {}
    removals = np.zeros((len(streams), len(years)))
    for y, year in enumerate(years):
        for (regime, scope, category, place), grams in _probe(world, streams, year).items():
            if scope < 0:
                removals[place, y] += grams
                continue
            key = (regime, scope, category)
            if key not in accounts:
                accounts[key] = np.zeros((len(streams), len(years)))
            accounts[key][place, y] += grams
    _contracts(accounts, streams)
    return UnitEmissions(accounts, removals, _tce(world, streams, years[0]))


def _probe(world: World, streams: Sequence[Stream], year: int) -> dict[tuple[str, int, str, int], float]:
    plant = world.plant_of(year)
    zone = plant.time_zone
    bounds = (Period(year).start(zone), Period(year).end(zone))
    asked = {stream: PROBE for stream in streams if stream.source_kind != CONTRACT}
    entered = frame(asked, year, bounds)
    place_of = dict(zip(entered["activity_id"].to_list(), [streams.index(stream) for stream in asked], strict=True))
    follows, faults = upstream.derive(entered, plant)
    quantified = quantify(pl.concat([entered, follows]), plant, world.factors)
    problems = errors_of((*faults, *quantified.problems))
    if problems:
        raise FaultyData(problems)
    shared = _followers(entered, follows, plant)
    found: dict[tuple[str, int, str, int], float] = {}
    for regime in REGIMES:
        total = counted(quantified.records, world.standard, regime)
        for row in total.group_by("activity_id", "scope", "in_category").agg(pl.col("signed").sum()).iter_rows():
            name, scope, category, grams = row
            places = [place_of[name]] if name in place_of else [place_of[one] for one in shared[name]]
            for place in places:
                key = (regime, int(scope), str(category), place)
                found[key] = found.get(key, 0.0) + float(grams) / PROBE / len(places)
    for name, grams in _removed(quantified.records, world, place_of):
        found[("", -1, "", place_of[name])] = grams / PROBE
    return found


def _followers(entered: pl.DataFrame, follows: pl.DataFrame, plant: Plant) -> dict[str, list[str]]:
    """Return which entered activities each derived one follows from: derive them one by one and compare the names."""
    keys: dict[tuple[object, ...], list[str]] = {}
    for row in entered.iter_rows(named=True):
        if row["source_kind"] in upstream.ORIGINS:
            one, _ = upstream.derive(entered.filter(pl.col("activity_id") == row["activity_id"]), plant)
            for derived in one.iter_rows(named=True):
                keys.setdefault(_name_of(derived), []).append(row["activity_id"])
    return {row["activity_id"]: keys[_name_of(row)] for row in follows.iter_rows(named=True)}


def _name_of(row: Mapping[str, object]) -> tuple[object, ...]:
    return row["shop"], row["item"], row["unit"], row["tier"], row["detail"]


def _removed(records: pl.DataFrame, world: World, place_of: Mapping[str, int]) -> list[tuple[str, float]]:
    """Return the removals by activity (the line ``removals`` beside the total)."""
    found = []
    apart = records.filter(pl.col("source_kind").is_in(["tree_removal", "co2_capture"]))
    for name in sorted(set(apart["activity_id"]) & set(place_of)):
        own = apart.filter(pl.col("activity_id") == name)
        found.append((name, float(fold(own, world.standard, "location", "gas").apart_gco2e["removals"])))
    return found


def _contracts(accounts: dict[Account, Floats], streams: Sequence[Stream]) -> None:
    """Give a contract the opposite of what the power it covers counts in the market-based view."""
    power = [place for place, stream in enumerate(streams) if stream.source_kind == ELECTRICITY]
    if not power:
        return
    for (regime, scope, _), grams in accounts.items():
        if regime == "market_annual" and scope == 2:
            per_kwh = grams[power[0]] / ratio(streams[power[0]].unit, "kWh")
            for place, stream in enumerate(streams):
                if stream.source_kind == CONTRACT:
                    grams[place] -= per_kwh * ratio(stream.unit, "kWh")


def _tce(world: World, streams: Sequence[Stream], year: int) -> Floats:
    """Return tonnes of coal equivalent per unit of each stream of energy (equivalent value)."""
    zone = world.plant.time_zone
    bounds = (Period(year).start(zone), Period(year).end(zone))
    found = np.zeros(len(streams))
    known: dict[tuple[str, str | None, str, str, str], float] = {}
    for place, stream in enumerate(streams):
        if stream.source_kind not in SIGNS:
            continue
        key = (stream.source_kind, stream.item, stream.unit, stream.detail, stream.source_id)
        if key not in known:
            one = frame({stream: PROBE}, year, bounds)
            known[key] = energy_consumption(one, world.plant, world.factors).total_tce / PROBE
        found[place] = known[key]
    return found


def scope_of(name: str) -> tuple[int, ...]:
    """Return the scopes of one of `inventory.SCOPES` without what lies outside the inventory."""
    return tuple(scope for scope in SCOPES[name] if scope > 0)


def as_text(detail: str) -> str:
    """Return particulars as a short text for a table."""
    return ", ".join(f"{key} {value}" for key, value in json.loads(detail).items())
