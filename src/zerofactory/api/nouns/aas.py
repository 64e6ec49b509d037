"""Asset Administration Shells: which there are, the file that holds them, and the AAS API (IDTA 01002-3-0) for foreign clients."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from zerofactory.api.aas import METHODS, ROOT, read
from zerofactory.api.door import Asking, Reading, server_of, site_of
from zerofactory.api.reply import FILE, JSON, MEDIA, document, from_book
from zerofactory.runs import aas as run

ROUTER = APIRouter(tags=["aas"])
SITE_ROOT = ROOT.replace("/aas", "/aas/{plant}", 1)
FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA[".aasx"]: FILE[200]["content"][MEDIA[".aasx"]], JSON: {"schema": {"type": "object"}}}}
}
Shell = Annotated[str | None, Query(max_length=400, description="一个管理壳, 如 line/press-1 / one shell")]


@ROUTER.get("/v1/aas")
def list_(request: Request, visit: Reading) -> Response:
    """List the shells of the plant, their submodels and what their name plates lack."""
    return from_book(request, visit, lambda: run.shells(visit.context).as_json())


@ROUTER.get("/v1/aas/export", responses=FORMS)
def export(visit: Reading, form: Literal["aasx", "json"] = "aasx", shell: Shell = None) -> Response:
    """Return the shells, or one of them, as AASX or JSON."""
    name = f"{visit.context.workspace.plant.id}.{form}"
    return document(name, lambda path: path.write_bytes(run.content(visit.context, f".{form}", shell)))


@ROUTER.api_route(f"{ROOT}/{{path:path}}", methods=METHODS, include_in_schema=False)
def api(request: Request, visit: Reading) -> Response:
    """Answer the AAS API on the one plant the asker may read, or the one that ``site`` names."""
    return read(request, visit.context)


@ROUTER.api_route(f"{SITE_ROOT}/{{path:path}}", methods=METHODS, include_in_schema=False)
def api_of(request: Request, person: Asking, plant: str) -> Response:
    """Answer the AAS API on a plant named in the path, for clients that send no query of their own."""
    server = server_of(request)
    site = site_of(server, person, plant, "read")
    return read(request, server.sites.context(site, person.user.login))
