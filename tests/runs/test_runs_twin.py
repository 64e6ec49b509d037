"""The twin of a workspace: built from factory.toml, accounted as a real week is, fitted to readings, compared with what-ifs."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import HEADER, NOW, SMALL_PLANT

from zerofactory.errors import FaultyData
from zerofactory.metering.activity_table import ACTIVITIES
from zerofactory.optimisation.twin.rhythm import CLOSED, Rhythm
from zerofactory.runs import import_data, profile, twin, twin_calibrate, twin_compare, twin_file
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

PLANT = (
    SMALL_PLANT
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]

[[lines]]
id = "booth"
name = { zh = "喷漆室", en = "booth" }
shop = "paint"

[[sources]]
id = "output"
kind = "production_output"
name = { zh = "产量", en = "output" }
shop = "paint"
"""
)
TWIN = """
output_source = "output"
[[stations]]
line = "booth"
cycle = { kind = "fixed", mean_s = 60 }
gives = "b"
draws.electricity = { power = { off = 2, idle = 40, working = 100 }, meters = ["E1"] }
[[stations]]
id = "oven"
name = { zh = "烘房", en = "oven" }
shop = "paint"
cycle = { kind = "exponential", mean_s = 50 }
takes = ["b"]
draws.natural_gas = { power = { off = 0, idle = 5, working = 8 } }
[[buffers]]
id = "b"
capacity = 5
"""
WEEK = twin.Asked(date(2025, 1, 6), days=2, warm_up_days=1, runs=3, seed=4)


@pytest.fixture
def plant(tmp_path: Path) -> Context:
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


def test_the_week_is_accounted_as_a_real_one(plant: Context) -> None:
    found = twin.run(plant, WEEK)
    assert found.output.runs == 3
    assert found.output.low <= found.output.mean <= found.output.high
    one = found.usages[0]
    assert found.energy["electricity"].mean == pytest.approx(
        np.mean([u.total("electricity", found.skip) for u in found.usages])
    )
    world = twin.World(plant.workspace.plant, plant.workspace.factor_book, 2025)
    grams = world.emitted(twin.quantities(world, one, found.skip))
    per_kwh = world.emitted({item: 1e6 for item in twin.quantities(world, one, found.skip) if item.unit == "kWh"})
    assert grams[2] == pytest.approx(one.total("electricity", found.skip) * per_kwh[2] / 1e6, rel=1e-6)
    assert found.paired["kgco2e"][0] == pytest.approx(sum(grams.values()) / 1000.0)
    assert json.loads(json.dumps(found.as_json()))["bottleneck"] in ("booth", "oven")


def test_same_seed_same_week_and_more_runs_narrow_the_interval(plant: Context) -> None:
    again = twin.run(plant, WEEK)
    assert again.paired == twin.run(plant, WEEK).paired
    more = twin.run(plant, twin.Asked(WEEK.first, 2, 1, 12, seed=4))
    assert more.paired["output"][:3] == again.paired["output"]
    assert more.output.half < again.output.half


def test_readings_of_the_twin_can_be_imported(plant: Context, tmp_path: Path) -> None:
    found = twin.run(plant, twin.Asked(date(2025, 1, 6), days=3, warm_up_days=0, runs=1))
    file = tmp_path / "twin.csv"
    rows = twin.readings(found, file)
    assert set(twin.unmetered(found)) == {"natural_gas"}
    assert rows == 3 * 96
    with file.open(encoding="utf-8", newline="") as opened:
        total = sum(float(row["value"]) for row in csv.DictReader(opened))
    assert total == pytest.approx(found.usages[0].by_station["electricity"][0].sum(), abs=0.2)
    import_data.run(plant, [file])
    assert profile.months_of(plant) == ["2025-01"]


