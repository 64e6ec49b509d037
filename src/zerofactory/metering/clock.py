"""Clock times of a place → UTC, without a guess: an hour that never was or was twice is told, not chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.metering.grid import Flags, Integers
from zerofactory.periods import zone

if TYPE_CHECKING:
    import polars as pl

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class InstantColumn:
    """UTC microseconds by row, and the rows whose clock time never was, or was twice and cannot be told apart."""

    time_us: Integers
    never: Flags
    twice: Flags


def to_utc(local: pl.Series, time_zone: str, group: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> InstantColumn:
    """Return the instants of naive clock times.

    Parameters
    ----------
    local : Series of Datetime (us)
        Clock times; null rows come out as zero.
    group : array
        The meter of each row. Where the clock goes back, an hour comes twice: when a meter has both in the file, the first
        row is the earlier and the second the later; a single one cannot be told.
    """
    physical = local.to_physical().fill_null(0).to_numpy()
    none = np.zeros(len(physical), dtype=np.bool_)
    offset = fixed_offset_us(local, time_zone)
    if offset is not None:
        return InstantColumn(physical - offset, none, none)
    return _by_rule(local, time_zone, group)


def fixed_offset_us(local: pl.Series, time_zone: str) -> int | None:
    """Return the offset from UTC in microseconds when it is the same on every day the column spans, else None."""
    low, high = local.min(), local.max()
    if not isinstance(low, datetime) or not isinstance(high, datetime):
        return 0
    return _fixed_offset_us(low.date(), high.date(), time_zone)


@lru_cache(maxsize=64)
def _fixed_offset_us(low: date, high: date, time_zone: str) -> int | None:
    days = [low + index * _DAY for index in range(-1, (high - low).days + 3)]
    offsets = {datetime(day.year, day.month, day.day, tzinfo=zone(time_zone)).utcoffset() for day in days}
    if len(offsets) > 1:
        return None
    only = offsets.pop()
    return None if only is None else only // timedelta(microseconds=1)


def to_local_us(time_us: Integers, time_zone: str) -> Integers:
    """Return clock times, as microseconds, of UTC instants."""
    import polars as pl

    if not len(time_us):
        return time_us
    offset = _fixed_offset_us(utc(int(time_us.min())).date(), utc(int(time_us.max())).date(), time_zone)
    if offset is not None:
        return np.asarray(time_us + offset)
    moments = pl.Series(time_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(time_zone)
    return moments.dt.replace_time_zone(None).to_physical().to_numpy()


def _by_rule(local: pl.Series, time_zone: str, group: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> InstantColumn:
    import polars as pl

    naive = local.cast(pl.Datetime("us"))
    early = naive.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    late = naive.dt.replace_time_zone(time_zone, ambiguous="latest", non_existent="null")
    frame = pl.DataFrame(
        {"local": naive, "early": early.dt.convert_time_zone("UTC"), "late": late.dt.convert_time_zone("UTC")}
    )
    frame = frame.with_columns(pl.Series("group", group))
    twofold = (pl.col("early") != pl.col("late")).fill_null(False)
    frame = frame.with_columns(
        twofold.alias("twofold"),
        pl.len().over("group", "local").alias("times"),
        pl.int_range(pl.len()).over("group", "local").alias("turn"),
    )
    chosen = pl.when(twofold & (pl.col("turn") == 1)).then(pl.col("late")).otherwise(pl.col("early"))
    result = frame.select(
        chosen.to_physical().fill_null(0).alias("time_us"),
        (pl.col("early").is_null() & pl.col("local").is_not_null()).alias("never"),
        (pl.col("twofold") & (pl.col("times") != 2)).alias("twice"),
    )
    return InstantColumn(result["time_us"].to_numpy(), result["never"].to_numpy(), result["twice"].to_numpy())


def utc(moment_us: int) -> datetime:
    """Return an aware moment of microseconds since 1970-01-01 UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)
