"""Uncertainty: how well the total is known, what it comes from, and which better meter pays."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import uncertainty as run
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit, tonnes

STANDARD = "iso_14064_1_2018"
SHOWN = 12
KINDS = {
    "meter": Text("表计", "meter"),
    "document": Text("凭证", "documents"),
    "pedigree": Text("数据质量", "data quality"),
    "factor": Text("因子", "factor"),
}


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/uncertainty")
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    asked = Period.parse(period)
    found = visit.kept(f"uncertainty {period}", lambda context: run.read(context, asked, STANDARD))
    _totals(visit, found)
    _drivers(visit, found)
    _better(visit, found)


def _totals(visit: Visit, found: run.Uncertainty) -> None:
    total, known, drawn = found.inventory.total_gco2e, found.assessment, found.assessment.simulation
    with ui.row().classes("w-full gap-4"):
        span = f"{tonnes(drawn.total.low_g)} … {tonnes(drawn.total.high_g)} (95 %)"
        figure(visit, Text("范围一+二", "Scopes 1+2"), tonnes(total), "tCO2e", span)
        half = f"±{100 * known.half_width_fraction:.2f}"
        figure(visit, Text("误差传播", "Propagation"), half, "%", visit.read(found.rank))
        runs = visit.say(f"{drawn.draws:,} 次", f"{drawn.draws:,} draws")
        figure(visit, Text("蒙特卡洛", "Monte Carlo"), f"±{100 * known.simulated_fraction:.2f}", "%", runs)


def _drivers(visit: Visit, found: run.Uncertainty) -> None:
    ui.label(visit.say("方差来自", "The variance comes from")).classes("text-lg font-semibold")
    columns = [
        ("kind", visit.say("类", "Kind")),
        ("title", visit.say("名称", "Title")),
        ("width", "±%"),
        ("share", visit.say("方差占比 %", "Share of variance %")),
    ]
    rows = [
        {
            "id": number,
            "kind": visit.read(KINDS[one.kind]),
            "title": visit.read(one.title),
            "width": f"{100 * one.half_width_fraction:.1f}",
            "share": f"{100 * one.variance_share:.2f}",
        }
        for number, one in enumerate(found.drivers[:SHOWN])
    ]
    table(columns, rows, ("width", "share"))


def _better(visit: Visit, found: run.Uncertainty) -> None:
    better = [one for one in found.better_meters if one.gain_fraction > 0.0][:SHOWN]
    if not better:
        return
    ui.label(visit.say("哪块更好的表值得换", "Which better meter pays")).classes("text-lg font-semibold")
    heads = [
        ("title", visit.say("名称", "Title")),
        ("action", visit.say("措施", "Action")),
        ("now", visit.say("现 ±%", "Now ±%")),
        ("then", visit.say("改后 ±%", "Then ±%")),
    ]
    rows = [
        {
            "id": number,
            "title": visit.read(one.title),
            "action": visit.read(one.action),
            "now": f"{100 * one.half_width_fraction:.1f}",
            "then": f"{100 * one.better_fraction:.1f}",
        }
        for number, one in enumerate(better)
    ]
    table(heads, rows, ("now", "then"))


PAGE = Page("uncertainty", "/uncertainty", Text("不确定度", "Uncertainty"), "query_stats", "account", 35, "read", build)
