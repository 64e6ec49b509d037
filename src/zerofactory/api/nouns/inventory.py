"""The inventory and what stands behind each figure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from zerofactory.api.door import Reading
from zerofactory.api.reply import FILE, document, from_book
from zerofactory.errors import NotFound, Text
from zerofactory.periods import Period
from zerofactory.runs import circularity as circular
from zerofactory.runs import explain as explaining
from zerofactory.runs import inventory as run
from zerofactory.runs import report as reporting
from zerofactory.runs import uncertainty as spread

ROUTER = APIRouter(prefix="/v1", tags=["inventory"])
STANDARD = "iso_14064_1_2018"


class Cut(BaseModel):
    """Which inventory: the period, the standard, the regime of electricity, the cut and the scope."""

    model_config = ConfigDict(extra="ignore")
    period: str
    standard: str = STANDARD
    regime: str | None = None
    by: str = "category"
    scope: str = "1+2"


Asked = Annotated[Cut, Query()]


@ROUTER.get("/inventory")
def show(request: Request, visit: Reading, cut: Asked) -> Response:
    """Return the inventory of a closed period under a standard, cut as asked."""
    period = Period.parse(cut.period)

    def make() -> object:
        return run.as_json(run.read(visit.context, period, cut.standard, cut.regime, cut.by, cut.scope), cut.scope)

    return from_book(request, visit, make)


@ROUTER.get("/inventory/significance")
def significance(request: Request, visit: Reading, period: str) -> Response:
    """Return the significance test of the indirect categories."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: run.significance_as_json(run.significance(visit.context, asked)))


@ROUTER.get("/inventory/uncertainty")
def uncertainty(request: Request, visit: Reading, cut: Asked) -> Response:
    """Return the uncertainty of an inventory by propagation and by Monte Carlo, and what drives it."""
    period, view = Period.parse(cut.period), spread.View(cut.regime, cut.by, cut.scope)
    return from_book(request, visit, lambda: spread.as_json(spread.read(visit.context, period, cut.standard, view)))


@ROUTER.get("/explain/{figure:path}")
def explain(request: Request, visit: Reading, figure: str) -> Response:
    """Open a figure: its records, factors, activities, and readings or documents."""
    return from_book(request, visit, lambda: explaining.run(visit.context, figure).as_json())


@ROUTER.get("/circularity")
def circularity(request: Request, visit: Reading, period: str) -> Response:
    """Return the circularity indicators of a period."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: circular.as_json(asked.label, circular.read(visit.context, asked)))


@ROUTER.get("/reports/{form}", responses=FILE)
def report(visit: Reading, form: str, period: str, regime: str | None = None, kind: str = "pdf") -> Response:
    """Return a report as PDF or XLSX."""
    if kind not in ("pdf", "xlsx"):
        raise NotFound(Text("文件类型", "kind of file"), kind, ("pdf", "xlsx"))
    asked = Period.parse(period)
    name = f"{form}-{asked.label}.{kind}"
    return document(name, lambda path: reporting.run(visit.context, asked, form, path, regime))
