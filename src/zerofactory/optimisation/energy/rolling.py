"""Rolling dispatch: every interval a plan of the hours ahead is made from what is known; its first interval is carried out.

    look ahead → plan (linear program, warm from the plan before) → carry out by the physics of each asset → measure → again

* The peak that the month has already seen is paid anyway: below it, power costs its energy only (`peak_so_far_kw`).
* What is left in a store at the end of the horizon is worth what the cheapest energy of the last day would cost.
* The limit of a new peak is kept below by the forecast's error of the coming intervals (`margin_fraction`).
* Of heat, cold and air the present interval is taken as known (`_with_now`), and so is whatever an outlook does not foresee:
  weather, above all. Electric load and sun are seen only up to the interval before.
* Within an interval the stores keep the measured mean at or below the planned peak, as the demand meter counts the mean.

What was carried out is a plan of its own over the whole grid: the independent check, the tariff and the accounts judge it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from zerofactory.assets.asset import At
from zerofactory.assets.block import over
from zerofactory.assets.grid import Floats
from zerofactory.errors import Misuse
from zerofactory.optimisation.energy.assembly import assemble
from zerofactory.optimisation.energy.outlook import Outlook, Perfect
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import ELECTRICITY, EnergyProblem, Terminal, Use, electric
from zerofactory.optimisation.energy.window import LOAD, Standpoint, begun, window, with_margin
from zerofactory.optimisation.solving.by_highs import Kept
from zerofactory.optimisation.solving.linear import LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveReport, SolveStatus

Wishes = dict[str, dict[str, float]]
FULL = 1.0 - 1e-6


@dataclass(frozen=True, slots=True)
class Rolling:
    """How a plant is dispatched.

    Parameters
    ----------
    horizon_slots : how far a plan looks.
    first, last : the intervals of the grid to carry out.
    peak_so_far_kw : the peak that the month of the first interval has already seen.
    margin_fraction : probability with which a new peak is to be kept in spite of the forecast's error; 0.5 keeps no margin.
    guard : let the stores hold the planned peak within the interval.
    """

    horizon_slots: int
    first: int = 0
    last: int | None = None
    peak_so_far_kw: float = 0.0
    margin_fraction: float = 0.5
    guard: bool = True


@dataclass(slots=True)
class Trace:
    """What was carried out so far."""

    values: dict[str, dict[str, Floats]]
    states: dict[str, dict[str, float]]
    peak_kw: dict[str, float] = field(default_factory=dict)
    unserved_kwh: float = 0.0
    failed: int = 0
    solve_s: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """What came of it: the plan carried out over its intervals, energy that could not be had, plans that failed, times."""

    plan: Plan
    unserved_kwh: float
    failed: int
    steps: int
    step_s: Floats
    left: Mapping[str, Mapping[str, float]]


def roll(
    problem: EnergyProblem,
    rolling: Rolling,
    outlook: Outlook | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> Rolled:
    """Dispatch a plant interval by interval.

    Parameters
    ----------
    problem : the plant over the whole grid with what really happens; nothing in it may be left to decide but the running.

    Raises
    ------
    Misuse
        A size is still open (see `window.installed`).
    """
    if any(use.is_candidate for use in problem.uses):
        raise Misuse("rolling dispatch runs what is installed; fix the sizes first")
    whole, seer = begun(problem), outlook or Perfect()
    last = whole.grid.length if rolling.last is None else min(rolling.last, whole.grid.length)
    trace, solver = _begin(whole, rolling.peak_so_far_kw), _Warm()
    began = {name: dict(state) for name, state in trace.states.items()}
    margin = seer.margin((LOAD, ELECTRICITY), rolling.horizon_slots, rolling.margin_fraction)
    month, value = int(whole.grid.month_of[rolling.first]), dict[str, float]()
    for slot in range(rolling.first, last):
        started = time.perf_counter()
        if int(whole.grid.month_of[slot]) != month:
            month = int(whole.grid.month_of[slot])
            trace.peak_kw = dict.fromkeys(trace.peak_kw, 0.0)
        here = Standpoint(slot, trace.states, trace.peak_kw)
        seen = {key: _with_now(array, key, whole, slot) for key, array in seer.at(slot, rolling.horizon_slots).items()}
        ahead = replace(window(whole, here, rolling.horizon_slots, seen), terminal=_terminal(whole, value))
        wishes, value, limit = _plan(ahead, solver, margin if rolling.margin_fraction > 0.5 else None, trace)
        _carry_out(whole, slot, wishes, trace, limit if rolling.guard else {})
        trace.solve_s.append(time.perf_counter() - started)
        on_step(slot)
    start = Standpoint(rolling.first, began, dict.fromkeys(trace.peak_kw, rolling.peak_so_far_kw))
    done = window(whole, start, last - rolling.first)
    plan = Plan(done, _values(done, trace, rolling), _report(trace), {})
    times = np.asarray(trace.solve_s)
    return Rolled(plan, trace.unserved_kwh, trace.failed, last - rolling.first, times, trace.states)


def _with_now(array: Floats, key: tuple[str, str], whole: EnergyProblem, slot: int) -> Floats:
    """Return a forecast; of carriers other than electricity the present interval is known from their own meters."""
    if key[0] == LOAD and key[1] != ELECTRICITY:
        array = array.copy()
        array[0] = whole.load(key[1])[slot]
    return array


def _begin(problem: EnergyProblem, peak_kw: float) -> Trace:
    length, months = problem.grid.length, len(problem.grid.months)
    sizes = {"interval": length, "month": months, "one": 1}
    values = {
        use.id: {v.name: over(v.lower, sizes[v.length]) * (v.length != "interval") for v in use.block.variables}
        for use in problem.uses
    }
    states = {
        use.id: dict(use.conditions.initial)
        for use in problem.uses
        if use.kind is not None and use.conditions is not None and use.kind.states
    }
    peaks = {use.id: peak_kw for use in problem.uses if any(v.name == "peak_kw" for v in use.block.variables)}
    return Trace(values, states, peaks)


class _Warm:
    """A solver that is kept while the structure stays, so that each plan starts from the one before."""

    def __init__(self) -> None:
        self._kept: Kept | None = None
        self._program: LinearProgram | None = None

    def solve(self, program: LinearProgram) -> Solution:
        before = self._program
        if (
            before is not None
            and self._kept is not None
            and before.size == program.size
            and np.array_equal(before.indices, program.indices)
            and np.array_equal(before.starts, program.starts)
        ):
            program = replace(program, indices=before.indices, starts=before.starts)
            answer = self._kept.solve(program)
        else:
            self._kept = Kept(program)
            answer = self._kept.solve()
        self._program = program
        if not answer.report.status.has_answer:
            self._kept = self._program = None
        return answer


def _plan(
    ahead: EnergyProblem, solver: _Warm, margin: Floats | None, trace: Trace
) -> tuple[Wishes, dict[str, float], dict[str, float]]:
    """Return what each asset should do now, what a unit of each carrier is worth later, and the peaks to keep."""
    assembled = assemble(ahead if margin is None else with_margin(ahead, margin))
    answer = solver.solve(assembled.program)
    if answer.report.status is not SolveStatus.OPTIMAL:
        trace.failed += 1
        return {use.id: {} for use in ahead.uses}, {}, {}
    values = assembled.values(answer)
    wishes = {use.id: _now(use, values[use.id]) for use in ahead.uses}
    day = max(1, round(24.0 / ahead.grid.step_hours))
    worth = {
        carrier: max(0.0, float(answer.dual(f"balance:{carrier}")[-day:].min()) / ahead.grid.step_hours)
        for carrier in ahead.carriers
    }
    peaks = {name: float(values[name]["peak_kw"][0]) for name in trace.peak_kw}
    return wishes, worth, peaks


def _now(use: Use, planned: Mapping[str, Floats]) -> dict[str, float]:
    """Return the first interval of a plan; what stands at its bound is wished without end, and physics sets the bound."""
    found = {}
    for variable in use.block.variables:
        if variable.length == "interval":
            value = float(planned[variable.name][0])
            upper = float(over(variable.upper, len(planned[variable.name]))[0])
            found[variable.name] = float("inf") if 0.0 < upper <= value / FULL and np.isfinite(upper) else value
    return found


def _terminal(problem: EnergyProblem, worth: Mapping[str, float]) -> tuple[Terminal, ...]:
    """Return what is left in each store as worth the energy it would save, after the loss of taking it out."""
    found = []
    for use in problem.uses:
        if use.kind is None:
            continue
        for state in use.kind.states:
            into = [flow for flow in use.block.flows if float(np.max(flow.coefficient)) > 0.0]
            if len(into) == 1 and into[0].carrier in worth and any(v.name == state for v in use.block.variables):
                drain = _drain(use, state, into[0].variable)
                if drain > 0.0:
                    given = float(np.mean(into[0].coefficient)) * problem.grid.step_hours / drain
                    found.append(Terminal(use.id, state, worth[into[0].carrier] * given))
    return tuple(found)


def _drain(use: Use, state: str, variable: str) -> float:
    """Return what one unit of an outflow takes from a store."""
    for row in use.block.rows:
        terms = {term.variable: term for term in row.terms if not term.shift}
        if row.sense == "=" and state in terms and variable in terms:
            return float(np.mean(terms[variable].coefficient)) / float(np.mean(terms[state].coefficient))
    return 0.0


def _carry_out(problem: EnergyProblem, slot: int, wishes: Wishes, trace: Trace, limit: Mapping[str, float]) -> None:
    """Let every asset do what it can of what was wished, the grid the rest; then hold the peak with the stores."""
    grids = [use for use in problem.uses if use.role == "grid"]
    others = [use for use in problem.uses if use.role != "grid"]
    before = {use.id: dict(trace.states.get(use.id, {})) for use in others}
    for use in others:
        _step(problem, use, slot, wishes[use.id], trace, before[use.id])
    need = _hold_back(problem, slot, others, wishes, (trace, before))
    for use in grids:
        allowed = max(limit.get(use.id, float("inf")), trace.peak_kw.get(use.id, 0.0))
        keep = float(np.mean(electric(use, 1)[0].coefficient))
        over_kw = need - allowed * keep
        if over_kw > 0.0:
            for store in others:
                if over_kw > 0.0 and store.kind is not None and store.kind.id == "battery":
                    _hold(problem, store, slot, (wishes[store.id], over_kw), trace, before[store.id])
                    need = _need(problem, slot, others, trace)
                    over_kw = need - allowed * keep
    if not grids:
        trace.unserved_kwh += max(0.0, need) * problem.grid.step_hours
    for use in grids:
        need = _exchange(problem, use, slot, need, trace)


def _step(
    problem: EnergyProblem, use: Use, slot: int, wish: Mapping[str, float], trace: Trace, before: Mapping[str, float]
) -> None:
    """Carry out one asset's wishes by its own physics."""
    own = trace.values[use.id]
    if use.kind is None or use.values is None or use.conditions is None:
        for name, value in wish.items():
            upper = float(over(use.block.variable(name).upper, problem.grid.length)[slot])
            own[name][slot] = min(value, upper)
        return
    at = At(problem.grid.step_hours, _series(use, slot))
    action = {name: wish.get(name, 0.0) for name in use.kind.actions}
    done = use.kind.step(use.values, before, action, at)
    for name, value in {**done.values, **done.state}.items():
        if name in own:
            own[name][slot] = value
    if use.kind.states:
        trace.states[use.id] = dict(done.state)


