"""Quality losses: what scrap and rework come to, what a point is worth, recovery of metals, and scrap back in the charge. Nothing is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import plain
from zerofactory.periods import Period
from zerofactory.runs import scrap as run
from zerofactory.runs import scrap_charge, scrap_recover, scrap_threshold, scrap_twin, scrap_value
from zerofactory.runs import twin as line

ROUTER = APIRouter(prefix="/v1", tags=["scrap"])
MOST_DAYS, MOST_RUNS = 14, 20
MONTH_OR_YEAR = r"^\d{4}(-\d{2})?$"


class Counting(BaseModel):
    """A month or a year of the site."""

    model_config = ConfigDict(extra="forbid")
    site: str | None = None
    period: str = Field(pattern=MONTH_OR_YEAR)


class Valuing(BaseModel):
    """A month or a year of the site, the parts looked at, and good pieces where the book does not know them."""

    model_config = ConfigDict(extra="forbid")
    site: str | None = None
    period: str = Field(pattern=MONTH_OR_YEAR)
    part: list[str] = Field(default_factory=list, max_length=50)
    good: int | None = Field(default=None, ge=1, le=1_000_000_000)


class Judging(BaseModel):
    """A month or a year of the site, the part whose losses count, the model whose scored parts of the book an inspector judged."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    site: str | None = None
    period: str = Field(pattern=MONTH_OR_YEAR)
    part: str = Field(max_length=100)
    model: str = Field(max_length=100)
    defective: float | None = Field(default=None, ge=0.0, le=1.0)


class Moving(BaseModel):
    """A point of scrap or rework more at stations of the twin, over some days."""

    model_config = ConfigDict(extra="forbid")
    period: str = Field(pattern=r"^\d{4}-\d{2}$")
    stations: list[str] = Field(min_length=1, max_length=8)
    kind: str = "scrap"
    days: int = Field(default=5, ge=1, le=MOST_DAYS)
    runs: int = Field(default=4, ge=2, le=MOST_RUNS)


def _asked(period: str) -> run.Asked:
    return run.Asked(Period.parse(period))


@ROUTER.get("/scrap/account")
def account(request: Request, visit: Reading, query: Annotated[Counting, Query()]) -> Response:
    """Return scrap and rework of a period by defect, shop, cause, part and station, with intervals, beside the book."""
    return plain(run.run(visit.context, _asked(query.period)).as_json())


@ROUTER.get("/scrap/value")
def value(request: Request, visit: Reading, query: Annotated[Valuing, Query()]) -> Response:
    """Return what one point of scrap, rework, escape and false reject is worth for each part, with intervals."""
    return plain(scrap_value.run(visit.context, _asked(query.period), tuple(query.part), query.good).as_json())


@ROUTER.get("/scrap/threshold")
def threshold(request: Request, visit: Reading, query: Annotated[Judging, Query()]) -> Response:
    """Return the inspection threshold of least loss in CNY and in kg of CO2e, beside the model's present one."""
    judged = scrap_threshold.Judged(query.part, None, model=query.model, defective_fraction=query.defective)
    return plain(scrap_threshold.run(visit.context, _asked(query.period), judged).as_json())


@ROUTER.post("/scrap/twin")
def twin(visit: Reading, asked: Moving) -> Response:
    """Return what one point more and less at stations does to the line, by the twin on common random numbers."""
    days = line.Asked(Period.parse(asked.period).start("UTC").date(), asked.days, runs=asked.runs)
    return plain({"items": [one.as_json() for one in scrap_twin.run(visit.context, asked.stations, days, asked.kind)]})


@ROUTER.get("/scrap/recover")
def recover(request: Request, visit: Reading, query: Annotated[Counting, Query()]) -> Response:
    """Return rates of recovery by metal with sources, and scrapped pieces by cut-off and by closed loop."""
    return plain(scrap_recover.run(visit.context, _asked(query.period)).as_json())


@ROUTER.get("/scrap/charge")
def charge(request: Request, visit: Reading, query: Annotated[Counting, Query()]) -> Response:
    """Return the charge with the scrap of a period and without it."""
    return plain(scrap_charge.run(visit.context, _asked(query.period)).as_json())
