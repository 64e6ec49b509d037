"""Coming in and going out: sessions, passwords, the invitation that makes an account, and who I am."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Asking, address_of, server_of
from zerofactory.api.entrance import cookie_of, knock_of, seen_as_json, take, welcomed
from zerofactory.api.faults import fault
from zerofactory.api.reply import plain
from zerofactory.runs import access, accounts
from zerofactory.runs.access import Person
from zerofactory.runs.context import clock, stamp
from zerofactory.store import accounts as kept

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


class NewPassword(BaseModel):
    """The password one has and the one one wants."""

    model_config = ConfigDict(extra="forbid")
    present: Short
    password: Short


class Reset(BaseModel):
    """The code of a reset link and the password one wants."""

    model_config = ConfigDict(extra="forbid")
    code: Short
    password: Short


@ROUTER.post("/session", status_code=201)
def open(request: Request, login: Login) -> Response:  # noqa: A001  (the verb of the noun)
    """Log in: sets the session cookie and returns the form token for writes."""
    store = server_of(request).access
    return welcomed(request, *access.log_in(store, login.login, login.password, knock_of(request), clock()))


@ROUTER.delete("/session")
def close(request: Request, person: Asking) -> Response:
    """Log out."""
    server = server_of(request)
    server.access.end_session(cookie_of(request, "session"))
    answer = plain({"login": person.user.login})
    take(answer, server, "session")
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
    asked = access.Account(account.login, account.name, account.password)
    store = server_of(request).access
    return welcomed(request, *access.accept(store, account.code, asked, clock(), address_of(request)))


@ROUTER.post("/password", status_code=201)
def change_password(request: Request, person: Asking, asked: NewPassword) -> Response:
    """Give myself a new password: my other sessions end, this browser gets a new one."""
    refuse_programs(person)
    store, said = server_of(request).access, (asked.present, asked.password)
    return welcomed(request, *accounts.change_password(store, person, *said, clock(), address_of(request)))


@ROUTER.post("/password/reset", status_code=201)
def reset_password(request: Request, asked: Reset) -> Response:
    """Give myself a new password with the link an administrator made, and log in."""
    store = server_of(request).access
    return welcomed(request, *accounts.reset_password(store, asked.code, asked.password, clock(), address_of(request)))


@ROUTER.get("/sessions")
def show_list(request: Request, person: Asking) -> Response:
    """List my sessions: when each was used last and when it ends."""
    found = kept.sessions(server_of(request).access, person.user.user_id, at=stamp(clock()))
    own = kept.session_id(cookie_of(request, "session"))
    return plain({"items": [seen_as_json(one, one.session_id == own) for one in found]})


@ROUTER.delete("/sessions/{session_id}")
def end(request: Request, person: Asking, session_id: str) -> Response:
    """End one of my sessions."""
    refuse_programs(person)
    accounts.end_session(server_of(request).access, person.user, session_id)
    return plain({"session_id": session_id})


def refuse_programs(person: Person) -> None:
    """Raise 403 for a token: a program neither changes passwords nor ends sessions."""
    if person.token is not None:
        raise fault(403, "access.by_token", "令牌不能做这件事。", "A token cannot do that.")
