"""Ridge regression on the features, one for each class of horizon, with the spread of held-out errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.forecasting.features import features, ground
from zerofactory.optimisation.forecasting.forecaster import (
    HORIZONS_MIN,
    QUANTILES,
    Fitted,
    Pairs,
    horizon_class,
    pairs,
    prepared,
)
from zerofactory.optimisation.forecasting.history import (
    TARGETS,
    History,
    Numbers,
    Places,
    Target,
    almanac,
    bounded,
    quantiles_in_order,
)
from zerofactory.optimisation.forecasting.spread import Spread, cells, horizons, spread

RIDGE = 1e-2  # of the number of pairs, on standardised features
HELD_OUT_FRACTION = 0.25


@dataclass(frozen=True, slots=True)
class Linear:
    """Departure from the profile of similar days, explained by the features; one ridge regression a horizon class."""

    id: str = "linear"
    title: Text = Text("线性回归", "linear regression")  # noqa: RUF009  (frozen)
    reference: str = (
        "Hoerl and Kennard (1970), Technometrics 12 (1), 55-67; features after Hong (2010), short-term load forecasting"
    )
    targets: tuple[Target, ...] = TARGETS

    def fit(self, history: History, steps: int, quantiles: Sequence[float] = QUANTILES) -> Fitted:
        """Learn on the earlier pairs, take the spread from the later ones, then learn on all."""
        ready = prepared(history)
        known = pairs(ready, steps, most=36_000)
        base = ground(ready, 0)
        table, anchor = features(base, known.origin, known.target)
        aim = ready.values[known.target]
        horizon = horizon_class(known.target - known.origin + 1, ready.minutes)
        early = known.origin < _border(known)
        early &= known.target < _border(known)
        trial = _regress(table[early], (aim - anchor)[early], horizon[early])
        late = known.origin >= _border(known)
        residual = aim[late] - anchor[late] - trial.of(table[late], horizon[late])
        cell = cells(base.calendar, known.target[late], ready.day)
        widths = spread(residual, horizon[late], cell, quantiles)
        return _Fitted(_regress(table, aim - anchor, horizon), widths, base.delay, ready.location)


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """Mean and scale of the features, and one row of weights a horizon class (constant first)."""

    mean: Numbers
    scale: Numbers
    weights: Numbers

    def of(self, table: Numbers, horizon: Places) -> Numbers:
        """Return the regression at rows of features."""
        scaled = np.nan_to_num((table - self.mean) / self.scale, nan=0.0)
        full = np.column_stack([np.ones(len(scaled)), scaled])
        value: Numbers = np.einsum("nf,nf->n", full, self.weights[horizon])
        return value


def _border(known: Pairs) -> int:
    return int(np.quantile(known.origin, 1.0 - HELD_OUT_FRACTION))


def _regress(table: Numbers, aim: Numbers, horizon: Places) -> _Weights:
    sound = np.where(np.isnan(table), 0.0, 1.0)
    many = np.maximum(sound.sum(axis=0), 1.0)
    mean = np.where(sound > 0, table, 0.0).sum(axis=0) / many
    deviation = np.where(sound > 0, table - mean, 0.0)
    root = np.sqrt((deviation**2).sum(axis=0) / many)
    scale = np.where(root > 0.0, root, 1.0)
    full = np.column_stack([np.ones(len(table)), deviation / scale])
    weights: Numbers = np.zeros((len(HORIZONS_MIN), full.shape[1]))
    overall = _ridge(full, aim)
    for one in range(len(HORIZONS_MIN)):
        here = horizon == one
        weights[one] = _ridge(full[here], aim[here]) if here.sum() > 5 * full.shape[1] else overall
    return _Weights(mean, scale, weights)


def _ridge(full: Numbers, aim: Numbers) -> Numbers:
    from threadpoolctl import threadpool_limits

    penalty = np.full(full.shape[1], RIDGE * len(full))
    penalty[0] = 1e-9
    with threadpool_limits(limits=1):  # one order of summing, whatever the machine
        solved = np.linalg.solve(full.T @ full + np.diag(penalty), full.T @ aim)
    return np.asarray(solved, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    weights: _Weights
    spread: Spread
    delay: int
    location: tuple[float, float] | None

    def predict(self, history: History, steps: int) -> Numbers:
        """Return the regression at the next slots with the spread of held-out errors."""
        placed = replace(history, location=self.location)
        slots = history.slots + np.arange(steps, dtype=np.int64)
        table, anchor = features(ground(placed, steps, self.delay), np.full(steps, history.slots), slots)
        horizon = horizons(steps, history.minutes)
        point = anchor + self.weights.of(table, horizon)
        forecast = point[:, None] + self.spread.of(horizon, cells(almanac(history, steps), slots, history.day))
        return quantiles_in_order(bounded(history.target, forecast, float(np.nanmax(history.values))))


FORECASTER = Linear()
