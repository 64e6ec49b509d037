"""The residual of the calibrated twin as an alarm: an injected load is found and priced, a normal month stays within the promise."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import HEADER, NOW, SMALL_PLANT

from zerofactory.errors import FaultyData
from zerofactory.optimisation.twin.expect import average_run_days, in_common, news, scale_of, sums
from zerofactory.runs import alarms, import_data, reverse, twin_calibrate, twin_expect, twin_file
from zerofactory.runs.context import Context, stamp
from zerofactory.site.calendar import is_workday
from zerofactory.store.workspace import Workspace

STATIONS = ("a", "b", "c", "d", "e")
METER = """
[[meters]]
id = "M-{0}"
name = {{ zh = "{0}", en = "{0}" }}
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "paint"
"""
STATION = """
[[stations]]
id = "{0}"
name = {{ zh = "工位{0}", en = "station {0}" }}
shop = "paint"
cycle = {{ kind = "fixed", mean_s = 60 }}
draws.electricity = {{ power = {{ off = 2, idle = 40, working = 100 }}, meters = ["M-{0}"] }}
"""
SHIFTS = '\n[calendar]\nshifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]\n'
MONTHS = (1, 2, 3, 4, 5)
LEAK_FROM = date(2025, 5, 19)


def _write(folder: Path, leak_fraction: float) -> Context:
    """Return a plant with five months of readings; in the last twelve days of May station c takes more around the clock."""
    folder.mkdir()
    text = SMALL_PLANT + SHIFTS + "".join(METER.format(one) for one in STATIONS)
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    (folder / "twin.toml").write_text("".join(STATION.format(one) for one in STATIONS), encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    plant = Context(Workspace.open(folder), NOW, "test")
    random = np.random.Generator(np.random.PCG64(7))
    frames, documents = [], HEADER
    for month in MONTHS:
        first, last = date(2025, month, 1), date(2025, month + 1, 1)
        days = [first + timedelta(days=n) for n in range((last - first).days)]
        opened = np.zeros(len(days) * 96)
        for window in twin_file.windows(plant.workspace.plant, first, len(days)):
            opened[int(window.start_s / 900) : int(window.end_s / 900)] = 1.0
        pieces = {1: 6000, 2: 7500, 3: 9000, 4: 8200, 5: 7000}[month]
        busy = np.repeat(random.normal(pieces * 60.0 / (opened.sum() * 900.0), 0.03, len(days)), 96)
        times = [datetime(2025, month, 1) + timedelta(minutes=15 * n) for n in range(len(days) * 96)]  # noqa: DTZ001
        for one in STATIONS:
            power = 2.0 * (1 - opened) + opened * (40.0 * (1 - busy) + 100.0 * busy)
            power = power * np.repeat(random.normal(1.0, 0.01, len(days)), 96)
            if one == "c" and month == 5:
                leaking = np.repeat([day >= LEAK_FROM for day in days], 96)
                power = power + leaking * leak_fraction * power.mean()
            frames.append(pl.DataFrame({"meter": f"M-{one}", "time": times, "value": np.round(power / 4.0, 6)}))
        documents += f"vehicles,{first},{last - timedelta(days=1)},{pieces},vehicle,,invoiced,P-{month},\n"
    pl.concat(frames).write_parquet(folder.parent / "r.parquet")
    (folder.parent / "p.csv").write_text(documents, encoding="utf-8")
    import_data.run(plant, [folder.parent / "r.parquet", folder.parent / "p.csv"])
    plant = Context(Workspace.open(folder), NOW, "test")
    done = twin_calibrate.calibrate(plant, twin_calibrate.Asked(("2025-01", "2025-02", "2025-03", "2025-04")))
    twin_expect.save(plant, done)
    return Context(Workspace.open(folder), NOW, "test")


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Return the plant whose station c takes 15 % more from 19 May on."""
    return _write(tmp_path_factory.mktemp("leak") / "plant", 0.15)


def _scan(plant: Context, month: int, *rules: str) -> alarms.Scanned:
    return alarms.scan(plant, alarms.Asked(date(2025, month, 1), date(2025, month + 1, 1), rules or ("twin_residual",)))


def test_the_leak_is_raised_at_its_station_and_priced(leaking: Context, tmp_path: Path) -> None:
    copied = shutil.copytree(leaking.workspace.folder, tmp_path / "plant")
    plant = Context(Workspace.open(Path(copied)), NOW, "test")
    done = _scan(plant, 5)
    assert len([one for one in done.raised if one.row["meter"] != "M-c"]) <= 1, (
        "155 days of places, one in 600 promised"
    )
    [alarm] = [one for one in done.raised if one.row["meter"] == "M-c" and one.row["amount_milli"] > 0]
    row = alarm.row
    started = row["started_at"].astimezone(UTC)
    assert abs((started - datetime(2025, 5, 18, 16, tzinfo=UTC)).days) <= 1
    assert row["ended_at"] == datetime(2025, 5, 31, 16, tzinfo=UTC)
    assert row["energy_wh"] / 1000.0 == pytest.approx(_excess_kwh(leaking), rel=0.15)
    assert row["emissions_gco2e"] > 0
    assert "than the twin expects" in row["message_en"]
    assert _scan(plant, 5).raised == (), "the same days again add nothing"


