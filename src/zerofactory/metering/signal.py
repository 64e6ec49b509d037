"""SIGNALS: what a kilowatt-hour costs and emits in each interval, and when that became known.

A time-of-use tariff is a table of bands over the day, some of them in force in certain months only; it becomes a price by
interval, averaged over the minutes of the interval where a border falls inside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import NotFound, Problem, Text
from zerofactory.metering.grid import microseconds
from zerofactory.periods import zone
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

SIGNALS = TableSchema(
    name="signals",
    title=Text("价格与碳强度信号", "Signals of price and carbon intensity"),
    columns=(
        Column("place", "text", Text("市场或电网", "market or grid")),
        Column("started_at", "moment", Text("时段起点", "start of the interval")),
        Column("minutes", "integer", Text("时段长度", "length of the interval"), unit="min", minimum=1),
        Column("price_cny_per_kwh", "number", Text("电价", "price"), unit="CNY/kWh", nullable=True),
        Column("intensity_gco2e_per_kwh", "number", Text("碳强度", "carbon intensity"), unit="gCO2e/kWh", nullable=True, minimum=0.0),
        Column("known_at", "moment", Text("获知时间", "known at"), note=Text("最新者有效", "the newest holds")),
    ),
    key=("place", "started_at", "known_at"),
)  # fmt: skip

BANDS = ("deep_valley", "valley", "flat", "peak", "sharp_peak")
DAY_MINUTES = 1440
_SPAN = re.compile(r"^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})=(\w+)$")
_SEASON = re.compile(r"((?:\d{1,2}、)*\d{1,2})月尖峰时段\s*((?:\d{1,2}:\d{2}-\d{1,2}:\d{2}[、, ]*)+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")

Prices = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of the local day [first, last) in one band; ``months`` empty means all year."""

    first: int
    last: int
    band: str
    months: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tariff:
    """A time-of-use tariff.

    Parameters
    ----------
    id : str
        Province, scheme and voltage.
    month : str
        The month for which the prices were published, ``2026-08``.
    prices : Mapping
        Band → CNY/kWh, VAT included.
    spans : tuple of Span
        Cover the day; a later one beats an earlier one.
    """

    id: str
    month: str
    time_zone: str
    prices: Mapping[str, float]
    spans: tuple[Span, ...]
    demand_cny_per_kw_month: float | None = None

    def minute_prices(self, month: int) -> Prices:
        """Return the price of each minute of a local day in a calendar month (1440)."""
        day = np.full(DAY_MINUTES, np.nan)
        for span in self.spans:
            if not span.months or month in span.months:
                day[span.first : span.last] = self.prices[span.band]
        return day


def tariff(row: Mapping[str, object], time_zone: str) -> tuple[Tariff | None, list[Problem]]:
    """Return the tariff of one row of a table of published prices, with every fault.

    Parameters
    ----------
    row : Mapping
        ``hours`` as ``00:00-06:00=valley 06:00-08:00=flat …``, prices as ``<band>_cny_per_kwh``, and where a sharp peak is
        seasonal ``special_period_zh`` as ``7、8月尖峰时段 12:00-14:00``. In the other months those hours take the band beside
        them, which is what the row itself can say; another winter timetable needs a row of its own.
    """
    prices = {
        band: float(str(row[f"{band}_cny_per_kwh"])) for band in BANDS if row.get(f"{band}_cny_per_kwh") is not None
    }
    spans, problems = _spans(str(row.get("hours") or ""))
    lacking = sorted({span.band for span in spans} - set(prices))
    if lacking:
        problems.append(
            _fault("no_price", f"缺少时段电价: {', '.join(lacking)}。", f"No price for: {', '.join(lacking)}.")
        )
    minutes = np.zeros(DAY_MINUTES, dtype=np.int64)
    for span in spans:
        minutes[span.first : span.last] += 1
    if (minutes != 1).any():
        problems.append(
            _fault("not_a_day", "时段没有恰好覆盖 24 小时。", "The bands do not cover 24 hours exactly once.")
        )
    if problems:
        return None, problems
    name = "/".join(str(row[key]) for key in ("province_en", "scheme", "voltage"))
    demand = row.get("demand_charge_cny_per_kw_month")
    seasonal = _seasonal(spans, str(row.get("special_period_zh") or ""))
    return Tariff(
        name, str(row["month"]), time_zone, prices, seasonal, None if demand is None else float(str(demand))
    ), []


