"""The company's own login (OpenID Connect): to the provider and back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from zerofactory.api.door import address_of, server_of
from zerofactory.api.entrance import cookie_of, put, take
from zerofactory.api.reply import GOING, plain
from zerofactory.errors import NotFound, Text
from zerofactory.runs import access, company
from zerofactory.runs.access import Refused
from zerofactory.runs.company import Provider
from zerofactory.runs.context import clock
from zerofactory.runs.cookies import local
from zerofactory.store.access import new_secret

ROUTER = APIRouter(prefix="/v1/company", tags=["company"])
Word = Annotated[str, Query(max_length=4000)]


@ROUTER.get("")
def show(request: Request) -> Response:
    """Return whether there is a company's login here, what it is called, and whether it is the only way in."""
    held = server_of(request).config.company
    return plain({"title": held.title if held else "", "there": held is not None, "only": bool(held and held.only)})


@ROUTER.get("/login", responses=GOING)
def begin(request: Request, next: Word = "/") -> Response:  # noqa: A002  (the word in the address)
    """Go to the provider to log in; the browser comes back to ``callback``."""
    server, browser = server_of(request), new_secret()
    try:
        answer = RedirectResponse(company.begin(server.access, _provider(request), local(next), browser, clock()), 303)
    except Refused as refused:
        return _back_to_login(refused)
    put(answer, server, "flow", browser, access.policy()["company"]["flow_minutes"] * 60)
    return answer


@ROUTER.get("/callback", responses=GOING)
def finish(request: Request, state: Word = "", code: Word = "", error: Word = "", iss: Word = "") -> Response:
    """Come back from the provider: a session begins, or the page of logging in says why not."""
    server, back = server_of(request), company.Return(state, code, error, iss, address_of(request))
    try:
        secret, _, after = company.finish(server.access, _provider(request), back, cookie_of(request, "flow"), clock())
    except Refused as refused:
        return _back_to_login(refused)
    answer = RedirectResponse(after, 303)
    put(answer, server, "session", secret)
    take(answer, server, "flow")
    return answer


def _provider(request: Request) -> Provider:
    found = server_of(request).provider
    if found is None:
        raise NotFound(Text("公司登录", "company's login"), "access.toml")
    return found


def _back_to_login(refused: Refused) -> RedirectResponse:
    """Return to the page of logging in with the reason, one of those we know."""
    reason = refused.problem.code.removeprefix("access.company_")
    return RedirectResponse(f"/login?refused={reason}", 303, {"Cache-Control": "no-store"})
