"""One meter looked at closely: what it came to by interval, hour or day, how each was got, what was noticed, and whether its tree closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import ESTIMATED, MANUAL, MEASURED, MISSING, SUSPECT, MeterMonth
from zerofactory.metering.note import KINDS
from zerofactory.metering.quality import check, closures
from zerofactory.periods import Period, zone
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.quality import FILL_METHODS, quality_rows
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree

By = Literal["interval", "hour", "day"]
MILLI = 1000.0
DAYS_BY_INTERVAL = 7
STATES: Mapping[int, tuple[str, Text]] = {
    MEASURED: ("measured", Text("实测", "measured")),
    MANUAL: ("manual", Text("人工抄表", "read by hand")),
    ESTIMATED: ("estimated", Text("估算", "estimated")),
    SUSPECT: ("suspect", Text("存疑", "suspect")),
}


@dataclass(frozen=True, slots=True)
class Noticed:
    """One thing noticed about the meter in the month."""

    kind: str
    title: Text
    started_at: datetime | None
    count: int
    amount: float | None
    severity: str
    method: Text | None


@dataclass(frozen=True, slots=True)
class TreeCheck:
    """A parent of the tree against its children in this month."""

    parent: str
    parent_amount: float
    children_amount: float
    error_fraction: float | None
    within: bool


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter over a stretch of a month. ``amounts`` gives, for each state, an amount for each of ``starts`` (None: none)."""

    meter: str
    name: Text
    unit: str
    period: str
    is_closed: bool
    by: By
    starts: tuple[datetime, ...]
    amounts: Mapping[str, tuple[float | None, ...]]
    total: float
    slots: Mapping[str, int]
    noticed: tuple[Noticed, ...]
    closures: tuple[TreeCheck, ...]

    @property
    def estimated_fraction(self) -> float:
        """Share of the intervals there are that were estimated."""
        there = sum(count for name, count in self.slots.items() if name != "missing")
        return self.slots["estimated"] / there if there else 0.0

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        plain = ("meter", "unit", "period", "is_closed", "by", "total", "estimated_fraction")
        return {
            **{name: getattr(self, name) for name in plain},
            "name": {"zh": self.name.zh, "en": self.name.en},
            "starts": [moment.isoformat() for moment in self.starts],
            "amounts": {name: list(values) for name, values in self.amounts.items()},
            "slots": dict(self.slots),
            "noticed": [
                {"kind": one.kind, "title": {"zh": one.title.zh, "en": one.title.en}, "started_at": one.started_at and one.started_at.isoformat(),
                 "count": one.count, "amount": one.amount, "severity": one.severity}
                for one in self.noticed
            ],
            "closures": [{n: getattr(one, n) for n in TreeCheck.__slots__} for one in self.closures],
        }  # fmt: skip


def run(context: Context, meter: str, period: Period, first: date | None = None, days: int = 0) -> MeterView:
    """Return a meter over a month, or over some days of it from ``first`` on.

    A stretch of up to a week is given by the grid's own interval, a month by hour or, with ``days`` 0, by day.

    Raises
    ------
    NotFound
        The plant has no such meter.
    FaultyData
        The month has no readings.
    """
    plant = context.workspace.plant
    told = plant.meter(meter)
    if period.label not in months_of(context):
        raise FaultyData([_no_readings(period, months_of(context))])
    month = meter_month(context, period.label)
    if meter not in month.meter_ids:
        raise FaultyData([_not_then(meter, period)])
    row = month.meter_ids.index(meter)
    seal = context.workspace.seal_of(period.label)
    by: By = "day" if not days else "interval" if days <= DAYS_BY_INTERVAL else "hour"
    low, high = _stretch(month, first, days)
    starts, amounts = _binned(month, row, (low, high), by)
    states = month.state[row]
    slots = {"missing": int((states == MISSING).sum())}
    slots |= {name: int((states == code).sum()) for code, (name, _) in STATES.items()}
    return MeterView(
        meter, told.name, month.units[row], period.label, seal is not None, by, starts, amounts,
        float(month.amount_milli[row][states != MISSING].sum()) / MILLI, slots,
        tuple(_noticed(context, month, meter, seal)), tuple(_tree(month, plant, meter)),
    )  # fmt: skip


