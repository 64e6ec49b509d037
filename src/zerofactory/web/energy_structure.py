"""The part of the energy page about what to build: goals, sizes, cost and tonnes before and after, any week, and the front."""

from __future__ import annotations

from datetime import date
from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.optimisation.energy.problem import OBJECTIVES, REGIMES
from zerofactory.runs import energy_size as run
from zerofactory.runs import energy_week as weeks
from zerofactory.web import charts
from zerofactory.web.frame import figure, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit
from zerofactory.web.work import begin, resume

WAN = 10_000.0
FIELD = "dense outlined options-dense"
OBJECTIVE_TITLES = {"cost": Text("年费用最低", "least cost a year"), "emissions": Text("排放最低", "least emissions")}
REGIME_TITLES = {
    "location": Text("基于位置", "location-based"), "market_annual": Text("基于市场(年度)", "market-based, annual"), "market_hourly": Text("基于市场(逐时)", "market-based, hourly"),
}  # fmt: skip


def build(visit: Visit) -> None:
    """Draw the goals, the button that solves, and the answer."""
    result = ui.column().classes("w-full gap-4")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        objective = ui.select({name: visit.read(OBJECTIVE_TITLES.get(name, Text(name, name))) for name in OBJECTIVES}, value="cost", label=visit.say("目标", "Objective")).props(FIELD).classes("w-44")  # fmt: skip
        cap = ui.input(visit.say("碳上限: 吨或 70%", "Cap: tonnes or 70%")).props("dense outlined").classes("w-44")
        regime = ui.select({name: visit.read(REGIME_TITLES.get(name, Text(name, name))) for name in REGIMES}, value="location", label=visit.say("上限口径", "Regime of the cap")).props(FIELD).classes("w-48")  # fmt: skip
        price = ui.number(visit.say("碳价 元/t", "Carbon price CNY/t"), value=0, min=0).props("dense outlined").classes("w-40")  # fmt: skip
        budget = ui.number(visit.say("投资上限 万元", "Budget, 10k CNY"), min=0).props("dense outlined").classes("w-40")
        points = ui.number(visit.say("前沿点数", "Points of the front"), value=0, min=0, max=12, precision=0).props("dense outlined").classes("w-36")  # fmt: skip

    def solve() -> None:
        goals: dict[str, Any] = {"objective": str(objective.value), "regime": str(regime.value), "carbon_price_cny_per_t": float(price.value or 0)}  # fmt: skip
        if budget.value:
            goals["budget_cny"] = float(budget.value) * WAN
        asked = {"goals": goals, "cap": (cap.value or "").strip() or None, "pareto": int(points.value or 0)}
        begin(visit, "sizing", asked, result, lambda job: _answer(visit, job.result))

    label = visit.say("求解(一年 8760 小时, 约一分钟; 前沿每点再约一分钟)", "Solve (a year of 8760 hours, about a minute; as much again for each point)")  # fmt: skip
    ui.button(label, icon="calculate", on_click=solve).classes("zf-noprint").props("id=zf-solve")
    resume(visit, "sizing", result, lambda job: _answer(visit, job.result))
    result.move(target_index=-1)


def _answer(visit: Visit, found: run.SizingResult) -> None:
    if found.answer.conflict is not None:
        ui.label(visit.read(found.answer.conflict.sentence())).classes("text-warning").props("role=alert")
    after = found.after
    if after is None:
        return
    wan = visit.say("万元/年", "10k CNY a year")
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("年费用", "Cost a year"), f"{after.total_cny / WAN:,.0f}", wan, visit.say(f"现状 {found.before.total_cny / WAN:,.0f}", f"today {found.before.total_cny / WAN:,.0f}"))  # fmt: skip
        figure(visit, Text("排放(基于位置)", "Emissions, location-based"), f"{after.tonnes('location'):,.0f}", "t", visit.say(f"现状 {found.before.tonnes('location'):,.0f}", f"today {found.before.tonnes('location'):,.0f}"))  # fmt: skip
        if found.worth is not None:
            one = found.worth
            back = "—" if one.payback_years is None else f"{one.payback_years:.1f}"
            figure(visit, Text("投资", "Investment"), f"{one.capex_cny / WAN:,.0f}", visit.say("万元", "10k CNY"), visit.say(f"回收期 {back} 年", f"pays back in {back} years"))  # fmt: skip
            rate = "—" if one.irr_fraction is None else f"{100 * one.irr_fraction:.1f} %"
            figure(visit, Text("净现值", "Net present value"), f"{one.npv_cny / WAN:,.0f}", visit.say("万元", "10k CNY"), visit.say(f"内部收益率 {rate}", f"internal rate {rate}"))  # fmt: skip
    checked = found.answer.check
    if checked is not None and checked.passed:
        ui.label(visit.say("独立检查通过: 能量平衡、账单与核算一致。", "The independent check passed: balances, bill and accounts agree.")).classes("text-positive")  # fmt: skip
    _sizes(visit, found)
    _before_after(visit, found)
    _front(visit, found)
    _weeks(visit, found)


