"""What the shells tell of energy and emissions: the meters of each place, their closed months and days, and what was booked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl

from zerofactory.accounting.inventory import Regime, counted
from zerofactory.accounting.source import sources
from zerofactory.accounting.upstream import ORIGINS
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.periods import Period, zone
from zerofactory.reporting.shells.facts import Emissions, Flow
from zerofactory.runs import readings
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import Item, World
from zerofactory.runs.inventory import booked
from zerofactory.runs.twin import BOOKED
from zerofactory.site.model import Meter, Plant, SourceUse
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.schema import ACTIVITIES

MILLI, MONTHS, SCOPES = 1000, 12, (1, 2)
STANDARD: str = "iso_14064_1_2018"
REGIME: Regime = "location"
SUPPLY = ("exported_electricity", "on_site_renewable")
"""Kinds of sources that tell what is made or given away: they flow into the plant or out of it, never into a shop."""
CARRIERS: Mapping[str, Text] = {
    "electricity": Text("电", "electricity"),
    "natural_gas": Text("天然气", "natural gas"),
    "heat": Text("热力", "heat"),
    "water": Text("水", "water"),
    "compressed_air": Text("压缩空气", "compressed air"),
}


@dataclass(frozen=True, slots=True)
class Inlet:
    """One carrier that flows into a place and the meters that count it there."""

    id: str
    title: Text
    carrier: str
    meters: tuple[str, ...]


def into_plant(plant: Plant) -> tuple[Inlet, ...]:
    """Return what flows into a plant: each kind of energy it books, by the meters that it books it from."""
    found: dict[tuple[str, str], list[SourceUse]] = {}
    for use in plant.sources:
        if use.meters and use.kind != SUPPLY[0]:
            found.setdefault((use.kind, use.item or ""), []).append(use)
    kinds = [kind for kind, _ in found]
    made = []
    for (kind, item), uses in found.items():
        meters = tuple(dict.fromkeys(one for use in uses for one in use.meters))
        name = kind if kinds.count(kind) == 1 else f"{kind}-{item}"
        made.append(Inlet(name, sources()[kind].title, plant.meter(meters[0]).carrier, meters))
    return tuple(made)


def into_shop(plant: Plant, shop: str) -> tuple[Inlet, ...]:
    """Return what flows into a shop, by the meters that share the plant's energy out."""
    known = {one.id: one for one in plant.meters}
    named = [one for use in plant.sources if use.kind not in SUPPLY for one in (use.split or use.meters)]
    return by_carrier(plant, [known[one] for one in dict.fromkeys(named) if known[one].shop == shop])


def into_line(plant: Plant, line: str) -> tuple[Inlet, ...]:
    """Return what flows into a line, by its meters."""
    return by_carrier(plant, [one for one in plant.meters if one.line == line])


def by_carrier(plant: Plant, meters: Sequence[Meter]) -> tuple[Inlet, ...]:
    """Return meters by carrier; one whose parent is among them is counted there already."""
    parents, own = {one.id: one.parent for one in plant.meters}, {one.id for one in meters}
    found: dict[tuple[str, str], list[str]] = {}
    for meter in meters:
        if not own & set(_above(meter.id, parents)):
            found.setdefault((meter.carrier, meter.amount_unit), []).append(meter.id)
    return tuple(
        Inlet(carrier, CARRIERS.get(carrier, Text(carrier, carrier)), carrier, tuple(names))
        for (carrier, _), names in found.items()
    )


def _above(meter: str, parents: Mapping[str, str | None]) -> Iterable[str]:
    above = parents.get(meter)
    while above is not None:
        yield above
        above = parents.get(above)


