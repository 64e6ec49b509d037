"""What the meters' amounts come to in the book: sources and shops by the rules of closing, factors by its `quantify`.

Each group (source × shop, as an activity of closing) is quantified once with the quantity 1; what comes back, factor and GWP of
every flow, holds for the month. From then on a figure is round(quantity × factor × 1000 × GWP), the product of closing itself
(`accounting.quantify.grams_of`), and the quantity is the whole-number sum that closing makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl

from zerofactory import units
from zerofactory.accounting.quantify import grams_of, quantify
from zerofactory.errors import Problem, errors_of
from zerofactory.factors.model import FactorBook
from zerofactory.metering.activity_table import ACTIVITIES, canonical
from zerofactory.metering.grid import Integers
from zerofactory.metering.metered import largest_remainder
from zerofactory.metering.scatter import Numbers
from zerofactory.periods import Period
from zerofactory.site.model import Plant, SourceUse

COUNTED = (
    pl.col("scope").is_in([1, 2]) & pl.col("kyoto") & ~pl.col("biogenic") & pl.col("regime").is_in(["any", "location"])
)  # the figure a seal shows: scopes 1 and 2, location-based, without biogenic CO2 and gases outside the Kyoto basket


@dataclass(frozen=True, slots=True)
class Group:
    """One activity to be: a source in a shop. ``meters`` are those whose amounts make its quantity or its share of it."""

    source: SourceUse
    carrier: str
    shop: str
    unit: str
    meters: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Booked:
    """Quantity (thousandths of its unit) and emissions of every group."""

    quantity_milli: Integers
    emissions_gco2e: Integers


class Booking:
    """The groups of a plant's metered sources and what a unit of each emits in one month.

    Parameters
    ----------
    names : tuple of str
        Meters in the order of the sums that `of` is given, virtual ones included.
    known_at : date
        Factors published by then are used, as closing on that day would.
    """

    def __init__(
        self, plant: Plant, factors: FactorBook, period: Period, names: tuple[str, ...], known_at: date
    ) -> None:
        self.plant, self.period = plant, period
        self._row = {name: row for row, name in enumerate(names)}
        self._meters = {meter.id: meter for meter in plant.meters}
        self.groups: tuple[Group, ...] = tuple(
            group for source in plant.sources if source.meters for group in self._groups_of(source)
        )
        self._spans: dict[str, list[int]] = {}
        for place, group in enumerate(self.groups):
            self._spans.setdefault(group.source.id, []).append(place)
        self._ratios = {name: self._ratio_rows(name) for name in self._spans}
        self._factors, self.problems = self._resolved(factors, known_at)

    def of(self, sums_milli: Integers) -> Booked:
        """Return what sums of all meters (thousandths of their units) come to."""
        quantity = np.zeros(len(self.groups), dtype=np.int64)
        for source_id, places in self._spans.items():
            self._share_out(source_id, places, sums_milli, quantity)
        flows = self._factors
        grams = grams_of(quantity[flows.group] / 1000.0, flows.factor_value, flows.gwp)
        emissions = np.zeros(len(self.groups), dtype=np.int64)
        np.add.at(emissions, flows.group, np.rint(grams).astype(np.int64))
        return Booked(quantity, emissions)

    def documents(
        self, activities: pl.DataFrame, factors: FactorBook, known_at: date
    ) -> tuple[dict[str, int], tuple[Problem, ...]]:
        """Return the emissions of documents by shop, quantified as closing would."""
        made = quantify(activities, self.plant, factors, known_at=known_at)
        by_shop = (
            made.records.filter(COUNTED).group_by("shop", maintain_order=True).agg(pl.col("emissions_gco2e").sum())
        )
        return dict(by_shop.iter_rows()), errors_of(made.problems)  # what covers which is closing's question

    def _groups_of(self, source: SourceUse) -> list[Group]:
        carrier = self._meters[source.meters[0]].carrier
        unit = units.parse(source.unit or self._meters[source.meters[0]].amount_unit).symbol
        shops: dict[str, list[str]] = {}
        for name in source.split or source.meters:
            own = self._meters[name].shop
            shop = (own or source.shop or "other") if source.split else (source.shop or own or "other")
            shops.setdefault(shop, []).append(name)
        return [Group(source, carrier, shop, unit, tuple(names)) for shop, names in shops.items()]

    def _ratio_rows(
        self, source_id: str
    ) -> tuple[tuple[tuple[Integers, tuple[Fraction, ...]], ...], tuple[Integers, ...]]:
        """Return rows and ratios of the quantity of each group (of the source as a whole when it is split), and the split rows."""
        groups = [self.groups[place] for place in self._spans[source_id]]
        source = groups[0].source
        summed = [source.meters] if source.split else [group.meters for group in groups]
        wanted = units.parse(groups[0].unit).factor
        made = []
        for names in summed:
            ratios = tuple(units.parse(self._meters[name].amount_unit).factor / wanted for name in names)
            made.append((self._rows(names), () if all(ratio == 1 for ratio in ratios) else ratios))
        return tuple(made), tuple(self._rows(group.meters) for group in groups)

    def _rows(self, names: tuple[str, ...]) -> Integers:
        return np.array([self._row[name] for name in names], dtype=np.int64)

    def _share_out(self, source_id: str, places: list[int], sums: Integers, quantity: Integers) -> None:
        """Write the quantities of one source: sums of its meters, or its total shared out over the shops of its split."""
        summed, split = self._ratios[source_id]
        totals = [_exact(sums[rows], ratios) for rows, ratios in summed]
        source = self.groups[places[0]].source
        if not source.split:
            quantity[places] = totals
            return
        own = units.parse(self._meters[source.split[0]].amount_unit).factor
        weights: dict[str, int] = {}
        for place, rows in zip(places, split, strict=True):
            names = self.groups[place].meters
            parts = [
                round(int(sums[row]) * (units.parse(self._meters[name].amount_unit).factor / own))
                for name, row in zip(names, rows.tolist(), strict=True)
            ]
            weights[self.groups[place].shop] = sum(max(0, part) for part in parts)
        if not any(weights.values()):
            weights = {source.shop if source.shop in weights else next(iter(weights)): 1}
        shares = largest_remainder(totals[0], weights)
        quantity[places] = [shares.get(self.groups[place].shop, 0) for place in places]

    def _resolved(self, factors: FactorBook, known_at: date) -> tuple[_Flows, tuple[Problem, ...]]:
        """Return the flows of every group, from `quantify` of one unit of each."""
        start, end = self.period.start(self.plant.time_zone), self.period.end(self.plant.time_zone)
        rows: list[dict[str, object]] = [
            {
                "activity_id": f"{place:016x}", "source_id": group.source.id, "source_kind": group.source.kind,
                "shop": group.shop, "period": self.period.label, "started_at": start, "ended_at": end,
                "item": group.source.item, "quantity": 1.0, "unit": group.unit, "tier": "metered",
                "estimated_fraction": 0.0, "evidence": None, "detail": canonical(group.source.detail),
                "document": None, "note": None,
            }
            for place, group in enumerate(self.groups)
        ]  # fmt: skip
        made = quantify(ACTIVITIES.frame(rows), self.plant, factors, known_at=known_at)
        kept = made.records.filter(COUNTED)
        place = np.array([int(name, 16) for name in kept["activity_id"]], dtype=np.int64)
        refused = [problem.message.en for problem in errors_of(made.problems)]  # each begins with "[source month]"
        self.has_factor = np.array(
            [not any(text.startswith(f"[{group.source.id} ") for text in refused) for group in self.groups],
            dtype=np.bool_,
        )
        return _Flows(place, kept["factor_value"].to_numpy(), kept["gwp"].to_numpy()), made.problems


@dataclass(frozen=True, slots=True, eq=False)
class _Flows:
    """One entry a flow: the group it belongs to, its factor and its GWP."""

    group: Integers
    factor_value: Numbers
    gwp: Numbers


def _exact(sums: Integers, ratios: tuple[Fraction, ...]) -> int:
    """Return a sum of thousandths in another unit: exact, rounded half to even only where units differ (as closing does).

    ``ratios`` is empty where every unit is the same.
    """
    if not ratios:
        return int(sums.sum())
    return round(sum((int(amount) * ratio for amount, ratio in zip(sums, ratios, strict=True)), Fraction(0)))
