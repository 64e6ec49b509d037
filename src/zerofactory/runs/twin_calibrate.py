"""Keep the plant's twin true: fit it to some months of readings, hold it against later ones, and remember what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.baseline import degree_days, limits
from zerofactory.metering.interval import MISSING
from zerofactory.metering.profile import shop_meters
from zerofactory.optimisation.twin.calibrate import NAMES, Fit, Floats, Kept, Observed, fit, keep
from zerofactory.optimisation.twin.line import Station
from zerofactory.periods import Period
from zerofactory.runs.baseline import daily_output, daily_temperature
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.twin_file import COLUMNS, FITTED, Twin, read, windows
from zerofactory.site.calendar import is_workday
from zerofactory.store.files import write_bytes_whole

LEAST_MONTHS = 2
TEXTS = {"heating": Text("采暖度", "heating degrees"), "cooling": Text("制冷度", "cooling degrees")}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which months to fit to, and which later ones to hold the fit against; temperature as for `zf baseline`."""

    months: tuple[str, ...] = ()
    holdout: tuple[str, ...] = ()
    temperature: Path | None = None
    confidence: float = 0.95


@dataclass(frozen=True)
class Fitted:
    """One place: a station or a shop, its meters, the fit and how it does on the months held out."""

    place: str
    title: Text
    level: str
    carrier: str
    meters: tuple[str, ...]
    fit: Fit
    kept: Kept | None


@dataclass(frozen=True)
class Calibration:
    """All places; ``skipped`` says why a place has no fit."""

    asked: Asked
    months: tuple[str, ...]
    fitted: tuple[Fitted, ...]
    skipped: tuple[Text, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "months": list(self.months),
            "holdout": list(self.asked.holdout),
            "places": [_json(one) for one in self.fitted],
            "skipped": [{"zh": one.zh, "en": one.en} for one in self.skipped],
        }


@dataclass(frozen=True)
class _Days:
    """The calendar of the months, quarter hour by quarter hour: which are open, the degrees, the output of each month."""

    days: tuple[date, ...]
    open_fraction: Floats
    degrees: Mapping[str, Floats]
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
    _refuse(context, months, asked.holdout)
    every = (*months, *asked.holdout)
    there = [_read(context, label, asked.temperature) for label in every]
    known = [meter_month(context, label) for label in every]
    fitted, skipped = [], []
    for place in _places(context, twin):
        amounts = []
        for month in known:
            rows = [month.meter_ids.index(meter) for meter in place.meters if meter in month.meter_ids]
            lost = (month.state[rows] == MISSING).any(axis=0)
            amounts.append(np.where(lost, np.nan, month.amount_milli[rows].sum(axis=0) / 1000.0))
        seen = [_observed(place, one, energy) for one, energy in zip(there, amounts, strict=True)]
        parts = [_joined(seen[: len(months)]), _joined(seen[len(months) :])]
        if parts[0] is None or not np.nansum(parts[0].energy):
            skipped.append(Text(f"{place.title.zh}: 没有读数。", f"{place.title.en}: no readings."))
            continue
        found = fit(parts[0], asked.confidence)
        kept = None if parts[1] is None else keep(found, parts[1], asked.confidence)
        fitted.append(Fitted(place.id, place.title, place.level, place.carrier, place.meters, found, kept))
    return Calibration(asked, months, tuple(fitted), tuple(skipped))


