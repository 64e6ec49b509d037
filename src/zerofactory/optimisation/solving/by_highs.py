"""Solve by HiGHS (MIT; Huangfu and Hall 2018, doi 10.1007/s12532-017-0130-5): whole variables, second opinions, warm starts.

One thread and a fixed seed: the same program gives the same answer. `Kept` holds a solver across solves: it passes on only what
changed and starts from the last basis.
"""

from __future__ import annotations

import time
from typing import Any

import highspy
import numpy as np

from zerofactory.errors import Misuse
from zerofactory.optimisation.solving.linear import Floats, LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveReport, SolveStatus, gap_fraction

NAME = f"highs {highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}.{highspy.HIGHS_VERSION_PATCH}"
STATUS = {
    highspy.HighsModelStatus.kOptimal: SolveStatus.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: SolveStatus.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: SolveStatus.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: SolveStatus.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: SolveStatus.LIMIT,
    highspy.HighsModelStatus.kIterationLimit: SolveStatus.LIMIT,
}
BIG = highspy.kHighsInf


class Kept:
    """A HiGHS solver that keeps a program and its basis; give it changed programs of the same structure.

    Parameters
    ----------
    options : str, number or flag by the name HiGHS gives it.
    """

    def __init__(self, program: LinearProgram, **options: str | float | bool) -> None:
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        given: dict[str, str | float | bool] = {"output_flag": False, "threads": 1, "random_seed": 0, **options}
        for name, value in given.items():
            if self._highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise Misuse(f"HiGHS does not take the option {name}={value}")
        self._program = program
        self._highs.passModel(_model(program))

    def solve(self, program: LinearProgram | None = None, start: Floats | None = None) -> Solution:
        """Return the answer to the program, or to a changed one of the same structure.

        ``start`` is a point known to keep every row; a search for whole variables begins with it.
        """
        if program is not None and program is not self._program:
            self._pass_on(program)
        if start is not None:
            known = highspy.HighsSolution()
            known.col_value = start.tolist()
            self._highs.setSolution(known)
        started = time.perf_counter()
        self._highs.run()
        return self._answer(started)

    def _pass_on(self, new: LinearProgram) -> None:
        old, highs = self._program, self._highs
        if new.size != old.size or new.indices is not old.indices:
            raise Misuse("the program given has another structure")
        cost = np.flatnonzero(new.cost != old.cost).astype(np.int32)
        if len(cost):
            highs.changeColsCost(len(cost), cost, new.cost[cost])
        bound = np.flatnonzero((new.lower != old.lower) | (new.upper != old.upper)).astype(np.int32)
        if len(bound):
            highs.changeColsBounds(len(bound), bound, _limited(new.lower[bound]), _limited(new.upper[bound]))
        sides = np.flatnonzero((new.row_lower != old.row_lower) | (new.row_upper != old.row_upper))
        if len(sides):
            low, high = _limited(new.row_lower[sides]), _limited(new.row_upper[sides])
            highs.changeRowsBounds(len(sides), sides.astype(np.int32), low, high)
        entries = np.flatnonzero(new.values != old.values)
        if len(entries):
            places = new.places
            for entry in entries:
                highs.changeCoeff(int(new.indices[entry]), int(places[entry]), float(new.values[entry]))
        self._program = new

    def _answer(self, started: float) -> Solution:
        highs, program = self._highs, self._program
        status = STATUS.get(highs.getModelStatus(), SolveStatus.FAILED)
        if highs.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            status = self._decided()
        info = highs.getInfo()
        if (
            status is SolveStatus.LIMIT
            and info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        ):
            status = SolveStatus.FEASIBLE
        runtime_s = time.perf_counter() - started
        if not status.has_answer:
            return _without(program, status, runtime_s)
        found = highs.getSolution()
        x = np.asarray(found.col_value, dtype=np.float64)
        y = np.zeros(len(program.row_lower)) if program.is_integer else np.asarray(found.row_dual, dtype=np.float64)
        reduced = np.zeros(len(x)) if program.is_integer else program.priced(y)
        objective = float(program.cost @ x)
        bound = float(info.mip_dual_bound) if program.is_integer else float(info.objective_function_value)
        iterations = int(info.mip_node_count) if program.is_integer else int(info.simplex_iteration_count)
        report = SolveReport(
            status, objective, bound, gap_fraction(objective, bound), runtime_s, NAME, iterations, *program.size
        )
        return Solution(program, report, x, y, reduced)

    def _decided(self) -> SolveStatus:
        """Ask again without presolve, which does not tell infeasible from unbounded."""
        self._highs.setOptionValue("presolve", "off")
        self._highs.run()
        self._highs.setOptionValue("presolve", "choose")
        return STATUS.get(self._highs.getModelStatus(), SolveStatus.FAILED)


def solve(
    program: LinearProgram, gap: float = 1e-6, time_limit_s: float | None = None, method: str = "choose"
) -> Solution:
    """Return the answer to a program; ``method`` is HiGHS's own name: choose, simplex, ipm."""
    options: dict[str, str | float | bool] = {"solver": method, "mip_rel_gap": gap}
    if method == "ipm":
        options["run_crossover"] = "off"
    if time_limit_s is not None:
        options["time_limit"] = time_limit_s
    return Kept(program, **options).solve()


def _limited(values: Floats) -> Floats:
    return np.clip(values, -BIG, BIG)


def _model(program: LinearProgram) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_row_, model.num_col_, _ = program.size
    model.col_cost_ = program.cost
    model.col_lower_, model.col_upper_ = _limited(program.lower), _limited(program.upper)
    model.row_lower_, model.row_upper_ = _limited(program.row_lower), _limited(program.row_upper)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = program.starts.astype(np.int32)
    model.a_matrix_.index_ = program.indices.astype(np.int32)
    model.a_matrix_.value_ = program.values
    if program.is_integer:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(whole)] for whole in program.integer]
    return model


def _without(program: LinearProgram, status: SolveStatus, runtime_s: float) -> Solution:
    nan = float("nan")
    report = SolveReport(status, nan, nan, nan, runtime_s, NAME, 0, *program.size)
    rows, columns, _ = program.size
    return Solution(program, report, np.full(columns, nan), np.full(rows, nan), np.full(columns, nan))
