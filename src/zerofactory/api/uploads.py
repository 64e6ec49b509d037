"""Uploads: bounded while they arrive, typed by their first bytes, and called by a name that cannot be a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import UploadFile

from zerofactory.api.faults import fault
from zerofactory.errors import FaultyData
from zerofactory.runs.uploads import EVIDENCE_KINDS, KINDS, safe_name, untypical

CHUNK_BYTES = 1 << 20
MOST_FILES = 64


@contextmanager
def received(files: Sequence[UploadFile], most_bytes: int, kinds: Mapping[str, bytes] = KINDS) -> Iterator[list[Path]]:
    """Write uploads into a folder of their own that is gone afterwards; raise 413, 415 or `FaultyData` first."""
    if len(files) > MOST_FILES:
        raise fault(413, "upload.many", f"一次最多 {MOST_FILES} 个文件。", f"At most {MOST_FILES} files at a time.")
    with TemporaryDirectory(prefix="zf-upload-") as folder:
        paths, left = [], most_bytes
        for number, file in enumerate(files):
            path = Path(folder) / str(number) / safe_name(file.filename)
            path.parent.mkdir()
            left -= _write(file, path, left, most_bytes)
            paths.append(path)
        problems = [problem for path in paths for problem in untypical(path, kinds)]
        if problems:
            raise FaultyData(problems)
        yield paths


@contextmanager
def one_received(file: UploadFile | None, most_bytes: int) -> Iterator[Path | None]:
    """Write one upload of evidence into a folder of its own that is gone afterwards; None when there is none."""
    if file is None or not file.filename:
        yield None
        return
    with received([file], most_bytes, EVIDENCE_KINDS) as paths:
        yield paths[0]


def _write(file: UploadFile, path: Path, left: int, most_bytes: int) -> int:
    written = 0
    with path.open("wb") as out:
        while chunk := file.file.read(CHUNK_BYTES):
            written += len(chunk)
            if written > left:
                megabytes = most_bytes // 1_000_000
                raise fault(413, "upload.large", f"上传超过 {megabytes} MB。", f"The upload is over {megabytes} MB.")
            out.write(chunk)
    return written
