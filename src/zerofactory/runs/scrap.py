"""From defect to tonnes: what scrapped and mended pieces of a period come to, by defect, shop and cause, with the interval of the counts.

What a scrapped piece took is in the book already (its energy on the meters, its metal on the deliveries): the figures here are shares
of the book's. Only what no document holds is offered for booking (`scrap_book`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from zerofactory import units
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.quality.counted import Counted, counted
from zerofactory.optimisation.quality.loss import Loss, reworked, scrapped, totals
from zerofactory.optimisation.quality.measure import Rate, rate
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.evaluation_book import vehicles
from zerofactory.runs.inspect_book import causes
from zerofactory.runs.scrap_book import Reconciled, reconcile
from zerofactory.runs.scrap_defects import UNKNOWN, Defect, days_of, of_book, of_file, within
from zerofactory.runs.scrap_file import NAME, Given, ReworkEntry, read
from zerofactory.runs.scrap_plan import Plan, Weights, Worth, plan_of, weights_of
from zerofactory.store.schema import ACTIVITIES

SCRAP, REWORK = "scrap", "rework"
COSTS = (SCRAP, REWORK)
KEYS: Mapping[str, Callable[[Defect], str]] = {
    "defect": lambda one: one.defect,
    "shop": lambda one: one.shop,
    "cause": lambda one: one.cause,
    "part": lambda one: one.part,
    "station": lambda one: one.station,
}
ENERGY = {"electricity": ("purchased_electricity", "kWh"), "natural_gas": ("stationary_combustion", "Nm3")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted.

    Parameters
    ----------
    period : a month or a year.
    file : a table of defects; None takes the book's inspected parts, and where it holds none of the period the table that quality.toml names.
    """

    period: Period
    file: Path | None = None
    confidence: float = 0.95


@dataclass(frozen=True)
class Group:
    """Pieces of one key, what they come to, and the interval of each figure from the counts."""

    key: str
    scrapped: int
    reworked: int
    loss: Loss
    worth: Worth
    pieces: Counted
    mass_kg: Counted
    electricity_kwh: Counted
    natural_gas_nm3: Counted
    cny: Counted
    kgco2e: Counted

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        worth, loss = self.worth, self.loss
        return {
            "key": self.key, "scrapped": self.scrapped, "reworked": self.reworked,
            **{name: getattr(self, name).as_json() for name in FIGURES},
            "material_kg": {
                name: {"put_in": kg, "kept": loss.kept_kg.get(name, 0.0), "recovered": loss.recovered_kg.get(name, 0.0), "lost": loss.lost_kg.get(name, 0.0), "bought": loss.bought_kg.get(name, 0.0)}
                for name, kg in loss.put_in_kg.items()
            },
            "minutes": loss.minutes,
            "kgco2e_by_kind": {name: grams / 1000.0 for name, grams in worth.gco2e.items()},
            "avoided_kgco2e": worth.avoided_gco2e / 1000.0,
            "cny_by_kind": dict(worth.cny),
        }  # fmt: skip


FIGURES = ("pieces", "mass_kg", "electricity_kwh", "natural_gas_nm3", "cny", "kgco2e")


@dataclass(frozen=True, slots=True)
class PartRate:
    """Shares of a part's pieces that were scrapped and mended; ``basis`` says of what: pieces inspected, or vehicles booked."""

    part: str
    basis: str
    scrap: Rate
    rework: Rate

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        shares = {
            name: {"value": one.value, "low": one.low, "high": one.high, "hits": one.hits, "of": one.of}
            for name, one in (("scrap", self.scrap), ("rework", self.rework))
        }
        return {"part": self.part, "basis": self.basis, **shares}


@dataclass(frozen=True)
class Account:
    """What defects of a period come to. ``shares`` are of the book's energy of the period, where it has any."""

    asked: Asked
    given: Given
    source: str
    defects: tuple[Defect, ...]
    total: Group
    by: Mapping[str, tuple[Group, ...]]
    rates: tuple[PartRate, ...]
    shares: Mapping[str, float]
    reconciled: Reconciled
    warnings: tuple[Problem, ...]
    names: Mapping[str, Mapping[str, Text]]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        title = self.given.form.title
        return {
            "period": self.asked.period.label, "source": self.source, "title": {"zh": title.zh, "en": title.en}, "fictional": self.given.form.fictional,
            "confidence": self.asked.confidence, "total": self.total.as_json(), "by": {key: [one.as_json() for one in rows] for key, rows in self.by.items()},
            "rates": [one.as_json() for one in self.rates], "shares_of_book": dict(self.shares), "book": self.reconciled.as_json(),
            "warnings": [{"code": one.code, "message": {"zh": one.message.zh, "en": one.message.en}, "hint": {"zh": one.hint.zh, "en": one.hint.en}} for one in self.warnings],
            "names": {kind: {name: {"zh": one.zh, "en": one.en} for name, one in of.items()} for kind, of in self.names.items()},
        }  # fmt: skip


