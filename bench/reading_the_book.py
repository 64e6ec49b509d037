"""Reading a closed year of the reference plant: inventory and explanation, first call in a fresh process, and as a command.

``first`` is the first call of a process that has loaded the modules and opened nothing; ``again`` the median of the calls
that follow (both the best of a few processes); ``command`` the whole of ``zf ...`` from the shell, the quickest of a few.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.clock import Parts, apart
from zerofactory.periods import Period
from zerofactory.runs import close, explain, import_data, init, inventory, verify
from zerofactory.runs.context import open_context

TIMES, FRESH = 7, 3
YEAR = Period(2025)


def timed(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(folder: str) -> object:
    """Read the inventory of the year by source."""
    return inventory.read(open_context(Path(folder)), YEAR, "iso_14064_1_2018", "location", "source")


def open_up(folder: str, record: str) -> object:
    """Explain one record."""
    return explain.run(open_context(Path(folder)), record)


def calls(parts: Parts, name: str, *arguments: str) -> None:
    """Time the first call of a process, then the others."""
    work = {"inventory": show, "explain": open_up}[name]
    parts.time("first", lambda: work(*arguments))
    parts.seconds["again"] = statistics.median(timed(lambda: work(*arguments)) for _ in range(TIMES))


def command(*words: str) -> float:
    """Return the quickest wall time of a whole command."""
    line = [sys.executable, "-m", "zerofactory.cli", *words]
    return min(timed(lambda: subprocess.run(line, capture_output=True, check=True)) for _ in range(TIMES))


def build(folder: Path) -> dict[str, float]:
    """Make, fill, close and verify the reference plant; return the seconds of each step."""
    seconds = {"init": timed(lambda: init.run(folder, "car-plant"))}
    files = sorted(path for path in (folder / "inbox").iterdir() if path.is_file())
    seconds["import"] = timed(lambda: import_data.run(open_context(folder), files))
    seconds["close"] = timed(lambda: close.run(open_context(folder), YEAR))
    seconds["verify"] = timed(lambda: verify.run(open_context(folder)))
    return seconds


def run() -> None:
    """Print the figures."""
    os.environ.setdefault("ZF_NOW", "2026-02-01T00:00:00+08:00")
    print("reading_the_book: the reference plant")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "plant"
        for step, seconds in build(folder).items():
            print(f"  {step:<34}{seconds:8.2f} s")
        record = inventory.booked(open_context(folder), YEAR)["record_id"][0]
        for title, name_and_arguments in (
            ("inventory of the closed year", ("inventory", str(folder))),
            ("explain one record", ("explain", str(folder), record)),
        ):
            fresh = [apart(calls, *name_and_arguments).seconds for _ in range(FRESH)]
            first, again = (min(seconds[part] for seconds in fresh) for part in ("first", "again"))
            print(f"  {title:<34}{first:8.3f} s first  {again:8.3f} s again")
        for words in (
            ("--help",),
            ("inventory", "show", "--period", "2025", "-w", str(folder)),
            ("explain", record, "-w", str(folder)),
        ):
            print(f"  {'zf ' + ' '.join(words[:2]) + ', command':<34.34}{command(*words):8.3f} s")
