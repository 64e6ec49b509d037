"""A year of quarter hours of 200 meters (7.0 M readings): import, quality, fill, activities, records, close.

Peers: plain polars and plain DuckDB scripts that do the same sums (read, keep the newest of repeated readings, find and
fill gaps with the mean of the slot, monthly sums, × factor, write the year as monthly Parquet) without keeping a book.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from bench.clock import Parts, apart, row

METERS, SLOTS_PER_DAY, DAYS = 200, 96, 365
FACTOR = 0.5737
GAS_FROM = 150


def plant_text() -> str:
    """Return a plant of 200 interval meters, 150 of electricity and 50 of gas, each its own source."""
    lines = [
        '[plant]\nid = "bench"\nname = { zh = "测速工厂", en = "bench plant" }\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\ncurrency = "CNY"\n',
        '[organisation]\nname = { zh = "测速", en = "bench" }\n',
        '[[shops]]\nid = "paint"\nkind = "paint"\nname = { zh = "涂装", en = "paint" }\n',
    ]
    for number in range(METERS):
        gas = number >= GAS_FROM
        carrier, unit = ("natural_gas", "Nm3") if gas else ("electricity", "kWh")
        kind, item = ("stationary_combustion", "natural_gas") if gas else ("purchased_electricity", "electricity")
        name = f'{{ zh = "表 {number}", en = "meter {number}" }}'
        lines.append(
            f'[[meters]]\nid = "m{number:03d}"\nname = {name}\ncarrier = "{carrier}"\nkind = "interval"\nunit = "{unit}"\nshop = "paint"\n'
        )
        lines.append(
            f'[[sources]]\nid = "s{number:03d}"\nkind = "{kind}"\nname = {name}\nitem = "{item}"\nmeters = ["m{number:03d}"]\n'
        )
    return "\n".join(lines)


def write_year(path: Path) -> int:
    """Write the year: every slot of every meter but 0.1 % gaps; return the number of readings."""
    random = np.random.Generator(np.random.PCG64(7))
    slots = SLOTS_PER_DAY * DAYS
    start = np.datetime64("2025-01-01T00:00:00", "us")
    times = start + np.arange(slots) * np.timedelta64(15, "m")
    value = np.round(random.uniform(1.0, 50.0, METERS * slots), 3)
    frame = pl.DataFrame(
        {
            "meter": pl.Series([f"m{n:03d}" for n in range(METERS)], dtype=pl.String).gather(
                np.repeat(np.arange(METERS), slots)
            ),
            "time": np.tile(times, METERS),
            "value": value,
        }
    )
    kept = frame.filter(pl.Series(random.random(frame.height) >= 0.001))
    kept.write_parquet(path, compression="zstd")
    return kept.height


def ours(parts: Parts, path: str, folder: str) -> int:
    """Import and close through the book."""
    from zerofactory.periods import Period
    from zerofactory.runs import close, import_data
    from zerofactory.runs.context import open_context, stamp
    from zerofactory.store.workspace import Workspace

    workspace = Path(folder)
    (workspace / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(workspace, at=stamp(datetime.now().astimezone()), actor="bench")
    parts.time("import", lambda: import_data.run(open_context(workspace), [Path(path)]))
    months = parts.time("close", lambda: close.run(open_context(workspace), Period(2025)))
    return sum(month.total_gco2e for month in months)  # type: ignore[attr-defined]


def plain_polars(parts: Parts, path: str, folder: str) -> float:
    """The same sums in plain polars."""

    def work() -> float:
        slot = pl.col("time").dt.hour().cast(pl.Int32) * 4 + pl.col("time").dt.minute() // 15
        read = pl.read_parquet(path).unique(["meter", "time"], keep="last", maintain_order=True)
        read = read.with_columns(slot.alias("slot"), pl.col("time").dt.month().alias("month"))
        grid = read.select("meter").unique().join(read.select("time").unique(), how="cross")
        full = grid.join(read.select("meter", "time", "value"), on=["meter", "time"], how="left")
        full = full.with_columns(slot.alias("slot"), pl.col("time").dt.month().alias("month"))
        means = read.group_by("meter", "month", "slot").agg(pl.col("value").mean().alias("mean"))
        full = full.join(means, on=["meter", "month", "slot"], how="left")
        full = full.with_columns(pl.col("value").fill_null(pl.col("mean")))
        for (month,), part in full.partition_by("month", as_dict=True).items():
            part.sort("meter", "time").write_parquet(Path(folder) / f"{month}.parquet", compression="zstd")
        sums = full.group_by("meter", "month").agg(pl.col("value").sum())
        return float((sums["value"] * FACTOR).sum())

    return float(parts.time("all", work))  # type: ignore[arg-type]


def plain_duckdb(parts: Parts, path: str, folder: str) -> float:
    """The same sums in plain DuckDB."""
    import duckdb

    def work() -> float:
        connection = duckdb.connect()
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"""
            CREATE TABLE read AS SELECT meter, time, last(value) AS value FROM read_parquet('{path}') GROUP BY meter, time;
            CREATE TABLE means AS SELECT meter, month(time) AS m, hour(time) * 4 + minute(time) // 15 AS slot, avg(value) AS mean
                FROM read GROUP BY ALL;
            CREATE TABLE complete AS
                SELECT g.meter, g.time, coalesce(r.value, a.mean) AS value
                FROM (SELECT * FROM (SELECT DISTINCT meter FROM read) CROSS JOIN (SELECT DISTINCT time FROM read)) g
                LEFT JOIN read r USING (meter, time)
                LEFT JOIN means a ON a.meter = g.meter AND a.m = month(g.time) AND a.slot = hour(g.time) * 4 + minute(g.time) // 15;
            """
        )
        for month in range(1, 13):
            target = Path(folder) / f"duck-{month}.parquet"
            connection.execute(
                f"COPY (SELECT * FROM complete WHERE month(time) = {month} ORDER BY meter, time) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )
        found = connection.execute(
            f"SELECT sum(value) * {FACTOR} FROM (SELECT meter, month(time), sum(value) AS value FROM complete GROUP BY ALL)"
        )
        return float(found.fetchone()[0])  # type: ignore[index]

    return float(parts.time("all", work))  # type: ignore[arg-type]


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "year.parquet"
        count = write_year(path)
        print(
            f"readings: {METERS} meters × one year of quarter hours, {count:,} readings from Parquet to a closed year"
        )
        places = [Path(folder) / name for name in ("polars", "duckdb", "book")]
        for place in places:
            place.mkdir()
        polars = apart(plain_polars, str(path), str(places[0]))
        duckdb = apart(plain_duckdb, str(path), str(places[1]))
        book = apart(ours, str(path), str(places[2]))
        row("plain polars", polars)
        row("plain DuckDB", duckdb, polars)
        row("zerofactory: import + close", book, polars)
