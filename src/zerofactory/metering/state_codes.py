"""Rows of a file that tell states: words become codes, codes must be known, of several rows of one moment the last holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Problem, Text
from zerofactory.metering.cells import texts
from zerofactory.site.model import Meter
from zerofactory.site.state_signal import StateSignal, code_of

if TYPE_CHECKING:
    import polars as pl

Codes = NDArray[np.uint32]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
NOWHERE = -1
NO_CODE = -1.0
"""Stands where a cell names no code of its signal; no signal may have it."""
MOST_TOLD = 1000
STATE = "state"
"""What a signal carries, where the reader of files takes it for a meter."""


def as_meter(signal: StateSignal) -> Meter:
    """Return a signal as the reader of files takes meters: of codes, at any instant."""
    return Meter(
        signal.id, signal.name, STATE, "interval", "1", signal.shop, signal.line, interval_minutes=0
    )  # fmt: skip


def coded(column: pl.Series, code: Codes, signals: Sequence[StateSignal], first: int) -> pl.Series:
    """Return a column of values in which the rows of signals hold codes: words turned into them, `NO_CODE` where there is none.

    Parameters
    ----------
    code : place of each row's meter; those from ``first`` on are ``signals``, in order.
    """
    import polars as pl

    there = (code >= first) & (code < first + len(signals))
    if not there.any():
        return column
    written = pl.DataFrame({"signal": np.where(there, code, first + len(signals)), "text": texts(column)})
    said = written.filter(pl.Series(there) & pl.col("text").is_not_null()).unique()
    told = [_told(signals[place - first], text) for place, text in said.select("signal", "text").iter_rows()]
    said = said.with_columns(pl.Series("told", told, dtype=pl.String))
    joined = written.join(said, on=["signal", "text"], how="left", maintain_order="left")
    return joined.select(pl.coalesce("told", "text").alias(column.name)).to_series()


def _told(signal: StateSignal, text: str) -> str:
    number = code_of(signal, text)
    return repr(number if number in signal.meaning else NO_CODE)


def unknown(column: pl.Series, value: NDArray[np.float64], place: Integers, of: tuple[Sequence[StateSignal], str]) -> list[Problem]:  # fmt: skip
    """Return one problem for each code of each signal that it does not name: at its first row, with how often it stands.

    Parameters
    ----------
    value : as `coded` left it; ``place`` of each row's signal in the first part of ``of``, `NOWHERE` where it is of none; the header.
    """
    import polars as pl

    signals, header = of
    wrong = np.flatnonzero((place != NOWHERE) & (value == NO_CODE))
    if not len(wrong):
        return []
    cells = pl.DataFrame({"signal": place[wrong], "text": texts(column.gather(wrong)), "row": wrong + 2})
    counted = cells.group_by("signal", "text").agg(pl.col("row").min(), pl.len().alias("count")).sort("signal", "row")
    problems: list[Problem] = []
    for entry in counted.head(MOST_TOLD).iter_rows(named=True):
        signal = signals[entry["signal"]]
        choices = ", ".join([*signal.states, *signal.words])
        problems.append(
            Problem(
                "metering.unknown_code",
                Text(f"状态信号“{signal.id}”没有代码“{entry['text']}”(共 {entry['count']} 行)。", f"The state signal '{signal.id}' has no code '{entry['text']}' ({entry['count']} rows)."),
                Text(f"可选: {choices}; 或在 factory.toml 的 states、words 里加上。", f"Choose one of: {choices}; or add it to 'states' or 'words' in factory.toml."),
                row=int(entry["row"]),
                column=header,
            )
        )  # fmt: skip
    return problems


def overtaken(code: Codes, time_us: NDArray[np.int64], mine: Flags) -> Flags:
    """Return which rows of signals another row of the same signal and moment follows in the file.

    Examples
    --------
    >>> overtaken(np.array([0, 0, 0], dtype=np.uint32), np.array([5, 5, 6]), np.array([True, True, True])).tolist()
    [True, False, False]
    """
    found = np.zeros(len(code), dtype=np.bool_)
    rows = np.flatnonzero(mine)
    if len(rows) > 1:
        order = rows[np.lexsort((rows, time_us[rows], code[rows]))]
        again = (code[order][1:] == code[order][:-1]) & (time_us[order][1:] == time_us[order][:-1])
        found[order[:-1]] = again
    return found


def same_moment(passed: Flags, place: Integers, signals: Sequence[StateSignal], header: str) -> list[Problem]:
    """Return one warning for each signal of which several rows stand at one moment: the last in the file holds."""
    problems: list[Problem] = []
    rows = np.flatnonzero(passed & (place != NOWHERE))
    places, firsts, counts = np.unique(place[rows], return_index=True, return_counts=True)
    for one, first, count in zip(places.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        problems.append(
            Problem(
                "metering.same_moment",
                Text(f"状态信号“{signals[one].id}”同一时刻有几行(共 {count} 处)。", f"The state signal '{signals[one].id}' has several rows at one moment ({count} times)."),
                Text("取文件中最后一行。", "The last in the file is taken."),
                row=int(rows[first]) + 2,
                column=header,
                severity="warning",
            )
        )  # fmt: skip
    return problems
