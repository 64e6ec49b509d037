"""Energy: the bill of a month, what each asset should do in the hours ahead, and what to build."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.periods import Period
from zerofactory.runs import energy_bill
from zerofactory.web import charts, energy_now, energy_structure
from zerofactory.web.frame import Page, empty, figure, problems
from zerofactory.web.parts import choose_part
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit

FEN_PER_WAN = 1_000_000.0


PARTS = {
    "bill": Text("账单", "Bill"), "structure": Text("结构", "Structure"), "dispatch": Text("调度", "Dispatch"), "backtest": Text("回测", "Back-test"),
    "commands": Text("指令与接管", "Commands and overrides"),
}  # fmt: skip


def build(visit: Visit) -> None:
    """Draw the page."""
    part = choose_part(visit, "/energy", PARTS)
    {"bill": _bills, "structure": energy_structure.build, "dispatch": energy_now.dispatch, "backtest": energy_now.backtest, "commands": energy_now.commands}[part](visit)  # fmt: skip


def _bills(visit: Visit) -> None:
    period = choose(visit, "/energy", part="bill")
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    _bill(visit, Period.parse(period))


def _bill(visit: Visit, period: Period) -> None:
    ui.label(
        visit.say(
            "由读数和电价重算, 与电费单逐项核对。", "Reproduced from readings and tariff, to be set beside the bill."
        )
    ).classes("opacity-70")
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


PAGE = Page(
    "energy",
    "/energy",
    Text("能源", "Energy"),
    "electric_meter",
    "optimise",
    10,
    "read",
    build,
)
