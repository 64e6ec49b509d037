"""Readings and quality: one meter by week or month, how each interval was got, gaps and spikes, and whether the tree closes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period, zone
from zerofactory.runs import meter_view as run
from zerofactory.runs.context import Context
from zerofactory.runs.profile import months_of
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.visit import Visit

WEEK = 7
SPANS = {"month": Text("整月(按日)", "month by day"), "hours": Text("整月(按小时)", "month by hour"), "week": Text("一周", "a week"), "day": Text("一天", "a day")}  # fmt: skip
DAYS = {"month": 0, "hours": 31, "week": WEEK, "day": 1}


def build(visit: Visit) -> None:
    """Draw the page."""
    meters = visit.context.workspace.plant.meters
    months = visit.kept("months with readings", months_of)
    if not meters:
        empty(
            visit,
            Text("还没有表计。", "There are no meters yet."),
            Text("添加表计", "Add meters"),
            "/plant?part=meters",
        )
        return
    if not months:
        empty(visit, Text("还没有读数。", "There are no readings yet."), Text("导入读数", "Import readings"), "/import")
        return
    meter = visit.asked.get("meter", "")
    meter = meter if meter in {one.id for one in meters} else meters[0].id
    month = visit.asked.get("period", "")
    month = month if month in months else visit.kept("newest month read", _newest)
    span = visit.asked.get("span", "month")
    span = span if span in SPANS else "month"
    first = _first(visit.asked.get("first", ""), Period.parse(month))
    _choices(visit, {"meter": meter, "period": month, "span": span}, months)
    found = visit.kept(
        f"meter {meter} {month} {span} {first}",
        lambda context: run.run(context, meter, Period.parse(month), first, DAYS[span]),
    )
    _figures(visit, found)
    _chart(visit, found)
    if span in ("week", "day"):
        _steps(visit, {"meter": meter, "period": month, "span": span}, first)
    _closures(visit, found)
    _noticed(visit, found)


def _newest(context: Context) -> str:
    """Return the newest month with more than the reading that ended the month before."""
    workspace = context.workspace
    months, closed = months_of(context), set(workspace.seals()["period"])
    for month in reversed(months):
        rows = sum(segment.rows for segment in workspace.open_segments() if segment.period == month)
        if month in closed or rows > len(workspace.plant.meters):
            return month
    return months[-1]


def _first(text: str, period: Period) -> date:
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return period.first_day
    return min(max(asked, period.first_day), period.next_first_day - timedelta(days=1))


def _choices(visit: Visit, now: dict[str, str], months: list[str]) -> None:
    named = {one.id: f"{one.id} {visit.read(one.name)}" for one in visit.context.workspace.plant.meters}
    options = {
        "meter": (visit.say("表计", "Meter"), named, "min-w-64 grow max-w-lg"),
        "period": (visit.say("月份", "Month"), {month: month for month in reversed(months)}, "w-32"),
        "span": (visit.say("时段", "Span"), {name: visit.read(title) for name, title in SPANS.items()}, "w-44"),
    }
    with ui.row().classes("w-full items-center gap-3 zf-noprint"):
        for name, (label, choices, size) in options.items():
            drawn = ui.select(choices, value=now[name], label=label, with_input=name == "meter")
            drawn.props("dense outlined options-dense").classes(size)

            def go(event: object, name: str = name) -> None:
                value = getattr(event, "value", None)
                if value:
                    ui.navigate.to("/readings?" + urlencode({**now, name: value}))

            drawn.on_value_change(go)


def _figures(visit: Visit, found: run.MeterView) -> None:
    state = (
        visit.say("已封存", "closed") if found.is_closed else visit.say("未封存, 未补数", "open, nothing filled yet")
    )
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("当月合计", "Total of the month"), f"{found.total:,.1f}", found.unit, state)
        figure(visit, Text("估算占比", "Share estimated"), f"{100 * found.estimated_fraction:.2f}", "%")
        figure(visit, Text("缺数时段", "Intervals missing"), f"{found.slots['missing']:,}", "")
        figure(visit, Text("存疑时段", "Intervals suspect"), f"{found.slots['suspect']:,}", "")


def _chart(visit: Visit, found: run.MeterView) -> None:
    form = {"day": "%m-%d", "hour": "%m-%d %H:00", "interval": "%m-%d %H:%M"}[found.by]
    names = {name: visit.read(title) for name, title in run.STATES.values()}
    series = {names[name]: values for name, values in found.amounts.items()}
    per = {"day": visit.say("每天", "a day"), "hour": visit.say("每小时", "an hour"), "interval": visit.say("每时段", "an interval")}  # fmt: skip
    with ui.card().classes("w-full"):
        if not series:
            ui.label(visit.say("这段时间没有读数。", "No readings in this stretch.")).classes("opacity-70")
            return
        drawn = {name: [value or 0.0 for value in values] for name, values in series.items()}
        labels = [f"{moment:{form}}" for moment in found.starts]
        title = f"{visit.read(found.name)}, {per[found.by]}"
        charts.bars(labels, drawn, found.unit, stacked=True, title=title)


def _steps(visit: Visit, now: dict[str, str], first: date) -> None:
    days = DAYS[now["span"]]
    with ui.row().classes("gap-2 items-center zf-noprint"):
        for move, icon, zh, en in (
            (-days, "chevron_left", "往前", "earlier"),
            (days, "chevron_right", "往后", "later"),
        ):
            target = "/readings?" + urlencode({**now, "first": (first + timedelta(days=move)).isoformat()})
            button = ui.button(visit.say(zh, en), icon=icon).props("flat dense")
            button.on_click(lambda target=target: ui.navigate.to(target))
        ui.label(f"{first} …").classes("opacity-70")


def _closures(visit: Visit, found: run.MeterView) -> None:
    if not found.closures:
        return
    ui.label(visit.say("表计树闭合", "Closure of the tree")).classes("text-lg font-semibold").props(
        "role=heading aria-level=2"
    )
    columns = [("parent", visit.say("总表", "Parent")), ("whole", visit.say("总表读数", "Parent reads")), ("parts", visit.say("分表合计", "Children add up to")),
               ("error", visit.say("差", "Difference")), ("within", visit.say("合格", "Within bounds"))]  # fmt: skip
    rows = [
        {"id": one.parent, "parent": one.parent, "whole": f"{one.parent_amount:,.1f}", "parts": f"{one.children_amount:,.1f}",
         "error": "—" if one.error_fraction is None else f"{100 * one.error_fraction:.2f} %", "within": "—" if one.error_fraction is None else "✓" if one.within else "✗"}
        for one in found.closures
    ]  # fmt: skip
    table(columns, rows, ("whole", "parts", "error"))


def _noticed(visit: Visit, found: run.MeterView) -> None:
    ui.label(visit.say("注意到的", "What was noticed")).classes("text-lg font-semibold").props(
        "role=heading aria-level=2"
    )
    if not found.noticed:
        ui.label(visit.say("没有缺数、突变或不变。", "No gaps, spikes or flat lines.")).classes("text-positive")
        return
    clock = zone(visit.context.workspace.plant.time_zone)
    columns = [("kind", visit.say("种类", "Kind")), ("at", visit.say("首次", "First at")), ("count", visit.say("时段", "Intervals")),
               ("amount", found.unit), ("method", visit.say("补数方法", "Filled by"))]  # fmt: skip
    rows = [
        {"id": n, "kind": visit.read(one.title), "at": _local(one.started_at, clock), "count": f"{one.count:,}",
         "amount": "" if one.amount is None else f"{one.amount:,.3f}", "method": "" if one.method is None else visit.read(one.method)}
        for n, one in enumerate(found.noticed)
    ]  # fmt: skip
    table(columns, rows, ("count", "amount"), per_page=15 if len(rows) > 15 else 0)


def _local(moment: datetime | None, clock: object) -> str:
    return "" if moment is None else f"{moment.astimezone(clock):%Y-%m-%d %H:%M}"  # type: ignore[arg-type]


PAGE = Page(
    "readings", "/readings", Text("读数与质量", "Readings and quality"), "query_stats", "account", 12, "read", build
)
