"""From residuals to quantiles: what a forecaster missed by in the past, by horizon, hour and kind of day.

Quantiles of held-out residuals added to a forecast cover as they say as long as the future errs like the past (split
conformal prediction: Vovk, Gammerman and Shafer 2005; for quantile regression Romano, Patterson and Candès 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.optimisation.forecasting.forecaster import HORIZONS_MIN, horizon_class
from zerofactory.optimisation.forecasting.history import Almanac, Numbers, Places

HOUR_CLASSES = 8
FEWEST = 40  # residuals in a class below which the wider class is asked


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Quantiles of residuals by horizon class × (hour class × working or not), and by horizon class alone."""

    fine: Numbers
    coarse: Numbers

    def of(self, horizon: Places, cell: Places) -> Numbers:
        """Return the quantiles to add (N × Q)."""
        fine = self.fine[horizon, cell]
        chosen: Numbers = np.where(np.isnan(fine), self.coarse[horizon], fine)
        return chosen


def cells(calendar: Almanac, slots: Places, day: int) -> Places:
    """Return the cell of slots: hour class and whether the plant works."""
    hour = calendar.slot_of_day[slots] * HOUR_CLASSES // day
    return np.asarray(hour + HOUR_CLASSES * calendar.working[slots], dtype=np.int64)


def spread(residual: Numbers, horizon: Places, cell: Places, quantiles: Sequence[float]) -> Spread:
    """Return the spread of residuals (N, or N × Q for one residual a quantile)."""
    classes, count = len(HORIZONS_MIN), len(quantiles)
    wide = np.repeat(residual[:, None], count, axis=1) if residual.ndim == 1 else residual
    fine = np.full((classes, 2 * HOUR_CLASSES, count), np.nan)
    coarse = np.zeros((classes, count))
    everything = _levels(wide, quantiles) if len(wide) else np.zeros(count)
    for one in range(classes):
        here = horizon == one
        coarse[one] = _levels(wide[here], quantiles) if here.sum() >= FEWEST else everything
        for name in np.unique(cell[here]):
            inside = here & (cell == name)
            if inside.sum() >= FEWEST:
                fine[one, name] = _levels(wide[inside], quantiles)
    return Spread(fine, coarse)


def _levels(residual: Numbers, quantiles: Sequence[float]) -> Numbers:
    """Return each column's quantile at its level, moved outward by the finite-sample term (n + 1) / n."""
    number = len(residual)
    levels = [0.5 + (q - 0.5) * (number + 1) / number for q in quantiles]
    return np.array([np.quantile(residual[:, k], min(max(level, 0.0), 1.0)) for k, level in enumerate(levels)])


def horizons(steps: int, minutes: int) -> Places:
    """Return the horizon class of the next ``steps`` slots."""
    return horizon_class(np.arange(1, steps + 1, dtype=np.int64), minutes)
