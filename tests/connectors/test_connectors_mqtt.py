"""MQTT and Sparkplug B against amqtt, a broker that is not ours."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from zerofactory.connectors.sparkplug_payload import BOOLEAN, DOUBLE, INT64, Metric, Payload, decode, encode
from zerofactory.connectors.spool import SpoolFull
from zerofactory.errors import Text

T0 = 1_740_960_000
JSON = """
[[connections]]
id = "mq"
protocol = "mqtt_json"
address = "127.0.0.1:{port}"
replay = true
timeout_seconds = 3.0
[[connections.meters]]
meter = "R1"
station = "plant/R1"
[[connections.meters]]
meter = "R2"
station = "plant/ems"
point = "data.energy"
unit = "MWh"
"""
SPARKPLUG = """
[[connections]]
id = "spb"
protocol = "sparkplug"
address = "127.0.0.1:{port}"
replay = true
timeout_seconds = 3.0
[[connections.meters]]
meter = "R1"
station = "G/edge"
point = "energy"
[[connections.meters]]
meter = "R2"
station = "G/edge/dev"
point = "energy"
"""


BROKER = """
import asyncio, sys
from amqtt.broker import Broker
from amqtt.session import Session
Session.is_anonymous = property(lambda self: False, lambda self, value: None)  # it keeps messages for named users only

async def serve():
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}}, "plugins": plugins})
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


@asynccontextmanager
async def broker(port: int) -> AsyncIterator[subprocess.Popen[str]]:
    """Run amqtt in a process of its own; killing that process is the cut."""
    arguments = [sys.executable, "-W", "ignore", "-c", BROKER, str(port)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        try:
            assert child.stdout is not None
            assert await asyncio.to_thread(child.stdout.readline) == "ready\n"
            yield child
        finally:
            child.kill()


@asynccontextmanager
async def sender(port: int, **will: Any) -> AsyncIterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2, client_id="sender")
    if will:
        client.will_set(will["topic"], will["payload"], qos=1)
    await asyncio.to_thread(client.connect, "127.0.0.1", port)
    client.loop_start()
    while not client.is_connected():
        await asyncio.sleep(0.01)
    try:
        yield client
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


def say(client: Client, slot: int, value: float, topic: str = "plant/R1") -> None:
    client.publish(topic, json.dumps({"time": T0 + slot * 900, "value": value}), qos=1)


