"""Readings → amounts per interval, as dense whole numbers.

    register   difference of two readings (roll-over and reset recognised)
    interval   value × multiplier
    gauge      mean rate × hours

Amounts are thousandths of the meter's amount unit (kWh → Wh), so that every later sum is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import NotFound, Text
from zerofactory.metering.grid import Grid, Integers, grid_of, spread
from zerofactory.metering.note import QualityNote
from zerofactory.metering.register import (
    ESTIMATED,
    MANUAL,
    MEASURED,
    SUSPECT,
    Bridges,
    differences,
    edge_bridges,
    joined,
    no_bridges,
    whole_thousandths,
)
from zerofactory.metering.scatter import Dense, States, rows_of, scatter
from zerofactory.periods import Period
from zerofactory.site.model import Meter, Plant

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ESTIMATED",
    "MANUAL",
    "MEASURED",
    "MISSING",
    "SUSPECT",
    "MeterMonth",
    "QualityNote",
    "amounts_of",
    "to_intervals",
]

MISSING = 0


@dataclass(frozen=True, slots=True, eq=False)
class MeterMonth:
    """Amounts of every meter in every slot of a period (a month, or a whole year).

    Parameters
    ----------
    meter_ids : tuple of str
        One a row, in the order of the plant.
    units : tuple of str
        Amount unit of each meter.
    own_minutes : tuple of int
        Interval of each meter. Where it is longer than the grid's, an amount is spread evenly over its slots.
    grid : Grid
        The slots: first instant (UTC), length, place in the local day.
    amount_milli : array (M × T) of int64
        Thousandths of the amount unit.
    state : array (M × T) of uint8
        0 missing, 1 measured, 2 manual, 3 estimated, 4 suspect.
    bridges : Bridges
        Gaps of registers whose total is known; `fill` shares them out.
    """

    meter_ids: tuple[str, ...]
    units: tuple[str, ...]
    own_minutes: tuple[int, ...]
    grid: Grid
    amount_milli: Integers
    state: NDArray[np.uint8]
    bridges: Bridges

    @property
    def period(self) -> Period:
        """The month or year."""
        return self.grid.period

    @property
    def start(self) -> datetime:
        """First instant, UTC."""
        return self.grid.start

    @property
    def interval_minutes(self) -> int:
        """Length of a slot."""
        return self.grid.minutes

    def row(self, meter_id: str) -> int:
        """Return the row of a meter; raise `NotFound` with the choices."""
        if meter_id not in self.meter_ids:
            raise NotFound(Text("表计", "meter"), meter_id, self.meter_ids)
        return self.meter_ids.index(meter_id)

    def total_milli(self, meter_id: str) -> int:
        """Return the sum of a meter over the period in thousandths of its amount unit, exactly."""
        return int(self.amount_milli[self.row(meter_id)].sum())


def to_intervals(readings: pl.DataFrame, plant: Plant, period: Period) -> tuple[MeterMonth, list[QualityNote]]:
    """Return the amounts of a period from readings in any order.

    Parameters
    ----------
    readings : DataFrame
        Columns meter_id, started_at (UTC), value; known_at and quality when there are any. A register needs the reading at
        the first instant of the next period too; readings further out bridge gaps over the edges.
    plant : Plant
        As `site.load` gives it.
    period : Period
        A month or a year.

    Returns
    -------
    MeterMonth, list of QualityNote
        Gaps are left missing (see `fill`). Notes: reset, rollover, late, duplicate, conflict, off_grid, out_of_range,
        unknown_meter. Of repeated readings the newest known_at wins; among equals the greatest value.
    """
    meters = tuple(meter for meter in plant.meters if meter.kind != "virtual")
    grid = grid_of(plant, period)
    dense, notes = scatter(rows_of(without_signals(readings, plant), meters), meters, grid)
    amount = np.zeros((len(meters), grid.slots), dtype=np.int64)
    state = np.zeros((len(meters), grid.slots), dtype=np.uint8)
    bridges: list[Bridges] = []
    for row, meter in enumerate(meters):
        gaps, found = amounts_of(dense, row, meter, grid, (amount[row], state[row]))
        bridges.append(gaps)
        notes += found
    registers = [(row, meter) for row, meter in enumerate(meters) if meter.kind == "register"]
    gaps, found = edge_bridges(dense, registers, grid)
    month = MeterMonth(
        meter_ids=tuple(meter.id for meter in meters),
        units=tuple(meter.amount_unit for meter in meters),
        own_minutes=tuple(meter.interval_minutes for meter in meters),
        grid=grid,
        amount_milli=amount,
        state=state,
        bridges=joined([*bridges, gaps]),
    )
    return month, notes + found


def without_signals(readings: pl.DataFrame, plant: Plant) -> pl.DataFrame:
    """Return readings without those of state signals: codes of states are no amounts."""
    if not plant.state_signals:
        return readings
    import polars as pl

    return readings.filter(~pl.col("meter_id").is_in([one.id for one in plant.state_signals]))


def amounts_of(
    dense: Dense, row: int, meter: Meter, grid: Grid, out: tuple[Integers, States]
) -> tuple[Bridges, list[QualityNote]]:
    """Write the amounts and states of one meter into ``out``; return its gaps of known total and what was noticed."""
    if meter.kind == "register":
        return differences(dense, row, meter, grid, out)
    return no_bridges(), _direct(dense, row, meter, grid, out)


def _direct(dense: Dense, row: int, meter: Meter, grid: Grid, out: tuple[Integers, States]) -> list[QualityNote]:
    """Write the amounts of an interval meter or a gauge; return what is out of range."""
    edges = grid.edges(meter.interval_minutes)
    lengths = np.diff(edges)
    values, states = dense.values[row][edges[:-1]], dense.states[row][edges[:-1]].copy()
    outside = np.zeros(len(values), dtype=np.bool_)
    if meter.maximum is not None:
        outside |= values > meter.maximum
    if meter.minimum is not None:
        outside |= values < meter.minimum
    states[outside & (states < ESTIMATED)] = SUSPECT
    present = np.nan_to_num(values, nan=0.0)
    scaled = present * (lengths * (grid.minutes / 60.0)) if meter.kind == "gauge" else present
    whole = whole_thousandths(scaled, meter.multiplier)
    if len(lengths) == grid.slots:
        out[0][:], out[1][:] = whole, states
    else:
        out[0][:], out[1][:] = spread(whole, lengths), np.repeat(states, lengths)
    return _out_of_range(meter, grid, edges[:-1][outside], whole[outside])


def _out_of_range(meter: Meter, grid: Grid, slots: Integers, amounts: Sequence[int] | Integers) -> list[QualityNote]:
    if not len(slots):
        return []
    amount = int(np.sum(amounts)) / 1000.0
    return [QualityNote("out_of_range", meter.id, len(slots), grid.moment(int(slots[0])), amount)]
