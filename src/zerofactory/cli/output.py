"""What the terminal shows: tables, problems, and the same as JSON."""

from __future__ import annotations

import functools
import json
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


def console(*, error: bool = False) -> Console:
    """Return a rich console; where the output is not a terminal it is 100 columns wide."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(
        stderr=error, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False, emoji=False, markup=True
    )


def print_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_table(title: str, header: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; ``header`` holds (name, 'left' or 'right')."""
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, side in header:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold", no_wrap=side == "right")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    console().print(table)


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

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        try:
            return function(*args, **kwargs)
        except FaultyData as fault:
            _leave(fault.problems, EXIT_FAULTY, as_json)
        except NotFound as fault:
            _leave((fault.as_problem(),), EXIT_FAULTY, as_json)
        except BookClosed as fault:
            _leave((_closed(fault.period),), EXIT_FAULTY, as_json)
        except BookBroken as fault:
            _leave(fault.problems, EXIT_BROKEN, as_json)

    return guarded


def _leave(problems: Sequence[Problem], code: int, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"problems": [problem.as_json() for problem in problems]})
    else:
        print_problems(problems)
        count = sum(1 for problem in problems if problem.severity == "error")
        console(error=True).print(
            say(f"共 {count} 个问题, 没有写入任何数据。", f"{count} problem(s); nothing was written.")
        )
    raise typer.Exit(code)


def _closed(period: str) -> Problem:
    return Problem(
        code="close.already_closed",
        message=Text(f"期间 {period} 已封存。", f"Period {period} is closed already."),
        hint=Text("要更正请用 zf close --revise --reason。", "To correct it use zf close --revise --reason."),
    )


def _plain(cell: Any) -> str:
    from rich.markup import escape

    return escape(str(cell))
