"""Learned inspection: the models of the site."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import plain
from zerofactory.runs.inspect_model import cards

ROUTER = APIRouter(prefix="/v1", tags=["inspect"])


@ROUTER.get("/inspection-models")
def listed(visit: Reading) -> Response:
    """List the models with what they learned from and how good they are."""
    return plain({"items": cards(visit.context.workspace.folder)})
