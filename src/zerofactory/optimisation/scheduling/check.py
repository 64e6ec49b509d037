"""The independent check: a schedule judged again from the problem alone, tick by tick, without solver, heuristic or model.

    complete    every operation once, in one of its modes
    overlap     no machine does two things in one tick (set-ups and ramps count)
    calendar    work and set-up lie inside one window; links, releases, hard due dates, buffers, power limit hold
    states      every gap is in a state that fits it, and its energy is the state's
    figures     makespan, tardiness, energy, cost and grams recomputed from the rows of SCHEDULE equal what was said

It reads the rows, not the solver's variables. A schedule with a finding is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.scheduling.problem import Floats, Machine, ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Schedule, Stretch

RELATIVE = 1e-6  # of figures that are sums of floats
ROUNDING_WH = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, where."""

    code: str
    where: str
    message: Text

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"code": self.code, "where": self.where, "message": {"zh": self.message.zh, "en": self.message.en}}


@dataclass(frozen=True, slots=True)
class Check:
    """What the check found; nothing means passed."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the schedule may be shown."""
        return not self.findings


@dataclass(slots=True)
class _Notes:
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: str, where: str, zh: str, en: str) -> None:
        self.findings.append(Finding(f"schedule.{code}", where, Text(zh, en)))


def check(schedule: Schedule) -> Check:
    """Return everything that is wrong with a schedule."""
    notes = _Notes()
    if _complete(schedule, notes):
        _machines(schedule, notes)
        _links(schedule, notes)
        _times(schedule, notes)
        _buffers(schedule, notes)
        _power(schedule, notes)
        _figures(schedule, notes)
    return Check(tuple(notes.findings))


def _complete(schedule: Schedule, notes: _Notes) -> bool:
    wanted = {one.id: len(one.modes) for job in schedule.problem.jobs for one in job.operations}
    seen: dict[str, int] = {}
    for task in schedule.tasks:
        seen[task.operation] = seen.get(task.operation, 0) + 1
        if task.operation not in wanted:
            notes.add(
                "unknown", task.operation, "计划里有题目中没有的工序。", "An operation that the problem does not have."
            )
        elif not 0 <= task.mode < wanted[task.operation]:
            notes.add("mode", task.operation, "用了不存在的方式。", "A mode that does not exist.")
    for name in wanted:
        if seen.get(name, 0) != 1:
            times = seen.get(name, 0)
            notes.add("count", name, f"应排一次, 排了 {times} 次。", f"Should be placed once, is placed {times} times.")
    return not notes.findings


def _machines(schedule: Schedule, notes: _Notes) -> None:
    stretches: dict[str, list[Stretch]] = {machine.id: [] for machine in schedule.problem.machines}
    for one in schedule.stretches:
        stretches[one.machine].append(one)
    for machine in schedule.problem.machines:
        own = sorted(stretches[machine.id], key=lambda one: (one.first, one.last))
        _overlap(machine, own, notes)
        _setups(schedule, machine, own, notes)
        _calendar(machine, own, notes)
        _rests(machine, own, notes)


def _overlap(machine: Machine, own: list[Stretch], notes: _Notes) -> None:
    for first, second in pairwise(own):
        if second.first < first.last:
            a, b = first.operation or first.activity, second.operation or second.activity
            where = f"{machine.id} @ {second.first}"
            notes.add("overlap", where, f"“{a}”与“{b}”重叠 {first.last - second.first} 格。", f"'{a}' and '{b}' overlap by {first.last - second.first} ticks.")  # fmt: skip


def _setups(schedule: Schedule, machine: Machine, own: list[Stretch], notes: _Notes) -> None:
    family = machine.first_family
    work = [one for one in own if one.activity == "work"]
    given = {one.operation: one for one in own if one.activity == "setup"}
    for one in work:
        after = schedule.problem.operations[str(one.operation)].family
        need = machine.setup_ticks.get((family, after), 0) if family is not None else 0
        setup = given.get(one.operation)
        there = 0 if setup is None else setup.last - setup.first
        if there != need or (setup is not None and setup.last != one.first):
            notes.add("setup", str(one.operation), f"换型应为 {need} 格, 计划为 {there} 格。", f"The set-up should be {need} ticks, it is {there}.")  # fmt: skip
        family = after


