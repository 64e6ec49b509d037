"""The open month: readings as they come in any order → amounts per slot, by the rules that closing uses, kept up to date.

    reading in order on a sound meter     one slot is written (all such meters at once)
    anything else (gap, fall, correction) the meter's row is worked out anew by `metering.interval.amounts_of` and `metering.fill`

Slots that are over and have no reading are estimated as closing would, from what is known so far; when the last slot is over
the amounts are those that closing books from the same readings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from zerofactory.metering.fill import fill
from zerofactory.metering.grid import DAY_MINUTES, Grid, Integers, grid_of
from zerofactory.metering.interval import ESTIMATED, MEASURED, MISSING, MeterMonth, amounts_of
from zerofactory.metering.scatter import Dense, Numbers, Rows
from zerofactory.periods import Period
from zerofactory.site.model import Plant

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LiveRules:
    """How what has not come in is treated; meaning and source in `live.toml`."""

    grace_intervals: int
    rows_settled_at_once: int
    tail_seconds: float
    refresh_seconds: float


@lru_cache(maxsize=1)
def live_rules() -> LiveRules:
    """Return the packaged rules."""
    table = tomllib.loads((files("zerofactory.monitoring") / "live.toml").read_text(encoding="utf-8"))
    return LiveRules(**{name: table[name] for name in LiveRules.__dataclass_fields__})


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """Readings as columns. ``meter`` is a place among the plant's real meters, ``state`` the place in `QUALITIES` plus one."""

    meter: Integers
    started_us: Integers
    known_us: Integers
    value: Numbers
    state: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Totals of every real meter in thousandths of its amount unit: month and day, the estimated part, cost so far."""

    month_milli: Integers
    day_milli: Integers
    estimated_milli: Integers
    month_cny: Numbers
    day_cny: Numbers


class OpenMonth:
    """Amounts of every real meter in every slot of one open month.

    Parameters
    ----------
    prices : mapping of meter to array (T), optional
        CNY per amount unit in every slot, for the meters whose carrier has a price.
    """

    def __init__(self, plant: Plant, period: Period, prices: dict[str, Numbers] | None = None) -> None:
        self.plant, self.period = plant, period
        self.grid: Grid = grid_of(plant, period)
        self.meters = tuple(meter for meter in plant.meters if meter.kind != "virtual")
        self.row_of = {meter.id: row for row, meter in enumerate(self.meters)}
        count, slots = len(self.meters), self.grid.slots
        # Meter × slot, laid out slot by slot: what comes in together stands together, and slots to come take no memory.
        self._values = np.zeros((slots + 1, count)).T
        self._states = np.zeros((slots + 1, count), dtype=np.uint8).T  # 0: no reading
        self._known = np.zeros((slots + 1, count), dtype=np.int64).T
        self.amount = np.zeros((slots, count), dtype=np.int64).T
        self.state = np.zeros((slots, count), dtype=np.uint8).T
        self._written = np.zeros(count, dtype=np.int64)  # slots that may hold something
        self.reached = np.zeros(count, dtype=np.int64)  # slots that are over, by the meter's own readings
        self.newest_known_us = np.zeros(count, dtype=np.int64)
        self.month_milli = np.zeros(count, dtype=np.int64)
        self.estimated_milli = np.zeros(count, dtype=np.int64)
        self.month_cny = np.zeros(count)
        self._prices = _price_rows(self.meters, prices or {})
        self._rough = np.zeros(count, dtype=np.bool_)  # a register that fell: only the whole row can tell why
        self._unsettled: dict[int, None] = {}
        self._settled_until = np.zeros(count, dtype=np.int64)
        self._gappy = np.zeros(count, dtype=np.bool_)
        self._own = np.array([meter.interval_minutes // self.grid.minutes for meter in self.meters], dtype=np.int64)
        self._allowed = [None if own == 1 else self._edges(row) for row, own in enumerate(self._own.tolist())]
        self._rules = _Rules(self.meters, self.grid)

    @property
    def horizon(self) -> int:
        """Slots that are over for the plant: as far as half of the meters that report have come."""
        there = self.reached[self.reached > 0]
        return int(np.sort(there)[len(there) // 2]) if len(there) else 0

    @property
    def unsettled(self) -> int:
        """Meters whose gaps wait to be estimated anew."""
        return len(self._unsettled)

    @property
    def late(self) -> int:
        """Meters that have not reported or are behind the others by more than is granted."""
        behind = self.horizon - self.reached
        return int(((self.reached == 0) | (behind >= live_rules().grace_intervals * self._own)).sum())

    def take(self, incoming: Incoming) -> None:
        """Take readings; of repeated ones the newest known holds, among equals the greatest value (as in closing)."""
        place, slot = self._placed(incoming)
        if not len(place):
            return
        meter, known = incoming.meter[place], incoming.known_us[place]
        np.maximum.at(self.newest_known_us, meter, known)
        value, state = incoming.value[place], incoming.state[place]
        before, had = self._known[meter, slot], self._states[meter, slot]
        newer = (had == 0) | (known > before) | ((known == before) & (value > self._values[meter, slot]))
        meter, slot, known, value, state, had = (column[newer] for column in (meter, slot, known, value, state, had))
        self._values[meter, slot], self._states[meter, slot], self._known[meter, slot] = value, state, known
        plain = self._is_plain(meter, slot, state, had)
        slow = np.unique(meter[~plain]).tolist()
        quick = ~np.isin(meter, slow)
        self._step(meter[quick], slot[quick])
        for row in slow:
            self._rework(row, filling=len(slow) <= live_rules().rows_settled_at_once)
        self._mark_late()

    def settle(self, everything: bool = False) -> None:
        """Estimate gaps anew, of some meters or of all."""
        self._mark_late()
        rows = list(self._unsettled)
        for row in rows if everything else rows[: live_rules().rows_settled_at_once]:
            self._unsettled.pop(row, None)
            self._rework(row, filling=True)

    def sums(self, first: int, last: int) -> Sums:
        """Return the totals of every meter, the day being the slots from ``first`` to ``last``."""
        day = self.amount[:, first:last]
        cost = np.zeros(len(self.meters))
        for row, price in self._prices.items():
            cost[row] = float(day[row] @ price[first:last]) / 1000.0
        return Sums(self.month_milli.copy(), day.sum(axis=1), self.estimated_milli.copy(), self.month_cny.copy(), cost)

    def meter_month(self) -> MeterMonth:
        """Return the month as closing sees it, real meters only; slots to come are missing."""
        from zerofactory.metering.register import no_bridges

        return MeterMonth(
            meter_ids=tuple(meter.id for meter in self.meters),
            units=tuple(meter.amount_unit for meter in self.meters),
            own_minutes=tuple(meter.interval_minutes for meter in self.meters),
            grid=self.grid,
            amount_milli=self.amount,
            state=self.state,
            bridges=no_bridges(),
        )

    def closing_readings(self) -> Incoming:
        """Return the register readings at the first instant of the next month: its opening readings."""
        last = self.grid.slots
        rows = np.flatnonzero(self._states[:, last])
        moment = np.full(len(rows), self.grid.start_us + last * self.grid.step_us, dtype=np.int64)
        return Incoming(rows, moment, self._known[rows, last], self._values[rows, last], self._states[rows, last])

    def priced(self, row: int) -> bool:
        """Whether a meter's amounts have a price."""
        return row in self._prices

    def last_reading(self, row: int) -> tuple[int, float] | None:
        """Return slot and value of the newest reading of a meter."""
        there = np.flatnonzero(self._states[row])
        return (int(there[-1]), float(self._values[row, there[-1]])) if len(there) else None

    def _edges(self, row: int) -> Flags:
        allowed = np.zeros(self.grid.slots + 1, dtype=np.bool_)
        allowed[self.grid.edges(self.meters[row].interval_minutes)] = True
        return allowed

    def _placed(self, incoming: Incoming) -> tuple[Integers, Integers]:
        """Return which readings fall on a slot of their meter in this month, oldest known first, and the slot of each."""
        since = incoming.started_us - self.grid.start_us
        slot = since // self.grid.step_us
        last = self.grid.slots - 1 + self._rules.register[incoming.meter]
        fits = (incoming.meter >= 0) & (slot >= 0) & (slot <= last) & (slot * self.grid.step_us == since)
        fits &= np.isfinite(incoming.value)
        place = np.flatnonzero(fits)
        coarse = [n for n in place.tolist() if self._own[incoming.meter[n]] > 1] if (self._own > 1).any() else []
        off = [n for n in coarse if not _is_on(self._allowed[int(incoming.meter[n])], int(slot[n]))]
        if off:
            place = np.setdiff1d(place, np.array(off))
        cell = incoming.meter[place] * (self.grid.slots + 1) + slot[place]
        order = np.lexsort((incoming.value[place], incoming.known_us[place], cell))
        cell, place = cell[order], place[order]
        place = place[np.append(cell[1:] != cell[:-1], True)] if len(place) else place  # the newest known of each place
        return place, slot[place]

    def _is_plain(self, meter: Integers, slot: Integers, state: NDArray[np.uint8], had: NDArray[np.uint8]) -> Flags:
        """Return which readings, just written, are new, measured, after all before them, and within bounds.

        A register's must follow the reading of the slot before (which may have come with it).
        """
        plain: Flags = (had == 0) & (state == MEASURED) & (self._own[meter] == 1) & ~self._rough[meter]
        register = self._rules.register[meter] == 1
        behind = np.maximum(slot - 1, 0)
        value, before = self._values[meter, slot], self._values[meter, behind]
        follows = (slot > self.reached[meter]) & (self._states[meter, behind] == MEASURED) & (slot > 0)
        rise = self._rules.whole(meter, value) - self._rules.whole(meter, before)
        rises = follows & (value >= before) & (rise <= self._rules.most[meter])
        inside = (slot >= self.reached[meter]) & (value >= self._rules.low[meter]) & (value <= self._rules.high[meter])
        plain &= np.where(register, rises, inside)
        return plain

    def _step(self, meter: Integers, slot: Integers) -> None:
        """Write the slots of plain readings."""
        if not len(meter):
            return
        register = self._rules.register[meter]
        place = slot - register
        amount = self._rules.whole(meter, self._values[meter, slot])
        amount -= np.where(register == 1, self._rules.whole(meter, self._values[meter, np.maximum(place, 0)]), 0)
        held = self.amount[meter, place]  # what was estimated while the meter was late
        guessed = np.where(self.state[meter, place] == ESTIMATED, np.abs(held), 0)
        self.amount[meter, place], self.state[meter, place] = amount, MEASURED
        change = amount - held
        np.add.at(self.month_milli, meter, change)
        np.subtract.at(self.estimated_milli, meter, guessed)
        for row, at, milli in zip(meter.tolist(), place.tolist(), change.tolist(), strict=True) if self._prices else ():
            price = self._prices.get(row)
            if price is not None:
                self.month_cny[row] += milli / 1000.0 * price[at]
        before = self.reached.copy()
        np.maximum.at(self.reached, meter, place + 1)
        np.maximum(self._written, self.reached, out=self._written)
        holes = self.reached - before > np.bincount(meter, minlength=len(self.meters))
        self._unsettled.update(dict.fromkeys(np.flatnonzero(holes).tolist()))

    def _rework(self, row: int, *, filling: bool = False) -> None:
        """Work out a meter's row anew from all its readings."""
        meter, states = self.meters[row], self._states[row]
        values = np.where(states > 0, self._values[row], np.nan)
        amount, state = np.zeros(self.grid.slots, dtype=np.int64), np.zeros(self.grid.slots, dtype=np.uint8)
        bridges, _ = amounts_of(Dense(values[None], states[None], NO_ROWS), 0, meter, self.grid, (amount, state))
        there = np.flatnonzero(states)
        register = meter.kind == "register"
        self._rough[row] = register and bool((np.diff(values[there]) < 0.0).any())
        self.reached[row] = _over(there, register, int(self._own[row]), self.grid.slots)
        until = self._due(row)
        self._gappy[row] = bool((state[:until] == MISSING).any())
        if self._gappy[row]:
            if filling:
                amount, state = self._filled(row, replace(_alone(self, row, amount, state), bridges=bridges), until)
            else:
                self._unsettled[row] = None
        self._settled_until[row] = until
        end = int(max(until, self.reached[row], self._written[row]))
        self.amount[row, :end], self.state[row, :end], self._written[row] = amount[:end], state[:end], end
        self.month_milli[row] = amount.sum()
        self.estimated_milli[row] = np.abs(amount[state == ESTIMATED]).sum()
        if row in self._prices:
            self.month_cny[row] = float(amount @ self._prices[row]) / 1000.0

    def _filled(self, row: int, month: MeterMonth, until: int) -> tuple[Integers, NDArray[np.uint8]]:
        """Return the row with the gaps among its first slots estimated as closing would."""
        grid = replace(
            self.grid, slots=until, slot_of_day=self.grid.slot_of_day[:until], workday=self.grid.workday[:until]
        )
        cut = replace(month, grid=grid, amount_milli=month.amount_milli[:, :until], state=month.state[:, :until])
        done, _ = fill(cut, self.plant)
        amount, state = month.amount_milli[0].copy(), month.state[0].copy()
        amount[:until], state[:until] = done.amount_milli[0], done.state[0]
        return amount, state

    def _due(self, row: int) -> int:
        """Return how many slots of a meter should be known by now: its own, or the plant's when it is late."""
        horizon, reached = self.horizon, int(self.reached[row])
        late = horizon - reached >= live_rules().grace_intervals * int(self._own[row]) or horizon == self.grid.slots
        return max(horizon, reached) if late else reached

    def _mark_late(self) -> None:
        """Mark the meters whose end must be estimated because the others are further, and gaps that a day more tells better."""
        horizon = self.horizon
        grace = live_rules().grace_intervals * self._own if horizon < self.grid.slots else np.ones_like(self._own)
        late = (horizon - self.reached >= grace) & (self._settled_until < horizon)
        day, ended = DAY_MINUTES // self.grid.minutes, self.reached == self.grid.slots
        late |= self._gappy & (self.reached - self._settled_until >= np.where(ended, 1, day))
        self._unsettled.update(dict.fromkeys(np.flatnonzero(late).tolist()))


