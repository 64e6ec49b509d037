"""Quality: gaps, flat lines, spikes, closure, collection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zerofactory.metering.fill import fill, runs, virtual
from zerofactory.metering.interval import to_intervals
from zerofactory.metering.note import QUALITY, notes_frame
from zerofactory.metering.quality import assess, check, closure_notes, closures, collection_fraction
from zerofactory.periods import Period

MONTH = Period(2025, 1)
SLOTS = 31 * 96


def busy() -> list[float | None]:
    return np.round(np.random.default_rng(1).uniform(5, 15, SLOTS), 3).tolist()


def found(notes: list[Any], kind: str) -> list[Any]:
    return [note for note in notes if note.kind == kind]


def test_gaps_are_told_run_by_run(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    values = busy()
    values[10:14], values[100:101] = [None] * 4, [None]
    month, _ = to_intervals(bench.readings(plant, {"i": values}), plant, MONTH)
    gaps = found(check(month, plant), "gap")
    assert [(gap.count, gap.started_at) for gap in gaps] == [(4, month.grid.moment(10)), (1, month.grid.moment(100))]


def test_many_gaps_are_told_as_one(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval")])
    values = [value if index % 2 else None for index, value in enumerate(busy())]
    month, _ = to_intervals(bench.readings(plant, {"i": values}), plant, MONTH)
    assert [gap.count for gap in found(check(month, plant), "gap")] == [SLOTS // 2]


def test_flat_lines_are_repeated_values_but_not_zeros(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval"), bench.meter("h", "interval", interval_minutes=60)])
    values = busy()
    values[0:24], values[200:300], values[400:423] = [7.0] * 24, [0.0] * 100, [7.0] * 23
    hours = [float(index % 9 + 1) for index in range(SLOTS // 4)]
    hours[50:57] = [3.3] * 7
    month, _ = to_intervals(bench.readings(plant, {"i": values, "h": hours}), plant, MONTH)
    flat = found(check(month, plant), "flat_line")
    assert [(note.meter, note.count, note.started_at) for note in flat] == [
        ("i", 24, month.grid.moment(0)),
        ("h", 28, month.grid.moment(200)),
    ]


def test_spikes(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval"), bench.meter("mostly-off", "interval")])
    values, off = busy(), [0.0] * SLOTS
    values[77], off[5] = 900.0, 100.0
    month, _ = to_intervals(bench.readings(plant, {"i": values, "mostly-off": off}), plant, MONTH)
    spikes = found(check(month, plant), "spike")
    assert [(note.meter, note.count, note.amount) for note in spikes] == [("i", 1, 900.0), ("mostly-off", 1, 100.0)]


def test_closure_of_the_tree(bench: Any) -> None:
    meters = [
        bench.meter("main", "interval"),
        bench.meter("a", "interval", parent="main", unit="MWh"),
        bench.meter("b", "interval", parent="main"),
        bench.meter("v", "virtual", formula="b", parent="b"),
    ]
    plant = bench.plant(meters)
    values = {"main": [100.0], "a": [0.05], "b": [44.0]}
    month, _ = to_intervals(bench.readings(plant, values), plant, MONTH)
    assert [group.parent for group in closures(month, plant)] == ["main"]
    whole = virtual(month, plant)
    groups = {group.parent: group for group in closures(whole, plant)}
    assert groups["main"].children_amount == 94.0
    assert groups["main"].error_fraction == pytest.approx(0.06)
    assert groups["b"].error_fraction == 0.0
    severity = {note.meter: note.severity for note in closure_notes(whole, plant)}
    assert severity == {"main": "warning", "b": "info"}


def test_collection_and_completeness(bench: Any) -> None:
    plant = bench.plant([bench.meter("auto", "interval"), bench.meter("hand", "interval", automatic=False)])
    half = busy()[: SLOTS // 2]
    month, notes = to_intervals(bench.readings(plant, {"auto": half, "hand": busy()}), plant, MONTH)
    assert collection_fraction(month, plant) == 0.25
    filled, more = fill(month, plant)
    told = [*notes, *more, *assess(month, virtual(filled, plant), plant)]
    assert [note.amount for note in found(told, "completeness")] == [0.75]
    assert [note.amount for note in found(told, "collection")] == [0.25]
    assert QUALITY.check(notes_frame(told, MONTH)) == []


def test_runs() -> None:
    first, last = runs(np.array([False, True, True, False, True]))
    assert (first.tolist(), last.tolist()) == ([1, 4], [3, 5])
    assert len(runs(np.zeros(3, dtype=np.bool_))[0]) == 0
