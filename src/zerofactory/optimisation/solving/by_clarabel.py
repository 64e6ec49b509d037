"""Solve a linear program by the interior-point method of Clarabel (Apache-2.0; Goulart and Chen 2024, arXiv:2405.12762).

Single-threaded factorisation with fixed ordering, so the same program gives the same bytes. It gives the analytic centre of
the optimal face, not a vertex; duals come with it.
"""

from __future__ import annotations

import time

import clarabel
import numpy as np
from scipy import sparse

from zerofactory.optimisation.solving.linear import Floats, LinearProgram, Solution
from zerofactory.optimisation.solving.reduce import Reduced, reduce
from zerofactory.optimisation.solving.result import SolveReport, SolveStatus, gap_fraction

NAME = f"clarabel {clarabel.__version__}"
STATUS = {
    "Solved": SolveStatus.OPTIMAL,
    "AlmostSolved": SolveStatus.FEASIBLE,
    "PrimalInfeasible": SolveStatus.INFEASIBLE,
    "AlmostPrimalInfeasible": SolveStatus.INFEASIBLE,
    "DualInfeasible": SolveStatus.UNBOUNDED,
    "AlmostDualInfeasible": SolveStatus.UNBOUNDED,
    "MaxIterations": SolveStatus.LIMIT,
    "MaxTime": SolveStatus.LIMIT,
}


