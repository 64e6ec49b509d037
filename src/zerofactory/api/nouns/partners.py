"""Partners of data exchange: who they are, and the events that came from them and go to them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading
from zerofactory.api.reply import Limit, plain
from zerofactory.runs import partners as run
from zerofactory.runs.context import clock

ROUTER = APIRouter(prefix="/v1/partners", tags=["partners"])


@ROUTER.get("")
def show_list(visit: Reading) -> Response:
    """List the partners of this site, as ``access.toml`` names them; nothing secret."""
    return plain({"items": run.directory(visit.server.config.partners, visit.site)})


@ROUTER.get("/events")
def events(visit: Managing, limit: Limit = 100) -> Response:
    """List the newest events: requests, answers, announcements, and how each stands."""
    return plain({"items": run.listed(visit.server.access, visit.site, limit)})


@ROUTER.post("/events/{number}/retry")
def retry(request: Request, visit: Managing, number: int) -> Response:
    """Put an event in line for now that waits or was given up."""
    run.again(visit.server.access, number, visit.site, clock())
    return plain({"number": number})


@ROUTER.post("/send")
def send(visit: Managing) -> Response:
    """Do now what the server does every few seconds: answer, announce, send."""
    return plain(run.Courier(visit.server).round(clock()).as_json())
