"""Collecting: readings acknowledged durably per second beside plain SQLite and DuckDB writers; MQTT end to end; memory.

A reading counts when it would survive a power cut: the spool's fsync, SQLite's commit with synchronous = FULL, DuckDB's
commit. All write the same batches. MQTT: messages of QoS 1, one reading each, through a broker on loopback (the small one
of `zf simulate`, in a process of its own) to the spool and confirmed back. Memory: the peak of a process that attends 10 000 meters.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sqlite3
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from bench.clock import Measured, Parts, apart, row

METERS, BATCHES = 10_000, (10, 1_000, 10_000)
MESSAGES = 30_000
T0 = 1_740_960_000_000_000


def samples_of(batch: int, count: int) -> list[list[tuple[str, int, int, float, int]]]:
    """Return batches of readings as plain tuples (meter, started, known, value, quality)."""
    return [
        [(f"m{(n * batch + i) % METERS:05d}", T0 + n * 900_000_000, T0 + n, (n + i) / 8, 0) for i in range(batch)]
        for n in range(count)
    ]


def batches_for(batch: int) -> int:
    """Return how many batches are written, so that each run takes a second or so."""
    return {10: 300, 1_000: 200, 10_000: 60}[batch]


def spool(parts: Parts, folder: str, batch: int) -> int:
    """Write through the spool."""
    from zerofactory.connectors.sample import Sample
    from zerofactory.connectors.spool import Spool

    made = [[Sample(*one) for one in rows] for rows in samples_of(batch, batches_for(batch))]
    opened = Spool(Path(folder), 1 << 32, 1 << 26)

    def work() -> None:
        for rows in made:
            opened.write(rows)

    parts.time("write", work)
    opened.close()
    return sum(len(rows) for rows in made)


def plain_sqlite(parts: Parts, folder: str, batch: int) -> int:
    """Write through plain SQLite in WAL mode, one transaction a batch."""
    made = samples_of(batch, batches_for(batch))
    connection = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    connection.execute(
        "CREATE TABLE readings (meter TEXT, started INTEGER, known INTEGER, value REAL, quality INTEGER)"
    )

    def work() -> None:
        for rows in made:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")

    parts.time("write", work)
    connection.close()
    return sum(len(rows) for rows in made)


def plain_duckdb(parts: Parts, folder: str, batch: int) -> int:
    """Write through plain DuckDB, one transaction a batch, from arrays (its quick way in)."""
    import duckdb
    import numpy as np

    made = samples_of(batch, batches_for(batch))
    connection = duckdb.connect(str(Path(folder) / "plain.duckdb"))
    connection.execute("CREATE TABLE readings (meter VARCHAR, started BIGINT, known BIGINT, value DOUBLE, quality INT)")

    def work() -> None:
        for rows in made:
            meter, started, known, value, quality = zip(*rows, strict=True)
            arrays = {"meter": np.array(meter, dtype=object), "started": np.array(started), "known": np.array(known)}
            connection.register("batch", arrays | {"value": np.array(value), "quality": np.array(quality)})
            connection.execute("INSERT INTO readings SELECT * FROM batch")
            connection.unregister("batch")

    parts.time("write", work)
    connection.close()
    return sum(len(rows) for rows in made)


def plant_of(count: int) -> object:
    """Return a plant of so many interval meters."""
    from zerofactory.site.load import plant

    head = (
        '[plant]\nid = "bench"\nname = "bench"\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\n'
        '[organisation]\nname = "bench"\n[[shops]]\nid = "paint"\nkind = "paint"\nname = "paint"\n'
    )
    entry = '[[meters]]\nid = "m{:05d}"\nname = "meter"\ncarrier = "electricity"\nkind = "interval"\nunit = "kWh"\nshop = "paint"\n'
    made, problems = plant(head + "".join(entry.format(n) for n in range(count)))
    assert made is not None, problems[:3]
    return made


def wiring_text(port: int) -> str:
    """Return a connection that takes every meter from one broker."""
    head = f'[[connections]]\nid = "mq"\nprotocol = "mqtt_json"\naddress = "127.0.0.1:{port}"\nreplay = true\n'
    head += 'options = { topic = "plant/#" }\n'
    entry = '[[connections.meters]]\nmeter = "m{0:05d}"\nstation = "plant/m{0:05d}"\n'
    return head + "".join(entry.format(n) for n in range(METERS))


def sending(pipe: Connection, messages: int, together: int) -> None:
    """Be the broker and the sender, in a process of their own."""

    async def serve() -> None:
        from zerofactory.connectors.simulated_broker import SimulatedBroker

        broker = SimulatedBroker()
        await broker.open()
        pipe.send(broker.port)
        await asyncio.to_thread(pipe.recv)
        for n in range(messages):
            stamp = T0 // 1000 + n // METERS * together * 900_000
            entries = [{"time": stamp + k * 900_000, "value": float(n)} for k in range(together)]
            payload = json.dumps(entries if together > 1 else entries[0]).encode()
            broker.publish(f"plant/m{n % METERS:05d}", payload, 1)
            if n % 200 == 0:
                await asyncio.sleep(0)
        await asyncio.Event().wait()

    asyncio.run(serve())


def mqtt(parts: Parts, folder: str, messages: int, together: int) -> dict[str, float]:
    """Collect 10 000 meters from one broker; return seconds and memory when idle."""
    return asyncio.run(_mqtt(parts, Path(folder), messages, together))


async def _mqtt(parts: Parts, folder: Path, messages: int, together: int) -> dict[str, float]:
    import psutil

    from zerofactory.connectors.collect import Collector
    from zerofactory.connectors.connection import wiring

    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    other = context.Process(target=sending, args=(there, messages, together), daemon=True)
    other.start()
    plant = plant_of(METERS)
    found, problems = wiring(wiring_text(here.recv()), plant)  # type: ignore[arg-type]
    assert found is not None, problems[:3]
    collector = Collector(found, plant, folder, {})  # type: ignore[arg-type]
    stop = asyncio.Event()
    running = asyncio.create_task(collector.run(stop))
    while collector.health["mq"].state != "up":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    idle = psutil.Process().memory_info().rss / 2**20
    began = time.perf_counter()
    here.send("go")
    while collector.acknowledged < messages * together:
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    parts.seconds["messages"] = seconds
    stop.set()
    await running
    collector.spool.close()
    other.terminate()
    return {"seconds": seconds, "idle_mb": idle}


def run() -> None:
    """Print the figures."""
    print(f"collection: durable readings per second, {METERS:,} meters, one flush a batch")
    for batch in BATCHES:
        print(f"  batches of {batch:,}")
        first: Measured | None = None
        for name, work in (
            ("plain SQLite", plain_sqlite),
            ("plain DuckDB", plain_duckdb),
            ("zerofactory spool", spool),
        ):
            with tempfile.TemporaryDirectory() as folder:
                measured = apart(work, folder, batch)
            row(f"{name}: {int(measured.result) / measured.total:,.0f}/s", measured, first)  # type: ignore[call-overload]
            first = first or measured
    for together in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            measured = apart(mqtt, folder, MESSAGES, together)
        result: dict[str, float] = measured.result  # type: ignore[assignment]
        rate = MESSAGES / result["seconds"]
        row(f"MQTT, {together} a message: {rate:,.0f}/s", measured)
        print(f"    {rate * together:,.0f} readings/s; idle with {METERS:,} meters {result['idle_mb']:.0f} MB")
