"""MQTT with plain JSON: ``{"time": …, "value": …, "quality": "measured"}``, a list of such, or a bare number.

``station`` is the topic; ``point`` the key of the value (``value`` when left out; ``a.b`` goes down). ``time`` may be ISO 8601
with an offset, or whole seconds or milliseconds since 1970. Option ``topic`` subscribes once with wildcards in place of
every topic by itself. Yields: value in the meter's unit; instant of the message (else of arrival); quality as named.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from zerofactory.connectors.device import Point, Write
from zerofactory.connectors.link import Connection, ProtocolKind, Surroundings, Tap, is_number
from zerofactory.connectors.mqtt_session import OPTIONS, MqttSession
from zerofactory.connectors.sample import MEASURED, MICROSECONDS, Arrival, to_us
from zerofactory.errors import Problem, Text
from zerofactory.metering.reading import QUALITIES

MAX_BYTES = 1_048_576


class MqttJsonLink:
    """One session; each topic feeds one or more meters."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._session = MqttSession(connection, around)
        self._taps: dict[str, list[Tap]] = {}
        for tap in connection.taps:
            self._taps.setdefault(tap.station, []).append(tap)

    async def open(self) -> None:
        """Connect and subscribe."""
        wildcard = self._connection.options.get("topic")
        await self._session.open([str(wildcard)] if wildcard else list(self._taps))

    async def read(self) -> Sequence[Arrival]:
        """Return the readings of the messages that came."""
        found: list[Arrival] = []
        time_key = str(self._connection.options.get("time", "time"))
        for message in await self._session.messages():
            taps = self._taps.get(message.topic)
            if taps is None:
                continue
            try:
                if len(message.payload) > MAX_BYTES:
                    raise ValueError("too long")
                found += entries(message.payload, taps, time_key)
            except (ValueError, RecursionError) as error:
                self._around.tell(garbage(self._connection.id, message.topic, str(error)))
        return found

    async def acknowledge(self) -> None:
        """Confirm the messages to the broker."""
        await self._session.acknowledge()

    async def close(self) -> None:
        """Disconnect."""
        await self._session.close()


class MqttJsonDoor:
    """Publishes a value on a topic (QoS 1, not retained) and takes what the device says on its own topic as read back.

    A message that came before the value was sent never counts as an answer to it.
    """

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection = connection
        self._session = MqttSession(connection, around)
        topics = connection.device.writes if connection.device is not None else ()
        self._topics = [str(write.read_back) for write in topics if write.read_back is not None]
        self._shown: dict[str, tuple[float, Any]] = {}
        self._sent: dict[str, float] = {}

    async def open(self) -> None:
        """Connect and subscribe to what the device says."""
        self._shown.clear()
        self._sent.clear()
        await self._session.open(self._topics)

    async def put(self, _station: str, write: Write, value: float) -> None:
        """Publish a value."""
        await self._take()
        self._sent[str(write.read_back)] = time.monotonic()
        text = json.dumps({write.key: write.sign * value / write.scale, "time": time.time_ns() // 1_000_000})
        self._session.publish(str(write.topic), text.encode(), qos=1)

    async def get(self, _station: str, spot: Write | Point) -> float:
        """Return what the device said since the last value was sent; NaN when it is silent until the time limit."""
        if isinstance(spot, Point):
            return math.nan
        topic, stop = str(spot.read_back), time.monotonic() + self._connection.timeout_seconds
        while True:
            await self._take()
            at, content = self._shown.get(topic, (-1.0, None))
            if at >= self._sent.get(topic, 0.0) and at >= 0.0:
                shown = picked(content, spot.key) if isinstance(content, dict) else content
                return shown * spot.scale * spot.sign if is_number(shown) else math.nan
            if topic not in self._sent or time.monotonic() > stop:
                return math.nan
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Disconnect."""
        await self._session.close()

    async def _take(self) -> None:
        for message in await self._session.messages(wait_seconds=0.02):
            with contextlib.suppress(ValueError, RecursionError):
                self._shown[message.topic] = time.monotonic(), json.loads(message.payload)
        await self._session.acknowledge()


def entries(payload: bytes | bytearray, taps: Sequence[Tap], time_key: str) -> Iterator[Arrival]:
    """Yield the readings of one JSON text; raise ValueError when it holds none."""
    content = json.loads(payload)
    for entry in content if isinstance(content, list) else (content,):
        if not isinstance(entry, dict):
            entry = {"value": entry}  # noqa: PLW2901  (a bare number)
        at_us = instant(entry.get(time_key))
        quality = entry.get("quality")
        place = QUALITIES.index(quality) if quality in QUALITIES else MEASURED
        for tap in taps:
            value = picked(entry, tap.point or "value")
            if value is None and tap.point and len(taps) > 1:
                continue
            code = None if value is None else tap.code(value)
            if code is not None:
                yield Arrival(tap.meter.id, at_us, code, place)
                continue
            if isinstance(value, str) and value.lower() == "nan":
                value = float("nan")
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ValueError(f"no number under '{tap.point or 'value'}'")
            number = tap.value(float(value)) if is_number(value) else float(value)
            yield Arrival(tap.meter.id, at_us, number, place)


def picked(entry: Any, path: str) -> Any:
    """Return what lies under a key, ``a.b`` going down; None when it is not there."""
    if isinstance(entry, dict) and path in entry:
        return entry[path]
    for key in path.split("."):
        if not isinstance(entry, dict):
            return None
        entry = entry.get(key)
    return entry


def instant(given: Any) -> int | None:
    """Return an instant in µs from ISO 8601 with an offset, seconds, milliseconds or microseconds; None when not given.

    Examples
    --------
    >>> instant("2025-03-03T08:00:00+08:00") == instant(1740960000) == instant(1740960000000)
    True
    """
    if given is None:
        return None
    if isinstance(given, str):
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is None:
            raise ValueError(f"time '{given}' has no offset from UTC")
        return to_us(moment)
    if not is_number(given) or not 0 <= given < 1e16:
        raise ValueError(f"time {given!r} cannot be read")
    if given < 1e11:
        return round(given * MICROSECONDS)
    return round(given * 1000) if given < 1e14 else round(given)


def garbage(connection: str, topic: str, why: str) -> Problem:
    """Return the event of a message that cannot be read."""
    return Problem(
        "connectors.garbage",
        Text(f"“{topic[:80]}”的消息读不懂: {why[:120]}", f"A message of '{topic[:80]}' cannot be read: {why[:120]}"),
        Text("请检查发送端的格式; 该消息不入账。", "Check the sender's format; the message is not booked."),
        file=connection,
        severity="warning",
    )


PROTOCOL = ProtocolKind(
    id="mqtt_json",
    title=Text("MQTT(JSON)", "MQTT (JSON)"),
    reference="OASIS MQTT Version 3.1.1",
    make=MqttJsonLink,
    library="paho",
    polled=False,
    values="interval",
    options={**OPTIONS, "topic": str, "time": str},
    needs=("station",),
    yields=Text("消息中的值、时间和质量", "value, time and quality in the message"),
    door=MqttJsonDoor,
)
