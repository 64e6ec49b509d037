"""The wall screen: the figures of the moment in large, and where energy and carbon flow."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import Text
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty
from zerofactory.web.pages.live import look
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

REFRESH_SECONDS = 10.0
KWH_PER_MWH = 1000.0


def build(visit: Visit) -> None:
    """Draw the page."""
    place = ui.column().classes("w-full gap-4")
    state = {"busy": False}

    async def refresh() -> None:
        if not visit.holds():
            ui.navigate.to("/login")
        elif not state["busy"]:
            state["busy"] = True
            try:
                seen = await background.io_bound(look, visit.context, "shop")
            finally:
                state["busy"] = False
            if seen is not None:
                place.clear()
                with place:
                    _draw(visit, seen)

    ui.button(
        icon="fullscreen", on_click=lambda: ui.run_javascript("document.documentElement.requestFullscreen()")
    ).props(f'flat round aria-label="{visit.say("全屏", "Full screen")}"').classes("zf-noprint")
    place.move(target_index=-1)
    ui.timer(0.1, refresh, once=True)
    ui.timer(REFRESH_SECONDS, refresh)


def _draw(visit: Visit, seen: dict[str, Any]) -> None:
    rows = [row for row in seen["rows"].values() if row["level"] == "shop"]
    if not rows:
        empty(visit, Text("还没有读数。", "No readings yet."), Text("", ""))
        return
    power = sum(row["power_kw"] or 0.0 for row in rows if row["carrier"] == "electricity")
    today = sum(row["today_gco2e"] or 0 for row in rows)
    shown = (
        (visit.say("电功率", "Power"), f"{power / KWH_PER_MWH:,.2f}", "MW"),
        (visit.say("今日排放", "Today"), tonnes(today), "tCO2e"),
        (visit.say(f"{seen['totals']['period']} 累计", f"{seen['totals']['period']} so far"), tonnes(seen["totals"]["total_gco2e"]), "tCO2e"),
    )  # fmt: skip
    with ui.row().classes("w-full gap-6 justify-around"):
        for title, value, unit in shown:
            with ui.column().classes("items-center gap-0"):
                ui.label(title).classes("text-lg opacity-70")
                ui.label(value).classes("text-6xl font-bold text-primary").style("font-variant-numeric: tabular-nums")
                ui.label(unit).classes("opacity-70")
    electricity = [
        (visit.say("电力", "electricity"), visit.told(r["name"]), (r["amount_month"] or 0.0) / KWH_PER_MWH)
        for r in rows
        if r["carrier"] == "electricity"
    ]
    carbon = [
        (visit.told(r["carrier_title"]), visit.told(r["name"]), (r["month_gco2e"] or 0) / GRAMS_PER_TONNE) for r in rows
    ]
    with ui.row().classes("w-full gap-4 items-stretch"):
        for title, links, unit in (
            (visit.say("电量流向", "Electricity"), electricity, "MWh"),
            (visit.say("碳的流向", "Carbon"), carbon, "tCO2e"),
        ):
            with ui.card().classes("grow basis-96"):
                ui.label(title).classes("font-semibold")
                charts.flows(links, unit).classes(replace="w-full h-96")


PAGE = Page("wall", "/wall", Text("大屏", "Wall screen"), "tv", "live", 20, "read", build)
