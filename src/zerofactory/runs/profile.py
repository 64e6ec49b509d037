"""Load profiles of a workspace: closed months as they were booked, open months as far as they have been read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.fill import virtual
from zerofactory.metering.grid import Integers, grid_of
from zerofactory.metering.interval import MISSING, MeterMonth, to_intervals
from zerofactory.metering.profile import LOAD, Place, load_of
from zerofactory.metering.register import no_bridges
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.month import in_month
from zerofactory.store.series import Segment
from zerofactory.store.workspace import read_plant


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """The sum of meters over consecutive months: thousandths of one unit, and the worst state of each slot.

    ``months`` are those with data; between them there may be months of missing slots.
    """

    start: datetime
    minutes: int
    unit: str
    amount_milli: Integers
    state: NDArray[np.uint8]
    months: tuple[str, ...]


def months_of(context: Context) -> list[str]:
    """Return the months that are closed or have readings, in order."""
    closed = context.workspace.seals()["period"].to_list()
    return sorted({*closed, *(segment.period for segment in context.workspace.open_segments())})


def meter_month(context: Context, label: str) -> MeterMonth:
    """Return a month with its virtual meters: as booked when closed, as read and unfilled while open."""
    seal = context.workspace.seal_of(label)
    return _sealed(context, seal) if seal else _open(context, Period.parse(label))


def _sealed(context: Context, seal: dict[str, Any]) -> MeterMonth:
    workspace = context.workspace
    plant = read_plant(workspace.evidence.find(seal["plant_sha256"]).read_text(encoding="utf-8-sig"))
    grid = grid_of(plant, Period.parse(seal["period"]))
    file = workspace.series.intervals_file(seal["period"], seal["revision"])
    frame = pl.read_parquet(
        workspace.series.path(file), columns=["meter_id", "amount_milli", "state"], memory_map=False, glob=False
    )
    names = tuple(frame["meter_id"].unique(maintain_order=True))
    known = {meter.id: meter for meter in plant.meters}
    shape = (len(names), grid.slots)
    return MeterMonth(
        meter_ids=names,
        units=tuple(known[name].amount_unit for name in names),
        own_minutes=tuple(known[name].interval_minutes for name in names),
        grid=grid,
        amount_milli=frame["amount_milli"].to_numpy().reshape(shape),
        state=frame["state"].to_numpy().reshape(shape),
        bridges=no_bridges(),
    )


def _open(context: Context, period: Period) -> MeterMonth:
    workspace = context.workspace
    plant, series = workspace.plant, workspace.series
    end = period.end(plant.time_zone)
    following = Period.containing(end, plant.time_zone).label
    segments = workspace.open_segments()
    frames = [series.read([one for one in segments if one.period == period.label])]
    later = [one for one in segments if one.period == following]
    next_seal = workspace.seal_of(following)
    if next_seal and next_seal["readings_file"]:
        later.insert(0, Segment(following, next_seal["readings_file"], "", 0))
    frames.append(series.read_at(later, end))
    month, _ = to_intervals(in_month(pl.concat(frames), period, plant), plant, period)
    return virtual(month, plant)


def amounts(context: Context, meters: Sequence[str], wanted: Sequence[str] | None = None) -> Amounts:
    """Return the sum of meters over all months there are, or those wanted.

    Raises
    ------
    FaultyData
        There is no month with data.
    """
    there = months_of(context)
    labels = [label for label in there if wanted is None or label in wanted]
    if not labels:
        raise FaultyData([_nothing(there)])
    plant = context.workspace.plant
    unit = plant.meter(meters[0]).amount_unit
    first, last = Period.parse(labels[0]), Period.parse(labels[-1])
    minutes = grid_of(plant, first).minutes
    found: dict[str, tuple[Integers, NDArray[np.uint8]]] = {}
    for label in _between(first, last):
        slots = Period.parse(label).slots(plant.time_zone, minutes)
        empty = np.zeros(slots, dtype=np.int64), np.full(slots, MISSING, dtype=np.uint8)
        found[label] = _sum_of(meter_month(context, label), meters, slots) if label in labels else empty
    while len(found) > 1 and (found[next(reversed(found))][1] == MISSING).all():
        found.popitem()  # a month of which only a register's closing reading is there
    amount, state = (np.concatenate(column) for column in zip(*found.values(), strict=True))
    months = tuple(label for label in labels if label in found)
    return Amounts(first.start(plant.time_zone), minutes, unit, amount, state, months)


def _sum_of(month: MeterMonth, meters: Sequence[str], slots: int) -> tuple[Integers, NDArray[np.uint8]]:
    rows = [month.meter_ids.index(name) for name in meters if name in month.meter_ids]
    if len(rows) < len(meters) or month.grid.slots != slots:
        return np.zeros(slots, dtype=np.int64), np.full(slots, MISSING, dtype=np.uint8)
    state = month.state[rows].max(axis=0)
    state[(month.state[rows] == MISSING).any(axis=0)] = MISSING
    return month.amount_milli[rows].sum(axis=0), state


def _between(first: Period, last: Period) -> list[str]:
    labels, period = [], first
    while period <= last:
        labels.append(period.label)
        day = period.next_first_day
        period = Period(day.year, day.month)
    return labels


def load(context: Context, period: Period, places: Sequence[Place]) -> pl.DataFrame:
    """Return rows of LOAD of the months of a period; known at the time at which each month was booked or, open, now."""
    entries = {entry.seq: entry.at for entry in context.workspace.journal.entries()}
    frames = [LOAD.empty()]
    for month in period.months():
        if month.label not in months_of(context):
            continue
        seal = context.workspace.seal_of(month.label)
        known = datetime.fromisoformat(entries[seal["booked_as"]]) if seal else context.now
        frames.append(load_of(meter_month(context, month.label), places, known))
    return pl.concat(frames)


def _nothing(there: Sequence[str]) -> Problem:
    listed = ", ".join(there) or "—"
    return Problem(
        code="profile.no_months",
        message=Text("所需月份没有读数。", "The months asked for have no readings."),
        hint=Text(
            f"有读数的月份: {listed}。请先 zf import。", f"Months with readings: {listed}. Import some with zf import."
        ),
    )
