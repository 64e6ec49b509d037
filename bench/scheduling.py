"""Flexible job shops in a given time: ours, plain CP-SAT and PyJobShop on the same instance one after the other, and the best known.

Instances stand in ``../shared/data/scheduling/fjsp`` (ZF_DATA), further .fjs files in the folder that ZF_FJSP names. PyJobShop runs
from the environment of `make peers` (or the interpreter in ZF_PEERS). ZF_BENCH_SECONDS sets the time of each solve (60), and
ZF_BENCH_INSTANCES picks some by name. The gap is over the best known makespan; ``*`` marks what a tool proved itself.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.clock import Parts, apart

HERE = Path(__file__).resolve().parent
WORKERS = 2
# Upper bounds of instances that the shared set does not hold, as SchedulingLab/fjsp-instances (MIT) has them; Brandimarte 1993.
KNOWN = {"mk06": 58, "mk07": 139, "mk08": 523, "mk09": 307, "mk10": 197}
Told = tuple[float | None, float | None, float]


def ours(parts: Parts, path: str, seconds: float) -> Told:
    """Solve by this package."""
    from zerofactory.optimisation.scheduling.fjs import parse
    from zerofactory.optimisation.scheduling.solve import Options, solve

    answer = solve(parse(Path(path).read_text(encoding="utf-8")), Options(seconds, WORKERS))
    return answer.objective, answer.bound, answer.runtime_s


def plain(parts: Parts, path: str, seconds: float) -> Told:
    """Solve by CP-SAT alone: intervals, no overlap, makespan; no start, nothing of ours but the reader."""
    import time

    from ortools.sat.python import cp_model

    from zerofactory.optimisation.scheduling.fjs import parse

    problem = parse(Path(path).read_text(encoding="utf-8"))
    model, on, ends = cp_model.CpModel(), {}, []
    for job in problem.jobs:
        before = None
        for operation in job.operations:
            start, end = (model.new_int_var(0, problem.horizon, "") for _ in range(2))
            chosen = []
            for mode in operation.modes:
                literal = model.new_bool_var("")
                chosen.append(literal)
                work = model.new_optional_interval_var(start, mode.duration_ticks, end, literal, "")
                on.setdefault(mode.machine, []).append(work)
            model.add_exactly_one(chosen)
            if before is not None:
                model.add(start >= before)
            before = end
        ends.append(before)
    for own in on.values():
        model.add_no_overlap(own)
    makespan = model.new_int_var(0, problem.horizon, "")
    model.add_max_equality(makespan, ends)
    model.minimize(makespan)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, WORKERS
    started = time.perf_counter()
    status = solver.solve(model)
    took = time.perf_counter() - started
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return (solver.objective_value if found else None), solver.best_objective_bound, took


def peer(path: Path, seconds: float) -> Told | None:
    """Solve by PyJobShop in the environment of the peers; None where it is not there."""
    python = Path(os.environ.get("ZF_PEERS", HERE.parent / ".peers" / "bin" / "python"))
    if not python.is_file():
        return None
    command = [str(python), str(HERE / "peers" / "pyjobshop_fjsp.py"), str(path), str(seconds), str(WORKERS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  PyJobShop does not run: {done.stderr.strip().splitlines()[-1:]}")
        return None
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return told["makespan"], told["bound"], told["seconds"]


def instances() -> list[tuple[Path, int | None]]:
    """Return instance files with their best known makespans."""
    data = Path(os.environ.get("ZF_DATA", HERE.parents[1] / "shared" / "data")) / "scheduling" / "fjsp"
    known: dict[str, int] = dict(KNOWN)
    if (data / "best_known.csv").is_file():
        with (data / "best_known.csv").open(encoding="utf-8") as file:
            known |= {row["instance"]: int(row["best_known_makespan"]) for row in csv.DictReader(file)}
    folders = [data / "instances", *(Path(one) for one in [os.environ.get("ZF_FJSP", "")] if one)]
    wanted = os.environ.get("ZF_BENCH_INSTANCES", "").split()
    found = []
    for path in sorted(path for folder in folders for path in folder.glob("*.fjs")):
        short = path.stem.split("_")[-1] if path.stem.startswith("brandimarte_") else path.stem
        if not wanted or short in wanted:
            found.append((path, known.get(short)))
    return found


def _cell(told: Told | None, best: int | None) -> str:
    if told is None or told[0] is None:
        return f"{'–':>22}"
    value, bound, seconds = told
    proved = "*" if bound is not None and bound >= value - 1e-6 else " "
    gap = f"{100 * (value / best - 1):5.1f} %" if best else "      –"
    return f"{value:8.0f}{proved}{gap} {seconds:5.1f}s"


def run() -> None:
    """Print a line an instance, and where ours is above a peer."""
    seconds = float(os.environ.get("ZF_BENCH_SECONDS", "60"))
    found = instances()
    print(
        f"scheduling: flexible job shops, {seconds:.0f} s and {WORKERS} workers each; makespan, gap over best known, seconds"
    )
    if not found:
        print("  skipped: no instances (ZF_DATA)")
        return
    print(f"  {'instance':<14}{'best known':>10}{'ours':>22}{'plain CP-SAT':>22}{'PyJobShop':>22}")
    worse, rows = [], 0
    for path, best in found:
        mine: Any = apart(ours, str(path), seconds).result
        alone: Any = apart(plain, str(path), seconds).result
        other = peer(path, seconds)
        print(
            f"  {path.stem[-13:]:<14}{best or '–':>10}{_cell(mine, best)}{_cell(alone, best)}{_cell(other, best)}",
            flush=True,
        )
        rows += 1
        rivals = [told[0] for told in (alone, other) if told is not None and told[0] is not None]
        if rivals and (mine[0] is None or mine[0] > min(rivals)):
            worse.append(path.stem)
    print(
        f"  at or under both peers on {rows - len(worse)} of {rows}"
        + (f"; above on {', '.join(worse)}" if worse else "")
    )


if __name__ == "__main__":
    sys.exit(run())
