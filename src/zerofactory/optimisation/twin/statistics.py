"""What runs say together: the start left out, means with their intervals, and differences on common random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Floats = NDArray[np.float64]
BATCH = 5


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the interval that holds it with a stated confidence; both ends equal the mean where there is one run."""

    mean: float
    low: float
    high: float
    runs: int

    @property
    def half(self) -> float:
        """Half of the width."""
        return (self.high - self.low) / 2.0

    def as_json(self) -> dict[str, float | int]:
        """Return plain values."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "runs": self.runs}


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of independent runs with Student's interval.

    x̄ ± t(n−1, (1+γ)/2) · s / √n        (Law 2015, Simulation Modeling and Analysis, 5th ed., equation 4.12)

    >>> found = interval([10.0, 12.0, 11.0, 13.0])
    >>> round(found.mean, 2), round(found.half, 3)
    (11.5, 2.054)
    """
    from scipy.stats import t

    if not values:
        raise Misuse("no runs to take a mean of")
    mean, count = float(np.mean(values)), len(values)
    if count == 1:
        return Interval(mean, mean, mean, 1)
    half = float(t.ppf((1.0 + confidence) / 2.0, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    return Interval(mean, mean - half, mean + half, count)


def difference(after: Sequence[float], before: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean difference of two scenarios run on the same random numbers, replication by replication.

    The pairs share their draws, so their differences vary far less than the runs do (common random numbers; Law 2015, 11.2).
    """
    if len(after) != len(before):
        raise Misuse("scenarios are compared replication by replication")
    return interval([a - b for a, b in zip(after, before, strict=True)], confidence)


def warm_up(series: Floats | Sequence[float]) -> int:
    """Return how many values of the start to leave out: MSER-5, the cut that makes the rest's mean surest.

    d* = argmin_d  Σ_{i>d} (z_i − z̄_d)² / (n − d)²  over means z of five values, d no more than half of them
    (White 1997, doi 10.1177/003754979706900601).

    >>> warm_up([0.0] * 20 + [10.0, 11.0] * 40)
    20
    """
    values = np.asarray(series, dtype=np.float64)
    count = len(values) // BATCH
    if count < 4:
        return 0
    means = values[: count * BATCH].reshape(count, BATCH).mean(axis=1)
    best, cut = np.inf, 0
    for left_out in range(count // 2 + 1):
        kept = means[left_out:]
        score = float(((kept - kept.mean()) ** 2).sum()) / len(kept) ** 2
        if score < best - 1e-15 * max(abs(best), 1.0) or left_out == 0:
            best, cut = score, left_out
    return cut * BATCH
