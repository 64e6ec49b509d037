"""Random numbers that are the same wherever they are drawn: one stream a station and purpose, counted, never shared.

The n-th number of a stream is SplitMix64 (Steele, Lea, Flood 2014, doi 10.1145/2660193.2660195) of its seed and n, so that a
scenario which adds a station or stops a line an hour earlier leaves every other draw where it was (common random numbers), and
Python, compiled code and every machine give the same sequence. Spreads are drawn by inverting their distribution function.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from zerofactory.optimisation.twin.quantile import gamma, normal, normal_above_zero, triangle

Kind = Literal[
    "fixed", "exponential", "weibull", "uniform", "lognormal", "geometric", "empirical", "gamma", "normal", "triangular"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
FIXED, EXPONENTIAL, WEIBULL, UNIFORM, LOGNORMAL, GEOMETRIC, EMPIRICAL, GAMMA, NORMAL, TRIANGULAR = range(10)
STEP, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

TIMES = ("mean_s", "low_s", "high_s", "sd_s", "mode_s")


@dataclass(frozen=True, slots=True)
class Spread:
    """A duration in seconds as a distribution.

    Parameters
    ----------
    kind : ``fixed`` mean_s; ``exponential`` mean_s; ``weibull`` mean_s and shape; ``lognormal`` mean_s and shape (standard
        deviation of the logarithm); ``gamma`` mean_s and shape (Erlang of so many phases where it is whole; 1 / cv²);
        ``normal`` mean_s and sd_s, cut off at zero; ``triangular`` low_s, mode_s, high_s; ``uniform`` low_s to high_s;
        ``geometric`` a number of steps of step_s, mean_s / step_s on average, at least one; ``empirical`` one of values_s,
        each as likely.
    """

    kind: Kind = "fixed"
    mean_s: float = 0.0
    shape: float = 1.0
    low_s: float = 0.0
    high_s: float = 0.0
    step_s: float = 1.0
    values_s: tuple[float, ...] = ()
    sd_s: float = 0.0
    mode_s: float = 0.0

    @property
    def average_s(self) -> float:
        """The expected duration."""
        if self.kind == "uniform":
            return (self.low_s + self.high_s) / 2.0
        if self.kind == "empirical":
            return sum(self.values_s) / len(self.values_s)
        if self.kind == "triangular":
            return (self.low_s + self.mode_s + self.high_s) / 3.0
        if self.kind == "normal" and self.sd_s > 0.0:
            far = self.mean_s / self.sd_s
            density = math.exp(-far * far / 2.0) / math.sqrt(2.0 * math.pi)
            return self.mean_s + self.sd_s * density / (0.5 * math.erfc(-far / math.sqrt(2.0)))
        return self.mean_s

    def stretched(self, mean_s: float) -> Spread:
        """Return the same kind of spread with another expected duration, all its times longer or shorter alike.

        >>> Spread("uniform", low_s=50.0, high_s=70.0).stretched(90.0).high_s
        105.0
        """
        ratio = mean_s / self.average_s
        times = {name: getattr(self, name) * ratio for name in TIMES}
        return replace(self, values_s=tuple(value * ratio for value in self.values_s), **times)

    def coded(self) -> tuple[int, float, float, float]:
        """Return what `duration` takes: the kind's number and its parameters."""
        code, first, second = self._coded()
        return code, first, second, self.mode_s

    def _coded(self) -> tuple[int, float, float]:
        code = KINDS.index(self.kind)
        if self.kind == "weibull":
            return code, self.mean_s / math.gamma(1.0 + 1.0 / self.shape), self.shape
        if self.kind == "lognormal":
            return code, math.log(self.mean_s) - self.shape**2 / 2.0, self.shape
        if self.kind == "gamma":
            return code, self.mean_s / self.shape, self.shape
        if self.kind == "normal":
            return code, self.mean_s, self.sd_s
        if self.kind in ("uniform", "triangular"):
            return code, self.low_s, self.high_s
        if self.kind == "geometric":
            return code, self.step_s / self.mean_s, self.step_s
        return code, self.mean_s, 0.0


def stream(seed: int, replication: int, *names: str) -> int:
    """Return the seed of a stream: of a run, its replication, and what is drawn (station, purpose)."""
    text = "\x1f".join((str(seed), str(replication), *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def streams(seed: int, replication: int, names: Sequence[str], purpose: str) -> NDArray[np.uint64]:
    """Return one seed for each name."""
    return np.array([stream(seed, replication, name, purpose) for name in names], dtype=np.uint64)


@njit(cache=True, nogil=True)
def uniform(seed: int, place: int) -> float:
    """Return number ``place`` of a stream, above 0 and below 1.

    >>> [round(float(uniform(np.uint64(0), n)), 6) for n in (0, 1)]
    [0.883311, 0.431528]
    """
    z = uint64(seed) + uint64(place + 1) * uint64(STEP)
    z = (z ^ (z >> uint64(30))) * uint64(MIX_1)
    z = (z ^ (z >> uint64(27))) * uint64(MIX_2)
    z = z ^ (z >> uint64(31))
    return (float(z >> uint64(12)) + 0.5) / 4503599627370496.0


@njit(cache=True, nogil=True)
def _longer(kind: int, told: tuple[float, float, float], u: float) -> float:
    """Return the quantile of the kinds that take longer (apart, so that the others stay small enough to be inlined)."""
    if kind == GAMMA:
        return told[0] * float(gamma(told[1], u))
    if kind == NORMAL:
        return float(normal_above_zero(told[0], told[1], u))
    return float(triangle(told[0], told[1], told[2], u))


@njit(cache=True, nogil=True, forceinline=True)  # in the recursion it is a tenth of the time
def duration(kind: int, a: float, b: float, c: float, u: float) -> float:
    """Return the quantile ``u`` of a coded spread (not empirical), in seconds."""
    if kind == EXPONENTIAL:
        return -a * math.log(1.0 - u)
    if kind == WEIBULL:
        return float(a * (-math.log(1.0 - u)) ** (1.0 / b))
    if kind == UNIFORM:
        return a + (b - a) * u
    if kind == LOGNORMAL:
        return math.exp(a + b * float(normal(u)))
    if kind == GEOMETRIC:
        return b if a >= 1.0 else b * math.ceil(math.log(1.0 - u) / math.log(1.0 - a))
    if kind >= GAMMA:
        return float(_longer(kind, (a, b, c), u))
    return a
