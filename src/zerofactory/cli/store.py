"""Commands of the records store: store status, store upgrade, store move."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, state
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

EXIT_FAULTY = 2
HEAD_DIGITS = 16


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(
        help=say("记录放在哪里: SQLite 文件或 PostgreSQL", "where the records are kept: a SQLite file or PostgreSQL"),
        no_args_is_help=True,
    )
    group.command("status", help=say("账本在哪里, 什么版次, 指纹", "where each book is, its edition and its head"))(
        status
    )
    group.command("upgrade", help=say("把账本升到本程序的版次", "bring books up to the edition of this program"))(
        upgrade
    )
    group.command(
        "move", help=say("把账本与账户迁到 PostgreSQL, 或迁回文件", "move books and accounts to PostgreSQL, or back")
    )(move)
    app.add_typer(group, name="store")


@door
def status(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    from zerofactory.runs import store

    found = store.status(_root(workspace))
    problems = [problem for book in found.books for problem in book.problems]
    if as_json:
        print_json(found.as_json())
    else:
        header = [(say("工厂", "plant"), "left"), (say("存放", "place"), "left"), (say("账本", "book"), "left")]
        header += [(say("版次", "edition"), "left"), (say("凭证", "entries"), "right"), (say("行", "rows"), "right")]
        rows = [
            (one.site, one.place, one.book, one.edition, f"{one.entries:,}", f"{one.rows:,}", one.head[:HEAD_DIGITS])
            for one in found.books
        ]
        print_table(say("账本", "Books"), [*header, (say("指纹", "head"), "left")], rows)
        named = found.database or say("未设 ZF_DATABASE_URL", "ZF_DATABASE_URL is not set")
        print_line(say(f"数据库: {named}", f"Database: {named}"))
        accounts = found.accounts or say("尚无", "none yet")
        print_line(say(f"账户: {accounts}", f"Accounts: {accounts}"))
        print_problems(problems)
    if problems:
        raise typer.Exit(EXIT_FAULTY)


@door
def upgrade(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    from zerofactory.runs import store

    done = store.upgrade(_root(workspace))
    if as_json:
        print_json({"books": [{"site": site, "before": before, "after": after} for site, before, after in done]})
        return
    for site, before, after in done:
        print_line(say(f"{site}: 版次 {before} → {after}", f"{site}: edition {before} → {after}"))


@door
def move(
    to: Annotated[str, typer.Option("--to", metavar="PLACE", help=say("postgresql 或 sqlite", "postgresql or sqlite"))],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    from zerofactory.runs import store

    done = store.move(_root(workspace), to)
    if as_json:
        print_json({"to": to, "moved": done})
        return
    if not done:
        print_line(say(f"没有要迁移的: 都已在 {to}。", f"Nothing to move: all is in {to} already."))
    for one in done:
        if "accounts" in one:
            print_line(say(f"账户已迁到 {one['accounts']}", f"Accounts moved to {one['accounts']}"))
            continue
        print_line(
            say(
                f"{one['site']}: {one['entries']:,} 号凭证 {one['rows']:,} 行已从 {one['source']} 迁到 {one['target']}, 两边指纹相同。",
                f"{one['site']}: {one['entries']:,} entries, {one['rows']:,} rows moved from {one['source']} to {one['target']}; both have the same head.",
            )
        )
        print_line(say(f"  指纹 {one['head']}", f"  Head {one['head']}"))
        print_line(say(f"  原账本保留为 {one['kept_as']}", f"  The old book is kept as {one['kept_as']}"))


def _root(workspace: Path | None) -> Path:
    return workspace or state.workspace or Path()
