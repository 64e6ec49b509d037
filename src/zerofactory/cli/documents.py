"""Commands that write documents: template, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zerofactory.cli.language import language, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line
from zerofactory.cli.progress import working

OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help=say("输出文件", "file to write"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("template", help=say("写出带下拉选项的导入表格", "write the import form with drop-down lists"))(
        template
    )
    app.command("report", help=say("生成报告(PDF 或 XLSX)", "write a report (PDF or XLSX)"))(report)


@door
def template(
    form: Annotated[
        str,
        typer.Option(
            "--for", metavar="FORM", help=say("activities 活动数据 | readings 手抄读数", "activities | readings")
        ),
    ],
    out: OutOption,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import template as run

    run.run(opened(workspace), form, out, language())
    _written(out, as_json)


@door
def report(
    period: PeriodOption,
    out: OutOption,
    form: Annotated[str, typer.Option("--form", metavar="FORM", help="iso_14064")] = "iso_14064",
    regime: Annotated[
        str | None,
        typer.Option(
            "--regime", metavar="REGIME", help=say("电力口径: location | market_annual", "location | market_annual")
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import report as run

    context = opened(workspace)
    with working(say("正在排版……", "setting the pages …")):
        run.run(context, Period.parse(period), form, out, regime, language())
    _written(out, as_json)


def _written(out: Path, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(out), "bytes": out.stat().st_size})
    else:
        print_line(say(f"已写出 {out}({out.stat().st_size:,} 字节)", f"Written: {out} ({out.stat().st_size:,} bytes)"))
