"""Collecting end to end: what the simulator played is what is booked, to the digit, after cuts and kill -9."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from zerofactory.connectors.sample import Sample, to_us
from zerofactory.connectors.simulated import Play
from zerofactory.connectors.spool import Spool, read_segment
from zerofactory.runs import book_readings, collect, simulate
from zerofactory.runs.book_readings import ReadingParcel
from zerofactory.runs.context import Context
from zerofactory.runs.init import run as init
from zerofactory.store.workspace import Workspace

T0 = 1_735_660_800_000_000  # 2025-01-01T00:00+08:00
Q = 900_000_000


def zf(*arguments: str) -> subprocess.Popen[str]:
    code = "from zerofactory.cli.main import main; main()"
    environment = {**os.environ, "ZF_LANG": "en"}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace of the reference plant without its inbox."""
    folder = tmp_path_factory.mktemp("collect") / "plant"
    init(folder, "car-plant")
    shutil.rmtree(folder / "inbox")
    return folder


@pytest.fixture
def simulator(reference: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `zf simulate` at 1000 times real time."""
    child = zf("simulate", "-w", str(reference), "--speed", "1000", "--meters", "24", "--for", "240",
               "--protocols", "modbus,opcua,mqtt,sparkplug,dlt645,http")  # fmt: skip
    stop = time.monotonic() + 120
    while not (reference / "connections.toml").exists():
        assert child.poll() is None, child.communicate()[0]
        assert time.monotonic() < stop
        time.sleep(0.05)
    yield child
    child.terminate()
    child.communicate(timeout=60)


def gathered(folder: Path) -> pl.DataFrame:
    """Return meter and time of what is on disk now, in the spool and in the book."""
    columns = ("meter_id", "started_at")
    found = [booked(folder).select(columns)]
    for path in (folder / "collect" / "spool").glob("*.zfs"):
        with contextlib.suppress(FileNotFoundError):  # drained this moment
            found.append(read_segment(path).readings.select(columns))
    return pl.concat(found).unique()


def until(holds: Callable[[], object], seconds: float = 90.0) -> None:
    stop = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < stop
        time.sleep(0.3)


def booked(folder: Path) -> pl.DataFrame:
    workspace = Workspace.open(folder)
    return workspace.series.read(workspace.open_segments())


def test_truth_equals_the_book_after_kill_9(reference: Path, simulator: subprocess.Popen[str]) -> None:
    first = zf("collect", "-w", str(reference))
    until(lambda: gathered(reference).height > 300)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    waiting = sum(read_segment(path).readings.height for path in (reference / "collect" / "spool").glob("*.zfs"))
    before = booked(reference).height
    assert waiting + before > 30
    time.sleep(1.5)
    second = zf("collect", "-w", str(reference), "--json")
    enough = gathered(reference).height + 300
    until(lambda: (seen := gathered(reference)).height > enough and seen["meter_id"].n_unique() == 24)
    second.send_signal(signal.SIGTERM)
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert list((reference / "collect" / "spool").glob("*.zfs")) == []
    rows = booked(reference)
    assert rows.height >= waiting + before
    assert rows.select("meter_id", "started_at", "known_at").is_duplicated().sum() == 0
    assert rows.select("meter_id", "started_at").is_duplicated().sum() == 0
    plays = {play.meter.id: play for play in simulate.plays(Workspace.open(reference).plant, 24)}
    assert set(rows["meter_id"]) == set(plays)
    for (meter,), part in rows.partition_by("meter_id", as_dict=True).items():
        _agrees(plays[str(meter)], part.sort("started_at"), complete=list(plays).index(str(meter)) % 6 in (2, 3, 5))


def _agrees(play: Play, part: pl.DataFrame, *, complete: bool) -> None:
    """Every booked reading is what the display showed; differences agree in whole steps; MQTT and Sparkplug have no gap."""
    at = part["started_at"].to_physical().to_numpy()
    place = np.searchsorted(play.at_us, at)
    assert (play.at_us[place] == at).all()
    assert (np.rint(part["value"].to_numpy() * 10**play.digits).astype(np.int64) == play.shown[place]).all()
    scale = play.meter.multiplier * 1000.0
    if play.meter.kind == "register":  # Wh between first and last reading
        told = round((part["value"][-1] - part["value"][0]) * scale)
        assert told == round(int(play.shown[place[-1]] - play.shown[place[0]]) / 10**play.digits * scale)
    if complete:
        assert place.tolist() == list(range(place[0], place[-1] + 1)), play.meter.id


def test_a_parcel_booked_twice_counts_once(
    small: Context, reopen: Callable[[Context], Context], tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20, 1 << 20)
    spool.write([Sample("E1", T0 + n * Q, T0 + n, 1.0 + n) for n in range(10)])
    spool.seal()
    path = spool.waiting()[0]
    content = read_segment(path)
    parcel = ReadingParcel(path.name, content.sha256, content.readings)
    assert book_readings.run(small, [parcel]).rows == 10
    again = book_readings.run(reopen(small), [parcel])
    assert (again.rows, again.repeated) == (0, 10)
    spool.write([Sample("E1", T0 + n * Q, T0 + 99 + n, 1.0 + n + (n == 9)) for n in range(8, 11)])
    spool.seal()
    content = read_segment(spool.waiting()[-1])
    third = book_readings.run(reopen(small), [ReadingParcel("b", content.sha256, content.readings)])
    assert (third.rows, third.repeated) == (2, 1)  # one changed, one new, one the same
    spool.close()
    kinds = [entry.kind for entry in small.workspace.journal.entries()]
    assert kinds == ["open", "import", "import"]
    assert small.workspace.journal.check() == []


DROP = """
[collector]
spool_max_bytes = {bound}
drain_seconds = 3600
queue_rows = 100
[[connections]]
id = "drop"
protocol = "folder_watch"
address = "drop"
"""


def test_full_spool_drains_and_goes_on_and_late_readings_of_a_closed_month_are_told(small: Context) -> None:
    folder = small.workspace.folder
    (folder / "connections.toml").write_text(DROP.format(bound=8000), encoding="utf-8")
    (folder / "drop").mkdir()
    rows = "".join(
        f"E1,2025-01-{1 + n // 96:02d} {n // 4 % 24:02d}:{n % 4 * 15:02d},{n % 50 + 1}\n" for n in range(960)
    )
    (folder / "drop" / "a.csv").write_text("meter,time,value\n" + rows, encoding="utf-8")
    told: list[str] = []
    done = collect.run(small, seconds=5.0, on_event=lambda problem: told.append(problem.code))
    assert (done.acknowledged, done.booked, done.waiting_bytes) == (960, 960, 0)
    assert told.count("connectors.spool_full") == 1
    assert "connectors.spool_room" in told
    levels = collect.read_levels(folder / "collect")
    assert levels["E1"][1] == 959 % 50 + 1
    assert (folder / "collect" / "status.json").is_file()


def test_what_an_earlier_process_left_is_drained_first_and_a_busy_book_is_told(
    small: Context, reopen: Callable[[Context], Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small.workspace.folder
    (folder / "connections.toml").write_text(DROP.format(bound=1e6), encoding="utf-8")
    spool = Spool(folder / "collect" / "spool", 1 << 20, 1 << 20)
    spool.write([Sample("E1", T0, to_us(small.now), 5.0)])
    spool.close()
    told: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(book_readings, "run", _busy)
        done = collect.run(small, seconds=0.5, on_event=lambda problem: told.append(problem.code))
    assert done.booked == 0
    assert done.waiting_bytes > 0
    assert told == ["connectors.book_busy"]
    assert collect.run(reopen(small), once=True).booked == 1


def _busy(_context: object, _parcels: object) -> None:
    raise OSError(5, "Input/output error")
