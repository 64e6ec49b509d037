"""Around every request: a bound on its size, a digest of its body, and the headers that keep a browser safe."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from zerofactory.api.faults import answer
from zerofactory.errors import Problem, Text
from zerofactory.runs.sites import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_DIGEST = "zf_body_digest"
SERVER = "zf_server"  # where whatever is mounted inside finds what the server holds
# Pages carry their own scripts and styles inside the answer (NiceGUI), so these two are allowed inline; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Shell:
    """ASGI wrapper; a body is bounded whether or not it says its length."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._app, self._server, self._most_bytes, self._secure = app, server, server.upload_bytes, server.secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        scope[SERVER] = self._server
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        digest, seen, over, started = hashlib.sha256(), 0, False, False
        scope[BODY_DIGEST] = digest

        async def bounded() -> Message:
            nonlocal seen, over
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                digest.update(message.get("body", b""))
                if seen > self._most_bytes:
                    over = True
                    raise _TooLarge
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if over and not started:  # whatever the application makes of the cut body, the answer is ours
                return
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(scope, message)
            await send(message)

        if _declared(scope) > self._most_bytes:
            await self._too_large(scope, receive, guarded)
            return
        with suppress(_TooLarge):
            await self._app(scope, bounded, guarded)
        if over and not started:
            over = False
            await self._too_large(scope, receive, guarded)

    def _add_headers(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        is_data = scope["path"].startswith(("/v1/", "/3/", "/auth/")) and not scope["path"].startswith("/v1/docs")
        headers.setdefault("Content-Security-Policy", API_POLICY if is_data else POLICY)
        if self._secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    async def _too_large(self, scope: Scope, receive: Receive, send: Any) -> None:
        megabytes = self._most_bytes // 1_000_000
        text = Text(f"请求超过 {megabytes} MB。", f"The request is over {megabytes} MB.")
        response = answer(Request(scope), 413, [Problem("upload.large", text, Text("请分成几个文件。", "Split it."))])
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


class _TooLarge(Exception):
    pass


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else 1 << 62
    return 0


def body_digest(request: Request) -> str:
    """Return the SHA-256 of the body that has been read."""
    held = request.scope.get(BODY_DIGEST)
    return held.hexdigest() if held is not None else ""
