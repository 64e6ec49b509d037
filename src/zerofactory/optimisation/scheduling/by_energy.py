"""Goals with cost or carbon: a schedule in time first, then the exact search, then proof by the time-indexed program or CP-SAT."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from zerofactory.optimisation.scheduling import by_search, by_time, cp, time_indexed
from zerofactory.optimisation.scheduling.problem import ScheduleProblem
from zerofactory.optimisation.scheduling.solve import Course, in_time
from zerofactory.optimisation.scheduling.tabu import plain_bound as time_bound

FIRST_SHARE, SEARCH_SHARE, PROOF_SHARE = 0.1, 0.35, 0.9
NODES = 200  # of the proof for each unit of work in a repeatable solve
PROVES_WITH = 12_000  # starts up to which the proof is worth more than the search


def run(course: Course) -> None:
    """Improve the best schedule of a course and its bound for a goal with cost or carbon."""
    _first(course)
    if course.best is None and course.fallback is not None and not course.infeasible:
        by_search.improve(course, SEARCH_SHARE)
    if course.best is None and not course.infeasible:
        by_time.by_cp(course)
    if course.best is None:
        return
    course.bounded(plain_bound(course.problem))
    provable = time_indexed.suits(course.problem)
    small = provable and time_indexed.count_starts(course.problem) <= PROVES_WITH
    by_search.improve(course, SEARCH_SHARE if not small else SEARCH_SHARE / 2)
    if provable:
        _prove(course)
    elif course.problem.signals is not None and course.problem.signals.is_linear:
        _bound_by_cp(course)
    if not course.is_done and not course.options.repeatable:
        by_search.improve(course, 1.0)


def plain_bound(problem: ScheduleProblem) -> float | None:
    """Return a goal that no schedule can beat: every operation in its best mode and place, alone.

    In an interval where the rest of the load already takes all on-site power a kilowatt costs the full price; where some is left
    it costs what selling would have earned, and emits nothing. Rests, set-ups, the demand charge and lateness only add. None
    where a price makes drawing power pay.
    """
    signals, weights = problem.signals, problem.goal.weights
    if signals is None or min(float(weight) for weight in weights.values()) < 0:
        return None
    nothing = np.zeros(signals.count)
    other = nothing if signals.other_kw is None else signals.other_kw
    short = other - (nothing if signals.onsite_kw is None else signals.onsite_kw) >= 0.0
    cost = np.where(short, signals.price_cny_per_kwh, np.minimum(signals.export_cny_per_kwh, signals.price_cny_per_kwh))
    grams = np.where(short, signals.intensity_gco2e_per_kwh, 0.0)
    price = float(weights.get("cost_cny", 0.0)) * cost + float(weights.get("carbon_gco2e", 0.0)) * grams
    if float(price.min()) < 0.0:
        return None
    ticks = np.repeat(price, signals.interval_ticks)[: problem.horizon] * problem.tick_hours
    least = 0.0
    for name, one in problem.operations.items():
        frozen = problem.fixed.get(name)
        modes = one.modes if frozen is None else (one.modes[frozen[0]],)
        least += min(float(cp.mode_prices(mode, ticks).min()) for mode in modes)
    return least + float(weights.get("makespan_ticks", 0.0)) * time_bound(problem)


def _first(course: Course) -> None:
    """Find a schedule that keeps the limits of time, where rules alone found none."""
    quick = replace(course.options, seconds=course.options.seconds * FIRST_SHARE)
    inner = Course(in_time(course.problem), quick, time.perf_counter())
    if course.best is not None:
        inner.offer(course.best.tasks)
    by_time.run(inner)
    if inner.best is not None:
        course.offer(inner.best.tasks)
        course.fallback = inner.best.tasks
    limit = course.problem.goal.limits.get("makespan_ticks")
    too_long = limit is not None and "makespan_ticks" in inner.problem.goal.weights and (inner.bound or 0.0) > limit
    course.infeasible = course.infeasible or (course.best is None and (inner.infeasible or too_long))
    course.note("time")


def _prove(course: Course) -> None:
    options = course.options
    nodes = max(1, int(NODES * options.seconds)) if options.repeatable else None
    hint = () if course.best is None or _has_more(course.problem) else course.best.tasks
    found = time_indexed.prove(course.problem, course.left_s * PROOF_SHARE, nodes, hint)
    course.offer(found.tasks)
    course.bounded(found.bound)
    course.infeasible = course.infeasible or (found.is_infeasible and course.best is None)
    course.note("time-indexed")


def _has_more(problem: ScheduleProblem) -> bool:
    """Whether the problem has what the program leaves out."""
    return bool(problem.buffers) or any(machine.rests or machine.setup_ticks for machine in problem.machines)


def _bound_by_cp(course: Course) -> None:
    limits = cp.Limits(course.left_s * PROOF_SHARE, course.options.threads, course.options.seed, course.options.repeatable)  # fmt: skip
    found = cp.solve(course.problem, limits, None if course.best is None else course.best.tasks)
    by_time.take(course, found)
    course.note("cp-sat")
