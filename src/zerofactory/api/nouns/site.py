"""The sites that the asker may read."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerofactory.api.door import Asking, server_of
from zerofactory.api.reply import plain
from zerofactory.runs.context import clock

ROUTER = APIRouter(prefix="/v1", tags=["site"])


@ROUTER.get("/sites")
def show(request: Request, person: Asking) -> Response:
    """Return the sites I may read, with the name of each plant."""
    sites = server_of(request).sites
    now = clock()
    rows = []
    for site in sites.folders():
        if person.may("read", site):
            plant = sites.context(site, person.user.login, now).workspace.plant
            rows.append({"site": site, "name": {"zh": plant.name.zh, "en": plant.name.en}, "region": plant.region})
    return plain({"items": rows})
