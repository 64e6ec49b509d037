"""A given order of places, stations included, turned into a round with its times and charges.

With partial recharging each station gives what reaches the next one (or the depot), and what the truck can take while it
would wait anyway; more only shifts charging from a later station to an earlier one. As all stations charge alike, no other
choice arrives earlier anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from zerofactory.optimisation.logistics.route_problem import Round, RouteProblem, Visit

LATE_MIN = 1e-5


def timed(problem: RouteProblem, way: Sequence[int]) -> Round | None:
    """Return the round over a way (depot left out), or None when it misses a window or runs dry."""
    truck, moment, left, driven = problem.truck, problem.depot.ready_min, problem.truck.battery_kwh, 0.0
    visits = [Visit(0, moment, moment, moment, left)]
    whole = (0, *way, 0)
    for n, (here, there) in enumerate(pairwise(whole), 1):
        km, place = float(problem.distance_km[here, there]), problem.places[there]
        arrives = moment + km * 60.0 / truck.speed_km_per_h
        left, driven = left - km * truck.kwh_per_km, driven + km
        begins = max(arrives, place.ready_min)
        if begins > place.due_min + LATE_MIN or left < -1e-6:
            return None
        moment = begins + place.service_min
        energy = _charged(problem, whole[n:], moment, left) if problem.is_station(there) else 0.0
        moment += energy * truck.charge_min_per_kwh if energy else 0.0
        visits.append(Visit(there, arrives, begins, moment, left, energy))
        left += energy
    return Round(tuple(visits), driven)


def _charged(problem: RouteProblem, ahead: Sequence[int], moment: float, left: float) -> float:
    """Return what the first place ahead, a station, charges from a moment on."""
    truck = problem.truck
    room = truck.battery_kwh - left
    if truck.recharge == "full" or truck.charge_min_per_kwh <= 0.0:
        return max(room, 0.0)
    rest = sum(float(problem.distance_km[leg]) for leg in pairwise(ahead)) * truck.kwh_per_km
    need, waited, slack = 0.0, 0.0, float("inf")
    for leg in pairwise(ahead):
        km, place = float(problem.distance_km[leg]), problem.places[leg[1]]
        need += km * truck.kwh_per_km
        moment += km * 60.0 / truck.speed_km_per_h
        waited += max(0.0, place.ready_min - moment)
        moment = max(moment, place.ready_min)
        slack = min(slack, waited + place.due_min - moment)
        moment += place.service_min
        if problem.is_station(leg[1]):
            break
    free = min(waited, slack) / truck.charge_min_per_kwh
    return min(max(need - left, min(free, rest - left), 0.0), room)
