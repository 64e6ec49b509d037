"""The digital twin: some days of the line, the fit to the readings, and what-if beside the plant as it is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading
from zerofactory.api.reply import from_book, once, plain
from zerofactory.errors import Text
from zerofactory.runs import twin as run_twin
from zerofactory.runs import twin_calibrate, twin_compare, twin_draft, twin_now, twin_start

ROUTER = APIRouter(prefix="/v1", tags=["twin"])
Days = Annotated[int, Query(ge=1, le=31)]
Runs = Annotated[int, Query(ge=1, le=20)]
Begin = Annotated[str | None, Query(max_length=40, description="now, or a moment such as 2025-03-10T10:20")]


class WhatIf(BaseModel):
    """A scenario in the form of a scenario file, and over what it is compared (``begin``: now, or a moment, see `twin_start`)."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=100)
    change: dict[str, Any]
    first: date | None = None
    begin: str | None = Field(default=None, max_length=40)
    days: int = Field(default=7, ge=1, le=31)
    runs: int = Field(default=8, ge=1, le=20)


class Drafting(BaseModel):
    """Seconds a piece; left out: from the output and the shifts of the last closed months."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    takt_s: float | None = None


@ROUTER.get("/twin")
def run(
    request: Request, visit: Reading, first: date | None = None, begin: Begin = None, days: Days = 7, runs: Runs = 8
) -> Response:
    """Return what the twin of the line does over some days, or from now (a moment) on from the state the line is in then."""
    asked = run_twin.Asked(first, days, runs=runs)
    if begin is not None:
        begun = twin_start.begun(visit.context, begin, asked)
        return plain({**run_twin.run(visit.context, begun.asked).as_json(), **begun.as_json()})
    return from_book(request, visit, lambda: run_twin.run(visit.context, asked).as_json())


@ROUTER.get("/twin/now")
def now(visit: Reading, at: datetime | None = None) -> Response:
    """Return the state of every station from the newest readings, or as it was at a moment gone by."""
    local = None if at is None else twin_now.moment_of(visit.context, at.isoformat())
    return plain(twin_now.now(visit.context, local).as_json())


@ROUTER.get("/twin/calibration")
def calibrate(
    request: Request, visit: Reading, holdout: Annotated[list[str] | None, Query(max_length=24)] = None
) -> Response:
    """Return the powers fitted to the readings, held against the months left out."""
    asked = twin_calibrate.Asked(holdout=tuple(holdout or ()))
    return from_book(request, visit, lambda: twin_calibrate.calibrate(visit.context, asked).as_json())


@ROUTER.post("/twin/draft")
def draft(request: Request, visit: Managing, asked: Drafting) -> Response:
    """Write a first twin.toml from the plant file, its calendar, output and meters; one that is there stays as it is."""

    def do() -> object:
        drafted = twin_draft.draft(visit.context, asked.takt_s)
        return {**drafted.as_json(), "file": twin_draft.write(visit.context, drafted).name}

    return once(request, visit, do)


@ROUTER.post("/twin/comparison")
def compare(visit: Reading, asked: WhatIf) -> Response:
    """Return a scenario beside the plant as it is; nothing is written."""
    scenario = twin_compare.Scenario(asked.name, Text(asked.name, asked.name), asked.change)
    over = run_twin.Asked(asked.first, asked.days, runs=asked.runs)
    over = over if asked.begin is None else twin_start.begun(visit.context, asked.begin, over).asked
    return plain(twin_compare.compare(visit.context, over, [scenario]).as_json())
