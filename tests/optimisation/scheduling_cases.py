"""Scheduling problems by hand and at random, small enough to be tried out whole."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np

from zerofactory.optimisation.scheduling.check import check
from zerofactory.optimisation.scheduling.problem import (
    Goal,
    Job,
    Machine,
    Mode,
    Operation,
    RestState,
    ScheduleProblem,
    Signals,
    Window,
)
from zerofactory.optimisation.scheduling.schedule import Task, complete

IDLE = RestState("idle", 10.0)
OFF = RestState("off", 0.0, 1, 2.0, 2, 30.0)


def day(count: int = 12) -> Signals:
    """Return dear and dirty hours in the middle of a short day of hourly ticks."""
    price = np.where((np.arange(count) >= 4) & (np.arange(count) < 8), 1.2, 0.4)
    grams = np.where((np.arange(count) >= 4) & (np.arange(count) < 8), 700.0, 500.0)
    return Signals(1, price, grams)


def two_jobs(**more: object) -> ScheduleProblem:
    """Return two jobs of two operations on a press and a welder; hours."""
    jobs = (
        Job("A", (Operation("A1", (Mode("press", 2, 50.0),), "x"), Operation("A2", (Mode("weld", 3, 20.0),), "x"))),
        Job("B", (Operation("B1", (Mode("press", 1, 40.0),), "y"), Operation("B2", (Mode("weld", 2, 30.0),), "y"))),
    )
    machines = (Machine("press"), Machine("weld"))
    given: dict[str, object] = {
        "machines": machines,
        "jobs": jobs,
        "horizon_ticks": 12,
        "tick_s": 3600,
        "signals": day(),
        "goal": Goal(),
    }
    return ScheduleProblem(**{**given, **more})  # type: ignore[arg-type]


def at_random(seed: int) -> ScheduleProblem:
    """Return a problem of two or three jobs, two machines, now and then with set-ups, rests, a shift, sun and a demand charge."""
    rng = random.Random(seed)  # noqa: S311  # cases, no secret
    horizon = 11
    rests = (IDLE, OFF) if rng.random() < 0.5 else ()
    setups = {("x", "y"): 1, ("y", "x"): 2} if rng.random() < 0.5 else {}
    windows = (Window(0, 5), Window(6, horizon)) if rng.random() < 0.4 else ()
    machines = tuple(Machine(name, windows, setups, 5.0, rests=rests) for name in ("m", "n"))
    jobs = []
    for number in range(rng.choice((2, 2, 3))):
        operations = []
        for step in range(rng.choice((1, 2)) if number else 2):
            names = rng.sample(["m", "n"], rng.choice((1, 2)))
            modes = tuple(Mode(name, rng.randint(1, 3), float(rng.randint(10, 60))) for name in names)
            operations.append(Operation(f"{number}.{step}", modes, rng.choice("xy")))
        jobs.append(Job(str(number), tuple(operations), rng.choice((0, 0, 1)), rng.choice((None, 5, 8))))
    sun = np.where((np.arange(horizon) >= 3) & (np.arange(horizon) < 7), 40.0, 0.0) if rng.random() < 0.5 else None
    price = np.array([rng.choice((0.3, 0.7, 1.2)) for _ in range(horizon)])
    grams = np.array([float(rng.choice((400, 550, 700))) for _ in range(horizon)])
    signals = Signals(1, price, grams, sun, None, 0.2, rng.choice((0.0, 2.0)))
    return ScheduleProblem(machines, tuple(jobs), signals=signals, horizon_ticks=horizon, tick_s=3600)


def every_schedule(problem: ScheduleProblem) -> Iterator[tuple[Task, ...]]:
    """Yield every placing of a small problem that keeps the chains of its jobs."""
    chains = []
    for job in problem.jobs:
        ways = []
        for picked in product(*(range(len(one.modes)) for one in job.operations)):
            lengths = [one.modes[mode].duration_ticks for one, mode in zip(job.operations, picked, strict=True)]
            for starts in product(*(range(job.release_tick, problem.horizon - length + 1) for length in lengths)):
                if all(a + length <= b for (a, b), length in zip(pairwise(starts), lengths, strict=False)):
                    names = [one.id for one in job.operations]
                    ways.append(tuple(Task(*task) for task in zip(names, picked, starts, strict=True)))
        chains.append(ways)
    for chosen in product(*chains):
        yield tuple(task for chain in chosen for task in chain)


def best_by_trying(problem: ScheduleProblem) -> float | None:
    """Return the least goal over every schedule that passes the check; None where there is none."""
    best: float | None = None
    for tasks in every_schedule(problem):
        if _overlap(problem, tasks):
            continue
        schedule = complete(problem, tasks)
        value = schedule.measures.weighted(problem.goal.weights)
        if (best is None or value < best - 1e-9) and check(schedule).passed:
            best = value
    return best


def _overlap(problem: ScheduleProblem, tasks: tuple[Task, ...]) -> bool:
    """Whether two pieces of work overlap: a quick look before the whole check."""
    taken: dict[str, list[tuple[int, int]]] = {}
    for task in tasks:
        mode = problem.operations[task.operation].modes[task.mode]
        taken.setdefault(mode.machine, []).append((task.start, task.start + mode.duration_ticks))
    return any(b[0] < a[1] for own in taken.values() for a, b in pairwise(sorted(own)))