def run(context: Context, asked: Asked) -> Account:
    """Return what the defects of a period come to.

    Raises
    ------
    FaultyData
        Faults of quality.toml and of the table of defects; a defect that is mended by no way of the file; no defects; a factor that
        cannot be decided.
    """
    given = read(context)
    defects, source, warnings = gathered(context, given, asked.period, asked.file)
    defects = merged(defects)
    plan, weights = plan_of(context, given), weights_of(context, given, asked.period.year)
    losses = losses_of(defects, given, plan)
    pairs = [(one, loss) for one, loss in zip(defects, losses, strict=True) if one.disposition in COSTS]
    groups = {
        key: tuple(sorted((_group(name, [pair for pair in pairs if of(pair[0]) == name], weights, asked.confidence) for name in sorted({of(one) for one, _ in pairs})), key=lambda one: -one.kgco2e.value))
        for key, of in KEYS.items()
    }  # fmt: skip
    total = _group("total", pairs, weights, asked.confidence)
    made, unknown = output(context, defects)
    warnings = [*warnings, *unknown]
    shares = _shares(context, asked.period, total.loss)
    book = reconcile(context, given, asked.period, [(one.day, loss.times(one.count)) for one, loss in pairs])
    return Account(asked, given, source, tuple(defects), total, groups, rates(defects, plan, made, asked.confidence), shares, book, tuple(warnings), names(context, given))  # fmt: skip


def gathered(
    context: Context, given: Given, period: Period, file: Path | None
) -> tuple[list[Defect], str, list[Problem]]:
    """Return the defects of a period, where they are from, and what was passed over; raise `FaultyData` when there are none."""
    first, last = days_of(period, context.workspace.plant.time_zone)
    warnings: list[Problem] = []
    if file is not None:
        found, source = within(of_file(file, given, context.workspace.plant), first, last), file.name
    else:
        booked, warnings = of_book(context, given)
        found, source = within(booked, first, last), "book"
        if not found and given.form.defects is not None:
            found, source = (
                within(of_file(given.folder / given.form.defects, given, context.workspace.plant), first, last),
                given.form.defects,
            )
    if not found:
        message = Text(f"{period.label} 没有检验记录。", f"There are no inspected parts in {period.label}.")
        hint = Text("请用 --file 给出缺陷表, 或先用 zf inspect 记录。", "Give a table of defects with --file, or record them with zf inspect first.")  # fmt: skip
        raise FaultyData([Problem("scrap.no_defects", message, hint, file=source if source != "book" else None), *warnings])  # fmt: skip
    waiting = sum(one.count for one in found if one.disposition == "recheck")
    if waiting:
        message = Text(f"{waiting:,} 件待复检, 尚不算损失。", f"{waiting:,} pieces wait to be looked at again and are no loss yet.")  # fmt: skip
        hint = Text("复检后处置会更正。", "Once they are judged, their disposition is corrected.")
        warnings = [*warnings, Problem("scrap.waiting", message, hint, severity="warning")]
    return found, source, warnings


def output(context: Context, defects: Sequence[Defect]) -> tuple[float | None, list[Problem]]:
    """Return the vehicles booked in the months of the defects; None where a month has none booked yet, and a warning where it matters
    (a part has no good pieces on record)."""
    judged = {one.part for one in defects if one.disposition == "accept"}
    matters = any(one.part not in judged for one in defects)
    labels = sorted({f"{one.day:%Y-%m}" for one in defects})
    made = {label: vehicles(context, Period.parse(label)) for label in labels}
    missing = [label for label, number in made.items() if number is None]
    if not missing:
        return sum(number or 0.0 for number in made.values()), []
    listed = ", ".join(missing)
    message = Text(f"{listed} 还没有产量入账, 按产量算的比率不给。", f"No output is booked for {listed}: rates by output are left out.")  # fmt: skip
    hint = Text(
        "请先导入产量凭证, 或在缺陷表写合格件。",
        "Import the documents of output, or write accepted pieces into the table.",
    )
    return None, [Problem("scrap.no_output", message, hint, severity="warning")] if matters else []


def merged(defects: Sequence[Defect]) -> list[Defect]:
    """Return the rows of a month that say the same as one: sums of counts have the same interval however they were written down."""
    sums: dict[Defect, int] = {}
    for one in defects:
        alike = replace(one, day=one.day.replace(day=1), count=0)
        sums[alike] = sums.get(alike, 0) + one.count
    return [replace(one, count=count) for one, count in sums.items()]


def months(context: Context) -> list[str]:
    """Return the months that have inspected parts, newest first: of the book, and of the table that quality.toml names."""
    given = read(context)
    found, _ = of_book(context, given)
    if given.form.defects is not None:
        found += of_file(given.folder / given.form.defects, given, context.workspace.plant)
    return sorted({f"{one.day:%Y-%m}" for one in found}, reverse=True)


