"""The interval amounts of sealed months, read back as they were booked."""

from __future__ import annotations

import numpy as np
import polars as pl

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.grid import grid_of
from zerofactory.metering.interval import MeterMonth
from zerofactory.metering.register import no_bridges
from zerofactory.notation import text_of
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.store.workspace import PLANT_FILE, read_plant


def sealed_month(context: Context, period: Period, whole: bool = False) -> MeterMonth:
    """Return the amounts of a sealed month, in the units of the plant file it was sealed with, of meters still there.

    ``whole`` keeps the meters that the plant file no longer has. Raises `FaultyData` when the month is not sealed.
    """
    workspace = context.workspace
    seal = workspace.seal_of(period.label)
    if seal is None:
        raise FaultyData(
            [
                Problem(
                    code="intervals.not_closed",
                    message=Text(f"尚未封存: {period.label}。", f"Not closed yet: {period.label}."),
                    hint=Text(
                        f"请先运行 zf close --period {period.label}。", f"Run zf close --period {period.label} first."
                    ),
                )
            ]
        )
    plant = read_plant(text_of(workspace.evidence.find(seal["plant_sha256"]).read_bytes(), PLANT_FILE))
    grid = grid_of(plant, period)
    frame = pl.read_parquet(
        workspace.series.path(workspace.series.intervals_file(period.label, seal["revision"])), glob=False
    )
    names = frame["meter_id"].unique(maintain_order=True).to_list()
    there = {meter.id for meter in (plant if whole else workspace.plant).meters}
    meters = {meter.id: meter for meter in plant.meters if meter.id in there}
    known = [name for name in names if name in meters]
    kept = frame.filter(pl.col("meter_id").is_in(known)) if len(known) < len(names) else frame
    return MeterMonth(
        meter_ids=tuple(known),
        units=tuple(meters[name].amount_unit for name in known),
        own_minutes=tuple(meters[name].interval_minutes for name in known),
        grid=grid,
        amount_milli=kept["amount_milli"].to_numpy().reshape(len(known), grid.slots).astype(np.int64, copy=False),
        state=kept["state"].to_numpy().reshape(len(known), grid.slots).astype(np.uint8, copy=False),
        bridges=no_bridges(),
    )
