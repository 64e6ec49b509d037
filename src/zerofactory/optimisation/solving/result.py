"""What a solver says of a problem: its status, and the figures by which another person can judge the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zerofactory.errors import Text


class SolveStatus(StrEnum):
    """How a solve ended. Only `optimal` and `feasible` carry an answer."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    LIMIT = "limit"
    FAILED = "failed"

    @property
    def words(self) -> Text:
        """The status in words."""
        return _TITLES[self]

    @property
    def has_answer(self) -> bool:
        """Whether the values may be used."""
        return self in (SolveStatus.OPTIMAL, SolveStatus.FEASIBLE)


_TITLES = {
    SolveStatus.OPTIMAL: Text("最优", "optimal"),
    SolveStatus.FEASIBLE: Text("可行(未证最优)", "feasible, not proved optimal"),
    SolveStatus.INFEASIBLE: Text("不可行", "infeasible"),
    SolveStatus.UNBOUNDED: Text("无界", "unbounded"),
    SolveStatus.LIMIT: Text("达到时间或迭代上限", "stopped at a limit"),
    SolveStatus.FAILED: Text("数值失败", "numerical failure"),
}


@dataclass(frozen=True, slots=True)
class SolveReport:
    """One solve.

    Parameters
    ----------
    objective, bound : float
        Value of the answer and the best value that any answer could have (minimising); the dual objective of an LP.
    gap_fraction : float
        |objective − bound| ÷ max(1, |objective|).
    runtime_s : float
        Wall time inside the solver.
    solver : str
        Name and version.
    rows, columns, entries : int
        Size of the problem as it was given.
    """

    status: SolveStatus
    objective: float
    bound: float
    gap_fraction: float
    runtime_s: float
    solver: str
    iterations: int
    rows: int
    columns: int
    entries: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "status": str(self.status), "objective": self.objective, "bound": self.bound, "gap_fraction": self.gap_fraction,
            "runtime_s": round(self.runtime_s, 6), "solver": self.solver, "iterations": self.iterations,
            "rows": self.rows, "columns": self.columns, "entries": self.entries,
        }  # fmt: skip


def gap_fraction(objective: float, bound: float) -> float:
    """Return the relative distance of an answer to its bound.

    Examples
    --------
    >>> gap_fraction(101.0, 100.0)
    0.009900990099009901
    """
    return abs(objective - bound) / max(1.0, abs(objective))
