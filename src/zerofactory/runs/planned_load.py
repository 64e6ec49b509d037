"""Planned loads that others wrote as rows of LOAD (rounds and forklifts, a schedule), added to what a plan of energy foresees."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.assets.grid import Floats, Grid
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.profile import LOAD

ELECTRICITY = "electricity"


def read(path: Path) -> pl.DataFrame:
    """Return the rows of a Parquet file of LOAD; raise `FaultyData` with every fault, `FileNotFoundError` where there is none."""
    try:
        frame = pl.read_parquet(path, memory_map=False, glob=False)
    except pl.exceptions.PolarsError as error:
        message = Text("不是可读的 Parquet 文件。", f"This is no Parquet file: {error}")
        hint = Text("请给 --out 写出的 load.parquet。", "Give the load.parquet that --out wrote.")
        raise FaultyData([Problem("load.unreadable", message, hint, file=path.name)]) from error
    problems = LOAD.check(frame)
    if problems:
        raise FaultyData([problem.at(file=path.name) for problem in problems])
    return frame


def on_grid(rows: pl.DataFrame, grid: Grid) -> Floats:
    """Return the mean power of planned electricity in each interval, kW; energy is shared over the intervals it covers.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> start = datetime(2025, 1, 1, tzinfo=UTC)
    >>> row = {"place": "dock", "level": "meter", "carrier": "electricity", "started_at": start, "minutes": 30, "energy_wh": 4000, "kind": "planned", "known_at": start}
    >>> on_grid(LOAD.frame([row]), Grid(start, 15, 4)).tolist()
    [8.0, 8.0, 0.0, 0.0]
    """
    total = np.zeros(grid.length)
    own = rows.filter((pl.col("carrier") == ELECTRICITY) & (pl.col("kind") == "planned"))
    for started_at, minutes, energy_wh in own.select("started_at", "minutes", "energy_wh").iter_rows():
        begins = (started_at - grid.start) / timedelta(minutes=grid.step_minutes)
        ends = begins + minutes / grid.step_minutes
        for slot in range(max(0, int(np.floor(begins))), min(grid.length, int(np.ceil(ends)))):
            share = (min(ends, slot + 1.0) - max(begins, float(slot))) / (ends - begins)
            total[slot] += energy_wh * share / 1000.0 / grid.step_hours
    return total
