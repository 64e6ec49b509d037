"""Reading along: exactly what was acknowledged, once each, in order, however the file is cut, sealed, drained or reopened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zerofactory.connectors.sample import Sample
from zerofactory.connectors.spool import Spool, read_segment
from zerofactory.connectors.tail import SpoolTail


def samples(first: int, count: int) -> list[Sample]:
    return [Sample(f"m{n % 5}", n * 900, n, n / 2, n % 4) for n in range(first, first + count)]


def seen(tail: SpoolTail) -> list[Sample]:
    return [
        Sample(rows.names[code], int(started), int(known), float(value), int(quality))
        for rows in tail.read()
        for code, started, known, value, quality in zip(
            rows.code, rows.started_us, rows.known_us, rows.value, rows.quality, strict=True
        )
    ]


def test_sees_what_is_flushed_and_no_more(tmp_path: Path) -> None:
    tail = SpoolTail(tmp_path)
    assert seen(tail) == []
    spool = Spool(tmp_path, 1 << 24, 900)
    assert seen(tail) == []
    spool.append(samples(0, 10))
    assert seen(tail) == []  # written, not flushed
    spool.sync()
    assert seen(tail) == samples(0, 10)
    assert seen(tail) == []
    for first in range(10, 200, 10):
        spool.write(samples(first, 10))
        if first % 3 == 0:
            assert seen(tail)[-1] == samples(first, 10)[-1]
    seen(tail)
    spool.write(samples(200, 3))
    assert seen(tail) == samples(200, 3)
    spool.close()


def test_drained_files_are_told_by_their_hash_and_nothing_comes_twice(tmp_path: Path) -> None:
    tail, spool = SpoolTail(tmp_path), Spool(tmp_path, 1 << 24, 900)
    found, hashes = [], set()
    for first in range(0, 300, 10):
        spool.write(samples(first, 10))
        found += seen(tail)
        if first % 70 == 60:
            spool.seal()
            for path in spool.waiting():
                hashes.add(read_segment(path).sha256)
                spool.discard(path)  # gone before the reader looks again
    found += seen(tail)
    assert found == samples(0, 300)
    spool.seal()
    assert seen(tail) == []
    assert hashes & tail.finished
    spool.close()


def test_a_file_that_came_and_went_between_two_looks_is_left_to_the_book(tmp_path: Path) -> None:
    tail, spool = SpoolTail(tmp_path), Spool(tmp_path, 1 << 24, 1 << 20)
    spool.write(samples(0, 10))
    spool.seal()
    missed = read_segment(spool.waiting()[0]).sha256
    spool.discard(spool.waiting()[0])
    spool.write(samples(10, 10))
    assert seen(tail) == samples(10, 10)
    assert missed not in tail.finished
    spool.close()


def test_after_a_kill_the_next_process_begins_a_file_and_the_old_one_is_read_to_its_end(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 24, 1 << 20)
    spool.write(samples(0, 10))
    spool.append(samples(10, 5))  # whole, but the process dies before it is flushed and acknowledged
    tail = SpoolTail(tmp_path)
    assert seen(tail) == samples(0, 10)
    spool._lock.close()  # as the system does with the files of a killed process
    path = next(tmp_path.glob("*.zfs"))
    with path.open("ab") as stream:
        stream.write(b"\xf5ZF\x01torn")
    again = Spool(tmp_path, 1 << 24, 1 << 20)
    again.write(samples(15, 5))
    assert seen(tail) == samples(10, 10)
    again.close()


def test_what_is_taken_back_on_a_full_disk_was_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zerofactory.connectors.spool import SpoolFull

    spool, tail = Spool(tmp_path, 1 << 24, 1 << 20), SpoolTail(tmp_path)
    spool.write(samples(0, 10))

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SpoolFull):
            spool.write(samples(10, 10))
        assert seen(tail) == samples(0, 10)
    spool.write(samples(20, 10))
    assert seen(tail) == samples(20, 10)
    spool.close()
