"""Restating a year of a million records, every cause at once, beside quantifying it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl

from bench.activities import KINDS, ROWS, frame
from bench.clock import Parts, apart, row

CORRECTED = 1000


def once(parts: Parts) -> int:
    """Quantify the year once."""
    from bench.readings import plant_text
    from zerofactory.accounting.quantify import quantify
    from zerofactory.factors.load import factor_book
    from zerofactory.store.workspace import read_plant

    plant, book, activities = read_plant(plant_text()), factor_book(), frame()
    quantify(activities.head(10), plant, book, known_at=date(2025, 6, 1))
    found = parts.time("quantify", lambda: quantify(activities, plant, book, known_at=date(2025, 6, 1)))
    return int(found.records.height)  # type: ignore[attr-defined]


def restated(parts: Parts) -> int:
    """Restate it: a thousand corrected quantities, a source added, another GWP set, a newer factor edition."""
    from bench.readings import plant_text
    from zerofactory.accounting.quantify import quantify
    from zerofactory.accounting.restate import Side, View, side_by_side, stages
    from zerofactory.factors.load import factor_book
    from zerofactory.standards.load import standard
    from zerofactory.store.workspace import read_plant

    plant, book, activities = read_plant(plant_text()), factor_book(), frame()
    corrected = pl.concat([
        activities.head(CORRECTED).with_columns(pl.col("quantity") * 1.5), activities.slice(CORRECTED)
    ])  # fmt: skip
    gas = plant.source(KINDS[1][0])
    added = activities.slice(0, CORRECTED).filter(pl.col("source_id") == KINDS[1][0])
    added = added.with_columns(
        pl.lit("bench-new").alias("source_id"), ("n" + pl.col("activity_id")).alias("activity_id")
    )
    grown = replace(plant, sources=(*plant.sources, replace(gas, id="bench-new")))
    grown = replace(grown, accounting=replace(plant.accounting, gwp_set="AR4"))
    old = Side(activities, plant, book, date(2025, 6, 1))
    new = Side(pl.concat([corrected, added]), grown, book, date(2026, 1, 15))
    view = View(standard("iso_14064_1_2018"), "location", "category")
    quantify(activities.head(10), plant, book, known_at=date(2025, 6, 1))

    def work() -> object:
        return side_by_side(stages(old, new), view, grown)

    total, _ = parts.time("restate", work)  # type: ignore[misc]
    assert sum(total.by_cause.values()) == total.difference_gco2e
    assert all(total.by_cause.values())
    print(f"  difference {total.difference_gco2e:,} g = " + " + ".join(f"{k} {v:,}" for k, v in total.by_cause.items()))
    return int(total.difference_gco2e)


def run() -> None:
    """Print the figures."""
    print(f"restate: {ROWS:,} activities, four causes at once (limit: 3x one quantify)")
    single = apart(once)
    row("quantify once", single)
    row("zerofactory: restate", apart(restated), single)
