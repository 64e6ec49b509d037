"""Registers: amounts as differences of readings, with roll-over, reset and gaps of known total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.metering.grid import Flags, Grid, Integers, spread
from zerofactory.metering.note import QualityNote
from zerofactory.metering.scatter import Dense, Numbers, Rows, States
from zerofactory.site.model import Meter

MEASURED, MANUAL, ESTIMATED, SUSPECT = 1, 2, 3, 4


@dataclass(frozen=True, slots=True, eq=False)
class Bridges:
    """Gaps of registers whose total is known: meter (row), first slot, slot after the last, amount in thousandths."""

    meter: Integers
    first: Integers
    last: Integers
    amount_milli: Integers

    def __len__(self) -> int:
        return len(self.meter)


def no_bridges() -> Bridges:
    """Return the empty set of gaps."""
    nothing = np.zeros(0, dtype=np.int64)
    return Bridges(nothing, nothing, nothing, nothing)


def differences(
    dense: Dense, row: int, meter: Meter, grid: Grid, out: tuple[Integers, States]
) -> tuple[Bridges, list[QualityNote]]:
    """Write the amounts of one register into ``out`` (amounts, states) and return the gaps of known total.

    Amount of [t, t + 15 min) = reading(t + 15 min) − reading(t). The readings are made whole numbers first, so amounts add
    up to last − first exactly. A negative difference is a roll-over when the meter rolls over and
    (rollover − before + after) ≤ maximum × intervals, otherwise a reset: counted from zero, marked estimated (what ran
    before the reset is lost). A single reading below both its neighbours, the later of which is not below the earlier, is
    no reset but a misreading: it is left out, noted, and the known difference around it bridges the gap.
    """
    values = dense.values[row]
    position = np.flatnonzero(~np.isnan(values))
    dips = _dips(values[position])
    misread = position[dips]
    position = position[~dips]
    whole = whole_thousandths(values[position], meter.multiplier)
    first, last = position[:-1], position[1:]
    own = _own_length(first, last, meter, grid)
    amount, rolled, reset = _stepped(whole, values[position], meter, own)
    state = np.maximum(dense.states[row][first], dense.states[row][last])
    state[reset] = ESTIMATED
    beyond = _beyond(amount, meter, own)
    state[beyond & (state < ESTIMATED)] = SUSPECT
    direct = own == 1
    _write(out, (first[direct], last[direct]), amount[direct], state[direct])
    notes = [
        *_noted("spike", meter, grid, misread, whole_thousandths(values[misread], meter.multiplier)),
        *_noted("rollover", meter, grid, first[rolled], amount[rolled]),
        *_noted("reset", meter, grid, first[reset], amount[reset]),
        *_noted("out_of_range", meter, grid, first[beyond], amount[beyond]),
    ]
    inner = Bridges(np.full(int((~direct).sum()), row, dtype=np.int64), first[~direct], last[~direct], amount[~direct])
    return inner, notes


def _dips(values: Numbers) -> Flags:
    """Return which readings lie below both neighbours while the neighbours themselves do not fall."""
    dips = np.zeros(len(values), dtype=np.bool_)
    if len(values) >= 3:
        before, here, after = values[:-2], values[1:-1], values[2:]
        dips[1:-1] = (here < before) & (after >= before)
    return dips


def edge_bridges(dense: Dense, registers: Sequence[tuple[int, Meter]], grid: Grid) -> tuple[Bridges, list[QualityNote]]:
    """Return the gaps that run over the first or last instant of the period, with their part inside.

    The total between the last reading before and the first reading after is shared out by time, in whole numbers, the same
    way from both sides: what this period takes and what its neighbour takes add up to the total.
    """
    gaps: list[tuple[int, int, int, int]] = []
    notes: list[QualityNote] = []
    ends = {row: _outer(dense.values[row]) for row, _ in registers}
    open_rows = [row for row, (first, last) in ends.items() if first != 0 or last != grid.slots]
    neighbours = _neighbours(dense.rows, open_rows, grid)
    for row, meter in registers:
        if row not in open_rows:
            continue
        first, last = ends[row]
        before, after = neighbours[row]
        known_first = None if first is None else (first, float(dense.values[row][first]))
        known_last = None if last is None else (last, float(dense.values[row][last]))
        pairs = [(before, after)] if first is None else [(before, known_first), (known_last, after)]
        for start, end in pairs:
            if start is not None and end is not None and start[0] < end[0] and (start[0] < 0 or end[0] > grid.slots):
                gap, found = _edge_gap(row, meter, grid, start, end)
                gaps.append(gap)
                notes += found
    columns = np.array(gaps, dtype=np.int64).reshape(-1, 4).T
    return Bridges(columns[0], columns[1], columns[2], columns[3]), notes


def whole_thousandths(values: Numbers, scale: float) -> Integers:
    """Return rint(value × scale × 1000) as whole numbers, half to even."""
    return np.rint(values * (scale * 1000.0)).astype(np.int64)


def joined(parts: Sequence[Bridges]) -> Bridges:
    """Return several sets of gaps as one."""
    if not parts:
        return no_bridges()
    return Bridges(
        np.concatenate([part.meter for part in parts]),
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.amount_milli for part in parts]),
    )


def _own_length(first: Integers, last: Integers, meter: Meter, grid: Grid) -> Integers:
    """Return how many of the meter's own intervals lie between two readings."""
    if meter.interval_minutes == grid.minutes:
        return last - first
    edges = grid.edges(meter.interval_minutes)
    return np.searchsorted(edges, last) - np.searchsorted(edges, first)


