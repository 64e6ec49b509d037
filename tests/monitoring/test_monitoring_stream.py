"""The event stream: a reader that folds events has the snapshot; a version more each time; text forms by the book."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import Text
from zerofactory.monitoring.live import Figure, Snapshot
from zerofactory.monitoring.stream import SNAPSHOT_EVERY, Row, Stream, line, merged, row_of, server_sent

AT = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
FIGURE = Figure(
    "meter", "E1", Text("表", "meter"), "electricity", "kWh", 12.0, 12.0, 1.0, 2.0, 0.5, 1.0, 600, 1200, 0.0, AT
)
EMPTY = Snapshot("2026-01", (), 0, 0, AT, 1_768_000_000_000_000, 5, 4, 1, 0.0, 0, False, Text("", ""), ())


def snapshot(amounts: dict[str, float]) -> Snapshot:
    figures = tuple(replace(FIGURE, id=name, amount_month=amount) for name, amount in amounts.items())
    return replace(EMPTY, figures=figures, total_gco2e=round(sum(amounts.values())))


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 5).map(float)), min_size=1, max_size=30))
def test_folding_the_events_gives_back_every_snapshot(states: list[dict[str, float]]) -> None:
    stream = Stream()
    rows: dict[str, Row] = {}
    for place, state in enumerate(states):
        event = json.loads(line(stream.event(snapshot(state), AT, {"provisional": True})))
        rows = merged(rows, event)
        assert event["version"] == place + 1
        assert rows == {
            f"meter/{name}/electricity": row_of(f) for name, f in zip(state, snapshot(state).figures, strict=True)
        }
        assert event["totals"]["total_gco2e"] == round(sum(state.values()))


def test_only_what_changed_travels_and_a_whole_snapshot_comes_again() -> None:
    stream = Stream()
    stream.event(snapshot({"a": 1.0, "b": 2.0}), AT)
    second = stream.event(snapshot({"a": 1.0, "b": 3.0}), AT)
    assert second["rows"] == {"meter/b/electricity": {"amount_month": 3.0}}
    assert second["gone"] == []
    third = stream.event(snapshot({"b": 3.0}), AT)
    assert (third["rows"], third["gone"]) == ({}, ["meter/a/electricity"])
    for _ in range(SNAPSHOT_EVERY - 3):
        assert stream.event(snapshot({"b": 3.0}), AT)["event"] == "delta"
    assert stream.event(snapshot({"b": 3.0}), AT)["event"] == "snapshot"


def test_server_sent_text_is_one_event_with_one_data_line() -> None:
    text = server_sent(Stream().event(snapshot({"a": 1.0}), AT))
    lines = text.split("\n")
    assert lines[:2] == ["id: 1", "event: snapshot"]
    assert lines[2].startswith("data: {")
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2][6:])["at"] == "2026-01-15T08:30:00Z"
