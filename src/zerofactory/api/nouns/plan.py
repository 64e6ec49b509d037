"""The plan: targets, measures and roadmap, checklists, tasks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading, Recording
from zerofactory.api.language import language_of
from zerofactory.api.reply import FILE, document, from_book, once
from zerofactory.api.uploads import one_received
from zerofactory.errors import Text
from zerofactory.runs import plan as run
from zerofactory.runs import plan_catalogue, plan_guide, plan_roadmap
from zerofactory.runs.plan_book import Asked
from zerofactory.runs.plan_catalogue import limit_of, years_of

ROUTER = APIRouter(prefix="/v1", tags=["plan"])
Words = Annotated[str, Field(max_length=2000)]
Word = Annotated[str | None, Query(max_length=200)]


class Setting(BaseModel):
    """Book the plan file of the workspace as the plan in force."""

    model_config = ConfigDict(extra="forbid")
    reason: Words = ""


class TaskStep(BaseModel):
    """One step of a task: added, assigned, done …; evidence is sent as a file to ``/v1/plan/tasks/{task}/evidence``."""

    model_config = ConfigDict(extra="forbid")
    task: Words
    event: Literal["added", "assigned", "rescheduled", "started", "done", "reopened", "dropped"]
    stage: Literal["plan", "do", "check", "act"] | None = None
    note: Words | None = None
    title: Words | None = None
    owner: Words | None = None
    due: date | None = None
    item: Words | None = None


class Roadmap(BaseModel):
    """What this run changes of the plan as it is written, and whether it becomes the roadmap in force."""

    model_config = ConfigDict(extra="forbid")
    years: Annotated[str, Field(max_length=20)] | None = None
    budget_cny: Annotated[float, Field(ge=0, le=1e15)] | None = None
    scenario: Annotated[str, Field(max_length=100)] | None = None
    carbon_price: Annotated[str, Field(max_length=100)] | None = None
    limits: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] = []
    gap_fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    adopt: bool = False


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


@ROUTER.post("/plan/roadmap")
def solve_roadmap(request: Request, visit: Managing, asked: Roadmap) -> Response:
    """Return the roadmap with other years, budget, scenario or limits; ``adopt`` books it as the one in force."""
    wanted = Asked(*years_of(asked.years), asked.budget_cny, asked.scenario, asked.carbon_price)
    more = plan_roadmap.More(limits=tuple(limit_of(text) for text in asked.limits), gap_fraction=asked.gap_fraction)

    def do() -> object:
        found = plan_roadmap.run(visit.context, wanted, more)
        return {
            **plan_roadmap.as_json(found),
            "adopted": plan_roadmap.adopt(visit.context, found) if asked.adopt else None,
        }

    return once(request, visit, do)


@ROUTER.get("/plan/guide", responses=FILE)
def guide(request: Request, visit: Reading) -> Response:
    """Return the implementation guide as PDF."""
    language = language_of(request)
    return document("guide.pdf", lambda path: plan_guide.write(visit.context, path, language))


@ROUTER.get("/plan/measures")
def measures(request: Request, visit: Reading, kind: Word = None) -> Response:
    """List the measures of the catalogue, or those of one class."""
    return from_book(request, visit, lambda: {"items": plan_catalogue.listed(kind)})


@ROUTER.get("/plan/measures/{measure}")
def measure(request: Request, visit: Reading, measure: str) -> Response:
    """Return one measure of the catalogue in full."""
    return from_book(request, visit, lambda: plan_catalogue.one(measure))


@ROUTER.get("/plan/checklist")
def checklist(request: Request, visit: Reading, standard: Word = None) -> Response:
    """Return the checklists of the management standards with the evidence that tasks brought."""
    chosen = (standard,) if standard else ()
    return from_book(
        request, visit, lambda: {"items": [run.checked_as_json(one) for one in run.checked(visit.context, chosen)]}
    )


@ROUTER.get("/plan/tasks/overdue")
def overdue(request: Request, visit: Reading) -> Response:
    """Return the open tasks past their due date."""
    today = visit.context.today
    return from_book(
        request, visit, lambda: {"items": [run.task_as_json(one, today) for one in run.overdue(visit.context)]}
    )


class TaskEvidence(BaseModel):
    """The file that shows something of a task, the item of a checklist it is about, and whether the task is done."""

    model_config = ConfigDict(extra="forbid")
    file: UploadFile
    item: Words | None = None
    note: Words | None = None
    done: bool = False


@ROUTER.post("/plan/tasks/{task}/evidence")
def task_evidence(
    request: Request, visit: Recording, task: str, said: Annotated[TaskEvidence, Form(media_type="multipart/form-data")]
) -> Response:
    """Book a file as evidence of a task, and the task as done when asked."""

    def do() -> object:
        with one_received(said.file, visit.server.upload_bytes) as path:
            change = run.Change(item=said.item, evidence=str(path) if path else None, note=said.note)
            made = run.change_task(visit.context, task, "done" if said.done else "evidence", change)
        return run.task_as_json(made, visit.context.today)

    return once(request, visit, do)


@ROUTER.get("/plan/tasks")
def tasks(request: Request, visit: Reading) -> Response:
    """Return the tasks with their history."""
    today = visit.context.today
    return from_book(
        request, visit, lambda: {"items": [run.task_as_json(one, today) for one in run.tasks(visit.context)]}
    )


@ROUTER.get("/plan/tasks.ics", responses=FILE)
def tasks_calendar(visit: Reading) -> Response:
    """Return the tasks as a calendar."""
    return document("tasks.ics", lambda path: path.write_text(run.calendar_text(visit.context), encoding="utf-8"))


@ROUTER.post("/plan/tasks")
def change_task(request: Request, visit: Recording, asked: TaskStep) -> Response:
    """Take one step with a task."""
    title = Text(asked.title, asked.title) if asked.title else None
    change = run.Change(title, asked.owner, asked.due, asked.stage, asked.item, None, asked.note)

    def do() -> object:
        return run.task_as_json(run.change_task(visit.context, asked.task, asked.event, change), visit.context.today)

    return once(request, visit, do)
