"""Keep the twin true: what a meter says of a machine's states, with intervals, and whether it still says so.

    E_t = h · [ P_off · (1 − o_t) + P_idle · o_t (1 − u_t) + P_working · o_t u_t + Σ_j β_j x_{j,t} ] + ε_t

with o the share of the interval in which the shift is open, u the share of open time at work, x degree hours. Least squares
with no power below zero; the intervals are robust against days that hang together (one cluster a day: Liang and Zeger 1986,
doi 10.1093/biomet/73.1.13). NMBE and CV(RMSE) as in ASHRAE Guideline 14-2014, equations 5-4 and 5-5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.optimisation.twin.statistics import Interval

Floats = NDArray[np.float64]
NAMES = ("off", "idle", "working")
SLACK = (
    0.5  # standard deviations a day may lean to one side before it counts (Page 1954, doi 10.1093/biomet/41.1-2.100)
)
DRIFT = 5.0  # and how many they may add up to: looked at both ways, about one false alarm in 465 days that hold nothing


@dataclass(frozen=True, slots=True)
class Observed:
    """What is fitted to: energy by interval, in which share of it the shift was open, at work while open, and degrees.

    ``day`` numbers the local days; intervals of ``hours`` each; missing energy is NaN and left out.
    """

    energy: Floats
    open_fraction: Floats
    busy_fraction: Floats
    day: NDArray[np.int64]
    hours: float
    degrees: Mapping[str, Floats]

    def part(self, chosen: NDArray[np.bool_]) -> Observed:
        """Return some of the intervals."""
        degrees = {name: values[chosen] for name, values in self.degrees.items()}
        return Observed(self.energy[chosen], self.open_fraction[chosen], self.busy_fraction[chosen], self.day[chosen], self.hours, degrees)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found: powers by state and slopes by degree with their intervals, and how well they say what was metered.

    ``day_error`` is the standard deviation of a day's energy around the fit; a state that the data cannot tell apart has no
    power of its own (`missing`).
    """

    powers: Mapping[str, Interval]
    slopes: Mapping[str, Interval]
    missing: tuple[str, ...]
    nmbe_fraction: float
    cvrmse_fraction: float
    day_error: float
    days: int

    def predict(self, seen: Observed) -> Floats:
        """Return the energy of each interval by the fit."""
        columns, names = _columns(seen)
        values = {name: one.mean for name, one in (*self.powers.items(), *self.slopes.items())}
        found: Floats = columns @ np.array([values.get(name, 0.0) for name in names]) * seen.hours
        return found


@dataclass(frozen=True, slots=True)
class Kept:
    """How a fit does on days it has not seen.

    ``total`` is the predicted sum with its interval, ``metered`` what came; ``drift_day`` the first day (its number) on which the
    residuals of the days had added up to more than chance allows, None while they have not.
    """

    total: Interval
    metered: float
    nmbe_fraction: float
    cvrmse_day_fraction: float
    drift_day: int | None

    @property
    def holds(self) -> bool:
        """Whether what was metered lies in the interval."""
        return self.total.low <= self.metered <= self.total.high


def fit(seen: Observed, confidence: float = 0.95) -> Fit:
    """Return the fit to what was observed; raise `Misuse` when fewer than ten whole days were.

    Examples
    --------
    >>> o = np.tile(np.repeat([0.0, 1.0], 12), 20)
    >>> u = np.repeat(np.linspace(0.5, 0.9, 20), 24)
    >>> e = 10.0 * (1 - o) + 40.0 * o * (1 - u) + 100.0 * o * u
    >>> found = fit(Observed(e, o, u, np.repeat(np.arange(20), 24), 1.0, {}))
    >>> [round(found.powers[name].mean, 6) for name in NAMES]
    [10.0, 40.0, 100.0]
    """
    from scipy.optimize import nnls
    from scipy.stats import t

    known = np.isfinite(seen.energy)
    used = seen.part(known)
    days = len(np.unique(used.day))
    if days < 10:
        raise Misuse("fewer than ten days")
    columns, names = _columns(used)
    power = used.energy / used.hours
    kept = [place for place in range(len(names)) if _told_apart(columns, place)]
    found = nnls(columns[:, kept], power)[0]
    active = [place for place, value in zip(kept, found, strict=True) if value > 0]
    chosen = columns[:, active]
    values = np.linalg.lstsq(chosen, power, rcond=None)[0]
    residual = power - chosen @ values
    errors = _cluster_errors(chosen, residual, used.day)
    factor = float(t.ppf((1.0 + confidence) / 2.0, days - len(active)))
    told = {
        names[place]: Interval(
            float(value), float(max(value - factor * error, 0.0)), float(value + factor * error), days
        )
        for place, value, error in zip(active, values, errors, strict=True)
    }
    told |= {names[place]: Interval(0.0, 0.0, 0.0, days) for place in kept if place not in active}
    by_day = np.bincount(used.day - used.day.min(), residual * used.hours)
    by_day = by_day[np.bincount(used.day - used.day.min()) > 0]
    return Fit(
        {name: told[name] for name in NAMES if name in told},
        {name: told[name] for name in names[len(NAMES) :] if name in told},
        tuple(name for place, name in enumerate(names) if place not in kept),
        nmbe(used.energy, used.energy - residual * used.hours),
        cvrmse(used.energy, used.energy - residual * used.hours),
        float(np.std(by_day, ddof=min(len(active), days - 1))),
        days,
    )


BASES_DEGC = {"heating": tuple(range(6, 21)), "cooling": tuple(range(12, 27))}
"""Outdoor temperatures that are tried; the one that leaves the least error holds (a change point as in ASHRAE Guideline 14-2014,
annex D)."""


