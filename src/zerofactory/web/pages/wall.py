"""The wall screen: the figures of the moment in large, the power of every shop, and where energy and carbon flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import FaultyData, Text
from zerofactory.periods import zone
from zerofactory.runs import alarms, flows, twin_file
from zerofactory.runs.context import Context, clock
from zerofactory.web import charts, line_follow, line_view
from zerofactory.web.frame import Page, empty, problems
from zerofactory.web.pages.live import look
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

REFRESH_SECONDS = 10.0
TURN_SECONDS = 30.0
ASPECT = 2.9  # of the plan of the line: a wall is wide
KWH_PER_MWH = 1000.0
LEAST_SHOWN = 0.01  # of the whole: sources below it are drawn as one
# A wall is looked at from across the hall: all of its width, the menu away, and everything larger the larger it is.
CSS = """
#zf-main { max-width: none !important; }
:fullscreen .q-drawer, :fullscreen header { display: none; } :fullscreen .q-page-container { padding: 0 !important; }
@media (min-width: 2000px) { .q-drawer { display: none; } .q-page-container { padding-left: 0 !important; } .zf-wall { zoom: 1.35; } }
@media (min-width: 3000px) { .zf-wall { zoom: 2.1; } }
.zf-big { font-size: clamp(2rem, 4.2vw, 3.6rem); font-weight: 700; line-height: 1.1; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (min-width: 2000px) { .zf-big { font-size: 3.4rem; } }
"""
ENTER = "document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()"


def build(visit: Visit) -> None:
    """Draw the page."""
    ui.add_css(CSS)
    label = visit.say("全屏", "Full screen")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        ui.button(icon="fullscreen", on_click=lambda: ui.run_javascript(ENTER)).props(
            f'flat round aria-label="{label}"'
        )
        choice = _choice(visit)
    top = ui.column().classes("w-full gap-4 zf-wall")
    middle = ui.column().classes("w-full zf-wall")
    place = ui.column().classes("w-full gap-4 zf-wall")
    state = {"busy": False}

    async def refresh() -> None:
        if not visit.holds():
            ui.navigate.to("/login")
        elif not state["busy"]:
            state["busy"] = True
            try:
                seen = await background.io_bound(_seen, visit)
            except FaultyData as fault:  # no reading yet
                seen = None
                top.clear()
                place.clear()
                with place:
                    problems(visit, fault.problems)
            finally:
                state["busy"] = False
            if seen is not None:
                top.clear()
                place.clear()
                _draw(visit, seen, top, place)

    with place:
        ui.spinner(size="xl")
    has_line = _line(visit, middle)
    choice.visible = has_line
    if has_line:
        _shown(choice, middle, place)
    ui.timer(0.1, refresh, once=True)
    ui.timer(REFRESH_SECONDS, refresh)


def _choice(visit: Visit) -> ui.toggle:
    """Let a screen show all, the line or the flows alone, or the two in turn: an address keeps it (`/wall?show=turn`)."""
    shows = {"all": visit.say("全部", "All"), "line": visit.say("产线", "The line"), "flows": visit.say("流向", "Flows"), "turn": visit.say("轮换", "In turn")}  # fmt: skip
    asked = visit.asked.get("show", "all")
    return ui.toggle(shows, value=asked if asked in shows else "all").props(f'no-caps unelevated aria-label="{visit.say("显示内容", "What is shown")}"')  # fmt: skip


def _shown(choice: ui.toggle, line: ui.column, flowing: ui.column) -> None:
    """Show what is chosen; in turn, each for a while."""
    state = {"turn": 0}

    def show() -> None:
        now = ("line", "flows")[state["turn"] % 2] if choice.value == "turn" else choice.value
        line.visible = now in ("all", "line")
        flowing.visible = now in ("all", "flows")

    def on() -> None:
        state["turn"] += 1
        show()

    choice.on_value_change(show)
    ui.timer(TURN_SECONDS, on, immediate=False)
    show()


def _line(visit: Visit, place: ui.column) -> bool:
    """Show the production line as it was last seen, where the plant has a twin; tell whether it has."""
    try:
        twin = twin_file.read(visit.context)
    except FaultyData:  # no twin, or one with faults: those are told on its own page
        return False
    with place, ui.card().classes("w-full"):
        ui.label(visit.say("产线", "The line")).classes("font-semibold")
        stood = line_view.stage(visit, "zf-stage", twin, line_view.of_now(visit, twin, table=False, aspect=ASPECT))
        told = ui.label().classes("text-sm opacity-80")
    line_follow.follow(visit, twin, stood, told, REFRESH_SECONDS)
    return True


def _seen(visit: Visit) -> dict[str, Any]:
    live = look(visit.context, "shop")
    label = str(live["totals"]["period"] or "")

    def flowing(context: Context) -> flows.Flows | None:
        return flows.flows(context, label) if live["rows"] and label else None

    standing = visit.kept("alarms standing", lambda context: sum(one.state != "closed" for one in alarms.alarms(context)))  # fmt: skip
    return {"live": live, "flows": visit.kept(f"flows {label}", flowing), "alarms": standing}


def _draw(visit: Visit, seen: dict[str, Any], top: ui.column, place: ui.column) -> None:
    live = seen["live"]
    rows = [row for row in live["rows"].values() if row["level"] == "shop"]
    if not rows:
        with place:
            empty(visit, Text("还没有读数。", "No readings yet."), Text("导入读数", "Import readings"), "/import")
        return
    totals, power = live["totals"], [row for row in rows if row["carrier"] == "electricity"]
    today_mwh = sum(row["amount_today"] or 0.0 for row in power) / KWH_PER_MWH
    shown = (
        (visit.say("电功率", "Power"), f"{sum(row['power_kw'] or 0.0 for row in power) / KWH_PER_MWH:,.2f}", "MW"),
        (visit.say("今日用电", "Electricity today"), f"{today_mwh:,.1f}", "MWh"),
        (visit.say("今日排放", "Emissions today"), tonnes(sum(row["today_gco2e"] or 0 for row in rows)), "tCO2e"),
        (visit.say(f"{totals['period']} 累计", f"{totals['period']} so far"), tonnes(totals["total_gco2e"], 0), "tCO2e"),
        (visit.say("未关闭报警", "Alarms standing"), str(seen["alarms"]), visit.say(f"表计 {totals['meters_reporting']}/{totals['meters']}", f"meters {totals['meters_reporting']}/{totals['meters']}")),
    )  # fmt: skip
    with top, ui.row().classes("w-full gap-6 justify-between no-wrap max-sm:flex-wrap"):
        for title, value, unit in shown:
            with ui.column().classes("items-center gap-0"):
                ui.label(title).classes("text-base opacity-80")
                ui.label(value).classes("zf-big text-primary")
                ui.label(unit).classes("opacity-80")
    with place:
        _flows(visit, seen["flows"])
        with ui.card().classes("w-full"):
            ui.label(visit.say("各车间电功率", "Electric power of the shops")).classes("font-semibold")
            charts.ranked({visit.told(row["name"]): round(row["power_kw"] or 0.0) for row in power}, "kW").classes(remove="h-72", add="h-64")  # fmt: skip
        _until(visit, totals)


def _flows(visit: Visit, found: flows.Flows | None) -> None:
    if found is None:
        return
    shops = {shop.id: visit.read(shop.name) for shop in visit.context.workspace.plant.shops}
    energy = [(visit.read(title), shops.get(shop, shop), amount) for title, shop, amount in found.energy_mwh]
    carbon = [(visit.read(title), shops.get(shop, shop), grams / GRAMS_PER_TONNE) for title, shop, grams in found.emissions_gco2e]  # fmt: skip
    with ui.row().classes("w-full gap-4 items-stretch"):
        for title, links, unit in (
            (visit.say(f"能源流向 {found.period}", f"Energy, {found.period}"), energy, "MWh"),
            (visit.say(f"碳的流向 {found.period}(范围一、二)", f"Carbon, {found.period} (scopes 1 and 2)"), carbon, "tCO2e"),
        ):  # fmt: skip
            with ui.card().classes("grow basis-96 min-w-0"):
                ui.label(f"{title} · {unit}").classes("font-semibold")
                charts.flows(_merged(links, visit.say("其他", "other")), unit, 13, title).classes(
                    remove="h-72", add="h-96"
                )


def _merged(links: Sequence[tuple[str, str, float]], other: str) -> list[tuple[str, str, float]]:
    """Return links of which every pair stands once; small sources flow together, a shop and a source of one name stay apart.

    Examples
    --------
    >>> _merged([("gas", "paint", 99.0), ("urea", "paint", 0.3), ("SF6", "paint", 0.2)], "other")
    [('gas', 'paint', 99.0), ('other', 'paint', 0.5)]
    """
    whole, own = sum(value for _, _, value in links), dict[str, float]()
    for source, _, value in links:
        own[source] = own.get(source, 0.0) + value
    sums: dict[tuple[str, str], float] = {}
    for source, target, value in links:
        name = source if own[source] >= LEAST_SHOWN * whole else other
        key = (name, f"{target} " if target in own else target)
        sums[key] = sums.get(key, 0.0) + value
    return [(source, target, value) for (source, target), value in sums.items()]


def _until(visit: Visit, totals: dict[str, Any]) -> None:
    place = zone(visit.context.workspace.plant.time_zone)
    state = visit.say("暂计", "provisional") if totals.get("provisional", True) else visit.say("已封存", "closed")
    until = str(totals["data_until"] or "")[:16].replace("T", " ")
    now = f"{clock().astimezone(place):%H:%M:%S}"
    ui.label(visit.say(f"数据截至 {until} UTC · {state} · {now} 更新", f"Data until {until} UTC · {state} · refreshed {now}")).classes("text-sm opacity-80")  # fmt: skip


PAGE = Page("wall", "/wall", Text("大屏", "Wall screen"), "tv", "live", 20, "read", build)
