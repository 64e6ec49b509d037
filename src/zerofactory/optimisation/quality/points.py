"""What one percentage point is worth: of scrap, of mended pieces, of escapes, and of good pieces rejected.

With G good pieces wanted, a share f scrapped, N = G / (1 − f) pieces are started. One point m = 0.01 more, all else the same:

    scrap         G · (1/(1 − f − m) − 1/(1 − f)) · c_scrap        more pieces are started to make as many good ones
    rework        N · m · c_rework
    escape        N · p · m · (E − c_found)                        p: share of defective pieces, of which a point more gets through
    false reject  N · (1 − p) · m · c_false

E is what an escape comes to further down: it is found at the first stage that catches it, the later the dearer; what none catches
costs nothing here.      E = Σ_j q_j Π_{i<j} (1 − q_i) · c_j
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerofactory.errors import Misuse

POINT = 0.01


@dataclass(frozen=True, slots=True)
class Cost:
    """Kilograms of CO2e, CNY and kilograms of material."""

    kgco2e: float = 0.0
    cny: float = 0.0
    mass_kg: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.kgco2e + other.kgco2e, self.cny + other.cny, self.mass_kg + other.mass_kg)

    def __sub__(self, other: Cost) -> Cost:
        return self + other.times(-1.0)

    def times(self, count: float) -> Cost:
        """Return the same so many times."""
        return Cost(self.kgco2e * count, self.cny * count, self.mass_kg * count)


@dataclass(frozen=True, slots=True)
class Stage:
    """A place further down: the share of what comes there that is found, and what a found one costs."""

    id: str
    caught_fraction: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the pieces started: scrapped, and defective (scrapped or mended)."""

    scrap_fraction: float
    defective_fraction: float


@dataclass(frozen=True, slots=True)
class Each:
    """What one piece costs: scrapped, mended, a defective one found here, one that escapes, a good one rejected. None: not known."""

    scrap: Cost
    rework: Cost | None
    found: Cost
    escape: Cost | None
    false_reject: Cost | None


def escaped(stages: Sequence[Stage]) -> Cost:
    """Return what one escape is expected to cost.

    >>> escaped([Stage("weld", 0.5, Cost(cny=10.0)), Stage("customer", 0.5, Cost(cny=100.0))]).cny
    30.0
    """
    found, left = Cost(), 1.0
    for one in stages:
        found = found + one.cost.times(left * one.caught_fraction)
        left *= 1.0 - one.caught_fraction
    return found


def points(good: float, shares: Shares, each: Each) -> dict[str, Cost]:
    """Return what one percentage point more is worth, for so many good pieces.

    >>> one = Each(Cost(cny=99.0), None, Cost(), None, None)
    >>> round(points(9900.0, Shares(0.0, 0.0), one)["scrap"].cny, 6)
    9900.0
    """
    if not 0.0 <= shares.scrap_fraction < 1.0 - POINT or not 0.0 <= shares.defective_fraction <= 1.0:
        raise Misuse("shares lie between 0 and 1, and some pieces are good")
    kept = 1.0 - shares.scrap_fraction
    started = good / kept
    found = {"scrap": each.scrap.times(good * (1.0 / (kept - POINT) - 1.0 / kept))}
    if each.rework is not None:
        found["rework"] = each.rework.times(started * POINT)
    if each.escape is not None:
        found["escape"] = (each.escape - each.found).times(started * shares.defective_fraction * POINT)
    if each.false_reject is not None:
        found["false_reject"] = each.false_reject.times(started * (1.0 - shares.defective_fraction) * POINT)
    return found
