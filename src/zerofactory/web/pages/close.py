"""Closing: the months, which are sealed, and what still hinders the next one."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from zerofactory.errors import Problem, Text
from zerofactory.runs import close as run
from zerofactory.runs.jobs import Job
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.period import MONTHS
from zerofactory.web.visit import Visit, tonnes
from zerofactory.web.work import begin, resume


def build(visit: Visit) -> None:
    """Draw the page."""
    workspace = visit.context.workspace
    seals = {row["period"]: row for row in workspace.seals().to_dicts()}
    opened = run.open_months(visit.context)
    result = ui.column().classes("w-full")
    waiting = sorted({segment.period for segment in workspace.open_segments()} - set(seals) - set(opened))
    if not seals and not opened and waiting:
        words = Text(
            f"{waiting[0]} 还没有结束, 月末之后才能封存。", f"{waiting[0]} is not over: it can be closed after its end."
        )
        empty(visit, words, Text("导入更早的月份", "Import an earlier month"), "/import")
        return
    if not seals and not opened:
        empty(
            visit,
            Text("账本里还没有数据。", "The book is empty."),
            Text("导入读数和凭证", "Import readings and documents"),
            "/import",
        )
        return
    columns = [("period", visit.say("月份", "Month")), ("state", visit.say("状态", "State")), ("revision", visit.say("版次", "Rev.")),
               ("activities", visit.say("活动", "Activities")), ("records", visit.say("记录", "Records")), ("tonnes", visit.say("范围一二 tCO2e", "Scope 1+2 tCO2e"))]  # fmt: skip
    rows = [
        {"id": p, "period": p, "state": visit.say("已封存", "closed"), "revision": s["revision"], "activities": f"{s['activities']:,}",
         "records": f"{s['records']:,}", "tonnes": tonnes(s["total_gco2e"])}
        for p, s in sorted(seals.items(), reverse=True)
    ]  # fmt: skip
    rows = [{"id": p, "period": p, "state": visit.say("未封存", "open")} for p in reversed(opened)] + rows
    table(columns, rows, ("revision", "activities", "records", "tonnes"))
    if visit.may("manage"):
        _form(visit, opened, sorted(seals), result)
        result.move(target_index=-1)


def _years(opened: list[str], sealed: list[str]) -> list[str]:
    """Return the years of which every month may be or is closed, and several may be: they are closed in one go.

    Examples
    --------
    >>> _years([f"2025-{month:02d}" for month in range(3, 13)], ["2025-01", "2025-02"]), _years(["2025-11", "2025-12"], [])
    (['2025'], [])
    """
    years = sorted({month[:4] for month in opened})
    whole = [year for year in years if sum(month.startswith(year) for month in (*opened, *sealed)) == MONTHS]
    return [year for year in whole if sum(month.startswith(year) for month in opened) > 1]


def _form(visit: Visit, opened: list[str], sealed: list[str], result: ui.column) -> None:
    with ui.row().classes("items-center gap-3 zf-noprint"):
        month = (
            ui.select(
                [*opened, *_years(opened, sealed), *reversed(sealed)],
                value=opened[0] if opened else None,
                label=visit.say("月份", "Month"),
            )
            .props("dense outlined")
            .classes("w-40")
        )
        reason = (
            ui.input(visit.say("修订原因(已封存的月份)", "Reason (of a revision)"))
            .props("dense outlined")
            .classes("w-72")
        )

        def told(job: Job) -> None:
            for one in job.result["months"]:
                ui.label(
                    visit.say(
                        f"{one['period']} 已封存: {tonnes(one['total_gco2e'])} tCO2e",
                        f"{one['period']} closed: {tonnes(one['total_gco2e'])} tCO2e",
                    )
                ).classes("text-positive text-lg")
            ui.button(visit.say("看清单", "See the inventory"), on_click=lambda: ui.navigate.to("/inventory")).props(
                "flat"
            )
            if job.result["problems"]:
                problems(visit, [Problem.from_json(one) for one in job.result["problems"]])

        def close() -> None:
            if not month.value:
                return
            asked: dict[str, Any] = {"period": month.value}
            if month.value in sealed:
                asked |= {"revise": True, "reason": reason.value or ""}
            begin(visit, "close", asked, result, told)

        resume(visit, "close", result, told)
        ui.button(visit.say("封存", "Close"), icon="lock", on_click=close).props("id=zf-close")


PAGE = Page("close", "/close", Text("封存", "Close"), "lock", "account", 60, "read", build)
