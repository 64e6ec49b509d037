"""Fit a few figures of a model to days of meters: what readings tell is taken, what they do not tell stays near what the file says.

    least   Σ_meters Σ_days (y − f(x))² / (σ² v) + Σ ((x − x₀) / s)²         maximum a posteriori (Tarantola 2005, 3.2;
                                                                            doi 10.1137/1.9780898717921)
σ is the scatter of days about the model, the same share of its mean day for every meter of a group, v = (1 + ρ) / (1 − ρ) what their
likeness from day to day costs in information (Bartlett 1946, doi 10.2307/2983611), s what is known without readings. By Gauss and
Newton within bounds. A figure whose interval is not half as wide as without readings is not told by them: it stays near the file and is
said to. One that runs into its range stands there and is said to: the model does not explain the meter. Intervals are the wider of
the posterior one and that of weekly blocks (Liang, Zeger 1986, doi 10.1093/biomet/73.1.13),
by Student's t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.utilities.driven import Floats
from zerofactory.optimisation.utilities.fit import student

Flags = NDArray[np.bool_]
Model = Callable[[Floats], Floats]
"""From the figures to what each meter counts on each day: meter × day."""

FIRST_SCATTER = 0.1  # of a meter's mean day: σ before the first residuals are known
LEAST_SCATTER = 1e-3  # of a meter's mean day: readings are not better than this
MOST_ALIKE = 0.9  # ρ at most: beyond it a year has too few independent days to tell
TELLS = 0.5  # interval with over that without readings, at most: they then hold three quarters of what is known
MANY = 10**9  # degrees of freedom of what is known without readings
STEP = 0.02  # of the spread, to take derivatives by: wider ones tell figures apart that are not
ROUNDS, HALVINGS = 16, 4
CHORDS = 3  # steps of a fit without a month
REWEIGHED = 3  # rounds in which the scatter follows the residuals; then it stays, so that the fit ends
SETTLED = 1e-2  # of the spread: a step below changes nothing that is told
BLOCK_DAYS = 7
TOLD, WEAK, BOUND = "fitted", "weak", "bound"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known without readings: the file's figures, their spreads, and the range of each."""

    stated: Floats
    spread: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Estimate:
    """The figures, their intervals, and how each came: `TOLD` by readings, `WEAK` not told by them and so near the file, `BOUND` ran
    into its range and stands there. ``days`` is what the model says, meter × day."""

    x: Floats
    low: Floats
    high: Floats
    states: tuple[str, ...]
    days: Floats
    work: _Work = field(repr=False)


@dataclass(frozen=True)
class _Work:
    """What a fit leaves for the fits without a month: derivatives at the end, weights, the figures that move."""

    active: Flags
    slopes: Floats  # figure × meter × day
    weights: Floats  # by meter
    taken_at: Floats  # the figures at which the derivatives were taken


def fit(model: Model, known: Known, observed: Floats, confidence: float = 0.95) -> Estimate:
    """Return the figures that bring a model near its meters.

    Parameters
    ----------
    observed : meter × day; not-a-number where a day is not to be fitted to.

    Examples
    --------
    Heat of 2 kW/K below 15 °C on top of 30 kW; a second figure that does the same as the first is not told:

    >>> t = np.linspace(0.0, 30.0, 120)
    >>> def heat(x): return (x[0] * x[1] * np.maximum(15.0 - t, 0.0) + x[2])[None, :]
    >>> y = heat(np.array([2.0, 1.0, 30.0])) + np.resize([0.3, -0.3, -0.3, 0.3], 120)
    >>> prior = Known(np.array([1.5, 1.0, 20.0]), np.array([0.6, 0.05, 9.0]), np.zeros(3), np.full(3, 99.0))
    >>> found = fit(heat, prior, y)
    >>> found.states, [round(float(x), 1) for x in found.x]
    (('fitted', 'weak', 'fitted'), [2.0, 1.0, 30.0])
    """
    x, days, work = _course(model, known, observed)
    margin = SETTLED * known.spread
    bound = work.active & ((x <= known.low + margin) | (x >= known.high - margin))
    free = replace(work, active=work.active & ~bound)
    free = replace(free, slopes=_slopes(model, known, x, days, free.active, both=True), taken_at=x)
    half = _widths(known, observed, days, free, confidence)
    left = half / (known.spread * student(confidence, MANY))
    half = np.where(bound, 0.0, half)
    states = [BOUND if bound[n] else WEAK if left[n] > TELLS else TOLD for n in range(len(x))]
    return Estimate(x, x - half, x + half, tuple(states), days, free)


