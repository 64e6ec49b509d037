"""A day of the line played again: what is sent to the page is what the run did, no more and no less; and scenario files that pages write."""

from __future__ import annotations

import zlib
from base64 import b64decode
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import NOW
from tests.runs.test_runs_twin import PLANT, TWIN

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.twin.line import STATES
from zerofactory.runs import import_data, twin, twin_last, twin_replay
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.twin_replay import WARM_UP_DAYS, Asked, Moves, replay, thinned
from zerofactory.runs.twin_scenario import listed
from zerofactory.runs.twin_scenario_write import Wish, write
from zerofactory.store.workspace import Workspace
from zerofactory.web.line_view import packed

FIRST = date(2025, 1, 9)
BUSY = (
    TWIN.replace('gives = "b"', 'gives = "b"\nrework = "again"\nrework_fraction = 0.1\nmachines = 2')
    + """
[[stations]]
id = "mend"
name = { zh = "返修", en = "mend" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 100 }
takes = ["again"]
gives = "b"
[[buffers]]
id = "again"
capacity = 3
"""
)


def planted(folder: Path, text: str = BUSY) -> Context:
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return planted(tmp_path_factory.mktemp("replay") / "plant")


def test_the_figures_run_up_to_those_of_the_run(plant: Context) -> None:
    found = replay(plant, Asked(FIRST, 2, seed=7))
    told = twin.run(plant, twin.Asked(FIRST, 2, WARM_UP_DAYS, 1, seed=7))
    assert found.output == told.output.mean > 0
    assert found.counters["electricity"][-1] == pytest.approx(told.energy["electricity"].mean)
    assert found.counters["kgco2e"][-1] == pytest.approx(told.kgco2e.mean, rel=1e-6)
    assert (np.diff(found.counters["kgco2e"]) >= 0).all()
    assert found.bottleneck == told.bottleneck
    by_state = found.by_state["electricity"].sum()
    assert by_state == pytest.approx(told.energy["electricity"].mean)


def test_pieces_neither_vanish_nor_appear(plant: Context) -> None:
    found = replay(plant, Asked(FIRST, 1, seed=3))
    moves, line = found.moves, found.twin.line
    machines = len(found.station_of)
    flows = dict.fromkeys(range(len(line.stations)), 0)
    for place, buffer in enumerate(line.buffers):
        own = moves.where(moves.track == machines + place)
        steps = np.diff(own.value, prepend=found.start[machines + place])
        assert set(np.abs(steps)) <= {1}
        assert own.value.min() >= 0
        assert own.value.max() <= buffer.capacity
        for via, step in zip(own.via, steps, strict=True):
            names = (line.stations[via].gives, line.stations[via].rework) if step > 0 else line.stations[via].takes
            assert buffer.id in names  # it was put in by a station that puts there, taken by one that takes there
            flows[int(via)] += int(step)
    assert found.output is not None
    oven = line.place("oven")
    assert abs(-flows[oven] - found.output) <= 1  # what the oven took it finished, but for the piece in work
    assert abs(flows[line.place("mend")]) <= 1  # it takes one for each it gives


def test_what_is_sent_is_what_moved(plant: Context) -> None:
    found = replay(plant, Asked(FIRST, 1, seed=3))
    sent = packed(found)
    raw, count = zlib.decompress(b64decode(str(sent["bytes"]))), int(str(sent["count"]))
    steps = np.frombuffer(raw, "<u4", count)
    assert np.abs(np.cumsum(steps) / 10.0 - found.moves.at_s).max() <= 0.051
    for number, column in enumerate((found.moves.track, found.moves.value, found.moves.via)):
        assert (np.frombuffer(raw, "<i2", count, 4 * count + 2 * number * count) == column).all()


def test_a_long_span_is_thinned_to_the_last_of_each_grain() -> None:
    at = np.arange(1000) * 0.5
    track = np.arange(1000) % 3
    moves = Moves(at, track, np.arange(1000), np.full(1000, -1))
    grain, kept = thinned(moves, 2, 600)
    assert len(kept) <= 600
    assert (kept.track == 2).sum() == (track == 2).sum()  # each piece that leaves is still told
    for name in (0, 1):
        own, every = kept.where(kept.track == name), moves.where(track == name)
        for second in np.arange(0.0, 500.0, grain):  # at the end of each grain the value is the true one
            then = every.value[np.searchsorted(every.at_s, second + grain) - 1]
            assert own.value[np.searchsorted(own.at_s, second + grain) - 1] == then
    assert thinned(moves, 2, 5000) == (0.0, moves)


