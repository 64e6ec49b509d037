"""The exact search as a stage of a solve: from the best schedule so far, for a share of the time, on every thread."""

from __future__ import annotations

from functools import cache

import numpy as np

from zerofactory.optimisation.scheduling.energy_search import EnergySearch
from zerofactory.optimisation.scheduling.problem import Job, Machine, Mode, Operation, ScheduleProblem, Signals
from zerofactory.optimisation.scheduling.schedule import Task
from zerofactory.optimisation.scheduling.solve import Course

MOVES = 20_000  # for each unit of work in a repeatable solve


@cache
def compiled() -> None:
    """Have the inner loop compiled (or read from its cache) before time is counted."""
    tiny = Signals(1, np.ones(2), np.ones(2))
    problem = ScheduleProblem(
        (Machine("m"),), (Job("j", (Operation("o", (Mode("m", 1),)),)),), signals=tiny, horizon_ticks=2
    )
    search = EnergySearch(problem)
    search.begin([(Task("o", 0, 0),)])
    search.run(0.0, 1)


def improve(course: Course, share: float) -> None:
    """Anneal from the best schedule (or one that keeps the limits of time alone) for a share of the time that is left."""
    start = course.best.tasks if course.best is not None else course.fallback
    if start is None or course.left_s < 0.2:
        return
    options = course.options
    search = EnergySearch(
        course.problem, 1 if options.repeatable else options.threads, options.seed + len(course.stages)
    )
    search.begin([start])
    if options.repeatable:
        search.run(0.0, int(MOVES * options.seconds * share))
    else:
        search.run(course.left_s * share)
    course.offer(search.tasks())
    course.note("search")