class _Rules:
    """What the quick way needs of every meter, as arrays."""

    def __init__(self, meters: Sequence[object], grid: Grid) -> None:
        from zerofactory.site.model import Meter

        known = [meter for meter in meters if isinstance(meter, Meter)]
        self.register = np.array([meter.kind == "register" for meter in known], dtype=np.int64)
        self._hours = np.array([grid.minutes / 60.0 if meter.kind == "gauge" else 1.0 for meter in known])
        self._scale = np.array([meter.multiplier * 1000.0 for meter in known])
        most = [
            np.inf if meter.maximum is None else np.floor(meter.maximum * meter.multiplier * 1000.0 + 0.5)
            for meter in known
        ]
        least = [np.ceil((meter.minimum or 0.0) * meter.multiplier * 1000.0 - 0.5) for meter in known]
        self.most = np.where(np.array(least) > 0.0, -1.0, np.array(most))  # a least rise is left to the slow way
        self.low = np.array([-np.inf if meter.minimum is None else meter.minimum for meter in known])
        self.high = np.array([np.inf if meter.maximum is None else meter.maximum for meter in known])

    def whole(self, meter: Integers, value: Numbers) -> Integers:
        """Return values as whole thousandths of the amount unit, rounded as closing rounds them."""
        whole: Integers = np.rint((value * self._hours[meter]) * self._scale[meter]).astype(np.int64)
        return whole


NO_ROWS = Rows(
    np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64), np.zeros(0), None, None
)  # `differences` looks at none: closing sees no reading outside its month either


def _alone(month: OpenMonth, row: int, amount: Integers, state: NDArray[np.uint8]) -> MeterMonth:
    from zerofactory.metering.register import no_bridges

    meter = month.meters[row]
    return MeterMonth(
        (meter.id,),
        (meter.amount_unit,),
        (meter.interval_minutes,),
        month.grid,
        amount[None],
        state[None],
        no_bridges(),
    )


def _over(there: Integers, register: bool, own: int, slots: int) -> int:
    """Return how many slots are over by a meter's newest reading."""
    if not len(there):
        return 0
    return int(there[-1]) if register else min(slots, int(there[-1]) + own)


def _is_on(allowed: Flags | None, slot: int) -> bool:
    return allowed is None or bool(allowed[slot])


def _price_rows(meters: Sequence[object], prices: dict[str, Numbers]) -> dict[int, Numbers]:
    return {row: prices[meter.id] for row, meter in enumerate(meters) if meter.id in prices}  # type: ignore[attr-defined]
