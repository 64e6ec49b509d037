"""The plan: targets and path, which measure in which year, what a tonne costs, and the tasks."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import FaultyData, Text
from zerofactory.runs import plan as plans
from zerofactory.runs import plan_roadmap as run
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import Page, figure, problems, table
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit

WAN = 10_000.0


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    try:
        current = plans.current(visit.context)
    except FaultyData as fault:
        problems(visit, fault.problems)
        _start(visit, result)
        return
    head = current.plan.plan
    ui.label(visit.read(head.commitment)).classes("text-lg")
    place = ui.column().classes("w-full gap-4")

    async def draw() -> None:
        with place:
            waiting = ui.row().classes("items-center")
            with waiting:
                ui.spinner()
                ui.label(visit.say("正在求解路线图……", "solving the roadmap …"))
        found = await background.io_bound(lambda: visit.kept("roadmap", lambda context: run.as_json(run.run(context))))
        if found is not None:
            place.clear()
            with place:
                _roadmap(visit, found)

    ui.timer(0.1, draw, once=True)
    _tasks(visit)


def _start(visit: Visit, result: ui.column) -> None:
    if not visit.may("manage"):
        return

    async def example() -> None:
        if await act(visit, "manage", "set plan", lambda context: plans.set_plan(context, example=True), result):
            ui.navigate.reload()

    ui.button(visit.say("从参考范例开始", "Start from the example"), on_click=example)


def _roadmap(visit: Visit, found: dict[str, Any]) -> None:
    path = found["path"]
    years = [str(one["year"]) for one in path]
    with ui.row().classes("w-full gap-4"):
        figure(
            visit,
            Text("净费用", "Net cost"),
            f"{found['cost_cny'] / WAN:,.0f}",
            visit.say("万元(现值)", "10k CNY (present value)"),
        )
        last = path[-1]["scope_12_gco2e"] / GRAMS_PER_TONNE
        figure(visit, Text(f"{years[-1]} 年范围一+二", f"Scopes 1+2 in {years[-1]}"), f"{last:,.0f}", "tCO2e")
        figure(visit, Text("采用的措施", "Measures taken"), str(len(found["measures"])), "", found["plan"])
    with ui.card().classes("w-full"):
        lines: dict[str, list[float | None]] = {
            visit.say("什么也不做", "Doing nothing"): [
                round(one["scope_12_gco2e"] / GRAMS_PER_TONNE) for one in found["doing_nothing"]
            ]
        }
        for target in found["targets"]:
            limits = target["limits_gco2e"]
            lines[visit.told(target["title"])] = [
                round(limits[year] / GRAMS_PER_TONNE) if year in limits else None for year in years
            ]
        charts.ranges(years, lines, [round(one["scope_12_gco2e"] / GRAMS_PER_TONNE) for one in path], "tCO2e")
    columns = [
        ("year", visit.say("年", "Year")),
        ("title", visit.say("措施", "Measure")),
        ("kind", visit.say("类", "Class")),
        ("capex", visit.say("投资 万元", "Capex 10k CNY")),
        ("status", visit.say("数据状态", "Status of data")),
    ]
    rows = [
        {"id": one["measure"], "year": one["start_year"], "title": visit.told(one["title"]), "kind": visit.told(one["class_title"]), "capex": f"{one['capex_cny'] / WAN:,.1f}", "status": one["status"]}
        for one in sorted(found["measures"], key=lambda one: (one["start_year"], one["measure"]))
    ]  # fmt: skip
    table(columns, rows, ("year", "capex"), per_page=20)


def _tasks(visit: Visit) -> None:
    ui.label(visit.say("任务", "Tasks")).classes("text-lg font-semibold pt-4")
    today = visit.context.today
    columns = [
        ("title", visit.say("任务", "Task")),
        ("owner", visit.say("负责", "Owner")),
        ("due", visit.say("期限", "Due")),
        ("state", visit.say("状态", "State")),
    ]
    rows = []
    for one in plans.tasks(visit.context):
        told = plans.task_as_json(one, today)
        late = visit.say(" · 逾期", " · overdue") if told["overdue"] else ""
        rows.append(
            {
                "id": told["task"],
                "title": visit.told(told["title"]) if isinstance(told["title"], dict) else str(told["title"]),
                "owner": told["owner"],
                "due": told["due"] or "",
                "state": f"{told['state']}{late}",
            }
        )
    table(columns, rows, per_page=15)


PAGE = Page("plan", "/plan", Text("规划与路线图", "Plan and roadmap"), "route", "plan", 10, "read", build)
