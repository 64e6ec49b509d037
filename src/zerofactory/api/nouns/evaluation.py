"""Evaluation under a standard: findings, score, grade, and the gap to the next grade."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading, Recording
from zerofactory.api.reply import from_book, once
from zerofactory.api.uploads import one_received
from zerofactory.periods import Period
from zerofactory.runs import attest, evaluate, evaluate_path

ROUTER = APIRouter(prefix="/v1", tags=["evaluation"])
Words = Annotated[str, Field(max_length=2000)]


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


class Attested(BaseModel):
    """A criterion of a standard or an amount, what is said of it, and the file that shows it."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    standard: Words | None = None
    criterion: Words | None = None
    amount: Words | None = None
    value: float | None = None
    unit: Words = ""
    half_width: Annotated[float, Field(ge=0, le=10)] = 0.0
    verdict: Words = "met"
    valid_until: date | None = None
    text: Words = ""
    file: UploadFile | None = None

    def said(self) -> attest.Said:
        """Return what is attested, without its file."""
        subject, number = (self.standard, self.criterion, self.amount), (self.value, self.unit, self.half_width)
        return replace(attest.said_of(subject, number, self.verdict), text=self.text, valid_until=self.valid_until)


@ROUTER.post("/evaluation/attestations")
def attest_(
    request: Request, visit: Recording, asked: Annotated[Attested, Form(media_type="multipart/form-data")]
) -> Response:
    """Attest a criterion or an amount, with the file that shows it."""
    said, period = asked.said(), Period.parse(asked.period)

    def do() -> object:
        with one_received(asked.file, visit.server.upload_bytes) as path:
            return attest.as_json(attest.attest(visit.context, period, replace(said, evidence=path)))

    return once(request, visit, do)


@ROUTER.get("/evaluation/standards")
def standards(request: Request, visit: Reading) -> Response:
    """List the standards that are executable here."""
    folder = visit.context.workspace.folder

    def make() -> object:
        return {"items": [evaluate.book_as_json(book) for book in evaluate.listed(folder)]}

    return from_book(request, visit, make)
