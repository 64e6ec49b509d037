"""Derive the tables of the reference plant from the measured and published data files.

    python bench/derive_reference_tables.py --data DATA --benchmarks FILE [--out DIR]

``DATA`` is a folder that holds ``loads/``, ``weather/``, ``tariffs/``, ``solar/`` and ``energy_systems/`` (see its README); ``FILE`` is the CSV of
published shop intensities. The tables written are those of ``zerofactory/reference_plant/tables`` whose README says
"derived"; the others in that folder are decisions of the fictional plant and are not touched. Running it again on the
same files gives the same bytes.
"""

from __future__ import annotations

import argparse
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

SEASONS = {12: "winter", 1: "winter", 2: "winter", 6: "summer", 7: "summer", 8: "summer"}
END_USES = ("space_heating", "hot_water", "process_heat", "air_conditioning", "lighting", "ict", "mechanical_drives")
HEAT_LEVELS = (
    "space_heating",
    "hot_water",
    "process_heat_below_100c",
    "process_heat_100_500c",
    "process_heat_500_1000c",
    "process_heat_above_1000c",
)
QUANTILES = 64


def easter(year: int) -> date:
    """Return Easter Sunday (Gregorian computus, Meeus/Jones/Butcher)."""
    century, rest = divmod(year, 100)
    epact = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    month, day = divmod(epact + week - 7 * ((year % 19 + 11 * epact + 22 * week) // 451) + 114, 31)
    return date(year, month, day + 1)


def german_holidays(year: int) -> list[date]:
    """Return the holidays that all German states share."""
    sunday = easter(year)
    moving = [sunday + timedelta(days=shift) for shift in (-2, 1, 39, 50)]
    return [date(year, *day) for day in ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))] + moving


def day_shapes(path: Path, columns: tuple[str, ...], per_mille: int = 1000) -> pl.DataFrame:
    """Return mean load by season, day type and quarter hour; 1000 is the mean of the year.

    The three winter (December to February) and summer (June to August) months are seasons of their own, the other six
    are one. National holidays count as ``off``.
    """
    names = [f"{column}_kw" for column in columns]
    frame = pl.read_csv(path).with_columns(pl.col("time").str.to_datetime("%Y-%m-%d %H:%M"))
    time = pl.col("time")
    holiday = time.dt.date().is_in(german_holidays(frame["time"][0].year))
    off = (time.dt.weekday() == 7) | holiday
    frame = frame.with_columns(
        season=time.dt.month().replace_strict(SEASONS, default="middle", return_dtype=pl.String),
        day_type=pl.when(off).then(pl.lit("off")).when(time.dt.weekday() == 6).then(pl.lit("saturday"))
        .otherwise(pl.lit("workday")),
        quarter=time.dt.hour().cast(pl.Int32) * 4 + time.dt.minute() // 15,
    )  # fmt: skip
    keys = ["season", "day_type", "quarter"]
    shares = [(pl.col(name) / frame[name].mean() * per_mille).alias(name.removesuffix("_kw")) for name in names]
    return frame.with_columns(shares).group_by(keys).agg(pl.col(columns).mean().round(0).cast(pl.Int64)).sort(keys)


def read_epw(path: Path) -> pl.DataFrame:
    """Return month, day, hour (0 is the hour from midnight), dry bulb in °C, global horizontal radiation in Wh/m2."""
    lines = path.read_text(encoding="utf-8").splitlines()[8:]
    rows = [line.split(",") for line in lines]
    return pl.DataFrame(
        {
            "month": [int(row[1]) for row in rows],
            "day": [int(row[2]) for row in rows],
            "hour": [int(row[3]) - 1 for row in rows],
            "dry_bulb_degc": [float(row[6]) for row in rows],
            "global_wh_per_m2": [float(row[13]) for row in rows],
        }
    )


def weather_hours(epw: pl.DataFrame) -> pl.DataFrame:
    """Return the mean of each hour of the day in each month."""
    values = [pl.col("dry_bulb_degc").mean().round(1), pl.col("global_wh_per_m2").mean().round(0).cast(pl.Int64)]
    return epw.group_by("month", "hour").agg(values).sort("month", "hour")


def weather_days(epw: pl.DataFrame) -> pl.DataFrame:
    """Return how each day of the typical year differs from its month: temperature by difference, sun by ratio."""
    days = epw.group_by("month", "day").agg(pl.col("dry_bulb_degc").mean(), pl.col("global_wh_per_m2").sum())
    month = days.group_by("month").agg(mean=pl.col("dry_bulb_degc").mean(), sun=pl.col("global_wh_per_m2").mean())
    joined = days.join(month, on="month").sort("month", "day")
    return joined.select(
        "month",
        "day",
        dry_bulb_difference_k=(pl.col("dry_bulb_degc") - pl.col("mean")).round(1),
        sun_ratio=(pl.col("global_wh_per_m2") / pl.col("sun")).round(3),
    )


def variability(path: Path) -> pl.DataFrame:
    """Return 64 quantiles of how a measured industrial load departs from its usual value.

    Weekdays, 09:00 to 18:00 without the noon break, of the steel works' year. ``slot_ratio`` is the quarter hour over
    (median of that quarter hour × level of that day), ``day_ratio`` the level of the day over the median level. Quantile
    midpoints; both are divided by their mean so that they carry no trend.
    """
    frame = pl.read_csv(path, infer_schema_length=None)
    usage = np.roll(frame["Usage_kWh"].to_numpy().reshape(-1, 96), -1, axis=1)  # the row of midnight ends the day
    weekday = np.array([(date(2018, 1, 1) + timedelta(days=i)).weekday() < 5 for i in range(len(usage))])
    work = usage[weekday][:, [*range(36, 46), *range(52, 72)]]
    level = work.mean(axis=1)
    working = level > np.median(level) / 2  # days off fall on weekdays too
    work, level = work[working], level[working]
    slot = work / np.median(work, axis=0)
    slot = (slot / slot.mean(axis=1, keepdims=True)).ravel()
    points = (np.arange(QUANTILES) + 0.5) / QUANTILES
    ratios = {"slot_ratio": np.quantile(slot, points), "day_ratio": np.quantile(level / np.median(level), points)}
    table = {"quantile_fraction": points.round(4)}
    table |= {name: (values / values.mean()).round(3) for name, values in ratios.items()}
    return pl.DataFrame(table)


