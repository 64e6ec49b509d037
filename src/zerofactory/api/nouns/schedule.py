"""Schedules: solve the site's problem (schedule.toml) or a flexible job shop sent as text, judge one, show one, re-plan after a breakdown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import plain
from zerofactory.optimisation.scheduling.solve import Options
from zerofactory.runs import schedule as run
from zerofactory.runs import schedule_file, schedule_files, schedule_json

ROUTER = APIRouter(prefix="/v1", tags=["schedule"])
Name = Literal["makespan", "tardiness", "cost", "carbon"]
Weight = Annotated[float, Field(ge=0, le=1e9)]
Moment = Annotated[str, Field(max_length=40)]


class _Problem(BaseModel):
    """The problem: none for the site's own schedule.toml, or the text of a .fjs file."""

    model_config = ConfigDict(extra="forbid")
    fjs: Annotated[str, Field(max_length=400_000)] | None = None


class Given(_Problem):
    """A schedule: rows of SCHEDULE."""

    rows: Annotated[list[dict[str, Any]], Field(max_length=20_000)]


class _Wanted(_Problem):
    """What is wanted: weights of goals, limits as text (``480``, ``+5%``), a front, the time to spend."""

    goals: dict[Name, Weight] = {"makespan": 1.0}
    limits: dict[Name, Annotated[str, Field(max_length=30)]] = {}
    front: tuple[Name, Name] | None = None
    points: int = Field(default=5, ge=2, le=20)
    demand_cny_per_kw: Weight = 0.0
    seconds: float = Field(default=20.0, ge=0.5, le=120.0)
    repeatable: bool = False

    def asked(self) -> run.Asked:
        """Return what is asked for."""
        options = Options(self.seconds, 2, 1, self.repeatable)
        goals: dict[str, float] = {str(name): weight for name, weight in self.goals.items()}
        limits = {str(name): text for name, text in self.limits.items()}
        return run.Asked(goals, limits, self.front, self.points, self.demand_cny_per_kw, options)


class Solving(_Wanted):
    """What is wanted: weights of goals, limits, a front, the time to spend."""


class Replanning(_Wanted):
    """What happened: when it is known, which machine is down from when until when, and how dear a change is."""

    rows: Annotated[list[dict[str, Any]], Field(max_length=20_000)]
    at: Moment
    down: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] = []
    freeze_minutes: float = Field(default=0.0, ge=0, le=100_000)
    stay: Weight = 1.0


@ROUTER.post("/schedule/solve")
def solve(visit: Reading, asked: Solving) -> Response:
    """Return the best schedule found, its bound and gap, the check, and what it books. Nothing is written."""
    loaded = schedule_file.given(visit.context, asked.fjs)
    return plain(run.run(visit.context, loaded, asked.asked()).as_json())


@ROUTER.post("/schedule/check")
def check(visit: Reading, given: Given) -> Response:
    """Judge a schedule without the solver: every finding, and its figures recomputed."""
    loaded = schedule_file.given(visit.context, given.fjs)
    made, found, _ = run.judge(visit.context, loaded, schedule_files.frame_of(given.rows))
    findings = [one.as_json() for one in found.findings]
    return plain({"passed": found.passed, "findings": findings, "measures": run.told_measures(made)})


@ROUTER.post("/schedule/show")
def show(visit: Reading, given: Given) -> Response:
    """Return a schedule with set-ups, ramps and rest states filled in."""
    loaded = schedule_file.given(visit.context, given.fjs)
    made, found, _ = run.judge(visit.context, loaded, schedule_files.frame_of(given.rows))
    return plain({"passed": found.passed, "measures": run.told_measures(made), "rows": schedule_json.rows(made)})


@ROUTER.post("/schedule/replan")
def replan(visit: Reading, asked: Replanning) -> Response:
    """Return a schedule re-planned after a breakdown: what has begun stays, the rest changes little."""
    loaded = schedule_file.given(visit.context, asked.fjs)
    change = run.change_of(loaded.problem, asked.at, asked.down, asked.freeze_minutes, asked.stay)
    rows = schedule_files.frame_of(asked.rows)
    return plain(run.again(visit.context, loaded, rows, change, asked.asked()).as_json())