def without(model: Model, known: Known, observed: Floats, found: Estimate) -> Floats:
    """Return what the model says, meter × day, fitted anew to other (fewer) days from a fit to all of them on.

    The derivatives are those of the whole fit: steps of Newton's method by chords, each halved until it helps. Figures that stand at a
    bound in the whole fit stay there.
    """
    x, days, work = found.x, found.days, found.work
    for _ in range(CHORDS):
        step = _step(known, observed, x, days, work)
        if np.abs(step / known.spread).max(initial=0.0) < SETTLED:
            break
        stepped = _shortened(model, known, observed, (x, days, step), work.weights)
        if stepped is None:
            break
        x, days = stepped
    return days


def _shortened(
    model: Model, known: Known, observed: Floats, at: tuple[Floats, Floats, Floats], weights: Floats
) -> tuple[Floats, Floats] | None:
    """Return the figures after a step from (figures, days, step), and their days, halved until the loss is no larger; None where it
    is larger however short."""
    x, days, step = at
    before = _loss(known, observed, x, days, weights)
    for number in range(HALVINGS):
        tried = np.clip(x + 0.5**number * step, known.low, known.high)
        there = model(tried)
        if _loss(known, observed, tried, there, weights) <= before:
            return tried, there
    return None


def _course(model: Model, known: Known, observed: Floats) -> tuple[Floats, Floats, _Work]:
    """Return figures, days and work after steps of Gauss and Newton from the file on; the scatter follows the residuals.

    Derivatives are taken once and then follow what each step shows (Broyden 1965, doi 10.1090/S0025-5718-1965-0198670-6); where that
    leads no further they are taken anew.
    """
    x, days = known.stated.copy(), model(known.stated)
    slopes = _slopes(model, known, x, days, np.ones(len(x), dtype=np.bool_))
    work = _Work(np.any(slopes != 0.0, axis=(1, 2)), slopes, _weights(observed, None), x)
    for number in range(ROUNDS):
        step = _step(known, observed, x, days, work)
        moved, stepped = 0.0, _shortened(model, known, observed, (x, days, step), work.weights)
        if stepped is not None:
            change = (stepped[0] - x) / known.spread
            moved = float(np.abs(change).max(initial=0.0))
            work = replace(work, slopes=_followed(work, change, stepped[1] - days))
            x, days = stepped
        weights = _weights(observed, days) if number < REWEIGHED else work.weights
        calm = bool(np.allclose(weights, work.weights, rtol=0.1))
        work = replace(work, weights=weights)
        if moved < SETTLED and calm:
            if np.array_equal(x, work.taken_at) or number >= ROUNDS // 2:
                break
            work = replace(work, slopes=_slopes(model, known, x, days, work.active), taken_at=x)
    return x, days, work


def _followed(work: _Work, step: Floats, change: Floats) -> Floats:
    """Return derivatives that give the change a step made, nearest to those there were."""
    length = float((step**2).sum())
    if length <= 0.0:
        return work.slopes
    missed = change - np.einsum("p,pmd->md", step, work.slopes)
    return np.asarray(work.slopes + step[:, None, None] * missed[None] / length)


def _weights(observed: Floats, days: Floats | None) -> Floats:
    """Return 1 / (σ² v) of each meter: its mean day times the scatter of all together, so that none is given up for the others; before
    anything is known a tenth of the mean day."""
    size, scatter, cost = np.ones(len(observed)), [], []
    for place, row in enumerate(observed):
        seen = row[np.isfinite(row)]
        if not seen.size:
            continue
        size[place] = max(float(np.abs(seen).mean()), 1e-9)
        if days is not None:
            left = row - days[place]
            scatter.append(float(np.nanmean(left**2)) / size[place] ** 2)
            alike = min(max(likeness(left), 0.0), MOST_ALIKE)
            cost.append((1.0 + alike) / (1.0 - alike))
    if not scatter:
        return np.asarray((FIRST_SCATTER * size) ** -2)
    return np.asarray(1.0 / (max(float(np.mean(scatter)), LEAST_SCATTER**2) * float(np.mean(cost)) * size**2))


