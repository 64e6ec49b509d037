"""Alarms of a workspace: found, priced with the factors of closing, one an episode, and every step kept in the book."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import readings_of

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import alarms, close, import_data
from zerofactory.runs.context import Context
from zerofactory.runs.live_price import prices
from zerofactory.store.schema import RECORDS
from zerofactory.store.workspace import Workspace

Reopen = Callable[[Context], Context]
SETTINGS = '[[rules]]\nrule = "threshold"\nmeters = ["E1"]\nlimit_per_hour = 400.0\n'
NIGHT = datetime(2025, 6, 19, 2)  # noqa: DTZ001  (the plant's clock)
TARIFF = '\n[tariff]\narea = "shanghai"\nscheme = "two_part_large_industry"\nvoltage = "110kV"\ncarry = "2026-08"\n'


@pytest.fixture
def waste(small: Context, reopen: Reopen, tmp_path: Path) -> Context:
    """Return the small plant with half a year; in one June night four hours take 100 kWh a quarter hour more."""
    rows = readings_of((1, 2, 3, 4, 5, 6))
    random = np.random.Generator(np.random.PCG64(2))
    noise = pl.Series(np.round(random.normal(0.0, 0.5, rows.height), 3))
    electric = pl.col("meter") == "E1"
    night = electric & pl.col("time").is_between(NIGHT, NIGHT + timedelta(hours=4), closed="left")
    rows = rows.with_columns(
        pl.when(electric).then(pl.col("value") + noise + 100.0 * night.cast(pl.Float64)).otherwise(pl.col("value")).alias("value")
    )  # fmt: skip
    path = tmp_path / "waste.parquet"
    rows.write_parquet(path)
    import_data.run(small, [path])
    (small.workspace.folder / "alarms.toml").write_text(SETTINGS, encoding="utf-8")
    return reopen(small)


def june(context: Context, *rules: str) -> alarms.Scanned:
    return alarms.scan(context, alarms.Asked(date(2025, 6, 1), date(2025, 7, 1), rules))


def test_the_night_is_found_and_the_limit_is_counted_exactly(waste: Context) -> None:
    done = june(waste)
    found = {one.row["rule"]: one for one in done.raised if one.row["meter"] == "E1"}
    assert {"anomaly", "threshold"} <= set(found)
    row = found["threshold"].row
    start = datetime(2025, 6, 18, 18, tzinfo=UTC)
    assert (row["started_at"], row["ended_at"]) == (start, start + timedelta(hours=4))
    assert row["energy_wh"] == row["amount_milli"]
    assert row["energy_wh"] == pytest.approx(16 * 50_000, rel=0.25)  # some 50 of the 150 kWh a quarter lie above 100
    odd = found["anomaly"].row
    assert odd["energy_wh"] == pytest.approx(16 * 100_000, rel=0.05)
    assert odd["started_at"] == start
    assert len([one for one in done.raised if one.row["rule"] in ("anomaly", "drift")]) <= 2


def test_emissions_are_those_of_closing(waste: Context, reopen: Reopen) -> None:
    [alarm] = june(waste, "threshold").raised
    close.run(reopen(waste), Period(2025, 6), waste.today)
    records = waste.workspace.journal.active(RECORDS, {"period": "2025-06", "source_id": "electricity"})
    booked = records.filter(pl.col("regime").is_in(["any", "location"]) & (pl.col("scope") == 2))
    per_kwh = booked["emissions_gco2e"].sum() / booked["quantity"].unique().sum()
    assert alarm.row["emissions_gco2e"] == pytest.approx(alarm.row["energy_wh"] / 1000 * per_kwh, abs=1.0)


def test_cost_is_empty_with_the_reason_or_by_the_tariff_of_those_hours(waste: Context, reopen: Reopen) -> None:
    [alarm] = june(waste, "threshold").raised
    assert alarm.row["cost_cny"] is None
    assert alarm.row["lacking_zh"]
    path = waste.workspace.folder / "factory.toml"
    path.write_text(path.read_text(encoding="utf-8") + TARIFF, encoding="utf-8")
    again = reopen(waste)
    [odd] = [one for one in june(again, "anomaly").raised if one.row["meter"] == "E1"]
    _, price = prices(again, Period(2025, 6)).cny_per_unit["electricity"]
    first = (18 * 24 + 2) * 4
    assert odd.row["cost_cny"] == pytest.approx(
        odd.row["energy_wh"] / 1000 * price[first : first + 16].mean(), abs=0.01
    )


def test_scanning_again_adds_nothing_and_parts_of_days_become_one_alarm(waste: Context) -> None:
    first = june(waste)
    entries = len(waste.workspace.journal.entries())
    again = june(waste)
    assert first.raised
    assert (again.raised, again.extended) == ((), ())
    assert len(waste.workspace.journal.entries()) == entries


def test_a_longer_look_extends_and_adds_up_to_the_same(waste: Context, reopen: Reopen, tmp_path: Path) -> None:
    settings = waste.workspace.folder / "alarms.toml"
    settings.write_text(SETTINGS.replace("400.0", "100.0"), encoding="utf-8")  # always above
    other = Path(shutil.copytree(waste.workspace.folder, tmp_path / "other"))
    days = date(2025, 6, 2), date(2025, 6, 9), date(2025, 6, 16)
    alarms.scan(waste, alarms.Asked(days[0], days[1], ("threshold",)))
    done = alarms.scan(waste, alarms.Asked(days[0], days[2], ("threshold",)))
    assert (len(done.raised), len(done.extended)) == (0, 1)
    [longer] = alarms.alarms(waste)
    at_once = Context(Workspace.open(other), waste.now, waste.actor)
    [whole] = alarms.scan(at_once, alarms.Asked(days[0], days[2], ("threshold",))).raised
    assert (longer.row["started_at"], longer.row["ended_at"]) == (whole.row["started_at"], whole.row["ended_at"])
    assert longer.alarm_id == whole.alarm_id
    assert longer.row["energy_wh"] == pytest.approx(
        whole.row["energy_wh"], rel=1e-3
    )  # the days are alike but for noise
    assert [step["state"] for step in longer.steps] == ["raised", "extended"]


def test_acknowledge_assign_close_are_all_in_the_book(waste: Context) -> None:
    [alarm] = june(waste, "threshold").raised
    assert alarm.state == "open"
    assert alarms.acknowledge(waste, alarm.alarm_id[:12], "seen").state == "acknowledged"
    given = alarms.assign(waste, alarm.alarm_id, "li.na")
    assert (given.state, given.assignee) == ("assigned", "li.na")
    with pytest.raises(FaultyData):
        alarms.close(waste, alarm.alarm_id, "  ")
    done = alarms.close(waste, alarm.alarm_id, "chiller left on")
    assert done.state == "closed"
    assert [step["state"] for step in done.steps] == ["raised", "acknowledged", "assigned", "closed"]
    assert [one["text"] for one in done.steps] == [None, "seen", None, "chiller left on"]
    with pytest.raises(FaultyData):
        alarms.acknowledge(waste, alarm.alarm_id)
    assert june(waste, "threshold").raised == ()  # the same episode does not come back
    assert alarms.alarms(waste, "active") == []
    assert waste.workspace.journal.check() == []


def test_filters_and_wrong_names(waste: Context) -> None:
    june(waste)
    assert {one.row["rule"] for one in alarms.alarms(waste, None, {"rule": "threshold"})} == {"threshold"}
    assert alarms.alarms(waste, "closed") == []
    with pytest.raises(NotFound):
        alarms.alarms(waste, "done")
    with pytest.raises(NotFound):
        alarms.show(waste, "20990101")
    with pytest.raises(NotFound):
        alarms.scan(waste, alarms.Asked(date(2025, 6, 1), date(2025, 7, 1), ("nothing",)))
    with pytest.raises(NotFound):
        alarms.scan(waste, alarms.Asked(date(2025, 6, 1), date(2025, 7, 1), (), ("E9",)))


def test_days_without_readings_and_faulty_settings_are_told(waste: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        alarms.scan(waste, alarms.Asked(date(2027, 1, 1), date(2027, 2, 1)))
    assert caught.value.problems[0].code == "alarms.no_readings"
    (waste.workspace.folder / "alarms.toml").write_text('[[rules]]\nrule = "x"', encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        june(waste)
    assert caught.value.problems[0].file == "alarms.toml"


def test_a_short_history_says_that_nothing_was_learnt(waste: Context) -> None:
    done = alarms.scan(waste, alarms.Asked(date(2025, 1, 1), date(2025, 2, 1)))
    assert [note.en for note in done.notes] != []
    assert all(one.row["rule"] not in ("anomaly", "drift") for one in done.raised)


def test_watching_while_collecting_tells_each_new_alarm_once(waste: Context) -> None:
    there = Context(waste.workspace, datetime(2025, 6, 19, 4, tzinfo=UTC), "collect")
    told = alarms.watch(there)
    assert told
    assert {problem.code for problem in told} == {"alarms.raised"}
    assert {problem.severity for problem in told} == {"warning"}
    assert alarms.watch(there) == ()
    idle = Context(waste.workspace, datetime(2029, 6, 19, 4, tzinfo=UTC), "collect")
    assert alarms.watch(idle) == ()
