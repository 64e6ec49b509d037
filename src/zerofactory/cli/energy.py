"""Commands of energy: bill, tariffs, size, dispatch, backtest, run, override, commands."""

from __future__ import annotations

import typer

from zerofactory.cli import energy_dispatch, energy_run, energy_size
from zerofactory.cli.energy_bill import bill, tariffs
from zerofactory.cli.language import say


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("能源", "energy"))
    group.command("bill", help=say("由读数算出的电费与气费账单", "the bill of electricity and gas, from readings"))(
        bill
    )
    group.command("tariffs", help=say("随包电价: 地区、方案、电压、月份", "packaged tariffs"))(tariffs)
    group.command(
        "size", help=say("选型: 建什么、建多大、怎么运行", "sizing: what to build, how large, how to run it")
    )(energy_size.size)
    group.command(
        "dispatch",
        help=say("调度: 各设备此刻和今后几十小时怎么运行", "dispatch: what each asset does now and in the hours ahead"),
    )(energy_dispatch.dispatch)
    group.command("backtest", help=say("在已实测的日子上检验调度", "the dispatcher judged on days that were measured"))(
        energy_dispatch.backtest
    )
    group.command(
        "run", help=say("每 15 分钟计划并下发(须工厂准许)", "plan and command each 15 minutes, where allowed")
    )(energy_run.run)
    group.command("override", help=say("人工接管: on 或 off", "manual override: on or off"))(energy_run.override)
    group.command("commands", help=say("下发过的指令及原因", "what was sent to devices, or why not"))(
        energy_run.commands
    )
    app.add_typer(group, name="energy")
