"""Own search of large rounds with charging: from PyVRP's rounds, repaired, or from nothing; first fewer vehicles, then kilometres."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.errors import FaultyData
from zerofactory.optimisation.logistics import route_moves, route_range
from zerofactory.optimisation.logistics.route_faults import not_servable
from zerofactory.optimisation.logistics.route_moves import Plan, Rule
from zerofactory.optimisation.logistics.route_problem import RouteProblem
from zerofactory.optimisation.logistics.route_range import Array, Ground, Work

SPARE_ROUNDS = 8
BURST = 25  # iterations between two looks at the clock
HOT, COLD = 0.02, 0.0001  # temperatures as shares of the mean kilometres a stop costs
SAVING_SHARE = 0.4  # of what is left: looking for one vehicle less, where vehicles come first or cost money
SEED_STEP = 7919


@dataclass(frozen=True, slots=True)
class Span:
    """Until when (by `time.perf_counter`), or how many iterations; and the seed."""

    until: float | None
    iterations: int
    seed: int


@dataclass(frozen=True, slots=True)
class Ways:
    """Orders of places with stations, one a vehicle, and how many iterations were tried."""

    ways: tuple[list[int], ...]
    iterations: int


def search_rounds(problem: RouteProblem, start: Sequence[Sequence[int]] | None, fixed_km: float, span: Span) -> Ways:
    """Return good rounds; raise `FaultyData` when none were found that serve every stop with the vehicles there are."""
    ground = route_range.ground_of(problem)
    stops = len(problem.stops)
    work, near = route_range.work_for(stops + 1), _neighbours(problem)
    most = problem.truck.count or stops
    best = _begin(ground, work, start or (), (fixed_km, most))
    used = 0
    if fixed_km > 0 or _outside(best) or (problem.truck.count is not None):
        best, used = _fewer(ground, work, (best, near), (fixed_km, span))
    if _outside(best):
        raise FaultyData([not_servable(problem)])
    best, more = _shorter(ground, work, (best, near), (fixed_km, most, span, used))
    ways = [
        route_range.stations_put(ground, work, best.way[r], int(best.length[r]))
        for r in range(len(best.length))
        if best.length[r]
    ]
    return Ways(tuple(way for way in ways if way is not None), used + more)


def _neighbours(problem: RouteProblem) -> Array:
    inner = 1 + len(problem.stops)
    km = problem.distance_km[:inner, 1:inner]
    return np.argsort(km, axis=1, kind="stable").astype(np.int64) + 1


def _empty(rounds: int, stops: int) -> Plan:
    return Plan(
        np.zeros((rounds, stops + 2), dtype=np.int64), np.zeros(rounds, dtype=np.int64), np.zeros(rounds),
        np.full(stops + 1, -1, dtype=np.int64),
    )  # fmt: skip


def _begin(ground: Ground, work: Work, start: Sequence[Sequence[int]], limits: tuple[float, int]) -> Plan:
    """Return a plan from given rounds: those that can be driven stay, the other stops are put in where they cost least."""
    fixed_km, most = limits
    plan = _empty(min(max(len(start) + SPARE_ROUNDS, most if not start else 0), ground.stops), ground.stops)
    row = 0
    for way in start:
        line = np.array(way, dtype=np.int64)
        km = route_range.fit(ground, work, line, len(way))
        if np.isfinite(km) and row < len(plan.length):
            plan.way[row, : len(way)], plan.length[row], plan.km[row] = line, len(way), km
            plan.of[line] = row
            row += 1
    rule = Rule(fixed_km, min(most, len(plan.length)), 1.0, 1.0, False)
    route_moves.recreate(ground, work, plan, rule, np.zeros(ground.stops + 2, dtype=np.int64))
    return plan


def _outside(plan: Plan) -> bool:
    return bool((plan.of[1:] < 0).any())


def _room(plan: Plan, near: Array) -> tuple[object, ...]:
    rounds, stops = len(plan.length), len(plan.of) - 1
    absent, touched = np.zeros(stops + 1, dtype=np.int64), np.zeros(rounds, dtype=np.bool_)
    now, new, best = (_copied(plan) for _ in range(3))
    return (now, new, best, near, absent, touched, np.zeros(stops + 2, dtype=np.int64))


def _copied(plan: Plan) -> Plan:
    return Plan(*(part.copy() for part in plan))


def _fewer(ground: Ground, work: Work, given: tuple[Plan, Array], asked: tuple[float, Span]) -> tuple[Plan, int]:
    """Return a plan with as few vehicles as are found: one round is emptied, its stops are fitted in, again and again."""
    (best, near), (fixed_km, span) = given, asked
    until = None if span.until is None else time.perf_counter() + SAVING_SHARE * (span.until - time.perf_counter())
    budget, used = int(SAVING_SHARE * span.iterations), 0
    least = max(1, int(np.ceil(ground.node[route_range.LOAD, 1 : ground.stops + 1].sum() / ground.payload - 1e-9)))
    while _rounds(best) > least or _outside(best):
        plan = _copied(best)
        if not _outside(best):
            _dissolve(plan)
        room = _room(plan, near)
        rule = Rule(fixed_km, _rounds(plan), 1.0, 1.0, True)
        saved = False
        while not saved and (used < budget if until is None else time.perf_counter() < until):
            saved = route_moves.search(
                ground, work, room, rule, (span.seed + SEED_STEP * used, used, used + BURST, 1 << 40)
            )
            used += BURST
        if not saved:
            return best, used
        best = _copied(room[0])  # type: ignore[arg-type]
    return best, used


def _rounds(plan: Plan) -> int:
    return int((plan.length > 0).sum())


def _dissolve(plan: Plan) -> None:
    """Empty the round with the fewest stops."""
    row = int(np.argmin(np.where(plan.length > 0, plan.length, 1 << 30)))
    plan.of[plan.way[row, : plan.length[row]]] = -1
    plan.length[row], plan.km[row] = 0, 0.0


def _shorter(
    ground: Ground, work: Work, given: tuple[Plan, Array], asked: tuple[float, int, Span, int]
) -> tuple[Plan, int]:
    """Return a plan annealed towards fewer kilometres."""
    (best, near), (fixed_km, most, span, used) = given, asked
    room = _room(best, near)
    mean = float(best.km.sum()) / max(1, ground.stops)
    rule = Rule(
        fixed_km,
        min(most, len(best.length)),
        HOT * mean * np.sqrt(ground.stops),
        COLD * mean * np.sqrt(ground.stops),
        False,
    )
    whole, n = max(span.iterations - used, BURST), 0
    begun = time.perf_counter()
    while n < whole:
        route_moves.search(ground, work, room, rule, (span.seed + SEED_STEP * (used + n + 1), n, n + BURST, whole))
        n += BURST
        if span.until is not None:
            spent, left = time.perf_counter() - begun, span.until - time.perf_counter()
            if left <= 0:
                break
            whole = max(n + 1, int(n * (spent + left) / max(spent, 1e-9)))
    return room[2], n  # type: ignore[return-value]
