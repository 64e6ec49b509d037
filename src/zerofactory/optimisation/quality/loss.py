"""What a rejected piece is worth: metal put in again, what of it comes back, energy and minutes; kilograms are kept to the gram.

A piece scrapped behind a station has taken all that the stations up to there put in, offcuts included, and another piece must take
it again to be finished in its place. The metal goes where scrap goes: recovered (sold or melted again in the plant) or lost.

    put in = kept + recovered + lost,   recovered = recovery · (put in − kept)                                       [kg]
    bought = put in − recovered, where scrap is melted in the plant or goes back to the mill that nets it; else put in [kg]

Mass balance with closed loop and cut-off: ISO 14044:2006, 4.3.4.3; sold scrap leaves without burden or credit (GHG Protocol Scope 3
Standard, category 5 and 12). The energy is part of what the plant's meters have counted already: a share, never an addition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Fate = Literal["sold", "returned", "remelted", "disposed"]
SOLD, RETURNED, REMELTED, DISPOSED = "sold", "returned", "remelted", "disposed"
"""Sold to anyone (cut-off); returned to the mill that nets it from its deliveries (closed loop); melted in the plant; thrown away."""
CLOSED = (RETURNED, REMELTED)


@dataclass(frozen=True, slots=True)
class Material:
    """What pieces are made of, and where its scrap goes.

    Parameters
    ----------
    recovery_fraction : of the scrap; melting loss and dross are the rest. A material that is disposed of is not recovered.
    remelt_kwh_per_kg, remelt_nm3_per_kg : what melting again in the plant takes.
    """

    id: str
    fate: Fate = "sold"
    recovery_fraction: float = 1.0
    remelt_kwh_per_kg: float = 0.0
    remelt_nm3_per_kg: float = 0.0


@dataclass(frozen=True, slots=True)
class Added:
    """Material that a station adds: ``mass_kg`` stays in the piece, which is ``yield_fraction`` of what is put in."""

    material: str
    mass_kg: float
    yield_fraction: float = 1.0

    @property
    def put_in_kg(self) -> float:
        """With offcuts."""
        return self.mass_kg / self.yield_fraction


@dataclass(frozen=True, slots=True)
class Step:
    """A station on the way of a piece: what it adds and takes for one piece."""

    station: str
    shop: str
    added: tuple[Added, ...] = ()
    electricity_kwh: float = 0.0
    natural_gas_nm3: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A piece and its way through the stations, ``per_vehicle`` of them in a vehicle."""

    id: str
    steps: tuple[Step, ...]
    per_vehicle: float = 1.0

    def up_to(self, station: str) -> tuple[Step, ...]:
        """Return the steps until a station, that one included; all of them where the piece does not pass it."""
        names = [one.station for one in self.steps]
        return self.steps[: names.index(station) + 1] if station in names else self.steps