def likeness(left: Floats) -> float:
    """Return the correlation of residuals with those of the day before.

    >>> round(likeness(np.array([1.0, -1.0] * 20)), 2)
    -1.0
    """
    pairs = np.isfinite(left[1:]) & np.isfinite(left[:-1])
    if pairs.sum() < BLOCK_DAYS:
        return 0.0
    middle = np.nanmean(left)
    before, after = left[:-1][pairs] - middle, left[1:][pairs] - middle
    size = float(np.sqrt((before**2).sum() * (after**2).sum()))
    return float((before * after).sum() / size) if size > 0.0 else 0.0


def _slopes(model: Model, known: Known, x: Floats, days: Floats, active: Flags, *, both: bool = False) -> Floats:
    """Return the derivatives by figure over its spread: on one side, towards the middle of the range, or by ``both``."""
    found = np.zeros((len(x), *days.shape))
    middle = (known.low + known.high) / 2.0
    for place in np.flatnonzero(active):
        width = STEP * (1.0 if x[place] <= middle[place] else -1.0)
        moved = np.zeros(len(x))
        moved[place] = width * known.spread[place]
        there = model(x + moved)
        found[place] = (there - model(x - moved)) / (2.0 * width) if both else (there - days) / width
    return found


def _step(known: Known, observed: Floats, x: Floats, days: Floats, work: _Work) -> Floats:
    """Return the step of Gauss and Newton within the bounds: figures that would leave them stop there."""
    left = np.where(np.isfinite(observed), observed - days, 0.0)
    matrix, right = _information(observed, work), np.einsum("pmd,m,md->p", work.slopes, work.weights, left)
    right = right - (x - known.stated) / known.spread
    free, step = work.active.copy(), np.zeros(len(x))
    for _ in range(len(x) + 1):
        step[free] = np.linalg.solve(
            matrix[np.ix_(free, free)], right[free] - matrix[np.ix_(free, ~free)] @ step[~free]
        )
        room_low, room_high = (known.low - x) / known.spread, (known.high - x) / known.spread
        out = free & ((step < room_low - 1e-12) | (step > room_high + 1e-12))
        if not out.any():
            break
        step = np.where(out, np.clip(step, room_low, room_high), step)
        free = free & ~out
    return np.asarray(step * known.spread)


def _information(observed: Floats, work: _Work) -> Floats:
    """Return the matrix of what readings and the file say of the figures, over their spreads."""
    slopes = work.slopes * np.isfinite(observed)
    weighed = slopes * work.weights[None, :, None]
    flat = slopes.reshape(len(slopes), -1)
    return np.asarray(weighed.reshape(len(slopes), -1) @ flat.T + np.eye(len(slopes)))


def _loss(known: Known, observed: Floats, x: Floats, days: Floats, weights: Floats) -> float:
    left = np.where(np.isfinite(observed), observed - days, 0.0)
    return float((weights[:, None] * left**2).sum() + (((x - known.stated) / known.spread) ** 2).sum())


def _widths(known: Known, observed: Floats, days: Floats, work: _Work, confidence: float) -> Floats:
    """Return half the interval of each figure; of one that no meter feels that of the file."""
    places = np.flatnonzero(work.active)
    half = known.spread * student(confidence, MANY)
    if not places.size:
        return half
    inverse = np.linalg.inv(_information(observed, work)[np.ix_(places, places)])
    left = np.where(np.isfinite(observed), observed - days, 0.0)
    pull = np.einsum("pmd,m,md->pd", work.slopes[places], work.weights, left)
    blocks = np.add.reduceat(pull, np.arange(0, pull.shape[1], BLOCK_DAYS), axis=1)
    blocks = blocks[:, np.any(blocks != 0.0, axis=0)]
    freedom = max(blocks.shape[1] - len(places), 1)
    within = blocks @ blocks.T * (blocks.shape[1] / freedom) + np.eye(len(places))
    robust = inverse @ within @ inverse
    spread = np.sqrt(np.maximum(np.diag(inverse), np.diag(robust)))
    half[places] = student(confidence, freedom) * spread * known.spread[places]
    return half
