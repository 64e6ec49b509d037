"""Reading a closed year of the reference plant: inventory and explanation, inside one process and as a command."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from zerofactory.periods import Period
from zerofactory.runs import close, explain, import_data, init, inventory, verify
from zerofactory.runs.context import open_context

TIMES = 5


def median(work: Callable[[], object]) -> float:
    """Return the median wall time of a few runs."""
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def run() -> None:
    """Print the figures."""
    os.environ.setdefault("ZF_NOW", "2026-02-01T00:00:00+08:00")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "plant"
        started = time.perf_counter()
        init.run(folder, "car-plant")
        made = time.perf_counter()
        files = sorted(path for path in (folder / "inbox").iterdir() if path.is_file())
        import_data.run(open_context(folder), files)
        imported = time.perf_counter()
        close.run(open_context(folder), Period(2025))
        closed = time.perf_counter()
        verify.run(open_context(folder))
        verified = time.perf_counter()
        print("reading_the_book: the reference plant")
        steps = {
            "init": made - started,
            "import": imported - made,
            "close": closed - imported,
            "verify": verified - closed,
        }
        for step, seconds in steps.items():
            print(f"  {step:<34}{seconds:8.2f} s")
        year = Period(2025)
        show = lambda: inventory.read(open_context(folder), year, "iso_14064_1_2018", "location", "source")  # noqa: E731
        record = inventory.booked(open_context(folder), year)["record_id"][0]
        print(f"  {'inventory of the closed year':<34}{median(show):8.3f} s")
        print(f"  {'explain one record':<34}{median(lambda: explain.run(open_context(folder), record)):8.3f} s")
        command = [sys.executable, "-m", "zerofactory.cli", "inventory", "show", "--period", "2025", "-w", str(folder)]
        print(
            f"  {'zf inventory show, whole command':<34}{median(lambda: subprocess.run(command, capture_output=True, check=True)):8.3f} s"
        )
