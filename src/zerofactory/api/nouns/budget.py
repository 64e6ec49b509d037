"""Budgets of carbon and energy: set, and burnt down."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading
from zerofactory.api.reply import once, plain
from zerofactory.runs import budget as run

ROUTER = APIRouter(prefix="/v1", tags=["budget"])
Whole = Annotated[int, Field(ge=0, le=2**62)]


class NewBudget(BaseModel):
    """The budget of a year: grams of CO2e, watt-hours, and how they are split to shops and months."""

    model_config = ConfigDict(extra="forbid")
    year: int = Field(ge=1990, le=2100)
    carbon_gco2e: Whole | None = None
    energy_wh: Whole | None = None
    split: Literal["last_year", "seasonal"] = "last_year"
    reason: Annotated[str, Field(max_length=2000)] = ""


@ROUTER.get("/budgets")
def show(visit: Reading, year: int | None = None, by: Literal["month", "shop"] = "month") -> Response:
    """Return the burn-down of each budget, the year's end with its interval, and the warning."""
    return plain({"items": [one.as_json() for one in run.show(visit.context, year, by)]})


@ROUTER.post("/budgets")
def set_(request: Request, visit: Managing, asked: NewBudget) -> Response:
    """Set the budget of a year; earlier versions are kept."""
    wanted = run.Asked(asked.year, asked.carbon_gco2e, asked.energy_wh, asked.split, None, asked.reason)
    names = ("kind", "year", "version", "total", "split", "basis")

    def do() -> object:
        return {"items": [{name: getattr(one, name) for name in names} for one in run.set_(visit.context, wanted)]}

    return once(request, visit, do)