def test_a_day_of_readings_tells_the_states(tmp_path: Path) -> None:
    context = planted(tmp_path / "plant", TWIN)
    hours = pl.datetime_range(pl.datetime(2025, 1, 9, time_zone="Asia/Shanghai"), pl.datetime(2025, 1, 10, time_zone="Asia/Shanghai"), "15m", closed="left", eager=True)  # fmt: skip
    power = [100.0 if 7 <= one.hour < 12 else 40.0 if 12 <= one.hour < 15 else 2.0 for one in hours]
    (tmp_path / "r.csv").write_text("meter,time,value\n" + "".join(f"E1,{one:%Y-%m-%d %H:%M:%S},{kw / 4}\n" for one, kw in zip(hours, power, strict=True)), "utf-8")  # fmt: skip
    import_data.run(context, [tmp_path / "r.csv"])
    context = Context(Workspace.open(tmp_path / "plant"), NOW, "test")
    found = replay(context, Asked(FIRST, 1, "readings"))
    booth = found.moves.where(found.moves.track == 0)
    told = [(at / 3600.0, STATES[state]) for at, state in zip(booth.at_s, booth.value, strict=True)]
    assert (STATES[found.start[0]], told) == ("off", [(7.0, "working"), (12.0, "idle"), (15.0, "off")])
    assert found.counters["electricity"][-1] == pytest.approx(sum(power) / 4)
    assert found.start[1] == len(STATES)  # nobody meters the oven's state in this plant
    assert found.output is None
    assert found.bottleneck is None
    assert twin_replay.newest_day(context) == FIRST
    with pytest.raises(FaultyData, match="2024-01-09"):
        replay(context, Asked(date(2024, 1, 9), 1, "readings"))
    eye = twin_last.Eye(context)
    seen = eye.look(context)
    eye.close()
    assert seen.source == "replay"  # a year later nothing is read: the last state is told as such
    assert seen.states == {"booth": "off"}


def test_too_many_days_are_refused(plant: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        replay(plant, Asked(FIRST, 400))
    assert caught.value.problems[0].column == "days"


def test_a_scenario_is_written_checked_and_played(tmp_path: Path) -> None:
    context = planted(tmp_path / "plant")
    made = write(context, Wish("slow-oven", Text('慢"烘房"', 'slow "oven"'), shifts="06:00-14:00, 14:00-22:00", station="booth", cycle_s=90.0, machines=1))  # fmt: skip
    assert [one.id for one in listed(context)] == [made.id] == ["slow-oven"]
    assert made.title.en == 'slow "oven"'
    before = replay(context, Asked(FIRST, 1))
    after = replay(context, Asked(FIRST, 1, scenario="slow-oven"))
    assert len(before.station_of) - len(after.station_of) == 1
    first = [one.moves.at_s[one.moves.value == STATES.index("working")][0] for one in (before, after)]
    assert first == [pytest.approx(7 * 3600.0), pytest.approx(6 * 3600.0)]


@pytest.mark.parametrize(
    ("wish", "columns"),
    [
        (Wish("../out", Text("", ""), shifts="25:00-26:00"), {"id", "title", "shifts"}),
        (Wish("ok", Text("甲", "a")), {"change"}),
        (Wish("ok", Text("甲", "a"), station="nobody", cycle_s=-1.0), {"station", "cycle_s"}),
        (
            Wish(
                "ok",
                Text("\ud800", "x" * 201),
                shifts="07:00-15:00," * 25,
                volume_times=float("nan"),
                machines=10**4500,
            ),
            {"title", "shifts", "volume_times", "machines"},
        ),
    ],
)
def test_wishes_that_cannot_be_are_told_and_nothing_is_written(plant: Context, wish: Wish, columns: set[str]) -> None:
    with pytest.raises(FaultyData) as caught:
        write(plant, wish)
    assert {one.column for one in caught.value.problems} == columns
    assert not (plant.workspace.folder / "scenarios").exists()


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    context = planted(tmp_path / "plant")
    write(context, Wish("more", Text("多", "more"), volume_times=1.1))
    with pytest.raises(FaultyData):
        write(context, Wish("more", Text("多", "more"), volume_times=1.2))
    assert write(context, Wish("more", Text("多", "more"), volume_times=1.2, replace=True)).change["volume"] == {
        "times": 1.2
    }
