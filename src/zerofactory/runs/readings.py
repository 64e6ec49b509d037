"""Readings read back: what one meter said in a stretch of time, and what every meter came to by month or day.

A meter's readings come from the sealed and the open files of the months that the stretch touches; sums come from the sums by
day that are kept with every seal, so that a year of thousands of meters is added up without its intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.periods import Period, zone
from zerofactory.runs.context import Context
from zerofactory.runs.intervals import sealed_month
from zerofactory.store.series import day_rows

By = Literal["month", "day"]
MILLI = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """The readings of one meter in a stretch of time: the newest version of each, in the meter's own unit."""

    meter: str
    unit: str
    since: datetime
    until: datetime
    time_zone: str
    readings: pl.DataFrame

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; times on the plant's clock."""
        clock = zone(self.time_zone)
        return {
            "meter": self.meter,
            "unit": self.unit,
            "since": self.since.astimezone(clock).isoformat(),
            "until": self.until.astimezone(clock).isoformat(),
            "readings": [
                {
                    "started_at": row["started_at"].astimezone(clock).isoformat(),
                    "value": row["value"],
                    "quality": row["quality"],
                    "known_at": row["known_at"].astimezone(clock).isoformat(),
                }
                for row in self.readings.to_dicts()
            ],
        }


def of_meter(context: Context, meter: str, hours: float = 24.0, until: datetime | None = None) -> Told:
    """Return what a meter said in the last hours before a moment (default: now).

    Raises
    ------
    NotFound
        The plant has no such meter.
    FaultyData
        ``hours`` is not above zero.
    """
    if not hours > 0:
        message = Text("小时数须大于 0。", "The number of hours must be above 0.")
        raise FaultyData([Problem(code="readings.hours", message=message, hint=Text("例如 24。", "24, for example."))])
    workspace = context.workspace
    found = workspace.plant.meter(meter)
    end = until or context.now
    since = end - timedelta(hours=hours)
    files = _files(context, since, end)
    rows = workspace.series.read_meter(files, meter, since, end)
    newest = rows.group_by("started_at", maintain_order=True).last().select(rows.columns)
    return Told(meter, found.unit, since, end, workspace.plant.time_zone, newest)


def _files(context: Context, since: datetime, until: datetime) -> list[str]:
    """Return the files of readings of the months that a stretch of time touches: sealed ones, then open ones."""
    workspace, files = context.workspace, []
    months, moment = [], since
    while moment < until:
        month = Period.containing(moment, workspace.plant.time_zone)
        months.append(month.label)
        moment = month.end(workspace.plant.time_zone)
    seals = {seal["period"]: seal for seal in workspace.seals().to_dicts()}
    files = [seals[label]["readings_file"] for label in months if label in seals and seals[label]["readings_file"]]
    return files + [segment.file for segment in workspace.open_segments() if segment.period in months]


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """What every meter came to: rows of meter, stretch (month or day), amount, unit and share of estimated intervals."""

    period: str
    by: By
    rows: pl.DataFrame

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        rows = self.rows.with_columns(pl.col(self.by).cast(pl.String)).to_dicts()
        return {"period": self.period, "by": self.by, "rows": rows}


def totals(context: Context, period: Period, by: By = "month") -> Totals:
    """Return what every meter came to in each month or day of a closed period.

    Raises
    ------
    FaultyData
        A month of the period is not closed.
    """
    days = pl.concat([_days(context, month) for month in period.months()])
    units = {meter.id: meter.amount_unit for meter in context.workspace.plant.meters}
    stretch = pl.col("day").dt.strftime("%Y-%m").alias("month") if by == "month" else pl.col("day")
    slots = pl.sum_horizontal("missing_slots", "measured_slots", "manual_slots", "estimated_slots", "suspect_slots")
    rows = (
        days.group_by("meter_id", stretch, maintain_order=True)
        .agg(
            (pl.col("amount_milli").sum() / MILLI).alias("amount"),
            (pl.col("estimated_slots").sum() / slots.sum()).alias("estimated_fraction"),
        )
        .with_columns(pl.col("meter_id").replace_strict(units, default=None).alias("unit"))
    )
    return Totals(period.label, by, rows.select("meter_id", by, "amount", "unit", "estimated_fraction"))


def _days(context: Context, month: Period) -> pl.DataFrame:
    """Return the sums by day of a month as kept, or made from its intervals where an earlier edition kept none."""
    workspace = context.workspace
    seal: Mapping[str, Any] | None = workspace.seal_of(month.label)
    if seal is not None:
        file = workspace.series.days_file(month.label, seal["revision"])
        if workspace.series.path(file).exists():
            return workspace.series.read_days([(month.label, seal["revision"])])
    return day_rows(sealed_month(context, month))
