"""The pages on the same application as the API: `mount` registers every page and lets NiceGUI answer for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from zerofactory.web import door
from zerofactory.web.frame import pages, register

if TYPE_CHECKING:
    from fastapi import FastAPI


def mount(app: FastAPI) -> None:
    """Add the pages to an application; everything they need is served from the same address."""
    door.register()
    for page in pages().values():
        register(page)
    ui.run_with(app, title="零碳工厂 zerofactory", language="zh-CN", show_welcome_message=False, reconnect_timeout=10)
