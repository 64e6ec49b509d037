"""Certificates, allowances and credits: position, history, expiry; and what a period may declare."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading
from zerofactory.api.language import language_of
from zerofactory.api.reply import FILE, MEDIA, from_book, once
from zerofactory.api.uploads import received
from zerofactory.periods import Period
from zerofactory.runs import declare as declaring
from zerofactory.runs import declared_pages, instrument_import
from zerofactory.runs import instrument_view as view

ROUTER = APIRouter(prefix="/v1", tags=["instruments"])


@ROUTER.get("/instruments")
def show(request: Request, visit: Reading, kind: str | None = None) -> Response:
    """Return what is held, reserved, retired and claimed, by kind and year."""
    return from_book(request, visit, lambda: view.position(visit.context, kind).as_json())


@ROUTER.get("/instruments/batches")
def batches(request: Request, visit: Reading, kind: str | None = None) -> Response:
    """List the batches with their serials."""
    return from_book(request, visit, lambda: {"items": view.batches(visit.context, kind)})


@ROUTER.get("/instruments/expiries")
def expiries(request: Request, visit: Reading) -> Response:
    """List what expires when."""
    return from_book(request, visit, lambda: {"items": [one.as_json() for one in view.calendar(visit.context)]})


@ROUTER.get("/instruments/history/{name}")
def history(request: Request, visit: Reading, name: str) -> Response:
    """Return the transfers of a batch or a claim."""
    return from_book(request, visit, lambda: {"items": view.history(visit.context, name)})


@ROUTER.post("/instruments")
def import_(
    request: Request, visit: Managing, files: list[UploadFile],
    registry: Annotated[str, Form(max_length=40)], dry_run: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Import a registry's export; all of it, or none and every fault."""

    def do() -> dict[str, Any]:
        with received(files, visit.server.upload_bytes) as paths:
            done = instrument_import.run(visit.context, paths, registry, dry_run=dry_run)
        names = ("name", "registry", "batches", "units", "status")
        return {"files": [{name: getattr(one, name) for name in names} for one in done]}

    return once(request, visit, do)


@ROUTER.get("/declarations/{standard}")
def standing(request: Request, visit: Reading, standard: str, period: str) -> Response:
    """Return whether a neutrality declaration could be made, its balance, and every reason why not."""
    asked = Period.parse(period)

    def make() -> object:
        found = declaring.standing(visit.context, asked, standard)
        problems = [one.as_json() for one in found.problems]
        return {"standard": standard, "period": asked.label, "ready": not problems, "problems": problems}

    return from_book(request, visit, make)


class Declaration(BaseModel):
    """Which period is declared."""

    model_config = ConfigDict(extra="forbid")
    period: Annotated[str, Field(max_length=10)]


@ROUTER.post("/declarations/{standard}")
def declare(request: Request, visit: Managing, standard: str, asked: Declaration) -> Response:
    """Make the neutrality declaration of a period and book it; every reason why not when it cannot be made."""
    period, language = Period.parse(asked.period), language_of(request)
    return once(request, visit, lambda: declaring.declare(visit.context, period, standard, None, language).as_json())


@ROUTER.get("/declarations/made/{declaration}", responses=FILE)
def declared(request: Request, visit: Reading, declaration: str) -> Response:
    """Return the pages of a declaration as they were when it was made (PDF), in the language asked for."""
    content = declared_pages.filed(visit.context, declaration, language_of(request))
    return Response(content, headers={"Cache-Control": "private, no-cache"}, media_type=MEDIA[".pdf"])
