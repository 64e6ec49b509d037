"""The car line: its schedule, sharing among plants, line feeding, an instance of the carbon-aware set, and schedule with dispatch."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import plain
from zerofactory.periods import zone
from zerofactory.runs import co_optimise as together
from zerofactory.runs import schedule_cas, schedule_feed, schedule_line, schedule_plants

ROUTER = APIRouter(prefix="/v1", tags=["schedule"])
Amount = Annotated[float, Field(ge=0, le=1e9)]


class Lining(BaseModel):
    """Which day, what is to be least, how much work."""

    model_config = ConfigDict(extra="forbid")
    day: date
    objective: Literal["balanced", "carbon", "cost", "makespan"] = "carbon"
    moves: int = Field(default=2000, ge=0, le=50_000)
    pareto: int = Field(default=0, ge=0, le=12)
    bound: bool = False


class Feeding(BaseModel):
    """Which day, and the work of the schedule that is fed."""

    model_config = ConfigDict(extra="forbid")
    day: date
    objective: Literal["balanced", "carbon", "cost", "makespan"] = "carbon"
    moves: int = Field(default=1000, ge=0, le=50_000)


class SharingOrders(BaseModel):
    """What is to be least, and the cap."""

    model_config = ConfigDict(extra="forbid")
    objective: Literal["carbon", "cost"] = "carbon"
    carbon_price_cny_per_t: Amount = 0.0
    cap_t: Amount | None = None


class Together(BaseModel):
    """Which day, candidates taken as built, the price of carbon, how much work."""

    model_config = ConfigDict(extra="forbid")
    day: date
    build: dict[str, Amount] = {}
    carbon_price_cny_per_t: Amount = 0.0
    rounds: int = Field(default=6, ge=1, le=20)
    moves: int = Field(default=500, ge=1, le=20_000)


class Instance(BaseModel):
    """The text of an instance of the carbon-aware set."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=100)] = "instance.cas"
    text: Annotated[str, Field(max_length=200_000)]
    moves: int = Field(default=5000, ge=0, le=50_000)
    prove_s: float = Field(default=0.0, ge=0.0, le=60.0)


def _moment(visit: Reading, day: date) -> datetime:
    return datetime.combine(day, time(), zone(visit.context.workspace.plant.time_zone))


@ROUTER.post("/schedule/line")
def line(visit: Reading, asked: Lining) -> Response:
    """Return the schedule of the car line beside the one as orders come, both checked. Nothing is written."""
    wanted = schedule_line.Asked(_moment(visit, asked.day), asked.objective, asked.moves, None, asked.pareto, asked.bound)  # fmt: skip
    return plain(schedule_line.run(visit.context, wanted).as_json())


@ROUTER.post("/schedule/feed")
def feed(visit: Reading, asked: Feeding) -> Response:
    """Return kits and containers by tour for the schedule of a day, checked. Nothing is written."""
    wanted = schedule_line.Asked(_moment(visit, asked.day), asked.objective, asked.moves)
    return plain(schedule_feed.run(visit.context, wanted).as_json())


@ROUTER.post("/schedule/plants")
def plants(visit: Reading, asked: SharingOrders) -> Response:
    """Return who makes what when, proved and checked. Nothing is written."""
    return plain(schedule_plants.run(visit.context, asked.objective, asked.carbon_price_cny_per_t, asked.cap_t).as_json())  # fmt: skip


@ROUTER.post("/schedule/cas")
def cas(visit: Reading, asked: Instance) -> Response:
    """Return the plan of an instance of the carbon-aware flow-shop set, with its bound. Nothing is written."""
    return plain(schedule_cas.solve(asked.text, asked.name, asked.moves, None, asked.prove_s).as_json())


@ROUTER.post("/co-optimise")
def co_optimise(visit: Reading, asked: Together) -> Response:
    """Return schedule and dispatch that suit each other, both checked. Nothing is written."""
    wanted = together.Asked(_moment(visit, asked.day), asked.build, asked.carbon_price_cny_per_t, asked.rounds, asked.moves)  # fmt: skip
    return plain(together.run(visit.context, wanted).as_json())
