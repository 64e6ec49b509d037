"""The parts of the plant file on a page: a table of entries, a form for each, every fault at its field; and meters from a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nicegui import events, ui

from zerofactory.accounting.item import item_title
from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.runs import meter_list
from zerofactory.runs import plant as plants
from zerofactory.runs.context import Context
from zerofactory.runs.uploads import safe_name, untypical
from zerofactory.site.model import SHOP_KINDS
from zerofactory.web.act import act
from zerofactory.web.entry_form import EntryForm, Field
from zerofactory.web.frame import problems, table
from zerofactory.web.plant_fields import fields_of
from zerofactory.web.visit import Visit

Refresh = Callable[[], None]
ADD = {
    "shops": Text("添加车间", "Add a shop"),
    "meters": Text("添加表计", "Add a meter"),
    "sources": Text("添加排放源", "Add a source"),
    "products": Text("添加产品", "Add a product"),
}
_EDIT = """
<q-td :props="props"><q-btn flat dense round size="sm" color="primary" icon="edit" :aria-label="props.row.said" @click="$parent.$emit('edit', props.row.id)" /></q-td>
"""


def editor(visit: Visit, part: str, columns: Sequence[tuple[str, Text]], refresh: Refresh) -> None:
    """Draw the entries of one part; who may, adds, changes and removes them, and ``refresh`` is called after each change."""
    entries = plants.entries(visit.context, part)
    if visit.may("manage"):
        with ui.row().classes("gap-2 zf-noprint"):
            ui.button(visit.read(ADD[part]), icon="add", on_click=lambda: dialog(visit, part, {}, None, refresh)).props(
                f"outline id=zf-add-{part}"
            )
    if not entries:
        ui.label(visit.say("还没有。", "None yet.")).classes("opacity-70")
        return
    heads = [(name, visit.read(title)) for name, title in columns]
    rows = [
        {"id": str(entry.get("id")), "said": visit.say(f"修改 {entry.get('id')}", f"Change {entry.get('id')}"), **{name: _shown(visit, part, name, entry) for name, _ in columns}}
        for entry in entries
    ]  # fmt: skip
    if visit.may("manage"):
        heads.insert(0, ("edit", ""))
    drawn = table(heads, rows, per_page=20 if len(rows) > 20 else 0)
    if visit.may("manage"):
        drawn.add_slot("body-cell-edit", _EDIT)

        def edit(event: events.GenericEventArguments) -> None:
            found = next((one for one in plants.entries(visit.context, part) if one.get("id") == event.args), None)
            if found is not None:
                dialog(visit, part, found, str(event.args), refresh)

        drawn.on("edit", edit)


def _shown(visit: Visit, part: str, name: str, entry: Mapping[str, Any]) -> str:
    value = entry.get(name)
    if isinstance(value, dict):
        return visit.told(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    title = _title(visit, part, name, str(value))
    return visit.read(title) if title is not None else "" if value is None else str(value)


def _title(visit: Visit, part: str, name: str, value: str) -> Text | None:
    """Return the title of a value that is an id of something."""
    match part, name:
        case _, "shop":
            return {shop.id: shop.name for shop in visit.context.workspace.plant.shops}.get(value)
        case "sources", "kind":
            return sources()[value].title if value in sources() else None
        case "sources", "item":
            return item_title(value) if value != "None" else None
        case "shops", "kind":
            return SHOP_KINDS.get(value)
        case "meters", "kind":
            return meter_list.kind_titles().get(value)
        case "meters", "carrier":
            return meter_list.carriers().get(value)
    return None


def dialog(visit: Visit, part: str, entry: Mapping[str, Any], replaces: str | None, refresh: Refresh) -> None:
    """Open the form of one entry: a new one, or the one called ``replaces``."""
    fields = fields_of(visit, part, visit.context.workspace.plant)
    said = replaces or visit.read(ADD[part])
    with ui.dialog().props(f'persistent aria-label="{escape(said)}"') as box, ui.card().classes("w-full max-w-3xl"):
        ui.label(said).classes("text-lg font-semibold").props("role=heading aria-level=2")
        form = EntryForm(visit, fields, entry, wide=True)
        place = ui.column().classes("w-full")

        async def save() -> None:
            wanted = form.entry()
            count = len(plants.entries(visit.context, part))
            names = [one.get("id") for one in plants.entries(visit.context, part)]
            index = names.index(replaces) if replaces in names else count
            done = await act(
                visit, "manage", f"plant {part}", lambda context: plants.put(context, part, wanted, replaces), place,
                lambda faults: _told(visit, form, faults, f"{part}[{index}]", place),
            )  # fmt: skip
            if done is not None:
                box.close()
                refresh()

        async def remove() -> None:
            if await act(visit, "manage", f"plant {part}", lambda c: plants.remove(c, part, replaces or ""), place):
                box.close()
                refresh()

        with ui.row().classes("w-full items-center gap-2"):
            if replaces is not None:
                ui.button(visit.say("删除", "Remove"), icon="delete", on_click=remove).props("flat color=negative")
            ui.space()
            ui.button(visit.say("取消", "Cancel"), on_click=box.close).props("flat")
            ui.button(visit.say("保存", "Save"), icon="check", on_click=save).props("id=zf-save")
    box.on("hide", box.delete)
    box.open()


def table_form(visit: Visit, part: str, fields: Sequence[Field], done: Refresh | None = None) -> None:
    """Draw the form of one table of the file (plant, organisation)."""
    given = plants.show(visit.context)["document"].get(part, {})
    form = EntryForm(visit, fields, given, mark=f"zf-{part}")
    place = ui.column().classes("w-full")
    if not visit.may("manage"):
        return

    async def save() -> None:
        wanted = form.entry()
        gone = {one.name: None for one in fields if one.name in given and one.name not in wanted}
        values = typed({name: value for name, value in wanted.items() if value != given.get(name)} | gone)
        saved = await act(
            visit, "manage", f"plant {part}", lambda context: plants.save_table(context, part, values), place,
            lambda faults: _told(visit, form, faults, part, place),
        )  # fmt: skip
        if saved is not None:
            form.show((), part)
            ui.notify(visit.say("已保存", "Saved"), type="positive")
            if done is not None:
                done()

    ui.button(visit.say("保存", "Save"), icon="check", on_click=save).props(f"outline id=zf-save-{part}")


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with the days among them as days."""
    day = re.compile(r"\d{4}-\d{2}-\d{2}")
    return {
        name: date.fromisoformat(value) if name.endswith("_on") and isinstance(value, str) and day.fullmatch(value) else value
        for name, value in values.items()
    }  # fmt: skip


