"""The cost part of the page of scenarios: each vehicle's cost by kind as bars, the differences with their intervals, and what is told beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from zerofactory.runs.twin_cost import KINDS, RUNNING
from zerofactory.runs.twin_cost_words import left_out, lines
from zerofactory.web import charts
from zerofactory.web.frame import table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit


def show(visit: Visit, found: Mapping[str, Any]) -> None:
    """Draw what scenarios cost; nothing of a comparison that was kept before there were costs."""
    scenarios = [one for one in found["scenarios"] if one.get("costs") and one["costs"]["kinds"]]
    if not scenarios:
        return
    heading(visit.say("费用", "Costs"))
    told = [one for one in scenarios if all(row["per_piece"] for row in one["costs"]["kinds"])]
    if told:
        with ui.row().classes("w-full gap-4 zf-costs"):
            _bars(visit, told)
            _differences(visit, told)
    for one in scenarios:
        with ui.expansion(visit.told(one["title"]), value=len(scenarios) == 1).classes("w-full").props("dense header-class=font-semibold"):  # fmt: skip
            _table(visit, one["costs"])
            out = left_out(one["costs"])
            for line in (*lines(one["costs"]), *([out] if out else [])):
                ui.label(visit.read(line)).classes("text-sm opacity-80")


def _bars(visit: Visit, scenarios: Sequence[Mapping[str, Any]]) -> None:
    """Draw the cost of a vehicle by kind, a bar for the plant as it is and for each scenario."""
    now = visit.say("现状", "As it is")
    bars = stacks({visit.told(one["title"]): one["costs"] for one in scenarios}, now)
    names, drawn = [name for name, _ in bars], [values for _, values in bars]
    series = {
        visit.read(title): [one.get(kind, 0.0) for one in drawn]
        for kind, title in KINDS.items()
        if any(kind in one for one in drawn)
    }
    with ui.card().classes("grow basis-96 min-w-0"):
        name = visit.say("每辆好车的费用", "Cost of a good vehicle")
        ui.label(name).classes("font-semibold")
        charts.stacked(names, series, "CNY", name)


def stacks(costs: Mapping[str, Mapping[str, Any]], now: str) -> list[tuple[str, Mapping[str, float]]]:
    """Return the bars: their names, and a vehicle's cost by kind.

    Where a scenario reckons the plant as it is in another way (its own wage, the load of the whole plant), each has such a bar.
    """
    by = [{row["kind"]: row["per_piece"] for row in one["kinds"]} for one in costs.values()]
    before = [{kind: round(each["before_cny"], 2) for kind, each in own.items() if kind in RUNNING} for own in by]
    after = [{kind: round(each["after_cny"], 2) for kind, each in own.items()} for own in by]
    scenarios = list(zip(costs, after, strict=True))
    if all(one == before[0] for one in before):
        return [(now, before[0]), *scenarios]
    plants = [(f"{now} · {title}", values) for title, values in zip(costs, before, strict=True)]
    return [one for pair in zip(plants, scenarios, strict=True) for one in pair]


def _differences(visit: Visit, scenarios: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for one in scenarios:
        total = one["costs"]["kinds"][-1]["per_piece"]["difference"]
        rows.append((visit.told(one["title"]), total["low"], total["mean"], total["high"]))
    with ui.card().classes("grow basis-96 min-w-0"):
        title = visit.say("每辆好车费用之差", "Difference of the cost of a good vehicle")
        ui.label(title).classes("font-semibold")
        charts.intervals(rows, "CNY", title)


def _table(visit: Visit, costs: Mapping[str, Any]) -> None:
    columns = [
        ("cost", visit.say("费用", "Cost")), ("each", visit.say("现状 每辆", "As it is, each")), ("difference", visit.say("差 每辆", "Difference, each")),
        ("range", visit.say("区间 每辆", "Interval, each")), ("total", visit.say("差 合计", "Difference, all")),
    ]  # fmt: skip
    rows: list[dict[str, object]] = []
    for row in costs["kinds"]:
        each, value = row["per_piece"], row["difference"]
        cells = {"each": "–", "difference": "–", "range": "–"}
        if each is not None:
            own = each["difference"]
            cells = {"each": f"{each['before_cny']:,.2f}", "difference": f"{own['mean']:+,.2f}", "range": f"{own['low']:+,.2f} … {own['high']:+,.2f}"}  # fmt: skip
        rows.append({"id": row["kind"], "cost": visit.told(row["title"]), **cells, "total": f"{value['mean']:+,.0f}"})
    table(columns, rows, ("each", "difference", "range", "total")).classes("zf-cost-table")
