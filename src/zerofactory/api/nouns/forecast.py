"""Forecasts and the normalised energy baseline."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading, Recording
from zerofactory.api.reply import from_book, once, plain
from zerofactory.optimisation.forecasting.backtest import Rolling
from zerofactory.runs import baseline as baselines
from zerofactory.runs import forecast as run

ROUTER = APIRouter(prefix="/v1", tags=["forecast"])
Word = Annotated[str, Field(max_length=200)]


class _Series(BaseModel):
    """Which series, from when, by which method."""

    model_config = ConfigDict(extra="forbid")
    target: Literal["load", "pv", "price", "intensity"] = "load"
    place: Word | None = None
    at: Word | None = None
    method: Word | None = None


class Ahead(_Series):
    """What to forecast, where, from when and how far."""

    horizon: Word = "7d"


class Compared(BaseModel):
    """Which period against which reference, where and by what."""

    model_config = ConfigDict(extra="ignore")
    period: Word
    reference: Word
    shop: Word = baselines.EVERY_SHOP
    carrier: Word = "electricity"
    grain: Literal["day", "week", "month"] = "week"
    drivers: Word = ",".join(baselines.USUAL)
    keep_all: bool = False


@ROUTER.post("/forecasts")
def make(request: Request, visit: Recording, ahead: Ahead) -> Response:
    """Make a forecast and keep it with the moment it was known."""
    zone = visit.context.workspace.plant.time_zone

    def do() -> object:
        at = None if ahead.at is None else run.moment_of(ahead.at, zone)
        asked = run.Asked(run.target_of(ahead.target), ahead.place, run.horizon_of(ahead.horizon), at, ahead.method)
        return run.run(visit.context, asked).as_json()

    return once(request, visit, do)


@ROUTER.get("/forecasts")
def show(request: Request, visit: Reading) -> Response:
    """List the forecasts that are kept."""
    return from_book(request, visit, lambda: {"items": run.kept(visit.context)})


class Tested(_Series):
    """What is tested, and over how many days."""

    days: int = Field(default=56, ge=1, le=366)


@ROUTER.post("/forecasts/backtest")
def backtest(visit: Reading, asked: Tested) -> Response:
    """Return how each forecaster did on past days. Nothing is kept."""
    at = None if asked.at is None else run.moment_of(asked.at, visit.context.workspace.plant.time_zone)
    wanted = run.Asked(run.target_of(asked.target), asked.place, at=at, method=asked.method)
    scores = run.run_backtest(visit.context, wanted, Rolling(test_days=asked.days))
    return plain({"items": [one.as_json() for one in scores]})


@ROUTER.get("/baseline")
def baseline(request: Request, visit: Reading, compared: Annotated[Compared, Query()]) -> Response:
    """Return the normalised energy baseline, savings and CUSUM (ISO 50006)."""
    drivers = tuple(name.strip() for name in compared.drivers.split(",") if name.strip())
    asked = baselines.Asked(
        compared.shop, compared.period, compared.reference, compared.carrier, compared.grain, drivers, compared.keep_all
    )
    return from_book(request, visit, lambda: {"items": [one.as_json() for one in baselines.run(visit.context, asked)]})
