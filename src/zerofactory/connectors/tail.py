"""Reading along: what a running collector has acknowledged, seen by another process while it is written.

The collector notes after every flush how far its file counts (`spool.MARK_FILE`: token of the file, bytes). A reader takes
whole frames up to there and no further; a file that is no longer written to is read to its end. A file that the book took in
the meantime stays readable while it is held open; its hash tells which batch of the book it became.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerofactory.connectors.spool import (
    HEAD,
    MAGIC,
    NAMES,
    SUFFIX,
    columns_of,
    frame_at,
    next_frame,
    read_mark,
    token_of,
)

MAX_READ = 16_777_216


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples as columns; ``code`` is a place in ``names``, ``quality`` a place in `QUALITIES`."""

    names: Sequence[str]
    code: NDArray[np.int64]
    started_us: NDArray[np.int64]
    known_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.code)


@dataclass(slots=True)
class _Open:
    """The file that is being read."""

    path: Path
    descriptor: int
    token: bytes
    place: int
    names: list[str]
    digest: object


class SpoolTail:
    """Reads the spool folder of a workspace along; never writes, never locks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: _Open | None = None
        self._done: set[bytes] = set()
        self.finished: set[str] = set()

    def read(self) -> list[Rows]:
        """Return what has been acknowledged since the last call. ``finished`` holds the SHA-256 of files read to the end."""
        found: list[Rows] = []
        while self._open is not None or self._next():
            assert self._open is not None  # noqa: S101  (for the type checker)
            rows, ended = self._read(self._open)
            found += rows
            if not ended:
                break
            self._end(self._open)
        return found

    def close(self) -> None:
        """Let go of the file at hand."""
        if self._open is not None:
            os.close(self._open.descriptor)
            self._open = None

    def _next(self) -> bool:
        """Open the oldest file that has not been read; return whether there is one."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except OSError:
                continue
            head = _at(descriptor, HEAD.size, 0)
            if len(head) < HEAD.size or head[:8] != MAGIC or token_of(head) in self._done:
                os.close(descriptor)
                continue
            digest = hashlib.sha256(head)
            self._open = _Open(path, descriptor, token_of(head), HEAD.size, [], digest)
            return True
        return False

    def _read(self, current: _Open) -> tuple[list[Rows], bool]:
        """Return the rows that count now, and whether the file is at its end for good."""
        mark = read_mark(self._folder)
        if mark is None:
            return [], False
        token, counted = mark
        written_to = token == current.token
        size = os.fstat(current.descriptor).st_size
        limit = min(counted, size) if written_to else size
        found: list[Rows] = []
        while current.place < limit:
            data = _at(current.descriptor, min(MAX_READ, limit - current.place), current.place)
            used = self._parse(current, data, found, whole=not written_to and current.place + len(data) >= limit)
            if not used:
                break
            current.digest.update(data[:used])  # type: ignore[attr-defined]
            current.place += used
        later = not written_to and token != b""
        return found, later and current.place >= limit

    def _parse(self, current: _Open, data: bytes, found: list[Rows], *, whole: bool) -> int:
        """Take the frames of some bytes; return how many bytes were used up."""
        place = 0
        blocks: list[bytes] = []
        while place < len(data):
            frame = frame_at(data, place)
            if frame is None:
                following = next_frame(data, place + 1)
                if following < 0:
                    place = len(data) if whole else place
                    break
                place = following
                continue
            kind, payload, length = frame
            if kind == NAMES:
                _named(current.names, payload)
            else:
                blocks.append(payload)
            place += length
        if blocks:
            started, known, value, code, quality = columns_of(blocks)
            kept = code < len(current.names)
            found.append(
                Rows(
                    list(current.names),
                    code[kept].astype(np.int64),
                    started[kept],
                    known[kept],
                    value[kept],
                    quality[kept],
                )
            )
        return place

    def _end(self, current: _Open) -> None:
        self._done.add(current.token)
        self.finished.add(current.digest.hexdigest())  # type: ignore[attr-defined]
        self.close()


def _at(descriptor: int, length: int, place: int) -> bytes:
    os.lseek(descriptor, place, os.SEEK_SET)
    return os.read(descriptor, length)


def _named(names: list[str], payload: bytes) -> None:
    first, added = json.loads(payload)
    names[first : first + len(added)] = added
