"""PV as a share of the clear sky: how much came through of late, and how that share drifts back to its mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.forecasting.features import Ground, ground, sun_columns
from zerofactory.optimisation.forecasting.forecaster import (
    HORIZONS_MIN,
    QUANTILES,
    Fitted,
    horizon_class,
    pairs,
    prepared,
)
from zerofactory.optimisation.forecasting.history import History, Numbers, Places, Target, bounded, quantiles_in_order
from zerofactory.optimisation.forecasting.spread import horizons

DARK_W_M2 = 20.0
SHARE_CLASSES = 4
RIDGE = 1e-3  # of the number of pairs, on scaled columns


@dataclass(frozen=True, slots=True)
class ClearSkyPv:
    """Output = clear sky × share; the share is a least-squares mean of recent shares, one for each class of horizon."""

    id: str = "clear_sky_pv"
    title: Text = Text("晴空指数光伏", "clear-sky index for PV")  # noqa: RUF009  (frozen)
    reference: str = "Haurwitz (1945), J. Meteorology 2, 154-166 (clear sky); Pedro and Coimbra (2012), Solar Energy 86, 2017-2028 (persistence of the index)"
    targets: tuple[Target, ...] = ("pv",)

    def fit(self, history: History, steps: int, quantiles: Sequence[float] = QUANTILES) -> Fitted:
        """Learn how shares persist and how far they miss."""
        ready = prepared(history)
        known, base = pairs(ready, steps, most=36_000), ground(ready, 0)
        sky, shares = _columns(base, known.target, known.origin - base.delay)
        bright = sky > DARK_W_M2
        horizon = horizon_class(known.target - known.origin + 1, ready.minutes)
        aim = ready.values[known.target]
        weights = np.zeros((len(HORIZONS_MIN), shares.shape[1]))
        for one in range(len(HORIZONS_MIN)):
            here = bright & (horizon == one)
            here = here if here.sum() > 10 * shares.shape[1] else bright
            weights[one] = _weighted(shares[here] * sky[here][:, None], aim[here])
        share = np.einsum("nf,nf->n", shares, weights[horizon])
        missed = np.where(bright, aim / np.maximum(sky, 1e-9) - share, 0.0)
        edges = np.quantile(share[bright], np.linspace(0, 1, SHARE_CLASSES + 1)[1:-1])
        spread = np.zeros((len(HORIZONS_MIN), SHARE_CLASSES, len(quantiles)))
        for one in range(len(HORIZONS_MIN)):
            for rank in range(SHARE_CLASSES):
                inside = bright & (np.searchsorted(edges, share) == rank)
                near = inside & (horizon == one)
                chosen = near if near.sum() >= 40 else inside
                spread[one, rank] = np.quantile(missed[chosen], quantiles) if chosen.any() else 0.0
        return _Fitted(weights, edges, spread, base.delay, ready.location)


def _columns(base: Ground, target: Places, known: Places) -> tuple[Numbers, Numbers]:
    """Return the clear sky and the shares that came through (hour, four hours, day, week, four weeks; constant)."""
    columns = sun_columns(base, target, known)
    shares = np.column_stack(columns[1::2])
    long = np.nan_to_num(
        shares[:, -1], nan=float(np.nanmean(shares[:, -1])) if np.isfinite(shares[:, -1]).any() else 0.0
    )
    shares = np.where(np.isnan(shares), long[:, None], shares)
    return columns[0], np.column_stack([shares, np.ones(len(target))])


def _weighted(table: Numbers, aim: Numbers) -> Numbers:
    from threadpoolctl import threadpool_limits

    scale = np.sqrt((table**2).mean(axis=0)) + 1e-12
    scaled = table / scale
    penalty = RIDGE * len(table) * np.eye(table.shape[1])
    with threadpool_limits(limits=1):  # one order of summing, whatever the machine
        solved: Numbers = np.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ aim) / scale
    return solved


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    weights: Numbers
    edges: Numbers
    spread: Numbers
    delay: int
    location: tuple[float, float] | None

    def predict(self, history: History, steps: int) -> Numbers:
        """Return the clear sky times the share expected."""
        base = ground(replace(history, location=self.location), steps, self.delay)
        slots = history.slots + np.arange(steps, dtype=np.int64)
        sky, shares = _columns(base, slots, np.full(steps, history.slots) - self.delay)
        horizon = horizons(steps, history.minutes)
        share = np.einsum("nf,nf->n", shares, self.weights[horizon])
        missed = self.spread[horizon, np.searchsorted(self.edges, share)]
        forecast = np.where(sky[:, None] > DARK_W_M2, sky[:, None] * (share[:, None] + missed), 0.0)
        return quantiles_in_order(bounded("pv", forecast, float(np.nanmax(history.values))))


FORECASTER = ClearSkyPv()
