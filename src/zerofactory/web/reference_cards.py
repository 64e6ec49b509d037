"""One factor or one standard opened: where it is from, when it holds, how well it was read, and what rests on it."""

from __future__ import annotations

from nicegui import ui

from zerofactory.accounting.source import sources
from zerofactory.errors import Text
from zerofactory.factors.model import Factor
from zerofactory.standards.load import standards
from zerofactory.standards.model import Standard
from zerofactory.web.frame import table
from zerofactory.web.visit import Visit

STATUSES = {
    "verified": Text("已核对原文", "read in the document"),
    "secondary": Text("转引", "from a text that cites it"),
    "placeholder": Text("占位", "placeholder"),
}
IN_FORCE = {
    "in_force": Text("现行", "in force"),
    "trial": Text("试行", "on trial"),
    "withdrawn": Text("已撤销", "withdrawn"),
}


def factor_card(visit: Visit, name: str) -> None:
    """Draw one factor with its ground; nothing where there is none of that id."""
    book = visit.context.workspace.factor_book
    factor = book.by_id.get(name)
    if factor is None:
        return
    with ui.card().classes("w-full gap-2").props(f'role=region aria-label="{factor.id}"'):
        ui.label(visit.read(factor.title)).classes("text-lg font-semibold").props("role=heading aria-level=2")
        with ui.row().classes("items-baseline gap-2"):
            ui.label(factor.value_text or f"{factor.value:.10g}").classes("zf-figure")
            ui.label(factor.unit).classes("opacity-70")
        _facts(visit, _told(visit, factor))
        users = [use for use in visit.context.workspace.plant.sources if factor.item and use.item == factor.item]
        if users:
            ui.label(visit.say("本厂这个品种的排放源(点开看用哪个因子)", "Sources of this item at the plant")).classes(
                "text-sm opacity-70"
            )
            with ui.row().classes("gap-3"):
                for use in users:
                    ui.link(visit.read(use.name), f"/activities?source={use.id}")


def _told(visit: Visit, factor: Factor) -> list[tuple[str, str]]:
    factor_set = visit.context.workspace.factor_book.sets.get(factor.set_id)
    held = f"{factor.valid_from or '…'} – {factor.valid_to or '…'}"
    return [
        (visit.say("编号", "Id"), factor.id),
        (visit.say("用途", "Role"), factor.role),
        (visit.say("品种", "Item"), factor.item or ""),
        (visit.say("气体", "Gas"), factor.gas or ""),
        (visit.say("地区", "Region"), factor.region or ""),
        (visit.say("有效期", "Holds"), held),
        (visit.say("公布", "Published"), str(factor.published_on or "—")),
        (visit.say("应更新", "Best before"), str(factor.best_before or "—")),
        (
            visit.say("因子集", "Set"),
            f"{visit.read(factor_set.title)} {factor_set.edition}" if factor_set else factor.set_id,
        ),
        (visit.say("出处", "Source"), f"{factor.source} {factor.source_ref}".strip()),
        (visit.say("核对", "Read"), f"{factor.provenance} · {factor.confidence}"),
        (visit.say("许可", "Licence"), factor_set.licence if factor_set else ""),
        (visit.say("附注", "Note"), factor.note or ""),
    ]


def standard_card(visit: Visit, name: str) -> None:
    """Draw one standard: its documents and how well they were read, its headings, what its report must say."""
    standard = standards().get(name)
    if standard is None:
        return
    with ui.card().classes("w-full gap-2").props(f'role=region aria-label="{standard.id}"'):
        ui.label(visit.read(standard.title)).classes("text-lg font-semibold").props("role=heading aria-level=2")
        gases = ", ".join(standard.gases) if isinstance(standard.gases, tuple) else standard.gases
        facts = [
            (visit.say("发布", "Publisher"), visit.read(standard.publisher)),
            (visit.say("版本", "Edition"), f"{standard.edition} · {visit.read(IN_FORCE[standard.status])}"),
            (visit.say("气体", "Gases"), gases),
            (visit.say("电力口径", "Electricity"), ", ".join(standard.regimes)),
        ]
        _facts(visit, facts)
        _citations(visit, standard)
        _headings(visit, standard)
        _requirements(visit, standard)


def _citations(visit: Visit, standard: Standard) -> None:
    heads = [
        ("document", visit.say("文件", "Document")),
        ("clause", visit.say("条款", "Clause")),
        ("status", visit.say("核对", "Read")),
    ]
    rows = [
        {"id": n, "document": one.document, "clause": one.clause, "status": visit.read(STATUSES.get(one.status, Text(one.status, one.status)))}
        for n, one in enumerate(standard.citations)
    ]  # fmt: skip
    table(heads, rows)


def _headings(visit: Visit, standard: Standard) -> None:
    """Draw the headings of the inventory and which kinds of source fall under each."""
    if not standard.categories:
        return
    heads = [("id", visit.say("类别", "Category")), ("title", visit.say("名称", "Title")), ("total", visit.say("计入合计", "In the total")), ("kinds", visit.say("排放源种类", "Kinds of source"))]  # fmt: skip
    under: dict[str, list[str]] = {}
    for kind in sources().values():
        under.setdefault(kind.categories.get(standard.id, ""), []).append(visit.read(kind.title))
    rows = [
        {"id": one.id, "title": visit.read(one.title), "total": "✓" if one.in_total else "—", "kinds": ", ".join(under.get(one.id, []))}
        for one in standard.categories
    ]  # fmt: skip
    table(heads, rows)


def _requirements(visit: Visit, standard: Standard) -> None:
    if not standard.requirements:
        return
    heads = [
        ("clause", visit.say("条款", "Clause")),
        ("title", visit.say("报告须含", "The report must hold")),
        ("must", visit.say("必备", "Mandatory")),
    ]
    rows = [
        {"id": one.id, "clause": one.clause, "title": visit.read(one.title), "must": "✓" if one.mandatory else ""}
        for one in standard.requirements
    ]
    table(heads, rows, per_page=15 if len(rows) > 15 else 0)


def _facts(visit: Visit, facts: list[tuple[str, str]]) -> None:
    with ui.element("dl").classes("grid grid-cols-1 sm:grid-cols-2 gap-x-6 gap-y-1 m-0 w-full"):
        for name, value in facts:
            if value:
                with ui.element("div").classes("flex gap-2"):
                    with ui.element("dt").classes("opacity-70 shrink-0"):
                        ui.label(name)
                    with ui.element("dd").classes("m-0 break-words min-w-0"):
                        ui.label(value)
