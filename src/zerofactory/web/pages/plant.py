"""The plant: its meter tree, shops, sources and organisation, changed where the role allows; and every version of its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from nicegui import events, ui

from zerofactory.errors import Text
from zerofactory.periods import zone
from zerofactory.runs import plant as plants
from zerofactory.runs import plant_tree
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, table
from zerofactory.web.pages.start import METER_COLUMNS, SHOP_COLUMNS, SOURCE_COLUMNS
from zerofactory.web.plant_fields import organisation_fields, plant_fields
from zerofactory.web.plant_parts import dialog, editor, meter_upload, table_form
from zerofactory.web.source_choice import missing, offers
from zerofactory.web.visit import Visit

PRODUCT_COLUMNS = (
    ("id", Text("编号", "Id")),
    ("name", Text("名称", "Name")),
    ("unit", Text("单位", "Unit")),
    ("shop", Text("车间", "Shop")),
)
TABS = {
    "tree": Text("表计树", "Meter tree"),
    "meters": Text("表计", "Meters"),
    "shops": Text("车间", "Shops"),
    "sources": Text("排放源", "Sources"),
    "products": Text("产品", "Products"),
    "organisation": Text("工厂与组织", "Plant and organisation"),
    "versions": Text("历次版本", "Versions"),
}
_NODE = """
<div class="row items-center q-gutter-x-sm no-wrap">
  <span class="text-weight-medium">{{ props.node.id }}</span><span>{{ props.node.name }}</span>
  <span class="text-caption" style="opacity:.75">{{ props.node.said }}</span>
