"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say

if TYPE_CHECKING:
    from zerofactory.runs.context import Context

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "-w", "--workspace", metavar="DIR", help=say("工作区文件夹(默认当前文件夹)", "workspace folder (default: here)")
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
PeriodOption = Annotated[
    str, typer.Option("--period", metavar="PERIOD", help=say("期间: 2025 或 2025-03", "period: 2025 or 2025-03"))
]
StandardOption = Annotated[
    str,
    typer.Option(
        "--standard", metavar="ID", help=say("标准(见 zf list standards)", "standard (see zf list standards)")
    ),
]


@dataclass(slots=True)
class State:
    """What was said before the command: ``zf -w DIR check`` means the same as ``zf check -w DIR``."""

    workspace: Path | None = None


state = State()


def opened(workspace: Path | None) -> Context:
    """Open the workspace that was named with the command, before it, or the current folder."""
    from zerofactory.runs.context import open_context

    return open_context(workspace or state.workspace or Path())
