"""One MQTT session: the library's network thread on one side, `await` on the other, and nothing confirmed too early.

Messages of quality of service 1 are confirmed only by `acknowledge`, and the session is a lasting one (same client id, not
clean): what was sent while we were away or killed comes again from the broker. MQTT 3.1.1, clauses 3.1.2.4 and 4.3.2.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zerofactory.connectors.link import Connection, LinkFault, Surroundings
from zerofactory.errors import Text

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

DEFAULT_PORT, TLS_PORT = 1883, 8883
IDLE_SECONDS = 0.5
KEEPALIVE_SECONDS = 30
OPTIONS: dict[str, type] = {
    "client_id": str, "user": str, "password_env": str, "tls": bool, "ca_file": str, "qos": int,
}  # fmt: skip


class MqttSession:
    """A connected client that hands over messages in batches."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._client: Any = None
        self._queue: deque[MQTTMessage] = deque()
        self._room = threading.Condition()
        self._taken: list[MQTTMessage] = []
        self._sent: list[Any] = []
        self._arrived = asyncio.Event()
        self._woken = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lost: str | None = None
        self._closing = False

    async def open(self, topics: Sequence[str], will: tuple[str, bytes] | None = None) -> None:
        """Connect and subscribe; raise `LinkFault` when the broker is away or refuses."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._loop = asyncio.get_running_loop()
        self._lost, self._closing = None, False
        self._queue.clear()
        self._taken.clear()
        self._sent.clear()
        options = self._connection.options
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=str(options.get("client_id", f"zf-{self._around.plant.id}-{self._connection.id}")),
            clean_session=False, reconnect_on_failure=False, manual_ack=True,
        )  # fmt: skip
        if "user" in options:
            client.username_pw_set(options["user"], os.environ.get(str(options.get("password_env", "")), ""))
        if options.get("tls"):
            client.tls_set(ca_certs=options.get("ca_file"))
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        ready: asyncio.Future[None] = self._loop.create_future()
        client.on_connect = lambda c, _u, _f, reason, _p: self._connected(c, reason, topics, ready)
        client.on_subscribe = lambda _c, _u, _m, reasons, _p: self._subscribed(reasons)
        client.on_message = lambda _c, _u, message: self._received(message)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self._disconnected(str(reason), ready)
        self._client = client
        host, port = self._connection.host_port(TLS_PORT if options.get("tls") else DEFAULT_PORT)
        try:
            await asyncio.to_thread(client.connect, host, port, KEEPALIVE_SECONDS)
            client.loop_start()
            await asyncio.wait_for(ready, self._connection.timeout_seconds)
        except (OSError, TimeoutError, ValueError) as error:
            raise self._away(str(error) or type(error).__name__) from error

    async def messages(self, wait_seconds: float = IDLE_SECONDS) -> list[MQTTMessage]:
        """Return what came since; waits a short while; raise `LinkFault` when the broker is gone and all is read."""
        if not self._queue:
            self._arrived.clear()
            self._woken = False
            if not self._queue and self._lost is None:
                try:
                    await asyncio.wait_for(self._arrived.wait(), wait_seconds)
                except TimeoutError:
                    return []
        with self._room:
            found = list(self._queue)
            self._queue.clear()
            self._room.notify_all()
        self._taken = found
        if not found and self._lost is not None:
            raise self._away(self._lost)
        return found

    async def acknowledge(self) -> None:
        """Confirm the messages last returned to the broker."""
        for message in self._taken:
            if message.qos:
                self._client.ack(message.mid, message.qos)
        self._taken = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Send a message."""
        if self._client is not None:
            sent = self._client.publish(topic, payload, qos=qos, retain=retain)
            if qos:
                self._sent = [*(one for one in self._sent if not one.is_published()), sent]

    async def delivered(self) -> None:
        """Wait until the broker has confirmed what was published with quality of service 1; raise `LinkFault` when it does not."""
        sent, self._sent = self._sent, []
        for one in sent:
            try:
                await asyncio.to_thread(one.wait_for_publish, self._connection.timeout_seconds)
            except (RuntimeError, ValueError) as error:
                raise self._away(str(error)) from error
            if not one.is_published():
                raise self._away(self._lost or "not confirmed in time")

    async def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        client, self._client = self._client, None
        self._closing = True
        with self._room:
            self._queue.clear()
            self._room.notify_all()
        if client is not None:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    def _connected(self, client: Any, reason: Any, topics: Sequence[str], ready: asyncio.Future[None]) -> None:
        if reason.is_failure:
            self._settle(ready, self._away(str(reason)))
            return
        qos = int(self._connection.options.get("qos", 1))
        for first in range(0, len(topics), 200):
            client.subscribe([(topic, qos) for topic in topics[first : first + 200]])
        self._settle(ready, None)  # some brokers answer the subscription only when what waited for us is confirmed

    def _subscribed(self, reasons: Sequence[Any]) -> None:
        if any(reason.is_failure for reason in reasons):
            self._lost = "subscription refused"
            self._call(self._arrived.set)

    def _settle(self, ready: asyncio.Future[None], fault: LinkFault | None) -> None:
        def settle() -> None:
            if not ready.done():
                if fault is None:
                    ready.set_result(None)
                else:
                    ready.set_exception(OSError(fault.problem.message.en))

        self._call(settle)

    def _received(self, message: MQTTMessage) -> None:
        """Take one message (network thread); wait while the queue is full: then the broker's side is held up."""
        if len(self._queue) >= self._around.queue_rows:
            with self._room:
                self._room.wait_for(
                    lambda: len(self._queue) < self._around.queue_rows or self._closing, timeout=KEEPALIVE_SECONDS
                )
        self._queue.append(message)
        if not self._woken:
            self._woken = True
            self._call(self._arrived.set)

    def _disconnected(self, why: str, ready: asyncio.Future[None]) -> None:
        self._lost = why
        if not self._closing:
            self._settle(ready, self._away(why))
            self._call(self._arrived.set)

    def _call(self, work: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def _away(self, why: str) -> LinkFault:
        address = self._connection.address
        return LinkFault(
            "broker_away",
            Text(f"MQTT 代理 {address} 连不上: {why}", f"MQTT broker {address} cannot be reached: {why}"),
            Text(
                "恢复后自动重连; QoS 1 的消息由代理保留后补发。",
                "Reconnects by itself; the broker keeps messages of QoS 1 and sends them then.",
            ),
        )
