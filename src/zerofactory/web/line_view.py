"""The line on a page: what the player (`line_player.js`) needs to draw it, packed; and the boxes of the 3D view."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from nicegui import ui

from zerofactory.errors import Text
from zerofactory.optimisation.twin.line import STATES, TITLES, Line
from zerofactory.periods import zone
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_now import Now, StationNow
from zerofactory.runs.twin_replay import Replay
from zerofactory.web.line_layout import SMALL_STATION, STATION, Layout, downwards, layout
from zerofactory.web.line_look import CSS, MARKS
from zerofactory.web.visit import Visit

TENTHS, ASPECT = 10.0, 1.9
UNITS_PER_METRE_3D, HIGH_STATION, HIGH_STACK, LIFT = 1 / 20.0, 2.0, 4.0, 0.5
FIGURES: Mapping[str, tuple[Text, str]] = {
    "output": (Text("产出", "Output"), ""),
    "electricity": (Text("用电", "Electricity"), "kWh"),
    "natural_gas": (Text("天然气", "Natural gas"), "Nm³"),
    "heat": (Text("外购热", "Bought heat"), "kWh"),
    "kgco2e": (Text("排放", "Emissions"), "kgCO2e"),
    "cny": (Text("能源费用", "Cost of energy"), "CNY"),
}
LIVE: Mapping[str, tuple[Text, str]] = {
    "power": (Text("电功率", "Power"), "kW"),
    "expected": (Text("孪生应有", "By the twin"), "kW"),
    "electricity": (Text("今日用电", "Electricity today"), "kWh"),
    "kgco2e": (Text("今日排放", "Emissions today"), "kgCO2e"),
}
WORDS: Mapping[str, Text] = {
    "plan": Text("产线平面图: 各工位状态、缓存水位与流动的工件, 数值见下方数据表", "plan of the line: states of stations, levels of buffers and pieces on their way; figures in the table below"),
    "bands": Text("各工位状态随时间(点击跳转)", "States of the stations over time (click to go there)"),
    "play": Text("播放", "Play"), "pause": Text("暂停", "Pause"), "again": Text("回到开始", "Back to the beginning"),
    "speed": Text("速度", "Speed"), "time": Text("时刻", "Time"), "controls": Text("播放", "Player"), "bottleneck": Text("瓶颈", "bottleneck"),
    "table": Text("此刻的数据表", "Figures of this moment as a table"), "figure": Text("累计", "so far"), "station": Text("工位", "station"), "buffer": Text("缓存", "buffer"),
    "old": Text("浏览器太旧, 无法播放; 请升级。", "This browser is too old to play the line."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """A line that stands on a page: the id of its element, its plan, and where the scene goes."""

    id: str
    line: Line
    plan: Layout
    box: ui.column


def stage(visit: Visit, name: str, twin: Twin, told: Mapping[str, object]) -> Stage:
    """Draw the line and begin to play what is told (`of_replay`, `of_now`); ``name`` is the id of the element."""
    ui.add_css(CSS)
    ui.html(f'<div id="{name}" class="zf-line"></div>', sanitize=False).classes("w-full")
    box = ui.column().classes("w-full")
    ui.html(f'<div id="{name}-below" class="zf-line"></div>', sanitize=False).classes("w-full")
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    ui.run_javascript(f"{_script()};zfLine.mount({json.dumps(name)},{data})")
    return Stage(name, twin.line, _plans(twin)[0], box)


def show_now(place: Stage, seen: Mapping[str, object]) -> None:
    """Bring a line that is live up to date (`seen_now`)."""
    ui.run_javascript(f"zfLine.now({json.dumps(place.id)},{json.dumps(seen)})")


@lru_cache(maxsize=1)
def _script() -> str:
    """Return the player; a page that has it already keeps its own."""
    text = files("zerofactory.web").joinpath("line_player.js").read_text(encoding="utf-8")
    return f"if(!window.zfLine){{{text}}}"


def _plans(twin: Twin, aspect: float = ASPECT) -> tuple[Layout, Layout]:
    """Return the plan for a wide screen, true where twin.toml has places, and the one for a telephone."""
    return layout(twin.line, twin.places, aspect), downwards(twin.line)


def of_replay(visit: Visit, one: Replay) -> dict[str, object]:
    """Return what the player needs of days gone by or simulated."""
    figures: list[dict[str, object]] = [
        {"id": name, "title": visit.read(title), "unit": unit or visit.say("件", "pieces"), "values": _rounded(one.counters.get(name, ()))}
        for name, (title, unit) in FIGURES.items()
        if name in one.counters or (name == "output" and one.output is not None)
    ]  # fmt: skip
    if "electricity" in one.counters:
        power = {"id": "power", "title": visit.read(LIVE["power"][0]), "unit": "kW", "rate": True, "values": _rounded(one.counters["electricity"])}  # fmt: skip
        figures.insert(0, power)
    return {
        **_drawn(visit, one.twin),
        "source": one.source,
        "begin": one.begin.replace(tzinfo=None).isoformat(timespec="seconds"),
        "span": one.span_s,
        "step": one.step_s,
        "stationOf": list(one.station_of),
        "start": list(one.start),
        "packed": packed(one),
        "figures": figures,
        "bottleneck": one.bottleneck,
        "speed": 60 if one.source == "simulated" else 600,
        "autoplay": True,
        "bands": True,
        "table": True,
    }


def of_now(visit: Visit, twin: Twin, *, table: bool = True, aspect: float = ASPECT) -> dict[str, object]:
    """Return what the player needs of the line as it is now, on a plan of about an aspect; the states come by `seen_now`."""
    places = range(len(twin.line.stations))
    figures = [{"id": name, "title": visit.read(title), "unit": unit, "values": [0]} for name, (title, unit) in LIVE.items()]  # fmt: skip
    return {
        **_drawn(visit, twin, aspect),
        "source": "live",
        "begin": "2000-01-01T00:00:00",
        "span": 1,
        "step": 1,
        "stationOf": list(places),
        "start": [len(STATES)] * len(places) + [-1] * len(twin.line.buffers) + [0],
        "packed": None,
        "figures": figures,
        "bottleneck": None,
        "speed": 1,
        "autoplay": False,
        "bands": False,
        "table": table,
    }


def seen_now(visit: Visit, twin: Twin, now: Now) -> dict[str, object]:
    """Return the states, levels and figures of a moment for the player."""
    by_id = {one.id: one for one in now.stations}
    own = [by_id[one.id] for one in twin.line.stations]
    power = [one for one in own if one.power_kw is not None]
    used = [one.energy_today["electricity"] for one in own if "electricity" in one.energy_today]
    grams = [one.gco2e_today for one in own if one.gco2e_today is not None]
    more = [_more(visit, one) for one in own]
    return {
        "states": [len(STATES) if one.state is None else STATES.index(one.state) for one in own],
        "levels": [now.levels.get(one.id) for one in twin.line.buffers],
        "figures": [
            sum(one.power_kw or 0.0 for one in power) if power else None,
            sum(one.expected_kw or 0.0 for one in power) if power else None,
            sum(used) if used else None,
            sum(grams) / 1000.0 if grams else None,
        ],
        "more": more,
        "short": ["" if one.power_kw is None else f"{one.power_kw:,.0f} kW" for one in own],
    }


def _more(visit: Visit, one: StationNow) -> str:
    """Return what stands beside a station's state: since when its signal tells it, its power and the one expected."""
    told = []
    if one.source == "signal" and one.since is not None:
        since = one.since.astimezone(zone(visit.context.workspace.plant.time_zone))
        told.append(visit.say(f"信号, 自 {since:%m-%d %H:%M:%S}", f"by signal, since {since:%m-%d %H:%M:%S}"))
    if one.power_kw is not None and one.expected_kw is not None:
        told.append(visit.say(f"{one.power_kw:,.0f} kW, 应有 {one.expected_kw:,.0f}", f"{one.power_kw:,.0f} kW, {one.expected_kw:,.0f} by the twin"))  # fmt: skip
    return " · ".join(told)


