"""Solving: answers equal what trying out everything gives; bounds never lie above; fronts, re-planning, faults."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from tests.optimisation.scheduling_cases import at_random, best_by_trying, two_jobs

from zerofactory.errors import FaultyData
from zerofactory.optimisation.scheduling import cp, time_indexed
from zerofactory.optimisation.scheduling.by_energy import plain_bound
from zerofactory.optimisation.scheduling.check import check
from zerofactory.optimisation.scheduling.faults import faults
from zerofactory.optimisation.scheduling.fjs import parse
from zerofactory.optimisation.scheduling.front import front
from zerofactory.optimisation.scheduling.problem import (
    Goal,
    Job,
    Link,
    Machine,
    Measure,
    Mode,
    Operation,
    ScheduleProblem,
    Step,
    Window,
)
from zerofactory.optimisation.scheduling.replan import Breakdown, Change, changed_problem, pushed, replan
from zerofactory.optimisation.scheduling.solve import Options, solve

QUICK = Options(3.0, repeatable=True)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("measure", ["makespan_ticks", "cost_cny", "carbon_gco2e"])
def test_a_small_problem_is_solved_as_well_as_by_trying_everything(seed: int, measure: Measure) -> None:
    problem = replace(at_random(seed), goal=Goal.of(measure))
    best = best_by_trying(problem)
    answer = solve(problem, QUICK)
    if best is None:
        assert answer.schedule is None
        return
    assert answer.objective == pytest.approx(best, abs=1e-6)
    assert answer.bound is None or answer.bound <= best + 1e-6
    assert answer.check is not None
    assert answer.check.passed
    if measure != "makespan_ticks":
        bound = plain_bound(problem)
        assert bound is None or bound <= best + 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_lateness_is_as_small_as_by_trying_everything(seed: int) -> None:
    problem = replace(at_random(seed), goal=Goal({"tardiness_ticks": 1.0, "makespan_ticks": 0.01}))
    best = best_by_trying(problem)
    answer = solve(problem, QUICK)
    assert (answer.objective is None and best is None) or answer.objective == pytest.approx(best)


def test_the_program_proves_what_it_says() -> None:
    problem = replace(two_jobs(), goal=Goal.of("cost_cny"))
    proof = time_indexed.prove(problem, 30.0, nodes=1000)
    assert proof.bound == pytest.approx(best_by_trying(problem))
    answer = solve(problem, QUICK)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(proof.bound)


def test_a_limit_is_kept_and_an_impossible_one_is_said_to_be() -> None:
    problem = replace(two_jobs(), goal=Goal.of("cost_cny", makespan_ticks=8))
    answer = solve(problem, QUICK)
    assert answer.schedule is not None
    assert answer.schedule.measures.makespan_ticks <= 8
    none = solve(replace(problem, goal=Goal.of("cost_cny", makespan_ticks=5)), QUICK)
    assert none.status == "infeasible"


def test_a_front_falls_and_no_point_is_beaten() -> None:
    points = front(two_jobs(), ("makespan_ticks", "cost_cny"), 4, Options(8.0, repeatable=True))
    assert len(points) >= 2
    assert points[0].first == 6
    assert all(a.first < b.first and a.second > b.second for a, b in pairwise(points))


def test_power_in_steps_and_a_power_limit_are_kept() -> None:
    mode = Mode("m", 2, steps=(Step(1, 60.0), Step(1, 10.0)))
    jobs = tuple(Job(name, (Operation(f"{name}1", (replace(mode, machine=name),)),)) for name in ("m", "n"))
    problem = ScheduleProblem((Machine("m"), Machine("n")), jobs, horizon_ticks=6, power_limit_kw=75.0)
    answer = solve(problem, QUICK)
    assert answer.objective == 4  # by the highest power of a mode, told as such; one tick apart would do in steps
    assert answer.check is not None
    assert answer.check.passed


def test_a_breakdown_moves_little_and_nothing_that_has_begun() -> None:
    problem = parse("3 2\n2 1 1 4 1 2 4\n2 1 1 3 1 2 3\n2 2 1 2 2 3 1 2 2\n")
    problem = replace(problem, horizon_ticks=40)
    first = solve(problem, QUICK)
    assert first.schedule is not None
    change = Change(5, (Breakdown("M2", 5, 9),), 0, 0.5)
    new, answer = replan(problem, first.schedule.tasks, change, QUICK)
    assert answer.schedule is not None
    assert check(answer.schedule).passed
    begun = {task.operation: (task.mode, task.start) for task in first.schedule.tasks if task.operation in new.fixed}
    assert begun
    assert all(
        (answer.schedule.task[name].mode, answer.schedule.task[name].start) == was for name, was in begun.items()
    )
    for task in answer.schedule.by_machine["M2"]:
        assert task.operation in new.fixed or task.start >= 9 or answer.schedule.end(task) <= 5
    later = pushed(new, first.schedule.tasks)
    assert later is not None
    steady = solve(replace(new, goal=Goal({"changes": 1.0})), QUICK)
    assert steady.schedule is not None
    assert steady.schedule.measures.changes <= answer.schedule.measures.changes


def test_an_operation_cut_off_by_a_breakdown_is_done_anew() -> None:
    problem = replace(parse("1 1\n1 1 1 5\n"), horizon_ticks=20)
    first = solve(problem, QUICK)
    assert first.schedule is not None
    new = changed_problem(problem, first.schedule.tasks, Change(2, (Breakdown("M1", 2, 6),)))
    assert new.fixed == {}
    _, answer = replan(problem, first.schedule.tasks, Change(2, (Breakdown("M1", 2, 6),)), QUICK)
    assert answer.schedule is not None
    assert answer.schedule.task["J1-1"].start == 6


def test_cp_keeps_set_ups_in_shifts() -> None:
    machine = Machine("m", (Window(0, 4), Window(5, 12)), {("x", "y"): 1, ("y", "x"): 1}, first_family="x")
    jobs = tuple(Job(f"{n}", (Operation(f"{n}", (Mode("m", 2),), family),)) for n, family in enumerate("xyx"))
    problem = ScheduleProblem((machine,), jobs, horizon_ticks=12)
    found = cp.solve(problem, cp.Limits(5.0, 1, 1, True))
    assert found.tasks is not None
    assert found.is_optimal
    assert found.bound == 8.0  # x x to 4, then the set-up and y in the second shift


def told(problem: ScheduleProblem) -> set[str]:
    return {one.code.removeprefix("schedule.") for one in faults(problem)}


def test_every_fault_is_told_at_once() -> None:
    jobs = (
        Job("A", (Operation("A1", ()), Operation("A2", (Mode("laser", 2),)))),
        Job("A", (Operation("B1", (Mode("press", 0),)),)),
    )
    problem = ScheduleProblem((Machine("press", (Window(4, 2),)),), jobs, links=(Link("A1", "Z"),), goal=Goal.of("cost_cny"))  # fmt: skip
    assert told(problem) >= {
        "no_machine",
        "unknown_machine",
        "repeated",
        "figure",
        "window",
        "unknown_operation",
        "no_signals",
    }
    with pytest.raises(FaultyData) as caught:
        solve(problem)
    assert len(caught.value.problems) >= 7


def test_a_cycle_is_shown_as_it_runs() -> None:
    problem = two_jobs(links=(Link("A2", "B1"), Link("B2", "A1")))
    found = [one for one in faults(problem) if one.code == "schedule.cycle"]
    assert len(found) == 1
    assert "A1 → A2 → B1 → B2 → A1" in found[0].message.en


def test_demand_above_capacity_names_the_smallest_clash() -> None:
    operations = {"big": 7, "middle": 5, "small": 1}
    jobs = tuple(Job(name, (Operation(f"{name}1", (Mode("m", ticks),)),), due_tick=10, due_is_hard=True) for name, ticks in operations.items())  # fmt: skip
    problem = ScheduleProblem((Machine("m"), Machine("n")), jobs, horizon_ticks=40)
    found = [one for one in faults(problem) if one.code == "schedule.over_capacity"]
    assert len(found) == 1
    assert "2 operations (big1, middle1)" in found[0].message.en
    assert "need 12 ticks, there are 10" in found[0].message.en


def test_a_shift_too_short_and_a_due_date_too_near_are_told() -> None:
    assert "window_short" in told(two_jobs(machines=(Machine("press", (Window(0, 1), Window(2, 3))), Machine("weld"))))
    job = replace(two_jobs().jobs[0], due_tick=4, due_is_hard=True)
    assert "no_time" in told(two_jobs(jobs=(job,)))


def test_a_faulty_fjs_names_its_lines() -> None:
    with pytest.raises(FaultyData) as caught:
        parse("2 2\n1 1 3 4\n2 1 1 x\n", "bad.fjs")
    assert {(one.file, one.row) for one in caught.value.problems} == {("bad.fjs", 2), ("bad.fjs", 3)}
