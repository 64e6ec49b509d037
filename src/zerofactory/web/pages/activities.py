"""Activities: what was consumed and emitted, by month and source; each opens to its records and its paper, and may be taken back."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from nicegui import events, ui

from zerofactory.accounting.item import item_title
from zerofactory.errors import Text
from zerofactory.runs import activity_list as run
from zerofactory.runs import reverse
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, table
from zerofactory.web.visit import Visit

TIERS = {
    "metered": Text("计量", "metered"),
    "invoiced": Text("结算", "invoiced"),
    "estimated": Text("估算", "estimated"),
}
PER_PAGE = 25
_PAPER = """
<q-td :props="props"><q-btn v-if="props.row.evidence" flat dense size="sm" color="primary" icon="description" :aria-label="props.row.file" @click="$parent.$emit('paper', props.row.evidence)">
<q-tooltip>{{ props.row.file }}</q-tooltip></q-btn></q-td>
"""
_BACK = """
<q-td :props="props"><q-btn v-if="props.row.by_hand" flat dense size="sm" color="primary" icon="undo" :aria-label="props.row.said" @click="$parent.$emit('back', props.row)" /></q-td>
"""


def build(visit: Visit) -> None:
    """Draw the page."""
    every = visit.kept("activities", run.run)
    if not every:
        empty(
            visit,
            Text("还没有活动数据: 由凭证导入, 或封存时由读数得出。", "No activities yet: they come from documents, or from readings when a month is closed."),
            Text("导入凭证", "Import documents"),
            "/import",
        )  # fmt: skip
        return
    months = sorted({one.period for one in every}, reverse=True)
    asked = run.Asked(
        visit.asked.get("period", months[0]), visit.asked.get("source", ""), visit.asked.get("tier", ""), visit.asked.get("text", "")
    )  # fmt: skip
    _filters(visit, asked, months, sorted({one.source for one in every}))
    found = visit.kept(f"activities {asked}", lambda context: run.run(context, asked))
    ui.label(visit.say(f"{len(found)} 条", f"{len(found)} activities")).classes("opacity-70")
    result = ui.column().classes("w-full")
    if found:
        _table(visit, found, result)
    result.move(target_index=-1)


def _filters(visit: Visit, asked: run.Asked, months: list[str], sources: list[str]) -> None:
    now = {"period": asked.period, "source": asked.source, "tier": asked.tier, "text": asked.text}
    names = {one.id: visit.read(one.name) for one in visit.context.workspace.plant.sources}
    anything = visit.say("全部", "all")
    options = {
        "period": (visit.say("月份", "Month"), {"": anything, **{month: month for month in months}}, "w-32"),
        "source": (visit.say("排放源", "Source"), {"": anything, **{s: f"{names.get(s, s)} ({s})" for s in sources}}, "min-w-56 grow max-w-md"),
        "tier": (visit.say("数据来源", "Origin"), {"": anything, **{k: visit.read(t) for k, t in TIERS.items()}}, "w-32"),
    }  # fmt: skip

    def go(name: str, value: object) -> None:
        ui.navigate.to("/activities?" + urlencode({**now, name: value or ""}))

    with ui.row().classes("w-full items-center gap-3 zf-noprint"):
        for name, (label, choices, size) in options.items():
            value = now[name] if now[name] in choices else ""
            drawn = ui.select(choices, value=value, label=label, with_input=name == "source")
            drawn.props("dense outlined options-dense").classes(size)
            drawn.on_value_change(lambda event, name=name: go(name, event.value))
        text = ui.input(visit.say("凭证号、备注、品种", "Document, note, item"), value=asked.text).props(
            "dense outlined clearable"
        )
        text.on("keydown.enter", lambda: go("text", text.value))
        text.on("clear", lambda: go("text", ""))


def _table(visit: Visit, found: list[run.ActivityRow], result: ui.column) -> None:
    names = {one.id: visit.read(one.name) for one in visit.context.workspace.plant.sources}
    columns = [
        ("period", visit.say("月份", "Month")), ("source", visit.say("排放源", "Source")), ("item", visit.say("品种", "Item")), ("quantity", visit.say("数量", "Quantity")),
        ("unit", visit.say("单位", "Unit")), ("tier", visit.say("来源", "Origin")), ("estimated", visit.say("估算", "Estimated")),
        ("document", visit.say("凭证号", "Document")), ("evidence", visit.say("凭证", "Paper")),
    ]  # fmt: skip
    if visit.may("record"):
        columns.append(("back", visit.say("冲销", "Take back")))
    rows = [
        {"id": one.activity_id, "period": one.period, "source": names.get(one.source, one.source), "why": f"/why?figure={quote(one.activity_id)}",
         "item": visit.read(item_title(one.item)) if one.item else "", "quantity": f"{one.quantity:,.6g}" if abs(one.quantity) < 1e5 else f"{one.quantity:,.1f}",
         "unit": one.unit, "tier": visit.read(TIERS[one.tier]), "estimated": f"{100 * one.estimated_fraction:.1f} %" if one.estimated_fraction else "",
         "document": one.document or "", "evidence": one.evidence, "file": one.file, "by_hand": one.by_hand, "is_sealed": one.is_sealed,
         "said": visit.say(f"冲销 {one.document or one.activity_id}", f"Take back {one.document or one.activity_id}")}
        for one in found
    ]  # fmt: skip
    drawn = table(columns, rows, ("quantity", "estimated"), per_page=PER_PAGE if len(rows) > PER_PAGE else 0)
    drawn.add_slot("body-cell-source", '<q-td :props="props"><a :href="props.row.why">{{ props.value }}</a></q-td>')
    drawn.add_slot("body-cell-evidence", _PAPER)
    drawn.add_slot("body-cell-back", _BACK)
    drawn.on("paper", lambda event: _give(visit, str(event.args)))
    drawn.on("back", lambda event: _back(visit, event, result))


def _give(visit: Visit, digest: str) -> None:
    name, path = run.evidence(visit.context, digest)
    ui.download(path.read_bytes(), name)


def _back(visit: Visit, event: events.GenericEventArguments, result: ui.column) -> None:
    """Ask why a document is taken back, and take it back by a reversal."""
    row = event.args
    name, is_sealed = str(row["document"] or row["id"]), bool(row["is_sealed"])
    title = visit.say("冲销凭证", "Take a document back")
    with ui.dialog().props(f'aria-label="{title}"') as box, ui.card().classes("w-full max-w-lg"):
        ui.label(visit.say(f"冲销凭证 {name}", f"Take back {name}")).classes("text-lg font-semibold").props(
            "role=heading aria-level=2"
        )
        ui.label(
            visit.say("不会删除: 记一笔反向分录, 原记录仍在。", "Nothing is deleted: a reversal is booked beside it.")
        ).classes("opacity-70")
        reason = ui.input(visit.say("原因", "Why")).props("dense outlined autofocus id=zf-why").classes("w-full")
        if is_sealed:
            ui.label(
                visit.say("这个月已封存: 冲销后要修订封存才生效。", "The month is closed: it counts after a revision.")
            ).classes("text-warning")
        place = ui.column().classes("w-full")

        async def go() -> None:
            why = reason.value or ""
            count = await act(
                visit, "record", "reverse", lambda context: reverse.run(context, name, why, is_sealed), place
            )
            if count is not None:
                box.close()
                ui.notify(visit.say(f"已冲销 {count} 条", f"{count} taken back"), type="positive")
                ui.navigate.reload()

        with ui.row().classes("w-full justify-end gap-2"):
            ui.button(visit.say("取消", "Cancel"), on_click=box.close).props("flat")
            ui.button(visit.say("冲销", "Take back"), icon="undo", on_click=go).props("id=zf-take-back")
    box.on("hide", box.delete)
    box.open()


PAGE = Page("activities", "/activities", Text("活动数据", "Activities"), "list", "account", 15, "read", build)
