"""Gradient-boosted trees for each quantile, on the departure from the profile of similar days, then made to cover.

Trees are grown by one thread from a fixed seed and without early stopping: the same history gives the same forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.forecasting.features import features, ground
from zerofactory.optimisation.forecasting.forecaster import QUANTILES, SEED, Fitted, horizon_class, pairs, prepared
from zerofactory.optimisation.forecasting.history import (
    TARGETS,
    History,
    Numbers,
    Target,
    almanac,
    bounded,
    quantiles_in_order,
)
from zerofactory.optimisation.forecasting.spread import Spread, cells, horizons, spread

ROUNDS, LEAVES, RATE, FEWEST_IN_LEAF, PAIRS = 80, 16, 0.1, 40, 16_000
HELD_OUT_FRACTION = 0.2


@dataclass(frozen=True, slots=True)
class GradientBoosting:
    """One boosted model a quantile; each is moved by the quantile of its residuals on the last fifth of the history."""

    id: str = "gradient_boosting"
    title: Text = Text("梯度提升分位数", "gradient-boosted quantiles")  # noqa: RUF009  (frozen)
    reference: str = "Friedman (2001), Annals of Statistics 29 (5), 1189-1232; made to cover after Romano, Patterson and Candès (2019), NeurIPS"
    targets: tuple[Target, ...] = TARGETS

    def fit(self, history: History, steps: int, quantiles: Sequence[float] = QUANTILES) -> Fitted:
        """Learn on the earlier part, take the correction of each quantile from the later, then learn on all."""
        ready = prepared(history)
        known = pairs(ready, steps, most=PAIRS)
        base = ground(ready, 0)
        table, anchor = features(base, known.origin, known.target)
        aim = ready.values[known.target] - anchor
        border = int(np.quantile(known.origin, 1.0 - HELD_OUT_FRACTION))
        early, late = known.target < border, known.origin >= border
        trial = _grow(table[early], aim[early], quantiles)
        residual = aim[late][:, None] - _ask(trial, table[late])
        middle = [k for k, q in enumerate(quantiles) if q == 0.5]
        horizon = horizon_class(known.target - known.origin + 1, ready.minutes)[late]
        correction = spread(residual, horizon, cells(base.calendar, known.target[late], ready.day), quantiles)
        for part in (correction.fine, correction.coarse):
            part[..., middle] = np.where(np.isnan(part[..., middle]), np.nan, 0.0)  # the median stays as learnt
        return _Fitted(_grow(table, aim, quantiles), correction, base.delay, ready.location)


def _grow(table: Numbers, aim: Numbers, quantiles: Sequence[float]) -> list[Any]:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    models = []
    with threadpool_limits(limits=1):
        for quantile in quantiles:
            model = HistGradientBoostingRegressor(
                loss="quantile", quantile=quantile, max_iter=ROUNDS, max_leaf_nodes=LEAVES, learning_rate=RATE,
                min_samples_leaf=FEWEST_IN_LEAF, early_stopping=False, random_state=SEED,
            )  # fmt: skip
            models.append(model.fit(table, aim))
    return models


def _ask(models: list[Any], table: Numbers) -> Numbers:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return np.column_stack([model.predict(table) for model in models])


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    models: list[Any]
    correction: Spread
    delay: int
    location: tuple[float, float] | None

    def predict(self, history: History, steps: int) -> Numbers:
        """Return the corrected quantiles of the next slots."""
        placed = replace(history, location=self.location)
        slots = history.slots + np.arange(steps, dtype=np.int64)
        table, anchor = features(ground(placed, steps, self.delay), np.full(steps, history.slots), slots)
        cell = cells(almanac(history, steps), slots, history.day)
        forecast = (
            anchor[:, None] + _ask(self.models, table) + self.correction.of(horizons(steps, history.minutes), cell)
        )
        return quantiles_in_order(bounded(history.target, forecast, float(np.nanmax(history.values))))


FORECASTER = GradientBoosting()
