"""What alarm rules look at: every meter of a workspace as local days, with temperature and output where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.grid import grid_of, microseconds
from zerofactory.metering.interval import MANUAL, MEASURED, MeterMonth
from zerofactory.monitoring.days import Clock, Days, Numbers, days_of
from zerofactory.monitoring.rule import Subject
from zerofactory.periods import Period, zone
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.series_file import read as read_series
from zerofactory.site.model import Meter, Plant
from zerofactory.store.schema import ACTIVITIES

NOT_LOAD = ("on_site_renewable", "exported_electricity", "exported_heat")
SITE_SOURCE = "purchased_electricity"
SITE = "site"
TEMPERATURE_FILE = "temperature.csv"
TOLD_FRACTION = 0.8  # days with an output of their own, from which output counts as known by day


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Meters of one interval: the subjects in the order of ``days.values``, and the first day asked about."""

    subjects: tuple[Subject, ...]
    days: Days
    first: int


def series(context: Context, first: date, last: date, reference_days: int) -> list[Series]:
    """Return the meters of the days [first, last) with as many days before as there are, ``reference_days`` at most.

    What was estimated to fill a gap is a gap here: it knows what came after it.

    Raises
    ------
    FaultyData
        There are no readings of those days.
    """
    plant = context.workspace.plant
    labels = _months(context, first - timedelta(days=reference_days), last)
    if not labels or Period.parse(labels[-1]).next_first_day <= first:
        raise FaultyData([_nothing(context, first, last)])
    minutes = grid_of(plant, Period.parse(labels[-1])).minutes
    subjects = subjects_of(plant)
    values = np.concatenate([_month(context, label, subjects, plant, minutes) for label in labels], axis=1)
    start = Period.parse(labels[0]).start(plant.time_zone)
    found = []
    for own in sorted({_own_minutes(one, plant, minutes) for one in subjects}):
        chosen = [place for place, one in enumerate(subjects) if _own_minutes(one, plant, minutes) == own]
        size = own // minutes
        part = values[chosen]
        part = part.reshape(len(part), -1, size).sum(axis=2) if size > 1 else part
        days = days_of(part, start, Clock(plant.time_zone, plant.calendar, own))
        days = days.until(min((last - days.first).days, days.count))
        days = replace(days, drivers=_drivers(context, days))
        found.append(Series(tuple(subjects[place] for place in chosen), days, max((first - days.first).days, 0)))
    return found


def subjects_of(plant: Plant) -> list[Subject]:
    """Return what is watched: every meter of a load, and the site as what comes in of electricity."""
    apart = {meter for source in plant.sources if source.kind in NOT_LOAD for meter in (*source.meters, *source.split)}
    meters = [meter for meter in plant.meters if meter.kind != "virtual" and meter.id not in apart]
    incoming = _site_meters(plant)
    if any(meter.carrier == "electricity" and meter.id not in incoming for meter in meters):
        meters = [meter for meter in meters if meter.id not in incoming]  # their sum is the site
    found = [_subject(meter) for meter in meters]
    if incoming:
        name = Text("全厂进线", "whole site, incoming")
        found.append(Subject(SITE, name, "electricity", "kWh", None, "site"))
    return found


def _subject(meter: Meter) -> Subject:
    bounds = tuple(None if one is None else one * _per_hour(meter) for one in (meter.maximum, meter.minimum))
    return Subject(meter.id, meter.name, meter.carrier, meter.amount_unit, meter.shop, "meter", (bounds[0], bounds[1]))


def _per_hour(meter: Meter) -> float:
    return meter.multiplier * (1.0 if meter.kind == "gauge" else 60.0 / meter.interval_minutes)


def _site_meters(plant: Plant) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for s in plant.sources if s.kind == SITE_SOURCE for one in s.meters))


def _own_minutes(subject: Subject, plant: Plant, minutes: int) -> int:
    if subject.level == "site":
        return max(minutes, 15)
    return max(plant.meter(subject.id).interval_minutes, minutes)


def _months(context: Context, first: date, last: date) -> list[str]:
    """Return the consecutive months from the first with data that touches the span to the last."""
    there = [
        label
        for label in months_of(context)
        if Period.parse(label).next_first_day > first and Period.parse(label).first_day < last
    ]
    if not there:
        return []
    labels, period, end = [], Period.parse(there[0]), Period.parse(there[-1])
    while period <= end:
        labels.append(period.label)
        period = Period(period.next_first_day.year, period.next_first_day.month)
    return labels