def packed(one: Replay) -> dict[str, object]:
    """Return the moves as four columns, deflated: tenths of a second since the move before, track, value, by way of which station."""
    moves = one.moves
    tenths = np.rint(moves.at_s * TENTHS).astype(np.int64)
    columns = (
        np.diff(tenths, prepend=0).astype("<u4"),
        moves.track.astype("<u2"),
        moves.value.astype("<i2"),
        moves.via.astype("<i2"),
    )
    raw = b"".join(column.tobytes() for column in columns)
    return {"count": len(moves), "bytes": b64encode(zlib.compress(raw, 6)).decode()}


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), 1) for value in values]


def _drawn(visit: Visit, twin: Twin, aspect: float = ASPECT) -> dict[str, object]:
    """Return what never moves: stations, buffers, plans, states and words."""
    wide, narrow = _plans(twin, aspect)
    shops = {one.id: visit.read(one.name) for one in visit.context.workspace.plant.shops}
    said = [visit.read(TITLES[state]) for state in STATES]
    return {
        "stations": [
            {"id": one.id, "title": visit.read(one.title), "lines": wrapped(visit.read(one.title)), "few": wrapped(visit.read(one.title), SMALL_STATION[0] - 28.0), "machines": one.machines}
            for one in twin.line.stations
        ],
        "buffers": [
            {"id": one.id, "title": one.id if one.title is None else visit.read(one.title), "short": wrapped(one.id if one.title is None else visit.read(one.title), 78.0, 1, 5.6)[0], "room": one.capacity, "travel": one.travel_s}
            for one in twin.line.buffers
        ],
        "plans": {"wide": wide.as_json(), "narrow": narrow.as_json()},
        "shops": shops,
        "states": [
            {"id": name, "title": title, "mark": MARKS[name].mark, "colour": MARKS[name].colour, "hatched": MARKS[name].is_hatched, "band": list(MARKS[name].band)}
            for name, title in zip((*STATES, "unknown"), (*said, visit.say("不明", "unknown")), strict=True)
        ],
        "working": STATES.index("working"),
        "unknown": len(STATES),
        "words": {**{name: visit.read(text) for name, text in WORDS.items()}, "columns": [visit.say("名称", "Name"), visit.say("类别", "Kind"), visit.say("此刻", "Now")]},
    }  # fmt: skip


