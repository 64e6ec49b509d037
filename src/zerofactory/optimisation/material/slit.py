"""Slitting by column generation: which widths beside each other on which coil, so that the least steel is taken.

    minimise  Σ_p cost_p x_p,   x_p whole: how many coils (or equal lengths of one) are slit by pattern p
    subject to  low_j ≤ Σ_p amount_jp x_p ≤ high_j  for each order,   Σ_{p of coil s} x_p ≤ count_s  for each kind of coil

The LP over all patterns is solved by Gilmore and Gomory's column generation (1961, doi 10.1287/opre.9.6.849), pricing by
`knapsack`; its value is a bound for every plan. Whole numbers come from diving with further columns, a search over the
columns there are, and, where one coil is still missing, over all columns that a better plan could use (reduced cost fixing).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.material.cuts import Bound
from zerofactory.optimisation.material.knapsack import all_fillings, best_filling, value_correction
from zerofactory.optimisation.material.master import Floats, Ints, Master
from zerofactory.optimisation.material.slit_problem import GRID_PER_MM, Coil, Order, SlitProblem

REDUCED = 1e-7
ROUNDS = 3000  # of pricing; far above what any instance seen asked for
ALL_COLUMNS = 60_000  # enumerated at most before the last search is given up
RESTARTS = 300  # of the value correction; most instances reach the bound within ten
ANY_PLAN = 1e300  # a bound that any plan keeps: the search ends with the first
CLASH_S = 2.0  # for each question whether some orders can be met
SINGLE = 12  # strips of one order beside each other that are offered from the start
BIG = 1e4  # an artificial unit against the dearest coil


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way to slit a kind of coil: how many strips of each order beside each other; ``times`` coils are cut so."""

    coil: str
    strips: tuple[tuple[str, int], ...]
    times: int


@dataclass(frozen=True, slots=True)
class SlitPlan:
    """What to slit. ``unmet`` names orders that no plan could meet together (then there are no patterns)."""

    patterns: tuple[Pattern, ...]
    bound: Bound | None
    runtime_s: float
    columns: int
    unmet: tuple[str, ...] = ()


@dataclass(slots=True)
class _Search:
    """The state of one solve: the problem on its grid, the master, and what each column cuts."""

    problem: SlitProblem
    coils: tuple[Coil, ...]
    room: list[int]
    widths: Ints
    amounts: Floats  # [coil, order]: what one strip of an order from a coil delivers, 0 where it may not
    low: Floats
    high: Floats
    cost: Floats
    rests: list[Floats]
    master: Master
    takes: list[tuple[int, Ints]] = field(default_factory=list)
    known: set[tuple[int, bytes]] = field(default_factory=set)
    deadline: float = math.inf


def plan(problem: SlitProblem, time_limit_s: float = 30.0) -> SlitPlan:
    """Return the least plan found and a bound on any.

    Parameters
    ----------
    problem : sound, as `SlitProblem.check` says.
    time_limit_s : safety for the searches; the pricing always ends.

    Examples
    --------
    Rolls of 100; five strips of 45 and five of 30 need 5, whatever is cut:

    >>> from zerofactory.optimisation.material.slit_problem import Coil, Order
    >>> rolls = (Coil("roll", "DC04", 1.0, 100.0, 1000.0, 99),)
    >>> wanted = (Order("a", ("DC04",), 1.0, 45.0, None, 5), Order("b", ("DC04",), 1.0, 30.0, None, 5))
    >>> found = plan(SlitProblem(rolls, wanted, count_coils=True))
    >>> sum(one.times for one in found.patterns), found.bound.bound
    (5, 5.0)
    """
    started = time.perf_counter()
    search = _begin(problem)
    search.deadline = started + time_limit_s
    lowest, unmet = _generate(search)
    if unmet:
        return SlitPlan((), None, time.perf_counter() - started, len(search.takes), clash(problem))
    floor = _whole_bound(search, lowest)
    best = _whole_numbers(search, floor)
    runtime_s = time.perf_counter() - started
    if best is None:
        return SlitPlan((), None, runtime_s, len(search.takes), clash(problem))
    value = float(np.dot(search.master.costs, best))
    return SlitPlan(_patterns(search, best), _told(problem, value, min(floor, value)), runtime_s, len(search.takes))


