"""What there is: plant, meters, sources, documents, factors due, standards, units: every list of the command line."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.runs import factor as factors
from zerofactory.runs import listing as run
from zerofactory.web.frame import Page, table
from zerofactory.web.reference_cards import factor_card, standard_card
from zerofactory.web.visit import Visit

FOUND = 50


def build(visit: Visit) -> None:
    """Draw the page."""
    kind = visit.asked.get("kind", "meters")
    choices = {name: visit.read(title) for name, title in run.TITLES.items()}
    for where, draw in dict.fromkeys(OPENED.values()):
        if visit.asked.get(where):
            draw(visit, visit.asked[where])
    select = (
        ui.select(choices, value=kind if kind in choices else "meters", label=visit.say("列表", "List"))
        .props("dense outlined")
        .classes("w-72")
    )
    select.on_value_change(lambda event: ui.navigate.to(f"/lists?kind={event.value}"))
    listed = run.run(select.value, visit.context.workspace.folder)
    columns = [(name, visit.read(title)) for name, (title, _) in zip(listed.names, listed.header, strict=True)]
    rows = [
        {"id": number, **{name: visit.read(c) if isinstance(c, Text) else c for name, c in zip(listed.names, row, strict=True)}}
        for number, row in enumerate(listed.rows)
    ]  # fmt: skip
    right = [name for name, (_, side) in zip(listed.names, listed.header, strict=True) if side == run.RIGHT]
    found = table(
        [(f"c_{name}", title) for name, title in columns],
        [{"id": r["id"], **{f"c_{n}": r[n] for n, _ in columns}} for r in rows],
        [f"c_{n}" for n in right],
        per_page=FOUND,
    )
    if kind in OPENED:
        where, _ = OPENED[kind]
        found.add_slot(
            "body-cell-c_id",
            f'<q-td :props="props"><a :href="`/lists?kind={kind}&{where}=${{encodeURIComponent(props.value)}}`">{{{{ props.value }}}}</a></q-td>',
        )
    search = (
        ui.input(visit.say("在表中查找", "Find in the table"))
        .props("dense outlined clearable")
        .classes("w-72 zf-noprint")
    )
    search.bind_value_to(found, "filter")
    _factors(visit)


def _factors(visit: Visit) -> None:
    text, kind = visit.asked.get("factor", ""), visit.asked.get("kind", "")
    kind = kind if kind in run.TITLES else "meters"  # it goes into the template of the table
    ui.label(visit.say("查找因子", "Find factors")).classes("text-lg font-semibold pt-4")
    asked = (
        ui.input(visit.say("燃料、气体、省份或编号", "Fuel, gas, province or id"), value=text)
        .props("dense outlined")
        .classes("w-full max-w-md zf-noprint")
    )
    asked.on("keydown.enter", lambda: ui.navigate.to(f"/lists?kind={kind}&factor={quote(asked.value or '')}"))
    if text:
        rows = [
            {"id": f.id, "c_id": f.id, "c_title": visit.read(f.title), "c_value": f"{f.value:.10g}", "c_unit": f.unit, "c_source": f.source}
            for f in factors.find(text, visit.context.workspace.folder, FOUND)
        ]  # fmt: skip
        heads = [
            ("c_id", visit.say("编号", "Id")),
            ("c_title", visit.say("名称", "Title")),
            ("c_value", visit.say("值", "Value")),
            ("c_unit", visit.say("单位", "Unit")),
            ("c_source", visit.say("出处", "Source")),
        ]
        made = table(heads, rows, ("c_value",))
        made.add_slot(
            "body-cell-c_id",
            f'<q-td :props="props"><a :href="`/lists?kind={kind}&factor={quote(text, safe="")}&open=${{encodeURIComponent(props.value)}}`">{{{{ props.value }}}}</a></q-td>',
        )


OPENED = {"best-before": ("open", factor_card), "standards": ("standard", standard_card)}
PAGE = Page(
    "lists", "/lists", Text("工厂、因子与标准", "Plant, factors, standards"), "list_alt", "standards", 50, "read", build
)
