"""Readings read back: the last hours of one meter across a month's end, sealed and open; totals that match the intervals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.metering.grid import grid
from zerofactory.metering.interval import MeterMonth
from zerofactory.metering.reading import READINGS
from zerofactory.metering.register import no_bridges
from zerofactory.periods import Period
from zerofactory.runs import close, import_data, readings, verify
from zerofactory.runs.context import Context
from zerofactory.runs.intervals import sealed_month
from zerofactory.site.model import Calendar
from zerofactory.store.series import day_rows, in_order

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
FEBRUARY_BEGINS = datetime(2025, 1, 31, 16, tzinfo=UTC)  # midnight in Shanghai


@pytest.fixture
def half(small: Context, write_readings: Writer, reopen: Reopen) -> Context:
    """Return the small plant with two months of readings, the first of them closed."""
    import_data.run(small, [write_readings(1, 2)])
    close.run(reopen(small), Period(2025, 1))
    return reopen(small)


def test_the_last_hours_run_over_the_end_of_a_sealed_month(half: Context) -> None:
    told = readings.of_meter(half, "E1", 6, FEBRUARY_BEGINS + timedelta(hours=3))
    assert told.readings.height == 6 * 4
    assert told.readings["started_at"].to_list() == [
        FEBRUARY_BEGINS - timedelta(hours=3) + timedelta(minutes=15 * step) for step in range(24)
    ]
    slots = np.arange(31 * 96)
    january = np.round(50.0 + 10.0 * np.sin(slots / 96.0 * 2 * np.pi), 3)
    assert told.readings["value"].to_list()[:12] == january[-12:].tolist()
    assert told.as_json()["until"] == "2025-02-01T03:00:00+08:00"


def test_the_newest_version_of_a_reading_is_told(half: Context, tmp_path: Path, reopen: Reopen) -> None:
    path = tmp_path / "again.csv"
    path.write_text("表计,时间,读数\nE1,2025-02-01 00:00,77\n", encoding="utf-8")
    later = Context(half.workspace, half.now + timedelta(hours=1), half.actor)
    import_data.run(later, [path])
    told = readings.of_meter(reopen(half), "E1", 1, FEBRUARY_BEGINS + timedelta(minutes=30))
    values = dict(zip(told.readings["started_at"], told.readings["value"], strict=True))
    assert values[FEBRUARY_BEGINS] == 77.0
    assert told.readings.height == 4


def test_unknown_meters_and_hours_are_told(half: Context) -> None:
    with pytest.raises(NotFound):
        readings.of_meter(half, "E9")
    with pytest.raises(FaultyData, match="above 0"):
        readings.of_meter(half, "E1", 0)
    with pytest.raises(FaultyData, match="Not closed"):
        readings.totals(half, Period(2025, 2))


def test_totals_are_those_of_the_intervals(half: Context) -> None:
    month = sealed_month(half, Period(2025, 1))
    by_month = readings.totals(half, Period(2025, 1))
    for meter, stretch, amount, unit, estimated in by_month.rows.iter_rows():
        assert stretch == "2025-01"
        assert amount == month.total_milli(meter) / 1000
        assert unit == month.units[month.row(meter)]
        assert estimated == 0.0
    by_day = readings.totals(half, Period(2025, 1), "day").rows
    assert by_day.height == 2 * 31
    gas = by_day.filter(pl.col("meter_id") == "G1")["amount"]
    assert gas.to_list() == [96 * 2.5] * 31


def test_totals_without_kept_sums_are_made_from_the_intervals(half: Context) -> None:
    kept = readings.totals(half, Period(2025, 1)).rows
    half.workspace.series.path("sealed/2025-01.r0.days.parquet").unlink()
    assert readings.totals(half, Period(2025, 1)).rows.equals(kept)
    assert verify.run(half).clean


def test_changed_sums_by_day_are_named(half: Context, reopen: Reopen) -> None:
    path = half.workspace.series.path("sealed/2025-01.r0.days.parquet")
    frame = pl.read_parquet(path)
    frame.with_columns(pl.col("amount_milli") + 1).write_parquet(path)
    assert [problem.code for problem in verify.run(reopen(half)).problems] == ["verify.days_file"]


def test_days_are_the_local_days_also_where_the_clock_changes() -> None:
    slots = grid(Period(2025, 3), "Europe/Berlin", 15, Calendar())
    amounts = np.arange(slots.slots, dtype=np.int64)[None, :]
    states = np.ones((1, slots.slots), dtype=np.uint8)
    month = MeterMonth(("E",), ("kWh",), (15,), slots, amounts, states, no_bridges())
    rows = day_rows(month)
    counted = rows.select(pl.sum_horizontal(pl.selectors.ends_with("_slots"))).to_series()
    assert counted.to_list() == [92 if day == 30 else 96 for day in range(1, 32)]
    assert rows["amount_milli"].sum() == int(month.amount_milli.sum())


def test_readings_are_sealed_in_order() -> None:
    rows = [
        {"meter_id": meter, "started_at": datetime(2025, 1, 1, hour, tzinfo=UTC), "known_at": datetime(2025, 2, 1, tzinfo=UTC),
         "value": float(hour), "quality": "measured"}
        for hour in (2, 1) for meter in ("b", "a")
    ]  # fmt: skip
    ordered = in_order(READINGS.frame(rows))
    assert [(row["meter_id"], row["value"]) for row in ordered.to_dicts()] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert in_order(ordered) is ordered