def test_calibration_finds_the_powers_it_was_made_of(plant: Context, tmp_path: Path) -> None:
    """Four months of another output each, read from a meter that follows 2, 40 and 100 kW; the fourth is held out."""
    known = twin_file.read(plant).line
    rows, documents = [], HEADER
    for month, pieces in ((1, 5000), (2, 7000), (3, 9000), (4, 6500)):
        days = _days(2025, month)
        opened = np.zeros(len(days) * 96)
        for window in twin_file.windows(plant.workspace.plant, days[0], len(days)):
            opened[int(window.start_s / 900) : int(window.end_s / 900)] = 1.0
        busy = pieces * known.stations[0].cycle.average_s / (opened.sum() * 900.0)
        power = 2.0 * (1 - opened) + opened * (40.0 * (1 - busy) + 100.0 * busy)
        times = pl.datetime_range(
            pl.datetime(2025, month, 1),
            pl.datetime(2025, month + 1, 1),
            "15m",
            closed="left",
            time_unit="us",
            eager=True,
        )
        rows.append(pl.DataFrame({"meter": "E1", "time": times, "value": np.round(power / 4.0, 6)}))
        documents += (
            f"output,2025-{month:02d}-01,2025-{month:02d}-{days[-1].day},{pieces},vehicle,,invoiced,P-{month},\n"
        )
    pl.concat(rows).write_parquet(tmp_path / "r.parquet")
    (tmp_path / "p.csv").write_text(documents, encoding="utf-8")
    import_data.run(plant, [tmp_path / "r.parquet", tmp_path / "p.csv"])
    assert plant.workspace.journal.active(ACTIVITIES).height == 4
    found = twin_calibrate.calibrate(plant, twin_calibrate.Asked(holdout=("2025-04",)))
    (booth,) = [one for one in found.fitted if one.place == "booth"]
    assert {state: power.mean for state, power in booth.fit.powers.items()} == pytest.approx({"off": 2.0, "idle": 40.0, "working": 100.0}, rel=1e-3)  # fmt: skip
    assert booth.kept is not None
    assert abs(booth.kept.nmbe_fraction) < 1e-3
    twin_calibrate.write(plant, found)
    (plant.workspace.folder / "twin.toml").write_text(TWIN.replace("working = 100", "working = 500"), encoding="utf-8")
    assert twin_file.read(plant).line.stations[0].draws["electricity"].power["working"] == pytest.approx(
        100.0, rel=1e-3
    )
    with pytest.raises(FaultyData) as caught:
        twin_calibrate.calibrate(plant, twin_calibrate.Asked(("2025-01",), ("2024-07",)))
    assert {one.code for one in caught.value.problems} == {"twin.no_month", "twin.few_months"}


def test_a_night_shift_reaches_into_the_next_day_and_month(plant: Context) -> None:
    """Friday 31 January's night shift ends on Saturday 1 February, which is closed: six hours of work, not of rest."""
    text = PLANT.replace('start = "07:00:00", end = "15:00:00"', 'start = "22:00:00", end = "06:00:00"')
    text = text.replace("[calendar]", "[calendar]\nweekdays = [1, 2, 3, 4, 5]")
    (plant.workspace.folder / "factory.toml").write_text(text, encoding="utf-8")
    again = Context(Workspace.open(plant.workspace.folder), NOW, "test")
    month = twin_calibrate.month_of_days(again, "2025-02", None)
    assert month.open_fraction[:24].sum() == 24.0
    assert month.open_fraction.sum() == 20 * 32.0 + 24.0 - 24.0  # 20 nights, one of January's, one that ends in March
    rest = np.zeros(96, dtype=np.int8)
    nights = np.where(np.arange(96) % 88 < 24, 2, 0).astype(np.int8)
    place = twin_calibrate.places(again, twin_file.read(again))[0]
    passes = Rhythm({CLOSED: rest, **dict.fromkeys(range(1, 6), nights)}, 1)
    seen, _ = twin_calibrate.observed(place, month, np.zeros(28 * 96), passes)
    assert seen.open_fraction[:96].sum() == 24.0


