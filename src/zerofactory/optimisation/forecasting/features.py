"""Features of a target slot as seen at an origin: calendar, lags, level, sun and temperature.

A pair (origin, target) asks: standing at the start of slot `origin`, what will slot `target` be? Every lag is an index below
the origin less the delay with which readings come in, so that no feature can hold a value not known at the time; the
calendar and the sun are known ahead. The same function serves training and forecasting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zerofactory.errors import Misuse
from zerofactory.optimisation.forecasting.history import WEEK_DAYS, Almanac, History, Numbers, Places, almanac
from zerofactory.optimisation.forecasting.solar import clear_sky, cos_zenith

SIMILAR_DAYS = 4
MAX_KIND_LOOKBACK = 28
BASE_DEGC = 18.0  # base of degree-day features: only a kink for the model, not a rule


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A history with its calendar and sun worked out, from which features of any pair are read."""

    history: History
    calendar: Almanac
    similar: Places
    sky: Numbers | None
    delay: int


def ground(history: History, ahead: int, delay: int | None = None) -> Ground:
    """Return the ground for pairs whose targets lie up to ``ahead`` slots after the history."""
    calendar = almanac(history, ahead)
    sky = None
    if history.target == "pv" and history.location is not None:
        sky = clear_sky(cos_zenith(history.start, history.minutes, history.slots + ahead, history.location))
    return Ground(history, calendar, _similar_days(calendar), sky, history.delay() if delay is None else delay)


def _similar_days(calendar: Almanac) -> Places:
    """Return, by kind and day, the newest day of that kind up to that day (itself included), or -1."""
    days = len(calendar.kind)
    found = np.full((3, days + 1), -1, dtype=np.int64)
    for kind in range(3):
        same = np.where(calendar.kind == kind, np.arange(days), -1)
        found[kind, :days] = np.maximum.accumulate(same) if days else same
    return found


