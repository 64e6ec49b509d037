"""Keep the plant's twin true: fit it to some months of readings, hold it against later ones, and remember what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.metering.profile import shop_meters
from zerofactory.optimisation.twin.calibrate import NAMES, Fit, Floats, Kept, Observed, balance, fit, keep, with_degrees
from zerofactory.optimisation.twin.line import Station
from zerofactory.optimisation.twin.rhythm import CLOSED, EXTRA, OFF, WAITS, WORKS, Rhythm, rhythm
from zerofactory.periods import Period
from zerofactory.runs import twin_calibrate_signals, twin_utilities_file, twin_utilities_fit
from zerofactory.runs.baseline import daily_output, daily_temperature
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.twin_calibrate_signals import Spoken
from zerofactory.runs.twin_file import COLUMNS, FITTED, Twin, read, windows
from zerofactory.runs.twin_utilities_fit import Found
from zerofactory.runs.twin_utilities_meters import Question, Tuned, taken, tune
from zerofactory.runs.twin_utilities_states import Passed, Past
from zerofactory.site.calendar import is_workday, shifts_of
from zerofactory.site.model import Calendar
from zerofactory.store.files import write_bytes_whole

LEAST_MONTHS = 2
TEXTS = {"heating": Text("采暖度", "heating degrees"), "cooling": Text("制冷度", "cooling degrees")}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which months to fit to, and which others to hold the fit against; temperature as for `zf baseline`.

    ``utilities``: figures of utilities.toml are fitted to their meters too, which takes most of the time.
    """

    months: tuple[str, ...] = ()
    holdout: tuple[str, ...] = ()
    temperature: Path | None = None
    confidence: float = 0.95
    utilities: bool = False


@dataclass(frozen=True)
class Fitted:
    """One place: a station or a shop, its meters, the fit and how it does on the months held out.

    ``rhythm`` is when it was seen to be off, to wait and to work (None: the calendar's shifts), ``bases_degc`` the outdoor
    temperatures from which it heats and cools.
    """

    place: str
    title: Text
    level: str
    carrier: str
    meters: tuple[str, ...]
    fit: Fit
    kept: Kept | None
    rhythm: Rhythm | None = None
    bases_degc: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Calibration:
    """All places, and what is told of utilities; ``skipped`` says why a place has no fit."""

    asked: Asked
    months: tuple[str, ...]
    fitted: tuple[Fitted, ...]
    skipped: tuple[Text, ...]
    utilities: tuple[Found, ...] = ()
    signals: tuple[Spoken, ...] = ()
    tuned: Tuned | None = None

    @property
    def aside(self) -> bool:
        """Whether anything was found that later runs of the utilities take."""
        return bool(taken(self.tuned)) or any(one.keys for one in self.utilities)

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "months": list(self.months),
            "holdout": list(self.asked.holdout),
            "places": [_json(one) for one in self.fitted],
            "skipped": [{"zh": one.zh, "en": one.en} for one in self.skipped],
            "utilities": [one.as_json() for one in self.utilities],
            "signals": [one.as_json() for one in self.signals],
            "utility_meters": None if self.tuned is None else self.tuned.as_json(),
        }


@dataclass(frozen=True)
class MonthOfDays:
    """The calendar of a month, quarter hour by quarter hour: which are open, of which kind its days are, how warm, the output."""

    days: tuple[date, ...]
    kinds: NDArray[np.int64]
    open_fraction: Floats
    mean_degc: Floats | None
    pieces: Floats
    slots: int


