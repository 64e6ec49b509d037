"""The command co-optimise: schedule and dispatch in turn until the objective rests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table
from zerofactory.cli.progress import progress
from zerofactory.cli.schedule_line import DayOption, moment

if TYPE_CHECKING:
    from zerofactory.runs.co_optimise import CoOptimised, Side

SIGNALS = {
    "marginal": ("边际电价", "marginal prices"),
    "halfway": ("折中电价", "halfway prices"),
    "held": ("电价, 调度不动", "tariff, dispatch held"),
    "": ("无改进: 已静止", "none: at rest"),
}


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command("co-optimise", help=say("排产与能源轮流优化, 直到目标不再变", "schedule and dispatch in turn until the objective rests"))(co_optimise)  # fmt: skip


@door
def co_optimise(
    day: DayOption,
    build: Annotated[list[str] | None, typer.Option("--build", metavar="ID=SIZE", help=say("把候选设备当作已建: battery=60000", "take a candidate as built: battery=60000"))] = None,
    carbon_price: Annotated[float, typer.Option("--carbon-price", min=0.0, metavar="CNY/t", help=say("碳价 元/t", "price of carbon, CNY/t"))] = 0.0,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=100, help=say("最多轮数", "rounds at most"))] = 10,
    moves: Annotated[int, typer.Option("--moves", min=1, max=1_000_000, help=say("每轮搜索步数", "moves of the search a round"))] = 500,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.cli.energy_dispatch import sizes
    from zerofactory.runs import co_optimise as run

    context = opened(workspace)
    asked = run.Asked(moment(context, day), sizes(build), carbon_price, rounds, moves)
    with progress(say("轮", "round"), rounds) as tick:
        found = run.run(context, asked, tick)
    if as_json:
        print_json(found.as_json())
        return
    _print(found)


def _print(found: CoOptimised) -> None:
    header = [
        (say("方案", "plan"), "left"), (say("目标 元", "objective CNY"), "right"), (say("能源 元", "energy CNY"), "right"), (say("碳 t", "carbon t"), "right"),
        (say("最大负荷 kW", "peak load kW"), "right"), (say("误期批", "late lots"), "right"), (say("检验", "check"), "left"),
    ]  # fmt: skip
    rows = [
        _row(say("按订单先后, 再调度", "as orders come, dispatched"), found.naive),
        _row(say("联合优化", "co-optimised"), found.best),
    ]
    print_table(say("排产与能源联合优化", "Schedule and dispatch together"), header, rows)
    for one in found.rounds:
        kept = say(*SIGNALS[one.kept])
        print_line(say(f"第 {one.number} 轮: {kept}, 目标 {one.objective:,.0f} 元", f"Round {one.number}: {kept}, objective {one.objective:,.0f} CNY"))  # fmt: skip
    rests = say("目标已静止", "the objective rests") if found.rests else say("轮数用尽, 目标仍在下降: 可加 --rounds", "rounds are used up and the objective still falls: give more --rounds")  # fmt: skip
    gain = found.naive.objective - found.best.objective
    share = gain / max(1.0, abs(found.naive.objective))
    print_line(say(f"{rests}; 比起点少 {gain:,.0f} 元({100 * share:.2f} %), 两侧独立检验通过", f"{rests}; {gain:,.0f} CNY less than the start ({100 * share:.2f} %), both checks passed"))  # fmt: skip


def _row(name: str, side: Side) -> tuple[str, ...]:
    return (
        name, f"{side.objective:,.0f}", f"{side.energy_cny:,.0f}", f"{side.emissions_t:,.1f}", f"{side.load_kw.max():,.0f}",
        str(len(side.measures.late)), say("通过", "passed"),
    )  # fmt: skip
