"""Overview: today, the newest closed period, the budget's burn-down, every claim regime, alarms, and what to do next."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.accounting.inventory import Inventory
from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.periods import Period
from zerofactory.runs import alarms, budget, electricity
from zerofactory.runs import inventory as run
from zerofactory.runs.context import Context
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure
from zerofactory.web.pages.budget import KINDS, PER, burn_down
from zerofactory.web.pages.live import look
from zerofactory.web.period import choose
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

STANDARD = "iso_14064_1_2018"
KWH_PER_MWH = 1000.0


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/")
    if period is None:
        empty(
            visit,
            Text("还没有封存的月份。", "No month is closed yet."),
            Text("导入读数和凭证", "Import readings and documents"),
            "/import",
        )
        return
    asked = Period.parse(period)
    whole = visit.kept(f"shops {period}", lambda context: run.read(context, asked, STANDARD, None, "shop"))
    _figures(visit, period, whole)
    _today(visit)
    with ui.row().classes("w-full gap-4 items-stretch"):
        with ui.card().classes("grow basis-96 min-w-0"):
            ui.label(visit.say(f"各车间排放 {period}", f"Emissions by shop, {period}")).classes("font-semibold")
            parts = {visit.read(x.title): round(x.emissions_gco2e / GRAMS_PER_TONNE, 1) for x in whole.lines}
            charts.shares(parts, "tCO2e")
        if asked.month is None:
            with ui.card().classes("grow basis-96 min-w-0"):
                ui.label(visit.say("各月排放(范围一、二)", "Emissions by month (scopes 1 and 2)")).classes(
                    "font-semibold"
                )
                months = visit.kept(f"months {period}", lambda context: run.read(context, asked, STANDARD, None, "month"))  # fmt: skip
                values = [round(x.emissions_gco2e / GRAMS_PER_TONNE, 1) for x in months.lines]
                charts.bars([x.key for x in months.lines], {"tCO2e": values}, "tCO2e")
    with ui.row().classes("w-full gap-4 items-stretch"):
        _regimes(visit, asked)
        _budget(visit, asked.year)


def _figures(visit: Visit, period: str, whole: Inventory) -> None:
    both = whole.regimes_gco2e
    with ui.row().classes("w-full gap-4"):
        where = f"/inventory?period={period}"
        title = Text("范围一+二(基于位置)", "Scopes 1+2 (location-based)")
        figure(visit, title, tonnes(both["location"]), "tCO2e", target=where)
        if "market_annual" in both:
            market = f"{where}&regime=market_annual&standard=ghg_protocol_corporate"
            title = Text("范围一+二(基于市场)", "Scopes 1+2 (market-based)")
            figure(visit, title, tonnes(both["market_annual"]), "tCO2e", target=market)
        share = f"{100 * whole.estimated_fraction:.2f}"
        rest = visit.say("其余来自表计和凭证", "the rest is metered or invoiced")
        figure(visit, Text("估算数据占比", "Share estimated"), share, "%", rest)
        found = visit.kept("alarms by state", _alarm_states)
        figure(visit, Text("未关闭报警", "Alarms standing"), str(found["standing"]), "", visit.say(f"其中未确认 {found['open']}", f"{found['open']} not acknowledged"), "/alarms")  # fmt: skip
        head = visit.context.workspace.watched.last()
        if head is not None:
            note = visit.say(f"第 {head.seq} 号凭证", f"entry {head.seq}")
            figure(visit, Text("账本指纹", "Head of the book"), head.hash[:8], "", note, "/journal")


def _alarm_states(context: Context) -> dict[str, int]:
    found = alarms.alarms(context)
    return {"standing": sum(one.state != "closed" for one in found), "open": sum(one.state == "open" for one in found)}


def _today(visit: Visit) -> None:
    """Draw today's energy and carbon once they are read; the rest of the page does not wait for it."""
    place = ui.row().classes("w-full gap-4").props("aria-live=polite")

    async def draw() -> None:
        try:
            seen = await background.io_bound(lambda: visit.kept("today", lambda context: look(context, "shop")))
        except (FaultyData, NotFound):
            seen = None
        place.clear()
        if seen is not None and seen["rows"] and seen["totals"]["data_until"]:
            with place:
                _now(visit, seen)

    ui.timer(0.1, draw, once=True)


def _now(visit: Visit, seen: dict[str, Any]) -> None:
    rows = [row for row in seen["rows"].values() if row["level"] == "shop"]
    power = [row for row in rows if row["carrier"] == "electricity"]
    day = str(seen["totals"]["data_until"] or "")[:10]
    until = visit.say(f"读数到 {day}", f"readings until {day}")
    figure(visit, Text("今日排放", "Emissions today"), tonnes(sum(row["today_gco2e"] or 0 for row in rows)), "tCO2e", until, "/live")  # fmt: skip
    figure(visit, Text("今日用电", "Electricity today"), f"{sum(row['amount_today'] or 0.0 for row in power) / KWH_PER_MWH:,.1f}", "MWh", until)  # fmt: skip
    figure(visit, Text("今日能源费用", "Cost of energy today"), f"{sum(row['today_cny'] or 0.0 for row in rows) / 10_000:,.1f}", visit.say("万元", "10k CNY"), until)  # fmt: skip
    state = visit.say("暂计", "provisional") if seen["totals"].get("provisional", True) else visit.say("已封存", "closed")  # fmt: skip
    figure(visit, Text("本月排放", "Emissions of the month"), tonnes(seen["totals"]["total_gco2e"]), "tCO2e", f"{seen['totals']['period']} · {state}")  # fmt: skip


def _regimes(visit: Visit, asked: Period) -> None:
    with ui.card().classes("grow basis-96 min-w-0"):
        ui.label(visit.say(f"外购电力, 各口径 {asked.label}", f"Electricity under each regime, {asked.label}")).classes("font-semibold")  # fmt: skip
        try:
            found = visit.kept(f"electricity {asked.label}", lambda context: electricity.compare(context, asked))
        except FaultyData as fault:
            ui.label(visit.read(fault.problems[0].message)).classes("opacity-70")
            return
        parts = {visit.read(regime.title): round(result.emissions_gco2e / GRAMS_PER_TONNE, 1) for regime, result in found.results}  # fmt: skip
        charts.ranked(parts, "tCO2e")
        ui.link(visit.say("并排对照", "Side by side"), f"/electricity?period={asked.label}").classes(
            "text-sm zf-noprint"
        )


def _budget(visit: Visit, year: int) -> None:
    with ui.card().classes("grow basis-96 min-w-0"):
        try:
            views = visit.kept(f"budgets {year}", lambda context: [one.as_json() for one in budget.show(context, year)])
        except NotFound:
            ui.label(visit.say(f"{year} 年还没有预算", f"No budget for {year} yet")).classes("font-semibold")
            ui.link(visit.say("设定预算", "Set a budget"), f"/budget?year={year}").classes("zf-noprint")
            return
        view: dict[str, Any] = dict(views[0])
        kind = str(view["kind"])
        per, unit = PER[kind]
        title = visit.read(KINDS[kind])
        ui.label(visit.say(f"{title}燃尽 {year}", f"{title}, burn-down {year}")).classes("font-semibold")
        burn_down(visit, view["lines"], per, unit)
        ui.link(visit.say("全部预算", "All budgets"), f"/budget?year={year}").classes("text-sm zf-noprint")


PAGE = Page("overview", "/", Text("总览", "Overview"), "dashboard", "account", 10, "read", build)
