"""Import files: every file is read, checked and converted first; only when all are sound is anything written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from zerofactory.accounting.source import sources
from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, Problem, Text, errors_of
from zerofactory.metering.activity import from_form, overlaps
from zerofactory.metering.reading_file import from_reading_file, looks_like_readings, read_mapping
from zerofactory.notation import text_of
from zerofactory.periods import Period
from zerofactory.runs.context import Context, run_row, stamp
from zerofactory.runs.instrument_import import named_in
from zerofactory.store.files import sha256_of
from zerofactory.store.schema import ACTIVITIES, BATCHES, RUNS
from zerofactory.store.series import Segment, segments_text

Kind = Literal["readings", "activities"]
MAX_SHOWN = 1000
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of one file."""

    name: str
    kind: Kind
    rows: int
    periods: tuple[str, ...]
    status: Literal["imported", "checked", "already_imported"]
    warnings: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; the warnings of all files stand together, outside."""
        return {
            "file": self.name,
            "kind": self.kind,
            "rows": self.rows,
            "periods": list(self.periods),
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class _Parcel:
    path: Path
    digest: str
    kind: Kind
    rows: int
    frame: pl.DataFrame
    warnings: tuple[Problem, ...]


def run(
    context: Context,
    paths: Sequence[Path],
    mapping: Path | None = None,
    dry_run: bool = False,
    into_closed: bool = False,
    progress: Progress = lambda _: None,
) -> list[ImportedFile]:
    """Import readings and activities from files.

    Parameters
    ----------
    mapping : Path, optional
        TOML file that tells how a foreign file's columns map to meters (see the how-to).
    dry_run : bool
        Check everything, write nothing.
    into_closed : bool
        Let facts into months that are sealed; they count after ``zf close --revise``.
    progress : callable
        Is told the name of each file before it is read.

    Raises
    ------
    FaultyData
        With every fault of every file; nothing has been written.
    """
    if dry_run:
        return _import(context, paths, mapping, into_closed, progress, write=False)
    with context.workspace.locked():
        return _import(context, paths, mapping, into_closed, progress, write=True)


def _import(
    context: Context,
    paths: Sequence[Path],
    mapping: Path | None,
    into_closed: bool,
    progress: Progress,
    *,
    write: bool,
) -> list[ImportedFile]:
    """Read and check every file; write them together when all are sound."""
    known = dict(context.workspace.batches().select("file_sha256", "file_name").iter_rows())
    results: dict[Path, ImportedFile] = {}
    parcels: list[_Parcel] = []
    problems: list[Problem] = []
    for path in paths:
        progress(path.name)
        try:
            digest = sha256_of(path) if path.is_file() else ""
            if digest in known:
                results[path] = ImportedFile(
                    path.name, "readings", 0, (), "already_imported", (_repeated(context, path, digest, known[digest]),)
                )
                continue
            parcel = _read(context, path, digest, mapping)
            known[digest] = path.name
            problems += _conflicts(context, parcel, parcels, into_closed)
            problems += parcel.warnings
            parcels.append(parcel)
        except FaultyData as fault:
            problems += fault.problems
    if errors_of(problems):
        raise FaultyData(problems[:MAX_SHOWN])
    if write and parcels:
        _write(context, parcels)
    for parcel in parcels:
        results[parcel.path] = ImportedFile(
            parcel.path.name,
            parcel.kind,
            parcel.rows,
            _periods(context, parcel),
            "imported" if write else "checked",
            (*parcel.warnings, *_to_revise(context, parcel)),
        )
    return [results[path] for path in dict.fromkeys(paths)]


def _read(context: Context, path: Path, digest: str, mapping: Path | None) -> _Parcel:
    """Read one file into the table it belongs to; raise `FaultyData` with every fault in it."""
    plant = context.workspace.plant
    table = read_table(path)
    known_at = context.now
    if mapping is not None or looks_like_readings(table.columns):
        rule = read_mapping(text_of(mapping.read_bytes(), mapping.name), mapping.name) if mapping is not None else None
        frame, problems = from_reading_file(table, plant, rule, path.name, known_at)
        kind: Kind = "readings"
    else:
        frame, problems = from_form(table, plant, sources(), path.name)
        frame = frame.with_columns(pl.lit(digest).alias("evidence"))
        kind = "activities"
    located = [problem.at(file=path.name) for problem in problems]
    if errors_of(located):
        raise FaultyData(located)
    return _Parcel(path, digest, kind, table.height, frame, tuple(located))


def _conflicts(context: Context, parcel: _Parcel, before: Sequence[_Parcel], into_closed: bool) -> list[Problem]:
    """Return where a file clashes with the book or with the files before it in the same command."""
    problems: list[Problem] = []
    if not into_closed:
        sealed = set(context.workspace.seals()["period"])
        closed = [label for label in _periods(context, parcel) if label in sealed]
        problems += [_closed(parcel.path, ", ".join(closed))] if closed else []
    if parcel.kind == "activities":
        booked = context.workspace.journal.active(ACTIVITIES, brought_by="import").drop("reverses")
        others = [other.frame for other in before if other.kind == "activities"]
        clashes = overlaps(parcel.frame, pl.concat([booked, *others]), parcel.path.name)
        clashes += named_in(context, parcel.frame)
        problems += [clash.at(file=parcel.path.name) for clash in clashes]
    return problems


def _to_revise(context: Context, parcel: _Parcel) -> list[Problem]:
    """Return a warning that names the sealed months whose figures a file will change once they are revised.

    A register reading at the first instant of a month also ends the month before.
    """
    plant = context.workspace.plant
    labels = set(_periods(context, parcel))
    if parcel.kind == "readings":
        registers = [meter.id for meter in plant.meters if meter.kind == "register"]
        taken = parcel.frame.filter(pl.col("meter_id").is_in(registers))["started_at"]
        for label in sorted(labels):
            start = Period.parse(label).start(plant.time_zone)
            if (taken == start).any():
                labels.add(Period.containing(start - timedelta(microseconds=1), plant.time_zone).label)
    closed = ", ".join(sorted(labels & set(context.workspace.seals()["period"])))
    if not closed or not set(_periods(context, parcel)) & set(context.workspace.seals()["period"]):
        return []
    return [
        Problem(
            code="import.to_revise",
            message=Text(f"修订后才计入: {closed}。", f"Counts only after a revision of: {closed}."),
            hint=Text(
                "请对每个月运行 zf close --revise --reason。",
                "Run zf close --revise --reason for each of these months.",
            ),
            file=parcel.path.name,
            severity="warning",
        )
    ]


def _periods(context: Context, parcel: _Parcel) -> tuple[str, ...]:
    if parcel.kind == "activities":
        return tuple(sorted(parcel.frame["period"].unique()))
    return tuple(label for label, _ in by_month(parcel.frame, context.workspace.plant.time_zone))


def by_month(readings: pl.DataFrame, time_zone: str) -> list[tuple[str, pl.DataFrame]]:
    """Cut readings into the months of the plant's clock, in order."""
    if readings.is_empty():
        return []
    local = pl.col("started_at").dt.convert_time_zone(time_zone)
    code = readings.select((local.dt.year().cast(pl.Int32) * 12 + local.dt.month().cast(pl.Int32) - 1).alias("m"))["m"]
    low, high = code.min(), code.max()
    if low == high:
        return [(_label(int(low)), readings)]  # type: ignore[arg-type]
    parts = readings.with_columns(code.alias("_month")).partition_by(
        "_month", maintain_order=True, as_dict=True, include_key=False
    )
    return [(_label(int(key[0])), parts[key]) for key in sorted(parts)]