def _excess_kwh(plant: Context) -> float:
    """Return what station c took more than its twin sister d, which has no leak, in the thirteen days."""
    from zerofactory.runs.profile import meter_month

    month = meter_month(plant, "2025-05")
    rows = [month.amount_milli[month.row(name)].reshape(-1, 96).sum(axis=1)[18:] for name in ("M-c", "M-d")]
    return float((rows[0] - rows[1]).sum()) / 1000.0


def test_normal_months_raise_no_more_than_is_promised(leaking: Context) -> None:
    """The months of the fit and the first days of May: five places, 138 days, one false day in the whole at most."""
    found = [one for month in (2, 3, 4) for one in _scan(leaking, month).raised]
    assert len(found) <= 1
    early = alarms.scan(leaking, alarms.Asked(date(2025, 5, 1), LEAK_FROM, ("twin_residual",)))
    assert len(early.raised) <= 1


def test_a_month_whose_output_is_not_booked_is_judged_all_the_same(leaking: Context, tmp_path: Path) -> None:
    """Without the document of May the usual output is taken; what all stations have in common corrects it."""
    folder = Path(shutil.copytree(leaking.workspace.folder, tmp_path / "plant"))
    assert reverse.run(Context(Workspace.open(folder), NOW, "test"), "P-5", "to come") == 1
    plant = Context(Workspace.open(folder), NOW, "test")
    memory = twin_expect.remembered(folder)
    assert memory is not None
    assert memory.pieces_per_day == pytest.approx((6000 + 7500 + 9000 + 8200) / _worked_days(plant), rel=0.01)
    done = _scan(plant, 5)
    assert [one.row["meter"] for one in done.raised if one.row["amount_milli"] > 0].count("M-c") == 1
    assert len([one for one in done.raised if one.row["meter"] != "M-c"]) <= 1
    rows = np.array([0.1, 0.1, 0.1]), np.array([0.1, 0.12, 0.1]), np.array([0.1, 0.1, 0.4])
    assert in_common(rows).tolist() == pytest.approx([0.1, 0.1, 0.1])


def _worked_days(plant: Context) -> int:
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(120)]
    return sum(is_workday(plant.workspace.plant.calendar, day) for day in days)


def test_without_a_calibration_it_says_so_and_a_spoilt_file_is_named(leaking: Context, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(leaking.workspace.folder, tmp_path / "plant"))
    plant = Context(Workspace.open(folder), NOW, "test")
    (folder / twin_expect.FILE).write_text(json.dumps({"version": 99}), encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin_expect.remembered(folder)
    assert caught.value.problems[0].file == twin_expect.FILE
    told = _scan(plant, 5)
    assert [note.en for note in told.notes] == ["This is no fit that was remembered."]
    (folder / twin_expect.FILE).unlink()
    assert "calibrate --write" in _scan(plant, 5).notes[0].en


def test_run_lengths_are_what_is_promised() -> None:
    """By simulation of days without any fault: the mean time until the sums pass their limit, within five standard errors."""
    assert average_run_days(0.5, 4.0) == pytest.approx(168.0, rel=0.02)  # Montgomery, table 9.3: 168
    random = np.random.Generator(np.random.PCG64(3))
    lengths = []
    for _ in range(250):
        up, down = sums(random.standard_normal(1500), 0.5)
        passed = np.flatnonzero(np.maximum(up, down) > 4.0)
        lengths.append(int(passed[0]) + 1 if len(passed) else 1500)
    assert abs(np.mean(lengths) - 168.0) < 5.0 * np.std(lengths) / len(lengths) ** 0.5


def test_memory_of_days_is_taken_out() -> None:
    """Days that hang together with 0.5: what is new on them does not."""
    random = np.random.Generator(np.random.PCG64(5))
    z = np.zeros(2000)
    for place in range(1, len(z)):
        z[place] = 0.5 * z[place - 1] + random.normal(0.0, 0.02)
    opened, common = np.ones(len(z), dtype=np.bool_), np.zeros(len(z))
    scale = scale_of(z, common, opened, 0.001)
    assert scale.memory == pytest.approx(0.5, abs=0.05)
    found = news(z, common, opened, scale)
    assert np.std(found) == pytest.approx(1.0, abs=0.05)
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.06
