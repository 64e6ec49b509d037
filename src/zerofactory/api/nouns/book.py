"""The book: check, lists, import, reversal, closing, verification, and the journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Managing, Reading, Recording
from zerofactory.api.reply import FILE, After, Limit, document, from_book, once, page, plain
from zerofactory.api.uploads import received
from zerofactory.errors import Problem
from zerofactory.periods import Period
from zerofactory.runs import check as checks
from zerofactory.runs import close as closing
from zerofactory.runs import import_data, listing, template
from zerofactory.runs import reverse as reversal
from zerofactory.runs import verify as verification

Rows = list[dict[str, object]]
ROUTER = APIRouter(prefix="/v1", tags=["book"])
Words = Annotated[str, Field(max_length=2000)]


class Reversal(BaseModel):
    """Which document to take back, and why."""

    model_config = ConfigDict(extra="forbid")
    document: Words
    reason: Words
    into_closed: bool = False


class Closing(BaseModel):
    """Which period to close; a closed one only as a revision with a reason."""

    model_config = ConfigDict(extra="forbid")
    period: Words
    known_at: date | None = None
    revise: bool = False
    reason: Words = ""


@ROUTER.get("/check")
def check(request: Request, visit: Reading) -> Response:
    """Return whether the plant file is sound and what it holds."""
    return from_book(request, visit, lambda: checks.run(visit.context).as_json())


@ROUTER.get("/lists/{kind}")
def show_list(request: Request, visit: Reading, kind: str, limit: Limit = 100, after: After = 0) -> Response:
    """Return one of the lists: sources, standards, factors due, runs, documents …"""
    return page(request, visit, lambda: listing.run(kind, visit.context.workspace.folder).as_json(), limit, after)


@ROUTER.post("/imports")
def import_(
    request: Request, visit: Recording, files: list[UploadFile],
    dry_run: Annotated[bool, Form()] = False, into_closed: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Import readings and documents (CSV, XLSX, Parquet): all of them, or none and every fault."""

    def do() -> object:
        with received(files, visit.server.upload_bytes) as paths:
            found = import_data.run(visit.context, paths, None, dry_run, into_closed)
        warnings = [problem for one in found for problem in one.warnings]
        return {"files": [one.as_json() for one in found], "problems": _told(warnings)}

    return once(request, visit, do)


@ROUTER.post("/reversals")
def reverse(request: Request, visit: Recording, asked: Reversal) -> Response:
    """Take a document back by a reversal; nothing is deleted."""

    def do() -> object:
        count = reversal.run(visit.context, asked.document, asked.reason, asked.into_closed)
        return {"document": asked.document, "reversed": count}

    return once(request, visit, do)


@ROUTER.post("/closings")
def close(request: Request, visit: Managing, asked: Closing) -> Response:
    """Close the months of a period, or revise closed ones."""

    def do() -> object:
        months = closing.run(visit.context, Period.parse(asked.period), asked.known_at, asked.revise, asked.reason)
        warnings = dict.fromkeys(problem for month in months for problem in month.warnings)
        return {"months": [month.as_json() for month in months], "problems": _told(warnings)}

    return once(request, visit, do)


@ROUTER.get("/verification")
def verify(visit: Reading) -> Response:
    """Recompute every record and every hash of the book."""
    return plain(verification.run(visit.context).as_json())


@ROUTER.get("/journal")
def journal(request: Request, visit: Reading, limit: Limit = 100, after: After = 0) -> Response:
    """Return the entries of the journal in order."""
    names = ("seq", "at", "kind", "actor", "payload", "hash")

    def rows() -> Rows:
        entries = visit.context.workspace.journal.entries()
        return [{name: getattr(entry, name) for name in names} for entry in entries]

    return page(request, visit, rows, limit, after)


@ROUTER.get("/templates/{form}", responses=FILE)
def template_(visit: Reading, form: str) -> Response:
    """Return the workbook to fill in: activities or readings."""
    return document(f"{form}.xlsx", lambda path: template.run(visit.context, form, path))


def _told(problems: Iterable[Problem]) -> Rows:
    return [problem.as_json() for problem in problems]
