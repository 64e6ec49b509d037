"""Following a workspace: spool and book together are each reading once; the live month is the closed one; ages and marks are told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from zerofactory.connectors.health import write_status
from zerofactory.connectors.sample import Sample, to_us
from zerofactory.connectors.spool import Spool
from zerofactory.errors import FaultyData
from zerofactory.monitoring.live import Figure
from zerofactory.periods import Period
from zerofactory.reference_plant import series
from zerofactory.runs import close, health, import_data, live
from zerofactory.runs.collect import Drain
from zerofactory.runs.context import Context
from zerofactory.runs.live import Asked, Follower
from zerofactory.runs.live_price import prices
from zerofactory.store.schema import QUALITY
from zerofactory.store.workspace import Workspace

Write = Callable[..., Path]
Reopen = Callable[[Context], Context]
Q = 900_000_000
SHANGHAI_US = 8 * 3600 * 1_000_000


def samples(path: Path) -> list[Sample]:
    """Return a file of readings as they would come from devices, in the order of time."""
    frame = pl.read_parquet(path).sort("time", "meter")
    return [
        Sample(meter, to_us(at.replace(tzinfo=UTC)) - SHANGHAI_US, 1_000 + n, value)
        for n, (meter, at, value) in enumerate(frame.iter_rows())
    ]


def figure(look: live.Look, level: str, name: str, carrier: str) -> Figure:
    return next(f for f in look.snapshot.figures if (f.level, f.id, f.carrier) == (level, name, carrier))


def drain(context: Context, spool: Spool) -> None:
    assert Drain(context, spool, context.workspace.folder / "collect", {}, lambda problem: None).all()


def test_nothing_yet_is_told(small: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        Follower(small)
    assert caught.value.problems[0].code == "live.no_readings"


def test_spool_then_book_then_closed_to_the_gram(
    small: Context, reopen: Reopen, write_readings: Write, write_form: Write
) -> None:
    rows = samples(write_readings(3))
    spool = Spool(small.workspace.folder / "collect" / "spool", 1 << 28, 1 << 15)
    spool.write(rows[:100])
    follower = Follower(reopen(small))
    totals = []
    for first in range(100, len(rows), 500):
        spool.write(rows[first : first + 500])
        assert follower.take()
        totals.append(follower.look(("site",)).snapshot.total_gco2e)
        if first % 1500 == 100:
            drain(reopen(small), spool)
    assert totals == sorted(totals)
    assert not follower.take() or follower.look().snapshot.total_gco2e == totals[-1]
    import_data.run(reopen(small), [write_form("diesel,2025-03-01,2025-03-31,1000,L,diesel,invoiced,D-1,")])
    assert follower.take()
    look = follower.look(settle=True)
    assert look.provisional
    assert look.snapshot.is_over
    assert look.snapshot.documents_gco2e > 2_000_000
    spool.close()
    drain(reopen(small), Spool(small.workspace.folder / "collect" / "spool", 1 << 28, 1 << 15))
    fresh = live.once(reopen(small), Asked())
    assert fresh.snapshot.figures == look.snapshot.figures
    closed = close.run(reopen(small), Period(2025, 3))
    assert look.snapshot.total_gco2e == closed[0].total_gco2e
    assert follower.take()
    after = follower.look()
    assert (after.provisional, after.sealed_gco2e) == (False, look.snapshot.total_gco2e)
    assert after.snapshot.total_gco2e == look.snapshot.total_gco2e
    follower.close()


def test_a_new_month_begins_with_its_first_whole_slot_and_keeps_the_reading_at_the_edge(
    small: Context, reopen: Reopen, write_readings: Write
) -> None:
    rows = samples(write_readings(3, 4))
    edge = to_us(Period(2025, 4).start("Asia/Shanghai"))
    march = [row for row in rows if row.started_at_us < edge or (row.meter_id == "G1" and row.started_at_us == edge)]
    april = [row for row in rows if row not in set(march)]
    spool = Spool(small.workspace.folder / "collect" / "spool", 1 << 28, 1 << 20)
    spool.write(march)
    follower = Follower(reopen(small))
    assert follower.live.period == Period(2025, 3)
    assert follower.look().snapshot.is_over
    spool.write(april[:3])
    assert follower.take()
    assert follower.live.period == Period(2025, 4)
    look = follower.look()
    assert figure(look, "meter", "G1", "natural_gas").amount_month == 2.5
    assert (figure(look, "meter", "E1", "electricity").amount_month or 0) > 40.0
    spool.close()
    follower.close()


def test_imports_corrections_and_a_changed_plant_file_are_seen(
    small: Context, reopen: Reopen, write_readings: Write, tmp_path: Path
) -> None:
    import_data.run(reopen(small), [write_readings(3)])
    follower = Follower(reopen(small))
    before = figure(follower.look(), "meter", "E1", "electricity").amount_month
    (tmp_path / "fix.csv").write_text("meter,time,value\nE1,2025-03-05 10:00,900\n", encoding="utf-8")
    later = Context(reopen(small).workspace, datetime(2026, 2, 1, tzinfo=UTC), "test")
    import_data.run(later, [tmp_path / "fix.csv"])
    assert follower.take()
    after = figure(follower.look(), "meter", "E1", "electricity").amount_month
    assert before is not None
    assert after is not None
    assert 830.0 < after - before < 900.0
    path = small.workspace.folder / "factory.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "[nonsense", encoding="utf-8")  # half saved: the follower goes on with what it knows
    assert not follower.take()
    assert figure(follower.look(), "meter", "E1", "electricity").amount_month == after
    path.write_text(text.replace('id = "E1"\n', 'id = "E1"\nmultiplier = 2.0\n'), encoding="utf-8")
    assert follower.take()
    assert figure(follower.look(), "meter", "E1", "electricity").amount_month == pytest.approx(2 * after)
    follower.close()


def test_what_a_register_shows_between_two_readings_runs_on(small: Context, reopen: Reopen) -> None:
    home = small.workspace.folder / "collect"
    start = to_us(Period(2025, 3).start("Asia/Shanghai"))
    spool = Spool(home / "spool", 1 << 20, 1 << 20)
    now = time.time_ns() // 1000
    spool.write(
        [Sample("G1", start, now, 100.0), Sample("G1", start + Q, now + 1, 110.0), Sample("E1", start, now, 8.0)]
    )
    follower = Follower(reopen(small))
    gas = figure(follower.look(), "meter", "G1", "natural_gas")
    assert (gas.amount_month, gas.rate_per_hour) == (10.0, 40.0)
    assert not follower.take()
    write_status(home / "latest.json", {"G1": [start + Q + 300_000_000, 114.0]})
    assert follower.take()
    running = figure(follower.look(), "meter", "G1", "natural_gas")
    assert running.amount_month == 14.0
    assert running.rate_per_hour == 48.0  # 4 Nm3 in five minutes
    assert running.month_gco2e == pytest.approx((gas.month_gco2e or 0) * 1.4, abs=1)
    spool.write([Sample("G1", start + 2 * Q, now + 2, 121.0)])
    assert follower.take()
    assert figure(follower.look(), "meter", "G1", "natural_gas").amount_month in (21.0, 25.0)
    write_status(home / "latest.json", {"G1": [start + Q + 300_000_000, 114.0], "E1": [1, 2.0], "old": [1, 2.0]})
    assert follower.take()
    look = follower.look()
    assert figure(look, "meter", "G1", "natural_gas").amount_month == 21.0
    assert look.age_seconds is not None
    assert 0.0 <= look.age_seconds < 30.0
    spool.close()
    follower.close()


def test_the_stream_says_what_changed_and_whether_it_collects(
    small: Context, reopen: Reopen, write_readings: Write
) -> None:
    home = small.workspace.folder / "collect"
    spool = Spool(home / "spool", 1 << 28, 1 << 20)
    rows = samples(write_readings(3))
    electricity, gas = ([row for row in rows if row.meter_id == name] for name in ("E1", "G1"))
    spool.write([*electricity[:100], *gas[:101]])
    write_status(home / "status.json", {"stopped": False, "at": int(time.time())})
    events = live.events(reopen(small), Asked(every_seconds=0.05))
    first = next(events)
    assert first["event"] == "snapshot"
    totals = first["totals"]
    assert isinstance(totals, dict)
    assert totals["collecting"] is True
    assert totals["provisional"] is True
    spool.write(electricity[100:101])
    second = next(events)
    assert second["event"] == "delta"
    changed = second["rows"]
    assert isinstance(changed, dict)
    assert "meter/E1/electricity" in changed
    assert "meter/G1/natural_gas" not in changed
    assert len(json.dumps(second)) < len(json.dumps(first))
    events.close()  # type: ignore[attr-defined]
    spool.close()


def test_health_of_a_closed_month_is_what_was_booked_about_it(
    small: Context, reopen: Reopen, write_readings: Write
) -> None:
    path = write_readings(3)
    frame = pl.read_parquet(path)
    electric = pl.col("meter") == "E1"
    frame.filter(~(electric & pl.col("time").dt.day().is_in([5, 6])) & ~(electric & (pl.col("time").dt.minute() == 30))).write_parquet(path)  # fmt: skip
    import_data.run(reopen(small), [path])
    running = health.run(reopen(small))
    close.run(reopen(small), Period(2025, 3))
    closed = health.run(reopen(small), Period(2025, 3))
    booked = dict(
        reopen(small).workspace.journal.rows(QUALITY, {"period": "2025-03"}).select("kind", "amount").iter_rows()
    )
    assert closed.collection_fraction == running.collection_fraction == pytest.approx(booked["collection"])
    assert closed.estimated_fraction == running.estimated_fraction > 0.1
    assert [(m.id, m.state, m.slots_measured) for m in closed.meters] == [
        (m.id, m.state, m.slots_measured) for m in running.meters
    ]
    assert closed.as_json()["totals"] == running.as_json()["totals"]
    totals = {one.carrier: one.estimated_fraction for one in closed.totals if one.level == "site"}
    assert totals["electricity"] > 0.25
    assert totals["natural_gas"] == 0.0


def test_prices_are_those_the_plant_names_or_a_reason(small: Context, tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "factory.toml").write_text(series.plant_text(), encoding="utf-8")
    Workspace.create(folder, at=small.at, actor="test")
    found = prices(Context(Workspace.open(folder), small.now, "test"), Period(2025, 3))
    unit, electricity = found.cny_per_unit["electricity"]
    assert unit == "kWh"
    day = electricity.reshape(31, 96)
    assert (day == day[0]).all()  # no sharp peak and no holiday in March
    assert len(set(day[0])) >= 3
    assert day[0][:20].max() < day[0].max()
    unit, gas = found.cny_per_unit["natural_gas"]
    assert (unit, set(gas)) == ("Nm3", {3.6})
    assert "shanghai" in found.source.zh
    none = prices(small, Period(2025, 3))
    assert none.cny_per_unit == {}
    assert none.reason.zh.startswith("无费用")
    assert none.reason.en.startswith("No cost")
