"""Users and their roles, invitations, tokens for programs, and the trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Administering, Asking, SiteQuery, Visit, address_of, server_of, site_of
from zerofactory.api.entrance import seen_as_json
from zerofactory.api.faults import fault
from zerofactory.api.reply import Limit, plain
from zerofactory.errors import NotFound, Text
from zerofactory.runs import access, accounts
from zerofactory.runs.access import Person
from zerofactory.runs.context import clock, stamp
from zerofactory.store import accounts as kept
from zerofactory.store.access import ANY_SITE, Trace, User

ROUTER = APIRouter(prefix="/v1", tags=["users"])
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[int | None, Query(ge=1, le=2**62)]


class Invitation(BaseModel):
    """The role that a new person gets at the site."""

    model_config = ConfigDict(extra="forbid")
    role: Name


class Grant(BaseModel):
    """The role of a user at the site; empty takes it away."""

    model_config = ConfigDict(extra="forbid")
    role: Name = ""


class NewToken(BaseModel):
    """What a token is for and what it may do."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    scopes: Annotated[list[Name], Field(max_length=20)]
    site: Name = ANY_SITE
    days: int = Field(default=0, ge=0, le=100_000)


@ROUTER.get("/users")
def show(visit: Administering) -> Response:
    """List the users with their role at this site; other sites' roles are not told."""
    store = visit.server.access
    rows = [(user, store.grants(user.user_id)) for user in store.users()]
    here = [(user, roles.get(visit.site) or roles.get(ANY_SITE)) for user, roles in rows]
    return plain({"items": [_as_json(user, role) for user, role in here if role is not None]})


@ROUTER.post("/invitations", status_code=201)
def invite(visit: Administering, asked: Invitation) -> Response:
    """Make a code that lets one person make an account with a role at this site."""
    return plain({"code": access.invite(visit.server.access, visit.site, asked.role, clock())}, 201)


@ROUTER.get("/invitations")
def invitations(visit: Administering) -> Response:
    """List the invitations to this site that still hold; the codes are nowhere kept."""
    found = kept.open_invites(visit.server.access, visit.site, at=stamp(clock()))
    names = ("invite_id", "site", "role", "expires_at")
    return plain({"items": [{name: getattr(one, name) for name in names} for one in found]})


@ROUTER.delete("/invitations/{invite_id}")
def withdraw(visit: Administering, invite_id: str) -> Response:
    """Withdraw an invitation to this site: its link opens nothing any more."""
    accounts.withdraw(visit.server.access, invite_id, visit.site, clock())
    return plain({"invite_id": invite_id})


@ROUTER.post("/users/{login}/reset", status_code=201)
def reset(request: Request, visit: Administering, login: str) -> Response:
    """Make a link by which a user gives himself a new password; only for one whose every role I administer."""
    user = _other(visit, login)
    if not accounts.may_reset(visit.server.access, visit.person, user):
        raise fault(403, "access.not_allowed", "该用户在别的工厂也有角色。", "That user has a role elsewhere, too.")
    code = accounts.reset_link(visit.server.access, user, clock())
    _noted(request, visit.person, "reset link", user.login, visit.site)
    return plain({"code": code}, 201)


@ROUTER.get("/users/{login}/sessions")
def sessions(visit: Administering, login: str) -> Response:
    """List the sessions of a user who has a role here."""
    found = kept.sessions(visit.server.access, _here(visit, login).user_id, at=stamp(clock()))
    return plain({"items": [seen_as_json(one) for one in found]})


@ROUTER.delete("/users/{login}/sessions")
def end_sessions(request: Request, visit: Administering, login: str) -> Response:
    """End every session of a user: he has to log in again."""
    user = _here(visit, login)
    count = kept.end_sessions(visit.server.access, user.user_id)
    _noted(request, visit.person, "end sessions", user.login, visit.site)
    return plain({"login": user.login, "ended": count})


@ROUTER.put("/users/{login}/role")
def grant(request: Request, visit: Administering, login: str, asked: Grant) -> Response:
    """Give a user a role at this site; an administrator cannot take his own away."""
    if asked.role and asked.role not in access.ROLES:
        raise NotFound(Text("角色", "role"), asked.role, tuple(access.ROLES))
    user = _other(visit, login)
    visit.server.access.grant(user.user_id, visit.site, asked.role)
    _noted(request, visit.person, "grant", f"{user.login} {asked.role or '-'}", visit.site)
    return plain(_as_json(user, asked.role or None))