def _month(context: Context, label: str, subjects: Sequence[Subject], plant: Plant, minutes: int) -> Numbers:
    """Return the amounts of a month (subjects × slots); not-a-number where nothing was measured."""
    slots = Period.parse(label).slots(plant.time_zone, minutes)
    made = np.full((len(subjects), slots), np.nan)
    if label not in months_of(context):
        return made
    month = meter_month(context, label)
    if month.grid.slots != slots:
        return made
    for place, subject in enumerate(subjects):
        names = _site_meters(plant) if subject.level == "site" else (subject.id,)
        if all(name in month.meter_ids for name in names):
            made[place] = np.sum([_measured(month, name) for name in names], axis=0)
    return made


def _measured(month: MeterMonth, name: str) -> Numbers:
    row = month.row(name)
    sound = (month.state[row] == MEASURED) | (month.state[row] == MANUAL)
    return np.where(sound, month.amount_milli[row] / 1000.0, np.nan)


def _drivers(context: Context, days: Days) -> dict[str, Numbers]:
    made = {}
    temperature, output = _temperature(context, days), _output(context, days)
    if temperature is not None:
        made["temperature"] = temperature
    if output is not None:
        made["output"] = output
    return made


def _temperature(context: Context, days: Days) -> Numbers | None:
    """Return the outdoor temperature (D × S): ``temperature.csv`` of the workspace; the fictional reference plant brings its own."""
    plant, path = context.workspace.plant, context.workspace.folder / TEMPERATURE_FILE
    if path.is_file():
        given = read_series(path, "temperature_degc", plant.time_zone)
        step = given.minutes * 60_000_000
        places = [
            (microseconds(days.moment(day, slot)) - microseconds(given.start)) // step
            for day in range(days.count)
            for slot in range(days.clock.slots)
        ]
        place = np.array(places, dtype=np.int64)
        inside = (place >= 0) & (place < len(given.values))
        flat = np.where(inside, given.values[np.where(inside, place, 0)], np.nan)
        return flat.reshape(days.count, -1) if np.isfinite(flat).mean() > TOLD_FRACTION else None
    if plant.id != "reference-plant":
        return None
    from zerofactory.reference_plant.shapes import QUARTERS, YEAR, temperature_fortieths

    year = temperature_fortieths().reshape(-1, QUARTERS) / 40.0
    size = days.clock.minutes // 15
    slots = year.reshape(len(year), -1, size).mean(axis=2)
    return np.stack([slots[(day - date(YEAR, 1, 1)).days % len(slots)] for day in days.dates])


def _output(context: Context, days: Days) -> Numbers | None:
    """Return the output of each day (D × S) where documents tell it by day; a month's output is known too late to use."""
    rows = context.workspace.journal.active(ACTIVITIES).filter(pl.col("source_kind") == "production_output")
    daily = rows.filter(pl.col("ended_at") - pl.col("started_at") <= pl.duration(hours=25))
    if daily.is_empty():
        return None
    place = zone(days.clock.time_zone)
    by_day = dict.fromkeys(days.dates, 0.0)
    seen = set()
    for started, quantity in daily.select("started_at", "quantity").iter_rows():
        day = _day_of(started, place)
        if day in by_day:
            by_day[day] += quantity
            seen.add(day)
    if len(seen) < TOLD_FRACTION * int(days.working.sum()):
        return None
    return np.repeat(np.array(list(by_day.values()))[:, None], days.clock.slots, axis=1)


def _day_of(moment: datetime, place: object) -> date:
    return moment.astimezone(place).date()  # type: ignore[arg-type]


def _nothing(context: Context, first: date, last: date) -> Problem:
    listed = ", ".join(months_of(context)) or "—"
    span = f"{first.isoformat()} … {(last - timedelta(days=1)).isoformat()}"
    return Problem(
        "alarms.no_readings",
        Text(f"{span} 没有读数。", f"There are no readings of {span}."),
        Text(f"有读数的月份: {listed}。", f"Months with readings: {listed}."),
    )
