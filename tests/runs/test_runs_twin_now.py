"""The line now, told from readings that a run of known states made: what is told is what was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.connectors.health import write_status
from zerofactory.errors import FaultyData
from zerofactory.optimisation.twin.line import STATES
from zerofactory.runs import import_data, twin, twin_now
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

METER = """
[[meters]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
carrier = "{1}"
kind = "{2}"
unit = "{3}"
shop = "paint"
"""
PLANT = (
    SMALL_PLANT
    + METER.format("E2", "electricity", "register", "kWh")
    + METER.format("N1", "pieces", "interval", "piece")
    + METER.format("N2", "pieces", "interval", "piece")
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]

[[lines]]
id = "booth"
name = { zh = "喷漆室", en = "booth" }
shop = "paint"
"""
)
TWIN = """
[[stations]]
line = "booth"
cycle = { kind = "fixed", mean_s = 60 }
gives = "b"
warm_up_s = 3600
failure = { between = { kind = "exponential", mean_s = 14400 }, repair = { kind = "fixed", mean_s = 1800 } }
draws.electricity = { power = { off = 2, warm_up = 60, idle = 40, working = 100 }, meters = ["E1"] }
[[stations]]
id = "oven"
name = { zh = "烘房", en = "oven" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 50 }
takes = ["b"]
made_meter = "N1"
draws.electricity = { power = { off = 1, idle = 20, working = 50 }, meters = ["E2"] }
[[stations]]
id = "hand"
name = { zh = "手工", en = "by hand" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 70 }
gives = "b"
[[buffers]]
id = "b"
capacity = 5
level_meter = "N2"
"""
FIRST = date(2025, 3, 3)
MIDNIGHT = datetime(2025, 3, 2, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, twin.Simulated]:
    """Return a plant whose meters read what a run of four days came to, and the run."""
    folder = tmp_path_factory.mktemp("now") / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    plant = Context(Workspace.open(folder), NOW, "test")
    run = twin.run(plant, twin.Asked(FIRST, 4, 0, 1, seed=3))
    used, done = run.usages[0].by_station["electricity"], run.runs[0]
    local = [datetime(2025, 3, 3) + timedelta(minutes=15 * slot) for slot in range(4 * 96 + 1)]  # noqa: DTZ001
    pieces = done.counts[1, :, 0].astype(float)
    columns = {
        "E1": used[0],
        "E2": np.concatenate([[1000.0], 1000.0 + used[1].cumsum()]),
        "N1": pieces,
        "N2": np.arange(4 * 96) % 6.0,
    }
    rows = [pl.DataFrame({"meter": name, "time": local[: len(values)], "value": np.round(values, 6)}) for name, values in columns.items()]  # fmt: skip
    pl.concat(rows).write_parquet(folder.parent / "r.parquet")
    import_data.run(plant, [folder.parent / "r.parquet"])
    return Context(Workspace.open(folder), NOW, "test"), run


def test_the_state_told_is_the_one_the_machine_was_in(made: tuple[Context, twin.Simulated]) -> None:
    plant, run = made
    watcher, seconds = twin_now.Watcher(plant, "replay"), run.runs[0].seconds
    right = pure = 0
    for slot in range(96, 192):
        at = MIDNIGHT + timedelta(minutes=15 * (slot + 1))
        found = watcher.look(at)
        for place, name in enumerate(("booth", "oven")):
            share = seconds[place, slot] / seconds[place, slot].sum()
            if share.max() < 0.9:
                continue
            one, was = found.station(name), STATES[int(share.argmax())]
            pure += 1
            right += was == one.state or was in one.alike
            assert one.power_kw == pytest.approx(run.usages[0].by_station["electricity"][place, slot] * 4.0, abs=5e-3)
            assert one.seen_until == at
    watcher.close()
    assert pure > 120
    assert right >= 0.97 * pure


def test_energy_pieces_grams_and_levels_of_today(made: tuple[Context, twin.Simulated]) -> None:
    plant, run = made
    at = MIDNIGHT + timedelta(days=1, hours=14)
    found = twin_now.now(plant, at + timedelta(minutes=5))
    used, done = run.usages[0].by_station["electricity"][:, 96:152].sum(axis=1), run.runs[0]
    booth, oven, hand = found.stations
    assert booth.energy_today["electricity"] == pytest.approx(used[0], abs=0.01)
    assert oven.energy_today["electricity"] == pytest.approx(used[1], abs=0.01)
    assert (oven.made_is, oven.made_today) == ("counted", done.counts[1, 96:152, 0].sum())
    assert booth.made_is == "estimated"
    assert booth.made_today == pytest.approx(done.counts[0, 96:152, 0].sum(), rel=0.05)
    world = twin.World(plant.workspace.plant, plant.workspace.factor_book, 2025)
    item = twin.Item("purchased_electricity", "electricity", "kWh", "{}", "paint")
    assert booth.gco2e_today == pytest.approx(world.emitted({item: used[0]})[2], rel=1e-4)
    assert (hand.state, hand.quality) == (None, "unmetered")
    assert found.levels == {"b": 151 % 6}
    assert found.source == "replay"
    told = json.loads(json.dumps(found.as_json()))
    assert told["stations"][2]["note"]["en"] == "no meter"
    assert told["power_kw"] == pytest.approx((booth.power_kw or 0) + (oven.power_kw or 0))


