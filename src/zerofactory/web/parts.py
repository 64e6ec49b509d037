"""A page in parts, each with an address of its own: a row of links, so that back, bookmarks, keyboard and paper work as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.web.visit import Visit


def choose_part(visit: Visit, path: str, parts: Mapping[str, Text], keep: tuple[str, ...] = ()) -> str:
    """Draw the row of parts and return the one that is looked at; ``keep`` names what of the address goes along."""
    asked = visit.asked.get("part", "")
    part = asked if asked in parts else next(iter(parts))
    kept = {name: visit.asked[name] for name in keep if name in visit.asked}
    with ui.row().classes("zf-parts zf-noprint").props(f'role=navigation aria-label="{visit.say("本页各部分", "Parts of this page")}"'):  # fmt: skip
        for name, title in parts.items():
            link = ui.link(visit.read(title), f"{path}?{urlencode({'part': name, **kept})}")
            if name == part:
                link.props("aria-current=page")
    ui.label(visit.read(parts[part])).classes("text-lg font-semibold").props("role=heading aria-level=2")
    return part


def heading(text: str) -> None:
    """Draw the heading of a section."""
    ui.label(text).classes("text-lg font-semibold pt-4").props("role=heading aria-level=2")
