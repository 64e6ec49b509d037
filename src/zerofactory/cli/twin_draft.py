"""Command twin draft: a first twin.toml from the plant file, its output and meters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table


def register(group: typer.Typer) -> None:
    """Add this command to the group of the twin."""
    group.command("draft", help=say("由 factory.toml、产量与表计起草 twin.toml", "a first twin.toml from the plant file, output and meters"))(draft)  # fmt: skip


@door
def draft(
    takt: Annotated[float | None, typer.Option("--takt", metavar="SECONDS", help=say("每件用时(秒); 默认由产量与班次算", "seconds a piece; from output and shifts by default"))] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help=say("写到这个文件, 不写进工作区", "write this file, not into the workspace"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin_draft as use

    context = opened(workspace)
    drafted = use.draft(context, takt)
    path = use.write(context, drafted, out)
    if as_json:
        print_json({**drafted.as_json(), "file": str(path)})
        return
    print_line(say(f"已起草 {path}: {len(drafted.places)} 个工位, 每件 {drafted.takt_s:.4g} 秒", f"{path} drafted: {len(drafted.places)} stations, {drafted.takt_s:.4g} s a piece"))  # fmt: skip
    header = ((say("工位", "station"), "left"), (say("接自", "fed by"), "left"), (say("班内 kW", "in shift kW"), "right"), (say("班外 kW", "outside kW"), "right"), (say("表计", "meters"), "left"))  # fmt: skip
    titles = {f"{one.id}-out": read(one.title) for one in drafted.places}
    rows = []
    for one in drafted.places:
        powers = one.powers.get("electricity", {})
        mean = f"{powers['working']:,.0f}" if powers else "—"
        rows.append((read(one.title), ", ".join(titles[name] for name in one.takes) or "—", mean, f"{powers['off']:,.0f}" if powers else "—", ", ".join(one.meters.get("electricity", ())) or "—"))  # fmt: skip
    print_table("", header, rows)
    print_line(say("流向、缓存容量、待料与待机功率是占位, 没有故障: 请改成贵厂的, 再 zf twin run; 之后 zf twin calibrate --write。", "The flow, rooms, idle and standby power are placeholders and nothing fails: put in your own, then zf twin run, then zf twin calibrate --write."))  # fmt: skip