def calibrate(context: Context, asked: Asked) -> Calibration:
    """Return the fit of every station and shop whose meters are known.

    Raises
    ------
    FaultyData
        Faults of twin.toml; too few months with readings; months held out that are not there.
    """
    twin = read(context)
    months = asked.months or _months(context, asked.holdout)
    _refuse(context, months, asked.holdout, 1 if twin.signals else LEAST_MONTHS)
    spoken = twin_calibrate_signals.calibrate(context, twin, months, asked.confidence)
    if len(months) < LEAST_MONTHS:
        why = Text(f"功率不拟合: 至少 {LEAST_MONTHS} 个月。", f"Powers are not fitted: at least {LEAST_MONTHS} months are needed.")  # fmt: skip
        return Calibration(asked, months, (), (why,), (), spoken)
    twin = twin_calibrate_signals.with_cycles(twin, spoken)
    every = (*months, *asked.holdout)
    there = [month_of_days(context, label, asked.temperature) for label in every]
    known = [meter_month(context, label) for label in every]
    fitted, skipped = [], []
    for place in places(context, twin):
        amounts = [place_amounts(month, place.meters) for month in known]
        if not sum(np.nansum(one) for one in amounts[: len(months)]):
            skipped.append(Text(f"{place.title.zh}: 没有读数。", f"{place.title.en}: no readings."))
            continue
        fitted.append(_fitted(place, there, amounts, asked, len(months)))
    utilities = twin_utilities_fit.fit(context, months, asked.temperature, asked.confidence)
    done = Calibration(asked, months, tuple(fitted), tuple(skipped), utilities, spoken)
    return (
        replace(done, tuned=_tuned(context, twin, done, list(zip(every, there, known, strict=True))))
        if asked.utilities
        else done
    )


def _tuned(
    context: Context, twin: Twin, done: Calibration, months: Sequence[tuple[str, MonthOfDays, MeterMonth]]
) -> Tuned | None:
    """Return the fit of the utilities to their meters, driven by what the stations were seen to do; None where there are none."""
    beside = twin_utilities_file.read(context, twin, fitted=False)
    if beside is None:
        return None
    by_id = {one.id: one for one in twin.line.stations}
    ordered = sorted(months, key=lambda one: one[0])
    passed: dict[str, Passed] = {}
    power_kw: dict[str, Floats] = {}
    told = any(there.pieces.any() for _, there, _ in ordered)
    for one in done.fitted:
        if one.level != "station":
            continue
        place = Place(one.place, one.title, one.level, one.carrier, one.meters, (by_id[one.place],))
        seen = _joined(
            [observed(place, there, place_amounts(known, one.meters), one.rhythm)[0] for _, there, known in ordered]
        )
        busy = seen.busy_fraction if told else 1.0  # where no output is known what is on is at work
        passed.setdefault(one.place, Passed(seen.open_fraction, seen.open_fraction * busy))
        if one.carrier == "electricity":
            power_kw[one.place] = np.nan_to_num(seen.energy, nan=float(np.nanmean(seen.energy))) / seen.hours
    past = Past(tuple(there for _, there, _ in ordered), passed, power_kw)
    return tune(context, twin, beside, Question(past, done.months, done.utilities, done.asked.confidence))


def place_amounts(month: MeterMonth, meters: Sequence[str]) -> Floats:
    """Return what some meters counted together in each interval; not-a-number where one of them was not read."""
    rows = [month.meter_ids.index(meter) for meter in meters if meter in month.meter_ids]
    if len(rows) < len(meters):
        return np.full(month.amount_milli.shape[1], np.nan)
    lost = (month.state[rows] == MISSING).any(axis=0)
    return np.where(lost, np.nan, month.amount_milli[rows].sum(axis=0) / 1000.0)


def _fitted(place: Place, there: Sequence[MonthOfDays], amounts: Sequence[Floats], asked: Asked, months: int) -> Fitted:
    """Return the fit of a place to the first ``months``, held against the others."""
    known = list(zip(there, amounts, strict=True))
    passes = rhythm(
        np.concatenate([energy[: one.slots].reshape(-1, 96) for one, energy in known[:months]]) * 4.0,
        np.concatenate([one.kinds for one in there[:months]]),
    )
    plain = [observed(place, one, energy, passes) for one, energy in known]
    first = _joined([one for one, _ in plain[:months]])
    warm = _joined_degc([one for _, one in plain[:months]])
    bases = {} if warm is None else balance(first, warm)
    seen = [one if degc is None else with_degrees(one, degc, bases) for one, degc in plain]
    found = fit(_joined(seen[:months]), asked.confidence)
    kept = keep(found, _joined(seen[months:]), asked.confidence) if len(seen) > months else None
    return Fitted(place.id, place.title, place.level, place.carrier, place.meters, found, kept, passes, bases)


