"""Filling gaps: what is measured stays, what is filled is marked and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.metering.fill import fill, shared
from zerofactory.metering.interval import to_intervals
from zerofactory.periods import Period

MONTH = Period(2025, 1)
SLOTS = 31 * 96


def profile() -> list[float]:
    """Return a month that is 10 by day and 2 by night on working days and 1 at weekends (January 2025 starts on a Wednesday)."""
    days = [(day + 2) % 7 for day in range(31)]
    return [1.0 if days[slot // 96] > 4 else (10.0 if 32 <= slot % 96 < 72 else 2.0) for slot in range(SLOTS)]


def test_short_gaps_get_a_line_and_long_ones_similar_days(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    values: list[float | None] = list(profile())
    values[100:104] = [None] * 4
    values[480:672] = [None] * 192  # Monday 6 and Tuesday 7 January
    month, _ = to_intervals(bench.readings(plant, {"i": values}), plant, MONTH)
    filled, notes = fill(month, plant)
    assert filled.amount_milli[0].tolist() == [round(value * 1000) for value in profile()]
    assert set(filled.state[0, 480:672].tolist()) == {3}
    assert [(note.method, note.count) for note in notes] == [("linear", 4), ("similar_day", 192)]
    assert len(filled.bridges) == 0


def test_a_register_gap_keeps_its_total_and_takes_the_shape_of_the_meter(bench: Any) -> None:
    plant = bench.plant([bench.meter("r")])
    register: list[float | None] = [0.0, *np.cumsum(profile()).tolist()]
    register[500:600] = [None] * 100
    month, _ = to_intervals(bench.readings(plant, {"r": register}), plant, MONTH)
    filled, notes = fill(month, plant)
    assert filled.total_milli("r") == round(sum(profile()) * 1000)
    assert [(note.method, note.count) for note in notes] == [("register_bridge", 101)]
    assert np.abs(filled.amount_milli[0] - np.array(profile()) * 1000).max() <= 1


def test_methods_can_be_chosen(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    values: list[float | None] = list(profile())
    values[40:52] = [None] * 12
    month, _ = to_intervals(bench.readings(plant, {"i": values}), plant, MONTH)
    untouched, notes = fill(month, plant, "none")
    assert untouched is month
    assert notes == []
    line, notes = fill(month, plant, "linear")
    assert [note.method for note in notes] == ["linear"]
    similar, notes = fill(month, plant, "similar_day")
    assert [note.method for note in notes] == ["similar_day"]
    assert line.state.all()
    assert similar.state.all()


def test_a_meter_without_any_reading_stays_missing_and_says_so(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval"), bench.meter("silent", "interval")])
    month, _ = to_intervals(bench.readings(plant, {"i": profile()}), plant, MONTH)
    filled, notes = fill(month, plant)
    assert not filled.state[1].any()
    assert [(note.kind, note.meter, note.severity) for note in notes] == [("gap", "silent", "error")]


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 10**5)), min_size=1, max_size=400),
    method=st.sampled_from(["auto", "linear", "similar_day"]),
)
def test_filling_keeps_what_is_there(bench: Any, values: list[int | None], method: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    month, _ = to_intervals(bench.readings(plant, {"i": values}), plant, MONTH)
    before = month.amount_milli.copy()
    filled, notes = fill(month, plant, method)
    kept = month.state != 0
    assert np.array_equal(month.amount_milli, before)
    assert np.array_equal(filled.amount_milli[kept], before[kept])
    assert np.array_equal(filled.state[kept], month.state[kept])
    if kept.any():
        assert set(filled.state[~kept].tolist()) <= {3}
        assert sum(note.count for note in notes if note.kind == "fill") == int((~kept).sum())
    again, more = fill(filled, plant, method)
    assert np.array_equal(again.amount_milli, filled.amount_milli)
    assert [note.kind for note in more] == ([] if kept.any() else ["gap"])


@given(
    total=st.integers(-(10**12), 10**12),
    weights=st.lists(st.floats(0, 1e9), min_size=2, max_size=50),
    data=st.data(),
)
def test_shares_of_a_gap_add_up(total: int, weights: list[float], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(weights) - 2))
    last = data.draw(st.integers(first + 1, len(weights)))
    place, part = shared(np.array([total]), (np.array([first]), np.array([last])), np.array(weights))
    assert place.tolist() == list(range(first, last))
    assert int(part.sum()) == total


@pytest.mark.parametrize("method", ["auto", "linear", "similar_day"])
def test_edges_of_the_month_are_filled_too(bench: Any, method: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    values: list[float | None] = list(profile())
    values[:3], values[-3:] = [None] * 3, [None] * 3
    month, _ = to_intervals(bench.readings(plant, {"i": values}), plant, MONTH)
    filled, _ = fill(month, plant, method)
    assert filled.state.all()
