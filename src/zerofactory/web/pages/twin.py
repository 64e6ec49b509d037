"""The digital twin: some days of the line, how each station passed its time, the energy that made nothing, and the fit to readings."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.optimisation.twin.line import TITLES
from zerofactory.runs import twin as run
from zerofactory.runs import twin_calibrate
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import Page, figure, table
from zerofactory.web.visit import Visit

MOST_RUNS, MOST_DAYS = 20, 31
SHARES = {"working": "working", "setup": "setup", "failed": "failed", "starved": "idle", "blocked": "blocked"}
UNITS = {"electricity": "kWh", "natural_gas": "Nm³", "compressed_air": "Nm³", "water": "m³", "heat": "kWh"}
CARRIERS = {
    "electricity": Text("电", "Electricity"),
    "natural_gas": Text("天然气", "Natural gas"),
    "compressed_air": Text("压缩空气", "Compressed air"),
    "water": Text("水", "Water"),
    "heat": Text("外购热力", "Purchased heat"),
}


def build(visit: Visit) -> None:
    """Draw the page."""
    ui.label(
        visit.say(
            "按机器逐件模拟 twin.toml 描述的产线; 每个数是多次重复的均值和 95 % 区间, 排放与封存同一核算。",
            "Simulates the line of twin.toml piece by piece; each figure is the mean of the replications with its 95 % interval, emissions by the accounts.",
        )
    ).classes("opacity-80")
    with ui.row().classes("items-end gap-3 zf-noprint"):
        first = ui.input(visit.say("首日(空: 下周一)", "First day (empty: next Monday)"), placeholder="2025-03-10")
        days = ui.number(visit.say("天数", "Days"), value=7, min=1, max=MOST_DAYS, format="%d")
        runs = ui.number(visit.say("重复次数", "Replications"), value=8, min=1, max=MOST_RUNS, format="%d")
        button = ui.button(visit.say("模拟", "Simulate"))
        fit = ui.button(visit.say("拟合读数", "Fit to readings")).props("outline")
        ui.link(visit.say("看产线动起来", "See the line move"), "/twin/line")
        ui.link(visit.say("场景比较", "Scenarios"), "/twin/compare")
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")

    async def simulate() -> None:
        def work(context: Any) -> dict[str, Any]:
            asked = run.Asked(
                run.day_of(first.value), _within(days.value, MOST_DAYS), runs=_within(runs.value, MOST_RUNS)
            )
            return run.run(context, asked).as_json()

        found = await _busy(visit, button, "twin run", work, place)
        if found is not None:
            with place:
                _draw(visit, found)

    async def calibrate() -> None:
        found = await _busy(visit, fit, "twin calibrate", lambda context: twin_calibrate.calibrate(context, twin_calibrate.Asked()).as_json(), place)  # fmt: skip
        if found is not None:
            with place:
                _fits(visit, found)

    button.on_click(simulate)
    fit.on_click(calibrate)


async def _busy(visit: Visit, button: ui.button, name: str, work: Any, place: ui.column) -> Any:
    button.disable()
    try:
        return await act(visit, "read", name, work, place)
    finally:
        button.enable()


def _within(value: float | None, most: int) -> int:
    return max(1, min(most, int(value or 1)))


def _draw(visit: Visit, found: dict[str, Any]) -> None:
    with ui.row().classes("w-full gap-4"):
        output = found["output"]
        figure(visit, Text("产出", "Output"), f"{output['mean']:,.0f}", visit.say("件", "pieces"), _range(output, 0))
        each = found["per_piece"].get("electricity")
        if each:
            figure(visit, Text("每件用电", "Electricity each"), f"{each['mean']:,.1f}", "kWh", _range(each, 1))
        if found["kgco2e_per_piece"] is not None:
            figure(visit, Text("每件排放", "Emissions each"), f"{found['kgco2e_per_piece']:,.1f}", "kgCO2e")
        titles = {one["station"]: visit.told(one["title"]) for one in found["stations"]}
        figure(visit, Text("瓶颈", "Bottleneck"), titles[found["bottleneck"]], "")
    rows = [
        {
            "carrier": visit.read(CARRIERS[carrier]),
            "amount": f"{one['mean']:,.0f} {UNITS[carrier]}",
            "range": _range(one, 0),
            "wasted": f"{found['wasted'][carrier]['mean']:,.0f}",
            "share": f"{found['wasted'][carrier]['mean'] / one['mean']:.1%}" if one["mean"] else "–",
        }
        for carrier, one in found["energy"].items()
    ]
    table(
        [
            ("carrier", visit.say("载能", "Carrier")),
            ("amount", visit.say("用量", "Taken")),
            ("range", visit.say("95 % 区间", "95 % interval")),
            ("wasted", visit.say("不在加工时", "While making nothing")),
            ("share", visit.say("占比", "Share")),
        ],
        rows,
        numbers=("amount", "range", "wasted", "share"),
    )
    with ui.card().classes("w-full"):
        ui.label(visit.say("各工位开班时间怎样用掉", "How each station passed its open time")).classes("font-semibold")
        charts.bars(
            [titles[one["station"]] for one in found["stations"]],
            {visit.read(TITLES[state]): [round(100 * one[name], 1) for one in found["stations"]] for name, state in SHARES.items()},
            "%",
            stacked=True,
        )  # fmt: skip
    _utilities(visit, found)


def _utilities(visit: Visit, found: dict[str, Any]) -> None:
    """Draw what the utilities beside the line take and what is told of them, where the plant describes any."""
    if not found["utilities"]:
        return
    ui.label(visit.say("公用动力与厂房", "Utilities and buildings")).classes("font-semibold")
    rows = [
        {
            "utility": visit.told(one["title"]),
            "carrier": visit.read(CARRIERS[carrier]),
            "amount": f"{amount['mean']:,.0f} {UNITS[carrier]}",
            "wasted": f"{one['wasted'][carrier]['mean']:,.0f}",
        }
        for one in found["utilities"]
        for carrier, amount in one["energy"].items()
    ]
    table(
        [
            ("utility", visit.say("设施", "Utility")),
            ("carrier", visit.say("载能", "Carrier")),
            ("amount", visit.say("用量", "Taken")),
            ("wasted", visit.say("不在生产时", "While making nothing")),
        ],
        rows,
        numbers=("amount", "wasted"),
    )
    told = [
        {
            "remark": visit.told(one["title"]),
            "value": f"{one['mean']:,.1f} {one['unit'] if one['unit'] != '1' else ''}".strip(),
            "act": visit.say("需关注", "Look at it") if one["alarming"] else "",
        }
        for one in found["remarks"]
        if one["alarming"] or one["mean"]
    ]
    table(
        [("remark", visit.say("另外要知道的", "What else to know")), ("value", visit.say("均值", "Mean")), ("act", "")],
        told,
        numbers=("value",),
    )
    if found["utilities_status"] == "placeholder":
        ui.label(visit.say("utilities.toml 的数是设定值, 请用铭牌与读数替换。", "The figures of utilities.toml are placeholders: replace them by name plates and readings.")).classes("opacity-80")  # fmt: skip


def _range(one: dict[str, Any], digits: int) -> str:
    return f"{one['low']:,.{digits}f} – {one['high']:,.{digits}f}"


def _fits(visit: Visit, found: dict[str, Any]) -> None:
    def power(one: dict[str, Any], state: str) -> str:
        value = one["powers"].get(state)
        return "–" if value is None else f"{value['mean']:,.0f} ± {(value['high'] - value['low']) / 2:,.0f}"

    columns = [
        ("place", visit.say("位置", "Place")),
        ("carrier", visit.say("载能", "Carrier")),
        ("off", visit.say("停机", "Off")),
        ("idle", visit.say("待料", "Idle")),
        ("working", visit.say("加工", "Working")),
        ("cv", "CV(RMSE)"),
    ]
    rows = [
        {
            "place": visit.told(one["title"]),
            "carrier": visit.read(CARRIERS[one["carrier"]]),
            "off": power(one, "off"),
            "idle": power(one, "idle"),
            "working": power(one, "working"),
            "cv": f"{one['cvrmse_fraction']:.0%}",
        }
        for one in found["places"]
    ]
    ui.label(visit.say("由读数拟合的功率(kW 或 Nm³/h, ± 95 %)", "Powers fitted to readings (kW or Nm³/h, ± 95 %)")).classes("font-semibold")  # fmt: skip
    table(columns, rows, numbers=("off", "idle", "working", "cv"))


PAGE = Page("twin", "/twin", Text("数字孪生", "Digital twin"), "developer_board", "optimise", 70, "read", build)
