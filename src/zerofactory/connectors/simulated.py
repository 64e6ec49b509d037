"""Meters that exist only for trying and testing: readings of a plant played as real servers on loopback, at any speed.

    Feed (what each display showed, when) ─► Modbus TCP server · OPC UA server · MQTT publisher · Sparkplug edge node

A register's reading exists from its instant on, an interval's from its end on. Modbus shows the newest reading only; OPC UA,
MQTT and Sparkplug send every one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.connectors.collect import ended
from zerofactory.connectors.device import encode, templates
from zerofactory.connectors.link import hush
from zerofactory.connectors.sample import MICROSECONDS, to_moment
from zerofactory.connectors.sparkplug_payload import DOUBLE, INT64, Metric, Payload
from zerofactory.connectors.sparkplug_payload import encode as payload_bytes
from zerofactory.site.model import Meter

TEMPLATE = "simulated-meter"
TICK_SECONDS = 0.05
FREQUENCY = 50.0
SPARKPLUG_GROUP, SPARKPLUG_EDGE = "zerofactory", "simulated"


@dataclass(frozen=True, slots=True, eq=False)
class Play:
    """What one meter's display showed: instants (µs UTC, start of the interval) and whole numbers of the last digit."""

    meter: Meter
    at_us: NDArray[np.int64]
    shown: NDArray[np.int64]
    digits: int

    @property
    def values(self) -> NDArray[np.float64]:
        """The readings in the meter's own unit."""
        return self.shown / float(10**self.digits)

    def known_until(self, now_us: int) -> int:
        """Return how many readings exist at a moment of the play."""
        lag = 0 if self.meter.kind == "register" else self.meter.interval_minutes * 60 * MICROSECONDS
        return int(np.searchsorted(self.at_us, now_us - lag, side="right"))


class Feed:
    """The clock of the play: begins at a moment of the past and runs ``speed`` times as fast as ours."""

    def __init__(self, plays: Sequence[Play], start: datetime, speed: float) -> None:
        self.plays = tuple(plays)
        self.start_us = round(start.timestamp() * MICROSECONDS)
        self.speed = speed
        self._began = time.monotonic()
        self._paused_us: int | None = None

    def now_us(self) -> int:
        """Return the present moment of the play."""
        if self._paused_us is not None:
            return self._paused_us
        return self.start_us + round((time.monotonic() - self._began) * self.speed * MICROSECONDS)

    def stop_at(self, moment_us: int) -> None:
        """Hold the play at a moment: what it shows no longer changes."""
        self._paused_us = moment_us

    @property
    def is_over(self) -> bool:
        """Whether the last reading has been shown."""
        return all(play.known_until(self.now_us()) == len(play.at_us) for play in self.plays)


async def serve_modbus(feed: Feed, plays: Sequence[Play], port: int) -> Callable[[], Awaitable[None]]:
    """Serve each meter as one station (1, 2, …) of a Modbus TCP server; return how to end it."""
    from pymodbus.constants import ExcCodes
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    hush("pymodbus.logging")
    template = templates()[TEMPLATE]
    points = {name: template.point(name) for name in ("reading", "exponent", "clock", "frequency")}

    def registers_of(play: Play) -> list[int]:
        index = play.known_until(feed.now_us()) - 1
        if index < 0:
            return []
        words = encode(points["reading"], int(play.shown[index]), 0)
        words += encode(points["exponent"], -play.digits) + encode(
            points["clock"], int(play.at_us[index]) // MICROSECONDS
        )
        return words + encode(points["frequency"], FREQUENCY)

    def station(number: int, play: Play) -> SimDevice:
        async def show(
            _code: int, _start: int, _address: int, _count: int, registers: list[int], _set: object
        ) -> ExcCodes | None:
            words = registers_of(play)
            if not words:
                return ExcCodes.DEVICE_BUSY
            registers[: len(words)] = words
            return None

        block = SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)
        return SimDevice(number, simdata=[block], action=show)

    server = ModbusTcpServer([station(n, play) for n, play in enumerate(plays, start=1)], address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    return server.shutdown


async def serve_opc_ua(feed: Feed, plays: Sequence[Play], port: int) -> Callable[[], Awaitable[None]]:
    """Serve each meter as a node ``ns=2;s=ID`` of an OPC UA server; return how to end it."""
    from asyncua import ua as library
    from asyncua.server.server import Server

    hush("asyncua")
    ua: Any = library  # its own types of text and time are wider than its annotations
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/zerofactory")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:zerofactory:simulated")
    folder = await server.nodes.objects.add_object(space, "meters")
    nodes = [await folder.add_variable(ua.NodeId(play.meter.id, space), play.meter.id, 0.0) for play in plays]
    await server.start()

    async def show(place: int, play: Play, index: int) -> None:
        stamp = to_moment(int(play.at_us[index]))
        value = ua.DataValue(
            ua.Variant(float(play.values[index]), ua.VariantType.Double),
            SourceTimestamp=stamp, ServerTimestamp=datetime.now(UTC),
        )  # fmt: skip
        await nodes[place].write_value(value)

    task = asyncio.create_task(_send_all(feed, plays, show))

    async def end() -> None:
        await ended([task])
        await server.stop()

    return end


