"""The check catches what is planted: overlap, broken order, shifts, set-ups, states, buffers, power, and wrong figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.optimisation.scheduling_cases import IDLE, OFF, two_jobs

from zerofactory.optimisation.scheduling.check import check
from zerofactory.optimisation.scheduling.problem import (
    Buffer,
    Job,
    Link,
    Machine,
    Mode,
    Operation,
    ScheduleProblem,
    Signals,
    Window,
)
from zerofactory.optimisation.scheduling.schedule import Schedule, Task, complete

GOOD = (Task("A1", 0, 0), Task("A2", 0, 2), Task("B1", 0, 2), Task("B2", 0, 5))


def codes(schedule: Schedule) -> set[str]:
    return {finding.code.removeprefix("schedule.") for finding in check(schedule).findings}


def moved(problem: ScheduleProblem, operation: str, start: int) -> Schedule:
    return complete(problem, [replace(task, start=start) if task.operation == operation else task for task in GOOD])


def test_a_good_schedule_passes_and_its_figures_are_those_worked_by_hand() -> None:
    schedule = complete(two_jobs(), GOOD)
    found = schedule.measures
    assert check(schedule).passed
    assert found.makespan_ticks == 7
    # press 50 kW in hours 0 and 1, 40 kW in hour 2; weld 20 kW in hours 2 to 4, 30 kW in hours 5 and 6
    assert found.energy_kwh == pytest.approx(50 + 50 + 40 + 60 + 60)
    assert found.cost_cny == pytest.approx(0.4 * (50 + 50 + 60 + 20) + 1.2 * (20 + 30 + 30))
    assert found.carbon_gco2e == pytest.approx(500 * 180 + 700 * 80)
    assert found.peak_kw == 60.0


def test_a_planted_overlap_is_found() -> None:
    assert "overlap" in codes(moved(two_jobs(), "B1", 1))


def test_a_broken_order_and_a_missing_wait_are_found() -> None:
    assert "precedence" in codes(moved(two_jobs(), "A2", 1))
    waits = two_jobs(links=(Link("A1", "A2", 1),))
    assert "precedence" in codes(complete(waits, GOOD))
    assert "hold" in codes(moved(two_jobs(links=(Link("A1", "A2", 0, 1),)), "A2", 7))


def test_work_outside_a_shift_is_found() -> None:
    machines = (Machine("press", (Window(0, 2), Window(4, 12))), Machine("weld"))
    assert "calendar" in codes(complete(two_jobs(machines=machines), GOOD))
    assert "calendar" not in codes(moved(two_jobs(machines=machines), "B1", 4))


def test_a_set_up_left_out_is_an_overlap_and_one_before_the_start_is_found() -> None:
    machines = (Machine("press", (), {("x", "y"): 1}), Machine("weld"))
    assert "overlap" in codes(complete(two_jobs(machines=machines), GOOD))
    first = (Machine("press", (), {("z", "x"): 1}, first_family="z"), Machine("weld"))
    assert "start" in codes(complete(two_jobs(machines=first), GOOD))


def test_a_state_that_does_not_fit_its_gap_is_found() -> None:
    machines = (Machine("press", rests=(IDLE, OFF)), Machine("weld"))
    problem = two_jobs(machines=machines)
    good = moved(problem, "B1", 4)  # a gap of two ticks: off needs three
    assert good.rests == {("press", 2): "idle"}
    assert check(good).passed
    assert "state" in codes(Schedule(problem, good.tasks, {("press", 2): "off"}))
    assert "state" in codes(Schedule(problem, good.tasks, {}))


def test_a_full_buffer_and_a_power_limit_are_found() -> None:
    store = Buffer("store", 0, (("A1", "A2"), ("B1", "B2")))
    assert "buffer" in codes(complete(two_jobs(buffers=(store,)), GOOD))
    assert "power" in codes(complete(two_jobs(power_limit_kw=55.0), GOOD))
    assert "power" not in codes(complete(two_jobs(power_limit_kw=60.0), GOOD))


def test_an_operation_left_out_or_placed_twice_is_found() -> None:
    assert "count" in codes(complete(two_jobs(), GOOD[:3]))
    assert "count" in codes(complete(two_jobs(), (*GOOD, Task("B2", 0, 9))))


def test_release_hard_due_horizon_and_frozen_are_found() -> None:
    problem = two_jobs()
    late = replace(problem.jobs[1], release_tick=3, due_tick=6, due_is_hard=True)
    assert {"release", "due"} <= codes(complete(two_jobs(jobs=(problem.jobs[0], late)), GOOD))
    assert "horizon" in codes(complete(two_jobs(horizon_ticks=6), GOOD))
    assert "frozen" in codes(complete(two_jobs(fixed={"A1": (0, 1)}), GOOD))


def test_a_wrong_figure_is_found() -> None:
    schedule = complete(two_jobs(), GOOD)
    wrong = replace(schedule.measures, cost_cny=schedule.measures.cost_cny - 1.0)
    schedule.__dict__["measures"] = wrong
    assert codes(schedule) == {"figure"}


def test_sun_export_and_demand_are_counted_as_by_hand() -> None:
    sun, other = np.array([30.0, 30.0, 0.0]), np.array([10.0, 10.0, 10.0])
    signals = Signals(
        1, np.array([1.0, 1.0, 2.0]), np.array([100.0, 200.0, 300.0]), sun, other, 0.5, 10.0, paid_kw=12.0
    )
    job = Job("J", (Operation("J1", (Mode("m", 3, 25.0),)),))
    problem = ScheduleProblem((Machine("m"),), (job,), signals=signals, horizon_ticks=3, tick_s=3600)
    schedule = complete(problem, [Task("J1", 0, 0)])
    # with: 5, 5, 35 kW bought; without: 20, 20 kW sold and 10 kW bought
    expected = (5 * 1 + 5 * 1 + 35 * 2 + 10 * (35 - 12)) - (10 * 2 - 40 * 0.5)
    assert schedule.measures.cost_cny == pytest.approx(expected)
    assert schedule.measures.carbon_gco2e == pytest.approx(5 * 100 + 5 * 200 + 35 * 300 - 10 * 300)
    assert check(schedule).passed
