"""Progress of long work: a bar on the terminal while it runs, gone when it ends; nothing where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """Give a function to call with the name of each step as it begins."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from zerofactory.cli.output import console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(error=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        begun = 0

        def step(name: str) -> None:
            nonlocal begun
            bar.update(task, description=f"{title} {name}", completed=begun)
            begun += 1

        yield step


@contextmanager
def working(title: str) -> Iterator[None]:
    """Show that work of unknown length is going on."""
    if not sys.stderr.isatty():
        yield
        return
    from zerofactory.cli.output import console

    with console(error=True).status(title):
        yield
