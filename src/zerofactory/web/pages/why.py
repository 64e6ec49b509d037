"""Why a figure is what it is: the tree from the figure to records, factors, activities, readings or documents."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.runs import explain as run
from zerofactory.web.frame import Page, empty
from zerofactory.web.visit import Visit

EXAMPLES = 8


def build(visit: Visit) -> None:
    """Draw the page."""
    figure = visit.asked.get("figure", "")
    label = visit.say("记录、活动、排放源@月份 或凭证号", "Record, activity, source@month, or document number")
    with ui.row().classes("items-center w-full zf-noprint"):
        asked = ui.input(label, value=figure).props("outlined dense").classes("grow max-w-2xl")
        asked.on("keydown.enter", lambda: ui.navigate.to(f"/why?figure={quote(asked.value or '')}"))
        ui.button(visit.say("打开", "Open"), on_click=lambda: ui.navigate.to(f"/why?figure={quote(asked.value or '')}"))
    if not figure:
        _examples(visit)
        return
    root = _node(visit, run.run(visit.context, figure), "0")
    tree = ui.tree([root], label_key="label", node_key="id").classes("w-full")
    tree.expand(_down(root, 2))


def _examples(visit: Visit) -> None:
    """Offer the figures of the newest closed month; with none closed, say what comes first."""
    months = sorted(visit.context.workspace.seals()["period"].to_list())
    if not months:
        empty(
            visit,
            Text("还没有可以打开的数字。", "There is no figure to open yet."),
            Text("去封存", "Close a month"),
            "/close",
        )
        return
    ui.label(visit.say("例如:", "For example:")).classes("opacity-70")
    for source in visit.context.workspace.plant.sources[:EXAMPLES]:
        figure = f"{source.id}@{months[-1]}"
        ui.link(f"{visit.read(source.name)} · {figure}", f"/why?figure={quote(figure)}")


def _node(visit: Visit, node: run.Node, path: str) -> dict[str, Any]:
    label = f"{visit.read(node.title)}  {visit.read(node.value)}".strip()
    return {
        "id": path,
        "label": label,
        "children": [_node(visit, child, f"{path}.{n}") for n, child in enumerate(node.children)],
    }


def _down(node: dict[str, Any], levels: int) -> list[str]:
    return [node["id"], *(i for child in node["children"] for i in _down(child, levels - 1))] if levels >= 0 else []


PAGE = Page("why", "/why", Text("为什么", "Why"), "account_tree", "account", 30, "read", build)
