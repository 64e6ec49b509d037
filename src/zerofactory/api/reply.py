"""Answers: JSON with an ETag of the book it was read from, pages of long lists, and writes that may be sent twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import Response

from zerofactory.api.door import Visit
from zerofactory.api.faults import fault
from zerofactory.api.shell import body_digest
from zerofactory.api.swift import Swift
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.runs.kept import Kept, basis_of
from zerofactory.store.access import IN_HAND

JSON = "application/json"
OCTETS = "application/octet-stream"
KEPT_ANSWERS = 256
MOST_PER_PAGE = 1000
MEDIA = {
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
    ".json": JSON,
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ics": "text/calendar; charset=utf-8",
    ".aasx": "application/asset-administration-shell-package",
}
Limit = Annotated[int, Query(ge=1, le=MOST_PER_PAGE, description="每页行数 / rows a page")]
After = Annotated[int, Query(ge=0, description="从第几行之后开始 / rows to skip")]


FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            media.split(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media in sorted({*MEDIA.values(), OCTETS})
        }
    }
}
GOING: dict[int | str, dict[str, Any]] = {303: {"description": "往别处去 / go elsewhere"}}
_KEPT = Kept(KEPT_ANSWERS)


def encoded(value: object) -> bytes:
    """Return JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def plain(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as JSON that nobody keeps."""
    return Response(encoded(value), status, {"Cache-Control": "no-store", **(headers or {})}, JSON)


def from_book(request: Request, visit: Visit, make: Callable[[], object]) -> Response:
    """Answer with what ``make`` reads from the book alone; 304 when the asker has it already.

    The ETag is a hash of the program's version, the day, the book's head, the plant file and the address asked.
    """
    swift: Swift = request.app.state.swift
    mark = swift.book(visit.context)
    tag, answer = _from_book(request, visit, make)
    if answer.status_code == 200:
        made = (tag, {**_headers(tag), "Content-Type": JSON}, bytes(answer.body))
        swift.keep(request.scope, visit.context, mark, visit.person.until, made)
    return answer


def _from_book(request: Request, visit: Visit, make: Callable[[], object]) -> tuple[str, Response]:
    asked = f"{visit.site}\n{basis_of(visit.context)}\n{request.url.path}?{request.url.query}"
    tag = hashlib.sha256(asked.encode()).hexdigest()[:32]
    if f'"{tag}"' in request.headers.get("if-none-match", ""):
        return tag, Response(status_code=304, headers=_headers(tag))
    body = _KEPT.get(tag, lambda: encoded(make()))
    return tag, Response(body, 200, _headers(tag), JSON)


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def page(request: Request, visit: Visit, rows: Callable[[], Sequence[Any]], limit: int, after: int) -> Response:
    """Answer with one page of a list and a Link to the next (RFC 8288)."""

    def make() -> dict[str, object]:
        found = rows()
        return {"items": list(found[after : after + limit]), "total": len(found), "limit": limit, "after": after}

    _, answer = _from_book(request, visit, make)
    if answer.status_code == 200 and after + limit < json.loads(bytes(answer.body))["total"]:
        following = request.url.include_query_params(after=after + limit, limit=limit)
        answer.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return answer


def once(request: Request, visit: Visit, do: Callable[[], object], status: int = 200) -> Response:
    """Answer a write; one that comes again with the same `Idempotency-Key` gets the answer of the first and does nothing."""
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        return plain(do(), status)
    if len(key) > 200:
        raise fault(400, "request.key", "Idempotency-Key 太长。", "The Idempotency-Key is too long.")
    store, user = visit.server.access, visit.person.user.user_id
    asked = f"{request.method} {request.url.path}?{request.url.query}\n{visit.site}\n{body_digest(request)}"
    wanted = hashlib.sha256(asked.encode()).hexdigest()
    rules, now = access.policy()["answers"], clock()
    lost, over = now - timedelta(minutes=rules["in_hand_minutes"]), now - timedelta(hours=rules["kept_hours"])
    kept = store.begin_answer(user, key, wanted, at=stamp(now), lost=stamp(lost), over=stamp(over))
    if kept is None:
        return _first(visit, key, do, status)
    if kept.request_sha256 != wanted:
        raise fault(
            422,
            "request.key_reused",
            "这个 Idempotency-Key 已用于另一请求。",
            "This Idempotency-Key belongs to another request.",
        )
    if kept.status == IN_HAND:
        raise fault(
            409, "request.in_hand", "同一请求正在处理。", "The same request is being handled.", {"Retry-After": "2"}
        )
    return Response(kept.body, kept.status, {"Idempotent-Replayed": "true", "Cache-Control": "no-store"}, JSON)


def _first(visit: Visit, key: str, do: Callable[[], object], status: int) -> Response:
    store, user = visit.server.access, visit.person.user.user_id
    try:
        body = encoded(do())
    except BaseException:
        store.keep_answer(user, key, IN_HAND, b"")
        raise
    store.keep_answer(user, key, status, body)
    return Response(body, status, {"Cache-Control": "no-store"}, JSON)


def document(name: str, write: Callable[[Path], object]) -> Response:
    """Answer with a file that ``write`` makes; ``name`` is what the browser calls it."""
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / f"document{Path(name).suffix}"
        write(path)
        content = path.read_bytes()
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, 200, headers, MEDIA.get(Path(name).suffix, OCTETS))
