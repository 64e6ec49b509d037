"""The spool: store and forward. What is acknowledged is on disk and stays there until the book has it.

    spool/00000007.zfs    header │ frame │ frame │ …        one file is written to, older ones wait to be drained

A frame is marked, counted and checked (CRC-32), so a torn or damaged place costs that frame and no other. Every file
knows its own meters (their names are written twice). Opening a spool never writes into an old file: what a killed process left is read as far as it is
whole, and a new file is begun. A file is removed only after the book has taken it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sqlite3
import struct
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.connectors.sample import Sample, frame_of
from zerofactory.errors import FaultyData, Problem, Text, ZeroFactoryError

SUFFIX, MARK_FILE = ".zfs", ".acknowledged"
HEAD = struct.Struct("<8s16sQI")
_FRAME = struct.Struct("<4sBII")
_ACKNOWLEDGED = struct.Struct("<16sQI")
MAGIC, _MARK = b"ZFSPOOL1", b"\xf5ZF\x01"
NAMES, _ROWS = 1, 2
NO_FILE = bytes(16)
_ROW_BYTES = 8 + 8 + 8 + 4 + 1
_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_Codes = NDArray[np.uint32]
_Bytes = NDArray[np.uint8]


class SpoolFull(ZeroFactoryError):
    """The spool has reached its bound or the disk is full: nothing of the batch was kept, nothing was acknowledged."""

    def __init__(self, why: Text) -> None:
        hint = Text(
            "请清理磁盘或调大 connections.toml 中 [collector] 的 spool_max_bytes; 在此之前采集暂停, 设备侧数据不确认。",
            "Free disk space or raise spool_max_bytes under [collector] in connections.toml; until then collecting waits "
            "and nothing is acknowledged.",
        )
        self.problem = Problem("connectors.spool_full", why, hint, file="spool")
        super().__init__(why.en)


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """What a spool file holds: readings in order of arrival, its hash, and what was unreadable."""

    readings: pl.DataFrame
    sha256: str
    problems: tuple[Problem, ...]


class Spool:
    """The spool folder of one collecting process.

    Parameters
    ----------
    folder : Path
        Made when absent; one process at a time holds it.
    max_bytes, segment_bytes : int
        Bound of all files together; size at which a new file is begun.

    Raises
    ------
    FaultyData
        Another process holds the folder.
    """

    def __init__(self, folder: Path, max_bytes: int, segment_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._max_bytes, self._segment_bytes = folder, max_bytes, segment_bytes
        self._lock = locked(folder, _held(folder))
        self._guard = threading.RLock()  # one thread writes while another drains
        self._file: int | None = None
        self._path = folder
        self._token = NO_FILE
        self._mark = os.open(folder / MARK_FILE, os.O_WRONLY | os.O_CREAT, 0o600)
        self._length = self._synced = 0
        self._note()
        self._codes: dict[str, int] = {}
        self._waiting = {path: path.stat().st_size for path in sorted(folder.glob(f"*{SUFFIX}"))}
        self._next = 1 + max((int(path.stem) for path in self._waiting), default=0)

    @property
    def bytes_held(self) -> int:
        """Bytes of all files."""
        with self._guard:
            return sum(self._waiting.values()) + self._length

    def write(self, samples: Sequence[Sample]) -> None:
        """Append samples and flush them to disk; they are acknowledged when this returns.

        Raises
        ------
        SpoolFull
            Nothing of ``samples`` was kept.
        """
        with self._guard:
            self.append(samples)
            self.sync()

    def append(self, samples: Sequence[Sample]) -> None:
        """Append samples without flushing; raise `SpoolFull` (then nothing of them was kept)."""
        if not samples:
            return
        if self._file is not None and self._length >= self._segment_bytes:
            self.seal()
        known = dict(self._codes) if self._file is not None else {}
        block = _frames(samples, known)
        begin = HEAD.size if self._file is None else 0
        if self.bytes_held + len(block) + begin > self._max_bytes:
            raise SpoolFull(
                Text(
                    f"暂存区已达上限 {self._max_bytes} 字节。",
                    f"The spool has reached its bound of {self._max_bytes} bytes.",
                )
            )
        try:
            self._put(block)
        except OSError as error:
            self._cut_back()
            raise SpoolFull(
                Text(f"磁盘写入失败: {error.strerror}。", f"Writing to disk failed: {error.strerror}.")
            ) from error
        self._codes = known

    def sync(self) -> None:
        """Flush what was appended to disk; raise `SpoolFull` when the disk refuses."""
        if self._file is None or self._synced == self._length:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._length = self._synced
            self._cut_back()
            raise SpoolFull(Text(f"磁盘刷新失败: {error.strerror}。", f"Flushing failed: {error.strerror}.")) from error
        self._synced = self._length
        self._note()

    def _note(self) -> None:
        """Tell readers along how far the file counts; costs no flush, because the file itself is what counts."""
        place = self._token + struct.pack("<Q", self._synced)
        with contextlib.suppress(OSError):
            os.lseek(self._mark, 0, os.SEEK_SET)
            os.write(self._mark, place + struct.pack("<I", zlib.crc32(place)))

    def seal(self) -> None:
        """End the file that is written to, so that it can be drained; the next append begins a new one."""
        with self._guard:
            if self._file is None:
                return
            self.sync()
            os.close(self._file)
            self._file = None
            self._waiting[self._path] = self._length
            self._length = self._synced = 0
            self._token = NO_FILE
            self._note()

    def waiting(self) -> list[Path]:
        """Return the files that wait for the book, oldest first."""
        with self._guard:
            return sorted(self._waiting)

    def discard(self, path: Path) -> None:
        """Remove a file that the book has taken."""
        with self._guard:
            path.unlink(missing_ok=True)
            self._waiting.pop(path, None)

    def close(self) -> None:
        """Seal and let go of the folder."""
        with contextlib.suppress(SpoolFull):
            self.seal()
        os.close(self._mark)
        self._lock.close()

    def _put(self, block: bytes) -> None:
        if self._file is None:
            self._begin()
        assert self._file is not None  # noqa: S101  (for the type checker)
        view = memoryview(block)
        while view:
            written = os.write(self._file, view)
            view = view[written:]
        self._length += len(block)

    def _begin(self) -> None:
        self._path = self._folder / f"{self._next:08d}{SUFFIX}"
        self._token, self._synced = secrets.token_bytes(16), 0
        self._note()  # before the file is there: nothing of it counts yet
        head = HEAD.pack(MAGIC, self._token, self._next, 0)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._next += 1
        self._length = self._synced = 0
        os.write(self._file, head)
        self._length = HEAD.size
        _flush_folder(self._folder)

    def _cut_back(self) -> None:
        """Take back what a failed write left behind; when that fails too, go on in a new file."""
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._length)
        except OSError:
            os.close(self._file)
            self._file = None
            self._waiting[self._path] = self._length
            self._length = self._synced = 0
            self._token = NO_FILE
            self._note()


def read_segment(path: Path) -> SegmentContent:
    """Return what a spool file holds, as far as it is whole, and a problem for every unreadable place."""
    data = path.read_bytes()
    problems: list[Problem] = []
    names: dict[int, str] = {}
    blocks: list[bytes] = []
    place = HEAD.size if data[:8] == MAGIC else 0
    while place < len(data):
        frame = frame_at(data, place)
        if frame is None:
            following = next_frame(data, place + 1)
            problems.append(_unreadable(path, place, len(data) if following < 0 else following, torn=following < 0))
            if following < 0:
                break
            place = following
            continue
        kind, payload, length = frame
        if kind == NAMES:
            first, added = json.loads(payload)
            names.update(enumerate(added, start=first))
        else:
            blocks.append(payload)
        place += length
    return SegmentContent(_readings(blocks, names), hashlib.sha256(data).hexdigest(), tuple(problems))


def frame_at(data: bytes, place: int) -> tuple[int, bytes, int] | None:
    """Return kind, payload and whole length of the frame at a place, or None."""
    if place + _FRAME.size > len(data):
        return None
    mark, kind, length, check = _FRAME.unpack_from(data, place)
    payload = data[place + _FRAME.size : place + _FRAME.size + length]
    whole = mark == _MARK and len(payload) == length and zlib.crc32(payload, kind) == check
    return (kind, payload, _FRAME.size + length) if whole else None


def next_frame(data: bytes, place: int) -> int:
    """Return where the next whole frame begins, or -1."""
    following = data.find(_MARK, place)
    while following >= 0 and frame_at(data, following) is None:
        following = data.find(_MARK, following + 1)
    return following


def token_of(head: bytes) -> bytes:
    """Return what tells a file from every other, its header given."""
    token: bytes = HEAD.unpack(head)[1]
    return token


def read_mark(folder: Path) -> tuple[bytes, int] | None:
    """Return the token of the file a collector writes to and how far it counts.

    Empty where no collector ever left a mark; None where it is just being written: look again.
    """
    for _ in range(5):
        try:
            noted = (folder / MARK_FILE).read_bytes()
        except OSError:
            return b"", 0
        if len(noted) == _ACKNOWLEDGED.size:
            token, length, check = _ACKNOWLEDGED.unpack(noted)
            if zlib.crc32(noted[:-4]) == check:
                return token, length
    return None


def _frames(samples: Sequence[Sample], codes: dict[str, int]) -> bytes:
    """Return the frames of samples; names not seen in this file come first. ``codes`` is extended."""
    ids, started, known, value, quality = zip(*samples, strict=True)
    fresh = [name for name in dict.fromkeys(ids) if name not in codes]
    parts = []
    if fresh:
        parts += [_framed(NAMES, json.dumps([len(codes), fresh]).encode())] * 2  # twice: every later row needs it
        codes.update({name: len(codes) + place for place, name in enumerate(fresh)})
    rows = b"".join(
        (
            np.array(started, dtype="<i8").tobytes(),
            np.array(known, dtype="<i8").tobytes(),
            np.array(value, dtype="<f8").tobytes(),
            np.array([codes[name] for name in ids], dtype="<u4").tobytes(),
            np.array(quality, dtype="u1").tobytes(),
        )
    )
    parts.append(_framed(_ROWS, rows))
    return b"".join(parts)


def _framed(kind: int, payload: bytes) -> bytes:
    return _FRAME.pack(_MARK, kind, len(payload), zlib.crc32(payload, kind)) + payload


def columns_of(blocks: Sequence[bytes]) -> tuple[_Ints, _Ints, _Floats, _Codes, _Bytes]:
    """Return started_at, known_at, value, code of the meter and quality of blocks of rows."""
    columns: list[list[np.ndarray[tuple[int], np.dtype[np.generic]]]] = [[], [], [], [], []]
    for block in blocks:
        count, place = len(block) // _ROW_BYTES, 0
        for column, dtype in zip(columns, ("<i8", "<i8", "<f8", "<u4", "u1"), strict=True):
            column.append(np.frombuffer(block, dtype=dtype, count=count, offset=place))
            place += count * np.dtype(dtype).itemsize
    return tuple(np.concatenate(c) if c else np.zeros(0, dtype=np.int64) for c in columns)  # type: ignore[return-value]


def _readings(blocks: Sequence[bytes], names: dict[int, str]) -> pl.DataFrame:
    started, known, value, code, quality = columns_of(blocks)
    highest = int(code.max()) if len(code) else -1
    listed = pl.Series([names.get(place) for place in range(highest + 1)], dtype=pl.String)
    ids = listed.gather(pl.Series(code.astype(np.uint32))) if len(code) else pl.Series([], dtype=pl.String)
    frame = frame_of(ids.alias("meter_id"), (started, known, value, quality))
    return frame.filter(pl.col("meter_id").is_not_null())


def locked(folder: Path, held: Problem) -> sqlite3.Connection:
    """Hold a folder: an exclusive transaction on an empty SQLite file dies with its process, on every system.

    Raises
    ------
    FaultyData
        Another process holds it; carries the problem given.
    """
    lock = sqlite3.connect(folder / ".lock.db", timeout=0.2, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise FaultyData([held]) from error
    return lock


def _held(folder: Path) -> Problem:
    return Problem(
        "connectors.spool_held",
        Text("另一个采集进程正在使用该工作区。", "Another collecting process uses this workspace."),
        Text("请先停止它, 再启动新的 zf collect。", "Stop it first, then start zf collect."),
        file=str(folder),
    )


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unreadable(path: Path, first: int, last: int, *, torn: bool) -> Problem:
    if torn:
        message = Text(
            f"末尾 {last - first} 字节不完整(断电或强制结束时未写完, 未曾确认), 已略过。",
            f"The last {last - first} bytes are incomplete (cut off before they were acknowledged); passed over.",
        )
        hint = Text("无需处理。", "Nothing to do.")
    else:
        message = Text(f"字节 {first}–{last} 已损坏, 已略过。", f"Bytes {first}–{last} are damaged; passed over.")
        hint = Text("请检查磁盘; 该段数据需从设备补采。", "Check the disk; that part must be collected again.")
    return Problem("connectors.spool_damaged", message, hint, file=path.name, severity="warning")
