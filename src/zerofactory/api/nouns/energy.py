"""Energy: the bill of a month, the structure to build, and what each asset does now."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading
from zerofactory.api.reply import Limit, from_book, once, plain
from zerofactory.optimisation.energy.problem import Goals
from zerofactory.periods import Period
from zerofactory.runs import command_book, energy_bill, energy_dispatch, energy_size, energy_tariff
from zerofactory.runs.forecast import moment_of

ROUTER = APIRouter(prefix="/v1", tags=["energy"])
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e12)]


class Sizing(BaseModel):
    """What is asked of the structure."""

    model_config = ConfigDict(extra="forbid")
    period: Annotated[str, Field(max_length=10)] | None = None
    objective: Literal["cost", "emissions"] = "cost"
    regime: Literal["location", "market_annual", "market_hourly"] = "location"
    cap: Annotated[str, Field(max_length=30)] | None = None
    carbon_price_cny_per_t: Amount = 0.0
    annual_matched_fraction: Fraction | None = None
    hourly_matched_fraction: Fraction | None = None
    non_fossil_fraction: Fraction | None = None
    physical_fraction: Fraction | None = None
    budget_cny: Amount | None = None
    roof_area_m2: Amount | None = None
    grid_limit_kw: Amount | None = None
    step_minutes: Literal[60, 30, 15] = 60
    pareto: int = Field(default=0, ge=0, le=12)


class _Planning(BaseModel):
    """How far to plan, with which candidates as built."""

    model_config = ConfigDict(extra="forbid")
    horizon_hours: int = Field(default=48, ge=1, le=168)
    step_minutes: Literal[60, 30, 15] = 15
    build: dict[str, Amount] = {}
    margin_fraction: float = Field(default=0.8, ge=0.5, le=0.99)


class Dispatching(_Planning):
    """From when and how far to plan, with which candidates as built, and how full the stores are."""

    at: datetime | None = None
    contents: dict[str, Fraction] = {}


class Backtest(_Planning):
    """From which day on, for how many days, and how far each step plans."""

    first: date
    days: int = Field(default=7, ge=1, le=366)


class Override(BaseModel):
    """Take an asset (none: the plant) in hand, or give it back."""

    model_config = ConfigDict(extra="forbid")
    on: bool
    asset: Annotated[str, Field(max_length=200)] | None = None
    reason: Annotated[str, Field(max_length=2000)] = ""


@ROUTER.get("/energy/tariffs")
def tariffs(request: Request, visit: Reading) -> Response:
    """List the packaged tariffs."""
    return from_book(request, visit, lambda: {"items": energy_tariff.listing()})


@ROUTER.get("/energy/commands")
def commands(request: Request, visit: Reading, asset: str | None = None, limit: Limit = 100) -> Response:
    """List the newest commands to devices: wished, sent, read back, and how each ended."""

    def make() -> object:
        rows = command_book.commands(visit.context, asset, limit).to_dicts()
        return {"items": [{**row, "commanded_at": row["commanded_at"].isoformat()} for row in rows]}

    return from_book(request, visit, make)


@ROUTER.post("/energy/override")
def override(request: Request, visit: Managing, asked: Override) -> Response:
    """Take an asset or the plant in hand: nothing is sent to it any more; or give it back. Counts at once."""

    def do() -> object:
        done = command_book.override(visit.context, asked.asset, asked.on, asked.reason)
        standing = [
            {"asset": one.asset, "reason": one.reason, "actor": one.actor, "at": one.at} for one in done.standing
        ]
        return {"asset": done.asset, "on": done.is_on, "was_on": done.was, "standing": standing}

    return once(request, visit, do)


@ROUTER.post("/energy/backtest")
def backtest(visit: Reading, asked: Backtest) -> Response:
    """Return what rolling dispatch would have saved, beside no store, the rule and perfect foresight. Takes minutes: see also ``/v1/jobs``."""
    moment = moment_of(f"{asked.first}T00:00", visit.context.workspace.plant.time_zone)
    wanted = energy_dispatch.Asked(moment, asked.horizon_hours, asked.step_minutes, asked.build, asked.margin_fraction)
    return plain(energy_dispatch.backtest(visit.context, wanted, moment, asked.days).as_json())


@ROUTER.get("/energy/bill")
def bill(request: Request, visit: Reading, period: str) -> Response:
    """Return the bill of a past period, reproduced from readings, in whole fen."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: energy_bill.read(visit.context, asked).as_json())


@ROUTER.post("/energy/size")
def size(visit: Reading, asked: Sizing) -> Response:
    """Return the best structure, checked, or the smallest clash of wishes; takes a minute over a year. Nothing is written."""
    goals = Goals(**asked.model_dump(exclude={"period", "cap", "step_minutes", "pareto"}))
    period = Period.parse(asked.period) if asked.period else None
    wanted = energy_size.Asked(period, goals, asked.cap, asked.step_minutes, asked.pareto)
    return plain(energy_size.run(visit.context, wanted).as_json())


@ROUTER.post("/energy/dispatch")
def dispatch(visit: Reading, asked: Dispatching) -> Response:
    """Return what each asset should do now and in the hours ahead. Nothing is sent to a device."""
    wanted = energy_dispatch.Asked(
        asked.at, asked.horizon_hours, asked.step_minutes, asked.build, asked.margin_fraction, asked.contents
    )
    return plain(energy_dispatch.run(visit.context, wanted).as_json())
