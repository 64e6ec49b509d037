"""Solve a schedule: rules, tabu search, exact energy search, CP-SAT and a time-indexed program, each where it is strong.

    time alone (makespan)     rules → tabu on all threads → CP-SAT from it (bound, proof) → tabu with the rest of the time
    with calendars, waits …   rules → CP-SAT from the best → CP-SAT piece by piece around the best
    cost and carbon           a schedule in time → exact search over starts, modes and states → the time-indexed program where it
                              is small enough to prove → CP-SAT for the bound of what is linear

Whatever comes out is judged by `check`; a schedule that fails is not an answer. The gap is (objective − bound) / objective.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from zerofactory.optimisation.scheduling.check import Check, check
from zerofactory.optimisation.scheduling.construct import RULES, construct
from zerofactory.optimisation.scheduling.faults import refuse_faulty
from zerofactory.optimisation.scheduling.problem import Goal, Measure, ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Schedule, Task, complete

Status = Literal["optimal", "feasible", "infeasible", "none"]
RULE_STARTS = 4  # tries by seed of each rule
TABU_FIRST, CP_TURN = 0.08, 0.35  # shares of the time: a first look, CP-SAT; tabu takes the rest
TABU_FIRST_MOST_S, TABU_FIRST_EACH_S = 3.0, 0.02  # at most so long, and so long for each operation
LNS_ABOVE = 60  # operations from which CP-SAT goes piece by piece
LNS_SHARE = 0.5
DETERMINISTIC_ITERATIONS = 3000  # of tabu, for each unit of work in a repeatable solve
EPSILON = 1e-6
MAX_CP_OPERATIONS = 2500


@dataclass(frozen=True, slots=True)
class Options:
    """How to solve.

    Parameters
    ----------
    seconds : time to spend; in a repeatable solve, units of work instead (about a second each).
    repeatable : one thread, work counted instead of time: the same answer always.
    """

    seconds: float = 60.0
    threads: int = 2
    seed: int = 1
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """What one method reached, and when."""

    name: str
    objective: float | None
    bound: float | None
    at_s: float


@dataclass(frozen=True, eq=False)
class Answer:
    """The best schedule with its bound: ``status`` optimal only when the bound meets it."""

    problem: ScheduleProblem
    schedule: Schedule | None
    objective: float | None
    bound: float | None
    status: Status
    stages: tuple[Stage, ...]
    check: Check | None
    runtime_s: float

    @property
    def gap_fraction(self) -> float | None:
        """How far the objective may lie above the best possible, as a share of it; None where no bound is known."""
        if self.objective is None or self.bound is None:
            return None
        return max(0.0, self.objective - self.bound) / max(abs(self.objective), EPSILON)


@dataclass(slots=True)
class Course:
    """A solve under way: the best schedule so far, the best bound, what was done."""

    problem: ScheduleProblem
    options: Options
    begun: float
    best: Schedule | None = None
    objective: float = float("inf")
    bound: float | None = None
    infeasible: bool = False
    proved: bool = False
    stages: list[Stage] = field(default_factory=list)
    told: Callable[[Stage], None] | None = None
    fallback: tuple[Task, ...] | None = None  # placed in time, though beyond a limit of cost or carbon

    @property
    def left_s(self) -> float:
        """Seconds left (units of work in a repeatable solve: told as all, stages share them out)."""
        if self.options.repeatable:
            return self.options.seconds
        return self.options.seconds - (time.perf_counter() - self.begun)

    @property
    def is_done(self) -> bool:
        """Whether the answer is proved."""
        if self.infeasible or self.proved:
            return True
        return self.best is not None and self.bound is not None and self.objective <= self.bound + self.tolerance

    @property
    def tolerance(self) -> float:
        """Below which a difference of objective and bound is nothing: whole goals a hair, others a millionth."""
        return max(EPSILON, abs(self.objective) * EPSILON) if self.objective < float("inf") else EPSILON

    def offer(self, tasks: Sequence[Task] | None) -> bool:
        """Take placed operations as the best when they keep every rule and limit and are better."""
        if tasks is None:
            return False
        schedule = complete(self.problem, tasks)
        value = schedule.measures.weighted(self.problem.goal.weights)
        if value >= self.objective - 1e-9 or not within_limits(schedule) or not check(schedule).passed:
            return False
        self.best, self.objective = schedule, value
        return True

    def bounded(self, bound: float | None) -> None:
        """Take a bound when it is higher than the one known; whole measures have whole bounds."""
        if bound is None:
            return
        weights = {name: weight for name, weight in self.problem.goal.weights.items() if weight}
        if set(weights) <= {"makespan_ticks"} and all(float(w).is_integer() for w in weights.values()):
            bound = float(-(-(bound - EPSILON) // 1))
        self.bound = bound if self.bound is None else max(self.bound, bound)

    def note(self, name: str) -> None:
        """Note what a stage reached."""
        objective = None if self.best is None else self.objective
        self.stages.append(Stage(name, objective, self.bound, time.perf_counter() - self.begun))
        if self.told is not None:
            self.told(self.stages[-1])


def within_limits(schedule: Schedule) -> bool:
    """Whether a schedule keeps the limits of its goal."""
    limits = schedule.problem.goal.limits
    return all(schedule.measures.value(name) <= limit * (1 + EPSILON) + EPSILON for name, limit in limits.items())


def solve(
    problem: ScheduleProblem,
    options: Options | None = None,
    starts: Sequence[Sequence[Task]] = (),
    told: Callable[[Stage], None] | None = None,
) -> Answer:
    """Return the best schedule found, its bound and whether it is proved.

    Parameters
    ----------
    starts : schedules to begin from, besides those made by rules. told : called with each stage when it is done.

    Raises
    ------
    FaultyData
        The problem has faults; every one of them is told.

    Examples
    --------
    >>> from zerofactory.optimisation.scheduling.fjs import parse
    >>> answer = solve(parse("2 2\\n2 1 1 5 1 2 4\\n2 1 2 3 1 1 2\\n"), Options(seconds=2, repeatable=True))
    >>> answer.objective, answer.bound, answer.status
    (9.0, 9.0, 'optimal')
    """
    from zerofactory.optimisation.scheduling import by_energy, by_search, by_time

    refuse_faulty(problem)
    options = options or Options()
    if problem.goal.needs_energy or not by_time.suits_tabu(problem):
        by_search.compiled()
    course = Course(problem, options, time.perf_counter(), told=told)
    for tasks in starts:
        course.offer(tasks)
    by_rules(course)
    if problem.goal.needs_energy:
        by_energy.run(course)
    else:
        by_time.run(course)
    return _answer(course)


def by_rules(course: Course) -> None:
    """Try every rule by several seeds."""
    for rule in RULES:
        for seed in range(RULE_STARTS):
            course.offer(construct(course.problem, rule, seed))
    course.note("rules")


def _answer(course: Course) -> Answer:
    runtime_s = time.perf_counter() - course.begun
    if course.best is None:
        status: Status = "infeasible" if course.infeasible else "none"
        return Answer(course.problem, None, None, course.bound, status, tuple(course.stages), None, runtime_s)
    status = "optimal" if course.is_done else "feasible"
    bound = course.objective if course.proved else course.bound
    found = check(course.best)
    schedule = course.best if found.passed else None
    return Answer(
        course.problem, schedule, course.objective, bound, status, tuple(course.stages), found, runtime_s
    )  # fmt: skip


def in_time(problem: ScheduleProblem) -> ScheduleProblem:
    """Return the problem with the time that is limited as its goal: lateness first where it has a limit, else makespan."""
    limits = problem.goal.limits
    if "tardiness_ticks" not in limits:
        return replace(problem, goal=Goal({"makespan_ticks": 1.0}))
    kept: dict[Measure, float] = {"makespan_ticks": limits["makespan_ticks"]} if "makespan_ticks" in limits else {}
    return replace(problem, goal=Goal({"tardiness_ticks": 1.0}, kept))
