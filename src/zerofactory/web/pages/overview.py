"""Overview: the newest closed period in figures, its shops, its months, and what to do next."""

from __future__ import annotations

from nicegui import ui

from zerofactory.accounting.inventory import Inventory
from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import inventory as run
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure
from zerofactory.web.period import choose
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

STANDARD = "iso_14064_1_2018"


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/")
    if period is None:
        empty(
            visit,
            Text("还没有封存的月份。", "No month is closed yet."),
            Text("导入读数和凭证", "Import readings and documents"),
            "/import",
        )
        return
    asked = Period.parse(period)
    whole = visit.kept(f"shops {period}", lambda context: run.read(context, asked, STANDARD, None, "shop"))
    _figures(visit, period, whole)
    with ui.row().classes("w-full gap-4 items-stretch"):
        with ui.card().classes("grow basis-96"):
            ui.label(visit.say("各车间排放", "Emissions by shop")).classes("font-semibold")
            charts.shares(
                {visit.read(x.title): round(x.emissions_gco2e / GRAMS_PER_TONNE, 1) for x in whole.lines}, "tCO2e"
            )
        if asked.month is None:
            with ui.card().classes("grow basis-96"):
                ui.label(visit.say("各月排放(范围一、二)", "Emissions by month (scopes 1 and 2)")).classes(
                    "font-semibold"
                )
                months = visit.kept(
                    f"months {period}", lambda context: run.read(context, asked, STANDARD, None, "month")
                )
                values = [round(x.emissions_gco2e / GRAMS_PER_TONNE, 1) for x in months.lines]
                charts.bars([x.key for x in months.lines], {"tCO2e": values}, "tCO2e")


def _figures(visit: Visit, period: str, whole: Inventory) -> None:
    both = whole.regimes_gco2e
    with ui.row().classes("w-full gap-4"):
        where = f"/inventory?period={period}"
        figure(
            visit,
            Text("范围一+二(基于位置)", "Scopes 1+2 (location-based)"),
            tonnes(both["location"]),
            "tCO2e",
            target=where,
        )
        if "market_annual" in both:
            market = f"{where}&regime=market_annual&standard=ghg_protocol_corporate"
            figure(
                visit,
                Text("范围一+二(基于市场)", "Scopes 1+2 (market-based)"),
                tonnes(both["market_annual"]),
                "tCO2e",
                target=market,
            )
        share = f"{100 * whole.estimated_fraction:.2f}"
        figure(
            visit,
            Text("估算数据占比", "Share estimated"),
            share,
            "%",
            visit.say("其余来自表计和凭证", "the rest is metered or invoiced"),
        )
        head = visit.context.workspace.watched.last()
        if head is not None:
            note = visit.say(f"第 {head.seq} 号凭证", f"entry {head.seq}")
            figure(visit, Text("账本指纹", "Head of the book"), head.hash[:8], "", note, "/journal")


PAGE = Page("overview", "/", Text("总览", "Overview"), "dashboard", "account", 10, "read", build)
