"""Search of a flow shop: starting orders, then annealing in batches until the work or the time given is used up.

The answer is the same on every machine when ``seconds`` is None: the number of moves then decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.scheduling.flow_anneal import anneal, first_rests, settle, timed, value
from zerofactory.optimisation.scheduling.flow_arrays import arrays, copied, plan_of, walk, walk_of
from zerofactory.optimisation.scheduling.flow_kernel import INF, Arrays, Ints, Walk, line_load, neighbours, raise_starts
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan, FlowShop

BATCH = 50
STARTS, SORTED = 40, 4
REACHES, STEPS = (2, 4, 8, 16), 20_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work is allowed: moves, or seconds where given (then moves are as many as fit).

    ``hot`` and ``cold`` are the first and last temperature as shares of the objective: as measured best on the carbon-aware
    sets (bench/carbon_scheduling.py); a line whose objective is mostly fixed wants them lower.
    """

    moves: int = 20_000
    seconds: float | None = None
    seed: int = 1
    hot: float = 0.01
    cold: float = 0.00002


@dataclass(frozen=True, slots=True)
class Found:
    """A plan, its objective as the search counts it, the moves tried and the time taken."""

    plan: FlowPlan
    objective: float
    moves: int
    runtime_s: float


def search(
    problem: FlowShop,
    effort: Effort | None = None,
    start: FlowPlan | None = None,
    on_step: Callable[[float], None] = lambda _: None,
) -> Found:
    """Return the best plan found; never worse than ``start``.

    Raises
    ------
    FaultyData
        No order that was tried fits the horizon and the deadlines.
    """
    chosen = effort or Effort()
    began = time.perf_counter()
    a = arrays(problem)
    now = _start(problem, a, chosen, start)
    figure = _value(a, now)
    best = copied(now)
    figures = np.array([figure, figure, 0.0])
    if start is not None and (stands := _as_it_stands(a, walk_of(problem, a, start))) < figure:
        best, figures[1] = walk_of(problem, a, start), stands
    state = np.array([0x2545F4914F6CDD1D ^ (chosen.seed * 0x9E3779B1)], dtype=np.int64)
    moves = 0
    warmed = time.perf_counter()
    while (share := _share(chosen, moves, warmed)) < 1.0 and len(problem.lots) > 0:
        figures[2] = chosen.hot * (chosen.cold / chosen.hot) ** share * abs(figures[1])
        anneal(a, state, now, best, figures, BATCH)
        moves += BATCH
        on_step(share)
    return Found(plan_of(problem, best), float(figures[1]), moves, time.perf_counter() - began)


def _share(effort: Effort, moves: int, began: float) -> float:
    if effort.seconds is not None:
        return (time.perf_counter() - began) / effort.seconds if effort.seconds > 0.0 else 1.0
    return moves / max(1, effort.moves)


def timing(problem: FlowShop, plan: FlowPlan) -> FlowPlan:
    """Return the plan with its order and units kept and its times made better (line by line, see `flow_kernel`)."""
    a = arrays(problem)
    now = walk_of(problem, a, plan)
    if _value(a, now) >= INF:
        raise FaultyData([_no_fit(problem)])
    return plan_of(problem, now)


def _value(a: Arrays, state: Walk) -> float:
    loads = np.zeros((len(a.stage_of), len(a.weight)))
    return float(timed(a, state, loads))


def _as_it_stands(a: Arrays, state: Walk) -> float:
    """Return the objective of a plan with the times and rests it has."""
    loads = np.zeros((len(a.stage_of), len(a.weight)))
    for g in range(len(loads)):
        line_load(a, state, g, loads[g])
    return float(value(a, state, loads))


