"""Every fault of a problem, told at once and before a solver starts: names, cycles, windows, and demand above capacity.

The smallest clash of demand and capacity: over every span between a release and a deadline and every set of machines that
operations are confined to, the least work that must lie there against the ticks the machines have (the argument of energetic
reasoning: Erschler, Lopez and Thuriot 1991); the operations are then dropped one by one while the rest still do not fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from zerofactory.errors import Problem, Text, refuse
from zerofactory.optimisation.scheduling.problem import MEASURES, Machine, Mode, Operation, ScheduleProblem

HOW = Text("写法见 docs/how-to/schedule.md。", "See docs/how-to/schedule.md.")
SHOWN = 8
MAX_BORDERS = 60  # spans looked at for a clash begin at one of so many ticks


def faults(problem: ScheduleProblem) -> tuple[Problem, ...]:
    """Return every fault of a problem; the clash of demand and capacity is looked for once names and cycles are sound."""
    found = [*_names(problem), *_machines(problem), *_operations(problem), *_links(problem), *_signals(problem)]
    if not any(one.severity == "error" for one in found):
        found += [*_cycle(problem)]
    if not any(one.severity == "error" for one in found):
        found += [*_windows(problem), *_late(problem), *_fixed(problem)]
    if not any(one.severity == "error" for one in found):
        found += [*_clash(problem)]
    return tuple(found)


def refuse_faulty(problem: ScheduleProblem) -> None:
    """Raise `FaultyData` with every fault when there is one."""
    refuse(faults(problem))


def _fault(problem: ScheduleProblem, key: str, code: str, message: Text, hint: Text = HOW) -> Problem:
    file, row = problem.origin.get(key, (None, None))
    return Problem(f"schedule.{code}", message, hint, file=file or problem.name or None, row=row, column=key)


def _names(problem: ScheduleProblem) -> Iterator[Problem]:
    kinds = (
        ("设备", "machine", [one.id for one in problem.machines]),
        ("工单", "job", [one.id for one in problem.jobs]),
        ("工序", "operation", [one.id for job in problem.jobs for one in job.operations]),
    )
    for zh, en, names in kinds:
        for name, count in Counter(names).items():
            if count > 1:
                yield _fault(problem, name, "repeated", Text(f"{zh}“{name}”出现 {count} 次。", f"The {en} '{name}' stands {count} times."))  # fmt: skip
    if not any(job.operations for job in problem.jobs):
        yield _fault(problem, "jobs", "empty", Text("没有任何工序。", "There is no operation."))
    for measure in {*problem.goal.weights, *problem.goal.limits} - set(MEASURES):
        listed = ", ".join(MEASURES)
        yield _fault(problem, str(measure), "measure", Text(f"没有指标“{measure}”。", f"There is no measure '{measure}'."), Text(f"可选: {listed}。", f"Choose one of: {listed}."))  # fmt: skip


def _machines(problem: ScheduleProblem) -> Iterator[Problem]:
    for machine in problem.machines:
        for window in machine.windows:
            if window.first >= window.last:
                yield _fault(problem, machine.id, "window", Text(f"班次 [{window.first}, {window.last}) 没有长度。", f"The window [{window.first}, {window.last}) has no length."))  # fmt: skip
        for one, two in pairwise(machine.windows):
            if two.first < one.last:
                yield _fault(problem, machine.id, "window_order", Text(f"班次 [{one.first}, {one.last}) 与 [{two.first}, {two.last}) 重叠或次序颠倒。", f"The windows [{one.first}, {one.last}) and [{two.first}, {two.last}) overlap or are out of order."))  # fmt: skip
        yield from _rests(problem, machine)
        if any(ticks < 0 for ticks in machine.setup_ticks.values()) or machine.setup_kw < 0:
            yield _fault(problem, machine.id, "negative", Text("换型时间或功率为负。", "A set-up time or power is negative."))  # fmt: skip


def _rests(problem: ScheduleProblem, machine: Machine) -> Iterator[Problem]:
    if machine.rests and all(rest.least_ticks for rest in machine.rests):
        hint = Text("请加一个 enter_ticks = leave_ticks = 0 的状态(怠速)。", "Add one with enter_ticks = leave_ticks = 0 (idle).")  # fmt: skip
        yield _fault(problem, machine.id, "no_idle", Text("没有能度过一格空档的状态。", "No state can be held for a gap of one tick."), hint)  # fmt: skip
    for rest in machine.rests:
        if min(rest.power_kw, rest.enter_kw, rest.leave_kw, rest.enter_ticks, rest.leave_ticks) < 0:
            yield _fault(problem, machine.id, "negative", Text(f"状态“{rest.name}”有负数。", f"The state '{rest.name}' has a negative figure."))  # fmt: skip
    if machine.starts_from is not None and machine.start_ramp() is None:
        listed = ", ".join(rest.name for rest in machine.rests)
        yield _fault(problem, machine.id, "state", Text(f"没有状态“{machine.starts_from}”。", f"There is no state '{machine.starts_from}'."), Text(f"可选: {listed}。", f"Choose one of: {listed}."))  # fmt: skip


def _operations(problem: ScheduleProblem) -> Iterator[Problem]:
    for operation in problem.operations.values():
        if not operation.modes:
            hint = Text("请至少给出一台设备和时长。", "Give at least one machine and duration.")
            yield _fault(problem, operation.id, "no_machine", Text(f"没有设备能做工序“{operation.id}”。", f"No machine can do operation '{operation.id}'."), hint)  # fmt: skip
        for mode in operation.modes:
            if mode.machine not in problem.machine:
                listed = ", ".join(list(problem.machine)[:12])
                yield _fault(problem, operation.id, "unknown_machine", Text(f"工序“{operation.id}”用到的设备“{mode.machine}”不存在。", f"Operation '{operation.id}' names machine '{mode.machine}', which does not exist."), Text(f"可选: {listed}。", f"Choose one of: {listed}."))  # fmt: skip
            if mode.duration_ticks < 1 or mode.power_kw < 0 or any(step.power_kw < 0 for step in mode.steps):
                yield _fault(problem, operation.id, "figure", Text(f"设备“{mode.machine}”上的时长须为正、功率不得为负。", f"On machine '{mode.machine}' the duration must be positive and the power not negative."))  # fmt: skip
            if mode.steps and sum(step.ticks for step in mode.steps) != mode.duration_ticks:
                total = sum(step.ticks for step in mode.steps)
                yield _fault(problem, operation.id, "steps", Text(f"功率曲线共 {total} 格, 时长 {mode.duration_ticks} 格。", f"The power profile has {total} ticks, the duration is {mode.duration_ticks}."))  # fmt: skip
        limit = problem.power_limit_kw
        if limit is not None and operation.modes:
            least = min(float(mode.powers_kw().max(initial=0.0)) for mode in operation.modes)
            if least > limit:
                yield _fault(problem, operation.id, "power", Text(f"工序“{operation.id}”至少要 {least:,.1f} kW, 上限 {limit:,.1f} kW。", f"Operation '{operation.id}' needs {least:,.1f} kW at least, the limit is {limit:,.1f} kW."))  # fmt: skip


def _links(problem: ScheduleProblem) -> Iterator[Problem]:
    known = problem.operations
    pairs = [(link.before, link.after) for link in problem.links]
    pairs += [pair for buffer in problem.buffers for pair in buffer.links]
    for name in dict.fromkeys(name for pair in pairs for name in pair if name not in known):
        yield _fault(problem, name, "unknown_operation", Text(f"先后关系用到的工序“{name}”不存在。", f"A link names operation '{name}', which does not exist."))  # fmt: skip
    for link in problem.links:
        if link.most_ticks is not None and link.most_ticks < link.least_ticks:
            yield _fault(problem, link.after, "lag", Text(f"{link.before} → {link.after}: 最长间隔 {link.most_ticks} 小于最短 {link.least_ticks}。", f"{link.before} → {link.after}: the longest wait {link.most_ticks} is below the shortest {link.least_ticks}."))  # fmt: skip
    for buffer in problem.buffers:
        if buffer.capacity < 0:
            yield _fault(problem, buffer.id, "capacity", Text("缓冲区容量为负。", "The capacity of the buffer is negative."))  # fmt: skip


def _signals(problem: ScheduleProblem) -> Iterator[Problem]:
    signals = problem.signals
    if signals is None:
        if problem.goal.needs_energy:
            hint = Text("请给出电价与碳强度(SIGNALS), 或改以时间为目标。", "Give price and intensity (SIGNALS), or aim at time.")  # fmt: skip
            yield _fault(problem, "signals", "no_signals", Text("目标是电费或碳, 却没有电价与碳强度。", "Cost or carbon is wanted and there is no price nor intensity."), hint)  # fmt: skip
        return
    lengths = {
        "intensity_gco2e_per_kwh": signals.intensity_gco2e_per_kwh,
        "onsite_kw": signals.onsite_kw,
        "other_kw": signals.other_kw,
    }
    for name, series in lengths.items():
        if series is not None and len(series) != signals.count:
            yield _fault(problem, name, "length", Text(f"{name} 有 {len(series)} 个值, 电价有 {signals.count} 个。", f"{name} has {len(series)} values, the price {signals.count}."))  # fmt: skip
    reach = signals.count * signals.interval_ticks
    if reach < problem.horizon:
        hint = Text("请补足信号, 或以 horizon 缩短计划期。", "Lengthen the signals, or shorten the horizon.")
        yield _fault(problem, "signals", "short", Text(f"电价与碳强度只到第 {reach} 格, 计划期到第 {problem.horizon} 格。", f"Price and intensity reach tick {reach}, the horizon is {problem.horizon}."), hint)  # fmt: skip


def _cycle(problem: ScheduleProblem) -> Iterator[Problem]:
    after: dict[str, list[str]] = {name: [] for name in problem.operations}
    for link in problem.all_links:
        after[link.before].append(link.after)
    found = cycle_in(after)
    if found:
        shown = " → ".join([*found, found[0]])
        hint = Text("请去掉其中一个先后关系。", "Take away one of these links.")
        yield _fault(problem, found[0], "cycle", Text(f"先后关系成环: {shown}。", f"The precedence runs in a circle: {shown}."), hint)  # fmt: skip


def cycle_in(after: dict[str, list[str]]) -> list[str]:
    """Return one cycle of a graph as its nodes in order, nothing where there is none.

    Examples
    --------
    >>> cycle_in({"a": ["b"], "b": ["c"], "c": ["b"]})
    ['b', 'c']
    """
    state: dict[str, int] = {}
    for root, steps in after.items():
        if root in state:
            continue
        path, stack = [root], [(root, iter(steps))]
        state[root] = 1
        while stack:
            node, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                state[node] = 2
                stack.pop()
                path.pop()
            elif state.get(step) == 1:
                return path[path.index(step) :]
            elif step not in state:
                state[step] = 1
                path.append(step)
                stack.append((step, iter(after[step])))
    return []


def _windows(problem: ScheduleProblem) -> Iterator[Problem]:
    for operation in problem.operations.values():
        if not any(_fits(problem.machine[mode.machine], mode) for mode in operation.modes):
            needs = min(mode.duration_ticks for mode in operation.modes)
            longest = max(w.last - w.first for mode in operation.modes for w in problem.machine[mode.machine].windows)
            hint = Text("请拆分工序, 或延长班次。", "Split the operation, or lengthen a window.")
            yield _fault(problem, operation.id, "window_short", Text(f"工序“{operation.id}”要 {needs} 格, 最长的班次只有 {longest} 格。", f"Operation '{operation.id}' needs {needs} ticks, the longest window has {longest}."), hint)  # fmt: skip


def _fits(machine: Machine, mode: Mode) -> bool:
    return not machine.windows or any(w.last - w.first >= mode.duration_ticks for w in machine.windows)


@dataclass(frozen=True, slots=True)
class Span:
    """The earliest start and the latest end of an operation, from releases, deadlines and links alone."""

    first: int
    last: int


def spans(problem: ScheduleProblem) -> dict[str, Span]:
    """Return the span of every operation (links without a cycle)."""
    least = {name: min(mode.duration_ticks for mode in one.modes) for name, one in problem.operations.items()}
    first = {name: problem.release(name) for name in problem.operations}
    last = {
        name: min(problem.horizon, job.due_tick) if job.due_is_hard and job.due_tick is not None else problem.horizon
        for name, job in problem.job_of.items()
    }
    order = topological(problem)
    for link_order, forward in ((order, True), (order[::-1], False)):
        place = {name: number for number, name in enumerate(link_order)}
        key = (lambda link, at=place: at[link.before]) if forward else (lambda link, at=place: at[link.after])
        for link in sorted(problem.all_links, key=key):
            if forward:
                first[link.after] = max(first[link.after], first[link.before] + least[link.before] + link.least_ticks)
            else:
                last[link.before] = min(last[link.before], last[link.after] - least[link.after] - link.least_ticks)
    return {name: Span(first[name], last[name]) for name in least}


def topological(problem: ScheduleProblem) -> list[str]:
    """Return operations with every link forward; the order of the problem breaks ties."""
    after: dict[str, list[str]] = {name: [] for name in problem.operations}
    waits = dict.fromkeys(after, 0)
    for link in problem.all_links:
        after[link.before].append(link.after)
        waits[link.after] += 1
    ready = [name for name, count in waits.items() if not count]
    for name in ready:
        for step in after[name]:
            waits[step] -= 1
            if not waits[step]:
                ready.append(step)
    return ready


def _late(problem: ScheduleProblem) -> Iterator[Problem]:
    found = spans(problem)
    for job in problem.jobs:
        for one in job.operations:
            span, needs = found[one.id], min(mode.duration_ticks for mode in one.modes)
            if span.last - span.first < needs:
                hint = Text("请推迟交期、提前投料或延长计划期。", "Move the due date, the release or the horizon.")
                yield _fault(problem, one.id, "no_time", Text(f"最早第 {span.first} 格开始、最迟第 {span.last} 格结束, 却要 {needs} 格。", f"It can start at tick {span.first} and must end by {span.last}, yet needs {needs}."), hint)  # fmt: skip
                break


def _fixed(problem: ScheduleProblem) -> Iterator[Problem]:
    busy: dict[str, list[tuple[int, int, str]]] = {}
    for name, (mode, start) in problem.fixed.items():
        operation = problem.operations.get(name)
        if operation is None or not 0 <= mode < len(operation.modes):
            yield _fault(problem, name, "frozen", Text("冻结的工序或其方式不存在。", "A frozen operation or its mode does not exist."))  # fmt: skip
            continue
        chosen = operation.modes[mode]
        busy.setdefault(chosen.machine, []).append((start, start + chosen.duration_ticks, name))
    for machine, taken in busy.items():
        for one, two in pairwise(sorted(taken)):
            if two[0] < one[1]:
                yield _fault(problem, two[2], "frozen_overlap", Text(f"冻结的“{one[2]}”与“{two[2]}”在设备“{machine}”上重叠。", f"The frozen '{one[2]}' and '{two[2]}' overlap on machine '{machine}'."))  # fmt: skip


def _clash(problem: ScheduleProblem) -> Iterator[Problem]:
    bounded = problem.horizon_ticks is not None or any(job.due_is_hard for job in problem.jobs)
    if not bounded and not any(machine.windows for machine in problem.machines):
        return
    found = spans(problem)
    best: tuple[list[Operation], frozenset[str], Span, int] | None = None
    sets = {frozenset(mode.machine for mode in one.modes) for one in problem.operations.values()}
    sets.add(frozenset(problem.machine))
    firsts = sorted({span.first for span in found.values()})[:MAX_BORDERS]
    for machines in sorted(sets, key=lambda one: (len(one), sorted(one))):
        inside = [one for one in problem.operations.values() if {mode.machine for mode in one.modes} <= machines]
        inside.sort(key=lambda one: found[one.id].last)
        for first in firsts:
            within = [one for one in inside if found[one.id].first >= first]
            clash = _first_clash(problem, within, machines, (first, found))
            if clash is not None and (best is None or len(clash[0]) < len(best[0])):
                best = (clash[0], machines, clash[1], clash[2])
    if best is not None:
        yield _clash_fault(problem, *best)


def _first_clash(
    problem: ScheduleProblem, within: Sequence[Operation], machines: frozenset[str], at: tuple[int, dict[str, Span]]
) -> tuple[list[Operation], Span, int] | None:
    """Return the operations that must lie in the shortest span from a tick on and do not fit in it."""
    first, found = at
    work = 0
    for place, one in enumerate(within):
        work += _work([one])
        last = found[one.id].last
        if place + 1 < len(within) and found[within[place + 1].id].last == last:
            continue
        room = sum(_ticks(problem.machine[name], first, last) for name in machines)
        if work > room:
            return _shrunk(within[: place + 1], room), Span(first, last), room
    return None


def _work(operations: Iterable[Operation]) -> int:
    return sum(min(mode.duration_ticks for mode in one.modes) for one in operations)


def _ticks(machine: Machine, first: int, last: int) -> int:
    if not machine.windows:
        return last - first
    return sum(max(0, min(last, w.last) - max(first, w.first)) for w in machine.windows)


def _shrunk(operations: Sequence[Operation], room: int) -> list[Operation]:
    """Drop the shortest operations while the rest still do not fit."""
    kept = sorted(operations, key=lambda one: _work([one]), reverse=True)
    while kept and _work(kept[:-1]) > room:
        kept.pop()
    return kept


def _clash_fault(
    problem: ScheduleProblem, kept: Sequence[Operation], machines: frozenset[str], span: Span, room: int
) -> Problem:
    names = ", ".join(one.id for one in kept[:SHOWN]) + (f" … ({len(kept)})" if len(kept) > SHOWN else "")
    on = ", ".join(sorted(machines)[:SHOWN])
    message = Text(
        f"产能不足: {len(kept)} 道工序({names})只能在设备 {on} 上、第 {span.first}–{span.last} 格内做, 共要 {_work(kept)} 格, 只有 {room} 格。",
        f"Demand above capacity: {len(kept)} operations ({names}) fit only machines {on} in ticks {span.first}–{span.last}; they need {_work(kept)} ticks, there are {room}.",
    )
    hint = Text(
        "请推迟交期、加班次、加设备或减少工单。", "Move due dates, add shifts or machines, or take fewer orders."
    )
    return _fault(problem, kept[0].id, "over_capacity", message, hint)
