"""What-if over HTTP: the scenarios of the workspace, comparisons that are kept, and measures of the roadmap tested in the twin."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading, Recording
from zerofactory.api.reply import from_book, once, plain
from zerofactory.runs import twin as run_twin
from zerofactory.runs import twin_compare, twin_kept, twin_measure, twin_scenario
from zerofactory.runs.context import Context

ROUTER = APIRouter(prefix="/v1", tags=["twin"])
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^/\\.][^/\\]*$")]
NamePath = Annotated[str, Path(min_length=1, max_length=100)]
MOST_SCENARIOS = 10


class Over(BaseModel):
    """The days that are simulated, and how often."""

    model_config = ConfigDict(extra="forbid")
    first: date | None = None
    days: int = Field(default=7, ge=1, le=31)
    runs: int = Field(default=8, ge=1, le=20)
    seed: int = Field(default=1, ge=0, le=2**31)

    def asked(self) -> run_twin.Asked:
        """Return it as the runs take it."""
        return run_twin.Asked(self.first, self.days, runs=self.runs, seed=self.seed)


class Comparing(BaseModel):
    """Scenarios of the workspace by name, compared and kept."""

    model_config = ConfigDict(extra="forbid")
    scenarios: list[Name] = Field(min_length=1, max_length=MOST_SCENARIOS)
    over: Over = Over()


class Trying(BaseModel):
    """A measure of the roadmap, and the scenario that stands for it (left out: the one that names the measure)."""

    model_config = ConfigDict(extra="forbid")
    measure: Name
    scenario: Name | None = None
    seasons: int = Field(default=4, ge=1, le=12)
    over: Over = Over()


class Feeding(BaseModel):
    """The same, and why the plan changes."""

    model_config = ConfigDict(extra="forbid")
    measure: Name
    scenario: Name | None = None
    seasons: int = Field(default=4, ge=1, le=12)
    over: Over = Over()
    reason: str = Field(default="", max_length=2000)


@ROUTER.get("/twin/scenarios")
def scenarios(visit: Reading) -> Response:
    """List the scenarios of the workspace."""
    return plain({"items": [one.as_json() for one in twin_scenario.listed(visit.context)]})


@ROUTER.get("/twin/comparisons")
def comparisons(request: Request, visit: Reading) -> Response:
    """List the comparisons that were kept, the newest first."""
    return from_book(request, visit, lambda: {"items": [one.as_json() for one in twin_kept.listed(visit.context)]})


@ROUTER.get("/twin/comparisons/{comparison}")
def comparison(visit: Reading, comparison: NamePath) -> Response:
    """Return a kept comparison as it was written."""
    return plain(twin_kept.opened(visit.context, comparison))


@ROUTER.post("/twin/comparisons")
def keep(request: Request, visit: Recording, asked: Comparing) -> Response:
    """Compare scenarios of the workspace with the plant as it is, and keep the comparison."""

    def do() -> object:
        chosen = [twin_scenario.own(visit.context, name) for name in asked.scenarios]
        found = twin_compare.compare(visit.context, asked.over.asked(), chosen)
        return {**found.as_json(), "comparison": twin_kept.keep(visit.context, found).id}

    return once(request, visit, do)


@ROUTER.post("/twin/measure")
def measure(visit: Reading, asked: Trying) -> Response:
    """Test a measure of the roadmap in the twin; nothing is written."""
    return plain(_tried(visit.context, asked).as_json())


@ROUTER.post("/twin/measure/tested")
def feed_back(request: Request, visit: Managing, asked: Feeding) -> Response:
    """Test a measure in the twin and write its saving into the plan, which is booked as a further version."""

    def do() -> object:
        found = _tried(visit.context, asked)
        return {**found.as_json(), "plan": twin_measure.write(visit.context, found, asked.reason).plan_id}

    return once(request, visit, do)


@ROUTER.delete("/twin/measure/tested/{measure}")
def forget(request: Request, visit: Managing, measure: NamePath) -> Response:
    """Take a tested saving out of the plan again."""
    return once(request, visit, lambda: {"plan": twin_measure.forget(visit.context, measure).plan_id})


def _tried(context: Context, asked: Trying | Feeding) -> twin_measure.Tried:
    if asked.scenario is not None:
        twin_scenario.own(context, asked.scenario)
    over = twin_measure.Over(asked.scenario, asked.seasons)
    return twin_measure.try_out(context, asked.measure, asked.over.asked(), over)
