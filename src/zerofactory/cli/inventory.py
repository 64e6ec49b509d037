"""Commands of the inventory: inventory show, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, StandardOption, WorkspaceOption, opened
from zerofactory.cli.output import console, door, print_json, print_line, print_table, tonnes
from zerofactory.cli.uncertainty import DrawsOption, SeedOption, UncertaintyOption, show_uncertainty

if TYPE_CHECKING:
    from zerofactory.accounting.inventory import Inventory
    from zerofactory.runs.explain import Node

ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="CUT",
        help=say("划分: shop|source|gas|category|month|class|scope", "cut: shop|source|gas|category|month|class|scope"),
    ),
]
ScopeOption = Annotated[
    str,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help=say(
            "范围: 1|2|3|1+2|all; 范围三(类别3至6)单列, 不并入范围一、二合计",
            "scope: 1|2|3|1+2|all; scope 3 (categories 3 to 6) stands beside the total of 1 and 2",
        ),
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("清单", "the inventory"))
    group.command("show", help=say("显示已封存期间的清单", "show the inventory of a closed period"))(show)
    group.command(
        "significance",
        help=say(
            "间接类别的重要性判定与纳入比例", "the significance test of indirect categories and the share included"
        ),
    )(significance)
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
    regime: Annotated[
        str | None,
        typer.Option(
            "--regime", metavar="REGIME", help=say("电力口径: location | market_annual", "location | market_annual")
        ),
    ] = None,
    by: ByOption = "category",
    scope: ScopeOption = "1+2",
    uncertainty: UncertaintyOption = False,
    draws: DrawsOption = None,
    seed: SeedOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import inventory as run

    if uncertainty:
        show_uncertainty(opened(workspace), (period, standard), (regime, by, scope), (draws, seed), as_json)
        return
    result = run.read(opened(workspace), Period.parse(period), standard, regime, by, scope)
    if as_json:
        print_json(run.as_json(result, scope))
        return
    _print_inventory(result, scope)


def _print_inventory(result: Inventory, scope: str) -> None:
    regimes = {
        "location": say("基于位置", "location-based"),
        "market_annual": say("基于市场(年度)", "market-based (annual)"),
    }
    scope = {"all": "1+2+3"}.get(scope, scope)
    print_table(
        say(f"{result.period} 温室气体清单 · {result.standard} · 范围 {scope} · {regimes.get(result.regime, result.regime)} · {result.gwp_set}",
            f"{result.period} inventory · {result.standard} · scope {scope} · {regimes.get(result.regime, result.regime)} · {result.gwp_set}"),
        [(say("编号", "key"), "left"), (say("名称", "title"), "left"), ("tCO2e", "right"), ("%", "right")],
        [*((line.key, read(line.title), tonnes(line.emissions_gco2e), f"{100 * line.share_fraction:.1f}") for line in result.lines),
         (say("合计", "total"), "", tonnes(result.total_gco2e), "100.0" if result.total_gco2e else "—")],
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
def significance(
    period: PeriodOption,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import inventory as run

    result = run.significance(opened(workspace), Period.parse(period))
    if as_json:
        print_json(run.significance_as_json(result))
        return
    verdict = {True: say("重要", "significant"), False: say("不重要", "not significant"), None: "—"}
    print_table(
        say(f"{period} 间接类别重要性判定", f"{period} significance of indirect categories"),
        [(say("类别", "category"), "left"), (say("名称", "title"), "left"), ("tCO2e", "right"), ("%", "right"),
         (say("评分", "score"), "right"), (say("判定", "verdict"), "left"), (say("已量化", "quantified"), "left")],
        [(x.category, read(x.title), tonnes(x.emissions_gco2e), f"{100 * x.share_fraction:.1f}",
          "—" if x.score is None else f"{x.score:.1f}", verdict[x.significant], say("是", "yes") if x.quantified else say("否", "no"))
         for x in result.lines],
    )  # fmt: skip
    share = f"{100 * result.included_fraction:.1f} %"
    print_line(say(f"已量化占比 {share}(要求不低于95 %)", f"{share} is quantified (95 % is asked for)"))
    for problem in result.problems:
        print_line(read(problem.message))


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
