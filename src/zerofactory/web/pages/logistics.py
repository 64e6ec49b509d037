"""Logistics: the network on a map of our own, before and after, chains by ISO 14083, and the fleet's day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.logistics.routing import Effort
from zerofactory.runs import logistics_fleet, logistics_plan
from zerofactory.runs.context import Context
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.network_map import Spot, Stroke, colour_of, projected, round_colour, stroke_width, svg
from zerofactory.web.visit import Visit

WAN = 10_000.0
NEAR_DEGREES = 1.6
SECONDS = 3.0
ABSENT = ("logistics_file.absent", "logistics.no_source", "logistics.no_readings", "tariff.none_named")


def build(visit: Visit) -> None:
    """Draw the page."""
    _later(
        visit, "logistics plan", lambda context: logistics_plan.run(context, logistics_plan.Asked()).as_json(), _network
    )
    _later(visit, "logistics fleet", _day, _fleet)


def _day(context: Context) -> dict[str, object]:
    return logistics_fleet.run(context, logistics_fleet.Asked(effort=Effort(SECONDS))).as_json()


def _later(visit: Visit, name: str, make: Callable[[Context], Any], draw: Callable[[Visit, Any], None]) -> None:
    """Draw a part of the page when it is worked out; the page is there at once."""
    place = ui.column().classes("w-full gap-4")
    with place:
        ui.spinner().props(f'aria-label="{visit.say("计算中", "working")}"')

    async def fill() -> None:
        found: Any = None
        told: tuple[Problem, ...] = ()
        try:
            found = await background.io_bound(lambda: visit.kept(name, make))
        except FaultyData as fault:
            told = fault.problems
        except NotFound as fault:
            told = (fault.as_problem(),)
        place.clear()
        with place:
            if told:
                _told(visit, told)
            elif found is not None:
                draw(visit, found)

    ui.timer(0.1, fill, once=True)


def _told(visit: Visit, found: tuple[Problem, ...]) -> None:
    if all(one.code in ABSENT for one in found):
        first = found[0]
        empty(visit, first.message, first.hint)
    else:
        problems(visit, found)


def _network(visit: Visit, found: dict[str, Any]) -> None:
    plan = found["after"]
    if plan is None:
        empty(visit, Text(**found["conflict"]["sentence"]), Text("", ""))
        return
    _map(visit, found, plan)
    _before_after(visit, found)
    _elements(visit, plan)
    _flows(visit, plan)
    if found["need"]:
        _need(visit, found["need"])
    for note in found["notes"]:
        ui.label(visit.told(note)).classes("text-sm opacity-70")


def _map(visit: Visit, found: dict[str, Any], plan: dict[str, Any]) -> None:
    where = {node["id"]: (node["latitude"], node["longitude"]) for node in found["nodes"]}
    centre = next((where[node["id"]] for node in found["nodes"] if node["kind"] == "plant"), next(iter(where.values())))
    near = {n for n, (a, b) in where.items() if abs(a - centre[0]) < NEAR_DEGREES and abs(b - centre[1]) < NEAR_DEGREES}
    ui.label(
        visit.say(
            "网络(线宽按吨, 颜色按车型; 无外部地图)",
            "The network (width by tonnes, colour by vehicle; no map from outside)",
        )
    ).classes("text-lg font-semibold")
    far = {**where} if len(near) < 2 else {name: at for name, at in where.items() if name not in near or at == centre}
    for title, chosen, named in (
        (visit.say("全网(工厂附近的名称见下图)", "Whole (names near the plant: below)"), set(where), set(far)),
        (visit.say("工厂附近", "Near the plant"), near, near),
    ):
        if len(chosen) < 2:
            continue
        with ui.card().classes("w-full"):
            ui.label(title).classes("font-semibold")
            ui.html(_drawn(visit, found, plan, (chosen, named)), sanitize=False).classes("w-full")
    kinds = {one["vehicle"]: visit.told(one["title"]) for one in plan["elements"]}
    with ui.row().classes("gap-4"):
        for kind, name in kinds.items():
            with ui.row().classes("items-center gap-1"):
                ui.element("span").style(f"width:22px;height:5px;background:{colour_of(kind)};display:inline-block")
                ui.label(name).classes("text-sm")


def _drawn(visit: Visit, found: dict[str, Any], plan: dict[str, Any], which: tuple[set[str], set[str]]) -> str:
    """Return the map of some nodes, of which some are named."""
    chosen, named = which
    nodes = [node for node in found["nodes"] if node["id"] in chosen]
    at = projected({node["id"]: (node["latitude"], node["longitude"]) for node in nodes})
    shown = [one for one in plan["elements"] if one["start"] in at and one["end"] in at and one["tonnes"] > 0]
    most = max((one["tonnes"] for one in shown), default=1.0)
    strokes = [
        Stroke(
            (at[one["start"]], at[one["end"]]), colour_of(one["vehicle"]), stroke_width(one["tonnes"], most),
            f"{one['leg']} · {visit.told(one['title'])} · {one['tonnes'] / 1000:,.1f} kt · {one['emissions_t']:,.1f} tCO2e",
        )
        for one in shown
    ]  # fmt: skip
    names = {node["id"]: visit.told(node["title"]) if node["id"] in named else "" for node in nodes}
    spots = [Spot(*at[node["id"]], names[node["id"]], node["kind"] == "plant") for node in nodes]
    return svg(spots, strokes, visit.say("物流网络地图", "Map of the network"))


def _before_after(visit: Visit, found: dict[str, Any]) -> None:
    names = {"before": ("现状", "As it is"), "after": ("方案", "Plan"), "clean": ("最清洁", "Cleanest")}
    rows = [
        {
            "name": visit.say(*names[key]), "cost": f"{found[key]['cost_cny'] / WAN:,.1f}", "t": f"{found[key]['emissions_t']:,.1f}",
            "fleet": ", ".join(f"{kind} {count}" for kind, count in found[key]["vehicles"].items()),
        }
        for key in names
        if found[key]
    ]  # fmt: skip
    with ui.card().classes("w-full"):
        ui.label(visit.say("每年", "A year")).classes("font-semibold")
        table(
            [
                ("name", visit.say("情形", "Case")),
                ("cost", visit.say("费用 万元", "Cost 10k CNY")),
                ("t", "tCO2e"),
                ("fleet", visit.say("车辆", "Vehicles")),
            ],
            rows,
            ("cost", "t"),
        )


def _elements(visit: Visit, plan: dict[str, Any]) -> None:
    def percent(value: float | None) -> str:
        return "—" if value is None else f"{100 * value:.0f}"

    rows = [
        {
            "leg": one["leg"].replace(">", " → "), "vehicle": visit.told(one["title"]), "kt": f"{one['tonnes'] / 1000:,.1f}",
            "empty": percent(one["empty_fraction"]), "load": percent(one["load_fraction"]), "t": f"{one['emissions_t']:,.1f}", "g": f"{one['intensity_gco2e_per_tkm']:,.1f}",
        }
        for one in sorted(plan["elements"], key=lambda one: -one["emissions_t"])
    ]  # fmt: skip
    with ui.card().classes("w-full"):
        ui.label(
            visit.say(
                "运输链要素(ISO 14083:2023, 井到车轮)", "Transport chain elements (ISO 14083:2023, well to wheel)"
            )
        ).classes("font-semibold")
        table(
            [("leg", visit.say("路段", "Leg")), ("vehicle", visit.say("车型", "Vehicle")), ("kt", "kt"), ("empty", visit.say("空驶 %", "Empty %")), ("load", visit.say("装载 %", "Load %")), ("t", "tCO2e"), ("g", "g/t·km")],
            rows, ("kt", "empty", "load", "t", "g"), 10,
        )  # fmt: skip


def _flows(visit: Visit, plan: dict[str, Any]) -> None:
    parts = {one["flow"]: round(one["emissions_t"], 1) for one in plan["flows"]}
    with ui.card().classes("w-full"):
        ui.label(visit.say("各货流的排放(含节点作业)", "Emissions by flow, hubs included")).classes("font-semibold")
        charts.ranked(parts, "tCO2e")


def _need(visit: Visit, need: dict[str, Any]) -> None:
    rows = [
        {"place": one["place"].replace(">", " → "), "t": f"{one['emissions_t']:,.1f}", "mwh": f"{one['energy_kwh'] / 1000:,.0f}", "cure": visit.told(one["cure"])}
        for one in need["residuals"][:8]
    ]  # fmt: skip
    with ui.card().classes("w-full"):
        ui.label(
            visit.say(
                f"零碳物流链还需要绿电 {need['electricity_kwh'] / 1e6:,.2f} GWh/年, 承运人脱碳 {need['services_t']:,.0f} t, 换车 {need['engines_t']:,.0f} t",
                f"A chain without emissions still needs {need['electricity_kwh'] / 1e6:,.2f} GWh of clean electricity a year, carriers that change ({need['services_t']:,.0f} t), other vehicles ({need['engines_t']:,.0f} t)",
            )
        ).classes("font-semibold")
        table(
            [
                ("place", visit.say("路段或节点", "Leg or node")),
                ("t", "tCO2e"),
                ("mwh", "MWh"),
                ("cure", visit.say("怎么去掉", "What takes it away")),
            ],
            rows,
            ("t", "mwh"),
        )


def _fleet(visit: Visit, found: dict[str, Any]) -> None:
    if found["rounds"]:
        _rounds(visit, found["rounds"])
    if found["dock"]:
        _dock(visit, found)
    if found["in_plant"]:
        _in_plant(visit, found)
    for note in found["notes"]:
        ui.label(visit.told(note)).classes("text-sm opacity-70")


def _rounds(visit: Visit, rounds: dict[str, Any]) -> None:
    at = {place["id"]: (place["x_km"], -place["y_km"]) for place in rounds["places"]}
    spots = [
        Spot(*at[place["id"]], ("⚡ " if place["is_station"] else "") + place["id"], n == 0)
        for n, place in enumerate(rounds["places"])
    ]
    strokes = [
        Stroke(tuple(at[visit_["place"]] for visit_ in one["visits"]), round_colour(n), 3.0, f"{n + 1}: {one['distance_km']:,.1f} km, {one['load_kg']:,.0f} kg")
        for n, one in enumerate(rounds["rounds"])
    ]  # fmt: skip
    ui.label(
        visit.say(
            f"循环取货: {rounds['vehicles']} 辆, {rounds['distance_km']:,.1f} km",
            f"Milk runs: {rounds['vehicles']} vehicles, {rounds['distance_km']:,.1f} km",
        )
    ).classes("text-lg font-semibold")
    with ui.card().classes("w-full"):
        ui.html(svg(spots, strokes, visit.say("循环取货线路图", "Map of the rounds")), sanitize=False).classes("w-full")
    rows = [
        {
            "n": n, "km": f"{one['distance_km']:,.1f}", "kg": f"{one['load_kg']:,.0f}", "kwh": f"{one['charged_kwh']:,.1f}",
            "way": " → ".join(f"{visit_['place']} {int(visit_['begins_min']) // 60:02d}:{int(visit_['begins_min']) % 60:02d}" for visit_ in one["visits"][1:-1]),
        }
        for n, one in enumerate(rounds["rounds"], 1)
    ]  # fmt: skip
    with ui.card().classes("w-full"):
        table(
            [
                ("n", visit.say("线路", "Round")),
                ("km", "km"),
                ("kg", "kg"),
                ("kwh", visit.say("途中充电 kWh", "Charged kWh")),
                ("way", visit.say("途经", "By way of")),
            ],
            rows,
            ("km", "kg", "kwh"),
        )


def _dock(visit: Visit, found: dict[str, Any]) -> None:
    dock = found["dock"]
    quarters = [f"{n // 4 % 24:02d}:{n % 4 * 15:02d}" + ("+1" if n >= 96 else "") for n in range(len(dock["load_kw"]))]
    with ui.card().classes("w-full"):
        ui.label(
            visit.say(
                f"{found['day']} 月台充电: {dock['cost_cny']:,.0f} 元(到站即充 {dock['at_once_cny']:,.0f} 元)",
                f"{found['day']} charging at the dock: {dock['cost_cny']:,.0f} CNY ({dock['at_once_cny']:,.0f} if at once)",
            )
        ).classes("font-semibold")
        charts.lines(quarters, {visit.say("月台功率", "Dock"): [round(kw, 1) for kw in dock["load_kw"]]}, "kW")


def _in_plant(visit: Visit, found: dict[str, Any]) -> None:
    rows = [
        {
            "name": visit.told(one["title"]), "count": one["vehicles"], "batteries": one["batteries"] or one["vehicles"], "kwh": f"{one['energy_kwh_per_day']:,.0f}",
            "cny": f"{one['energy_cny_per_day']:,.0f}", "low": f"{100 * one['lowest_fraction']:.0f}",
        }
        for one in found["in_plant"]
    ]  # fmt: skip
    with ui.card().classes("w-full"):
        ui.label(visit.say("厂内车辆(每天)", "Vehicles in the plant, a day")).classes("font-semibold")
        table(
            [("name", visit.say("车队", "Fleet")), ("count", visit.say("车辆", "Vehicles")), ("batteries", visit.say("电池", "Batteries")), ("kwh", "kWh"), ("cny", visit.say("电费 元", "Power CNY")), ("low", visit.say("单车最低电量 %", "Lowest charge %"))],
            rows, ("count", "batteries", "kwh", "cny", "low"),
        )  # fmt: skip
        hours = [f"{n // 4:02d}:{n % 4 * 15:02d}" for n in range(len(found["in_plant"][0]["charge_kw"]))]
        charts.lines(
            hours,
            {visit.told(one["title"]): [round(kw, 1) for kw in one["charge_kw"]] for one in found["in_plant"]},
            "kW",
        )


PAGE = Page(
    "logistics", "/logistics", Text("绿色物流", "Green logistics"), "local_shipping", "optimise", 65, "read", build
)
