"""What the calibrated twin expects of each day, remembered with the fit, so that a scan of alarms need not fit anew.

zf twin calibrate --write ─► twin.expected.json: fit, rhythm and scale of every station and shop
zf alarms scan ─► expected energy of the days (output as booked, else as usual) ─► rule `twin_residual` ─► alarms
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MeterMonth
from zerofactory.monitoring.alarm import Found
from zerofactory.monitoring.days import Clock, Days, Numbers, days_of
from zerofactory.monitoring.episode import production_of
from zerofactory.monitoring.rule import Expected, Rule, Subject, Watched, defaults
from zerofactory.monitoring.settings import Settings
from zerofactory.notation import json_of
from zerofactory.optimisation.twin.calibrate import Fit, Floats, with_degrees
from zerofactory.optimisation.twin.expect import Scale, in_common, news, relative, scale_of
from zerofactory.optimisation.twin.rhythm import CLOSED, Rhythm
from zerofactory.optimisation.twin.statistics import Interval
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.twin_calibrate import (
    Calibration,
    Fitted,
    MonthOfDays,
    Place,
    month_of_days,
    observed,
    place_amounts,
    places,
)
from zerofactory.runs.twin_file import read
from zerofactory.store.files import write_bytes_whole

FILE = "twin.expected.json"
RULE = "twin_residual"
VERSION = 1
SLOTS = 96


@dataclass(frozen=True, slots=True)
class Remembered:
    """The fit of one place with the scale of its days."""

    fitted: Fitted
    scale: Scale


@dataclass(frozen=True, slots=True)
class Memory:
    """What was remembered: the months of the fit, the usual pieces of a working day, what was new in each day, the places."""

    months: tuple[str, ...]
    pieces_per_day: float
    reference: Numbers
    places: tuple[Remembered, ...]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days of one place: its place in the twin, what was metered and expected by day."""

    place: Place
    metered: Numbers
    expected: Floats


def save(context: Context, done: Calibration) -> Path:
    """Write what the fit expects beside twin.toml and return the file; the scale is that of the days of the fit."""
    months = [
        (month_of_days(context, label, done.asked.temperature), meter_month(context, label)) for label in done.months
    ]
    pieces = np.concatenate([one.pieces for one, _ in months])
    usual = float(pieces[pieces > 0].mean()) if (pieces > 0).any() else 0.0
    worked = np.concatenate([one.kinds for one, _ in months]) != CLOSED
    there = _places_of(context)
    stretches = {key: _stretch(there[key], fitted, months) for fitted in done.fitted if (key := _key(fitted)) in there}
    common, floor = _common(done.fitted, stretches), defaults(RULE)["floor_fraction"]
    scales, new = {}, []
    for fitted in done.fitted:
        key = fitted.place, fitted.carrier
        stretch = stretches[key]
        residual = relative(stretch.metered, stretch.expected)
        scales[key] = scale_of(residual, common[fitted.carrier], worked, floor)
        found = news(residual, common[fitted.carrier], worked, scales[key])
        new.append(found[np.isfinite(found)])
    table = {
        "version": VERSION,
        "months": list(done.months),
        "pieces_per_day": usual,
        "reference": [round(one, 4) for one in np.sort(np.concatenate(new)).tolist()],
        "places": [_plain(one, scales[one.place, one.carrier]) for one in done.fitted],
    }
    path = context.workspace.folder / FILE
    write_bytes_whole(path, json.dumps(table, ensure_ascii=False).encode())
    return path


