"""Dispatch judged on days that were measured: against no store, against the usual rule, and against knowing everything.

    none       the plant without its stores
    rule       the battery charges in the cheapest hours of a day and gives in the dearest, below a demand limit set by hand
    rolling    planned anew every interval from forecasts (`rolling`)
    perfect    one plan of the whole stretch with everything known: nobody can do better

All begin with the same contents, and what they leave in the stores counts at the cheapest price of the stretch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.assets.asset import At
from zerofactory.assets.block import over
from zerofactory.assets.grid import Floats
from zerofactory.errors import Misuse, Text
from zerofactory.optimisation.energy.assembly import assemble
from zerofactory.optimisation.energy.check import Check, check
from zerofactory.optimisation.energy.outlook import Outlook
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import EnergyProblem, Terminal, Use, electric
from zerofactory.optimisation.energy.rolling import Rolled, Rolling, roll
from zerofactory.optimisation.energy.sizing import plan_of
from zerofactory.optimisation.energy.window import Standpoint, begun, window
from zerofactory.optimisation.solving.solver import Options, solve

STRATEGIES = {
    "none": Text("没有储能", "no store"),
    "rule": Text("峰谷规则", "peak-and-valley rule"),
    "rolling": Text("滚动优化(预测)", "rolling, with forecasts"),
    "perfect": Text("完全预知", "perfect foresight"),
}
STORES = ("battery", "thermal_storage")
SAME_PRICE = 1e-9
SLOW_LOSS = 0.999  # an idle battery at its lowest charge is topped up before self-discharge takes it below


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One strategy on the stretch: cost with what is left in the stores taken off, the peaks, tonnes, and its check."""

    strategy: str
    plan: Plan
    cost_cny: float
    peak_kw: float
    check: Check
    rolled: Rolled | None = None


def judge(
    problem: EnergyProblem, rolling: Rolling, outlook: Outlook, on_step: Callable[[int], None] = lambda _: None
) -> dict[str, Judged]:
    """Return every strategy on the intervals of ``rolling``.

    Raises
    ------
    Misuse
        A plan that knows everything cannot be found: the plant cannot be run at all.
    """
    whole = begun(problem)
    last = whole.grid.length if rolling.last is None else min(rolling.last, whole.grid.length)
    start = _start(whole, rolling)
    actual = window(whole, start, last - rolling.first)
    left = _left_value(actual)
    bare = _best(replace(actual, uses=tuple(use for use in actual.uses if not _is_store(use))))
    history = slice(0, rolling.first)
    limit = max(_usual_peak(whole, history), rolling.peak_so_far_kw)
    rolled = roll(problem, rolling, outlook, on_step)
    best = _best(replace(actual, terminal=_terminal(actual, left)))
    plans = {
        "none": bare,
        "rule": _ruled(actual, bare, limit),
        "rolling": rolled.plan,
        "perfect": replace(best, problem=actual),
    }
    return {
        name: Judged(
            name, plan, _cost(plan, actual, left), _peak(plan), check(plan, priced=False), rolled if name == "rolling" else None
        )
        for name, plan in plans.items()
    }  # fmt: skip


def _start(whole: EnergyProblem, rolling: Rolling) -> Standpoint:
    states = {
        use.id: dict(use.conditions.initial)
        for use in whole.uses
        if use.kind is not None and use.conditions is not None and use.kind.states
    }
    peaks = {use.id: rolling.peak_so_far_kw for use in whole.uses if _has_peak(use)}
    return Standpoint(rolling.first, states, peaks)


def _has_peak(use: Use) -> bool:
    return any(variable.name == "peak_kw" for variable in use.block.variables)


def _is_store(use: Use) -> bool:
    return use.kind is not None and use.kind.id in STORES


def _best(problem: EnergyProblem) -> Plan:
    assembled = assemble(problem)
    answer = solve(assembled.program, Options())
    if not answer.report.status.has_answer:
        raise Misuse(f"the plant cannot be run on these days: {answer.report.status.value}")
    return plan_of(assembled, answer)


def _cheapest_cny_per_kwh(problem: EnergyProblem) -> float:
    prices = [
        float(over(use.block.variable(electric(use, 1)[0].variable).cost_cny, problem.grid.length).min())
        for use in problem.uses
        if use.role == "grid"
    ]
    return max(0.0, min(prices, default=0.0)) / problem.grid.step_hours


def _left_value(problem: EnergyProblem) -> dict[str, float]:
    """Return what a kWh left in each battery is worth: the cheapest price, after the loss of taking it out."""
    price = _cheapest_cny_per_kwh(problem)
    return {
        use.id: price * use.values["discharge_efficiency_fraction"]
        for use in problem.uses
        if use.kind is not None and use.kind.id == "battery" and use.values is not None
    }


