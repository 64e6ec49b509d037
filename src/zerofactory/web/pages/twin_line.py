"""The line in motion: a day simulated or metered played on the plan or in 3D, or the line as it is now; states and flows over the day."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.twin.line import STATES, TITLES
from zerofactory.runs import twin_draft, twin_replay, twin_scenario
from zerofactory.runs.twin import day_of
from zerofactory.runs.twin_compare import CARRIERS
from zerofactory.runs.twin_file import is_there, read
from zerofactory.runs.twin_replay import Replay
from zerofactory.web import charts, line_follow, line_view
from zerofactory.web.act import act
from zerofactory.web.frame import Page, problems
from zerofactory.web.line_look import MARKS
from zerofactory.web.parts import choose_part, heading
from zerofactory.web.visit import Visit

PATIENCE_SECONDS = 20.0  # a slow browser is asked whether it has WebGL
FEW_LINKS = 12
LEAST_FLOW = 0.004  # of the whole: thinner flows are left out of the picture
PARTS = {
    "simulated": Text("模拟一天", "A simulated day"),
    "readings": Text("由读数重放", "Replayed from readings"),
    "live": Text("此刻", "Now"),
}


def build(visit: Visit) -> None:
    """Draw the page."""
    if not is_there(visit.context):
        _draft(visit)
        return
    part = choose_part(visit, "/twin/line", PARTS)
    if part == "live":
        _live(visit)
    else:
        _replayed(visit, part)


def _draft(visit: Visit) -> None:
    """Offer a first twin to a plant that has none."""
    ui.label(visit.say("这座工厂还没有孪生(twin.toml)。", "This plant has no twin (twin.toml) yet.")).classes(
        "text-lg font-semibold"
    )
    ui.label(visit.say(
        "可以先起草一份: 工位按车间与产线的顺序, 节拍由产量与班次, 功率由表计; 流向、缓存、待料与待机功率是占位, 之后请在工作区里逐项改成自己的。",
        "A first one can be drafted: stations in the order of shops and lines, the cycle from output and shifts, powers from meters; the flow, rooms, idle and standby powers are placeholders, to be replaced in the workspace.",
    )).classes("opacity-80 max-w-3xl")  # fmt: skip
    if not visit.may("manage"):
        ui.label(visit.say("请能作决定的人来起草。", "Somebody who may decide can draft it."))
        return
    result = ui.column().classes("w-full")
    with ui.row().classes("items-end gap-3"):
        takt = ui.number(visit.say("每件用时 s(空: 由产量算)", "Seconds a piece (empty: from output)"), min=0).props("dense outlined").classes("w-72")  # fmt: skip

        async def make() -> None:
            told = float(takt.value) if takt.value else None
            if await act(visit, "manage", "twin draft", lambda context: twin_draft.write(context, twin_draft.draft(context, told)), result):  # fmt: skip
                ui.navigate.reload()

        ui.button(visit.say("起草", "Draft it"), icon="draw", on_click=make).props("id=zf-draft")
    result.move(target_index=-1)


def _replayed(visit: Visit, part: str) -> None:
    """Draw the form and, at once, a day."""
    said = {
        "simulated": ("按 twin.toml 模拟(先空跑三天使线上有件), 在浏览器里播放; 圆点是工件。", "Simulated from twin.toml, three days run before so that the line is full; played in the browser; dots are pieces."),
        "readings": ("表计每个间隔的功率说明工位最可能处于哪种状态; 没有表计的工位不明。", "The power of each interval tells the likeliest state of a station; one without a meter is unknown."),
    }[part]  # fmt: skip
    ui.label(visit.say(*said)).classes("opacity-80")
    with ui.row().classes("items-end gap-3 zf-noprint"):
        first = ui.input(visit.say("日期", "Day"), value=visit.asked.get("day") or _likely_day(visit, part)).props("dense outlined type=date stack-label").classes("w-44")  # fmt: skip
        days = ui.number(visit.say("天数", "Days"), value=1, min=1, max=twin_replay.MOST_DAYS, format="%d").props("dense outlined").classes("w-24")  # fmt: skip
        seed = (
            ui.number(visit.say("随机种子", "Seed"), value=1, min=0, format="%d")
            .props("dense outlined")
            .classes("w-28")
        )
        scenario = _scenarios(visit)
        seed.visible = scenario.visible = part == "simulated"
        button = ui.button(visit.say("播放这一天", "Play this day")).props("id=zf-replay")
        space = _dimension(visit)
    place = ui.column().classes("w-full gap-4")

    async def draw() -> None:
        button.disable()
        try:
            found = await act(visit, "read", "twin replay", lambda context: twin_replay.replay(context, _asked(part, first.value, days.value, (seed.value, scenario.value))), place)  # fmt: skip
        finally:
            button.enable()
        if found is not None:
            with place:
                stood = line_view.stage(visit, "zf-stage", found.twin, line_view.of_replay(visit, found))
                _turns(visit, space, stood)
                _over_the_day(visit, found)

    button.on_click(draw)
    ui.timer(0.1, draw, once=True)


def _asked(part: str, first: str | None, days: float | None, run: tuple[float | None, str | None]) -> twin_replay.Asked:
    source: twin_replay.Source = "readings" if part == "readings" else "simulated"
    return twin_replay.Asked(day_of(first), max(1, int(days or 1)), source, max(0, int(run[0] or 0)), run[1] or None)


def _scenarios(visit: Visit) -> ui.select:
    """Let a scenario be played instead of the plant as it is."""
    try:
        there = {
            one.id: visit.read(one.title)
            for one in twin_scenario.listed(visit.context)
            if twin_replay.can_be_played(one)
        }
    except FaultyData:  # told where scenarios are compared
        there = {}
    asked = visit.asked.get("scenario", "")
    choices = {"": visit.say("现状", "The plant as it is"), **there}
    return ui.select(choices, value=asked if asked in there else "", label=visit.say("场景", "Scenario")).props("dense outlined").classes("w-52")  # fmt: skip


def _likely_day(visit: Visit, part: str) -> str:
    """Return a day there is something to see of."""
    if part == "simulated":
        return twin_replay.next_day(visit.context).isoformat()
    try:
        return visit.kept("newest day of the twin", twin_replay.newest_day).isoformat()
    except FaultyData:  # told when it is played
        return visit.context.today.isoformat()


def _dimension(visit: Visit) -> ui.toggle:
    return ui.toggle({"2d": visit.say("平面", "Plan"), "3d": visit.say("三维", "3D")}, value="2d").props(f'no-caps unelevated id=zf-dimension aria-label="{visit.say("平面或三维", "Plan or 3D")}"')  # fmt: skip


def _turns(visit: Visit, space: ui.toggle, stood: line_view.Stage) -> None:
    """Let the toggle change between plan and scene; without WebGL it says so and stays."""

    async def turn() -> None:
        if space.value != "3d":
            line_view.flat(stood)
        elif await ui.run_javascript("zfLine.hasSpace()", timeout=PATIENCE_SECONDS):
            line_view.scene(visit, stood)
        else:
            ui.notify(visit.say("此浏览器没有 WebGL, 只能看平面图。", "This browser has no WebGL; there is the plan only."), type="warning")  # fmt: skip
            space.set_value("2d")

    space.on_value_change(turn)


def _over_the_day(visit: Visit, found: Replay) -> None:
    """Draw how the stations passed the time and where the energy went."""
    titles = {one.id: visit.read(one.title) for one in found.twin.line.stations}
    heading(visit.say("开班时间怎样用掉", "How the open time passed"))
    named = {"working": "working", "setup": "setup", "failed": "failed", "idle": "starved", "blocked": "blocked"}
    shown = {visit.read(TITLES[state]): [round(100 * getattr(one, name), 1) for one in found.shares] for state, name in named.items()}  # fmt: skip
    with ui.card().classes("w-full"):
        drawn = charts.bars([titles[one.station] for one in found.shares], shown, "%", stacked=True, title=visit.say("开班时间", "Open time"))  # fmt: skip
        drawn.options["color"] = [MARKS[state].colour for state in named]
        drawn.options["yAxis"]["max"] = 100
    if found.grain_s:
        ui.label(visit.say(f"动画每 {found.grain_s:g} 秒取一次状态, 累计数不受影响。", f"The animation keeps one state every {found.grain_s:g} s; totals are whole.")).classes("text-sm opacity-80")  # fmt: skip
    heading(visit.say("能源流向: 车间、工位、状态", "Where the energy went: shop, station, state"))
    for carrier, (title, unit) in CARRIERS.items():
        links = _links(visit, found, carrier)
        if links:
            with ui.card().classes("w-full"):
                ui.label(f"{visit.read(title)} · {unit}").classes("font-semibold")
                high = "h-[34rem]" if len(links) > FEW_LINKS else "h-72"
                charts.flows(links, unit, 12, visit.read(title)).classes(remove="h-72", add=high)


def _links(visit: Visit, found: Replay, carrier: str) -> list[tuple[str, str, float]]:
    """Return the flows of a carrier: to shops, to stations and utilities, to states."""
    shops = {one.id: visit.read(one.name) for one in visit.context.workspace.plant.shops}
    amounts = found.by_state.get(carrier)
    rows = [] if amounts is None else [(one.title, one.shop, float(amounts[place].sum()), amounts[place]) for place, one in enumerate(found.twin.line.stations)]  # fmt: skip
    rows += [(one.title, one.shop, one.energy.get(carrier, 0.0), None) for one in found.aside]
    least = LEAST_FLOW * sum(own for _, _, own, _ in rows)
    links: list[tuple[str, str, float]] = []
    sums: dict[str, float] = {}
    for title, place, own, states in rows:
        shop, name = f"{shops.get(place or '', visit.say('其他', 'other'))} ", visit.read(title)
        if own <= least or not own:
            continue
        sums[shop] = sums.get(shop, 0.0) + own
        links.append((shop, name, own))
        if states is None:
            links.append((name, visit.say("公用设备  ", "utilities  "), own))
        else:
            links += [(name, f"{visit.read(TITLES[state])}  ", float(states[n])) for n, state in enumerate(STATES) if states[n] > least / 4]  # fmt: skip
    return [(visit.read(CARRIERS[carrier][0]), shop, amount) for shop, amount in sums.items()] + links


def _live(visit: Visit) -> None:
    """Draw the line as its meters show it, again every few seconds; the last state where they are silent."""
    ui.label(visit.say("各工位的状态由最新读数推断, 每几秒刷新。", "States inferred from the newest readings, refreshed every few seconds.")).classes("opacity-80")  # fmt: skip
    space = _dimension(visit)
    told = ui.label().classes("text-sm")
    place = ui.column().classes("w-full gap-4")
    try:
        twin = read(visit.context)
    except FaultyData as fault:
        problems(visit, fault.problems)
        return
    with place:
        stood = line_view.stage(visit, "zf-stage", twin, line_view.of_now(visit, twin))
    _turns(visit, space, stood)
    line_follow.follow(visit, twin, stood, told)


PAGE = Page(
    "twin_line", "/twin/line", Text("产线动画", "Line in motion"), "conveyor_belt", "optimise", 71, "read", build
)
