"""Parts of the energy page about running: the next 24 hours, how the method would have done, commands and manual overrides."""

from __future__ import annotations

from datetime import timedelta

from nicegui import run as background
from nicegui import ui

from zerofactory.connectors.override import overrides
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.energy.strategies import STRATEGIES
from zerofactory.periods import zone
from zerofactory.runs import command_book, energy_run
from zerofactory.runs import energy_dispatch as run
from zerofactory.runs.jobs import Job
from zerofactory.web import charts
from zerofactory.web.act import act
from zerofactory.web.frame import empty, figure, problems, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit
from zerofactory.web.work import begin, resume

AHEAD_HOURS, SHOWN_COMMANDS = 24, 100
OUTCOMES = {
    "confirmed": Text("已确认", "confirmed"), "refused": Text("未下发", "not sent"), "failed": Text("失败", "failed"), "unknown": Text("不明", "unknown"),
    "would_send": Text("将下发", "would send"), "on": Text("接管", "taken in hand"), "off": Text("交还", "given back"),
}  # fmt: skip


ACTIONS = {
    "charge": Text("充入", "charge"), "discharge": Text("放出", "discharge"), "power": Text("用电", "power taken"), "gas": Text("用气", "gas taken"), "dumped": Text("弃热", "heat dumped"),
    "compressor": Text("压缩机功率", "compressor power"), "delivered": Text("供出", "delivered"), "taken": Text("取用", "taken"), "stack": Text("电解槽功率", "stack power"),
    "back": Text("反送", "fed back"), "lowered": Text("调低", "lowered"), "raised": Text("调高", "raised"), "melted": Text("熔化", "melted"), "settled": Text("结算", "settled"),
    "import": Text("受电", "import"), "export": Text("上网", "export"), "on": Text("开", "on"), "used": Text("利用", "used"), "recovered": Text("回收", "recovered"),
    "override": Text("人工接管", "override"), "heartbeat": Text("心跳", "heartbeat"),
}  # fmt: skip
UNITS = {"kw": "kW", "nm3_per_h": "Nm3/h", "kg_per_h": "kg/h", "t_per_h": "t/h"}


def action_of(visit: Visit, name: str) -> tuple[str, str]:
    """Return what an action of an asset is called, and its unit; `gas_nm3_per_h` is gas taken in Nm3/h."""
    what, _, unit = name.partition("_")
    return visit.read(ACTIONS.get(what, Text(name, name))), UNITS.get(unit, unit)


def sizes_of(text: str) -> dict[str, float]:
    """Return candidates taken as built, written as ``battery=60000, pv=5000``; raise `FaultyData` with every fault.

    Examples
    --------
    >>> sizes_of("battery=60000, pv = 5000")
    {'battery': 60000.0, 'pv': 5000.0}
    """
    found, faults = {}, []
    for part in (one.strip() for one in text.replace(";", ",").split(",")):
        name, _, number = part.partition("=")
        try:
            if part:
                found[name.strip()] = float(number)
        except ValueError:
            message = Text(f"“{part}”不是 编号=数值。", f"'{part}' is not id=number.")
            faults.append(Problem("dispatch.setting", message, Text("例如 battery=60000。", "For example battery=60000.")))  # fmt: skip
    if faults:
        raise FaultyData(faults)
    return found


def dispatch(visit: Visit) -> None:
    """Draw what each asset should do now and in the hours ahead."""
    build = visit.asked.get("build", "")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        label = visit.say("把候选设备当作已建, 如 battery=60000", "Take candidates as built, e.g. battery=60000")
        asked = ui.input(label, value=build).props("dense outlined").classes("w-96")
        ui.button(visit.say("重新计划", "Plan anew"), on_click=lambda: ui.navigate.to(f"/energy?part=dispatch&build={asked.value or ''}")).props("outline")  # fmt: skip
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")
    with place:
        ui.spinner()

    async def draw() -> None:
        try:
            found = await background.io_bound(lambda: visit.kept(f"dispatch {build}", lambda context: run.run(context, run.Asked(horizon_hours=AHEAD_HOURS, build=sizes_of(build)))))  # fmt: skip
        except FaultyData as fault:
            place.clear()
            with place:
                problems(visit, fault.problems)
            return
        if found is not None:
            place.clear()
            with place:
                _ahead(visit, found)

    ui.timer(0.1, draw, once=True)


