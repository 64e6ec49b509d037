"""Schedules by rule: the first answers that searches and solvers improve.

Serial generation: operations are taken one at a time, each after what it waits for, and placed where it ends first; rules
decide which comes next (most work left, due date, release, at random by seed). Machines are filled at their end, so set-ups
follow the order; calendars, releases and least waits are kept. Longest waits, buffers, hard due dates and the power limit are
kept only by chance: the caller judges the answer with `check`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from zerofactory.optimisation.scheduling.problem import Machine, Mode, Operation, ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Task

RULES = ("work", "due", "release", "random")


@dataclass(slots=True)
class _Shop:
    """What is placed so far."""

    problem: ScheduleProblem
    free: dict[str, int]
    family: dict[str, str | None]
    ends: dict[str, int] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)


def construct(problem: ScheduleProblem, rule: str = "work", seed: int = 0) -> tuple[Task, ...] | None:
    """Return placed operations by a rule; None where an operation found no place before the horizon.

    Parameters
    ----------
    rule : work (most work left first), due, release, random. seed : breaks ties and drives ``random``.
    """
    rng = random.Random(seed)  # noqa: S311  # a search, no secret
    before: dict[str, list[tuple[str, int]]] = {name: [] for name in problem.operations}
    after: dict[str, list[str]] = {name: [] for name in problem.operations}
    for link in problem.all_links:
        before[link.after].append((link.before, link.least_ticks))
        after[link.before].append(link.after)
    rank = _ranks(problem, after, rule)
    noise = 0.3 if seed else 0.0
    waits = {name: len(found) for name, found in before.items()}
    ready = [name for name, count in waits.items() if not count]
    shop = _Shop(problem, dict.fromkeys(problem.machine, 0), {one.id: None for one in problem.machines})
    _freeze(shop)
    while ready:
        name = min(ready, key=lambda one: (one not in problem.fixed, rank[one] * (1.0 + noise * rng.random()), one))
        ready.remove(name)
        if not _place(shop, name, before[name]):
            return None
        for step in after[name]:
            waits[step] -= 1
            if not waits[step]:
                ready.append(step)
    return tuple(shop.tasks)


def _freeze(shop: _Shop) -> None:
    """Machines are free after what is frozen on them."""
    for name, (mode, start) in sorted(shop.problem.fixed.items(), key=lambda item: item[1][1]):
        operation = shop.problem.operations[name]
        chosen = operation.modes[mode]
        if start + chosen.duration_ticks > shop.free[chosen.machine]:
            shop.free[chosen.machine] = start + chosen.duration_ticks
            shop.family[chosen.machine] = operation.family


def _ranks(problem: ScheduleProblem, after: Mapping[str, list[str]], rule: str) -> dict[str, float]:
    """Return what is sorted by: lower comes first, always positive."""
    if rule == "random":
        return dict.fromkeys(problem.operations, 1.0)
    if rule == "release":
        return {name: 1.0 + job.release_tick for name, job in problem.job_of.items()}
    if rule == "due":
        return {name: 1.0 + (problem.horizon if job.due_tick is None else job.due_tick) for name, job in problem.job_of.items()}  # fmt: skip
    left: dict[str, float] = {}
    mean = {name: sum(m.duration_ticks for m in one.modes) / len(one.modes) for name, one in problem.operations.items()}
    for root in problem.operations:
        stack = [root]
        while stack:
            name = stack[-1]
            lacking = [step for step in after[name] if step not in left]
            if name not in left and lacking:
                stack += lacking
                continue
            stack.pop()
            left[name] = mean[name] + max((left[step] for step in after[name]), default=0.0)
    most = max(left.values(), default=0.0)
    return {name: 1.0 + most - value for name, value in left.items()}


def _place(shop: _Shop, name: str, before: list[tuple[str, int]]) -> bool:
    problem, operation = shop.problem, shop.problem.operations[name]
    if name in problem.fixed:
        fixed, at = problem.fixed[name]
        shop.tasks.append(Task(name, fixed, at))
        shop.ends[name] = at + operation.modes[fixed].duration_ticks
        return True
    earliest = max([problem.release(name), *(shop.ends[one] + least for one, least in before)])
    best: tuple[int, float, int, int] | None = None
    for index, mode in enumerate(operation.modes):
        start = _start(shop, operation, mode, earliest)
        if start is not None:
            found = (start + mode.duration_ticks, float(mode.powers_kw().sum()), index, start)
            best = found if best is None or found < best else best
    if best is None or best[0] > problem.horizon:
        return False
    chosen = operation.modes[best[2]]
    shop.tasks.append(Task(name, best[2], best[3]))
    shop.ends[name] = shop.free[chosen.machine] = best[0]
    shop.family[chosen.machine] = operation.family
    return True


def _start(shop: _Shop, operation: Operation, mode: Mode, earliest: int) -> int | None:
    machine = shop.problem.machine[mode.machine]
    setup = machine.setup(shop.family[machine.id], operation.family)
    ramp = machine.start_ramp() if shop.family[machine.id] is None else None
    free = shop.free[machine.id] + (ramp.leave_ticks if ramp else 0)
    return fit(machine, max(earliest, free + setup), setup, mode.duration_ticks)


def fit(machine: Machine, earliest: int, setup: int, duration: int) -> int | None:
    """Return the first start from a tick on at which set-up and work lie inside one window; None where there is none.

    Examples
    --------
    >>> from zerofactory.optimisation.scheduling.problem import Window
    >>> fit(Machine("press", (Window(0, 10), Window(20, 40))), 8, 2, 5)
    22
    """
    if not machine.windows:
        return max(earliest, setup)
    for window in machine.windows:
        start = max(earliest, window.first + setup)
        if start + duration <= window.last:
            return start
    return None
