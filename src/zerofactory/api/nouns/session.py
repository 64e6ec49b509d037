"""Coming in and going out: sessions, the invitation that makes an account, and who I am."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import SESSION_COOKIE, Asking, address_of, server_of
from zerofactory.api.reply import plain
from zerofactory.runs import access
from zerofactory.runs.context import clock
from zerofactory.runs.sites import Server

ROUTER = APIRouter(prefix="/v1", tags=["session"])
Short = Annotated[str, Field(max_length=200)]


class Login(BaseModel):
    """Login and password."""

    model_config = ConfigDict(extra="forbid")
    login: Short
    password: Short


class NewAccount(BaseModel):
    """What a person says of himself when he accepts an invitation."""

    model_config = ConfigDict(extra="forbid")
    code: Short
    login: Short
    password: Short
    name: Short = ""


@ROUTER.post("/session", status_code=201)
def open(request: Request, login: Login) -> Response:  # noqa: A001  (the verb of the noun)
    """Log in: sets the session cookie and returns the form token for writes."""
    server = server_of(request)
    secret, session = access.log_in(server.access, login.login, login.password, address_of(request), clock())
    return with_cookie(plain({"csrf": session.csrf, "expires_at": session.expires_at}, 201), server, secret)


@ROUTER.delete("/session")
def close(request: Request, person: Asking) -> Response:
    """Log out."""
    server = server_of(request)
    server.access.end_session(request.cookies.get(SESSION_COOKIE, ""))
    answer = plain({"login": person.user.login})
    answer.delete_cookie(SESSION_COOKIE, secure=server.secure, httponly=True, samesite="lax")
    return answer


@ROUTER.get("/me")
def me(request: Request, person: Asking) -> Response:
    """Return who I am, what I may do where, and the form token of my session."""
    folders = server_of(request).sites.folders()
    sites = {
        site: [p for p in access.PERMISSIONS if person.may(p, site)] for site in folders if person.may("read", site)
    }
    return plain({"login": person.user.login, "name": person.user.name, "sites": sites, "csrf": person.csrf})


@ROUTER.post("/accounts", status_code=201)
def accept(request: Request, account: NewAccount) -> Response:
    """Make the account that an invitation allows, and log in."""
    server = server_of(request)
    asked = access.Account(account.login, account.name, account.password)
    secret, session = access.accept(server.access, account.code, asked, clock(), address_of(request))
    return with_cookie(plain({"csrf": session.csrf, "expires_at": session.expires_at}, 201), server, secret)


def with_cookie(answer: Response, server: Server, secret: str) -> Response:
    """Set the session cookie: no script can read it, no foreign page can send it with a write."""
    answer.set_cookie(SESSION_COOKIE, secret, httponly=True, secure=server.secure, samesite="lax", path="/")
    return answer
