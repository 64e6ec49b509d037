"""Book readings that did not come as files: the same batches, segments and journal entries as an import.

Exactly once: a parcel is known by the hash of what it came in, so one that was booked and not yet thrown away when the
process died is recognised; and a reading that is booked already with the same value (sent again, taken again) is no new fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from zerofactory.metering.reading import READINGS
from zerofactory.runs.context import Context, run_row, stamp
from zerofactory.runs.import_data import by_month
from zerofactory.store.schema import BATCHES, RUNS
from zerofactory.store.series import Segment, segments_text
from zerofactory.store.workspace import Workspace

SAME = ("meter_id", "started_at", "value", "quality")


@dataclass(frozen=True, slots=True)
class ReadingParcel:
    """Readings that arrived together: where they came in, its SHA-256, and the rows of READINGS."""

    name: str
    sha256: str
    readings: pl.DataFrame


@dataclass(frozen=True, slots=True)
class BookedReadings:
    """What became of some parcels: rows booked, rows that were booked before, and rows of months already closed."""

    rows: int
    repeated: int
    into_closed: tuple[str, ...]


def run(context: Context, parcels: Sequence[ReadingParcel]) -> BookedReadings:
    """Book parcels in one journal entry; those booked before, and rows booked before, are left out.

    Readings of a closed month are booked too: they count when the month is revised.
    """
    with context.workspace.locked():
        return _book(context, parcels)


def _book(context: Context, parcels: Sequence[ReadingParcel]) -> BookedReadings:
    workspace = context.workspace
    known = set(workspace.batches()["file_sha256"])
    fresh = [parcel for parcel in parcels if parcel.sha256 not in known]
    offered = sum(parcel.readings.height for parcel in parcels)
    kept = _new_rows(workspace, fresh)
    if not kept:
        return BookedReadings(0, offered, ())
    batches, labels = [], set()
    for parcel, rows in kept:
        batch_id = hashlib.sha256(f"readings:{parcel.sha256}".encode()).hexdigest()[:16]
        segments: list[Segment] = []
        for label, part in by_month(rows, workspace.plant.time_zone):
            marked = part.select(READINGS.names).with_columns(pl.lit(batch_id).alias("segment"))
            segments.append(workspace.series.write_segment(batch_id, label, marked))
            labels.add(label)
        batches.append(
            {
                "batch_id": batch_id, "kind": "readings", "file_name": parcel.name, "file_sha256": parcel.sha256,
                "rows": rows.height, "known_at": stamp(context.now), "segments": segments_text(segments),
            }
        )  # fmt: skip
    outcome = {parcel.name: rows.height for parcel, rows in kept}
    with workspace.journal.writing(at=context.at, kind="import", actor=context.actor) as writer:
        writer.append(BATCHES, BATCHES.frame(batches))
        writer.append(RUNS, run_row("collect", context, {}, [parcel.sha256 for parcel, _ in kept], outcome))
        writer.payload = {"files": outcome}
    booked = sum(outcome.values())
    return BookedReadings(booked, offered - booked, tuple(sorted(labels & set(workspace.seals()["period"]))))


def _new_rows(workspace: Workspace, parcels: Sequence[ReadingParcel]) -> list[tuple[ReadingParcel, pl.DataFrame]]:
    """Return of each parcel the rows that are not booked yet; parcels without any are left out."""
    found: list[tuple[ReadingParcel, pl.DataFrame]] = []
    before: list[pl.DataFrame] = []
    for parcel in parcels:
        rows = parcel.readings.unique(list(SAME), keep="first", maintain_order=True)
        if rows.is_empty():
            continue
        seen = pl.concat([_booked(workspace, rows), *before])
        rows = rows.join(seen, on=list(SAME), how="anti", maintain_order="left")
        before.append(rows.select(SAME))
        if not rows.is_empty():
            found.append((parcel, rows))
    return found


def _booked(workspace: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what is booked over the time that some rows span, in open segments and in seals."""
    labels = {label for label, _ in by_month(rows, workspace.plant.time_zone)}
    files = [segment.file for segment in workspace.open_segments() if segment.period in labels]
    seals = workspace.seals().filter(pl.col("period").is_in(sorted(labels)))
    files += [file for file in seals["readings_file"] if file is not None]
    first, last = rows["started_at"].min(), rows["started_at"].max()
    span = pl.col("started_at").is_between(pl.lit(first), pl.lit(last))
    frames = [
        pl.scan_parquet(workspace.series.path(file), glob=False).filter(span).select(SAME).collect()
        for file in dict.fromkeys(files)
    ]
    return pl.concat([READINGS.empty().select(SAME), *frames])
