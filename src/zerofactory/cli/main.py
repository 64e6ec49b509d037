"""`zf`: one vocabulary for the whole plant. Each command lives in the file of its noun."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from zerofactory import __version__
from zerofactory.cli import (
    aas,
    alarms,
    assurance,
    baseline,
    book,
    budget,
    circularity,
    co_optimise,
    collect,
    declare,
    documents,
    electricity,
    energy,
    evaluate,
    factor,
    footprint,
    forecast,
    inspect,
    instruments,
    inventory,
    live,
    logistics,
    material,
    package,
    partners,
    plan,
    plant,
    readings,
    restatement,
    route,
    schedule,
    scrap,
    serve,
    store,
    twin,
    usage,
    users,
)
from zerofactory.cli.language import say
from zerofactory.cli.options import state

OBJECTS_BETWEEN_COLLECTIONS = 200_000  # what a command loads stays; the usual 700 would search it hundreds of times

app = typer.Typer(
    name="zf",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=say(
        "零碳工厂: 一本可追溯、可重算的碳账。第一次用: zf init 文件夹 --example car-plant。语言: ZF_LANG=zh 或 en。",
        "zerofactory: a carbon book in which every tonne opens and recomputes. First time: zf init DIR --example car-plant."
        " Language: ZF_LANG=zh or en.",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"zerofactory {__version__}")
        raise typer.Exit


@app.callback()
def root(
    workspace: Annotated[
        Path | None,
        typer.Option(
            "-w",
            "--workspace",
            metavar="DIR",
            help=say("工作区文件夹(默认当前文件夹)", "workspace folder (default: here)"),
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=say("显示版本", "show the version"))
    ] = False,
) -> None:
    """Remember the workspace for the command that follows."""
    state.workspace = workspace


book.register(app)
inventory.register(app)
circularity.register(app)
electricity.register(app)
readings.register(app)
energy.register(app)
factor.register(app)
forecast.register(app)
baseline.register(app)
footprint.register(app)
documents.register(app)
collect.register(app)
live.register(app)
logistics.register(app)
material.register(app)
alarms.register(app)
budget.register(app)
restatement.register(app)
route.register(app)
schedule.register(app)
scrap.register(app)
co_optimise.register(app)
package.register(app)
plan.register(app)
plant.register(app)
assurance.register(app)
evaluate.register(app)
instruments.register(app)
inspect.register(app)
declare.register(app)
serve.register(app)
twin.register(app)
aas.register(app)
store.register(app)
users.register(app)
partners.register(app)


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 the book is broken, 2 faulty data or a wrong call."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    command = usage.in_language(typer.main.get_command(app))
    try:
        code = command.main(prog_name="zf", standalone_mode=False)
    except usage.UsageError as fault:
        usage.leave(fault)
    except typer.Abort:
        sys.exit(130)
    finally:
        gc.freeze()  # the process ends: nothing is searched once more
    sys.exit(code or 0)