def _calendar(machine: Machine, own: list[Stretch], notes: _Notes) -> None:
    starts = {one.operation: one.first for one in own if one.activity == "setup"}
    for one in own:
        if one.first < 0:
            notes.add(
                "start", machine.id, "换型或启动早于计划期起点。", "A set-up or a ramp begins before the horizon."
            )
        if one.activity != "work":
            continue
        first = starts.get(one.operation, one.first)
        inside = any(window.first <= first and one.last <= window.last for window in machine.windows)
        if machine.windows and not inside:
            notes.add("calendar", str(one.operation), f"不在设备“{machine.id}”的同一班次内。", f"Does not lie inside one window of machine '{machine.id}'.")  # fmt: skip


def _rests(machine: Machine, own: list[Stretch], notes: _Notes) -> None:
    """Between first and last work every tick has a state, when the machine has states; and the state fits its gap."""
    busy = sorted((one.first, one.last) for one in own if one.activity in ("work", "setup"))
    states = {rest.name: rest for rest in machine.rests}
    for (_, end), (begin, _) in pairwise(busy):
        if begin <= end:
            continue
        inside = [one for one in own if one.first >= end and one.last <= begin and one.activity in ("rest", "ramp")]
        names = {one.state for one in inside}
        covered = sum(one.last - one.first for one in inside)
        if machine.rests and (covered != begin - end or len(names) != 1 or not names <= set(states)):
            notes.add("state", f"{machine.id} @ {end}", "空档没有唯一的状态。", "The gap has not one state.")
            continue
        if not inside:
            continue
        state = states[str(next(iter(names)))]
        enter, leave = state.enter_ticks * state.enter_kw, state.leave_ticks * state.leave_kw
        expected = enter + leave + (begin - end - state.enter_ticks - state.leave_ticks) * state.power_kw
        drawn = sum(float(one.powers_kw.sum()) for one in inside)
        if begin - end < state.enter_ticks + state.leave_ticks or abs(drawn - expected) > RELATIVE * max(1.0, expected):
            notes.add("state", f"{machine.id} @ {end}", f"空档容不下状态“{state.name}”或其能耗不符。", f"The gap does not hold the state '{state.name}', or its energy is off.")  # fmt: skip


def _links(schedule: Schedule, notes: _Notes) -> None:
    for link in schedule.problem.all_links:
        before, after = schedule.task[link.before], schedule.task[link.after]
        wait = after.start - schedule.end(before)
        where = f"{link.before} → {link.after}"
        if wait < link.least_ticks:
            notes.add("precedence", where, f"间隔 {wait} 格, 至少 {link.least_ticks}。", f"Waits {wait} ticks, at least {link.least_ticks}.")  # fmt: skip
        if link.most_ticks is not None and wait > link.most_ticks:
            notes.add("hold", where, f"间隔 {wait} 格, 至多 {link.most_ticks}。", f"Waits {wait} ticks, at most {link.most_ticks}.")  # fmt: skip


def _times(schedule: Schedule, notes: _Notes) -> None:
    problem = schedule.problem
    for job in problem.jobs:
        for one in job.operations:
            task = schedule.task[one.id]
            if task.start < max(job.release_tick, one.release_tick, 0):
                notes.add("release", one.id, "早于可开工时间。", "Starts before its release.")
            if job.due_is_hard and job.due_tick is not None and schedule.end(task) > job.due_tick:
                notes.add("due", one.id, "晚于必须的交期。", "Ends after a due date that must be kept.")
            if schedule.end(task) > problem.horizon:
                notes.add("horizon", one.id, "超出计划期。", "Ends after the horizon.")
            if one.id in problem.fixed and problem.fixed[one.id] != (task.mode, task.start):
                notes.add("frozen", one.id, "已冻结的工序被改动。", "A frozen operation was moved.")


def _buffers(schedule: Schedule, notes: _Notes) -> None:
    for buffer in schedule.problem.buffers:
        events = []
        for before, after in buffer.links:
            events += [(schedule.end(schedule.task[before]), 1), (schedule.task[after].start, -1)]
        inside = highest = 0
        for _, change in sorted(events):
            inside += change
            highest = max(highest, inside)
        if highest > buffer.capacity:
            notes.add("buffer", buffer.id, f"同时有 {highest} 件, 容量 {buffer.capacity}。", f"Holds {highest} at once, its capacity is {buffer.capacity}.")  # fmt: skip


