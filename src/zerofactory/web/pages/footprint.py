"""The footprint of one vehicle by stage and line; files to hand on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from nicegui import ui

from zerofactory.accounting.footprint import STAGES
from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import footprint as run
from zerofactory.runs.jobs import Job
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure, problems, table
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit
from zerofactory.web.work import begin

FORMS = {"pact": ("PACT 3.0", ".json"), "aas-json": ("AAS JSON", ".json"), "aasx": ("AASX", ".aasx")}


def build(visit: Visit) -> None:
    """Draw the page."""
    products = {one.id: visit.read(one.name) for one in visit.context.workspace.plant.products}
    product = visit.asked.get("product", next(iter(products), ""))
    boundary = "life_cycle" if visit.asked.get("boundary") == "life_cycle" else "cradle_to_gate"
    with ui.row().classes("items-center gap-3 zf-noprint"):
        period = choose(visit, "/footprint", product=product, boundary=boundary)
        if products and period is not None:
            for name, value, choices in (
                ("product", product, products),
                (
                    "boundary",
                    boundary,
                    {
                        "cradle_to_gate": visit.say("摇篮到大门", "cradle to gate"),
                        "life_cycle": visit.say("全生命周期", "whole life"),
                    },
                ),
            ):
                kept = {"period": period, "product": product, "boundary": boundary}
                select = (
                    ui.select(choices, value=value if value in choices else None)
                    .props("dense outlined")
                    .classes("w-56")
                )
                select.on_value_change(
                    lambda event, name=name, kept=kept: ui.navigate.to(
                        "/footprint?" + urlencode({**kept, name: event.value})
                    )
                )
    if period is None or not products:
        if products:
            empty(
                visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close"
            )
        else:
            words = Text("还没有产品: 足迹按产品算。", "No product yet: a footprint is of a product.")
            empty(visit, words, Text("添加产品", "Add a product"), "/plant?part=products")
        return
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")

    def told(job: Job) -> None:
        _stages(visit, job.result)
        _files(visit, product, Period.parse(period))

    begin(visit, "footprint", {"product": product, "period": period, "boundary": boundary}, place, told)


def _stages(visit: Visit, shown: run.Shown) -> None:
    found = shown.footprint
    with ui.row().classes("w-full gap-4"):
        figure(visit, found.title, f"{found.kgco2e:,.1f}", f"kgCO2e/{found.unit}")
        figure(visit, Text("初级数据占比", "Primary data"), f"{100 * found.primary_fraction:.1f}", "%")
    with ui.card().classes("w-full"):
        charts.shares(
            {visit.read(STAGES[stage]): round(found.of([stage]).total, 1) for stage in found.stages}, "kgCO2e"
        )
    ordered = sorted((line for line in found.lines if line.stage in found.stages), key=lambda line: -abs(line.kgco2e))
    columns = [("title", visit.say("项目", "Line")), ("kg", "kgCO2e"), ("ground", visit.say("依据", "Ground"))]
    table(
        columns,
        [
            {"id": n, "title": visit.read(x.title), "kg": f"{x.kgco2e:,.1f}", "ground": x.ground}
            for n, x in enumerate(ordered)
        ],
        ("kg",),
        per_page=25,
    )
    if shown.warnings:
        problems(visit, shown.warnings)


def _files(visit: Visit, product: str, period: Period) -> None:
    with ui.row().classes("gap-2 zf-noprint"):
        for form, (title, suffix) in FORMS.items():

            def give(form: str = form, suffix: str = suffix) -> None:
                with TemporaryDirectory(prefix="zf-") as folder:
                    path = Path(folder) / f"footprint{suffix}"
                    run.export(visit.context, product, period, form, path)
                    ui.download(path.read_bytes(), f"footprint-{period.label}{suffix}")

            ui.button(title, icon="download", on_click=give).props("outline dense")


PAGE = Page(
    "footprint", "/footprint", Text("产品碳足迹", "Product footprint"), "directions_car", "account", 45, "read", build
)
