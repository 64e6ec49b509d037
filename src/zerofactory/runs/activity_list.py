"""The activities of the book as one looks for them: by month, source, origin and text, with their evidence and whether they may go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from zerofactory.errors import NotFound, Text
from zerofactory.runs.context import Context
from zerofactory.store.schema import ACTIVITIES, BATCHES


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; an empty field takes all. ``text`` is looked for in document, note, item and id."""

    period: str = ""
    source: str = ""
    tier: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One activity that stands in the book. ``by_hand`` came by a document and may be reversed; ``is_sealed``: its month is closed."""

    activity_id: str
    source: str
    shop: str
    period: str
    item: str | None
    quantity: float
    unit: str
    tier: str
    estimated_fraction: float
    document: str | None
    note: str | None
    evidence: str | None
    file: str | None
    by_hand: bool
    is_sealed: bool

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in ActivityRow.__slots__}


def run(context: Context, asked: Asked = Asked()) -> list[ActivityRow]:
    """Return the activities that stand, newest month first."""
    journal = context.workspace.journal
    where = {
        name: value
        for name, value in (("period", asked.period), ("source_id", asked.source), ("tier", asked.tier))
        if value
    }
    imported = set(journal.active(ACTIVITIES, where, brought_by="import")["activity_id"])
    frame = journal.active(ACTIVITIES, where)
    sealed = set(context.workspace.seals()["period"])
    files = dict(journal.active(BATCHES).select("file_sha256", "file_name").iter_rows())
    if asked.text:
        words = pl.concat_str(
            [pl.col(name).fill_null("") for name in ("document", "note", "item", "activity_id", "source_id")],
            separator=" ",
        )
        frame = frame.filter(words.str.to_lowercase().str.contains(asked.text.casefold(), literal=True))
    rows = frame.sort(["period", "source_id", "document"], descending=[True, False, False], nulls_last=True).to_dicts()
    return [_row(row, imported, sealed, files) for row in rows]


def evidence(context: Context, digest: str) -> tuple[str, Path]:
    """Return the name and the path of a document by its hash; raise `NotFound` for one that no activity rests on."""
    found = context.workspace.journal.active(BATCHES, {"file_sha256": digest})
    if found.is_empty():
        raise NotFound(Text("凭证文件", "evidence"), digest)
    return found["file_name"][0], context.workspace.evidence.find(digest)


def _row(row: dict[str, Any], imported: set[str], sealed: set[str], files: dict[str, str]) -> ActivityRow:
    digest = row["evidence"]
    return ActivityRow(
        row["activity_id"], row["source_id"], row["shop"], row["period"], row["item"], row["quantity"], row["unit"], row["tier"],
        row["estimated_fraction"], row["document"], row["note"], digest if digest in files else None, files.get(digest or ""),
        row["activity_id"] in imported, row["period"] in sealed,
    )  # fmt: skip
