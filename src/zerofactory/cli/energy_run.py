"""The commands energy run, energy override and energy commands: what goes out to devices, and who holds them in hand."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.energy_dispatch import BuildOption, HorizonOption, MarginOption, StepOption
from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_BROKEN, door, print_json, print_line, print_problems, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zerofactory.runs.energy_run import Round

AssetOption = Annotated[
    str | None, typer.Option("--asset", metavar="ID", help=say("设备(默认全厂)", "asset (default: the plant)"))
]


@door
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("只显示会下发什么", "show what would be sent"))] = False,
    once: Annotated[bool, typer.Option("--once", help=say("计划并下发一次, 然后回到安全状态", "plan and command once, then the safe state"))] = False,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help=say("为别的时刻做计划(仅 --dry-run)", "plan for another moment (--dry-run only)"))] = None,
    horizon: HorizonOption = 48,
    step: StepOption = 15,
    build: BuildOption = None,
    contents: Annotated[list[str] | None, typer.Option("--contents", metavar="ID=SHARE", help=say("读不到的储能现有电量占比", "how full a store is that cannot be read"))] = None,
    margin: MarginOption = 0.8,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0.1, help=say("运行多少秒", "run for so many seconds"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.cli.energy_dispatch import sizes
    from zerofactory.runs import energy_dispatch, energy_run
    from zerofactory.runs.forecast import moment_of

    context = opened(workspace)
    zone = context.workspace.plant.time_zone
    moment = moment_of(at, zone) if at else None
    plan = energy_dispatch.Asked(moment, horizon, step, sizes(build), margin, sizes(contents))
    asked = energy_run.Asked(plan, dry_run, once, seconds=seconds)

    def show(made: Round) -> None:
        if as_json:
            print_json(made.as_json())
        else:
            _print_round(made, zone)

    done = energy_run.run(context, asked, show, lambda problem: print_problems([problem]))
    if done.not_safe:
        listed = ", ".join(done.not_safe)
        print_line(say(f"未确认安全状态: {listed}。请到现场检查。", f"Safe state not confirmed: {listed}. Look at the devices."))  # fmt: skip
        raise typer.Exit(EXIT_BROKEN)


@door
def override(
    switch: Annotated[str, typer.Argument(metavar="on|off", help=say("接管或交还", "take in hand or give back"))],
    asset: AssetOption = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("原因", "reason"))] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import command_book

    if switch not in ("on", "off"):
        raise typer.BadParameter(say("请写 on 或 off。", "Say on or off."))
    done = command_book.override(opened(workspace), asset, switch == "on", reason)
    if as_json:
        standing = [{"asset": one.asset, "reason": one.reason, "actor": one.actor, "at": one.at} for one in done.standing]  # fmt: skip
        print_json({"asset": done.asset, "on": done.is_on, "was_on": done.was, "standing": standing})
        return
    name = done.asset or say("全厂", "the plant")
    if done.is_on:
        print_line(say(f"{name}: 人工接管, 不再下发任何指令(含心跳)。", f"{name}: manual override; nothing is sent any more, not even the heartbeat."))  # fmt: skip
    else:
        told = say(f"{name}: 已交还。", f"{name}: given back.")
        print_line(told if done.was else say(f"{name}: 本来没有接管。", f"{name}: was not in hand."))
    for one in done.standing:
        who = one.asset or say("全厂", "the plant")
        print_line(say(f"接管中: {who}({one.actor}, {one.at}, {one.reason})", f"in hand: {who} ({one.actor}, {one.at}, {one.reason})"))  # fmt: skip


@door
def commands(
    asset: AssetOption = None,
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help=say("最近几条", "the newest so many"))] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import command_book

    context = opened(workspace)
    rows = command_book.commands(context, asset, last).to_dicts()
    if as_json:
        print_json([{**row, "commanded_at": row["commanded_at"].isoformat()} for row in rows])
        return
    title = say("下发给设备的指令", "Commands to devices")
    _print_rows(title, rows, context.workspace.plant.time_zone)


def _print_round(made: Round, zone: str) -> None:
    from zerofactory.periods import zone as place

    at = f"{made.at.astimezone(place(zone)):%Y-%m-%d %H:%M}"
    if made.plan_id is None:
        print_line(say(f"{at} 没有新计划; 上一计划在有效期内继续, 之后转入安全状态。", f"{at} no new plan; the last one holds until it is too old, then the safe state."))  # fmt: skip
        print_problems(made.failed)
        return
    until = f"{made.valid_until.astimezone(place(zone)):%H:%M}" if made.valid_until else "—"
    title = say(f"{at} 计划 {made.plan_id}, 有效至 {until}", f"{at} plan {made.plan_id}, valid until {until}")
    rows = [
        {"commanded_at": None, **{name: getattr(one, name) for name in (*SHOWN, "reason_zh", "reason_en")}}
        for one in made.commands
    ]
    _print_rows(title, rows, zone)


SHOWN = ("asset", "action", "kind", "unit", "wished", "target", "sent", "read_back", "cut", "outcome")
OUTCOMES = {
    "confirmed": ("已确认", "confirmed"), "refused": ("未下发", "not sent"), "failed": ("失败", "failed"),
    "unknown": ("不明", "unknown"), "would_send": ("将下发", "would send"), "on": ("接管", "on"), "off": ("交还", "off"),
}  # fmt: skip


def _print_rows(title: str, rows: Iterable[Mapping[str, object]], zone: str) -> None:
    listed = list(rows)
    timed = any(row["commanded_at"] for row in listed)
    header = [(say("时间", "time"), "left")] if timed else []
    header += [
        (say("设备", "asset"), "left"), (say("动作", "action"), "left"), (say("计划", "wished"), "right"),
        (say("下发", "sent"), "right"), (say("读回", "read back"), "right"), (say("结果", "outcome"), "left"),
    ]  # fmt: skip
    print_table(title, header, [([_moment(row, zone)] if timed else []) + _cells(row) for row in listed])


def _cells(row: Mapping[str, object]) -> list[str]:
    said = say(*OUTCOMES.get(str(row["outcome"]), (str(row["outcome"]),) * 2))
    why = str(row[say("reason_zh", "reason_en")] or "")
    cut = f"{say('受限', 'cut')}: {row['cut']}" if row["cut"] else ""
    kind = say("安全值", "safe value") if row["kind"] == "safe" else ""
    told = "; ".join(part for part in (said, kind, cut, why) if part)
    return [
        str(row["asset"] or say("全厂", "plant")), str(row["action"]),
        *(_number(row[name]) for name in ("wished", "sent", "read_back")), told,
    ]  # fmt: skip


def _number(value: object) -> str:
    return "—" if not isinstance(value, int | float) else f"{value:,.1f}"


def _moment(row: Mapping[str, object], zone: str) -> str:
    from zerofactory.periods import zone as place

    at = row["commanded_at"]
    return f"{at.astimezone(place(zone)):%m-%d %H:%M:%S}" if isinstance(at, datetime) else ""
