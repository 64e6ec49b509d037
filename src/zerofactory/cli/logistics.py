"""Commands of logistics: plan (the network) and fleet (rounds, dock, forklifts and AGVs)."""

from __future__ import annotations

import typer

from zerofactory.cli import logistics_fleet, logistics_plan
from zerofactory.cli.language import say


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("绿色物流", "green logistics"))
    group.command(
        "plan",
        help=say(
            "物流网络: 路线、车型、费用与 ISO 14083 排放", "the network: ways, vehicles, cost, ISO 14083 emissions"
        ),
    )(logistics_plan.plan)
    group.command(
        "fleet",
        help=say("车队: 循环取货、月台充电、叉车与 AGV", "the fleet: rounds, charging at the dock, forklifts and AGVs"),
    )(logistics_fleet.fleet)
    app.add_typer(group, name="logistics")