def _series(use: Use, slot: int) -> dict[str, float]:
    assert use.conditions is not None  # noqa: S101  # narrowing
    found = {}
    for name, amount in {**use.conditions.series, **use.profile}.items():
        found[name] = float(amount[slot]) if isinstance(amount, np.ndarray) and amount.ndim else float(amount)
    return found


def _need(problem: EnergyProblem, slot: int, others: list[Use], trace: Trace) -> float:
    """Return the power that the grid must bring to the bus of electricity in an interval (below zero: take away)."""
    need = float(over(problem.loads.get(ELECTRICITY, 0.0), problem.grid.length)[slot])
    for use in problem.uses:
        for given in use.block.given:
            if given.carrier == ELECTRICITY:
                need -= _at(given.amount, slot)
    for use in others:
        for flow in use.block.flows:
            if flow.carrier == ELECTRICITY:
                need -= _at(flow.coefficient, slot) * trace.values[use.id][flow.variable][slot]
    return need


def _at(amount: float | Floats, slot: int) -> float:
    return float(amount[slot]) if isinstance(amount, np.ndarray) and amount.ndim else float(amount)


def _hold(
    problem: EnergyProblem,
    use: Use,
    slot: int,
    asked: tuple[Mapping[str, float], float],
    trace: Trace,
    before: Mapping[str, float],
) -> None:
    """Let a battery charge less or give more, so that the interval's mean keeps the peak."""
    own = trace.values[use.id]
    wish, missing = dict(asked[0]), asked[1]
    charge, discharge = float(own["charge_kw"][slot]), float(own["discharge_kw"][slot])
    less = min(charge, missing)
    wish["charge_kw"], wish["discharge_kw"] = charge - less, discharge + (missing - less)
    _step(problem, use, slot, wish, trace, before)


