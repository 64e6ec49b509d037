"""The plan: targets, measures and roadmap, checklists, tasks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading, Recording
from zerofactory.api.reply import document, from_book, once
from zerofactory.errors import Text
from zerofactory.runs import plan as run
from zerofactory.runs import plan_roadmap

ROUTER = APIRouter(prefix="/v1", tags=["plan"])
Words = Annotated[str, Field(max_length=2000)]


class Setting(BaseModel):
    """Book the plan file of the workspace as the plan in force."""

    model_config = ConfigDict(extra="forbid")
    reason: Words = ""


class TaskStep(BaseModel):
    """One step of a task: added, assigned, done …"""

    model_config = ConfigDict(extra="forbid")
    task: Words
    event: Literal["added", "assigned", "started", "done", "reopened", "dropped"]
    title: Words | None = None
    owner: Words | None = None
    due: date | None = None
    item: Words | None = None


@ROUTER.get("/plan")
def show(request: Request, visit: Reading) -> Response:
    """Return the plan in force."""
    return from_book(request, visit, lambda: run.current(visit.context).as_json())


@ROUTER.post("/plan")
def set_(request: Request, visit: Managing, asked: Setting) -> Response:
    """Book ``plan.toml`` of the workspace as the plan in force."""
    return once(request, visit, lambda: run.set_plan(visit.context, None, asked.reason).as_json())


@ROUTER.get("/plan/targets")
def targets(request: Request, visit: Reading) -> Response:
    """Return every target with its pathway and progress."""
    return from_book(request, visit, lambda: {"items": [one.as_json() for one in run.targets(visit.context)]})


@ROUTER.get("/plan/roadmap")
def roadmap(request: Request, visit: Reading) -> Response:
    """Return the roadmap: which measure in which year, cost curve, path and probability."""
    return from_book(request, visit, lambda: plan_roadmap.as_json(plan_roadmap.run(visit.context)))


@ROUTER.get("/plan/tasks")
def tasks(request: Request, visit: Reading) -> Response:
    """Return the tasks with their history."""
    today = visit.context.today
    return from_book(
        request, visit, lambda: {"items": [run.task_as_json(one, today) for one in run.tasks(visit.context)]}
    )


@ROUTER.get("/plan/tasks.ics")
def tasks_calendar(visit: Reading) -> Response:
    """Return the tasks as a calendar."""
    return document("tasks.ics", lambda path: path.write_text(run.calendar_text(visit.context), encoding="utf-8"))


@ROUTER.post("/plan/tasks")
def change_task(request: Request, visit: Recording, asked: TaskStep) -> Response:
    """Take one step with a task."""
    title = Text(asked.title, asked.title) if asked.title else None
    change = run.Change(title=title, owner=asked.owner, due=asked.due, item=asked.item)

    def do() -> object:
        return run.task_as_json(run.change_task(visit.context, asked.task, asked.event, change), visit.context.today)

    return once(request, visit, do)
