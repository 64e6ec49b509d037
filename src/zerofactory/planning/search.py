"""Search for the roadmap's program: relax, round by a smaller search, then prove.

    1  all variables continuous: a bound, and which starts it has no doubt about
    2  starts read off at several thresholds, then a search among starts near those (after RENS, Berthold 2014, doi 10.1007/s10288-013-0222-5): a good plan in a second
    3  the whole program from that plan on, until the gap is proved

Every step is deterministic: one thread, fixed seed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zerofactory.optimisation.solving.by_highs import Kept
from zerofactory.optimisation.solving.linear import LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveReport, SolveStatus, gap_fraction

DOUBT = 1e-6
WINDOW = 8
THRESHOLDS = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1)
ROUNDING_GAP = 1e-4
ROUNDING_SECONDS = 5.0


def search(program: LinearProgram, years: int, gap: float, time_limit_s: float) -> Solution:
    """Return the best answer found and the bound proved.

    Parameters
    ----------
    years : years of the plan; the whole variables are options × years.
    gap : relative gap at which the search ends.
    time_limit_s : at which it ends with what it has; the report says `feasible` then.
    """
    relaxed = Kept(replace(program, integer=np.zeros_like(program.integer)), mip_rel_gap=gap).solve()
    if not relaxed.report.status.has_answer:
        return relaxed
    read_off = _read_off(program, relaxed, years)
    rounded = _rounded(program, relaxed, years, min(ROUNDING_SECONDS, time_limit_s), read_off)
    spent = relaxed.report.runtime_s
    if rounded is not None:
        spent += rounded.report.runtime_s
        told = _told(rounded, relaxed.report.objective, gap, spent)
        if told.report.gap_fraction <= gap:
            return told
    solver = Kept(program, mip_rel_gap=gap, time_limit=max(time_limit_s - spent, 1.0))
    proved = solver.solve(start=None if rounded is None else rounded.x)
    if not proved.report.status.has_answer:
        if rounded is None or proved.report.status is SolveStatus.INFEASIBLE:
            return proved
        return _told(rounded, relaxed.report.objective, gap, spent + proved.report.runtime_s)
    return replace(proved, report=replace(proved.report, runtime_s=spent + proved.report.runtime_s))


def _read_off(program: LinearProgram, relaxed: Solution, years: int) -> Solution | None:
    """Return the cheapest plan among those in which each option starts once its relaxed share exceeds a threshold.

    A low threshold starts early and meets targets, a high one spares budgets; with the starts fixed only a small linear program
    is left for the contracts. The last one starts nothing.
    """
    shares = np.maximum.accumulate(relaxed.x[program.integer].reshape(-1, years), axis=1)
    fixed = replace(program, integer=np.zeros_like(program.integer))
    solver = Kept(fixed)
    best: Solution | None = None
    for threshold in THRESHOLDS:
        starts = np.clip(
            (shares > threshold).astype(np.float64).ravel(),
            program.lower[program.integer],
            program.upper[program.integer],
        )
        lower, upper = program.lower.copy(), program.upper.copy()
        lower[program.integer] = upper[program.integer] = starts
        found = solver.solve(replace(fixed, lower=lower, upper=upper))
        if found.report.status.has_answer and (best is None or found.report.objective < best.report.objective):
            best = found
    return best


def _rounded(
    program: LinearProgram, relaxed: Solution, years: int, time_limit_s: float, start: Solution | None
) -> Solution | None:
    """Return the best plan near the relaxed one: a start may move `WINDOW` years from where the relaxed plan has no doubt."""
    near = relaxed.x[program.integer].reshape(-1, years)
    sure_on = np.zeros_like(near, dtype=bool)
    sure_off = np.zeros_like(near, dtype=bool)
    for around in range(-WINDOW, WINDOW + 1):
        moved = np.clip(np.arange(years) + around, 0, years - 1)
        sure_on |= near[:, moved] < 1 - DOUBT
        sure_off |= near[:, moved] > DOUBT
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[program.integer] = np.where(sure_on.ravel(), lower[program.integer], np.maximum(lower[program.integer], 1.0))
    upper[program.integer] = np.where(sure_off.ravel(), upper[program.integer], np.minimum(upper[program.integer], 0.0))
    smaller = replace(program, lower=lower, upper=np.maximum(lower, upper))
    solver = Kept(smaller, mip_rel_gap=ROUNDING_GAP, time_limit=max(time_limit_s, 1.0))
    found = solver.solve(start=start.x if start else None)
    return found if found.report.status.has_answer else start


def _told(found: Solution, bound: float, gap: float, runtime_s: float) -> Solution:
    """Return an answer with the bound of another program that it also answers."""
    report: SolveReport = found.report
    apart = gap_fraction(report.objective, bound)
    status = SolveStatus.OPTIMAL if apart <= gap else SolveStatus.FEASIBLE
    return replace(found, report=replace(report, status=status, bound=bound, gap_fraction=apart, runtime_s=runtime_s))
