"""Process routes side by side: metal, energy, carbon, floor, takt and cost, what the answer hangs on, and every source."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.optimisation.routes.load import STATUS
from zerofactory.runs import route_compare as run
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.visit import Visit

COSTS = {
    "metal": Text("金属", "metal"),
    "scrap": Text("废料收入", "scrap sold"),
    "energy_and_supplies": Text("能源与辅料", "energy and supplies"),
    "equipment": Text("设备", "equipment"),
    "tooling": Text("模具", "tooling"),
    "people": Text("人工", "people"),
    "floor": Text("场地", "floor"),
}
SCOPES = {
    "scope_1": Text("范围一", "scope 1"),
    "scope_2": Text("范围二", "scope 2"),
    "scope_3": Text("范围三", "scope 3"),
}


def build(visit: Visit) -> None:
    """Draw the page."""
    volume, recycled = _number(visit, "volume"), _number(visit, "recycled")
    year = _number(visit, "year")
    asked = run.Asked(volume=int(volume) if volume else None, recycled_fraction=recycled, year=int(year) if year else None)  # fmt: skip
    _form(visit, asked)
    try:
        found: Any = visit.kept(f"routes {asked}", lambda context: run.run(context, asked).as_json())
    except (FaultyData, NotFound) as fault:
        if isinstance(fault, FaultyData) and any(one.code == "route.volume" for one in fault.problems):
            empty(
                visit,
                Text("账本里还没有产量。", "The book has no output yet."),
                Text("请在上面填年产量。", "Give a volume above."),
            )
        elif isinstance(fault, FaultyData):
            problems(visit, fault.problems)
        else:
            raise
        return
    _draw(visit, found)


def _number(visit: Visit, name: str) -> float | None:
    try:
        return float(visit.asked[name])
    except (KeyError, ValueError):
        return None


def _form(visit: Visit, asked: run.Asked) -> None:
    with ui.row().classes("items-end gap-3 zf-noprint"):
        volume = ui.number(
            visit.say("年产量(件)", "Bodies a year"), value=asked.volume, min=1, step=10_000, format="%d"
        )
        share = ui.number(
            visit.say("铝的再生比例 %", "Recycled aluminium %"),
            value=None if asked.recycled_fraction is None else asked.recycled_fraction * 100,
            min=0, max=100, step=10,
        )  # fmt: skip
        year = ui.number(visit.say("因子年份", "Factors of"), value=asked.year, min=2000, max=2100, step=1, format="%d")

        def go() -> None:
            given = {
                "volume": int(volume.value) if volume.value else None,
                "recycled": share.value / 100 if share.value is not None else None,
                "year": int(year.value) if year.value else None,
            }
            ui.navigate.to("/routes?" + urlencode({name: value for name, value in given.items() if value is not None}))

        ui.button(visit.say("比较", "Compare"), on_click=go)


def _draw(visit: Visit, found: dict[str, Any]) -> None:
    rows = found["routes"]
    names = {row["route"]: visit.told(row["title"]) for row in rows}
    ui.label(
        visit.say(
            f"后地板, 每车一件, 年产 {found['volume']:,} 件, {found['year']} 年因子; 吨数与封存同一个核算函数。",
            f"Rear floor, one a body, {found['volume']:,} a year, factors of {found['year']}; tonnes by the function that closes months.",
        )
    ).classes("opacity-80")
    table(_columns(visit), [_row(visit, row) for row in rows], numbers=[name for name, _ in _columns(visit)[1:]])
    with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-2 gap-4"):
        with ui.card().classes("w-full"):
            ui.label(visit.say("每件排放", "Emissions of one body")).classes("font-semibold")
            charts.bars(
                list(names.values()),
                {visit.read(title): [round(row["by_scope_kgco2e"].get(key, 0.0), 1) for row in rows] for key, title in SCOPES.items()},
                "kgCO2e",
                stacked=True,
            )  # fmt: skip
        with ui.card().classes("w-full"):
            ui.label(visit.say("每件费用", "Cost of one body")).classes("font-semibold")
            charts.bars(
                list(names.values()),
                {visit.read(title): [round(row["cny_by_kind"][key]) for row in rows] for key, title in COSTS.items()},
                visit.say("元", "CNY"),
                stacked=True,
            )
    _shares(visit, found, names)
    _swings(visit, found, names)
    _sources(visit, names)


def _columns(visit: Visit) -> list[tuple[str, str]]:
    return [
        ("route", visit.say("路线", "Route")),
        ("parts", visit.say("零件/接头", "Parts/joints")),
        ("net", visit.say("净重 kg", "Net kg")),
        ("bought", visit.say("购入 kg", "Bought kg")),
        ("kwh", "kWh"),
        ("kg", "kgCO2e"),
        ("netted", visit.say("扣废料 kgCO2e", "Scrap netted kgCO2e")),
        ("cny", visit.say("元/件", "CNY each")),
        ("invest", visit.say("投资 百万元", "Invested MCNY")),
        ("area", visit.say("占地 m²", "Floor m²")),
        ("takt", visit.say("节拍 s", "Takt s")),
        ("from", visit.say("盈亏平衡(件/年)", "Break-even (a year)")),
    ]


def _row(visit: Visit, row: dict[str, Any]) -> dict[str, object]:
    return {
        "route": visit.told(row["title"]),
        "parts": f"{row['parts']:g}/{row['joints']:g}",
        "net": f"{row['net_kg']:.1f}",
        "bought": f"{row['new_metal_kg']:.1f}",
        "kwh": f"{row['electricity_kwh']:.1f}",
        "kg": f"{row['kgco2e']:.1f}",
        "netted": f"{row['netted_kgco2e']:.1f}",
        "cny": f"{row['cny']:,.0f}",
        "invest": f"{row['investment_cny'] / 1e6:,.0f}",
        "area": f"{row['area_m2']:,.0f}",
        "takt": f"{row['takt_s']:.0f}",
        "from": row["break_even_text"],
    }


def _shares(visit: Visit, found: dict[str, Any], names: dict[str, str]) -> None:
    told = found["sensitivity"]
    for name, rows in told["kgco2e_per_body"].items():
        with ui.card().classes("w-full"):
            ui.label(
                visit.say(
                    f"{names[name]}: kgCO2e/件, 再生比例 × 电力 gCO2e/kWh",
                    f"{names[name]}: kgCO2e each, recycled share × power gCO2e/kWh",
                )
            ).classes("font-semibold")
            heads = [(f"g{place}", f"{grid:g}") for place, grid in enumerate(told["grid_gco2e_per_kwh"])]
            body = [
                {"share": f"{share:.0%}", **{f"g{place}": f"{value:.0f}" for place, value in enumerate(row)}}
                for share, row in zip(told["recycled_fractions"], rows, strict=True)
            ]
            table([("share", visit.say("再生比例", "Recycled")), *heads], body, numbers=[name for name, _ in heads])
            equal = found["equal_recycled_fraction"].get(name)
            if equal is not None:
                ui.label(
                    visit.say(
                        f"再生比例达到 {equal:.0%} 时与对照路线排放相等。",
                        f"At {equal:.0%} recycled it emits what the base does.",
                    )
                )


def _swings(visit: Visit, found: dict[str, Any], names: dict[str, str]) -> None:
    rows = [
        {
            "route": names[name],
            "number": one["path"],
            "range": f"{one['low']:g} – {one['high']:g} {one['unit']}",
            "kg": f"{one['kgco2e'][0]:.0f} … {one['kgco2e'][1]:.0f}",
            "cny": f"{one['cny'][0]:,.0f} … {one['cny'][1]:,.0f}",
        }
        for name, swings in found["sensitivity"]["numbers"].items()
        for one in swings[:4]
    ]
    with ui.card().classes("w-full"):
        ui.label(visit.say("最影响结果的数(单独变动)", "What moves the result most, one at a time")).classes("font-semibold")  # fmt: skip
        table(
            [("route", visit.say("路线", "Route")), ("number", visit.say("数", "Number")), ("range", visit.say("范围", "Range")), ("kg", "kgCO2e"), ("cny", visit.say("元", "CNY"))],
            rows,
        )  # fmt: skip


def _sources(visit: Visit, names: dict[str, str]) -> None:
    for name, title in names.items():
        with ui.expansion(visit.say(f"{title}: 每个数及其出处", f"{title}: every number and its source")).classes(
            "w-full zf-noprint"
        ):
            cited = visit.kept(f"route {name}", lambda context, name=name: run.cited(context, name))  # type: ignore[misc]
            rows = [{**one, "value": f"{one['value']:g} {one['unit']}", "status": visit.read(STATUS[str(one["status"])])} for one in cited]  # fmt: skip
            table(
                [("number", visit.say("数", "Number")), ("value", visit.say("值", "Value")), ("status", visit.say("状态", "Status")), ("source", visit.say("出处", "Source"))],
                rows,
            )  # fmt: skip


PAGE = Page(
    "routes", "/routes", Text("工艺路线", "Process routes"), "precision_manufacturing", "optimise", 60, "read", build
)