def _terminal(problem: EnergyProblem, left: dict[str, float]) -> tuple[Terminal, ...]:
    return tuple(Terminal(use.id, "stored_kwh", left[use.id]) for use in problem.uses if use.id in left)


def _cost(plan: Plan, actual: EnergyProblem, left: dict[str, float]) -> float:
    cost = plan.costs.total_cny
    for use in actual.uses:
        if use.id in left and use.conditions is not None:
            before = float(use.conditions.initial["stored_kwh"])
            stored = plan.values.get(use.id, {}).get("stored_kwh")
            after = before if stored is None else float(stored[-1])
            cost -= left[use.id] * (after - before)
    return cost


def _peak(plan: Plan) -> float:
    return max((float(plan.values[use.id][electric(use, 1)[0].variable].max()) for use in plan.problem.uses if use.role == "grid"), default=0.0)  # fmt: skip


def _usual_peak(whole: EnergyProblem, history: slice) -> float:
    """Return the highest load of the history: the demand limit that somebody would set by hand."""
    load = whole.load("electricity")[history]
    return float(load.max()) if len(load) else 0.0


def _ruled(actual: EnergyProblem, bare: Plan, limit_kw: float) -> Plan:
    """Return the plant without stores with its batteries run by the rule on top; other stores stand still."""
    grids = [use for use in actual.uses if use.role == "grid"]
    values = {name: {key: array.copy() for key, array in own.items()} for name, own in bare.values.items()}
    batteries = [use for use in actual.uses if use.kind is not None and use.kind.id == "battery"]
    if len(grids) != 1 or not batteries:
        return bare
    grid_use = grids[0]
    into, out = electric(grid_use, 1)[0], electric(grid_use, -1)[0]
    keep, give = float(np.mean(into.coefficient)), -float(np.mean(out.coefficient))
    bus = keep * values[grid_use.id][into.variable] - give * values[grid_use.id][out.variable]
    price = over(grid_use.block.variable(into.variable).cost_cny, actual.grid.length)
    cheap, dear = _extremes(price, actual.grid.day_of)
    for use in batteries:
        bus = bus + _run_rule(use, actual, (cheap, dear), bus, limit_kw, values)
    values[grid_use.id][into.variable] = np.maximum(bus, 0.0) / keep
    values[grid_use.id][out.variable] = np.maximum(-bus, 0.0) / give
    if _has_peak(grid_use):
        peak = over(grid_use.block.variable("peak_kw").lower, len(actual.grid.months)).copy()
        np.maximum.at(peak, actual.grid.month_of, values[grid_use.id][into.variable])
        values[grid_use.id]["peak_kw"] = peak
    kept = tuple(use for use in actual.uses if use.id in values)
    return Plan(replace(actual, uses=kept), values, bare.report, {})


def _extremes(price: Floats, day_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which intervals are the cheapest and which the dearest of their day."""
    days = int(day_of.max()) + 1
    low, high = np.full(days, np.inf), np.full(days, -np.inf)
    np.minimum.at(low, day_of, price)
    np.maximum.at(high, day_of, price)
    return price <= low[day_of] + SAME_PRICE, price >= high[day_of] - SAME_PRICE


def _run_rule(
    use: Use,
    actual: EnergyProblem,
    when: tuple[np.ndarray, np.ndarray],
    bus: Floats,
    limit_kw: float,
    values: dict[str, dict[str, Floats]],
) -> Floats:
    """Run one battery by the rule; return what it takes from the bus in each interval."""
    assert use.kind is not None and use.values is not None and use.conditions is not None  # noqa: S101, PT018  # narrowing
    state = dict(use.conditions.initial)
    own = {name: np.zeros(actual.grid.length) for name in ("charge_kw", "discharge_kw", "stored_kwh")}
    least = over(use.block.variable("stored_kwh").lower, actual.grid.length)
    for slot in range(actual.grid.length):
        wish = {"charge_kw": 0.0, "discharge_kw": 0.0}
        if when[0][slot]:
            wish["charge_kw"] = max(0.0, limit_kw - float(bus[slot]))
        elif when[1][slot]:
            wish["discharge_kw"] = max(0.0, float(bus[slot]))
        empty = least[slot] - state["stored_kwh"] * SLOW_LOSS
        wish["charge_kw"] = max(wish["charge_kw"], empty / actual.grid.step_hours)
        done = use.kind.step(use.values, state, wish, At(actual.grid.step_hours))
        state = dict(done.state)
        for name, value in {**done.values, **done.state}.items():
            own[name][slot] = value
    values[use.id] = own
    taken: Floats = own["charge_kw"] - own["discharge_kw"]
    return taken
