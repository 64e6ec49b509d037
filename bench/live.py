"""Live: seconds from a device's message to the figure that holds it, at 10 000 readings a second; and a kill -9 on the way.

Three processes as in a plant: a broker with the sender, `zf collect`, and a follower that makes the figures of every level.
Every reading is 1 kWh, so the site's kWh is the number of readings in the figure; the delay of a reading is when the first
snapshot that holds it was ready, less when it was sent. Collect drains into the book every five seconds meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

RATE, SECONDS, SETTLE = 10_000, 20.0, 3.0
METERS, SOURCES = (200, 1_000, 10_000), 50
HEAD = (
    '[plant]\nid = "bench"\nname = "bench"\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\n[organisation]\nname = "bench"\n'
    '[[shops]]\nid = "paint"\nkind = "paint"\nname = "paint"\n'
)
METER = '[[meters]]\nid = "m{0:05d}"\nname = "meter"\ncarrier = "electricity"\nkind = "interval"\nunit = "kWh"\nshop = "paint"\n'
TAP = '[[connections.meters]]\nmeter = "m{0:05d}"\nstation = "plant/g{1:05d}"\npoint = "m{0:05d}"\n'
TOGETHER = 10  # meters a gateway
WIRING = (
    '[collector]\ndrain_seconds = 5.0\nstatus_seconds = 0.2\n[[connections]]\nid = "mq"\nprotocol = "mqtt_json"\n'
    'address = "127.0.0.1:{0}"\nreplay = true\noptions = {{ topic = "plant/#" }}\n'
)


def sending(pipe: Connection, meters: int) -> None:
    """Be the broker and the gateways, ten meters and one quarter of an hour a message; give back when how many readings went."""

    async def serve() -> None:
        from zerofactory.connectors.simulated_broker import SimulatedBroker
        from zerofactory.periods import Period

        broker = SimulatedBroker()
        await broker.open()
        pipe.send(broker.port)
        await asyncio.to_thread(pipe.recv)
        start = round(Period(2025, 3).start("Asia/Shanghai").timestamp()) * 1000
        began, sent, log = time.monotonic(), 0, []
        while time.monotonic() - began < SECONDS:
            due = int((time.monotonic() - began) * RATE) // TOGETHER
            while sent < due:
                slot, gateway = divmod(sent, meters // TOGETHER)
                entry: dict[str, float] = {"time": start + slot * 900_000}
                entry |= {f"m{k:05d}": 1.0 for k in range(gateway * TOGETHER, (gateway + 1) * TOGETHER)}
                sent += 1
                log.append((time.monotonic(), sent * TOGETHER))  # before it goes out
                broker.publish(f"plant/g{gateway:05d}", json.dumps(entry).encode(), 1)
            await asyncio.sleep(0.005)
        await asyncio.to_thread(pipe.send, log)  # the broker goes on meanwhile
        await asyncio.Event().wait()

    asyncio.run(serve())


def workspace_of(folder: Path, meters: int, port: int) -> None:
    """Write a plant of interval meters, its sources and its connection."""
    from zerofactory.runs.context import stamp
    from zerofactory.store.workspace import Workspace

    each = meters // SOURCES
    sources = "".join(
        f'[[sources]]\nid = "s{n}"\nkind = "purchased_electricity"\nname = "s"\nitem = "electricity"\nmeters = '
        + json.dumps([f"m{k:05d}" for k in range(n * each, (n + 1) * each)])
        + "\n"
        for n in range(SOURCES)
    )
    text = HEAD + "".join(METER.format(n) for n in range(meters)) + sources
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    (folder / "connections.toml").write_text(
        WIRING.format(port) + "".join(TAP.format(n, n // TOGETHER) for n in range(meters)), encoding="utf-8"
    )
    Workspace.create(folder, at=stamp(datetime.now(UTC)), actor="bench")


def collecting(folder: Path) -> subprocess.Popen[bytes]:
    """Start `zf collect` and wait until its connection is up."""
    words = [sys.executable, "-c", "from zerofactory.cli.main import main; main()", "collect", "-w", str(folder)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stop = time.monotonic() + 60.0
    while time.monotonic() < stop:
        try:
            status = json.loads((folder / "collect" / "status.json").read_text(encoding="utf-8"))
            if status["pid"] == child.pid and status["connections"]["mq"]["state"] == "up":
                return child
        except (OSError, ValueError, KeyError):
            pass
        assert child.poll() is None, "zf collect ended"
        time.sleep(0.02)
    raise SystemExit("zf collect did not come up")


def following(pipe: Connection, folder: Path) -> None:
    """Make figures of every level ten times a second; give back when which kWh was shown, and what it took."""
    import psutil

    from zerofactory.errors import FaultyData
    from zerofactory.periods import Period
    from zerofactory.runs.context import open_context
    from zerofactory.runs.live import Follower

    try:
        follower = Follower(open_context(folder), Period(2025, 3))
    except FaultyData as fault:
        pipe.send(str(fault))
        return
    pipe.send("ready")
    log, costs = [], []
    while not pipe.poll():
        began = time.perf_counter()
        follower.take()
        look = follower.look()
        costs.append(time.perf_counter() - began)
        month = follower.live.month  # what is estimated for a meter that is late is not yet a reading
        log.append((time.monotonic(), int((month.month_milli - month.estimated_milli).sum()) // 1000))
        assert look.snapshot.figures
        time.sleep(max(0.0, 0.1 - costs[-1]))
    pipe.send((log, costs, psutil.Process().memory_info().rss / 2**20))


def delays_of(sent: list[tuple[float, int]], shown: list[tuple[float, int]]) -> list[float]:
    """Return the delay of every thousandth reading, in seconds."""
    import numpy as np

    sent_at, sent_count = np.array(sent).T
    shown_at, shown_count = np.array(shown).T
    wanted = np.arange(1000, int(sent_count[-1]), 1000)
    first = np.searchsorted(shown_count, wanted)
    assert shown_count[-1] >= wanted[-1], (shown_count[-1], wanted[-1])
    return list(shown_at[first] - sent_at[np.searchsorted(sent_count, wanted)])


def scene(meters: int) -> None:
    """Run one plant and print its line."""
    import numpy as np
    import psutil

    context = multiprocessing.get_context("spawn")
    (here, there), (look_here, look_there) = context.Pipe(), context.Pipe()
    sender = context.Process(target=sending, args=(there, meters), daemon=True)
    sender.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace_of(folder, meters, here.recv())
        child = collecting(folder)
        watcher = context.Process(target=following, args=(look_there, folder), daemon=True)
        watcher.start()
        assert look_here.recv() == "ready"
        here.send("go")
        sent = here.recv()
        _caught_up(folder, sent[-1][1])
        look_here.send("stop")
        shown, costs, follower_mb = look_here.recv()
        collect_mb = psutil.Process(child.pid).memory_info().rss / 2**20
        delay = np.array(delays_of(sent, shown))
        rate = sent[-1][1] / SECONDS
        load = psutil.getloadavg()[0]
        print(
            f"  {meters:>6,} meters: {rate:,.0f} readings/s; device to figure "
            f"median {np.median(delay):.2f} s, 99 % {np.quantile(delay, 0.99):.2f} s, worst {delay.max():.2f} s; "
            f"one look {np.median(costs) * 1000:.0f} ms; collect {collect_mb:.0f} MB, live {follower_mb:.0f} MB; load of the machine {load:.1f}"
        )
        child.send_signal(signal.SIGTERM)
        child.wait(60)
        watcher.join(10)
    sender.terminate()


def _caught_up(folder: Path, count: int) -> None:
    """Wait until collecting has acknowledged everything, and a moment more."""
    stop = time.monotonic() + 60.0
    while time.monotonic() < stop:
        if json.loads((folder / "collect" / "status.json").read_text(encoding="utf-8"))["acknowledged"] >= count:
            break
        time.sleep(0.1)
    time.sleep(SETTLE)


def killed(meters: int) -> None:
    """Kill collecting in the middle of the flow, start it again, and count."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    sender = context.Process(target=sending, args=(there, meters), daemon=True)
    sender.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace_of(folder, meters, here.recv())
        child = collecting(folder)
        here.send("go")
        seconds = []
        for _ in range(3):
            time.sleep(3.0)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            began = time.perf_counter()
            child = collecting(folder)
            seconds.append(time.perf_counter() - began)
        sent = here.recv()[-1][1]
        booked = repeated = 0
        stop = time.monotonic() + 60
        while booked < sent and time.monotonic() < stop:
            time.sleep(0.5)
            booked, repeated = _booked(folder)
        child.send_signal(signal.SIGTERM)
        child.wait(60)
        print(
            f"  kill -9 three times at {RATE:,} readings/s, {meters:,} meters: up again after {max(seconds):.1f} s at most; "
            f"sent {sent:,}, booked {booked:,}, lost {sent - booked:,}, twice {repeated:,}"
        )
    sender.terminate()


def _booked(folder: Path) -> tuple[int, int]:
    from zerofactory.store.workspace import Workspace

    workspace = Workspace.open(folder)
    rows = workspace.series.read(workspace.open_segments()).select("meter_id", "started_at")
    once = rows.unique().height
    return once, rows.height - once


def run() -> None:
    """Print the figures."""
    print(
        f"live: from device to figure over MQTT, {RATE:,} readings/s for {SECONDS:.0f} s, {SOURCES} sources, all levels"
    )
    for meters in METERS:
        scene(meters)
    killed(1_000)
