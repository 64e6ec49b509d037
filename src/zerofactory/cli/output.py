"""What the terminal shows: tables, problems, and the same as JSON."""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import typer

from zerofactory.cli.language import language, say
from zerofactory.errors import BookBroken, BookClosed, FaultyData, NotFound, Problem, Text

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")

EXIT_BROKEN, EXIT_FAULTY = 1, 2
MAX_PROBLEMS_SHOWN = 50
PLAIN_WIDTH = 100
MIN_WRAPPED, COLUMN_GAP = 12, 3
WRITING = {
    "init",
    "import_",
    "reverse",
    "close",
    "reserve",
    "retire",
    "claim",
    "settle",
    "release",
    "sell",
    "take_back",
    "cancel",
    "withdraw",
}


def console(*, error: bool = False) -> Console:
    """Return a rich console; where the output is not a terminal it is as wide as ``COLUMNS`` says, else 100 columns."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    wide = None if stream.isatty() or os.environ.get("COLUMNS", "").isdigit() else PLAIN_WIDTH
    return Console(stderr=error, width=wide, highlight=False, emoji=False, markup=True)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_table(title: str, header: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> None:
    """Print a title line and a table; ``header`` holds (name, 'left' or 'right'). An empty table says so.

    Numbers and names of one word (ids, units, hashes) are kept whole as far as the width allows; sentences are wrapped.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    out, lines = console(), [list(row) for row in rows]
    if title:
        out.print(f"[bold]{_plain(title)}[/bold]")
    if not lines:
        out.print(say("(没有)", "(none)"))
        return
    widths = [[cell_len(row[place]) for row in lines] for place in range(len(header))]
    whole = _whole_columns(header, lines, widths, out.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, (name, side) in enumerate(header):
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold", no_wrap=place in whole)
    for row in lines:
        table.add_row(*(_plain(cell) for cell in row))
    out.print(table)


def _whole_columns(
    header: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], widths: Sequence[Sequence[int]], width: int
) -> set[int]:
    """Return the columns that are not to be wrapped: the first, if half the width holds it; then numbers, then one-word
    columns from the left, as long as each other column keeps ``MIN_WRAPPED`` cells."""
    from rich.cells import cell_len

    def is_word(place: int) -> bool:
        return all(row[place].isascii() and " " not in row[place] for row in rows)

    needed = [max(cell_len(name), *lengths) for (name, _), lengths in zip(header, widths, strict=True)]
    order = [0, *(place for place, (_, side) in enumerate(header) if side == "right" and place > 0)]
    order += [place for place in range(len(header)) if place not in order and is_word(place)]
    room = width - COLUMN_GAP * (len(header) - 1) - sum(min(length, MIN_WRAPPED) for length in needed)
    whole = set()
    for place in order:
        more = needed[place] - min(needed[place], MIN_WRAPPED)
        if more <= room or (place == 0 and needed[0] <= width // 2):
            whole.add(place)
            room -= more
    return whole


def print_problems(problems: Sequence[Problem]) -> None:
    """Print problems to stderr, errors first, each with its place and how to mend it."""
    from rich.text import Text as Line

    out, lang = console(error=True), language()
    ordered = sorted(problems, key=lambda problem: problem.severity)
    for problem in ordered[:MAX_PROBLEMS_SHOWN]:
        mark, style = ("✗", "red") if problem.severity == "error" else ("!", "yellow")
        line = Line(f"{mark} ", style=style)
        where = problem.where(lang)
        line.append(f"{where}: " if where else "", style="bold")
        line.append(problem.message.in_language(lang), style="default")
        out.print(line)
        hint = problem.hint.in_language(lang)
        if hint:
            out.print(Line(f"  → {hint}", style="dim"))
    if len(ordered) > MAX_PROBLEMS_SHOWN:
        rest = len(ordered) - MAX_PROBLEMS_SHOWN
        out.print(say(f"……还有 {rest} 个问题, 用 --json 看全部。", f"… and {rest} more; --json shows them all."))


def print_line(text: str) -> None:
    """Print one line, rich markup allowed."""
    console().print(text)


def tonnes(gco2e: int, digits: int = 1) -> str:
    """Return grams as tonnes with thousands separators, rounded half to even on the exact integer.

    Examples
    --------
    >>> tonnes(1_234_567_890)
    '1,234.6'
    """
    from decimal import ROUND_HALF_EVEN, Decimal

    return f"{(Decimal(gco2e) / 1_000_000).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):,}"


def door(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a run raises into a clear message and an exit code: 2 faulty data or request, 1 a broken book."""

    writes = getattr(function, "__name__", "") in WRITING

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        try:
            return function(*args, **kwargs)
        except FaultyData as fault:
            leave(fault.problems, EXIT_FAULTY, as_json, writes)
        except NotFound as fault:
            leave((fault.as_problem(),), EXIT_FAULTY, as_json, writes)
        except BookClosed as fault:
            leave((_closed(fault.period),), EXIT_FAULTY, as_json, writes)
        except BookBroken as fault:
            leave(fault.problems, EXIT_BROKEN, as_json, writes)
        except BrokenPipeError:
            raise
        except OSError as fault:
            leave((_of_system(fault),), EXIT_FAULTY, as_json, writes)
        except Exception as fault:
            problem = _of_database(fault)
            if problem is None:
                raise
            leave((problem,), EXIT_BROKEN, as_json, writes)

    return guarded


def leave(problems: Sequence[Problem], code: int, as_json: bool, writes: bool = False) -> NoReturn:
    """Show problems, as JSON or for a reader, and leave with an exit code; say that nothing was written if it might have been."""
    if as_json:
        print_json({"problems": [problem.as_json() for problem in problems]})
    else:
        print_problems(problems)
        count = sum(1 for problem in problems if problem.severity == "error")
        noun = "problem" if count == 1 else "problems"
        if writes:
            told = say(f"共 {count} 个问题, 没有写入任何数据。", f"{count} {noun}; nothing was written.")
            console(error=True).print(told)
        elif count > 1:
            console(error=True).print(say(f"共 {count} 个问题。", f"{count} {noun}."))
    raise typer.Exit(code)


def _closed(period: str) -> Problem:
    return Problem(
        code="close.already_closed",
        message=Text(f"期间 {period} 已封存。", f"Period {period} is closed already."),
        hint=Text("要更正请用 zf close --revise --reason。", "To correct it use zf close --revise --reason."),
    )


def _of_system(fault: OSError) -> Problem:
    """Return a fault of the file system: no such file, no right to write, disk full."""
    reason = fault.strerror or str(fault)
    known = {
        errno.ENOENT: "没有这个文件或文件夹",
        errno.EACCES: "没有权限",
        errno.ENOSPC: "磁盘已满",
        errno.EISDIR: "是文件夹",
    }
    file = re.sub(r"\.\d+\.partial$", "", str(fault.filename)) if fault.filename else None
    return Problem(
        code="system.file",
        message=Text(f"文件操作失败: {known.get(fault.errno or 0, reason)}。", f"The system refused: {reason}."),
        hint=Text("请检查路径、权限和磁盘空间。", "Check the path, the rights and the space on disk."),
        file=file,
    )


def _of_database(fault: Exception) -> Problem | None:
    """Return a fault of the book's database as a problem, or None when the fault is another."""
    import sqlite3

    cause = getattr(fault, "orig", fault)
    if not isinstance(cause, sqlite3.Error):
        return None
    if "locked" in str(cause):
        return Problem(
            code="store.busy",
            message=Text("账本正被另一个命令使用。", "The book is in use by another command."),
            hint=Text("请等它结束后再试。", "Wait until it has ended and try again."),
            file="book.db",
        )
    return Problem(
        code="store.book_unreadable",
        message=Text(f"账本无法读取: {cause}。", f"The book cannot be read: {cause}."),
        hint=Text("请从备份恢复 book.db。", "Restore book.db from the backup."),
        file="book.db",
    )


def _plain(cell: Any) -> str:
    from rich.markup import escape

    return escape(str(cell))
