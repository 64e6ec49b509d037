"""Back-test of the forecasters on measured series, beside the seasonal naive.

Give the folder of data sets in ZF_DATA (default ../shared/data). Origins roll over the last eight weeks of each series, 23
hours apart; each forecast reaches seven days and sees only what was known at its origin. No weather forecast is used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.optimisation.forecasting.backtest import Rolling, Score, backtest
from zerofactory.optimisation.forecasting.forecaster import forecasters
from zerofactory.optimisation.forecasting.history import History, Target
from zerofactory.periods import local_midnight
from zerofactory.site.model import Calendar

# Public holidays of the year and place of each series (Korea 2018; Germany 2020, those common to all states).
KOREA_2018 = tuple(
    date(2018, month, day)
    for month, day in ((1, 1), (2, 15), (2, 16), (2, 17), (3, 1), (5, 5), (5, 7), (5, 22), (6, 6), (6, 13), (8, 15), (9, 24), (9, 25), (9, 26), (10, 3), (10, 9), (12, 25))
)  # fmt: skip
GERMANY_2020 = tuple(
    date(2020, month, day)
    for month, day in ((1, 1), (4, 10), (4, 13), (5, 1), (5, 21), (6, 1), (10, 3), (12, 25), (12, 26))
)


def folder() -> Path:
    """Return the folder of data sets."""
    return Path(os.environ.get("ZF_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data")


def steel_works() -> History:
    """Electricity of a steel works, kWh a quarter hour (UCI 851); labelled by the end, 24:00 written as 00:00."""
    rows = pl.read_csv(folder() / "loads/steel_industry_kr/Steel_industry_data.csv", infer_schema_length=None)
    rows = rows.with_columns(
        pl.col("date").str.slice(0, 10).str.to_date("%d/%m/%Y").alias("day"), (pl.col("NSM") // 900).alias("quarter")
    )
    rows = rows.with_columns(pl.when(pl.col("quarter") == 0).then(96).otherwise(pl.col("quarter")).alias("quarter"))
    values = rows.sort("day", "quarter")["Usage_kWh"].to_numpy().astype(np.float64)
    return _history("load", date(2018, 1, 1), 15, values, "Asia/Seoul", Calendar(holidays=KOREA_2018))


def vehicle_manufacturing() -> History:
    """Electricity of vehicle manufacturing in Germany, MW mean of the quarter hour (modelled, smooth)."""
    rows = pl.read_csv(folder() / "loads/vehicle_manufacturing_de/electricity_by_end_use_15min.csv")
    values = rows["total_kw"].to_numpy().astype(np.float64) / 1000.0
    return _history("load", date(2020, 1, 1), 15, values, "Etc/GMT-1", Calendar(holidays=GERMANY_2020))


def pv_station() -> History:
    """Output of a 50 MW PV station in China, MW."""
    rows = pl.read_csv(folder() / "solar/cn_state_grid_site1/solar_site1_50MW_2019_15min.csv", infer_schema_length=None)
    return _history(
        "pv", date(2019, 1, 1), 15, rows["power_mw"].to_numpy().astype(np.float64), "Asia/Shanghai", Calendar()
    )


def intensity(grid: str) -> History:
    """Hourly carbon intensity of a grid of the United States, g/kWh; UTC."""
    rows = pl.read_csv(
        folder() / f"grid/hourly_carbon_intensity_us_2022/{grid}_2022_hourly.csv", infer_schema_length=None
    )
    rows = (
        rows.select(pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M"), "avg_ci_g_per_kwh")
        .unique("timestamp", keep="first")
        .sort("timestamp")
    )
    rows = rows.upsample("timestamp", every="1h")
    values = rows["avg_ci_g_per_kwh"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return _history("intensity", date(2022, 1, 1), 60, values, "UTC", Calendar())


def _history(
    target: Target,
    first: date,
    minutes: int,
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    zone: str,
    calendar: Calendar,
) -> History:
    return History(target, local_midnight(first, zone), minutes, values, zone, calendar)


SETS: dict[str, tuple[str, Callable[[], History]]] = {
    "steel works load": ("kWh", steel_works),
    "vehicle manufacturing load": ("MW", vehicle_manufacturing),
    "PV station": ("MW", pv_station),
    "carbon intensity CAISO": ("g/kWh", lambda: intensity("caiso")),
    "carbon intensity ERCOT": ("g/kWh", lambda: intensity("ercot")),
}


def scores_of(name: str, plan: Rolling | None = None) -> list[Score]:
    """Return the scores of every forecaster that suits a data set."""
    history = SETS[name][1]()
    return backtest(history, forecasters(history.target), plan)


def run() -> None:
    """Print the figures."""
    print(
        "forecasting: rolling origin over the last 56 days, 7 days ahead, no weather forecast; skill by pinball loss against seasonal naive"
    )
    for name, (unit, _) in SETS.items():
        started = time.perf_counter()
        try:
            scores = scores_of(name)
        except FileNotFoundError as absent:
            print(f"  {name}: skipped, {absent.filename} is not here (set ZF_DATA)")
            continue
        print(f"  {name} [{unit}], {time.perf_counter() - started:.1f} s")
        print(
            f"    {'forecaster':<20}{'to':>7}{'n':>7}{'MAE':>10}{'nMAE':>8}{'pinball':>10}{'cover':>8}{'width':>10}{'skill':>8}  95 % interval {'MAE skill':>9}"
        )
        for one in scores:
            print(
                f"    {one.forecaster:<20}{_horizon(one.horizon_min):>7}{one.forecasts:>7}{one.mae:>10.3f}{one.nmae_fraction:>8.1%}{one.pinball:>10.3f}"
                f"{one.coverage_fraction:>8.1%}{one.mean_width:>10.3f}{one.skill_fraction:>8.1%}  {one.skill_low_fraction:>6.1%}…{one.skill_high_fraction:<6.1%}{one.mae_skill_fraction:>9.1%}"
            )


def _horizon(minutes: int) -> str:
    names: list[tuple[timedelta, str]] = [
        (timedelta(days=1), "d"),
        (timedelta(hours=1), "h"),
        (timedelta(minutes=1), "min"),
    ]
    for unit, mark in names:
        count = timedelta(minutes=minutes) / unit
        if count >= 1 and (mark != "d" or minutes > 1440):
            return f"{count:g} {mark}"
    return f"{minutes} min"
