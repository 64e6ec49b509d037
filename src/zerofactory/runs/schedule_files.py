"""What a schedule leaves in a folder, and reading it back: SCHEDULE as CSV, LOAD and planned records as Parquet, JSON, a Gantt."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from zerofactory.errors import Language, refuse
from zerofactory.notation import text_of
from zerofactory.optimisation.scheduling.schedule import SCHEDULE, Schedule
from zerofactory.periods import zone
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.schedule import INTERVAL_MINUTES, Result
from zerofactory.store.files import sha256_of, write_bytes_whole, write_whole
from zerofactory.store.schema import RUNS

SCHEDULE_FILE = "schedule.csv"


def write(context: Context, result: Result, folder: Path, language: Language) -> list[Path]:
    """Write the files of a result and return them; a schedule that failed its check leaves only the JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(result.as_json(), ensure_ascii=False, indent=2) + "\n"
    made = [folder / "schedule.json"]
    write_bytes_whole(made[0], told.encode())
    schedule = result.answer.schedule
    if schedule is None:
        return made
    made.append(folder / SCHEDULE_FILE)
    write_bytes_whole(made[-1], csv_of(context, schedule).encode())
    load = schedule.load(context.now, INTERVAL_MINUTES)
    made.append(folder / "load.parquet")
    write_whole(made[-1], lambda partial: load.write_parquet(partial, compression="zstd"))
    if result.booked is not None:
        records = result.booked.quantified.records
        made.append(folder / "planned_records.parquet")
        write_whole(made[-1], lambda partial: records.write_parquet(partial, compression="zstd"))
    return made + gantt(context, schedule, folder, language)


def gantt(context: Context, schedule: Schedule, folder: Path, language: Language) -> list[Path]:
    """Draw a schedule as SVG and PNG."""
    from zerofactory.reporting import gantt as pictures

    figure = pictures.draw(schedule, language, context.workspace.plant.time_zone)
    pair = [folder / "gantt.svg", folder / "gantt.png"]
    for path, content in zip(pair, (pictures.svg(figure), pictures.png(figure)), strict=True):
        write_bytes_whole(path, content)
    return pair


def csv_of(context: Context, schedule: Schedule) -> str:
    """Return rows of SCHEDULE as CSV on the plant's clock."""
    place = zone(context.workspace.plant.time_zone)
    frame = schedule.rows().with_columns(
        pl.Series(name, [moment.astimezone(place).isoformat() for moment in schedule.rows()[name]], dtype=pl.String)
        for name in ("started_at", "ended_at")
    )
    return frame.write_csv()


def read(path: Path, time_zone: str) -> pl.DataFrame:
    """Return rows of SCHEDULE from a CSV that `write` made or a person wrote; raise `FaultyData` with every fault."""
    text = text_of(path.read_bytes(), path.name)
    frame = pl.read_csv(io.StringIO(text), infer_schema=False)
    return _checked(frame, path.name, time_zone)


def frame_of(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return rows of SCHEDULE from plain JSON values; raise `FaultyData` with every fault."""
    texts = [
        {name: None if row.get(name) is None else str(row[name]) for name in {*SCHEDULE.names, *row}} for row in rows
    ]
    return _checked(pl.DataFrame(texts, schema=dict.fromkeys(SCHEDULE.names, pl.String)), "rows", "UTC")


def _checked(frame: pl.DataFrame, name: str, time_zone: str) -> pl.DataFrame:
    """Return texts as rows of SCHEDULE; a moment without an offset is on the plant's clock."""
    for column, dtype in SCHEDULE.polars_schema().items():
        if column not in frame.columns:
            continue
        if column in ("started_at", "ended_at"):
            moments = [_moment(text, time_zone) for text in frame[column].to_list()]
            frame = frame.with_columns(pl.Series(column, moments, dtype=dtype))
        else:
            frame = frame.with_columns(pl.col(column).cast(dtype, strict=False))
    refuse(problem.at(file=name) for problem in SCHEDULE.check(frame))
    return frame.select(SCHEDULE.names)


def _moment(text: str | None, time_zone: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone(time_zone))).astimezone(UTC)


def record(context: Context, result: Result, files: Sequence[Path]) -> None:
    """Write into the journal that a schedule was kept: what was asked, what came out, the files' hashes."""
    told = result.as_json()
    parameters = {name: told[name] for name in ("problem", "goal")}
    outcome = {name: told[name] for name in ("status", "objective", "bound", "measures", "booked")}
    content = hashlib.sha256(json.dumps(told["rows"], sort_keys=True).encode()).hexdigest()
    payload = {**parameters, **outcome, "files": {path.name: sha256_of(path) for path in files}}
    workspace = context.workspace
    row = run_row("schedule", context, parameters, {"rows_sha256": content}, outcome)
    with (
        workspace.locked(),
        workspace.journal.writing(at=context.at, kind="schedule", actor=context.actor) as writer,
    ):
        writer.append(RUNS, row)
        writer.payload = payload
