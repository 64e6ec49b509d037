"""Derive the shape of a grid's carbon intensity over the day by month, from measured hours.

    python bench/derive_grid_hours.py --data DATA [--out DIR]

``DATA`` holds ``grid/hourly_carbon_intensity_us_2022/caiso_2022_hourly.csv`` (US EIA, public domain). An hourly series of a
Chinese grid is not published openly: a grid with much sun stands in for the **shape**; the mean over the year is set to 1000 and
is multiplied by the plant's own factor where it is used. The same file gives the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

CLOCK_HOURS = -8
SOURCE = "grid/hourly_carbon_intensity_us_2022/caiso_2022_hourly.csv"
TARGET = Path(__file__).resolve().parents[1] / "src/zerofactory/reference_plant/tables"


def shape(path: Path) -> pl.DataFrame:
    """Return month, hour of the local clock and the mean intensity in thousandths of the year's mean."""
    frame = pl.read_csv(path, infer_schema_length=None).with_columns(
        local=pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M") + pl.duration(hours=CLOCK_HOURS),
        value=pl.col("avg_ci_g_per_kwh").cast(pl.Float64, strict=False),
    )
    mean = frame["value"].mean()
    return (
        frame.group_by(pl.col("local").dt.month().alias("month"), pl.col("local").dt.hour().alias("hour"))
        .agg((pl.col("value").mean() / mean * 1000.0).round(0).cast(pl.Int64).alias("intensity_thousandths"))
        .sort("month", "hour")
    )


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args()
    shape(given.data / SOURCE).write_csv(given.out / "grid_hours.csv")


if __name__ == "__main__":
    main()
