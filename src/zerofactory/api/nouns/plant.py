"""The plant file: look at it, change it through the same checks as every other, its versions, and the steps of a first run."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Asking, Managing, Reading, server_of
from zerofactory.api.faults import fault
from zerofactory.api.reply import FILE, from_book, once, plain
from zerofactory.api.uploads import received
from zerofactory.runs import first_run, meter_list, plant_tree, source_offers
from zerofactory.runs import plant as plants
from zerofactory.runs.context import clock, stamp
from zerofactory.site.template import Answers
from zerofactory.store.access import ANY_SITE, Trace

ROUTER = APIRouter(prefix="/v1", tags=["plant"])
Part = Literal["shops", "lines", "products", "meters", "sources", "accounting.accept", "accounting.pin"]
Words = Annotated[str, Field(max_length=200)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Beginning(BaseModel):
    """What a new plant is asked first."""

    model_config = ConfigDict(extra="forbid")
    template: Words
    id: Words
    name: Words
    organisation: Words
    region: Words
    time_zone: Words = "Asia/Shanghai"
    opened_on: date | None = None


class Entries(BaseModel):
    """All entries of one part, and the version they were taken from."""

    model_config = ConfigDict(extra="forbid")
    entries: Annotated[list[dict[str, Any]], Field(max_length=10_000)]
    based_on: Hash | None = None


class One(BaseModel):
    """One entry to add, or to put in the place of another."""

    model_config = ConfigDict(extra="forbid")
    entry: dict[str, Any]
    replaces: Words | None = None


class Whole(BaseModel):
    """A whole plant file, or the version to go back to."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(max_length=4_000_000)] | None = None
    version: Hash | None = None
    based_on: Hash | None = None


@ROUTER.get("/plant-templates")
def templates(_person: Asking) -> Response:
    """Return the plants to begin with."""
    return plain(first_run.offered())


@ROUTER.post("/plant")
def begin(request: Request, person: Asking, asked: Beginning) -> Response:
    """Make the plant of an empty workspace folder; for an administrator of every site."""
    server = server_of(request)
    if not person.may("administer", ANY_SITE):
        raise fault(403, "access.not_allowed", "您的角色没有这项权限。", "Your role does not allow you to administer.")
    answers = Answers(asked.id, asked.name, asked.organisation, asked.region, asked.time_zone, asked.opened_on)
    made = first_run.create(server.sites.root, asked.template, answers, person.user.login)
    server.access.trace(Trace(stamp(clock()), person.user.login, "", "POST /v1/plant", "", "done", ""))
    return plain(
        {"site": next(iter(server.sites.folders())), "steps": [step.as_json() for step in first_run.steps(made)]}
    )


@ROUTER.get("/plant")
def show(request: Request, visit: Reading) -> Response:
    """Return the plant file as plain values, with the hash a change may name as its ground."""
    return from_book(request, visit, lambda: plants.show(visit.context))


@ROUTER.get("/plant/steps")
def steps(visit: Reading) -> Response:
    """Return how far the first run has come."""
    found = first_run.steps(visit.context)
    return plain({"next": first_run.next_step(found), "steps": [step.as_json() for step in found]})


@ROUTER.get("/plant/tree")
def tree(request: Request, visit: Reading) -> Response:
    """Return every meter at its depth in the tree."""
    return from_book(request, visit, lambda: [line.as_json() for line in plant_tree.lines(visit.context)])


@ROUTER.get("/plant/sources")
def sources(visit: Reading) -> Response:
    """Return the sources each shop may have, with factors or what is missing."""
    return plain([offer.as_json() for offer in source_offers.run(visit.context)])


@ROUTER.get("/plant/versions")
def versions(visit: Reading) -> Response:
    """Return the versions of the plant file."""
    return plain([version.as_json() for version in plants.versions(visit.context)])


@ROUTER.get("/plant/versions/{sha256}")
def version(visit: Reading, sha256: str) -> Response:
    """Return one version of the plant file."""
    return plain({"sha256": sha256, "text": plants.version_text(visit.context, sha256)})


@ROUTER.put("/plant")
def apply(request: Request, visit: Managing, asked: Whole) -> Response:
    """Put a whole plant file, or an earlier version, in place."""
    if (asked.text is None) == (asked.version is None):
        raise fault(422, "plant.which", "请给 text 或 version。", "Give text or version.")

    def do() -> object:
        text = asked.text if asked.text is not None else plants.version_text(visit.context, asked.version or "")
        return plants.apply(visit.context, text, asked.based_on).as_json()

    return once(request, visit, do)


@ROUTER.put("/plant/{part}")
def save(request: Request, visit: Managing, part: Part, asked: Entries) -> Response:
    """Write every entry of one part as given."""
    return once(request, visit, lambda: plants.save_list(visit.context, part, asked.entries, asked.based_on).as_json())


@ROUTER.post("/plant/{part}")
def put(request: Request, visit: Managing, part: Part, asked: One) -> Response:
    """Add one entry, or put it in the place of another."""
    return once(request, visit, lambda: plants.put(visit.context, part, asked.entry, asked.replaces).as_json())


@ROUTER.delete("/plant/{part}/{name}")
def remove(request: Request, visit: Managing, part: Part, name: str) -> Response:
    """Take one entry out, unless the book rests on it."""
    return once(request, visit, lambda: plants.remove(visit.context, part, name).as_json())


@ROUTER.get("/meter-list", responses=FILE)
def meters(visit: Reading) -> Response:
    """Return the meters as a CSV list that may be filled in and sent back."""
    return Response(meter_list.as_csv(visit.context), 200, {"Cache-Control": "no-store"}, "text/csv; charset=utf-8")


@ROUTER.post("/meter-list")
def import_meters(
    request: Request, visit: Managing, files: list[UploadFile], dry_run: Annotated[bool, Form()] = False
) -> Response:
    """Put the meters of a CSV or XLSX list into the plant file: all of them, or none and every fault."""

    def do() -> object:
        with received(files[:1], visit.server.upload_bytes) as paths:
            return meter_list.run(visit.context, paths[0], dry_run).as_json()

    return once(request, visit, do)
