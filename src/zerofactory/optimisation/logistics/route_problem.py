"""Rounds of one fleet: stops with windows and loads, charging stations, a truck with a battery (or none that binds).

    place 0              the depot
    places 1 … n         the stops, each served once
    places n+1 …         the charging stations, visited as often as wanted

Kilometres, minutes, kilowatt-hours, kilograms. Distances need not be symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zerofactory.optimisation.solving.linear import Floats
from zerofactory.optimisation.solving.result import SolveStatus

Recharge = Literal["full", "partial"]
INF = float("inf")


@dataclass(frozen=True, slots=True)
class Place:
    """The depot, a stop or a station, with the window in which service may begin."""

    id: str
    x_km: float
    y_km: float
    load_kg: float = 0.0
    ready_min: float = 0.0
    due_min: float = INF
    service_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Truck:
    """What drives the rounds. ``battery_kwh`` is what may be used between charges; infinite where range is no question.

    ``vehicles_first``: fewer vehicles before fewer kilometres, whatever the prices.
    """

    payload_kg: float
    battery_kwh: float = INF
    kwh_per_km: float = 0.0
    charge_kw: float = INF
    speed_km_per_h: float = 60.0
    fixed_cny: float = 0.0
    cny_per_km: float = 1.0
    count: int | None = None
    recharge: Recharge = "partial"
    vehicles_first: bool = False

    @property
    def charge_min_per_kwh(self) -> float:
        """Minutes a kilowatt-hour takes at a station."""
        return 60.0 / self.charge_kw


@dataclass(frozen=True, slots=True, eq=False)
class RouteProblem:
    """Depot, stops and stations in one order of places, the truck, and the kilometres between all places."""

    depot: Place
    stops: tuple[Place, ...]
    stations: tuple[Place, ...]
    truck: Truck
    distance_km: Floats

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place in order."""
        return (self.depot, *self.stops, *self.stations)

    @property
    def drive_min(self) -> Floats:
        """Minutes of driving between all places."""
        return self.distance_km * (60.0 / self.truck.speed_km_per_h)

    @property
    def drive_kwh(self) -> Floats:
        """Energy of driving between all places."""
        return self.distance_km * self.truck.kwh_per_km

    def is_stop(self, place: int) -> bool:
        """Whether a place is a stop."""
        return 1 <= place <= len(self.stops)

    def is_station(self, place: int) -> bool:
        """Whether a place is a station."""
        return place > len(self.stops)


@dataclass(frozen=True, slots=True)
class Visit:
    """A place on a round: arrival, begin of service or charging, departure, what is in the battery, what was charged."""

    place: int
    arrives_min: float
    begins_min: float
    leaves_min: float
    battery_kwh: float
    charged_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """One vehicle's way from the depot and back, stations included. ``battery_kwh`` of a visit is that on arrival."""

    visits: tuple[Visit, ...]
    distance_km: float

    @property
    def stops(self) -> tuple[int, ...]:
        """The places on the way, the depot at both ends left out."""
        return tuple(visit.place for visit in self.visits[1:-1])

    @property
    def charged_kwh(self) -> float:
        """Energy taken at stations."""
        return sum(visit.charged_kwh for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Rounds:
    """The answer: the rounds, how they were found, and a bound where one is known.

    ``range_binds``: whether the battery changed the rounds (a station was needed). ``iterations`` counts what the search tried.
    """

    rounds: tuple[Round, ...]
    status: SolveStatus
    distance_km: float
    cost_cny: float
    method: str
    runtime_s: float
    range_binds: bool
    iterations: int = 0

    @property
    def vehicles(self) -> int:
        """How many vehicles drive."""
        return len(self.rounds)


def straight_km(places: tuple[Place, ...]) -> Floats:
    """Return the straight distances between places in a plane.

    Examples
    --------
    >>> straight_km((Place("a", 0.0, 0.0), Place("b", 3.0, 4.0)))[0].tolist()
    [0.0, 5.0]
    """
    x = np.array([place.x_km for place in places])
    y = np.array([place.y_km for place in places])
    distance: Floats = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    return distance


def in_the_plane(
    depot: Place, stops: tuple[Place, ...], stations: tuple[Place, ...], truck: Truck, daf: float = 1.0
) -> RouteProblem:
    """Return a problem whose distances are the straight ones times a distance adjustment factor."""
    return RouteProblem(depot, stops, stations, truck, straight_km((depot, *stops, *stations)) * daf)