def write(context: Context, done: Calibration) -> Path | None:
    """Write the powers of the stations, what signals told and what was found of utilities, beside twin.toml; `zf twin run` takes them
    from there on. Return the file of the powers, or of the signals where no power was fitted; None where there was nothing to write.

    A power is that of one machine. A state of which the readings say nothing, or nothing above zero, keeps what twin.toml says.
    """
    path = context.workspace.folder / FITTED
    machines = {one.id: one.machines for one in read(context).line.stations}
    lines = [",".join(COLUMNS)]
    for one in done.fitted:
        if one.level != "station":
            continue
        for state, power in one.fit.powers.items():
            if power.mean > 0.0:
                figures = ",".join(
                    f"{value / machines[one.place]:.6g}" for value in (power.mean, power.low, power.high)
                )
                lines.append(f"{one.place},{one.carrier},{state},{figures},{done.months[0]},{done.months[-1]}")
    told = twin_calibrate_signals.write(context, done.signals, done.months)
    if done.fitted:
        write_bytes_whole(path, ("\n".join(lines) + "\n").encode())
    before = (context.workspace.folder / twin_utilities_file.FITTED).is_file()
    found = None if done.tuned is None else taken(done.tuned)
    if done.aside or (before and found is not None):  # what an earlier fit wrote is not what this one found
        twin_utilities_fit.write(context, done.utilities, done.months, found)
    return path if done.fitted else told


@dataclass(frozen=True)
class Place:
    """A station or a shop with its meters of one carrier, and the stations in it."""

    id: str
    title: Text
    level: str
    carrier: str
    meters: tuple[str, ...]
    stations: tuple[Station, ...]


def places(context: Context, twin: Twin) -> list[Place]:
    """Return the stations with meters, and the shops that have any of them."""
    plant = context.workspace.plant
    by_id = {one.id: one for one in twin.line.stations}
    found = [
        Place(station, by_id[station].title, "station", carrier, meters, (by_id[station],))
        for (station, carrier), meters in twin.meters.items()
    ]
    for carrier in dict.fromkeys(carrier for _, carrier in twin.meters):
        tops = shop_meters(plant, carrier)
        for shop in plant.shops:
            own = tuple(one for one in twin.line.stations if one.shop == shop.id)
            if own and tops.get(shop.id):
                found.append(Place(shop.id, shop.name, "shop", carrier, tops[shop.id], own))
    return found


def month_of_days(context: Context, label: str, temperature: Path | None) -> MonthOfDays:
    """Return the calendar of a month."""
    period, plant = Period.parse(label), context.workspace.plant
    days = tuple(period.first_day + timedelta(days=n) for n in range((period.next_first_day - period.first_day).days))
    slots = len(days) * 96
    opened = np.zeros(slots)
    eve = period.first_day - timedelta(days=1)  # its night shift ends in this month
    for window in windows(plant, eve, len(days) + 1):
        edges = np.clip(86_400.0 + np.arange(slots + 1) * 900.0, window.start_s, window.end_s)
        opened += np.diff(edges) / 900.0
    shifts = np.array([float(len(shifts_of(plant.calendar, day)) or is_workday(plant.calendar, day)) for day in days])
    kinds = np.array([_kind(plant.calendar, day) for day in days])
    pieces = daily_output(context, days, shifts)
    mean = daily_temperature(context, temperature, days)
    return MonthOfDays(days, kinds, opened, mean, np.zeros(len(days)) if pieces is None else pieces, slots)


def _kind(calendar: Calendar, day: date) -> int:
    """Return the kind of a day, as the rhythm of a place tells them apart."""
    if day in calendar.extra_workdays:
        return EXTRA
    return day.isoweekday() if is_workday(calendar, day) else CLOSED


def observed(place: Place, there: MonthOfDays, energy: Floats, passes: Rhythm | None) -> tuple[Observed, Floats | None]:
    """Return a month as it is fitted to, and its temperature by interval.

    A station is busy for its cycles' share of the time in which it works; pieces of a month that is told as a whole fall on its
    days by the hours that the station works on them.
    """
    if passes is None:
        opened, works = there.open_fraction, there.open_fraction
    else:
        states = passes.of(there.kinds).ravel()
        night = np.repeat(there.kinds == CLOSED, 96) & (there.open_fraction > 0)  # a shift that began the day before
        states = np.where(night, WORKS, states)
        edge = np.where((there.open_fraction > 0) & (there.open_fraction < 1), there.open_fraction, 1.0)
        opened, works = np.where(states == OFF, 0.0, edge), np.where(states == WORKS, edge, 0.0)
    works_s = works.reshape(-1, 96).sum(axis=1) * 900.0
    pieces = _by_hours(there.pieces, works_s)
    share = np.mean([one.cycle.average_s / (one.machines * _sharing(place, one)) for one in place.stations])
    busy = np.minimum(np.divide(pieces * share, works_s, out=np.zeros(len(works_s)), where=works_s > 0), 1.0)
    at_work = np.divide(works, opened, out=np.zeros(len(opened)), where=opened > 0) * np.repeat(busy, 96)
    day = np.repeat(np.arange(len(there.days)) + there.days[0].toordinal(), 96)
    degc = None if there.mean_degc is None else np.repeat(there.mean_degc, 96)
    return Observed(energy[: there.slots], opened, at_work, day.astype(np.int64), 0.25, {}), degc


