"""Product footprints: our own, and those of suppliers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading, Recording
from zerofactory.api.reply import FILE, document, from_book, once
from zerofactory.api.uploads import received
from zerofactory.periods import Period
from zerofactory.runs import footprint as run
from zerofactory.runs import published, supplier

ROUTER = APIRouter(prefix="/v1", tags=["footprint"])
SUFFIX = {"pact": ".json", "aas-json": ".json", "aasx": ".aasx"}
Boundary = Literal["cradle_to_gate", "life_cycle"]


class Asked(BaseModel):
    """Which product in which period."""

    model_config = ConfigDict(extra="ignore")
    product: Annotated[str, Field(max_length=200)]
    period: Annotated[str, Field(max_length=20)]


@ROUTER.get("/footprints")
def list_suppliers(request: Request, visit: Reading) -> Response:
    """List suppliers' footprints."""
    return from_book(request, visit, lambda: supplier.listing_as_json(supplier.listing(visit.context)))


@ROUTER.get("/footprints/offered")
def offered(request: Request, visit: Reading) -> Response:
    """Return what customers can fetch (PACT), and which products are left out and why."""
    return from_book(request, visit, lambda: published.offer(visit.context).as_json())


@ROUTER.get("/footprints/{product}")
def show(
    request: Request, visit: Reading, product: str, period: str, boundary: Boundary = "cradle_to_gate"
) -> Response:
    """Return the footprint of one product by stage."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: run.as_json(run.show(visit.context, product, asked, boundary)))


@ROUTER.get("/footprints/{product}/{form}", responses=FILE)
def export(visit: Reading, product: str, form: Literal["pact", "aas-json", "aasx"], period: str, boundary: Boundary = "cradle_to_gate") -> Response:  # fmt: skip
    """Return a product's footprint as PACT or AAS."""
    asked = Period.parse(period)
    name = f"footprint-{asked.label}{SUFFIX[form]}"
    return document(name, lambda path: run.export(visit.context, product, asked, form, path, boundary))


@ROUTER.post("/footprints")
def import_(request: Request, visit: Recording, files: list[UploadFile]) -> Response:
    """Import suppliers' footprints (PACT 3.0 or 2.x, AAS)."""

    def do() -> object:
        with received(files, visit.server.upload_bytes) as paths:
            return supplier.run(visit.context, paths).as_json()

    return once(request, visit, do)
