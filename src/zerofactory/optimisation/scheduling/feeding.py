"""Kitting and line feeding: which containers and kits go to the line on which tour of the tugger trains.

Every container of a part has a first tour (before it the place at the line is still full) and a last tour (after it the line runs
dry); a kit belongs to a lot of vehicles and arrives before that lot starts, not more than so many lots ahead. Tours leave on a
fixed cycle and carry so many containers. The fewest tours are found exactly by lazy activation: Chang, Gabow and Khuller 2014,
doi 10.1007/s00453-013-9807-y (unit jobs with release times and deadlines, batches of bounded size). In-house milk runs: Emde and
Boysen 2012, doi 10.1016/j.ejor.2011.09.022.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zerofactory.errors import Problem, Text, refuse

CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Part:
    """A part at a station.

    Parameters
    ----------
    per_vehicle : model → pieces a vehicle takes.
    pieces : in a container. places: containers that fit at the line, the one in use included. stock: pieces there at the start.
    kitted : picked for each lot of vehicles instead (kits), with ``places`` kits at most at the line.
    """

    id: str
    station: str
    per_vehicle: Mapping[str, float]
    pieces: int
    places: int
    stock: float = 0.0
    kitted: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A lot as the line takes it in: from which minute to which, vehicles, model."""

    lot: str
    model: str
    vehicles: float
    first_min: float
    last_min: float
    line: str = ""


@dataclass(frozen=True, slots=True)
class Trains:
    """Tugger trains: containers a train carries, minutes from one departure to the next, trains at a departure, minutes to the line."""

    containers: int
    cycle_min: float
    trains: int
    travel_min: float
    tour_km: float
    kwh_per_km: float


