"""The car line of a day: carbon and cost saved beside the schedule as orders come, due dates, Gantt chart, tours to the line."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from nicegui import ui

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.reporting import gantt, line_gantt
from zerofactory.runs import schedule_line as run
from zerofactory.runs.context import Context
from zerofactory.runs.forecast import moment_of
from zerofactory.web.act import act
from zerofactory.web.frame import Page, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit

MOVES = 2000
AS_IT_COMES, PLANNED = Text("按订单先后", "as orders come"), Text("计划", "schedule")


def build(visit: Visit) -> None:
    """Draw the page."""
    ui.label(
        visit.say(
            "line.toml 的产线与 orders.csv 的批次: 冲压、焊装、涂装、总装; 与按订单先后的排法并列, 两者都经独立检验。",
            "The lines of line.toml and the lots of orders.csv: press, body, paint, assembly; beside the schedule as orders come, both checked.",
        )
    ).classes("opacity-80")
    with ui.row().classes("items-end gap-3 zf-noprint"):
        day = ui.input(visit.say("计划日", "Day"), value=_last_day(visit), placeholder="2025-07-10")
        options = {name: visit.read(title) for name, title in run.OBJECTIVES.items()}
        goal = ui.select(options, value="carbon", label=visit.say("目标", "Goal")).classes("min-w-48")
        moves = ui.number(visit.say("搜索步数", "Moves"), value=MOVES, min=0, max=50_000, step=500, format="%d")
        button = ui.button(visit.say("排产", "Schedule"))
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")

    async def go() -> None:
        wanted = str(day.value or ""), str(goal.value), int(moves.value or MOVES)
        place.clear()
        button.disable()
        try:
            found = await act(visit, "read", "schedule", lambda context: _solved(context, wanted, visit), place)
        finally:
            button.enable()
        if found is not None:
            with place:
                _draw(visit, *found)

    button.on_click(go)


def _last_day(visit: Visit) -> str:
    """Return a day in the last closed month, else in the last month with readings."""
    from zerofactory.runs.profile import months_of

    there = sorted(visit.context.workspace.seals()["period"].to_list()) or months_of(visit.context)
    return f"{there[-1]}-15" if there else ""


def _solved(context: Context, wanted: tuple[str, str, int], visit: Visit) -> tuple[dict[str, Any], str]:
    """Return the result and its picture as a data address."""
    day, goal, moves = wanted
    if not day.strip():
        message = Text("请填计划日。", "Give the day of the plan.")
        raise FaultyData([Problem("line.day", message, Text("例如 2025-07-10。", "For example 2025-07-10."))])
    begins: datetime = moment_of(f"{day.strip()}T00:00", context.workspace.plant.time_zone)
    found = run.run(context, run.Asked(begins, goal, min(50_000, max(0, moves))))
    plans = ((AS_IT_COMES, found.naive.plan), (PLANNED, found.best.plan))
    figure = line_gantt.draw(found.problem, plans, visit.language, context.workspace.plant.time_zone)
    return found.as_json(), "data:image/svg+xml;base64," + base64.b64encode(gantt.svg(figure)).decode()


def _draw(visit: Visit, found: dict[str, Any], picture: str) -> None:
    saved, before = found["saved"], found["as_it_comes"]
    share = 100 * saved["carbon_t"] * 1e6 / max(1.0, before["carbon_gco2e"])
    ui.label(
        visit.say(
            f"节省 {saved['carbon_t']:,.1f} t ({share:.1f} %), {saved['cost_cny']:,.0f} 元, {saved['energy_kwh']:,.0f} kWh; 误期 {len(found['best']['late'])} 批(原 {len(before['late'])})。",
            f"Saved {saved['carbon_t']:,.1f} t ({share:.1f} %), {saved['cost_cny']:,.0f} CNY, {saved['energy_kwh']:,.0f} kWh; late lots {len(found['best']['late'])} (before {len(before['late'])}).",
        )
    ).classes("text-lg")
    columns = [
        ("name", visit.say("方案", "Plan")), ("carbon", visit.say("碳 t(小时)", "Carbon t (hourly)")), ("booked", visit.say("入账 t", "Booked t")),
        ("cost", visit.say("费用 元", "Cost CNY")), ("energy", visit.say("电量 MWh", "MWh")), ("late", visit.say("误期批", "Late lots")),
        ("setups", visit.say("换型", "Changes")), ("rules", visit.say("违规", "Rules broken")),
    ]  # fmt: skip
    rows = [_row(visit.read(AS_IT_COMES), before), _row(visit.read(PLANNED), found["best"])]
    table(columns, rows, [name for name, _ in columns[1:]])
    for note in found["notes"]:
        ui.label(visit.told(note)).classes("text-sm opacity-70")
    heading(visit.say("甘特图", "Gantt chart"))
    alt = visit.say(
        "各线的批次、升温与停歇, 上方为功率与碳强度", "Lots, warming up and rests by line; power and intensity above"
    )
    with ui.card().classes("w-full bg-white"):
        ui.image(picture).classes("w-full").props(f'alt="{alt}"')
    heading(visit.say("批次", "Lots"))
    work = [row for row in found["rows"] if row["activity"] == "work"]
    wanted = [("line", visit.say("产线", "Line")), ("start", visit.say("起点", "Start")), ("end", visit.say("终点", "End")), ("lot", visit.say("批次", "Lot")), ("family", visit.say("颜色或车型", "Colour or model")), ("kwh", "kWh")]  # fmt: skip
    shown = [
        {"id": n, "line": row["line"], "start": row["started_at"][5:16], "end": row["ended_at"][5:16], "lot": row["lot"], "family": row["family"] or "", "kwh": f"{row['energy_kwh']:,.0f}"}
        for n, row in enumerate(work)
    ]  # fmt: skip
    table(wanted, shown, ["kwh"], 25)


def _row(name: str, own: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name, "name": name, "carbon": f"{own['carbon_gco2e'] / 1e6:,.1f}", "booked": f"{own['booked_t']:,.1f}", "cost": f"{own['cost_cny']:,.0f}",
        "energy": f"{own['energy_kwh'] / 1000:,.1f}", "late": str(len(own["late"])), "setups": str(own["setups"]), "rules": str(own["broken_rules"]),
    }  # fmt: skip


PAGE = Page("schedule_line", "/schedule/line", Text("整车线排产", "Car line"), "conveyor_belt", "optimise", 41, "read", build)  # fmt: skip
