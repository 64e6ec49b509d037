"""Process routes: the list, every number with its source, and routes side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import from_book
from zerofactory.runs import route_compare as run

ROUTER = APIRouter(prefix="/v1", tags=["route"])


class Comparing(BaseModel):
    """What to compare: the part, bodies a year, the route held against, the recycled share of aluminium, the year of factors."""

    model_config = ConfigDict(extra="forbid")
    site: str | None = None
    part: str = run.PART
    volume: int | None = Field(default=None, ge=1, le=10_000_000)
    base: str = run.BASE
    recycled: float | None = Field(default=None, ge=0, le=1)
    year: int | None = Field(default=None, ge=2000, le=2100)


@ROUTER.get("/routes")
def listed(request: Request, visit: Reading) -> Response:
    """List the process routes of the site."""
    return from_book(request, visit, lambda: {"items": run.listed(visit.context)})


@ROUTER.get("/routes/{route}")
def one(request: Request, visit: Reading, route: str) -> Response:
    """Return every number of a route with its unit, bounds, source and status."""
    return from_book(request, visit, lambda: {"items": run.cited(visit.context, route)})


@ROUTER.get("/route-comparison")
def compare(request: Request, visit: Reading, query: Annotated[Comparing, Query()]) -> Response:
    """Return the routes of a part side by side at a volume."""
    asked = run.Asked(query.part, query.volume, (), query.base, query.recycled, query.year)
    return from_book(request, visit, lambda: run.run(visit.context, asked).as_json())