class Cone:
    """A reduced program as A x + s = b with s zero (equalities) or non-negative, scaled by one number a side.

    Rows come as: equalities, row_upper, row_lower, upper, lower.
    """

    def __init__(self, reduced: Reduced) -> None:
        whole, rows, columns = reduced.whole, reduced.kept_rows, reduced.kept_columns
        low, high = reduced.row_lower[rows], reduced.row_upper[rows]
        self.equal = np.flatnonzero(low == high)
        self.above = np.flatnonzero(np.isfinite(high) & (low != high))
        self.below = np.flatnonzero(np.isfinite(low) & (low != high))
        lower, upper = reduced.lower[columns], reduced.upper[columns]
        self.capped, self.floored = np.flatnonzero(np.isfinite(upper)), np.flatnonzero(np.isfinite(lower))
        sides = [high[self.equal], high[self.above], -low[self.below], upper[self.capped], -lower[self.floored]]
        right = np.concatenate(sides)
        cost = whole.cost[columns]
        self.size_scale, self.cost_scale = _typical(right), _typical(cost)
        self.right, self.cost = right / self.size_scale, cost / self.cost_scale
        self.counts = [len(side) for side in sides]
        self.matrix = self._stack(reduced, len(rows), len(columns))

    def _stack(self, reduced: Reduced, rows: int, columns: int) -> sparse.csc_matrix:
        at_row, at_column, values = reduced.matrix()
        starts = np.concatenate([[0], np.cumsum(self.counts)])
        parts = []
        for place, (chosen, sign) in enumerate(((self.equal, 1.0), (self.above, 1.0), (self.below, -1.0))):
            number = np.full(rows, -1, dtype=np.int64)
            number[chosen] = starts[place] + np.arange(len(chosen))
            there = number[at_row] >= 0
            parts.append((number[at_row[there]], at_column[there], sign * values[there]))
        parts.append((starts[3] + np.arange(len(self.capped)), self.capped, np.ones(len(self.capped))))
        parts.append((starts[4] + np.arange(len(self.floored)), self.floored, -np.ones(len(self.floored))))
        r, c, v = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return sparse.csc_matrix((v, (r, c)), shape=(int(starts[-1]), columns))

    def cones(self) -> list[object]:
        """Return the cones in the order of the rows."""
        zero, rest = self.counts[0], sum(self.counts[1:])
        return [
            *([clarabel.ZeroConeT(zero)] if zero else []),
            *([clarabel.NonnegativeConeT(rest)] if rest else []),
        ]

    def answer(self, reduced: Reduced, x: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Return values and row duals of what is left, in the program's own scale."""
        y = np.zeros(len(reduced.kept_rows))
        price = z * self.cost_scale
        starts = np.concatenate([[0], np.cumsum(self.counts)])
        y[self.equal] = -price[starts[0] : starts[1]]
        y[self.above] -= price[starts[1] : starts[2]]
        y[self.below] += price[starts[2] : starts[3]]
        columns = reduced.kept_columns
        return np.clip(x * self.size_scale, reduced.lower[columns], reduced.upper[columns]), y


def _typical(values: Floats) -> float:
    """Return the geometric mean of the sizes of what is not zero."""
    sizes = np.abs(values[values != 0.0])
    return float(np.exp(np.log(sizes).mean())) if len(sizes) else 1.0


def settings(tolerance: float, time_limit_s: float | None) -> clarabel.DefaultSettings:
    """Return the settings of every solve."""
    chosen = clarabel.DefaultSettings()
    chosen.verbose = False
    chosen.direct_solve_method = "qdldl"
    chosen.tol_gap_abs = chosen.tol_gap_rel = chosen.tol_feas = tolerance
    chosen.max_iter = 400
    if time_limit_s is not None:
        chosen.time_limit = time_limit_s
    return chosen


def solve(program: LinearProgram, tolerance: float = 1e-8, time_limit_s: float | None = None) -> Solution:
    """Return the answer to a program without whole variables."""
    started = time.perf_counter()
    reduced = reduce(program)
    if reduced.infeasible:
        return _without(program, SolveStatus.INFEASIBLE, started, 0)
    cone = Cone(reduced)
    count = len(cone.cost)
    if count == 0 or not len(cone.right):
        return _trivial(program, reduced, started)
    nothing = sparse.csc_matrix((count, count))
    solver = clarabel.DefaultSolver(
        nothing, cone.cost, cone.matrix, cone.right, cone.cones(), settings(tolerance, time_limit_s)
    )
    found = solver.solve()
    status = STATUS.get(str(found.status), SolveStatus.FAILED)
    if not status.has_answer:
        return _without(program, status, started, int(found.iterations))
    x, y = reduced.restore(*cone.answer(reduced, np.asarray(found.x), np.asarray(found.z)))
    fixed = float(program.cost @ x)
    scale = cone.cost_scale * cone.size_scale
    offset = fixed - float(program.cost[reduced.kept_columns] @ x[reduced.kept_columns])
    bound = float(found.obj_val_dual) * scale + offset
    return _told(program, (x, y), (status, fixed, bound, int(found.iterations)), started)


def _trivial(program: LinearProgram, reduced: Reduced, started: float) -> Solution:
    """Return the answer where no row is left: every variable goes to its cheaper bound."""
    columns = reduced.kept_columns
    cost, lower, upper = program.cost[columns], reduced.lower[columns], reduced.upper[columns]
    x = np.where(cost > 0, lower, np.where(cost < 0, upper, np.clip(0.0, lower, upper)))
    if not np.isfinite(x).all():
        return _without(program, SolveStatus.UNBOUNDED, started, 0)
    whole, duals = reduced.restore(x, np.zeros(len(reduced.kept_rows)))
    objective = float(program.cost @ whole)
    return _told(program, (whole, duals), (SolveStatus.OPTIMAL, objective, objective, 0), started)


def _told(
    program: LinearProgram,
    answer: tuple[Floats, Floats],
    outcome: tuple[SolveStatus, float, float, int],
    started: float,
) -> Solution:
    status, objective, bound, iterations = outcome
    runtime_s = time.perf_counter() - started
    gap = gap_fraction(objective, bound)
    report = SolveReport(status, objective, bound, gap, runtime_s, NAME, iterations, *program.size)
    x, y = answer
    return Solution(program, report, x, y, program.priced(y))


def _without(program: LinearProgram, status: SolveStatus, started: float, iterations: int) -> Solution:
    """Return a solution that has no answer."""
    nan = float("nan")
    runtime_s = time.perf_counter() - started
    report = SolveReport(status, nan, nan, nan, runtime_s, NAME, iterations, *program.size)
    rows, columns, _ = program.size
    return Solution(program, report, np.full(columns, nan), np.full(rows, nan), np.full(columns, nan))