def _spans(hours: str) -> tuple[tuple[Span, ...], list[Problem]]:
    spans, problems = [], []
    for part in hours.split():
        match = _SPAN.match(part)
        if match is None or match.group(5) not in BANDS:
            problems.append(_fault("unreadable_hours", f"时段“{part}”无法识别。", f"The band '{part}' cannot be read."))
            continue
        first, last = _minute(match.group(1), match.group(2)), _minute(match.group(3), match.group(4))
        spans.append(Span(first, last, match.group(5)))
    return tuple(spans), problems


def _seasonal(spans: tuple[Span, ...], special: str) -> tuple[Span, ...]:
    """Return the spans with the sharp peak confined to the months that the row names."""
    found = _SEASON.search(special)
    if found is None or not any(span.band == "sharp_peak" for span in spans):
        return spans
    months = tuple(int(month) for month in found.group(1).split("、"))
    named = {(_minute(a, b), _minute(c, d)) for a, b, c, d in _CLOCK.findall(found.group(2))}
    opened: list[Span] = []
    for place, span in enumerate(spans):
        if span.band == "sharp_peak" and (span.first, span.last) in named:
            beside = spans[place - 1] if place else spans[(place + 1) % len(spans)]
            opened += [Span(span.first, span.last, beside.band), Span(span.first, span.last, "sharp_peak", months)]
        else:
            opened.append(span)
    return tuple(opened)


def prices_of(given: Tariff, start: datetime, minutes: int, count: int) -> Prices:
    """Return the mean price of ``count`` intervals from an aware moment on, CNY/kWh.

    Examples
    --------
    >>> flat = Tariff("x", "2026-08", "Asia/Shanghai", {"valley": 0.3, "flat": 0.6}, (Span(0, 390, "valley"), Span(390, 1440, "flat")))
    >>> [round(float(p), 9) for p in prices_of(flat, datetime.fromisoformat("2026-08-01T06:00+08:00"), 60, 2)]
    [0.45, 0.6]
    """
    place = zone(given.time_zone)
    days = {month: given.minute_prices(month) for month in range(1, 13)}
    running = {month: np.concatenate([[0.0], np.cumsum(np.concatenate([day, day]))]) for month, day in days.items()}
    means = np.empty(count)
    for index in range(count):
        local = (start + timedelta(minutes=minutes * index)).astimezone(place)
        first = local.hour * 60 + local.minute
        total = running[local.month]
        means[index] = (total[first + minutes] - total[first]) / minutes
    return np.round(means, 9)  # the running sum leaves dust in the last digits


def signals(
    place: str, span: tuple[datetime, int], values: Mapping[str, Sequence[float] | Prices], known_at: datetime
) -> pl.DataFrame:
    """Return rows of SIGNALS from series on one grid.

    Parameters
    ----------
    span : tuple
        First instant (aware) and length of an interval in minutes.
    values : Mapping
        ``price_cny_per_kwh`` and/or ``intensity_gco2e_per_kwh`` → one value an interval; not-a-number gives null.
    """
    import polars as pl

    start, minutes = span
    count = len(next(iter(values.values())))
    starts = microseconds(start) + np.arange(count, dtype=np.int64) * (minutes * 60_000_000)
    frame = pl.DataFrame({"started_at": starts}).with_columns(
        pl.col("started_at").cast(pl.Datetime("us", "UTC")),
        pl.lit(place).alias("place"),
        pl.lit(minutes, pl.Int64).alias("minutes"),
        pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at"),
        *(pl.Series(name, np.asarray(series, dtype=np.float64)).fill_nan(None) for name, series in values.items()),
    )
    absent = [pl.lit(None, pl.Float64).alias(name) for name in SIGNALS.names if name not in frame.columns]
    return frame.with_columns(absent).select(SIGNALS.names)


def chosen(table: pl.DataFrame, scheme: str | None, voltage: str | None) -> dict[str, object]:
    """Return the one row of a table of tariffs that a scheme and a voltage mean; raise `NotFound` with the choices."""
    import polars as pl

    rows = table
    for name, value in (("scheme", scheme), ("voltage", voltage)):
        if value is not None:
            rows = rows.filter(pl.col(name) == value)
    if rows.height != 1:
        choices = [f"{a} / {b}" for a, b in table.select("scheme", "voltage").iter_rows()]
        raise NotFound(Text("电价(方案 / 电压)", "tariff (scheme / voltage)"), f"{scheme} / {voltage}", choices)
    return rows.to_dicts()[0]


def _minute(hour: str, minute: str) -> int:
    return int(hour) * 60 + int(minute)


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text("请对照公布的电价表更正。", "Correct it against the published table.")
    return Problem(code=f"metering.tariff_{code}", message=Text(zh, en), hint=hint, column="hours")
