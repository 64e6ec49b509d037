"""The front of two measures by the epsilon constraint: the least of one under a falling limit of the other.

Haimes, Lasdon and Wismer 1971; the form with limits evenly spaced between the two extremes. Every point carries its own bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from zerofactory.errors import Misuse
from zerofactory.optimisation.scheduling.problem import Goal, Measure, ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Task
from zerofactory.optimisation.scheduling.solve import Answer, Options, solve


@dataclass(frozen=True, slots=True)
class Point:
    """One answer on the front: both measures, and the limit under which it was found (None: an extreme)."""

    first: float
    second: float
    limit: float | None
    answer: Answer


def front(
    problem: ScheduleProblem, measures: tuple[Measure, Measure], points: int, options: Options | None = None
) -> tuple[Point, ...]:
    """Return answers of which none is beaten in both measures, by rising first measure.

    Parameters
    ----------
    measures : the one that gets limits, and the one that is minimised under them. points : at least 2.
    options : time is that of the whole front, shared evenly.
    """
    if points < 2:
        raise Misuse("a front has at least two points")
    options = options or Options()
    each = replace(options, seconds=options.seconds / points)
    first, second = measures
    starts: list[tuple[Task, ...]] = []
    found: list[Point] = []

    def ask(goal: Goal, limit: float | None) -> None:
        answer = solve(replace(problem, goal=goal), each, starts)
        if answer.schedule is not None:
            starts.append(answer.schedule.tasks)
            values = answer.schedule.measures
            found.append(Point(values.value(first), values.value(second), limit, answer))

    limits = dict(problem.goal.limits)
    ask(Goal({first: 1.0}, limits), None)
    ask(Goal({second: 1.0}, limits), None)
    if len(found) == 2:
        low, high = found[0].first, found[1].first
        for number in range(1, points - 1):
            epsilon = low + (high - low) * number / (points - 1)
            ask(Goal({second: 1.0}, {**limits, first: epsilon}), epsilon)
        ask(Goal({second: 1.0}, {**limits, first: low}), low)
    return _unbeaten(found)


def _unbeaten(found: list[Point]) -> tuple[Point, ...]:
    """Return the points that no other beats in both measures, one of each pair of values."""
    kept: list[Point] = []
    for one in sorted(found, key=lambda point: (point.first, point.second)):
        if not kept or one.second < kept[-1].second - 1e-9:
            kept.append(one)
    return tuple(kept)
