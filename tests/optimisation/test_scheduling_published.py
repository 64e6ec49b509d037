"""Published optima of flexible job shops: Fattahi, Kacem, Hurink and Brandimarte, proved or reached."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from zerofactory.optimisation.scheduling.fjs import parse
from zerofactory.optimisation.scheduling.solve import Options, solve

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ZF_DATA") or ROOT / ".." / "shared" / "data") / "scheduling" / "fjsp"
WORK = 12.0  # units of work: counted, not timed, so that the answer is the same on every machine
PROVED = ("fattahi1", "fattahi3", "fattahi4", "fattahi5", "fattahi6", "fattahi8", "fattahi10", "kacem1", "kacem2", "kacem3", "la01_edata", "la05_edata", "mk01", "mk03")  # fmt: skip


def published() -> dict[str, int]:
    if not (DATA / "best_known.csv").is_file():
        pytest.skip(f"{DATA} is not here (folder in ZF_DATA)")
    with (DATA / "best_known.csv").open(encoding="utf-8") as file:
        return {row["instance"]: int(row["best_known_makespan"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", PROVED)
def test_a_closed_instance_is_proved_at_its_published_optimum(name: str) -> None:
    best = published()[name]
    problem = parse((DATA / "instances" / f"{name}.fjs").read_text(encoding="utf-8"), name)
    answer = solve(problem, Options(WORK, repeatable=True))
    assert answer.status == "optimal"
    assert (answer.objective, answer.bound) == (best, best)
    assert answer.check is not None
    assert answer.check.passed


@pytest.mark.parametrize(("name", "over"), [("mk02", 1.04), ("mk04", 1.04)])
def test_a_harder_instance_comes_near_its_optimum_and_tells_its_gap(name: str, over: float) -> None:
    best = published()[name]
    problem = parse((DATA / "instances" / f"{name}.fjs").read_text(encoding="utf-8"), name)
    answer = solve(problem, Options(WORK / 4, repeatable=True))
    assert answer.objective is not None
    assert answer.bound is not None
    assert best <= answer.objective <= over * best
    assert answer.bound <= best
    assert answer.gap_fraction == pytest.approx((answer.objective - answer.bound) / answer.objective)


def test_a_repeatable_solve_repeats() -> None:
    problem = parse((DATA / "instances" / "fattahi9.fjs").read_text(encoding="utf-8")) if published() else None
    assert problem is not None
    first, second = (solve(problem, Options(2.0, repeatable=True)) for _ in range(2))
    assert first.schedule is not None
    assert second.schedule is not None
    assert first.schedule.tasks == second.schedule.tasks
