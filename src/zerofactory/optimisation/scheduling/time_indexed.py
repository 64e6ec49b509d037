"""The time-indexed program: an operation starts in one tick or does not; HiGHS proves what is cheapest or cleanest.

    x(o, m, t) ∈ {0, 1}   operation o starts in mode m at tick t,      y(o, m, t) = Σ_{s ≤ t} x(o, m, s)
    Σ x(o, m, ·) = 1;     Σ over what runs on a machine in a tick ≤ 1
    Σ_m y(a, m, t) ≤ Σ_m y(b, m, t − d_m − least)                     for each link b → a and tick t
    bought(i) ≥ own(i) + other(i) − on-site(i),  bought ≥ 0

Sousa and Wolsey 1992, doi 10.1007/BF01585718; precedence by disaggregated rows: Christofides, Alvarez-Valdes and Tamarit 1987. A
grid tick is the greatest common divisor of all times, so nothing is rounded. Set-ups, rests and buffers are left out: they can
only add, so that the bound stays one, and the schedule is told at its full cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zerofactory.optimisation.scheduling.faults import Span, spans
from zerofactory.optimisation.scheduling.problem import Measure, Mode, ScheduleProblem, Signals
from zerofactory.optimisation.scheduling.schedule import Task, at_meter
from zerofactory.optimisation.solving.linear import Block, Draft, Floats, Ints, Solution

MAX_STARTS = 60_000
GAP_FRACTION = 1e-7


@dataclass(frozen=True, slots=True)
class Proof:
    """What the program says: a schedule (None: none found), a bound on the goal, whether the program is proved infeasible."""

    tasks: tuple[Task, ...] | None
    bound: float | None
    is_infeasible: bool


@dataclass(slots=True)
class _Program:
    problem: ScheduleProblem
    draft: Draft
    step: int
    span: dict[str, Span]
    starts: dict[tuple[str, int], tuple[Ints, Block, Block]] = field(default_factory=dict)


def suits(problem: ScheduleProblem) -> bool:
    """Whether the program is small enough to be tried."""
    return problem.signals is not None and count_starts(problem) <= MAX_STARTS


def count_starts(problem: ScheduleProblem) -> int:
    """Return how many whole variables the program would have."""
    span, step = spans(problem), grid(problem)
    total = 0
    for name, one in problem.operations.items():
        for mode in one.modes:
            total += max(0, (span[name].last - span[name].first - mode.duration_ticks) // step + 1)
    return total


def grid(problem: ScheduleProblem) -> int:
    """Return the greatest tick of which every time in the problem is a multiple."""
    times = [mode.duration_ticks for one in problem.operations.values() for mode in one.modes]
    times += [time for link in problem.all_links for time in (link.least_ticks, link.most_ticks or 0)]
    times += [time for job in problem.jobs for time in (max(0, job.release_tick), job.due_tick or 0)]
    times += [one.release_tick for one in problem.operations.values()]
    times += [time for machine in problem.machines for w in machine.windows for time in (w.first, w.last)]
    times += [ticks for machine in problem.machines for ticks in machine.setup_ticks.values()]
    times += [start for _, start in (*problem.fixed.values(), *problem.before.values())]
    intervals = [] if problem.signals is None else [problem.signals.interval_ticks]
    whole = [*times, problem.horizon, *intervals]
    return max(1, math.gcd(*whole))


def prove(problem: ScheduleProblem, seconds: float, nodes: int | None = None, hint: Sequence[Task] = ()) -> Proof:
    """Return the program's answer and bound.

    Parameters
    ----------
    nodes : nodes of the search tree after which it stops; given in a repeatable solve.
    """
    from zerofactory.optimisation.solving.by_highs import Kept

    program = _Program(problem, Draft(), grid(problem), spans(problem))
    _starts(program)
    _capacity(program)
    _links(program)
    constant = _goal(program)
    options: dict[str, str | float | bool] = {"mip_rel_gap": GAP_FRACTION, "mip_abs_gap": 1e-9}
    if nodes is None:
        options["time_limit"] = max(0.1, seconds)
    else:
        options["mip_max_nodes"] = nodes
    finished = program.draft.finish()
    found = Kept(finished, **options).solve(start=_point(program, finished.size[1], hint) if hint else None)
    status = found.report.status
    if status.value == "infeasible":
        return Proof(None, None, is_infeasible=True)
    bound = None if not math.isfinite(found.report.bound) else found.report.bound + constant
    return Proof(_tasks(program, found) if status.has_answer else None, bound, is_infeasible=False)


def _starts(program: _Program) -> None:
    problem, draft, step = program.problem, program.draft, program.step
    changes = float(problem.goal.weights.get("changes", 0.0))
    for name, operation in problem.operations.items():
        once = draft.add_rows(f"once:{name}", 1, "=", 1.0)
        for index, mode in enumerate(operation.modes):
            ticks = _allowed(program, name, index, mode)
            cost = np.zeros(len(ticks))
            if changes and problem.before.get(name, (-1, 0))[0] == index:
                cost[ticks == problem.before[name][1]] = -changes
            x = draft.add_columns(f"x:{name}:{index}", len(ticks), upper=1.0, cost=cost, integer=True)
            y = draft.add_columns(f"y:{name}:{index}", len(ticks), upper=1.0)
            if len(ticks):
                draft.put(once, x, 1.0)
                run = draft.add_rows(f"run:{name}:{index}", len(ticks), "=", 0.0)
                draft.put(run, y, 1.0)
                draft.put(run, x, -1.0)
                if len(ticks) > 1:
                    draft.put(run.places[1:], y.places[:-1], -1.0)
            program.starts[name, index] = (ticks // step, x, y)


def _allowed(program: _Program, name: str, index: int, mode: Mode) -> Ints:
    """Return the ticks at which an operation may start in a mode."""
    problem, span = program.problem, program.span[name]
    if name in problem.fixed:
        fixed, at = problem.fixed[name]
        return np.array([at] if fixed == index else [], dtype=np.int64)
    first = -(-span.first // program.step) * program.step
    ticks = np.arange(first, span.last - mode.duration_ticks + 1, program.step, dtype=np.int64)
    windows = problem.machine[mode.machine].windows
    if windows:
        inside = np.zeros(len(ticks), dtype=np.bool_)
        for window in windows:
            inside |= (ticks >= window.first) & (ticks + mode.duration_ticks <= window.last)
        ticks = ticks[inside]
    return ticks


def _capacity(program: _Program) -> None:
    """No machine does two things in a tick; the power limit holds in every tick."""
    problem, draft, step = program.problem, program.draft, program.step
    count = -(-problem.horizon // step)
    rows = {machine.id: draft.add_rows(f"one:{machine.id}", count, "<=", 1.0) for machine in problem.machines}
    limit = problem.power_limit_kw
    power = None if limit is None else draft.add_rows("power", count, "<=", limit)
    for (name, index), (ticks, x, _) in program.starts.items():
        mode = problem.operations[name].modes[index]
        length = mode.duration_ticks // step
        kw = mode.powers_kw().reshape(length, step).max(axis=1)
        for later in range(length if len(ticks) else 0):
            draft.put(rows[mode.machine].first + ticks + later, x, 1.0)
            if power is not None and kw[later]:
                draft.put(power.first + ticks + later, x, float(kw[later]))


def _links(program: _Program) -> None:
    count = -(-program.problem.horizon // program.step)
    for number, link in enumerate(program.problem.all_links):
        rows = program.draft.add_rows(f"link:{number}", count, "<=", 0.0)
        _started(program, link.after, rows, 0, 1.0)
        _started(program, link.before, rows, link.least_ticks, -1.0, ended=True)
        if link.most_ticks is not None:
            held = program.draft.add_rows(f"hold:{number}", count, "<=", 0.0)
            _started(program, link.before, held, link.most_ticks, 1.0, ended=True)
            _started(program, link.after, held, 0, -1.0)


def _started(program: _Program, name: str, rows: Block, lag: int, sign: float, ended: bool = False) -> None:
    """Put Σ_m y(t − lag), or with the duration also taken off, into a row for each tick t."""
    step = program.step
    for index, mode in enumerate(program.problem.operations[name].modes):
        ticks, _, y = program.starts[name, index]
        if not len(ticks):
            continue
        at = np.arange(rows.count, dtype=np.int64) - (lag + (mode.duration_ticks if ended else 0)) // step
        place = np.searchsorted(ticks, at, side="right") - 1
        there = place >= 0
        program.draft.put(rows.first + np.flatnonzero(there), y.first + place[there], sign)


def _goal(program: _Program) -> float:
    """Put cost, carbon and what is wanted of time; return the constant part of the goal."""
    problem = program.problem
    weights = {name: float(weight) for name, weight in problem.goal.weights.items() if weight}
    signals = problem.signals
    assert signals is not None  # noqa: S101  # `suits` looked
    _time(program, weights)
    constant = weights.get("changes", 0.0) * len(problem.before)
    wanted = {name: float(weights.get(name, 0.0)) for name in ("cost_cny", "carbon_gco2e")}
    limits = {name: problem.goal.limits.get(name) for name in wanted}  # type: ignore[call-overload]
    if not any(wanted.values()) and all(limit is None for limit in limits.values()):
        return constant
    before = at_meter(signals, np.zeros(signals.count), problem.tick_hours)
    hours = signals.interval_ticks * problem.tick_hours
    export = signals.export_cny_per_kwh * hours
    # bought − sold = net: with sold = bought − net, selling adds to each bought kilowatt's price and takes from each net one's
    price = (signals.price_cny_per_kwh - signals.export_cny_per_kwh) * hours
    grams = signals.intensity_gco2e_per_kwh * hours
    base = _net(signals)
    bought = program.draft.add_columns("bought", signals.count, cost=wanted["cost_cny"] * price + wanted["carbon_gco2e"] * grams)  # fmt: skip
    rows = program.draft.add_rows("meter", signals.count, ">=", base)
    program.draft.put(rows, bought, 1.0)
    own = program.draft.add_columns("own", signals.count, cost=wanted["cost_cny"] * export)
    drawn = program.draft.add_rows("drawn", signals.count, "=", 0.0)
    program.draft.put(drawn, own, -1.0)
    program.draft.put(rows, own, -1.0)
    _draws(program, drawn, signals)
    demand = _demand(program, wanted["cost_cny"], bought, signals)
    _limits(program, (bought, own, demand), (price, grams, export), limits)
    constant += wanted["cost_cny"] * (float(base.sum()) * export - before[0])
    return constant - wanted["carbon_gco2e"] * before[1]


def _net(signals: Signals) -> Floats:
    nothing = np.zeros(signals.count)
    other = nothing if signals.other_kw is None else signals.other_kw
    onsite = nothing if signals.onsite_kw is None else signals.onsite_kw
    net: Floats = np.asarray(other - onsite, dtype=np.float64)
    return net


def _draws(program: _Program, drawn: Block, signals: Signals) -> None:
    """Put the mean power of every start into the intervals it touches."""
    interval = signals.interval_ticks
    for (name, index), (ticks, x, _) in program.starts.items():
        powers = program.problem.operations[name].modes[index].powers_kw()
        running = np.concatenate([[0.0], np.cumsum(powers)])
        starts = ticks * program.step
        for later in range(-(-len(powers) // interval) + 1 if len(ticks) else 0):
            at = starts // interval + later
            low = np.clip(at * interval - starts, 0, len(powers))
            high = np.clip((at + 1) * interval - starts, 0, len(powers))
            share = (running[high] - running[low]) / interval
            there = (share != 0.0) & (at < signals.count)
            if there.any():
                program.draft.put(drawn.first + at[there], x.first + np.flatnonzero(there), share[there])


def _demand(program: _Program, weight: float, bought: Block, signals: Signals) -> Block | None:
    if not signals.demand_cny_per_kw:
        return None
    peak = program.draft.add_columns("peak", 1, lower=signals.paid_kw, cost=weight * signals.demand_cny_per_kw)
    rows = program.draft.add_rows("under peak", signals.count, "<=", 0.0)
    program.draft.put(rows, bought, 1.0)
    program.draft.put(rows, peak, -1.0)
    return peak


def _limits(
    program: _Program,
    columns: tuple[Block, Block, Block | None],
    figures: tuple[Floats, Floats, float],
    limits: dict[str, float | None],
) -> None:
    """Put the limits of cost and carbon as rows."""
    signals, draft = program.problem.signals, program.draft
    assert signals is not None  # noqa: S101
    (bought, own, demand), (price, grams, export) = columns, figures
    before = at_meter(signals, np.zeros(signals.count), program.problem.tick_hours)
    carbon, cost = limits["carbon_gco2e"], limits["cost_cny"]
    if carbon is not None:
        draft.put(draft.add_rows("carbon limit", 1, "<=", carbon + before[1]), bought, grams)
    if cost is not None:
        paid = signals.demand_cny_per_kw * signals.paid_kw
        base = float(_net(signals).sum()) * export
        row = draft.add_rows("cost limit", 1, "<=", cost + before[0] - base + paid)
        draft.put(row, bought, price)
        draft.put(row, own, export)
        if demand is not None:
            draft.put(row, demand, signals.demand_cny_per_kw)


def _time(program: _Program, weights: Mapping[Measure, float]) -> None:
    """Put makespan and tardiness as variables where they are wanted or limited."""
    problem, draft = program.problem, program.draft
    limits = problem.goal.limits
    if "makespan_ticks" in weights or "makespan_ticks" in limits:
        most = draft.add_columns("makespan", 1, upper=limits.get("makespan_ticks", np.inf), cost=weights.get("makespan_ticks", 0.0))  # fmt: skip
        for name in problem.operations:
            _ends(program, name, draft.add_rows(f"end:{name}", 1, "<=", 0.0), most)
    if "tardiness_ticks" in weights or "tardiness_ticks" in limits:
        total = draft.add_columns("tardiness", 1, upper=limits.get("tardiness_ticks", np.inf), cost=weights.get("tardiness_ticks", 0.0))  # fmt: skip
        adds = draft.add_rows("late", 1, "<=", 0.0)
        draft.put(adds, total, -1.0)
        for job in problem.jobs:
            if job.due_tick is not None:
                late = draft.add_columns(f"late:{job.id}", 1)
                draft.put(adds, late, job.weight)
                for one in job.operations:
                    _ends(program, one.id, draft.add_rows(f"due:{one.id}", 1, "<=", float(job.due_tick)), late)


def _ends(program: _Program, name: str, row: Block, over: Block) -> None:
    """Put: the end of an operation less a variable."""
    program.draft.put(row, over, -1.0)
    for index, mode in enumerate(program.problem.operations[name].modes):
        ticks, x, _ = program.starts[name, index]
        if len(ticks):
            program.draft.put(row, x, (ticks * program.step + mode.duration_ticks).astype(np.float64))


def _tasks(program: _Program, found: Solution) -> tuple[Task, ...]:
    tasks = []
    for (name, index), (ticks, x, _) in program.starts.items():
        for place in np.flatnonzero(found.x[x.span] > 0.5):
            tasks.append(Task(name, index, int(ticks[place]) * program.step))
    return tuple(tasks)


def _point(program: _Program, count: int, hint: Sequence[Task]) -> Floats:
    """Return a point for the solver to begin from: the starts of a known schedule (HiGHS completes the rest)."""
    point = np.zeros(count)
    for task in hint:
        ticks, x, y = program.starts[task.operation, task.mode]
        place = int(np.searchsorted(ticks, task.start // program.step))
        if place < len(ticks) and ticks[place] * program.step == task.start:
            point[x.first + place] = 1.0
            point[y.first + place : y.first + y.count] = 1.0
    return point
