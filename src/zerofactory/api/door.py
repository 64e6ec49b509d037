"""The door: who asks, at which site, and whether he may; every write leaves a line in the trail."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from zerofactory.api.faults import Fault, fault
from zerofactory.errors import NotFound, Text
from zerofactory.runs import access, cookies
from zerofactory.runs.access import Permission, Person
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.runs.sites import Server
from zerofactory.store.access import Trace

CSRF_HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One permitted request: who, where, and the opened workspace."""

    server: Server
    person: Person
    site: str
    context: Context


def server_of(request: Request) -> Server:
    """Return the server that answers."""
    held: Server = request.app.state.server
    return held


def address_of(request: Request) -> str:
    """Return the network address a request came from (behind a proxy: what uvicorn was told to trust)."""
    return request.client.host if request.client else ""


def asking(request: Request) -> Person:
    """Return who asks, by bearer token or session; refuse with 401 when nobody known does.

    A session may write only with its form token (`X-CSRF-Token`), so that a foreign page cannot write with its cookie.
    """
    server, now = server_of(request), clock()
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        person = access.by_token(server.access, secret.strip(), now)
    else:
        person = access.by_session(server.access, request.cookies.get(cookies.named("session", server.secure), ""), now)
        if person is not None and request.method not in SAFE:
            given = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(given.encode(), person.csrf.encode()):
                raise fault(
                    403, "access.csrf", "请求缺少页面令牌, 请刷新页面。", "The form token is missing; reload the page."
                )
    if person is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="zerofactory"'}
        raise fault(401, "access.nobody", "请先登录。", "Log in first.", challenge)
    return person


Asking = Annotated[Person, Depends(asking)]
SiteQuery = Annotated[str | None, Query(description="工厂 site; 只有一个时可省略 / may be left out when there is one")]


def site_of(server: Server, person: Person, asked: str | None, permission: Permission) -> str:
    """Return the site of a request; one that may not even be read does not exist for the asker."""
    readable = [site for site in server.sites.folders() if person.may("read", site)]
    if asked is None and len(readable) == 1:
        asked = readable[0]
    if asked is None:
        raise fault(
            400, "sites.which", f"请用 site 指明工厂: {', '.join(readable)}。", f"Name the site: {', '.join(readable)}."
        )
    if asked not in readable:
        raise NotFound(Text("工厂", "site"), asked, readable)
    if not person.may(permission, asked):
        raise fault(
            403, "access.not_allowed", "您的角色没有这项权限。", f"Your role does not allow you to {permission}."
        )
    return asked


def may(permission: Permission) -> Callable[..., Iterator[Visit]]:
    """Return a dependency that lets a request in when the asker may do ``permission`` at the site it names."""

    def visit(request: Request, person: Asking, site: SiteQuery = None) -> Iterator[Visit]:
        server = server_of(request)
        try:
            chosen = site_of(server, person, site, permission)
        except Fault as refused:
            if request.method not in SAFE and refused.status == 403:  # one who may read and tries to write
                action = f"{request.method} {request.url.path}"
                server.access.trace(
                    Trace(stamp(clock()), person.user.login, site or "", action, "", "refused", address_of(request))
                )
            raise
        visit = Visit(server, person, chosen, server.sites.context(chosen, person.user.login))
        if request.method in SAFE:
            yield visit
            return
        outcome = "failed"
        try:
            yield visit
            outcome = "done"
        except BaseException as error:
            outcome = f"failed: {type(error).__name__}"
            raise
        finally:
            action = f"{request.method} {request.url.path}"
            named = f"site={site}" if site is not None else ""  # nothing else of the address: it may hold a secret
            line = Trace(stamp(clock()), person.user.login, chosen, action, named, outcome, address_of(request))
            server.access.trace(line)

    return visit


def still(request: Request, visit: Visit) -> bool:
    """Return whether a long answer may go on: the asker may still read the site as at its beginning."""
    try:
        person = asking(request)
    except Fault:
        return False
    return person.user.user_id == visit.person.user.user_id and person.may("read", visit.site)


Reading = Annotated[Visit, Depends(may("read"))]
Recording = Annotated[Visit, Depends(may("record"))]
Inspecting = Annotated[Visit, Depends(may("inspect"))]
Managing = Annotated[Visit, Depends(may("manage"))]
Verifying = Annotated[Visit, Depends(may("verify"))]
Administering = Annotated[Visit, Depends(may("administer"))]
