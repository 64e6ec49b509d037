"""The problem for CP-SAT (OR-Tools, Apache-2.0): intervals, calendars, set-ups as arcs, buffers, and a bound on what is possible.

Optional intervals for modes and no overlap on a machine: Laborie, Rogerie, Shaw and Vilím 2018, doi 10.1007/s10601-018-9281-x.
Set-ups that follow the order are arcs of a circuit on the machine. Cost and carbon by start are tables (element constraints),
rounded down, so that the solver's bound stays a bound; rests, on-site power and the demand charge only add to cost or are told
by the exact evaluation, and are left out here. A large problem is improved piece by piece: operations that are kept hold their
mode and their order on the machine (`Kept`), the others are free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zerofactory.optimisation.scheduling.faults import Span, spans
from zerofactory.optimisation.scheduling.problem import Floats, Machine, Mode, ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Task
from zerofactory.optimisation.solving import apart

COST_SCALE = 1000  # money and grams are counted in thousandths of the goal's unit
MAX_TABLE = 400_000  # entries of cost tables beyond which energy is left to the exact search


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a solve may take. ``deterministic`` counts work instead of seconds and uses one worker: the same answer always."""

    seconds: float = 60.0
    workers: int = 2
    seed: int = 1
    deterministic: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the solver says: placed operations (None: none found), a bound on the goal, whether it is proved."""

    tasks: tuple[Task, ...] | None
    bound: float | None
    is_optimal: bool
    is_infeasible: bool


@dataclass(slots=True)
class _Draft:
    """The model being written."""

    problem: ScheduleProblem
    model: Any
    span: Mapping[str, Span]
    start: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, list[Any]] = field(default_factory=dict)
    on: dict[str, list[tuple[str, int, Any, Any]]] = field(default_factory=dict)
    terms: list[tuple[float, Any]] = field(default_factory=list)
    constant: float = 0.0
    scale: int = 1


def solve(
    problem: ScheduleProblem, limits: Limits, hint: Sequence[Task] | None = None, kept: Sequence[Task] = ()
) -> Found:
    """Return what CP-SAT finds, asked in a process of its own (see `solving.apart`).

    Parameters
    ----------
    hint : a schedule to begin from. kept : operations that keep mode and order (large neighbourhood search).
    """
    given = None if hint is None else tuple(hint)
    found = apart.call("zerofactory.optimisation.scheduling.cp:solve_here", problem, limits, given, tuple(kept))
    assert isinstance(found, Found)  # noqa: S101  # for the type checker
    return found


def solve_here(problem: ScheduleProblem, limits: Limits, hint: Sequence[Task] | None, kept: Sequence[Task]) -> Found:
    """Return what CP-SAT finds; to be called in a process without highspy."""
    from ortools.sat.python import cp_model

    draft = _Draft(problem, cp_model.CpModel(), spans(problem))
    _operations(draft, {task.operation: task for task in kept})
    _machines(draft, kept)
    _links(draft)
    _buffers(draft)
    _power(draft)
    _goal(draft)
    if hint is not None:
        _hint(draft, hint)
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.random_seed = limits.seed
    parameters.num_workers = 1 if limits.deterministic else limits.workers
    if limits.deterministic:
        parameters.max_deterministic_time = limits.seconds
    else:
        parameters.max_time_in_seconds = limits.seconds
    status = solver.solve(draft.model)
    if status == cp_model.INFEASIBLE:
        return Found(None, None, False, is_infeasible=True)
    bound = draft.constant + solver.best_objective_bound / draft.scale
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Found(None, None if not draft.terms else bound, False, False)
    return Found(_tasks(draft, solver), bound, status == cp_model.OPTIMAL, False)


def _tasks(draft: _Draft, solver: Any) -> tuple[Task, ...]:
    found = []
    for name, chosen in draft.chosen.items():
        mode = next(index for index, literal in enumerate(chosen) if solver.boolean_value(literal))
        found.append(Task(name, mode, int(solver.value(draft.start[name]))))
    return tuple(found)


def _operations(draft: _Draft, kept: Mapping[str, Task]) -> None:
    problem, model = draft.problem, draft.model
    for name, operation in problem.operations.items():
        first, last = draft.span[name].first, draft.span[name].last
        least = min(mode.duration_ticks for mode in operation.modes)
        most = max(mode.duration_ticks for mode in operation.modes)
        start = draft.start[name] = model.new_int_var(first, last - least, f"start {name}")
        end = draft.end[name] = model.new_int_var(first + least, last, f"end {name}")
        size = model.new_int_var(least, most, f"ticks {name}")
        model.add(start + size == end)
        literals = [model.new_bool_var(f"{name} {index}") for index in range(len(operation.modes))]
        draft.chosen[name] = literals
        model.add_exactly_one(literals)
        for index, (mode, literal) in enumerate(zip(operation.modes, literals, strict=True)):
            model.add(size == mode.duration_ticks).only_enforce_if(literal)
            work = model.new_optional_fixed_size_interval_var(start, mode.duration_ticks, literal, f"{name} on {index}")
            draft.on.setdefault(mode.machine, []).append((name, index, literal, work))
        if name in kept:
            model.add(literals[kept[name].mode] == 1)
        if name in problem.fixed:
            mode_index, at = problem.fixed[name]
            model.add(literals[mode_index] == 1)
            model.add(start == at)


def _machines(draft: _Draft, kept: Sequence[Task]) -> None:
    order: dict[str, list[Task]] = {}
    for task in sorted(kept, key=lambda one: one.start):
        order.setdefault(draft.problem.operations[task.operation].modes[task.mode].machine, []).append(task)
    for machine in draft.problem.machines:
        own = draft.on.get(machine.id, [])
        if not own:
            continue
        for first, second in zip(order.get(machine.id, ()), order.get(machine.id, ())[1:], strict=False):
            draft.model.add(draft.end[first.operation] <= draft.start[second.operation])
        if machine.setup_ticks or machine.start_ramp() is not None:
            _circuit(draft, machine)
        else:
            closed = [_closed(draft, first, last) for first, last in closures(machine, draft.problem.horizon)]
            draft.model.add_no_overlap([*(work for *_, work in own), *closed])


def _closed(draft: _Draft, first: int, last: int) -> Any:
    return draft.model.new_fixed_size_interval_var(first, last - first, f"closed {first}")


def closures(machine: Machine, horizon: int) -> list[tuple[int, int]]:
    """Return the ticks in which a machine may not work.

    Examples
    --------
    >>> from zerofactory.optimisation.scheduling.problem import Window
    >>> closures(Machine("press", (Window(2, 5), Window(7, 9))), 9)
    [(0, 2), (5, 7)]
    """
    if not machine.windows:
        return []
    borders = [0, *(border for window in machine.windows for border in (window.first, window.last)), horizon]
    return [(a, b) for a, b in zip(borders[::2], borders[1::2], strict=True) if b > a]


def _circuit(draft: _Draft, machine: Machine) -> None:
    """Order the operations of a machine as a circuit; arcs carry set-ups, the set-up lies in the window of the work."""
    model, problem, own = draft.model, draft.problem, draft.on[machine.id]
    ramp = machine.start_ramp()
    empty = model.new_bool_var(f"{machine.id} unused")
    arcs: list[tuple[int, int, Any]] = [(0, 0, empty)]
    windows = closures(machine, problem.horizon)
    blocks = [_closed(draft, first, last) for first, last in windows]
    for place, (name, _, literal, work) in enumerate(own, 1):
        family = problem.operations[name].family
        begins = machine.setup(None, family) + (ramp.leave_ticks if ramp else 0)
        arcs.append((place, place, ~literal))
        first, last = model.new_bool_var(""), model.new_bool_var("")
        arcs += [(0, place, first), (place, 0, last)]
        model.add_implication(empty, ~literal)
        model.add(draft.start[name] >= begins).only_enforce_if(first)
        waits: list[Any] = [first * machine.setup(None, family)]
        for other, (before, _, _, _) in enumerate(own, 1):
            if before == name:
                continue
            arc = model.new_bool_var("")
            arcs.append((other, place, arc))
            ticks = machine.setup(problem.operations[before].family, family)
            model.add(draft.start[name] >= draft.end[before] + ticks).only_enforce_if(arc)
            waits.append(arc * ticks)
        blocks.append(_with_setup(draft, machine, (name, literal, work), waits) if windows else work)
    model.add_circuit(arcs)
    model.add_no_overlap(blocks)


def _with_setup(draft: _Draft, machine: Machine, one: tuple[str, Any, Any], waits: list[Any]) -> Any:
    """Return the interval of set-up and work together, which no closure may cut."""
    model, (name, literal, _) = draft.model, one
    most = max(machine.setup_ticks.values(), default=0)
    setup = model.new_int_var(0, most, f"set-up {name}")
    model.add(setup == sum(waits)).only_enforce_if(literal)
    begins = model.new_int_var(0, draft.problem.horizon, f"begin {name}")
    size = model.new_int_var(0, draft.problem.horizon, f"block {name}")
    model.add(begins == draft.start[name] - setup).only_enforce_if(literal)
    return model.new_optional_interval_var(begins, size, draft.end[name], literal, f"{name} with set-up")


def _links(draft: _Draft) -> None:
    for link in draft.problem.all_links:
        before, after = draft.end[link.before], draft.start[link.after]
        draft.model.add(after >= before + link.least_ticks)
        if link.most_ticks is not None:
            draft.model.add(after <= before + link.most_ticks)


def _buffers(draft: _Draft) -> None:
    model = draft.model
    for buffer in draft.problem.buffers:
        inside = []
        for before, after in buffer.links:
            stay = model.new_int_var(0, draft.problem.horizon, f"{buffer.id} {before}")
            inside.append(model.new_interval_var(draft.end[before], stay, draft.start[after], f"{before} in {buffer.id}"))  # fmt: skip
        model.add_cumulative(inside, [1] * len(inside), buffer.capacity)


def _power(draft: _Draft) -> None:
    """Keep the power limit: work at its highest power above what its machine draws otherwise, in whole watts."""
    problem = draft.problem
    if problem.power_limit_kw is None:
        return
    otherwise = {machine.id: _otherwise_kw(machine) for machine in problem.machines}
    works, watts = [], []
    for machine, own in draft.on.items():
        for name, index, _, work in own:
            above = float(problem.operations[name].modes[index].powers_kw().max()) - otherwise[machine]
            works.append(work)
            watts.append(max(0, math.ceil(above * 1000.0)))
    left = math.floor((problem.power_limit_kw - sum(otherwise.values())) * 1000.0)
    draft.model.add_cumulative(works, watts, max(0, left))


def _otherwise_kw(machine: Machine) -> float:
    rests = [max(rest.power_kw, rest.enter_kw, rest.leave_kw) for rest in machine.rests]
    return max([machine.setup_kw if machine.setup_ticks else 0.0, *rests], default=0.0)


def _goal(draft: _Draft) -> None:
    goal = draft.problem.goal
    wanted = {*(name for name, weight in goal.weights.items() if weight), *goal.limits}
    measures = {"makespan_ticks": _makespan, "tardiness_ticks": _tardiness, "changes": _changes}
    for name in sorted(wanted):
        term, unit = measures[name](draft) if name in measures else _energy(draft, name)
        if term is None:
            continue
        if name in goal.limits:
            draft.model.add(term <= math.floor(goal.limits[name] * unit + 1e-6))
        weight = float(goal.weights.get(name, 0.0))
        if weight:
            draft.terms.append((weight / unit, term))
    if draft.terms:
        draft.scale = _scale([weight for weight, _ in draft.terms])
        draft.model.minimize(sum(round(weight * draft.scale) * term for weight, term in draft.terms))


def _scale(weights: Sequence[float]) -> int:
    """Return a whole number by which all weights become (nearly) whole."""
    for scale in (1, 10, 100, COST_SCALE):
        if all(abs(weight * scale - round(weight * scale)) < 1e-9 for weight in weights):
            return scale
    return 1_000_000


def _makespan(draft: _Draft) -> tuple[Any, int]:
    most = draft.model.new_int_var(0, draft.problem.horizon, "makespan")
    draft.model.add_max_equality(most, list(draft.end.values()))
    return most, 1


def _tardiness(draft: _Draft) -> tuple[Any, int]:
    late: list[Any] = []
    unit = _scale([job.weight for job in draft.problem.jobs if job.due_tick is not None])
    for job in draft.problem.jobs:
        if job.due_tick is not None and job.operations and job.weight:
            over = draft.model.new_int_var(0, max(0, draft.problem.horizon - job.due_tick), f"late {job.id}")
            for one in job.operations:
                draft.model.add(over >= draft.end[one.id] - job.due_tick)
            late.append(round(job.weight * unit) * over)
    return (sum(late) if late else None), unit


def _changes(draft: _Draft) -> tuple[Any, int]:
    changed: list[Any] = []
    for name, (mode, start) in draft.problem.before.items():
        if name in draft.start and name not in draft.problem.fixed:
            same = draft.model.new_bool_var(f"same {name}")
            draft.model.add(draft.start[name] == start).only_enforce_if(same)
            draft.model.add_implication(same, draft.chosen[name][mode])
            changed.append(1 - same)
    return (sum(changed) if changed else None), 1


def _energy(draft: _Draft, name: str) -> tuple[Any, int]:
    """Return cost or carbon of all work as thousandths, each start priced by its table; None where signals do not allow it."""
    problem = draft.problem
    entries = sum(len(one.modes) for one in problem.operations.values()) * problem.horizon
    if problem.signals is None or not problem.signals.is_linear or entries > MAX_TABLE:
        return None, COST_SCALE
    total: list[Any] = []
    prices = work_price(problem, name)
    for operation in problem.operations.values():
        paid: list[Any] = []
        start = draft.start[operation.id]
        single = len(operation.modes) == 1
        for mode in operation.modes:
            table = np.floor(mode_prices(mode, prices) * COST_SCALE).astype(np.int64)
            padded = np.pad(table, (0, max(0, problem.horizon + 1 - len(table))), mode="edge")
            priced = draft.model.new_int_var(int(table.min()), int(table.max()), f"{name} {operation.id}")
            draft.model.add_element(start, padded.tolist(), priced)
            paid.append(priced)
        if single:
            total.append(paid[0])
            continue
        own = draft.model.new_int_var(-(1 << 40), 1 << 40, f"{name} of {operation.id}")
        for one, literal in zip(paid, draft.chosen[operation.id], strict=True):
            draft.model.add(own >= one).only_enforce_if(literal)
        total.append(own)
    return sum(total), COST_SCALE


def work_price(problem: ScheduleProblem, name: str) -> Floats:
    """Return cost (CNY) or carbon (g) of one kilowatt during each tick of the horizon."""
    assert problem.signals is not None  # noqa: S101  # the caller looked
    series = problem.signals.price_cny_per_kwh if name == "cost_cny" else problem.signals.intensity_gco2e_per_kwh
    ticks: Floats = np.repeat(series, problem.signals.interval_ticks)[: problem.horizon] * problem.tick_hours
    return ticks


def mode_prices(mode: Mode, per_kw: Floats) -> Floats:
    """Return what a mode costs by the tick it starts at, for every start at which it ends in time."""
    powers = mode.powers_kw()
    if len(powers) > len(per_kw):
        return np.zeros(1)
    priced: Floats = np.correlate(per_kw, powers, mode="valid")
    return priced


def _hint(draft: _Draft, tasks: Sequence[Task]) -> None:
    for task in tasks:
        draft.model.add_hint(draft.start[task.operation], task.start)
        duration = draft.problem.operations[task.operation].modes[task.mode].duration_ticks
        draft.model.add_hint(draft.end[task.operation], task.start + duration)
        for index, literal in enumerate(draft.chosen[task.operation]):
            draft.model.add_hint(literal, index == task.mode)