@dataclass(frozen=True, slots=True)
class Box:
    """One container or kit with the departures that may carry it."""

    part: str
    number: int
    first: int
    last: int
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A container or kit on a departure."""

    departure: int
    part: str
    number: int
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Feeding:
    """The whole problem; departures start at minute ``first_min`` and there are so many."""

    parts: tuple[Part, ...]
    calls: tuple[Call, ...]
    trains: Trains
    departures: int
    first_min: float = 0.0

    def arrival_min(self, departure: int) -> float:
        """Return the minute at which what leaves on a departure is at the line."""
        return self.first_min + departure * self.trains.cycle_min + self.trains.travel_min


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """Who carries what when; tours are trains that run."""

    deliveries: tuple[Delivery, ...]
    tours: int
    containers: int
    kits: int
    energy_kwh: float
    mean_fill: float


def taking(part: Part, calls: Sequence[Call]) -> tuple[list[float], list[float]]:
    """Return moments and the pieces taken up to each; between them pieces are taken evenly (lots of several lines overlap)."""
    own = [(c.first_min, c.last_min, c.vehicles * part.per_vehicle.get(c.model, 0.0)) for c in calls]
    own = [one for one in own if one[2] > 0.0]
    moments = sorted({moment for first, last, _ in own for moment in (first, last)})
    totals = [sum(n * min(1.0, max(0.0, (m - a) / (b - a))) for a, b, n in own) for m in moments]
    return moments, totals


def taken_by(part: Part, calls: Sequence[Call], minute: float) -> float:
    """Return the pieces taken up to a minute, counted lot by lot."""
    total = 0.0
    for call in calls:
        share = min(1.0, max(0.0, (minute - call.first_min) / (call.last_min - call.first_min)))
        total += share * call.vehicles * part.per_vehicle.get(call.model, 0.0)
    return total


def reached(taken: tuple[list[float], list[float]], pieces: float) -> float:
    """Return the minute at which so many pieces have been taken; infinity where they never are.

    Examples
    --------
    >>> reached(([0.0, 60.0, 90.0], [0.0, 20.0, 20.0]), 5.0)
    15.0
    """
    moments, totals = taken
    place = bisect_left(totals, pieces - CLOSE)
    if place == len(totals):
        return float("inf")
    if place == 0:
        return moments[0]
    below = totals[place - 1]
    share = max(0.0, pieces - below) / (totals[place] - below)
    return moments[place - 1] + (moments[place] - moments[place - 1]) * share


def boxes(problem: Feeding) -> list[Box]:
    """Return every container and kit that the line needs, with its first and last departure."""
    found: list[Box] = []
    for part in problem.parts:
        found += _kits(problem, part) if part.kitted else _containers(problem, part)
    return found


def _containers(problem: Feeding, part: Part) -> Iterator[Box]:
    taken = taking(part, problem.calls)
    total = taken[1][-1] if taken[1] else 0.0
    count = max(0, math.ceil((total - part.stock - CLOSE) / part.pieces))
    for n in range(count):
        dry = reached(taken, part.stock + n * part.pieces + CLOSE)
        over = part.stock + (n + 1) * part.pieces - part.places * part.pieces
        room = reached(taken, over) if over > 0.0 else -float("inf")
        yield Box(part.id, n, _first(problem, room), _last(problem, dry))


def _kits(problem: Feeding, part: Part) -> Iterator[Box]:
    calls = sorted(
        (c for c in problem.calls if part.per_vehicle.get(c.model, 0.0) > 0.0), key=lambda c: (c.first_min, c.lot)
    )
    ahead = int(part.stock)
    for n, call in enumerate(calls):
        if n < ahead:
            continue
        room = calls[n - part.places].last_min if n >= part.places else -float("inf")
        yield Box(part.id, n, _first(problem, room), _last(problem, call.first_min), call.lot)


def _first(problem: Feeding, minute: float) -> int:
    if minute == -float("inf"):
        return 0
    steps = (minute - problem.first_min - problem.trains.travel_min) / problem.trains.cycle_min
    return max(0, math.ceil(steps - CLOSE))


def _last(problem: Feeding, minute: float) -> int:
    if minute == float("inf"):
        return problem.departures - 1
    steps = (minute - problem.first_min - problem.trains.travel_min) / problem.trains.cycle_min
    return min(problem.departures - 1, math.floor(steps + CLOSE))


def faults(problem: Feeding) -> list[Problem]:
    """Return every fault: what cannot be at the line in time, and stretches in which trains carry less than must come."""
    found = []
    for part in problem.parts:
        if part.pieces < 1 or part.places < 1:
            found.append(_fault("part", f"零件“{part.id}”的装箱数或线边位数应大于零。", f"Part '{part.id}' needs pieces and places above zero."))  # fmt: skip
    if found:
        return found
    listed = boxes(problem)
    for box in listed:
        if box.last < box.first or box.last < 0:
            zh = f"零件“{box.part}”第 {box.number + 1} 箱: 线边位腾出时已断料(车次 {box.first} 才放得下, 最迟 {box.last})。"
            en = f"Part '{box.part}', container {box.number + 1}: the line runs dry before a place is free (departure {box.first} at the earliest, {box.last} at the latest)."
            found.append(_fault("dry", zh, en))
    return found[:20] or list(_overload(problem, listed))


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text("请加线边位、缩短牵引车周期、加列车或提高期初库存。", "Give more places, a shorter cycle, more trains or more stock at the start.")  # fmt: skip
    return Problem(f"feeding.{code}", Text(zh, en), hint)


def _overload(problem: Feeding, listed: Sequence[Box]) -> Iterator[Problem]:
    most = problem.trains.containers * problem.trains.trains
    for first in sorted({box.first for box in listed}):
        inside = sorted(box.last for box in listed if box.first >= first)
        for count, last in enumerate(inside, start=1):
            if count > most * (last - first + 1):
                yield _fault("overload", f"车次 {first}–{last} 须送 {count} 箱, 列车只能送 {most * (last - first + 1)} 箱。", f"Departures {first} to {last} must carry {count} containers; the trains take {most * (last - first + 1)}.")  # fmt: skip
                return


def plan(problem: Feeding) -> FeedPlan:
    """Return the plan of fewest departures, each container as late as these allow.

    Raises
    ------
    FaultyData
        Something cannot be at the line in time.

    Examples
    --------
    Two lots of ten vehicles take one piece each; a container holds ten and one place is left while another is in use:

    >>> calls = (Call("A", "m", 10, 60, 120), Call("B", "m", 10, 120, 180))
    >>> part = Part("door", "st1", {"m": 1.0}, 10, 2)
    >>> found = plan(Feeding((part,), calls, Trains(4, 30.0, 1, 10.0, 1.0, 0.3), 6))
    >>> [(one.departure, one.number) for one in found.deliveries], found.tours
    ([(1, 0), (1, 1)], 1)
    """
    refuse(faults(problem))
    listed = boxes(problem)
    most = problem.trains.containers * problem.trains.trains
    deliveries = lazy(listed, most)
    loads = Counter(one.departure for one in deliveries)
    tours = sum(-(-count // problem.trains.containers) for count in loads.values())
    kitted = {part.id for part in problem.parts if part.kitted}
    kits = sum(one.part in kitted for one in deliveries)
    energy = tours * problem.trains.tour_km * problem.trains.kwh_per_km
    fill = len(deliveries) / (tours * problem.trains.containers) if tours else 0.0
    return FeedPlan(tuple(deliveries), tours, len(deliveries) - kits, kits, energy, fill)


def lazy(listed: Sequence[Box], most: int) -> list[Delivery]:
    """Return the deliveries on the fewest departures that carry ``most`` each (lazy activation; exact)."""
    if not listed:
        return []
    last = {(box.part, box.number): box.last for box in listed}
    for departure in range(max(box.last for box in listed), 0, -1):
        due = [box for box in listed if last[box.part, box.number] == departure]
        for box in sorted(due, key=lambda box: (box.first, box.part, box.number))[: max(0, len(due) - most)]:
            last[box.part, box.number] = departure - 1
    waiting, found = list(listed), []
    for departure in sorted(set(last.values())):
        due = [box for box in waiting if last[box.part, box.number] == departure]
        if not due:
            continue
        ready = [box for box in waiting if box.first <= departure]
        taken = sorted(ready, key=lambda box: (last[box.part, box.number], box.part, box.number))[:most]
        found += [Delivery(departure, box.part, box.number, box.lot) for box in taken]
        gone = {(box.part, box.number) for box in taken}
        waiting = [box for box in waiting if (box.part, box.number) not in gone]
    return found


def check(problem: Feeding, found: FeedPlan) -> list[Problem]:
    """Return what is wrong with a plan, by running the line minute by minute of its events: dry, overfull, overloaded, kits late."""
    wrong = []
    loads = Counter(one.departure for one in found.deliveries)
    most = problem.trains.containers * problem.trains.trains
    for departure, count in sorted(loads.items()):
        if count > most or not 0 <= departure < problem.departures:
            wrong.append(_fault("check_load", f"车次 {departure} 载 {count} 箱, 容量 {most}。", f"Departure {departure} carries {count}; {most} fit."))  # fmt: skip
    for part in problem.parts:
        own = sorted(
            (one for one in found.deliveries if one.part == part.id), key=lambda one: (one.departure, one.number)
        )
        wrong += _kits_wrong(problem, part, own) if part.kitted else _stock_wrong(problem, part, own)
    return wrong


def _stock_wrong(problem: Feeding, part: Part, own: Sequence[Delivery]) -> Iterator[Problem]:
    arrivals = [problem.arrival_min(one.departure) for one in own]
    moments = sorted({*arrivals, *(c.first_min for c in problem.calls), *(c.last_min for c in problem.calls)})
    for minute in moments:
        taken = taken_by(part, problem.calls, minute)
        before = part.stock + part.pieces * sum(a < minute - CLOSE for a in arrivals) - taken
        after = part.stock + part.pieces * sum(a <= minute + CLOSE for a in arrivals) - taken
        if before < -1e-6:
            yield _fault("check_dry", f"零件“{part.id}”在第 {minute:.0f} 分钟断料。", f"Part '{part.id}' runs dry in minute {minute:.0f}.")  # fmt: skip
            return
        if after > part.places * part.pieces + 1e-6 and minute in arrivals:
            yield _fault("check_full", f"零件“{part.id}”在第 {minute:.0f} 分钟超过线边位。", f"Part '{part.id}' does not fit at the line in minute {minute:.0f}.")  # fmt: skip
            return


def _kits_wrong(problem: Feeding, part: Part, own: Sequence[Delivery]) -> Iterator[Problem]:
    calls = {c.lot: c for c in problem.calls if part.per_vehicle.get(c.model, 0.0) > 0.0}
    ordered = sorted(calls.values(), key=lambda c: (c.first_min, c.lot))
    there = {c.lot for c in ordered[: int(part.stock)]}
    arrivals = {one.lot: problem.arrival_min(one.departure) for one in own}
    for call in ordered:
        if call.lot not in there and arrivals.get(call.lot, float("inf")) > call.first_min + CLOSE:
            yield _fault("check_kit", f"批次 {call.lot} 的“{part.id}”料架未到。", f"The kit '{part.id}' of lot {call.lot} is not there.")  # fmt: skip
    for lot, minute in arrivals.items():
        standing = sum(calls[name].last_min > minute for name, at in arrivals.items() if at <= minute) + sum(calls[name].last_min > minute for name in there)  # fmt: skip
        if standing > part.places:
            yield _fault("check_kits", f"“{part.id}”线边料架 {standing} 个, 位置 {part.places} 个(批次 {lot})。", f"{standing} kits '{part.id}' stand at the line, {part.places} fit (lot {lot}).")  # fmt: skip
