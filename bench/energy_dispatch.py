"""Rolling dispatch of the reference plant: 288 intervals cold and again, a week of quarter hours, and what it saved.

``cold`` builds the problem, assembles the matrix and solves; ``bare`` is the solver alone on the same matrix, cold; ``again``
is a whole step of the rolling loop (window, forecast, assembly, warm solve, carrying out). The year is the week's mean step
times 35 040.
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from bench.reading_the_book import build
from zerofactory.optimisation.energy.assembly import assemble
from zerofactory.optimisation.energy.window import Standpoint, begun, window
from zerofactory.optimisation.solving.by_highs import Kept
from zerofactory.periods import Period, Span
from zerofactory.runs import energy_dispatch as run
from zerofactory.runs.context import open_context

FIRST = datetime(2025, 7, 21, tzinfo=ZoneInfo("Asia/Shanghai"))
BATTERY = {"battery": 60000.0}
DAYS, INTERVALS = 7, 288


def run_one(folder: Path) -> None:
    """Print the figures of one workspace."""
    context = open_context(folder)
    asked = run.Asked(FIRST, 24, 15, BATTERY)
    whole = begun(run._problem(context, Span(Period(2025, 6), Period(2025, 7)), asked))
    slot = run._slot(whole.grid, FIRST)
    here = Standpoint(slot, run._states(whole, {}), {"grid": 0.0})
    started = time.perf_counter()
    program = assemble(window(whole, here, INTERVALS)).program
    built = time.perf_counter() - started
    answer = Kept(program).solve()
    cold = time.perf_counter() - started
    bare = min(_bare(program) for _ in range(3))
    rows, columns, entries = program.size
    print(f"{INTERVALS} intervals: {rows:,} rows, {columns:,} columns, {entries:,} entries")
    print(
        f"  build and assemble {1000 * built:6.1f} ms   cold {1000 * cold:6.1f} ms   bare solver, same matrix {1000 * bare:6.1f} ms   {answer.report.status.value}"
    )
    found = run.backtest(context, asked, FIRST, DAYS)
    rolled = found.judged["rolling"].rolled
    assert rolled is not None
    mean, median = float(np.mean(rolled.step_s)), float(np.median(rolled.step_s))
    print(
        f"{DAYS} days of quarter hours, horizon 24 h: {rolled.steps} steps, median {1000 * median:.1f} ms, mean {1000 * mean:.1f} ms; a year of 35 040 steps {mean * 35040 / 60:.1f} min"
    )
    for name, one in found.judged.items():
        share = found.share(name)
        print(
            f"  {name:8} {one.cost_cny:14,.0f} CNY   saved {found.saved_cny(name):12,.0f}   {100 * (share or 0):5.1f} % of perfect   peak {one.peak_kw:9,.0f} kW   check {'passed' if one.check.passed else 'FAILED'}"
        )


def _bare(program: object) -> float:
    kept = Kept(program)  # type: ignore[arg-type]
    started = time.perf_counter()
    kept.solve()
    return time.perf_counter() - started


def bench() -> None:
    """Build the reference plant and print the figures."""
    print("Rolling dispatch, reference plant of 2025 with a battery of 60 MWh")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "plant"
        build(folder)
        run_one(folder)
