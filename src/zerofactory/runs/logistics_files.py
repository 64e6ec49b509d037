"""What a logistics plan leaves in a folder: the plan as JSON, the documents that `zf import` takes, planned records, loads; and the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from zerofactory.runs.context import Context, run_row
from zerofactory.store.files import sha256_of, write_bytes_whole, write_whole
from zerofactory.store.schema import RUNS


def write_json(folder: Path, name: str, value: Mapping[str, object]) -> Path:
    """Write a JSON file into a folder, made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    write_bytes_whole(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())
    return path


def write_text(folder: Path, name: str, text: str) -> Path:
    """Write a text file into a folder; spreadsheets read it as UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    write_bytes_whole(path, text.encode("utf-8-sig"))
    return path


def write_frame(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    """Write a frame as Parquet into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    write_whole(path, lambda partial: frame.write_parquet(partial, compression="zstd"))
    return path


def record(
    context: Context, kind: str, asked: Mapping[str, object], outcome: Mapping[str, object], files: Sequence[Path]
) -> None:
    """Write into the journal that a result was kept: what was asked, what came out, the files' hashes."""
    hashes = {path.name: sha256_of(path) for path in files}
    workspace = context.workspace
    row = run_row(kind, context, dict(asked), hashes, dict(outcome))
    with workspace.locked(), workspace.journal.writing(at=context.at, kind=kind, actor=context.actor) as writer:
        writer.append(RUNS, row)
        writer.payload = {**asked, **outcome, "files": hashes}
