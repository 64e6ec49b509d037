"""The master program of column generation in HiGHS: rows stay, columns come one by one, the basis is kept between solves.

    minimise  Σ cost_p x_p   subject to  low_r ≤ Σ_p a_rp x_p ≤ high_r,  0 ≤ x_p (≤ most_p)

Each row that must reach something has an artificial column at a price above any plan, so that the first solve has an answer
and the rows that cannot be met are known by name at the end.
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
INF = highspy.kHighsInf
NODES = (
    500  # of the search over columns: its root and first dives find nearly all it ever finds; the same on every machine
)


class Master:
    """A growing linear program over patterns."""

    def __init__(self, low: Floats, high: Floats, artificial_cost: float) -> None:
        self.low, self.high, self.artificial_cost = low.copy(), high.copy(), artificial_cost
        self.costs: list[float] = []
        self.columns: list[tuple[Ints, Floats]] = []
        self._highs = _quiet()
        for one, other in zip(low, high, strict=True):
            self._highs.addRow(_finite(one), _finite(other), 0, np.array([], dtype=np.int32), np.array([]))
        self._artificial = [row for row in range(len(low)) if low[row] > 0]
        for row in self._artificial:
            self._highs.addCol(artificial_cost, 0.0, INF, 1, np.array([row], dtype=np.int32), np.array([1.0]))

    def add(self, cost: float, rows: Ints, values: Floats) -> None:
        """Add a column."""
        self.costs.append(cost)
        self.columns.append((rows, values))
        self._highs.addCol(cost, 0.0, INF, len(rows), rows.astype(np.int32), values)

    def bound_rows(self, low: Floats, high: Floats) -> None:
        """Give the rows other limits."""
        self.low, self.high = low.copy(), high.copy()
        for row, (one, other) in enumerate(zip(low, high, strict=True)):
            self._highs.changeRowBounds(row, _finite(one), _finite(other))

    def solve(self) -> tuple[float, Floats, Floats, Floats]:
        """Return objective, values of the columns, of the artificial columns, and row duals."""
        self._highs.run()
        solution = self._highs.getSolution()
        x, y = np.asarray(solution.col_value), np.asarray(solution.row_dual)
        count = len(self._artificial)
        return float(self._highs.getInfo().objective_function_value), x[count:], x[:count], y

    def unmet(self, artificial: Floats, share: float = 1e-6) -> list[int]:
        """Return the rows that only an artificial column meets."""
        return [
            row
            for row, amount in zip(self._artificial, artificial, strict=True)
            if amount > share * max(1.0, self.low[row])
        ]

    def integer(
        self, time_limit_s: float, start: Floats | None = None, chosen: Ints | None = None
    ) -> tuple[Floats | None, float]:
        """Return whole numbers of the columns (of those ``chosen``) and the search's own bound; None where it found none."""
        highs = _quiet(time_limit=time_limit_s, mip_max_nodes=NODES, mip_rel_gap=1e-9, mip_abs_gap=1e-6)
        places = np.arange(len(self.costs)) if chosen is None else chosen
        for one, other in zip(self.low, self.high, strict=True):
            highs.addRow(_finite(one), _finite(other), 0, np.array([], dtype=np.int32), np.array([]))
        for place in places:
            rows, values = self.columns[place]
            highs.addCol(self.costs[place], 0.0, INF, len(rows), rows.astype(np.int32), values)
        kinds = np.full(len(places), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        highs.changeColsIntegrality(len(places), np.arange(len(places), dtype=np.int32), kinds)
        if start is not None:
            known = highspy.HighsSolution()
            known.col_value = start[places].tolist()
            highs.setSolution(known)
        highs.run()
        info = highs.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None, float(info.mip_dual_bound)
        found = np.zeros(len(self.costs))
        found[places] = np.round(np.asarray(highs.getSolution().col_value))
        return found, float(info.mip_dual_bound)


def _quiet(**options: Any) -> Any:
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in {"output_flag": False, "threads": 1, "random_seed": 0, **options}.items():
        highs.setOptionValue(name, value)
    return highs


def _finite(value: float) -> float:
    return float(np.clip(value, -INF, INF))
