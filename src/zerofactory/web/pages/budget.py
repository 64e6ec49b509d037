"""Budgets: how much of the year's carbon and energy is used, where the year will end, and when the budget would be gone."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from nicegui import ui

from zerofactory.errors import NotFound, Text
from zerofactory.runs import budget as run
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.parts import heading
from zerofactory.web.period import closed
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit

PER = {"carbon": (GRAMS_PER_TONNE, "tCO2e"), "energy": (1_000_000, "MWh")}
KINDS = {"carbon": Text("碳预算", "Carbon budget"), "energy": Text("能源预算", "Energy budget")}
STATES = {
    "closed": Text("已封存", "closed"), "provisional": Text("暂计", "provisional"), "open": Text("未开始", "not begun"), "": Text("", ""),
}  # fmt: skip
SPLITS = {"seasonal": Text("按季节", "by season"), "last_year": Text("按去年", "as last year")}


def build(visit: Visit) -> None:
    """Draw the page."""
    months = closed(visit)
    asked = visit.asked.get("year", "")
    newest = int(months[0][:4]) if months else visit.context.today.year
    year = int(asked) if len(asked) == 4 and asked.isascii() and asked.isdigit() else newest
    choices = sorted({newest, newest + 1, visit.context.today.year, year}, reverse=True)
    chosen = ui.select(choices, value=year, label=visit.say("年份", "Year")).props("dense outlined").classes("w-36 zf-noprint")  # fmt: skip
    chosen.on_value_change(lambda event: ui.navigate.to(f"/budget?year={event.value}"))
    try:
        views = [one.as_json() for one in run.show(visit.context, year)]
    except NotFound:
        empty(visit, Text(f"{year} 年还没有预算。", f"There is no budget for {year}."), Text("在下面设定", "Set one below"))  # fmt: skip
        views = []
    for view in views:
        _one(visit, view)
    if visit.may("manage"):
        _form(visit, year)


def _one(visit: Visit, view: dict[str, Any]) -> None:
    kind = str(view.get("kind"))
    per, unit = PER.get(kind, (1, ""))
    lines = view.get("lines", [])
    total, used = sum(one["budget"] for one in lines), sum(one["used"] for one in lines)
    heading(visit.read(KINDS.get(kind, Text(kind, kind))))
    with ui.row().classes("w-full gap-4"):
        version = visit.say(f"{view.get('year')} 年, 第 {view.get('version')} 版", f"{view.get('year')}, version {view.get('version')}")  # fmt: skip
        figure(visit, Text("预算", "Budget"), f"{total / per:,.0f}", unit, version)
        share = f"{100 * used / total:.1f} %" if total else ""
        figure(visit, Text("已用", "Used"), f"{used / per:,.0f}", unit, share)
        figure(visit, Text("剩余", "Left"), f"{(total - used) / per:,.0f}", unit)
    end = view.get("year_end") or {}
    if total and used > total:
        over = f"{(used - total) / per:,.0f}"
        ui.label(visit.say(f"已超预算 {over} {unit}", f"{over} {unit} beyond the budget")).classes("text-negative")
    elif end.get("expected") is not None:
        expected, low, high = (end[name] / per for name in ("expected", "low", "high"))
        breaks = end.get("breaks_on")
        warning = visit.say(f"预计 {breaks} 用尽", f"gone by {breaks}") if breaks else visit.say("不会用尽", "it will last")  # fmt: skip
        told = f"{low:,.0f} … {high:,.0f}"
        ui.label(visit.say(f"年末预计 {expected:,.0f}({told}) {unit}; {warning}", f"Year's end {expected:,.0f} ({told}) {unit}; {warning}")).classes("text-negative" if breaks else "text-positive")  # fmt: skip
    keys = [one["key"] for one in lines]
    with ui.row().classes("w-full gap-4 items-stretch"):
        with ui.card().classes("grow basis-96"):
            ui.label(visit.say("每月", "Each month")).classes("font-semibold")
            parts = {visit.say("预算", "budget"): "budget", visit.say("已用", "used"): "used"}
            charts.bars(keys, {name: [round(one[key] / per, 1) for one in lines] for name, key in parts.items()}, unit)
        with ui.card().classes("grow basis-96"):
            ui.label(visit.say("燃尽: 剩余预算", "Burn-down: what is left")).classes("font-semibold")
            burn_down(visit, lines, per, unit)
    table(
        [("key", visit.say("月份", "Month")), ("budget", visit.say("预算", "Budget")), ("used", visit.say("已用", "Used")), ("left", visit.say("剩余", "Left")), ("share", "%"), ("state", visit.say("状态", "State"))],
        [{"id": n, "key": one["key"], "budget": f"{one['budget'] / per:,.1f}", "used": f"{one['used'] / per:,.1f}", "left": f"{one['left'] / per:,.1f}",
          "share": f"{100 * one['used'] / one['budget']:.1f}" if one["budget"] else "—", "state": visit.read(STATES.get(str(one["state"]), Text(str(one["state"]), str(one["state"]))))}
         for n, one in enumerate(lines)],
        ("budget", "used", "left", "share"),
    )  # fmt: skip


def burn_down(visit: Visit, lines: list[dict[str, Any]], per: float, unit: str) -> None:
    """Draw what is left of a year's budget at the end of each month, as planned and as it went."""
    total = sum(one["budget"] for one in lines)
    planned = [round((total - gone) / per, 1) for gone in accumulate(one["budget"] for one in lines)]
    last = max((n for n, one in enumerate(lines) if one["used"]), default=-1)
    went = list(accumulate(one["used"] for one in lines))
    real: list[float | None] = [round((total - went[n]) / per, 1) if n <= last else None for n in range(len(lines))]
    series: dict[str, list[float | None]] = {visit.say("计划剩余", "left as planned"): [*planned], visit.say("实际剩余", "left in fact"): real}  # fmt: skip
    charts.lines([one["key"] for one in lines], series, unit)


def _form(visit: Visit, year: int) -> None:
    heading(visit.say(f"设定 {year} 年预算", f"Set the budget of {year}"))
    result = ui.column().classes("w-full")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        carbon = ui.number(visit.say("碳预算 tCO2e", "Carbon tCO2e"), min=0).props("dense outlined").classes("w-44")
        energy = ui.number(visit.say("能源预算 MWh", "Energy MWh"), min=0).props("dense outlined").classes("w-44")
        split = ui.select({name: visit.read(title) for name, title in SPLITS.items()}, value="seasonal", label=visit.say("分解", "Split")).props("dense outlined").classes("w-40")  # fmt: skip
        reason = ui.input(visit.say("原因", "Reason")).props("dense outlined").classes("w-64")

        async def set_() -> None:
            grams = round(carbon.value * GRAMS_PER_TONNE) if carbon.value else None
            wh = round(energy.value * 1_000_000) if energy.value else None
            asked = run.Asked(year, grams, wh, str(split.value), None, reason.value or "")
            if await act(visit, "manage", "set budget", lambda context: run.set_(context, asked), result):
                ui.navigate.reload()

        ui.button(visit.say("设定并分解到车间和月份", "Set it, split by shop and month"), on_click=set_)
    result.move(target_index=-1)


PAGE = Page("budget", "/budget", Text("预算", "Budgets"), "savings", "live", 50, "read", build)
