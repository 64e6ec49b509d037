"""Evaluation under a standard: findings, score, grade, and the gap to the next grade."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import from_book
from zerofactory.periods import Period
from zerofactory.runs import evaluate, evaluate_path

ROUTER = APIRouter(prefix="/v1", tags=["evaluation"])


@ROUTER.get("/evaluation")
def show(request: Request, visit: Reading, period: str, standard: str | None = None, gap: bool = False) -> Response:
    """Return the findings of a period under one standard, or a line for each standard."""
    asked = evaluate_path.Asked(standard, standard is None, gap, None, None)
    return from_book(request, visit, lambda: evaluate_path.show(visit.context, Period.parse(period), asked).as_json())


@ROUTER.get("/evaluation/standards")
def standards(request: Request, visit: Reading) -> Response:
    """List the standards that are executable here."""
    folder = visit.context.workspace.folder

    def make() -> object:
        return {"items": [evaluate.book_as_json(book) for book in evaluate.listed(folder)]}

    return from_book(request, visit, make)