@dataclass(frozen=True, slots=True)
class Rework:
    """What mending a piece takes; its material stays on the piece."""

    id: str
    shop: str
    minutes: float = 0.0
    electricity_kwh: float = 0.0
    natural_gas_nm3: float = 0.0
    added: tuple[Added, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """What pieces cost in kilograms by material, energy by shop and minutes; sums of such are again such."""

    put_in_kg: Mapping[str, float] = field(default_factory=dict)
    kept_kg: Mapping[str, float] = field(default_factory=dict)
    recovered_kg: Mapping[str, float] = field(default_factory=dict)
    lost_kg: Mapping[str, float] = field(default_factory=dict)
    bought_kg: Mapping[str, float] = field(default_factory=dict)
    electricity_kwh: Mapping[str, float] = field(default_factory=dict)
    natural_gas_nm3: Mapping[str, float] = field(default_factory=dict)
    minutes: float = 0.0

    def __add__(self, other: Loss) -> Loss:
        return totals([self, other])

    def times(self, count: float) -> Loss:
        """Return the same of so many pieces."""
        maps = {name: {key: value * count for key, value in getattr(self, name).items()} for name in MAPS}
        return replace(self, **maps, minutes=self.minutes * count)

    @property
    def scrap_kg(self) -> Mapping[str, float]:
        """Metal that leaves as scrap: what is recovered and what is lost."""
        return _added(self.recovered_kg, self.lost_kg)

    @property
    def mass_kg(self) -> float:
        """All that is put in."""
        return sum(self.put_in_kg.values())

    @property
    def kwh(self) -> float:
        """Electricity in all shops."""
        return sum(self.electricity_kwh.values())

    @property
    def nm3(self) -> float:
        """Gas in all shops."""
        return sum(self.natural_gas_nm3.values())


MAPS = ("put_in_kg", "kept_kg", "recovered_kg", "lost_kg", "bought_kg", "electricity_kwh", "natural_gas_nm3")


def scrapped(part: Part, station: str, materials: Mapping[str, Material]) -> Loss:
    """Return what one piece scrapped behind a station costs.

    >>> metal = {"sheet": Material("sheet", "sold", 0.98)}
    >>> panel = Part("panel", (Step("press", "stamping", (Added("sheet", 6.0, 0.6),), 2.0),))
    >>> one = scrapped(panel, "press", metal)
    >>> [round(one.put_in_kg["sheet"], 6), round(one.recovered_kg["sheet"], 6), round(one.lost_kg["sheet"], 6), one.kwh]
    [10.0, 9.8, 0.2, 2.0]
    """
    found = []
    for step in part.up_to(station):
        found += [_gone(one.put_in_kg, materials[one.material], step.shop) for one in step.added]
        energy = Loss(electricity_kwh=_only(step.shop, step.electricity_kwh), natural_gas_nm3=_only(step.shop, step.natural_gas_nm3))  # fmt: skip
        found.append(energy)
    return totals(found)


def reworked(route: Rework, materials: Mapping[str, Material]) -> Loss:
    """Return what mending one piece costs; of its material what stays on the piece is kept, the rest goes where scrap goes."""
    found = [
        Loss(
            electricity_kwh=_only(route.shop, route.electricity_kwh),
            natural_gas_nm3=_only(route.shop, route.natural_gas_nm3),
            minutes=route.minutes,
        )
    ]
    for one in route.added:
        stays = {one.material: one.mass_kg}
        found.append(Loss(put_in_kg=stays, kept_kg=stays, bought_kg=stays))
        found.append(_gone(one.put_in_kg - one.mass_kg, materials[one.material], route.shop))
    return totals(found)


def totals(losses: Sequence[Loss]) -> Loss:
    """Return the sum."""
    maps: dict[str, dict[str, float]] = {name: {} for name in MAPS}
    for one in losses:
        for name, found in maps.items():
            for key, value in getattr(one, name).items():
                found[key] = found.get(key, 0.0) + value
    return Loss(**maps, minutes=sum(one.minutes for one in losses))


def _gone(mass_kg: float, material: Material, shop: str) -> Loss:
    """Return what a mass of scrap of a material comes to."""
    share = 0.0 if material.fate == DISPOSED else material.recovery_fraction
    back = mass_kg * share
    melted = back if material.fate == REMELTED else 0.0
    spared = back if material.fate in CLOSED else 0.0
    name = material.id
    return Loss(
        put_in_kg=_only(name, mass_kg),
        recovered_kg=_only(name, back),
        lost_kg=_only(name, mass_kg - back),
        bought_kg=_only(name, mass_kg - spared),
        electricity_kwh=_only(shop, melted * material.remelt_kwh_per_kg),
        natural_gas_nm3=_only(shop, melted * material.remelt_nm3_per_kg),
    )


def _only(key: str, value: float) -> dict[str, float]:
    return {key: value} if value else {}


def _added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {key: one.get(key, 0.0) + other.get(key, 0.0) for key in dict.fromkeys((*one, *other))}
