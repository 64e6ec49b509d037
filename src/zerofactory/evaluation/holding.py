"""What a book holds: flags that requirements on an inventory and on a management system ask for, each read from the book itself.

A flag is 1 when the sealed book or the plant file shows the thing and 0 when it does not; that a text is good is for the assessor.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from zerofactory.accounting.electricity import CONTRACT, failed_criteria
from zerofactory.accounting.source import sources
from zerofactory.evaluation.book import Book, details_of
from zerofactory.standards.load import standard

_ISO, _GHGP = "iso_14064_1_2018", "ghg_protocol_corporate"
_CONSOLIDATIONS = ("equity_share", "financial_control", "operational_control")
_CONTRACT_CRITERIA = {
    "qc1": {"rate_attribute"},
    "qc2": {"sole_claim"},
    "qc3": {"retired", "beneficiary"},
    "qc4": {"vintage_year"},
    "qc5": {"market"},
    "qc6": {"net_of_certificates"},
    "qc7": {"certificates_sold"},
    "qc8": set[str](),
}
HELD = (
    *(f"category_{number}" for number in range(1, 7)),
    *(f"ghgp_s3.{number:02d}" for number in range(1, 16)),
    *(f"consolidation_{name}" for name in _CONSOLIDATIONS),
    *(f"contracts_{name}" for name in _CONTRACT_CRITERIA),
    "energy_and_direct", "transport_and_products", "closed_period", "organisation", "responsible", "boundary", "significance",
    "gases", "biogenic_apart", "removals_apart", "exclusions", "indirect_categories", "base_year", "base_year_policy", "methods",
    "changes", "factors", "uncertainty", "verification_status", "gwp", "both_views", "enpi", "metering_plan",
)  # fmt: skip


def holdings(book: Book) -> dict[str, bool]:
    """Return every flag of `HELD`."""
    found = {**_categories(book), **_inventory(book), **_plant(book), **_contracts(book)}
    return {name: found[name] for name in HELD}


def _categories(book: Book) -> dict[str, bool]:
    """Return which categories are quantified, or judged and left out for a stated reason."""
    kinds = set(book.records["source_kind"].unique())
    iso = {_of(kind, _ISO) for kind in kinds}
    groups = {name.split(".")[0] for name in iso if name}
    judged = book.plant.boundary.significance
    left_out = {row.category for row in judged.categories if not row.included} if judged else set()
    flags = {}
    for number in range(1, 7):
        own = {category.id for category in standard(_ISO).categories if category.group == str(number)}
        flags[f"category_{number}"] = str(number) in groups or own <= left_out
    ghgp = {_of(kind, _GHGP) for kind in kinds}
    flags |= {f"ghgp_s3.{number:02d}": f"s3.{number:02d}" in ghgp for number in range(1, 16)}
    flags["energy_and_direct"] = flags["category_1"] and flags["category_2"]
    flags["transport_and_products"] = flags["category_3"] and flags["category_4"]
    flags["indirect_categories"] = all(flags[f"category_{number}"] for number in range(3, 7))
    return flags


def _of(kind: str, standard_id: str) -> str:
    found = sources().get(kind)
    return found.categories.get(standard_id, "") if found else ""


def _inventory(book: Book) -> dict[str, bool]:
    """Return what closing a period puts into the book by itself."""
    closed = book.months_closed == book.months_wanted and not book.records.is_empty()
    factors = closed and not book.records["factor_id"].is_null().any()
    regimes = set(book.records["regime"].unique())
    return {
        "closed_period": closed,
        "gases": closed and not book.records["gas"].is_null().any(),
        "biogenic_apart": closed,
        "removals_apart": closed,
        "methods": closed and not book.records["method"].is_null().any(),
        "changes": closed,
        "factors": factors,
        "uncertainty": closed and not book.records["uncertainty_fraction"].is_null().any(),
        "gwp": closed and book.records["gwp_set"].n_unique() == 1,
        "both_views": closed and {"location", "market_annual"} <= regimes,
        "base_year": book.base is not None,
        "verification_status": closed,
        "enpi": closed and not book.activities.filter(pl.col("source_kind") == "production_output").is_empty(),
    }


def _plant(book: Book) -> dict[str, bool]:
    """Return what the plant file states."""
    plant, boundary = book.plant, book.plant.boundary
    stated = {f"consolidation_{name}": plant.organisation.consolidation == name for name in _CONSOLIDATIONS}
    judged = boundary.significance
    return stated | {
        "organisation": bool(plant.organisation.name.zh and plant.organisation.legal_entity),
        "responsible": plant.organisation.responsible is not None,
        "boundary": boundary.description is not None and boundary.systems is not None,
        "significance": judged is not None and bool(judged.categories),
        "exclusions": judged is not None or bool(boundary.exclusions),
        "base_year_policy": plant.base_year is not None or book.base is not None,
        "metering_plan": bool(plant.meters) and all(m.accuracy_class for m in plant.meters if m.kind != "virtual"),
    }


def _contracts(book: Book) -> dict[str, bool]:
    """Return which quality criteria every contract of the period meets; without contracts nothing is broken."""
    failed: set[str] = set()
    for row in book.activities.filter(pl.col("source_kind") == CONTRACT).to_dicts():
        detail: Mapping[str, object] = details_of(book.plant, row)
        failed |= set(failed_criteria(detail, book.plant, int(str(row["period"])[:4])))
    return {f"contracts_{name}": not wanted & failed for name, wanted in _CONTRACT_CRITERIA.items()}
