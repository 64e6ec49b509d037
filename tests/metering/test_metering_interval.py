"""Readings → intervals: registers, interval meters, gauges; resets, roll-overs, late and repeated readings; time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.errors import Misuse
from zerofactory.metering.fill import fill, virtual
from zerofactory.metering.grid import grid, spread
from zerofactory.metering.interval import MeterMonth, to_intervals
from zerofactory.metering.note import QUALITY, notes_frame
from zerofactory.periods import Period
from zerofactory.site.model import Calendar

MONTH = Period(2025, 1)
SLOTS = 31 * 96


def kinds(notes: list[Any]) -> dict[str, int]:
    return {note.kind: note.count for note in notes}


def test_a_register_is_read_as_differences(bench: Any) -> None:
    plant = bench.plant([bench.meter("r", multiplier=40.0)])
    readings = bench.readings(plant, {"r": [100.0 + 0.1 * index for index in range(SLOTS + 1)]})
    month, notes = to_intervals(readings, plant, MONTH)
    assert notes == []
    assert month.amount_milli.shape == (1, SLOTS)
    assert set(month.amount_milli[0].tolist()) == {4000}
    assert set(month.state[0].tolist()) == {1}
    assert month.total_milli("r") == SLOTS * 4000
    assert (month.start, month.interval_minutes) == (datetime(2024, 12, 31, 16, tzinfo=UTC), 15)


def test_the_last_interval_needs_the_first_reading_of_the_next_month(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")])
    month, _ = to_intervals(bench.readings(plant, {"r": list(range(SLOTS))}), plant, MONTH)
    assert month.state[0, -1] == 0
    assert month.state[0, :-1].all()


def test_interval_meters_and_gauges(bench: Any) -> None:
    meters = [
        bench.meter("i", "interval", multiplier=2.0),
        bench.meter("g", "gauge", unit="kW"),
        bench.meter("flow", "gauge", unit="m3/h", carrier="water"),
    ]
    plant = bench.plant(meters)
    month, _ = to_intervals(bench.readings(plant, {"i": [1.25, None, 3], "g": [100.0], "flow": [8]}), plant, MONTH)
    assert month.amount_milli[0, :3].tolist() == [2500, 0, 6000]
    assert month.state[0, :3].tolist() == [1, 0, 1]
    assert month.amount_milli[1, 0] == 25_000
    assert month.amount_milli[2, 0] == 2_000
    assert month.units == ("kWh", "kWh", "m3")


def test_coarser_meters_keep_their_own_grid(bench: Any) -> None:
    meters = [
        bench.meter("fine", "interval"),
        bench.meter("hour", "interval", interval_minutes=60),
        bench.meter("hourly-power", "gauge", unit="kW", interval_minutes=60),
        bench.meter("day", interval_minutes=1440),
    ]
    plant = bench.plant(meters)
    values = {"fine": [1], "hour": [10, 7], "hourly-power": [3], "day": [0, 9.6, None, 28.8]}
    month, _ = to_intervals(bench.readings(plant, values), plant, MONTH)
    assert month.amount_milli[1, :8].tolist() == [2500] * 4 + [1750] * 4
    assert month.amount_milli[2, :4].sum() == 3000
    assert month.amount_milli[3, :96].sum() == 9600
    assert month.state[3, :96].all()
    assert not month.state[3, 96:].any()
    assert (month.bridges.first[0], month.bridges.last[0], month.bridges.amount_milli[0]) == (96, 288, 19_200)
    filled, _ = fill(month, plant)
    assert filled.amount_milli[3, : 3 * 96].sum() == 28_800


def test_readings_off_the_grid_and_of_unknown_meters_are_noted_not_used(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval"), bench.meter("h", "interval", interval_minutes=60)])
    readings = bench.readings(plant, {"i": [1, 1], "h": [5]})
    late = readings.with_columns(pl.col("started_at") + timedelta(minutes=7))
    quarter = readings.filter(pl.col("meter_id") == "h").with_columns(pl.col("started_at") + timedelta(minutes=15))
    stranger = readings.head(1).with_columns(pl.lit("x").alias("meter_id"))
    month, notes = to_intervals(pl.concat([readings, late, quarter, stranger]), plant, MONTH)
    assert month.amount_milli.sum() == 7000
    assert [(note.kind, note.meter, note.count) for note in notes] == [
        ("off_grid", "i", 2),
        ("off_grid", "h", 2),
        ("unknown_meter", None, 1),
    ]


@pytest.mark.parametrize(
    ("maximum", "rollover", "kind", "amount"),
    [(50.0, 1000.0, "rollover", 12), (5.0, 1000.0, "reset", 4), (50.0, None, "reset", 4), (None, None, "reset", 4)],
)
def test_rollover_and_reset(bench: Any, maximum: float | None, rollover: float | None, kind: str, amount: int) -> None:
    plant = bench.plant([bench.meter("r", maximum=maximum, rollover=rollover)])
    month, notes = to_intervals(bench.readings(plant, {"r": [990, 992, 4, 6]}), plant, MONTH)
    assert month.amount_milli[0, :3].tolist() == [2000, amount * 1000, 2000]
    assert month.state[0, :3].tolist() == [1, 3 if kind == "reset" else 1, 1]
    assert [(note.kind, note.count, note.amount) for note in notes] == [(kind, 1, float(amount))]
    assert notes[0].started_at == month.grid.moment(1)


def test_rollover_within_a_gap_uses_the_length_of_the_gap(bench: Any) -> None:
    plant = bench.plant([bench.meter("r", maximum=5.0, rollover=1000.0)])
    month, notes = to_intervals(bench.readings(plant, {"r": [990, 992, None, 4]}), plant, MONTH)
    assert kinds(notes) == {} or kinds(notes) == {"reset": 1}  # 12 in 2 intervals of at most 5: a reset
    month, notes = to_intervals(bench.readings(plant, {"r": [990, 992, None, None, 4]}), plant, MONTH)
    assert kinds(notes) == {"rollover": 1}
    assert month.bridges.amount_milli.tolist() == [12_000]


def test_amounts_out_of_range_are_suspect(bench: Any) -> None:
    plant = bench.plant([bench.meter("r", maximum=5.0), bench.meter("i", "interval", minimum=0.0, maximum=5.0)])
    month, notes = to_intervals(bench.readings(plant, {"r": [0, 5, 11], "i": [5, 6, -1]}), plant, MONTH)
    assert month.state[:, :3].tolist() == [[1, 4, 0], [1, 4, 4]]
    assert [(note.meter, note.count) for note in notes] == [("r", 1), ("i", 2)]


def test_qualities_become_states_and_the_worse_end_counts(bench: Any) -> None:
    plant = bench.plant([bench.meter("r"), bench.meter("i", "interval")])
    readings = bench.readings(plant, {"r": [0, 1, 2, 3], "i": [1, 1, 1, 1]})
    quality = ["measured", "manual", "measured", "suspect", "measured", "manual", "estimated", "suspect"]
    month, _ = to_intervals(readings.with_columns(pl.Series("quality", quality)), plant, MONTH)
    assert month.state[0, :3].tolist() == [2, 2, 4]
    assert month.state[1, :4].tolist() == [1, 2, 3, 4]


def test_the_newest_knowledge_wins(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    first = bench.readings(plant, {"i": [1, 2, 3, 4]}, known_at=datetime(2025, 2, 1, tzinfo=UTC))
    second = bench.readings(plant, {"i": [1, 20, None, 4]}, known_at=datetime(2025, 2, 2, tzinfo=UTC))
    conflict = bench.readings(plant, {"i": [None, None, 7]}, known_at=datetime(2025, 2, 1, tzinfo=UTC))
    both = pl.concat([second, first, conflict])
    month, notes = to_intervals(both, plant, MONTH)
    assert month.amount_milli[0, :4].tolist() == [1000, 20_000, 7000, 4000]
    assert kinds(notes) == {"duplicate": 2, "late": 1, "conflict": 1}
    again, same = to_intervals(both.sample(fraction=1.0, shuffle=True, seed=3), plant, MONTH)
    assert np.array_equal(again.amount_milli, month.amount_milli)
    assert same == notes


def test_a_register_gap_over_the_end_of_a_month_is_shared_exactly(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")])
    start = MONTH.start(plant.time_zone)
    times = [
        start,
        start + timedelta(days=29, hours=3),
        start + timedelta(days=33, hours=5),
        start + timedelta(days=59),
    ]
    values = [0.0, 1000.0, 1777.777, 3000.0]
    readings = pl.DataFrame(
        {"meter_id": ["r"] * 4, "started_at": times, "value": values},
        schema_overrides={"started_at": pl.Datetime("us", "UTC")},
    )
    months = [fill(to_intervals(readings, plant, period)[0], plant)[0] for period in (MONTH, Period(2025, 2))]
    assert sum(month.total_milli("r") for month in months) == 3_000_000
    assert all(month.state.all() for month in months)
    year, _ = fill(to_intervals(readings, plant, Period(2025))[0], plant)
    assert year.total_milli("r") == 3_000_000


def test_a_gap_longer_than_the_month(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")])
    start = MONTH.start(plant.time_zone)
    readings = pl.DataFrame(
        {
            "meter_id": ["r"] * 2,
            "started_at": [start - timedelta(days=1), start + timedelta(days=32)],
            "value": [0.0, 33.0],
        },
        schema_overrides={"started_at": pl.Datetime("us", "UTC")},
    )
    filled, notes = fill(to_intervals(readings, plant, MONTH)[0], plant)
    assert filled.total_milli("r") == 31_000
    assert [(note.kind, note.method) for note in notes] == [("fill", "register_bridge")]


def test_clocks_that_change(bench: Any) -> None:
    spring, autumn = Period(2025, 3), Period(2025, 10)
    plant = bench.plant([bench.meter("r"), bench.meter("d", interval_minutes=1440)], time_zone="Europe/Berlin")
    slots = [period.slots("Europe/Berlin", 15) for period in (spring, autumn)]
    assert slots == [31 * 96 - 4, 31 * 96 + 4]
    for period, count in zip((spring, autumn), slots, strict=True):
        readings = bench.readings(plant, {"r": list(range(count + 1))}, period)
        month, notes = to_intervals(readings, plant, period)
        assert notes == []
        assert month.total_milli("r") == count * 1000
        assert month.state[0].all()
    g = grid(autumn, "Europe/Berlin", 15, Calendar())
    days = pl.DataFrame(
        {
            "meter_id": ["d"] * 32,
            "started_at": [g.moment(int(slot)) for slot in g.midnights],
            "value": [float(10 * day) for day in range(32)],
        },
        schema_overrides={"started_at": pl.Datetime("us", "UTC")},
    )
    month, notes = to_intervals(days, plant, autumn)
    assert notes == []
    assert month.amount_milli[1, g.midnights[25] : g.midnights[26]].sum() == 10_000
    assert g.midnights[26] - g.midnights[25] == 100


def test_misuse_is_told(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")])
    readings = bench.readings(plant, {"r": [1]})
    with pytest.raises(Misuse):
        to_intervals(readings.drop("value"), plant, MONTH)
    with pytest.raises(Misuse):
        to_intervals(readings.with_columns(pl.col("started_at").dt.replace_time_zone(None)), plant, MONTH)
    month, _ = to_intervals(readings, plant, MONTH)
    assert month.row("r") == 0


def test_notes_become_a_sound_table(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")])
    _, notes = to_intervals(bench.readings(plant, {"r": [5, 4, 3, 7]}), plant, MONTH)
    frame = notes_frame(notes, MONTH)
    assert QUALITY.check(frame) == []
    assert frame.equals(notes_frame(list(reversed(notes)), MONTH))


@given(
    amounts=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=9),
    lengths=st.lists(st.integers(1, 50), min_size=9, max_size=9),
)
def test_spreading_keeps_every_sum(amounts: list[int], lengths: list[int]) -> None:
    used = np.array(lengths[: len(amounts)])
    parts = np.split(spread(np.array(amounts), used), np.cumsum(used)[:-1])
    assert [int(part.sum()) for part in parts] == amounts
    assert all(int(part.max() - part.min()) <= 1 for part in parts)


@st.composite
def register_series(draw: st.DrawFn) -> tuple[list[int | None], int, int]:
    """Return readings (gaps in between, ends known), the roll-over, and how often it rolled over."""
    steps = draw(st.lists(st.integers(0, 40), min_size=3, max_size=300))
    start = draw(st.integers(0, 999))
    shown, rolled, value = [start], 0, start
    for step in steps:
        value += step
        if value >= 1000:
            value, rolled = value - 1000, rolled + 1
        shown.append(value)
    keep = draw(st.lists(st.booleans(), min_size=len(shown), max_size=len(shown)))
    readings: list[int | None] = [reading if kept else None for reading, kept in zip(shown, keep, strict=True)]
    longest = 0
    for index in range(1, len(readings) - 1):  # a gap must stay shorter than one turn of the register
        longest = longest + 1 if readings[index] is None else 0
        if longest >= 10:
            readings[index], longest = shown[index], 0
    readings[0], readings[-1] = shown[0], shown[-1]
    return readings, 1000, rolled


@settings(max_examples=60, deadline=None)
@given(series=register_series(), multiplier=st.sampled_from([1.0, 40.0, 0.1, 12_000.0]), seed=st.integers(0, 99))
def test_intervals_of_a_register_add_up_to_last_less_first(
    bench: Any, series: tuple[list[int | None], int, int], multiplier: float, seed: int
) -> None:
    readings, rollover, rolled = series
    plant = bench.plant([bench.meter("r", maximum=40.0, rollover=float(rollover), multiplier=multiplier)])
    frame = bench.readings(plant, {"r": readings})
    month, notes = to_intervals(frame, plant, MONTH)
    filled, _ = fill(month, plant)
    used = len(readings) - 1
    first, last = readings[0], readings[-1]
    assert first is not None
    assert last is not None
    expected = round((last - first + rolled * rollover) * multiplier * 1000)
    assert int(filled.amount_milli[0, :used].sum()) == expected
    assert kinds(notes).get("rollover", 0) == rolled
    assert filled.state[0, :used].all()
    measured = month.state[0] == 1
    assert np.array_equal(filled.amount_milli[0][measured], month.amount_milli[0][measured])
    shuffled, _ = to_intervals(frame.sample(fraction=1.0, shuffle=True, seed=seed), plant, MONTH)
    same(shuffled, month)


@settings(max_examples=40, deadline=None)
@given(
    left=st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=1, max_size=200),
    right=st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=1, max_size=200),
    coefficient=st.integers(1, 5),
)
def test_virtual_meters_are_exact(
    bench: Any, left: list[int | None], right: list[int | None], coefficient: int
) -> None:
    meters = [
        bench.meter("a", "interval"),
        bench.meter("b", "interval"),
        bench.meter("v", "virtual", formula=f"a - {coefficient} * b"),
        bench.meter("w", "virtual", formula="v + b"),
    ]
    plant = bench.plant(meters)
    month, _ = to_intervals(bench.readings(plant, {"a": left, "b": right}), plant, MONTH)
    whole = virtual(month, plant)
    a, b, v, w = (whole.amount_milli[whole.row(name)] for name in "abvw")
    assert np.array_equal(v, a - coefficient * b)
    assert np.array_equal(w, v + b)
    missing = (month.state == 0).any(axis=0)
    assert not whole.state[whole.row("v")][missing].any()
    assert whole.state[whole.row("v")][~missing].all()
    assert virtual(whole, plant) is whole


def same(one: MeterMonth, other: MeterMonth) -> None:
    assert np.array_equal(one.amount_milli, other.amount_milli)
    assert np.array_equal(one.state, other.state)
    assert np.array_equal(one.bridges.amount_milli, other.bridges.amount_milli)


@pytest.mark.parametrize("misread", [0.0, 991.5, 3.0])
def test_one_misread_register_is_bridged_and_never_counted_as_a_reset(bench: Any, misread: float) -> None:
    plant = bench.plant([bench.meter("r")])
    month, notes = to_intervals(bench.readings(plant, {"r": [990, 992, misread, 996, 998]}), plant, MONTH)
    assert month.amount_milli[0, :4].tolist() == [2000, 0, 0, 2000]
    assert month.bridges.amount_milli.tolist() == [4000]
    assert [(note.kind, note.count, note.amount) for note in notes] == [("spike", 1, misread)]
    filled, _ = fill(month, plant)
    assert filled.amount_milli[0, :4].sum() == 8000
