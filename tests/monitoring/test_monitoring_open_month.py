"""The open month: whatever the order of readings, its amounts are those that closing books from the same readings."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerofactory.metering.fill import fill
from zerofactory.metering.interval import ESTIMATED, MEASURED, to_intervals
from zerofactory.metering.reading import QUALITIES
from zerofactory.monitoring.open_month import Incoming, OpenMonth
from zerofactory.periods import Period
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant

MARCH = Period(2025, 3)
METER = '[[meters]]\nid = "{}"\nname = "m"\ncarrier = "electricity"\nshop = "paint"\n{}\n'
TEXT = (
    '[plant]\nid = "t"\nname = "t"\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\n[organisation]\nname = "t"\n'
    '[[shops]]\nid = "paint"\nkind = "paint"\nname = "paint"\n'
    + METER.format(
        "R", 'kind = "register"\nunit = "kWh"\nmultiplier = 40.0\nrollover = 10000.0\nmaximum = 50.0\nminimum = 0.0'
    )
    + METER.format("Q", 'kind = "register"\nunit = "kWh"')
    + METER.format("I", 'kind = "interval"\nunit = "kWh"\nmaximum = 90.0\nminimum = 0.0')
    + METER.format("P", 'kind = "gauge"\nunit = "kW"\nmultiplier = 2.0')
    + METER.format("H", 'kind = "interval"\nunit = "MWh"\ninterval_minutes = 60')
)
Q_US = 900_000_000


@pytest.fixture(scope="module")
def plant() -> Plant:
    made, problems = load_plant(TEXT)
    assert made is not None, problems
    return made


def month_of_readings(plant: Plant, seed: int) -> pl.DataFrame:
    """Return a month with a reset, a roll-over, a misreading, corrections, gaps and values out of bounds."""
    random = np.random.Generator(np.random.PCG64(seed))
    start = round(MARCH.start(plant.time_zone).timestamp()) * 1_000_000
    rows: list[tuple[str, int, int, float, str]] = []
    for meter in plant.meters:
        own = meter.interval_minutes * 60_000_000
        count = 31 * 24 * 60 // meter.interval_minutes + (meter.kind == "register")
        values = np.round(random.uniform(1.0, 40.0, count), 3)
        if meter.kind == "register":
            values = np.round(np.cumsum(values) + 100.0, 3)
            if meter.id == "R":
                values = np.round(values % 10_000.0, 3)
            else:
                values[1500:] -= values[1500] - 3.0  # replaced
                values[700] -= 500.0  # misread
        if meter.id == "I":
            values[40] = 200.0
        kept = random.random(count) > 0.004
        kept[1000 : 1000 + int(random.integers(1, 200))] = False
        for n in np.flatnonzero(kept).tolist():
            quality = QUALITIES[int(random.integers(0, 40) == 0)]
            rows.append((meter.id, start + n * own, 10 + n * 7, float(values[n]), quality))
            if random.random() < 0.01:  # corrected later, or sent twice
                change = float(random.choice([0.0, 0.5]))
                rows.append((meter.id, start + n * own, 10 + n * 7 + 5_000, float(values[n]) + change, "measured"))
    frame = pl.DataFrame(rows, schema=["meter_id", "started_at", "known_at", "value", "quality"], orient="row")
    moment = pl.Datetime("us", "UTC")
    return frame.with_columns(pl.col("started_at").cast(moment), pl.col("known_at").cast(moment))


def incoming(frame: pl.DataFrame, month: OpenMonth) -> Incoming:
    return Incoming(
        np.array([month.row_of[name] for name in frame["meter_id"]], dtype=np.int64),
        frame["started_at"].to_physical().to_numpy(),
        frame["known_at"].to_physical().to_numpy(),
        frame["value"].to_numpy(),
        np.array([QUALITIES.index(name) + 1 for name in frame["quality"]], dtype=np.uint8),
    )


def closing(frame: pl.DataFrame, plant: Plant) -> tuple[np.ndarray, np.ndarray]:
    raw, _ = to_intervals(frame, plant, MARCH)
    done, _ = fill(raw, plant)
    return done.amount_milli, done.state


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), parts=st.integers(1, 400), disorder=st.booleans())
def test_equals_closing_in_any_order(plant: Plant, seed: int, parts: int, disorder: bool) -> None:
    frame = month_of_readings(plant, seed).sort("known_at", maintain_order=True)
    if disorder:
        order = np.argsort(
            np.arange(frame.height) + np.random.Generator(np.random.PCG64(seed)).uniform(0, 60, frame.height)
        )
        frame = frame[order.tolist()]
    month = OpenMonth(plant, MARCH, {"I": np.full(2976, 0.5)})
    for part in np.array_split(np.arange(frame.height), parts):
        month.take(incoming(frame[part.tolist()], month))
        if part.size and part[0] % 7 == 0:
            month.settle()
        assert (month.month_milli == month.amount.sum(axis=1)).all()
        assert (month.estimated_milli == np.where(month.state == ESTIMATED, np.abs(month.amount), 0).sum(axis=1)).all()
    month.settle(everything=True)
    amount, state = closing(frame, plant)
    assert month.horizon == month.grid.slots
    assert (month.state == state).all()
    assert (month.amount == amount).all()
    assert (month.month_milli == amount.sum(axis=1)).all()
    assert month.month_cny[month.row_of["I"]] == pytest.approx(amount[2].sum() / 2000.0, rel=1e-12)


def test_a_silent_meter_is_estimated_as_far_as_the_others_have_come(plant: Plant) -> None:
    frame = month_of_readings(plant, 3)
    half = datetime(2025, 3, 15, tzinfo=UTC)
    early = frame.filter((pl.col("started_at") <= half) | (pl.col("meter_id") != "I"))
    month = OpenMonth(plant, MARCH)
    month.take(incoming(early, month))
    month.settle(everything=True)
    amount, _ = closing(early, plant)
    assert month.amount[month.row_of["I"]].tolist() == amount[2].tolist()
    assert month.estimated_milli[month.row_of["I"]] > 0.3 * month.month_milli[month.row_of["I"]]


def test_a_late_meter_that_comes_after_all_takes_the_place_of_its_estimate(plant: Plant) -> None:
    month = OpenMonth(plant, MARCH, {"I": np.full(2976, 0.5)})
    start, row = month.grid.start_us, month.row_of

    def give(name: str, first: int, last: int, value: float) -> None:
        count = last - first
        month.take(
            Incoming(
                np.full(count, row[name]), start + np.arange(first, last) * Q_US, np.arange(count), np.full(count, value),
                np.ones(count, dtype=np.uint8),
            )
        )  # fmt: skip

    give("I", 0, 10, 3.0)
    give("P", 0, 30, 8.0)
    give("Q", 0, 31, 8.0)
    month.settle()
    assert (month.month_milli[row["I"]], month.estimated_milli[row["I"]]) == (90_000, 60_000)
    for slot in range(10, 30):
        give("I", slot, slot + 1, 4.0)
        month.settle()
        assert month.estimated_milli[row["I"]] < 60_000
    assert (month.month_milli[row["I"]], month.estimated_milli[row["I"]]) == (110_000, 0)
    assert month.month_cny[row["I"]] == pytest.approx(55.0)
    assert (month.state[row["I"], :30] == MEASURED).all()


def test_what_lies_outside_the_month_or_off_the_grid_is_left_out(plant: Plant) -> None:
    month = OpenMonth(plant, MARCH)
    start = month.grid.start_us
    row = month.row_of
    end = start + month.grid.slots * Q_US
    rows = [("I", start - Q_US), ("I", end), ("H", start + Q_US), ("I", start + 1), ("I", start), ("R", end)]
    columns = [np.array([row[name] for name, _ in rows]), np.array([at for _, at in rows])]
    month.take(Incoming(columns[0], columns[1], np.arange(6), np.full(6, 5.0), np.ones(6, dtype=np.uint8)))
    assert month.month_milli.tolist() == [0, 0, 5000, 0, 0]
    closing_reading = month.closing_readings()
    assert (closing_reading.meter.tolist(), closing_reading.value.tolist()) == ([0], [5.0])
