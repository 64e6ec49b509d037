"""Around every request: whose page sent it, a bound on its size, a digest of its body, and the headers that keep a browser safe.

A page of another origin gets nothing written and no socket: browsers say where a request comes from (`Sec-Fetch-Site`, else
`Origin`), and a WebSocket is not bound by the same-origin policy (RFC 6455, 10.2). Programs say neither and show a token.
A stranger may send a login, not a file; only a form of files may be large.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from zerofactory.api.body import Body, Unread, says_json, too_large
from zerofactory.api.faults import answer
from zerofactory.api.swift import Swift
from zerofactory.errors import Problem, Text
from zerofactory.runs import access, cookies
from zerofactory.runs.context import clock
from zerofactory.runs.sites import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_DIGEST = "zf_body_digest"
SERVER = "zf_server"  # where whatever is mounted inside finds what the server holds
# Pages carry their own scripts and styles inside the answer (NiceGUI), so these two are allowed inline; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
SOCKET = "/_nicegui_ws/"
FOREIGN = Problem(
    "request.foreign",
    Text("请求来自别的网站, 已拒绝。", "The request comes from another site's page and is refused."),
    Text("请从本系统的页面操作。", "Use the pages of this server."),
)
PLAIN = Problem(
    "request.plain",
    Text("请求走的是明文 HTTP, 已拒绝。", "The request came over plain HTTP and is refused."),
    Text("请用 https:// 地址。", "Use the https:// address."),
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

WITH_CAMERA = {"/inspect/scan": {"Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()"}}
"""The one page that may show what the camera sees."""


class Shell:
    """ASGI wrapper; a body is bounded whether or not it says its length."""

    def __init__(self, app: ASGIApp, server: Server, swift: Swift) -> None:
        self._swift = swift
        self._app, self._server, self._most_bytes, self._secure = app, server, server.upload_bytes, server.secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        scope[SERVER] = self._server
        if scope["type"] != "http":
            if scope["type"] == "websocket" and _is_foreign(scope):
                await send(
                    {"type": "websocket.close", "code": 1008, "reason": "foreign origin"}
                )  # before accepting: HTTP 403
                return
            await self._app(scope, receive, send)
            return
        if _writes(scope) and _is_foreign(scope):
            await answer(Request(scope), 403, [FOREIGN])(scope, receive, _with(self._add_headers, scope, send))
            return
        if self._secure and _header(scope, b"x-forwarded-proto") == "http" and _is_data(scope):
            await answer(Request(scope), 403, [PLAIN])(scope, receive, _with(self._add_headers, scope, send))
            return
        if await self._swiftly(scope, send):
            return
        most_bytes = await self._allowed(scope)
        started = False
        is_json, ours = _is_data(scope) and says_json(_header(scope, b"content-type")), scope["path"].startswith("/v1/")
        body = Body(receive, most_bytes, is_json, as_is=not ours)
        scope[BODY_DIGEST] = body.digest

        async def guarded(message: Message) -> None:
            nonlocal started
            if body.refusal and not started:  # whatever the application makes of the cut body, the answer is ours
                return
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(scope, message)
            await send(message)

        if _declared(scope) > most_bytes:
            await _refuse(scope, receive, guarded, (413, (too_large(most_bytes),)))
            return
        with suppress(Unread):
            await self._app(scope, body.receive, guarded)
        if body.refusal and not started:
            refusal, body.refusal = body.refusal, None
            await _refuse(scope, receive, guarded, refusal)

    async def _swiftly(self, scope: Scope, send: Send) -> bool:
        """Give an answer again that still holds; return whether there was one."""
        if scope["method"] != "GET" or not scope["path"].startswith("/v1/"):
            return False
        self._swift.note(scope)
        found = self._swift.again(scope)
        if found is None:
            return False
        status, headers, body = found
        start = {"type": "http.response.start", "status": status, "headers": headers}
        self._add_headers(scope, start)
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return True

    def _add_headers(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in (HEADERS | WITH_CAMERA.get(str(scope["path"]), {})).items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", API_POLICY if _is_data(scope) else POLICY)
        if self._secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    async def _allowed(self, scope: Scope) -> int:
        """Return how many bytes this request may carry."""
        flood = access.policy()["flood"]
        if not _header(scope, b"content-type").startswith("multipart/"):
            return min(flood["words_bytes"], self._most_bytes)
        known = await run_in_threadpool(self._is_known, Request(scope))
        return self._most_bytes if known else min(flood["stranger_bytes"], self._most_bytes)

    def _is_known(self, request: Request) -> bool:
        store, now = self._server.access, clock()
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer":
            return access.by_token(store, secret.strip(), now) is not None
        secret = request.cookies.get(cookies.named("session", self._secure), "")
        return access.by_session(store, secret, now) is not None


async def _refuse(scope: Scope, receive: Receive, send: Any, refusal: tuple[int, Sequence[Problem]]) -> None:
    """Answer why a body is not taken; one that is too large is not read to its end either."""
    response = answer(Request(scope), *refusal)
    if refusal[0] == 413:
        response.headers["Connection"] = "close"
    await response(scope, receive, send)


def _writes(scope: Scope) -> bool:
    return scope["method"] not in ("GET", "HEAD", "OPTIONS") or scope["path"].startswith(SOCKET)


def _is_data(scope: Scope) -> bool:
    return str(scope["path"]).startswith(("/v1/", "/3/", "/auth/", "/aas/"))


def _is_foreign(scope: Scope) -> bool:
    """Return whether a page of another origin sent a request; a program says nothing of the kind and is not foreign."""
    site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin")
    if site:
        return site not in ("same-origin", "none")
    if not origin:
        return False
    # Behind a proxy the host may have been rewritten; a page cannot set either header for a request it may not make.
    own = {_header(scope, name).casefold() for name in (b"host", b"x-forwarded-host")} - {""}
    return urlsplit(origin).netloc.casefold() not in own


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _with(add: Callable[[Scope, Message], None], scope: Scope, send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            add(scope, message)
        await send(message)

    return sent


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else 1 << 62
    return 0


def body_digest(request: Request) -> str:
    """Return the SHA-256 of the body that has been read."""
    held = request.scope.get(BODY_DIGEST)
    return held.hexdigest() if held is not None else ""