def test_a_state_began_when_the_power_changed(made: tuple[Context, twin.Simulated]) -> None:
    night = twin_now.now(made[0], MIDNIGHT + timedelta(days=1, hours=5)).station("oven")
    assert (night.state, night.since) == ("off", MIDNIGHT + timedelta(hours=15))
    assert night.residual_fraction == pytest.approx(0.0, abs=1e-3)
    warming = twin_now.now(made[0], MIDNIGHT + timedelta(days=1, hours=6, minutes=50)).station("booth")
    assert (warming.state, warming.since) == ("warm_up", MIDNIGHT + timedelta(days=1, hours=6))


def test_old_readings_tell_no_state_and_a_moment_to_come_is_refused(made: tuple[Context, twin.Simulated]) -> None:
    plant, _ = made
    late = twin_now.now(plant)
    assert late.source == "live"
    assert {one.quality for one in late.stations} == {"stale", "unmetered"}
    assert late.states == {}
    assert late.levels == {"b": None}
    assert late.notes
    just = twin_now.now(plant, MIDNIGHT + timedelta(days=4, minutes=29))
    assert just.station("booth").quality == "good"
    assert twin_now.now(plant, MIDNIGHT + timedelta(days=4, minutes=31)).station("booth").quality == "stale"
    for faulty in ("soon", "2025-13-01"):
        with pytest.raises(FaultyData):
            twin_now.moment_of(plant, faulty)
    with pytest.raises(FaultyData):
        twin_now.now(plant, NOW + timedelta(days=1))
    assert twin_now.moment_of(plant, "2025-03-03T08:00") == MIDNIGHT + timedelta(hours=8)


def test_live_takes_what_the_collector_shows_since_the_last_whole_slot(
    made: tuple[Context, twin.Simulated], tmp_path: Path
) -> None:
    plant, run = made
    folder = plant.workspace.folder / "collect"
    folder.mkdir(exist_ok=True)
    end = MIDNIGHT + timedelta(days=4)
    closing = 1000.0 + run.usages[0].by_station["electricity"][1].sum()
    shown = end + timedelta(minutes=6)
    write_status(folder / "latest.json", {"E2": [int(shown.timestamp() * 1e6), closing + 5.0]})
    found = twin_now.now(replace(plant, now=shown)).station("oven")
    (folder / "latest.json").unlink()
    assert found.power_kw == pytest.approx(50.0, abs=0.01), "5 kWh in six minutes"
    assert found.seen_until == shown
    assert found.energy_today["electricity"] == pytest.approx(5.0, abs=1e-3)


def test_a_watcher_sees_what_comes_in(made: tuple[Context, twin.Simulated], tmp_path: Path) -> None:
    plant, _ = made
    folder = Path(shutil.copytree(plant.workspace.folder, tmp_path / "plant"))
    end = MIDNIGHT + timedelta(days=4)
    here = Context(Workspace.open(folder), end, "test")
    watcher = twin_now.Watcher(here)
    assert watcher.look(end + timedelta(hours=8)).station("booth").quality == "stale"
    local = [datetime(2025, 3, 7) + timedelta(minutes=15 * slot) for slot in range(32)]  # noqa: DTZ001
    pl.DataFrame({"meter": "E1", "time": local, "value": [0.5] * 28 + [25.0] * 4}).write_parquet(tmp_path / "r.parquet")
    import_data.run(Context(Workspace.open(folder), end, "test"), [tmp_path / "r.parquet"])
    booth = watcher.look(end + timedelta(hours=8)).station("booth")
    watcher.close()
    assert (booth.state, booth.since, booth.quality) == ("working", end + timedelta(hours=7), "good")
    assert booth.made_today == 60


def test_a_plant_without_readings_knows_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN.replace('"N2"', '"E1"'), encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    empty = Context(Workspace.open(folder), NOW, "test")
    with pytest.raises(FaultyData) as caught:
        twin_now.now(empty)
    assert [one.column for one in caught.value.problems] == ["buffers.b.level_meter"]
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    assert {one.quality for one in twin_now.now(empty).stations} == {"missing", "unmetered"}
    assert twin_now.now(empty, MIDNIGHT).notes
