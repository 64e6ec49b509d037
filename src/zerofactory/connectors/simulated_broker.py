"""A small MQTT 3.1.1 broker on loopback, so that `zf simulate` needs no other program. Not for use in a plant.

It keeps lasting sessions (QoS 1 is sent again until confirmed, also after the client was away), retained messages and wills.
Bounded: a session keeps `KEPT` messages at most. MQTT Version 3.1.1, clauses 3 and 4.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
KEPT = 2_000_000
WINDOW = 1000
MAX_PACKET = 4_194_304


@dataclass(slots=True)
class Session:
    """What the broker knows of one client: subscriptions, what waits, what was sent and not confirmed."""

    client_id: str
    clean: bool
    topics: dict[str, int] = field(default_factory=dict)
    waiting: deque[tuple[str, bytes, int]] = field(default_factory=deque)
    unconfirmed: dict[int, tuple[str, bytes, int]] = field(default_factory=dict)
    numbers: itertools.cycle[int] = field(default_factory=lambda: itertools.cycle(range(1, 65536)))
    writer: asyncio.StreamWriter | None = None
    will: tuple[str, bytes, int, bool] | None = None


class SimulatedBroker:
    """One listening port and its sessions."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, tuple[bytes, int]] = {}
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self, port: int = 0) -> None:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MAX_PACKET)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
        for session in self._sessions.values():
            if session.writer is not None:
                session.writer.close()
        await asyncio.sleep(0)

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        """Hand a message to every session that wants it."""
        if retain:
            self._retained.pop(topic, None)
            if payload:
                self._retained[topic] = (payload, qos)
        for session in self._sessions.values():
            granted = [given for wanted, given in session.topics.items() if matches(wanted, topic)]
            if granted and (session.writer is not None or not session.clean):
                level = min(qos, max(granted))
                if level or session.writer is not None:
                    session.waiting.append((topic, payload, level))
                    if len(session.waiting) > KEPT:
                        session.waiting.popleft()
                self._send(session)

    def _send(self, session: Session) -> None:
        while (
            session.writer is not None
            and not session.writer.is_closing()
            and session.waiting
            and len(session.unconfirmed) < WINDOW
        ):
            topic, payload, qos = session.waiting.popleft()
            number = 0
            if qos:
                number = next(n for n in session.numbers if n not in session.unconfirmed)
                session.unconfirmed[number] = (topic, payload, qos)
            session.writer.write(_publication(topic, payload, qos, number, again=False))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session: Session | None = None
        orderly = False
        try:
            while True:
                kind, flags, body = await _packet(reader)
                if session is None:
                    session = self._connect(kind, body, writer)
                elif kind == DISCONNECT:
                    orderly = True
                    return
                else:
                    self._take(session, kind, flags, body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
            return
        finally:
            if session is not None and session.writer is writer:
                self._leave(session, orderly)
            writer.close()

    def _connect(self, kind: int, body: bytes, writer: asyncio.StreamWriter) -> Session:
        if kind != CONNECT:
            raise ValueError("no CONNECT")
        _, place = _text(body, 0)
        flags = body[place + 1]
        client_id, place = _text(body, place + 4)
        clean, before = bool(flags & 2), self._sessions.get(client_id)
        if before is not None and before.writer is not None:
            before.writer.close()
        session = before if before is not None and not clean and not before.clean else Session(client_id, clean)
        present = session is before
        self._sessions[client_id] = session
        session.clean, session.writer, session.will = clean, writer, None
        if flags & 4:
            topic, place = _text(body, place)
            payload, place = _block(body, place)
            session.will = (topic, payload, flags >> 3 & 3, bool(flags & 0x20))
        writer.write(bytes((CONNACK << 4, 2, int(present), 0)))
        for number, (topic, payload, qos) in session.unconfirmed.items():
            writer.write(_publication(topic, payload, qos, number, again=True))
        self._send(session)
        return session

    def _take(self, session: Session, kind: int, flags: int, body: bytes) -> None:
        writer = session.writer
        if writer is None:
            return
        if kind == PUBLISH:
            topic, place = _text(body, 0)
            qos = flags >> 1 & 3
            if qos:
                number, place = body[place : place + 2], place + 2
                writer.write(bytes((PUBACK << 4, 2)) + number)
            self.publish(topic, body[place:], qos, bool(flags & 1))
        elif kind == PUBACK:
            session.unconfirmed.pop(int.from_bytes(body[:2], "big"), None)
            self._send(session)
        elif kind == SUBSCRIBE:
            place, granted = 2, bytearray()
            while place < len(body):
                topic, place = _text(body, place)
                session.topics[topic] = min(body[place], 1)
                granted.append(session.topics[topic])
                place += 1
                for name, (payload, level) in self._retained.items():
                    if matches(topic, name):
                        session.waiting.append((name, payload, min(level, granted[-1])))
            writer.write(bytes((SUBACK << 4,)) + _length(2 + len(granted)) + body[:2] + bytes(granted))
            self._send(session)
        elif kind == PINGREQ:
            writer.write(bytes((PINGRESP << 4, 0)))

    def _leave(self, session: Session, orderly: bool) -> None:
        session.writer = None
        if session.clean:
            self._sessions.pop(session.client_id, None)
        if session.will is not None and not orderly:
            self.publish(*session.will)


def matches(wanted: str, topic: str) -> bool:
    """Whether a topic falls under a filter with the wildcards ``+`` and ``#``.

    Examples
    --------
    >>> matches("plant/+/E1", "plant/paint/E1"), matches("plant/#", "plant"), matches("plant/+", "plant/a/b")
    (True, True, False)
    """
    filters, parts = wanted.split("/"), topic.split("/")
    for place, part in enumerate(filters):
        if part == "#":
            return True
        if place >= len(parts) or part not in ("+", parts[place]):
            return False
    return len(filters) == len(parts)


def _publication(topic: str, payload: bytes, qos: int, number: int, *, again: bool) -> bytes:
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (number.to_bytes(2, "big") if qos else b"") + payload
    return bytes((PUBLISH << 4 | (8 if again and qos else 0) | qos << 1,)) + _length(len(body)) + body


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
        if shift > 21:
            raise ValueError("length")
    if length > MAX_PACKET:
        raise ValueError("too long")
    return first >> 4, first & 15, await reader.readexactly(length)


def _length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _block(body: bytes, place: int) -> tuple[bytes, int]:
    size = int.from_bytes(body[place : place + 2], "big")
    if place + 2 + size > len(body):
        raise ValueError("cut off")
    return body[place + 2 : place + 2 + size], place + 2 + size


def _text(body: bytes, place: int) -> tuple[str, int]:
    block, place = _block(body, place)
    with contextlib.suppress(UnicodeDecodeError):
        return block.decode(), place
    raise ValueError("not UTF-8")
