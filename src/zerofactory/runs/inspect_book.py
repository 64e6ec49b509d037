"""Inspected parts in the book: what the model said and what the inspector said, each a row that is never changed.

Who judges again appends a row that names the one it corrects; what the model had said goes along, so that both stand side by side.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from unicodedata import category

import polars as pl

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.inspected import DEFECTS, DISPOSITIONS, GOOD, UNNAMED, standing
from zerofactory.runs.context import Context, run_row, stamp
from zerofactory.store.journal import canonical
from zerofactory.store.schema import RUNS

LONGEST = 200
"""Characters of a free text: class, station, product, note."""
NAME, HASH, SHORTEST = 20, 64, 6
"""Characters of the id of a row, of the hash of a picture, and of the shortest beginning of either that is looked for."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an inspector says of a part: what becomes of it, and of a bad one the class of defect and its cause where known."""

    disposition: str
    defect: str = ""
    cause: str = ""
    note: str = ""

    @property
    def named(self) -> str:
        """The class of defect as it is booked."""
        return GOOD if self.disposition == "accept" else self.defect.strip() or UNNAMED

    def repeats(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of an inspector says the same."""
        told = (row["disposition"], row["defect"], row["cause"])
        return row["decided_by"] == "inspector" and told == (self.disposition, self.named, self.cause or None)


def is_bad(row: Mapping[str, Any]) -> bool:
    """Return whether a row says that a part is not good."""
    return bool(row["disposition"] != "accept")


@lru_cache(maxsize=1)
def causes() -> Mapping[str, Text]:
    """Return the causes a defect may have."""
    text = files("zerofactory.runs").joinpath("inspect_causes.csv").read_text(encoding="utf-8")
    return {row["cause"]: Text(row["zh"], row["en"]) for row in csv.DictReader(text.splitlines())}


def rows(context: Context, where: Mapping[str, object] | None = None) -> pl.DataFrame:
    """Return every row, oldest first."""
    return context.workspace.journal.rows(DEFECTS, where).drop("reverses")


def newest(context: Context, count: int) -> pl.DataFrame:
    """Return the last rows, oldest first: what stands among them stands in the whole book."""
    return context.workspace.journal.newest(DEFECTS, count).drop("reverses")


def booked(context: Context, since: datetime, until: datetime | None = None) -> pl.DataFrame:
    """Return the rows booked from a moment on, in the order of booking: among them is every part looked at since."""
    bounds = [stamp(one) for one in (since, until) if one is not None]
    return context.workspace.journal.since(DEFECTS, *bounds).drop("reverses")


def listed(
    context: Context, every: bool = False, shop: str = "", since: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the rows that stand (``every``: also those corrected), the newest first, as plain JSON values."""
    found = rows(context)
    found = found if every else standing(found)
    if shop:
        found = found.filter(pl.col("shop") == shop)
    if since is not None:
        found = found.filter(pl.col("inspected_at") >= since)
    return [plain(row) for row in reversed(found.to_dicts())]


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as plain JSON values."""
    return {**row, "inspected_at": row["inspected_at"].isoformat()}


def correct(context: Context, name: str, said: Said) -> dict[str, Any]:
    """Book what an inspector says of a part that was looked at before; return his row.

    Raises
    ------
    NotFound
        No part with such a picture (beginning of its hash) or row (beginning of its id).
    FaultyData
        Faults of what is said.
    """
    problems = list(faults_of(said))
    if problems:
        raise FaultyData(problems)
    with context.workspace.locked():
        before = found_row(context, name)
        row = row_said(before, said, context.now, context.actor)
        append(context, [row], {"label": row["defect"], "corrects": row["corrects"]})
    return row


def found_row(context: Context, name: str) -> dict[str, Any]:
    """Return the row that stands for a part, by the beginning of its picture's hash or of the id of one of its rows."""
    near = _near(context, name)
    chains = {(row["part_code"], row["image_sha256"], row["defect_id"] if row["image_sha256"] is None else "") for row in near.to_dicts()}  # fmt: skip
    if len(chains) != 1:
        known = sorted(str(digest or row)[:12] for _, digest, row in chains)
        raise NotFound(Text("已检零件", "inspected part"), name[:64], tuple(known[:8]))
    ((code, digest, _),) = chains
    last = standing(rows(context, {"part_code": code})).filter(pl.col("image_sha256").eq_missing(digest))
    return last.to_dicts()[-1]


def _near(context: Context, name: str) -> pl.DataFrame:
    """Return the rows that a name can mean; a whole one is looked up without reading the table."""
    whole = {NAME: "defect_id", HASH: "image_sha256"}.get(len(name))
    if whole is not None:
        return rows(context, {whole: name})
    if len(name) < SHORTEST:
        return DEFECTS.empty()
    every = rows(context)
    begins = [pl.col(column).fill_null("").str.starts_with(name) for column in ("image_sha256", "defect_id")]
    return every.filter(pl.any_horizontal(begins))


def append(context: Context, new: Sequence[Mapping[str, Any]], payload: dict[str, object]) -> None:
    """Append rows to the book in one entry; the caller holds the workspace's lock."""
    frame = DEFECTS.frame([dict(one) for one in new])
    faults = DEFECTS.check(frame)
    if faults:
        raise FaultyData(faults)
    with context.workspace.journal.writing(at=context.at, kind="inspect", actor=context.actor) as writer:
        writer.append(DEFECTS, frame)
        writer.append(RUNS, run_row("inspect", context, payload, frame["defect_id"].to_list(), frame.height))
        writer.payload = payload


def row_said(before: Mapping[str, Any], said: Said, at: datetime, actor: str) -> dict[str, Any]:
    """Return the row of an inspector in place of the one before."""
    row = {
        **before, "corrects": before["defect_id"], "inspected_at": at, "defect": said.named, "cause": said.cause or None,
        "disposition": said.disposition, "decided_by": "inspector", "note": said.note.strip() or None, "actor": actor,
    }  # fmt: skip
    key = ("corrects", "part_code", "image_sha256", "defect", "cause", "disposition", "actor")
    row["defect_id"] = name_of("inspector", *(row[one] for one in key), at.isoformat())
    return row


def name_of(*of: object) -> str:
    """Return the id of a row: a digest of what makes it."""
    return hashlib.sha256(canonical(list(of)).encode()).hexdigest()[:NAME]


def faults_of(said: Said) -> Iterable[Problem]:
    """Yield the faults of what an inspector says."""
    if said.disposition not in DISPOSITIONS:
        yield NotFound(Text("处置", "disposition"), said.disposition[:40], tuple(DISPOSITIONS)).as_problem()
    elif said.defect and (said.disposition == "accept") != (said.defect == GOOD):
        yield fault("contrary", f"处置“{said.disposition}”与缺陷“{said.defect[:40]}”矛盾。", f"'{said.disposition}' and the defect '{said.defect[:40]}' contradict each other.")  # fmt: skip
    if said.cause and said.cause not in causes():
        yield NotFound(Text("原因", "cause"), said.cause[:40], tuple(causes())).as_problem()
    yield from too_long({"defect": said.defect, "note": said.note})


def too_long(texts: Mapping[str, str]) -> Iterable[Problem]:
    """Yield free texts that are too long or hold a line break or another control character."""
    for name, text in texts.items():
        if len(text) > LONGEST or any(category(one) in ("Cc", "Cs") for one in text):
            yield Problem("inspect.text", Text(f"至多 {LONGEST} 个字符, 一行。", f"At most {LONGEST} characters, one line."), Text("请缩短。", "Make it shorter."), column=name)  # fmt: skip


def fault(code: str, zh: str, en: str) -> Problem:
    """Return a problem of something that was not booked."""
    return Problem(f"inspect.{code}", Text(zh, en), Text("没有写入任何数据。", "Nothing was written."))
