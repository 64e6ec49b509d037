"""The pages of declarations as they were when they were made, kept among the evidence in both languages."""

from __future__ import annotations

import json
from pathlib import Path

from zerofactory.errors import FaultyData, Language, NotFound, Problem, Text
from zerofactory.runs.context import Context
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.schema import RUNS

LANGUAGES: tuple[Language, ...] = ("zh", "en")


def filed(context: Context, declaration_id: str, language: Language = "zh") -> bytes:
    """Return the pages of a declaration as they were when it was made, byte for byte (PDF).

    Raises
    ------
    NotFound
        No such declaration, or its pages are not kept: it was made by a version that kept none.
    """
    rows = context.workspace.journal.rows(RUNS, {"kind": "declare"})
    for row in rows.iter_rows(named=True):
        told = json.loads(row["parameters"])
        if told["declaration"] == declaration_id and language in told.get("pages", {}):
            return context.workspace.evidence.find(told["pages"][language]).read_bytes()
    raise NotFound(Text("已作声明的 PDF", "PDF of a declaration"), declaration_id)


def write_filed(context: Context, declaration_id: str, out: Path, language: Language = "zh") -> None:
    """Write the pages of a declaration as they were when it was made. Raises as `filed`, and for another suffix than .pdf."""
    refuse_suffix(out)
    write_bytes_whole(out, filed(context, declaration_id, language))


def kept_pages(context: Context) -> list[tuple[str, str]]:
    """Return every declaration whose pages are kept and the hash of each of its files."""
    rows = context.workspace.journal.rows(RUNS, {"kind": "declare"})
    told = [json.loads(row["parameters"]) for row in rows.iter_rows(named=True)]
    return [(one["declaration"], digest) for one in told for digest in one.get("pages", {}).values()]


def refuse_suffix(out: Path | None) -> None:
    """Raise `FaultyData` where a file that is named is no .pdf."""
    if out is not None and out.suffix.lower() != ".pdf":
        message = Text(f"不能写“{out.suffix}”文件。", f"Cannot write '{out.suffix}' files.")
        raise FaultyData([Problem("declare.unknown_type", message, Text("请用 .pdf。", "Use .pdf."), file=out.name)])
