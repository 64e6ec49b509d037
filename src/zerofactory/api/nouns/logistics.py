"""Logistics: the network with its chains, and the fleet's day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import plain
from zerofactory.optimisation.logistics.network import Goals
from zerofactory.optimisation.logistics.routing import Effort
from zerofactory.periods import Period
from zerofactory.runs import logistics_fleet, logistics_plan

ROUTER = APIRouter(prefix="/v1", tags=["logistics"])
Amount = Annotated[float, Field(ge=0, le=1e6)]


class Planning(BaseModel):
    """What is asked of the network."""

    model_config = ConfigDict(extra="forbid")
    period: Annotated[str, Field(max_length=10)] | None = None
    objective: Literal["cost", "emissions"] = "cost"
    carbon_price_cny_per_t: Amount = 0.0
    cap: Annotated[str, Field(max_length=30)] | None = None
    pareto: int = Field(default=0, ge=0, le=12)


class Driving(BaseModel):
    """Which day, and how long rounds are searched."""

    model_config = ConfigDict(extra="forbid")
    day: date | None = None
    seconds: float = Field(default=3.0, ge=0.5, le=10.0)
    carbon_price_cny_per_t: Amount = 0.0


@ROUTER.post("/logistics/plan")
def plan(visit: Reading, asked: Planning) -> Response:
    """Return the network as it is, as planned and at its cleanest, checked, with the documents to import. Nothing is written."""
    period = Period.parse(asked.period) if asked.period else None
    goals = Goals(asked.objective, asked.carbon_price_cny_per_t)
    wanted = logistics_plan.Asked(period, goals, asked.cap, asked.pareto)
    return plain(logistics_plan.run(visit.context, wanted).as_json())


@ROUTER.post("/logistics/fleet")
def fleet(visit: Reading, asked: Driving) -> Response:
    """Return rounds, charging at the dock, forklifts and AGVs of a day, checked. Nothing is written."""
    wanted = logistics_fleet.Asked(asked.day, Effort(asked.seconds), None, asked.carbon_price_cny_per_t)
    return plain(logistics_fleet.run(visit.context, wanted).as_json())
