"""Alarms: found, acknowledged, assigned, closed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading, Recording
from zerofactory.api.reply import After, Limit, from_book, once, page
from zerofactory.monitoring.rule import listed as listed_rules
from zerofactory.runs import alarms as run

ROUTER = APIRouter(prefix="/v1", tags=["alarms"])
Words = Annotated[str, Field(max_length=2000)]


class Scan(BaseModel):
    """Which days to look at, and with which rules and meters; all of them when none is named."""

    model_config = ConfigDict(extra="forbid")
    first: date
    last: date
    rules: list[Words] = []
    meters: list[Words] = []
    false_alarm_fraction: float | None = Field(default=None, ge=0.0005, le=0.2)


class Note(BaseModel):
    """What there is to say."""

    model_config = ConfigDict(extra="forbid")
    text: Words = ""


class Assignment(BaseModel):
    """Who looks after it."""

    model_config = ConfigDict(extra="forbid")
    assignee: Words
    text: Words = ""


class Closing(BaseModel):
    """Why an alarm is closed; ``as_normal`` when what it saw is usual from now on."""

    model_config = ConfigDict(extra="forbid")
    reason: Words
    as_normal: bool = False


@ROUTER.get("/alarms")
def show_list(
    request: Request, visit: Reading, state: str | None = None, limit: Limit = 100, after: After = 0
) -> Response:
    """List alarms, newest first."""
    return page(request, visit, lambda: [one.as_json() for one in run.alarms(visit.context, state)], limit, after)


@ROUTER.get("/alarms/rules")
def rules(request: Request, visit: Reading) -> Response:
    """List the rules, their parameters, defaults and sources."""
    return from_book(request, visit, lambda: {"items": listed_rules()})


@ROUTER.get("/alarms/{alarm_id}")
def show(request: Request, visit: Reading, alarm_id: str) -> Response:
    """Return one alarm and what was done about it."""
    return from_book(request, visit, lambda: run.show(visit.context, alarm_id).as_json())


@ROUTER.post("/alarms")
def scan(request: Request, visit: Recording, asked: Scan) -> Response:
    """Look for alarms on some days."""
    wanted = run.Asked(asked.first, asked.last, tuple(asked.rules), tuple(asked.meters), asked.false_alarm_fraction)
    return once(request, visit, lambda: run.scan(visit.context, wanted).as_json())


@ROUTER.post("/alarms/{alarm_id}/acknowledgement")
def acknowledge(request: Request, visit: Recording, alarm_id: str, note: Note) -> Response:
    """Say that an alarm was seen."""
    return once(request, visit, lambda: run.acknowledge(visit.context, alarm_id, note.text).as_json())


@ROUTER.post("/alarms/{alarm_id}/assignment")
def assign(request: Request, visit: Recording, alarm_id: str, asked: Assignment) -> Response:
    """Give an alarm to somebody."""
    return once(request, visit, lambda: run.assign(visit.context, alarm_id, asked.assignee, asked.text).as_json())


@ROUTER.post("/alarms/{alarm_id}/closing")
def close(request: Request, visit: Recording, alarm_id: str, asked: Closing) -> Response:
    """Close an alarm with its reason."""
    return once(request, visit, lambda: run.close(visit.context, alarm_id, asked.reason, asked.as_normal).as_json())
