"""Commands to devices in the book: what the dispatcher sent, the manual overrides, and the list of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from zerofactory.connectors.command import HOME
from zerofactory.connectors.command_file import read_permits
from zerofactory.connectors.command_log import Command, CommandLog
from zerofactory.connectors.override import Override, clear_override, overrides, set_override
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.runs import energy_file
from zerofactory.runs.context import Context, clock, run_row
from zerofactory.store.command_events import COMMANDS
from zerofactory.store.schema import RUNS
from zerofactory.store.workspace import Workspace

TO_BOOK = {"would_send": "unknown", "sending": "unknown"}


@dataclass(frozen=True, slots=True)
class Overridden:
    """An override as it stands after it was turned on or off; ``was`` says whether it was on before."""

    asset: str | None
    is_on: bool
    was: bool
    standing: tuple[Override, ...]


def drain(context: Context, log: CommandLog) -> int:
    """Bring what was sent since the last time into the book, exactly once; return the number of commands."""
    waiting = log.waiting()
    if waiting:
        fresh = replace(context, workspace=Workspace(context.workspace.folder), now=clock())
        ids = [one.command_id for one in waiting]
        there = set(fresh.workspace.journal.rows(COMMANDS, {"command_id": ids})["command_id"])
        book(fresh, [one for one in waiting if one.command_id not in there])
    log.booked()
    return len(waiting)


def book(context: Context, commands: Sequence[Command]) -> None:
    """Append commands to the book."""
    if not commands:
        return
    rows = [_row(context, one) for one in commands]
    payload: dict[str, object] = {"commands": len(rows), "plans": sorted({one.plan_id for one in commands})}
    frame = COMMANDS.frame(rows)
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="command", actor=context.actor) as writer:
        writer.append(COMMANDS, frame)
        writer.append(RUNS, run_row("command", context, payload, frame["command_id"].to_list(), frame.height))
        writer.payload = payload


def override(context: Context, asset: str | None, on: bool, reason: str) -> Overridden:
    """Take an asset (or the plant) in hand, or give it back. The flag counts at once, also while the book is busy.

    Raises
    ------
    NotFound
        The plant has no such asset.
    FaultyData
        No reason is given.
    """
    if not reason.strip():
        raise FaultyData([_no_reason()])
    folder = context.workspace.folder
    was = {one.asset for one in overrides(folder)}
    if not on and asset not in was:
        return Overridden(asset, False, False, overrides(folder))
    if asset is not None and asset not in was:
        _known(context, asset)
    if on:
        set_override(folder, Override(asset, reason, context.actor, context.at))
    else:
        clear_override(folder, asset)
    log = CommandLog(folder / HOME)
    at_us = round(context.now.timestamp() * 1_000_000)
    event = Command(
        log.name(at_us), at_us, asset or "", "override", "override", "1", None, None, None, None, "",
        "on" if on else "off", "", reason, reason, "",
    )  # fmt: skip
    book(context, [event])
    return Overridden(asset, on, asset in was, overrides(folder))


def commands(context: Context, asset: str | None = None, last: int | None = None) -> pl.DataFrame:
    """Return the commands in the book, oldest first."""
    frame = context.workspace.journal.rows(COMMANDS, {"asset": asset} if asset else None).drop("reverses")
    return frame.tail(last) if last is not None else frame


def _known(context: Context, asset: str) -> None:
    try:
        wired = read_permits(context.workspace.folder)[0].wires
        known = sorted({one.id for one in energy_file.read(context).assets} | set(wired))
    except FaultyData:
        return  # a faulty file must not keep a person from taking a device in hand
    if asset not in known:
        raise NotFound(Text("设备", "asset"), asset, known)


def _row(context: Context, one: Command) -> dict[str, Any]:
    row = asdict(one)
    at_us = row.pop("at_us")
    moment = datetime.fromtimestamp(at_us / 1_000_000, UTC)
    outcome = TO_BOOK.get(one.outcome, one.outcome)
    return row | {"commanded_at": moment, "outcome": outcome, "asset": one.asset or None, "actor": context.actor}


def _no_reason() -> Problem:
    return Problem(
        "commands.no_reason",
        Text("人工接管需要说明原因。", "An override needs a reason."),
        Text("请加 --reason。", "Add --reason."),
    )
