"""Commands of assurance (ISO 14064-3 terms): plan, show, open, correct, close, statement."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table, tonnes

FindingArgument = Annotated[
    str, typer.Argument(metavar="FINDING", help=say("发现编号, 如 2025-F1", "finding, e.g. 2025-F1"))
]
TextOption = Annotated[str, typer.Option("--text", metavar="TEXT", help=say("说明", "what to say"))]
STATES = {"opened": ("待更正", "opened"), "corrected": ("已更正", "corrected"), "closed": ("已关闭", "closed")}


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("核查(ISO 14064-3)", "assurance (ISO 14064-3)"))
    group.command("plan", help=say("按风险抽样", "draw a sampling plan by risk"))(plan)
    group.command("show", help=say("抽样计划、发现、声明", "plan, findings, statements"))(show)
    group.command("open", help=say("记录一项发现", "open a finding"))(open_)
    group.command("correct", help=say("以某号凭证更正发现", "say which journal entry corrects a finding"))(correct)
    group.command("close", help=say("关闭发现", "close a finding"))(close)
    group.command("statement", help=say("出具声明", "give the statement"))(statement)
    app.add_typer(group, name="assurance")


@door
def plan(
    period: PeriodOption,
    verifier: Annotated[str, typer.Option("--verifier", metavar="NAME", help=say("核查机构", "the verifier"))],
    level: Annotated[str, typer.Option("--level", metavar="LEVEL", help="limited | reasonable")] = "limited",
    materiality: Annotated[
        float | None,
        typer.Option(
            "--materiality",
            metavar="FRACTION",
            help=say("重要性阈值(默认见数据文件)", "materiality (default: data file)"),
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help=say("随机种子", "seed of the draw"))] = 1,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.accounting.assurance import Terms, default_materiality
    from zerofactory.periods import Period
    from zerofactory.runs import assurance as run

    terms = Terms(run.level_of(level), default_materiality() if materiality is None else materiality, seed)
    made = run.plan(opened(workspace), Period.parse(period), verifier, terms)
    if as_json:
        print_json(made.as_json())
    else:
        _print_plan(made)


def _print_plan(made: Any) -> None:
    rows = [
        (
            s["sample_id"],
            s["source_id"],
            s["activity_id"],
            tonnes(s["emissions_gco2e"], 3),
            say(s["reason_zh"], s["reason_en"]),
        )
        for s in made.samples
    ]
    print_table(
        say(f"{made.plan_id} · {made.verifier} · {made.level} · 重要性 {100 * made.materiality_fraction:g} %",
            f"{made.plan_id} · {made.verifier} · {made.level} · materiality {100 * made.materiality_fraction:g} %"),
        [(say("样本", "sample"), "left"), (say("排放源", "source"), "left"), (say("活动", "activity"), "left"), ("tCO2e", "right"), (say("理由", "why"), "left")],
        rows,
    )  # fmt: skip


@door
def show(period: PeriodOption, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import assurance as run

    context, asked = opened(workspace), Period.parse(period)
    made, found, given = run.engagement(context, asked), run.findings(context, asked), run.statements(context, asked)
    if as_json:
        print_json({**made.as_json(), "findings": [f.as_json() for f in found], "statements": given})
        return
    _print_plan(made)
    print_table(
        say("发现", "Findings"),
        [(say("编号", "finding"), "left"), (say("状态", "state"), "left"), (say("重大", "material"), "left"), (say("对象", "subject"), "left"),
         ("tCO2e", "right"), (say("更正凭证", "corrected by"), "right"), (say("说明", "text"), "left")],
        [(f.finding_id, say(*STATES[f.state]), say("是", "yes") if f.material else say("否", "no"), f.subject,
          "" if f.misstatement_gco2e is None else tonnes(f.misstatement_gco2e, 3), str(f.corrected_by or ""),
          " / ".join(text for _, text in f.texts)) for f in found],
    )  # fmt: skip
    for row in given:
        _print_statement(row)


@door
def open_(
    period: PeriodOption,
    subject: Annotated[
        str,
        typer.Option(
            "--subject",
            metavar="ID",
            help=say("对象: 样本、活动、排放源、凭证号", "sample, activity, source or document"),
        ),
    ],
    text: TextOption,
    misstatement_tco2e: Annotated[
        float | None, typer.Option("--misstatement", metavar="T", help=say("错报量 tCO2e", "misstatement in tCO2e"))
    ] = None,
    material: Annotated[
        bool, typer.Option("--material", help=say("性质重大(不论数量)", "material by its nature, whatever the amount"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import assurance as run

    grams = None if misstatement_tco2e is None else round(misstatement_tco2e * 1_000_000)
    _said(run.open_finding(opened(workspace), Period.parse(period), subject, text, grams, material), as_json)


@door
def correct(
    finding: FindingArgument,
    period: PeriodOption,
    entry: Annotated[
        int, typer.Option("--entry", metavar="N", help=say("更正的日记账号", "journal entry that corrects it"))
    ],
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help=say("说明", "what to say"))] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import assurance as run

    _said(run.correct(opened(workspace), Period.parse(period), finding, entry, text), as_json)


@door
def close(
    finding: FindingArgument,
    period: PeriodOption,
    text: TextOption,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import assurance as run

    _said(run.close_finding(opened(workspace), Period.parse(period), finding, text), as_json)


def _said(finding: Any, as_json: bool) -> None:
    if as_json:
        print_json(finding.as_json())
        return
    grave = say("重大", "material") if finding.material else say("非重大", "not material")
    print_line(f"{finding.finding_id}: {say(*STATES[finding.state])} · {grave}")


@door
def statement(
    period: PeriodOption,
    dated: Annotated[
        datetime | None,
        typer.Option(
            "--date", metavar="DATE", formats=["%Y-%m-%d"], help=say("声明日期(默认今天)", "its date (default: today)")
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import assurance as run

    made = run.conclude(opened(workspace), Period.parse(period), dated.date() if dated else None)
    if as_json:
        print_json(made)
    else:
        _print_statement({**made, "in_force": True})


def _print_statement(row: dict[str, Any]) -> None:
    print_line("")
    print_line(f"{row['statement_id']} · {row['verifier']} · {row['dated']}")
    print_line(say(row["text_zh"], row["text_en"]))
    if not row["in_force"]:
        print_line(
            say("此后账本已修订, 本声明不再适用。", "The book was revised since; this statement no longer applies.")
        )
