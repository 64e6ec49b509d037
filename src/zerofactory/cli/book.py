"""Commands of the book: init, check, list, import, reverse, close, verify."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened, state
from zerofactory.cli.output import EXIT_BROKEN, door, print_json, print_line, print_problems, print_table, tonnes
from zerofactory.cli.progress import progress, working

INTO_CLOSED = say(
    "允许写入已封存的月份, 之后用 close --revise 生效", "let facts into closed months; they count after close --revise"
)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("init", help=say("新建工作区", "make a workspace"))(init)
    app.command("check", help=say("检查工厂文件、因子和数据", "check the plant file, factors and data"))(check)
    app.command("list", help=say("列出标准、因子集、排放源、表计……", "list standards, factor sets, sources, meters …"))(
        list_
    )
    app.command("import", help=say("导入读数或活动数据文件", "import files of readings or activities"))(import_)
    app.command("reverse", help=say("冲销已入账的凭证", "take back a booked document"))(reverse)
    app.command("close", help=say("封存一个月或一年", "close a month or a year"))(close)
    app.command("verify", help=say("重算每条记录和每个哈希", "recompute every record and every hash"))(verify)


@door
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=say("新文件夹", "a new folder"))],
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            metavar="NAME",
            help=say("示例: car-plant(虚构的参考整车厂)", "example: car-plant (a fictional car plant)"),
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="NAME",
            help=say("由模板开始(zf list plant-templates)", "begin from a template (zf list plant-templates)"),
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import init as run

    made = run.run(folder, example, template)
    if as_json:
        print_json(
            {
                "workspace": str(folder),
                "example": example,
                "template": template,
                "files": [str(path) for path in made.files],
            }
        )
        return
    print_line(
        say(f"工作区已建好: {folder}({len(made.files)} 个文件)", f"Workspace made: {folder} ({len(made.files)} files)")
    )
    for line in made.next_steps:
        print_line(f"  {read(line)}")


@door
def check(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import check as run

    report = run.run(opened(workspace))
    if as_json:
        print_json(report.as_json())
    else:
        print_table(
            say("检查结果", "Check"),
            [(say("项目", "what"), "left"), (say("结果", "result"), "left")],
            [(read(line.title), read(line.result)) for line in report.lines],
        )
        print_problems(report.problems)
    if report.failed:
        raise typer.Exit(2)


@door
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help=say("列什么; 不写则列出可选项", "what to list; left out: what there is")),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import listing

    listed = listing.run(kind or "kinds", workspace or state.workspace or Path())
    if as_json:
        print_json(listed.as_json())
        return
    print_table(
        read(listed.title),
        [(read(column), side) for column, side in listed.header],
        [[read_cell(c) for c in row] for row in listed.rows],
    )


def read_cell(cell: object) -> str:
    """Return a cell in the user's language."""
    from zerofactory.errors import Text

    return read(cell) if isinstance(cell, Text) else "" if cell is None else str(cell)


@door
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV, XLSX, Parquet")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=say("只检查, 不写入", "check only, write nothing"))
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="FILE", help=say("外来文件的列映射(TOML)", "column mapping of a foreign file (TOML)")
        ),
    ] = None,
    into_closed: Annotated[bool, typer.Option("--into-closed", help=INTO_CLOSED)] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import import_data

    context = opened(workspace)
    with progress(say("正在导入", "importing"), len(files)) as step:
        results = import_data.run(context, files, mapping, dry_run, into_closed, step)
    warnings = [problem for result in results for problem in result.warnings]
    if as_json:
        rows = [result.as_json() for result in results]
        print_json({"files": rows, "problems": [problem.as_json() for problem in warnings]})
        return
    status = {
        "imported": say("已导入", "imported"),
        "checked": say("检查通过, 未写入", "sound, not written"),
        "already_imported": say("此前已导入", "imported before"),
    }
    kinds = {"readings": say("读数", "readings"), "activities": say("活动数据", "activities")}
    print_table(
        "",
        [
            (say("文件", "file"), "left"),
            (say("内容", "content"), "left"),
            (say("行数", "rows"), "right"),
            (say("期间", "period"), "left"),
            (say("结果", "result"), "left"),
        ],
        [(r.name, kinds[r.kind], f"{r.rows:,}", _span(r.periods), status[r.status]) for r in results],
    )
    print_problems(warnings)


def _span(periods: tuple[str, ...]) -> str:
    return "" if not periods else periods[0] if len(periods) == 1 else f"{periods[0]} … {periods[-1]}"


@door
def reverse(
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help=say("凭证号或活动编号", "document number or activity id"))
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("原因", "why"))],
    into_closed: Annotated[bool, typer.Option("--into-closed", help=INTO_CLOSED)] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import reverse as run

    count = run.run(opened(workspace), document, reason, into_closed)
    if as_json:
        print_json({"document": document, "reversed": count})
    else:
        print_line(say(f"已冲销 {count} 条活动数据。", f"{count} activities taken back."))


@door
def close(
    period: PeriodOption,
    revise: Annotated[bool, typer.Option("--revise", help=say("修订已封存的月份", "revise closed months"))] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("修订原因", "why it is revised"))] = "",
    known_at: Annotated[
        datetime | None,
        typer.Option(
            "--known-at",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help=say("因子截至日期(默认今天)", "factors as published by that day (default: today)"),
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import close as run

    context = opened(workspace)
    asked, day = Period.parse(period), known_at.date() if known_at else None
    with progress(say("正在封存", "closing"), len(list(asked.months()))) as step:
        months = run.run(context, asked, day, revise, reason, step)
    warnings = list(dict.fromkeys(problem for month in months for problem in month.warnings))
    if as_json:
        rows = [month.as_json() for month in months]
        print_json({"months": rows, "problems": [problem.as_json() for problem in warnings]})
        return
    status = {
        "closed": say("已封存", "closed"),
        "revised": say("已修订", "revised"),
        "already_closed": say("此前已封存", "closed before"),
    }
    print_table(
        "",
        [(say("月份", "month"), "left"), (say("版次", "rev."), "right"), (say("活动", "activities"), "right"), (say("记录", "records"), "right"),
         (say("范围一二 tCO2e(基于位置)", "scope 1+2 tCO2e (location)"), "right"), ("", "left")],
        [(m.period, str(m.revision), f"{m.activities:,}", f"{m.records:,}", tonnes(m.total_gco2e), status[m.status]) for m in months],
    )  # fmt: skip
    print_problems(warnings)


@door
def verify(
    package: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=say("核查包; 不写则核验工作区", "a package; left out: the workspace")),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.cli.package import verify_file
    from zerofactory.runs import verify as run

    if package is not None:
        verify_file(package, as_json)
        return
    with working(say("正在重算全部记录和哈希……", "recomputing every record and hash …")):
        verdict = run.run(opened(workspace))
    if as_json:
        print_json(verdict.as_json())
    else:
        print_problems(verdict.problems)
        if verdict.clean:
            print_line(
                say(
                    f"账本完好: {verdict.entries} 号凭证, {verdict.months} 个封存月, {verdict.activities:,} 条活动, {verdict.records:,} 条记录全部重算一致。",
                    f"The book is sound: {verdict.entries} entries; closed months: {verdict.months}; {verdict.activities:,} activities and {verdict.records:,} records recompute.",
                )
            )
            print_line(say(f"账本指纹 {verdict.head}", f"Head of the book {verdict.head}"))
    if not verdict.clean:
        raise typer.Exit(EXIT_BROKEN)
