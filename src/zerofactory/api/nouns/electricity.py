"""One book of electricity under every claim regime."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import from_book
from zerofactory.periods import Period
from zerofactory.runs import electricity as run
from zerofactory.runs import origins as kept

ROUTER = APIRouter(prefix="/v1", tags=["electricity"])


@ROUTER.get("/electricity")
def compare(request: Request, visit: Reading, period: str) -> Response:
    """Return the regimes side by side, the matched share, and why they differ."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: run.compare(visit.context, asked).as_json())


@ROUTER.get("/electricity/origins")
def origins(request: Request, visit: Reading, period: str, meter: str = "site") -> Response:
    """Return where the electricity of the plant or of one meter came from, by origin and path."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: kept.opened(visit.context, asked, meter).as_json())
