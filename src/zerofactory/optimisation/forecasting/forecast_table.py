"""FORECASTS: what was forecast, from which moment, and when it became known; the same grid as LOAD and SIGNALS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.forecasting.history import TARGETS, History, Numbers
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

FORECASTS = TableSchema(
    name="forecasts",
    title=Text("预测", "Forecasts"),
    columns=(
        Column("target", "text", Text("对象", "target"), choices=TARGETS),
        Column("place", "text", Text("位置", "place")),
        Column(
            "origin_at",
            "moment",
            Text("预测起点", "origin"),
            note=Text("只用此刻之前的数据", "only data before it were used"),
        ),
        Column("started_at", "moment", Text("时段起点", "start of the interval")),
        Column("minutes", "integer", Text("时段长度", "length of the interval"), unit="min", minimum=1),
        Column("quantile", "number", Text("分位数", "quantile"), minimum=0.0, maximum=1.0),
        Column("value", "number", Text("预测值", "forecast"), note=Text("单位见 unit", "its unit is in `unit`")),
        Column("unit", "text", Text("单位", "unit")),
        Column("forecaster", "text", Text("方法", "forecaster")),
        Column(
            "known_at",
            "moment",
            Text("获知时间", "known at"),
            note=Text("算出预测的时刻", "when the forecast was made"),
        ),
    ),
    key=("target", "place", "origin_at", "known_at", "started_at", "quantile"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """How a forecast came about: for which place, in which unit, by what, with which quantiles, and when."""

    place: str
    unit: str
    forecaster: str
    quantiles: Sequence[float]
    known_at: datetime


def forecast_rows(history: History, forecast: Numbers, made: Made) -> pl.DataFrame:
    """Return rows of FORECASTS from quantiles (steps × Q) of the slots after a history."""
    import polars as pl

    steps, count = forecast.shape
    first = np.datetime64(history.end.replace(tzinfo=None), "us").astype(np.int64)
    starts = np.repeat(first + np.arange(steps, dtype=np.int64) * history.minutes * 60_000_000, count)
    frame = pl.DataFrame(
        {
            "started_at": starts,
            "quantile": np.tile(np.asarray(made.quantiles, dtype=np.float64), steps),
            "value": forecast.ravel(),
        }
    )
    moment = pl.Datetime("us", "UTC")
    return frame.select(
        pl.lit(history.target).alias("target"),
        pl.lit(made.place).alias("place"),
        pl.lit(history.end).cast(moment).alias("origin_at"),
        pl.col("started_at").cast(moment),
        pl.lit(history.minutes, pl.Int64).alias("minutes"),
        "quantile",
        "value",
        pl.lit(made.unit).alias("unit"),
        pl.lit(made.forecaster).alias("forecaster"),
        pl.lit(made.known_at).cast(moment).alias("known_at"),
    )
