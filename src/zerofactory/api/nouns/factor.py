"""Factors: what there is, and which one a source gets."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import Limit, from_book
from zerofactory.runs import factor as run

ROUTER = APIRouter(prefix="/v1", tags=["factor"])


@ROUTER.get("/factors")
def find(request: Request, visit: Reading, text: str, limit: Limit = 20) -> Response:
    """Find factors by name in Chinese or English, or by id."""
    folder = visit.context.workspace.folder
    return from_book(request, visit, lambda: {"items": [run.factor_json(f) for f in run.find(text, folder, limit)]})


@ROUTER.get("/factors/of/{source_id}")
def resolve(request: Request, visit: Reading, source_id: str, on: date, known_at: date | None = None) -> Response:
    """Return the factors that a source gets on a day, and why."""

    def make() -> object:
        return {"items": [answer.as_json() for answer in run.resolve(visit.context, source_id, on, known_at)]}

    return from_book(request, visit, make)