def _start(problem: FlowShop, a: Arrays, effort: Effort, given: FlowPlan | None) -> Walk:
    """Return the best of: the plan given, the order as given, by due date, by family, by Johnson-like length, random orders."""
    found: list[tuple[float, int, Walk]] = []
    if given is not None:
        state = walk_of(problem, a, given)
        found.append((_value(a, state), -1, state))
    for place, order in enumerate(_orders(a, effort.seed)):
        for late in (0, problem.slots) if place < SORTED else (0,):
            state = walk(a, order, late)
            _spread_over_units(a, state)
            found.append((_value(a, state), 2 * place + (late > 0), state))
    seed = np.array([88172645463325252 + effort.seed], dtype=np.int64)
    for reach in REACHES:
        settled = copied(found[0][2])
        settle(a, seed, settled, reach, STEPS)
        for begin in (settled.start, 0, problem.slots):
            state = copied(settled)
            state.start[:] = begin
            found.append((_value(a, state), len(found), state))
    least, _, state = min(found, key=lambda one: one[:2])
    if least >= INF:
        raise FaultyData([_no_fit(problem)])
    return state


def _spread_over_units(a: Arrays, state: Walk) -> None:
    """Send lots to the units of a stage in turn, as far as they can go there."""
    order, line = state[0], state[1]
    for m in range(len(a.first_line) - 1):
        first, last = int(a.first_line[m]), int(a.first_line[m + 1])
        if last - first < 2:
            continue
        busy = np.zeros(last - first)
        for j in order:
            free = np.where(a.eligible[j, first:last], busy, np.inf)
            unit = int(np.argmin(free))
            line[m, j] = first + unit
            busy[unit] += a.duration[m, j]


def _orders(a: Arrays, seed: int) -> list[Ints]:
    """Return orders to begin with."""
    lots = a.duration.shape[1]
    as_given = np.arange(lots)
    due = np.lexsort((as_given, a.jobs[:, 1], a.jobs[:, 2]))
    family = np.lexsort((a.jobs[:, 2], *a.family))
    half = a.duration.shape[0] // 2
    front, back = a.duration[: half + 1].sum(axis=0), a.duration[half:].sum(axis=0)
    johnson = np.concatenate([sorted(np.flatnonzero(front <= back), key=lambda j: front[j]), sorted(np.flatnonzero(front > back), key=lambda j: -back[j])])  # fmt: skip
    rng = np.random.default_rng(seed)
    return [as_given, due, family, johnson.astype(np.int64), *(rng.permutation(lots) for _ in range(STARTS))]


def _no_fit(problem: FlowShop) -> Problem:
    message = Text(
        f"{len(problem.lots)} 个批次在 {problem.slots} 个时段内排不下(含班次、缓存与最后期限)。",
        f"{len(problem.lots)} lots do not fit into {problem.slots} slots with shifts, stores and deadlines.",
    )
    hint = Text("请加长期间、放宽最后期限, 或减少批次。", "Give more time, later deadlines, or fewer lots.")
    return Problem("flow_shop.no_fit", message, hint, file=problem.file)


def as_it_comes(problem: FlowShop) -> FlowPlan:
    """Return the plan of a shop that takes lots in the order given, each as soon as it can, idles between and is off between shifts.

    Raises
    ------
    FaultyData
        Even so the lots do not fit.
    """
    a = arrays(problem)
    state = walk(a, np.arange(len(problem.lots)))
    _spread_over_units(a, state)
    near = neighbours(a, state[0], state[1])
    if not raise_starts(a, state[0], near, state[1], state[2]):
        raise FaultyData([_no_fit(problem)])
    first_rests(a, state)
    _off_between_shifts(a, near, state)
    return plan_of(problem, state)


def _off_between_shifts(a: Arrays, near: Ints, state: Walk) -> None:
    """Let a line wait in the rest it starts from wherever a shift ends between two lots and there is time to come back."""
    _, line, start, rest = state
    for m, j in np.argwhere(near[0] >= 0):
        own, before = int(line[m, j]), int(near[0, m, j])
        free = int(start[m, before] + a.duration[m, before])
        slots = int(start[m, j] - a.setup[m, a.family[m, before], a.family[m, j]]) - free
        deep = int(a.first[own])
        closed = slots > 0 and a.open[own, free + slots] - a.open[own, free] < slots
        if deep >= 0 and closed and slots >= a.rest[own, deep, 1]:
            rest[m, j] = deep
