"""A disk that is full for a while, a broker that comes and goes, a flood: nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zerofactory.connectors.simulated_broker import SimulatedBroker

T0_MS = 1_740_960_000_000
Q_MS = 900_000
TOKEN = "sixteen-characters-or-more"  # noqa: S105
PUSH = """
[[connections]]
id = "push"
protocol = "http_push"
address = "127.0.0.1:{port}"
replay = true
options = {{ token_file = "token.txt" }}
"""
MQTT = """
[collector]
retry_first_seconds = 0.05
retry_longest_seconds = 0.2
queue_rows = {rows}
[[connections]]
id = "mq"
protocol = "mqtt_json"
address = "127.0.0.1:{port}"
replay = true
[[connections.meters]]
meter = "I1"
station = "plant/I1"
"""


async def post(port: int, entries: list[dict[str, Any]]) -> int:
    """Post readings; return the status."""
    body = json.dumps(entries).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /v1/readings HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


def entries(first: int, count: int) -> list[dict[str, Any]]:
    return [{"meter": "I1", "time": T0_MS + n * Q_MS, "value": n / 4} for n in range(first, first + count)]


def message(n: int) -> bytes:
    return json.dumps({"time": T0_MS + n * Q_MS, "value": n % 800 + 0.5}).encode()


def test_full_disk_holds_the_answer_back_until_there_is_room(
    boxed: Any, free_port: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token.txt").write_text(TOKEN, encoding="utf-8")
    port, full = free_port(), False
    real = os.fsync

    def fsync(file: int) -> None:
        if full:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)

    async def scene() -> None:
        nonlocal full
        async with boxed(PUSH.format(port=port)) as box:
            await box.until(lambda: box.collector.health["push"].state == "up")
            assert await post(port, entries(0, 10)) == 200
            full = True
            waiting = asyncio.create_task(post(port, entries(10, 10)))
            await box.until(lambda: box.events().get("connectors.spool_full"))
            assert box.collector.full
            assert not waiting.done()  # not kept, not confirmed
            assert box.collector.acknowledged == 10
            full = False
            assert await asyncio.wait_for(waiting, 10) == 200
            assert box.events()["connectors.spool_room"] == 1
            assert box.values("I1") == [n / 4 for n in range(20)]

    asyncio.run(scene())


def test_broker_that_comes_and_goes_while_messages_pour_in(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()

    async def scene() -> None:
        broker = SimulatedBroker()
        await broker.open(port)
        async with boxed(MQTT.format(port=port, rows=50_000)) as box:
            await box.until(lambda: box.collector.health["mq"].state == "up" and broker._sessions)
            await asyncio.sleep(0.2)
            for cut in range(4):
                for n in range(cut * 500, cut * 500 + 500):
                    broker.publish("plant/I1", message(n), 1)
                    if n % 500 == 250:  # cut off in the middle, with messages on the way and unconfirmed
                        await asyncio.sleep(0.01)
                        await broker.close()
                        if cut == 2:
                            await asyncio.sleep(0.6)  # away for longer than the first waits
                        await broker.open(port)
            await box.until(lambda: box.readings()["started_at"].n_unique() == 2000)
            rows = box.readings()  # what was not confirmed came again, with the same value: booking takes it once
            assert rows.select("started_at", "value").n_unique() == 2000
            assert rows.height <= 2000 + 4 * 500
            assert box.collector.health["mq"].faults >= 3
        await broker.close()

    asyncio.run(scene())


def test_a_flood_waits_outside_and_comes_in_whole(boxed: Any, free_port: Callable[[], int]) -> None:
    port, count, rows = free_port(), 20_000, 500

    async def scene() -> None:
        broker = SimulatedBroker()
        await broker.open(port)
        most = 0
        async with boxed(MQTT.format(port=port, rows=rows)) as box:
            await box.until(lambda: box.collector.health["mq"].state == "up")
            await asyncio.sleep(0.2)
            for n in range(count):
                broker.publish("plant/I1", message(n), 1)
            gate = box.collector._gate
            admit = gate.admit

            def counted(arrivals: Any, passage: Any, now_us: int) -> Any:
                nonlocal most
                most = max(most, len(arrivals))
                return admit(arrivals, passage, now_us)

            gate.admit = counted
            await box.until(lambda: box.collector.acknowledged >= count, seconds=60)
            assert most <= rows + 1
            found = box.readings()
            assert found.height == count
            assert found["started_at"].is_unique().all()
        await broker.close()

    asyncio.run(scene())


def test_what_a_register_shows_between_two_edges_reaches_the_file_for_live_figures(
    boxed: Any, free_port: Callable[[], int], tmp_path: Path
) -> None:
    (tmp_path / "token.txt").write_text(TOKEN, encoding="utf-8")
    port = free_port()
    text = "[collector]\nlatest_seconds = 0.1\n" + PUSH.format(port=port)
    text = text.replace("replay = true", 'replay = true\nvalues = "instant"\nclock = "device"')

    async def scene() -> None:
        async with boxed(text) as box:
            await box.until(lambda: box.collector.health["push"].state == "up")
            shown = [(0, 100.0), (5 * 60_000, 101.5), (9 * 60_000, 103.0)]
            assert await post(port, [{"meter": "R1", "time": T0_MS + at, "value": value} for at, value in shown]) == 200
            assert box.values("R1") == [100.0]  # one reading at the edge; the rest is for the eye
            latest = tmp_path / "collect" / "latest.json"
            await box.until(lambda: latest.is_file() and json.loads(latest.read_text(encoding="utf-8")))
            assert json.loads(latest.read_text(encoding="utf-8")) == {"R1": [(T0_MS + 9 * 60_000) * 1000, 103.0]}

    asyncio.run(scene())
