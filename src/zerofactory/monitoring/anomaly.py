"""Anomaly detection against a learned normal, with a rate of false alarms that is promised and kept.

Every day is held against the normal of the days before it (`normal.held_against`), learnt anew every week. What comes out
are studentised statistics: the greatest miss of a quarter hour and of two hours, up and down; the miss of the daily energy, of
the hours of rest and of the base load; peak and isolated jumps. Running sums of the daily energy (CUSUM, Page 1954,
Biometrika 41, 100–115) find slow drift apart from that.

Each statistic becomes a tail probability (empirical, beyond its 80 % quantile a generalised Pareto law by probability-weighted
moments: Hosking and Wallis 1987, Technometrics 29, 339–349), the least of them is the oddness of the day, and a day is
odd when its oddness exceeds the conformal quantile of the days before (Vovk, Gammerman and Shafer 2005; Laxhammar and
Falkman 2015): of n days the k-th greatest, k = ⌊α (n + 1)⌋. Where a meter has too few days for that, those of all meters count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zerofactory.monitoring.days import Days, Flags, Numbers
from zerofactory.monitoring.normal import Memory, held_against
from zerofactory.monitoring.robust import deviation, median

STEP_DAYS = 14  # past days held against one normal when thresholds are calibrated
WALK_DAYS = 7  # days judged by one normal before it is learnt anew
FOLDS = 4
IN_HAND = 0.25  # three quarters of the promised rate are kept in hand: the future is never quite like the past
LASTING_FRACTION = 0.3  # share of odd days in a step above which they are taken for the new normal
TAIL_FRACTION = 0.2
SHAPE_BOUNDS = (0.0, 0.5)
FEWEST_APART = 25  # days of a class from which it has tails of its own
CLIP_SIGMA = 4.0  # a single day adds no more to a CUSUM
CUSUM_MARGIN = 1.25  # over the greatest of the past
LEAST_TAIL = 5  # exceedances below which a tail is taken as exponential

Causes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised and how it is learnt; the defaults stand in ``monitoring/rules/parameters.csv``.

    Parameters
    ----------
    false_alarm_fraction : float
        Share of normal meter-days that may be called odd.
    shortest_days : int
        Days a normal is learnt from before the first day is judged.
    calibration_days : int
        Newest judged days that calibrate.
    cusum_slack_sigma : float
        Daily miss that a CUSUM forgives.
    cusum_limit_sigma : float
        CUSUM from which there is a drift, if the past never came near it.
    cusum_days : int
        How far back a CUSUM reaches.
    """

    memory: Memory
    false_alarm_fraction: float
    shortest_days: int
    calibration_days: int
    cusum_slack_sigma: float
    cusum_limit_sigma: float
    cusum_days: int


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Days that were judged: ``first`` is the first of them.

    Arrays are M × n: ``oddness`` (−log10 of the least tail probability), ``threshold``, ``odd``, and ``cause``, the number of
    the statistic in ``names`` that was oddest. ``expected``, ``residual``, ``sigma`` are M × n × S. ``calibrated`` (M) says
    on how many days of its own each meter's threshold stands; 0 where those of all meters were taken. ``drift`` (M × n) is the
    CUSUM of the daily energy, signed, against ``drift_limit`` (M).
    """

    first: int
    names: tuple[str, ...]
    oddness: Numbers
    threshold: Numbers
    odd: Flags
    cause: Causes
    expected: Numbers
    residual: Numbers
    sigma: Numbers
    calibrated: NDArray[np.int64]
    drift: Numbers
    drift_limit: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Scores of consecutive days from ``first`` on: statistic → M × n, and the residuals behind them."""

    first: int
    scores: dict[str, Numbers]
    daily: dict[str, Numbers]
    expected: Numbers
    residual: Numbers
    sigma: Numbers


def judge(days: Days, first: int, terms: Terms, skip: Flags | None = None) -> Judged | None:
    """Judge the days from ``first`` on; None where too few days lie before.

    Nothing of a judged day, or of a later one, enters its normal or its threshold; an odd day is not learnt from afterwards.

    Parameters
    ----------
    skip : array (M × D), optional
        Days before ``first`` that are known to have been odd: neither learnt from nor calibrated on.
    """
    if first < terms.shortest_days + STEP_DAYS:
        return None
    known = np.zeros(days.values.shape[:2], dtype=np.bool_) if skip is None else skip.copy()
    start = max(terms.shortest_days, first - terms.calibration_days)
    past = _scored(days, start, first, terms, known)
    past_known = known[:, start:first]
    worked = days.working[start:first]
    calm = _calm(past, past_known, worked)
    threshold, calibrated = thresholds(calm, IN_HAND * terms.false_alarm_fraction)
    return _walk(days, first, past, (_tails(past.scores, past_known, worked), threshold, calibrated, known), terms)


def _tails(scores: Mapping[str, Numbers], known: Flags, worked: Flags) -> _Tails:
    """Fit the tails of worked and of free days apart where there are enough of both, else together."""
    apart = min(int(worked.sum()), int((~worked).sum())) >= FEWEST_APART
    classes = (worked, ~worked) if apart else (np.ones_like(worked),) * 2
    return tuple(
        {name: _Tail.fit(np.where(known, np.nan, values)[:, one]) for name, values in scores.items()} for one in classes
    )