def _stretch(month: MeterMonth, first: date | None, days: int) -> tuple[int, int]:
    """Return the slots of the days asked for, or of the whole month."""
    midnights = month.grid.midnights
    if not days or first is None:
        return 0, month.grid.slots
    begin = min(max((first - month.grid.period.first_day).days, 0), len(midnights) - 2)
    return int(midnights[begin]), int(midnights[min(begin + days, len(midnights) - 1)])


def _binned(
    month: MeterMonth, row: int, stretch: tuple[int, int], by: By
) -> tuple[tuple[datetime, ...], dict[str, tuple[float | None, ...]]]:
    """Return the start of each bar and, for each state, its amount; a bar without anything of a state has None."""
    grid, (low, high) = month.grid, stretch
    slots = np.arange(low, high)
    if by == "day":
        bins = np.searchsorted(grid.midnights, slots, side="right") - 1
    else:
        bins = slots // (60 // min(grid.minutes, 60)) if by == "hour" else slots
    names, first = np.unique(bins, return_index=True)
    place = zone(grid.time_zone)
    starts = tuple((grid.start + timedelta(minutes=grid.minutes * int(low + at))).astimezone(place) for at in first)
    amounts: dict[str, tuple[float | None, ...]] = {}
    for code, (name, _) in STATES.items():
        own = month.state[row, low:high] == code
        if not own.any():
            continue
        sums = np.bincount(
            np.searchsorted(names, bins[own]), month.amount_milli[row, low:high][own] / MILLI, len(names)
        )
        there = np.bincount(np.searchsorted(names, bins[own]), minlength=len(names)) > 0
        amounts[name] = tuple(round(float(v), 3) if ok else None for v, ok in zip(sums, there, strict=True))
    return starts, amounts


def _noticed(context: Context, month: MeterMonth, meter: str, seal: dict[str, Any] | None) -> list[Noticed]:
    """Return what was noticed about a meter: as booked where the month is closed, as it is now where it is open."""
    if seal is not None:
        rows = quality_rows(context, [seal]).filter(pl.col("meter") == meter).to_dicts()
    else:
        only = _only(month, meter)
        if context.workspace.plant.meter(meter).kind == "virtual":
            return []
        rows = [{name: getattr(note, name) for name in ("kind", "started_at", "count", "amount", "severity", "method")} for note in check(only, context.workspace.plant)]  # fmt: skip
    return [
        Noticed(row["kind"], KINDS[row["kind"]], row["started_at"], row["count"], row["amount"], row["severity"], FILL_METHODS.get(row["method"] or ""))
        for row in rows
        if row["kind"] not in ("completeness", "collection", "closure")
    ]  # fmt: skip


def _only(month: MeterMonth, meter: str) -> MeterMonth:
    row = month.meter_ids.index(meter)
    return MeterMonth(
        (meter,), (month.units[row],), (month.own_minutes[row],), month.grid,
        month.amount_milli[row : row + 1], month.state[row : row + 1], month.bridges,
    )  # fmt: skip


def _tree(month: MeterMonth, plant: Plant, meter: str) -> list[TreeCheck]:
    """Return the closure of the meter over its children, and of its parent over it and its siblings."""
    tree = meter_tree(plant)
    wanted = {name for name in (meter, tree.meters[meter].parent) if name}
    limit = plant.accounting.closure_tolerance_fraction
    found = []
    for one in closures(month, plant) if wanted & set(tree.children) else ():
        if one.parent in wanted:
            within = one.error_fraction is not None and abs(one.error_fraction) <= limit
            found.append(TreeCheck(one.parent, one.parent_amount, one.children_amount, one.error_fraction, within))
    return found


def _no_readings(period: Period, there: list[str]) -> Problem:
    message = Text(f"{period.label} 没有读数。", f"{period.label} has no readings.")
    return Problem("meter_view.no_readings", message, Text(f"有读数的月份: {', '.join(there) or '—'}。", f"Months with readings: {', '.join(there) or '—'}."))  # fmt: skip


def _not_then(meter: str, period: Period) -> Problem:
    message = Text(
        f"{period.label} 封存时还没有表计“{meter}”。", f"There was no meter '{meter}' when {period.label} was closed."
    )
    return Problem("meter_view.not_then", message, Text("请选别的月份。", "Choose another month."))
