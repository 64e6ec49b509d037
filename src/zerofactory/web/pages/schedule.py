"""The schedule of the shop: what is wanted, the Gantt chart, what it costs and emits beside time alone, and its check."""

from __future__ import annotations

import base64
from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.optimisation.scheduling.solve import Options
from zerofactory.reporting import gantt
from zerofactory.runs import schedule as run
from zerofactory.runs import schedule_file
from zerofactory.runs.context import Context
from zerofactory.web.act import act
from zerofactory.web.frame import Page, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit

GOALS = {
    "carbon": Text("碳最少", "Least carbon"), "cost": Text("电费最低", "Least cost"),
    "tardiness": Text("拖期最短", "Least late"), "makespan": Text("最早完工", "Earliest end"),
}  # fmt: skip
SECONDS = 20.0
STATUSES = {
    "optimal": Text("已证明最优", "Proved optimal"), "feasible": Text("可行", "Feasible"),
    "infeasible": Text("无解(已证明)", "Infeasible (proved)"), "none": Text("在时限内未找到", "None found in the time"),
}  # fmt: skip


def build(visit: Visit) -> None:
    """Draw the page."""
    ui.label(visit.say("由工作区的 schedule.toml 排产; 每份计划都经独立检验, 不通过不显示。", "Solves the workspace's schedule.toml; every schedule is judged without the solver, and not shown when it fails.")).classes("opacity-80")  # fmt: skip
    with ui.row().classes("items-end gap-3 zf-noprint"):
        options = {name: visit.read(title) for name, title in GOALS.items()}
        goal = ui.select(options, value="carbon", label=visit.say("目标", "Goal")).classes("min-w-40")
        keep = ui.checkbox(visit.say("不晚于只看时间的排产", "No later than with time alone"), value=True)
        seconds = ui.number(visit.say("求解秒数", "Seconds"), value=SECONDS, min=1, max=120, step=5, format="%d")
        button = ui.button(visit.say("求解", "Solve"))
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")

    async def solve() -> None:
        limits = {"tardiness": "+0%"} if keep.value and goal.value in ("carbon", "cost") else {}
        spent = min(120.0, max(1.0, float(seconds.value or SECONDS)))
        asked = run.Asked({str(goal.value): 1.0}, limits, options=Options(spent))
        button.disable()
        try:
            found = await act(visit, "read", "schedule", lambda context: _solved(context, asked, visit), place)
        finally:
            button.enable()
        if found is not None:
            with place:
                _draw(visit, *found)

    button.on_click(solve)


def _solved(context: Context, asked: run.Asked, visit: Visit) -> tuple[dict[str, Any], str]:
    """Return the result and its picture as a data address."""
    result = run.run(context, schedule_file.load(context, None), asked)
    if result.answer.schedule is None:
        return result.as_json(), ""
    figure = gantt.draw(result.answer.schedule, visit.language, context.workspace.plant.time_zone)
    return result.as_json(), "data:image/svg+xml;base64," + base64.b64encode(gantt.svg(figure)).decode()


def _draw(visit: Visit, found: dict[str, Any], picture: str) -> None:
    gap = (
        ""
        if found["gap_fraction"] is None
        else visit.say(f", 差距 {100 * found['gap_fraction']:.1f} %", f", gap {100 * found['gap_fraction']:.1f} %")
    )
    ui.label(visit.read(STATUSES[found["status"]]) + gap).classes("text-base")
    rows = [
        (visit.say("只看时间", "Time alone"), found["naive"], found["naive_booked"]),
        (visit.say("计划", "Schedule"), found["measures"], found["booked"]),
    ]
    columns = [
        ("name", visit.say("排产", "Schedule")), ("end", visit.say("完工 h", "Makespan h")), ("late", visit.say("拖期 h", "Late h")),
        ("energy", visit.say("电量 kWh", "Energy kWh")), ("peak", visit.say("峰值 kW", "Peak kW")), ("cost", visit.say("电费 元", "Cost CNY")),
        ("carbon", visit.say("小时碳 kg", "Hourly kg")), ("booked", visit.say("入账碳 kg", "Booked kg")),
    ]  # fmt: skip
    table(
        columns,
        [_row(name, own, booked) for name, own, booked in rows if own is not None],
        [name for name, _ in columns[1:]],
    )
    for note in found["notes"]:
        ui.label(visit.told(note)).classes("text-sm opacity-70")
    for finding in found["check"]:
        ui.label(f"{finding['where']}: {visit.told(finding['message'])}").classes("text-negative").props("role=alert")
    if picture:
        heading(visit.say("甘特图", "Gantt chart"))
        alt = visit.say(
            "各设备的加工、换型与待机, 上方为功率与电价", "Work, set-ups and rests by machine; power and price above"
        )
        with ui.card().classes("w-full bg-white"):
            ui.image(picture).classes("w-full").props(f'alt="{alt}"')
        work = [row for row in found["rows"] if row["activity"] == "work"]
        heading(visit.say("工序", "Operations"))
        wanted = [("machine", visit.say("设备", "Machine")), ("start", visit.say("起点", "Start")), ("end", visit.say("终点", "End")), ("operation", visit.say("工序", "Operation")), ("mode", visit.say("方式", "Mode")), ("kwh", "kWh")]  # fmt: skip
        shown = [{"id": n, "machine": row["machine"], "start": row["started_at"][5:16], "end": row["ended_at"][5:16], "operation": row["operation"], "mode": row["mode"] or "", "kwh": f"{row['energy_wh'] / 1000:,.0f}"} for n, row in enumerate(work)]  # fmt: skip
        table(wanted, shown, ["kwh"])


def _row(name: str, own: dict[str, Any], booked: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": name, "name": name, "end": f"{own['makespan_minutes'] / 60:,.2f}", "late": f"{own['tardiness_minutes'] / 60:,.2f}",
        "energy": f"{own['energy_kwh']:,.0f}", "peak": f"{own['peak_kw']:,.0f}", "cost": f"{own['cost_cny']:,.0f}",
        "carbon": f"{own['carbon_kgco2e']:,.1f}", "booked": "–" if booked is None else f"{booked['booked_kgco2e']:,.1f}",
    }  # fmt: skip


PAGE = Page("schedule", "/schedule", Text("排产", "Schedule"), "view_timeline", "optimise", 40, "read", build)
