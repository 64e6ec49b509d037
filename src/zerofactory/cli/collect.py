"""Commands of field data: collect, simulate."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened, state
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zerofactory.runs.simulate import Address

ForOption = Annotated[
    float | None, typer.Option("--for", metavar="SECONDS", min=0.1, help=say("运行多少秒", "run for so many seconds"))
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("collect", help=say("按 connections.toml 采集表计数据入账", "collect meters as connections.toml says"))(
        collect
    )
    app.command("simulate", help=say("把参考工厂的读数模拟成真实设备", "play the reference plant as real devices"))(
        simulate
    )


@door
def collect(
    once: Annotated[bool, typer.Option("--once", help=say("每个连接读一次即止", "read every connection once"))] = False,
    seconds: ForOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import collect as run

    done = run.run(opened(workspace), seconds, once, lambda problem: print_problems([problem]))
    if as_json:
        names = ("acknowledged", "booked", "repeated", "refused", "waiting_bytes", "recovered", "status")
        print_json({name: getattr(done, name) for name in names})
        return
    print_line(
        say(
            f"已落盘 {done.acknowledged:,} 条读数, 入账 {done.booked:,} 条, 重复 {done.repeated:,} 条, 拒收 {done.refused:,} 条。",
            f"{done.acknowledged:,} readings kept, {done.booked:,} booked, {done.repeated:,} repeated, {done.refused:,} refused.",
        )
    )
    if done.waiting_bytes:
        print_line(say(f"暂存区还有 {done.waiting_bytes:,} 字节待入账。", f"{done.waiting_bytes:,} bytes wait for the book."))  # fmt: skip


@door
def simulate(
    speed: Annotated[float, typer.Option("--speed", help=say("倍速 1–1000", "times real time, 1 to 1000"))] = 60.0,
    start: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help=say("从哪一天开始", "first day")),
    ] = datetime(2025, 3, 3),  # noqa: DTZ001  (a day on the plant's clock)
    protocols: Annotated[
        str, typer.Option("--protocols", help="modbus,opcua,mqtt,sparkplug,dlt645,http")
    ] = "modbus,opcua,mqtt",
    meters: Annotated[
        int | None, typer.Option("--meters", min=1, help=say("只模拟几块表", "only so many meters"))
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option("--broker", metavar="HOST:PORT", help=say("用已有的 MQTT 代理", "use this MQTT broker")),
    ] = None,
    seconds: ForOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import simulate as run

    chosen = tuple(dict.fromkeys(name.strip() for name in protocols.split(",") if name.strip()))
    request = run.Request(run.start_of(start), speed, chosen, meters, seconds, broker)
    folder = workspace or state.workspace or Path()
    run.run(folder, request, lambda addresses: _show(addresses, folder, as_json))


def _show(addresses: Sequence[Address], folder: Path, as_json: bool) -> None:
    if as_json:
        print_json(
            {"addresses": [{"protocol": a.protocol, "address": a.address, "meters": a.meters} for a in addresses]}
        )
        return
    print_table(
        say("模拟设备", "Simulated devices"),
        [(say("协议", "protocol"), "left"), (say("地址", "address"), "left"), (say("表计", "meters"), "right")],
        [(one.protocol, one.address, str(one.meters)) for one in addresses],
    )
    print_line(say(f"connections.toml 已写好。另开一个终端: zf collect -w {folder}", f"connections.toml is written. In another terminal: zf collect -w {folder}"))  # fmt: skip
