"""Schedules of a workspace: files read with their faults, carbon saved against time alone, booked by the accounts, read back, judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.optimisation.scheduling.solve import Options
from zerofactory.runs import schedule as run
from zerofactory.runs import schedule_file, schedule_files
from zerofactory.runs.context import Context

QUICK = Options(3.0, repeatable=True)
TOML = """
[schedule]
start = 2025-03-10T06:00:00
tick_minutes = 15
horizon_hours = 12
signals = "signals.csv"

[[machines]]
id = "press"
name = { zh = "压机", en = "press" }
place = "paint"
group = "any"
shifts = [["06:00", "14:00"]]
setups = [{ minutes = 30 }]
rests = [{ name = "idle", power_kw = 10 }]

[[machines]]
id = "oven"
name = { zh = "烘房", en = "oven" }
place = "paint"
"""
JOBS = "job,release,due,weight\nA,,2025-03-10T18:00,1\nB,2025-03-10T07:00,,2\n"
OPERATIONS = """job,operation,family,machine,minutes,power_kw,mode
A,A1,door,any,60,100,fast
A,A1,door,any,90,60,eco
A,A2,,oven,60,200,
B,B1,hood,press,60,100,
B,B2,,oven,120,200,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hours = range(6, 18)
    rows = [f"2025-03-10T{hour:02d}:00+08:00,{0.3 if hour > 12 else 0.9},{400 if hour > 12 else 700}" for hour in hours]
    texts = {
        "schedule.toml": TOML,
        "jobs.csv": JOBS,
        "operations.csv": OPERATIONS,
        "signals.csv": "\n".join(["started_at,price_cny_per_kwh,intensity_gco2e_per_kwh", *rows]) + "\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_file_becomes_the_problem_it_says(small: Context, folder: Path) -> None:
    problem = schedule_file.load(small, folder / "schedule.toml").problem
    assert (problem.horizon, problem.tick_s) == (48, 900)
    assert problem.start.isoformat() == "2025-03-10T06:00:00+08:00"
    first = problem.operations["A1"]
    assert [(mode.machine, mode.duration_ticks, mode.power_kw, mode.name) for mode in first.modes] == [("press", 4, 100.0, "fast"), ("press", 6, 60.0, "eco")]  # fmt: skip
    assert [(w.first, w.last) for w in problem.machine["press"].windows] == [(0, 32)]
    assert problem.machine["press"].setup_ticks["door", "hood"] == 2
    assert (problem.jobs[0].due_tick, problem.jobs[1].release_tick, problem.jobs[1].weight) == (48, 4, 2.0)


def test_carbon_is_saved_booked_and_the_due_date_kept(small: Context, folder: Path) -> None:
    loaded = schedule_file.load(small, folder / "schedule.toml")
    result = run.run(small, loaded, run.Asked({"carbon": 1.0}, {"tardiness": "0"}, options=QUICK))
    assert result.naive is not None
    assert result.naive.schedule is not None
    assert result.answer.schedule is not None
    old, new = result.naive.schedule.measures, result.answer.schedule.measures
    assert new.carbon_gco2e < old.carbon_gco2e
    assert new.tardiness_ticks == 0
    assert result.answer.check is not None
    assert result.answer.check.passed
    assert result.booked is not None
    assert result.booked.bought_kwh == pytest.approx(new.energy_kwh)
    records = result.booked.quantified.records.filter(pl.col("regime") == "location")
    assert result.booked.booked_gco2e == records["emissions_gco2e"].sum()
    told = result.as_json()
    assert told["check"] == []
    assert told["gap_fraction"] is not None


def test_load_adds_up_to_the_energy_of_the_schedule(small: Context, folder: Path) -> None:
    loaded = schedule_file.load(small, folder / "schedule.toml")
    schedule = run.run(small, loaded, run.Asked(options=QUICK)).answer.schedule
    assert schedule is not None
    load = schedule.load(small.now, 15)
    assert load["energy_wh"].sum() == round(schedule.measures.energy_kwh * 1000)
    assert load["kind"].unique().to_list() == ["planned"]
    assert load["level"].unique().to_list() == ["shop"]


def test_what_is_written_reads_back_and_passes(small: Context, folder: Path) -> None:
    loaded = schedule_file.load(small, folder / "schedule.toml")
    result = run.run(small, loaded, run.Asked(options=QUICK))
    files = schedule_files.write(small, result, folder / "out", "zh")
    assert {path.name for path in files} == {"schedule.json", "schedule.csv", "load.parquet", "planned_records.parquet", "gantt.svg", "gantt.png"}  # fmt: skip
    assert (folder / "out" / "gantt.png").read_bytes().startswith(b"\x89PNG")
    rows = schedule_files.read(folder / "out" / "schedule.csv", "Asia/Shanghai")
    made, found, _ = run.judge(small, loaded, rows)
    assert found.passed
    assert result.answer.schedule is not None
    assert made.tasks == result.answer.schedule.tasks
    schedule_files.record(small, result, files)
    assert "schedule" in {entry.kind for entry in small.workspace.journal.entries()}


def test_a_breakdown_is_planned_around(small: Context, folder: Path) -> None:
    loaded = schedule_file.load(small, folder / "schedule.toml")
    first = run.run(small, loaded, run.Asked(options=QUICK)).answer.schedule
    assert first is not None
    change = run.change_of(loaded.problem, "2025-03-10T07:00", ["oven=2025-03-10T07:00/2025-03-10T10:00"], 0.0, 1.0)
    after = run.again(small, loaded, first.rows(), change, run.Asked(options=QUICK)).answer.schedule
    assert after is not None
    assert all(task.start >= 16 for task in after.by_machine["oven"])
    with pytest.raises(NotFound):
        run.breakdown(loaded.problem, "ovem=2025-03-10T07:00/2025-03-10T10:00")


def test_every_fault_of_the_files_is_told_with_its_row(small: Context, folder: Path) -> None:
    (folder / "jobs.csv").write_text("job,release,due,weight\nA,soon,,x\nC,,,1\n", encoding="utf-8")
    (folder / "operations.csv").write_text("job,operation,family,machine,minutes,power_kw,mode\nA,A1,,laser,20,abc,\n", encoding="utf-8")  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        schedule_file.load(small, folder / "schedule.toml")
    places = {(one.file, one.row, one.column) for one in caught.value.problems}
    assert places >= {
        ("jobs.csv", 2, "release"), ("jobs.csv", 2, "weight"), ("jobs.csv", 3, "job"),
        ("operations.csv", 2, "power_kw"), ("operations.csv", 2, "machine"), ("operations.csv", 2, "minutes"),
    }  # fmt: skip


def test_an_unknown_key_and_a_missing_file_are_told(small: Context, folder: Path) -> None:
    (folder / "schedule.toml").write_text(TOML.replace("tick_minutes", "tick"), encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        schedule_file.load(small, folder / "schedule.toml")
    assert "schedule.tick" in {one.column for one in caught.value.problems}
    (folder / "schedule.toml").write_text(TOML, encoding="utf-8")
    (folder / "jobs.csv").unlink()
    with pytest.raises(FaultyData):
        schedule_file.load(small, folder / "schedule.toml")
    with pytest.raises(FaultyData):
        schedule_file.load(small, None)


def test_signals_that_end_too_early_and_goals_without_signals_are_told(small: Context, folder: Path) -> None:
    text = (folder / "signals.csv").read_text(encoding="utf-8").splitlines()
    (folder / "signals.csv").write_text("\n".join(text[:5]) + "\n", encoding="utf-8")
    loaded = schedule_file.load(small, folder / "schedule.toml")
    with pytest.raises(FaultyData) as caught:
        run.run(small, loaded, run.Asked({"cost": 1.0}, options=QUICK))
    assert "schedule.short" in {one.code for one in caught.value.problems}
    none = replace(loaded, signals=None)
    with pytest.raises(FaultyData):
        run.run(small, none, run.Asked({"cost": 1.0}, options=QUICK))


def test_fjs_needs_no_clock_and_no_signals(small: Context, tmp_path: Path) -> None:
    path = tmp_path / "two.fjs"
    path.write_text("2 2\n2 1 1 5 1 2 4\n2 1 2 3 1 1 2\n", encoding="utf-8")
    result = run.run(small, schedule_file.load(small, path), run.Asked(options=QUICK))
    assert result.answer.objective == 9.0
    assert result.booked is None
    assert result.notes == ()
