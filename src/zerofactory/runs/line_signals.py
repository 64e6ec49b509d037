"""Signals for the slots of a plan: price from the tariff, carbon from the factor and its shape, sun and the rest of the load.

Nothing measured after the plan begins is used: the sun and the rest of the load are those of the same hours a week before. The
rest is the site without the shops that are planned, plus what these draw when they stand (the 5 % quantile of that week).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from zerofactory import units
from zerofactory.assets import tariff as tariffs
from zerofactory.assets.grid import Floats, Grid
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MISSING
from zerofactory.metering.profile import SITE, place, shop_meters
from zerofactory.optimisation.energy.plan import Quantity
from zerofactory.optimisation.scheduling.problem import Signals
from zerofactory.periods import Period, zone
from zerofactory.runs import energy_factors
from zerofactory.runs.context import Context
from zerofactory.runs.energy_factors import Booking
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.energy_tariff import plant_tariff
from zerofactory.runs.profile import amounts
from zerofactory.runs.series_file import read as read_series

INTENSITY_FILE, INTENSITY = "intensity.csv", "intensity_gco2e_per_kwh"
WEEK = timedelta(days=7)
STANDING = 0.05  # quantile of a week's load that a shop draws when it stands


@dataclass(frozen=True, slots=True)
class Background:
    """Signals and what is to be said of them; the loads behind them in kW, by slot of the plan."""

    signals: Signals
    notes: tuple[Text, ...]
    standing_kw: Floats
    shops_kw: Floats
    factor_gco2e_per_kwh: float


def booking_of(context: Context) -> Booking:
    """Return how planned electricity is booked."""
    return Booking(context.workspace.plant, context.workspace.factor_book, context.today, {})


def factor(booking: Booking, month: str) -> float:
    """Return gCO2e per kWh of purchased electricity as the accounts book it in a month, location-based."""
    probe = Quantity("line", energy_factors.PURCHASED, "electricity", month, energy_factors.PROBE, "kWh")
    return energy_factors.tonnes(energy_factors.book(booking, [probe])) * 1e6 / energy_factors.PROBE


def signals_of(context: Context, shops: Sequence[str], grid: Grid) -> Background:
    """Return the signals of every slot of a plan.

    Raises
    ------
    FaultyData
        No tariff, or no readings of the week before.
    """
    plant = context.workspace.plant
    mean = factor(booking_of(context), grid.months[0])
    intensity, note = _intensity(context, grid, mean)
    before = Grid(grid.start - WEEK, grid.step_minutes, grid.length, grid.time_zone)
    site = _power(context, place(plant, SITE).meters, before)
    metered = shop_meters(plant)
    planned = [_power(context, metered[shop], before) for shop in dict.fromkeys(shops) if shop in metered]
    standing = sum((np.full(grid.length, np.quantile(own, STANDING)) for own in planned), np.zeros(grid.length))
    busy = sum(planned, np.zeros(grid.length))
    sun = _sun(context, before)
    other = np.maximum(0.0, site - busy + standing)
    price = tariffs.price_cny_per_kwh(plant_tariff(plant, context.workspace.folder), grid)
    week = Text("光伏与其余负荷取一周前同时段的实测值。", "Sun and the rest of the load are as measured a week before.")
    notes = (note, week, *_unmetered([shop for shop in dict.fromkeys(shops) if shop not in metered]))
    return Background(Signals(1, price, intensity, sun, other), notes, standing, busy, mean)


def _unmetered(shops: Sequence[str]) -> tuple[Text, ...]:
    if not shops:
        return ()
    listed = ", ".join(shops)
    return (Text(f"没有电表的车间({listed}): 其原有负荷仍在其余负荷里。", f"Shops without a meter of electricity ({listed}): what they draw now is still in the rest of the load."),)  # fmt: skip


def _intensity(context: Context, grid: Grid, mean: float) -> tuple[Floats, Text]:
    """Return gCO2e/kWh by slot: the plant's own series, else the packaged shape of the reference plant, else one value."""
    folder, plant = context.workspace.folder, context.workspace.plant
    if (folder / INTENSITY_FILE).is_file():
        given = read_series(folder / INTENSITY_FILE, INTENSITY, plant.time_zone)
        places = np.array([(grid.start + timedelta(minutes=grid.step_minutes * n) - given.start) // timedelta(minutes=given.minutes) for n in range(grid.length)])  # fmt: skip
        inside = (places >= 0) & (places < len(given.values))
        if not inside.all() or not np.isfinite(given.values[places]).all():
            raise FaultyData([_short(INTENSITY_FILE)])
        return given.values[places], Text(f"碳强度取自 {INTENSITY_FILE}。", f"Carbon intensity from {INTENSITY_FILE}.")
    if plant.id == REFERENCE_PLANT:
        from zerofactory.reference_plant.shapes import table

        shape = {(month, hour): value for month, hour, value in table("grid_hours").iter_rows()}
        keys = zip(grid.month_number.tolist(), (grid.minute_of_day // 60).tolist(), strict=True)
        return mean * np.array([shape[key] for key in keys]) / 1000.0, Text(
            "小时碳强度为占位: 加州 2022 年的形状, 均值调到电网因子(中国尚无公开的小时序列)。",
            "Hourly carbon intensity is a placeholder: the shape of California 2022 with the mean of the plant's grid factor.",
        )
    return np.full(grid.length, mean), Text(
        f"没有 {INTENSITY_FILE}: 各时段用同一个电网因子, 挪动时间不改变碳。",
        f"There is no {INTENSITY_FILE}: one grid factor for every hour, so moving work in time does not change carbon.",
    )


def _sun(context: Context, grid: Grid) -> Floats:
    own = [source for source in context.workspace.plant.sources if source.kind == "on_site_renewable"]
    meters = tuple(dict.fromkeys(meter for source in own for meter in (source.split or source.meters)))
    return _power(context, meters, grid) if meters else np.zeros(grid.length)


def _power(context: Context, meters: Sequence[str], grid: Grid) -> Floats:
    """Return the mean power of the sum of meters in each slot; raise `FaultyData` where readings are missing."""
    first, last = (
        Period.containing(moment, grid.time_zone) for moment in (grid.start, grid.end - timedelta(minutes=1))
    )
    labels = list(dict.fromkeys((first.label, last.label)))
    found = amounts(context, meters, labels)
    kw = found.amount_milli / 1000.0 * units.ratio(found.unit, "kWh") * 60.0 / found.minutes
    kw = np.where(found.state == MISSING, np.nan, kw)
    offset = (grid.start - found.start) // timedelta(minutes=found.minutes)
    if found.minutes > grid.step_minutes and found.minutes % grid.step_minutes == 0:
        offset = (grid.start - found.start) // timedelta(minutes=grid.step_minutes)
        kw = np.repeat(kw, found.minutes // grid.step_minutes)
        fine = grid.length
    else:
        fine = grid.length * grid.step_minutes // found.minutes
    if offset < 0 or offset + fine > len(kw) or fine % grid.length:
        raise FaultyData([_short(f"{grid.start.astimezone(zone(grid.time_zone)):%Y-%m-%d}")])
    own: Floats = kw[offset : offset + fine].reshape(grid.length, -1).mean(axis=1)
    if not np.isfinite(own).all():
        raise FaultyData([_short(f"{grid.start.astimezone(zone(grid.time_zone)):%Y-%m-%d}")])
    return own


def _short(what: str) -> Problem:
    message = Text(f"{what} 没有覆盖所需的时段。", f"{what} does not cover the time that is needed.")
    hint = Text("计划日的一周前须有完整读数; 请换一天(--day)或补数据。", "Complete readings of the week before are needed: choose another day (--day) or import them.")  # fmt: skip
    return Problem("line.signals", message, hint)
