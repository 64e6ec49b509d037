"""How sure a sum of counted pieces is, each piece with a weight of its own (kilograms, kWh, CNY)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerofactory.errors import Misuse


@dataclass(frozen=True, slots=True)
class Counted:
    """A sum over counted pieces and the interval that holds what would be expected of such a period."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return plain values."""
        return {"value": self.value, "low": self.low, "high": self.high}


def counted(counts: Sequence[float], weights: Sequence[float] | None = None, confidence: float = 0.95) -> Counted:
    """Return Σ wᵢ nᵢ of Poisson counts with its interval.

    One weight: the exact interval of Garwood 1936 (doi 10.1093/biomet/28.3-4.437), w·χ²(α/2; 2n)/2 to w·χ²(1−α/2; 2n+2)/2. Several:
    the gamma interval of Fay and Feuer 1997 (doi 10.1002/(SICI)1097-0258(19970415)16:7<791::AID-SIM500>3.0.CO;2-#), which becomes
    the exact one where all weights are equal. Weights below zero (a piece that saves something) turn the interval around.

    >>> found = counted([10])
    >>> round(found.low, 3), round(found.high, 3)
    (4.795, 18.39)
    """
    from scipy.stats import gamma

    weigh = [1.0] * len(counts) if weights is None else list(weights)
    if len(weigh) != len(counts) or any(count < 0 for count in counts):
        raise Misuse("counts are not below zero, and each has one weight")
    signs = {weight > 0 for weight in weigh if weight}
    if len(signs) > 1:
        return _both(counts, weigh, confidence)
    if signs == {False}:
        turned = counted(counts, [-weight for weight in weigh], confidence)
        return Counted(-turned.value, -turned.high, -turned.low)
    value = sum(count * weight for count, weight in zip(counts, weigh, strict=True))
    spread = sum(count * weight**2 for count, weight in zip(counts, weigh, strict=True))
    most, tail = max(weigh, default=0.0), (1.0 - confidence) / 2.0
    if not most:
        return Counted(0.0, 0.0, 0.0)
    low = float(gamma.ppf(tail, value**2 / spread, scale=spread / value)) if value else 0.0
    after, wider = value + most, spread + most**2
    return Counted(value, low, float(gamma.ppf(1.0 - tail, after**2 / wider, scale=wider / after)))


def _both(counts: Sequence[float], weights: Sequence[float], confidence: float) -> Counted:
    """Return the interval of a sum in which some pieces cost and some save: the ends of both parts joined, which is wide enough."""
    pairs = list(zip(counts, weights, strict=True))
    parts = [
        counted([count for count, weight in pairs if (weight > 0) is up], [weight for _, weight in pairs if (weight > 0) is up], confidence)
        for up in (True, False)
    ]  # fmt: skip
    return Counted(sum(one.value for one in parts), sum(one.low for one in parts), sum(one.high for one in parts))
