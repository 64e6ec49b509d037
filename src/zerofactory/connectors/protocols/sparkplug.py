"""Sparkplug B 3.0 as primary host: births, deaths, sequence numbers, aliases, rebirth requests, STATE.

``station`` is ``group/edge`` or ``group/edge/device``, ``point`` the metric's name. A birth tells names, aliases and types;
data of a node whose birth we have not seen, or whose sequence number leaps, make us ask for a rebirth (Node Control/Rebirth)
– at most once every few seconds a node. What births told is kept on disk, so data that waited at the broker while we were
away are understood before the next birth. Values carry their own time, so what is applied out of order is still booked right.
Yields: value in the meter's unit; instant of the metric; nothing while a node is dead.
Sparkplug Specification 3.0.0, clauses 5 (operational behaviour) and 6 (payloads).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zerofactory.connectors.health import write_status
from zerofactory.connectors.link import Connection, ProtocolKind, Surroundings, Tap, is_number
from zerofactory.connectors.mqtt_session import OPTIONS, MqttSession
from zerofactory.connectors.protocols.mqtt_json import garbage
from zerofactory.connectors.sample import Arrival
from zerofactory.connectors.sparkplug_payload import BOOLEAN, Malformed, Metric, Payload, decode, encode
from zerofactory.errors import Problem, Text

NAMESPACE = "spBv1.0"
REBIRTH_SECONDS = 5.0


@dataclass(slots=True)
class Node:
    """What is known of one edge node since its birth."""

    alive: bool = False
    birth_sequence: int | None = None
    sequence: int | None = None
    names: dict[str, dict[int, str]] = field(default_factory=dict)
    types: dict[str, dict[int | str, int]] = field(default_factory=dict)
    asked_at: float = float("-inf")


class SparkplugLink:
    """A host application that listens to the groups of its taps."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._session = MqttSession(connection, around)
        self._taps: dict[tuple[str, str], Tap] = {(tap.station, tap.point): tap for tap in connection.taps}
        self._nodes: dict[str, Node] = {}
        self._state_topic = f"{NAMESPACE}/STATE/{connection.options.get('host_id', 'zerofactory')}"
        self._births = around.folder / "collect" / f"births-{connection.id}.json"
        self.rebirths = 0

    async def open(self) -> None:
        """Connect with the host's death as will, subscribe, tell that the host is online."""
        self._nodes = {"/".join(tap.station.split("/")[:2]): Node() for tap in self._connection.taps}
        groups = sorted({tap.station.partition("/")[0] for tap in self._connection.taps})
        self._remember()
        stamp = self._around.now_us() // 1000
        await self._session.open(
            [f"{NAMESPACE}/{group}/#" for group in groups], will=(self._state_topic, _state(False, stamp))
        )
        self._session.publish(self._state_topic, _state(True, stamp), retain=True, qos=1)
        for name, node in self._nodes.items():
            self._ask_rebirth(name, node)

    async def read(self) -> Sequence[Arrival]:
        """Return the values of the messages that came."""
        found: list[Arrival] = []
        for message in await self._session.messages():
            parts = message.topic.split("/")
            if len(parts) not in (4, 5) or parts[0] != NAMESPACE or parts[2].endswith("CMD"):
                continue
            try:
                found += self._take(parts[2], f"{parts[1]}/{parts[3]}", "/".join(parts[1:2] + parts[3:]),
                                    bytes(message.payload))  # fmt: skip
            except Malformed as error:
                self._around.tell(garbage(self._connection.id, message.topic, str(error)))
        return found

    async def acknowledge(self) -> None:
        """Confirm the messages to the broker."""
        await self._session.acknowledge()

    async def close(self) -> None:
        """Tell that the host goes offline and disconnect."""
        self._session.publish(self._state_topic, _state(False, self._around.now_us() // 1000), retain=True, qos=1)
        await self._session.close()

    def _take(self, kind: str, name: str, station: str, data: bytes) -> Iterator[Arrival]:
        """Yield the values of one message and keep the node's state."""
        node = self._nodes.setdefault(name, Node())
        payload = decode(data, node.types.get(station))
        if kind in ("NDEATH", "DDEATH"):
            self._death(kind, name, station, node, payload)
            return
        if kind == "NBIRTH":
            node.alive, node.sequence, node.birth_sequence = True, payload.seq, _birth_sequence(payload)
            node.names.clear()
            node.types.clear()
        elif not self._in_sequence(node, payload):
            self._ask_rebirth(name, node)
        if kind.endswith("BIRTH"):
            node.names[station] = {one.alias: one.name for one in payload.metrics if one.alias is not None and one.name}
            node.types[station] = {
                key: one.datatype
                for one in payload.metrics
                for key in (one.alias, one.name)
                if key is not None and one.datatype
            }
            self._keep()
        elif kind.endswith("DATA") and (not node.alive or station not in node.types):
            self._ask_rebirth(name, node)
        yield from self._values(station, node, payload)

    def _values(self, station: str, node: Node, payload: Payload) -> Iterator[Arrival]:
        names = node.names.get(station, {})
        for metric in payload.metrics:
            metric_name = metric.name or names.get(metric.alias if metric.alias is not None else -1)
            tap = self._taps.get((station, metric_name or ""))
            if tap is None or metric.value is None:
                continue
            number = tap.code(metric.value)
            if number is None:
                if not isinstance(metric.value, int | float) or isinstance(metric.value, bool):
                    continue
                number = tap.value(float(metric.value)) if is_number(metric.value) else float(metric.value)
            stamp = metric.timestamp_ms if metric.timestamp_ms is not None else payload.timestamp_ms
            yield Arrival(tap.meter.id, None if stamp is None else stamp * 1000, number)

    def _keep(self) -> None:
        """Write what births told."""
        told = {
            name: {"names": {s: list(known.items()) for s, known in node.names.items()},
                   "types": {s: list(known.items()) for s, known in node.types.items()}}
            for name, node in self._nodes.items() if node.types
        }  # fmt: skip
        write_status(self._births, told)

    def _remember(self) -> None:
        """Read what births told before; an absent or unreadable file only means that a rebirth is awaited."""
        try:
            told = json.loads(self._births.read_text(encoding="utf-8"))
            for name, kept in told.items():
                node = self._nodes.setdefault(name, Node())
                node.names = {s: {int(a): str(n) for a, n in pairs} for s, pairs in kept["names"].items()}
                node.types = {
                    s: {key if isinstance(key, int) else str(key): int(t) for key, t in pairs}
                    for s, pairs in kept["types"].items()
                }
                node.alive = True
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return

    def _in_sequence(self, node: Node, payload: Payload) -> bool:
        """Whether the sequence number follows the last one (0 after 255); the number is kept either way."""
        expected = None if node.sequence is None else (node.sequence + 1) % 256
        node.sequence = payload.seq if payload.seq is not None else node.sequence
        return expected is not None and payload.seq == expected

    def _death(self, kind: str, name: str, station: str, node: Node, payload: Payload) -> None:
        if kind == "DDEATH":
            node.types.pop(station, None)
            if not self._in_sequence(node, payload):
                self._ask_rebirth(name, node)
        else:
            given = _birth_sequence(payload)
            if node.birth_sequence is not None and given is not None and given != node.birth_sequence:
                return  # the will of an older session
            node.alive = False
            node.types.clear()
        self._around.tell(
            Problem(
                "connectors.node_dead",
                Text(f"Sparkplug 节点 {station} 离线。", f"Sparkplug node {station} is offline."),
                Text("请检查该边缘网关。", "Check that edge gateway."),
                file=self._connection.id,
                severity="warning",
            )
        )

    def _ask_rebirth(self, name: str, node: Node) -> None:
        if time.monotonic() - node.asked_at < REBIRTH_SECONDS:
            return
        node.asked_at = time.monotonic()
        self.rebirths += 1
        group, _, edge = name.partition("/")
        command = Payload(self._around.now_us() // 1000, (Metric("Node Control/Rebirth", True, BOOLEAN),))
        self._session.publish(f"{NAMESPACE}/{group}/NCMD/{edge}", encode(command))


def _birth_sequence(payload: Payload) -> int | None:
    for metric in payload.metrics:
        if metric.name == "bdSeq" and isinstance(metric.value, int):
            return metric.value
    return None


def _state(online: bool, stamp_ms: int) -> bytes:
    return json.dumps({"online": online, "timestamp": stamp_ms}).encode()


PROTOCOL = ProtocolKind(
    id="sparkplug",
    title=Text("Sparkplug B 3.0", "Sparkplug B 3.0"),
    reference="Eclipse Sparkplug Specification 3.0.0",
    make=SparkplugLink,
    library="paho",
    polled=False,
    values="interval",
    options={**OPTIONS, "host_id": str},
    needs=("station", "point"),
    yields=Text("度量值及其时间戳", "metrics with their timestamps"),
)
