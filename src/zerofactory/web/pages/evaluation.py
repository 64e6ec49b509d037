"""Evaluation: one standard with its grades, radar and findings, each with its why; the gap and the cheapest path; every standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from nicegui import events, ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import evaluate as judging
from zerofactory.runs import evaluate_path as run
from zerofactory.runs.context import Context
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.parts import choose_part, heading
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit

OWN = "auto_zero_carbon_factory"
PARTS = {"findings": Text("条款与得分", "Criteria and score"), "gap": Text("差距与最省路径", "Gap and cheapest path"), "every": Text("全部标准", "Every standard")}  # fmt: skip
VERDICTS = {
    "met": Text("满足", "met"), "not_met": Text("不满足", "not met"), "unknown": Text("未定", "unknown"), "not_applicable": Text("不适用", "not applicable"),
}  # fmt: skip
OUTCOMES = {
    "reached": Text("达到", "reached"),
    "missed": Text("未达到", "missed"),
    "open": Text("未定", "open"),
    "undecided": Text("未定", "open"),
}
KINDS = {"mandatory": Text("必备", "mandatory"), "scored": Text("评分", "scored"), "optional": Text("可选", "optional"), "info": Text("参考", "for information")}  # fmt: skip
SIGNS = {"at_most": "≤", "at_least": "≥"}


@dataclass(frozen=True, slots=True)
class _Judged:
    """One standard as JSON, with the titles of its criteria."""

    found: dict[str, Any]
    titles: dict[str, Text]

    def grade(self) -> dict[str, Any] | None:
        return next((one for one in self.found["grades"] if one["id"] == self.found["grade"]), None)


def build(visit: Visit) -> None:
    """Draw the page."""
    asked = visit.asked.get("standard", OWN)
    part = choose_part(visit, "/evaluation", PARTS, ("period", "standard"))
    with ui.row().classes("items-center gap-3 zf-noprint"):
        period = choose(visit, "/evaluation", standard=asked, part=part)
        every = _every(visit, period) if period is not None else {}
        standard = asked if asked in every else next(iter(every), "")
        if every and part != "every":
            names = {name: visit.told(one.found["title"]) for name, one in every.items()}
            select = ui.select(names, value=standard, label=visit.say("标准", "Standard")).props("dense outlined options-dense").classes("min-w-72 max-w-full")  # fmt: skip
            select.on_value_change(lambda event: ui.navigate.to("/evaluation?" + urlencode({"part": part, "period": period, "standard": event.value})))  # fmt: skip
    if period is None or not standard:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
    elif part == "every":
        _list(visit, every, period)
    elif part == "gap":
        _gap(visit, every[standard], Period.parse(period))
    else:
        _one(visit, every[standard])


def _every(visit: Visit, period: str) -> dict[str, _Judged]:
    asked = Period.parse(period)

    def make(context: Context) -> dict[str, _Judged]:
        shown = run.show(context, asked, run.Asked(None, True, False, None, None))
        told = [
            {**judging.as_json(one), "titles": {c.id: c.title for c in one.book.criteria}} for one in shown.evaluations
        ]
        return {one["standard"]: _Judged(one, one.pop("titles")) for one in told}  # type: ignore[misc, arg-type]

    return visit.kept(f"evaluations {period}", make)


def _one(visit: Visit, judged: _Judged) -> None:
    found, grade = judged.found, judged.grade()
    score = found.get("score")
    with ui.row().classes("w-full gap-4"):
        passed = visit.say("必备全部满足", "all mandatory met") if found["passed"] else visit.say("必备有未满足", "a mandatory one is not met")  # fmt: skip
        figure(visit, Text("等级", "Grade"), visit.told(grade["title"]) if grade else visit.say("未达等级", "none yet"), "", passed)  # fmt: skip
        if score:
            most = visit.say(f"未定项全满足可达 {score['most']:.1f}", f"{score['most']:.1f} if all that is open were met")  # fmt: skip
            figure(visit, Text("得分", "Score"), f"{score['points']:.1f}", f"/ {score['full']:g}", most)
        counts = {verdict: sum(one["verdict"] == verdict for one in found["findings"]) for verdict in VERDICTS}
        rest = visit.say(f"不满足 {counts['not_met']}, 未定 {counts['unknown']}", f"not met {counts['not_met']}, unknown {counts['unknown']}")  # fmt: skip
        figure(visit, Text("条款", "Criteria"), f"{counts['met']}/{len(found['findings'])}", visit.say("满足", "met"), rest)  # fmt: skip
    if found["proposal"]:
        ui.label(visit.say("这是本软件的提案, 不是已发布的标准。", "This is a proposal of this software, not a published standard.")).classes("text-sm opacity-70")  # fmt: skip
    with ui.row().classes("w-full gap-4 items-stretch"):
        if score and score["dimensions"]:
            with ui.card().classes("grow basis-96"):
                ui.label(visit.say("各维度得分 / 可得", "Points of points possible")).classes("font-semibold")
                axes = {visit.told(one["title"]): (one["points"], one["possible"]) for one in score["dimensions"]}
                charts.radar(axes, visit.say("得分", "points"), visit.say("各维度得分", "Points by dimension")).classes(
                    remove="h-72", add="h-80"
                )
        if found["grades"]:
            with ui.card().classes("grow basis-96"):
                _grades(visit, judged)
    _findings(visit, judged)


def _grades(visit: Visit, judged: _Judged) -> None:
    ui.label(visit.say("各等级与把握", "Grades and how sure")).classes("font-semibold")
    columns = [("title", visit.say("等级", "Grade")), ("outcome", visit.say("结果", "Outcome")), ("sure", visit.say("达到的概率 %", "Probability %")), ("open", visit.say("还缺", "Missing"))]  # fmt: skip
    rows = []
    for one in judged.found["grades"]:
        missing = [visit.read(judged.titles[name]) if name in judged.titles else visit.say("得分", "score") for name in one["open"]]  # fmt: skip
        outcome = OUTCOMES.get(one["outcome"], Text(one["outcome"], one["outcome"]))
        sure = "—" if one["probability"] is None else f"{100 * one['probability']:.0f}"
        rows.append({"id": one["id"], "title": visit.told(one["title"]), "outcome": visit.read(outcome), "sure": sure, "open": "; ".join(missing)})  # fmt: skip
    table(columns, rows, ("sure",))


def _findings(visit: Visit, judged: _Judged) -> None:
    heading(visit.say("条款", "Criteria"))
    columns = [
        ("clause", visit.say("条文", "Clause")), ("title", visit.say("条款", "Criterion")), ("kind", visit.say("类型", "Kind")), ("verdict", visit.say("结论", "Verdict")), ("sure", visit.say("把握 %", "Sure %")),
        ("value", visit.say("值", "Value")), ("base", visit.say("基准", "Base")), ("lead", visit.say("引领", "Lead")), ("points", visit.say("得分", "Points")), ("why", ""),
    ]  # fmt: skip
    rows = []
    for n, one in enumerate(judged.found["findings"]):
        sure = "—" if one["confidence_fraction"] is None else f"{100 * one['confidence_fraction']:.0f}"
        unit = unit_of(visit, one)
        points = "" if one["weight"] is None else f"{'—' if one['points'] is None else format(one['points'], '.2f')} / {one['weight']:g}"  # fmt: skip
        rows.append(
            {"id": n, "clause": one["clause"], "title": visit.read(judged.titles[one["criterion"]]), "kind": visit.read(KINDS[one["kind"]]), "verdict": visit.read(VERDICTS[one["verdict"]]), "sure": sure,
             "value": number(one["value"], unit), "base": number(one["base"], unit, named=False), "lead": number(one["lead"], unit, named=False), "points": points, "why": visit.say("为什么", "Why")}
        )  # fmt: skip
    made = table(columns, rows, ("sure", "value", "base", "lead", "points"))
    made.add_slot("body-cell-why", '<q-td :props="props"><q-btn flat dense no-caps :label="props.value" :aria-label="props.value + \': \' + props.row.title" @click="$parent.$emit(\'why\', props.row.id)" /></q-td>')  # fmt: skip

    def why(event: events.GenericEventArguments) -> None:
        _why(visit, judged, judged.found["findings"][int(event.args)])

    made.on("why", why)


def unit_of(visit: Visit, one: dict[str, Any]) -> str:
    """Return the unit of a finding as it is shown; a level that goes beyond one is no share."""
    unit = str(one["unit"] or "")
    if unit == "fraction" and max(one[name] or 0.0 for name in ("value", "base", "lead")) > 1.0:
        return ""
    if unit == "piece":
        return visit.say("项", "")
    return unit.replace("/vehicle", "/辆") if visit.language == "zh" else unit


def number(value: float | None, unit: str | None = "", named: bool = True) -> str:
    """Return a value as it is read: a fraction in percent, others with at most four figures, without an exponent.

    Examples
    --------
    >>> number(0.2582, "fraction"), number(-0.0001, "fraction"), number(173_673.4, "tCO2e"), number(None)
    ('25.8 %', '0 %', '173,673 tCO2e', '—')
    """
    if value is None:
        return "—"
    if unit == "fraction":
        return f"{round(100 * value, 1) + 0.0:.1f}".rstrip("0").rstrip(".") + " %"
    size = abs(value)
    text = f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"
    return f"{text} {unit}" if named and unit else text


def _why(visit: Visit, judged: _Judged, one: dict[str, Any]) -> None:
    """Open a dialog that says what a finding rests on; Esc closes it."""
    title = visit.read(judged.titles[one["criterion"]])
    with ui.dialog(value=True).props(f'aria-label="{visit.say("为什么", "Why")}"') as dialog, ui.card().classes("max-w-2xl w-full"):  # fmt: skip
        ui.label(f"{one['clause']} {title}").classes("text-lg font-semibold").props("role=heading aria-level=2")
        ui.label(f"{visit.read(VERDICTS[one['verdict']])} · {number(one['value'], unit_of(visit, one))}").classes(
            "text-base"
        )
        ui.label(one["reason_zh"] if visit.language == "zh" else one["reason_en"])
        if one["confidence_fraction"] is not None:
            sure = f"{100 * one['confidence_fraction']:.1f} %"
            ui.label(visit.say(f"判定成立的把握: {sure}(由表计与因子的不确定度算出)", f"The verdict holds with {sure} (from the uncertainty of meters and factors)"))  # fmt: skip
        if one["evidence"]:
            said = visit.say("账本", "the book") if one["evidence"] == "book" else one["evidence"]
            ui.label(visit.say(f"依据: {said}", f"Rests on: {said}"))
        links = [part.strip() for part in (one["link"] or "").split(";") if part.strip()]
        for link in links:
            ui.link(visit.say(f"打开账本: {link}", f"Open the book: {link}"), f"/why?figure={quote(link)}")
        ui.button(visit.say("关上", "Close"), on_click=dialog.close).props("outline autofocus")
    dialog.on("hide", dialog.delete)


def _gap(visit: Visit, judged: _Judged, period: Period) -> None:
    result = ui.column().classes("w-full gap-3").props("aria-live=polite")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        by = ui.number(visit.say("到哪一年(空: 自动)", "By which year (empty: by itself)"), precision=0).props("dense outlined").classes("w-56")  # fmt: skip

        async def look() -> None:
            button.props("loading")
            asked = run.Asked(judged.found["standard"], False, True, None, int(by.value) if by.value else None)
            told = await act(visit, "read", "evaluation gap", lambda _: visit.kept(f"gap {period.label} {asked}", lambda c: run.show(c, period, asked).as_json()), result)  # fmt: skip
            button.props(remove="loading")
            if isinstance(told, dict):
                with result:
                    _missing(visit, told)

        button = ui.button(visit.say("求差距与最省路径", "Find the gap and the cheapest path"), icon="route", on_click=look).props("id=zf-gap")  # fmt: skip
    result.move(target_index=-1)


def _missing(visit: Visit, told: dict[str, Any]) -> None:
    gap, path = told["gap"], told["path"]
    goal = next((one for one in told["grades"] if one["id"] == gap["grade"]), None)
    name = visit.told(goal["title"]) if goal else visit.say("满足全部必备条款", "every mandatory criterion")
    points = gap["points_missing"]
    more = "" if not points else visit.say(f", 还差 {points:.1f} 分", f", {points:.1f} points missing")
    ui.label(visit.say(f"下一等级: {name}{more}", f"Next: {name}{more}")).classes("text-lg font-semibold")
    if gap["needs"]:
        columns = [("title", visit.say("要改善的", "To improve")), ("value", visit.say("现在", "Now")), ("limit", visit.say("须达到", "To reach")), ("points", visit.say("可得分", "Points"))]  # fmt: skip
        rows = [
            {"id": n, "title": visit.told(one["title"]), "value": number(one["value"], one["limit"]["unit"]), "limit": f"{SIGNS.get(one['limit']['direction'], '')} {number(one['limit']['value'], one['limit']['unit'])}",
             "points": "—" if one["points"] is None else f"{one['points']:.2f}"}
            for n, one in enumerate(gap["needs"])
        ]  # fmt: skip
        table(columns, rows, ("value", "limit", "points"))
    if gap["missing"]:
        heading(visit.say("缺的证据与数据", "Evidence and data that are missing"))
        heads = [("title", visit.say("条款", "Criterion")), ("reason", visit.say("缺什么", "What is missing"))]
        table(heads, [{"id": n, "title": visit.told(one["title"]), "reason": visit.told(one["reason"])} for n, one in enumerate(gap["missing"])])  # fmt: skip
    heading(visit.say("最省路径", "Cheapest path"))
    if path is None:
        return
    ui.label(visit.told(path["said"]))
    if path.get("starts"):
        heads = [("year", visit.say("生效", "From")), ("measure", visit.say("措施", "Measure"))]
        table(heads, [{"id": n, "year": one["year"], "measure": visit.told(one["measure"])} for n, one in enumerate(path["starts"])], per_page=20)  # fmt: skip
    else:
        ui.link(visit.say("去规划", "To the plan"), "/plan").classes("zf-noprint")


def _list(visit: Visit, every: dict[str, _Judged], period: str) -> None:
    columns = [
        ("title", visit.say("标准", "Standard")), ("passed", visit.say("必备", "Mandatory")), ("score", visit.say("得分", "Score")), ("grade", visit.say("等级", "Grade")), ("open", visit.say("未定", "Unknown")),
    ]  # fmt: skip
    rows = []
    for name, one in every.items():
        score, grade = one.found.get("score"), one.grade()
        rows.append(
            {"id": name, "title": visit.told(one.found["title"]), "passed": visit.say("✓ 满足", "✓ met") if one.found["passed"] else visit.say("✗ 未满足", "✗ not met"),
             "score": f"{score['points']:.1f} / {score['full']:g}" if score else "—", "grade": visit.told(grade["title"]) if grade else "—", "open": sum(f["verdict"] == "unknown" for f in one.found["findings"])}
        )  # fmt: skip
    made = table(columns, rows, ("score", "open"))
    made.add_slot("body-cell-title", f'<q-td :props="props"><a :href="`/evaluation?period={period}&standard=${{props.row.id}}`">{{{{ props.value }}}}</a></q-td>')  # fmt: skip


PAGE = Page("evaluation", "/evaluation", Text("评价", "Evaluation"), "military_tech", "standards", 10, "read", build)
