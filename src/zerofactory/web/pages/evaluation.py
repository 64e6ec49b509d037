"""Evaluation: every standard at a glance; one standard with its radar, findings, and what is missing for the next grade."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import evaluate_path as run
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit

OWN = "auto_zero_carbon_factory"
VERDICTS = {
    "met": Text("满足", "met"),
    "not_met": Text("不满足", "not met"),
    "unknown": Text("未定", "unknown"),
    "not_applicable": Text("不适用", "not applicable"),
}


def build(visit: Visit) -> None:
    """Draw the page."""
    standard = visit.asked.get("standard", OWN)
    with ui.row().classes("items-center gap-3 zf-noprint"):
        period = choose(visit, "/evaluation", standard=standard)
        if period is not None:
            asked = Period.parse(period)
            every = visit.kept(
                f"evaluation {period}",
                lambda context: run.show(context, asked, run.Asked(None, True, False, None, None)).as_json(),
            )
            found = {one["standard"]: one for one in every} if isinstance(every, list) else {}
            choices = {name: visit.told(one["title"]) for name, one in found.items()}
            select = (
                ui.select(choices, value=standard if standard in choices else None, label=visit.say("标准", "Standard"))
                .props("dense outlined")
                .classes("min-w-96")
            )
            select.on_value_change(
                lambda event: ui.navigate.to("/evaluation?" + urlencode({"period": period, "standard": event.value}))
            )
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    if standard in found:
        _one(visit, found[standard])
    _every(visit, found)


def _one(visit: Visit, found: dict[str, Any]) -> None:
    score, grade = found.get("score"), found.get("grade")
    with ui.row().classes("w-full gap-4"):
        figure(
            visit,
            Text("等级", "Grade"),
            visit.told(grade["title"]) if isinstance(grade, dict) else "—",
            "",
            visit.say("必备全部满足", "all mandatory met")
            if found["passed"]
            else visit.say("必备有未满足", "a mandatory one is not met"),
        )
        if score:
            figure(
                visit,
                Text("得分", "Score"),
                f"{score['points']:.1f}",
                f"/ {score['full']:g}",
                visit.say(f"未定项全满足可达 {score['most']:.1f}", f"{score['most']:.1f} if all that is open were met"),
            )
        counts = {verdict: sum(one["verdict"] == verdict for one in found["findings"]) for verdict in VERDICTS}
        figure(
            visit,
            Text("条款", "Criteria"),
            f"{counts['met']}/{len(found['findings'])}",
            visit.say("满足", "met"),
            visit.say(
                f"不满足 {counts['not_met']}, 未定 {counts['unknown']}",
                f"not met {counts['not_met']}, unknown {counts['unknown']}",
            ),
        )
    if score and score["dimensions"]:
        with ui.card().classes("w-full"):
            charts.radar(
                {visit.told(one["title"]): (one["points"], one["possible"]) for one in score["dimensions"]},
                visit.say("得分", "points"),
            )
    columns = [("clause", visit.say("条款", "Clause")), ("verdict", visit.say("结论", "Verdict")), ("value", visit.say("值", "Value")), ("base", visit.say("基准", "Base")), ("lead", visit.say("引领", "Lead")),
               ("points", visit.say("得分", "Points")), ("reason", visit.say("依据", "Reason"))]  # fmt: skip
    rows = [
        {"id": n, "clause": one["clause"], "verdict": visit.read(VERDICTS.get(one["verdict"], Text(one["verdict"], one["verdict"]))), "value": _number(one["value"], one["unit"]),
         "base": _number(one["base"]), "lead": _number(one["lead"]), "points": "" if one["points"] is None else f"{one['points']:.2f} / {one['weight']:g}", "reason": one["reason_zh"] if visit.language == "zh" else one["reason_en"]}
        for n, one in enumerate(found["findings"])
    ]  # fmt: skip
    table(columns, rows, ("value", "base", "lead", "points"))


def _number(value: float | None, unit: str | None = "") -> str:
    return "—" if value is None else f"{value:,.4g} {unit or ''}".strip()


def _every(visit: Visit, found: dict[str, dict[str, Any]]) -> None:
    ui.label(visit.say("全部标准", "Every standard")).classes("text-lg font-semibold pt-4")
    columns = [
        ("title", visit.say("标准", "Standard")),
        ("passed", visit.say("必备", "Mandatory")),
        ("score", visit.say("得分", "Score")),
        ("grade", visit.say("等级", "Grade")),
    ]
    rows = []
    for name, one in found.items():
        score, grade = one.get("score"), one.get("grade")
        rows.append(
            {
                "id": name,
                "title": visit.told(one["title"]),
                "passed": "✓" if one["passed"] else "✗",
                "score": f"{score['points']:.1f} / {score['full']:g}" if score else "–",
                "grade": visit.told(grade["title"]) if isinstance(grade, dict) else "–",
            }
        )
    table(columns, rows, ("score",))


PAGE = Page("evaluation", "/evaluation", Text("评价", "Evaluation"), "military_tech", "standards", 10, "read", build)
