"""Live figures: power, energy, cost and gCO2e of the site, its shops, lines and meters, provisional until the month closes.

    readings ─► OpenMonth (whole thousandths per slot) ─► Booking (closing's quantities and factors) ─► figures

Site and shops show what the book will show: the same activities, quantified by the same factors. A meter that makes an
activity carries it, shared by amount where several do; a meter below another carries its parent's grams per unit; one above
carries what is below it. Shares are whole grams and add up. A column that cannot be told is empty and says why.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
import polars as pl

from zerofactory import units
from zerofactory.errors import NotFound, Problem, Text
from zerofactory.factors.model import FactorBook
from zerofactory.metering.grid import Integers
from zerofactory.metering.profile import SITE, place, shop_meters
from zerofactory.metering.scatter import Numbers
from zerofactory.monitoring.booking import Booking
from zerofactory.monitoring.cover import not_ours
from zerofactory.monitoring.open_month import Flags, Incoming, OpenMonth, Sums
from zerofactory.monitoring.tree import Carrying
from zerofactory.periods import Period
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree

Level = Literal["site", "shop", "line", "meter"]
LEVELS: tuple[Level, ...] = ("site", "shop", "line", "meter")
TOTAL, DOCUMENTS = "total", "documents"
NO_SOURCE = Text("不属于任何排放源", "in no source")
NO_FACTOR = Text("因子未定, 见提示", "no factor, see the problems")
NOTHING = Text("", "")
NOT_BOUGHT = ("on_site_renewable", "exported_electricity")  # their kWh cost no energy charge


@dataclass(frozen=True, slots=True)
class Prices:
    """By carrier a unit and the price of one in every slot of the month, CNY; why there is none; where they are from."""

    cny_per_unit: Mapping[str, tuple[str, Numbers]]
    reason: Text = NOTHING
    source: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Running:
    """What a meter shows beyond its last whole slot: the amount since, and what a whole slot comes to at the present rate."""

    amount_milli: int
    slot_milli: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One place and carrier. ``amount_*`` in ``unit``; ``rate_per_hour`` is the mean since its last whole slot, or of that slot.

    ``*_cny``: energy charge; of a shop or meter what its energy would cost if bought, of the site what is bought. ``until``:
    the instant up to which every meter behind the row has reported. ``note`` says why a column is empty.
    """

    level: Level
    id: str
    name: Text
    carrier: str
    unit: str | None
    rate_per_hour: float | None
    power_kw: float | None
    amount_today: float | None
    amount_month: float | None
    today_cny: float | None
    month_cny: float | None
    today_gco2e: int | None
    month_gco2e: int | None
    estimated_fraction: float
    until: datetime | None
    note: Text = NOTHING

    @property
    def key(self) -> str:
        """What the row is about, the same from look to look."""
        return f"{self.level}/{self.id}/{self.carrier}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at one moment. ``total_gco2e`` is what closing would book now (scopes 1 and 2, location-based)."""

    period: str
    figures: tuple[Figure, ...]
    total_gco2e: int
    documents_gco2e: int
    data_until: datetime | None
    newest_known_us: int
    meters: int
    meters_reporting: int
    meters_late: int
    estimated_fraction: float
    unsettled: int
    is_over: bool
    price_note: Text
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One row to be: the meters whose amounts it adds (places among all meters) and the groups whose grams."""

    level: Level
    id: str
    name: Text
    carrier: str
    unit: str | None
    meters: Integers
    groups: Integers


class Live:
    """The live figures of one open month.

    Parameters
    ----------
    known_at : date
        Factors published by then are used.
    """

    def __init__(self, plant: Plant, factors: FactorBook, period: Period, known_at: date, prices: Prices) -> None:
        self.plant, self.period, self.prices = plant, period, prices
        self.month = OpenMonth(plant, period, _meter_prices(plant, prices))
        real = self.month.meters
        virtual = tuple(meter for meter in plant.meters if meter.kind == "virtual")
        self._meters = (*real, *virtual)
        names = tuple(meter.id for meter in self._meters)
        self._place = {name: n for n, name in enumerate(names)}
        terms = meter_tree(plant).terms
        self._terms = [
            (np.array([self._place[t] for t in terms[m.id]], dtype=np.int64), np.array(list(terms[m.id].values())))
            for m in virtual
        ]
        self.booking = Booking(plant, factors, period, names, known_at)
        self._group_rows = [
            np.array([self._place[name] for name in group.source.meters], dtype=np.int64)
            for group in self.booking.groups
        ]
        self._carrying = Carrying(plant, self.booking.groups, names, self.booking.has_factor)
        self._factors, self._known_at = factors, known_at
        self._documents: dict[str, int] = {}
        self._document_problems: tuple[Problem, ...] = ()
        ratios = [_as_kwh(1.0, meter.amount_unit) for meter in self._meters]
        self._is_energy = [ratio is not None for ratio in ratios]
        self._kwh = np.array([ratio or 0.0 for ratio in ratios])
        self._priced = [
            self.month.priced(n) if n < len(real) else meter.carrier in prices.cny_per_unit
            for n, meter in enumerate(self._meters)
        ]
        self._rows = {level: tuple(self._rows_of(level)) for level in LEVELS}
        self.running_milli: Integers = np.zeros(len(real), dtype=np.int64)
        self._slot_milli: dict[int, int] = {}

    def take(self, incoming: Incoming) -> None:
        """Take readings."""
        self.month.take(incoming)

    def document(self, activities: pl.DataFrame) -> None:
        """Take the month's documents as they are booked now."""
        found, problems = self.booking.documents(activities, self._factors, self._known_at)
        self._documents, self._document_problems = found, problems

    def run_on(self, running: Mapping[str, Running]) -> None:
        """Take what meters show since their last whole slot."""
        self.running_milli[:] = 0
        self._slot_milli = {}
        for name, shown in running.items():
            row = self.month.row_of[name]
            self.running_milli[row] = shown.amount_milli
            if shown.slot_milli is not None:
                self._slot_milli[row] = shown.slot_milli

    def snapshot(self, levels: Sequence[Level] = LEVELS, settle: bool = False) -> Snapshot:
        """Return the figures of some levels; ``settle`` estimates every gap anew first."""
        self.month.settle(everything=settle)
        month = self.month
        first, last = self._today()
        state = self._state(month.sums(first, last))
        figures: list[Figure] = []
        for level in levels:
            if level == "meter":
                figures += self._meter_figures(state)
            else:
                figures += [self._figure(row, state) for row in self._rows[level]]
        figures += [self._total(state)] if "site" in levels else []
        documents = sum(self._documents.values())
        over = month.horizon
        reporting = month.reached > 0
        return Snapshot(
            period=self.period.label,
            figures=tuple(figures),
            total_gco2e=int(state.emissions.sum()) + documents,
            documents_gco2e=documents,
            data_until=month.grid.moment(over) if over else None,
            newest_known_us=int(month.newest_known_us.max(initial=0)),
            meters=len(month.meters),
            meters_reporting=int(reporting.sum()),
            meters_late=month.late,
            estimated_fraction=self._estimated(state),
            unsettled=month.unsettled,
            is_over=over == month.grid.slots,
            price_note=self.prices.source if self.prices.cny_per_unit else self.prices.reason,
            problems=(*self.booking.problems, *self._document_problems),
        )

    def _today(self) -> tuple[int, int]:
        """Return the slots of the local day in which the newest whole slot lies."""
        midnights, newest = self.month.grid.midnights, max(self.month.horizon - 1, 0)
        day = int(np.searchsorted(midnights, newest, side="right")) - 1
        return int(midnights[day]), int(midnights[day + 1])

    def _state(self, sums: Sums) -> _State:
        """Return what the rows are made from: sums of all meters, virtual ones too, and what they come to."""
        month = self.month
        whole = self._with_virtual(sums.month_milli + self.running_milli)
        day = self._with_virtual(sums.day_milli + self.running_milli)
        booked, today = self.booking.of(whole), self.booking.of(day)
        there = month.reached > 0
        slot = np.maximum(month.reached - 1, 0)
        newest = np.where(there, month.amount[np.arange(len(slot)), slot], 0)
        newest[list(self._slot_milli)] = list(self._slot_milli.values())
        known = self._known()
        carried, has = self._carrying.of(whole, booked.emissions_gco2e)
        carried_today, _ = self._carrying.of(day, today.emissions_gco2e)
        return _State(
            month=whole, day=day, newest=self._with_virtual(newest), reached=known,
            estimated=self._turned(sums.estimated_milli), turned=self._turned(sums.month_milli), month_cny=self._virtual_cost(sums.month_cny), day_cny=self._virtual_cost(sums.day_cny),
            emissions=booked.emissions_gco2e, emissions_today=today.emissions_gco2e,
            carried=carried, carried_today=carried_today, has=has,
        )  # fmt: skip

    def _known(self) -> Integers:
        """Return how many slots are over for every meter; a virtual one is as far as the least of its terms."""
        reached = self.month.reached
        virtual = [int(reached[rows].min()) if len(rows) else 0 for rows, _ in self._terms]
        return np.concatenate([reached, np.array(virtual, dtype=np.int64)])

    def _with_virtual(self, real: Integers) -> Integers:
        virtual = [int((real[rows] * weights).sum()) for rows, weights in self._terms]
        return np.concatenate([real, np.array(virtual, dtype=np.int64)])

    def _estimated(self, state: _State) -> float:
        """Return the estimated share of everything that is counted in the book: of the grams of the metered groups."""
        grams = np.abs(state.emissions).astype(np.float64)
        shares = [_share(int(state.estimated[rows].sum()), int(state.turned[rows].sum())) for rows in self._group_rows]
        whole = float(grams.sum())
        return float((grams * np.array(shares)).sum()) / whole if whole else 0.0

    def _turned(self, real: Integers) -> Integers:
        """Return the size of amounts, of a virtual meter that of all its terms together, whatever their sign."""
        virtual = [int((np.abs(real[rows]) * np.abs(weights)).sum()) for rows, weights in self._terms]
        return np.concatenate([np.abs(real), np.array(virtual, dtype=np.int64)])

    def _virtual_cost(self, real: Numbers) -> Numbers:
        return np.concatenate([real, [float((real[rows] * weights).sum()) for rows, weights in self._terms]])

    def _figure(self, row: _Row, state: _State) -> Figure:
        """Return one row as it stands."""
        members = row.meters
        has_unit = row.unit is not None and len(members) > 0
        month = int(state.month[members].sum()) / 1000.0 if has_unit else None
        rate = int(state.newest[members].sum()) / 1000.0 * 60.0 / self.month.grid.minutes if has_unit else None
        gco2e, today_gco2e, note = self._grams(row, state)
        priced = row.carrier in self.prices.cny_per_unit and has_unit
        reached = state.reached[members]
        return Figure(
            level=row.level, id=row.id, name=row.name, carrier=row.carrier, unit=row.unit,
            rate_per_hour=rate,
            power_kw=None if rate is None or row.unit is None else _as_kwh(rate, row.unit),
            amount_today=int(state.day[members].sum()) / 1000.0 if has_unit else None,
            amount_month=month,
            today_cny=float(state.day_cny[members].sum()) if priced else None,
            month_cny=float(state.month_cny[members].sum()) if priced else None,
            today_gco2e=today_gco2e, month_gco2e=gco2e,
            estimated_fraction=_share(int(state.estimated[members].sum()), int(state.turned[members].sum())),
            until=self.month.grid.moment(int(reached.min())) if len(reached) and reached.min() else None,
            note=note,
        )  # fmt: skip

    def _meter_figures(self, state: _State) -> list[Figure]:
        """Return the rows of all meters: the same as `_figure` of each, from plain lists, because there may be thousands."""
        grid = self.month.grid
        shares = [_share(*pair) for pair in zip(state.estimated.tolist(), state.turned.tolist(), strict=True)]
        per_hour = state.newest / 1000.0 * 60.0 / grid.minutes
        rates, powers = per_hour.tolist(), (per_hour * self._kwh).tolist()
        moments = {0: None} | {slot: grid.moment(slot) for slot in set(state.reached.tolist()) - {0}}
        columns = zip(
            self._rows["meter"], rates, powers, (state.day / 1000.0).tolist(), (state.month / 1000.0).tolist(),
            state.day_cny.tolist(), state.month_cny.tolist(), state.carried_today.tolist(), state.carried.tolist(),
            shares, state.reached.tolist(), state.has.tolist(), self._priced, self._is_energy,
            strict=True,
        )  # fmt: skip
        return [
            Figure(
                "meter", row.id, row.name, row.carrier, row.unit, rate, power if is_energy else None, day, month,
                day_cny if priced else None, month_cny if priced else None,
                today if has else None, grams if has else None, share, moments[reached], NOTHING if has else NO_SOURCE,
            )
            for row, rate, power, day, month, day_cny, month_cny, today, grams, share, reached, has, priced, is_energy in columns
        ]  # fmt: skip

    def _grams(self, row: _Row, state: _State) -> tuple[int | None, int | None, Text]:
        if row.carrier == DOCUMENTS:
            own = self._documents.get(row.id, 0) if row.level == "shop" else sum(self._documents.values())
            return own, None, NOTHING
        if row.level == "line":
            there = row.meters[state.has[row.meters]]
            if not len(there):
                return None, None, NO_SOURCE
            return int(state.carried[there].sum()), int(state.carried_today[there].sum()), NOTHING
        if not len(row.groups):
            return None, None, NO_SOURCE
        if not self.booking.has_factor[row.groups].all():
            return None, None, NO_FACTOR
        return int(state.emissions[row.groups].sum()), int(state.emissions_today[row.groups].sum()), NOTHING

    def _total(self, state: _State) -> Figure:
        site = [row for row in self._rows["site"] if row.carrier in self.prices.cny_per_unit]
        costs = [(float(state.month_cny[row.meters].sum()), float(state.day_cny[row.meters].sum())) for row in site]
        return Figure(
            level="site", id=SITE, name=self.plant.name, carrier=TOTAL, unit=None, rate_per_hour=None, power_kw=None,
            amount_today=None, amount_month=None,
            today_cny=sum(day for _, day in costs) if costs else None,
            month_cny=sum(month for month, _ in costs) if costs else None,
            today_gco2e=int(state.emissions_today.sum()),
            month_gco2e=int(state.emissions.sum()) + sum(self._documents.values()),
            estimated_fraction=self._estimated(state),
            until=self.month.grid.moment(self.month.horizon) if self.month.horizon else None,
        )  # fmt: skip

    def _rows_of(self, level: Level) -> list[_Row]:
        if level == "meter":
            return [
                _Row("meter", m.id, m.name, m.carrier, m.amount_unit, np.array([n]), NO_GROUPS)
                for n, m in enumerate(self._meters)
            ]
        if level == "line":
            return self._line_rows()
        carriers = dict.fromkeys(meter.carrier for meter in self._meters)
        if level == "site":
            rows = [self._site_row(carrier) for carrier in carriers]
            return [*rows, _Row("site", SITE, self.plant.name, DOCUMENTS, None, NO_METERS, NO_GROUPS)]
        tops = {carrier: shop_meters(self.plant, carrier) for carrier in carriers}
        rows = []
        for shop in self.plant.shops:
            rows += [row for carrier in carriers if (row := self._shop_row(shop.id, shop.name, carrier, tops[carrier]))]
            rows.append(_Row("shop", shop.id, shop.name, DOCUMENTS, None, NO_METERS, NO_GROUPS))
        return rows

    def _site_row(self, carrier: str) -> _Row:
        try:
            meters = place(self.plant, SITE, carrier).meters
        except NotFound:
            meters = ()
        groups = [n for n, group in enumerate(self.booking.groups) if group.carrier == carrier]
        return self._row_for("site", (SITE, self.plant.name), carrier, meters, groups)

    def _shop_row(self, shop: str, name: Text, carrier: str, tops: Mapping[str, tuple[str, ...]]) -> _Row | None:
        own = [
            (n, group) for n, group in enumerate(self.booking.groups) if (group.carrier, group.shop) == (carrier, shop)
        ]
        meters = list(tops.get(shop, ()))
        if not any(group.source.split for group in self.booking.groups if group.carrier == carrier):
            direct = [name for _, group in own for name in group.meters]
            meters += [name for name in direct if self._meters[self._place[name]].kind == "virtual"]
        if not meters and not own:
            return None
        return self._row_for("shop", (shop, name), carrier, tuple(dict.fromkeys(meters)), [n for n, _ in own])

    def _line_rows(self) -> list[_Row]:
        """Return a row per line and carrier: its topmost meters."""
        known = {meter.id: meter for meter in self._meters}
        rows = []
        for line in self.plant.lines:
            found: dict[str, list[str]] = {}
            for meter in self._meters:
                if meter.line == line.id and not _below(meter.id, line.id, known):
                    found.setdefault(meter.carrier, []).append(meter.id)
            rows += [
                self._row_for("line", (line.id, line.name), carrier, tuple(names), [])
                for carrier, names in found.items()
            ]
        return rows

    def _row_for(
        self, level: Level, named: tuple[str, Text], carrier: str, meters: Sequence[str], groups: Sequence[int]
    ) -> _Row:
        places = np.array([self._place[name] for name in meters], dtype=np.int64)
        found = {self._meters[n].amount_unit for n in places.tolist()}
        unit = found.pop() if len(found) == 1 else None
        return _Row(level, named[0], named[1], carrier, unit, places, np.array(groups, dtype=np.int64))