def _days(year: int, month: int) -> list[date]:
    from calendar import monthrange

    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def test_what_if_on_the_same_numbers(plant: Context, tmp_path: Path) -> None:
    file = tmp_path / "faster.toml"
    file.write_text('title = { zh = "快烘", en = "faster oven" }\n[stations.oven]\ncycle = { kind = "exponential", mean_s = 40 }\n[buffers.b]\ncapacity = 9\n', encoding="utf-8")  # fmt: skip
    found = twin_compare.compare(plant, WEEK, [twin_compare.read_scenario(file)])
    gain = found.scenarios[0].differences["output"]
    assert gain.low > 0
    apart = found.scenarios[0].simulated.output.half + found.base.output.half
    assert gain.half < apart, "paired runs tell a difference sooner"
    assert gain.mean == pytest.approx(found.scenarios[0].simulated.output.mean - found.base.output.mean)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "twin.scenario"),
        ("not toml", "twin.scenario"),
        ('title = { zh = "a", en = "b" }\n[stations.nobody]\nmachines = 2\n', "twin_file.name"),
        ('title = { zh = "a", en = "b" }\nremove = ["nobody"]\n', "twin_file.name"),
        ('title = { zh = "a", en = "b" }\n[colours]\nred = 1\n', "twin_file.name"),
        ('title = { zh = "a", en = "b" }\n[stations.oven]\nmachines = 0\n', "twin.machines"),
    ],
)
def test_faulty_scenarios_are_named(plant: Context, tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin_compare.compare(plant, WEEK, [twin_compare.read_scenario(file)])
    assert {one.code for one in caught.value.problems} == {code}


def test_faults_of_the_file_come_all_at_once(plant: Context) -> None:
    path = plant.workspace.folder / "twin.toml"
    path.write_text(TWIN.replace('line = "booth"', 'line = "boot"').replace('meters = ["E1"]', 'meters = ["G1"]').replace('"output"', '"out"'), encoding="utf-8")  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin_file.read(plant)
    assert {one.column for one in caught.value.problems} == {"stations.boot.line", "stations.boot.draws.electricity.meters", "output_source"}  # fmt: skip
    path.write_text(TWIN + "colour = 1\n", encoding="utf-8")
    with pytest.raises(FaultyData):
        twin_file.read(plant)
    path.unlink()
    with pytest.raises(FaultyData, match=r"twin\.toml"):
        twin_file.read(plant)
    with pytest.raises(FaultyData) as caught:
        twin.run(plant, twin.Asked(days=0, runs=0, confidence=2.0))
    assert len(caught.value.problems) == 3


def test_days_without_shifts_are_refused(plant: Context) -> None:
    path = plant.workspace.folder / "twin.toml"
    path.write_text(TWIN, encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin.run(plant, twin.Asked(date(2025, 1, 4), days=1, warm_up_days=0))
    assert caught.value.problems[0].code == "twin.no_shift"


def test_half_a_cost_is_none(plant: Context) -> None:
    """The oven burns gas and the plant names no price of gas: no cost is told, rather than that of power alone."""
    path = plant.workspace.folder / "factory.toml"
    tariff = '\n[tariff]\narea = "shanghai"\nscheme = "two_part_large_industry"\nvoltage = "110kV"\ncarry = "2026-08"\n'
    path.write_text(PLANT + tariff, encoding="utf-8")
    named = Context(Workspace.open(plant.workspace.folder), NOW, "test")
    assert twin.run(named, WEEK).cny is None
    without = TWIN[: TWIN.index("draws.natural_gas")] + TWIN[TWIN.index("[[buffers]]") :]
    (plant.workspace.folder / "twin.toml").write_text(without, encoding="utf-8")
    told = twin.run(named, WEEK).cny
    assert told is not None
    assert told.mean > 0
