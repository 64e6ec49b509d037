"""The command that declares carbon neutrality, or says everything that stands against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table, tonnes


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        "declare",
        help=say("碳中和声明(不满足要求时列出全部理由)", "declare carbon neutrality, or list every reason against it"),
    )(declare)


@door
def declare(
    period: PeriodOption,
    standard: Annotated[
        str,
        typer.Option("--standard", metavar="ID", help="iso_14068_1_2023 | pas_2060_2014 | auto_zero_carbon_factory"),
    ] = "iso_14068_1_2023",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help=say("PDF 文件", "PDF file"))] = None,
    check: Annotated[
        bool, typer.Option("--check", help=say("只看余额和差距, 不入账", "show balance and gaps; book nothing"))
    ] = False,
    filed: Annotated[
        str | None,
        typer.Option("--filed", metavar="ID", help=say("取出已作声明当时的 PDF(配 --out)", "write the PDF of a declaration as it was made (with --out)")),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.periods import Period
    from zerofactory.runs import declare as run
    from zerofactory.runs import declared_pages

    context, asked = opened(workspace), Period.parse(period)
    if filed is not None:
        path = out or Path(f"declaration-{filed}.pdf")
        declared_pages.write_filed(context, filed, path, language())
        print_json({"declaration": filed, "file": str(path)}) if as_json else print_line(
            say(f"已写 {path}", f"written: {path}")
        )
        return
    if check:
        _standing(run.standing(context, asked, standard), run.made_before(context, asked, standard), as_json)
        return
    made = run.declare(context, asked, standard, out, language())
    if as_json:
        print_json(made.as_json())
        return
    print_line(f"{made.declaration.declaration_id} · {read(made.declaration.standard.title)}")
    print_line(read(made.text))
    if made.file:
        print_line(say(f"已写 {made.file}", f"written: {made.file}"))


def _standing(state: Any, before: list[Any], as_json: bool) -> None:
    balance = state.balance
    if as_json:
        print_json({**state.as_json(), "declared": [one.as_json() for one in before]})
        return
    if balance is not None:
        print_table(
            f"{read(state.standard.title)} · {state.case.period}",
            [("", "left"), ("tCO2e", "right")],
            [
                (say("总量", "gross"), tonnes(balance.gross_gco2e)),
                (say("减排", "reduced"), tonnes(-balance.reduced_gco2e)),
                (say("边界内清除", "removals inside"), tonnes(-balance.removals_gco2e)),
                (say("剩余", "residual"), tonnes(balance.residual_gco2e)),
                (say("已抵消", "offset"), tonnes(-balance.offset_total_gco2e)),
                (say("未覆盖", "not covered"), tonnes(balance.uncovered_gco2e)),
            ],
        )
    for one in before:
        stands = say("有效", "stands") if one.stands else say("账已修订, 不再成立", "revised since, no longer stands")
        print_line(f"{one.declaration_id} · {one.dated} · {stands}")
    if state.problems:
        print_problems(state.problems)
    else:
        print_line(say("可以声明。", "Ready to declare."))
