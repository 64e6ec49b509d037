"""The declaration of carbon neutrality: balance, every requirement, every reason against it, the draft, and the PDF."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from nicegui import events, ui

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.instruments.neutrality import neutrality_standards
from zerofactory.instruments.purpose import OUTCOMES, TOPICS, Outcome
from zerofactory.periods import Period
from zerofactory.runs import declare as run
from zerofactory.runs import declared_pages, neutral
from zerofactory.runs.context import Context
from zerofactory.runs.uploads import safe_name
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, figure, problems, table
from zerofactory.web.paper_view import sheets
from zerofactory.web.parts import heading
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit, tonnes

FIELD = "dense outlined options-dense"
OUTCOME_TITLES = {
    "done": Text("完成", "done"),
    "infeasible": Text("不可行", "infeasible"),
    "open": Text("未完成", "open"),
}
STAGES = {
    "declare": Text("声明", "declaring"),
    "gate": Text("先减排", "reduce first"),
    "offset": Text("抵消", "offset"),
}
MOST_BYTES = 20_000_000


def build(visit: Visit) -> None:
    """Draw the page."""
    standards = neutrality_standards()
    asked = visit.asked.get("standard", "")
    standard = asked if asked in standards else next(iter(standards))
    with ui.row().classes("items-center gap-3 zf-noprint"):
        period = choose(visit, "/declaration", standard=standard)
        if period is not None:
            names = {name: visit.read(one.title) for name, one in standards.items()}
            select = (
                ui.select(names, value=standard, label=visit.say("标准", "Standard")).props(FIELD).classes("min-w-72")
            )
            select.on_value_change(lambda event: ui.navigate.to("/declaration?" + urlencode({"period": period, "standard": event.value})))  # fmt: skip
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    when = Period.parse(period)
    state = visit.kept(f"standing {period} {standard}", lambda context: run.standing(context, when, standard))
    _balance(visit, state)
    _verdict(visit, state)
    _requirements(visit, state)
    _before(visit, when, standard)
    if visit.may("manage"):
        _declare(visit, when, standard, state)
        _measures(visit, when)
        _evidence(visit, when, standard)


def _balance(visit: Visit, state: run.Standing) -> None:
    balance = state.balance
    if balance is None:
        return
    shown = (
        (Text("总量(基准)", "Gross"), balance.gross_gco2e), (Text("已减排", "Reduced"), balance.reduced_gco2e), (Text("边界内清除", "Removals inside"), balance.removals_gco2e),
        (Text("剩余", "Residual"), balance.residual_gco2e), (Text("已抵消", "Offset"), balance.offset_total_gco2e), (Text("未覆盖", "Not covered"), max(balance.uncovered_gco2e, 0)),
    )  # fmt: skip
    with ui.row().classes("w-full gap-4"):
        for title, grams in shown:
            figure(visit, title, tonnes(grams), "tCO2e")


def _verdict(visit: Visit, state: run.Standing) -> None:
    if state.problems:
        said = visit.say(
            f"现在不能声明: {len(state.problems)} 条理由", f"Cannot be declared yet: {len(state.problems)} reason(s)"
        )
        ui.label(said).classes("text-negative text-lg").props("id=zf-verdict")
        problems(visit, state.problems)
    else:
        said = visit.say("全部要求已满足, 可以声明。", "Every requirement is met: it may be declared.")
        ui.label(said).classes("text-positive text-lg").props("id=zf-verdict role=status")


def _requirements(visit: Visit, state: run.Standing) -> None:
    found = run.demands(state)
    met = sum(one for _, one in found)
    heading(visit.say(f"要求清单: {met}/{len(found)} 满足", f"Requirements: {met} of {len(found)} met"))
    columns = [
        ("clause", visit.say("条款", "Clause")), ("stage", visit.say("阶段", "Stage")), ("text", visit.say("要求", "Requirement")),
        ("evidence", visit.say("应有证据", "Evidence wanted")), ("met", visit.say("结果", "Result")),
    ]  # fmt: skip
    rows = [
        {"id": one.id, "clause": one.clause, "stage": visit.read(STAGES.get(one.stage, Text(one.stage, one.stage))), "text": visit.read(one.text), "evidence": visit.read(one.evidence),
         "met": visit.say("✓ 满足", "✓ met") if is_met else visit.say("✗ 未满足", "✗ not met")}
        for one, is_met in found
    ]  # fmt: skip
    table(columns, rows)
    if state.standard.note.zh:
        ui.label(visit.read(state.standard.note)).classes("text-sm opacity-70")


def _before(visit: Visit, when: Period, standard: str) -> None:
    made = run.made_before(visit.context, when, standard)
    if not made:
        return
    heading(visit.say("已作的声明", "Declarations made"))
    columns = [
        ("name", visit.say("声明", "Declaration")),
        ("dated", visit.say("日期", "Dated")),
        ("stands", visit.say("效力", "Standing")),
    ]
    stands = {
        True: visit.say("有效", "stands"),
        False: visit.say("账已修订, 不再成立", "revised since, no longer stands"),
    }
    table(
        columns,
        [
            {"id": one.declaration_id, "name": one.declaration_id, "dated": one.dated, "stands": stands[one.stands]}
            for one in made
        ],
    )
    kept = {name for name, _ in declared_pages.kept_pages(visit.context)}

    def fetch(name: str) -> None:
        ui.download(declared_pages.filed(visit.context, name, visit.language), f"declaration-{name}.pdf")

    with ui.row().classes("gap-2 zf-noprint"):
        for one in made:
            if one.declaration_id in kept:
                label = visit.say(f"{one.declaration_id} 当时的 PDF", f"PDF of {one.declaration_id} as made")
                ui.button(label, icon="download", on_click=partial(fetch, one.declaration_id)).props("flat no-caps")


def _declare(visit: Visit, when: Period, standard: str, state: run.Standing) -> None:
    heading(visit.say("作出声明", "Declare"))
    result = ui.column().classes("w-full").props("aria-live=polite")
    name = visit.say("碳中和声明", "Declaration of carbon neutrality")

    async def declare() -> None:
        button.props("loading")
        made = await act(visit, "manage", "declare", lambda context: _made(context, when, standard, visit), result)
        button.props(remove="loading")
        if made is None:
            return
        declared, pdf, pages = made
        with result:
            ui.label(f"{declared.declaration.declaration_id} · {visit.read(declared.text)}").classes(
                "text-positive"
            ).props("role=status")
            file = f"declaration-{declared.declaration.declaration_id}.pdf"
            ui.button(
                visit.say("下载 PDF", "Download the PDF"), icon="download", on_click=lambda: ui.download(pdf, file)
            ).props("id=zf-download")
            sheets(visit, pages, name)

    async def look() -> None:
        looked.props("loading")
        pages = await act(
            visit,
            "read",
            "draft declaration",
            lambda context: run.draft(context, when, standard, visit.language),
            result,
        )
        looked.props(remove="loading")
        if pages:
            with result:
                sheets(visit, pages, visit.say(f"{name}(草稿)", f"{name} (draft)"))

    with ui.row().classes("gap-3 zf-noprint"):
        button = ui.button(visit.say("作出声明并入账", "Declare and book it"), icon="verified", on_click=declare).props(
            "id=zf-declare"
        )
        looked = ui.button(visit.say("预览草稿", "Look at a draft"), icon="visibility", on_click=look).props("outline")
        if state.problems:
            looked.disable()
    if state.problems:
        ui.label(
            visit.say(
                "要求未满足时按下, 会再列出全部理由, 不写入任何数据。",
                "While requirements are open it lists every reason anew and books nothing.",
            )
        ).classes("text-sm opacity-70")
    result.move(target_index=-1)


def _made(context: Context, when: Period, standard: str, visit: Visit) -> tuple[run.Declared, bytes, list[bytes]]:
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / "declaration.pdf"
        made = run.declare(context, when, standard, path, visit.language)
        return made, path.read_bytes(), run.pages(made.declaration, visit.language)


@dataclass(slots=True)
class _File:
    """One file that was dropped, until it is booked."""

    name: str = ""
    content: bytes = b""

    def draw(self, visit: Visit) -> _File:
        """Draw the place to drop it."""
        label = visit.say("证据文件", "File of evidence")
        ui.upload(label=label, auto_upload=True, max_files=1, max_file_size=MOST_BYTES, on_upload=self._take).classes(
            "w-64"
        )
        return self

    async def _take(self, arrived: events.UploadEventArguments) -> None:
        self.name, self.content = safe_name(arrived.file.name), await arrived.file.read()


def _measures(visit: Visit, when: Period) -> None:
    heading(visit.say("减排措施的结果(先减排, 后抵消)", "What became of reduction measures (reduce first)"))
    known = neutral.outcomes(visit.context, when)
    columns = [
        ("title", visit.say("措施", "Measure")), ("outcome", visit.say("结果", "Outcome")), ("t", visit.say("减排 tCO2e", "Saved tCO2e")),
        ("reason", visit.say("理由", "Reason")), ("file", visit.say("证据", "Evidence")),
    ]  # fmt: skip
    if known:
        rows = [
            {"id": n, "title": one.title or one.measure, "outcome": visit.read(OUTCOME_TITLES[one.outcome]), "t": "—" if one.reduction_gco2e is None else tonnes(one.reduction_gco2e),
             "reason": one.reason or "—", "file": visit.say("有", "yes") if one.evidence else "—"}
            for n, one in enumerate(known)
        ]  # fmt: skip
        table(columns, rows, ("t",), per_page=15)
    result = ui.column().classes("w-full")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        title = ui.input(visit.say("措施", "Measure")).props("dense outlined").classes("w-64")
        outcome = (
            ui.select(
                {name: visit.read(OUTCOME_TITLES[name]) for name in OUTCOMES},
                value="done",
                label=visit.say("结果", "Outcome"),
            )
            .props(FIELD)
            .classes("w-36")
        )
        saved = ui.number(visit.say("减排 tCO2e", "Saved tCO2e"), min=0).props("dense outlined").classes("w-36")
        reason = ui.input(visit.say("理由", "Reason")).props("dense outlined").classes("w-64")
        file = _File().draw(visit)

        async def book() -> None:
            name = (title.value or "").strip()
            grams = neutral.grams_of(saved.value)
            told = Outcome(when.label, name, name, str(outcome.value), grams, reason.value or "", "", "")
            if await act(visit, "manage", "record measure", lambda context: _recorded(context, told, file), result):
                ui.navigate.reload()

        ui.button(visit.say("登记措施", "Book the measure"), on_click=book).props("outline id=zf-measure")
    result.move(target_index=-1)


def _recorded(context: Context, told: Outcome, file: _File) -> dict[str, object]:
    if not told.measure:
        message = Text("没有写措施的名称。", "The measure has no name.")
        raise FaultyData([Problem("neutrality.unnamed", message, Text("请填写措施。", "Name the measure."))])
    if not file.name:
        return neutral.record_measure(context, told)
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / file.name
        path.write_bytes(file.content)
        return neutral.record_measure(context, replace(told, evidence=str(path)))


def _evidence(visit: Visit, when: Period, standard: str) -> None:
    heading(visit.say("声明的证据", "Evidence of the declaration"))
    filed = neutral.evidence(visit.context, standard, when)
    if filed:
        columns = [
            ("topic", visit.say("主题", "Topic")),
            ("text", visit.say("说明或文件", "Text or file")),
            ("dated", visit.say("日期", "Dated")),
        ]
        rows = [
            {"id": n, "topic": visit.read(TOPICS[str(one["topic"])]), "text": " · ".join(str(part) for part in (one["text"], one["file_name"]) if part), "dated": str(one["dated"])}
            for n, one in enumerate(filed)
        ]  # fmt: skip
        table(columns, rows)
    result = ui.column().classes("w-full")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        topic = (
            ui.select(
                {name: visit.read(title) for name, title in TOPICS.items()},
                value="plan",
                label=visit.say("主题", "Topic"),
            )
            .props(FIELD)
            .classes("w-64")
        )
        text = ui.input(visit.say("说明或网址", "Text or address")).props("dense outlined").classes("w-80")
        file = _File().draw(visit)

        async def book() -> None:
            done = await act(
                visit,
                "manage",
                "put evidence on file",
                lambda context: _filed(context, when, (str(topic.value), text.value or ""), file),
                result,
            )
            if done is not None:
                ui.navigate.reload()

        ui.button(visit.say("登记证据", "Put on file"), on_click=book).props("outline id=zf-evidence")
    result.move(target_index=-1)


def _filed(context: Context, when: Period, words: tuple[str, str], file: _File) -> dict[str, object]:
    topic, text = words
    if not file.name:
        return neutral.put_on_file(context, when, topic, text, None)
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / file.name
        path.write_bytes(file.content)
        return neutral.put_on_file(context, when, topic, text, path)


PAGE = Page(
    "declaration",
    "/declaration",
    Text("碳中和声明", "Neutrality declaration"),
    "verified",
    "standards",
    30,
    "read",
    build,
)
