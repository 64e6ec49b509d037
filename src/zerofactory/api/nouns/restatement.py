"""Old beside new: restatement and the base year."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading
from zerofactory.api.reply import from_book, once
from zerofactory.periods import Period
from zerofactory.runs import base_year, restate

ROUTER = APIRouter(prefix="/v1", tags=["restatement"])
Word = Annotated[str, Field(max_length=200)]


class Compared(BaseModel):
    """Which figures to set side by side."""

    model_config = ConfigDict(extra="ignore")
    period: Word
    standard: Word = "iso_14064_1_2018"
    regime: Word | None = None
    by: Word = "category"
    scope: Word = "1+2"
    as_filed: Word | None = None
    since: Word | None = None
    against: Literal["book", "now"] | None = None
    known_at: date | None = None
    gwp_set: Word | None = None


class Fixing(BaseModel):
    """The year to fix, and why it is fixed again."""

    model_config = ConfigDict(extra="forbid")
    period: Word
    standard: Word = "iso_14064_1_2018"
    reason: Annotated[str, Field(max_length=2000)] = ""


@ROUTER.get("/restatement")
def show(request: Request, visit: Reading, asked: Annotated[Compared, Query()]) -> Response:
    """Return old beside new, the difference by cause to the gram."""
    wanted = asked.model_dump(exclude={"period"})
    compared = restate.Request(Period.parse(asked.period), **wanted)
    return from_book(request, visit, lambda: restate.run(visit.context, compared).as_json())


@ROUTER.get("/base-year")
def base_year_show(request: Request, visit: Reading, known_at: date | None = None) -> Response:
    """Return every version of the base year and whether it must be recalculated."""
    return from_book(request, visit, lambda: base_year.show(visit.context, known_at).as_json())


@ROUTER.post("/base-year")
def base_year_fix(request: Request, visit: Managing, asked: Fixing) -> Response:
    """Fix the base year from a closed year."""
    period = Period.parse(asked.period)
    return once(request, visit, lambda: base_year.fix(visit.context, period, asked.standard, asked.reason).as_json())