def clash(problem: SlitProblem) -> tuple[str, ...]:
    """Return the smallest set of orders that cannot be met together: the deletion filter (Chinneck 2008), single orders first.

    A set counts as one that can be met when a plan for it is found; where the last plan was only not found, it is so told.
    """

    def is_met(orders: tuple[Order, ...]) -> bool:
        search = _begin(replace(problem, orders=orders))
        search.deadline = time.perf_counter() + CLASH_S
        return not _generate(search)[1] and _whole_numbers(search, ANY_PLAN) is not None

    for one in problem.orders:
        if not is_met((one,)):
            return (one.id,)
    kept = list(problem.orders)
    for one in problem.orders:
        rest = tuple(other for other in kept if other is not one)
        if rest and not is_met(rest):
            kept = list(rest)
    return tuple(one.id for one in kept)


def _begin(problem: SlitProblem) -> _Search:
    coils, orders, rules = problem.lots(), problem.orders, problem.rules
    amounts = np.zeros((len(coils), len(orders)))
    for s, coil in enumerate(coils):
        for j, order in enumerate(orders):
            if order.fits(coil) and order.width_mm <= problem.usable_mm(coil) + 1e-9:
                amounts[s, j] = 1.0 if order.mass_kg is None else coil.mass_kg * order.width_mm / coil.width_mm
    low = np.array([one.amount * (1 - one.under_fraction) for one in orders])
    by_count = [one.mass_kg is None for one in orders]
    high = np.array(
        [math.inf if free and not one.over_fraction else one.amount * (1 + one.over_fraction) for one, free in zip(orders, by_count, strict=True)]
    )  # fmt: skip
    low = np.where(by_count, np.ceil(low - 1e-9), low)
    cost = np.array([1.0 if problem.count_coils else coil.mass_kg for coil in coils])
    room = [math.floor(problem.usable_mm(coil) * GRID_PER_MM + 1e-6) for coil in coils]
    step = GRID_PER_MM
    widths = np.array([math.ceil(order.width_mm * step - 1e-6) for order in orders], dtype=np.int64)
    divisor = int(np.gcd.reduce(widths)) if rules.keep_width_mm is None else 1
    widths, room = widths // divisor, [one // divisor for one in room]
    rests = [_rest(problem, coil, one) for coil, one in zip(coils, room, strict=True)]
    limits = np.concatenate([high, [float(coil.count) for coil in coils]])
    master = Master(np.concatenate([low, np.zeros(len(coils))]), limits, BIG * float(cost.max()))
    return _Search(problem, coils, room, widths, amounts, low, high, cost, rests, master)


def _rest(problem: SlitProblem, coil: Coil, room: int) -> Floats:
    """Return what a rest of each width is worth against the objective."""
    rules, rest = problem.rules, np.zeros(room + 1)
    if rules.keep_width_mm is not None and not problem.count_coils:
        width_mm = np.arange(room + 1) / GRID_PER_MM
        worth = rules.keep_value_fraction * coil.mass_kg * width_mm / coil.width_mm
        rest = np.where(width_mm >= rules.keep_width_mm, worth, 0.0)
    return rest


def _add(search: _Search, s: int, taken: Ints) -> bool:
    """Add the pattern as a column unless it is known."""
    key = (s, taken.tobytes())
    if key in search.known:
        return False
    search.known.add(key)
    search.takes.append((s, taken.copy()))
    used = int(taken @ search.widths)
    cost = float(search.cost[s] - search.rests[s][search.room[s] - used])
    orders = np.flatnonzero(taken)
    rows = np.append(orders, len(search.low) + s)
    search.master.add(cost, rows, np.append(search.amounts[s, orders] * taken[orders], 1.0))
    return True


