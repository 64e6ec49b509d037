"""Commands of the running plant: live, health."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import console, door, print_json, print_line, print_problems, tonnes

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from zerofactory.monitoring.live import Figure
    from zerofactory.runs.context import Context
    from zerofactory.runs.live import Asked, Look

PeriodChoice = Annotated[
    str | None, typer.Option("--period", metavar="YYYY-MM", help=say("月份(默认最新)", "month (default: the newest)"))
]
BY = {"site": "site", "shop": "shop", "line": "line", "meter": "meter", "all": "all"}


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("live", help=say("实时功率、电量、费用与排放(封存前为暂计)", "live power, energy, cost and gCO2e (provisional)"))(live)  # fmt: skip
    app.command("health", help=say("计量健康: 采集率、落后、闭合、时钟、估算占比、配备率", "health of measurement"))(
        health
    )


@door
def live(
    once: Annotated[bool, typer.Option("--once", help=say("只看一次", "look once"))] = False,
    stream: Annotated[bool, typer.Option("--stream", help=say("持续输出 JSON 行(快照与变化)", "JSON lines: snapshot, then changes"))] = False,
    sse: Annotated[bool, typer.Option("--sse", help=say("以服务器推送事件格式输出", "the stream as server-sent events"))] = False,
    by: Annotated[str, typer.Option("--by", metavar="LEVEL", help="site|shop|line|meter|all")] = "shop",
    every: Annotated[float | None, typer.Option("--every", metavar="SECONDS", min=0.1, help=say("刷新间隔", "refresh every"))] = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0.1, help=say("运行多少秒", "run for so many seconds"))] = None,
    period: PeriodChoice = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import live as run

    context = opened(workspace)
    chosen = run.levels_of(context.workspace.plant, "all" if stream or sse else by)
    asked = run.Asked(chosen, every, seconds, run.month_of(period))
    if stream or sse:
        _stream(context, asked, sse)
    elif once or as_json or not sys.stdout.isatty():
        _once(context, asked, as_json)
    else:
        _watch(context, asked)


def _once(context: Context, asked: Asked, as_json: bool) -> None:
    from zerofactory.monitoring.stream import Stream
    from zerofactory.runs import live as run

    seen = run.once(context, asked)
    if as_json:
        print_json(Stream().event(seen.snapshot, seen.at, seen.more()))
        return
    console().print(_shown(seen))
    print_problems(seen.snapshot.problems)


def _stream(context: Context, asked: Asked, sse: bool) -> None:
    from zerofactory.monitoring.stream import line, server_sent
    from zerofactory.runs import live as run

    write = server_sent if sse else line
    try:
        for event in run.events(context, asked):
            sys.stdout.write(write(event))
            sys.stdout.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()  # the reader is gone, or the user has seen enough


def _watch(context: Context, asked: Asked) -> None:
    """Show the table and renew it until Ctrl-C."""
    from rich.live import Live as Screen

    from zerofactory.runs import live as run

    try:
        with Screen(console=console(), auto_refresh=False, vertical_overflow="crop") as screen:
            for seen in run.follow(context, asked):
                screen.update(_shown(seen), refresh=True)
    except KeyboardInterrupt:
        print_line(say("已停止查看; 采集不受影响。", "Stopped watching; collecting goes on."))


def _shown(seen: Look) -> Group:
    from rich.console import Group
    from rich.markup import escape

    heads = [f"[bold]{escape(_title(seen))}[/bold]", *(escape(line) for line in _notes(seen))]
    return Group(*heads, _table(seen))


def _title(seen: Look) -> str:
    total = tonnes(seen.snapshot.total_gco2e, 3)
    mark = say("暂计", "provisional") if seen.provisional else say("已封存", "closed")
    period = seen.snapshot.period
    return say(
        f"{period} {mark} {total} tCO2e(范围一、二, 基于位置)",
        f"{period} {mark} {total} tCO2e (scopes 1 and 2, location-based)",
    )


def _notes(seen: Look) -> list[str]:
    """Return the lines under the title: how new, how complete, how certain."""
    from zerofactory.periods import zone

    one = seen.snapshot
    until = one.data_until.astimezone(zone(seen.time_zone)).strftime("%Y-%m-%d %H:%M") if one.data_until else "—"
    heard = age(seen.age_seconds)
    running = say("采集中", "collecting") if seen.collecting else say("采集未运行", "not collecting")
    lines = [
        say(
            f"数据至 {until}, 最新读数 {heard}前, {running}; 表计 {one.meters_reporting}/{one.meters} 有数, {one.meters_late} 落后; 估算 {one.estimated_fraction:.2%}",
            f"data until {until}, newest reading {heard} ago, {running}; {one.meters_reporting}/{one.meters} meters report, {one.meters_late} late; {one.estimated_fraction:.2%} estimated",
        )
    ]
    if seen.sealed_gco2e is not None and seen.sealed_gco2e != one.total_gco2e:
        lines.append(
            say(
                f"与封存数 {tonnes(seen.sealed_gco2e, 3)} 不同: 封存后读数、单据或工厂文件有变, 请核对后 zf close --revise。",
                f"Differs from the sealed {tonnes(seen.sealed_gco2e, 3)}: readings, documents or the plant file changed since; check and run zf close --revise.",
            )
        )
    if one.price_note.zh:
        lines.append(read(one.price_note))
    return lines


def _table(seen: Look) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    heads = [
        (say("位置", "place"), "left"), (say("品种", "carrier"), "left"), (say("功率/流量", "rate"), "right"),
        (say("今日", "today"), "right"), (say("本月", "month"), "right"), (say("单位", "unit"), "left"),
        (say("本月元", "CNY"), "right"), ("tCO2e", "right"), (say("估算", "est."), "right"),
    ]  # fmt: skip
    for name, side in heads:
        table.add_column(name, justify="right" if side == "right" else "left", no_wrap=True, overflow="ellipsis")
    for figure in seen.snapshot.figures:
        if figure.amount_month is not None or figure.month_gco2e:
            table.add_row(*_cells(figure))
    return table


def _cells(figure: Figure) -> list[str]:
    from zerofactory.monitoring.live import TOTAL, carrier_title

    name = say("全厂", "site") if figure.level == "site" else read(figure.name)
    if figure.level == "meter":
        name = figure.id
    tons = "—" if figure.month_gco2e is None else tonnes(figure.month_gco2e, 3)
    share = "" if figure.carrier == "documents" else f"{figure.estimated_fraction:.1%}"
    style = "bold" if figure.carrier == TOTAL else ""
    cells = [
        name, read(carrier_title(figure.carrier)), _number(figure.rate_per_hour), _number(figure.amount_today),
        _number(figure.amount_month), figure.unit or "", _number(figure.month_cny), tons, share,
    ]  # fmt: skip
    return [f"[{style}]{_plain(cell)}[/{style}]" if style else _plain(cell) for cell in cells]


@door
def health(
    period: PeriodChoice = None,
    every_meter: Annotated[bool, typer.Option("--all", help=say("列出全部表计", "list every meter"))] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.cli.health_table import show
    from zerofactory.runs import health as run
    from zerofactory.runs.live import month_of

    found = run.run(opened(workspace), month_of(period))
    if as_json:
        print_json(found.as_json())
    else:
        show(found, every_meter)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}"


def age(seconds: float | None) -> str:
    """Return a length of time in the largest unit that says enough."""
    if seconds is None:
        return "—"
    for length, zh, en in ((86_400.0, "天", "d"), (3_600.0, "小时", "h"), (60.0, "分钟", "min")):
        if seconds >= length:
            return say(f"{seconds / length:.1f} {zh}", f"{seconds / length:.1f} {en}")
    return say(f"{seconds:.1f} 秒", f"{seconds:.1f} s")


def _plain(cell: Any) -> str:
    from rich.markup import escape

    return escape(str(cell))
