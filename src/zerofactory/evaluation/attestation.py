"""Attestations: what a named person says is so, with the file that shows it. Booked by append; the newest word on a subject stands.

A subject is a criterion (``gb_t_36132_2025/gb36132.basic.a``) or an amount that the book does not hold (``land_area``). Saying
that something is met, or how much it is, takes a file; saying that it is not met does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from zerofactory.errors import Problem, Text
from zerofactory.evaluation.amount import Amount, kind_of

State = Literal["met", "not_met", "not_applicable", "amount"]
WITHOUT_FILE = ("not_met",)
_HINT = Text("请用 --evidence 附上文件。", "Give the file with --evidence.")


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation as it stands. ``kept`` says whether its file is still in the evidence store, unchanged."""

    attestation_id: str
    subject: str
    state: State
    value: float | None
    unit: str | None
    half_width_fraction: float
    evidence: str | None
    file_name: str | None
    valid_until: date | None
    text: str
    actor: str
    kept: bool = True

    def holds(self, on: date) -> bool:
        """Whether it proves anything on a day: its file is there (where one is needed) and it has not run out."""
        return self.kept and (self.valid_until is None or on <= self.valid_until)

    @property
    def shown(self) -> str:
        """The evidence as a person reads it: file name and the head of its hash, and who said so."""
        file = f"{self.file_name or '–'} {(self.evidence or '')[:8]}".strip()
        return f"{file} ({self.actor})"


def newest(rows: Iterable[Mapping[str, Any]], kept: Iterable[str]) -> dict[str, Attestation]:
    """Return the newest attestation of every subject from rows of `ATTESTATIONS` in order; ``kept`` are the hashes still there."""
    there = set(kept)
    return {
        str(row["subject"]): Attestation(
            row["attestation_id"], row["subject"], row["state"], row["value"], row["unit"], row["half_width_fraction"],
            row["evidence"], row["file_name"], date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
            row["text"], row["actor"], row["evidence"] is None or row["evidence"] in there,
        )
        for row in rows
    }  # fmt: skip


def attested_amounts(found: Mapping[str, Attestation], on: date) -> dict[str, Amount]:
    """Return the amounts that hold on a day, each a part of its own where its half-width is stated."""
    amounts = {}
    for name, one in found.items():
        if one.state == "amount" and one.value is not None and one.holds(on):
            half = one.value * one.half_width_fraction
            stakes = {f"attested:{name}": half} if half else {}
            amounts[name] = Amount(one.value, stakes, (), "attested", (one.evidence or "",))
    return amounts


def amount_faults(name: str) -> list[Problem]:
    """Return why an amount may not be attested: the book alone says it."""
    kind = kind_of(name)
    if kind.giver != "book":
        return []
    said = Text(f"“{name}”由账本得出, 不能另行证明。", f"'{name}' comes from the book and cannot be attested.")
    hint = Text(f"请把活动数据入账: {kind.note}。", f"Import the activity data instead: {kind.note}.")
    return [Problem("evaluation.not_attestable", said, hint)]


def no_file() -> Problem:
    """Return the problem of an attestation without a file."""
    said = Text("没有附证据文件。", "No file of evidence was given.")
    return Problem("evaluation.no_evidence", said, _HINT)