def _ahead(visit: Visit, found: run.Dispatch) -> None:
    clock = zone(visit.context.workspace.plant.time_zone)
    now = found.lines[0]
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("此刻电价", "Price now"), f"{now.price_cny_per_kwh:.4f}", visit.say("元/kWh", "CNY/kWh"), f"{found.at.astimezone(clock):%Y-%m-%d %H:%M}")  # fmt: skip
        figure(visit, Text("此刻负荷", "Load now"), f"{now.load_kw:,.0f}", "kW")
        figure(visit, Text("本月已发生需量", "Peak of the month so far"), f"{found.peak_so_far_kw:,.0f}", "kW")
        figure(visit, Text(f"今后 {found.horizon_hours} 小时", f"Next {found.horizon_hours} hours"), f"{found.cost_cny / 10_000:,.1f}", visit.say("万元", "10k CNY"), f"{found.emissions_t:,.0f} tCO2e")  # fmt: skip
    ui.label(visit.say("独立检查通过。", "The independent check passed.")).classes("text-positive")
    heading(visit.say("此刻该做什么", "What to do now"))
    columns = [("asset", visit.say("设备", "Asset")), ("action", visit.say("动作", "Action")), ("value", visit.say("设定值", "Setpoint")), ("unit", visit.say("单位", "Unit"))]  # fmt: skip
    rows = [
        {
            "id": f"{name}.{action}",
            "asset": visit.read(found.titles[name]),
            "action": action_of(visit, action)[0],
            "value": f"{value:,.1f}",
            "unit": action_of(visit, action)[1],
        }
        for name, own in found.setpoints.items()
        for action, value in own.items()
    ]
    if rows:
        table(columns, rows, ("value",))
    else:
        ui.label(visit.say("没有可调度的设备。", "There is no asset to dispatch.")).classes("opacity-70")
    heading(visit.say(f"今后 {found.horizon_hours} 小时(正为送入母线)", f"The next {found.horizon_hours} hours (+ into the bus)"))  # fmt: skip
    hours = [f"{line.started_at.astimezone(clock):%m-%d %H:%M}" for line in found.lines]
    power: dict[str, list[float | None]] = {visit.say("负荷", "load"): [round(line.load_kw) for line in found.lines]}
    for name in now.power_kw:
        values: list[float | None] = [round(line.power_kw[name]) for line in found.lines]
        if any(values):
            power[visit.read(found.titles[name])] = values
    with ui.card().classes("w-full"):
        charts.lines(hours, power, "kW")
    with ui.card().classes("w-full"):
        charts.lines(hours, {visit.say("电价", "price"): [round(line.price_cny_per_kwh, 4) for line in found.lines]}, visit.say("元/kWh", "CNY/kWh"))  # fmt: skip
    stored: dict[str, list[float | None]] = {visit.read(found.titles[name]): [round(line.stored_kwh[name]) for line in found.lines] for name in now.stored_kwh}  # fmt: skip
    if stored:
        with ui.card().classes("w-full"):
            charts.lines(hours, stored, visit.say("存量 kWh", "stored kWh"))
    for note in found.notes:
        ui.label(visit.read(note)).classes("text-sm opacity-70")