def test_json_with_garbage_repeats_and_disorder(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()

    async def scenario() -> None:
        async with broker(port), boxed(JSON.format(port=port)) as box:
            await box.until(lambda: box.collector.health["mq"].state == "up")
            async with sender(port) as client:
                say(client, 1, 1.0)
                for payload in (b"\xff\xfe", b"{", b"[]", b'{"value": "x"}', b'{"value": true}', b'{"time": "noon", "value": 1}',
                                b'{"value": NaN, "time": 1740960900}', b"[" * 5000):  # fmt: skip
                    client.publish("plant/R1", payload, qos=1)
                for slot, value in [(2, 2.0), (4, 4.0), (3, 3.0), (4, 4.0), (5, 5.0)]:
                    say(client, slot, value)
                entry = {"time": "2025-03-03T08:00:00+08:00", "data": {"energy": 1.5}, "quality": "manual"}
                client.publish("plant/ems", json.dumps([entry]), qos=1)
                await box.until(lambda: len(box.values("R1")) == 5 and box.values("R2"))
            assert box.values("R1") == [1.0, 2.0, 4.0, 3.0, 5.0]
            assert box.values("R2") == [1500.0]
            assert box.events()["connectors.garbage"] == 6
            counts = box.collector.health["mq"].counts
            assert (counts["repeated"], counts["out_of_order"], counts["not_a_number"]) == (1, 1, 1)

    asyncio.run(scenario())


def test_broker_away_and_what_was_not_confirmed_comes_again(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()

    async def scenario() -> None:
        async with broker(port) as first:
            async with boxed(JSON.format(port=port)) as box:
                await box.until(lambda: box.collector.health["mq"].state == "up")
                real, box.collector.spool.write = box.collector.spool.write, _full
                async with sender(port) as client:
                    for slot in range(1, 6):
                        say(client, slot, float(slot))
                    await box.until(lambda: box.collector.full)
                assert box.collector.acknowledged == 0
                box.collector.spool.write = real
                await box.until(lambda: len(box.values("R1")) == 5)
                assert box.values("R1") == [1.0, 2.0, 3.0, 4.0, 5.0]
                assert "connectors.spool_room" in box.events()
            # the collector is away, its session lasts: what is sent now waits at the broker
            async with sender(port) as client:
                for slot in range(6, 9):
                    say(client, slot, float(slot))
                await asyncio.sleep(0.3)
            async with boxed(JSON.format(port=port)) as box:
                await box.until(lambda: len(box.values("R1")) == 8)
                assert box.values("R1") == [float(n) for n in range(1, 9)]
                first.kill()
                await box.until(lambda: box.collector.health["mq"].state == "down")
                assert "connectors.broker_away" in box.events()
                async with broker(port):
                    await box.until(lambda: box.collector.health["mq"].state == "up", 60)
                    async with sender(port) as client:
                        say(client, 9, 9.0)
                        await box.until(lambda: box.values("R1")[-1] == 9.0)

    asyncio.run(scenario())


def _full(_samples: object) -> None:
    raise SpoolFull(Text("满", "full"))


def metrics(value: float, slot: int, *, birth: bool) -> tuple[Metric, ...]:
    stamp = (T0 + slot * 900) * 1000
    return (Metric("energy" if birth else None, value, DOUBLE if birth else 0, 3, stamp),) if birth else (
        Metric(None, value, DOUBLE, 3, stamp),
    )  # fmt: skip


def test_sparkplug_births_aliases_gaps_and_deaths(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()
    commands: list[Payload] = []
    session = Metric("bdSeq", 4, INT64)
    here = "spBv1.0/G/{}/edge"

    def send(client: Client, kind: str, seq: int | None, sent: tuple[Metric, ...], device: str = "") -> None:
        client.publish(here.format(kind) + device, encode(Payload(T0 * 1000, sent, seq)), qos=1)

    async def scenario() -> None:
        async with broker(port), boxed(SPARKPLUG.format(port=port)) as box:
            await box.until(lambda: box.collector.health["spb"].state == "up")
            async with sender(port) as client:
                states: list[bytes] = []
                client.message_callback_add("spBv1.0/G/NCMD/#", lambda _c, _u, m: commands.append(decode(m.payload)))
                client.message_callback_add("spBv1.0/STATE/#", lambda _c, _u, m: states.append(m.payload))
                client.subscribe([("spBv1.0/G/NCMD/edge", 1), ("spBv1.0/STATE/zerofactory", 1)])
                await box.until(lambda: states)
                assert json.loads(states[0])["online"] is True
                send(client, "NBIRTH", 0, (session, *metrics(1.0, 1, birth=True)))
                send(client, "DBIRTH", 1, metrics(10.0, 1, birth=True), "/dev")
                send(client, "NDATA", 2, metrics(2.0, 2, birth=False))
                send(client, "DDATA", 3, metrics(20.0, 2, birth=False), "/dev")
                await box.until(lambda: box.values("R2") == [10.0, 20.0])
                assert box.values("R1") == [1.0, 2.0]
                box_node = commands.copy()
                await asyncio.sleep(0)
                import zerofactory.connectors.protocols.sparkplug as module

                module.REBIRTH_SECONDS, before = 0.0, module.REBIRTH_SECONDS
                try:
                    send(client, "NDATA", 5, metrics(3.0, 3, birth=False))  # 4 is missing
                    await box.until(lambda: len(commands) > len(box_node))
                finally:
                    module.REBIRTH_SECONDS = before
                assert commands[-1].metrics[0] == Metric("Node Control/Rebirth", True, BOOLEAN)
                client.publish(here.format("NDATA"), b"\x0a\xff", qos=1)
                old, own = Metric("bdSeq", 3, INT64), Metric("bdSeq", 4, INT64)
                send(client, "NDEATH", None, (old,))
                await asyncio.sleep(0.3)
                assert "connectors.node_dead" not in box.events()
                send(client, "NDEATH", None, (own,))
                await box.until(lambda: "connectors.node_dead" in box.events())
            assert box.values("R1") == [1.0, 2.0, 3.0]
            assert box.events()["connectors.garbage"] == 1

    asyncio.run(scenario())
