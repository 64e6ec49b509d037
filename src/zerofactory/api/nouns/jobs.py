"""Long work: begin it, follow it, cancel it; what a page begins is seen here, and the other way round."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.faults import fault
from zerofactory.api.reply import plain
from zerofactory.runs import jobs as run
from zerofactory.runs.job_kinds import kind_of
from zerofactory.runs.kept import basis_of

ROUTER = APIRouter(prefix="/v1", tags=["jobs"])
Seconds = Annotated[float, Query(ge=0, le=30, description="等多久 / how long to wait for the end")]


class Asked(BaseModel):
    """The kind of work and its parameters; files are sent to ``/v1/imports``."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["close", "verify", "footprint", "roadmap", "sizing", "backtest"]
    parameters: dict[str, Any] = {}


@ROUTER.post("/jobs", status_code=202)
def begin(visit: Reading, asked: Asked) -> Response:
    """Begin long work; the answer comes at once and says where to follow it."""
    if not visit.person.may(kind_of(asked.kind).permission, visit.site):
        raise fault(403, "access.not_allowed", "您的角色没有这项权限。", "Your role does not allow you to do that.")
    basis = "" if kind_of(asked.kind).writes else basis_of(visit.context)
    job = visit.server.jobs.begin(visit.context, visit.site, run.Asked(asked.kind, asked.parameters, basis))
    return plain(job.as_json(), 202, {"Location": f"/v1/jobs/{job.id}"})


@ROUTER.get("/jobs")
def list_(visit: Reading) -> Response:
    """Return the work of this site since the server started, the newest first."""
    return plain([job.as_json() for job in visit.server.jobs.of_site(visit.site)])


@ROUTER.get("/jobs/{job_id}")
def show(visit: Reading, job_id: str, wait_seconds: Seconds = 0.0) -> Response:
    """Return one job; ``wait_seconds`` answers when it ends, or then."""
    job = visit.server.jobs.job(job_id, visit.site)
    visit.server.jobs.wait(job, wait_seconds)
    return plain(job.as_json())


@ROUTER.delete("/jobs/{job_id}")
def cancel(visit: Reading, job_id: str) -> Response:
    """Cancel a job; one that writes stops only where the book is whole."""
    job = visit.server.jobs.job(job_id, visit.site)
    if not visit.person.may(job.kind.permission, visit.site):
        raise fault(403, "access.not_allowed", "您的角色没有这项权限。", "Your role does not allow you to do that.")
    visit.server.jobs.cancel(job)
    return plain(job.as_json())
