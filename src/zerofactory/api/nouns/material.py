"""Material: slitting, nesting, sheets and charges from the files of the workspace. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from zerofactory.api.door import Reading, Visit
from zerofactory.api.reply import plain
from zerofactory.runs import material, material_mix
from zerofactory.runs.material import MaterialResult

ROUTER = APIRouter(prefix="/v1", tags=["material"])


class Cutting(BaseModel):
    """How long to search (none: as the file says), and whether the drawing comes along as SVG."""

    model_config = ConfigDict(extra="forbid")
    seconds: float | None = Field(default=None, ge=1.0, le=60.0)
    drawing: Literal["zh", "en"] | None = None


class Mixing(BaseModel):
    """Which objective; none: as the file says."""

    model_config = ConfigDict(extra="forbid")
    objective: Literal["cost", "footprint"] | None = None


def _answer(run: Callable[..., MaterialResult], visit: Visit, asked: Cutting) -> Response:
    found = run(visit.context, None, asked.seconds)
    drawn = {} if asked.drawing is None or not found.is_sound else {"svg": material.picture(found, asked.drawing)}
    return plain(found.as_json() | drawn)


@ROUTER.post("/material/slit")
def slit(visit: Reading, asked: Cutting) -> Response:
    """Return how to slit the coils of slit.toml, checked: patterns, bound, masses, saving by route and in the book."""
    return _answer(material.run_slit, visit, asked)


@ROUTER.post("/material/nest")
def nest(visit: Reading, asked: Cutting) -> Response:
    """Return how to lay the blanks of nest.toml on the strip, checked: pitch, width, layout, masses, saving."""
    return _answer(material.run_nest, visit, asked)


@ROUTER.post("/material/sheet")
def sheet(visit: Reading, asked: Cutting) -> Response:
    """Return how to cut the sheets of sheet.toml by guillotine cuts, checked: patterns, bound, masses, saving."""
    return _answer(material.run_sheet, visit, asked)


@ROUTER.post("/material/mix")
def mix(visit: Reading, asked: Mixing) -> Response:
    """Return the best charge of mix.toml with its shadow prices, or the smallest clash of its limits."""
    return plain(material_mix.run(visit.context, None, asked.objective).as_json())
