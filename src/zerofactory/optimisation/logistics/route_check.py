"""Rounds judged without a solver: every stop once, loads, windows, charge and times, each followed by hand along the way.

Nothing of the search is used but the order of places and the energy charged at each station.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.logistics.route_problem import Round, Rounds, RouteProblem, Visit

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class RouteCheck:
    """What was found, and the smallest charge and slack met on the way."""

    problems: tuple[Problem, ...]
    least_charge_kwh: float
    distance_km: float

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def check_rounds(problem: RouteProblem, found: Rounds) -> RouteCheck:
    """Return every breach of a set of rounds: service, load, window, charge, kilometres and cost."""
    served = Counter(place for one in found.rounds for place in one.stops if problem.is_stop(place))
    problems = []
    for place in range(1, len(problem.stops) + 1):
        if served[place] != 1:
            name = problem.places[place].id
            problems.append(
                _fault(
                    "service",
                    f"站点“{name}”被服务 {served[place]} 次。",
                    f"Stop '{name}' is served {served[place]} times.",
                )
            )
    least, total = float("inf"), 0.0
    for number, one in enumerate(found.rounds, 1):
        faults, charge_kwh, driven = _followed(problem, one)
        problems += [_at(fault, number) for fault in faults]
        least, total = min(least, charge_kwh), total + driven
    truck = problem.truck
    if truck.count is not None and found.vehicles > truck.count:
        problems.append(
            _fault(
                "fleet",
                f"用了 {found.vehicles} 辆车, 只有 {truck.count} 辆。",
                f"{found.vehicles} vehicles drive; there are {truck.count}.",
            )
        )
    cost = truck.fixed_cny * found.vehicles + truck.cny_per_km * total
    if abs(total - found.distance_km) > 1e-6 * max(1.0, total) or abs(cost - found.cost_cny) > 1e-6 * max(1.0, cost):
        problems.append(
            _fault(
                "total",
                f"里程应为 {total:.3f} km、费用 {cost:.2f}。",
                f"The kilometres are {total:.3f}, the cost {cost:.2f}.",
            )
        )
    return RouteCheck(tuple(problems), least, total)


def _followed(problem: RouteProblem, one: Round) -> tuple[list[Problem], float, float]:
    """Return the breaches of one round, the least charge on it and its kilometres."""
    truck, places, found = problem.truck, problem.places, []
    charge_kwh = least = truck.battery_kwh
    driven, moment = 0.0, one.visits[0].leaves_min
    if one.visits[0].place or one.visits[-1].place or moment < places[0].ready_min - TOLERANCE:
        found.append(_fault("depot", "没有从车场出发并回到车场。", "Does not start and end at the depot in its hours."))
    load = sum(places[place].load_kg for place in one.stops if problem.is_stop(place))
    if load > truck.payload_kg + TOLERANCE:
        found.append(
            _fault(
                "load",
                f"装载 {load:,.1f} kg, 上限 {truck.payload_kg:,.1f}。",
                f"The load is {load:,.1f} kg of {truck.payload_kg:,.1f}.",
            )
        )
    here = one.visits[0].place
    for visit in one.visits[1:]:
        km = float(problem.distance_km[here, visit.place])
        driven, here = driven + km, visit.place
        moment += km * 60.0 / truck.speed_km_per_h
        charge_kwh -= km * truck.kwh_per_km
        least = min(least, charge_kwh)
        found += _visited(problem, visit, moment, charge_kwh)
        charge_kwh += visit.charged_kwh
        moment = visit.leaves_min
    return found, least, driven


def _visited(problem: RouteProblem, visit: Visit, arrives_min: float, charge_kwh: float) -> list[Problem]:
    place, truck, found = problem.places[visit.place], problem.truck, []
    if charge_kwh < -TOLERANCE * max(1.0, truck.battery_kwh if truck.battery_kwh < 1e9 else 1.0):
        found.append(
            _fault(
                "range",
                f"到“{place.id}”时电量 {charge_kwh:.3f} kWh。",
                f"The charge on reaching '{place.id}' is {charge_kwh:.3f} kWh.",
            )
        )
    begins = max(arrives_min, place.ready_min)
    if begins > place.due_min + TOLERANCE * 100:
        found.append(
            _fault(
                "window",
                f"到“{place.id}”晚了 {begins - place.due_min:.2f} min。",
                f"'{place.id}' is reached {begins - place.due_min:.2f} min late.",
            )
        )
    least = begins + place.service_min + (visit.charged_kwh * truck.charge_min_per_kwh if visit.charged_kwh else 0.0)
    if visit.leaves_min < least - TOLERANCE * 100 and visit.place:
        found.append(
            _fault(
                "time",
                f"“{place.id}”的停留不够服务或充电。",
                f"The stay at '{place.id}' is too short for service or charging.",
            )
        )
    if visit.charged_kwh < -TOLERANCE or (visit.charged_kwh > TOLERANCE and not problem.is_station(visit.place)):
        found.append(_fault("charge", f"“{place.id}”不能充电。", f"'{place.id}' is no place to charge."))
    if charge_kwh + visit.charged_kwh > truck.battery_kwh * (1 + TOLERANCE) + TOLERANCE:
        found.append(
            _fault(
                "overcharge", f"在“{place.id}”充过了头。", f"More is charged at '{place.id}' than the battery holds."
            )
        )
    return found


def _at(problem: Problem, number: int) -> Problem:
    return Problem(
        problem.code,
        Text(f"第 {number} 条线路: {problem.message.zh}", f"Round {number}: {problem.message.en}"),
        problem.hint,
    )


def _fault(code: str, zh: str, en: str) -> Problem:
    return Problem(
        f"logistics.check_{code}", Text(zh, en), Text("结果未通过独立检查。", "The independent check failed.")
    )
