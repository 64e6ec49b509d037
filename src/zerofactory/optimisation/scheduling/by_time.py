"""Goals of time (makespan, tardiness, changes): tabu search and CP-SAT in turns, CP-SAT piece by piece on what is large."""

from __future__ import annotations

import random

from zerofactory.optimisation.scheduling import by_search, cp
from zerofactory.optimisation.scheduling.construct import RULES, construct
from zerofactory.optimisation.scheduling.problem import ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Task
from zerofactory.optimisation.scheduling.solve import (
    CP_TURN,
    DETERMINISTIC_ITERATIONS,
    LNS_ABOVE,
    LNS_SHARE,
    MAX_CP_OPERATIONS,
    TABU_FIRST,
    TABU_FIRST_EACH_S,
    TABU_FIRST_MOST_S,
    Course,
)
from zerofactory.optimisation.scheduling.tabu import Tabu, plain_bound

PIECE = 45  # operations that are free at once in a piece
PIECE_S = 4.0
SEARCH_SHARE = 0.3  # of the time for the annealing, where the tabu search does not fit
NEVER = 1 << 50


def run(course: Course) -> None:
    """Improve the best schedule of a course and its bound for a goal of time."""
    problem = course.problem
    if {name for name, weight in problem.goal.weights.items() if weight} == {"makespan_ticks"}:
        course.bounded(problem.goal.weights["makespan_ticks"] * plain_bound(problem))
    if course.is_done:
        return
    if suits_tabu(problem):
        _in_turns(course)
    else:
        by_cp(course)


def suits_tabu(problem: ScheduleProblem) -> bool:
    """Whether the graph of the tabu search says all there is: makespan, links with least waits, set-ups, releases."""
    goal = {name for name, weight in problem.goal.weights.items() if weight} | set(problem.goal.limits)
    plain = not problem.buffers and problem.power_limit_kw is None and not problem.fixed
    waits = all(link.most_ticks is None for link in problem.all_links)
    machines = all(not machine.windows and machine.start_ramp() is None for machine in problem.machines)
    dues = not any(job.due_is_hard for job in problem.jobs)
    return goal == {"makespan_ticks"} and plain and waits and machines and dues


def _in_turns(course: Course) -> None:
    problem, options = course.problem, course.options
    starts = [made for rule in RULES for seed in range(2) if (made := construct(problem, rule, seed)) is not None]
    if not starts:
        by_cp(course)
        return
    starts.sort(key=lambda tasks: max(_end(problem, task) for task in tasks))
    tabu = Tabu(problem, 1 if options.repeatable else options.threads, options.seed)
    tabu.begin(starts)
    first_s = min(TABU_FIRST_MOST_S, options.seconds * TABU_FIRST, TABU_FIRST_EACH_S * len(problem.operations))
    _tabu(course, tabu, first_s)
    if course.is_done or len(problem.operations) > MAX_CP_OPERATIONS:
        return
    _cp(course, options.seconds * CP_TURN)
    if course.best is not None and not course.is_done:
        tabu.tell(course.best.tasks, course.best.measures.makespan_ticks)
        _tabu(course, tabu, options.seconds * LNS_SHARE if options.repeatable else course.left_s)


def _end(problem: ScheduleProblem, task: Task) -> int:
    return task.start + problem.operations[task.operation].modes[task.mode].duration_ticks


def _tabu(course: Course, tabu: Tabu, seconds: float) -> None:
    bound = 0 if course.bound is None else int(course.bound / course.problem.goal.weights["makespan_ticks"])
    if course.options.repeatable:
        tabu.run(float(NEVER), int(seconds * DETERMINISTIC_ITERATIONS), bound)
    else:
        tabu.run(seconds, NEVER, bound)
    course.offer(tabu.tasks())
    course.note("tabu")


def _cp(course: Course, seconds: float) -> None:
    """Ask CP-SAT for a better schedule and a bound."""
    limits = cp.Limits(max(0.1, seconds), course.options.threads, course.options.seed, course.options.repeatable)
    found = cp.solve(course.problem, limits, None if course.best is None else course.best.tasks)
    take(course, found)
    course.note("cp-sat")


def take(course: Course, found: cp.Found) -> None:
    """Take what CP-SAT found as schedule, bound and proof."""
    course.infeasible = course.infeasible or (found.is_infeasible and course.best is None)
    course.offer(found.tasks)
    course.bounded(found.bound)


def by_cp(course: Course) -> None:
    """Anneal from what there is, ask CP-SAT, and where the problem is large go on piece by piece."""
    if course.best is not None and not course.problem.buffers and course.problem.power_limit_kw is None:
        by_search.improve(course, SEARCH_SHARE)
    large = len(course.problem.operations) > LNS_ABOVE
    share = LNS_SHARE if large else 1.0
    seconds = course.options.seconds * share if course.options.repeatable else course.left_s * share
    _cp(course, seconds)
    if large and course.best is not None and not course.is_done:
        pieces(course)


def pieces(course: Course) -> None:
    """Free a piece at a time around the best schedule: a stretch of time, or the operations of some machines."""
    rng = random.Random(course.options.seed)  # noqa: S311  # a search, no secret
    rounds = 0
    most = max(2, int(course.options.seconds / PIECE_S))
    while not course.is_done and course.best is not None:
        if (rounds >= most) if course.options.repeatable else (course.left_s < 0.5):
            break
        rounds += 1
        free = _piece(course.best.tasks, course.problem, rng)
        kept = [task for task in course.best.tasks if task.operation not in free]
        seconds = PIECE_S * LNS_SHARE if course.options.repeatable else min(PIECE_S, course.left_s)
        limits = cp.Limits(seconds, course.options.threads, course.options.seed + rounds, course.options.repeatable)
        course.offer(cp.solve(course.problem, limits, course.best.tasks, kept).tasks)
    course.note("pieces")


def _piece(tasks: tuple[Task, ...], problem: ScheduleProblem, rng: random.Random) -> set[str]:
    """Return the operations that are free: those that run near a moment drawn at random, or of some jobs."""
    size = min(PIECE, max(5, len(tasks) // 2))
    if rng.random() < 0.5:
        centre = rng.choice(tasks).start
        near = sorted(tasks, key=lambda one: (abs(one.start - centre), one.operation))
        return {task.operation for task in near[:size]}
    jobs = list(problem.jobs)
    rng.shuffle(jobs)
    free: set[str] = set()
    for job in jobs:
        if len(free) >= size:
            break
        free |= {one.id for one in job.operations}
    return free
