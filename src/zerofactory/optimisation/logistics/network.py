"""A network of goods: nodes, legs, flows, vehicles; what it costs and emits is linear in tonnes, trips and kilometres.

    supplier factory → (hub, terminal, raw store) → plant → finished store → customer

ISO 14083:2023: the transport activity of a leg is tonnes × its shortest feasible distance; what is driven is that distance times
the distance adjustment factor (DAF), and fuel, cost and emissions follow what is driven, empty running included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from zerofactory.errors import Text
from zerofactory.optimisation.logistics.vehicle import VehicleKind

NodeKind = Literal["supplier", "hub", "terminal", "raw_store", "plant", "finished_store", "customer"]
Direction = Literal["inbound", "outbound"]
PASSING = ("hub", "terminal", "raw_store", "plant", "finished_store")
EARTH_KM = 6371.0088  # mean radius, IUGG 1980


@dataclass(frozen=True, slots=True)
class Node:
    """A place. Goods that pass it cost ``handling_cny_per_t`` and ``handling_kwh_per_t``; ``limit_t`` a year at most."""

    id: str
    title: Text
    kind: NodeKind
    latitude: float
    longitude: float
    handling_cny_per_t: float = 0.0
    handling_kwh_per_t: float = 0.0
    limit_t: float | None = None

    @property
    def may_be_passed(self) -> bool:
        """Whether goods may be reloaded here."""
        return self.kind in PASSING


@dataclass(frozen=True, slots=True)
class Leg:
    """A way from one node to another for some vehicles.

    Parameters
    ----------
    distance_km : the shortest feasible distance.
    daf : what is driven over that distance.
    chargers_km : where along the leg a battery can be charged, in driven kilometres from the start.
    """

    id: str
    start: str
    end: str
    vehicles: tuple[str, ...]
    distance_km: float
    daf: float = 1.0
    chargers_km: tuple[float, ...] = ()
    limit_t: float | None = None

    @property
    def driven_km(self) -> float:
        """Kilometres driven one way."""
        return self.distance_km * self.daf


@dataclass(frozen=True, slots=True)
class Flow:
    """Goods from a node to a node a year; ``shipments`` a year at least on every leg; ``kg_per_m3`` as stowed."""

    id: str
    title: Text
    start: str
    end: str
    tonnes: float
    direction: Direction
    kg_per_m3: float = 250.0
    shipments: float = 0.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """A vehicle in use: its kind, how many there may be, and the share of its energy taken at the plant's own chargers."""

    kind: VehicleKind
    count: int | None = None
    plant_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Carbon:
    """Grams of CO2e, well to wheel, as the accounts book them: per unit of energy, per tonne-kilometre, per kWh at a node."""

    per_use_g: Mapping[str, float]
    per_tkm_g: Mapping[str, float]
    handling_g_per_kwh: float


@dataclass(frozen=True, slots=True)
class Goals:
    """What is wanted: the least cost, or emissions; a price of carbon; a limit in tonnes."""

    objective: Literal["cost", "emissions"] = "cost"
    carbon_price_cny_per_t: float = 0.0
    carbon_cap_t: float | None = None


@dataclass(frozen=True, slots=True)
class NetworkProblem:
    """The whole: nodes, legs, flows, fleets, factors and goals."""

    nodes: tuple[Node, ...]
    legs: tuple[Leg, ...]
    flows: tuple[Flow, ...]
    fleets: tuple[Fleet, ...]
    carbon: Carbon
    goals: Goals = field(default_factory=Goals)

    def node(self, name: str) -> Node:
        """Return a node by id."""
        return next(node for node in self.nodes if node.id == name)

    def fleet(self, name: str) -> Fleet:
        """Return a fleet by the id of its kind."""
        return next(fleet for fleet in self.fleets if fleet.kind.id == name)


@dataclass(frozen=True, slots=True)
class Carried:
    """What one flow sends over a leg by a vehicle, tonnes a year."""

    flow: str
    leg: str
    vehicle: str
    tonnes: float


@dataclass(frozen=True, slots=True)
class Driven:
    """What a vehicle drives over a leg a year: laden trips, empty ones back (from its end to its start), energy used."""

    leg: str
    vehicle: str
    trips: float
    empty_trips: float
    use: float


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The answer: what goes where by what, what drives, how many vehicles, cost and emissions a year."""

    carried: tuple[Carried, ...]
    driven: tuple[Driven, ...]
    vehicles: Mapping[str, int]
    cost_cny: float
    emissions_t: float


def great_circle_km(a: Node, b: Node) -> float:
    """Return the great-circle distance of two nodes (haversine).

    Examples
    --------
    Shanghai to Wuhan, about 690 km:

    >>> here, there = (Node(n, Text(n, n), "hub", *at) for n, at in (("a", (31.23, 121.47)), ("b", (30.59, 114.30))))
    >>> round(great_circle_km(here, there))
    688
    """
    first, second = math.radians(a.latitude), math.radians(b.latitude)
    across = math.radians(b.longitude - a.longitude)
    half = math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * math.sin(across / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def reaches(fleet: Fleet, leg: Leg) -> tuple[float, float] | None:
    """Return the first stretch of a leg, in driven kilometres, that a full battery or tank does not reach; None: all is reached.

    Both ends can charge or fill.
    """
    stops = (0.0, *sorted(leg.chargers_km), leg.driven_km)
    for here, there in pairwise(stops):
        if there - here > fleet.kind.range_km * (1 + 1e-9):
            return here, there
    return None


def charging_stops_h(fleet: Fleet, leg: Leg) -> float:
    """Return the hours a laden battery vehicle charges on the way, as much as the rest of the leg needs."""
    kind = fleet.kind
    if kind.energy != "electricity" or leg.driven_km <= kind.range_km:
        return 0.0
    return (leg.driven_km - kind.range_km) * kind["use_full_per_km"] / kind["charge_kw"]