def with_degrees(seen: Observed, degc: Floats, bases_degc: Mapping[str, float]) -> Observed:
    """Return what was observed with degrees below the base of heating and above that of cooling, while the place is open."""
    sides = {"heating": -1.0, "cooling": 1.0}
    degrees = {
        name: np.maximum(sides[name] * (degc - base), 0.0) * seen.open_fraction for name, base in bases_degc.items()
    }
    return Observed(seen.energy, seen.open_fraction, seen.busy_fraction, seen.day, seen.hours, degrees)


def balance(seen: Observed, degc: Floats) -> dict[str, float]:
    """Return the outdoor temperatures from which a place heats and cools (°C), found on the sums of its days.

    A side that takes nothing at any base is left out. The intervals of a later fit take the bases as known.

    Examples
    --------
    >>> degc = np.repeat(np.linspace(-2.0, 34.0, 120), 4)
    >>> o = np.tile([0.0, 1.0, 1.0, 0.0], 120)
    >>> e = 5.0 + 20.0 * o + 3.0 * np.maximum(14.0 - degc, 0.0) * o
    >>> balance(Observed(e, o, o, np.repeat(np.arange(120), 4), 1.0, {}), degc)
    {'heating': 14.0}
    """
    known = np.isfinite(seen.energy)
    used, warm = seen.part(known), degc[known]
    first = np.flatnonzero(np.diff(used.day, prepend=used.day[0] - 1))
    chosen: dict[str, float] = {}
    without = _day_error(used, first)
    for _ in range(2):  # each side once more, the other being known
        for name, bases in BASES_DEGC.items():
            others = {side: base for side, base in chosen.items() if side != name}
            plain = _day_error(with_degrees(used, warm, others), first)
            errors = {
                base: _day_error(with_degrees(used, warm, {**others, name: float(base)}), first) for base in bases
            }
            best = min(errors, key=lambda base: (errors[base], base))
            chosen = dict(others)
            if plain - errors[best] > GAINS * without:
                chosen[name] = float(best)
    return {name: chosen[name] for name in BASES_DEGC if name in chosen}


GAINS = 0.03  # of the squared error without weather: what a side must explain to count, more than chance does in a year of days


def _day_error(seen: Observed, first: NDArray[np.int64]) -> float:
    """Return the squared error of the best fit to the sums of the days, which begin at ``first``."""
    from scipy.optimize import nnls

    columns, _ = _columns(seen)
    sums = np.add.reduceat(columns, first, axis=0)
    return float(nnls(sums, np.add.reduceat(seen.energy / seen.hours, first))[1]) ** 2


def keep(found: Fit, later: Observed, confidence: float = 0.95) -> Kept:
    """Return how a fit does on days that came later.

    The interval of the sum takes the scatter of days as independent; drift is Page's cumulated sum of the days' residuals.
    """
    from scipy.stats import norm

    used = later.part(np.isfinite(later.energy))
    predicted = found.predict(used)
    days = np.unique(used.day)
    metered = np.array([used.energy[used.day == day].sum() for day in days])
    expected = np.array([predicted[used.day == day].sum() for day in days])
    half = float(norm.ppf((1.0 + confidence) / 2.0)) * found.day_error * len(days) ** 0.5
    return Kept(
        Interval(float(expected.sum()), float(expected.sum()) - half, float(expected.sum()) + half, len(days)),
        float(metered.sum()),
        nmbe(metered, expected),
        cvrmse(metered, expected),
        _drift(days, (metered - expected) / max(found.day_error, 1e-12)),
    )


def nmbe(metered: Floats, predicted: Floats) -> float:
    """Return the normalised mean bias error, Σ(m − p) / Σm."""
    total = float(metered.sum())
    return float((metered - predicted).sum()) / total if total else 0.0


def cvrmse(metered: Floats, predicted: Floats) -> float:
    """Return the coefficient of variation of the root mean square error, √(Σ(m − p)²/n) / m̄."""
    mean = float(metered.mean()) if len(metered) else 0.0
    return float(np.sqrt(((metered - predicted) ** 2).mean())) / mean if mean else 0.0


def _columns(seen: Observed) -> tuple[Floats, list[str]]:
    o, u = seen.open_fraction, seen.busy_fraction
    return np.column_stack([1.0 - o, o * (1.0 - u), o * u, *seen.degrees.values()]), [*NAMES, *seen.degrees]


def _told_apart(columns: Floats, place: int) -> bool:
    """Tell whether a column is there at all and is no multiple of the ones before it."""
    column = columns[:, place]
    if not np.any(np.abs(column) > 1e-12):
        return False
    before = columns[:, :place]
    if not before.size:
        return True
    left = column - before @ np.linalg.lstsq(before, column, rcond=None)[0]
    return bool(np.sqrt((left**2).mean()) > 1e-6 * np.sqrt((column**2).mean()))


def _cluster_errors(columns: Floats, residual: Floats, day: NDArray[np.int64]) -> Floats:
    """Return standard errors that let the intervals of a day hang together."""
    bread = np.linalg.pinv(columns.T @ columns)
    order = np.searchsorted(np.unique(day), day)
    scores = np.zeros((int(order.max()) + 1, columns.shape[1]))
    np.add.at(scores, order, columns * residual[:, None])
    clusters = len(scores)
    small = clusters / max(clusters - 1, 1)
    return np.sqrt(np.maximum(np.diag(bread @ (scores.T @ scores) @ bread) * small, 0.0))


def _drift(days: Sequence[int] | NDArray[np.int64], scores: Floats) -> int | None:
    """Return the day on which Page's sum, up or down, passes its limit."""
    up = down = 0.0
    for day, score in zip(days, scores, strict=True):
        up, down = max(0.0, up + score - SLACK), max(0.0, down - score - SLACK)
        if max(up, down) > DRIFT:
            return int(day)
    return None
