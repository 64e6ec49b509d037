"""The line as it is now on a page: states, levels and power, brought up to date every few seconds while somebody looks."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.periods import zone
from zerofactory.runs import twin_last
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_now import Now
from zerofactory.web import line_view
from zerofactory.web.visit import Visit

REFRESH_SECONDS = 5.0


def follow(
    visit: Visit, twin: Twin, stood: line_view.Stage, told: ui.label, every_seconds: float = REFRESH_SECONDS
) -> None:
    """Bring a line up to date every few seconds while the page is open; ``told`` says of when it is."""
    state: dict[str, Any] = {"busy": False}
    eye = twin_last.Eye(visit.context)
    ui.context.client.on_delete(eye.close)

    async def refresh() -> None:
        if state["busy"]:
            return
        if not visit.holds():
            ui.navigate.to("/login")
            return
        state["busy"] = True
        try:
            seen = await background.io_bound(eye.look, visit.context)
        finally:
            state["busy"] = False
        if seen is not None:
            line_view.show_now(stood, line_view.seen_now(visit, twin, seen))
            told.text = words(visit, seen)

    ui.timer(0.3, refresh, once=True)
    ui.timer(every_seconds, refresh)


def words(visit: Visit, seen: Now) -> str:
    """Return of when the states are, how many are known, and what is to be said of them."""
    at = seen.at.astimezone(zone(visit.context.workspace.plant.time_zone))
    known, count = sum(one.state is not None for one in seen.stations), len(seen.stations)
    notes = " ".join(visit.read(one) for one in seen.notes)
    if seen.source == "live":
        return visit.say(f"此刻 {at:%Y-%m-%d %H:%M:%S} · {known}/{count} 个工位有读数。{notes}", f"Now, {at:%Y-%m-%d %H:%M:%S} · {known} of {count} stations have readings. {notes}")  # fmt: skip
    return visit.say(f"现在没有读数; 这是最后一次读数 {at:%Y-%m-%d %H:%M} 的状态 · {known}/{count} 个工位。{notes}", f"Nothing is read now; this is the last state, of {at:%Y-%m-%d %H:%M} · {known} of {count} stations. {notes}")  # fmt: skip
