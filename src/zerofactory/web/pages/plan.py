"""The plan: roadmap, what a tonne costs, targets against the path, tasks, who does what, and the evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nicegui import ui

from zerofactory.errors import FaultyData, Text
from zerofactory.runs import plan as plans
from zerofactory.runs import plan_guide
from zerofactory.runs import plan_roadmap as run
from zerofactory.runs.context import Context
from zerofactory.web import charts, plan_tasks, plan_work
from zerofactory.web.act import act
from zerofactory.web.frame import Page, figure, problems, table
from zerofactory.web.parts import choose_part, heading
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit
from zerofactory.web.work import begin

WAN = 10_000.0
PARTS = {
    "roadmap": Text("路线图", "Roadmap"), "cost": Text("减排成本", "Cost of a tonne"), "targets": Text("目标与路径", "Targets and path"),
    "tasks": Text("任务", "Tasks"), "roles": Text("组织与职责", "Roles and RACI"), "evidence": Text("检查表与证据", "Checklists and evidence"),
}  # fmt: skip
STATUSES = plan_guide.STATUSES


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    try:
        current = plans.current(visit.context)
    except FaultyData as fault:
        problems(visit, fault.problems)
        _start(visit, result)
        return
    ui.label(visit.read(current.plan.plan.commitment)).classes("text-base")
    part = choose_part(visit, "/plan", PARTS)
    if part == "tasks":
        plan_tasks.build(visit, current)
    elif part == "roles":
        plan_work.roles(visit, current)
    elif part == "evidence":
        plan_work.evidence(visit)
    else:
        _solved(visit, {"roadmap": _roadmap, "cost": _cost, "targets": _targets}[part])


def _start(visit: Visit, result: ui.column) -> None:
    if not visit.may("manage"):
        return

    async def example() -> None:
        if await act(visit, "manage", "set plan", lambda context: plans.set_plan(context, example=True), result):
            ui.navigate.reload()

    ui.button(visit.say("从参考范例开始", "Start from the example"), on_click=example)


def _solved(visit: Visit, draw: Callable[[Visit, dict[str, Any]], None]) -> None:
    """Draw what rests on the roadmap once it is solved; it is kept until the book changes, and can be cancelled."""
    place = ui.column().classes("w-full gap-4")
    begin(visit, "roadmap", {}, place, lambda job: draw(visit, job.result))


def _t(grams: float) -> int:
    return round(grams / GRAMS_PER_TONNE)


def _roadmap(visit: Visit, found: dict[str, Any]) -> None:
    path = found["path"]
    with ui.row().classes("w-full gap-4"):
        net, wan = found["cost_cny"] / WAN, visit.say("万元(现值)", "10k CNY (present value)")
        against = visit.say("负数为比不作为节省", "below zero: cheaper than doing nothing")
        figure(visit, Text("净费用", "Net cost"), f"{net:,.0f}", wan, against)
        last = path[-1]
        title = Text(f"{last['year']} 年范围一、二", f"Scopes 1 and 2 in {last['year']}")
        figure(visit, title, f"{_t(last['scope_12_gco2e']):,}", "tCO2e", visit.say(f"{path[0]['year']} 年 {_t(path[0]['scope_12_gco2e']):,}", f"{_t(path[0]['scope_12_gco2e']):,} in {path[0]['year']}"))  # fmt: skip
        invested = sum(found["investment_cny"].values()) / WAN
        figure(visit, Text("投资合计", "Investment"), f"{invested:,.0f}", visit.say("万元", "10k CNY"))
        count = visit.say(f"采用 {len(found['measures'])} 项措施", f"{len(found['measures'])} measures taken")
        figure(visit, Text("计划", "Plan"), found["plan"], "", count)
    _outcome(visit, found)
    heading(visit.say("轨迹与投资", "Trajectory and investment"))
    years = [str(one["year"]) for one in path]
    with ui.row().classes("w-full gap-4 items-stretch"):
        with ui.card().classes("grow basis-96"):
            scopes = {visit.say("范围一", "scope 1"): "scope_1_gco2e", visit.say("范围二", "scope 2"): "scope_2_gco2e"}
            charts.bars(years, {name: [_t(one[key]) for one in path] for name, key in scopes.items()}, "tCO2e", stacked=True)  # fmt: skip
        with ui.card().classes("grow basis-96"):
            unit = visit.say("万元", "10k CNY")
            amounts = [round(found["investment_cny"].get(year, 0.0) / WAN, 1) for year in years]
            charts.bars(years, {visit.say("当年投资", "invested in the year"): amounts}, unit)
    heading(visit.say("甘特图: 哪年决定, 哪年生效, 用到哪年", "Gantt: decided, in effect, end of life"))
    with ui.card().classes("w-full"):
        last_year = path[-1]["year"]
        rows = [(visit.told(one["title"]), one["decide_year"], one["start_year"], min(one["start_year"] + one["life_years"], last_year + 1)) for one in found["measures"]]  # fmt: skip
        words = (visit.say("立项到投用", "decided to in effect"), visit.say("投用", "in effect"))
        charts.spans(rows, words, visit.say("甘特图", "Gantt chart"))
    _measures(visit, found)
    _downloads(visit)


def _outcome(visit: Visit, found: dict[str, Any]) -> None:
    if found["kept"]:
        ui.label(visit.say("全部目标、限值与预算均满足。", "Every target, limit and budget is kept.")).classes("text-positive")  # fmt: skip
        return
    named = "; ".join(visit.told(title) for title in found["clash_titles"])
    ui.label(visit.say(f"无法同时满足: {named}。所示为最接近的方案。", f"These cannot be kept together: {named}. Shown is the nearest plan.")).classes("text-warning").props("role=alert")  # fmt: skip
    columns = [("wish", visit.say("目标", "Wish")), ("year", visit.say("年", "Year")), ("wanted", visit.say("要求", "Wanted")), ("reached", visit.say("达到", "Reached")), ("unit", visit.say("单位", "Unit"))]  # fmt: skip
    rows = [
        {"id": n, "wish": visit.told(one["title"]), "year": one["year"], "wanted": f"{one['wanted']:,.1f}", "reached": f"{one['reached']:,.1f}", "unit": one["unit"]}
        for n, one in enumerate(found["breaches"])
    ]  # fmt: skip
    table(columns, rows, ("wanted", "reached"), per_page=10)


def _measures(visit: Visit, found: dict[str, Any]) -> None:
    columns = [
        ("decide", visit.say("立项", "Decide")), ("year", visit.say("生效", "From")), ("title", visit.say("措施", "Measure")), ("kind", visit.say("类别", "Class")),
        ("capex", visit.say("投资 万元", "Capex 10k CNY")), ("opex", visit.say("年运维 万元", "Opex 10k CNY a year")), ("status", visit.say("数据", "Data")),
    ]  # fmt: skip
    rows = [
        {"id": one["measure"], "decide": one["decide_year"], "year": one["start_year"], "title": visit.told(one["title"]), "kind": visit.told(one["class_title"]),
         "capex": f"{one['capex_cny'] / WAN:,.1f}", "opex": f"{one['opex_cny'] / WAN:,.1f}", "status": visit.read(STATUSES.get(one["status"], Text(one["status"], one["status"])))}
        for one in found["measures"]
    ]  # fmt: skip
    table(columns, rows, ("capex", "opex"), per_page=15)
    _tested(visit, found.get("tested", []))
    if found["contracts"]:
        heads = [("title", visit.say("绿电与绿证", "Green power and certificates")), ("first", visit.say("首年", "First year")), ("most", visit.say("最多 GWh/年", "Most GWh a year"))]  # fmt: skip
        own = [
            {"id": one["measure"], "title": visit.told(one["title"]), "first": min(one["mwh"]), "most": f"{max(one['mwh'].values()) / 1000:,.1f}"}
            for one in found["contracts"] if one["mwh"]
        ]  # fmt: skip
        table(heads, own, ("most",))


def _tested(visit: Visit, found: list[dict[str, Any]]) -> None:
    """Draw the savings that were tested in the twin, with their intervals; nothing where none was."""
    if not found:
        return
    heads = [
        ("title", visit.say("孪生检验过的措施", "Measures tested in the twin")), ("saved", visit.say("每年节约", "Saved a year")), ("range", visit.say("区间", "Interval")),
        ("width", visit.say("路线图半宽", "Half-width taken")), ("scenario", visit.say("场景", "Scenario")), ("on", visit.say("日期", "On")), ("chosen", visit.say("选用", "Chosen")),
    ]  # fmt: skip
    rows = [
        {"id": f"{one['id']}-{saving['carrier']}", "title": visit.told(one["title"]), "saved": f"{saving['amount']:,.0f} {saving['unit']}", "range": f"{saving['low']:,.0f} – {saving['high']:,.0f}",
         "width": f"±{one['half_width_fraction']:.0%}", "scenario": one["scenario"], "on": one["on"], "chosen": visit.say("是", "yes") if one["chosen"] else visit.say("否", "no")}
        for one in found for saving in one["savings"]
    ]  # fmt: skip
    table(heads, rows, ("saved", "range", "width"))


def _downloads(visit: Visit) -> None:
    result = ui.column().classes("w-full")
    with ui.row().classes("gap-3 zf-noprint"):
        guide = ui.button(visit.say("实施指南(PDF)", "Implementation guide (PDF)"), icon="picture_as_pdf").props("outline")  # fmt: skip

        async def download() -> None:
            guide.props("loading")
            made = await act(visit, "read", "plan guide", lambda context: _guide(context, visit), result)
            guide.props(remove="loading")
            if made is not None:
                ui.download(made, "plan.pdf")

        guide.on_click(download)
        if visit.may("manage"):
            book = ui.button(visit.say("登记为采用的路线图", "Book it as the roadmap in force"), icon="task_alt").props("outline")  # fmt: skip

            async def adopt() -> None:
                book.props("loading")
                name = await act(visit, "manage", "adopt roadmap", lambda context: run.adopt(context, run.run(context)), result)  # fmt: skip
                book.props(remove="loading")
                if name:
                    with result:
                        ui.label(visit.say(f"已登记: {name}", f"Booked: {name}")).classes("text-positive")

            book.on_click(adopt)


def _guide(context: Context, visit: Visit) -> bytes:
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / "plan.pdf"
        plan_guide.write(context, path, visit.language)
        return path.read_bytes()


def _cost(visit: Visit, found: dict[str, Any]) -> None:
    macc = found["macc"]
    ui.label(visit.say(f"{macc['year']} 年减排成本曲线: 每块宽为年减排量, 高为每吨费用; 零线以下为省钱的措施。", f"Cost curve of {macc['year']}: as wide as the tonnes saved a year, as high as a tonne costs; below zero a measure earns."))  # fmt: skip
    shown = [one for one in macc["steps"] if one["abated_gco2e"] > 0]
    per_t = visit.say("元/tCO2e", "CNY/tCO2e")
    with ui.card().classes("w-full"):
        parts = [(visit.told(one["title"]), one["abated_gco2e"] / GRAMS_PER_TONNE, one["cny_per_t"]) for one in shown]
        unit = visit.say("年减排 tCO2e", "tCO2e saved a year")
        charts.steps(parts, (unit, per_t), visit.say("减排成本曲线", "Marginal abatement cost")).classes(remove="h-72", add="h-96")  # fmt: skip
    columns = [("n", "#"), ("title", visit.say("措施", "Measure")), ("t", "tCO2e"), ("cost", per_t), ("sum", visit.say("累计 tCO2e", "Cumulative tCO2e"))]  # fmt: skip
    rows = [
        {"id": one["measure"], "n": n, "title": visit.told(one["title"]), "t": f"{_t(one['abated_gco2e']):,}", "cost": f"{one['cny_per_t']:,.0f}", "sum": f"{_t(one['cumulative_gco2e']):,}"}
        for n, one in enumerate(shown, start=1)
    ]  # fmt: skip
    table(columns, rows, ("n", "t", "cost", "sum"), per_page=20)
    if found["not_applicable"]:
        heading(visit.say("不适用的措施", "Measures not applicable"))
        heads = [("title", visit.say("措施", "Measure")), ("reason", visit.say("原因", "Reason"))]
        table(heads, [{"id": one["measure"], "title": visit.told(one["title"]), "reason": visit.told(one["reason"])} for one in found["not_applicable"]])  # fmt: skip


def _targets(visit: Visit, found: dict[str, Any]) -> None:
    views = plans.targets(visit.context)
    path = {one["year"]: one for one in found["path"]}
    idle = {one["year"]: one for one in found["doing_nothing"]}
    years = sorted(path)
    for scope in dict.fromkeys(view.pathway.target.scope for view in views):
        own = [view for view in views if view.pathway.target.scope == scope]
        keys = {"1": ("scope_1_gco2e",), "2": ("scope_2_gco2e",), "3": ("scope_3_gco2e",), "1+2": ("scope_12_gco2e",)}.get(scope, ("scope_12_gco2e", "scope_3_gco2e"))  # fmt: skip
        whole = [view for view in own if not view.pathway.target.categories]
        if not whole:
            continue
        lines: dict[str, list[float | None]] = {visit.say("什么也不做", "doing nothing"): [_t(sum(idle[year][key] for key in keys)) for year in years]}  # fmt: skip
        for view in whole:
            limits = view.pathway.limits_gco2e
            lines[visit.read(view.pathway.target.title)] = [_t(limits[year]) if year in limits else None for year in years]  # fmt: skip
        with ui.card().classes("w-full"):
            ui.label(visit.say(f"范围 {scope}", f"Scope {scope}")).classes("font-semibold")
            reached = [_t(sum(path[year][key] for key in keys)) for year in years]
            charts.ranges([str(year) for year in years], lines, (visit.say("路线图", "roadmap"), reached), "tCO2e")
    plan_work.targets(visit, views, found["chances"])


PAGE = Page("plan", "/plan", Text("规划与路线图", "Plan and roadmap"), "route", "plan", 10, "read", build)
