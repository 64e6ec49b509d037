"""What planned quantities emit: asked of the very functions that close a month, by item and shop, upstream of energy included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from zerofactory.accounting import upstream
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import FaultyData, Text, errors_of
from zerofactory.factors.model import FactorBook
from zerofactory.metering.activity_table import ACTIVITIES, canonical, digest
from zerofactory.optimisation.routes.balance import Body
from zerofactory.optimisation.routes.route import Input
from zerofactory.periods import Period
from zerofactory.site.model import Plant, SourceUse

PROBE = 1_000_000.0
ELECTRICITY = "purchased_electricity"
REGIMES = ("any", "location")


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """What an input is to the accounts: kind of source, item, unit, particulars and shop."""

    source_kind: str
    item: str
    unit: str
    detail: str
    shop: str


@dataclass(frozen=True, slots=True)
class Emitted:
    """Grams of CO2e of one item by scope."""

    gco2e: Mapping[int, float]

    @property
    def total_gco2e(self) -> float:
        """Over all scopes."""
        return sum(self.gco2e.values())


@dataclass(frozen=True, slots=True)
class World:
    """The plant, its factors and the year in which a comparison is made."""

    plant: Plant
    factors: FactorBook
    year: int

    def item(self, one: Input, shop: str, detail: Mapping[str, str | float] | None = None) -> Item:
        """Return an input as the accounts know it, in the plant's first shop of a kind."""
        found = next((place.id for place in self.plant.shops if place.kind == shop), "other")
        return Item(one.source_kind, one.item, one.amount.unit, canonical(dict(detail or one.detail)), found)

    def quantities(self, body: Body) -> dict[Item, float]:
        """Return what a good body takes, by item."""
        shops = {worked.step.id: worked.step.shop for worked in body.steps}
        first = {metal.branch.id: metal.branch.steps[0].shop for metal in body.metals if metal.branch.steps}
        found: dict[Item, float] = {}
        for taking in body.takings:
            item = self.item(taking.input, shops.get(taking.step) or first.get(taking.step, "other"))
            found[item] = found.get(item, 0.0) + taking.quantity
        return found

    def emitted(self, quantities: Mapping[Item, float]) -> Mapping[int, int]:
        """Return whole grams by scope of quantities, booked as a closed month books them, upstream of energy included."""
        uses = {item: self._use(item) for item in quantities}
        known = {source.id for source in self.plant.sources}
        more = {use.id: use for use in uses.values() if use.id not in known}
        plant = replace(self.plant, sources=(*self.plant.sources, *more.values()))
        entered = self._frame(quantities, uses)
        follows, faults = upstream.derive(entered, plant)
        done = quantify(pl.concat([entered, follows]), plant, self.factors)
        problems = errors_of((*faults, *done.problems))
        if problems:
            raise FaultyData(problems)
        counted = done.records.filter(pl.col("regime").is_in(REGIMES) & pl.col("kyoto") & ~pl.col("biogenic"))
        sums = counted.group_by("scope").agg(pl.col("emissions_gco2e").sum())
        return {int(scope): int(grams) for scope, grams in sorted(sums.iter_rows())}

    def per_unit(self, items: Iterable[Item]) -> dict[Item, Emitted]:
        """Return grams per unit of each item; raise `FaultyData` with every factor that cannot be decided."""
        found: dict[Item, Emitted] = {}
        problems: dict[str, object] = {}
        faults = []
        for item in sorted(set(items)):
            try:
                grams = self.emitted({item: PROBE})
            except FaultyData as fault:
                faults += [one for one in fault.problems if problems.setdefault(one.message.en, one) is one]
                continue
            found[item] = Emitted({scope: total / PROBE for scope, total in grams.items()})
        if faults:
            raise FaultyData(faults)
        return found

    def _use(self, item: Item) -> SourceUse:
        """Return the plant's source that meters such energy, the one of the shop first; for goods one of its own, since a
        route buys what the plant may not buy today."""
        meters = {meter.id: meter.shop for meter in self.plant.meters}
        fitting = [
            use
            for use in self.plant.sources
            if use.kind == item.source_kind in upstream.ORIGINS and use.item in (None, item.item)
        ]
        near = [use for use in fitting if item.shop in (use.shop, *(meters.get(one) for one in use.meters))]
        if fitting:
            return (*near, *fitting)[0]
        name = f"planned-{digest(item.source_kind, item.item, item.detail, item.shop)[:12]}"
        return SourceUse(name, item.source_kind, Text("计划", "planned"), item.shop, item.item)

    def _frame(self, quantities: Mapping[Item, float], uses: Mapping[Item, SourceUse]) -> pl.DataFrame:
        period = Period(self.year)
        place = self.plant.time_zone
        rows: Sequence[dict[str, object]] = [
            {
                "activity_id": digest("planned", item.source_kind, item.item, item.unit, item.detail, item.shop),
                "source_id": uses[item].id,
                "source_kind": item.source_kind,
                "shop": item.shop,
                "period": f"{self.year:04d}-01",
                "started_at": period.start(place),
                "ended_at": period.end(place),
                "item": item.item,
                "quantity": amount,
                "unit": item.unit,
                "tier": "estimated",
                "estimated_fraction": 1.0,
                "evidence": None,
                "detail": item.detail,
                "document": None,
                "note": "planned",
            }
            for item, amount in quantities.items()
            if amount
        ]
        return ACTIVITIES.frame(rows)