</div>
"""


def build(visit: Visit) -> None:
    """Draw the page."""
    asked = visit.asked.get("part", "tree")
    with ui.tabs().classes("w-full zf-wrap").props("dense no-caps align=left outside-arrows mobile-arrows") as tabs:
        for name, title in TABS.items():
            ui.tab(name, visit.read(title))
    drawn: set[str] = set()
    with ui.tab_panels(tabs, value=asked if asked in TABS else "tree").classes("w-full bg-transparent") as panels:
        places = {}
        for name in TABS:
            with ui.tab_panel(name).classes("p-0 pt-2"):
                places[name] = ui.column().classes("w-full gap-3")

    def draw(name: str) -> None:
        drawn.add(name)
        places[name].clear()
        with places[name]:
            PARTS[name](visit, lambda: draw(name))

    def opened(name: str) -> None:
        draw(name)
        ui.run_javascript(f"history.replaceState(null, '', '/plant?part={name}')")

    panels.on_value_change(lambda event: opened(str(event.value)))
    draw(str(panels.value))


def _tree(visit: Visit, refresh: Callable[[], None]) -> None:
    lines = plant_tree.lines(visit.context)
    if not lines:
        empty(
            visit,
            Text("还没有表计。", "There are no meters yet."),
            Text("添加表计", "Add meters"),
            "/plant?part=meters",
        )
        return
    filtered = (
        ui.input(visit.say("查找表计", "Find a meter")).props("dense outlined clearable").classes("w-72 zf-noprint")
    )
    tree = ui.tree(_nodes(visit, lines), label_key="id", node_key="id").classes("w-full")
    tree.add_slot("default-header", _NODE)
    tree.props(
        "dense filter-method=(node,text)=>(node.id+node.name+node.said).toLowerCase().includes(text.toLowerCase())"
    )
    filtered.bind_value_to(tree, "filter")
    tree.expand([line.id for line in lines if line.depth < 1])

    def chosen(event: events.ValueChangeEventArguments[str | None]) -> None:
        entry = next((one for one in plants.entries(visit.context, "meters") if one.get("id") == event.value), None)
        if entry is not None and visit.may("manage"):
            dialog(visit, "meters", entry, str(event.value), refresh)
        elif entry is not None:
            ui.navigate.to(f"/readings?meter={event.value}")

    tree.on_select(chosen)
    with ui.row().classes("gap-4 text-sm opacity-80"):
        ui.label(visit.say(f"{len(lines)} 块表计, 其中 {sum(bool(x.children) for x in lines)} 块下有分表", f"{len(lines)} meters, {sum(bool(x.children) for x in lines)} with sub-meters"))  # fmt: skip
        words = ("点一块表计可以修改。", "Choose a meter to change it.") if visit.may("manage") else ("点一块表计看读数。", "Choose a meter to see its readings.")  # fmt: skip
        ui.label(visit.say(*words))


def _nodes(visit: Visit, lines: list[plant_tree.TreeLine]) -> list[dict[str, Any]]:
    shops = {shop.id: visit.read(shop.name) for shop in visit.context.workspace.plant.shops}
    roots: list[dict[str, Any]] = []
    path: list[dict[str, Any]] = []
    for line in lines:
        said = [line.unit, shops.get(line.shop or "", "")]
        said += [visit.say("虚拟表 ", "virtual ") + line.formula] if line.formula else []
        said += [visit.say("计入 ", "counted in ") + ", ".join(line.sources)] if line.sources else []
        node = {"id": line.id, "name": visit.read(line.name), "said": " · ".join(filter(None, said)), "children": []}
        del path[line.depth :]
        (path[-1]["children"] if path else roots).append(node)
        path.append(node)
    return roots


def _meters(visit: Visit, refresh: Callable[[], None]) -> None:
    editor(visit, "meters", METER_COLUMNS, refresh)
    if visit.may("manage"):
        meter_upload(visit, refresh)


def _sources(visit: Visit, refresh: Callable[[], None]) -> None:
    missing(visit, refresh)
    editor(visit, "sources", SOURCE_COLUMNS, refresh)
    offers(visit, refresh)


def _organisation(visit: Visit, refresh: Callable[[], None]) -> None:
    table_form(visit, "plant", plant_fields(visit))
    ui.separator()
    table_form(visit, "organisation", organisation_fields(visit))


def _versions(visit: Visit, refresh: Callable[[], None]) -> None:
    """Draw the versions of the file: who changed what when, each to download, and to go back to."""
    found = plants.versions(visit.context)
    if not found:
        empty(visit, Text("工厂文件还没有在这里改过。", "The plant file has not been changed here yet."), Text("改动会一条条列在这里, 每个版本都留着。", "Changes will be listed here; each version is kept."))  # fmt: skip
        return
    place = ui.column().classes("w-full")
    clock = zone(visit.context.workspace.plant.time_zone)
    columns = [("at", visit.say("时间", "At")), ("actor", visit.say("经手", "By")), ("part", visit.say("部分", "Part")), ("changed", visit.say("改动", "Changed")), ("sha256", "SHA-256"), ("do", "")]  # fmt: skip
    rows = [
        {"id": v.seq, "at": f"{datetime.fromisoformat(v.at).astimezone(clock):%Y-%m-%d %H:%M}", "actor": v.actor, "part": visit.read(plants.PARTS[v.part]),
         "changed": ", ".join(v.changed) or visit.say("看过, 未改", "looked through"), "sha256": v.sha256[:12], "whole": v.sha256}
        for v in reversed(found)
    ]  # fmt: skip
    drawn = table(columns, rows, per_page=15)
    drawn.add_slot(
        "body-cell-do",
        f"""<q-td :props="props"><q-btn flat dense size="sm" color="primary" icon="download" aria-label="{visit.say("下载", "Download")}" @click="$parent.$emit('take', props.row.whole)" />"""
        + (f"""<q-btn flat dense size="sm" color="primary" icon="restore" aria-label="{visit.say("换回", "Go back to it")}" @click="$parent.$emit('back', props.row.whole)" />""" if visit.may("manage") else "")
        + "</q-td>",
    )  # fmt: skip
    drawn.on(
        "take", lambda event: ui.download(plants.version_text(visit.context, str(event.args)).encode(), "factory.toml")
    )

    async def back(event: events.GenericEventArguments) -> None:
        digest = str(event.args)
        if await act(visit, "manage", "plant file", lambda c: plants.apply(c, plants.version_text(c, digest)), place):
            refresh()

    drawn.on("back", back)


PARTS: dict[str, Callable[[Visit, Callable[[], None]], None]] = {
    "tree": _tree,
    "meters": _meters,
    "shops": lambda visit, refresh: editor(visit, "shops", SHOP_COLUMNS, refresh),
    "sources": _sources,
    "products": lambda visit, refresh: editor(visit, "products", PRODUCT_COLUMNS, refresh),
    "organisation": _organisation,
    "versions": _versions,
}
PAGE = Page("plant", "/plant", Text("工厂与表计", "Plant and meters"), "factory", "account", 8, "read", build)
