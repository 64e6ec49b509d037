"""What readings tell of utilities: the leak flow on days without work, the conductance of a hall by degrees of frost.

    leak      mean flow of the header on closed days less what consumers take then; days are independent draws
    hall      q = H (T_set − T_out) − gains on heated days: H is less the slope of heat on outdoor temperature, by least squares, and the
              gains are H (T_set − T_balance), T_balance where the line meets no heat (ASHRAE Guideline 14-2014, change-point models)

Intervals by Student's t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zerofactory.optimisation.utilities.driven import Floats

LEAST_DAYS = 5
HEATED_FRACTION = 0.1  # of the coldest day's heat: warmer days are not heated for comfort and bend the line


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval, of so many days."""

    mean: float
    low: float
    high: float
    days: int

    def as_json(self) -> dict[str, float | int]:
        """Return plain JSON values."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "days": self.days}


@dataclass(frozen=True, slots=True)
class Heated:
    """A hall as its heat meter shows it: conductance in kW/K, the outdoor temperature below which it is heated, R² of the line."""

    kw_per_k: Figure
    balance_celsius: float
    r2_fraction: float


def student(confidence: float, freedom: int) -> float:
    """Return the quantile of Student's t for an interval on both sides."""
    from scipy.stats import t

    return float(t.ppf(0.5 + confidence / 2.0, freedom))


def leak_nm3_per_h(day_means: Floats, taken_nm3_per_h: float, confidence: float = 0.95) -> Figure | None:
    """Return the leak flow from the mean header flow of closed days; None of fewer than five days.

    >>> found = leak_nm3_per_h(np.array([500.0, 510.0, 490.0, 505.0, 495.0]), 100.0)
    >>> round(found.mean, 6), round(found.high - found.mean, 2)
    (400.0, 9.82)
    """
    known = day_means[np.isfinite(day_means)]
    if len(known) < LEAST_DAYS:
        return None
    half = student(confidence, len(known) - 1) * float(known.std(ddof=1)) / len(known) ** 0.5
    mean = float(known.mean()) - taken_nm3_per_h
    return Figure(mean, mean - half, mean + half, len(known))


def heated(heat_kw: Floats, outdoor_celsius: Floats, confidence: float = 0.95) -> Heated | None:
    """Return the line of a hall's heat over the outdoor temperature, day by day; None where too few days are heated, or it does not
    take less heat when it is warmer.

    >>> t = np.arange(-5.0, 15.0)
    >>> found = heated(np.maximum(10.0 * (12.0 - t), 0.0), t)
    >>> round(found.kw_per_k.mean, 6), round(found.balance_celsius, 6), round(found.r2_fraction, 6)
    (10.0, 12.0, 1.0)
    """
    known = np.isfinite(heat_kw) & np.isfinite(outdoor_celsius)
    q, t = heat_kw[known], outdoor_celsius[known]
    cold = q > HEATED_FRACTION * q.max(initial=0.0)
    q, t = q[cold], t[cold]
    if len(q) < LEAST_DAYS or float(np.ptp(t)) <= 0.0:
        return None
    slope, intercept = np.polyfit(t, q, 1)
    left = q - (slope * t + intercept)
    spread = float(((t - t.mean()) ** 2).sum())
    error = float(np.sqrt((left**2).sum() / (len(q) - 2) / spread))
    half = student(confidence, len(q) - 2) * error
    if slope >= 0.0:
        return None
    total = float(((q - q.mean()) ** 2).sum())
    figure = Figure(float(-slope), float(-slope) - half, float(-slope) + half, len(q))
    return Heated(figure, float(-intercept / slope), 1.0 - float((left**2).sum()) / total if total else 1.0)