def _copies(search: _Search, s: int, high: Floats, low: Floats) -> Ints:
    """Return how many strips of each order a pattern may hold: no more than the order takes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(
            np.isfinite(high), np.floor(high / search.amounts[s] + 1e-9), np.ceil(low / search.amounts[s] - 1e-9)
        )
    copies: Ints = np.where(search.amounts[s] > 0, np.minimum(limit, search.room[s]), 0).astype(np.int64)
    return np.maximum(copies, 0)


def _single(search: _Search) -> None:
    """Add, at the start, every pattern of one order alone: so that tolerances can be met exactly."""
    if search.takes or search.problem.count_coils:
        return
    most = search.problem.rules.knives - 1
    for s, room in enumerate(search.room):
        for j, width in enumerate(search.widths):
            for number in range(1, min(room // int(width), most, SINGLE) + 1 if search.amounts[s, j] > 0 else 0):
                _add(search, s, number * np.eye(len(search.widths), dtype=np.int64)[j])


def _generate(search: _Search, rounds: int = ROUNDS) -> tuple[float, tuple[str, ...]]:
    """Price until no pattern is worth adding; return the LP's value (a bound where it ended) and orders it cannot meet."""
    master, count = search.master, len(search.low)
    _single(search)
    low, high = master.low[:count], master.high[:count]
    copies = [_copies(search, s, high, low) for s in range(len(search.coils))]
    most = search.problem.rules.knives - 1
    objective, artificial = 0.0, np.zeros(0)
    for _ in range(rounds):
        objective, _, artificial, duals = master.solve()
        added = False
        for s in range(len(search.coils)):
            if master.high[count + s] <= 0:
                continue
            worth = duals[:count] * search.amounts[s]
            value, taken = best_filling(worth, search.widths, copies[s], most, search.rests[s])
            if search.cost[s] - duals[count + s] - value < -REDUCED * search.cost[s] and taken.any():
                added |= _add(search, s, taken)
        if not added:
            break
    return objective, tuple(search.problem.orders[row].id for row in master.unmet(artificial) if row < count)


def _whole_bound(search: _Search, lowest: float) -> float:
    """Return the LP's value, rounded up where the objective counts coils."""
    return float(math.ceil(lowest - 1e-6)) if search.problem.count_coils else lowest


def _whole_numbers(search: _Search, floor: float) -> Floats | None:
    """Return how often each column is cut, as whole numbers, the best that diving and two searches find."""
    costs = search.master.costs
    best = _corrected(search, floor)
    if best is None or float(np.dot(costs, best)) > floor + REDUCED:
        dived = _dive(search)
        best = dived if best is None or (dived is not None and dived.sum() < best.sum()) else best

    def value(x: Floats | None) -> float:
        return math.inf if x is None else float(np.dot(costs, np.append(x, np.zeros(len(costs) - len(x)))))

    def left_s() -> float:
        return max(0.5, search.deadline - time.perf_counter())

    for portion in (0.2, 0.5):
        if value(best) <= floor + REDUCED:
            break
        start = None if best is None else np.append(best, np.zeros(len(costs) - len(best)))
        if portion > 0.2:
            _all_columns(search, value(best))
            start = None if best is None else np.append(best, np.zeros(len(costs) - len(best)))
        found, _ = search.master.integer(portion * left_s(), start)
        best = found if value(found) < value(best) else best
    return None if best is None else np.append(best, np.zeros(len(costs) - len(best)))


def _corrected(search: _Search, floor: float) -> Floats | None:
    """Round the LP down and fill the rest by value correction, where one kind of coil is counted; None where it does not apply."""
    if len(search.coils) > 1 or not search.problem.count_coils or np.isfinite(search.high).any():
        return None
    _, x, _, _ = search.master.solve()
    down = np.floor(x + 1e-6)
    done = sum((down[p] * search.takes[p][1] for p in np.flatnonzero(down)), np.zeros(len(search.low)))
    rest = np.maximum(0, search.low - done).astype(np.int64)
    number, rows = value_correction(search.widths, rest, search.room[0], int(floor - down.sum()), RESTARTS)
    most = search.problem.rules.knives - 1
    if any(row.sum() > most for row in rows) or down.sum() + number > search.coils[0].count:
        return None
    return _with(search, down, rows)


def _with(search: _Search, x: Floats, rows: Iterable[Ints]) -> Floats:
    """Return how often each column is cut once further patterns of the only coil are cut as well."""
    times = {int(p): float(x[p]) for p in np.flatnonzero(x)}
    for row in rows:
        if not row.any():
            continue
        _add(search, 0, row)
        place = next(p for p, (_, taken) in enumerate(search.takes) if (taken == row).all())
        times[place] = times.get(place, 0.0) + 1.0
    whole = np.zeros(len(search.takes))
    for p, number in times.items():
        whole[p] = number
    return whole


