"""What is done with certificates, allowances and credits: reserved, retired, claimed, settled, released, sold, written off, taken back."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing
from zerofactory.api.reply import once
from zerofactory.api.uploads import one_received
from zerofactory.instruments.purpose import Outcome
from zerofactory.instruments.retire import Wanted
from zerofactory.periods import Period
from zerofactory.runs import instruments as run
from zerofactory.runs import neutral

ROUTER = APIRouter(prefix="/v1/instruments", tags=["instruments"])
Words = Annotated[str, Field(max_length=2000)]
Names = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)]
Count = Annotated[int, Field(gt=0, le=2**62)]


class _Units(BaseModel):
    """How many units, of which kinds, from which batches (none: from any), and why."""

    model_config = ConfigDict(extra="forbid")
    amount: Count
    kind: Names = []
    batch: Names = []
    reason: Words

    def wanted(self) -> Wanted:
        """Return what is wanted."""
        return Wanted(self.amount, tuple(self.kind), tuple(self.batch))


class Units(_Units):
    """How many units, of which kinds, from which batches, and why."""


class Use(_Units):
    """Units for a use in a period."""

    use: Words
    period: Words
    standard: Words = ""
    beneficiary: Words = ""
    product: Words = ""
    obligation: Count | None = None
    into_closed: bool = False

    def request(self) -> run.Request:
        """Return the request."""
        more = (self.standard, self.beneficiary, self.product, self.obligation)
        return run.Request(self.use, Period.parse(self.period), self.wanted(), self.reason, *more)


class _Claim(BaseModel):
    """A claim and why."""

    model_config = ConfigDict(extra="forbid")
    claim: Words
    reason: Words = ""
    into_closed: bool = False


class Claim(_Claim):
    """A claim and why."""


class Retirement(_Claim):
    """A claim, the registry's certificate, and whether the registry has yet to confirm."""

    certificate: Words = ""
    pending: bool = False


class Settlement(_Claim):
    """What the registry said of a pending retirement."""

    certificate: Words = ""
    refused: bool = False


class Expiry(BaseModel):
    """The day up to which expired units are written off."""

    model_config = ConfigDict(extra="forbid")
    on: date | None = None


class Withdrawal(BaseModel):
    """Batches that were imported by mistake."""

    model_config = ConfigDict(extra="forbid")
    batches: Annotated[Names, Field(min_length=1)]
    reason: Words


class MeasureSaid(BaseModel):
    """What became of a measure in a period; ``file`` shows it."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    measure: Words
    outcome: Words
    title: Words = ""
    reason: Words = ""
    reduction_tco2e: float | None = None
    file: UploadFile | None = None


class EvidenceSaid(BaseModel):
    """Evidence of a declaration: a text or an address, a file, or both."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    topic: Words
    text: Words = ""
    standard: Words = ""
    file: UploadFile | None = None


@ROUTER.post("/reserve")
def reserve(request: Request, visit: Managing, asked: Use) -> Response:
    """Reserve units for a use."""
    return once(request, visit, lambda: run.reserve(visit.context, asked.request()).as_json())


@ROUTER.post("/claim")
def claim(request: Request, visit: Managing, asked: Use) -> Response:
    """Claim units that need no retirement for a use."""
    wanted = asked.request()
    return once(request, visit, lambda: run.claim(visit.context, wanted, into_closed=asked.into_closed).as_json())


@ROUTER.post("/retire")
def retire(request: Request, visit: Managing, asked: Retirement) -> Response:
    """Retire what was reserved for a claim."""
    said, closed = (asked.claim, asked.certificate, asked.reason), asked.into_closed

    def do() -> object:
        return run.retire(visit.context, *said, pending=asked.pending, into_closed=closed).as_json()

    return once(request, visit, do)


@ROUTER.post("/settle")
def settle(request: Request, visit: Managing, asked: Settlement) -> Response:
    """Say that the registry confirmed, or refused, a pending retirement."""
    said = (asked.claim, not asked.refused, asked.certificate, asked.reason)
    return once(request, visit, lambda: run.settle(visit.context, *said, into_closed=asked.into_closed).as_json())


@ROUTER.post("/release")
def release(request: Request, visit: Managing, asked: Claim) -> Response:
    """Release what was reserved for a claim."""
    return once(request, visit, lambda: run.release(visit.context, asked.claim, asked.reason).as_json())


@ROUTER.post("/take-back")
def take_back(request: Request, visit: Managing, asked: Claim) -> Response:
    """Take a retirement back by a reversal."""
    said, closed = (asked.claim, asked.reason), asked.into_closed
    return once(request, visit, lambda: run.take_back(visit.context, *said, into_closed=closed).as_json())


@ROUTER.post("/expire")
def expire(request: Request, visit: Managing, asked: Expiry) -> Response:
    """Write off what has expired."""
    return once(request, visit, lambda: run.expire(visit.context, asked.on).as_json())


@ROUTER.post("/sell")
def sell(request: Request, visit: Managing, asked: Units) -> Response:
    """Book units as sold."""
    return once(request, visit, lambda: run.sell(visit.context, asked.wanted(), asked.reason).as_json())


@ROUTER.post("/cancel")
def cancel(request: Request, visit: Managing, asked: Units) -> Response:
    """Cancel units for nobody's claim."""
    return once(request, visit, lambda: run.cancel(visit.context, asked.wanted(), asked.reason).as_json())


@ROUTER.post("/withdraw")
def withdraw(request: Request, visit: Managing, asked: Withdrawal) -> Response:
    """Withdraw batches that were imported by mistake."""
    return once(request, visit, lambda: run.withdraw(visit.context, asked.batches, asked.reason).as_json())


@ROUTER.post("/measure")
def measure(
    request: Request, visit: Managing, said: Annotated[MeasureSaid, Form(media_type="multipart/form-data")]
) -> Response:
    """Put on record what became of a measure, with the file that shows it."""
    label, grams = Period.parse(said.period).label, neutral.grams_of(said.reduction_tco2e)

    def do() -> object:
        with one_received(said.file, visit.server.upload_bytes) as path:
            words = (label, said.measure, said.title, said.outcome, grams, said.reason, "", str(path) if path else "")
            return neutral.record_measure(visit.context, Outcome(*words))

    return once(request, visit, do)


@ROUTER.post("/evidence")
def evidence(
    request: Request, visit: Managing, said: Annotated[EvidenceSaid, Form(media_type="multipart/form-data")]
) -> Response:
    """Put evidence of a declaration on file: the plan, the disclosure, the boundary."""
    period = Period.parse(said.period)

    def do() -> object:
        with one_received(said.file, visit.server.upload_bytes) as path:
            return neutral.put_on_file(visit.context, period, said.topic, said.text, path, said.standard or "*")

    return once(request, visit, do)
