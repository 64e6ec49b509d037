"""Letting a browser in and out: its cookies, and from where it knocks."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from zerofactory.api.door import address_of, server_of
from zerofactory.api.reply import plain
from zerofactory.runs import access, cookies
from zerofactory.runs.access import Knock
from zerofactory.runs.context import clock
from zerofactory.runs.cookies import Guarded
from zerofactory.runs.sites import Server
from zerofactory.store.access import Session
from zerofactory.store.accounts import Seen

DAY_SECONDS = 86_400


def cookie_of(request: Request, kind: Guarded) -> str:
    """Return what a browser sent in one of our cookies."""
    return request.cookies.get(cookies.named(kind, server_of(request).secure), "")


def knock_of(request: Request) -> Knock:
    """Return from where somebody knocks."""
    company = server_of(request).config.company
    return Knock(address_of(request), cookie_of(request, "device"), company is not None and company.only)


def welcomed(request: Request, secret: str, session: Session) -> Response:
    """Answer with the form token of a new session; the browser is known to its user from now on."""
    server, knock = server_of(request), knock_of(request)
    answer = plain({"csrf": session.csrf, "expires_at": session.expires_at}, 201)
    device = access.remembered(server.access, session.user_id, knock, clock())
    put(answer, server, "device", device, access.policy()["device"]["days"] * DAY_SECONDS)
    put(answer, server, "session", secret)
    return answer


def put(answer: Response, server: Server, kind: Guarded, value: str, seconds: int | None = None) -> None:
    """Set a cookie: no script can read it, no foreign page can send it with a write."""
    answer.set_cookie(
        cookies.named(kind, server.secure), value, max_age=seconds, httponly=True, secure=server.secure, samesite="lax", path="/"
    )  # fmt: skip


def take(answer: Response, server: Server, kind: Guarded) -> None:
    """Take a cookie away."""
    answer.delete_cookie(cookies.named(kind, server.secure), secure=server.secure, httponly=True, samesite="lax")


def seen_as_json(seen: Seen, is_this: bool = False) -> dict[str, object]:
    """Return a session as its owner may see it."""
    return {"session_id": seen.session_id, "seen_at": seen.seen_at, "expires_at": seen.expires_at, "this": is_this}
