"""What a day's energy is worth as evidence: residuals put on one scale, whose chance is known, and added up from day to day.

    ρ_d = E_d / Ê_d − 1            relative residual of a place's day
    ρ_d − b · c_d                  less what all stations have in common (more or fewer pieces than were told)
    z_d = (ρ_d − b · c_d) / σ      σ of working and of closed days apart, and never below what a twin can know
    e_d = (z_d − φ z_{d−1}) / √(1 − φ²)      what is new on the day (Alwan and Roberts 1988, doi 10.1080/07350015.1988.10509640)

A day is odd when |e| ranks beyond the promised share of the days of the fit (conformal); sums of e, each day's cut at four, are
Page's (1954, doi 10.1093/biomet/41.1-2.100), whose run length is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isnan

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SIEGMUND = 1.166  # what a random walk overshoots a limit by, on average, in both directions
CUT = 4.0  # no single day counts for more in a sum: one day that is odd is no drift
LEAST_SHARE = 0.02  # of the greatest expected day: below it a relative residual says nothing


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a place: σ of relative residuals on working and on closed days, the memory φ, and its part b in the common."""

    open_fraction: float
    closed_fraction: float
    memory: float
    common: float


def relative(metered: Floats, expected: Floats) -> Floats:
    """Return metered by expected less one; the expected of small days is taken as two hundredths of the greatest.

    Examples
    --------
    >>> relative(np.array([110.0, np.nan]), np.array([100.0, 100.0])).round(3).tolist()
    [0.1, nan]
    """
    floor = LEAST_SHARE * float(np.nanmax(expected)) if np.isfinite(expected).any() else 0.0
    found: Floats = (metered - expected) / np.maximum(expected, max(floor, 1e-9))
    return found


def in_common(residuals: Sequence[Floats]) -> Floats:
    """Return what the places have in common on each day: the median of their relative residuals, zero with fewer than three.

    Examples
    --------
    >>> in_common([np.array([0.1]), np.array([0.1]), np.array([0.5])]).tolist()
    [0.1]
    """
    if not residuals:
        raise Misuse("no places")
    table = np.stack(list(residuals))
    count = np.isfinite(table).sum(axis=0)
    found = np.zeros(table.shape[1])
    enough = count >= 3
    if enough.any():
        found[enough] = np.nanmedian(table[:, enough], axis=0)
    return found


def scale_of(residual: Floats, common: Floats, opened: Flags, floor_fraction: float) -> Scale:
    """Return the scale of a place from the relative residuals of the days it was fitted to; no spread is below a floor."""
    known = np.isfinite(residual)
    worked = known & opened
    shared = float(common[worked] @ common[worked])
    part = float(residual[worked] @ common[worked]) / shared if shared > 0.0 else 0.0
    left = residual - part * common
    open_fraction, closed_fraction = (_spread(left[some], floor_fraction) for some in (worked, known & ~opened))
    z = left / _either(opened, open_fraction, closed_fraction)
    pairs = np.isfinite(z[1:]) & np.isfinite(z[:-1])
    clipped = np.clip(z, -CUT, CUT)
    memory = 0.0
    if pairs.sum() > 2:
        now, before = clipped[1:][pairs], clipped[:-1][pairs]
        memory = min(max(float(now @ before) / max(float(before @ before), 1e-12), 0.0), 0.9)
    return Scale(open_fraction, closed_fraction, memory, part)


def news(residual: Floats, common: Floats, opened: Flags, scale: Scale) -> Floats:
    """Return what is new on each day, on the scale of its place; a day after a gap is taken as it is."""
    z = (residual - scale.common * common) / _either(opened, scale.open_fraction, scale.closed_fraction)
    before = np.concatenate([[np.nan], z[:-1]])
    follows = (z - scale.memory * before) / (1.0 - scale.memory**2) ** 0.5
    found: Floats = np.where(np.isfinite(before), follows, z)
    return found


def odd(found: Floats, reference: Floats, false_alarm_fraction: float) -> Flags:
    """Return the days that rank beyond a promised share of the days of the fit, ``reference`` (sorted), by their size.

    Fewer days than the promise needs can promise no less than one in their number and one: then it is beyond all of them.

    Examples
    --------
    >>> odd(np.array([0.5, -5.0, np.nan]), np.sort(np.linspace(-1.0, 1.0, 199)), 0.01).tolist()
    [False, True, False]
    """
    sizes = np.sort(np.abs(reference))
    if not len(sizes):
        raise Misuse("no days to rank among")
    place = min(int(np.ceil((len(sizes) + 1) * (1.0 - false_alarm_fraction))), len(sizes))
    found_odd: Flags = np.nan_to_num(np.abs(found)) > sizes[place - 1]
    return found_odd


def sums(found: Floats, slack: float) -> tuple[Floats, Floats]:
    """Return Page's sums upwards and downwards of what is new; a day that is not known leaves them as they were.

    Examples
    --------
    >>> up, down = sums(np.array([1.5, np.nan, 2.5, -3.0]), 0.5)
    >>> up.tolist(), down.tolist()
    ([1.0, 1.0, 3.0, 0.0], [0.0, 0.0, 0.0, 2.5])
    """
    up, down = np.zeros(len(found)), np.zeros(len(found))
    high = low = 0.0
    for place, one in enumerate(np.clip(found, -CUT, CUT).tolist()):
        if not isnan(one):
            high, low = max(0.0, high + one - slack), max(0.0, low - one - slack)
        up[place], down[place] = high, low
    return up, down


def average_run_days(slack: float, limit: float) -> float:
    """Return how many days pass on average until sums looked at both ways pass their limit by chance.

    One way: (e^{2kb} − 2kb − 1) / 2k², b = h + 1.166 (Siegmund 1985, Sequential Analysis, equation 2.56); two ways half of it.

    Examples
    --------
    The usual k = 0.5, h = 5 holds 465 days (Montgomery, Introduction to Statistical Quality Control, table 9.3).

    >>> round(average_run_days(0.5, 5.0))
    469
    """
    b = limit + SIEGMUND
    return (exp(2.0 * slack * b) - 2.0 * slack * b - 1.0) / (2.0 * slack**2) / 2.0


def _either(opened: Flags, working: float, closed: float) -> Floats:
    found: Floats = np.full(len(opened), closed)
    found[opened] = working
    return found


def _spread(values: Floats, floor_fraction: float) -> float:
    """Return the standard deviation around nothing, which is where a fit should lie, a floor at least; 0.05 of too few values.

    What lies beyond four robust deviations (1.4826 of the median size) counts as lying there: a few spoilt days are no spread.
    """
    if len(values) < 3:
        return max(0.05, floor_fraction)
    edge = CUT * max(1.4826 * float(np.median(np.abs(values))), floor_fraction)
    return max(float(np.sqrt((np.clip(values, -edge, edge) ** 2).mean())), floor_fraction)