async def publish_mqtt(feed: Feed, plays: Sequence[Play], broker: tuple[str, int]) -> Callable[[], Awaitable[None]]:
    """Publish every reading as JSON on ``plant/METER`` with QoS 1; return how to end it."""
    client = await _publisher(broker, "zf-simulate")

    async def send(_place: int, play: Play, index: int) -> None:
        text = json.dumps({"time": int(play.at_us[index]) // 1000, "value": float(play.values[index])})
        client.publish(f"plant/{play.meter.id}", text, qos=1)

    task = asyncio.create_task(_send_all(feed, plays, send))

    async def end() -> None:
        await ended([task])
        await asyncio.to_thread(_hang_up, client)

    return end


async def publish_sparkplug(
    feed: Feed, plays: Sequence[Play], broker: tuple[str, int]
) -> Callable[[], Awaitable[None]]:
    """Publish every reading as a Sparkplug B edge node with aliases; answers rebirth requests; return how to end it."""
    here = f"spBv1.0/{SPARKPLUG_GROUP}/{{}}/{SPARKPLUG_EDGE}"
    sequence = 0
    birth_sequence = Metric("bdSeq", 0, INT64)
    death = payload_bytes(Payload(0, (birth_sequence,)))
    loop = asyncio.get_running_loop()
    last = [-1] * len(plays)

    def send(kind: str, metrics: Sequence[Metric]) -> None:
        nonlocal sequence
        sequence = 0 if kind == "NBIRTH" else (sequence + 1) % 256
        data = payload_bytes(Payload(time.time_ns() // 1_000_000, tuple(metrics), sequence))
        client.publish(here.format(kind), data, qos=1)

    def born() -> None:
        metrics = [birth_sequence, Metric("Node Control/Rebirth", False, 11)]
        for alias, (play, index) in enumerate(zip(plays, last, strict=True)):
            value = float(play.values[index]) if index >= 0 else None
            stamp = int(play.at_us[index]) // 1000 if index >= 0 else 0
            metrics.append(Metric(play.meter.id, value, DOUBLE, alias, stamp, null=value is None))
        send("NBIRTH", metrics)

    def commanded(_client: Any, _user: Any, _message: Any) -> None:
        loop.call_soon_threadsafe(born)

    client = await _publisher(broker, "zf-simulate-sparkplug", (here.format("NDEATH"), death))
    client.on_message = commanded
    client.subscribe(here.format("NCMD"), 1)
    born()

    async def tell(place: int, play: Play, index: int) -> None:
        last[place] = index
        stamp = int(play.at_us[index]) // 1000
        send("NDATA", (Metric(None, float(play.values[index]), DOUBLE, place, stamp),))

    task = asyncio.create_task(_send_all(feed, plays, tell))

    async def end() -> None:
        await ended([task])
        client.publish(here.format("NDEATH"), death, qos=1)
        await asyncio.to_thread(_hang_up, client)

    return end


async def _send_all(feed: Feed, plays: Sequence[Play], send: Callable[[int, Play, int], Awaitable[None]]) -> None:
    """Send every reading when it comes to exist, in order; readings from before the start are not sent but the last."""
    sent = [max(0, play.known_until(feed.start_us) - 1) for play in plays]
    while True:
        for place, play in enumerate(plays):
            known = play.known_until(feed.now_us())
            for index in range(sent[place], known):
                await send(place, play, index)
            sent[place] = max(sent[place], known)
        await asyncio.sleep(TICK_SECONDS)


async def _publisher(broker: tuple[str, int], client_id: str, will: tuple[str, bytes] | None = None) -> Any:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(1000)
    if will is not None:
        client.will_set(will[0], will[1], qos=1)
    await asyncio.to_thread(client.connect, broker[0], broker[1], 30)
    client.loop_start()
    while not client.is_connected():
        await asyncio.sleep(0.01)
    return client


def _hang_up(client: Any) -> None:
    stop = time.monotonic() + 5.0
    while client.want_write() and time.monotonic() < stop:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