def _hold_back(
    problem: EnergyProblem,
    slot: int,
    others: list[Use],
    wishes: Wishes,
    known: tuple[Trace, dict[str, dict[str, float]]],
) -> float:
    """Return what the grid must bring after batteries have kept what nobody needs and own generation above the export is cut."""
    trace, before = known
    need = _need(problem, slot, others, trace)
    for use in others:
        if need < 0.0 and use.kind is not None and use.kind.id == "battery":
            own = trace.values[use.id]
            less = min(float(own["discharge_kw"][slot]), -need)
            if less > 0.0:
                kept = {
                    "charge_kw": float(own["charge_kw"][slot]),
                    "discharge_kw": float(own["discharge_kw"][slot]) - less,
                }
                _step(problem, use, slot, {**wishes[use.id], **kept}, trace, before[use.id])
                need = _need(problem, slot, others, trace)
    most = sum(_most_sold(use, slot) for use in problem.uses if use.role == "grid")
    for use in others:
        if -need > most and use.role == "on_site":
            for flow in electric(use, 1):
                made = _at(flow.coefficient, slot) * trace.values[use.id][flow.variable][slot]
                cut = min(made, -need - most)
                wish = {**wishes[use.id], flow.variable: (made - cut) / _at(flow.coefficient, slot)}
                _step(problem, use, slot, wish, trace, before[use.id])
                need = _need(problem, slot, others, trace)
    return need