def _tick_kw(schedule: Schedule) -> Floats:
    """Return the power of all machines by tick, added up stretch by stretch."""
    ticks = max((one.last for one in schedule.stretches), default=0)
    total = np.zeros(max(ticks, 1))
    for one in schedule.stretches:
        for tick in range(max(one.first, 0), one.last):
            total[tick] += one.powers_kw[tick - one.first]
    return total


def _power(schedule: Schedule, notes: _Notes) -> None:
    limit = schedule.problem.power_limit_kw
    if limit is None:
        return
    power = _tick_kw(schedule)
    if float(power.max()) > limit * (1.0 + RELATIVE):
        tick = int(power.argmax())
        notes.add("power", f"@ {tick}", f"功率 {power[tick]:,.1f} kW 超过上限 {limit:,.1f} kW。", f"Power {power[tick]:,.1f} kW exceeds the limit {limit:,.1f} kW.")  # fmt: skip


def _figures(schedule: Schedule, notes: _Notes) -> None:
    said = schedule.measures
    found = _recomputed(schedule)
    for name, value in found.items():
        own = said.value(name)
        if abs(own - value) > RELATIVE * max(1.0, abs(value)):
            notes.add("figure", name, f"{name}: 计划称 {own:,.6g}, 复算 {value:,.6g}。", f"{name}: the schedule says {own:,.6g}, recomputed {value:,.6g}.")  # fmt: skip
    rows = schedule.rows()
    total_kwh = float(rows["energy_wh"].sum()) / 1000.0
    if abs(total_kwh - said.energy_kwh) > ROUNDING_WH / 1000.0 * max(1, rows.height):
        notes.add("energy", "SCHEDULE", f"各行合计 {total_kwh:,.3f} kWh, 计划 {said.energy_kwh:,.3f}。", f"Rows add up to {total_kwh:,.3f} kWh, the schedule says {said.energy_kwh:,.3f}.")  # fmt: skip


def _recomputed(schedule: Schedule) -> Mapping[str, float]:
    problem = schedule.problem
    ends = {task.operation: task.start + problem.operations[task.operation].modes[task.mode].duration_ticks for task in schedule.tasks}  # fmt: skip
    late = 0.0
    for job in problem.jobs:
        if job.due_tick is not None and job.operations:
            late += job.weight * max(0, max(ends[one.id] for one in job.operations) - job.due_tick)
    cost, grams = _metered(problem, _tick_kw(schedule))
    return {
        "makespan_ticks": float(max(ends.values(), default=0)),
        "tardiness_ticks": late,
        "cost_cny": cost,
        "carbon_gco2e": grams,
    }


def _metered(problem: ScheduleProblem, own_kw: Floats) -> tuple[float, float]:
    """Return cost and grams added at the meter, interval by interval in plain arithmetic."""
    signals = problem.signals
    if signals is None:
        return 0.0, 0.0
    cost = grams = 0.0
    peaks = [0.0, 0.0]
    hours = signals.interval_ticks * problem.tick_s / 3600.0
    for interval in range(signals.count):
        first = interval * signals.interval_ticks
        own = float(own_kw[first : first + signals.interval_ticks].sum()) / signals.interval_ticks
        other = 0.0 if signals.other_kw is None else float(signals.other_kw[interval])
        onsite = 0.0 if signals.onsite_kw is None else float(signals.onsite_kw[interval])
        for sign, load in ((1.0, own + other), (-1.0, other)):
            bought, sold = max(0.0, load - onsite), max(0.0, onsite - load)
            cost += (
                sign * hours * (bought * float(signals.price_cny_per_kwh[interval]) - sold * signals.export_cny_per_kwh)
            )
            grams += sign * hours * bought * float(signals.intensity_gco2e_per_kwh[interval])
            place = 0 if sign > 0 else 1
            peaks[place] = max(peaks[place], bought)
    over = max(0.0, peaks[0] - signals.paid_kw) - max(0.0, peaks[1] - signals.paid_kw)
    return cost + signals.demand_cny_per_kw * over, grams