def features(base: Ground, origin: Places, target: Places) -> tuple[Numbers, Numbers]:
    """Return the features of pairs (N × F) and their anchor (N): the profile of similar days, in the unit of the series.

    Parameters
    ----------
    origin, target : arrays (N)
        Slots; a target is its origin or later.
    """
    if (target < origin).any():
        raise Misuse("a target lies before its origin")
    known = origin - base.delay  # slots below are known
    values, day = base.history.values, base.history.day
    lags = [_lag(values, target, known, day, extra) for extra in (0, 1)]
    weeks = [_lag(values, target, known, WEEK_DAYS * day, extra) for extra in (0, 1)]
    similar = _similar(base, target, known)
    level = [
        _mean_before(values, known, count) for count in (1, max(60 // base.history.minutes, 1), day, WEEK_DAYS * day)
    ]
    past = _mean_before(values, known - WEEK_DAYS * day, max(60 // base.history.minutes, 1))
    with np.errstate(invalid="ignore"):
        profile = _row_mean(similar)
        anchor = _first_known(profile, _row_mean(np.stack(weeks)), _row_mean(np.stack(lags)), level[2], level[0])
        yesterday = _similar(base, known - 1, known - 1)
        deviation = level[0] - _row_mean(yesterday)
    columns = [*_calendar_columns(base, target), (target - known).astype(np.float64), np.log1p(target - known)]
    columns += [anchor, past, deviation]
    columns += [part - anchor for part in (*lags, *weeks, similar[0], *level)]
    columns += sun_columns(base, target, known) + _temperature_columns(base, origin, target)
    return np.column_stack(columns), anchor


def _calendar_columns(base: Ground, target: Places) -> list[Numbers]:
    calendar = base.calendar
    turn = 2 * np.pi * calendar.slot_of_day[target] / base.history.day
    days = np.clip(calendar.day[target], 1, len(calendar.kind) - 2)
    free = (calendar.kind == 0).astype(np.float64)
    return [
        calendar.slot_of_day[target].astype(np.float64), np.sin(turn), np.cos(turn), np.sin(2 * turn), np.cos(2 * turn),
        calendar.weekday[target].astype(np.float64), calendar.working[target].astype(np.float64),
        free[days - 1] if len(free) > 2 else np.zeros(len(target)), free[days + 1] if len(free) > 2 else np.zeros(len(target)),
    ]  # fmt: skip


def _lag(values: Numbers, target: Places, known: Places, season: int, extra: int) -> Numbers:
    """Return the value whole seasons before the target, the newest that is known, or ``extra`` seasons before that."""
    steps = np.maximum((target - known) // season + 1, 1) + extra
    return _at(values, target - steps * season, known)


def _at(values: Numbers, place: Places, known: Places) -> Numbers:
    """Return values at places; not-a-number before the beginning. A place that is not yet known is a bug."""
    if (place >= known).any():
        raise Misuse("a feature reaches for a value that was not known")
    inside = place >= 0
    found: Numbers = np.where(inside, values[np.where(inside, place, 0)] if len(values) else np.nan, np.nan)
    return found


def _similar(base: Ground, target: Places, known: Places) -> Numbers:
    """Return the same slot on the newest known days of the target's kind (SIMILAR_DAYS × N)."""
    calendar, day = base.calendar, base.history.day
    aim = np.maximum(target, 0)
    kind, today = calendar.kind[calendar.day[aim]], calendar.day[aim]
    back = np.maximum((aim - known) // day + 1, 1)  # whole days back until the slot is known
    candidate = np.maximum(today - back, -1)
    rows = []
    for _ in range(SIMILAR_DAYS):
        found = np.where(candidate >= 0, base.similar[kind, candidate], -1)
        usable = (found >= 0) & (today - found <= MAX_KIND_LOOKBACK)
        place = np.where(usable, aim - (today - found) * day, -1)
        rows.append(_at(base.history.values, np.minimum(place, known - 1), known))
        rows[-1] = np.where(usable, rows[-1], np.nan)
        candidate = np.where(found >= 0, found - 1, -1)
    return np.stack(rows)


def _mean_before(values: Numbers, known: Places, count: int) -> Numbers:
    """Return the mean of the last ``count`` known values."""
    sound = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(sound, values, 0.0))])
    number = np.concatenate([[0], np.cumsum(sound)])
    last = np.clip(known, 0, len(values))
    first = np.clip(known - count, 0, len(values))
    many = number[last] - number[first]
    mean: Numbers = np.where(many > 0, (total[last] - total[first]) / np.maximum(many, 1), np.nan)
    return mean


def sun_columns(base: Ground, target: Places, known: Places) -> list[Numbers]:
    """Return the clear sky of the target, and how much of the clear sky came through in the last hours, day and week."""
    if base.sky is None:
        return []
    values, hour, day = base.history.values, max(60 // base.history.minutes, 1), base.history.day
    bright = np.where(base.sky[: len(values)] > 0.0, base.sky[: len(values)], np.nan)
    energy = np.where(np.isnan(bright) | np.isnan(values), np.nan, values)
    bright = np.where(np.isnan(energy), np.nan, bright)
    columns: list[Numbers] = [base.sky[target]]
    for count in (hour, 4 * hour, day, WEEK_DAYS * day, 4 * WEEK_DAYS * day):
        light = _mean_before(bright, known, count)
        index = np.where(light > 20.0, _mean_before(energy, known, count) / np.maximum(light, 1e-9), np.nan)
        columns += [index, index * base.sky[target]]
    return columns


def _temperature_columns(base: Ground, origin: Places, target: Places) -> list[Numbers]:
    """Return the temperature known at the origin for the target (the newest forecast), and the last one measured."""
    outlook = base.history.temperature
    if outlook is None or not len(outlook.slot):
        return []
    order = np.lexsort((outlook.known, outlook.slot))
    slot, known, value = outlook.slot[order], outlook.known[order], outlook.value[order]
    ahead = np.full(len(target), np.nan)
    last = np.full(len(target), np.nan)
    for one in np.unique(origin):
        here = origin == one
        seen = known <= one
        slots, newest = np.unique(slot[seen][::-1], return_index=True)
        if not len(slots):
            continue
        temperatures = value[seen][::-1][newest]
        place = np.minimum(np.searchsorted(slots, target[here]), len(slots) - 1)
        ahead[here] = np.where(slots[place] == target[here], temperatures[place], np.nan)
        behind = slots < one
        last[here] = temperatures[behind][-1] if behind.any() else np.nan
    best = np.where(np.isnan(ahead), last, ahead)
    return [best, np.maximum(best - BASE_DEGC, 0.0), np.maximum(BASE_DEGC - best, 0.0)]


def _row_mean(rows: Numbers) -> Numbers:
    sound = ~np.isnan(rows)
    many = sound.sum(axis=0)
    mean: Numbers = np.where(many > 0, np.where(sound, rows, 0.0).sum(axis=0) / np.maximum(many, 1), np.nan)
    return mean


def _first_known(*columns: Numbers) -> Numbers:
    found = columns[0]
    for column in columns[1:]:
        found = np.where(np.isnan(found), column, found)
    return np.where(np.isnan(found), 0.0, found)
