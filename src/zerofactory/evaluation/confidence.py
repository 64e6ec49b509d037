"""Confidence: how probable a verdict is, given how well the amounts behind it are known.

Amounts are drawn together: a part (a meter, a grid factor) that moves two amounts moves them in the same draw. Parts that
carry one hundredth or more of the variance of any amount are drawn one by one in their own shape (normal, lognormal,
triangular, as `accounting.uncertainty` chooses); the many small ones together as normals with their covariance, to which their
sum tends. To first order: amount = value + Σ S × (m − 1) / U, with m the variate of the part, U its half-width and S the stake.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from zerofactory.accounting.drawing import lognormal, triangular
from zerofactory.accounting.measure import setting
from zerofactory.accounting.spread import Z95, Floats, Part, shape_of
from zerofactory.errors import Misuse
from zerofactory.evaluation.amount import Facts
from zerofactory.evaluation.indicator import Indicator, Values, evaluate
from zerofactory.standards.criterion import Parameter, Preference

LARGE_SHARE = 0.01
CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of every uncertain amount, all of one set of draws; an amount that is not in it is certain.

    ``known`` keeps what indicators came to, because several books ask for the same one.
    """

    facts: Facts
    count: int
    drawn: Mapping[str, Floats]
    known: dict[tuple[str, str, str], Floats] = field(default_factory=dict)

    def of(self, name: str) -> Floats:
        """Return the draws of an amount, one number where it is certain."""
        found = self.drawn.get(name)
        return np.array([self.facts.amounts[name].value]) if found is None else found

    def values(self, indicator: Indicator, parameters: Mapping[str, Parameter]) -> Floats:
        """Return the draws of an indicator whose amounts are all there."""
        key = (indicator.id, indicator.formula, repr(sorted(parameters.items())))
        if key not in self.known:
            given: Values = {alias: self.of(name) for alias, name in indicator.amounts(parameters).items()}
            self.known[key] = evaluate(indicator, {**given, **indicator.numbers(parameters)})
        return self.known[key]


def draw(facts: Facts, count: int | None = None, seed: int | None = None) -> Draws:
    """Return draws of the facts; the same facts and seed give the same draws.

    Parameters
    ----------
    count, seed : default those of the uncertainty rules (`accounting/uncertainty.toml`).
    """
    draws = int(setting("draws")) if count is None else count
    start = int(setting("seed")) if seed is None else seed
    if draws < 2:
        raise Misuse(f"draws are two or more, not {draws}")
    names = sorted(name for name, amount in facts.amounts.items() if amount.half_width > 0.0)
    keys = sorted({key for name in names for key in facts.amounts[name].stakes})
    place = {key: index for index, key in enumerate(keys)}
    stakes = np.zeros((len(names), len(keys)))
    for row, name in enumerate(names):
        for key, half in facts.amounts[name].stakes.items():
            stakes[row, place[key]] = half
    squares = stakes**2
    whole = squares.sum(axis=1, keepdims=True)
    large = (squares >= LARGE_SHARE * whole).any(axis=0) if names else np.zeros(0, dtype=bool)
    values = np.array([facts.amounts[name].value for name in names])
    drawn = np.repeat(values[:, None], draws, axis=1)
    for index in np.flatnonzero(large).tolist():
        own = stakes[:, index]
        moved = np.flatnonzero(own)
        drawn[moved] += own[moved, None] * _moves(keys[index], facts.parts, _half(own, values), (draws, start))[None, :]
    drawn += _together(stakes[:, ~large], draws, start)
    return Draws(facts, draws, dict(zip(names, drawn, strict=True)))


def _half(stakes: Floats, values: Floats) -> float:
    """Return the largest relative stake, the half-width of a part that no table describes (an attested amount)."""
    sizes = np.abs(values)
    return float(np.max(np.divide(np.abs(stakes), sizes, out=np.zeros_like(stakes), where=sizes > 0), initial=0.0))


def _moves(key: str, parts: Mapping[str, Part], half: float, how: tuple[int, int]) -> Floats:
    """Return (m − 1) / U of one part, its normals from a stream of its own."""
    count, seed = how
    own = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    normals = np.random.Generator(np.random.PCG64([seed, own])).standard_normal(count)
    part = parts.get(key)
    width, shape = (part.half_width_fraction, part.shape) if part else (half, shape_of(half))
    if shape == "lognormal":
        return np.asarray((lognormal(normals, width / Z95) - 1.0) / width)
    if shape == "triangular" and part is not None:
        return np.asarray((triangular(normals, part.low, part.high) - 1.0) / width)
    return np.asarray(normals / Z95)


def _together(stakes: Floats, count: int, seed: int) -> Floats:
    """Return joint normals with the covariance of many small parts."""
    if not stakes.size:
        return np.zeros((stakes.shape[0], count))
    covariance = stakes @ stakes.T / Z95**2
    values, vectors = np.linalg.eigh(covariance)
    normals = np.random.Generator(np.random.PCG64([seed, 1])).standard_normal((len(values), count))
    return np.asarray(vectors @ (np.sqrt(np.maximum(values, 0.0))[:, None] * normals))


def keeps(values: Floats, limit: float, direction: Preference, strict: bool = False) -> Floats:
    """Return 1 where a value keeps a limit and 0 where it does not; equal within rounding keeps it unless ``strict``.

    Examples
    --------
    >>> keeps(np.array([1.0, 2.0, 3.0]), 2.0, "negative").tolist()
    [1.0, 1.0, 0.0]
    """
    band = CLOSE * abs(limit)
    away = (values - limit) if direction == "positive" else (limit - values)
    kept = away > band if strict else away >= -band
    return np.asarray(kept & np.isfinite(values), dtype=np.float64)


def probability(value: float, half_width: float, limit: float, direction: Preference) -> float:
    """Return the chance that a figure with a 95 % half-width keeps a limit; normal below 30 %, lognormal from there on.

    Normal: Φ((value − limit) / sd), sd = half-width / 1.96. Lognormal of the same mean and sd: σ² = ln(1 + cv²),
    μ = ln(value) − σ²/2 (IPCC 2006 Vol. 1 ch. 3).

    Examples
    --------
    >>> round(probability(100.0, 19.59963984540054, 110.0, "negative"), 4)
    0.8413
    >>> probability(100.0, 0.0, 110.0, "positive")
    0.0
    """
    if half_width <= 0.0:
        return float(keeps(np.array([value]), limit, direction)[0])
    deviation = half_width / Z95
    if value > 0.0 and shape_of(half_width / value) == "lognormal":
        if limit <= 0.0:
            above = 1.0
        else:
            sigma = math.sqrt(math.log1p((deviation / value) ** 2))
            above = _upper((math.log(limit) - math.log(value) + sigma**2 / 2) / sigma)
    else:
        above = _upper((limit - value) / deviation)
    return above if direction == "positive" else 1.0 - above


def _upper(z: float) -> float:
    """Return the chance of a standard normal above z."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))
