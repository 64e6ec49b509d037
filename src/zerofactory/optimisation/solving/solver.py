"""One door to the solvers: Clarabel for linear programs, HiGHS where a variable must be whole (ADR 0017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerofactory.errors import Misuse
from zerofactory.optimisation.solving.linear import LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveStatus

Engine = Literal["auto", "clarabel", "highs"]
SMALL_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Options:
    """How to solve.

    Parameters
    ----------
    engine : ``auto`` takes HiGHS for whole variables, for programs so small that its vertex comes quicker, and as the second
        opinion where Clarabel gets stuck.
    tolerance : relative accuracy of an interior point.
    gap_fraction : at which a search with whole variables stops.
    second_opinion : ask HiGHS where Clarabel gets stuck; it may take minutes on a year.
    """

    engine: Engine = "auto"
    tolerance: float = 1e-8
    gap_fraction: float = 1e-6
    time_limit_s: float | None = None
    second_opinion: bool = True


def solve(program: LinearProgram, options: Options | None = None) -> Solution:
    """Return the answer to a program.

    Examples
    --------
    >>> from zerofactory.optimisation.solving.linear import Draft
    >>> draft = Draft()
    >>> heat = draft.add_columns("heat", 2, upper=[2.0, 5.0], cost=[1.0, 4.0])
    >>> draft.put(draft.add_rows("demand", 1, "=", 3.0), heat, 1.0)
    >>> answer = solve(draft.finish())
    >>> answer.report.status.value, answer.value("heat").tolist(), answer.dual("demand").tolist()
    ('optimal', [2.0, 1.0], [4.0])
    """
    chosen = options or Options()
    engine = chosen.engine
    if engine == "auto":
        engine = "highs" if program.is_integer or program.size[2] <= SMALL_ENTRIES else "clarabel"
    if engine == "clarabel":
        if program.is_integer:
            raise Misuse("Clarabel does not take whole variables")
        from zerofactory.optimisation.solving import by_clarabel

        found = by_clarabel.solve(program, chosen.tolerance, chosen.time_limit_s)
        stuck = found.report.status in (SolveStatus.FAILED, SolveStatus.LIMIT) and chosen.time_limit_s is None
        if not (stuck and chosen.engine == "auto" and chosen.second_opinion):
            return found
    from zerofactory.optimisation.solving import by_highs

    method = "choose" if program.is_integer or program.size[2] <= SMALL_ENTRIES else "ipm"
    return by_highs.solve(program, chosen.gap_fraction, chosen.time_limit_s, method)
