"""One meter looked at closely, and the activities as one looks for them: sums agree with what was read and booked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import readings_of

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import activity_list, close, import_data, meter_view, reverse
from zerofactory.runs.context import Context

Reopen = Callable[[Context], Context]
JANUARY = Period.parse("2025-01")


def with_gap(path: Path) -> Path:
    """Write January with six hours of the interval meter missing and one quarter hour fifteen times its neighbours."""
    frame = readings_of((1,)).with_row_index("n")
    own = pl.col("meter") == "E1"
    frame = frame.filter(~(own & pl.col("n").is_between(960, 983)))
    frame = frame.with_columns(
        pl.when(own & (pl.col("n") == 500)).then(pl.col("value") * 15).otherwise(pl.col("value")).alias("value")
    )
    frame.drop("n").write_parquet(path)
    return path


@pytest.fixture
def read(small: Context, reopen: Reopen, tmp_path: Path) -> Context:
    """Return the small plant with January read, a gap and a spike in it, not closed."""
    import_data.run(small, [with_gap(tmp_path / "gap.parquet")])
    return reopen(small)


def test_an_open_month_shows_its_gap_and_its_spike(read: Context) -> None:
    found = meter_view.run(read, "E1", JANUARY)
    assert (found.by, found.is_closed, len(found.starts), found.slots["missing"]) == ("day", False, 31, 24)
    kinds = {one.kind: one for one in found.noticed}
    assert kinds["gap"].count == 24
    assert kinds["gap"].started_at is not None
    assert kinds["gap"].started_at.astimezone(found.starts[0].tzinfo).date() == date(2025, 1, 11)
    total = sum(value or 0.0 for values in found.amounts.values() for value in values)
    assert total == pytest.approx(found.total)
    raw = pl.read_parquet(read.workspace.folder.parent / "gap.parquet").filter(pl.col("meter") == "E1")["value"]
    assert found.total == pytest.approx(raw.sum())
    assert kinds["spike"].amount == pytest.approx(raw.max())


def test_a_closed_month_shows_what_was_estimated(read: Context, reopen: Reopen) -> None:
    close.run(read, JANUARY)
    found = meter_view.run(reopen(read), "E1", JANUARY)
    assert (found.is_closed, found.slots["missing"], found.slots["estimated"]) == (True, 0, 24)
    assert found.estimated_fraction == pytest.approx(24 / 2976)
    fill = next(one for one in found.noticed if one.kind == "fill")
    assert fill.method is not None
    hours = meter_view.run(reopen(read), "E1", JANUARY, date(2025, 1, 1), 31)
    assert (hours.by, len(hours.starts)) == ("hour", 744)
    estimated = [value for value in hours.amounts["estimated"] if value is not None]
    assert len(estimated) == 6
    assert sum(estimated) == pytest.approx(fill.amount)


def test_a_week_is_shown_by_interval_from_the_day_asked_for(read: Context) -> None:
    found = meter_view.run(read, "G1", JANUARY, date(2025, 1, 6), 7)
    assert (found.by, len(found.starts), found.starts[0].isoformat()) == ("interval", 672, "2025-01-06T00:00:00+08:00")
    assert set(found.amounts["measured"]) == {2.5}
    last = meter_view.run(read, "G1", JANUARY, date(2025, 1, 31), 7)
    assert len(last.starts) == 96  # no further than the month
    assert found.as_json()["starts"][0] == "2025-01-06T00:00:00+08:00"  # type: ignore[index]


def test_what_is_not_there_is_told(read: Context) -> None:
    with pytest.raises(NotFound):
        meter_view.run(read, "E9", JANUARY)
    with pytest.raises(FaultyData) as caught:
        meter_view.run(read, "E1", Period.parse("2024-01"))
    assert "2025-01" in caught.value.problems[0].hint.zh


def test_activities_are_found_by_month_source_origin_and_text(
    read: Context, reopen: Reopen, write_form: Callable[..., Path]
) -> None:
    form = write_form(
        "diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,一月",
        "diesel,2025-02-01,2025-02-28,900,L,diesel,invoiced,D-2,",
    )
    import_data.run(read, [form])
    close.run(reopen(read), JANUARY)
    context = reopen(read)
    every = activity_list.run(context)
    assert [one.period for one in every] == ["2025-02", *["2025-01"] * 3]
    booked = {one.source: one for one in activity_list.run(context, activity_list.Asked("2025-01"))}
    assert set(booked) == {"electricity", "gas-ovens", "diesel"}
    assert (booked["diesel"].by_hand, booked["diesel"].is_sealed, booked["electricity"].by_hand) == (True, True, False)
    assert booked["electricity"].quantity == pytest.approx(meter_view.run(context, "E1", JANUARY).total)
    assert [one.document for one in activity_list.run(context, activity_list.Asked(text="d-2"))] == ["D-2"]
    assert [one.document for one in activity_list.run(context, activity_list.Asked(text="一月"))] == ["D-1"]
    name, path = activity_list.evidence(context, booked["diesel"].evidence or "")
    assert (name, path.read_bytes()) == (form.name, form.read_bytes())
    with pytest.raises(NotFound):
        activity_list.evidence(context, "0" * 64)
    reverse.run(context, "D-2", "错票")
    assert [one.period for one in activity_list.run(reopen(read), activity_list.Asked(source="diesel"))] == ["2025-01"]
