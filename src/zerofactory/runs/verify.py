"""Verify: recompute every hash and every record of the book, and say exactly what is broken.

For each sealed month: the sealed readings give the intervals, the intervals the activities, the activities and the factors
(as known at closing, with the plant file as it was) the records; each must come out as it is in the book.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from zerofactory.accounting.declared_footprint import SUPPLIER_FOOTPRINTS
from zerofactory.errors import BookBroken, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.periods import Period
from zerofactory.runs import instrument_book, origins
from zerofactory.runs.context import Context
from zerofactory.runs.declared_pages import kept_pages
from zerofactory.runs.forecast import check as check_forecasts
from zerofactory.runs.month import Basis, MonthBook, make, total_at_a_glance
from zerofactory.store.database import BOOK_FILE
from zerofactory.store.schema import ACTIVITIES, QUALITY, RECORDS, SEALS
from zerofactory.store.series import Segment, interval_digest
from zerofactory.store.workspace import read_plant
from zerofactory.tables import TableSchema

MAX_ROWS_NAMED = 20
_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    pl.exceptions.PolarsError,
)  # what tampered cells lead to


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found. ``head`` is the hash of the newest journal entry: quote it, and the book is fixed for ever."""

    entries: int
    head: str
    months: int
    activities: int
    records: int
    documents: int
    problems: tuple[Problem, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is broken."""
        return not self.problems

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = ("entries", "head", "months", "activities", "records", "documents", "clean")
        counts = {name: getattr(self, name) for name in names}
        return {**counts, "problems": [problem.as_json() for problem in self.problems]}


def run(context: Context) -> Verdict:
    """Verify the whole book; the verdict holds every difference found."""
    workspace = context.workspace
    problems = workspace.journal.check()
    checked = {"months": 0, "activities": 0, "records": 0, "documents": 0}
    for look in (_documents, _files, _instruments, _months):
        try:
            problems += look(context, checked)
        except BookBroken as fault:
            problems += [problem for problem in fault.problems if problem not in problems]
        except _UNREADABLE as fault:
            problems.append(
                _broken(
                    "unreadable", f"账本内容读不了: {fault}", f"The book cannot be read: {fault}", look.__name__[1:]
                )
            )
    place = workspace.database.name
    problems = [replace(problem, file=place) if problem.file == BOOK_FILE else problem for problem in problems]
    last = workspace.journal.last()
    return Verdict(entries=last.seq if last else 0, head=last.hash if last else "", problems=tuple(problems), **checked)


def _documents(context: Context, checked: dict[str, int]) -> list[Problem]:
    """Check that the file of every booked document is there, and that every kept file is what its name says."""
    problems = context.workspace.evidence.check() + _missing_documents(context)
    checked["documents"] = context.workspace.journal.active(ACTIVITIES, brought_by="import").height
    return problems


def _files(context: Context, _checked: dict[str, int]) -> list[Problem]:
    """Check the readings on disk, open and sealed, and the kept forecasts against their hashes."""
    workspace = context.workspace
    return workspace.series.check(workspace.open_segments()) + check_forecasts(context) + _sealed_files(context)


def _instruments(context: Context, _checked: dict[str, int]) -> list[Problem]:
    """Check that the ledger of certificates and credits folds, balances and agrees with its claims."""
    return instrument_book.check(context.workspace)


def _months(context: Context, checked: dict[str, int]) -> list[Problem]:
    """Recompute every sealed month."""
    problems = []
    for seal in context.workspace.seals().sort("period").to_dicts():
        found, counts = _month(context, seal)
        problems += found
        checked["months"] += 1
        for name, count in counts.items():
            checked[name] += count
    return problems


def _missing_documents(context: Context) -> list[Problem]:
    """Return a problem for every booked document whose file is not in the evidence."""
    problems = []
    batches = context.workspace.batches().filter(pl.col("kind") == "activities")
    suppliers = context.workspace.journal.active(SUPPLIER_FOOTPRINTS)
    kept = [*batches.select("file_name", "file_sha256").iter_rows()]
    kept += [*suppliers.select("file_name", "evidence").unique(maintain_order=True).iter_rows()]
    kept += kept_pages(context)
    for name, digest in kept:
        try:
            context.workspace.evidence.find(digest)
        except NotFound:
            problems.append(
                _broken(
                    "evidence_missing",
                    f"凭证“{name}”的文件不见了。",
                    f"The file of document '{name}' is missing.",
                    digest[:16],
                )
            )
    return problems


def _sealed_files(context: Context) -> list[Problem]:
    """Check the sealed readings of every revision against their hash."""
    rows = context.workspace.journal.rows(SEALS).filter(pl.col("readings_file").is_not_null())
    segments = [Segment(row["period"], row["readings_file"], row["readings_sha256"], 0) for row in rows.to_dicts()]
    return context.workspace.series.check(segments)


def _month(context: Context, seal: dict[str, Any]) -> tuple[list[Problem], dict[str, int]]:
    label = seal["period"]
    booked = {
        schema.name: context.workspace.journal.active(schema, {"period": label}) for schema in (ACTIVITIES, RECORDS)
    }
    counts = {name: frame.height for name, frame in booked.items()}
    try:
        again = recompute(context, seal)
    except (ZeroFactoryError, OSError, *_UNREADABLE) as error:
        return [
            _broken("month_unreadable", f"{label} 无法重算: {error}", f"{label} cannot be recomputed: {error}", label)
        ], counts
    problems = []
    if interval_digest(again.month) != seal["intervals_sha256"]:
        problems.append(
            _broken("intervals", f"{label} 的区间数据重算不符。", f"The intervals of {label} do not recompute.", label)
        )
    if not context.workspace.series.intervals_kept(seal["revision"], again.month):
        problems.append(
            _broken(
                "intervals_file",
                f"{label} 的区间数据文件缺失或被改动。",
                f"The interval file of {label} is missing or was changed.",
                label,
            )
        )
    if not context.workspace.series.days_kept(seal["revision"], again.month):
        problems.append(
            _broken(
                "days_file",
                f"{label} 的日合计文件被改动。",
                f"The file of sums by day of {label} was changed.",
                label,
            )
        )
    problems += origins.check(context, seal, again.month)
    made = context.workspace.journal.active(ACTIVITIES, {"period": label}, brought_by="close")
    problems += differences(ACTIVITIES, made, again.metered, label)
    problems += differences(RECORDS, booked["records"], again.records, label)
    noted = context.workspace.journal.rows(QUALITY, {"period": label}, entry=seal["booked_as"])
    problems += differences(QUALITY, noted, again.quality(), label)
    problems += _seal_differences(seal, again)
    return problems, counts


def _seal_differences(seal: dict[str, Any], again: MonthBook) -> list[Problem]:
    """Return a problem for each figure that a seal shows and that does not come out again."""
    label = seal["period"]
    figures = {
        "activities": again.activities,
        "records": again.records.height,
        "total_gco2e": total_at_a_glance(again.records),
    }
    return [
        _broken(
            "seal",
            f"{label} 封存单的 {name} 为 {seal[name]}, 重算为 {value}。",
            f"{label}: the seal says {name} {seal[name]}, recomputed {value}.",
            seal["seal_id"],
        )
        for name, value in figures.items()
        if seal[name] != value
    ]


def recompute(context: Context, seal: dict[str, Any]) -> MonthBook:
    """Return a sealed month worked out again from its sealed readings, documents, plant file and factors."""
    workspace = context.workspace
    text = workspace.evidence.find(seal["plant_sha256"]).read_text(encoding="utf-8-sig")
    basis = Basis(read_plant(text), workspace.sealed_factor_book(seal), date.fromisoformat(seal["known_at"]))
    held = [Segment(seal["period"], seal["readings_file"], "", 0)] if seal["readings_file"] else []
    documents = workspace.journal.active(
        ACTIVITIES, {"period": seal["period"]}, brought_by="import", until=seal["booked_as"]
    )
    return make(Period.parse(seal["period"]), workspace.series.read(held), documents.drop("reverses"), basis)


def differences(schema: TableSchema, booked: pl.DataFrame, again: pl.DataFrame, label: str) -> list[Problem]:
    """Name every row that is missing, too many, or differs in a column."""
    key = schema.key[0]
    names = [name for name in schema.names if name != "reverses"]
    left, right = booked.select(names), again.select(names)
    problems = []
    for row_id in left.join(right, on=key, how="anti")[key].head(MAX_ROWS_NAMED):
        problems.append(
            _broken(
                "not_recomputed",
                f"{label}: {schema.name} {row_id} 重算不出来。",
                f"{label}: {schema.name} {row_id} does not recompute.",
                row_id,
            )
        )
    for row_id in right.join(left, on=key, how="anti")[key].head(MAX_ROWS_NAMED):
        problems.append(
            _broken(
                "not_booked",
                f"{label}: {schema.name} {row_id} 未入账。",
                f"{label}: {schema.name} {row_id} is not booked.",
                row_id,
            )
        )
    both = left.join(right, on=key, how="inner", suffix="_again")
    for name in names:
        if name == key:
            continue
        for row in both.filter(pl.col(name).ne_missing(pl.col(f"{name}_again"))).head(MAX_ROWS_NAMED).to_dicts():
            old, new = row[name], row[f"{name}_again"]
            problems.append(
                _broken(
                    "differs",
                    f"{label}: {schema.name} {row[key]} 的 {name} 账上为 {old}, 重算为 {new}。",
                    f"{label}: {schema.name} {row[key]}: {name} is {old} in the book and {new} recomputed.",
                    row[key],
                )
            )
    return problems


def _broken(code: str, zh: str, en: str, place: str) -> Problem:
    hint = Text("请查明改动, 或从备份恢复。", "Find out what was changed, or restore a back-up.")
    return Problem(code=f"verify.{code}", message=Text(zh, en), hint=hint, file=BOOK_FILE, column=place)
