"""Alarms: what is wrong, what it costs, who looks after it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.runs import alarms as run
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, table
from zerofactory.web.visit import Visit

DAYS = 7


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    found = [one.as_json() for one in run.alarms(visit.context)]
    with ui.row().classes("items-center gap-3 zf-noprint"):
        if visit.may("record"):

            async def scan() -> None:
                first, last = run.newest_days(visit.context, DAYS)
                done = await act(
                    visit, "record", "scan alarms", lambda context: run.scan(context, run.Asked(first, last)), result
                )
                if done is not None:
                    ui.navigate.reload()

            ui.button(visit.say(f"检查最近 {DAYS} 天", f"Look at the last {DAYS} days"), icon="search", on_click=scan)
    result.move(target_index=-1)
    if not found:
        empty(visit, Text("没有报警。", "No alarms."), Text("", ""))
        return
    _steps(visit, found, result)
    keys = [key for key in SHOWN if key in found[0]]
    rows = [{"id": n, **{f"c_{key}": _cell(visit, one[key]) for key in keys}} for n, one in enumerate(found)]
    table(
        [(f"c_{key}", visit.read(SHOWN[key])) for key in keys],
        rows,
        [f"c_{key}" for key in keys if key.startswith(("energy", "cost", "emissions"))],
        per_page=25,
    )


def _cell(visit: Visit, value: Any) -> str:
    if isinstance(value, dict):
        return visit.told(value)
    return "—" if value is None else f"{value:,.1f}" if isinstance(value, float) else str(value)


def _steps(visit: Visit, found: list[dict[str, Any]], result: ui.column) -> None:
    names = [str(one.get("alarm") or one.get("alarm_id")) for one in found if one.get("state") != "closed"]
    if not names or not visit.may("record"):
        return
    with ui.row().classes("items-center gap-3 zf-noprint"):
        chosen = (
            ui.select(names, value=names[0], label=visit.say("报警", "Alarm")).props("dense outlined").classes("w-48")
        )
        text = ui.input(visit.say("说明或原因", "Note or reason")).props("dense outlined").classes("w-80")

        async def acknowledge() -> None:
            if await act(
                visit,
                "record",
                "acknowledge alarm",
                lambda c: run.acknowledge(c, str(chosen.value), text.value or ""),
                result,
            ):
                ui.navigate.reload()

        async def close() -> None:
            if await act(
                visit, "record", "close alarm", lambda c: run.close(c, str(chosen.value), text.value or ""), result
            ):
                ui.navigate.reload()

        ui.button(visit.say("确认", "Acknowledge"), on_click=acknowledge).props("outline")
        ui.button(visit.say("关闭", "Close"), on_click=close).props("outline")


SHOWN = {
    "alarm": Text("报警", "Alarm"), "alarm_id": Text("报警", "Alarm"), "state": Text("状态", "State"), "rule": Text("规则", "Rule"), "meter": Text("表计", "Meter"),
    "shop": Text("车间", "Shop"), "started_at": Text("起", "From"), "ended_at": Text("止", "To"), "message": Text("说明", "What"),
    "energy_kwh": Text("kWh", "kWh"), "cost_cny": Text("元", "CNY"), "emissions_kgco2e": Text("kgCO2e", "kgCO2e"), "assignee": Text("负责", "By"),
}  # fmt: skip
PAGE = Page("alarms", "/alarms", Text("报警", "Alarms"), "notifications_active", "live", 30, "read", build)
