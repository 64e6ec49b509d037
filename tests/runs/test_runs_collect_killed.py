"""`zf collect` killed (SIGKILL) while 10 000 readings a second come in: nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl
import pytest

from zerofactory.connectors.spool import read_segment
from zerofactory.periods import Period
from zerofactory.runs import live
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

METERS, RATE, TOGETHER = 1000, 10_000, 20
T0 = round(Period(2025, 3).start("Asia/Shanghai").timestamp()) * 1000
HEAD = (
    '[plant]\nid = "t"\nname = "t"\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\n[organisation]\nname = "t"\n'
    '[[shops]]\nid = "paint"\nkind = "paint"\nname = "paint"\n'
)
METER = '[[meters]]\nid = "m{0:04d}"\nname = "m"\ncarrier = "electricity"\nkind = "interval"\nunit = "kWh"\nshop = "paint"\n'
TAP = '[[connections.meters]]\nmeter = "m{0:04d}"\nstation = "plant/m{0:04d}"\n'
WIRING = '[collector]\ndrain_seconds = 1.0\nstatus_seconds = 0.2\n[[connections]]\nid = "mq"\nprotocol = "mqtt_json"\nreplay = true\noptions = {{ topic = "plant/#" }}\naddress = "127.0.0.1:{0}"\n'


def value(meter: int, slot: int) -> float:
    """Return what a meter reads in a slot: told from where it stands, so that a book can be checked without a record."""
    return ((meter * 31 + slot * 7) % 5000) / 8.0


def sending(pipe: Connection, seconds: float) -> None:
    """Be the broker and the plant in a process of their own: keep what is not confirmed, send 10 000 readings a second."""

    async def serve() -> None:
        from zerofactory.connectors.simulated_broker import SimulatedBroker

        broker = SimulatedBroker()
        await broker.open()
        pipe.send(broker.port)
        await asyncio.to_thread(pipe.recv)
        began, sent = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            due = int((time.monotonic() - began) * RATE) // TOGETHER
            while sent < due:
                meter, block = sent % METERS, sent // METERS
                entries = [
                    {"time": T0 + (block * TOGETHER + k) * 900_000, "value": value(meter, block * TOGETHER + k)}
                    for k in range(TOGETHER)
                ]
                broker.publish(f"plant/m{meter:04d}", json.dumps(entries).encode(), 1)
                sent += 1
            await asyncio.sleep(0.01)
        pipe.send(sent)
        await asyncio.Event().wait()

    asyncio.run(serve())


def collecting(folder: Path) -> subprocess.Popen[str]:
    code = "from zerofactory.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, "collect", "--json", "-w", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "ZF_LANG": "en"},
    )  # fmt: skip


def up(folder: Path, child: subprocess.Popen[str]) -> bool:
    try:
        status = json.loads((folder / "collect" / "status.json").read_text())
        return status["connections"]["mq"]["state"] == "up" and status["pid"] == child.pid
    except (OSError, ValueError, KeyError):
        return False


def up_now(folder: Path, child: subprocess.Popen[str]) -> None:
    until(lambda: up(folder, child))


def until(holds: object, seconds: float = 120.0) -> None:
    stop = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < stop
        time.sleep(0.05)


def on_disk(folder: Path) -> pl.DataFrame:
    """Return meter, time and value of all that is kept, in the spool and in the book; what came twice stands once."""
    columns = ("meter_id", "started_at", "value")
    workspace = Workspace.open(folder)
    frames = [workspace.series.read(workspace.open_segments()).select(columns)]
    spool = sorted((folder / "collect" / "spool").glob("*.zfs"))
    frames += [read_segment(path).readings.select(columns) for path in spool]
    return pl.concat(frames).unique()


@pytest.mark.slow
def test_kill_9_at_ten_thousand_readings_a_second(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    plant = context.Process(target=sending, args=(there, 9.0), daemon=True)
    plant.start()
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(HEAD + "".join(METER.format(n) for n in range(METERS)), encoding="utf-8")
    Workspace.create(folder, at=stamp(datetime.now(UTC)), actor="test")
    taps = "".join(TAP.format(n) for n in range(METERS))
    (folder / "connections.toml").write_text(WIRING.format(here.recv()) + taps, encoding="utf-8")
    child = collecting(folder)
    up_now(folder, child)
    here.send("go")
    before = pl.DataFrame()
    for wait in (2.0, 1.5, 1.5):
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        after = on_disk(folder)
        assert not before.width or before.join(after, on=before.columns, how="anti").is_empty()  # it is still there
        before = after
        child = collecting(folder)
        up_now(folder, child)
    sent = here.recv() * TOGETHER
    until(lambda: kept(folder) >= sent, seconds=60)
    child.send_signal(signal.SIGTERM)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 0, said
    plant.terminate()
    assert before.height > 5_000
    _is_what_was_sent(folder, sent)
    told = [json.loads(line) for line in (folder / "collect" / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sum(event["code"] == "connectors.recovered" for event in told) == 3
    assert list((folder / "collect" / "spool").glob("*.zfs")) == []


def kept(folder: Path) -> int:
    """Return how many readings are in the book."""
    workspace = Workspace.open(folder)
    return workspace.series.read(workspace.open_segments()).select("meter_id", "started_at").unique().height


def _is_what_was_sent(folder: Path, sent: int) -> None:
    workspace = Workspace.open(folder)
    rows = workspace.series.read(workspace.open_segments())
    assert rows.select("meter_id", "started_at").is_duplicated().sum() == 0
    assert rows.select("meter_id", "known_at").is_duplicated().sum() == 0
    assert rows.height == sent
    slot = (rows["started_at"].to_physical().to_numpy() // 1000 - T0) // 900_000
    wanted = [value(int(name[1:]), int(place)) for name, place in zip(rows["meter_id"], slot, strict=True)]
    assert rows["value"].to_list() == wanted
    assert workspace.journal.check() == []
    seen = live.once(Context(workspace, datetime.now(UTC), "test"), live.Asked(("site",)))
    figure = next(f for f in seen.snapshot.figures if f.carrier == "electricity")
    assert figure.amount_month == pytest.approx(sum(wanted), abs=1e-6)
