"""`zf`: one vocabulary for the whole plant. Each command lives in the file of its noun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zerofactory import __version__
from zerofactory.cli import book, documents, factor, inventory
from zerofactory.cli.language import say
from zerofactory.cli.options import state

app = typer.Typer(
    name="zf",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=say(
        "零碳工厂: 核算、优化、抵消, 一本可追溯、可重算的账。",
        "zerofactory: account, optimise, offset; one book, every tonne traceable and recomputable.",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"zerofactory {__version__}")
        raise typer.Exit


@app.callback()
def root(
    workspace: Annotated[
        Path | None,
        typer.Option("-w", "--workspace", help=say("工作区文件夹(默认当前文件夹)", "workspace folder (default: here)")),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=say("显示版本", "show the version"))
    ] = False,
) -> None:
    """Remember the workspace for the command that follows."""
    state.workspace = workspace


book.register(app)
inventory.register(app)
factor.register(app)
documents.register(app)


def main() -> None:
    """Run the command line."""
    app()
