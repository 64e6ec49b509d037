"""OPC UA: subscribes to the nodes and takes every change with its source timestamp.

A node that has a bad status gives no value. A state signal also takes texts and flags; what it said last is said again now and
then while the server answers, because a subscription is silent as long as nothing changes. After a cut the session and the subscription are made anew, and the server
sends the present value of every node first. Yields: value in the meter's unit; instant: the source timestamp (``clock =
"device"``), else the collector's clock; quality measured, suspect when the status is uncertain. OPC UA Part 4 (Services).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from zerofactory.connectors.device import Point, Write
from zerofactory.connectors.link import (
    Connection,
    LinkFault,
    ProtocolKind,
    Surroundings,
    Tap,
    hush,
    is_number,
)
from zerofactory.connectors.sample import MEASURED, SUSPECT, Arrival, to_us
from zerofactory.errors import Problem, Text

if TYPE_CHECKING:
    from asyncua.client.client import Client

IDLE_SECONDS = 1.0
AGAIN_SECONDS = 60.0  # how often a state that did not change is said again; it only shows that the signal is alive
_UNCERTAIN = 0x40000000


class OpcUaLink:
    """One session with one subscription."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._client: Client | None = None
        self._queue: deque[Arrival] = deque()
        self._arrived = asyncio.Event()
        self._lost: LinkFault | None = None
        self._taps: dict[str, Tap] = {}
        self._left_out = 0
        self._states: dict[str, Arrival] = {}
        self._said_at = 0.0

    async def open(self) -> None:
        """Connect, subscribe; raise `LinkFault` when the server is not there or a node is unknown."""
        from asyncua.ua.uaerrors import UaError

        self._queue.clear()
        self._states.clear()
        self._lost = None
        url, client = _client(self._connection)
        options = self._connection.options
        self._client = client
        try:
            await client.connect()
            period = float(options.get("publish_milliseconds", 500))
            subscription = await client.create_subscription(period, self)
            nodes = [client.get_node(tap.point) for tap in self._connection.taps]
            self._taps = {node.nodeid.to_string(): tap for node, tap in zip(nodes, self._connection.taps, strict=True)}
            results: Any = await subscription.subscribe_data_change(  # type: ignore[call-overload]
                nodes, queuesize=int(options.get("queue_size", 100)), sampling_interval=period / 5
            )
        except (OSError, TimeoutError, UaError, ConnectionError) as error:
            raise _away(url, str(error) or type(error).__name__) from error
        for result, tap in zip(results if isinstance(results, list) else [results], self._connection.taps, strict=True):
            if not isinstance(result, int):
                self._around.tell(_no_node(self._connection.id, tap, str(result)))

    async def read(self) -> Sequence[Arrival]:
        """Return what changed; waits at most a second, then asks the server whether it is still there."""
        if not self._queue:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), IDLE_SECONDS)
            except TimeoutError:
                await self._still_there()
                self._say_again()
        if self._lost is not None:
            raise self._lost
        found = list(self._queue)
        self._queue.clear()
        return found

    async def acknowledge(self) -> None:
        """Nothing to tell: publishing was acknowledged by the library."""

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # whatever the library meets while hanging up, we are leaving
                await asyncio.wait_for(client.disconnect(), self._connection.timeout_seconds)

    def datachange_notification(self, node: Any, _value: Any, data: Any) -> None:
        """Take one change (called by the library)."""
        tap = self._taps.get(node.nodeid.to_string())
        given = data.monitored_item.Value
        status = given.StatusCode.value if given.StatusCode is not None else 0
        value = given.Value.Value if given.Value is not None else None
        if tap is None:
            return
        self._states.pop(tap.meter.id, None)
        code = tap.code(getattr(value, "Text", value)) if value is not None else None
        if status & 0x80000000 or (code is None and not isinstance(value, int | float)):
            return
        stamped = given.SourceTimestamp or given.ServerTimestamp
        at_us = None
        if self._connection.clock == "device" and stamped is not None:
            at_us = to_us(stamped.replace(tzinfo=stamped.tzinfo or UTC))
        if len(self._queue) >= self._around.queue_rows:
            self._queue.popleft()
            self._left_out += 1
            if self._left_out == 1:
                self._around.tell(_flood(self._connection.id))
        quality = SUSPECT if status & _UNCERTAIN else MEASURED
        given_number = float("nan") if value is None else value
        number = code if code is not None else tap.value(given_number) if is_number(value) else float(given_number)
        arrival = Arrival(tap.meter.id, at_us, number, quality)
        if tap.knows(number):
            self._states[tap.meter.id] = arrival
        self._queue.append(arrival)
        self._arrived.set()

    def _say_again(self) -> None:
        """Say once more what the states were last, as of now."""
        now = time.monotonic()
        if now - self._said_at >= AGAIN_SECONDS:
            self._said_at = now
            self._queue.extend(one._replace(at_us=None) for one in self._states.values())

    def status_change_notification(self, status: Any) -> None:
        """Take the end of the subscription (called by the library)."""
        self._lost = _away(self._connection.address, str(getattr(status, "Status", status)))
        self._arrived.set()

    async def _still_there(self) -> None:
        from asyncua.ua.uaerrors import UaError

        client = self._client
        if client is None:
            return
        try:
            await asyncio.wait_for(client.nodes.server_state.read_value(), self._connection.timeout_seconds)
        except (OSError, TimeoutError, UaError, ConnectionError) as error:
            raise _away(self._connection.address, str(error) or type(error).__name__) from error


