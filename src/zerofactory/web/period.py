"""Which period a page shows: what the address asks for, else the newest closed year, else the newest closed month."""

from __future__ import annotations

from nicegui import ui

from zerofactory.web.visit import Visit

MONTHS = 12


def closed(visit: Visit) -> list[str]:
    """Return what can be shown: closed months, and years closed whole, newest first."""
    months = visit.kept("closed months", lambda context: sorted(context.workspace.seals()["period"].to_list()))
    years = sorted({month[:4] for month in months})
    whole = [year for year in years if sum(month.startswith(year) for month in months) == MONTHS]
    return [*reversed(whole), *reversed(months)]


def choose(visit: Visit, path: str, **keep: str) -> str | None:
    """Draw the choice and return the period in force, or None when nothing is closed yet."""
    choices = closed(visit)
    if not choices:
        return None
    asked = visit.asked.get("period", "")
    period = asked if asked in choices else choices[0]
    kept = "".join(f"&{name}={value}" for name, value in keep.items())
    select = (
        ui.select(choices, value=period, label=visit.say("期间", "Period"))
        .props("dense outlined")
        .classes("w-36 zf-noprint")
    )
    select.on_value_change(lambda event: ui.navigate.to(f"{path}?period={event.value}{kept}"))
    return period
