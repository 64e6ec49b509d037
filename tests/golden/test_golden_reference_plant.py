"""Golden files of the closed reference plant: every factor it resolves and why, and what its year comes to.

Both hold scopes 1 and 2 (and what is sold of purchased energy). A change of a figure or a reason must be meant: look at the
difference, then write the files anew with

    ZF_GOLDEN=write python -m pytest tests/golden
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.intensity import intensities
from zerofactory.accounting.inventory import By, Regime, fold
from zerofactory.accounting.source import sources
from zerofactory.periods import Period
from zerofactory.runs import verify
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import booked
from zerofactory.standards.load import standard
from zerofactory.store.schema import ACTIVITIES

FOLDER = Path(__file__).parent
YEAR = Period(2025)
STANDARDS = ("iso_14064_1_2018", "ghg_protocol_corporate", "cn_machinery_2015")
REGIMES: tuple[Regime, ...] = ("location", "market_annual")
CUTS: tuple[By, ...] = ("shop", "source", "gas", "category", "month", "class", "scope")
REGENERATE = "if this is meant: ZF_GOLDEN=write python -m pytest tests/golden"
MOST_NAMED = 25
pytestmark = pytest.mark.slow


def agrees(name: str, made: dict[str, Any]) -> None:
    """Compare with a golden file and name what differs; write it instead when asked to."""
    path = FOLDER / name
    if os.environ.get("ZF_GOLDEN") == "write":
        path.write_text(json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    golden = dict(leaves(json.loads(path.read_text(encoding="utf-8"))))
    found = dict(leaves(json.loads(json.dumps(made, ensure_ascii=False))))
    wrong = [
        f"{key}: golden {golden.get(key, '(absent)')}, now {found.get(key, '(absent)')}"
        for key in sorted({*golden, *found})
        if golden.get(key) != found.get(key)
    ]
    assert not wrong, "\n".join([f"{len(wrong)} values differ from {name}; {REGENERATE}", *wrong[:MOST_NAMED]])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested objects with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        yield path, json.dumps(value, ensure_ascii=False)
    else:
        yield path, value


def test_every_factor_of_the_reference_plant_and_why(closed_reference_plant: Context) -> None:
    columns = ("source_id", "gas", "regime", "factor_id", "factor_value", "factor_unit", "reason")
    used = booked(closed_reference_plant, YEAR).select(columns).unique().sort(columns)
    products: dict[str, dict[str, object]] = {}
    chosen: dict[str, list[str]] = {}
    for source, gas, regime, factor_id, value, unit, reason in used.iter_rows():
        key = f"{factor_id} [{unit}]"
        assert products.setdefault(key, {"value": value, **json.loads(reason)})["value"] == value
        chosen.setdefault(source, []).append(f"{gas} {regime}: {key}")
    agrees("resolutions.json", {"products": products, "sources": chosen})


def test_the_year_of_the_reference_plant(closed_reference_plant: Context) -> None:
    context = closed_reference_plant
    plant, records = context.workspace.plant, booked(context, YEAR)
    kinds = [kind.id for kind in sources().values() if kind.scope != 3]
    activities = context.workspace.journal.active(ACTIVITIES).drop("reverses")
    activities = activities.filter(pl.col("source_kind").is_in(kinds))
    made: dict[str, Any] = {}
    for name in STANDARDS:
        book = standard(name)
        for regime in REGIMES:
            if regime not in book.regimes:
                continue
            result = fold(records, book, regime, "category")
            made[f"{name} {regime}"] = {
                "total_gco2e": result.total_gco2e,
                "by_category": {line.key: line.emissions_gco2e for line in result.lines},
                "apart_gco2e": {key: grams for key, grams in result.apart_gco2e.items() if grams},
            }
    iso = standard(STANDARDS[0])
    for by in CUTS:
        lines = fold(records, iso, "location", by).lines
        made[f"by {by}"] = {line.key: line.emissions_gco2e for line in lines}
    energy = energy_consumption(activities, plant, context.workspace.factor_book)
    total = fold(records, iso, "location", "category")
    made["energy_tce"] = round(energy.total_tce, 6)
    made["intensities"] = {
        line.key: float(f"{line.value:.9g}") for line in intensities(total, activities, energy.total_tce)
    }
    made["records"] = {str(scope): count for scope, count in records.group_by("scope").len().sort("scope").iter_rows()}
    agrees("totals.json", made)


def test_the_book_of_the_reference_plant_verifies(closed_reference_plant: Context) -> None:
    verdict = verify.run(closed_reference_plant)
    assert verdict.problems == ()
    assert verdict.months == 12
