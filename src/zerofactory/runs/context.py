"""What every run needs: the workspace, the moment and who acts; and how a run is recorded."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from zerofactory import __version__
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.periods import zone
from zerofactory.store.journal import canonical
from zerofactory.store.schema import RUNS
from zerofactory.store.workspace import Workspace, current_actor


@dataclass(frozen=True, slots=True)
class Context:
    """One opened workspace at one moment, used by one person or program."""

    workspace: Workspace
    now: datetime
    actor: str

    @property
    def at(self) -> str:
        """The moment as it is written in the journal."""
        return stamp(self.now)

    @property
    def today(self) -> date:
        """The day on the plant's clock."""
        return self.now.astimezone(zone(self.workspace.plant.time_zone)).date()


def open_context(folder: Path) -> Context:
    """Open the workspace in a folder; raise `FaultyData` when it is none."""
    return Context(Workspace.open(folder), clock(), current_actor())


def clock() -> datetime:
    """Return the present moment in UTC, or the one in ``ZF_NOW`` (ISO 8601; for repeatable builds)."""
    fixed = os.environ.get("ZF_NOW")
    if not fixed:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(fixed).astimezone(UTC)
    except ValueError as error:
        raise FaultyData(
            [
                Problem(
                    code="runs.clock",
                    message=Text(
                        f"环境变量 ZF_NOW“{fixed}”不是时间。", f"The variable ZF_NOW '{fixed}' is not a time."
                    ),
                    hint=Text("请写成 2026-01-15T08:00:00+08:00。", "Write it as 2026-01-15T08:00:00+08:00."),
                )
            ]
        ) from error


def refuse_future(context: Context, known_at: date | None) -> None:
    """Raise `FaultyData` when something is asked for as it will be known on a day to come."""
    if known_at is not None and known_at > context.today:
        raise FaultyData(
            [
                Problem(
                    code="runs.known_in_future",
                    message=Text(
                        f"--known-at {known_at} 在今天({context.today})之后, 那时会公布什么还不知道。",
                        f"--known-at {known_at} lies after today ({context.today}): what will be published by then is not known.",
                    ),
                    hint=Text("请用今天或更早的日期。", "Give today or an earlier day."),
                )
            ]
        )


def stamp(moment: datetime) -> str:
    """Return a moment as text in UTC to the microsecond.

    Examples
    --------
    >>> stamp(datetime(2026, 1, 15, tzinfo=UTC))
    '2026-01-15T00:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def run_row(kind: str, context: Context, parameters: object, inputs: object, outcome: object) -> pl.DataFrame:
    """Return the row of RUNS that records a run."""
    inputs_hash = hashlib.sha256(canonical(inputs).encode()).hexdigest()
    identity = canonical([kind, context.at, parameters, inputs_hash])
    return RUNS.frame(
        [
            {
                "run_id": hashlib.sha256(identity.encode()).hexdigest()[:16],
                "kind": kind,
                "started_at": context.at,
                "inputs_hash": inputs_hash,
                "code_version": __version__,
                "parameters": canonical(parameters),
                "outcome": canonical(outcome),
            }
        ]
    )