def remembered(folder: Path) -> Memory | None:
    """Return what was remembered, None where nothing was; raise `FaultyData` when the file is not ours."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        table = json_of(path.read_bytes(), FILE)
        if table["version"] != VERSION:
            raise ValueError(table["version"])
        found = tuple(_again(one) for one in table["places"])
        reference = np.array(table["reference"], dtype=np.float64)
        return Memory(tuple(table["months"]), float(table["pieces_per_day"]), reference, found)
    except (ValueError, KeyError, TypeError) as error:
        message = Text("这不是拟合结果。", "This is no fit that was remembered.")
        hint = Text("请重新运行 zf twin calibrate --write。", "Run zf twin calibrate --write again.")
        raise FaultyData([Problem("twin_expect.unreadable", message, hint, file=FILE)]) from error


def episodes(context: Context, span: tuple[date, date], one: Rule, own: Settings) -> list[Found]:
    """Return what the rule finds in the days [first, last); nothing where the twin was not calibrated.

    Raises
    ------
    FaultyData
        Faults of twin.toml or of what was remembered.
    """
    memory = remembered(context.workspace.folder)
    if memory is None or len(memory.reference) < 10:
        return []
    first, last = span
    begin = first - timedelta(days=int(own.general(RULE)["reach_days"]))
    labels = _labels(context, begin, last)
    months = [
        (_with_output(month_of_days_known(context, label), memory.pieces_per_day), meter_month(context, label))
        for label in labels
    ]
    if not months:
        return []
    start, there = months[0][0].days[0], _places_of(context)
    stretches = {
        key: _stretch(there[key], known.fitted, months)
        for known in memory.places
        if (key := _key(known.fitted)) in there and there[key].meters == known.fitted.meters
    }
    fits = [known.fitted for known in memory.places if _key(known.fitted) in stretches]
    if not fits:
        return []
    common = _common(fits, stretches)
    cut = slice(max((begin - start).days, 0), (last - start).days)
    found: list[Found] = []
    for known in memory.places:
        stretch = stretches.get(_key(known.fitted))
        if stretch is None:
            continue
        days = _days(context, stretch.metered[cut], start + timedelta(days=cut.start))
        expected = Expected(stretch.expected[cut], common[known.fitted.carrier][cut], known.scale, memory.reference)
        subject = _subject(context, known.fitted)
        given = own.given(one, subject)
        if given is None or not days.count or not np.isfinite(expected.energy).all():
            continue
        at = max((first - days.first).days, 0)
        watched = Watched(subject, days, at, production_of(days), given, None, expected)
        found += [_found(one, watched, episode) for episode in one.find(watched)]
    return found


def month_of_days_known(context: Context, label: str) -> MonthOfDays:
    """Return the calendar of a month; its temperature is not known where it was given as a file to the fit."""
    try:
        return month_of_days(context, label, None)
    except FaultyData:
        path = context.workspace.folder / "temperature.csv"
        return month_of_days(context, label, path if path.is_file() else None)


def _key(fitted: Fitted) -> tuple[str, str]:
    return fitted.place, fitted.carrier


def _places_of(context: Context) -> dict[tuple[str, str], Place]:
    """Return the places of the twin as it is now, by id and carrier."""
    return {(one.id, one.carrier): one for one in places(context, read(context))}


def _stretch(place: Place, fitted: Fitted, months: Sequence[tuple[MonthOfDays, MeterMonth]]) -> _Stretch:
    """Return what a place took and what its fit expects, by day; not-a-number where an interval was not read."""
    metered, expected = [], []
    for there, month in months:
        energy = place_amounts(month, fitted.meters)[: there.slots]
        seen, degc = observed(place, there, energy, fitted.rhythm)
        if degc is not None:
            seen = with_degrees(seen, degc, fitted.bases_degc)
        metered.append(energy.reshape(-1, SLOTS).sum(axis=1))
        due = fitted.fit.predict(seen).reshape(-1, SLOTS).sum(axis=1)
        expected.append(due if degc is not None or not fitted.bases_degc else np.full(len(due), np.nan))
    return _Stretch(place, np.concatenate(metered), np.concatenate(expected))


def _common(fits: Sequence[Fitted], stretches: Mapping[tuple[str, str], _Stretch]) -> dict[str, Floats]:
    """Return what the stations have in common on each day: that of electricity for every carrier, as it is the output's."""
    stations = [
        relative(stretches[one.place, one.carrier].metered, stretches[one.place, one.carrier].expected)
        for one in fits
        if one.level == "station" and one.carrier == "electricity"
    ]
    every = [relative(one.metered, one.expected) for one in stretches.values()]
    shared = in_common(stations if len(stations) >= 3 else every)
    return {one.carrier: shared for one in fits}


