"""Commands of the factors: factor find, factor resolve."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened, state
from zerofactory.cli.output import door, print_json, print_line, print_table


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("因子", "factors"))
    group.command("find", help=say("按中英文或编号查找因子", "find factors by name or id"))(find)
    group.command(
        "resolve", help=say("某排放源某日用哪个因子, 为什么", "which factor a source takes on a day, and why")
    )(resolve)
    app.add_typer(group, name="factor")


@door
def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help=say("例如: 柴油、上海、R410A", "for example: diesel, Shanghai, R410A"))
    ],
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help=say("最多几条", "how many at most"))] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import factor as run

    found = run.find(text, workspace or state.workspace or Path(), limit)
    if as_json:
        print_json([run.factor_json(one) for one in found])
        return
    if not found:
        print_line(
            say(
                f"没有因子叫“{text}”。试试燃料、气体、省份的名称或编号的一部分。",
                f"No factor is called '{text}'. Try a fuel, a gas, a province or a part of an id.",
            )
        )
        return
    print_table(
        "",
        [(say("编号", "id"), "left"), (say("名称", "name"), "left"), (say("值", "value"), "right"), (say("单位", "unit"), "left"), (say("地区", "region"), "left"), (say("年", "year"), "right"), (say("可信度", "confidence"), "left")],
        [(f.id, read(f.title), f.value_text or repr(f.value), f.unit, f.region, str(f.factor_year or ""), f.confidence) for f in found],
    )  # fmt: skip


@door
def resolve(
    source: Annotated[
        str, typer.Option("--source", metavar="ID", help=say("工厂文件中的排放源", "a source of the plant file"))
    ],
    day: Annotated[
        datetime,
        typer.Option(
            "--date", metavar="DATE", formats=["%Y-%m-%d"], help=say("活动日期 2025-03-31", "a day of the activity")
        ),
    ],
    known_at: Annotated[
        datetime | None,
        typer.Option(
            "--known-at", metavar="DATE", formats=["%Y-%m-%d"], help=say("截至哪天已公布", "as published by that day")
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import factor as run

    answers = run.resolve(opened(workspace), source, day.date(), known_at.date() if known_at else None)
    if as_json:
        print_json([answer.as_json() for answer in answers])
        return
    for answer in answers:
        print_line(
            f"[bold]{answer.gas}[/bold] {answer.value:.10g} {answer.unit}  [dim]{answer.regime} · {answer.method}[/dim]"
        )
        print_line(f"  {answer.factor_id}")
        print_line(f"  {read(answer.reason)}")
        for term in answer.terms:
            print_line(f"    · {read(term.title)} {term.value} {term.unit} — {term.source} ({term.confidence})")