def wrapped(text: str, wide: float = STATION[0] - 30.0, most: int = 2, each: float = 7.6) -> list[str]:
    """Return a title in lines that fit a box; what does not fit ends in an ellipsis.

    Examples
    --------
    >>> wrapped("polishing and spot repair")
    ['polishing and', 'spot repair']
    >>> wrapped("精修与点修补")
    ['精修与点修补']
    """

    def width(words: str) -> float:
        return sum(2 * each if ord(letter) > 0x2E80 else each for letter in words)

    lines: list[str] = [""]
    parts = text.split(" ") if " " in text else list(text)
    gap = " " if " " in text else ""
    for part in parts:
        longer = f"{lines[-1]}{gap}{part}" if lines[-1] else part
        if width(longer) <= wide or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(part)
    shown = lines[:most]
    if len(lines) > most or width(shown[-1]) > wide:
        while shown[-1] and width(shown[-1]) + each > wide:
            shown[-1] = shown[-1][:-1]
        shown[-1] = f"{shown[-1].rstrip()}…"
    return shown


def scene(visit: Visit, place: Stage) -> None:
    """Make the boxes of the line in 3D and hand them to the player."""
    plan, spots = place.plan, {one.id: one for one in place.plan.spots}
    s = UNITS_PER_METRE_3D
    left, top = plan.wide / 2, plan.high / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left) * s, (top - y) * s

    background = "#16191c" if visit.dark else "#eef1f4"
    words = f"position:static;color:{'#f2f5f7' if visit.dark else '#16302b'};font-size:11px;font-weight:600;background:{'#0009' if visit.dark else '#fffb'};padding:0 4px;border-radius:3px;white-space:nowrap"
    with place.box, ui.scene(height=520, grid=False, background_color=background, fps=30, camera=ui.scene.perspective_camera(fov=35)).classes("w-full zf-line-scene") as drawn:  # fmt: skip
        drawn.props(
            f'role=img aria-label="{visit.say("产线三维图, 拖动旋转, 滚轮缩放", "The line in 3D: drag to turn, wheel to come nearer")}"'
        )
        drawn.box(plan.wide * s, plan.high * s, 0.05).move(0, 0, -0.05).material("#20262b" if visit.dark else "#dfe5ea")
        for area in plan.areas:
            x, y = at(area.x + area.wide / 2, area.y + area.high / 2)
            drawn.box(area.wide * s, area.high * s, 0.04).move(x, y, 0).material("#2c343b" if visit.dark else "#cdd6dd")
        stations, labels, buffers = [], [], []
        for one in place.line.stations:
            spot = spots[one.id]
            x, y = at(spot.x, spot.y)
            stations.append(drawn.box(spot.wide * s, spot.high * s * 0.8, HIGH_STATION).move(x, y, HIGH_STATION / 2).material("#80868b").id)  # fmt: skip
            labels.append(drawn.text("", words).move(x, y, HIGH_STATION + 0.4).id)
        for buffer in place.line.buffers:
            spot = spots[buffer.id]
            x, y = at(spot.x, spot.y)
            drawn.box(2.0, 2.0, HIGH_STACK, wireframe=True).move(x, y, HIGH_STACK / 2).material("#9aa1a8")
            buffers.append(drawn.box(1.9, 1.9, 1.0).move(x, y, 0.5).material("#3f86b8").id)
        dot = drawn.sphere(0.28).material("#c07d10" if visit.dark else "#8a4b08").id
        for edge in plan.edges:
            a, b, c, d = ([*at(x, y), LIFT / 2] for x, y in edge.curve)
            drawn.curve(a, b, c, d, num_points=12).material("#9aa1a8")
        far = max(plan.wide * s * 1.02, plan.high * s * 1.5)
        drawn.move_camera(0, -far * 0.75, far * 0.62, 0, -far * 0.04, 0, duration=0)
    ids = {
        "scene": drawn.id, "stations": stations, "labels": labels, "buffers": buffers, "dot": dot,
        "high": HIGH_STACK, "lift": LIFT, "place": [left, top, s],
    }  # fmt: skip
    ui.run_javascript(f"zfLine.space({json.dumps(place.id)},{json.dumps(ids)})")


def flat(place: Stage) -> None:
    """Put the plan back where the scene was."""
    place.box.clear()
    ui.run_javascript(f"zfLine.space({json.dumps(place.id)},null)")
