"""Rectangles out of sheets by guillotine cuts in two or three stages: the least sheets (or money) for what is ordered.

Stage 1 cuts a sheet into strips across its whole length, stage 2 cuts a strip into stacks, stage 3 cuts a stack into pieces; a last
trim to size is free. With two stages a stack is one piece. The LP over all such patterns is solved by column generation with
exact pricing (Gilmore and Gomory 1965, doi 10.1287/opre.13.1.94): one knapsack a stack, one a strip, one a sheet (`stages`);
its value, and the area, are bounds. Whole numbers come from many fast fillings in varied order, whose sheets are further
columns, and a search over all columns (Monaci and Toth 2006, doi 10.1287/ijoc.1040.0089).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.material.cuts import Bound
from zerofactory.optimisation.material.master import Floats, Ints, Master
from zerofactory.optimisation.material.sheet_filling import fill
from zerofactory.optimisation.material.sheet_problem import SheetProblem
from zerofactory.optimisation.material.stages import Box, best_sheet

BIG = 1e4
REDUCED = 1e-7
ROUNDS = 400
FILLINGS = 400  # varied orders tried for each kind of sheet
FIRST = 12  # fillings whose sheets are kept as columns whatever they take
MOST_AT_ONCE = 2_000  # pieces; more are only filled after the LP has been rounded down
MOST_CELLS = 4_000_000  # pieces × length × width of one pricing beyond which only the area bound is told


@dataclass(frozen=True, slots=True)
class SheetCut:
    """One pattern: the pieces on a sheet and how many sheets are cut so."""

    sheet: str
    boxes: tuple[Box, ...]
    times: int


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """The patterns, what they come to and the bound; ``unmet`` names orders for which the sheets do not suffice."""

    cuts: tuple[SheetCut, ...]
    bound: Bound | None
    runtime_s: float
    columns: int
    unmet: tuple[str, ...] = ()

    @property
    def sheets(self) -> int:
        """Sheets taken."""
        return sum(one.times for one in self.cuts)


@dataclass(slots=True)
class _Search:
    problem: SheetProblem
    wanted: Ints
    cost: Floats
    master: Master
    kept: list[tuple[int, tuple[Box, ...]]] = field(default_factory=list)
    known: set[tuple[int, bytes]] = field(default_factory=set)


def plan(problem: SheetProblem, time_limit_s: float = 20.0, seed: int = 1) -> SheetPlan:
    """Return the least plan found and a bound on any.

    Examples
    --------
    Four pieces of 500 × 400 fill a sheet of 1000 × 800; nine need three:

    >>> from zerofactory.optimisation.material.sheet_problem import Rectangle, Sheet, SheetProblem
    >>> asked = (Rectangle("a", "DC04", 1.0, 500.0, 400.0, 9),)
    >>> found = plan(SheetProblem((Sheet("s", "DC04", 1.0, 1000.0, 800.0, 20),), asked))
    >>> found.sheets, found.bound.bound
    (3, 3.0)
    """
    started = time.perf_counter()
    wanted = np.array([one.pieces for one in problem.orders], dtype=np.int64)
    cost = np.array([problem.cost(sheet) for sheet in problem.sheets])
    low = np.concatenate([wanted.astype(np.float64), np.zeros(len(problem.sheets))])
    high = np.concatenate([np.full(len(wanted), np.inf), [float(one.count) for one in problem.sheets]])
    search = _Search(problem, wanted, cost, Master(low, high, BIG * float(cost.max())))
    best = _filled(search, seed, started + 0.3 * time_limit_s)
    lowest, unmet = _generate(search, started + 0.6 * time_limit_s)
    floor = _floor(problem, lowest)
    best = _rounded(search, seed, best, (floor, started + 0.8 * time_limit_s))
    found = _searched(search, best, floor, max(1.0, started + time_limit_s - time.perf_counter()))
    runtime_s = time.perf_counter() - started
    if found is None:
        names = tuple(problem.orders[j].id for j in unmet) or tuple(one.id for one in problem.orders)
        return SheetPlan((), None, runtime_s, len(search.kept), names)
    value = float(np.dot(search.master.costs, found))
    return SheetPlan(_cuts(search, found), _told(problem, value, min(floor, value)), runtime_s, len(search.kept))


def _count(search: _Search, boxes: Sequence[Box]) -> Ints:
    taken = np.zeros(len(search.wanted), dtype=np.int64)
    for box in boxes:
        taken[box.order] += 1
    return taken


def _add(search: _Search, sheet: int, boxes: tuple[Box, ...]) -> int:
    """Add the pattern as a column unless one that cuts the same is known; return its place."""
    taken = _count(search, boxes)
    key = (sheet, taken.tobytes())
    if key in search.known:
        return next(
            p for p, (s, other) in enumerate(search.kept) if s == sheet and (_count(search, other) == taken).all()
        )
    search.known.add(key)
    search.kept.append((sheet, boxes))
    orders = np.flatnonzero(taken)
    rows = np.append(orders, len(search.wanted) + sheet)
    search.master.add(float(search.cost[sheet]), rows, np.append(taken[orders].astype(np.float64), 1.0))
    return len(search.kept) - 1


def _filled(search: _Search, seed: int, deadline: float) -> Floats | None:
    """Fill sheets in many varied orders; keep the sheets as columns and return the least whole filling (by one kind of sheet)."""
    best: tuple[float, dict[int, float]] | None = None
    kinds = len(search.problem.sheets)
    rng = np.random.default_rng(seed)
    if search.wanted.sum() > MOST_AT_ONCE:
        return None
    for trial in range(FILLINGS * kinds):
        sheet = trial % kinds
        made, left = fill(search.problem, sheet, search.wanted, rng, trial // kinds)
        cost = len(made) * float(search.cost[sheet])
        if not left and (best is None or cost <= best[0] or trial < FIRST * kinds):
            times = _kept(search, sheet, made)
            if (best is None or cost < best[0]) and len(made) <= search.problem.sheets[sheet].count:
                best = (cost, times)
        if time.perf_counter() > deadline:
            break
    return None if best is None else _whole(search, best[1])


def _kept(search: _Search, sheet: int, made: Sequence[tuple[Box, ...]]) -> dict[int, float]:
    """Keep filled sheets as columns; return how often each column stands among them."""
    times: dict[int, float] = {}
    for boxes in made:
        place = _add(search, sheet, boxes)
        times[place] = times.get(place, 0.0) + 1.0
    return times


def _whole(search: _Search, times: dict[int, float]) -> Floats:
    whole = np.zeros(len(search.kept))
    for place, number in times.items():
        whole[place] = number
    return whole


def _rounded(search: _Search, seed: int, best: Floats | None, limits: tuple[float, float]) -> Floats | None:
    """Round the LP down and fill what is left in varied orders; return the better of that and what was known."""
    floor, deadline = limits
    costs = search.master.costs

    def value(x: Floats | None) -> float:
        return math.inf if x is None else float(np.dot(costs[: len(x)], x))

    _, x, artificial, _ = search.master.solve()
    if search.master.unmet(artificial):
        return best
    down = np.floor(x + 1e-6)
    done = sum(
        (down[p] * _count(search, search.kept[p][1]) for p in np.flatnonzero(down)), np.zeros(len(search.wanted))
    )
    rest = np.maximum(0, search.wanted - done).astype(np.int64)
    rng, kinds = np.random.default_rng(seed), len(search.problem.sheets)
    for trial in range(FILLINGS // 4 * kinds):
        if value(best) <= floor + REDUCED or time.perf_counter() > deadline:
            break
        sheet = trial % kinds
        made, left = fill(search.problem, sheet, rest, rng, trial // kinds) if rest.any() else ([], False)
        if left or (trial >= FIRST * kinds and value(down) + len(made) * search.cost[sheet] >= value(best)):
            continue
        times = _kept(search, sheet, made)
        for p in np.flatnonzero(down):
            times[int(p)] = times.get(int(p), 0.0) + float(down[p])
        whole = _whole(search, times)
        taken = sum(number for p, number in times.items() if search.kept[p][0] == sheet)
        if value(whole) < value(best) and taken <= search.problem.sheets[sheet].count:
            best = whole
    return best


def _generate(search: _Search, deadline: float) -> tuple[float, list[int]]:
    """Price until no pattern is worth adding; return a bound on the LP and the orders it cannot meet.

    Two-stage patterns, which are quick to price and allowed in three stages as well, come first; the bound is only taken from
    the exact pricing.
    """
    problem, count = search.problem, len(search.wanted)
    bound, artificial = 0.0, np.zeros(0)
    rough = problem.stages > 2
    for _ in range(ROUNDS):
        objective, _, artificial, duals = search.master.solve()
        if any(problem.cells(sheet) > MOST_CELLS for sheet in problem.sheets):
            return bound, []
        added, ratio = _priced(search, duals, replace(problem, stages=2) if rough else problem)
        if not rough and not search.master.unmet(artificial):
            # Farley (1990, doi 10.1287/opre.38.5.922): scaled duals are feasible, so the scaled value is a bound already
            bound = max(bound, ratio * objective)
        late = time.perf_counter() > deadline
        if (not rough and (late or not added)) or (rough and late and bound > 0):
            break
        rough = rough and added and not late
    return bound, [row for row in search.master.unmet(artificial) if row < count]


def _priced(search: _Search, duals: Floats, problem: SheetProblem) -> tuple[bool, float]:
    """Add the best pattern of each kind of sheet; return whether one was added and the share of the duals that is feasible."""
    count = len(search.wanted)
    worth = np.maximum(duals[:count], 0.0)
    added, ratio = False, 1.0
    for s in range(len(problem.sheets)):
        value, boxes = best_sheet(problem, s, worth)
        cost, reached = float(search.cost[s]), value + min(float(duals[count + s]), 0.0)
        ratio = min(ratio, cost / reached) if reached > cost else ratio
        if reached > cost * (1 + REDUCED) and boxes:
            before = len(search.kept)
            _add(search, s, boxes)
            added |= len(search.kept) > before
    return added, ratio


def _floor(problem: SheetProblem, lowest: float) -> float:
    """Return the better of the LP's bound and the area's, rounded up where sheets are counted."""
    least = max(lowest, problem.area_bound())
    return float(math.ceil(least - 1e-6)) if problem.count_sheets else least


def _searched(search: _Search, best: Floats | None, floor: float, time_s: float) -> Floats | None:
    costs = search.master.costs
    known = None if best is None else np.append(best, np.zeros(len(costs) - len(best)))
    if known is not None and float(np.dot(costs, known)) <= floor + REDUCED:
        return known
    found, _ = search.master.integer(time_s, known)
    if found is None or (known is not None and np.dot(costs, known) <= np.dot(costs, found)):
        return known
    return found


def _cuts(search: _Search, x: Floats) -> tuple[SheetCut, ...]:
    """Return the patterns without pieces beyond what is ordered: what is too much stays in the sheet as scrap."""
    left = search.wanted.copy()
    found: dict[tuple[str, tuple[Box, ...]], int] = {}
    for place in np.flatnonzero(x > 0.5):
        sheet, boxes = search.kept[place]
        for _ in range(round(float(x[place]))):
            kept = []
            for box in boxes:
                if left[box.order] > 0:
                    left[box.order] -= 1
                    kept.append(box)
            key = (search.problem.sheets[sheet].id, tuple(kept))
            found[key] = found.get(key, 0) + 1
    return tuple(SheetCut(name, boxes, times) for (name, boxes), times in found.items() if boxes)


def _told(problem: SheetProblem, value: float, bound: float) -> Bound:
    unit = Text("张", "sheets") if problem.count_sheets else Text("kg", "kg")
    how = Text(
        f"{problem.stages} 段剪切全部排样的列生成, 与面积界取大",
        f"LP over all {problem.stages}-stage patterns, or the area",
    )
    return Bound(value, bound, unit, how)
