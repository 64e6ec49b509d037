"""Times to failure and to repair, some of them cut off before the end: exponential and Weibull by maximum likelihood.

    exponential  θ̂ = T / d,  T all time, d ends;  interval  2T / χ²(1−α/2; 2d+2) … 2T / χ²(α/2; 2d)
    Weibull      Σ tᵢ^β ln tᵢ / Σ tᵢ^β − 1/β − Σ_ends ln tᵢ / d = 0,  η^β = Σ tᵢ^β / d
                 (sums over all times, those cut off included; Lawless 2003, Statistical Models and Methods for Lifetime Data, 2nd
                 ed., section 5.2; NIST/SEMATECH e-Handbook 8.4.1.2)
    which        the exponential is the Weibull of shape 1: the latter is taken where 2 (ln L_W − ln L_E) exceeds the quantile of
                 χ² with one degree of freedom (the likelihood-ratio test)

Intervals of the Weibull are those of the normal approximation in ln β and ln η with the observed information (Lawless 2003, 5.2.2).
The exponential interval is that of tests ended at a time (NIST/SEMATECH e-Handbook 8.4.5.1). Numbers: `lifetimes.toml`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import exp, lgamma, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.optimisation.twin.statistics import Interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Kind = Literal["exponential", "weibull", "fixed"]
SHAPES = (1e-2, 1e3)
"""Between these the shape is looked for."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The packaged numbers."""

    least_events: int
    test_level: float
    most_shape: float
    least_days: int


@lru_cache(maxsize=1)
def terms() -> Terms:
    """Return the packaged numbers.

    Examples
    --------
    >>> terms().test_level
    0.05
    """
    table = tomllib.loads((files("zerofactory.optimisation.twin") / "lifetimes.toml").read_text(encoding="utf-8"))
    return Terms(*(table[name] for name in Terms.__dataclass_fields__))


@dataclass(frozen=True, slots=True, eq=False)
class Lifetimes:
    """Times in seconds, whether each came to its end (else it was cut off), and time and ends of unknown age.

    ``apart_s`` is time that was seen of lives whose beginning was not, ``apart_ends`` how many of these came to their end: they
    count only where age does not (exponential).
    """

    time_s: Floats
    ended: Flags
    apart_s: float = 0.0
    apart_ends: int = 0

    @property
    def ends(self) -> int:
        """How many of the times came to their end."""
        return int(np.count_nonzero(self.ended))


@dataclass(frozen=True, slots=True)
class Life:
    """A fitted distribution.

    Parameters
    ----------
    kind : the distribution that is taken; ``mean_s`` of it, with its interval (``runs``: ends behind it); ``shape`` of a Weibull.
    ends, cut_off : how many times came to their end, and how many were cut off before.
    p_value : of the test against the exponential distribution; None where there was too little for it.
    """

    kind: Kind
    mean_s: Interval
    shape: Interval | None
    ends: int
    cut_off: int
    p_value: float | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "kind": self.kind, "mean_s": self.mean_s.as_json(), "shape": None if self.shape is None else self.shape.as_json(),
            "ends": self.ends, "cut_off": self.cut_off, "p_value": self.p_value,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weibull:
    """A Weibull distribution as fitted: shape, scale (s), the logarithm of its likelihood, and the mean with its interval."""

    shape: Interval
    scale_s: Interval
    mean_s: Interval
    log_likelihood: float


def fit(seen: Lifetimes, confidence: float = 0.95) -> Life | None:
    """Return the distribution that the times speak for; None where none came to its end.

    Examples
    --------
    Ten of twenty units failed within 500 h (NIST/SEMATECH e-Handbook 8.4.1.3): not enough to refuse the exponential distribution.

    >>> hours = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386] + [500] * 10
    >>> found = fit(Lifetimes(np.array(hours) * 3600.0, np.arange(20) < 10))
    >>> found.kind, round(found.mean_s.mean / 3600.0, 1), round(found.p_value, 3)
    ('exponential', 777.1, 0.092)
    """
    from scipy.stats import chi2

    ends, cut_off = seen.ends + seen.apart_ends, len(seen.time_s) - seen.ends
    total = float(seen.time_s.sum()) + seen.apart_s
    if not ends or total <= 0.0:
        return None
    plain = exponential(total, ends, confidence)
    if seen.ends < terms().least_events:
        return Life("exponential", plain, None, ends, cut_off, None)
    times = seen.time_s[seen.ended]
    shape = _shape(seen)
    if shape is None or shape > terms().most_shape:
        mean = float(times.mean())
        fixed = Interval(mean, float(times.min()), float(times.max()), ends)
        return Life("fixed", fixed, None, ends, cut_off, None)
    found = weibull(seen, confidence)
    own = float(seen.time_s.sum()) / seen.ends
    gain = 2.0 * (found.log_likelihood + seen.ends * (log(own) + 1.0))
    p_value = float(chi2.sf(max(gain, 0.0), 1))
    if p_value < terms().test_level:
        return Life("weibull", found.mean_s, found.shape, ends, cut_off, p_value)
    return Life("exponential", plain, None, ends, cut_off, p_value)


