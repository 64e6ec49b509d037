"""The spool: whatever is acknowledged comes back, whatever happens to the process, the file or the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerofactory.connectors.sample import Sample, readings_frame
from zerofactory.connectors.spool import Spool, SpoolFull, read_segment
from zerofactory.errors import FaultyData

SAMPLES = [Sample(f"m{n % 7}", 1_740_000_000_000_000 + n * 900_000_000, 5 + n, n / 4, n % 4) for n in range(100)]


def open_spool(folder: Path, max_bytes: int = 1 << 24, segment_bytes: int = 1 << 20) -> Spool:
    return Spool(folder, max_bytes, segment_bytes)


def test_comes_back_in_order_over_files_and_restarts(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, segment_bytes=600)
    for first in range(0, 100, 10):
        spool.write(SAMPLES[first : first + 10])
    spool.close()
    again = open_spool(tmp_path)
    again.write([Sample("late", 1, 2, 3.0)])
    again.seal()
    rows = [row for path in again.waiting() for row in read_segment(path).readings.rows()]
    assert rows == readings_frame([*SAMPLES, Sample("late", 1, 2, 3.0)]).rows()
    assert len(again.waiting()) > 3
    for path in again.waiting():
        again.discard(path)
    assert again.bytes_held == 0
    again.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    with pytest.raises(FaultyData) as caught:
        open_spool(tmp_path)
    assert caught.value.problems[0].code == "connectors.spool_held"
    spool.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 2000))
def test_torn_write_costs_only_what_was_torn(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = open_spool(folder)
    for first in range(0, 100, 10):
        spool.write(SAMPLES[first : first + 10])
    spool.close()
    path = next(folder.glob("*.zfs"))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    content = read_segment(path)
    kept = content.readings.height
    assert kept % 10 == 0
    assert kept >= 100 - 10 * (cut // 290 + 1)
    assert content.readings.rows() == readings_frame(SAMPLES[:kept]).rows()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(36, 3000), value=st.integers(1, 255))
def test_damaged_byte_costs_one_frame_and_is_told(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = open_spool(folder)
    spool.write(SAMPLES[:10])
    for first in range(10, 100, 10):
        spool.write(SAMPLES[first : first + 10])
    spool.close()
    path = next(folder.glob("*.zfs"))
    data = bytearray(path.read_bytes())
    place = min(place, len(data) - 1)
    data[place] ^= value
    path.write_bytes(bytes(data))
    content = read_segment(path)
    names_hit = place < 36 + 2 * (13 + 47)
    assert len(content.problems) == 1
    assert content.readings.height == (100 if names_hit else 90)
    assert set(content.readings.rows()) <= set(readings_frame(SAMPLES).rows())


def test_full_by_quota_keeps_what_was_acknowledged_and_goes_on_after_draining(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=1000)
    kept = 20
    spool.write(SAMPLES[:10])
    spool.write(SAMPLES[10:20])
    with pytest.raises(SpoolFull) as caught:
        spool.write(SAMPLES[20:40])
    assert "1000" in caught.value.problem.message.zh
    assert caught.value.problem.hint.en
    spool.seal()
    content = read_segment(spool.waiting()[0])
    assert content.readings.rows() == readings_frame(SAMPLES[:kept]).rows()
    assert content.problems == ()
    spool.discard(spool.waiting()[0])
    spool.write(SAMPLES[kept : kept + 10])
    spool.close()


def test_disk_full_in_the_middle_of_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = open_spool(tmp_path)
    spool.write(SAMPLES[:10])
    real = os.write
    calls = iter([100, None])

    def failing(file: int, data: bytes) -> int:
        part = next(calls)
        if part is None:
            raise OSError(28, "No space left on device")
        return real(file, data[:part])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing)
        with pytest.raises(SpoolFull):
            spool.write(SAMPLES[10:50])
    spool.write(SAMPLES[50:60])
    spool.close()
    content = read_segment(next(tmp_path.glob("*.zfs")))
    assert content.problems == ()
    assert content.readings.rows() == readings_frame([*SAMPLES[:10], *SAMPLES[50:60]]).rows()


KILLED = """
import sys
from pathlib import Path
from zerofactory.connectors.sample import Sample
from zerofactory.connectors.spool import Spool
spool = Spool(Path(sys.argv[1]), 1 << 28, 1 << 16)
n = 0
while True:
    spool.write([Sample(f"m{(n + i) % 50}", (n + i) * 1000, n + i, float(n + i)) for i in range(100)])
    n += 100
    print(n, flush=True)
"""


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path, eventually: Callable[..., None]) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged, stop = 0, time.monotonic() + 1.0
    for line in child.stdout:
        acknowledged = int(line)
        if time.monotonic() > stop and acknowledged > 2000:
            os.kill(child.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    child.stdout.close()
    spool = open_spool(tmp_path)
    values = [v for path in spool.waiting() for v in read_segment(path).readings["value"]]
    spool.close()
    assert values == [float(n) for n in range(len(values))]
    assert len(values) >= acknowledged
