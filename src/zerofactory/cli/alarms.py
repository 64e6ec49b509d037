"""Commands of alarms: scan, list, show, ack, assign, close, rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.runs.alarms import Alarm

SHOWN = 40
AlarmArgument = Annotated[
    str, typer.Argument(metavar="ALARM", help=say("报警编号(或其开头)", "alarm id, or its beginning"))
]
TextOption = Annotated[str, typer.Option("--text", metavar="TEXT", help=say("说明", "what to say"))]
RuleOption = Annotated[
    list[str] | None, typer.Option("--rule", metavar="RULE", help=say("只用这些规则", "these rules only"))
]
MeterOption = Annotated[
    list[str] | None, typer.Option("--meter", metavar="METER", help=say("只看这些表计", "these meters only"))
]
STATES = {
    "open": ("未处理", "open"), "acknowledged": ("已确认", "acknowledged"), "assigned": ("已指派", "assigned"), "closed": ("已关闭", "closed"),
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("报警与偏离常态", "alarms and anomalies"))
    group.command(
        "scan", help=say("按规则检查一段时间, 新发现入账", "look at days by every rule and book what is new")
    )(scan)
    group.command("list", help=say("列出报警", "list alarms"))(list_)
    group.command("show", help=say("一个报警及其经过", "one alarm and what was done"))(show)
    group.command("ack", help=say("确认", "acknowledge"))(ack)
    group.command("assign", help=say("指派", "assign"))(assign)
    group.command("close", help=say("关闭(须写原因)", "close, with a reason"))(close)
    group.command("rules", help=say("规则、参数及出处", "rules, parameters and their sources"))(rules)
    app.add_typer(group, name="alarms")


@door
def scan(
    period: Annotated[str | None, typer.Option("--period", metavar="PERIOD", help=say("期间: 2025 或 2025-03", "period: 2025 or 2025-03"))] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help=say("起始日", "first day"))] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help=say("截止日(含)", "last day, included"))] = None,
    rule: RuleOption = None,
    meter: MeterOption = None,
    promise: Annotated[float | None, typer.Option("--false-alarms", min=0.0005, max=0.2, help=say("承诺误报率(每表每日)", "promised share of false alarms per meter and day"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import alarms as run

    context = opened(workspace)
    if period is not None:
        first, last = run.days_of_period(period)
    elif start is not None:
        first, last = start.date(), (end.date() + timedelta(days=1) if end else context.today + timedelta(days=1))
    else:
        first, last = run.newest_days(context, 2)
    done = run.scan(context, run.Asked(first, last, tuple(rule or ()), tuple(meter or ()), promise))
    if as_json:
        print_json(done.as_json())
        return
    _print([*done.raised, *done.extended], say(f"{first} 起 {done.days} 天, {done.meters} 块表{f', {done.cameras} 台检测相机' if done.cameras else ''}", f"{done.days} days from {first}, {done.meters} meters{f', {done.cameras} cameras' if done.cameras else ''}"), context.workspace.plant.time_zone)  # fmt: skip
    print_line(
        say(
            f"新报警 {len(done.raised)} 个, 延续 {len(done.extended)} 个; 偏离常态的承诺误报率 {done.promised_false_alarm_fraction:.1%}(每表每日)。",
            f"{len(done.raised)} raised, {len(done.extended)} went on; anomalies: promised false alarms {done.promised_false_alarm_fraction:.1%} of meter-days.",
        )
    )
    for note in done.notes:
        print_line(read(note))


@door
def list_(
    state: Annotated[str | None, typer.Option("--state", help="open | acknowledged | assigned | closed | active")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help=say("规则", "rule"))] = None,
    meter: Annotated[str | None, typer.Option("--meter", metavar="METER", help=say("表计", "meter"))] = None,
    shop: Annotated[str | None, typer.Option("--shop", metavar="SHOP", help=say("车间", "shop"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import alarms as run

    where = {name: value for name, value in (("rule", rule), ("meter", meter), ("shop", shop)) if value is not None}
    context = opened(workspace)
    found = run.alarms(context, state, where)
    if as_json:
        print_json([one.as_json() for one in found])
        return
    _print(found, say(f"报警 {len(found)} 个", f"{len(found)} alarms"), context.workspace.plant.time_zone)


@door
def show(alarm: AlarmArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import alarms as run

    context = opened(workspace)
    _print_one(run.show(context, alarm), context.workspace.plant.time_zone, as_json)


@door
def ack(
    alarm: AlarmArgument, text: TextOption = "", workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    from zerofactory.runs import alarms as run

    context = opened(workspace)
    _print_one(run.acknowledge(context, alarm, text), context.workspace.plant.time_zone, as_json)


@door
def assign(
    alarm: AlarmArgument,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help=say("负责人", "who"))],
    text: TextOption = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import alarms as run

    context = opened(workspace)
    _print_one(run.assign(context, alarm, to, text), context.workspace.plant.time_zone, as_json)


@door
def close(
    alarm: AlarmArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("原因", "why"))],
    normal: Annotated[bool, typer.Option("--as-normal", help=say("以后视为常态", "these days are normal from now on"))] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import alarms as run

    context = opened(workspace)
    _print_one(run.close(context, alarm, reason, normal), context.workspace.plant.time_zone, as_json)


@door
def rules(as_json: JsonOption = False) -> None:
    from zerofactory.monitoring.rule import listed, parameters
    from zerofactory.monitoring.rule import rules as every

    known = parameters()
    if as_json:
        print_json(listed())
        return
    rows = [
        (one.id if place == 0 else "", read(p.title), f"{p.value:g} {p.unit}", p.status)
        for one in every().values()
        for place, p in enumerate(known.get(one.id, {}).values())
    ]
    header = [say("规则", "rule"), say("参数", "parameter"), say("默认", "default"), say("来源状态", "status")]
    print_table(say("报警规则", "Alarm rules"), [(name, "left") for name in header], rows)


def _print(found: Sequence[Alarm], title: str, time_zone: str) -> None:
    header = [
        (say("报警", "alarm"), "left"), (say("开始", "from"), "left"), (say("规则", "rule"), "left"), (say("表计", "meter"), "left"),
        ("kWh", "right"), (say("元", "CNY"), "right"), ("kgCO2e", "right"), (say("状态", "state"), "left"),
    ]  # fmt: skip
    print_table(title, header, [_line(one, time_zone) for one in found[:SHOWN]])
    if len(found) > SHOWN:
        rest = len(found) - SHOWN
        print_line(say(f"……还有 {rest} 个, 用 --json 看全部。", f"… and {rest} more; --json shows them all."))


def _line(one: Alarm, time_zone: str) -> tuple[str, ...]:
    from zerofactory.periods import zone

    row = one.row
    start = row["started_at"].astimezone(zone(time_zone)).strftime("%m-%d %H:%M")
    figures = _number(row["energy_wh"], 1000), _number(row["cost_cny"], 1), _number(row["emissions_gco2e"], 1000)
    return (one.alarm_id, start, row["rule"], row["meter"], *figures, say(*STATES[one.state]))


def _number(value: float | None, per: int) -> str:
    return "—" if value is None else f"{value / per:,.0f}"


def _print_one(one: Alarm, time_zone: str, as_json: bool) -> None:
    if as_json:
        print_json(one.as_json())
        return
    from zerofactory.periods import zone

    row = one.row
    start, end = (
        row[name].astimezone(zone(time_zone)).strftime("%Y-%m-%d %H:%M") for name in ("started_at", "ended_at")
    )
    lacking = row[f"lacking_{language()}"]
    rows = [
        (say("内容", "what"), row[f"message_{language()}"]), (say("规则", "rule"), row["rule"]), (say("时段", "from, to"), f"{start} … {end}"),
        (say("超出量", "excess"), f"{row['amount_milli'] / 1000:,.3f} {row['unit']}"), ("kWh", _number(row["energy_wh"], 1000)),
        (say("元", "CNY"), _number(row["cost_cny"], 1)), ("kgCO2e", _number(row["emissions_gco2e"], 1000)),
        (say("状态", "state"), say(*STATES[one.state])), (say("负责人", "assigned to"), one.assignee or "—"),
    ]  # fmt: skip
    rows += [(say("缺数说明", "remark"), lacking)] if lacking else []
    print_table(one.alarm_id, [("", "left"), ("", "left")], rows)
    steps = [(s["at"][:16].replace("T", " "), s["state"], s["actor"], s["assignee"] or "", s["text"] or "") for s in one.steps]  # fmt: skip
    names = [say("时间(UTC)", "at (UTC)"), say("步骤", "step"), say("经手人", "who"), say("负责人", "to"), say("说明", "text")]  # fmt: skip
    print_table("", [(name, "left") for name in names], steps)