class Counted:
    """What the meters of a plant came to in its last closed months (a year of them at most), and on each day of the last."""

    def __init__(self, context: Context) -> None:
        self._plant = context.workspace.plant
        self.months = tuple(sorted(context.workspace.seals()["period"].to_list())[-MONTHS:])
        self._months: dict[tuple[str, str], int] = {}
        self._estimated: dict[tuple[str, str], float] = {}
        self._days: dict[str, list[tuple[date, int]]] = {}
        for label in self.months:
            for row in readings.totals(context, Period.parse(label), "month").rows.iter_rows(named=True):
                self._months[row["meter_id"], label] = round(row["amount"] * MILLI)
                self._estimated[row["meter_id"], label] = row["estimated_fraction"] or 0.0
        if self.months:
            rows = readings.totals(context, Period.parse(self.months[-1]), "day").rows.sort("meter_id", "day")
            for row in rows.iter_rows(named=True):
                self._days.setdefault(row["meter_id"], []).append((row["day"], round(row["amount"] * MILLI)))

    def flow(self, inlet: Inlet) -> Flow | None:
        """Return what flowed in; None where its meters counted nothing in the closed months."""
        labels = [one for one in self.months if all((meter, one) in self._months for meter in inlet.meters)]
        if not labels:
            return None
        months = tuple((one, _decimal(sum(self._months[meter, one] for meter in inlet.meters))) for one in labels)
        shares = [self._estimated[meter, one] for one in labels for meter in inlet.meters]
        days: tuple[tuple[date, datetime, Decimal], ...] = ()
        if labels[-1] == self.months[-1]:
            days = self._by_day(inlet.meters)
        unit = self._plant.meter(inlet.meters[0]).amount_unit
        return Flow(inlet.id, inlet.title, inlet.carrier, unit, inlet.meters, months, days, sum(shares) / len(shares))

    def _by_day(self, meters: Sequence[str]) -> tuple[tuple[date, datetime, Decimal], ...]:
        sums: dict[date, int] = {}
        for meter in meters:
            for day, amount in self._days.get(meter, ()):
                sums[day] = sums.get(day, 0) + amount
        place = zone(self._plant.time_zone)
        return tuple(
            (day, datetime.combine(day, time(), place).astimezone(UTC), _decimal(sums[day])) for day in sorted(sums)
        )

    def amount(self, inlet: Inlet, period: Period) -> Decimal:
        """Return what flowed in over a closed period."""
        labels = [one.label for one in period.months()]
        return _decimal(sum(self._months.get((meter, one), 0) for meter in inlet.meters for one in labels))


def documented(context: Context, months: Sequence[str]) -> tuple[Flow, ...]:
    """Return the energy that documents booked instead of meters: fuels, electricity and heat by kind, item and unit."""
    plant = context.workspace.plant
    unmetered = [use.id for use in plant.sources if use.kind in ORIGINS and not use.meters]
    rows = context.workspace.journal.active(ACTIVITIES, {"source_id": unmetered, "period": list(months)})
    keys = ("source_kind", "item", "unit")
    sums = rows.group_by(*keys, "period").agg(pl.col("quantity").sort().sum()).sort(*keys, "period")
    made = []
    for (kind, item, unit), own in sums.group_by(*keys, maintain_order=True):
        title = sources()[str(kind)].title
        told = Text(f"{title.zh}: {item} (凭证)", f"{title.en}: {item} (documents)")
        amounts = tuple((str(row["period"]), _exact(row["quantity"])) for row in own.iter_rows(named=True))
        made.append(Flow(f"{kind}-{item}-documents", told, str(item), str(unit), (), amounts, ()))
    return tuple(made)


def _exact(quantity: float) -> Decimal:
    return Decimal(repr(round(quantity, 6)))


def _decimal(milli: int) -> Decimal:
    return Decimal(milli) / MILLI


