"""Rounds without range by PyVRP (MIT; Wouda, Lan & Kool 2024, doi 10.1287/ijoc.2023.0055): where the battery does not bind, its
answer is the answer.

PyVRP counts in whole numbers: ten-thousandths of a kilometre and a minute, thousandths of a kilogram; times are rounded up, so
that what it finds can be driven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.optimisation.logistics.route_problem import Place, RouteProblem

if TYPE_CHECKING:
    from pyvrp import ProblemData

FINE, GRAMS = 10_000.0, 1000.0
DUST = 0.01
FAR = 1e12


def rounds_without_range(
    problem: RouteProblem,
    fixed_km: float,
    limits: tuple[float | None, int | None],
    seed: int = 0,
    start: Sequence[Sequence[int]] | None = None,
) -> list[list[int]] | None:
    """Return the stops of each round, range left out; None when PyVRP finds no feasible answer.

    Parameters
    ----------
    fixed_km : what a vehicle costs, in kilometres.
    limits : seconds and iterations at most; iterations alone give the same answer on every machine.
    start : rounds to begin from.
    """
    from pyvrp import Solution, solve
    from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria

    seconds, iterations = limits
    stops: list[object] = [] if seconds is None else [MaxRuntime(seconds)]
    stops += [] if iterations is None else [MaxIterations(iterations)]
    data = _data(problem, fixed_km)
    first = None if start is None else Solution(data, [[stop - 1 for stop in way] for way in start])
    found = solve(data, MultipleCriteria(stops), seed, False, False, initial_solution=first)  # type: ignore[arg-type]
    if not found.is_feasible():
        return None
    return [[one.idx + 1 for one in route if one.is_client()] for route in found.best.routes()]


def _data(problem: RouteProblem, fixed_km: float) -> ProblemData:
    from pyvrp import Client, Depot, Location, ProblemData, VehicleType

    inner, truck = 1 + len(problem.stops), problem.truck
    depot = problem.depot
    clients = [
        Client(
            n, [_up(stop.load_kg, GRAMS)], service_duration=_up(stop.service_min),
            tw_early=_up(stop.ready_min), tw_late=_down(stop.due_min),
        )
        for n, stop in enumerate(problem.stops, 1)
    ]  # fmt: skip
    fleet = VehicleType(
        truck.count or len(problem.stops), [_down(truck.payload_kg, GRAMS)], fixed_cost=round(fixed_km * FINE),
        tw_early=_up(depot.ready_min), tw_late=_down(depot.due_min),
    )  # fmt: skip
    km = np.rint(problem.distance_km[:inner, :inner] * FINE).astype(np.int64)
    minutes = np.ceil(problem.drive_min[:inner, :inner] * FINE - DUST).astype(np.int64)
    places: tuple[Place, ...] = problem.places[:inner]
    return ProblemData(
        [Location(place.x_km, place.y_km) for place in places],
        clients,
        [Depot(0)],
        [fleet],
        [km],  # type: ignore[list-item]
        [minutes],  # type: ignore[list-item]
    )


def _up(value: float, scale: float = FINE) -> int:
    return math.ceil(min(value, FAR / scale) * scale - DUST)


def _down(value: float, scale: float = FINE) -> int:
    return math.floor(min(value, FAR / scale) * scale + DUST)
