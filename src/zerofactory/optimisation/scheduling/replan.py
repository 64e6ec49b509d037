"""Re-planning: what has begun stays, what is near is frozen, and the rest changes little.

A breakdown closes a machine for a while. Operations that have begun keep mode and start, except the one the breakdown cuts off:
it is done anew. Operations that begin within the frozen stretch keep theirs when they still can. For all others the goal gets a
price on every operation that is moved (Vieira, Herrmann and Lin 2003, doi 10.1023/A:1022235519958, on stability).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zerofactory.optimisation.scheduling.construct import fit
from zerofactory.optimisation.scheduling.faults import topological
from zerofactory.optimisation.scheduling.problem import (
    Goal,
    Job,
    Machine,
    Measure,
    Operation,
    ScheduleProblem,
    Window,
)
from zerofactory.optimisation.scheduling.schedule import Task
from zerofactory.optimisation.scheduling.solve import Answer, Options, solve


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A machine that cannot work in ticks [first, last)."""

    machine: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Change:
    """What happened, when it is known, and how the rest is to be planned.

    Parameters
    ----------
    now : tick at which it is known. frozen_ticks : how long after now operations keep their place if they can.
    change_weight : what moving one operation weighs in the goal.
    """

    now: int
    breakdowns: tuple[Breakdown, ...] = ()
    frozen_ticks: int = 0
    change_weight: float = 1.0


def changed_problem(problem: ScheduleProblem, tasks: Sequence[Task], change: Change) -> ScheduleProblem:
    """Return the problem of what is left: breakdowns as closures, what has begun fixed, a price on changes."""
    fixed = _fixed(problem, {task.operation: task for task in tasks}, change)
    before = {task.operation: (task.mode, task.start) for task in tasks if task.operation not in fixed}
    machines = tuple(_closed(one, problem.horizon, change.breakdowns) for one in problem.machines)
    jobs = tuple(_released(job, fixed, change.now) for job in problem.jobs)
    weights: dict[Measure, float] = {**problem.goal.weights, "changes": change.change_weight}
    return replace(
        problem, machines=machines, jobs=jobs, fixed=fixed, before=before,
        goal=Goal(weights, problem.goal.limits), horizon_ticks=problem.horizon,
    )  # fmt: skip


def replan(
    problem: ScheduleProblem, tasks: Sequence[Task], change: Change, options: Options | None = None
) -> tuple[ScheduleProblem, Answer]:
    """Return the problem of what is left and its answer; the plan before, pushed later, is where the search begins."""
    new = changed_problem(problem, tasks, change)
    return new, solve(new, options, [made for made in (pushed(new, tasks),) if made is not None])


def pushed(problem: ScheduleProblem, tasks: Sequence[Task]) -> tuple[Task, ...] | None:
    """Return the plan before with every operation on its machine and in its order, later where it must be; None if it cannot."""
    known = {task.operation: task for task in tasks}
    place = {name: number for number, name in enumerate(topological(problem))}
    waits: dict[str, list[tuple[str, int]]] = {}
    for link in problem.all_links:
        waits.setdefault(link.after, []).append((link.before, link.least_ticks))
    ends: dict[str, int] = {}
    free = dict.fromkeys(problem.machine, 0)
    family: dict[str, str | None] = dict.fromkeys(problem.machine)
    made = []
    for task in sorted(tasks, key=lambda one: (one.start, place[one.operation])):
        if any(before not in ends for before, _ in waits.get(task.operation, ())):
            return None
        operation = problem.operations[task.operation]
        mode = operation.modes[known[task.operation].mode]
        machine = problem.machine[mode.machine]
        start = task.start
        if task.operation not in problem.fixed:
            setup = machine.setup(family[machine.id], operation.family)
            low = [problem.release(operation.id), free[machine.id] + setup, task.start]
            low += [ends[before] + least for before, least in waits.get(operation.id, ())]
            found = fit(machine, max(low), setup, mode.duration_ticks)
            if found is None or found + mode.duration_ticks > problem.horizon:
                return None
            start = found
        made.append(Task(task.operation, task.mode, start))
        ends[task.operation] = free[machine.id] = start + mode.duration_ticks
        family[machine.id] = operation.family
    return tuple(made)


def _fixed(problem: ScheduleProblem, tasks: Mapping[str, Task], change: Change) -> dict[str, tuple[int, int]]:
    before: dict[str, list[str]] = {}
    for link in problem.all_links:
        before.setdefault(link.after, []).append(link.before)
    fixed: dict[str, tuple[int, int]] = {}
    for name in topological(problem):
        task = tasks[name]
        mode = problem.operations[name].modes[task.mode]
        end = task.start + mode.duration_ticks
        cut = any(
            one.machine == mode.machine and task.start < one.last and end > one.first for one in change.breakdowns
        )
        if cut or task.start >= change.now + change.frozen_ticks:
            continue
        if all(step in fixed for step in before.get(name, ())):
            fixed[name] = (task.mode, task.start)
    return fixed


def _closed(machine: Machine, horizon: int, breakdowns: Sequence[Breakdown]) -> Machine:
    windows = list(machine.windows) or [Window(0, horizon)]
    own = [one for one in breakdowns if one.machine == machine.id]
    if not own:
        return machine
    for one in own:
        cut = []
        for window in windows:
            parts = (
                Window(window.first, min(window.last, one.first)),
                Window(max(window.first, one.last), window.last),
            )
            cut += [part for part in parts if part.first < part.last]
        windows = cut
    return replace(machine, windows=tuple(windows))


def _released(job: Job, fixed: Mapping[str, tuple[int, int]], now: int) -> Job:
    """Return the job with operations that are not fixed released now at the earliest."""

    def own(one: Operation) -> Operation:
        return one if one.id in fixed else replace(one, release_tick=max(one.release_tick, now))

    return replace(job, operations=tuple(own(one) for one in job.operations))