def _by_hours(pieces: Floats, works_s: Floats) -> Floats:
    """Return pieces by day: as they are where the days differ, else by the hours worked on each."""
    told = pieces[pieces > 0]
    if not told.size or np.ptp(told) > 1e-9 * told.max() or not works_s.any():
        return pieces
    spread: Floats = works_s * (pieces.sum() / works_s.sum())
    return spread


def _sharing(place: Place, one: Station) -> float:
    """Return how many stations share the pieces of this one: those that take from the same buffers."""
    return float(max(sum(other.takes == one.takes and bool(one.takes) for other in place.stations), 1))


def _joined(parts: Sequence[Observed]) -> Observed:
    return Observed(
        np.concatenate([one.energy for one in parts]),
        np.concatenate([one.open_fraction for one in parts]),
        np.concatenate([one.busy_fraction for one in parts]),
        np.concatenate([one.day for one in parts]),
        parts[0].hours,
        {name: np.concatenate([one.degrees[name] for one in parts]) for name in parts[0].degrees},
    )


def _joined_degc(parts: Sequence[Floats | None]) -> Floats | None:
    known = [one for one in parts if one is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


def _months(context: Context, holdout: Sequence[str]) -> tuple[str, ...]:
    """Return the closed months with readings, all with readings where none is closed; those held out are left out."""
    there = [label for label in months_of(context) if label not in holdout]
    closed = [label for label in there if context.workspace.seal_of(label) is not None]
    return tuple(closed or there)


def _refuse(context: Context, months: Sequence[str], holdout: Sequence[str], least: int) -> None:
    there = set(months_of(context))
    problems = []
    for label in (*months, *holdout):
        if label not in there:
            message = Text(f"{label} 没有读数。", f"There are no readings of {label}.")
            problems.append(Problem("twin.no_month", message, Text("请先导入读数。", "Import readings first.")))
    if len(months) < least:
        message = Text(f"只有 {len(months)} 个月可供拟合。", f"There are {len(months)} months to fit to.")
        hint = Text(f"至少 {least} 个月: 产量要有变化才能分清加工与待料。", f"At least {least}: work and waiting are told apart by months of different output.")  # fmt: skip
        problems.append(Problem("twin.few_months", message, hint))
    if problems:
        raise FaultyData(problems)


def _json(one: Fitted) -> dict[str, object]:
    return {
        "place": one.place,
        "title": {"zh": one.title.zh, "en": one.title.en},
        "level": one.level,
        "carrier": one.carrier,
        "meters": list(one.meters),
        "powers": {state: one.fit.powers[state].as_json() for state in NAMES if state in one.fit.powers},
        "slopes": {name: slope.as_json() for name, slope in one.fit.slopes.items()},
        "missing": list(one.fit.missing),
        "bases_degc": dict(one.bases_degc),
        "hours": None
        if one.rhythm is None
        else {
            str(kind): {"works": one.rhythm.hours(kind, WORKS), "waits": one.rhythm.hours(kind, WAITS)}
            for kind in sorted(one.rhythm.by_kind)
            if kind != CLOSED
        },
        "nmbe_fraction": one.fit.nmbe_fraction,
        "cvrmse_fraction": one.fit.cvrmse_fraction,
        "days": one.fit.days,
        "held_out": None
        if one.kept is None
        else {
            "predicted": one.kept.total.as_json(),
            "metered": one.kept.metered,
            "nmbe_fraction": one.kept.nmbe_fraction,
            "cvrmse_day_fraction": one.kept.cvrmse_day_fraction,
            "holds": one.kept.holds,
            "drift_from": None if one.kept.drift_day is None else date.fromordinal(one.kept.drift_day).isoformat(),
        },
    }
