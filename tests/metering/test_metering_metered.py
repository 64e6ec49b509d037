"""Meters → activities."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.errors import Misuse
from zerofactory.metering.activity import ACTIVITIES, from_meters, largest_remainder
from zerofactory.metering.fill import fill, virtual
from zerofactory.metering.interval import to_intervals
from zerofactory.metering.note import QUALITY, notes_frame
from zerofactory.metering.quality import assess
from zerofactory.metering.reading import READINGS
from zerofactory.periods import Period

MONTH = Period(2025, 1)
SLOTS = 31 * 96


def test_one_row_a_source_and_shop(bench: Any) -> None:
    meters = [
        bench.meter("a", "interval"),
        bench.meter("b", "interval", shop="body"),
        bench.meter("c", "interval", unit="MWh"),
    ]
    sources = [
        bench.source("by-meter", shop=None, meters=("a", "b")),
        bench.source("fixed", shop="body", meters=("a", "c"), item="electricity", detail={"x": 1.0}),
        bench.source("in-mwh", meters=("a",), unit="MWh"),
        bench.source("by-document"),
    ]
    plant = bench.plant(meters, sources)
    values = {name: [1.0] * SLOTS for name in ("a", "b")} | {"c": [0.001] * SLOTS}
    month, _ = to_intervals(bench.readings(plant, values), plant, MONTH)
    frame = from_meters(month, plant)
    assert ACTIVITIES.check(frame) == []
    rows = [(row["source_id"], row["shop"], row["quantity"], row["unit"]) for row in frame.iter_rows(named=True)]
    assert rows == [
        ("by-meter", "paint", 2976.0, "kWh"),
        ("by-meter", "body", 2976.0, "kWh"),
        ("fixed", "body", 5952.0, "kWh"),
        ("in-mwh", "paint", 2.976, "MWh"),
    ]
    first = frame.row(2, named=True)
    assert (first["tier"], first["estimated_fraction"], first["detail"], first["item"]) == (
        "metered",
        0.0,
        '{"x":1.0}',
        "electricity",
    )
    assert (first["started_at"], first["ended_at"]) == (MONTH.start(plant.time_zone), MONTH.end(plant.time_zone))
    assert len(first["evidence"]) == 64


def test_estimates_and_missing_slots_are_said(bench: Any) -> None:
    plant = bench.plant([bench.meter("a", "interval"), bench.meter("b", "interval")], [
        bench.source("a", meters=("a",)), bench.source("b", meters=("b",))
    ])  # fmt: skip
    values: list[float | None] = [2.0] * SLOTS
    values[:744] = [None] * 744
    month, _ = to_intervals(bench.readings(plant, {"a": values}), plant, MONTH)
    raw = from_meters(month, plant).row(0, named=True)
    assert "744" in raw["note"]
    filled, _ = fill(month, plant)
    frame = from_meters(filled, plant)
    assert frame["estimated_fraction"].to_list() == [0.25, 1.0]
    assert frame["tier"].to_list() == ["metered", "estimated"]
    assert frame["quantity"].to_list() == [5952.0, 0.0]


def test_a_year_gives_twelve_months_with_the_same_quantities(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")], [bench.source("s", meters=("r",))])
    year = Period(2025)
    count = year.slots(plant.time_zone, 15)
    readings = bench.readings(plant, {"r": np.cumsum(np.arange(count + 1) % 7).tolist()}, year)
    whole = from_meters(to_intervals(readings, plant, year)[0], plant)
    months = pl.concat([from_meters(to_intervals(readings, plant, month)[0], plant) for month in year.months()])
    assert whole.equals(months)
    assert whole["quantity"].sum() == readings["value"][-1] - readings["value"][0]


def test_activity_ids_follow_the_content(bench: Any) -> None:
    plant = bench.plant([bench.meter("a", "interval")], [bench.source("s", meters=("a",))])
    readings = bench.readings(plant, {"a": [1.0] * SLOTS})
    one, other = (from_meters(to_intervals(frame, plant, MONTH)[0], plant) for frame in (readings, readings.reverse()))
    changed = from_meters(to_intervals(readings.with_columns(value=pl.lit(2.0)), plant, MONTH)[0], plant)
    assert one.equals(other)
    assert one["activity_id"][0] != changed["activity_id"][0]
    json.loads(one["detail"][0])


def test_a_virtual_meter_must_be_there(bench: Any) -> None:
    meters = [bench.meter("a", "interval"), bench.meter("v", "virtual", formula="a")]
    plant = bench.plant(meters, [bench.source("s", meters=("v",))])
    month, _ = to_intervals(bench.readings(plant, {"a": [1.0]}), plant, MONTH)
    with pytest.raises(Misuse):
        from_meters(month, plant)
    assert from_meters(virtual(month, plant), plant)["quantity"].to_list() == [1.0]


@settings(max_examples=40, deadline=None)
@given(
    total=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    paint=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    body=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
)
def test_split_quantities_add_up_exactly(bench: Any, total: list[int], paint: list[int], body: list[int]) -> None:
    meters = [
        bench.meter("t", "interval", shop=None),
        bench.meter("p", "interval"),
        bench.meter("b", "interval", shop="body"),
    ]
    plant = bench.plant(meters, [bench.source("s", shop=None, meters=("t",), split=("p", "b"))])
    readings = bench.readings(plant, {"t": [value / 1000 for value in total], "p": paint, "b": body})
    frame = from_meters(to_intervals(readings, plant, MONTH)[0], plant)
    assert sum(round(quantity * 1000) for quantity in frame["quantity"]) == sum(total)
    if sum(paint) + sum(body):
        share = frame.filter(pl.col("shop") == "paint")["quantity"].sum()
        exact = sum(total) * sum(paint) / (sum(paint) + sum(body)) / 1000
        assert abs(share - exact) <= 0.001
    else:
        assert frame["note"][0]


@given(
    st.integers(-(10**15), 10**15), st.dictionaries(st.text(max_size=3), st.integers(0, 10**12), min_size=1, max_size=9)
)
def test_largest_remainder_is_exact_and_fair(total: int, weights: dict[str, int]) -> None:
    if not sum(weights.values()):
        return
    parts = largest_remainder(total, weights)
    assert sum(parts.values()) == total
    for name, weight in weights.items():
        assert abs(parts[name] * sum(weights.values()) - total * weight) < sum(weights.values())


def test_a_plant_without_meters_or_readings_is_no_trouble(bench: Any) -> None:
    for meters in ([], [bench.meter("r"), bench.meter("i", "interval")]):
        plant = bench.plant(meters)
        month, notes = to_intervals(READINGS.empty(), plant, MONTH)
        filled, more = fill(month, plant)
        whole = virtual(filled, plant)
        told = [*notes, *more, *assess(month, whole, plant)]
        assert QUALITY.check(notes_frame(told, MONTH)) == []
        assert len(from_meters(whole, plant)) == 0
        stray = pl.DataFrame({"meter_id": ["x"], "started_at": [month.start], "value": [1.0]})
        stray = stray.with_columns(pl.col("started_at").cast(pl.Datetime("us", "UTC")))
        assert [note.kind for note in to_intervals(stray, plant, MONTH)[1]] == ["unknown_meter"]