def _sizes(visit: Visit, found: run.SizingResult) -> None:
    assert found.after is not None  # noqa: S101  # narrowing
    heading(visit.say("推荐结构", "Recommended structure"))
    columns = [
        ("title", visit.say("设备", "Asset")), ("size", visit.say("规模", "Size")), ("unit", visit.say("单位", "Unit")),
        ("capex", visit.say("投资 万元", "Capex 10k CNY")), ("annuity", visit.say("年金 万元", "Annuity 10k CNY")), ("limit", visit.say("到上限", "At its limit")),
    ]  # fmt: skip
    rows = [
        {"id": one.asset, "title": visit.read(one.title), "size": f"{one.size:,.0f}", "unit": one.unit, "capex": f"{one.capex_cny / WAN:,.1f}", "annuity": f"{one.annuity_cny / WAN:,.1f}",
         "limit": visit.say("是", "yes") if one.at_limit else "—"}
        for one in found.after.plan.sizes if one.is_built
    ]  # fmt: skip
    table(columns, rows, ("size", "capex", "annuity"))


def _before_after(visit: Visit, found: run.SizingResult) -> None:
    before, after = found.before, found.after
    assert after is not None  # noqa: S101  # narrowing
    heading(visit.say("现状与方案", "Today and with it"))
    heads = [("item", ""), ("before", visit.say("现状", "Today")), ("after", visit.say("方案", "With it")), ("change", visit.say("变化", "Change"))]  # fmt: skip
    money = (
        (Text("电网电费(净) 万元", "grid electricity, net, 10k CNY"), before.energy_cny, after.energy_cny), (Text("燃气、热力、直连与合同 万元", "gas, heat, direct line, contracts, 10k CNY"), before.fuels_and_others_cny, after.fuels_and_others_cny),
        (Text("新设备运维 万元", "upkeep of what is new, 10k CNY"), before.upkeep_cny, after.upkeep_cny), (Text("投资年金 万元", "annuity, 10k CNY"), before.annuity_cny, after.annuity_cny),
        (Text("合计 万元", "total, 10k CNY"), before.total_cny, after.total_cny),
    )  # fmt: skip
    rows = [
        {"id": n, "item": visit.read(title), "before": f"{old / WAN:,.1f}", "after": f"{new / WAN:,.1f}", "change": f"{(new - old) / WAN:+,.1f}"}
        for n, (title, old, new) in enumerate(money)
    ]  # fmt: skip
    for name in before.claims:
        if name in after.claims:
            old, new = before.tonnes(name), after.tonnes(name)
            rows.append({"id": len(rows), "item": f"{visit.read(before.claims[name].title)} tCO2e", "before": f"{old:,.1f}", "after": f"{new:,.1f}", "change": f"{new - old:+,.1f}"})  # fmt: skip
    table(heads, rows, ("before", "after", "change"))


def _front(visit: Visit, found: run.SizingResult) -> None:
    if not found.front:
        return
    heading(visit.say("费用与排放的前沿", "Front of cost and emissions"))
    with ui.card().classes("w-full"):
        units = (visit.say("年排放 tCO2e", "tCO2e a year"), visit.say("年费用 万元", "cost a year, 10k CNY"))
        points = [(round(one.emissions_t), round(one.cost_cny / WAN)) for one in found.front]
        today = (visit.say("现状", "today"), round(found.before.tonnes(found.goals.regime)), round(found.before.total_cny / WAN))  # fmt: skip
        charts.trade(points, units, today)
    heads = [
        ("t", "tCO2e"),
        ("cost", visit.say("年费用 万元", "Cost, 10k CNY")),
        ("price", visit.say("最后一吨 元/t", "Last tonne, CNY/t")),
    ]
    table(heads, [{"id": n, "t": f"{one.emissions_t:,.0f}", "cost": f"{one.cost_cny / WAN:,.0f}", "price": f"{one.shadow_cny_per_t:,.0f}"} for n, one in enumerate(found.front)], ("t", "cost", "price"))  # fmt: skip


def _weeks(visit: Visit, found: run.SizingResult) -> None:
    assert found.after is not None  # noqa: S101  # narrowing
    plan = found.after.plan
    days = weeks.mondays(plan)
    if not days:
        return
    heading(visit.say("逐时运行: 任选一周", "Hour by hour: any week"))
    with ui.row().classes("items-center gap-3 zf-noprint"):
        names = {one.isoformat(): f"{one:%m-%d}" for one in days}
        first = ui.select(names, value=days[len(days) // 2].isoformat(), label=visit.say("一周的首日", "First day")).props(FIELD).classes("w-40")  # fmt: skip
        kinds = {name: visit.read(title) for name, title in weeks.carriers(plan).items()}
        carrier = ui.select(kinds, value=next(iter(kinds)), label=visit.say("能源", "Carrier")).props(FIELD).classes("w-48")  # fmt: skip
    place = ui.column().classes("w-full")

    def draw() -> None:
        place.clear()
        with place, ui.card().classes("w-full"):
            _week(visit, weeks.week(plan, date.fromisoformat(str(first.value)), str(carrier.value)))

    first.on_value_change(draw)
    carrier.on_value_change(draw)
    draw()


def _week(visit: Visit, one: weeks.Week) -> None:
    hours = [f"{start:%m-%d %H:%M}" for start in one.starts]
    above: dict[str, list[float]] = {}
    for title, flow in one.flows:
        name = visit.read(title)
        for sign, label in ((1, name), (-1, visit.say(f"{name}(用)", f"{name} (takes)"))):
            part = [max(sign * value, 0.0) * sign for value in flow]
            if any(part):
                above[label] = part
    ui.label(f"{visit.read(one.carrier)} · {one.first.isoformat()}").classes("font-semibold")
    charts.areas(hours, above, (visit.say("负荷", "load"), one.load), one.unit).classes(remove="h-72", add="h-96")
