"""States told by signals: files with codes and words, the line now and since when, power against signal, the twin's failures from the plant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import NOW, SMALL_PLANT
from typer.testing import CliRunner

from zerofactory.cli.main import app
from zerofactory.connectors.health import write_status
from zerofactory.connectors.sample import Sample, to_us
from zerofactory.connectors.spool import Spool
from zerofactory.errors import FaultyData
from zerofactory.optimisation.twin.line import FAILED, STATES
from zerofactory.optimisation.twin.trace import Trace, traced
from zerofactory.periods import Period
from zerofactory.runs import (
    close,
    import_data,
    twin,
    twin_calibrate,
    twin_file,
    twin_last,
    twin_now,
    twin_replay,
    twin_serve,
    verify,
)
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.profile import meter_month
from zerofactory.site.load import plant as load_plant
from zerofactory.store.workspace import Workspace

SIGNAL = """
[[state_signals]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
shop = "paint"
states = {{ 0 = "off", 1 = "warm_up", 2 = "idle", 3 = "standby", 4 = "working", 5 = "blocked", 6 = "failed", 7 = "setup", 9 = "unknown" }}
words = {{ RUN = 4, STOP = 0 }}
holds_minutes = 4320
"""
METER = """
[[meters]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
carrier = "{1}"
kind = "interval"
unit = "{2}"
shop = "paint"
"""
PLANT = (
    SMALL_PLANT
    + METER.format("E-B", "electricity", "kWh")
    + METER.format("N-O", "pieces", "piece")
    + "".join(SIGNAL.format(name) for name in ("S-B1", "S-B2", "S-O"))
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "06:00:00", end = "22:00:00" }]
weekdays = [1, 2, 3, 4, 5, 6, 7]
"""
)
TWIN = """
[[stations]]
id = "booth"
name = { zh = "喷漆室", en = "booth" }
shop = "paint"
machines = 2
cycle = { kind = "uniform", low_s = 120, high_s = 240 }
gives = "b"
signals = ["S-B1", "S-B2"]
failure = { between = { kind = "exponential", mean_s = 99000 }, repair = { kind = "fixed", mean_s = 60 } }
draws.electricity = { power = { off = 2, idle = 40, working = 100 }, meters = ["E-B"] }
[[stations]]
id = "oven"
name = { zh = "烘房", en = "oven" }
shop = "paint"
cycle = { kind = "uniform", low_s = 60, high_s = 120 }
takes = ["b"]
made_meter = "N-O"
signals = ["S-O"]
[[buffers]]
id = "b"
capacity = 6
"""
TRUE = """
failure = { between = { kind = "weibull", mean_s = 7200, shape = 2.2 }, repair = { kind = "exponential", mean_s = 600 } }
"""
FIRST = date(2025, 3, 1)
BEGIN = datetime(2025, 2, 28, 16, tzinfo=UTC)
DAYS = 31


def opened(folder: Path, twin_text: str = TWIN, plant_text: str = PLANT) -> Context:
    """Return a small plant with signals."""
    folder.mkdir()
    (folder / "factory.toml").write_text(plant_text, encoding="utf-8")
    (folder / "twin.toml").write_text(twin_text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


def brought(context: Context, rows: Sequence[tuple[object, object, object]], name: str = "s.csv") -> None:
    """Import rows of meter, time and value."""
    path = context.workspace.folder.parent / name
    path.write_text("meter,time,value\n" + "".join(f"{m},{t},{v}\n" for m, t, v in rows), encoding="utf-8")
    import_data.run(context, [path])


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Trace]:
    """Return a plant with the signals and counts of a month that was run with other failures than its file has, and the trace."""
    context = opened(tmp_path_factory.mktemp("signals") / "plant")
    truth = TWIN.replace(TWIN[TWIN.index("failure =") : TWIN.index("draws.")], TRUE)
    (context.workspace.folder / "twin.toml").write_text(truth, encoding="utf-8")
    line = twin.scheduled(context, twin_file.read(context), FIRST, twin.Asked(FIRST, DAYS, 0, 1))
    (context.workspace.folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    run, told = traced(line, DAYS * 86_400.0, seed=9)
    frames = []
    for machine, name in enumerate(("S-B1", "S-B2", "S-O")):
        rows = told.machines[told.machines["machine"] == machine]
        at = [BEGIN + timedelta(microseconds=round(one * 1e6)) for one in rows["at_s"].tolist()]
        frames.append(pl.DataFrame({"meter": name, "time": at, "value": rows["state"].astype(float)}))
    slots = [BEGIN + timedelta(minutes=15 * slot) for slot in range(DAYS * 96)]
    made = run.counts[1, :, 0].astype(float)
    frames.append(pl.DataFrame({"meter": "N-O", "time": slots, "value": made}))
    path = context.workspace.folder.parent / "lived.parquet"
    pl.concat(frames).write_parquet(path)
    import_data.run(context, [path])
    return Context(Workspace.open(context.workspace.folder), NOW, "test"), told


def test_the_state_and_since_when_are_those_of_the_machine(lived: tuple[Context, Trace]) -> None:
    context, told = lived
    rows = told.machines[told.machines["machine"] == 2]
    rows = rows[np.append(np.diff(np.rint(rows["at_s"] * 1e6)) > 0, True)]  # what lasts no time is no state
    rows = rows[np.append(True, np.diff(rows["state"]) != 0)]
    watcher = twin_now.Watcher(context, "replay")
    rng = np.random.default_rng(2)
    for second in rng.integers(86_400, DAYS * 86_400, 12).tolist():
        at = BEGIN + timedelta(seconds=second)
        one = watcher.look(at).station("oven")
        place = int(np.searchsorted(rows["at_s"], second, side="right")) - 1
        assert (one.state, one.source, one.probability) == (STATES[rows["state"][place]], "signal", None)
        assert one.since == BEGIN + timedelta(microseconds=round(float(rows["at_s"][place]) * 1e6))
        assert one.quality == "good"
        assert one.power_quality == "unmetered"
    found = watcher.look(BEGIN + timedelta(days=2, hours=12)).station("booth")
    states = [STATES[int(mine["state"][np.searchsorted(mine["at_s"], 2.5 * 86_400, side="right") - 1])]
              for k in (0, 1) if len(mine := told.machines[told.machines["machine"] == k])]  # fmt: skip
    assert found.signals == {"S-B1": states[0], "S-B2": states[1]}
    assert found.state in states
    watcher.close()


def test_the_twins_failures_come_from_the_plant(lived: tuple[Context, Trace], tmp_path: Path) -> None:
    context, told = lived
    done = twin_calibrate.calibrate(context, twin_calibrate.Asked(("2025-03",)))
    assert [one.place for one in done.signals] == ["booth", "oven"]
    booth, oven = done.signals
    counted = sum(int((told.machines[told.machines["machine"] == k]["state"] == FAILED).sum()) for k in (0, 1))
    assert booth.between is not None
    assert booth.repair is not None
    assert booth.between.ends == counted
    assert booth.between.kind == "weibull"
    assert booth.between.mean_s.low <= 7200.0 <= booth.between.mean_s.high
    assert booth.between.shape is not None
    assert booth.between.shape.low <= 2.2 <= booth.between.shape.high
    assert booth.repair.kind == "exponential"
    assert booth.repair.mean_s.low <= 600.0 <= booth.repair.mean_s.high
    assert booth.shares["blocked"].mean + booth.shares["working"].mean > 0.5
    assert sum(one.mean for one in oven.shares.values()) == pytest.approx(1.0)
    assert oven.known_fraction == pytest.approx(1.0)
    assert oven.cycle_s is not None
    assert oven.cycle_s.low <= 90.0 <= oven.cycle_s.high
    assert oven.between is None
    assert any("没有故障" in one.zh for one in oven.notes)
    path = twin_calibrate.write(context, done)
    assert path is not None
    assert path.name == "twin.signals.csv"
    stations = {one.id: one for one in twin_file.read(context).line.stations}
    failure = stations["booth"].failure
    assert failure is not None
    assert (failure.between.kind, failure.repair.kind) == ("weibull", "exponential")
    assert failure.between.average_s == pytest.approx(booth.between.mean_s.mean, rel=1e-5)
    assert failure.between.shape == pytest.approx(booth.between.shape.mean, rel=1e-5)
    assert stations["oven"].cycle.average_s == pytest.approx(oven.cycle_s.mean, rel=1e-5)
    assert stations["oven"].cycle.high_s == pytest.approx(2.0 * stations["oven"].cycle.low_s)
    assert stations["oven"].failure is None
    again = twin_calibrate.calibrate(context, twin_calibrate.Asked(("2025-03",)))
    assert again.signals[0].as_json() == booth.as_json()
    shown = CliRunner().invoke(app, ["twin", "calibrate", "--month", "2025-03", "-w", str(context.workspace.folder)])
    assert shown.exit_code == 0, shown.output
    assert "威布尔" in shown.output
    assert max(len(line) for line in shown.output.splitlines()) <= 100
    (context.workspace.folder / "twin.signals.csv").write_text("place,quantity,kind,value,low,high\nbooth,cycle_s,,-1,0,0\nbooth,x,,1,1,1\n", encoding="utf-8")  # fmt: skip
    with pytest.raises(FaultyData) as refused:
        twin_file.read(context)
    assert [one.row for one in refused.value.problems] == [2, 3]
    (context.workspace.folder / "twin.signals.csv").unlink()


def test_failures_keep_their_clock_and_are_fitted_by_it(lived: tuple[Context, Trace]) -> None:
    context, _ = lived
    file = context.workspace.folder / "twin.toml"
    by_work = twin_calibrate.calibrate(context, twin_calibrate.Asked(("2025-03",))).signals[0]
    counted = TWIN.replace("mean_s = 60 } }", 'mean_s = 60 }, clock = "open", repairers = { pool = "crew" } }')
    file.write_text(counted + '[[pools]]\nid = "crew"\nnumber = 1\n', encoding="utf-8")
    done = twin_calibrate.calibrate(context, twin_calibrate.Asked(("2025-03",)))
    booth = done.signals[0]
    assert booth.clock == "open"
    assert booth.between is not None
    assert by_work.between is not None
    assert booth.between.ends == by_work.between.ends
    assert (
        booth.between.mean_s.mean != by_work.between.mean_s.mean
    )  # a piece begun before the shift closed ages nothing after it
    twin_calibrate.write(context, done)
    failure = twin_file.read(context).line.stations[0].failure
    assert failure is not None
    assert (failure.clock, failure.repairers, failure.repair.average_s) == ("open", ("crew", 1), 60.0)
    assert failure.between.average_s == pytest.approx(booth.between.mean_s.mean, rel=1e-5)
    file.write_text(TWIN, encoding="utf-8")  # by the other clock nothing was fitted
    failure = twin_file.read(context).line.stations[0].failure
    assert failure is not None
    assert (failure.clock, failure.between.average_s) == ("working", 99000.0)
    (context.workspace.folder / "twin.signals.csv").unlink()


def test_shifts_follow_the_clock_on_the_wall_through_summer_time(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", plant_text=PLANT.replace("Asia/Shanghai", "Europe/Berlin"))
    rows = [
        ("S-O", f"2025-03-{day:02d} {hour}:00", word)
        for day in range(26, 32)
        for hour, word in (("06", "RUN"), ("22", "STOP"))
    ]
    brought(context, rows)  # summer time begins on the 30th
    (oven,) = twin_calibrate.calibrate(context, twin_calibrate.Asked(("2025-03",))).signals
    assert list(oven.shares) == ["working"]
    assert oven.shares["working"].mean == pytest.approx(1.0)


def test_months_with_signals_close_and_verify_as_without(tmp_path: Path, write_readings: Callable[..., Path]) -> None:
    """Codes are kept and sealed with the month, and are no amounts: figures and notes are those of the same plant without them."""
    rows = [("E-B", f"2025-01-{day:02d} {hour:02d}:{minute:02d}", 10) for day in range(1, 32) for hour in range(24) for minute in (0, 15, 30, 45)]  # fmt: skip
    rows += [("N-O", when, 1) for _, when, _ in rows]
    own, sealed = write_readings(1), []
    for name, extra in (("with", [("S-O", "2025-01-03 08:00:01.5", 4), ("S-O", "2025-01-31 23:59:59", 0)]), ("without", [])):  # fmt: skip
        (tmp_path / name).mkdir()
        context = opened(tmp_path / name / "plant")
        import_data.run(context, [own])
        brought(context, [*rows, *extra])
        (closed,) = close.run(context, Period.parse("2025-01"))
        context = Context(Workspace.open(context.workspace.folder), NOW, "test")
        month = meter_month(context, "2025-01")
        assert "S-O" not in month.meter_ids
        seal = context.workspace.seal_of("2025-01")
        assert seal is not None
        notes = [one.sentence("en") for one in closed.warnings]
        sealed.append((seal["total_gco2e"], month.meter_ids, month.amount_milli.tolist(), month.state.tolist(), notes))
        assert [one for one in verify.run(context).problems if one.severity == "error"] == []
        if extra:
            found = twin_now.now(context, datetime(2025, 1, 31, 16, 0, 30, tzinfo=UTC)).station("oven")
            assert (found.state, found.since) == ("off", datetime(2025, 1, 31, 15, 59, 59, tzinfo=UTC))
    assert sealed[0] == sealed[1]


def test_every_unknown_code_is_told_with_its_row(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant")
    with pytest.raises(FaultyData) as refused:
        brought(context, [("S-B1", "2025-03-04 06:00:01", "RUN"), ("S-B1", "2025-03-04 06:10", "RUNN"), ("S-B1", "2025-03-04 06:20", 8),
                          ("S-O", "2025-03-04 06:30", 4.5), ("S-O", "2025-03-04 06:40", 4.5)])  # fmt: skip
    told = [(one.code, one.row, one.file) for one in refused.value.problems]
    assert told == [("metering.unknown_code", row, "s.csv") for row in (3, 4, 5)]
    assert "RUNN" in refused.value.problems[0].message.zh
    assert "2 行" in refused.value.problems[2].message.zh
    path = tmp_path / "unit.csv"
    path.write_text("meter,time,value,unit\nS-O,2025-03-04 06:30,4,kWh\n", encoding="utf-8")
    with pytest.raises(FaultyData) as refused:
        import_data.run(context, [path])
    assert [one.code for one in refused.value.problems] == ["metering.wrong_unit"]


def test_of_rows_at_one_moment_the_last_holds_and_that_is_said(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant")
    path = tmp_path / "log.csv"
    path.write_text("表计,时间,数值\nS-O,2025-03-04 06:00:01,STOP\nS-O,2025-03-04 06:00:01,RUN\n", encoding="utf-8")
    (done,) = import_data.run(context, [path])
    assert [one.code for one in done.warnings] == ["metering.same_moment"]
    found = twin_now.now(context, datetime(2025, 3, 3, 22, 30, tzinfo=UTC)).station("oven")
    assert found.state == "working"


def test_a_wide_file_names_a_signal_by_its_mapping(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant")
    (tmp_path / "wide.csv").write_text("when,oven,kwh\n2025-03-04 06:00:01,RUN,\n2025-03-04 06:30:00,,12\n", encoding="utf-8")  # fmt: skip
    (tmp_path / "m.toml").write_text(
        '[time]\ncolumn = "when"\nlabel = "end"\n[[columns]]\ncolumn = "oven"\nmeter = "S-O"\n[[columns]]\ncolumn = "kwh"\nmeter = "E-B"\n',
        encoding="utf-8",
    )
    import_data.run(context, [tmp_path / "wide.csv"], mapping=tmp_path / "m.toml")
    rows = context.workspace.series.read(context.workspace.open_segments()).sort("meter_id")
    assert rows["started_at"].to_list() == [
        datetime(2025, 3, 3, 22, 15, tzinfo=UTC),
        datetime(2025, 3, 3, 22, 0, 1, tzinfo=UTC),
    ]


def quarter_hours(day: str, first: int, powers_kw: Sequence[float]) -> list[tuple[object, object, object]]:
    """Return readings of the booth's meter from a quarter hour of the day on."""
    return [("E-B", f"{day} {(first + n) // 4:02d}:{(first + n) % 4 * 15:02d}", kw / 4.0) for n, kw in enumerate(powers_kw)]  # fmt: skip


def test_power_that_contradicts_the_signal_is_said_and_the_signal_wins(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", TWIN.replace('["S-B1", "S-B2"]', '["S-B1"]'))
    brought(context, [*quarter_hours("2025-03-04", 32, [200.0, 200.0, 80.0, 79.0, 200.0]),
                      ("S-B1", "2025-03-04 07:59:58", "STOP"), ("S-B1", "2025-03-04 08:15", "RUN"), ("S-B1", "2025-03-04 08:30", 6)])  # fmt: skip
    at = datetime(2025, 3, 4, 0, 15, tzinfo=UTC)  # 08:15 on the plant's clock: the interval is that of STOP
    one = twin_now.now(context, at).station("booth")
    assert (one.state, one.since, one.power_kw) == ("working", at, 200.0)
    assert one.disagreement is not None
    assert "停机" in one.disagreement.zh
    later = twin_now.now(context, at + timedelta(minutes=15)).station("booth")
    assert later.disagreement is None
    assert later.expected_kw == pytest.approx(200.0)
    failed = twin_now.now(context, at + timedelta(minutes=45)).station("booth")
    assert (failed.state, failed.expected_kw, failed.disagreement) == ("failed", 80.0, None)
    seen = twin_now.now(context, at + timedelta(minutes=61))
    assert seen.station("booth").disagreement is not None
    assert any("喷漆室" in note.zh and "故障" in note.zh for note in seen.notes)


def test_a_signal_too_old_or_unknown_tells_no_state_and_the_power_does(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", TWIN.replace('["S-B1", "S-B2"]', '["S-B1"]'))
    brought(context, [*quarter_hours("2025-03-08", 32, [200.0] * 4), ("S-B1", "2025-03-04 08:00", "STOP"), ("S-O", "2025-03-08 08:00", 9)])  # fmt: skip
    seen = twin_now.now(context, datetime(2025, 3, 8, 1, tzinfo=UTC))
    booth, oven = seen.station("booth"), seen.station("oven")
    assert (booth.state, booth.source, booth.signals) == ("working", "power", {"S-B1": None})
    assert (oven.state, oven.source, oven.quality, oven.signals) == (None, None, "stale", {"S-O": None})
    assert any("S-B1" in note.zh and "S-O" in note.zh for note in seen.notes)
    still = twin_now.now(context, datetime(2025, 3, 7, 0, tzinfo=UTC)).station("booth")
    assert (still.state, still.source) == ("off", "signal")  # three days, as holds_minutes has it


def test_live_takes_what_the_collector_has_and_what_it_last_saw(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", TWIN.replace('["S-B1", "S-B2"]', '["S-B1"]'))
    now = datetime(2025, 3, 4, 2, 0, tzinfo=UTC)
    context = replace(context, now=now)
    brought(context, [("S-B1", "2025-03-04 08:00", "RUN"), *quarter_hours("2025-03-04", 36, [80.0] * 4)])
    home = context.workspace.folder / "collect"
    home.mkdir()
    spool = Spool(home / "spool", 1 << 20, 1 << 16)
    changed = to_us(now) - 90_000_000
    spool.write([Sample("S-B1", changed, changed, 6.0)])
    write_status(home / "latest.json", {"S-B1": [to_us(now) - 1_000_000, 6.0], "S-O": [to_us(now) - 5_000_000, 4.0]})
    watcher = twin_now.Watcher(context, "live")
    seen = watcher.look(now)
    booth = seen.station("booth")
    assert (booth.state, booth.since) == ("failed", now - timedelta(seconds=90))
    assert (booth.power_kw, booth.power_quality) == (80.0, "good")
    assert booth.signal_at == now - timedelta(seconds=1)
    assert (seen.station("oven").state, seen.source) == ("working", "live")
    watcher.close()
    spool.close()
    eye = twin_last.Eye(replace(context, now=now + timedelta(days=30)))
    past = eye.look(replace(context, now=now + timedelta(days=30)))
    assert past.station("booth").state == "working"  # of the book: the newest reading there
    eye.close()


def test_faults_of_signals_are_told_together(tmp_path: Path) -> None:
    broken = PLANT.replace('4 = "working"', '4 = "wrking"').replace("STOP = 0", "STOP = 17").replace('id = "S-O"', 'id = "E-B"')  # fmt: skip
    nothing, problems = load_plant(broken + SIGNAL.format("S-X").replace("0 =", "-1 =").replace("holds_minutes = 4320", "holds_minutes = 0"))  # fmt: skip
    assert nothing is None
    codes = [one.code for one in problems]
    assert codes.count("site.unknown_state") == 3
    assert codes.count("site.bad_code") == 5
    assert codes.count("site.repeated_id") == 1
    assert codes.count("site.out_of_range") == 1
    assert all(one.row for one in problems)
    context = opened(tmp_path / "plant", TWIN.replace('["S-B1", "S-B2"]', '["S-B1", "S-Q", "S-O"]'))
    with pytest.raises(FaultyData) as refused:
        twin_file.read(context)
    assert sorted(one.code for one in refused.value.problems) == ["twin_file.name", "twin_file.signal_count", "twin_file.signal_twice"]  # fmt: skip


def test_a_scenario_may_have_another_machine_than_those_that_tell_their_state(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant")
    changed = twin_file.read(context, {"stations": {"booth": {"machines": 3}}})
    assert changed.line.stations[0].machines == 3


def test_without_signals_nothing_is_different(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", "\n".join(line for line in TWIN.splitlines() if "signals" not in line))
    brought(context, quarter_hours("2025-03-04", 32, [200.0, 200.0]))
    one = twin_now.now(context, datetime(2025, 3, 4, 0, 30, tzinfo=UTC)).station("booth")
    assert (one.state, one.source, one.signals, one.disagreement) == ("working", "power", {}, None)
    assert one.probability is not None
    with pytest.raises(FaultyData) as refused:
        twin_calibrate.calibrate(context, twin_calibrate.Asked(("2025-03",)))
    assert [one.code for one in refused.value.problems] == ["twin.few_months"]


def test_opc_ua_tells_the_signalled_state_its_source_and_when_it_came(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", TWIN.replace('["S-B1", "S-B2"]', '["S-B1"]').replace('made_meter = "N-O"', ""))
    brought(context, [*quarter_hours("2025-03-04", 32, [80.0]), ("S-B1", "2025-03-04 08:03:20", "6"), ("S-O", "2025-03-04 08:00", "RUN")])  # fmt: skip
    watcher = twin_now.Watcher(context, "replay")
    root = twin_serve.space(context, watcher.twin, counted=False)
    (paint,) = [one for one in root.places if one.name == "paint"]
    names = {one.name: [variable.name for variable in one.variables] for one in paint.places}
    assert names["oven"] == ["State", "StateSource", "StateNumber", "MachineryItemState", "Since", "MadeToday", "MadeTodayIs"]  # fmt: skip
    at = datetime(2025, 3, 4, 4, tzinfo=UTC)
    told = twin_serve.values(watcher.look(at), watcher.twin, 1.0)
    watcher.close()
    came = datetime(2025, 3, 4, 0, 3, 20, tzinfo=UTC)
    assert [told[f"station.booth.{name}"].value for name in ("State", "StateSource", "StateNumber", "MachineryItemState", "Since")] == ["failed", "signal", 6, "OutOfService", came]  # fmt: skip
    assert (told["station.booth.State"].at, told["station.booth.State"].status) == (came, "good")
    assert (told["station.booth.Power"].value, told["station.booth.Power"].status) == (None, "bad")  # four hours old
    assert told["station.oven.State"].value == "working"
    assert told["station.oven.MadeToday"].value == round(4 * 3600 / 90)


def test_a_day_gone_by_is_replayed_at_the_instants_of_the_signal(tmp_path: Path) -> None:
    context = opened(tmp_path / "plant", TWIN.replace('["S-B1", "S-B2"]', '["S-B1"]'))
    brought(context, [*quarter_hours("2025-03-04", 0, [200.0] * 96), ("S-B1", "2025-03-03 22:00", "STOP"), ("S-B1", "2025-03-04 06:00:05", "RUN"),
                      ("S-B1", "2025-03-04 09:01:30", 6), ("S-B1", "2025-03-04 09:04", "RUN"), ("S-B1", "2025-03-04 22:00", "STOP")])  # fmt: skip
    found = twin_replay.replay(context, twin_replay.Asked(date(2025, 3, 4), source="readings"))
    mine = found.moves.where(found.moves.track == 0)
    assert STATES[found.start[0]] == "off"
    assert mine.at_s.tolist() == [6 * 3600 + 5.0, 9 * 3600 + 90.0, 9 * 3600 + 240.0, 22 * 3600.0]
    assert [STATES[state] for state in mine.value] == ["working", "failed", "working", "off"]
