"""Packaging that returns beside packaging that is thrown away: the pool, the trips, kilograms and tonnes.

    pool          = packs a day × loop in days × (1 + safety)                          (Little's law: stock = rate × time)
    made a year   = packs a year ÷ loops in a life + pool × loss a year
    break-even    = loops at which a returnable pack has emitted as much as the one-way packs it replaces

Way back: kilograms × kilometres × grams per tonne-kilometre of the vehicle that takes them home.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from zerofactory.errors import Text


@dataclass(frozen=True, slots=True)
class Loop:
    """One pack in both forms; factors in kg CO2e per kg, ``return_g_per_tkm`` of the way back."""

    id: str
    title: Text
    packs_per_year: float
    working_days: float
    one_way_kg: float
    one_way_kg_per_kg: float
    returnable_kg: float
    returnable_kg_per_kg: float
    loop_days: float
    safety_fraction: float
    loss_fraction_per_year: float
    loops_in_life: float
    return_km: float
    return_g_per_tkm: float
    return_load_t: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Pool, what is made a year, trips back, kilograms and tonnes of both ways; loops at which returning pays in carbon."""

    loop: Loop
    pool_packs: int
    made_packs_per_year: float
    return_tkm: float
    return_trips: float
    one_way_kg: float
    returnable_kg: float
    one_way_t: float
    returnable_t: float
    break_even_loops: float | None

    @property
    def saved_kg(self) -> float:
        """Kilograms of packaging saved a year."""
        return self.one_way_kg - self.returnable_kg

    @property
    def saved_t(self) -> float:
        """Tonnes of CO2e saved a year."""
        return self.one_way_t - self.returnable_t


def pool_size(packs_per_day: float, loop_days: float, safety_fraction: float) -> int:
    """Return how many packs must exist so that none is missing: packs a day × days of a loop × (1 + safety), rounded up.

    Examples
    --------
    1 000 packs a day that are nine days on their way, a tenth in hand:

    >>> pool_size(1000.0, 9.0, 0.1)
    9900
    """
    return math.ceil(packs_per_day * loop_days * (1.0 + safety_fraction) - 1e-9)


def compare(loop: Loop) -> Compared:
    """Return what returning saves in a year.

    Examples
    --------
    By hand: 1 000 packs a year of 1 kg board (1 kg/kg) against 10 kg boxes (2 kg/kg) that last 100 loops, nothing lost, no way back:
    1 t of board and 1 t CO2e against 100 kg of boxes and 0.2 t.

    >>> box = Loop("b", Text("箱", "box"), 1000.0, 250.0, 1.0, 1.0, 10.0, 2.0, 5.0, 0.0, 0.0, 100.0, 0.0, 0.0, 1.0)
    >>> found = compare(box)
    >>> found.pool_packs, found.returnable_kg, round(found.saved_t, 6), found.break_even_loops
    (20, 100.0, 0.8, 20.0)
    """
    pool = pool_size(loop.packs_per_year / loop.working_days, loop.loop_days, loop.safety_fraction)
    made = loop.packs_per_year / loop.loops_in_life + pool * loop.loss_fraction_per_year
    back_t = loop.packs_per_year * loop.returnable_kg / 1000.0
    back_tkm = back_t * loop.return_km
    way_back_kg = loop.returnable_kg / 1000.0 * loop.return_km * loop.return_g_per_tkm / 1000.0
    gained = loop.one_way_kg * loop.one_way_kg_per_kg - way_back_kg
    even = loop.returnable_kg * loop.returnable_kg_per_kg / gained if gained > 0 else None
    return Compared(
        loop, pool, made, back_tkm, back_t / loop.return_load_t, loop.packs_per_year * loop.one_way_kg, made * loop.returnable_kg,
        loop.packs_per_year * loop.one_way_kg * loop.one_way_kg_per_kg / 1000.0,
        made * loop.returnable_kg * loop.returnable_kg_per_kg / 1000.0 + back_tkm * loop.return_g_per_tkm / 1e6, even,
    )  # fmt: skip