def generation(wind: Path, sun: Path) -> pl.DataFrame:
    """Return the hourly output of a wind farm and a PV station in thousandths of what is installed.

    Wind: hour 1 is the first of the year, on the clock of the place. Sun: quarter hours of 2019 of a station of 50 MW.
    """
    blown = pl.read_csv(wind).sort("hour")["wind_kw_per_kw"].to_numpy() * 1000
    station = pl.read_csv(sun).with_columns(pl.col("time").str.to_datetime("%Y-%m-%d %H:%M")).sort("time")
    hourly = station.group_by(pl.col("time").dt.truncate("1h")).agg(pl.col("power_mw").clip(0).mean()).sort("time")
    time = hourly["time"]
    return pl.DataFrame(
        {
            "month": time.dt.month().cast(pl.Int64),
            "day": time.dt.day().cast(pl.Int64),
            "hour": time.dt.hour().cast(pl.Int64),
            "wind_per_mille": blown,
            "sun_per_mille": hourly["power_mw"] / 50 * 1000,
        }
    )


def generation_hours(hourly: pl.DataFrame) -> pl.DataFrame:
    """Return the mean output of each hour of the day in each month."""
    values = [pl.col(name).mean().round(0).cast(pl.Int64) for name in ("wind_per_mille", "sun_per_mille")]
    return hourly.group_by("month", "hour").agg(values).sort("month", "hour")


def generation_days(hourly: pl.DataFrame) -> pl.DataFrame:
    """Return how the output of each day of the year stands to its month."""
    days = hourly.group_by("month", "day").agg(pl.col("wind_per_mille", "sun_per_mille").mean())
    month = days.group_by("month").agg(pl.col("wind_per_mille", "sun_per_mille").mean().name.suffix("_mean"))
    ratios = [
        (pl.col(f"{name}_per_mille") / pl.col(f"{name}_per_mille_mean")).round(3).alias(f"{name}_ratio")
        for name in ("wind", "sun")
    ]
    return days.join(month, on="month").sort("month", "day").select("month", "day", *ratios)


def tariff(path: Path) -> pl.DataFrame:
    """Return the rows of Shanghai, August 2026, without the columns that only check the transcription."""
    frame = pl.read_csv(path, infer_schema_length=None).filter(pl.col("province_en") == "Shanghai")
    return frame.drop("flat_minus_components", "floating_base", "checks", pl.selectors.starts_with("ratio_"))


def bands(path: Path) -> pl.DataFrame:
    """Return the published or expert value of each quantity and, where the note states one, its range."""
    frame = pl.read_csv(path, infer_schema_length=None)
    ends = [re.match(r"typical range ([\d.]+)-([\d.]+)", note or "") for note in frame["note"]]
    low = pl.Series("low", [match.group(1) if match else None for match in ends], dtype=pl.String)
    high = pl.Series("high", [match.group(2) if match else None for match in ends], dtype=pl.String)
    columns = ["id", "name_zh", "name_en", "value", "low", "high", "unit", "source", "source_ref", "confidence"]
    wanted = pl.col("kind").is_in(["shop", "plant", "paint", "share"]) & pl.col("id").is_in(["anl.vehicle"]).not_()
    return frame.with_columns(low, high).filter(wanted).select(columns)


def main() -> None:
    """Read the folder given by the user and write the derived tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with loads/, weather/, tariffs/, solar/, energy_systems/"
    )
    parser.add_argument("--benchmarks", type=Path, required=True, help="CSV of published shop intensities")
    home = Path(__file__).resolve().parent.parent / "src" / "zerofactory" / "reference_plant" / "tables"
    parser.add_argument("--out", type=Path, default=home, help="where the tables go")
    given = parser.parse_args()
    vehicles = given.data / "loads" / "vehicle_manufacturing_de"
    epw = read_epw(next((given.data / "weather" / "shanghai_hongqiao_tmyx").glob("*.epw")))
    hourly = generation(
        given.data / "energy_systems" / "reopt_wind_profile" / "wind_production_factor_hourly.csv",
        given.data / "solar" / "cn_state_grid_site1" / "solar_site1_50MW_2019_15min.csv",
    )
    tables = {
        "end_use_electricity": day_shapes(vehicles / "electricity_by_end_use_15min.csv", END_USES),
        "heat_by_temperature": day_shapes(vehicles / "heat_by_temperature_15min.csv", HEAT_LEVELS),
        "weather_hours": weather_hours(epw),
        "weather_days": weather_days(epw),
        "industrial_variability": variability(given.data / "loads" / "steel_industry_kr" / "Steel_industry_data.csv"),
        "tariff_shanghai_2026_08": tariff(
            given.data / "tariffs" / "state_grid_cn" / "tou_tariffs_2025_08_to_2026_08.csv"
        ),
        "bands": bands(given.benchmarks),
        "generation_hours": generation_hours(hourly),
        "generation_days": generation_days(hourly),
    }
    given.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_csv(given.out / f"{name}.csv")
        print(f"{name}.csv: {table.height} rows")


if __name__ == "__main__":
    main()
