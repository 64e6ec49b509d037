"""Comparisons of scenarios that were kept: a file in the workspace, its hash in the journal, listed and opened again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.twin_compare import Comparison
from zerofactory.store.files import sha256_of, write_bytes_whole
from zerofactory.store.schema import RUNS

KIND = "twin_compare"
FOLDER = "twin/comparisons"


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept comparison: its id, when and by whom it was kept, the days it is of, its scenarios, and the hash of its file."""

    id: str
    at: str
    first: str
    days: int
    runs: int
    seed: int
    scenarios: tuple[Mapping[str, Any], ...]
    sha256: str

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "comparison": self.id,
            "at": self.at,
            "from": self.first,
            "days": self.days,
            "runs": self.runs,
            "seed": self.seed,
            "scenarios": list(self.scenarios),
            "sha256": self.sha256,
        }


def keep(context: Context, comparison: Comparison) -> Kept:
    """Write a comparison into the workspace and its hash into the journal; the same comparison is kept once."""
    told = comparison.as_json()
    content = (json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    digest = hashlib.sha256(content).hexdigest()
    there = next((one for one in listed(context) if one.sha256 == digest), None)
    if there is not None:
        return there
    base = comparison.base
    made = Kept(
        f"comparison-{digest[:10]}", context.at, base.first.isoformat(), base.asked.days, base.asked.runs, base.asked.seed,
        tuple(one.scenario.as_json() for one in comparison.scenarios), digest,
    )  # fmt: skip
    path = context.workspace.folder / FOLDER / f"{made.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_whole(path, content)
    outcome = {name: value for name, value in made.as_json().items() if name != "at"}
    parameters = {"from": made.first, "days": made.days, "runs": made.runs, "seed": made.seed, "confidence": comparison.confidence}  # fmt: skip
    inputs = {"scenarios": [one.scenario.sha256 or one.scenario.id for one in comparison.scenarios]}
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind=KIND, actor=context.actor) as writer:
        writer.append(RUNS, run_row(KIND, context, parameters, inputs, outcome))
        writer.payload = {"comparison": made.id, "sha256": digest}
    return made


def listed(context: Context) -> tuple[Kept, ...]:
    """Return every kept comparison, the newest first."""
    rows = [row for row in context.workspace.journal.active(RUNS).to_dicts() if row["kind"] == KIND]
    return tuple(_kept(row) for row in reversed(rows))


def opened(context: Context, name: str) -> dict[str, Any]:
    """Return a kept comparison as it was written, with when it was kept.

    Raises
    ------
    NotFound
        No such comparison; lists those there are.
    FaultyData
        Its file is gone, or is not the one that was kept.
    """
    found = {one.id: one for one in listed(context)}
    if name not in found:
        raise NotFound(Text("比较", "comparison"), name, tuple(found))
    kept = found[name]
    path = context.workspace.folder / FOLDER / f"{kept.id}.json"
    if not path.is_file() or sha256_of(path) != kept.sha256:
        message = Text(f"{path.name} 不在或被改动过。", f"{path.name} is gone, or was changed.")
        raise FaultyData([Problem("twin.comparison_file", message, Text("请重新比较并保存。", "Compare and save again."), file=path.name)])  # fmt: skip
    told: dict[str, Any] = json.loads(path.read_bytes())
    return {**told, "comparison": kept.id, "at": kept.at}


def _kept(row: Mapping[str, Any]) -> Kept:
    told = json.loads(row["outcome"])
    return Kept(
        told["comparison"], row["started_at"], told["from"], told["days"], told["runs"], told["seed"],
        tuple(told["scenarios"]), told["sha256"],
    )  # fmt: skip
