"""Commands of the inventory: inventory show, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, StandardOption, WorkspaceOption, opened
from zerofactory.cli.output import console, door, print_json, print_line, print_table, tonnes

if TYPE_CHECKING:
    from zerofactory.accounting.inventory import Inventory
    from zerofactory.runs.explain import Node

ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        help=say("划分: shop|source|gas|category|month|class|scope", "cut: shop|source|gas|category|month|class|scope"),
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("清单", "the inventory"))
    group.command("show", help=say("显示已封存期间的清单", "show the inventory of a closed period"))(show)
    app.add_typer(group, name="inventory")
    app.command(
        "explain",
        help=say(
            "打开任一数字: 记录、因子、活动、读数或凭证",
            "open any figure: records, factors, activities, readings or documents",
        ),
    )(explain)


@door
def show(
    period: PeriodOption,
    standard: StandardOption = "iso_14064_1_2018",
    regime: Annotated[str | None, typer.Option("--regime", help="location | market_annual")] = None,
    by: ByOption = "category",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import inventory as run

    result = run.read(opened(workspace), Period.parse(period), standard, regime, by)
    if as_json:
        print_json(run.as_json(result))
        return
    _print_inventory(result)


def _print_inventory(result: Inventory) -> None:
    regimes = {
        "location": say("基于位置", "location-based"),
        "market_annual": say("基于市场(年度)", "market-based (annual)"),
    }
    print_table(
        say(f"{result.period} 温室气体清单 · {result.standard} · {regimes.get(result.regime, result.regime)} · {result.gwp_set}",
            f"{result.period} inventory · {result.standard} · {regimes.get(result.regime, result.regime)} · {result.gwp_set}"),
        [(say("编号", "key"), "left"), (say("名称", "title"), "left"), ("tCO2e", "right"), ("%", "right")],
        [*((line.key, read(line.title), tonnes(line.emissions_gco2e), f"{100 * line.share_fraction:.1f}") for line in result.lines),
         (say("合计", "total"), "", tonnes(result.total_gco2e), "100.0")],
    )  # fmt: skip
    other = " · ".join(f"{regimes.get(name, name)} {tonnes(total)} t" for name, total in result.regimes_gco2e.items())
    print_line(say(f"口径对照: {other}", f"Side by side: {other}"))
    spread = 100 * result.uncertainty_fraction
    print_line(say(f"合计不确定度 ±{spread:.1f} %(95 %)", f"Uncertainty of the total ±{spread:.1f} % (95 %)"))
    from zerofactory.accounting.inventory import APART

    for name, amount in result.apart_gco2e.items():
        if amount:
            title = read(APART[name])
            print_line(
                say(
                    f"单列, 不计入合计: {title} {tonnes(amount, 3)} t",
                    f"Apart, not in the total: {title} {tonnes(amount, 3)} t",
                )
            )


@door
def explain(
    figure: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help=say(
                "记录、活动、排放源、凭证号, 或 排放源@2025-03",
                "record, activity, source, document number, or source@2025-03",
            ),
        ),
    ],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import explain as run

    node = run.run(opened(workspace), figure)
    if as_json:
        print_json(node.as_json())
        return
    from rich.tree import Tree

    def grow(branch: Tree, child: Node) -> None:
        twig = branch.add(_label(child))
        for grandchild in child.children:
            grow(twig, grandchild)

    tree = Tree(_label(node))
    for child in node.children:
        grow(tree, child)
    console().print(tree)


def _label(node: Node) -> str:
    from rich.markup import escape

    value = escape(read(node.value))
    return f"[bold]{escape(read(node.title))}[/bold] {value}".rstrip()
