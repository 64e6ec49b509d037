"""Where to set the threshold of a judge so that wrong decisions cost least: escapes against good parts rejected.

A part is rejected when its score lies above t. Of a thousand parts, a share p of them defective:

    L(t) = 1000 · [ p · (ε(t) · c_escape + (1 − ε(t)) · c_found) + (1 − p) · φ(t) · c_false ]

ε the share of defective parts that pass, φ the share of good parts rejected, both as measured on parts the judge had not seen. The best
point of the curve is where its slope is the ratio of the costs (Metz 1978, doi 10.1016/S0001-2998(78)80014-2); it is found here by
trying every score, as L changes at scores only. The interval of L takes both shares at the ends of their exact intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Floats = NDArray[np.float64]
PARTS = 1000.0


@dataclass(frozen=True)
class Scores:
    """Scores of parts whose truth is known, and how many parts each stands for (one, unless some were looked at by chance)."""

    good: Floats
    bad: Floats
    good_weight: Floats
    bad_weight: Floats

    @classmethod
    def of(cls, good: Floats, bad: Floats) -> Scores:
        """Return scores that stand for one part each."""
        return cls(good, bad, np.ones(len(good)), np.ones(len(bad)))

    @property
    def defective_fraction(self) -> float:
        """Of the parts that the scores stand for."""
        bad = float(self.bad_weight.sum())
        return bad / (bad + float(self.good_weight.sum()))


@dataclass(frozen=True, slots=True)
class Share:
    """A share, the interval that holds it, and the parts seen."""

    value: float
    low: float
    high: float
    seen: int

    def as_json(self) -> dict[str, float | int]:
        """Return plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high, "seen": self.seen}


@dataclass(frozen=True, slots=True)
class Prices:
    """What a decision costs in one unit (CNY or kg of CO2e), and the share of parts that are defective."""

    defective_fraction: float
    escape: float
    found: float
    false_reject: float


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold, the shares it gives, and the cost of a thousand parts with its interval."""

    threshold: float
    escape: Share
    false_reject: Share
    cost: float
    cost_low: float
    cost_high: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "threshold": self.threshold if np.isfinite(self.threshold) else None,
            "escape": self.escape.as_json(), "false_reject": self.false_reject.as_json(),
            "cost": self.cost, "cost_low": self.cost_low, "cost_high": self.cost_high,
        }  # fmt: skip


def share(hit: NDArray[np.bool_], weight: Floats, confidence: float = 0.95) -> Share:
    """Return a weighted share with the exact interval of as many parts as the weights are worth, (Σw)² / Σw².

    Clopper and Pearson 1934 with Kish's effective number (Korn, Graubard 1998, Survey Methodology 24, 193-201); equal weights: exact.

    >>> found = share(np.zeros(100, dtype=bool), np.ones(100))
    >>> round(found.low, 4), round(found.high, 4)
    (0.0, 0.0362)
    """
    from scipy.stats import beta

    total = float(weight.sum())
    value, number = float(weight[hit].sum()) / total, total**2 / float((weight**2).sum())
    tail, hits = (1.0 - confidence) / 2.0, value * number
    low = float(beta.ppf(tail, hits, number - hits + 1.0)) if value > 0.0 else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1.0, number - hits)) if value < 1.0 else 1.0
    return Share(value, low, high, len(hit))


def at(threshold: float, scores: Scores, prices: Prices, confidence: float = 0.95) -> Operating:
    """Return what a threshold does.

    >>> prices = Prices(0.1, 100.0, 10.0, 5.0)
    >>> at(0.5, Scores.of(np.array([0.1, 0.6]), np.array([0.4, 0.9])), prices).cost
    7750.0
    """
    joint = 1.0 - (1.0 - confidence) / 2.0  # two shares: each at half of the doubt, so that both hold together
    passed = share(scores.bad <= threshold, scores.bad_weight, joint)
    rejected = share(scores.good > threshold, scores.good_weight, joint)
    low, high = sorted((_cost(passed.low, rejected.low, prices), _cost(passed.high, rejected.high, prices)))
    return Operating(threshold, passed, rejected, _cost(passed.value, rejected.value, prices), low, high)


def best(scores: Scores, prices: Prices, confidence: float = 0.95) -> Operating:
    """Return the threshold of least cost; of equal ones the lowest, which lets the fewest defective parts pass.

    Raises
    ------
    Misuse
        No good or no bad parts, or an escape that costs less than a found part: then nothing should be inspected.
    """
    if not len(scores.good) or not len(scores.bad):
        raise Misuse("both good and bad parts are needed")
    if prices.escape < prices.found:
        raise Misuse("an escape costs less than a part found: inspecting is not worth it")
    costs = [(cost, threshold) for threshold, cost in curve(scores, prices)]
    return at(min(costs)[1], scores, prices, confidence)


def curve(scores: Scores, prices: Prices) -> Iterator[tuple[float, float]]:
    """Yield each threshold that changes anything, and what it costs: from rejecting all to passing all."""
    bad, good = _running(scores.bad, scores.bad_weight), _running(scores.good, scores.good_weight)
    for threshold in (-np.inf, *np.unique(np.concatenate([scores.good, scores.bad])).tolist()):
        yield float(threshold), _cost(_below(bad, threshold), 1.0 - _below(good, threshold), prices)


def _running(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(values, kind="stable")
    return values[order], np.concatenate([[0.0], np.cumsum(weight[order]) / weight.sum()])


def _below(running: tuple[Floats, Floats], threshold: float) -> float:
    """Return which share lies at or below a threshold."""
    return float(running[1][np.searchsorted(running[0], threshold, side="right")])


def _cost(passed: float, rejected: float, prices: Prices) -> float:
    part = prices.defective_fraction
    defective = part * (passed * prices.escape + (1.0 - passed) * prices.found)
    return PARTS * (defective + (1.0 - part) * rejected * prices.false_reject)
