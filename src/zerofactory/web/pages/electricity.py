"""Electricity: the same kilowatt-hours under every claim regime, and why they differ."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import electricity as run
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.period import choose
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

WH_PER_MWH = 1_000_000


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/electricity")
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    asked = Period.parse(period)
    found = visit.kept(f"electricity {period}", lambda context: run.compare(context, asked))
    names = {regime.id: visit.read(regime.title) for regime, _ in found.results}
    values = {regime.id: result.emissions_gco2e for regime, result in found.results}
    with ui.card().classes("w-full"):
        charts.bars(
            [names[name] for name in values],
            {"tCO2e": [round(v / GRAMS_PER_TONNE, 1) for v in values.values()]},
            "tCO2e",
        )
    columns = [
        ("regime", visit.say("口径", "Regime")),
        ("tonnes", "tCO2e"),
        ("why", visit.say("为何与基于位置不同", "Why it differs from location-based")),
    ]
    why = found.why()
    rows = [
        {"id": name, "regime": names[name], "tonnes": tonnes(grams, 3), "why": "; ".join(visit.read(cause.text) for cause in why.get(name, ()))}
        for name, grams in values.items()
    ]  # fmt: skip
    table(columns, rows, ("tonnes",))
    if found.problems:
        problems(visit, found.problems)


PAGE = Page("electricity", "/electricity", Text("电力口径", "Electricity"), "bolt", "account", 40, "read", build)