class OpcUaDoor:
    """Writes the values of nodes in the type that the server keeps, and reads them again."""

    def __init__(self, connection: Connection, _around: Surroundings) -> None:
        self._connection = connection
        self._client: Client | None = None
        self._types: dict[str, Any] = {}

    async def open(self) -> None:
        """Connect; raise `LinkFault` when the server is not there."""
        url, client = _client(self._connection)
        self._types.clear()
        self._client = client
        try:
            await client.connect()
        except _faults() as error:
            raise _away(url, str(error) or type(error).__name__) from error

    async def put(self, _station: str, write: Write, value: float) -> None:
        """Write a node's value."""
        from asyncua import ua

        place = str(write.node)
        raw = write.sign * value / write.scale
        node = self._there().get_node(place)
        try:
            if place not in self._types:
                self._types[place] = await node.read_data_type_as_variant_type()
            kind = self._types[place]
            number: float | int = raw if kind in (ua.VariantType.Double, ua.VariantType.Float) else round(raw)
            await node.write_value(ua.DataValue(ua.Variant(number, kind)))
        except _faults() as error:
            raise self._fault(place, error) from error

    async def get(self, _station: str, spot: Write | Point) -> float:
        """Read a node's value."""
        place = str(spot.read_back or spot.node) if isinstance(spot, Write) else str(spot.identifier)
        node = self._there().get_node(place)
        try:
            shown = await node.read_value()
        except _faults() as error:
            raise self._fault(place, error) from error
        if not is_number(shown):
            return float("nan")
        return shown * spot.scale * (spot.sign if isinstance(spot, Write) else 1)

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # whatever the library meets while hanging up, we are leaving
                await asyncio.wait_for(client.disconnect(), self._connection.timeout_seconds)

    def _there(self) -> Client:
        if self._client is None:
            raise _away(self._connection.address, "closed")
        return self._client

    def _fault(self, place: str, error: Exception) -> LinkFault:
        from asyncua.ua.uaerrors import UaStatusCodeError

        said = str(error) or type(error).__name__
        if not isinstance(error, UaStatusCodeError) or "connection" in said.lower() or "session" in said.lower():
            return _away(self._connection.address, said)
        return LinkFault(
            "opc_ua_refused",
            Text(f"节点 {place} 拒绝: {said}", f"Node {place} refuses: {said}"),
            Text("请核对节点号和写权限。", "Check the node id and the right to write."),
            stands=True,
        )


def _faults() -> tuple[type[Exception], ...]:
    from asyncua.ua.uaerrors import UaError

    return (OSError, TimeoutError, UaError, ConnectionError)


def _client(connection: Connection) -> tuple[str, Client]:
    from asyncua.client.client import Client

    url = connection.address if "://" in connection.address else f"opc.tcp://{connection.address}"
    hush("asyncua")
    client = Client(url, timeout=connection.timeout_seconds)
    if "user" in connection.options:
        client.set_user(connection.options["user"])
        client.set_password(_secret(connection.options))
    return url, client


def _secret(options: Any) -> str:
    return os.environ.get(str(options.get("password_env", "")), "")


def _away(address: str, why: str) -> LinkFault:
    return LinkFault(
        "opc_ua_away",
        Text(f"OPC UA 服务器 {address} 连不上: {why}", f"OPC UA server {address} cannot be reached: {why}"),
        Text("请检查地址、证书策略和账号。", "Check the address, the security policy and the account."),
    )


def _no_node(connection: str, tap: Tap, why: str) -> Problem:
    return Problem(
        "connectors.no_node",
        Text(f"订阅不到节点 {tap.point}({why})。", f"Node {tap.point} cannot be subscribed ({why})."),
        Text("请核对节点号。", "Check the node id."),
        file=connection,
        severity="warning",
    )


def _flood(connection: str) -> Problem:
    return Problem(
        "connectors.flood",
        Text("变化太快, 最旧的变化被略过。", "Changes come too fast; the oldest are passed over."),
        Text(
            "请加大 publish_milliseconds, 或在服务器侧设死区。",
            "Raise publish_milliseconds or set a deadband on the server.",
        ),
        file=connection,
        severity="warning",
    )


PROTOCOL = ProtocolKind(
    id="opc_ua",
    title=Text("OPC UA(订阅)", "OPC UA (subscriptions)"),
    reference="OPC UA Specification Part 4: Services, clauses 5.12 and 5.13 (MonitoredItem and Subscription service sets)",
    make=OpcUaLink,
    library="asyncua",
    polled=False,
    values="instant",
    options={"user": str, "password_env": str, "publish_milliseconds": int, "queue_size": int},
    needs=("point",),
    yields=Text("节点值及源时间戳", "node values with their source timestamps"),
    door=OpcUaDoor,
)
