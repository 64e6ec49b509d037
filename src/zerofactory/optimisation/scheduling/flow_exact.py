"""Proof for a flow shop: the time-indexed program, as a linear relaxation (a bound for any problem) or with whole variables.

    minimise    Σ_t weight_t·drawn_t + Σ_s late_j(s)·x_last,j,s
    subject to  Σ_s x_mjs = 1;   Σ of x running in t ≤ open units of the stage;   drawn_t ≥ load_t − max(0, spare_t),  drawn_t ≥ 0
                Σ s·x_m+1,js ≥ Σ s·x_mjs + d_mj + passage_m

Set-ups, rests, the order and stores are left out of the relaxation; they only add (weights are not below zero), so its value
is a bound. On one machine without set-ups and rests the program with whole variables is the problem itself and proves the optimum.
Time-indexed formulation: Sousa and Wolsey 1992, doi 10.1007/BF01585718.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from zerofactory.optimisation.scheduling.flow_arrays import arrays
from zerofactory.optimisation.scheduling.flow_faults import open_slots
from zerofactory.optimisation.scheduling.flow_kernel import Arrays, Ints, is_open
from zerofactory.optimisation.scheduling.flow_shop import Floats, FlowPlan, FlowShop, Visit
from zerofactory.optimisation.solving.by_highs import Kept
from zerofactory.optimisation.solving.linear import Block, Draft, LinearProgram
from zerofactory.optimisation.solving.solver import Options, solve


@dataclass(frozen=True, slots=True)
class Places:
    """The start variables of one task: their first column and their slots."""

    stage: int
    lot: int
    columns: Ints
    starts: Ints


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved: a bound of the objective, and where a plan was proved best, that plan."""

    bound: float
    plan: FlowPlan | None
    objective: float
    is_optimal: bool
    runtime_s: float
    columns: int


def is_exact(problem: FlowShop) -> bool:
    """Return whether the program with whole variables is the problem itself: one machine, no set-ups, rests, aims beside energy and due dates."""
    if len(problem.stages) != 1 or len(problem.stages[0].units) != 1:
        return False
    stage = problem.stages[0]
    aim = problem.aim
    plain = not any(stage.setup_slots.values()) and not stage.setup_cny and not stage.setup_gco2e
    return plain and not stage.units[0].rests and not aim.makespan and not aim.spread and not aim.rule


def bound(problem: FlowShop, seconds: float | None = None) -> Proof:
    """Return a bound that no plan can beat (minus infinity where a weight is below zero or the solver gives no duals)."""
    began = time.perf_counter()
    if (problem.weight < 0.0).any():
        return Proof(-np.inf, None, np.inf, False, 0.0, 0)
    program, _ = _program(problem, whole=False)
    solved = solve(program, Options(time_limit_s=seconds, second_opinion=False))
    runtime = time.perf_counter() - began
    if not solved.report.status.has_answer:
        return Proof(-np.inf, None, np.inf, False, runtime, program.size[1])
    return Proof(
        safe_bound(program, solved.row_duals) + _warming(problem), None, np.inf, False, runtime, program.size[1]
    )


def safe_bound(program: LinearProgram, duals: Floats) -> float:
    """Return the bound that duals prove, however far the solver got: weak duality, wrong signs set to zero.

    Σ y·side + Σ min over the bounds of each variable of its reduced cost. Neumaier and Shcherbina 2004, doi 10.1007/s10107-003-0433-3.
    """
    y = np.where(np.isfinite(program.row_lower), duals, np.minimum(duals, 0.0))
    y = np.where(np.isfinite(program.row_upper), y, np.maximum(y, 0.0))
    sides = np.where(y > 0.0, program.row_lower, program.row_upper)
    reduced = program.priced(y)
    ends = np.where(reduced > 0.0, program.lower, program.upper)
    return float((y[y != 0.0] * sides[y != 0.0]).sum() + (reduced[reduced != 0.0] * ends[reduced != 0.0]).sum())


