"""Rounds of a fleet: proved where the stops are few, PyVRP where range does not bind, own search with charging where it does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.errors import FaultyData, refuse
from zerofactory.optimisation.logistics.route_check import check_rounds
from zerofactory.optimisation.logistics.route_faults import not_servable, route_problems
from zerofactory.optimisation.logistics.route_problem import Round, Rounds, RouteProblem
from zerofactory.optimisation.logistics.route_times import timed
from zerofactory.optimisation.solving.result import SolveStatus

if TYPE_CHECKING:
    from zerofactory.optimisation.logistics.route_search import Ways

FEW_STOPS, FEW_PLACES = 15, 1000  # as many as `route_exact` proves
FIRST_SHARE = 0.25  # of the time: PyVRP without range, to see whether it binds
PYVRP_ITERATIONS = 2_000
SEARCH_ITERATIONS = 4_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look: seconds of wall clock, or (None) a fixed number of iterations that gives the same answer everywhere."""

    seconds: float | None = 30.0
    iterations: int = SEARCH_ITERATIONS
    seed: int = 0
    exact: bool = True


def plan_rounds(problem: RouteProblem, effort: Effort | None = None) -> Rounds:
    """Return checked rounds that serve every stop.

    Raises
    ------
    FaultyData
        The problem has faults (all named before anything is solved), too few vehicles were found to do, or the check failed.
    """
    refuse(route_problems(problem))
    asked, started = effort or Effort(), time.perf_counter()
    if not problem.stops:
        return Rounds((), SolveStatus.OPTIMAL, 0.0, 0.0, "none", 0.0, False)
    ways, status, method, tried, binds = _ways(problem, asked, started)
    rounds = [timed(problem, way) for way in ways]
    if any(one is None for one in rounds) or not rounds:
        raise FaultyData([not_servable(problem)])
    found = _answer(problem, [one for one in rounds if one is not None])
    answer = Rounds(
        found.rounds, status, found.distance_km, found.cost_cny, method, time.perf_counter() - started, binds, tried
    )
    checked = check_rounds(problem, answer)
    if not checked.passed:
        raise FaultyData(checked.problems)
    return answer


def fixed_km(problem: RouteProblem) -> float:
    """Return what a vehicle costs in kilometres; where vehicles come first, more than all rounds could save."""
    truck = problem.truck
    if truck.vehicles_first:
        inner = 1 + len(problem.stops)
        return float(2.0 * (problem.distance_km[0, :inner] + problem.distance_km[:inner, 0]).sum() + 1.0)
    return truck.fixed_cny / truck.cny_per_km if truck.cny_per_km > 0 else truck.fixed_cny


def _answer(problem: RouteProblem, rounds: Sequence[Round]) -> Rounds:
    km = sum(one.distance_km for one in rounds)
    cost = problem.truck.fixed_cny * len(rounds) + problem.truck.cny_per_km * km
    return Rounds(tuple(rounds), SolveStatus.FEASIBLE, km, cost, "", 0.0, False)


def _ways(problem: RouteProblem, asked: Effort, started: float) -> tuple[list[list[int]], SolveStatus, str, int, bool]:
    price = fixed_km(problem)
    if asked.exact and len(problem.stops) <= FEW_STOPS and len(problem.places) < FEW_PLACES:
        from zerofactory.optimisation.logistics import route_exact, route_range

        best = route_exact.best_rounds(route_range.ground_of(problem), price)
        within = best is not None and (problem.truck.count is None or len(best) <= problem.truck.count)
        if best is not None and within:
            return best, SolveStatus.OPTIMAL, "labels", 0, _charges(problem, best)
    seconds = None if asked.seconds is None else asked.seconds * FIRST_SHARE
    first = _without_range(problem, asked, seconds)
    if first is not None and all(timed(problem, way) is not None for way in first):
        left = None if asked.seconds is None else asked.seconds - (time.perf_counter() - started)
        again = _without_range(problem, asked, left, first) if left is not None and left > 0.5 else None
        better = again if again is not None and _drivable(problem, again) else first
        if _cost_km(problem, better, price) > _cost_km(problem, first, price):
            better = first
        return better, SolveStatus.FEASIBLE, "pyvrp", 0, False
    from zerofactory.optimisation.logistics.route_search import Span, search_rounds

    until = None if asked.seconds is None else started + asked.seconds
    found: Ways = search_rounds(problem, first, price, Span(until, asked.iterations, asked.seed))
    return list(found.ways), SolveStatus.FEASIBLE, "removal and insertion with charging", found.iterations, True


def _without_range(
    problem: RouteProblem, asked: Effort, seconds: float | None, start: list[list[int]] | None = None
) -> list[list[int]] | None:
    from zerofactory.optimisation.logistics.route_pyvrp import rounds_without_range

    limits = (seconds, PYVRP_ITERATIONS if asked.seconds is None else None)
    return rounds_without_range(problem, fixed_km(problem), limits, asked.seed, start)


def _drivable(problem: RouteProblem, ways: Sequence[Sequence[int]]) -> bool:
    return all(timed(problem, way) is not None for way in ways)


def _cost_km(problem: RouteProblem, ways: Sequence[Sequence[int]], price: float) -> float:
    legs = [leg for way in ways for leg in zip((0, *way), (*way, 0), strict=True)]
    return price * len(ways) + float(np.sum([problem.distance_km[leg] for leg in legs]))


def _charges(problem: RouteProblem, ways: Sequence[Sequence[int]]) -> bool:
    return any(problem.is_station(place) for way in ways for place in way)
