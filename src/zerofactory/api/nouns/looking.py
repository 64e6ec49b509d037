"""Looking closely: one meter over a month with its quality, and the activities of the book with their evidence."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import After, Limit, document, from_book, page
from zerofactory.periods import Period
from zerofactory.runs import activity_list, meter_view

ROUTER = APIRouter(prefix="/v1", tags=["looking"])
Days = Annotated[int, Query(ge=0, le=31, description="几天; 0 为整月按日 / days; 0: the month by day")]


@ROUTER.get("/meters/{meter}/view")
def meter(
    request: Request, visit: Reading, meter: str, period: str, first: date | None = None, days: Days = 0
) -> Response:
    """Return a meter over a month or some days of it: amounts by how they were got, what was noticed, closure."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: meter_view.run(visit.context, meter, asked, first, days).as_json())


@ROUTER.get("/activities")
def activities(
    request: Request, visit: Reading, period: str = "", source: str = "", limit: Limit = 100, after: After = 0
) -> Response:  # fmt: skip
    """Return the activities that stand, by month and source."""
    asked = activity_list.Asked(period, source)
    return page(
        request, visit, lambda: [one.as_json() for one in activity_list.run(visit.context, asked)], limit, after
    )


@ROUTER.get("/evidence/{sha256}")
def evidence(visit: Reading, sha256: str) -> Response:
    """Return a document that activities rest on."""
    name, path = activity_list.evidence(visit.context, sha256)
    return document(name, lambda out: out.write_bytes(path.read_bytes()))
