"""Learned inspection: parts judged and booked from their pictures, what inspectors say, the queue, the audit, the models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Inspecting, Reading
from zerofactory.api.reply import FILE, MEDIA, After, Limit, from_book, once, page, plain
from zerofactory.runs import inspect_book, inspect_heat, inspect_queue
from zerofactory.runs.inspect_book import Said
from zerofactory.runs.inspect_desk import Sent, look_at, receive
from zerofactory.runs.inspect_model import cards
from zerofactory.runs.inspect_queue import Only
from zerofactory.runs.inspect_settings import settings

ROUTER = APIRouter(prefix="/v1/inspect", tags=["inspect"])
Words = Annotated[str, Field(max_length=200)]
Forever = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


class PartSent(BaseModel):
    """A part: its picture, or what an inspector says, or both. Without ``part_code`` the code is read from a picture."""

    model_config = ConfigDict(extra="forbid")
    part_code: Words = ""
    shop: Words = ""
    station: Words = ""
    product: Words = ""
    model: Words = ""
    disposition: Words = ""
    defect: Words = ""
    cause: Words = ""
    note: Words = ""
    inspected_at: AwareDatetime | None = None
    image: UploadFile | None = None
    code_image: UploadFile | None = None


class PhotoSent(BaseModel):
    """A photograph to read codes from; ``codes_only``: a frame of the live picture, of which no model is asked."""

    model_config = ConfigDict(extra="forbid")
    model: Words = ""
    codes_only: bool = False
    image: UploadFile


class Label(BaseModel):
    """What an inspector says of a part that was looked at before: by the hash of its picture or the id of a row."""

    model_config = ConfigDict(extra="forbid")
    part: Annotated[str, Field(min_length=6, max_length=64)]
    disposition: Words
    defect: Words = ""
    cause: Words = ""
    note: Words = ""


@ROUTER.get("/models")
def listed(visit: Reading) -> Response:
    """List the models with what they learned from and how good they are."""
    return plain({"items": cards(visit.context.workspace.folder)})


@ROUTER.post("/parts")
def take(
    request: Request, visit: Inspecting, sent: Annotated[PartSent, Form(media_type="multipart/form-data")]
) -> Response:
    """Judge and book a part. One that was sent before is not booked again."""
    words = Sent(
        **sent.model_dump(exclude={"image", "code_image", "disposition", "defect", "cause", "note"}),
        said=Said(sent.disposition, sent.defect, sent.cause, sent.note) if sent.disposition else None,
    )
    bound = settings(visit.context).most_picture_bytes
    image, code_image = _read(sent.image, bound), _read(sent.code_image, bound)
    return once(request, visit, lambda: receive(visit.context, words, image, code_image))


@ROUTER.post("/codes")
def codes(visit: Inspecting, sent: Annotated[PhotoSent, Form(media_type="multipart/form-data")]) -> Response:
    """Read the codes in a photograph; nothing is booked or kept."""
    content = _read(sent.image, settings(visit.context).most_picture_bytes)
    return plain(look_at(visit.context, content or b"", sent.model, sent.codes_only))


@ROUTER.get("/defects")
def defects(
    request: Request, visit: Reading, every: bool = False, shop: str = "", limit: Limit = 100, after: After = 0
) -> Response:
    """List the inspected parts, the newest first; ``every``: also rows that were corrected."""
    return page(request, visit, lambda: inspect_book.listed(visit.context, every, shop), limit, after)


@ROUTER.get("/queue")
def queue(
    visit: Reading, model: str = "", shop: str = "", station: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> Response:
    """List what an inspector should look at next, and why."""
    found = inspect_queue.queue(visit.context, Only(model, shop, station), limit)
    return plain({"items": [one.as_json() for one in found]})


@ROUTER.post("/labels")
def label(request: Request, visit: Inspecting, sent: Label) -> Response:
    """Book what an inspector says of a part that was looked at before."""
    said = Said(sent.disposition, sent.defect, sent.cause, sent.note)
    return once(request, visit, lambda: inspect_book.plain(inspect_book.correct(visit.context, sent.part, said)))


@ROUTER.get("/audit")
def audit(request: Request, visit: Reading, model: str = "", shop: str = "", station: str = "") -> Response:
    """Return how many parts that were passed are bad, and how many that were rejected are good, with their intervals."""
    only = Only(model, shop, station)
    return from_book(
        request, visit, lambda: {"items": [one.as_json() for one in inspect_queue.audits(visit.context, only)]}
    )


@ROUTER.get("/camera")
def camera(visit: Reading, model: str = "") -> Response:
    """Return whether the newest pictures still come as those the model learned from; null where that cannot be told."""
    found = inspect_heat.camera(visit.context, model)
    return plain({"drift": None if found is None else found.as_json()})


@ROUTER.get("/images/{image}", responses=FILE)
def picture(visit: Reading, image: str, side: Annotated[int | None, Query(ge=32, le=2000)] = None) -> Response:
    """Return a picture that is kept; with ``side`` a small one."""
    path = inspect_heat.picture_path(visit.context, image)
    content = path.read_bytes() if side is None else inspect_heat.small(path, side)
    return Response(content, 200, Forever, MEDIA[".jpg" if side is not None else path.suffix])


@ROUTER.get("/images/{image}/heat", responses=FILE)
def heat(visit: Reading, image: str, model: str, version: Annotated[int, Query(ge=1, le=2**31)]) -> Response:
    """Return a picture with what a model finds odd in it."""
    return Response(inspect_heat.heat(visit.context, image, model, version), 200, Forever, MEDIA[".png"])


def _read(file: UploadFile | None, most_bytes: int) -> bytes | None:
    """Return the bytes of an upload, read no further than just past the bound; None when there is none."""
    return None if file is None else file.file.read(most_bytes + 1) or None
