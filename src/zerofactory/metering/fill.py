"""Gaps → estimates with a stated method; and virtual meters.

register_bridge   the register's difference over the gap is known: shared out by the meter's own profile, total exact
linear            a straight line between the neighbours (short gaps)
similar_day       mean of the same slot of the day on days of the same kind (working day or not)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zerofactory.metering.grid import Flags, Grid, Integers
from zerofactory.metering.interval import ESTIMATED, MANUAL, MEASURED, MISSING, MeterMonth
from zerofactory.metering.note import QualityNote
from zerofactory.metering.register import no_bridges
from zerofactory.metering.scatter import Numbers, States
from zerofactory.site.model import FillMethod, Plant
from zerofactory.site.tree import meter_tree


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """One meter being filled: its arrays are written in place."""

    meter: str
    amount: Integers
    state: States
    grid: Grid


def fill(month: MeterMonth, plant: Plant, method: FillMethod | None = None) -> tuple[MeterMonth, list[QualityNote]]:
    """Return the month with its gaps estimated, and one note per meter and method.

    Measured, manual and suspect slots stay as they are; every filled slot gets the state estimated. ``method`` (default: the
    plant's ``accounting.fill``) decides about gaps of unknown total: ``auto`` draws a line over gaps up to
    ``short_gap_hours`` and takes similar days for longer ones and at the edges; ``none`` fills nothing. What cannot be
    filled stays missing, with a note of severity error.
    """
    chosen = method or plant.accounting.fill
    gaps = np.flatnonzero((month.state == MISSING).any(axis=1))
    if chosen == "none" or not len(gaps):
        return month, []
    amount, state = month.amount_milli.copy(), month.state.copy()
    longest_line = int(plant.accounting.short_gap_hours * 60.0 // month.interval_minutes)
    notes: list[QualityNote] = []
    for row in gaps:
        line = _Line(month.meter_ids[row], amount[row], state[row], month.grid)
        profile = _profile(line)
        notes += _bridged(line, month, int(row), profile)
        first, last = runs(line.state == MISSING)
        inner = (first > 0) & (last < month.grid.slots)
        short = (last - first <= longest_line) if chosen == "auto" else np.full(len(first), chosen == "linear")
        notes += _drawn(line, (first[short & inner], last[short & inner]))
        notes += _from_similar_days(line, profile)
    return replace(month, amount_milli=amount, state=state, bridges=no_bridges()), notes


def virtual(month: MeterMonth, plant: Plant) -> MeterMonth:
    """Return the month with the plant's virtual meters added, each the exact whole-number sum of its terms.

    The state of a slot is the worst of its terms; where a term is missing the sum lacks it and the slot counts as missing.
    """
    terms = meter_tree(plant).terms
    added = [meter for meter in plant.meters if meter.id in terms and meter.id not in month.meter_ids]
    if not added:
        return month
    amounts = np.zeros((len(added), month.grid.slots), dtype=np.int64)
    states = np.zeros((len(added), month.grid.slots), dtype=np.uint8)
    for place, meter in enumerate(added):
        rows = [month.row(name) for name in terms[meter.id]]
        for row, coefficient in zip(rows, terms[meter.id].values(), strict=True):
            amounts[place] += coefficient * month.amount_milli[row]
        if rows:
            states[place] = month.state[rows].max(axis=0)
            states[place][(month.state[rows] == MISSING).any(axis=0)] = MISSING
    return replace(
        month,
        meter_ids=(*month.meter_ids, *(meter.id for meter in added)),
        units=(*month.units, *(meter.amount_unit for meter in added)),
        own_minutes=(*month.own_minutes, *(month.interval_minutes for _ in added)),
        amount_milli=np.concatenate([month.amount_milli, amounts]),
        state=np.concatenate([month.state, states]),
    )


def runs(mask: Flags) -> tuple[Integers, Integers]:
    """Return first and one-past-last place of every run of true values.

    Examples
    --------
    >>> [part.tolist() for part in runs(np.array([True, True, False, True]))]
    [[0, 3], [2, 4]]
    """
    steps = np.diff(mask.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


def shared(amounts: Integers, spans: tuple[Integers, Integers], weight: Numbers) -> tuple[Integers, Integers]:
    """Return slots and whole amounts of gaps shared out by ``weight`` (T), the sum of every gap kept exactly.

    A gap without weight is shared out evenly.

    Examples
    --------
    >>> place, part = shared(np.array([10]), (np.array([1]), np.array([4])), np.array([9.0, 1.0, 1.0, 2.0]))
    >>> place.tolist(), part.tolist()
    ([1, 2, 3], [2, 3, 5])
    """
    first, last = spans
    length = last - first
    begin = np.repeat(np.cumsum(length) - length, length)
    place = np.arange(int(length.sum()), dtype=np.int64) - begin + np.repeat(first, length)
    running = np.concatenate([[0.0], np.cumsum(np.maximum(weight, 0.0))])
    total = running[last] - running[first]
    by_weight = (running[place + 1] - np.repeat(running[first], length)) / np.repeat(
        np.where(total > 0, total, 1), length
    )
    evenly = (place + 1 - np.repeat(first, length)) / np.repeat(length, length)
    fraction = np.where(np.repeat(total > 0, length), by_weight, evenly)
    until = np.rint(np.repeat(amounts, length) * fraction).astype(np.int64)
    ends = np.cumsum(length) - 1
    until[ends] = amounts
    before = np.concatenate([np.zeros(1, dtype=np.int64), until[:-1]])
    before[ends - length + 1] = 0
    return place, until - before


def _profile(line: _Line) -> Numbers | None:
    """Return the expected amount of every slot (T), or None when nothing was measured.

    Mean of the same slot on days of the same kind; of any day where that kind has none; of all slots otherwise.
    """
    sound = (line.state == MEASURED) | (line.state == MANUAL)
    if not sound.any():
        return None
    slot, amount = line.grid.slot_of_day, line.amount[sound].astype(np.float64)
    width = int(slot.max()) + 1
    key = slot + width * line.grid.workday
    any_day = _mean(slot, sound, amount, width)
    by_kind = _mean(key, sound, amount, 2 * width)
    filled = np.where(np.isnan(any_day), amount.mean(), any_day)
    profile: Numbers = np.where(np.isnan(by_kind), np.tile(filled, 2), by_kind)[key]
    return profile


def _mean(key: Integers, sound: Flags, amount: Numbers, width: int) -> Numbers:
    count = np.bincount(key[sound], minlength=width).astype(np.float64)
    count[count == 0.0] = np.nan
    means: Numbers = np.bincount(key[sound], weights=amount, minlength=width) / count
    return means


def _bridged(line: _Line, month: MeterMonth, row: int, profile: Numbers | None) -> list[QualityNote]:
    own = np.flatnonzero(month.bridges.meter == row)
    if not len(own):
        return []
    first, last, total = month.bridges.first[own], month.bridges.last[own], month.bridges.amount_milli[own]
    order = np.argsort(first)
    weight = np.zeros(line.grid.slots) if profile is None else profile
    place, part = shared(total[order], (first[order], last[order]), weight)
    line.amount[place] = part
    return _write(line, place, "register_bridge")


def _drawn(line: _Line, spans: tuple[Integers, Integers]) -> list[QualityNote]:
    length = spans[1] - spans[0]
    if not len(length):
        return []
    begin = np.repeat(np.cumsum(length) - length, length)
    place = np.arange(int(length.sum()), dtype=np.int64) - begin + np.repeat(spans[0], length)
    known = np.flatnonzero(line.state != MISSING)
    line.amount[place] = np.rint(np.interp(place, known, line.amount[known])).astype(np.int64)
    return _write(line, place, "linear")


def _from_similar_days(line: _Line, profile: Numbers | None) -> list[QualityNote]:
    place = np.flatnonzero(line.state == MISSING)
    if not len(place):
        return []
    if profile is None:
        moment = line.grid.moment(int(place[0]))
        return [QualityNote("gap", line.meter, len(place), moment, severity="error", method="none")]
    line.amount[place] = np.rint(profile[place]).astype(np.int64)
    return _write(line, place, "similar_day")


def _write(line: _Line, place: Integers, method: str) -> list[QualityNote]:
    line.state[place] = ESTIMATED
    amount = int(line.amount[place].sum()) / 1000.0
    return [QualityNote("fill", line.meter, len(place), line.grid.moment(int(place.min())), amount, "info", method)]
