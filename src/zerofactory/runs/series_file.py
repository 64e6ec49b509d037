"""A series from a CSV that a person or another program wrote: time and one value, the unit in the name of its column."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.grid import microseconds
from zerofactory.periods import zone

TIME_NAMES = ("started_at", "time", "时间", "date", "日期")
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, eq=False)
class GivenSeries:
    """Values on a regular grid from an aware moment on; not-a-number where a row is missing."""

    start: datetime
    minutes: int
    values: NDArray[np.float64]


def read(path: Path, column: str, time_zone: str) -> GivenSeries:
    """Return one column of a CSV. Times without an offset are on the plant's clock.

    Raises
    ------
    FaultyData
        No such file or column, an unreadable time or number, a repeated time, or no regular step that divides a day.
    """
    frame = _frame(path, column)
    name = next(name for name in TIME_NAMES if name in frame.columns)
    problems, moments = [], []
    for row, text in enumerate(frame[name].to_list(), start=2):
        moment = _moment(text, time_zone)
        if moment is None:
            problems.append(
                _fault("unreadable_time", f"“{text}”不是时间。", f"'{text}' is not a time.").at(
                    file=path.name, row=row, column=name
                )
            )
        moments.append(moment)
    numbers = frame[column].cast(pl.Float64, strict=False)
    for row in (numbers.is_null() & frame[column].is_not_null() & (frame[column] != "")).arg_true():
        text = frame[column][int(row)]
        problems.append(
            _fault("not_a_number", f"“{text}”不是数。", f"'{text}' is not a number.").at(
                file=path.name, row=int(row) + 2, column=column
            )
        )
    if problems:
        raise FaultyData(problems)
    times = np.array([microseconds(moment) for moment in moments if moment is not None], dtype=np.int64)
    return _on_grid(times, numbers.fill_null(float("nan")).to_numpy(), path)


def _frame(path: Path, column: str) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, glob=False, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FaultyData(
            [_fault("unreadable", "不是可读的 CSV 文件。", f"This CSV file cannot be read: {error}").at(file=path.name)]
        ) from error
    lacking = [] if column in frame.columns else [column]
    lacking += [] if any(name in frame.columns for name in TIME_NAMES) else [TIME_NAMES[0]]
    if lacking or frame.is_empty():
        named = ", ".join(lacking) or "—"
        raise FaultyData(
            [
                _fault("missing_column", f"缺少列或没有数据行: {named}。", f"Columns missing, or no rows: {named}.").at(
                    file=path.name
                )
            ]
        )
    return frame


def _moment(text: str | None, time_zone: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone(time_zone))).astimezone(UTC)


def _on_grid(times: NDArray[np.int64], values: NDArray[np.float64], path: Path) -> GivenSeries:
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    steps = np.diff(times)
    step = int(steps.min()) if len(steps) else DAY_MINUTES * 60_000_000
    minutes = step // 60_000_000
    if minutes < 1 or DAY_MINUTES % minutes or (steps % step).any():
        message = "时间重复或步长不规则。", "Times repeat or have no regular step that divides a day."
        raise FaultyData([_fault("irregular", *message).at(file=path.name)])
    place = (times - times[0]) // step
    grid = np.full(int(place[-1]) + 1, np.nan)
    grid[place] = values
    return GivenSeries(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(times[0])), minutes, grid)


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text(
        "请给出 CSV: started_at 列(ISO 时间)和一个带单位的数值列。",
        "Give a CSV with a column started_at (ISO time) and one value column named with its unit.",
    )
    return Problem(code=f"series_file.{code}", message=Text(zh, en), hint=hint)
