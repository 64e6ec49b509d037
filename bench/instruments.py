"""One million transfers of single certificates: posted and balanced in memory, written to a book, read and folded again.

A quarter of a million certificates in two hundred batches; each is reserved, released, reserved again and retired, in random
order within its batch, so that the pieces of a batch never stay together. Every row is checked against the serials when it is
posted, and the accounts against the serials at the end.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from bench.clock import Parts, apart, row

BATCHES, UNITS, MOVES = 200, 1250, 4
CHUNK = 100_000
STEPS = (
    ("held", "reserved", "C1"),
    ("reserved", "held", "C1"),
    ("held", "reserved", "C2"),
    ("reserved", "retired", "C2"),
)


def serials() -> dict[str, object]:
    """Return the series of every batch."""
    from zerofactory.instruments.serial import SerialRange

    return {f"gec-{n:08x}": SerialRange(f"GEC-{n:03d}-", "", 1, UNITS, 6) for n in range(BATCHES)}


def transfers(batches: dict[str, object]) -> list[object]:
    """Return the transfers in order: issue of every batch, then a million of one certificate each."""
    from zerofactory.instruments.book import Transfer

    random = np.random.Generator(np.random.PCG64(5))
    act = ("2026-01-15T00:00:00.000000Z", "bench", "bench")
    made = [Transfer(f"I{n}", name, "outside", "held", whole, *act) for n, (name, whole) in enumerate(batches.items())]  # type: ignore[arg-type]
    number = 0
    for origin, target, claim in STEPS:
        for name, whole in batches.items():
            for unit in (random.permutation(UNITS) + 1).tolist():
                number += 1
                one = whole.part(unit, unit)  # type: ignore[attr-defined]
                made.append(Transfer(f"T{number}", name, origin, target, one, *act, claim_id=claim))
    return made


def ours(parts: Parts) -> int:
    """Post, balance, write, read, fold and balance again."""
    from zerofactory.instruments.book import TRANSFERS, folded, transfers_frame, transfers_of

    batches = serials()
    moves = transfers(batches)
    book = parts.time("post", lambda: folded(batches, moves))  # type: ignore[arg-type]
    faults = parts.time("balance", book.check)
    assert faults == [], "the book does not balance"
    assert book.balance("retired") == BATCHES * UNITS
    frame = parts.time("rows", lambda: transfers_frame(moves))  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        journal = _journal(Path(folder))
        parts.time("write", lambda: _write(journal, frame))
        stored = parts.time("read", lambda: journal.rows(TRANSFERS))
    again = parts.time("fold", lambda: folded(batches, transfers_of(stored, batches)))  # type: ignore[arg-type]
    assert again.check() == []
    assert again.balance("retired") == BATCHES * UNITS
    return len(moves)


def _journal(folder: Path) -> object:
    from zerofactory.runs.context import stamp
    from zerofactory.store.workspace import Workspace

    made = Workspace.create(folder, at=stamp(datetime(2026, 1, 15, tzinfo=UTC)), actor="bench")
    return made.journal


def _write(journal: object, frame: pl.DataFrame) -> None:
    from zerofactory.instruments.book import TRANSFERS

    for start in range(0, frame.height, CHUNK):
        with journal.writing(at="2026-01-15T00:00:00.000000Z", kind="instruments", actor="bench") as writer:  # type: ignore[attr-defined]
            writer.append(TRANSFERS, frame.slice(start, CHUNK))


def run() -> None:
    """Print the figures."""
    found = apart(ours)
    print(f"instruments: {found.result:,} transfers of single certificates over {BATCHES} batches, posted and balanced")
    row("ledger of a million transfers", found)
    print(f"  posted {MOVES * BATCHES * UNITS / found.seconds['post'] / 1e3:,.0f} thousand transfers a second")
