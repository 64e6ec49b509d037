"""A hundred million stored readings: the last 24 hours of one meter, and the month roll-up of all, beside plain tools.

2 850 meters × a year of quarter hours (99.9 M readings) are written as sealed months by the product's own writer: readings,
interval amounts, sums by day. Then, in the same run and each in a process of its own:

    last 24 hours    `Series.read_meter` | polars scan of all sealed readings | DuckDB on the same Parquet files
    month roll-up    `Series.read_days` and a sum | polars over the interval amounts | DuckDB over the same

Peers read the files as they lie; ``--meters`` of the environment variable ZF_BENCH_METERS makes it smaller.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bench.clock import Parts, apart, row
from zerofactory.metering.grid import grid
from zerofactory.metering.interval import MeterMonth
from zerofactory.metering.reading import READINGS
from zerofactory.metering.register import no_bridges
from zerofactory.periods import Period
from zerofactory.site.model import Calendar
from zerofactory.store.series import Series

METERS = int(os.environ.get("ZF_BENCH_METERS", "2850"))
YEAR, ZONE, TIMES = 2025, "Asia/Shanghai", 5
WANTED = f"m{METERS // 2:04d}"
UNTIL = datetime(2025, 9, 30, 16, tzinfo=UTC)


def write(parts: Parts, folder: str) -> int:
    """Write the sealed year (in a process of its own, whose peak is not the readers'); return the number of readings."""
    return int(parts.time("write", lambda: _write(Path(folder))))  # type: ignore[call-overload]


def _write(folder: Path) -> int:
    series, count = Series(folder), 0
    random = np.random.Generator(np.random.PCG64(7))
    for number in range(1, 13):
        slots = grid(Period(YEAR, number), ZONE, 15, Calendar())
        amounts = random.integers(1_000, 50_000, (METERS, slots.slots), dtype=np.int64)
        ids = tuple(f"m{index:04d}" for index in range(METERS))
        states = np.ones(amounts.shape, dtype=np.uint8)
        month = MeterMonth(ids, ("kWh",) * METERS, (15,) * METERS, slots, amounts, states, no_bridges())
        series.seal_intervals(0, month)
        frame = readings(month)
        series.seal_readings(month.period.label, 0, frame)
        count += frame.height
    return count


def readings(month: MeterMonth) -> pl.DataFrame:
    """Return a month as rows of READINGS."""
    moments = month.grid.start_us + np.arange(month.grid.slots, dtype=np.int64) * month.grid.step_us
    known = pl.lit(month.grid.start + timedelta(days=35)).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            "meter_id": pl.Series(month.meter_ids, dtype=pl.String).gather(
                np.repeat(np.arange(METERS), month.grid.slots)
            ),
            "started_at": pl.Series(np.tile(moments, METERS)).cast(pl.Datetime("us", "UTC")),
            "value": month.amount_milli.reshape(-1) / 1000.0,
        }
    ).select(
        "meter_id",
        "started_at",
        known.alias("known_at"),
        "value",
        pl.lit("measured").alias("quality"),
        pl.lit("bench").alias("segment"),
    ).select(READINGS.names)  # fmt: skip


def several(parts: Parts, name: str, work: object) -> object:
    """Time the first call, and the quickest of a few after it."""
    result = parts.time(f"{name} first", work)  # type: ignore[arg-type]
    best = min(_timed(work) for _ in range(TIMES))
    parts.seconds[f"{name} again"] = best
    return result


def _timed(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def ours(parts: Parts, folder: str) -> tuple[int, int]:
    """The product's own reading."""
    series = Series(Path(folder))
    label = Period.containing(UNTIL - timedelta(hours=1), ZONE).label
    months = [(f"{YEAR}-{number:02d}", 0) for number in range(1, 13)]

    def day() -> int:
        file = f"sealed/{label}.r0.readings.parquet"
        return series.read_meter([file], WANTED, UNTIL - timedelta(hours=24), UNTIL).height

    def roll_up() -> int:
        by_month = series.read_days(months).group_by("meter_id", pl.col("day").dt.month()).agg(pl.sum("amount_milli"))
        return int(by_month["amount_milli"].sum())

    return several(parts, "day", day), several(parts, "roll-up", roll_up)  # type: ignore[return-value]


def plain_polars(parts: Parts, folder: str) -> tuple[int, int]:
    """A polars scan of the same files, all months at once."""
    readings_files, interval_files = f"{folder}/sealed/*.readings.parquet", f"{folder}/sealed/*.intervals.parquet"

    def day() -> int:
        inside = (pl.col("started_at") >= UNTIL - timedelta(hours=24)) & (pl.col("started_at") < UNTIL)
        return pl.scan_parquet(readings_files).filter(inside, pl.col("meter_id") == WANTED).collect().height

    def roll_up() -> int:
        scan = pl.scan_parquet(interval_files, include_file_paths="file")
        return int(scan.group_by("meter_id", "file").agg(pl.sum("amount_milli")).collect()["amount_milli"].sum())

    return several(parts, "day", day), several(parts, "roll-up", roll_up)  # type: ignore[return-value]


def plain_duckdb(parts: Parts, folder: str) -> tuple[int, int]:
    """DuckDB on the same files."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    since = UNTIL - timedelta(hours=24)
    day_query = (
        f"SELECT * FROM read_parquet('{folder}/sealed/*.readings.parquet') WHERE meter_id = '{WANTED}' "
        f"AND started_at >= '{since:%Y-%m-%d %H:%M}+00' AND started_at < '{UNTIL:%Y-%m-%d %H:%M}+00'"
    )
    sum_query = (
        "SELECT meter_id, filename, sum(amount_milli) AS amount FROM "
        f"read_parquet('{folder}/sealed/*.intervals.parquet', filename = true) GROUP BY ALL"
    )

    def day() -> int:
        return len(connection.execute(day_query).fetchall())

    def roll_up() -> int:
        return int(connection.execute(sum_query).fetchnumpy()["amount"].sum())

    return several(parts, "day", day), several(parts, "roll-up", roll_up)  # type: ignore[return-value]


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        written = apart(write, name)
        size = sum(path.stat().st_size for path in Path(name).rglob("*.parquet")) / 1e6
        print(
            f"stored_readings: {METERS} meters × {YEAR}, {written.result:,} readings sealed in {written.total:.0f} s "
            f"(peak {written.peak_mb:,.0f} MB), {size:,.0f} MB on disk"
        )
        found = {work.__name__: apart(work, name) for work in (plain_polars, plain_duckdb, ours)}
        if len({str(one.result) for one in found.values()}) != 1:
            raise SystemExit(f"they do not agree: { {key: one.result for key, one in found.items()} }")
        for title, one in found.items():
            row(title.replace("_", " ").replace("ours", "zerofactory"), one, found["plain_duckdb"])
        for part in ("day again", "roll-up again"):
            mine = found["ours"].seconds[part]
            others = [(title, one.seconds[part] / mine) for title, one in found.items() if title != "ours"]
            ratios = "  ".join(f"{title.replace('_', ' ')} {ratio:,.1f}x" for title, ratio in others)
            print(f"  {part:<16} zerofactory {1000 * mine:8.2f} ms   the others take: {ratios}")