NO_METERS: Integers = np.zeros(0, dtype=np.int64)
NO_GROUPS: Integers = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Columns over all meters (real, then virtual) and over all groups at one moment."""

    month: Integers
    day: Integers
    newest: Integers
    reached: Integers
    estimated: Integers
    turned: Integers
    month_cny: Numbers
    day_cny: Numbers
    emissions: Integers
    emissions_today: Integers
    carried: Integers
    carried_today: Integers
    has: Flags


@lru_cache(maxsize=1)
def carrier_titles() -> Mapping[str, Text]:
    """Return the names of carriers (`carriers.csv`)."""
    text = (files("zerofactory.monitoring") / "carriers.csv").read_text(encoding="utf-8")
    return {row["carrier"]: Text(row["zh"], row["en"]) for row in csv.DictReader(text.splitlines())}


def carrier_title(carrier: str) -> Text:
    """Return the name of a carrier, or its id where it has none."""
    return carrier_titles().get(carrier, Text(carrier, carrier))


def _meter_prices(plant: Plant, prices: Prices) -> dict[str, Numbers]:
    """Return CNY per amount unit of every real meter whose carrier has a price in a unit of the same kind."""
    found = {}
    own = {name for source in plant.sources if source.kind in NOT_BOUGHT for name in (*source.meters, *source.split)}
    own |= not_ours(plant)
    for meter in plant.meters:
        if meter.carrier not in prices.cny_per_unit or meter.kind == "virtual" or meter.id in own:
            continue
        unit, series = prices.cny_per_unit[meter.carrier]
        if units.parse(unit).dimension == units.parse(meter.amount_unit).dimension:
            found[meter.id] = series * units.ratio(meter.amount_unit, unit)
    return found


def _as_kwh(amount: float, unit: str) -> float | None:
    """Return an amount in kWh, None where its unit is none of energy."""
    return amount * units.ratio(unit, "kWh") if units.parse(unit).dimension == "energy" else None


def _below(meter_id: str, line: str, known: Mapping[str, object]) -> bool:
    """Whether a meter hangs, however far, below another of the same line."""
    above = known[meter_id].parent  # type: ignore[attr-defined]
    while above is not None:
        if known[above].line == line:  # type: ignore[attr-defined]
            return True
        above = known[above].parent  # type: ignore[attr-defined]
    return False


def _share(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 0.0
