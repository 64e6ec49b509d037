"""HTTP push: a small receiver on loopback that devices or a gateway's script post readings to.

    POST /v1/readings   Authorization: Bearer TOKEN   {"meter": "E-ST", "time": "…+08:00", "value": 12.5} or a list

The answer 200 comes only when everything is on disk; 503 means "keep it and try again". Everything is bounded: the head,
the body, the connections, the time a request may take. It listens on loopback only; put a real web server in front of it
to reach it from elsewhere. Yields: value in the meter's own unit; instant of the message; quality as named. RFC 9110, 9112.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import os
from collections.abc import Sequence
from typing import Any

from zerofactory.connectors.link import Connection, LinkFault, ProtocolKind, Surroundings, Tap, is_number
from zerofactory.connectors.protocols.mqtt_json import instant
from zerofactory.connectors.sample import MEASURED, Arrival
from zerofactory.errors import Text
from zerofactory.metering.reading import QUALITIES

DEFAULT_PORT = 8645
MAX_HEAD, MAX_BODY, MAX_CONNECTIONS, REQUEST_SECONDS = 16_384, 4_194_304, 64, 30.0
MIN_TOKEN = 16
IDLE_SECONDS = 1.0
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            411: "Length Required", 413: "Content Too Large", 503: "Service Unavailable"}  # fmt: skip


class _Refusal(Exception):
    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


class HttpPushLink:
    """One listening port."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._named: dict[str, Tap] = {tap.point or tap.meter.id: tap for tap in connection.taps}
        self._server: asyncio.Server | None = None
        self._waiting: list[tuple[list[Arrival], asyncio.Future[bool]]] = []
        self._taken: list[asyncio.Future[bool]] = []
        self._rows = self._open = 0
        self._arrived = asyncio.Event()
        self._token = b""

    async def open(self) -> None:
        """Listen; raise `LinkFault` when the address is not loopback, the port is taken or there is no token."""
        host, port = self._connection.host_port(DEFAULT_PORT)
        if not _is_loopback(host):
            raise _fault("not_loopback", f"http_push 只监听本机, 不能是 {host}。", f"http_push listens on loopback only, not {host}.",
                         "请用 127.0.0.1, 外部经反向代理接入。", "Use 127.0.0.1 and put a reverse proxy in front.")  # fmt: skip
        self._token = self._read_token()
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_HEAD)
        except OSError as error:
            raise _fault("port_taken", f"端口 {port} 打不开: {error.strerror}", f"Port {port} cannot be opened: {error.strerror}",
                         "请换一个端口。", "Choose another port.") from error  # fmt: skip

    async def read(self) -> Sequence[Arrival]:
        """Return what was posted since; the posts are answered when it is acknowledged."""
        if not self._waiting:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), IDLE_SECONDS)
            except TimeoutError:
                return []
        taken, self._waiting = self._waiting, []
        self._taken = [answer for _, answer in taken]
        self._rows = 0
        return [arrival for arrivals, _ in taken for arrival in arrivals]

    async def acknowledge(self) -> None:
        """Answer 200 to the posts last returned."""
        self._settle(self._taken, kept=True)
        self._taken = []

    async def close(self) -> None:
        """Stop listening; posts that are not acknowledged are answered 503."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._settle([*self._taken, *(answer for _, answer in self._waiting)], kept=False)
        self._taken, self._waiting, self._rows = [], [], 0
        await asyncio.sleep(0)

    def _settle(self, answers: Sequence[asyncio.Future[bool]], *, kept: bool) -> None:
        for answer in answers:
            if not answer.done():
                answer.set_result(kept)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self._open += 1
        try:
            if self._open > MAX_CONNECTIONS:
                _answer(writer, 503, {"error": "too many connections"})
                return
            while await asyncio.wait_for(self._request(reader, writer), REQUEST_SECONDS * 2):
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Handle one request; return whether the connection goes on."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, fields = _parsed(head)
            body = await self._body(method, path, fields, reader)
            arrivals = self._arrivals(body)
            kept = await self._keep(arrivals)
        except _Refusal as refusal:
            _answer(writer, refusal.status, {"error": refusal.why})
            return False
        if not kept:
            _answer(writer, 503, {"error": "not kept, send again"})
            return False
        _answer(writer, 200, {"accepted": len(arrivals)})
        return fields.get("connection", "").lower() != "close"

    async def _body(self, method: str, path: str, fields: dict[str, str], reader: asyncio.StreamReader) -> bytes:
        given = fields.get("authorization", "").encode()
        if not hmac.compare_digest(given, b"Bearer " + self._token):
            raise _Refusal(401, "token missing or wrong")
        if path != "/v1/readings":
            raise _Refusal(404, "POST /v1/readings")
        if method != "POST":
            raise _Refusal(405, "POST only")
        length = fields.get("content-length", "")
        if not length.isdigit():
            raise _Refusal(411, "Content-Length is needed")
        if int(length) > MAX_BODY:
            raise _Refusal(413, f"at most {MAX_BODY} bytes")
        return await asyncio.wait_for(reader.readexactly(int(length)), REQUEST_SECONDS)

    def _arrivals(self, body: bytes) -> list[Arrival]:
        """Return the readings of a body; all or none."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _Refusal(400, f"not JSON: {error}") from error
        entries = content if isinstance(content, list) else [content]
        return [self._arrival(place, entry) for place, entry in enumerate(entries)]

    def _arrival(self, place: int, entry: Any) -> Arrival:
        if not isinstance(entry, dict) or not is_number(entry.get("value")):
            raise _Refusal(400, f"entry {place}: needs meter, time and a finite value")
        name = str(entry.get("meter", ""))
        tap = self._named.get(name)
        if tap is None and self._named:
            raise _Refusal(400, f"entry {place}: unknown meter '{name[:80]}'")
        try:
            at_us = instant(entry.get("time"))
        except ValueError as error:
            raise _Refusal(400, f"entry {place}: {error}") from error
        quality = entry.get("quality")
        value = float(entry["value"])
        return Arrival(
            tap.meter.id if tap else name,
            at_us,
            tap.value(value) if tap else value,
            QUALITIES.index(quality) if quality in QUALITIES else MEASURED,
        )

    async def _keep(self, arrivals: list[Arrival]) -> bool:
        """Hand readings over and wait until they are on disk."""
        if self._server is None or self._rows + len(arrivals) > self._around.queue_rows:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrivals, answer))
        self._rows += len(arrivals)
        self._arrived.set()
        return await asyncio.wait_for(answer, REQUEST_SECONDS)

    def _read_token(self) -> bytes:
        options = self._connection.options
        token = os.environ.get(str(options.get("token_env", "ZF_PUSH_TOKEN")), "")
        if "token_file" in options:
            path = self._around.folder / str(options["token_file"])
            token = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        if len(token) < MIN_TOKEN:
            raise _fault("no_token", f"缺少口令, 或短于 {MIN_TOKEN} 个字符。", f"There is no token of at least {MIN_TOKEN} characters.",
                         "请设环境变量 ZF_PUSH_TOKEN, 或 options.token_file。", "Set ZF_PUSH_TOKEN or options.token_file.")  # fmt: skip
        return token.encode()


def _parsed(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _Refusal(400, "not HTTP/1.1")
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    if "transfer-encoding" in fields:
        raise _Refusal(411, "Content-Length is needed")
    return parts[0], parts[1].partition("?")[0], fields


def _answer(writer: asyncio.StreamWriter, status: int, content: dict[str, object]) -> None:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    retry = "Retry-After: 5\r\n" if status == 503 else ""
    writer.write(f"{head}{retry}\r\n".encode() + body)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _fault(code: str, zh: str, en: str, hint_zh: str, hint_en: str) -> LinkFault:
    return LinkFault(code, Text(zh, en), Text(hint_zh, hint_en))


PROTOCOL = ProtocolKind(
    id="http_push",
    title=Text("HTTP 推送(本机)", "HTTP push (loopback)"),
    reference="RFC 9110 HTTP Semantics; RFC 9112 HTTP/1.1",
    make=HttpPushLink,
    polled=False,
    values="interval",
    options={"token_env": str, "token_file": str},
    needs=(),
    yields=Text("推送的值、时间和质量", "value, time and quality as posted"),
)
