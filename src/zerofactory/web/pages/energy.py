"""Energy: the bill of a month, what each asset should do in the hours ahead, and what to build."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.periods import Period, zone
from zerofactory.runs import energy_bill, energy_dispatch, energy_size
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, figure, problems, table
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit

FEN_PER_WAN = 1_000_000.0
WAN = 10_000.0


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/energy")
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    _bill(visit, Period.parse(period))
    _dispatch(visit)
    _sizing(visit)


def _bill(visit: Visit, period: Period) -> None:
    ui.label(visit.say("账单(由读数重算)", "Bill (reproduced from readings)")).classes("text-lg font-semibold")
    try:
        found: dict[str, Any] = visit.kept(
            f"bill {period.label}", lambda context: energy_bill.read(context, period).as_json()
        )
    except (FaultyData, NotFound) as fault:
        problems(visit, fault.problems if isinstance(fault, FaultyData) else [fault.as_problem()])
        return
    with ui.row().classes("w-full gap-4"):
        figure(
            visit,
            Text("合计", "Total"),
            f"{found['total_fen'] / FEN_PER_WAN:,.2f}",
            visit.say("万元", "10k CNY"),
            str(found["tariff"]),
        )
    months = found["bills"]
    titles = dict.fromkeys(visit.told(line["title"]) for month in months for line in month["lines"])
    parts = {
        title: [
            round(sum(x["amount_fen"] for x in month["lines"] if visit.told(x["title"]) == title) / FEN_PER_WAN, 2)
            for month in months
        ]
        for title in titles
    }
    with ui.card().classes("w-full"):
        charts.bars([month["month"] for month in months], parts, visit.say("万元", "10k CNY"), stacked=True)


def _dispatch(visit: Visit) -> None:
    ui.label(visit.say("调度(今后 24 小时)", "Dispatch (24 hours ahead)")).classes("text-lg font-semibold pt-4")
    place = ui.column().classes("w-full")

    async def draw() -> None:
        with place:
            ui.spinner()
        try:
            found = await background.io_bound(
                lambda: visit.kept(
                    "dispatch", lambda c: energy_dispatch.run(c, energy_dispatch.Asked(horizon_hours=24))
                )
            )
        except FaultyData as fault:
            place.clear()
            with place:
                problems(visit, fault.problems)
            return
        if found is not None:
            place.clear()
            with place:
                _lines(visit, found)

    ui.timer(0.2, draw, once=True)


def _lines(visit: Visit, found: energy_dispatch.Dispatch) -> None:
    clock = zone(visit.context.workspace.plant.time_zone)
    hours = [f"{line.started_at.astimezone(clock):%H:%M}" for line in found.lines]
    power: dict[str, list[float | None]] = {visit.say("负荷", "load"): [round(line.load_kw) for line in found.lines]}
    for name in found.lines[0].power_kw:
        values: list[float | None] = [round(line.power_kw[name]) for line in found.lines]
        if any(values):
            power[visit.read(found.titles[name])] = values
    with ui.card().classes("w-full"):
        charts.lines(hours, power, "kW")
    ui.label(
        visit.say(
            f"这段时间 {found.cost_cny:,.0f} 元, {found.emissions_t:,.1f} t; 独立检查通过。",
            f"These hours {found.cost_cny:,.0f} CNY, {found.emissions_t:,.1f} t; the independent check passed.",
        )
    )
    for note in found.notes:
        ui.label(visit.read(note)).classes("text-sm opacity-70")


def _sizing(visit: Visit) -> None:
    ui.label(visit.say("推荐结构", "Recommended structure")).classes("text-lg font-semibold pt-4")
    result = ui.column().classes("w-full")

    async def solve() -> None:
        button.props("loading")
        found = await act(
            visit, "read", "energy size", lambda context: energy_size.run(context, energy_size.Asked()), result
        )
        button.props(remove="loading")
        if found is not None and found.after is not None:
            with result:
                _sizes(visit, found)

    button = ui.button(
        visit.say("求解(一年 8760 小时, 约一分钟)", "Solve (a year of 8760 hours, about a minute)"),
        icon="calculate",
        on_click=solve,
    ).classes("zf-noprint")
    result.move(target_index=-1)


def _sizes(visit: Visit, found: energy_size.SizingResult) -> None:
    assert found.after is not None  # noqa: S101  # narrowing
    columns = [
        ("title", visit.say("设备", "Asset")),
        ("size", visit.say("规模", "Size")),
        ("unit", visit.say("单位", "Unit")),
        ("capex", visit.say("投资 万元", "Capex 10k CNY")),
    ]
    rows = [
        {
            "id": one.asset,
            "title": visit.read(one.title),
            "size": f"{one.size:,.0f}",
            "unit": one.unit,
            "capex": f"{one.capex_cny / WAN:,.1f}",
        }
        for one in found.after.plan.sizes
        if one.size > 0.5
    ]
    table(columns, rows, ("size", "capex"))
    saved = (found.before.total_cny - found.after.total_cny) / WAN
    ui.label(
        visit.say(
            f"年费用少 {saved:,.0f} 万元; 基于位置 {found.before.tonnes('location'):,.0f} → {found.after.tonnes('location'):,.0f} t。",
            f"{saved:,.0f} x 10k CNY less a year; location-based {found.before.tonnes('location'):,.0f} → {found.after.tonnes('location'):,.0f} t.",
        )
    ).classes("text-positive")


PAGE = Page(
    "energy",
    "/energy",
    Text("能源: 账单、调度、结构", "Energy: bill, dispatch, structure"),
    "electric_meter",
    "optimise",
    10,
    "read",
    build,
)
