"""Assurance: the plan, findings and their corrections, the statement, and the package that verifies without us."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.accounting.assurance import Terms, default_materiality
from zerofactory.api.door import Managing, Reading, Verifying
from zerofactory.api.reply import FILE, document, from_book, once, plain
from zerofactory.api.uploads import one_received
from zerofactory.errors import NotFound, Text
from zerofactory.periods import Period
from zerofactory.runs import assurance as run
from zerofactory.runs import open_package
from zerofactory.runs import package as packaging

ROUTER = APIRouter(prefix="/v1", tags=["assurance"])
Words = Annotated[str, Field(max_length=2000)]


class Planned(BaseModel):
    """Who verifies a period and on what terms."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    verifier: Words
    level: Words = "limited"
    materiality_fraction: float | None = Field(default=None, gt=0, lt=1)
    seed: int = Field(default=1, ge=0, le=2**31)


class Opened(BaseModel):
    """A finding: on what, what is wrong, and by how much."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    subject: Words
    text: Words
    misstatement_gco2e: int | None = Field(default=None, ge=-(2**62), le=2**62)
    material: bool = False


class Corrected(BaseModel):
    """The journal entry that corrects a finding."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    entry: int = Field(ge=1, le=2**31)
    text: Words


class Closed(BaseModel):
    """Why a finding is closed."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    text: Words


class Concluded(BaseModel):
    """Which period, and the date of the statement."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    dated: date | None = None


@ROUTER.post("/assurance")
def plan(request: Request, visit: Verifying, asked: Planned) -> Response:
    """Open an engagement and draw its sample."""
    share = default_materiality() if asked.materiality_fraction is None else asked.materiality_fraction
    terms, period = Terms(run.level_of(asked.level), share, asked.seed), Period.parse(asked.period)
    return once(request, visit, lambda: run.plan(visit.context, period, asked.verifier, terms).as_json())


@ROUTER.get("/assurance")
def show(request: Request, visit: Reading, period: str) -> Response:
    """Return the engagement of a period, its findings and statements."""
    asked = Period.parse(period)

    def make() -> object:
        found = [one.as_json() for one in run.findings(visit.context, asked)]
        engagement = run.engagement(visit.context, asked).as_json()
        return {**engagement, "findings": found, "statements": run.statements(visit.context, asked)}

    return from_book(request, visit, make)


@ROUTER.post("/assurance/findings")
def open_finding(request: Request, visit: Verifying, asked: Opened) -> Response:
    """Open a finding."""
    period = Period.parse(asked.period)
    said = (asked.subject, asked.text, asked.misstatement_gco2e, asked.material)
    return once(request, visit, lambda: run.open_finding(visit.context, period, *said).as_json())


@ROUTER.post("/assurance/findings/{finding_id}/correction")
def correct(request: Request, visit: Managing, finding_id: str, asked: Corrected) -> Response:
    """Name the journal entry that corrects a finding."""
    period = Period.parse(asked.period)
    return once(
        request, visit, lambda: run.correct(visit.context, period, finding_id, asked.entry, asked.text).as_json()
    )


@ROUTER.post("/assurance/findings/{finding_id}/closing")
def close(request: Request, visit: Verifying, finding_id: str, asked: Closed) -> Response:
    """Close a finding."""
    period = Period.parse(asked.period)
    return once(request, visit, lambda: run.close_finding(visit.context, period, finding_id, asked.text).as_json())


@ROUTER.post("/assurance/statement")
def conclude(request: Request, visit: Verifying, asked: Concluded) -> Response:
    """Give the statement of limited or reasonable assurance."""
    period = Period.parse(asked.period)
    return once(request, visit, lambda: run.conclude(visit.context, period, asked.dated))


@ROUTER.get("/packages/{period}", responses=FILE)
def package(visit: Reading, period: str, with_evidence: bool = False, with_readings: bool = False) -> Response:
    """Return the verification package of a closed period (not signed: the key stays with its owner)."""
    asked, content = Period.parse(period), packaging.Content(with_evidence, with_readings, None)
    return document(f"package-{asked.label}.zip", lambda path: packaging.run(visit.context, asked, path, content))


@ROUTER.post("/packages/verification")
def verify_package(visit: Reading, file: UploadFile) -> Response:
    """Verify a package that somebody sent: recomputed from itself alone. Nothing is written."""
    with one_received(file, visit.server.upload_bytes) as path:
        if path is None:  # sent without a name; nothing of this machine is ever opened in its place
            raise NotFound(Text("核查包", "package"), "")
        return plain(open_package.verify(path).as_json())
