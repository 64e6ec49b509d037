"""Amounts of the twin's meters up to a moment: from the book for a moment gone by, from the open month and the collector for now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zerofactory.connectors.health import read_status
from zerofactory.errors import FaultyData
from zerofactory.metering.grid import Integers
from zerofactory.metering.interval import MANUAL, MEASURED, SUSPECT
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.live import Follower, running_of
from zerofactory.runs.profile import meter_month, months_of

States = NDArray[np.uint8]
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What a meter shows beyond its last whole interval: amount an hour, the amount since, and when it was read."""

    per_hour: float | None
    amount: float
    at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Slots of one length up to a moment: thousandths of each meter's unit and whether they were measured (meters × slots)."""

    names: tuple[str, ...]
    start: datetime
    minutes: int
    amount_milli: Integers
    state: States
    running: Mapping[str, Rate] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        """How many slots are over."""
        return int(self.amount_milli.shape[1])

    def moment(self, slot: int) -> datetime:
        """Return the first instant of a slot, UTC."""
        return self.start + timedelta(minutes=self.minutes * int(slot))

    def known(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return the slots in which every one of some meters was read."""
        rows = [self.names.index(name) for name in names if name in self.names]
        if len(rows) < len(names):
            return np.zeros(self.slots, dtype=np.bool_)
        there: NDArray[np.bool_] = np.all(
            np.isin(self.state[rows], (MEASURED, MANUAL, SUSPECT)), axis=0, keepdims=False
        )
        return there

    def doubted(self, names: Sequence[str], slot: int) -> bool:
        """Tell whether a reading of some meters in a slot is suspect."""
        rows = [self.names.index(name) for name in names]
        return bool((self.state[rows, slot] == SUSPECT).any())

    def amount(self, name: str) -> NDArray[np.float64]:
        """Return the amounts of a meter in its unit; not-a-number where nothing was read."""
        found: NDArray[np.float64] = np.where(
            self.known([name]), self.amount_milli[self.names.index(name)] / 1000.0, np.nan
        )
        return found


class Spans(Protocol):
    """Where spans come from."""

    def span(self, first: datetime, at: datetime) -> Span | None:
        """Return the slots that lie between two moments, or None where there are no readings."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


class Booked:
    """Months as they are in the book; the last two asked for are kept."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept: dict[str, Span | None] = {}

    def span(self, first: datetime, at: datetime) -> Span | None:
        """Return the slots between two moments; of two months where they touch."""
        zone = self._context.workspace.plant.time_zone
        labels = dict.fromkeys(Period.containing(one, zone).label for one in (first, at))
        parts = [one for label in labels if (one := self._month(label)) is not None]
        if not parts:
            return None
        whole = parts[0] if len(parts) == 1 else _joined(parts[0], parts[1])
        return _cut(whole, first, at)

    def close(self) -> None:
        """Nothing is held open."""

    def _month(self, label: str) -> Span | None:
        if label not in self._kept:
            while len(self._kept) > 1:
                self._kept.pop(next(iter(self._kept)))
            self._kept[label] = self._read(label) if label in months_of(self._context) else None
        return self._kept[label]

    def _read(self, label: str) -> Span:
        month = meter_month(self._context, label)
        return Span(month.meter_ids, month.start, month.interval_minutes, month.amount_milli, month.state)


class Followed:
    """The open month as `zf live` follows it, with what registers show since their last whole slot."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._follower: Follower | None = None

    def span(self, first: datetime, at: datetime) -> Span | None:
        """Return the slots between two moments as far as they are known now."""
        try:
            if self._follower is None:
                self._follower = Follower(self._context)
            else:
                self._follower.take()
        except FaultyData as fault:
            if any(one.code == "live.no_readings" for one in fault.problems):
                return None
            raise
        month = self._follower.live.month
        names = tuple(meter.id for meter in month.meters)
        reached = int(month.reached.max()) if names else 0
        whole = Span(names, month.grid.start, month.grid.minutes, month.amount[:, :reached], month.state[:, :reached])
        found = _cut(whole, first, at)
        return (
            None
            if found is None
            else Span(names, found.start, found.minutes, found.amount_milli, found.state, self._rates())
        )

    def close(self) -> None:
        """Let go of the spool."""
        if self._follower is not None:
            self._follower.close()

    def _rates(self) -> dict[str, Rate]:
        follower = self._follower
        if follower is None:
            return {}
        path = self._context.workspace.folder / "collect" / "latest.json"
        shown, per_hour = read_status(path), 60.0 / follower.live.month.grid.minutes
        return {
            name: Rate(
                None if one.slot_milli is None else one.slot_milli / 1000.0 * per_hour,
                one.amount_milli / 1000.0,
                datetime.fromtimestamp(int(shown[name][0]) / SECOND_US, UTC),
            )
            for name, one in running_of(path, follower.live).items()
            if name in shown
        }


def _joined(one: Span, other: Span) -> Span:
    """Return two months as one, of the meters that both have, where their slots are alike."""
    if one.minutes != other.minutes or one.moment(one.slots) != other.start:
        return other
    names = tuple(name for name in other.names if name in one.names)
    before, after = ([part.names.index(name) for name in names] for part in (one, other))
    return Span(
        names, one.start, one.minutes,
        np.concatenate([one.amount_milli[before], other.amount_milli[after]], axis=1),
        np.concatenate([one.state[before], other.state[after]], axis=1),
    )  # fmt: skip


def _cut(whole: Span, first: datetime, at: datetime) -> Span | None:
    """Return the whole slots from one moment to another, the last one there is at least."""
    step = timedelta(minutes=whole.minutes)
    begin = max(-((whole.start - first) // step), 0)
    end = min((at - whole.start) // step, whole.slots)
    if end <= 0:
        return None
    begin = min(begin, end - 1)
    return Span(
        whole.names, whole.moment(begin), whole.minutes, whole.amount_milli[:, begin:end], whole.state[:, begin:end], whole.running
    )  # fmt: skip
