"""The AAS API as an application of its own, for programs on the same machine: read-only, nobody logs in.

`app` is what `zf aas serve` runs and what `zf twin serve` mounts. The main server has the same behind its login: `nouns/aas.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zerofactory.api.aas_operations import Answer, Asked, answer, fault
from zerofactory.errors import ZeroFactoryError
from zerofactory.runs import aas
from zerofactory.runs.context import Context
from zerofactory.runs.kept import basis_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ROOT = "/aas/api/v3.0"
READ = ("GET", "HEAD")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = [*READ, *WRITES]
HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept, Authorization, Cookie",
}


def app(context: Callable[[], Context]) -> ASGIApp:
    """Return the AAS API of the plant that ``context`` opens; its paths begin with `ROOT`, or what of it a mount has not taken."""

    async def handle(request: Request) -> Response:
        if not _asks_here(request):
            return as_response(fault(403, "this server answers to its own machine alone", context().now))
        return await run_in_threadpool(read, request, context())

    @asynccontextmanager
    async def ready(_: Starlette) -> AsyncIterator[None]:
        with suppress(ZeroFactoryError):  # told to whoever asks
            await run_in_threadpool(
                aas.shells, context()
            )  # a large plant takes seconds: before the first client, not while it waits
        yield

    return Starlette(routes=[Route("/{path:path}", handle, methods=METHODS)], lifespan=ready)


def read(request: Request, context: Context) -> Response:
    """Answer a request of the AAS API on a plant."""
    if request.method not in READ:
        told = f"{request.method}: the shells are read-only; they follow from the plant's book"
        refused = as_response(fault(405, told, context.now))
        refused.headers["Allow"] = ", ".join(READ)
        return refused
    tag = _tag(request, context)
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={**HEADERS, "ETag": tag})
    try:
        env = aas.shells(context).environment
    except ZeroFactoryError as error:  # a file of the plant is to be mended first
        return as_response(fault(503, str(error), context.now))
    query = {name: request.query_params.getlist(name) for name in request.query_params}
    asked = Asked(segments(request), query, request.headers.get("accept", ""))
    made = as_response(answer(env, asked, context.now))
    if made.status_code == 200:
        made.headers["ETag"] = tag
    return made


def _asks_here(request: Request) -> bool:
    """Return whether a request names this machine: a page whose name was turned to 127.0.0.1 names another (DNS rebinding)."""
    name = request.url.hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _tag(request: Request, context: Context) -> str:
    """Return what changes whenever an answer may: the book's head, the plant's files, what is asked and in which form."""
    asked = f"{request.url.path}?{request.url.query}\n{request.headers.get('accept', '')}"
    return f'"{sha256(f"{basis_of(context)}{chr(10)}{asked}".encode()).hexdigest()[:32]}"'


def segments(request: Request) -> tuple[str, ...]:
    """Return the segments of a path below the API's root, wherever the application is mounted."""
    parts = [part for part in str(request.path_params["path"]).split("/") if part]
    for word in ("aas", "api", "v3.0"):
        if parts[:1] == [word]:
            parts = parts[1:]
    return tuple(parts)


def as_response(found: Answer) -> Response:
    """Return an answer as HTTP sends it."""
    return Response(found.body, found.status, dict(HEADERS), found.media)
