"""A document looked at in the page: its sheets as pictures, with the number of each for a screen reader."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from nicegui import ui

from zerofactory.web.visit import Visit


def sheets(visit: Visit, pages: Sequence[bytes], name: str) -> None:
    """Draw the pages of a document below one another."""
    region = visit.say(f"预览: {name}", f"Preview: {name}")
    with ui.column().classes("zf-sheets w-full").props(f'role=region tabindex=0 aria-label="{region}"'):
        for number, page in enumerate(pages, start=1):
            said = visit.say(f"{name} 第 {number} 页, 共 {len(pages)} 页", f"{name}, page {number} of {len(pages)}")
            source = f"data:image/png;base64,{b64encode(page).decode()}"
            ui.element("img").props(f'src={source} alt="{said}" loading=lazy').classes("zf-sheet")
