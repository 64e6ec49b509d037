"""Amounts → what the displays show → monthly files of readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.reference_plant import mess
from zerofactory.reference_plant.series import MILLI, Recipe
from zerofactory.reference_plant.shapes import DAYS, QUARTERS, SLOTS, START, Real, Whole, days

QUARTER_US = 900_000_000
ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Display:
    """What one meter showed: ``slots`` quarter-hour numbers, ``shown`` whole numbers of the last digit."""

    meter: str
    slots: Whole
    shown: Whole
    digits: int
    multiplier: float

    @property
    def values(self) -> Real:
        """The readings in the meter's own unit."""
        return self.shown / float(10**self.digits)

    def counted(self, first: int, last: int) -> float:
        """Return what a register counted between two quarter hours, in its amount unit."""
        steps = int(self.shown[last] - self.shown[first])
        return steps * self.multiplier / float(10**self.digits)


def display(recipe: Recipe, meter: Mapping[str, Any], amount: Whole) -> Display:
    """Return the readings of one meter over the year.

    A register is read at every quarter hour and once more at the end of the year; it counts whole steps of its last digit
    and starts again at zero when it has passed its full scale. An interval meter gives each interval's amount, a gauge its
    mean power, rounded half up to the last digit.

    Parameters
    ----------
    amount : whole thousandths of the amount unit in each quarter hour
    """
    multiplier = float(meter.get("multiplier", 1))
    step = round(multiplier * MILLI)  # thousandths of the amount unit per unit of the display
    scale = 10**recipe.digits
    if meter["kind"] == "register":
        counted = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(amount)]) * scale // step
        shown = counted + recipe.first_reading * scale
        return Display(
            recipe.meter, np.arange(SLOTS + 1), shown % (round(meter["rollover"]) * scale), recipe.digits, multiplier
        )
    quarters = int(meter.get("interval_minutes", 15)) // 15
    amount = amount.reshape(-1, quarters).sum(axis=1)
    rate = amount * (4 // quarters) if meter["kind"] == "gauge" else amount
    shown = (rate * scale * 2 + step) // (2 * step)
    return Display(recipe.meter, np.arange(0, SLOTS, quarters), shown, recipe.digits, multiplier)


def month_frame(displays: list[Display], month: int) -> pl.DataFrame:
    """Return the readings of a month as meter, time (plant's clock, no zone), value; by meter, then time.

    The last month also holds the registers' reading at the first instant of the next year.
    """
    first, last = month_slots(month)
    last += month == 12
    rows: list[tuple[int, Whole, Real]] = []
    for index, one in enumerate(displays):
        begin, end = np.searchsorted(one.slots, [first, last])
        shown, kept = mess.disturb(one.meter, one.shown, one.slots)
        inside = slice(int(begin), int(end))
        values: NDArray[np.float64] = shown[inside][kept[inside]] / float(10**one.digits)
        rows.append((index, one.slots[inside][kept[inside]], values))
    return frame([one.meter for one in displays], rows)


def frame(names: list[str], rows: list[tuple[int, Whole, Real]]) -> pl.DataFrame:
    """Return long rows from (place in ``names``, quarter-hour numbers, values)."""
    codes = np.repeat([index for index, _, _ in rows], [len(slots) for _, slots, _ in rows])
    start = int(np.datetime64(START, "us").astype(np.int64))
    slots = np.concatenate([slots for _, slots, _ in rows])
    return pl.DataFrame(
        {
            "meter": pl.Series(names, dtype=pl.String).gather(pl.Series(codes, dtype=pl.UInt32)),
            "time": pl.Series(slots * QUARTER_US + start, dtype=pl.Int64).cast(pl.Datetime("us")),
            "value": pl.Series(np.concatenate([values for _, _, values in rows]), dtype=pl.Float64),
        }
    )


def month_slots(month: int) -> tuple[int, int]:
    """Return the first quarter hour of a month and the first after it.

    Examples
    --------
    >>> month_slots(1), month_slots(12)[1] == 365 * 96
    ((0, 2976), True)
    """
    starts = [index * QUARTERS for index, day in enumerate(days()) if day.day == 1] + [DAYS * QUARTERS]
    return starts[month - 1], starts[month]


def write_month(path: Path, rows: pl.DataFrame) -> None:
    """Write a month as Parquet; the same rows give the same bytes."""
    rows.write_parquet(
        path, compression="zstd", compression_level=ZSTD_LEVEL, row_group_size=1_000_000, statistics=True
    )


def write_correction(path: Path, display: Display, first: int, last: int) -> None:
    """Write the true readings of a stretch as CSV with Chinese headers, as an energy manager would send it."""
    inside = (display.slots >= first) & (display.slots < last)
    rows = frame([display.meter], [(0, display.slots[inside], display.values[inside])])
    rows = rows.with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    rows.rename({"meter": "表计", "time": "时间", "value": "读数"}).write_csv(path, float_precision=display.digits)