def backtest(visit: Visit) -> None:
    """Draw the form of the back-test and its table: no store, the rule, the rolling method, perfect foresight."""
    ui.label(visit.say("同一方法在实测日上会省多少: 与没有储能、简单规则、完全预知相比。", "What the same method would have saved on measured days, beside no store, a simple rule and perfect foresight."))  # fmt: skip
    result = ui.column().classes("w-full gap-4").props("aria-live=polite")
    newest = max(visit.context.workspace.seals()["period"].to_list(), default="")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        first = ui.input(visit.say("首日", "First day"), value=f"{newest}-08" if newest else "").props("dense outlined type=date stack-label").classes("w-44")  # fmt: skip
        days = ui.number(visit.say("天数", "Days"), value=2, min=1, max=14, precision=0).props("dense outlined").classes("w-28")  # fmt: skip
        step = ui.select({60: "60 min", 30: "30 min", 15: "15 min"}, value=60, label=visit.say("步长", "Step")).props("dense outlined").classes("w-32")  # fmt: skip
        build = ui.input(visit.say("当作已建, 如 battery=60000", "Taken as built, e.g. battery=60000"), value="battery=60000").props("dense outlined").classes("w-72")  # fmt: skip

    def told(job: Job) -> None:
        _judged(visit, job.result)

    def work() -> None:
        try:
            built = sizes_of(build.value or "")
        except FaultyData as fault:
            result.clear()
            with result:
                problems(visit, fault.problems)
            return
        asked = {"first": str(first.value), "days": int(days.value or 1), "step_minutes": int(step.value or 60), "horizon_hours": AHEAD_HOURS, "build": built}  # fmt: skip
        begin(visit, "backtest", asked, result, told)

    ui.button(visit.say("回测", "Back-test"), icon="history", on_click=work).classes("zf-noprint").props("id=zf-backtest")  # fmt: skip
    result.move(target_index=-1)
    resume(visit, "backtest", result, told)


def _judged(visit: Visit, found: run.Backtest) -> None:
    columns = [
        ("title", visit.say("运行方式", "Strategy")), ("cost", visit.say("费用 元", "Cost CNY")), ("saved", visit.say("节省 元", "Saved CNY")),
        ("share", visit.say("占完全预知 %", "% of perfect foresight")), ("peak", visit.say("最大需量 kW", "Peak kW")), ("check", visit.say("独立检查", "Check")),
    ]  # fmt: skip
    rows = []
    for name, one in found.judged.items():
        share = found.share(name)
        passed = visit.say("通过", "passed") if one.check.passed else visit.say("未通过", "failed")
        rows.append({"id": name, "title": visit.read(STRATEGIES[name]), "cost": f"{one.cost_cny:,.0f}", "saved": f"{found.saved_cny(name):,.0f}", "share": "—" if share is None else f"{100 * share:.1f}", "peak": f"{one.peak_kw:,.0f}", "check": passed})  # fmt: skip
    table(columns, rows, ("cost", "saved", "share", "peak"))
    with ui.card().classes("w-full"):
        saved = {visit.read(STRATEGIES[name]): round(found.saved_cny(name)) for name in found.judged}
        charts.ranked(saved, visit.say("节省 元", "saved, CNY"), title=visit.say("节省", "Saved"))
    start = found.first.astimezone(zone(visit.context.workspace.plant.time_zone)).date()
    end = start + timedelta(days=found.days - 1)
    ui.label(f"{start} … {end} · {found.step_minutes} min").classes("text-sm opacity-70")


