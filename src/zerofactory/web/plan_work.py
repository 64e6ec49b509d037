"""Parts of the plan page: targets in words, who does what, and the evidence of the management standards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.planning.mechanism import AREAS, STAGES, matrix
from zerofactory.runs import plan as plans
from zerofactory.runs.plan_edit import Duties, set_duties
from zerofactory.web.act import act
from zerofactory.web.frame import empty, figure, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit, tonnes

LETTERS = ("", "R", "A", "C", "I", "R/A", "R/C", "R/I")


def targets(visit: Visit, views: Sequence[plans.TargetView], chances: Sequence[dict[str, Any]]) -> None:
    """Draw every target: base, limit, ground, progress, chance; and the self-check against the frameworks."""
    sure = {(one["target"], one["year"]): one["probability"] for one in chances}
    columns = [
        ("title", visit.say("目标", "Target")), ("scope", visit.say("范围", "Scope")), ("base", visit.say("基准 tCO2e", "Base tCO2e")), ("year", visit.say("目标年", "Year")),
        ("limit", visit.say("限值 tCO2e", "Limit tCO2e")), ("cut", visit.say("减排 %", "Cut %")), ("chance", visit.say("达标概率 %", "Chance %")), ("progress", visit.say("进度", "Progress")), ("reason", visit.say("依据", "Ground")),
    ]  # fmt: skip
    rows = []
    for view in views:
        way, target = view.pathway, view.pathway.target
        chance = sure.get((target.id, target.target_year))
        done = "—" if view.progress_fraction is None else f"{view.latest_year}: {100 * view.progress_fraction:.0f} %"
        rows.append(
            {"id": target.id, "title": visit.read(target.title), "scope": target.scope, "base": tonnes(way.base_gco2e, 0), "year": target.target_year,
             "limit": tonnes(way.limits_gco2e[max(way.limits_gco2e)], 0), "cut": f"{100 * way.reduction_fraction:.1f}", "chance": "—" if chance is None else f"{100 * chance:.0f}",
             "progress": done, "reason": visit.read(way.reason)}
        )  # fmt: skip
    table(columns, rows, ("base", "limit", "cut", "chance"))
    heading(visit.say("与目标框架对照(自查)", "Against the frameworks (self-check)"))
    words = {True: visit.say("符合", "met"), False: visit.say("不符合", "not met"), None: visit.say("待定", "open")}
    heads = [("rule", visit.say("要求", "Asked")), ("met", visit.say("结果", "Result")), ("detail", visit.say("现状", "Found"))]  # fmt: skip
    found = plans.alignment(visit.context, views)
    table(heads, [{"id": n, "rule": visit.read(one.rule.title), "met": words[one.met], "detail": visit.read(one.detail)} for n, one in enumerate(found)])  # fmt: skip


def roles(visit: Visit, current: plans.SetPlan) -> None:
    """Draw the organisation and its RACI matrix; who manages may change both, with a reason."""
    mechanism = current.plan.mechanism
    if not mechanism.roles:
        hint = Text("在 plan.toml 的 [[mechanism.roles]] 中登记角色", "Name the roles under [[mechanism.roles]] in plan.toml")  # fmt: skip
        empty(visit, Text("计划里还没有碳管理组织。", "The plan names no organisation yet."), hint)
        return
    may = visit.may("manage")
    holders: dict[str, Any] = {}
    with ui.element("div").classes("w-full overflow-x-auto").props('tabindex=0 role=group aria-label="' + visit.say("碳管理组织", "Organisation") + '"'), ui.element("table").classes("zf-grid-table"):  # fmt: skip
        _head((visit.say("角色", "Role"), visit.say("负责人", "Holder"), visit.say("代理", "Deputy"), visit.say("范围", "Area"), visit.say("职责", "Duties")))  # fmt: skip
        with ui.element("tbody"):
            for role in mechanism.roles:
                with ui.element("tr"):
                    _cell(visit.read(role.title), "th")
                    with ui.element("td"):
                        if may:
                            label = f"{visit.read(role.title)}: {visit.say('负责人', 'holder')}"
                            holders[role.id] = ui.input(value=role.holder).props(f'dense outlined aria-label="{label}"').classes("w-40")  # fmt: skip
                        else:
                            ui.label(role.holder)
                    _cell(role.deputy or "—")
                    _cell(visit.read(AREAS[role.area]))
                    _cell(visit.read(role.duties))
    heading(visit.say("职责矩阵(RACI)", "RACI matrix"))
    ui.label(visit.say("R 执行, A 负责(恰一个), C 咨询, I 知会。", "R does it, A answers for it (just one), C is asked, I is told.")).classes("opacity-70")  # fmt: skip
    letters = _matrix(visit, current, may)
    if may:
        _save(visit, holders, letters)


def _head(titles: Sequence[str]) -> None:
    with ui.element("thead"), ui.element("tr"):
        for title in titles:
            _cell(title, "th", "scope=col")


def _cell(text: str, tag: str = "td", props: str = "") -> None:
    with ui.element(tag).props(props or ("scope=row" if tag == "th" else "")):
        ui.label(text)


def _matrix(visit: Visit, current: plans.SetPlan, may: bool) -> dict[str, dict[str, Any]]:
    mechanism = current.plan.mechanism
    standing, fields = dict(matrix(mechanism)), {}
    label = visit.say("职责矩阵", "RACI matrix")
    with ui.element("div").classes("w-full overflow-x-auto").props(f'tabindex=0 role=group aria-label="{label}"'), ui.element("table").classes("zf-grid-table"):  # fmt: skip
        _head((visit.say("过程", "Process"), *(visit.read(role.title) for role in mechanism.roles)))
        with ui.element("tbody"):
            for process in mechanism.processes:
                own: dict[str, Any] = {}
                with ui.element("tr"):
                    _cell(visit.read(process.title), "th")
                    for role in mechanism.roles:
                        letter = standing[process.id].get(role.id, "")
                        with ui.element("td"):
                            if may:
                                choices = LETTERS if letter in LETTERS else (*LETTERS, letter)
                                named = f"{visit.read(process.title)}: {visit.read(role.title)}"
                                own[role.id] = ui.select(list(choices), value=letter).props(f'dense borderless options-dense aria-label="{named}"').classes("w-16")  # fmt: skip
                            else:
                                ui.label(letter or "·")
                fields[process.id] = own
    return fields


def _save(visit: Visit, holders: dict[str, Any], letters: dict[str, dict[str, Any]]) -> None:
    result = ui.column().classes("w-full")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        reason = ui.input(visit.say("修改的原因", "Why it changes")).props("dense outlined").classes("w-80")

        async def save() -> None:
            asked = Duties(
                {process: {role: field.value or "" for role, field in own.items()} for process, own in letters.items()},
                {role: field.value or "" for role, field in holders.items()}, reason.value or "",
            )  # fmt: skip
            made = await act(visit, "manage", "set duties", lambda context: set_duties(context, asked), result)
            if made is not None:
                with result:
                    ui.label(visit.say(f"已登记为 {made.plan_id}", f"Booked as {made.plan_id}")).classes("text-positive").props("role=status")  # fmt: skip

        ui.button(visit.say("保存并登记新版计划", "Save as a new version of the plan"), icon="save", on_click=save)
    result.move(target_index=-1)


def evidence(visit: Visit) -> None:
    """Draw the checklists of the management standards with the evidence that tasks brought."""
    found = plans.checked(visit.context)
    if not found:
        empty(visit, Text("计划没有列出检查表。", "The plan names no checklist."), Text("", ""))
        return
    with ui.row().classes("w-full gap-4"):
        for stage, title in STAGES.items():
            own = [one for one in found if one.item.stage == stage]
            if own:
                met = sum(one.met for one in own)
                figure(visit, title, f"{met}/{len(own)}", visit.say("有证据", "with evidence"))
    columns = [
        ("stage", "PDCA"), ("clause", visit.say("条款", "Clause")), ("text", visit.say("要求", "Requirement")), ("wanted", visit.say("应有证据", "Evidence wanted")),
        ("met", visit.say("状态", "State")), ("shown", visit.say("任务与证据", "Tasks and evidence")),
    ]  # fmt: skip
    titles = {task.id: visit.read(task.title) for task in plans.tasks(visit.context)}
    rows = [
        {"id": one.item.id, "stage": visit.read(STAGES[one.item.stage]), "clause": f"{one.item.clause}", "text": visit.read(one.item.text), "wanted": visit.read(one.item.evidence),
         "met": visit.say("有", "yes") if one.met else visit.say("无", "no"), "shown": "; ".join([*(titles.get(name, name) for name in one.tasks), *(proof[:24] for proof in one.evidence)])}
        for one in found
    ]  # fmt: skip
    table(columns, rows, per_page=20)
    ui.label(visit.say("条目为自行归纳, 认证前请与标准原文核对。证据在“任务”里登记。", "Items are paraphrased: check the standards before certification. Evidence is booked with a task.")).classes("text-sm opacity-70")  # fmt: skip