def _label(code: int) -> str:
    return f"{code // 12:04d}-{code % 12 + 1:02d}"


def _write(context: Context, parcels: Sequence[_Parcel]) -> None:
    workspace = context.workspace
    segments: dict[str, list[Segment]] = {}
    for parcel in parcels:
        batch_id = _batch_id(parcel)
        if parcel.kind == "activities":
            workspace.evidence.keep(parcel.path.read_bytes(), parcel.digest, parcel.path.suffix)
        else:
            segments[batch_id] = [
                workspace.series.write_segment(batch_id, label, part.with_columns(pl.lit(batch_id).alias("segment")))
                for label, part in by_month(parcel.frame, workspace.plant.time_zone)
            ]
    with workspace.journal.writing(at=context.at, kind="import", actor=context.actor) as writer:
        for parcel in parcels:
            writer.append(BATCHES, _batch_row(context, parcel, segments.get(_batch_id(parcel), [])))
            if parcel.kind == "activities":
                writer.append(ACTIVITIES, parcel.frame)
        digests = [parcel.digest for parcel in parcels]
        outcome = {parcel.path.name: parcel.rows for parcel in parcels}
        writer.append(RUNS, run_row("import", context, {}, digests, outcome))
        writer.payload = {"files": outcome}


def _batch_id(parcel: _Parcel) -> str:
    return hashlib.sha256(f"{parcel.kind}:{parcel.digest}".encode()).hexdigest()[:16]


def _batch_row(context: Context, parcel: _Parcel, segments: Sequence[Segment]) -> pl.DataFrame:
    return BATCHES.frame(
        [
            {
                "batch_id": _batch_id(parcel),
                "kind": parcel.kind,
                "file_name": parcel.path.name,
                "file_sha256": parcel.digest,
                "rows": parcel.rows,
                "known_at": stamp(context.now),
                "segments": segments_text(segments),
            }
        ]
    )


def _repeated(context: Context, path: Path, digest: str, name: str) -> Problem:
    lines = context.workspace.journal.rows(ACTIVITIES, {"evidence": digest})
    if lines["reverses"].null_count() < lines.height:
        return Problem(
            code="import.reversed_since",
            message=Text(
                f"与已导入的“{name}”内容相同, 其中有凭证后来被冲销; 未重新入账。",
                f"Same content as '{name}', of which documents were taken back since; not booked again.",
            ),
            hint=Text(
                "若要重新入账, 请把这些行另存为新文件再导入。",
                "To book them again, save those rows as a new file and import that.",
            ),
            file=path.name,
            severity="warning",
        )
    return Problem(
        code="import.already_imported",
        message=Text(
            f"与已导入的“{name}”内容相同, 未重复导入。",
            f"Same content as '{name}', imported before; not imported again.",
        ),
        hint=Text("无需处理。", "Nothing to do."),
        file=path.name,
        severity="warning",
    )


def _closed(path: Path, label: str) -> Problem:
    return Problem(
        code="import.period_closed",
        message=Text(f"期间 {label} 已封存。", f"Period {label} is closed."),
        hint=Text(
            "若确属迟到或更正数据, 请加 --into-closed 导入, 再运行 zf close --revise --reason 说明原因。",
            "If these are late or corrected data, import with --into-closed, then run zf close --revise --reason.",
        ),
        file=path.name,
    )
