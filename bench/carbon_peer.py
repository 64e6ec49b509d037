"""The carbon-aware flow shop by CP-SAT alone, for `carbon_scheduling`; in a process of its own (it cannot share one with HiGHS)."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bench.clock import Parts
from zerofactory.optimisation.scheduling.cas_file import read

PEER_SCALE = 1000


def plain(parts: Parts, path: str, seconds: float) -> str:
    """Return what plain CP-SAT finds in the same time: start variables, orders by no-overlap, draw on the grid by slot."""
    from ortools.sat.python import cp_model

    problem = read(Path(path))
    began = time.perf_counter()
    model = cp_model.CpModel()
    slots, stages, lots = problem.slots, len(problem.stages), problem.lots
    at = {}
    for m in range(stages):
        for j, lot in enumerate(lots):
            size = lot.tasks[m].slots
            at[m, j] = [model.new_bool_var("") for _ in range(slots - size + 1)]
            model.add_exactly_one(at[m, j])
    start = {key: sum(s * flag for s, flag in enumerate(flags)) for key, flags in at.items()}
    for j, lot in enumerate(lots):
        for m in range(1, stages):
            model.add(start[m, j] >= start[m - 1, j] + lot.tasks[m - 1].slots)
    for i in range(len(lots)):
        for j in range(i):
            before = model.new_bool_var("")
            for m in range(stages):
                model.add(start[m, j] >= start[m, i] + lots[i].tasks[m].slots).only_enforce_if(before)
                model.add(start[m, i] >= start[m, j] + lots[j].tasks[m].slots).only_enforce_if(before.negated())
    load: list[list[object]] = [[] for _ in range(slots)]
    for (m, j), flags in at.items():
        for s, flag in enumerate(flags):
            for k, power in enumerate(lots[j].tasks[m].power_kw):
                load[s + k].append(round(power) * flag)
    spare = np.floor(problem.spare_kw).astype(int)
    drawn = [model.new_int_var(0, 100_000, "") for _ in range(slots)]
    for t in range(slots):
        model.add(drawn[t] >= sum(load[t]) - int(spare[t]))  # type: ignore[arg-type]
    model.minimize(sum(round(PEER_SCALE * float(problem.weight[t])) * drawn[t] for t in range(slots)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.perf_counter() - began))
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    return (
        f"{solver.objective_value / PEER_SCALE:,.0f}"
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        else "no solution"
    )
