"""What a forecaster must offer, and the pairs of origin and target it learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from zerofactory.discover import discover
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.forecasting.history import DAY_MINUTES, History, Numbers, Places, Target, filled
from zerofactory.optimisation.forecasting.solar import locate
from zerofactory.periods import zone

QUANTILES = (0.1, 0.5, 0.9)
HORIZONS_MIN = (15, 60, 360, 1440, 4320, 10080)  # upper ends of the horizon classes in which skill and spread are kept
SEED = 20250101
SHORTEST_DAYS = 15  # two weeks and a day: a weekly season and something to compare it with


class Fitted(Protocol):
    """A forecaster that has learnt from a history."""

    def predict(self, history: History, steps: int) -> Numbers:
        """Return quantiles (steps × Q) of the slots after a history, which may be longer than the one learnt from."""
        ...


class Forecaster(Protocol):
    """A way to forecast. ``reference`` names its source, ``targets`` what it is for."""

    @property
    def id(self) -> str:
        """Name of its file."""
        ...

    @property
    def title(self) -> Text:
        """Name in both languages."""
        ...

    @property
    def reference(self) -> str:
        """Where the method is described."""
        ...

    @property
    def targets(self) -> tuple[Target, ...]:
        """What it can forecast."""
        ...

    def fit(self, history: History, steps: int, quantiles: Sequence[float] = QUANTILES) -> Fitted:
        """Learn from a history to forecast up to ``steps`` slots ahead; the same history gives the same forecaster."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Origins and targets to learn from, in order of their origin; all targets lie inside the history."""

    origin: Places
    target: Places

    def __len__(self) -> int:
        """How many there are."""
        return len(self.origin)

    def where(self, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Pairs:
        """Return some of them."""
        return Pairs(self.origin[chosen], self.target[chosen])


def pairs(history: History, steps: int, per_origin: int = 12, most: int = 24_000) -> Pairs:
    """Return pairs spread evenly over the history, their steps ahead spread evenly over the logarithm of the horizon."""
    first = min(8 * history.day, history.slots // 3)
    last = history.slots - 1
    many = max(min(most // per_origin, last - first), 1)
    origin = np.unique(np.linspace(first, last, many).astype(np.int64))
    random = np.random.Generator(np.random.PCG64(SEED))
    drawn = np.exp(random.uniform(0.0, np.log(steps + 1.0), (len(origin), per_origin))).astype(np.int64) - 1
    target = (origin[:, None] + np.clip(drawn, 0, steps - 1)).ravel()
    origin = np.repeat(origin, per_origin)
    inside = target < history.slots
    inside[inside] &= ~np.isnan(history.values[target[inside]])
    return Pairs(origin[inside], target[inside])


def horizon_class(steps: Places, minutes: int) -> Places:
    """Return the class of each number of steps ahead (1 = the next interval).

    Examples
    --------
    >>> horizon_class(np.array([1, 4, 96, 672]), 15).tolist()
    [0, 1, 3, 5]
    """
    ahead = np.asarray(steps) * minutes
    return np.minimum(np.searchsorted(np.array(HORIZONS_MIN), ahead, side="left"), len(HORIZONS_MIN) - 1).astype(
        np.int64
    )


def forecasters(target: Target | None = None) -> Mapping[str, Forecaster]:
    """Return every forecaster by id, or those for one target."""
    found = discover("zerofactory.optimisation.forecasting.forecasters", "FORECASTER", "zerofactory.forecasters")
    return {name: one for name, one in found.items() if target is None or target in one.targets}


def forecaster(name: str, target: Target) -> Forecaster:
    """Return a forecaster by id; raise `NotFound` with those for the target."""
    choices = forecasters(target)
    if name not in choices:
        raise NotFound(Text("预测方法", "forecaster"), name, tuple(choices))
    return choices[name]


def prepared(history: History) -> History:
    """Return the history with the place of a PV plant found where none is given.

    Raises
    ------
    FaultyData
        Too short to learn a week from, or nothing in it.
    """
    if history.slots < SHORTEST_DAYS * history.day or np.isnan(history.values).mean() > 0.5:
        raise FaultyData([_too_short(history)])
    if history.target != "pv" or history.location is not None:
        return history
    offset = zone(history.time_zone).utcoffset(history.start.replace(tzinfo=None))
    hours = offset.total_seconds() / 3600.0 if offset else 0.0
    last = max(history.slots - 60 * history.day, 0)
    return replace(history, location=locate(history.moment(last), history.minutes, history.values[last:], hours))


def _too_short(history: History) -> Problem:
    days = history.slots * history.minutes // DAY_MINUTES
    return Problem(
        code="forecasting.too_short",
        message=Text(
            f"历史数据 {days} 天, 其中缺失 {int(np.isnan(history.values).sum())} 个时段, 不足以学习。",
            f"The history of {days} days, {int(np.isnan(history.values).sum())} intervals of it missing, is too little to learn from.",
        ),
        hint=Text(
            f"至少需要 {SHORTEST_DAYS} 天、半数以上有值。",
            f"Give at least {SHORTEST_DAYS} days, more than half of it there.",
        ),
    )


def season_of(history: History) -> int:
    """Return the season in slots, a day or a week, that repeated the history more closely (mean absolute difference)."""
    values = filled(history.values, history.day)
    errors = {}
    for season in (history.day, 7 * history.day):
        window = values[7 * history.day :]
        errors[season] = float(np.abs(window - values[7 * history.day - season : len(values) - season]).mean())
    return min(errors, key=lambda season: errors[season])
