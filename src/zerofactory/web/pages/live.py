"""Live: power, energy, cost and gCO2e by shop, seconds old, provisional until the period closes; and the wall screen."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import Text
from zerofactory.monitoring.stream import Stream
from zerofactory.runs import live as run
from zerofactory.runs.context import Context
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.visit import Visit, tonnes

REFRESH_SECONDS = 5.0
LEVELS = {"shop": Text("车间", "shops"), "line": Text("产线", "lines"), "meter": Text("表计", "meters")}


def build(visit: Visit) -> None:
    """Draw the page."""
    by = visit.asked.get("by", "shop") if visit.asked.get("by") in LEVELS else "shop"
    choice = ui.toggle({name: visit.read(title) for name, title in LEVELS.items()}, value=by).classes("zf-noprint")
    choice.on_value_change(lambda event: ui.navigate.to(f"/live?by={event.value}"))
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")
    state = {"busy": False}

    async def refresh() -> None:
        if state["busy"]:
            return
        if not visit.holds():
            ui.navigate.to("/login")
            return
        state["busy"] = True
        try:
            seen = await background.io_bound(look, visit.context, by)
        finally:
            state["busy"] = False
        if seen is not None:
            place.clear()
            with place:
                _draw(visit, seen)

    with place:
        ui.spinner(size="lg")
    ui.timer(0.1, refresh, once=True)
    ui.timer(REFRESH_SECONDS, refresh)


def look(context: Context, by: str) -> dict[str, Any]:
    """Return the live figures of this moment as one event of the stream."""
    seen = run.once(context, run.Asked(run.levels_of(context.workspace.plant, by)))
    return dict(Stream().event(seen.snapshot, seen.at, seen.more()))


def _draw(visit: Visit, seen: dict[str, Any]) -> None:
    totals, rows = seen["totals"], list(seen["rows"].values())
    if not rows:
        empty(
            visit,
            Text("还没有读数。", "No readings yet."),
            Text("接上表计(zf collect)或导入读数", "Collect meters (zf collect) or import readings"),
            "/import",
        )
        return
    state = visit.say("暂计", "provisional") if totals.get("provisional", True) else visit.say("已封存", "closed")
    until = str(totals["data_until"] or "")[:16].replace("T", " ")
    with ui.row().classes("w-full gap-4"):
        figure(
            visit,
            Text("本期排放", "Emissions of the period"),
            tonnes(totals["total_gco2e"]),
            "tCO2e",
            f"{totals['period']} · {state}",
        )
        late = visit.say(f"{totals['meters_late']} 块落后", f"{totals['meters_late']} late")
        figure(
            visit, Text("在报表计", "Meters reporting"), f"{totals['meters_reporting']}/{totals['meters']}", "", late
        )
        figure(visit, Text("数据截至 UTC", "Data until UTC"), until[11:] or "—", until[:10])
        power = sum(row["power_kw"] or 0.0 for row in rows if row["carrier"] == "electricity")
        figure(visit, Text("电功率", "Electric power"), f"{power:,.0f}", "kW")
    columns = [("name", visit.say("名称", "Name")), ("carrier", visit.say("品种", "Carrier")), ("rate", visit.say("此刻", "Now")), ("today", visit.say("今日", "Today")),
               ("month", visit.say("本月", "Month")), ("unit", visit.say("单位", "Unit")), ("cny", visit.say("本月 元", "Month CNY")), ("carbon", visit.say("本月 tCO2e", "Month tCO2e"))]  # fmt: skip
    table(
        columns,
        [_row(visit, key, row) for key, row in seen["rows"].items()],
        ("rate", "today", "month", "cny", "carbon"),
        per_page=25,
    )


def _row(visit: Visit, key: str, row: dict[str, Any]) -> dict[str, object]:
    def number(value: float | None, digits: int = 0) -> str:
        return "—" if value is None else f"{value:,.{digits}f}"

    carbon = row["month_gco2e"]
    return {
        "id": key, "name": visit.told(row["name"]), "carrier": visit.told(row["carrier_title"]), "rate": number(row["rate_per_hour"]),
        "today": number(row["amount_today"]), "month": number(row["amount_month"]), "unit": row["unit"] or "",
        "cny": number(row["month_cny"]), "carbon": "—" if carbon is None else tonnes(carbon, 3),
    }  # fmt: skip


PAGE = Page("live", "/live", Text("实时", "Live"), "monitor_heart", "live", 10, "read", build)
