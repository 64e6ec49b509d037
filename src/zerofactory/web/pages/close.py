"""Closing: the months, which are sealed, and what still hinders the next one."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import close as run
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.visit import Visit, tonnes


def build(visit: Visit) -> None:
    """Draw the page."""
    workspace = visit.context.workspace
    seals = {row["period"]: row for row in workspace.seals().to_dicts()}
    opened = sorted({segment.period for segment in workspace.open_segments()} - set(seals))
    result = ui.column().classes("w-full")
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


def _form(visit: Visit, opened: list[str], sealed: list[str], result: ui.column) -> None:
    with ui.row().classes("items-center gap-3 zf-noprint"):
        month = (
            ui.select(
                [*opened, *reversed(sealed)], value=opened[0] if opened else None, label=visit.say("月份", "Month")
            )
            .props("dense outlined")
            .classes("w-40")
        )
        reason = (
            ui.input(visit.say("修订原因(已封存的月份)", "Reason (of a revision)"))
            .props("dense outlined")
            .classes("w-72")
        )

        async def close() -> None:
            if not month.value:
                return
            revise = month.value in sealed
            asked, why = Period.parse(month.value), reason.value or ""
            done = await act(
                visit, "manage", "close", lambda context: run.run(context, asked, None, revise, why), result
            )
            if done is not None:
                with result:
                    for one in done:
                        ui.label(
                            visit.say(
                                f"{one.period} 已封存: {tonnes(one.total_gco2e)} tCO2e",
                                f"{one.period} closed: {tonnes(one.total_gco2e)} tCO2e",
                            )
                        ).classes("text-positive text-lg")
                    warnings = list(dict.fromkeys(w for one in done for w in one.warnings))
                    if warnings:
                        problems(visit, warnings)

        ui.button(visit.say("封存", "Close"), icon="lock", on_click=close)


PAGE = Page("close", "/close", Text("封存", "Close"), "lock", "account", 60, "read", build)