def _with_output(there: MonthOfDays, usual: float) -> MonthOfDays:
    """Return a month whose output is the usual where none was booked."""
    if there.pieces.any():
        return there
    return replace(there, pieces=np.where(there.kinds != CLOSED, usual, 0.0))


def _labels(context: Context, first: date, last: date) -> list[str]:
    """Return the months with readings that touch the days, without a gap, the newest ones."""
    found: list[str] = []
    for label in months_of(context):
        period = Period.parse(label)
        if period.first_day < last and period.next_first_day > first:
            if found and Period.parse(found[-1]).next_first_day != period.first_day:
                found = []
            found.append(label)
    return found


def _days(context: Context, metered: Numbers, first: date) -> Days:
    """Return energies of days as days of one slot."""
    plant = context.workspace.plant
    clock = Clock(plant.time_zone, plant.calendar, 1440)
    start = Period(first.year, first.month).start(plant.time_zone)
    before = (first - date(first.year, first.month, 1)).days
    whole = days_of(np.concatenate([np.full(before, np.nan), metered])[None], start, clock)
    return replace(whole, first=first, values=whole.values[:, before:], kind=whole.kind[before:])


def _subject(context: Context, fitted: Fitted) -> Subject:
    meter = context.workspace.plant.meter(fitted.meters[0])
    shop = fitted.place if fitted.level == "shop" else meter.shop
    return Subject(meter.id, fitted.title, fitted.carrier, meter.amount_unit, shop)


def _found(one: Rule, watched: Watched, episode: Any) -> Found:
    days, size, subject = watched.days, watched.days.clock.slots, watched.subject
    start, end = (days.moment(*divmod(slot, size)) for slot in (episode.first, episode.last))
    return Found(
        one.id, subject.id, subject.shop, subject.carrier, start, end, round(episode.excess * 1000.0), subject.unit,
        round(float(episode.value), 3), round(float(episode.limit), 3), episode.message,
    )  # fmt: skip


def _plain(one: Fitted, scale: Scale) -> dict[str, object]:
    rhythm = None
    if one.rhythm is not None:
        by_kind = {str(kind): "".join(str(int(state)) for state in row) for kind, row in one.rhythm.by_kind.items()}
        rhythm = {"usual": one.rhythm.usual, "by_kind": by_kind}
    return {
        "place": one.place, "title": [one.title.zh, one.title.en], "level": one.level, "carrier": one.carrier,
        "meters": list(one.meters), "bases_degc": dict(one.bases_degc), "rhythm": rhythm,
        "powers": {name: power.mean for name, power in one.fit.powers.items()},
        "slopes": {name: slope.mean for name, slope in one.fit.slopes.items()},
        "day_error": one.fit.day_error, "days": one.fit.days,
        "scale": [scale.open_fraction, scale.closed_fraction, scale.memory, scale.common],
    }  # fmt: skip


def _again(row: Mapping[str, Any]) -> Remembered:
    def sure(values: Mapping[str, float]) -> dict[str, Interval]:
        return {
            name: Interval(float(value), float(value), float(value), int(row["days"])) for name, value in values.items()
        }

    fit = Fit(sure(row["powers"]), sure(row["slopes"]), (), 0.0, 0.0, float(row["day_error"]), int(row["days"]))
    rhythm = None
    if row["rhythm"] is not None:
        by_kind: dict[int, NDArray[np.int8]] = {
            int(kind): np.array([int(state) for state in text], dtype=np.int8)
            for kind, text in row["rhythm"]["by_kind"].items()
        }
        rhythm = Rhythm(by_kind, int(row["rhythm"]["usual"]))
    title, bases = Text(*row["title"]), {name: float(base) for name, base in row["bases_degc"].items()}
    fitted = Fitted(row["place"], title, row["level"], row["carrier"], tuple(row["meters"]), fit, None, rhythm, bases)
    return Remembered(fitted, Scale(*(float(one) for one in row["scale"])))
