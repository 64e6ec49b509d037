"""Alarms: what is wrong, what it costs, who looks after it; acknowledged, assigned and closed from here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.monitoring.rule import rules
from zerofactory.periods import Period, zone
from zerofactory.runs import alarms as run
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_alarms import AUDIT, DRIFT
from zerofactory.runs.profile import months_of
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit

DAYS = 7
WH_PER_MWH = 1_000_000
STATES = {
    "open": Text("未确认", "open"), "acknowledged": Text("已确认", "acknowledged"), "assigned": Text("已指派", "assigned"), "closed": Text("已关闭", "closed"),
}  # fmt: skip
COURSE = {"raised": Text("发现", "raised"), "extended": Text("延续", "still there"), **STATES}  # fmt: skip
LINKS = {
    DRIFT: ("/inspect?part=models", Text("看这台相机与模型", "See the camera and its model")),
    AUDIT: ("/inspect?part=audit", Text("看漏检与误判", "See escapes and false rejects")),
}  # fmt: skip
STEPS = {
    "acknowledge": Text("确认", "Acknowledge"), "assign": Text("指派", "Assign"), "close": Text("关闭(须写原因)", "Close (with a reason)"),
    "normal": Text("关闭: 属于常态", "Close: it is normal"),
}  # fmt: skip


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full").props("aria-live=polite")
    found = run.alarms(visit.context)
    state = visit.asked.get("state", "")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        if visit.may("record"):
            _scan(visit, result)
        if found:
            names = {"": visit.say("全部", "all"), **{name: visit.read(title) for name, title in STATES.items()}}
            shown = ui.select(names, value=state if state in names else "", label=visit.say("状态", "State")).props("dense outlined").classes("w-40")  # fmt: skip
            shown.on_value_change(lambda event: ui.navigate.to(f"/alarms?state={event.value}"))
    result.move(target_index=-1)
    if not found:
        then = Text("选好日子, 按规则检查读数", "Choose days and look at their readings by every rule")
        empty(visit, Text("没有报警。", "No alarms."), then)
        return
    _figures(visit, found)
    chosen = [one for one in found if state in ("", one.state)]
    _list(visit, chosen)
    if visit.may("record"):
        _steps(visit, [one for one in found if one.state != "closed"])
    _one(visit, found)


def _days(visit: Visit) -> tuple[date, date]:
    """Return the days that are looked at unless others are asked for: this week, or the last one that has readings."""
    context = visit.context
    if Period.containing(context.now, context.workspace.plant.time_zone).label in months_of(context):
        return run.newest_days(context, DAYS)
    sealed = max(context.workspace.seals()["period"].to_list(), default="")
    if not sealed:
        return run.newest_days(context, DAYS)
    end = Period.parse(sealed).next_first_day
    return end - timedelta(days=DAYS), end


def _scan(visit: Visit, result: ui.column) -> None:
    start, end = _days(visit)
    first_day = ui.input(visit.say("首日", "From"), value=start.isoformat()).props("dense outlined type=date stack-label").classes("w-44")  # fmt: skip
    last_day = ui.input(visit.say("末日", "To"), value=(end - timedelta(days=1)).isoformat()).props("dense outlined type=date stack-label").classes("w-44")  # fmt: skip

    async def scan() -> None:
        button.props("loading")
        first, last = date.fromisoformat(str(first_day.value)), date.fromisoformat(str(last_day.value)) + timedelta(days=1)  # fmt: skip
        done = await act(visit, "record", "scan alarms", lambda context: run.scan(context, run.Asked(first, last)), result)  # fmt: skip
        button.props(remove="loading")
        if done is None:
            return
        if done.raised or done.extended:
            ui.navigate.reload()
            return
        with result:
            ui.label(visit.say(f"{done.meters} 块表{f', {done.cameras} 台检测相机' if done.cameras else ''}, {done.days} 天, 没有新的异常。", f"{done.meters} meters{f', {done.cameras} cameras' if done.cameras else ''}, {done.days} days: nothing new.")).props("role=status")  # fmt: skip
            for note in done.notes:
                ui.label(visit.read(note)).classes("text-sm opacity-70")

    button = ui.button(visit.say("按规则检查这些天", "Look at these days"), icon="search", on_click=scan).props("id=zf-scan")  # fmt: skip


def _figures(visit: Visit, found: list[run.Alarm]) -> None:
    standing = [one for one in found if one.state != "closed"]
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("未处理", "Open"), str(sum(one.state == "open" for one in found)), "")
        figure(visit, Text("处理中", "In hand"), str(sum(one.state in ("acknowledged", "assigned") for one in found)), "")  # fmt: skip
        figure(visit, Text("已关闭", "Closed"), str(sum(one.state == "closed" for one in found)), "")
        figure(visit, Text("未关闭的多用电能", "Energy of those not closed"), f"{sum(one.row['energy_wh'] or 0 for one in standing) / WH_PER_MWH:,.1f}", "MWh")  # fmt: skip
        figure(visit, Text("未关闭的费用", "Cost of those not closed"), f"{sum(one.row['cost_cny'] or 0.0 for one in standing):,.0f}", visit.say("元", "CNY"))  # fmt: skip


def _list(visit: Visit, found: list[run.Alarm]) -> None:
    clock = zone(visit.context.workspace.plant.time_zone)
    columns = [
        ("alarm", visit.say("报警", "Alarm")), ("state", visit.say("状态", "State")), ("what", visit.say("说明", "What")), ("meter", visit.say("表计", "Meter")), ("shop", visit.say("车间", "Shop")),
        ("from", visit.say("起", "From")), ("to", visit.say("止", "To")), ("energy", "MWh"), ("cost", visit.say("元", "CNY")), ("carbon", "kgCO2e"), ("who", visit.say("负责", "Assigned to")),
    ]  # fmt: skip
    plant = visit.context.workspace.plant
    shops = {shop.id: visit.read(shop.name) for shop in plant.shops}
    meters = {meter.id: f"{visit.read(meter.name)} ({meter.id})" for meter in plant.meters}
    rows = []
    for one in found:
        row = one.row
        rows.append(
            {"id": one.alarm_id, "alarm": one.alarm_id, "state": visit.read(STATES[one.state]), "what": row["message_zh"] if visit.language == "zh" else row["message_en"], "meter": meters.get(row["meter"], row["meter"]), "link": LINKS.get(row["rule"], ("",))[0],
             "shop": shops.get(row["shop"], row["shop"] or "—"), "from": f"{row['started_at'].astimezone(clock):%Y-%m-%d %H:%M}", "to": f"{row['ended_at'].astimezone(clock):%Y-%m-%d %H:%M}",
             "energy": _number(row["energy_wh"], 1 / WH_PER_MWH, 2), "cost": _number(row["cost_cny"], 1.0, 0), "carbon": _number(row["emissions_gco2e"], 0.001, 0), "who": one.assignee or "—"}
        )  # fmt: skip
    made = table(columns, rows, ("energy", "cost", "carbon"), per_page=25)
    made.add_slot("body-cell-alarm", '<q-td :props="props"><a :href="`/alarms?alarm=${encodeURIComponent(props.value)}`">{{ props.value }}</a></q-td>')  # fmt: skip
    made.add_slot("body-cell-meter", '<q-td :props="props"><a v-if="props.row.link" :href="props.row.link">{{ props.value }}</a><span v-else>{{ props.value }}</span></q-td>')  # fmt: skip


def _number(value: float | None, per: float, digits: int) -> str:
    return "—" if value is None else f"{value * per:,.{digits}f}"


def _steps(visit: Visit, standing: list[run.Alarm]) -> None:
    if not standing:
        return
    heading(visit.say("处理一个报警", "See to an alarm"))
    result = ui.column().classes("w-full")
    asked = visit.asked.get("alarm", "")
    names = {one.alarm_id: f"{one.alarm_id} · {one.row['message_zh'] if visit.language == 'zh' else one.row['message_en']}"[:90] for one in standing}  # fmt: skip
    with ui.row().classes("items-center gap-3 zf-noprint"):
        chosen = ui.select(names, value=asked if asked in names else next(iter(names)), label=visit.say("报警", "Alarm")).props("dense outlined options-dense").classes("w-96")  # fmt: skip
        step = ui.select({name: visit.read(title) for name, title in STEPS.items()}, value="acknowledge", label=visit.say("做什么", "What")).props("dense outlined").classes("w-52")  # fmt: skip
        who = ui.input(visit.say("指派给", "Assign to")).props("dense outlined").classes("w-44")
        who.bind_visibility_from(step, "value", value="assign")
        text = ui.input(visit.say("说明或原因", "Note or reason")).props("dense outlined").classes("w-80")

        async def book() -> None:
            do = _doing(str(step.value), str(chosen.value), str(who.value or ""), str(text.value or ""))
            if await act(visit, "record", f"{step.value} alarm", do, result):
                ui.navigate.to(f"/alarms?alarm={chosen.value}")

        ui.button(visit.say("登记", "Book"), icon="check", on_click=book).props("id=zf-alarm")
    result.move(target_index=-1)


def _doing(step: str, alarm: str, who: str, text: str) -> Callable[[Context], run.Alarm]:
    doing: dict[str, Callable[[Context], run.Alarm]] = {
        "acknowledge": lambda context: run.acknowledge(context, alarm, text),
        "assign": lambda context: run.assign(context, alarm, who, text),
        "close": lambda context: run.close(context, alarm, text),
        "normal": lambda context: run.close(context, alarm, text, as_normal=True),
    }
    return doing[step]


def _one(visit: Visit, found: list[run.Alarm]) -> None:
    """Draw the course of the alarm that the address names, and the rule that raised it."""
    one = next((alarm for alarm in found if alarm.alarm_id == visit.asked.get("alarm", "")), None)
    if one is None:
        return
    heading(f"{one.alarm_id} · {visit.say('经过', 'Course')}")
    raised: Any = rules().get(one.row["rule"])
    if raised is not None:
        ui.label(f"{visit.say('规则', 'Rule')}: {visit.read(raised.title)}").classes("opacity-80")
    message = one.row["message_zh"] if visit.language == "zh" else one.row["message_en"]
    ui.label(message)
    if one.row["rule"] in LINKS:
        target, title = LINKS[one.row["rule"]]
        ui.link(visit.read(title), target).classes("zf-link").props("id=zf-inspection")
    columns = [("at", visit.say("时间", "At")), ("state", visit.say("状态", "State")), ("actor", visit.say("谁", "By")), ("who", visit.say("负责", "Assigned to")), ("text", visit.say("说明", "Note"))]  # fmt: skip
    rows = [
        {"id": n, "at": str(step["at"])[:16].replace("T", " "), "state": visit.read(COURSE.get(step["state"], Text(step["state"], step["state"]))), "actor": step["actor"], "who": step["assignee"] or "—", "text": step["text"] or "—"}
        for n, step in enumerate(one.steps)
    ]  # fmt: skip
    table(columns, rows)


PAGE = Page("alarms", "/alarms", Text("报警", "Alarms"), "notifications_active", "live", 30, "read", build)