def _dive(search: _Search) -> Floats | None:
    """Round the LP down, take one more of its fullest column, price again for what is left, until nothing is left."""
    master, count = search.master, len(search.low)
    low, high = master.low.copy(), master.high.copy()
    done: dict[int, float] = {}
    at_low, at_high = low.copy(), high.copy()
    whole: Floats | None = None
    for _ in range(400):
        _, x, artificial, _ = master.solve()
        if master.unmet(artificial):
            break
        chosen = {int(p): math.floor(x[p] + 1e-6) for p in np.flatnonzero(x > 1 - 1e-6)}
        if not chosen:
            parts = np.flatnonzero(x > 1e-6)
            if not len(parts):
                break
            chosen = {int(parts[np.argmax(x[parts])]): 1}
        before = sum(done.values())
        for p, wanted in chosen.items():
            times = _allowed(master, p, wanted, at_high)
            rows, values = master.columns[p]
            done[p] = done.get(p, 0.0) + times
            at_low[rows] -= values * times
            at_high[rows] -= values * times
        at_low[np.abs(at_low) < 1e-6] = 0.0
        if (at_low[:count] <= 1e-6).all():
            whole = np.zeros(len(master.costs))
            for p, number in done.items():
                whole[p] = number
            break
        if sum(done.values()) == before:
            break
        master.bound_rows(np.maximum(at_low, 0.0), np.maximum(at_high, 0.0))
        _generate(search)
    master.bound_rows(low, high)
    return None if whole is None else np.append(whole, np.zeros(len(master.costs) - len(whole)))


def _allowed(master: Master, column: int, times: int, high: Floats) -> int:
    """Return how often a column may still be cut without delivering more than an order takes."""
    rows, values = master.columns[column]
    with np.errstate(divide="ignore"):
        room = float((high[rows] / values).min())
    return times if math.isinf(room) else max(0, min(times, math.floor(room + 1e-9)))


def _all_columns(search: _Search, reached: float) -> None:
    """Add every pattern that a plan better than ``reached`` could use: reduced cost within the gap (one kind of coil)."""
    if len(search.coils) > 1 or not search.problem.count_coils:
        return
    objective, _, _, duals = search.master.solve()
    gap = reached - 1 - objective + 1e-6
    count = len(search.low)
    worth = duals[:count] * search.amounts[0]
    order = np.argsort(-search.widths, kind="stable")
    copies = _copies(search, 0, search.master.high[:count], search.master.low[:count])
    least = search.cost[0] - duals[count] - gap
    for taken in enumerate_fillings(worth[order], search.widths[order], copies[order], search.room[0], least):
        if taken.sum() < search.problem.rules.knives:
            back = np.zeros(count, dtype=np.int64)
            back[order] = taken
            _add(search, 0, back)


def enumerate_fillings(values: Floats, widths: Ints, copies: Ints, room: int, least: float) -> list[Ints]:
    """Return every filling worth at least ``least``, none where there are more than can be searched; items by falling width."""
    number, found = all_fillings(values, widths, np.minimum(copies, room), room, least, ALL_COLUMNS)
    return [] if number >= ALL_COLUMNS else list(found[:number])


def _patterns(search: _Search, x: Floats) -> tuple[Pattern, ...]:
    found = []
    for place in np.flatnonzero(x > 0.5):
        s, taken = search.takes[place]
        strips = tuple((search.problem.orders[j].id, int(taken[j])) for j in np.flatnonzero(taken))
        found.append(Pattern(search.coils[s].id, strips, round(float(x[place]))))
    return tuple(sorted(found, key=lambda one: (one.coil, one.strips)))


def _told(problem: SlitProblem, value: float, bound: float) -> Bound:
    unit = Text("卷", "coils") if problem.count_coils else Text("kg(净用)", "kg (net of what is kept)")
    how = Text("列生成线性松弛(全部排样)", "LP over all patterns by column generation")
    return Bound(value, bound, unit, how)
