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
def show(request: Request, visit: Reading, period: str, standard: str, gap: bool = False) -> Response:
    """Return the findings of a period under one standard, with the gap to the next grade when asked."""
    asked = evaluate_path.Asked(standard, False, gap, None, None)
    return from_book(request, visit, lambda: evaluate_path.show(visit.context, Period.parse(period), asked).as_json())


@ROUTER.get("/evaluations")
def show_all(request: Request, visit: Reading, period: str) -> Response:
    """Return what a period comes to under every standard."""
    asked = evaluate_path.Asked(None, True, False, None, None)

    def make() -> object:
        return {"items": evaluate_path.show(visit.context, Period.parse(period), asked).as_json()}

    return from_book(request, visit, make)


@ROUTER.get("/evaluation/standards")
def standards(request: Request, visit: Reading) -> Response:
    """List the standards that are executable here."""
    folder = visit.context.workspace.folder

    def make() -> object:
        return {"items": [evaluate.book_as_json(book) for book in evaluate.listed(folder)]}

    return from_book(request, visit, make)
