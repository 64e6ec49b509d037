"""The carbon-aware permutation flow shop beside its published figures, and CP-SAT on the same instance in the same run.

Instances (github ugent-isye/CAS-PFSP, GPL-3.0) are fetched, never shipped: the folder with ``Data`` and ``Results`` is named in ZF_CAS,
or stands as ``scheduling/CAS-PFSP`` in the data folder. One machine and one day are proved by the time-indexed program; the others run
as long as the published memetic algorithm did (ZF_BENCH_SECONDS sets another time). The compiled search is warmed up before.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from bench.carbon_peer import plain
from bench.clock import apart
from zerofactory.optimisation.scheduling.cas_file import read
from zerofactory.optimisation.scheduling.flow_check import check
from zerofactory.optimisation.scheduling.flow_exact import bound, prove
from zerofactory.optimisation.scheduling.flow_search import Effort, search
from zerofactory.optimisation.scheduling.flow_shop import FlowShop

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ZF_DATA") or ROOT.parent / "shared" / "data")
FOLDER = Path(os.environ.get("ZF_CAS") or DATA / "scheduling" / "CAS-PFSP")
PROVED, SEARCHED = 5, {"M1T3": 3, "M3T1": 3, "M3T3": 3}
CARBON, SECONDS, FAR = "average object MA - carbon", "average time MA-carbon", "object CPLEX 1800"


def rows_of(family: str) -> list[dict[str, str]]:
    """Return the published results of a family, in the order of the instances' numbers."""
    with (FOLDER / "Results" / f"results_summary_CAS-PFSP-{family}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return sorted(rows, key=lambda row: int(row["instance"].rsplit("_", 1)[1].removesuffix(".cas")))


def problem_of(family: str, row: dict[str, str]) -> FlowShop:
    """Return an instance."""
    return read(FOLDER / "Data" / f"CAS-PFSP-{family}" / row["instance"])


def run() -> None:
    """Print proofs, then searches beside what is published, then CP-SAT."""
    print("Carbon-aware permutation flow shop (CAS-PFSP), gCO2e as its files count")
    if not (FOLDER / "Results").is_dir():
        print(f"  skipped: {FOLDER} is not here (fetch github ugent-isye/CAS-PFSP; folder in ZF_CAS)")
        return
    search(problem_of("M1T1", rows_of("M1T1")[0]), Effort(50))
    for row in rows_of("M1T1")[:PROVED]:
        _proof(row)
    for family, count in SEARCHED.items():
        ratios = [_searched(family, row) for row in rows_of(family)[:count]]
        print(f"  {family}: mean of ours ÷ published memetic mean {float(np.mean(ratios)):.4f} over {count} instances")


def _proof(row: dict[str, str]) -> None:
    problem = problem_of("M1T1", row)
    found = search(problem, Effort(4000))
    proof = prove(problem, 120.0, found.plan)
    told = float(row[FAR])
    same = "to the digit" if proof.is_optimal and round(proof.objective, 3) == round(told, 3) else "DIFFERS"
    print(
        f"  {row['instance']:22} published {told:16,.3f}  ours {proof.objective:16,.3f}  {'proved' if proof.is_optimal else 'open'} {proof.runtime_s:5.1f} s  {same}"
    )


def _searched(family: str, row: dict[str, str]) -> float:
    problem = problem_of(family, row)
    given = float(os.environ.get("ZF_BENCH_SECONDS") or row[SECONDS])
    found = search(problem, Effort(seconds=given))
    judged = check(problem, found.plan, found.objective)
    low = bound(problem, 120.0).bound
    mean = float(row[CARBON])
    alone = apart(plain, str(FOLDER / "Data" / f"CAS-PFSP-{family}" / row["instance"]), given).result
    print(
        f"  {row['instance']:22} memetic mean {mean:15,.0f} ({float(row[SECONDS]):4.1f} s)  CPLEX 1800 s {float(row[FAR]):15,.0f}  ours {found.objective:15,.0f} ({given:4.1f} s, {found.moves:,} moves, "
        f"check {'passed' if judged.passed else 'FAILED'})  ours ÷ memetic {found.objective / mean:.4f}  gap to bound {100 * (1 - low / found.objective):.1f} %  CP-SAT {alone}"
    )
    return found.objective / mean


if __name__ == "__main__":
    run()
