"""Instruments: what is held, reserved, retired; and whether a period may be declared neutral, with every reason why not."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import declare
from zerofactory.runs import instrument_view as view
from zerofactory.web.frame import Page, empty, figure, problems, table
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit, tonnes

STANDARDS = ("iso_14068_1_2023", "pas_2060_2014", "auto_zero_carbon_factory")


def build(visit: Visit) -> None:
    """Draw the page."""
    rows = view.batches(visit.context)
    if rows:
        columns = [("batch", visit.say("批次", "Batch")), ("kind", visit.say("种类", "Kind")), ("serials", visit.say("编号", "Serials")), ("amount", visit.say("数量", "Amount")), ("unit", visit.say("单位", "Unit")),
                   ("vintage", visit.say("年份", "Vintage")), ("expires_on", visit.say("有效期止", "Valid until"))]  # fmt: skip
        shown = [
            {"id": n, **{name: f"{row[name]:,}" if name == "amount" else str(row[name] or "") for name, _ in columns}}
            for n, row in enumerate(rows)
        ]
        table(columns, shown, ("amount",), per_page=20)
    else:
        empty(
            visit,
            Text("还没有绿证、碳信用或配额。", "No certificates, credits or allowances yet."),
            Text(
                "用 zf instruments import 导入登记机构的导出表", "Import a registry's export with zf instruments import"
            ),
        )
    ui.label(visit.say("碳中和声明", "Neutrality declaration")).classes("text-lg font-semibold pt-4")
    period = choose(visit, "/instruments")
    if period is None:
        return
    for standard in STANDARDS:
        _standing(visit, period, standard)


def _standing(visit: Visit, period: str, standard: str) -> None:
    asked = Period.parse(period)
    found = visit.kept(f"standing {period} {standard}", lambda context: declare.standing(context, asked, standard))
    with ui.expansion(visit.read(found.standard.title)).classes("w-full"):
        balance = found.balance
        if balance is not None:
            with ui.row().classes("w-full gap-4"):
                figure(visit, Text("总量", "Gross"), tonnes(balance.gross_gco2e), "tCO2e")
                figure(visit, Text("剩余", "Residual"), tonnes(balance.residual_gco2e), "tCO2e")
                figure(visit, Text("未覆盖", "Uncovered"), tonnes(balance.uncovered_gco2e), "tCO2e")
        if found.problems:
            problems(visit, found.problems)
        else:
            ui.label(visit.say("可以声明: zf declare", "May be declared: zf declare")).classes("text-positive")


PAGE = Page(
    "instruments",
    "/instruments",
    Text("绿证与抵消", "Instruments and offset"),
    "workspace_premium",
    "plan",
    20,
    "read",
    build,
)
