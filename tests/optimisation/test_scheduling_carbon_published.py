"""The carbon-aware permutation flow-shop set (GPL-3.0, fetched, never shipped): published figures to the digit, means beaten.

Mencaroni, Leyman, Raa, De Vuyst and Claeys 2025, doi 10.1016/j.jclepro.2025.146787; github ugent-isye/CAS-PFSP. The folder (with
``Data`` and ``Results``) is named in ``ZF_CAS``, or stands as ``scheduling/CAS-PFSP`` in the data folder.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from zerofactory.optimisation.scheduling.cas_file import read
from zerofactory.optimisation.scheduling.flow_check import check
from zerofactory.optimisation.scheduling.flow_exact import prove
from zerofactory.optimisation.scheduling.flow_search import Effort, search
from zerofactory.optimisation.scheduling.flow_shop import FlowShop

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ZF_DATA") or ROOT / ".." / "shared" / "data")
FOLDER = Path(os.environ.get("ZF_CAS") or DATA / "scheduling" / "CAS-PFSP")


def instance(family: str, number: int) -> tuple[FlowShop, dict[str, str]]:
    """Return an instance and its row of published results."""
    path = FOLDER / "Data" / f"CAS-PFSP-{family}" / f"CAS-PFSP-{family}_{number}.cas"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here (fetch github ugent-isye/CAS-PFSP; folder in ZF_CAS)")
    with (FOLDER / "Results" / f"results_summary_CAS-PFSP-{family}.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["instance"] == path.name)
    return read(path), row


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_one_machine_one_day_is_proved_at_the_published_optimum(number: int) -> None:
    problem, row = instance("M1T1", number)
    found = search(problem, Effort(4000))
    proof = prove(problem, 120.0, found.plan)
    assert proof.is_optimal
    assert proof.plan is not None
    assert round(proof.objective, 3) == round(float(row["object CPLEX 1800"]), 3)
    assert round(check(problem, proof.plan).carbon_gco2e, 3) == round(float(row["object CPLEX 1800"]), 3)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_search_alone_reaches_the_published_optimum_of_one_day(number: int) -> None:
    problem, row = instance("M1T1", number)
    assert round(search(problem, Effort(40_000)).objective, 3) == round(float(row["object CPLEX 1800"]), 3)


@pytest.mark.parametrize(("family", "number", "moves"), [("M3T1", 1, 4000), ("M3T3", 1, 2000), ("M3T3", 3, 2000)])
def test_several_machines_are_under_the_published_memetic_mean(family: str, number: int, moves: int) -> None:
    problem, row = instance(family, number)
    found = search(problem, Effort(moves))
    judged = check(problem, found.plan, found.objective)
    assert judged.passed
    assert judged.carbon_gco2e < float(row["average object MA - carbon"])