def _most_sold(use: Use, slot: int) -> float:
    """Return the most that a connection takes away from the bus."""
    return sum(
        -_at(flow.coefficient, slot) * _at(use.block.variable(flow.variable).upper, slot) for flow in electric(use, -1)
    )


def _exchange(problem: EnergyProblem, use: Use, slot: int, need: float, trace: Trace) -> float:
    """Let the grid bring or take what is needed; return what it could not."""
    into, out = electric(use, 1)[0], electric(use, -1)
    keep, own = _at(into.coefficient, slot), trace.values[use.id]
    wish = {into.variable: max(0.0, need) / keep}
    if out:
        wish[out[0].variable] = max(0.0, -need) / -_at(out[0].coefficient, slot)
    _step(problem, use, slot, wish, trace, {})
    bought = float(own[into.variable][slot])
    if use.id in trace.peak_kw:
        trace.peak_kw[use.id] = max(trace.peak_kw[use.id], bought)
    missing = max(0.0, need - bought * keep)
    trace.unserved_kwh += missing * problem.grid.step_hours
    return missing


def _values(done: EnergyProblem, trace: Trace, rolling: Rolling) -> dict[str, dict[str, Floats]]:
    """Return what was carried out, interval by interval, with the peak of each month as it came out."""
    cut = slice(rolling.first, rolling.first + done.grid.length)
    found = {}
    for use in done.uses:
        own = {}
        for variable in use.block.variables:
            given = trace.values[use.id][variable.name]
            own[variable.name] = (
                given[cut] if variable.length == "interval" else over(variable.lower, len(done.grid.months))
            )
        if use.id in trace.peak_kw:
            peak = np.zeros(len(done.grid.months))
            peak[0] = rolling.peak_so_far_kw
            np.maximum.at(peak, done.grid.month_of, own[electric(use, 1)[0].variable])
            own["peak_kw"] = peak
        found[use.id] = own
    return found


def _report(trace: Trace) -> SolveReport:
    nan = float("nan")
    status = SolveStatus.OPTIMAL if not trace.failed else SolveStatus.FAILED
    return SolveReport(status, nan, nan, nan, float(np.sum(trace.solve_s)), "rolling", len(trace.solve_s), 0, 0, 0)