def _stepped(whole: Integers, values: Numbers, meter: Meter, own: Integers) -> tuple[Integers, Flags, Flags]:
    """Return amounts between readings, and where the register rolled over or was reset."""
    amount = np.diff(whole)
    falls = np.diff(values) < 0.0
    rolled = np.zeros(len(amount), dtype=np.bool_)
    if meter.minimum is not None and meter.minimum < 0.0:  # a register that may run backwards
        falls &= np.diff(values) < meter.minimum * own
    if meter.rollover is not None and meter.maximum is not None and falls.any():
        rolled = falls & (meter.rollover + np.diff(values) <= meter.maximum * own)
        amount = amount + rolled * whole_thousandths(np.array([meter.rollover]), meter.multiplier)[0]
    reset = falls & ~rolled
    return np.where(reset, whole[1:], amount), rolled, reset


def _beyond(amount: Integers, meter: Meter, own: Integers) -> Flags:
    """Return which amounts are outside the bounds per interval."""
    outside = np.zeros(len(amount), dtype=np.bool_)
    if meter.maximum is not None:
        outside |= amount > np.floor(meter.maximum * meter.multiplier * 1000.0 * own + 0.5)
    if meter.minimum is not None:
        outside |= amount < np.ceil(meter.minimum * meter.multiplier * 1000.0 * own - 0.5)
    return outside


def _write(out: tuple[Integers, States], spans: tuple[Integers, Integers], amount: Integers, state: States) -> None:
    first, last = spans
    length = last - first
    if len(length) and int(length.max()) > 1:
        starts = np.repeat(first - (np.cumsum(length) - length), length)
        place = starts + np.arange(int(length.sum()), dtype=np.int64)
        out[0][place], out[1][place] = spread(amount, length), np.repeat(state, length)
        return
    out[0][first], out[1][first] = amount, state


def _noted(kind: str, meter: Meter, grid: Grid, slots: Integers, amounts: Integers) -> list[QualityNote]:
    if not len(slots):
        return []
    amount = int(amounts.sum()) / 1000.0
    return [QualityNote(kind, meter.id, len(slots), grid.moment(int(slots[0])), amount)]  # type: ignore[arg-type]


def _outer(values: Numbers) -> tuple[int | None, int | None]:
    position = np.flatnonzero(~np.isnan(values))
    return (int(position[0]), int(position[-1])) if len(position) else (None, None)


Reading = tuple[float, float]


def _neighbours(rows: Rows, wanted: Sequence[int], grid: Grid) -> dict[int, tuple[Reading | None, Reading | None]]:
    """Return the nearest readings outside the period as (slot, value); slots may be fractions of the grid."""
    found: dict[int, tuple[Reading | None, Reading | None]] = {}
    if not wanted:
        return found
    end_us = grid.start_us + grid.slots * grid.step_us
    outside = np.flatnonzero((rows.time_us < grid.start_us) | (rows.time_us > end_us))
    usable = ~np.isnan(rows.value[outside]) & ((rows.time_us[outside] - grid.start_us) % grid.step_us == 0)
    outside = outside[np.isin(rows.code[outside], wanted) & usable]
    known = np.zeros(len(outside), dtype=np.int64) if rows.known_us is None else rows.known_us[outside]
    outside = outside[np.lexsort((rows.value[outside], known, rows.time_us[outside]))]
    time_us, code = rows.time_us[outside], rows.code[outside]
    for row in wanted:
        own = outside[code == row]
        early = own[time_us[code == row] < grid.start_us]
        late = own[time_us[code == row] > end_us]
        before = _reading(rows, early[-1], grid) if len(early) else None
        after = None
        if len(late):
            first_time = late[rows.time_us[late] == rows.time_us[late[0]]]
            after = _reading(rows, first_time[-1], grid)
        found[row] = (before, after)
    return found


def _reading(rows: Rows, index: np.int64, grid: Grid) -> Reading:
    return (int(rows.time_us[index]) - grid.start_us) / grid.step_us, float(rows.value[index])


def _edge_gap(
    row: int, meter: Meter, grid: Grid, start: Reading, end: Reading
) -> tuple[tuple[int, int, int, int], list[QualityNote]]:
    """Return (meter, first, last, amount inside) of one gap that leaves the period."""
    values = np.array([start[1], end[1]])
    own = np.array([max(1, round((end[0] - start[0]) * grid.minutes / meter.interval_minutes))], dtype=np.int64)
    amount, rolled, reset = _stepped(whole_thousandths(values, meter.multiplier), values, meter, own)
    total, length = int(amount[0]), round((end[0] - start[0]) * grid.step_us)
    first, last = max(0.0, start[0]), min(float(grid.slots), end[0])
    until_first = total * round((first - start[0]) * grid.step_us) // length
    until_last = total * round((last - start[0]) * grid.step_us) // length
    slot = np.array([int(first)], dtype=np.int64)
    notes = [
        *_noted("rollover", meter, grid, slot[rolled], amount[rolled]),
        *_noted("reset", meter, grid, slot[reset], amount[reset]),
    ]
    return (row, int(first), int(last), until_last - until_first), notes
