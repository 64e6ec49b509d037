"""PACT 3.0 data exchange as a data owner: token, list and get footprints, events (WBCSD PACT API 3.0.4).

A customer's program is a user with the role viewer and a token: the token's id and secret are its client credentials.
Errors have PACT's own form: ``{"code", "message"}``.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from zerofactory.api.door import Reading, address_of, server_of
from zerofactory.api.reply import encoded, plain
from zerofactory.errors import FaultyData
from zerofactory.runs import access, partners, published
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import AccessStore, ApiToken, Trace, given_for

ROUTER = APIRouter(tags=["pact"])
TOKEN_SECONDS = 3600
MOST = 10_000
PAGING = {"limit", "offset", "site"}
REFUSING: dict[int | str, dict[str, Any]] = {
    status: {
        "description": "RFC 6749, 5.2",
        "content": {"application/json": {"schema": {"type": "object", "required": ["error"]}}},
    }
    for status in (400, 401)
}
PARAMETERS = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {"type": "array", "items": {"type": "string"}}
            if name in published.MULTIPLE
            else {"type": "string"},
        }
        for name in (*published.MULTIPLE, *published.SINGLE)
    ]
    + [
        {"name": name, "in": "query", "required": False, "schema": {"type": "integer", "minimum": 0}}
        for name in ("limit", "offset")
    ]
}


@ROUTER.post("/auth/token", responses=REFUSING)
def token(
    request: Request,
    grant_type: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    client_secret: Annotated[str, Form()] = "",
    authorization: Annotated[str, Header()] = "",
) -> Response:
    """Give a bearer token for an hour to who knows a token's id and secret (RFC 6749, 4.4), in the header or the form (2.3.1)."""
    store, now = server_of(request).access, clock()
    authorization = authorization or _basic(client_id, client_secret)
    if grant_type != "client_credentials":
        return _refused(400, "unsupported_grant_type", "grant_type must be client_credentials")
    held = _client(store, authorization, now)
    if held is None:
        return _refused(401, "invalid_client", "Client authentication failed")
    return plain({"access_token": _given(store, held, now), "token_type": "Bearer", "expires_in": TOKEN_SECONDS})


def _basic(client_id: str, client_secret: str) -> str:
    """Return credentials of a form as the header would have them; nothing where there are none."""
    return f"Basic {base64.b64encode(f'{client_id}:{client_secret}'.encode()).decode()}" if client_id else ""


def _client(store: AccessStore, authorization: str, now: datetime) -> ApiToken | None:
    """Return the token whose id and secret somebody shows, when it may read."""
    try:
        scheme, _, encoded_pair = authorization.partition(" ")
        client_id, _, secret = base64.b64decode(encoded_pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    person = access.by_token(store, secret, now) if scheme.casefold() == "basic" and secret else None
    held = person.token if person is not None else None
    return held if held is not None and held.token_id == client_id and "read" in held.scopes else None


def _given(store: AccessStore, held: ApiToken, now: datetime) -> str:
    """Return a new token for an hour that can no more than read, and no longer than the one it is given for."""
    ends = min(stamp(now + timedelta(seconds=TOKEN_SECONDS)), held.expires_at)
    store.forget_tokens(given_for(""), before=stamp(now))
    return store.add_token(held.user_id, given_for(held.token_id), ("read",), held.site, expires_at=ends)[0]


def _refused(status: int, error: str, told: str) -> Response:
    challenge = {"WWW-Authenticate": "Basic"} if status == 401 else None
    return plain({"error": error, "error_description": told}, status, challenge)


@ROUTER.get("/3/footprints", openapi_extra=PARAMETERS)
def list_footprints(request: Request, visit: Reading) -> Response:
    """List the footprints on offer that meet every criterion."""
    try:
        wanted, limit, offset = _asked(request.query_params)
    except FaultyData as fault:
        return _bad(fault)
    except ValueError:
        return _error(400, "BadRequest", "limit and offset are whole numbers of at least 0")
    found = [one for one in published.offered(visit.context) if published.matches(one, wanted)]
    return plain({"data": found[offset : offset + limit]}, headers=_next(request, limit, offset, len(found)))


def _asked(asked: QueryParams) -> tuple[published.Wanted, int, int]:
    multiple = {name: asked.getlist(name) for name in asked if name in published.MULTIPLE}
    single = {name: asked[name] for name in asked if name not in published.MULTIPLE and name not in PAGING}
    wanted = published.wanted(multiple, single)
    return wanted, _whole(asked.get("limit"), MOST), _whole(asked.get("offset"), 0)


def _next(request: Request, limit: int, offset: int, total: int) -> dict[str, str]:
    """Return the link to the following page, absolute, when there is one."""
    if not limit or offset + limit >= total:
        return {}
    following = request.url.include_query_params(limit=limit, offset=offset + limit)
    return {"Link": f'<{following}>; rel="next"'}


@ROUTER.get("/3/footprints/{footprint_id}")
def get_footprint(visit: Reading, footprint_id: str) -> Response:
    """Return one footprint on offer."""
    for one in published.offered(visit.context):
        if one["id"] == footprint_id.casefold():
            return plain({"data": one})
    return _error(404, "NotFound", "The requested footprint could not be found")


@ROUTER.post("/3/events")
def events(request: Request, visit: Reading, event: dict[str, Any]) -> Response:
    """Take a CloudEvent: checked, written down once, and a request answered later at the partner's own door."""
    faults = partners.faults_of(event)
    if faults:
        return _error(400, "BadRequest", "; ".join(faults))
    store, login, now = visit.server.access, visit.person.user.login, clock()
    new = partners.take(store, login, visit.site, event, now)
    told = " ".join([*(str(event[name])[:200] for name in ("type", "id", "source")), "" if new else "(again)"]).strip()
    store.trace(Trace(stamp(now), login, visit.site, "pact event", told, "done", address_of(request)))
    return Response(status_code=200)


@ROUTER.get("/.well-known/openid-configuration")
def description(request: Request) -> Response:
    """Return where a partner's program gets its token (PACT API 3.0.4, OpenId Connect-based Authentication Flow)."""
    base = str(request.base_url).rstrip("/")
    told = {
        "issuer": base,
        "token_endpoint": f"{base}/auth/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }
    return plain({**told, "grant_types_supported": ["client_credentials"], "response_types_supported": []})


def _whole(text: str | None, otherwise: int) -> int:
    value = otherwise if text is None else int(text)
    if value < 0:
        raise ValueError
    return min(value, MOST)


def _bad(fault: FaultyData) -> Response:
    return _error(400, "BadRequest", " ".join(problem.sentence("en") for problem in fault.problems))


def _error(status: int, code: str, message: str) -> Response:
    return Response(encoded({"code": code, "message": message}), status, media_type="application/json")