def _warming(problem: FlowShop) -> float:
    """Return the least that warming up adds to any plan: once on as many lines as a stage must use, in the cheapest slots.

    Counted only where the plant draws from the grid in every slot without the lines: then every kilowatt costs its full weight.
    """
    if (problem.spare_kw > 0.0).any():
        return 0.0
    total = 0.0
    for m, stage in enumerate(problem.stages):
        work = sum(lot.tasks[m].slots for lot in problem.lots)
        room = max((open_slots(problem, unit) for unit in stage.units), default=0)
        needed = -(-work // room) if work and room else 0
        ramps = [next((rest for rest in unit.rests if rest.name == unit.starts_from), None) for unit in stage.units]
        costs = [0.0 if one is None else one.leave_ticks * one.leave_kw * float(problem.weight.min()) for one in ramps]
        total += sum(sorted(costs)[:needed])
    return total


def prove(problem: FlowShop, seconds: float = 60.0, start: FlowPlan | None = None) -> Proof:
    """Return the proved best plan of a problem that `is_exact`, or what was reached in the time."""
    began = time.perf_counter()
    program, places = _program(problem, whole=True)
    known = None if start is None else _point(problem, program, places, start)
    solved = Kept(program, time_limit=float(seconds), mip_rel_gap=1e-9).solve(start=known)
    runtime = time.perf_counter() - began
    if not solved.report.status.has_answer:
        return Proof(solved.report.bound, None, np.inf, False, runtime, program.size[1])
    plan = _plan(problem, places, solved.x)
    objective, low = solved.report.objective, solved.report.bound
    return Proof(low, plan, objective, objective - low <= 1e-6 * max(1.0, abs(objective)), runtime, program.size[1])


def _program(problem: FlowShop, *, whole: bool) -> tuple[LinearProgram, list[Places]]:
    a = arrays(problem)
    stages, lots = a.duration.shape
    slots = len(a.weight)
    draft = Draft()
    unit = max(
        1e-9, float(a.power.max(initial=0.0))
    )  # power is counted in shares of the largest: the solver likes ones
    drawn = draft.add_columns("drawn", slots, upper=float(len(a.stage_of)), cost=a.weight * unit)
    grid = draft.add_rows("grid", slots, "<=", np.maximum(0.0, a.spare) / unit)
    draft.put(grid, drawn, -1.0)
    places = [
        one
        for m in range(stages)
        for j in range(lots)
        if a.entry[j] <= m and (one := _starts(draft, a, m, j, whole=whole)) is not None
    ]
    once = draft.add_rows("once", len(places), "=", 1.0)
    capacity = draft.add_rows("capacity", stages * slots, "<=", _units_open(a).reshape(-1))
    terms = _Terms()
    for row, one in enumerate(places):
        terms.add(np.full(len(one.columns), once.first + row), one.columns, 1.0)
        d = int(a.duration[one.stage, one.lot])
        powers = a.power[a.offset[one.stage, one.lot] : a.offset[one.stage, one.lot] + d]
        for step in range(d):
            terms.add(capacity.first + one.stage * slots + one.starts + step, one.columns, 1.0)
            terms.add(grid.first + one.starts + step, one.columns, float(powers[step]) / unit)
    _passages(draft, a, places, terms)
    draft.put(*terms.all())
    return draft.finish(), places


class _Terms:
    """Coefficients gathered before they are put."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Floats]] = []

    def add(self, rows: Ints, columns: Ints, value: float | Floats) -> None:
        self._parts.append((rows, columns, np.broadcast_to(np.asarray(value, dtype=np.float64), len(columns))))

    def all(self) -> tuple[Ints, Ints, Floats]:
        rows, columns, values = (np.concatenate([part[i] for part in self._parts]) for i in range(3))
        return rows, columns, values


def _starts(draft: Draft, a: Arrays, m: int, j: int, *, whole: bool) -> Places | None:
    """Add the start variables of a task within what release, the stages before and behind, and the deadline leave."""
    d = int(a.duration[m, j])
    ahead = int(sum(a.duration[s, j] + a.gaps[s, 1] for s in range(a.entry[j], m)))
    behind = int(sum(a.duration[s, j] for s in range(m, len(a.duration)))) + int(sum(a.gaps[s, 1] for s in range(m, len(a.duration) - 1)))  # fmt: skip
    last = min(len(a.weight), int(a.jobs[j, 1])) - behind
    lines = [g for g in range(a.first_line[m], a.first_line[m + 1]) if a.eligible[j, g]]
    starts = np.array([s for s in range(int(a.jobs[j, 0]) + ahead, last + 1) if any(is_open(a, g, s, d) for g in lines)], dtype=np.int64)  # fmt: skip
    late = a.weigh[j] * np.maximum(0, starts + d - a.jobs[j, 2]) if m == len(a.duration) - 1 else np.zeros(len(starts))
    block = draft.add_columns(f"x{m}_{j}", len(starts), upper=1.0, cost=late, integer=whole)
    return Places(m, j, block.places, starts)


def _units_open(a: Arrays) -> Floats:
    """Return how many units of each stage are open in each slot."""
    flags = np.diff(a.open, axis=1).astype(np.float64)
    return np.array([flags[a.first_line[m] : a.first_line[m + 1]].sum(axis=0) for m in range(len(a.first_line) - 1)])


def _passages(draft: Draft, a: Arrays, places: list[Places], terms: _Terms) -> None:
    at = {(one.stage, one.lot): one for one in places}
    pairs = [
        (at[m, j], at[m + 1, j]) for m in range(len(a.duration) - 1) for j in range(a.duration.shape[1]) if (m, j) in at
    ]
    if not pairs:
        return
    least = [float(a.duration[one.stage, one.lot] + a.gaps[one.stage, 1]) for one, _ in pairs]
    scale = 1.0 / len(a.weight)
    rows: Block = draft.add_rows("passage", len(pairs), ">=", np.array(least) * scale)
    for row, (first, second) in enumerate(pairs):
        terms.add(
            np.full(len(second.columns), rows.first + row), second.columns, (second.starts * scale).astype(np.float64)
        )
        terms.add(
            np.full(len(first.columns), rows.first + row), first.columns, -(first.starts * scale).astype(np.float64)
        )


def _point(problem: FlowShop, program: LinearProgram, places: list[Places], plan: FlowPlan) -> Floats:
    """Return a plan as a point of the program."""
    x = program.lower.copy()
    at = {(visit.stage, visit.lot): visit.start_slot for visit in plan.visits}
    for one in places:
        start = at[problem.stages[one.stage].id, problem.lots[one.lot].id]
        x[one.columns[one.starts == start]] = 1.0
    grid = program.rows["grid"].span
    drawn = program.columns["drawn"].span
    empty = x.copy()
    empty[drawn] = 0.0
    x[drawn] = np.maximum(x[drawn], program.activity(empty)[grid] - program.row_upper[grid])
    return x


def _plan(problem: FlowShop, places: list[Places], x: Floats) -> FlowPlan:
    starts = {one.lot: int(one.starts[int(np.argmax(x[one.columns]))]) for one in places}
    stage, unit = problem.stages[0], problem.stages[0].units[0]
    order = sorted(starts, key=lambda j: (starts[j], problem.lots[j].tasks[0].slots, j))
    visits = tuple(
        Visit(problem.lots[j].id, stage.id, unit.id, starts[j], starts[j] + problem.lots[j].tasks[0].slots)
        for j in order
    )
    return FlowPlan(tuple(problem.lots[j].id for j in order), visits)
