"""How good a forecast was: pinball loss, coverage, mean absolute error, and skill with its own interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zerofactory.optimisation.forecasting.history import Numbers

RESAMPLES = 400
SEED = 7


def pinball(actual: Numbers, forecast: Numbers, quantiles: Sequence[float]) -> Numbers:
    """Return the mean pinball loss of each interval over the quantiles (N), in the unit of the series.

    L = max(q (y − f), (q − 1)(y − f)): Koenker and Bassett (1978), Econometrica 46, 33–50; Gneiting and Raftery (2007).

    Examples
    --------
    >>> pinball(np.array([10.0]), np.array([[8.0, 10.0, 14.0]]), (0.1, 0.5, 0.9)).round(6).tolist()
    [0.2]
    """
    miss = actual[:, None] - forecast
    levels = np.asarray(quantiles)
    loss: Numbers = np.maximum(levels * miss, (levels - 1.0) * miss).mean(axis=1)
    return loss


def coverage_fraction(actual: Numbers, forecast: Numbers) -> float:
    """Return how often the value lay within the outermost quantiles.

    Examples
    --------
    >>> coverage_fraction(np.array([1.0, 5.0]), np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]))
    0.5
    """
    return float(((actual >= forecast[:, 0]) & (actual <= forecast[:, -1])).mean())


def median_of(forecast: Numbers, quantiles: Sequence[float]) -> Numbers:
    """Return the quantile nearest one half (N)."""
    middle: Numbers = forecast[:, int(np.argmin(np.abs(np.asarray(quantiles) - 0.5)))]
    return middle


def skill(loss: Numbers, yardstick: Numbers) -> tuple[float, float, float]:
    """Return 1 − loss ÷ yardstick with its 95 % interval, from the sums of each origin (N).

    Origins are drawn again with replacement (bootstrap: Efron and Tibshirani 1993, chapter 13), so that errors which belong
    together stay together.

    Examples
    --------
    >>> [round(part, 3) for part in skill(np.array([1.0, 1.0]), np.array([2.0, 2.0]))]
    [0.5, 0.5, 0.5]
    """
    base = float(yardstick.sum())
    if base <= 0.0:
        return (0.0, 0.0, 0.0) if float(loss.sum()) <= 0.0 else (-np.inf, -np.inf, -np.inf)
    drawn = np.random.Generator(np.random.PCG64(SEED)).integers(0, len(loss), (RESAMPLES, len(loss)))
    below = np.maximum(yardstick[drawn].sum(axis=1), 1e-12 * base)
    again = 1.0 - loss[drawn].sum(axis=1) / below
    return 1.0 - float(loss.sum()) / base, float(np.quantile(again, 0.025)), float(np.quantile(again, 0.975))