def write(context: Context, done: Calibration) -> Path:
    """Write the powers of the stations beside twin.toml; `zf twin run` takes them from there on. Return the file.

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
    write_bytes_whole(path, ("\n".join(lines) + "\n").encode())
    return path


@dataclass(frozen=True)
class _Place:
    id: str
    title: Text
    level: str
    carrier: str
    meters: tuple[str, ...]
    stations: tuple[Station, ...]


def _places(context: Context, twin: Twin) -> list[_Place]:
    """Return the stations with meters, and the shops that have any of them."""
    plant = context.workspace.plant
    by_id = {one.id: one for one in twin.line.stations}
    found = [
        _Place(station, by_id[station].title, "station", carrier, meters, (by_id[station],))
        for (station, carrier), meters in twin.meters.items()
    ]
    for carrier in dict.fromkeys(carrier for _, carrier in twin.meters):
        tops = shop_meters(plant, carrier)
        for shop in plant.shops:
            own = tuple(one for one in twin.line.stations if one.shop == shop.id)
            if own and tops.get(shop.id):
                found.append(_Place(shop.id, shop.name, "shop", carrier, tops[shop.id], own))
    return found


def _read(context: Context, label: str, temperature: Path | None) -> _Days:
    """Return the calendar of a month."""
    period, plant = Period.parse(label), context.workspace.plant
    days = tuple(period.first_day + timedelta(days=n) for n in range((period.next_first_day - period.first_day).days))
    slots = len(days) * 96
    opened = np.zeros(slots)
    for window in windows(plant, period.first_day, len(days)):
        edges = np.clip((np.arange(slots + 1) * 900.0), window.start_s, window.end_s)
        opened += np.diff(edges) / 900.0
    shifts = np.array([float(is_workday(plant.calendar, day)) for day in days])
    pieces = daily_output(context, days, shifts)
    mean = daily_temperature(context, temperature, days)
    degrees: dict[str, Floats] = {}
    if mean is not None:
        heating, cooling = degree_days(mean, limits()["heating_base_degc"].value, limits()["cooling_base_degc"].value)
        degrees = {"heating": np.repeat(heating, 96) * (opened > 0), "cooling": np.repeat(cooling, 96) * (opened > 0)}
    return _Days(days, opened, degrees, np.zeros(len(days)) if pieces is None else pieces, slots)


def _observed(place: _Place, there: _Days, energy: Floats) -> Observed:
    """Return a month as it is fitted to: a station is busy for its cycles' share of the open time of each day."""
    open_s = there.open_fraction.reshape(-1, 96).sum(axis=1) * 900.0
    share = np.mean([one.cycle.average_s / (one.machines * _sharing(place, one)) for one in place.stations])
    busy = np.divide(there.pieces * share, open_s, out=np.zeros(len(open_s)), where=open_s > 0)
    first = there.days[0].toordinal()
    day = np.repeat(np.arange(len(there.days)) + first, 96)
    return Observed(energy[: there.slots], there.open_fraction, np.repeat(np.minimum(busy, 1.0), 96), day.astype(np.int64), 0.25, there.degrees)  # fmt: skip


def _sharing(place: _Place, one: Station) -> float:
    """Return how many stations share the pieces of this one: those that take from the same buffers."""
    return float(max(sum(other.takes == one.takes and bool(one.takes) for other in place.stations), 1))


def _joined(parts: Sequence[Observed]) -> Observed | None:
    if not parts:
        return None
    return Observed(
        np.concatenate([one.energy for one in parts]),
        np.concatenate([one.open_fraction for one in parts]),
        np.concatenate([one.busy_fraction for one in parts]),
        np.concatenate([one.day for one in parts]),
        parts[0].hours,
        {name: np.concatenate([one.degrees[name] for one in parts]) for name in parts[0].degrees},
    )


def _months(context: Context, holdout: Sequence[str]) -> tuple[str, ...]:
    """Return the closed months with readings, all with readings where none is closed; those held out are left out."""
    there = [label for label in months_of(context) if label not in holdout]
    closed = [label for label in there if context.workspace.seal_of(label) is not None]
    return tuple(closed or there)


def _refuse(context: Context, months: Sequence[str], holdout: Sequence[str]) -> None:
    there = set(months_of(context))
    problems = []
    for label in (*months, *holdout):
        if label not in there:
            message = Text(f"{label} 没有读数。", f"There are no readings of {label}.")
            problems.append(Problem("twin.no_month", message, Text("请先导入读数。", "Import readings first.")))
    if len(months) < LEAST_MONTHS:
        message = Text(f"只有 {len(months)} 个月可供拟合。", f"There are {len(months)} months to fit to.")
        hint = Text(f"至少 {LEAST_MONTHS} 个月: 产量要有变化才能分清加工与待料。", f"At least {LEAST_MONTHS}: work and waiting are told apart by months of different output.")  # fmt: skip
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
