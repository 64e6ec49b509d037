"""Uncertainty: Monte Carlo over the same linear form as the quantify loop, beside error propagation, and what drives it.

    E = Σ_lines x × m_amount × Π m_factor        m: one variate per part, mean 1, drawn once and used wherever the part occurs

Distributions are chosen by rule (`uncertainty.toml`): normal under a half-width of 30 %, lognormal from there on, triangular for a
printed expert range. Normal and lognormal variates have mean 1 and standard deviation U / 1.96, so that their sums agree with error
propagation; a triangle keeps its mode at 1, so a lopsided range moves the mean, and the report shows it. IPCC 2006 Vol. 1 ch. 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory.accounting.drawing import sampled
from zerofactory.accounting.measure import setting
from zerofactory.accounting.spread import Z95, Floats, Spread, half_widths, stakes, variance_shares
from zerofactory.errors import Misuse

LEVELS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean, standard deviation and the 2.5 % and 97.5 % quantiles of simulated emissions, in gCO2e."""

    mean_g: float
    sd_g: float
    low_g: float
    high_g: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """The intervals of a Monte Carlo run: of the total, and of each group."""

    draws: int
    seed: int
    total: Interval
    groups: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Both methods side by side.

    ``half_width_fraction`` is by error propagation, ``simulated_fraction`` 1.96 sd / mean by Monte Carlo. ``applicable`` says
    whether error propagation may be used at all (the half-width is not above its limit); ``agree`` whether the two half-widths differ by
    no more than ``tolerance_fraction`` of the analytic one. ``shares`` are of the total's variance by group.
    """

    half_width_fraction: float
    simulated_fraction: float
    half_widths: Mapping[str, float]
    shares: Mapping[str, float]
    simulation: Simulation
    tolerance_fraction: float
    agree: bool
    applicable: bool


def assess(spread: Spread, draws: int | None = None, seed: int | None = None) -> Assessment:
    """Return error propagation and Monte Carlo of the same records, and whether they agree.

    Parameters
    ----------
    draws, seed : default 10 000 and the one of `uncertainty.toml`.
    """
    parts = stakes(spread)
    total = abs(spread.total_g)
    analytic = math.hypot(*(one.spread_g for one in parts)) / total if total else 0.0
    run = simulate(spread, draws, seed)
    simulated = Z95 * run.total.sd_g / abs(run.total.mean_g) if run.total.mean_g else 0.0
    tolerance = float(setting("tolerance_fraction"))
    return Assessment(
        half_width_fraction=analytic,
        simulated_fraction=simulated,
        half_widths=half_widths(spread),
        shares=variance_shares(spread),
        simulation=run,
        tolerance_fraction=tolerance,
        agree=abs(simulated - analytic) <= tolerance * analytic,
        applicable=analytic <= float(setting("propagation_limit_fraction")),
    )


def simulate(spread: Spread, draws: int | None = None, seed: int | None = None) -> Simulation:
    """Return the intervals of the total and of each group; the same records and seed give the same bytes in any order.

    Raises
    ------
    Misuse
        Fewer than two draws.
    """
    count = int(setting("draws")) if draws is None else draws
    start = int(setting("seed")) if seed is None else seed
    if count < 2:
        raise Misuse(f"a simulation needs two draws or more, not {count}")
    totals = sampled(spread, count, start)
    return Simulation(
        count,
        start,
        _interval(totals.sum(axis=0)),
        {name: _interval(row) for name, row in zip(spread.groups, totals, strict=True)},
    )


def _interval(grams: Floats) -> Interval:
    low, high = np.quantile(grams, LEVELS).tolist()
    return Interval(float(grams.mean()), float(grams.std(ddof=1)), low, high)
