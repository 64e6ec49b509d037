"""PACT 3.0 data exchange as a data owner: token, list and get footprints, events (WBCSD PACT API 3.0.4).

A customer's program is a user with the role viewer and a token: the token's id and secret are its client credentials.
Errors have PACT's own form: ``{"code", "message"}``.
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Request
from starlette.responses import Response

from zerofactory.api.door import Reading, address_of, server_of
from zerofactory.api.reply import encoded, plain
from zerofactory.errors import FaultyData
from zerofactory.runs import access, published
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import Trace, given_for

ROUTER = APIRouter(tags=["pact"])
TOKEN_SECONDS = 3600
MOST = 10_000
PAGING = {"limit", "offset", "site"}
EVENTS = {f"org.wbcsd.pact.ProductFootprint.{name}.3" for name in ("RequestCreatedEvent", "RequestFulfilledEvent", "RequestRejectedEvent", "PublishedEvent")}  # fmt: skip


@ROUTER.post("/auth/token")
def token(
    request: Request, grant_type: Annotated[str, Form()] = "", authorization: Annotated[str, Header()] = ""
) -> Response:
    """Give a bearer token for an hour to who knows a token's id and secret (RFC 6749, 4.4)."""
    store, now = server_of(request).access, clock()
    try:
        scheme, _, encoded_pair = authorization.partition(" ")
        client_id, _, secret = base64.b64decode(encoded_pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        scheme, client_id, secret = "", "", ""
    person = access.by_token(store, secret, now) if scheme.casefold() == "basic" and secret else None
    if grant_type != "client_credentials":
        return plain(
            {"error": "unsupported_grant_type", "error_description": "grant_type must be client_credentials"}, 400
        )
    if (
        person is None
        or person.token is None
        or person.token.token_id != client_id
        or "read" not in person.token.scopes
    ):
        told = {"error": "invalid_client", "error_description": "Client authentication failed"}
        return plain(told, 401, {"WWW-Authenticate": "Basic"})
    ends = min(stamp(now + timedelta(seconds=TOKEN_SECONDS)), person.token.expires_at)
    store.forget_tokens(given_for(""), before=stamp(now))
    given, _ = store.add_token(person.user.user_id, given_for(client_id), ("read",), person.token.site, expires_at=ends)
    return plain({"access_token": given, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})


@ROUTER.get("/3/footprints")
def list_footprints(request: Request, visit: Reading) -> Response:
    """List the footprints on offer that meet every criterion."""
    asked = request.query_params
    try:
        multiple = {name: asked.getlist(name) for name in asked if name in published.MULTIPLE}
        single = {name: asked[name] for name in asked if name not in published.MULTIPLE and name not in PAGING}
        wanted = published.wanted(multiple, single)
        limit, offset = _whole(asked.get("limit"), MOST), _whole(asked.get("offset"), 0)
    except FaultyData as fault:
        return _bad(fault)
    except ValueError:
        return _error(400, "BadRequest", "limit and offset are whole numbers of at least 0")
    found = [one for one in published.offered(visit.context) if published.matches(one, wanted)]
    headers = {}
    if limit and offset + limit < len(found):
        following = request.url.include_query_params(limit=limit, offset=offset + limit)
        headers["Link"] = f'<{following}>; rel="next"'
    return plain({"data": found[offset : offset + limit]}, headers=headers)


@ROUTER.get("/3/footprints/{footprint_id}")
def get_footprint(visit: Reading, footprint_id: str) -> Response:
    """Return one footprint on offer."""
    for one in published.offered(visit.context):
        if one["id"] == footprint_id.casefold():
            return plain({"data": one})
    return _error(404, "NotFound", "The requested footprint could not be found")


@ROUTER.post("/3/events")
def events(request: Request, visit: Reading, event: dict[str, Any]) -> Response:
    """Take a CloudEvent: checked, and its kind, number and sender kept in the trail for the carbon manager to answer."""
    faults = [name for name in ("type", "specversion", "id", "source", "data") if not event.get(name)]
    if faults:
        return _error(400, "BadRequest", f"missing: {', '.join(faults)}")
    if event["type"] not in EVENTS or event["specversion"] != "1.0" or not isinstance(event["data"], dict):
        return _error(400, "BadRequest", f"not an event of PACT 3: {str(event['type'])[:100]}")
    told = " ".join(str(event[name])[:200] for name in ("type", "id", "source"))
    line = Trace(stamp(clock()), visit.person.user.login, visit.site, "pact event", told, "done", address_of(request))
    visit.server.access.trace(line)
    return Response(status_code=200)


def _whole(text: str | None, otherwise: int) -> int:
    value = otherwise if text is None else int(text)
    if value < 0:
        raise ValueError
    return min(value, MOST)


def _bad(fault: FaultyData) -> Response:
    return _error(400, "BadRequest", " ".join(problem.sentence("en") for problem in fault.problems))


def _error(status: int, code: str, message: str) -> Response:
    return Response(encoded({"code": code, "message": message}), status, media_type="application/json")