@ROUTER.delete("/users/{login}")
def disable(visit: Administering, login: str) -> Response:
    """Shut a user out of every site: only for an administrator of all of them."""
    if not visit.person.may("administer", ANY_SITE):  # a token for one site may not, even one of the chief
        raise fault(
            403, "access.not_allowed", "只有全部工厂的管理员可停用用户。", "Only an administrator of all sites may."
        )
    user = _other(visit, login)
    visit.server.access.disable(user.user_id)
    return plain(_as_json(user, None))


@ROUTER.post("/users/{login}/enabling")
def enable(visit: Administering, login: str) -> Response:
    """Let a user in again who was shut out: only for an administrator of all sites. His tokens stay revoked."""
    if not visit.person.may("administer", ANY_SITE):
        raise fault(
            403, "access.not_allowed", "只有全部工厂的管理员可恢复用户。", "Only an administrator of all sites may."
        )
    user = _other(visit, login)
    visit.server.access.disable(user.user_id, False)
    return plain(_as_json(user, None))


@ROUTER.get("/tokens")
def tokens(request: Request, person: Asking) -> Response:
    """List my own tokens; their secrets are nowhere kept."""
    found = server_of(request).access.tokens(person.user.user_id)
    names = ("token_id", "name", "scopes", "site", "expires_at", "revoked")
    return plain({"items": [{name: getattr(token, name) for name in names} for token in found]})


@ROUTER.post("/tokens", status_code=201)
def new_token(request: Request, person: Asking, asked: NewToken) -> Response:
    """Make a token; its secret is told once, here."""
    if person.token is not None:
        raise fault(403, "access.token_by_token", "令牌不能再生令牌。", "A token cannot make a token.")
    wanted = access.TokenAsked(asked.name, tuple(asked.scopes), asked.site, asked.days)
    secret, token = access.new_token(server_of(request).access, person, wanted, clock())
    _noted(request, person, "new token", f"{token.token_id} {' '.join(token.scopes)}", token.site)
    return plain({"token": secret, "token_id": token.token_id, "expires_at": token.expires_at}, 201)


@ROUTER.delete("/tokens/{token_id}")
def revoke_token(request: Request, person: Asking, token_id: str) -> Response:
    """Revoke one of my tokens."""
    store = server_of(request).access
    own = {token.token_id for token in store.tokens(person.user.user_id)}
    if token_id not in own:
        raise NotFound(Text("令牌", "token"), token_id)
    store.revoke_token(token_id)
    _noted(request, person, "revoke token", token_id)
    return plain({"token_id": token_id})


@ROUTER.get("/trail")
def trail(
    request: Request, person: Asking, site: SiteQuery = None, limit: Limit = 200, before: Number = None
) -> Response:
    """Return the trail of writes at a site, newest first; who administers every site and names none sees it whole, with logins."""
    server = server_of(request)
    whole = site is None and person.may("administer", ANY_SITE)
    chosen = None if whole else site_of(server, person, site, "administer")
    lines = server.access.trail(chosen, limit, before)
    names = ("at", "login", "site", "action", "target", "outcome", "address")
    return plain(
        {"items": [{"number": number, **{name: getattr(line, name) for name in names}} for number, line in lines]}
    )


def _other(visit: Visit, login: str) -> User:
    """Return a user with a role here other than the asker himself, or one whom the asker may give the first role here."""
    user = visit.server.access.user_called(login)
    if user is None:
        raise NotFound(Text("用户", "user"), login)
    if user.user_id == visit.person.user.user_id:
        raise fault(409, "access.own_role", "不能改自己的角色。", "Nobody changes his own role.")
    if ANY_SITE in visit.server.access.grants(user.user_id) and not visit.person.may("administer", ANY_SITE):
        raise fault(
            403, "access.not_allowed", "该用户由总管理员管理。", "That user is looked after by the chief administrator."
        )
    return user


def _here(visit: Visit, login: str) -> User:
    """Return another user who has a role at this site."""
    user = _other(visit, login)
    if accounts.role_at(visit.server.access, user, visit.site) is None:
        raise NotFound(Text("用户", "user"), login)
    return user


def _noted(request: Request, person: Person, action: str, target: str, site: str = "") -> None:
    """Write a line of the trail that says more than the address of the request does."""
    line = Trace(stamp(clock()), person.user.login, site, action, target, "done", address_of(request))
    server_of(request).access.trace(line)


def _as_json(user: User, role: str | None) -> dict[str, object]:
    return {"login": user.login, "name": user.name, "role": role, "disabled": user.disabled}