def _told(visit: Visit, form: EntryForm, faults: Sequence[Problem], prefix: str, place: ui.element) -> None:
    rest = form.show(faults, prefix)
    place.clear()
    if rest:
        with place:
            problems(visit, rest)


def meter_upload(visit: Visit, refresh: Refresh) -> None:
    """Draw the import of a list of meters: the form to fill in, what is wrong at its row, then the meters."""
    place = ui.column().classes("w-full")

    async def take(event: events.UploadEventArguments) -> None:
        name, content = safe_name(event.file.name), await event.file.read()
        upload.reset()
        found = await act(visit, "manage", "plant meters", lambda context: _import(context, name, content), place)
        if found is not None:
            ui.notify(
                visit.say(
                    f"{found.rows} 行: 新增 {len(found.added)}, 修改 {len(found.changed)}",
                    f"{found.rows} rows: {len(found.added)} added, {len(found.changed)} changed",
                ),
                type="positive",
            )
            refresh()

    with ui.row().classes("items-center gap-2 zf-noprint"):
        ui.label(visit.say("表计多? 用清单:", "Many meters? Use a list:")).classes("opacity-70")
        ui.button(
            visit.say("下载清单(CSV, 可用表格软件打开)", "Download the list (CSV)"),
            icon="download",
            on_click=lambda: ui.download(meter_list.as_csv(visit.context, visit.language), "meters.csv"),
        ).props("flat dense")
    hint = visit.say("改好后把 CSV 或 XLSX 拖到这里", "Drop the CSV or XLSX here when it is filled in")
    upload = ui.upload(auto_upload=True, label=hint, on_upload=take, max_file_size=visit.server.upload_bytes)
    upload.classes("w-full max-w-3xl zf-meters").props('accept=".csv,.xlsx" bordered flat')
    place.move(target_index=-1)


def _import(context: Context, name: str, content: bytes) -> meter_list.Imported:
    with TemporaryDirectory(prefix="zf-upload-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        faults = list(untypical(path))
        if faults:
            raise FaultyData(faults)
        return meter_list.run(context, path)