@dataclass(frozen=True)
class Booked:
    """What was booked for the last closed year, or month where no year is whole: grams by shop and scope, and the output."""

    period: Period
    grams: Mapping[tuple[str, int], int]
    pieces: Decimal
    sealed_at: datetime

    def plant(self) -> Emissions:
        """Return the emissions of the whole plant."""
        figures = tuple(f"{shop}@{self.period.label}" for shop in sorted({shop for shop, _ in self.grams}))
        return self._emissions(self._by_scope(None), BY_BOOK, figures)

    def shop(self, shop: str) -> Emissions | None:
        """Return the emissions booked for a shop, None where none are."""
        found = self._by_scope(shop)
        return self._emissions(found, BY_BOOK, (f"{shop}@{self.period.label}",)) if found else None

    def metered(self, context: Context, inlets: Sequence[Inlet], shop: str, seen: Counted) -> Emissions | None:
        """Return what the energy that meters of a place counted emits, by the function that closes months."""
        world = World(context.workspace.plant, context.workspace.factor_book, self.period.year)
        items: dict[Item, float] = {}
        for inlet in inlets:
            amount = seen.amount(inlet, self.period)
            if inlet.carrier in BOOKED and amount:
                kind, item, unit = BOOKED[inlet.carrier]
                items[Item(kind, item, unit, "{}", shop)] = float(amount)
        if not items:
            return None
        grams = {scope: found for scope, found in world.emitted(items).items() if scope in SCOPES}
        return self._emissions(grams, BY_METER, (f"{shop}@{self.period.label}",))

    def _by_scope(self, shop: str | None) -> dict[int, int]:
        found: dict[int, int] = {}
        for (own, scope), grams in self.grams.items():
            if shop in (None, own):
                found[scope] = found.get(scope, 0) + grams
        return found

    def _emissions(self, grams: Mapping[int, int], basis: Text, figures: tuple[str, ...]) -> Emissions:
        method = "ISO 14064-1:2018, scope 1 + 2, location-based"
        return Emissions(self.period.label, grams, self.pieces, self.sealed_at, method, basis, figures)


BY_BOOK = Text("封存账本中的记录之和", "the sum of the records of the closed book")
BY_METER = Text(
    "该处表计的电(全部按外购计)和天然气, 按封存月份的同一函数量化; 共用的压缩空气、冷冻水、供热不在内",
    "electricity (all of it as bought) and gas of the place's own meters, quantified by the function that closes months; shared air, cooling and heat are not in it",
)


def book_of(context: Context, output_source: str | None) -> tuple[Booked | None, list[Problem]]:
    """Return what was booked for the last closed year or month; None and why where nothing is closed or made."""
    sealed = sorted(context.workspace.seals()["period"].to_list())
    if not sealed:
        return None, [
            _gap("没有封存的月份, 没有用能和碳足迹。", "No month is closed: no energy and no footprint.", "zf close")
        ]
    years = [one for one in dict.fromkeys(label[:4] for label in sealed) if sum(s[:4] == one for s in sealed) == MONTHS]
    period = Period.parse(years[-1] if years else sealed[-1])
    labels = [one.label for one in period.months()]
    pieces = _output(context, labels, output_source)
    if not pieces:
        return None, [_gap(f"{period.label} 没有产量, 没有单件碳足迹。", f"No output is booked for {period.label}: no footprint of a piece.", "zf import")]  # fmt: skip
    try:
        records = counted(booked(context, period), load_standard(STANDARD), REGIME)
    except FaultyData as fault:
        return None, list(fault.problems)
    sums = records.group_by("shop", "scope").agg(pl.col("signed").sum()).sort("shop", "scope", nulls_last=True)
    grams = {(str(shop or "other"), int(scope)): int(amount) for shop, scope, amount in sums.iter_rows()}
    return Booked(period, grams, pieces, sealed_at(context, labels)), []


def _output(context: Context, labels: Sequence[str], source: str | None) -> Decimal:
    rows = context.workspace.journal.active(ACTIVITIES, {"period": list(labels), "source_kind": "production_output"})
    rows = rows.filter(pl.col("source_id") == source) if source else rows.filter(pl.col("unit") == "vehicle")
    return Decimal(repr(float(rows["quantity"].sum()))) if rows.height else Decimal(0)


def sealed_at(context: Context, labels: Sequence[str]) -> datetime:
    """Return when the newest seal of some months was booked."""
    entries = {entry.seq: entry.at for entry in context.workspace.journal.entries()}
    seals = [one for one in context.workspace.seals().to_dicts() if one["period"] in labels]
    return max(datetime.fromisoformat(entries[one["booked_as"]]) for one in seals).astimezone(UTC)


def _gap(zh: str, en: str, command: str) -> Problem:
    hint = Text(f"见 {command}。", f"See {command}.")
    return Problem("shells.nothing_booked", Text(zh, en), hint, severity="warning")
