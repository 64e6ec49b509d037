"""Quantities: whatever the order and the cut, grams are the same and add up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerofactory.accounting.inventory import By, fold
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import Example, sources
from zerofactory.factors.load import factor_book
from zerofactory.metering.activity_table import ACTIVITIES
from zerofactory.site.load import plant as read_plant
from zerofactory.site.model import Plant
from zerofactory.standards.load import standards

KNOWN_AT = date(2026, 1, 15)
SHOPS = ("paint", "body")
EXAMPLES: Mapping[str, Example] = {
    name: kind.example for name, kind in sources().items() if kind.scope in (1, 2) and not kind.example.accepted
}


@pytest.fixture(scope="module")
def plant() -> Plant:
    """A plant with one source of every kind of scopes 1 and 2, called like its kind."""
    shops = "".join(f'[[shops]]\nid = "{s}"\nkind = "{s}"\nname = {{zh = "{s}", en = "{s}"}}\n' for s in SHOPS)
    listed = "".join(
        f'[[sources]]\nid = "{k}"\nkind = "{k}"\nname = {{zh = "{k}", en = "{k}"}}\nshop = "paint"\n' for k in EXAMPLES
    )
    made, problems = read_plant(
        '[plant]\nid = "p"\nname = {zh = "厂", en = "plant"}\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\n'
        'currency = "CNY"\n[organisation]\nname = {zh = "公司", en = "company"}\n'
        '[accounting]\nfuel_sets = ["CN-T1", "CN-T2", "IPCC-2006"]\n' + shops + listed
    )
    assert made is not None, problems
    return made


@st.composite
def activity(draw: st.DrawFn) -> dict[str, Any]:
    """One activity that a worked example of some kind of source allows, of any month, shop and amount."""
    kind = draw(st.sampled_from(sorted(EXAMPLES)))
    month, example = draw(st.integers(1, 12)), EXAMPLES[kind]
    start = datetime(2025, month, 1, tzinfo=UTC)
    return {
        "source_id": kind,
        "source_kind": kind,
        "shop": draw(st.sampled_from(SHOPS)),
        "period": f"2025-{month:02d}",
        "started_at": start,
        "ended_at": start.replace(day=28),
        "item": example.item,
        "quantity": draw(st.floats(0.001, 1e4)),
        "unit": example.unit,
        "tier": draw(st.sampled_from(("metered", "invoiced", "estimated"))),
        "estimated_fraction": draw(st.sampled_from((0.0, 0.25, 1.0))),
        "evidence": None,
        "detail": json.dumps(dict(example.detail), sort_keys=True),
        "document": None,
        "note": None,
    }


@st.composite
def activities(draw: st.DrawFn) -> pl.DataFrame:
    """Some activities with ids of their own."""
    rows = draw(st.lists(activity(), min_size=1, max_size=25))
    ids = draw(st.lists(st.integers(0, 2**64 - 1), min_size=len(rows), max_size=len(rows), unique=True))
    return ACTIVITIES.frame([{"activity_id": f"{number:016x}", **row} for number, row in zip(ids, rows, strict=True)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(activities(), st.randoms(use_true_random=False))
def test_records_do_not_depend_on_the_order_of_rows(plant: Plant, frame: pl.DataFrame, random: Any) -> None:
    order = random.sample(range(frame.height), frame.height)
    straight = quantify(frame, plant, factor_book(), known_at=KNOWN_AT)
    shuffled = quantify(frame[order], plant, factor_book(), known_at=KNOWN_AT)
    assert [problem.code for problem in straight.problems if problem.severity == "error"] == []
    assert straight.records.equals(shuffled.records)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(activities())
def test_what_comes_in_two_parts_is_what_comes_at_once(plant: Plant, frame: pl.DataFrame) -> None:
    half = frame.height // 2
    parts = [quantify(part, plant, factor_book(), known_at=KNOWN_AT).records for part in (frame[:half], frame[half:])]
    whole = quantify(frame, plant, factor_book(), known_at=KNOWN_AT).records
    assert pl.concat(parts).sort("record_id").equals(whole.sort("record_id"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(activities())
def test_the_lines_of_every_cut_add_up_to_the_total(plant: Plant, frame: pl.DataFrame) -> None:
    records = quantify(frame, plant, factor_book(), known_at=KNOWN_AT).records
    for book in standards().values():
        for regime in [name for name in ("location", "market_annual") if name in book.regimes]:
            totals = set()
            for by in get_args(By):
                result = fold(records, book, regime, by)  # type: ignore[arg-type]
                assert sum(line.emissions_gco2e for line in result.lines) == result.total_gco2e
                assert sum(result.by_gas_gco2e.values()) == result.total_gco2e
                totals.add(result.total_gco2e)
            assert len(totals) == 1
