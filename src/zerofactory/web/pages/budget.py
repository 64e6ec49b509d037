"""Budgets: how much of the year's carbon and energy is used, where the year will end, and when the budget would be gone."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from zerofactory.errors import NotFound, Text
from zerofactory.runs import budget as run
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import Page, figure, table
from zerofactory.web.period import closed
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit

PER = {"carbon": (GRAMS_PER_TONNE, "tCO2e"), "energy": (1_000_000, "MWh")}


def build(visit: Visit) -> None:
    """Draw the page."""
    months = closed(visit)
    asked = visit.asked.get("year", "")
    newest = int(months[0][:4]) if months else visit.context.today.year
    year = int(asked) if len(asked) == 4 and asked.isascii() and asked.isdigit() else newest
    result = ui.column().classes("w-full")
    try:
        views = [one.as_json() for one in run.show(visit.context, year)]
    except NotFound:
        ui.label(visit.say(f"{year} 年还没有预算。", f"There is no budget for {year}.")).classes("text-lg")
        views = []
    for view in views:
        _one(visit, view)
    if visit.may("manage"):
        _form(visit, year, result)
    result.move(target_index=-1)


def _one(visit: Visit, view: dict[str, Any]) -> None:
    per, unit = PER.get(str(view.get("kind")), (1, ""))
    lines = view.get("lines", [])
    total, used = sum(one["budget"] for one in lines), sum(one["used"] for one in lines)
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("预算", "Budget"), f"{total / per:,.1f}", unit, f"{view.get('year')} v{view.get('version')}")
        figure(visit, Text("已用", "Used"), f"{used / per:,.1f}", unit, f"{100 * used / total:.1f} %" if total else "")
    end = view.get("year_end") or {}
    if end.get("expected") is not None:
        expected, low, high = (end[name] / per for name in ("expected", "low", "high"))
        breaks = end.get("breaks_on")
        warning = (
            visit.say(f"预计 {breaks} 用尽", f"gone by {breaks}") if breaks else visit.say("不会用尽", "it will last")
        )
        told = f"{low:,.0f} … {high:,.0f}"
        ui.label(
            visit.say(
                f"年末预计 {expected:,.0f}({told}) {unit}; {warning}",
                f"Year's end {expected:,.0f} ({told}) {unit}; {warning}",
            )
        ).classes("text-negative" if breaks else "text-positive")
    with ui.card().classes("w-full"):
        keys = [one["key"] for one in lines]
        charts.bars(
            keys,
            {
                visit.say("预算", "budget"): [round(one["budget"] / per, 1) for one in lines],
                visit.say("已用", "used"): [round(one["used"] / per, 1) for one in lines],
            },
            unit,
        )
    table(
        [("key", visit.say("月份", "Month")), ("budget", visit.say("预算", "Budget")), ("used", visit.say("已用", "Used")), ("left", visit.say("剩余", "Left")), ("state", visit.say("状态", "State"))],
        [{"id": n, "key": one["key"], "budget": f"{one['budget'] / per:,.1f}", "used": f"{one['used'] / per:,.1f}", "left": f"{one['left'] / per:,.1f}", "state": str(one["state"])} for n, one in enumerate(lines)],
        ("budget", "used", "left"),
    )  # fmt: skip


def _form(visit: Visit, year: int, result: ui.column) -> None:
    with ui.row().classes("items-center gap-3 zf-noprint"):
        carbon = ui.number(visit.say("碳预算 tCO2e", "Carbon tCO2e"), min=0).props("dense outlined").classes("w-44")
        energy = ui.number(visit.say("能源预算 MWh", "Energy MWh"), min=0).props("dense outlined").classes("w-44")
        reason = ui.input(visit.say("原因", "Reason")).props("dense outlined").classes("w-64")

        async def set_() -> None:
            grams = round(carbon.value * GRAMS_PER_TONNE) if carbon.value else None
            wh = round(energy.value * 1_000_000) if energy.value else None
            asked = run.Asked(year, grams, wh, "seasonal", None, reason.value or "")
            if await act(visit, "manage", "set budget", lambda context: run.set_(context, asked), result):
                ui.navigate.reload()

        ui.button(
            visit.say(f"设定 {year} 年预算(按季节分解)", f"Set the budget of {year} (split by season)"), on_click=set_
        )


PAGE = Page("budget", "/budget", Text("预算", "Budgets"), "savings", "live", 50, "read", build)
