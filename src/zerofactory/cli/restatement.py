"""Commands of restatement: restate, base-year fix, base-year show."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, StandardOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table, tonnes
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.runs.base_year import Shown
    from zerofactory.runs.restate import Restatement

KnownAt = Annotated[
    datetime | None,
    typer.Option(
        "--known-at",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help=say(
            "新数所用因子的截至日期(默认今天)", "factors of the new figure as published by that day (default: today)"
        ),
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("restate", help=say("新旧并列, 差异按原因拆分", "old and new side by side, split by cause"))(restate)
    group = typer.Typer(no_args_is_help=True, help=say("基准年", "the base year"))
    group.command("fix", help=say("以已封存的一年固定基准年", "fix the base year from a closed year"))(fix)
    group.command(
        "show", help=say("各版基准年, 并判断是否须重算", "every version, and whether it must be recalculated")
    )(show)
    app.add_typer(group, name="base-year")


@door
def restate(
    period: PeriodOption,
    known_at: KnownAt = None,
    gwp: Annotated[
        str | None,
        typer.Option("--gwp", metavar="SET", help=say("新数所用GWP: AR4|AR5|AR6…", "GWP set of the new figure")),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="SEAL", help=say("旧数: 该封存之时的账(2025-03.r0)", "old: the book at that seal")
        ),
    ] = None,
    as_filed: Annotated[
        str | None,
        typer.Option(
            "--as-filed", metavar="REV", help=say("旧数: 版次, r0 为首报", "old: revision; r0 as first filed")
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="WHAT", help=say("新数: book 账上现版 | now 现在重做", "new: book | now")),
    ] = None,
    standard: StandardOption = "iso_14064_1_2018",
    regime: Annotated[str | None, typer.Option("--regime", metavar="NAME", help="location | market_annual")] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="CUT", help=say("划分: category|source|gas|month|class|scope", "cut"))
    ] = "category",
    scope: Annotated[str, typer.Option("--scope", metavar="SCOPE", help="1 | 2 | 1+2 | 3 | all")] = "1+2",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import restate as run

    request = run.Request(
        Period.parse(period), standard, regime, by, scope, as_filed, since, {}, run.against_of(against),
        known_at.date() if known_at else None, gwp,
    )  # fmt: skip
    with working(say("正在重述……", "restating …")):
        result = run.run(opened(workspace), request)
    if as_json:
        print_json(result.as_json())
        return
    _print_restatement(result)
    print_problems(result.problems)


def _print_restatement(result: Restatement) -> None:
    from zerofactory.accounting.restate import CAUSES

    new = (
        say("账上现版", "revision in force")
        if result.against == "book"
        else say("按现状重做(未入账)", "as of now (not booked)")
    )
    title = say(
        f"{result.period} 重述 · {result.standard} · {result.regime} · tCO2e",
        f"{result.period} restated · {result.standard} · {result.regime} · tCO2e",
    )
    header = [(say("编号", "key"), "left"), (say("名称", "title"), "left"), (say("原报", "filed"), "right")]
    header += [(read(cause), "right") for cause in CAUSES.values()] + [(say("重述", "restated"), "right")]
    lines = [*result.lines, result.total]
    rows = [
        (
            "" if line is result.total else line.key,
            read(line.title),
            tonnes(line.filed_gco2e, 3),
            *(tonnes(line.by_cause[cause], 3) for cause in CAUSES),
            tonnes(line.restated_gco2e, 3),
        )
        for line in lines
    ]
    print_table(title, header, rows)
    old_known, new_known = result.known_at
    print_line(
        say(
            f"原报: {_seals(result.old_seals)}, 因子截至 {old_known}, {result.gwp_sets[0]}; 重述: {new}, 因子截至 {new_known}, {result.gwp_sets[1]}",
            f"Filed: {_seals(result.old_seals)}, factors known {old_known}, {result.gwp_sets[0]}; restated: {new}, factors known {new_known}, {result.gwp_sets[1]}",
        )
    )
    print_line(
        say(
            "原因按 数据 → 边界 → 方法 → 因子版本 依次代入, 各项之和等于总差异(精确到克)。",
            "Causes are put in one after the other: data → boundary → method → factor edition; they add up to the gram.",
        )
    )


def _seals(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


@door
def fix(
    period: PeriodOption,
    standard: StandardOption = "iso_14064_1_2018",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help=say("再次固定(重算)的原因", "why it is fixed again"))
    ] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import base_year as run

    made = run.fix(opened(workspace), Period.parse(period), standard, reason)
    if as_json:
        print_json(made.as_json())
        return
    print_line(
        say(
            f"基准年已固定: {made.base_year_id}, {tonnes(made.total_gco2e)} tCO2e({made.standard}, {made.regime}, {made.gwp_set})。",
            f"Base year fixed: {made.base_year_id}, {tonnes(made.total_gco2e)} tCO2e ({made.standard}, {made.regime}, {made.gwp_set}).",
        )
    )
    print_line(read(made.policy.sentence()))


@door
def show(known_at: KnownAt = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import base_year as run

    with working(say("正在对照……", "comparing …")):
        shown = run.show(opened(workspace), known_at.date() if known_at else None)
    if as_json:
        print_json(shown.as_json())
        return
    _print_base_year(shown)
    print_problems(shown.restatement.problems)


def _print_base_year(shown: Shown) -> None:
    from zerofactory.accounting.base_year import TRIGGERS

    print_table(
        say("基准年", "Base year"),
        [(say("版本", "version"), "left"), (say("固定于", "fixed"), "left"), ("GWP", "left"), ("tCO2e", "right"), (say("原因", "why"), "left")],
        [(x.base_year_id, x.fixed_at[:10], x.gwp_set, tonnes(x.total_gco2e), x.reason or "") for x in shown.versions],
    )  # fmt: skip
    found = shown.assessment
    print_table(
        say("重算触发条件(现状对照固定时)", "Triggers (now against as fixed)"),
        [(say("触发条件", "trigger"), "left"), ("tCO2e", "right"), ("%", "right"), ("", "left")],
        [
            (
                read(TRIGGERS[line.trigger]),
                tonnes(line.emissions_gco2e, 3),
                f"{100 * line.change_fraction:+.2f}",
                say("超过阈值", "over the threshold")
                if line.exceeded
                else ""
                if line.counted
                else say("不计", "not counted"),
            )
            for line in found.lines
        ],
    )
    change, limit = f"{100 * found.change_fraction:+.2f} %", f"{100 * found.threshold_fraction:g} %"
    if found.required:
        print_line(
            say(
                f"须重算基准年(合计 {change}, 阈值 {limit}): 修订后运行 zf base-year fix --reason。",
                f"The base year must be recalculated ({change} together, threshold {limit}): revise, then zf base-year fix --reason.",
            )
        )
    else:
        print_line(
            say(
                f"无须重算(合计 {change}, 阈值 {limit}; 自然增减不触发重算)。",
                f"No recalculation ({change} together, threshold {limit}; organic growth or decline is never a reason).",
            )
        )