def losses_of(defects: Sequence[Defect], given: Given, plan: Plan) -> list[Loss]:
    """Return the loss of one piece of each row; raise `FaultyData` for defects that no way of mending is for."""
    problems: dict[tuple[str, str], Problem] = {}
    found = []
    for one in defects:
        if one.disposition == SCRAP:
            found.append(scrapped(plan.parts[one.part], one.station, plan.materials))
            continue
        route = None if one.disposition != REWORK else mended_by(given, one.part, one.defect)
        if one.disposition == REWORK and route is None:
            problems.setdefault((one.part, one.defect), _no_rework(one, given))
        found.append(Loss() if route is None else reworked(plan.reworks[route.id], plan.materials))
    if problems:
        raise FaultyData(list(problems.values()))
    return found


def mended_by(given: Given, part: str, defect: str) -> ReworkEntry | None:
    """Return how a defect of a part is mended: the first way that names both, then the part, then the defect, then neither."""
    fitting = [
        one
        for one in given.form.reworks
        if (not one.parts or part in one.parts) and (not one.defects or defect in one.defects)
    ]
    return max(fitting, key=lambda one: (bool(one.parts), bool(one.defects)), default=None)


def rates(defects: Sequence[Defect], plan: Plan, made: float | None, confidence: float) -> tuple[PartRate, ...]:
    """Return the shares of scrapped and mended pieces: of those inspected where good ones are on record, else of the vehicles booked."""
    found = []
    for part in plan.parts.values():
        own = [one for one in defects if one.part == part.id]
        scrap = sum(one.count for one in own if one.disposition == SCRAP)
        rework = sum(one.count for one in own if one.disposition == REWORK)
        seen = any(one.disposition == "accept" for one in own)
        if not seen and not made:
            continue
        of = sum(one.count for one in own) if seen else round((made or 0.0) * part.per_vehicle) + scrap
        if own and of and scrap + rework <= of:
            basis = "inspected" if seen else "vehicles"
            found.append(PartRate(part.id, basis, rate(scrap, of, confidence), rate(rework, of, confidence)))
    return tuple(found)


def names(context: Context, given: Given) -> dict[str, dict[str, Text]]:
    """Return by kind of key what shops, stations, parts, materials, causes and classes of defects are called."""
    plant, form = context.workspace.plant, given.form
    words = {one.id: one.name.text for one in form.words}
    return {
        "defect": words,
        "cause": {**causes(), UNKNOWN: Text("未说明", "not stated"), **words},
        "shop": {one.id: one.name for one in plant.shops},
        "station": {one.id: one.name for one in plant.lines},
        "part": {one.id: one.name.text for one in form.parts},
        "material": {one.id: one.name.text for one in form.materials},
    }


def _group(key: str, pairs: Sequence[tuple[Defect, Loss]], weights: Weights, confidence: float) -> Group:
    counts = [one.count for one, _ in pairs]
    worths = [weights.worth(loss) for _, loss in pairs]
    loss = totals([loss.times(one.count) for one, loss in pairs])

    def over(each: Sequence[float]) -> Counted:
        return counted(counts, each, confidence)

    return Group(
        key, sum(one.count for one, _ in pairs if one.disposition == SCRAP), sum(one.count for one, _ in pairs if one.disposition == REWORK),
        loss, weights.worth(loss), counted([sum(counts)], None, confidence), over([loss.mass_kg for _, loss in pairs]),
        over([loss.kwh for _, loss in pairs]), over([loss.nm3 for _, loss in pairs]),
        over([one.total_cny for one in worths]), over([one.kgco2e for one in worths]),
    )  # fmt: skip


def _shares(context: Context, period: Period, loss: Loss) -> dict[str, float]:
    """Return which share of the book's electricity and gas of a period the pieces took, where the book has any."""
    labels = [month.label for month in period.months()]
    found = {}
    for carrier, taken in (("electricity", loss.kwh), ("natural_gas", loss.nm3)):
        kind, unit = ENERGY[carrier]
        rows = context.workspace.journal.active(ACTIVITIES, {"period": labels, "source_kind": kind})
        rows = rows.filter(pl.col("item") == carrier)
        same = [(amount, of) for amount, of in rows.select("quantity", "unit").iter_rows() if units.parse(of).dimension == units.parse(unit).dimension]  # fmt: skip
        booked = sum(units.convert(amount, of, unit) for amount, of in same)
        if booked:
            found[carrier] = taken / booked
    return found


def _no_rework(one: Defect, given: Given) -> Problem:
    message = Text(f"“{one.part}”的缺陷“{one.defect}”没有返工方式。", f"No way of mending is stated for defect '{one.defect}' of '{one.part}'.")  # fmt: skip
    listed = ", ".join(entry.id for entry in given.form.reworks) or "–"
    return Problem("scrap.no_rework", message, Text(f"请在 [[reworks]] 中加上; 现有: {listed}。", f"Add one under [[reworks]]; there are: {listed}."), file=NAME, column="reworks")  # fmt: skip