def _calm(past: _Run, known: Flags, worked: Flags) -> Numbers:
    """Return the oddness of past days, each under the tails of the other folds (cross-fitted), the known odd left out."""
    fold = (np.arange(known.shape[1]) // STEP_DAYS) % FOLDS
    made = np.full(known.shape, np.nan)
    for own in (fold == one for one in np.unique(fold)):
        if own.all():
            return made
        tails = _tails({name: values[:, ~own] for name, values in past.scores.items()}, known[:, ~own], worked[~own])
        made[:, own] = _oddness({name: values[:, own] for name, values in past.scores.items()}, tails, worked[own])[0]
    return np.where(known, np.nan, made)


def _walk(days: Days, first: int, past: _Run, learnt: tuple[_Tails, Numbers, Numbers, Flags], terms: Terms) -> Judged:  # fmt: skip
    """Judge a step at a time; an odd day is not learnt from, unless it lasts: then it is the new normal."""
    tails, threshold, calibrated, known = learnt
    run, odd_days, oddness, cause = past, [], [], []
    for origin in range(first, days.count, WALK_DAYS):
        until = min(origin + WALK_DAYS, days.count)
        step = _scored(days, origin, until, terms, known)
        run = _joined(run, step)
        level, which = _oddness(step.scores, tails, days.working[origin:until])
        odd = np.nan_to_num(level) > threshold[:, None]
        passing = odd.mean(axis=1) <= LASTING_FRACTION
        known[passing, origin:until] |= odd[passing]
        odd_days.append(odd)
        oddness.append(level)
        cause.append(which)
    skipped = first - run.first
    drift, limit = _drift(run.daily["energy"], skipped, terms)
    return Judged(
        first, tuple(tails[0]), np.concatenate(oddness, axis=1), np.repeat(threshold[:, None], days.count - first, axis=1),
        np.concatenate(odd_days, axis=1), np.concatenate(cause, axis=1), run.expected[:, skipped:],
        run.residual[:, skipped:], run.sigma[:, skipped:], calibrated.astype(np.int64), drift, limit,
    )  # fmt: skip


def _scored(days: Days, first: int, last: int, terms: Terms, known: Flags) -> _Run:
    """Hold days against the normal of the days before, a week at a time."""
    run: _Run | None = None
    for origin in range(first, last, STEP_DAYS):
        miss = held_against(days, origin, min(origin + STEP_DAYS, last), terms.memory, known)
        week = _Run(origin, dict(miss.scores), dict(miss.daily), miss.expected, miss.residual, miss.sigma[:, :, : miss.residual.shape[2]])  # fmt: skip
        run = week if run is None else _joined(run, week)
    assert run is not None  # noqa: S101  (first < last)
    return run


def _joined(one: _Run, other: _Run) -> _Run:
    def put(a: Mapping[str, Numbers], b: Mapping[str, Numbers]) -> dict[str, Numbers]:
        return {name: np.concatenate([a[name], b[name]], axis=1) for name in a}

    return replace(
        one,
        scores=put(one.scores, other.scores),
        daily=put(one.daily, other.daily),
        expected=np.concatenate([one.expected, other.expected], axis=1),
        residual=np.concatenate([one.residual, other.residual], axis=1),
        sigma=np.concatenate([one.sigma, other.sigma], axis=1),
    )


def _drift(daily: Numbers, skipped: int, terms: Terms) -> tuple[Numbers, Numbers]:
    """Return the signed CUSUM of the days from ``skipped`` on and its limit by meter, the latter from the days before.

    Daily misses are standardised by their long-run spread before: √((1 + ρ) / (1 − ρ)) times the usual miss, ρ their
    correlation from day to day, so that misses which come in runs do not add up to a drift.
    """
    before = daily[:, :skipped]
    middle = median(before, 1)[:, None]
    spread = np.maximum(deviation(before - middle, 1), 1e-9)[:, None]
    steady = np.nan_to_num((before - middle) / spread)
    steady = np.clip(steady, -CLIP_SIGMA, CLIP_SIGMA)
    power = np.maximum((steady**2).sum(axis=1), 1e-9)
    tie = np.clip((steady[:, 1:] * steady[:, :-1]).sum(axis=1) / power, 0.0, 0.9)[:, None]
    standard = (daily - middle) / (spread * np.sqrt((1.0 + tie) / (1.0 - tie)))
    up, down = (cusum(sign * standard, terms.cusum_slack_sigma, terms.cusum_days) for sign in (1.0, -1.0))
    worst = np.maximum(up[:, :skipped].max(axis=1), down[:, :skipped].max(axis=1))
    limit = np.maximum(terms.cusum_limit_sigma, CUSUM_MARGIN * worst)
    signed = np.where(up >= down, up, -down)
    return signed[:, skipped:], limit


def cusum(misses: Numbers, slack: float, reach: int) -> Numbers:
    """Return, day by day, the greatest sum of (miss − slack) over the last 1 … ``reach`` days (Page 1954), at least zero.

    Examples
    --------
    >>> cusum(np.array([[0.0, 2.0, 2.0, -9.0, 1.0]]), 0.5, 28).tolist()
    [[0.0, 1.5, 3.0, 0.0, 0.5]]
    """
    steps = np.clip(np.nan_to_num(misses), -CLIP_SIGMA, CLIP_SIGMA) - slack
    total = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    found = np.zeros_like(misses)
    for day in range(misses.shape[1]):
        back = total[:, max(0, day + 1 - reach) : day + 1]
        found[:, day] = np.maximum(total[:, day + 1] - back.min(axis=1), 0.0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Tail:
    """The law of one statistic by meter: sorted values, and the generalised Pareto tail beyond the 80 % quantile."""

    ordered: Numbers  # M × n, not-a-number last
    count: Numbers  # M
    border: Numbers
    scale: Numbers
    shape: Numbers

    @classmethod
    def fit(cls, values: Numbers) -> _Tail:
        ordered = np.sort(values, axis=1)
        count = (~np.isnan(ordered)).sum(axis=1)
        parts = [_pareto(row[:many]) for row, many in zip(ordered, count, strict=True)]
        border, scale, shape = (np.array(column) for column in zip(*parts, strict=True))
        return cls(ordered, count, border, scale, shape)

    def oddness(self, values: Numbers) -> Numbers:
        """Return −log10 of the tail probability (M × n)."""
        made = np.full(values.shape, np.nan)
        for row in range(len(values)):
            many = int(self.count[row])
            if not many:
                continue
            beyond = many - np.searchsorted(self.ordered[row, :many], values[row], side="left")
            chance = np.maximum((beyond + 1.0) / (many + 1.0), TAIL_FRACTION)
            above = (values[row] - self.border[row]) / self.scale[row]
            xi = self.shape[row]
            far = -np.log10(TAIL_FRACTION) + (
                np.log10(1.0 + xi * np.maximum(above, 0.0)) / xi if xi > 1e-6 else np.maximum(above, 0.0) / np.log(10.0)
            )
            made[row] = np.where(above > 0.0, far, -np.log10(chance))
        return np.where(np.isnan(values), np.nan, made)


_Tails = tuple[dict[str, _Tail], ...]  # of worked days, of free days


def _pareto(ordered: Numbers) -> tuple[float, float, float]:
    """Return border, scale and shape of the tail by probability-weighted moments."""
    if len(ordered) < LEAST_TAIL:
        return 0.0, 1.0, 0.0
    border = float(np.quantile(ordered, 1.0 - TAIL_FRACTION))
    beyond = ordered[ordered > border] - border
    spread = max(float(border - np.median(ordered)), 1e-9)
    if len(beyond) < LEAST_TAIL or float(beyond.mean()) <= 0.0:
        return border, max(spread / np.log(1.0 / TAIL_FRACTION * 0.5), 1e-9), 0.0
    n = len(beyond)
    first = float(beyond.mean())
    second = float((beyond * (n - 1.0 - np.arange(n))).sum() / (n * (n - 1.0)))
    if first - 2.0 * second <= 0.0:
        return border, max(first, 1e-9), 0.0
    shape = 2.0 - first / (first - 2.0 * second)
    shape = float(np.clip(shape, *SHAPE_BOUNDS))
    return border, max(first * (1.0 - shape), 1e-9), shape


def _oddness(scores: Mapping[str, Numbers], tails: _Tails, worked: Flags) -> tuple[Numbers, Causes]:
    """Return the oddness of each day (M × n) and the number of the statistic it comes from."""
    full = np.full((len(tails[0]), *next(iter(scores.values())).shape), np.nan)
    for one, chosen in zip(tails, (worked, ~worked), strict=True):
        for place, (name, tail) in enumerate(one.items()):
            full[place][:, chosen] = tail.oddness(scores[name][:, chosen])
    full = np.where(np.isnan(full), -1.0, full)
    best = full.max(axis=0)
    return np.where(best < 0.0, np.nan, best), full.argmax(axis=0)


def thresholds(calm: Numbers, false_alarm_fraction: float) -> tuple[Numbers, Numbers]:
    """Return by meter the conformal threshold and on how many days of its own it stands (0: on all meters' days).

    Examples
    --------
    >>> thresholds(np.arange(199.0)[None], 0.01)[0].tolist()  # the second greatest of 199
    [197.0]
    """
    made, own = np.empty(len(calm)), np.zeros(len(calm))
    pool = np.sort(calm[~np.isnan(calm)])
    for row, values in enumerate(calm):
        known = np.sort(values[~np.isnan(values)])
        rank = int(false_alarm_fraction * (len(known) + 1))
        if rank >= 1:
            made[row], own[row] = known[-rank], len(known)
        else:
            rank = int(false_alarm_fraction * (len(pool) + 1))
            floor = known[-1] if len(known) else 0.0
            made[row] = max(pool[-rank], floor) if rank >= 1 else max(floor, -np.log10(false_alarm_fraction / 14.0))
    return made, own
