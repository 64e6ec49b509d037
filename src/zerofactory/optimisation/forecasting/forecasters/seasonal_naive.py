"""Tomorrow as yesterday, or as the same day last week: the yardstick of every other forecaster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.forecasting.forecaster import QUANTILES, Fitted, horizon_class, pairs, prepared, season_of
from zerofactory.optimisation.forecasting.history import (
    TARGETS,
    History,
    Numbers,
    Places,
    Target,
    almanac,
    bounded,
    filled,
    quantiles_in_order,
)
from zerofactory.optimisation.forecasting.spread import Spread, cells, horizons, spread


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """The value one season ago; the season, a day or a week, is the one that repeated the history more closely."""

    id: str = "seasonal_naive"
    title: Text = Text("季节性朴素", "seasonal naive")  # noqa: RUF009  (frozen)
    reference: str = "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), section 5.2"
    targets: tuple[Target, ...] = TARGETS

    def fit(self, history: History, steps: int, quantiles: Sequence[float] = QUANTILES) -> Fitted:
        """Choose the season and learn the spread of its errors."""
        ready = prepared(history)
        season, known = season_of(ready), pairs(ready, steps)
        values, delay = filled(ready.values, ready.day), ready.delay()
        residual = ready.values[known.target] - _before(values, known.target, known.origin - delay, season)
        horizon = horizon_class(known.target - known.origin + 1, ready.minutes)
        cell = cells(almanac(ready, 0), known.target, ready.day)
        return _Fitted(season, spread(residual, horizon, cell, quantiles))


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    season: int
    spread: Spread

    def predict(self, history: History, steps: int) -> Numbers:
        """Return the value one season ago with the spread of past errors."""
        slots = history.slots + np.arange(steps, dtype=np.int64)
        values = filled(history.values, history.day)
        point = _before(values, slots, np.full(steps, history.slots), self.season)
        cell = cells(almanac(history, steps), slots, history.day)
        forecast = point[:, None] + self.spread.of(horizons(steps, history.minutes), cell)
        return quantiles_in_order(bounded(history.target, forecast, float(values.max())))


def _before(values: Numbers, target: Places, known: Places, season: int) -> Numbers:
    back = np.maximum((target - known) // season + 1, 1) * season
    found: Numbers = values[np.maximum(target - back, 0)]
    return found


FORECASTER = SeasonalNaive()
