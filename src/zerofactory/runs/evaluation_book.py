"""The tables of a period as the evaluation takes them: records, activities, what is agreed, and what the book shows in use."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import polars as pl

from zerofactory import units
from zerofactory.accounting.claims import CLAIMS, EMISSIONS
from zerofactory.accounting.declared_footprint import SUPPLIER_FOOTPRINTS
from zerofactory.accounting.inventory import fold
from zerofactory.accounting.significance import Assessment, assess
from zerofactory.errors import FaultyData
from zerofactory.evaluation.book import Book, Year
from zerofactory.evaluation.thresholds import FILE
from zerofactory.periods import Period
from zerofactory.runs.assurance import statements
from zerofactory.runs.base_year import versions
from zerofactory.runs.context import Context
from zerofactory.runs.electricity import compare
from zerofactory.runs.inventory import booked
from zerofactory.standards.load import standard
from zerofactory.store.schema import ACTIVITIES

ISO = "iso_14064_1_2018"
HOURLY = "market_hourly"
ANNUAL, PROGRAMME, COVERED = "market_annual", "china_programme", "contract"
LEVELS = {"limited": 1, "reasonable": 2}
GRAMS_PER_TONNE = 1_000_000.0


def book_of(context: Context, period: Period) -> Book:
    """Return the book of a closed period; raise `FaultyData` when a month of it is not closed."""
    workspace = context.workspace
    records = booked(context, period, "all")
    labels = [month.label for month in period.months()]
    activities = workspace.journal.active(ACTIVITIES, {"period": labels}).drop("reverses")
    power = _electricity(context, period)
    book = Book(
        period=period.label,
        plant=workspace.plant,
        factor_book=workspace.factor_book,
        records=records,
        activities=activities,
        months_closed=len(labels),
        months_wanted=len(labels),
        matched_wh=power.matched_wh,
        covered_wh=power.covered_wh,
        programme_gco2e=power.programme_gco2e,
        significance=_significance(context, records),
        base=_base(context),
        previous=_previous(context, period),
        verification=_verification(context, period),
        products_footprint=_products(context),
        credits=_credits(context, period),
    )
    return _with_functions(context, book)


@dataclass(frozen=True, slots=True)
class _Power:
    """What the book of electricity says: matched by the hour, covered by the month, CO2 under the China programme."""

    matched_wh: int | None = None
    covered_wh: int | None = None
    programme_gco2e: int | None = None


def _electricity(context: Context, period: Period) -> _Power:
    """Return the electricity of a period under its regimes; nothing where it is not metered by interval."""
    try:
        found = compare(context, period)
    except FaultyData:
        return _Power()
    matched = found.matched_wh.get(HOURLY)
    results = {regime.id: result for regime, result in found.results}
    annual = results.get(ANNUAL)
    covered = next((part.energy_wh for part in annual.parts if part.key == COVERED), None) if annual else None
    programme = results.get(PROGRAMME)
    return _Power(
        None if matched is None else int(matched.sum()), covered, programme.emissions_gco2e if programme else None
    )


def _significance(context: Context, records: pl.DataFrame) -> Assessment | None:
    test = context.workspace.plant.boundary.significance
    book = standard(test.standard if test else ISO)
    beyond = fold(records.filter(pl.col("scope") == 3), book, book.default_regime, "category")
    return assess(test, {line.key: line.emissions_gco2e for line in beyond.lines}, book)


def _base(context: Context) -> Year | None:
    """Return the newest base year, with its output where the book still holds it."""
    found = versions(context)
    if not found:
        return None
    newest = found[-1]
    period = Period.parse(newest.period)
    return Year(period.year, newest.total_gco2e, vehicles(context, period))


def _previous(context: Context, period: Period) -> Year | None:
    """Return the year before, where it is wholly closed."""
    before = Period(period.year - 1, period.month)
    try:
        records = booked(context, before)
    except FaultyData:
        return None
    total = fold(records, standard(ISO), "location", "scope").total_gco2e
    return Year(before.year, total, vehicles(context, before))


def vehicles(context: Context, period: Period) -> float | None:
    """Return the vehicles booked as made in a period, None when none are."""
    labels = [month.label for month in period.months()]
    rows = context.workspace.journal.active(ACTIVITIES, {"period": labels, "source_kind": "production_output"})
    vehicle = rows.filter(pl.col("unit").is_in(list(units.symbols_of("count_vehicle"))))
    return float(vehicle["quantity"].sum()) if not vehicle.is_empty() else None


def _verification(context: Context, period: Period) -> int:
    """Return the level of the newest statement that is in force: 0 none, 1 limited, 2 reasonable."""
    valid = [row for row in statements(context, period) if row["in_force"]]
    return LEVELS[valid[-1]["level"]] if valid else 0


def _products(context: Context) -> int:
    """Return how many kinds of product have a bill of materials and a profile in the workspace."""
    folder = context.workspace.folder / "products"
    names = [product.id for product in context.workspace.plant.products]
    return sum(
        (folder / f"{name}.toml").is_file() and any((folder / f"{name}{end}").is_file() for end in (".csv", ".xlsx"))
        for name in names
    )


def _credits(context: Context, period: Period) -> tuple[float, float] | None:
    """Return the tonnes retired for a period and the age of the oldest vintage; None where nothing was retired."""
    rows = context.workspace.journal.active(CLAIMS, {"covers": EMISSIONS})
    own = rows.filter(pl.col("period").str.starts_with(period.label) & pl.col("retired_on").is_not_null())
    if own.is_empty():
        return None
    oldest = int(str(own["vintage"].min())[:4])
    return int(own["amount_gco2e"].sum()) / GRAMS_PER_TONNE, float(period.year - oldest)


@lru_cache(maxsize=1)
def _functions() -> tuple[dict[str, str], ...]:
    text = (files("zerofactory.runs") / "centre_functions.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _with_functions(context: Context, book: Book) -> Book:
    """Return the book with the functions of the energy-carbon centre that it shows in use."""
    journal = context.workspace.journal
    kinds = {entry.kind for entry in journal.entries()}
    shown = {
        "metered": not book.activities.filter(pl.col("tier") == "metered").is_empty(),
        "output": not book.activities.filter(pl.col("source_kind") == "production_output").is_empty(),
        "thresholds": (context.workspace.folder / FILE).is_file(),
        "meter_tree": any(meter.parent for meter in book.plant.meters),
        "closed": not book.records.is_empty(),
        "products": bool(book.products_footprint),
        "suppliers": not journal.active(SUPPLIER_FOOTPRINTS).is_empty(),
        "claims": not journal.active(CLAIMS).is_empty(),
    }
    used = [
        row["function"]
        for row in _functions()
        if shown.get(row["proof"], False) or kinds & set(filter(None, row["journal_kinds"].split("|")))
    ]
    return replace(book, functions=frozenset(used))
