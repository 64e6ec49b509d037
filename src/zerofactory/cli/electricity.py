"""Commands of electricity: electricity compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table, tonnes

if TYPE_CHECKING:
    from zerofactory.runs.electricity import Comparison

BARS = " ▁▂▃▄▅▆▇█"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("电力", "electricity"))
    group.command("compare", help=say("同一批电量, 各口径并列", "one book of kWh under every claim regime"))(compare)
    app.add_typer(group, name="electricity")


@door
def compare(period: PeriodOption, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import electricity as run

    result = run.compare(opened(workspace), Period.parse(period))
    if as_json:
        print_json(result.as_json())
    else:
        _print(result)
        print_problems(result.problems)


def _print(result: Comparison) -> None:
    from zerofactory.accounting.origins import TITLES

    total = result.consumption_wh
    print_table(
        say(
            f"{result.period} 电量来源(合计 {total / 1e9:,.3f} GWh)",
            f"{result.period} origins ({total / 1e9:,.3f} GWh in all)",
        ),
        [(say("来源", "origin"), "left"), ("MWh", "right"), ("%", "right")],
        [
            (read(TITLES[n]), f"{int(wh.sum()) / 1e6:,.3f}", f"{100 * int(wh.sum()) / total:.1f}")
            for n, wh in result.book.energy_wh.items()
        ],
    )
    print_table(
        say("各口径", "regimes"),
        [(say("口径", "regime"), "left"), (say("名称", "title"), "left"), ("tCO2e", "right"), (say("非化石认可 %", "matched %"), "right"), (say("0–23 时匹配", "matched by hour 0–23"), "left")],
        [
            (regime.id, read(regime.title), tonnes(found.emissions_gco2e), f"{100 * int(found.matched_wh.sum()) / total:.1f}",
             "".join(BARS[min(8, round(8 * share))] for share in result.matched_by_hour[regime.id]))
            for regime, found in result.results
        ],
    )  # fmt: skip
    print_table(
        say("为何不同: 每个口径给每部分电量的因子", "why they differ: the factor each part takes"),
        [
            (say("口径", "regime"), "left"),
            (say("部分", "part"), "left"),
            ("MWh", "right"),
            ("kg/kWh", "right"),
            ("tCO2e", "right"),
            (say("说明", "note"), "left"),
        ],
        [
            (
                regime.id,
                read(part.title),
                f"{part.energy_wh / 1e6:,.1f}",
                f"{part.factor.factor.value:.4f}" if part.factor else "0",
                tonnes(part.emissions_gco2e),
                read(part.note),
            )
            for regime, found in result.results
            for part in found.parts
            if part.energy_wh
        ],
    )
    for remark in dict.fromkeys(remark for _, found in result.results for remark in found.remarks):
        print_line(f"· {read(remark)}")
