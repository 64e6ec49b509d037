"""Flow shops: the best of all plans on small ones, proofs, bounds, planted violations, faults told before solving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.optimisation.flow_cases import best_by_trying, car_line, every_plan, shop, signals, stage, unit

from zerofactory.errors import FaultyData
from zerofactory.optimisation.scheduling.cas_file import parse
from zerofactory.optimisation.scheduling.flow_check import check
from zerofactory.optimisation.scheduling.flow_exact import _program, bound, is_exact, prove, safe_bound
from zerofactory.optimisation.scheduling.flow_faults import faults
from zerofactory.optimisation.scheduling.flow_plan import load_rows, measures, schedule_rows, unit_kw
from zerofactory.optimisation.scheduling.flow_search import Effort, as_it_comes, search, timing
from zerofactory.optimisation.scheduling.flow_shop import Aim, FlowPlan, FlowShop, Lot, SequenceRule, Task
from zerofactory.optimisation.scheduling.problem import Signals, Window
from zerofactory.optimisation.scheduling.schedule import SCHEDULE
from zerofactory.optimisation.solving.solver import solve

QUICK = Effort(moves=1500)


@pytest.mark.parametrize("seed", range(4))
def test_one_machine_with_rests_is_as_good_as_the_best_of_all_plans(seed: int) -> None:
    problem = shop(1, 3, 13, seed, rests=True)
    found = search(problem, QUICK)
    assert found.objective == pytest.approx(best_by_trying(problem), rel=1e-9)
    assert measures(problem, found.plan).objective == pytest.approx(found.objective, rel=1e-9)
    assert check(problem, found.plan).passed


@pytest.mark.parametrize("seed", range(3))
def test_two_machines_are_as_good_as_the_best_of_all_plans(seed: int) -> None:
    problem = shop(2, 3, 10, seed)
    assert search(problem, QUICK).objective == pytest.approx(best_by_trying(problem), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_times_of_one_line_are_the_best_for_its_order(seed: int) -> None:
    problem = shop(1, 3, 13, seed, rests=True)
    same = [one for one in every_plan(problem) if one.order == ("L2", "L0", "L1")]
    timed = timing(problem, same[0])
    least = min(measures(problem, one).objective for one in same)
    assert timed.order == same[0].order
    assert measures(problem, timed).objective == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_program_with_whole_variables_proves_the_best(seed: int) -> None:
    problem = shop(1, 4, 12, seed)
    assert is_exact(problem)
    proof = prove(problem, 30.0)
    assert proof.is_optimal
    assert proof.plan is not None
    assert proof.objective == pytest.approx(best_by_trying(problem), rel=1e-9)
    assert check(problem, proof.plan, proof.objective).passed


@pytest.mark.parametrize(("stages", "rests"), [(1, True), (2, False), (2, True)])
def test_no_plan_beats_the_bound(stages: int, rests: bool) -> None:
    for seed in range(3):
        problem = shop(stages, 2, 11, seed, rests=rests)
        assert bound(problem).bound <= best_by_trying(problem) * (1 + 1e-9)


def test_the_bound_of_a_whole_line_stays_below_the_plan_beside_a_large_plant() -> None:
    problem = car_line()
    beside = replace(problem.signals, onsite_kw=None, other_kw=np.full(60, 60_000.0))
    large = replace(problem, signals=beside)
    found = search(large, Effort(400))
    low = bound(large).bound
    assert 0.5 * found.objective < low <= found.objective


def test_duals_of_any_quality_prove_a_bound() -> None:
    problem = shop(1, 3, 12, 2)
    program, _ = _program(problem, whole=False)
    solved = solve(program)
    least = solved.report.objective
    rng = np.random.default_rng(1)
    for spread in (0.0, 0.1, 1.0):
        spoilt = solved.row_duals * (1.0 + spread * rng.uniform(-1.0, 1.0, len(solved.row_duals)))
        assert safe_bound(program, spoilt) <= least * (1 + 1e-7)
    assert safe_bound(program, solved.row_duals) == pytest.approx(least, rel=1e-5)


def test_warming_up_is_part_of_the_bound_where_every_kilowatt_is_bought() -> None:
    problem = shop(1, 2, 11, 7, rests=True)
    bought = replace(problem, signals=replace(problem.signals, onsite_kw=None))
    cold = replace(bought, stages=(replace(bought.stages[0], units=(unit("s0u"),)),))
    assert bound(bought).bound > bound(cold).bound
    assert bound(bought).bound <= best_by_trying(bought)


def test_work_goes_to_the_clean_hours_and_a_deadline_keeps_it_from_them() -> None:
    clean_late = Signals(1, np.ones(8), np.array([900.0] * 6 + [100.0] * 2))
    lot = Lot("A", (Task((40.0, 40.0)),))
    problem = FlowShop((stage("s"),), (lot,), clean_late)
    assert search(problem, QUICK).plan.visits[0].start_slot == 6
    assert measures(problem, search(problem, QUICK).plan).carbon_gco2e == pytest.approx(2 * 40.0 * 0.25 * 100.0)
    bound_early = replace(problem, lots=(replace(lot, deadline_slot=5),))
    assert search(bound_early, QUICK).plan.visits[0].end_slot <= 5


def test_sun_is_used_before_the_grid() -> None:
    sunny = Signals(1, np.ones(6), np.full(6, 500.0), np.array([0.0, 0.0, 0.0, 100.0, 100.0, 0.0]), np.full(6, 30.0))
    problem = FlowShop((stage("s"),), (Lot("A", (Task((70.0, 90.0)),)),), sunny)
    found = search(problem, QUICK)
    assert found.plan.visits[0].start_slot == 3
    assert measures(problem, found.plan).carbon_gco2e == pytest.approx(20.0 * 0.25 * 500.0)


def test_a_machine_goes_off_over_a_long_gap_and_idles_over_a_short_one() -> None:
    for slots, expected in ((5, "idle"), (16, "off")):
        dirty = np.full(slots, 5000.0)
        dirty[:4] = dirty[-1] = 1.0
        lots = tuple(Lot(name, (Task((50.0,)),)) for name in "AB")
        problem = replace(shop(1, 2, 11, 1, rests=True), lots=lots, signals=Signals(1, np.ones(slots), dirty))
        lots_at = (replace(lots[0], deadline_slot=3), replace(lots[1], release_slot=slots - 1))
        found = search(replace(problem, lots=lots_at), QUICK).plan
        assert found.visits[1].rest == expected


def test_the_answer_repeats_and_is_never_worse_than_its_start() -> None:
    problem = car_line()
    start = as_it_comes(problem)
    first, second = (search(problem, Effort(300), start) for _ in range(2))
    assert first.plan == second.plan
    assert first.objective <= measures(problem, start).objective
    assert search(problem, Effort(1), first.plan).objective <= first.objective * (1 + 1e-9)


def test_the_line_with_everything_passes_its_check_and_betters_the_start() -> None:
    problem = car_line()
    start, found = as_it_comes(problem), search(problem, Effort(800))
    own = measures(problem, found.plan)
    assert check(problem, start).passed
    assert check(problem, found.plan, own.carbon_gco2e, own.cost_cny).passed
    assert own.objective < measures(problem, start).objective
    assert own.setups < measures(problem, start).setups
    assert not own.late


def test_schedule_load_and_measures_hold_the_same_energy() -> None:
    problem = car_line()
    plan = search(problem, Effort(100)).plan
    rows = schedule_rows(problem, plan)
    assert not SCHEDULE.check(rows)
    told = measures(problem, plan).energy_kwh
    assert rows["energy_wh"].sum() / 1000.0 == pytest.approx(told, abs=0.1)
    assert load_rows(problem, plan, datetime(2025, 1, 1, tzinfo=UTC))["energy_wh"].sum() / 1000.0 == pytest.approx(told, abs=0.1)  # fmt: skip
    assert sum(float(power.sum()) for power in unit_kw(problem, plan).values()) * 0.25 == pytest.approx(told)


def _changed(plan: FlowPlan, place: int, **given: object) -> FlowPlan:
    visits = list(plan.visits)
    visits[place] = replace(visits[place], **given)  # type: ignore[arg-type]
    return replace(plan, visits=tuple(visits))


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("overlap", lambda p: _changed(p, 1, start_slot=p.visits[0].start_slot, end_slot=p.visits[0].end_slot)),
        ("passage", lambda p: _changed(p, len(p.visits) - 1, start_slot=0, end_slot=2)),
        ("length", lambda p: _changed(p, 0, end_slot=p.visits[0].end_slot + 1)),
        ("unit", lambda p: _changed(p, 0, unit="paint1")),
        ("rest", lambda p: _changed(p, 2, rest="asleep")),
        ("shift", lambda p: _changed(p, 7, start_slot=44, end_slot=46)),
        ("wait", lambda p: _changed(p, len(p.visits) - 1, start_slot=57, end_slot=59)),
        ("visits", lambda p: replace(p, visits=p.visits[1:])),
        ("order", lambda p: replace(p, order=(*p.order[1:], p.order[0]))),
    ],
)
def test_a_planted_violation_is_caught(code: str, spoil: object) -> None:
    problem = car_line()
    plan = as_it_comes(problem)
    wrong = check(problem, spoil(plan))  # type: ignore[operator]
    assert f"flow_check.{code}" in {one.code for one in wrong.problems}


def test_an_overfull_store_a_missed_deadline_and_a_wrong_figure_are_caught() -> None:
    problem = car_line()
    plan = as_it_comes(problem)
    tight = replace(problem, stages=(replace(problem.stages[0], store_lots=0), *problem.stages[1:]))
    waits = [k for k, one in enumerate(plan.visits) if one.lot == "L7" and one.stage != "press"]
    for k in waits:
        plan = _changed(plan, k, start_slot=plan.visits[k].start_slot + 1, end_slot=plan.visits[k].end_slot + 1)
    assert check(problem, plan).passed
    assert {one.code for one in check(tight, plan).problems} == {"flow_check.store"}
    early = replace(problem, lots=(replace(problem.lots[0], deadline_slot=3), *problem.lots[1:]))
    assert "flow_check.deadline" in {one.code for one in check(early, plan).problems}
    late = replace(problem, lots=(replace(problem.lots[0], release_slot=30), *problem.lots[1:]))
    assert "flow_check.release" in {one.code for one in check(late, plan).problems}
    own = measures(problem, plan)
    codes = [one.code for one in check(problem, plan, own.carbon_gco2e + 1.0, own.cost_cny + 1.0).problems]
    assert codes == ["flow_check.figure", "flow_check.figure"]


def test_lots_that_come_in_later_skip_the_stages_done() -> None:
    problem = car_line()
    inside = replace(problem.lots[0], tasks=(Task(()), Task((), "blue"), problem.lots[0].tasks[2]), entry=2)
    mixed = replace(problem, lots=(inside, *problem.lots[1:]))
    found = search(mixed, Effort(200))
    assert check(mixed, found.plan).passed
    assert [one.stage for one in found.plan.visits if one.lot == "L0"] == ["final"]


def test_levelling_spreads_variants_and_keeps_rules() -> None:
    problem = car_line()
    lots = tuple(replace(lot, due_slot=None, options=("big",) if k < 4 else ()) for k, lot in enumerate(problem.lots))
    level = replace(problem, lots=lots, aim=Aim(0.0, 0.0, spread=1.0, rule=1000.0), rules=(SequenceRule("big", 1, 2),))
    found = search(level, Effort(1500))
    own = measures(level, found.plan)
    assert own.broken_rules == 0
    assert own.spread == pytest.approx(4 * 2 * 25.0)  # after each odd position one lot of ten is half a lot off, twice
    assert measures(level, as_it_comes(level)).broken_rules > 0


def test_every_fault_is_told_before_solving() -> None:
    problem = car_line()
    nobody = replace(problem.lots[0], tasks=(Task((1.0,), units=("paint1",)), *problem.lots[0].tasks[1:]))
    short = replace(problem.lots[1], tasks=problem.lots[1].tasks[:2])
    found = faults(replace(problem, lots=(nobody, short, problem.lots[2], problem.lots[2])))
    assert {one.code for one in found} == {"flow_shop.no_unit", "flow_shop.tasks", "flow_shop.repeated"}
    gap = replace(problem.signals, intensity_gco2e_per_kwh=np.full(60, np.nan))
    assert [one.code for one in faults(replace(problem, signals=gap))] == ["flow_shop.signal"]


def test_too_little_capacity_names_the_stage_and_the_figures() -> None:
    problem = car_line()
    press = replace(problem.stages[0], units=(unit("press1", windows=(Window(0, 10),)),))
    found = faults(replace(problem, stages=(press, *problem.stages[1:])))
    assert [(one.code, one.message.en) for one in found] == [
        ("flow_shop.capacity", "Stage 'press' needs 16 slots of work for 8 lots and has 10 open.")
    ]
    early = replace(problem.lots[0], deadline_slot=4)
    (told,) = faults(replace(problem, lots=(early, *problem.lots[1:])))
    assert told.code == "flow_shop.deadline"
    assert "slot 9" in told.message.en


def test_lots_that_do_not_fit_together_are_refused() -> None:
    problem = car_line(24)
    assert not faults(problem)
    with pytest.raises(FaultyData, match="do not fit"):
        search(problem, Effort(10))


def test_a_text_that_is_no_instance_is_refused() -> None:
    for text in ("", "hello", "1,1,3\n5,5\n", "1,1,1\n4\nx\n1\n1"):
        with pytest.raises(FaultyData, match="CAS-PFSP"):
            parse(text, "bad.cas")


def test_an_instance_of_several_machines_is_read() -> None:
    text = "2,1,2\n0,0,5,6\n0,1,\n1,0,7\n1,1,8,9\n0,0,0,0,0,0\n1,2,3,4,5,6\n6,5,4,3,2,1\n"
    problem = parse(text, "small.cas")
    assert [[task.power_kw for task in lot.tasks] for lot in problem.lots] == [[(5.0, 6.0), ()], [(7.0,), (8.0, 9.0)]]
    assert problem.slots == 6
    assert signals(6, 1).count == 6
