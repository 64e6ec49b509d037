"""How sure a judge is: AUROC with its interval, a threshold that keeps a promise about good parts, escapes and false rejects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share and the interval that holds it."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Auroc:
    """The chance that a bad part scores above a good one, with its interval."""

    value: float
    low: float
    high: float


def auroc(good: Floats, bad: Floats, confidence: float = 0.95) -> Auroc:
    """Return the area under the curve with DeLong's interval (DeLong, DeLong, Clarke-Pearson 1988, doi 10.2307/2531595).

    >>> auroc(np.array([0.1, 0.2, 0.3]), np.array([0.25, 0.9])).value
    0.8333333333333333
    """
    from scipy.stats import norm, rankdata

    if not len(good) or not len(bad):
        raise Misuse("both good and bad parts are needed")
    ranks = rankdata(np.concatenate([bad, good]))
    own_bad, own_good = rankdata(bad), rankdata(good)
    many_bad, many_good = len(bad), len(good)
    placed_bad = (ranks[:many_bad] - own_bad) / many_good
    placed_good = 1.0 - (ranks[many_bad:] - own_good) / many_bad
    value = float(placed_bad.mean())
    spread = float(np.var(placed_bad, ddof=1) / many_bad if many_bad > 1 else 0.0)
    spread += float(np.var(placed_good, ddof=1) / many_good if many_good > 1 else 0.0)
    half = float(norm.ppf((1.0 + confidence) / 2.0)) * spread**0.5
    return Auroc(value, max(0.0, value - half), min(1.0, value + half))


def rate(hits: int, of: int, confidence: float = 0.95) -> Rate:
    """Return a share with the exact interval of Clopper and Pearson 1934 (doi 10.1093/biomet/26.4.404).

    >>> found = rate(0, 100)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0, 0.0362)
    """
    from scipy.stats import beta

    tail = (1.0 - confidence) / 2.0
    low = float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, of - hits)) if hits < of else 1.0
    return Rate(hits, of, low, high)


def threshold(good: Floats, false_reject_fraction: float) -> float:
    """Return the score above which a part is rejected, so that a new good part is with at most this chance.

    The ⌈(n + 1)(1 − α)⌉-th smallest score of n good parts the judge has not learned from (split conformal prediction: Vovk, Gammerman,
    Shafer 2005; Lei et al. 2018, doi 10.1080/01621459.2017.1307116). With fewer than 1/α − 1 of them no threshold can promise it.

    Raises
    ------
    Misuse
        Too few good parts for the promise.
    """
    place = int(np.ceil((len(good) + 1) * (1.0 - false_reject_fraction)))
    if place > len(good):
        needed = int(np.ceil(1.0 / false_reject_fraction)) - 1
        raise Misuse(f"{len(good)} good parts cannot promise {false_reject_fraction:g}: {needed} are needed")
    return float(np.sort(good)[place - 1])


def escape_threshold(bad: Floats, escape_fraction: float) -> float:
    """Return the highest threshold at which a new bad part gets through with at most this chance.

    A part passes when its score is not above the threshold; the ⌊(m + 1)β⌋-th smallest of m bad parts' scores must itself be
    rejected (split conformal prediction, as `threshold`, with the classes turned round).

    Raises
    ------
    Misuse
        Too few bad parts for the promise.

    >>> escape_threshold(np.linspace(0.1, 1.0, 19), 0.05) < 0.1
    True
    """
    place = int(np.floor((len(bad) + 1) * escape_fraction))
    if place < 1:
        needed = int(np.ceil(1.0 / escape_fraction)) - 1
        raise Misuse(f"{len(bad)} bad parts cannot promise {escape_fraction:g}: {needed} are needed")
    return float(np.nextafter(np.sort(bad)[place - 1], -np.inf))
