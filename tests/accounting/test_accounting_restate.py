"""Restating: sums equal records to the gram, causes add up, and each cause is told from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerofactory.accounting.base_year import assess, defaults, policy_of
from zerofactory.accounting.plan import Choice
from zerofactory.accounting.quantify import ask_of, quantify
from zerofactory.accounting.restate import CAUSES, Side, View, side_by_side, stages
from zerofactory.accounting.sums import added_up, sums_of
from zerofactory.factors.load import factor_book
from zerofactory.site.model import BaseYear, Plant
from zerofactory.standards.load import standard

BOOK = factor_book()
VIEW = View(standard("iso_14064_1_2018"), "location", "source")
KINDS = {"power": "purchased_electricity", "gas": "stationary_combustion", "cold": "refrigerant_leakage"}
EARLY = date(2025, 6, 1)


@pytest.fixture
def year(activity: Callable[..., dict[str, object]], frame: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    rows = []
    for month in range(1, 13):
        label = f"2025-{month:02d}"
        rows.append(
            activity(10 * month, "power", KINDS["power"], 1234.567 * month, "kWh", item="electricity", period=label)
        )
        rows.append(
            activity(10 * month + 1, "gas", KINDS["gas"], 77.7 + month, "Nm3", item="natural_gas", period=label)
        )
        rows.append(
            activity(
                10 * month + 2,
                "cold",
                KINDS["cold"],
                1.25,
                "kg",
                item="R410A",
                period=label,
                detail={"method": "service"},
            )
        )
    return frame(*rows)


def test_sums_equal_records_to_the_gram(year: pl.DataFrame, plant_with: Callable[..., Plant], known: date) -> None:
    plant = plant_with(KINDS)
    summed, problems = sums_of(ask_of(year, plant), Choice(plant, BOOK, known_at=known))
    made = quantify(year, plant, BOOK, known_at=known)
    assert not problems
    assert made.records.height > 36
    assert added_up(summed).equals(added_up(made.records))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    factor=st.sampled_from([1.0, 1.5, 0.0]),
    gwp_set=st.sampled_from(["AR4", "AR5", "AR6"]),
    known_at=st.sampled_from([EARLY, date(2026, 1, 15)]),
    kept=st.sets(st.sampled_from(sorted(KINDS)), min_size=1),
)
def test_causes_add_up_exactly_whatever_changes(
    year: pl.DataFrame, plant_with: Callable[..., Plant], factor: float, gwp_set: str, known_at: date, kept: set[str]
) -> None:
    old = Side(year, plant_with(KINDS), BOOK, date(2026, 1, 15))
    plant = plant_with({name: KINDS[name] for name in kept}, f'gwp_set = "{gwp_set}"')
    activities = year.filter(pl.col("source_id").is_in(sorted(kept))).with_columns(pl.col("quantity") * factor)
    new = Side(activities, plant, BOOK, known_at)
    total, lines = side_by_side(stages(old, new), VIEW, plant)
    again = quantify(activities, plant, BOOK, known_at=known_at).records
    counted = again.filter(pl.col("kyoto") & pl.col("regime").is_in(["any", "location"]))
    assert total.restated_gco2e == counted["emissions_gco2e"].sum()
    for line in (total, *lines):
        assert sum(line.by_cause.values()) == line.difference_gco2e
    assert sum(line.difference_gco2e for line in lines) == total.difference_gco2e


def _causes(old: Side, new: Side) -> dict[str, int]:
    total, _ = side_by_side(stages(old, new), VIEW, new.plant)
    return {cause: amount for cause, amount in total.by_cause.items() if amount}


def test_each_cause_alone_is_told_from_the_others(
    year: pl.DataFrame, plant_with: Callable[..., Plant], known: date, activity: Any, frame: Any
) -> None:
    plant = plant_with(KINDS)
    old = Side(year, plant, BOOK, known)
    corrected = year.with_columns(
        pl.when(pl.col("source_id") == "power").then(pl.col("quantity") + 100).otherwise("quantity")
    )
    assert _causes(old, replace(old, activities=corrected)) == {"data": 12 * 100 * 573_700 // 1000}
    other_gwp = replace(plant, accounting=replace(plant.accounting, gwp_set="AR4"))
    assert set(_causes(old, replace(old, plant=other_gwp))) == {"method"}
    kwh = sum(1234.567 * month for month in range(1, 13))
    earlier = _causes(old, replace(old, known_at=EARLY))
    assert set(earlier) == {"factor"}
    assert earlier["factor"] == pytest.approx(kwh * (584.9 - 573.7), abs=13)
    more = plant_with({**KINDS, "boiler": "stationary_combustion"})
    extra = frame(activity(999, "boiler", "stationary_combustion", 1000.0, "Nm3", item="natural_gas"))
    assert set(_causes(old, replace(old, plant=more, activities=pl.concat([year, extra])))) == {"boundary"}
    fewer = plant_with({"power": KINDS["power"]})
    gone = _causes(old, replace(old, plant=fewer, activities=year.filter(pl.col("source_id") == "power")))
    assert set(gone) == {"boundary"}
    assert gone["boundary"] < 0


def test_nothing_changed_gives_nothing_and_order_of_rows_is_no_change(
    year: pl.DataFrame, plant_with: Callable[..., Plant], known: date
) -> None:
    old = Side(year, plant_with(KINDS), BOOK, known)
    assert _causes(old, old) == {}
    assert _causes(old, replace(old, activities=year.sample(fraction=1.0, shuffle=True, seed=5))) == {}
    assert list(CAUSES) == ["data", "boundary", "method", "factor"]


def test_another_kind_under_the_same_id_is_another_source(
    year: pl.DataFrame, plant_with: Callable[..., Plant], known: date
) -> None:
    old = Side(year, plant_with(KINDS), BOOK, known)
    changed = plant_with({**KINDS, "gas": "mobile_combustion"})
    rows = year.with_columns(
        pl.when(pl.col("source_id") == "gas")
        .then(pl.lit("mobile_combustion"))
        .otherwise("source_kind")
        .alias("source_kind"),
        pl.when(pl.col("source_id") == "gas").then(pl.lit("diesel")).otherwise("item").alias("item"),
        pl.when(pl.col("source_id") == "gas").then(pl.lit("kg")).otherwise("unit").alias("unit"),
        pl.when(pl.col("source_id") == "gas").then(pl.lit('{"use":"road"}')).otherwise("detail").alias("detail"),
    )
    assert set(_causes(old, replace(old, plant=changed, activities=rows))) == {"boundary"}


def test_base_year_threshold_triggers_and_cancelling_changes() -> None:
    none = {"data": 0, "boundary": 0, "method": 0, "factor": 0}
    policy = policy_of(None)
    assert policy.threshold_fraction == defaults()["threshold_fraction"]["value"] == 0.05
    assert not assess(1000, none, policy).required
    assert not assess(1000, {**none, "data": 50}, policy).required
    assert assess(1000, {**none, "data": 51}, policy).required
    assert assess(1000, {**none, "method": 30, "factor": 30}, policy).required, "method and factor are one trigger"
    hidden = assess(1000, {**none, "boundary": 200, "data": -200}, policy)
    assert hidden.required
    assert hidden.change_fraction == 0.0
    structure = policy_of(BaseYear(threshold_fraction=0.1, triggers=("structure",)))
    assert not assess(1000, {**none, "data": 500}, structure).required
    assert assess(1000, {**none, "boundary": 101}, structure).required
    assert assess(0, {**none, "data": 1}, policy).required