def exponential(total_s: float, ends: int, confidence: float = 0.95) -> Interval:
    """Return the mean of an exponential distribution from all time seen and how many ends there were in it.

    Parameters
    ----------
    total_s : s, all time together.
    ends : failures (or repairs that were finished).

    Examples
    --------
    Twelve failures in 344 440 h.

    >>> found = exponential(344_440 * 3600.0, 12)
    >>> [round(value / 3600.0) for value in (found.mean, found.low, found.high)]
    [28703, 16432, 55550]
    """
    from scipy.stats import chi2

    if ends < 1:
        raise Misuse("no end: there is no mean")
    low = 2.0 * total_s / float(chi2.ppf((1.0 + confidence) / 2.0, 2 * ends + 2))
    high = 2.0 * total_s / float(chi2.ppf((1.0 - confidence) / 2.0, 2 * ends))
    return Interval(total_s / ends, low, high, ends)


def weibull(seen: Lifetimes, confidence: float = 0.95) -> Weibull:
    """Return the Weibull distribution of times; raise `Misuse` where they have no scatter or fewer than two ended.

    Examples
    --------
    The data of NIST/SEMATECH e-Handbook 8.4.1.3 in hours: shape 1.7208, scale 606.5280, ln L −75.135.

    >>> hours = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386] + [500] * 10
    >>> found = weibull(Lifetimes(np.array(hours, dtype=float), np.arange(20) < 10))
    >>> round(found.shape.mean, 4), round(found.scale_s.mean, 3), round(found.log_likelihood, 3)
    (1.7208, 606.528, -75.135)
    """
    from scipy.special import digamma
    from scipy.stats import norm

    shape = _shape(seen) if seen.ends > 1 else None
    if shape is None:
        raise Misuse("times without scatter, or fewer than two ends")
    ends, most = seen.ends, float(seen.time_s.max())
    scale = most * float(((seen.time_s / most) ** shape).sum() / ends) ** (1.0 / shape)
    z = shape * np.log(seen.time_s / scale)
    weight = np.exp(z)
    likelihood = ends * log(shape) + float(z[seen.ended].sum() - np.log(seen.time_s[seen.ended]).sum() - weight.sum())
    curve = np.array(
        [
            [float((z * weight + z * z * weight).sum() - z[seen.ended].sum()), 0.0],
            [0.0, shape * shape * ends],
        ]
    )
    curve[0, 1] = curve[1, 0] = shape * ends - shape * float((weight + z * weight).sum())
    spread = np.linalg.inv(curve)
    factor = float(norm.ppf((1.0 + confidence) / 2.0))
    mean = log(scale) + lgamma(1.0 + 1.0 / shape)
    slope = np.array([-float(digamma(1.0 + 1.0 / shape)) / shape, 1.0])

    def around(value: float, variance: float) -> Interval:
        half = factor * max(variance, 0.0) ** 0.5
        return Interval(exp(value), exp(value - half), exp(value + half), ends)

    return Weibull(
        around(log(shape), float(spread[0, 0])), around(log(scale), float(spread[1, 1])),
        around(mean, float(slope @ spread @ slope)), likelihood,
    )  # fmt: skip


def _shape(seen: Lifetimes) -> float | None:
    """Return the shape of greatest likelihood; None where there is no greatest, since the ends have no scatter."""
    from scipy.optimize import brentq

    scaled = np.log(seen.time_s / seen.time_s.max())
    ended = float(scaled[seen.ended].mean())

    def slope(shape: float) -> float:
        weight = np.exp(shape * scaled)
        return float((weight * scaled).sum() / weight.sum()) - 1.0 / shape - ended

    if slope(SHAPES[1]) <= 0.0:
        return None
    return float(brentq(slope, *SHAPES, xtol=1e-12, rtol=1e-14))