def commands(visit: Visit) -> None:
    """Draw who holds what in hand, what was sent to devices, and the switch of the manual override."""
    context = visit.context
    standing = overrides(context.workspace.folder)
    for one in standing:
        who = one.asset or visit.say("全厂", "the plant")
        ui.label(visit.say(f"人工接管中: {who}({one.actor}, {one.at[:16]}, {one.reason})", f"In hand: {who} ({one.actor}, {one.at[:16]}, {one.reason})")).classes("text-warning").props("role=alert")  # fmt: skip
    rows = command_book.commands(context, None, SHOWN_COMMANDS).to_dicts()
    clock = zone(context.workspace.plant.time_zone)
    if rows:
        columns = [
            ("at", visit.say("时间", "At")), ("asset", visit.say("设备", "Asset")), ("action", visit.say("动作", "Action")), ("wished", visit.say("计划", "Wished")), ("sent", visit.say("下发", "Sent")),
            ("read", visit.say("读回", "Read back")), ("outcome", visit.say("结果", "Outcome")), ("why", visit.say("原因", "Why")), ("actor", visit.say("谁", "By")),
        ]  # fmt: skip
        shown = [
            {"id": n, "at": f"{row['commanded_at'].astimezone(clock):%m-%d %H:%M:%S}", "asset": row["asset"] or visit.say("全厂", "the plant"), "action": action_of(visit, row["action"])[0],
             "wished": _number(row["wished"]), "sent": _number(row["sent"]), "read": _number(row["read_back"]), "outcome": visit.read(OUTCOMES.get(row["outcome"], Text(row["outcome"], row["outcome"]))),
             "why": row["reason_zh"] if visit.language == "zh" else row["reason_en"], "actor": row["actor"]}
            for n, row in enumerate(reversed(rows))
        ]  # fmt: skip
        table(columns, shown, ("wished", "sent", "read"), per_page=20)
    else:
        hint = Text(
            "在 commands.toml 中写明允许对哪些设备下发什么", "State in commands.toml what may be sent to which device"
        )
        empty(visit, Text("还没有向设备下发过指令。", "Nothing was sent to devices yet."), hint)
    if visit.may("manage"):
        _override(visit, {one.asset or "" for one in standing})
    _preview(visit)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.1f}"


def _override(visit: Visit, standing: set[str]) -> None:
    heading(visit.say("人工接管", "Manual override"))
    ui.label(visit.say("接管期间不向设备下发任何指令, 心跳也停。", "While it is on nothing is sent to the device, not even the heartbeat.")).classes("opacity-70")  # fmt: skip
    result = ui.column().classes("w-full")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        asset = ui.input(visit.say("设备编号(空为全厂)", "Asset (empty: the plant)"), value=next(iter(standing), "")).props("dense outlined").classes("w-64")  # fmt: skip
        reason = ui.input(visit.say("原因", "Reason")).props("dense outlined").classes("w-80")

        async def turn(on: bool) -> None:
            done = await act(visit, "manage", "override", lambda context: command_book.override(context, (asset.value or "").strip() or None, on, reason.value or ""), result)  # fmt: skip
            if done is not None:
                ui.navigate.reload()

        ui.button(visit.say("接管", "Take in hand"), icon="back_hand", on_click=lambda: turn(True)).props("outline id=zf-take")  # fmt: skip
        ui.button(visit.say("交还", "Give back"), on_click=lambda: turn(False)).props("outline id=zf-give")
    result.move(target_index=-1)


def _preview(visit: Visit) -> None:
    heading(visit.say("此刻会下发什么(不下发)", "What would be sent now (nothing is sent)"))
    result = ui.column().classes("w-full")

    async def look() -> None:
        button.props("loading")
        made: list[energy_run.Round] = []
        asked = energy_run.Asked(run.Asked(horizon_hours=AHEAD_HOURS), dry_run=True, once=True)
        done = await act(visit, "read", "preview commands", lambda context: energy_run.run(context, asked, made.append), result)  # fmt: skip
        button.props(remove="loading")
        if done is not None and made:
            columns = [("asset", visit.say("设备", "Asset")), ("action", visit.say("动作", "Action")), ("target", visit.say("设定值", "Setpoint")), ("outcome", visit.say("结果", "Outcome"))]  # fmt: skip
            rows = [
                {"id": n, "asset": one.asset, "action": " ".join(action_of(visit, one.action)), "target": _number(one.target), "outcome": visit.read(OUTCOMES.get(one.outcome, Text(one.outcome, one.outcome)))}
                for n, one in enumerate(made[-1].commands)
            ]  # fmt: skip
            with result:
                table(columns, rows, ("target",)) if rows else ui.label(
                    visit.say("没有接线的设备。", "No device is wired.")
                )

    button = ui.button(visit.say("看一看", "Look"), icon="visibility", on_click=look).props("outline").classes("zf-noprint")  # fmt: skip
    result.move(target_index=-1)
