"""Everything that can be wrong with a flow shop, told before any search starts, with the smallest clash."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.scheduling.flow_shop import FlowShop, Lot, Stage, Unit


def faults(problem: FlowShop) -> list[Problem]:
    """Return every fault; none means that a search may start.

    Examples
    --------
    >>> from zerofactory.optimisation.scheduling.flow_shop import Task
    >>> from zerofactory.optimisation.scheduling.problem import Signals
    >>> press = Stage("press", Text("冲压", "press"), (Unit("p1", Text("一线", "line 1")),))
    >>> lots = tuple(Lot(f"L{n}", (Task((100.0, 100.0)),)) for n in range(3))
    >>> shop = FlowShop((press,), lots, Signals(1, np.ones(4), np.ones(4)))
    >>> [one.message.en for one in faults(shop)]
    ["Stage 'press' needs 6 slots of work for 3 lots and has 4 open."]
    """
    found = [*_names(problem), *_signals(problem)]
    for stage in problem.stages:
        found += _stage(stage)
    for lot in problem.lots:
        found += _lot(problem, lot)
    if found:
        return found
    return [*_capacity(problem), *_times(problem)]


def _fault(problem: FlowShop | None, code: str, message: Text, hint: Text) -> Problem:
    return Problem(f"flow_shop.{code}", message, hint, file=problem.file if problem else None)


def _names(problem: FlowShop) -> Iterator[Problem]:
    units = [unit.id for stage in problem.stages for unit in stage.units]
    kinds = (
        (Text("工段", "stage"), [stage.id for stage in problem.stages]),
        (Text("产线", "line"), units),
        (Text("批次", "lot"), [lot.id for lot in problem.lots]),
    )
    for title, names in kinds:
        if not names:
            yield _fault(problem, "empty", Text(f"没有{title.zh}。", f"There is no {title.en}."), Text("请至少写一个。", "Give one at least."))  # fmt: skip
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield _fault(problem, "repeated", Text(f"{title.zh}“{name}”出现两次。", f"The {title.en} '{name}' comes twice."), Text("请改用不同的编号。", "Give each its own id."))  # fmt: skip


def _signals(problem: FlowShop) -> Iterator[Problem]:
    given = problem.signals
    series = {"price": given.price_cny_per_kwh, "intensity": given.intensity_gco2e_per_kwh, "onsite": given.onsite_kw, "other": given.other_kw}  # fmt: skip
    for name, values in series.items():
        if values is None:
            continue
        if len(values) != given.count or not np.isfinite(values).all():
            message = Text(f"信号“{name}”的长度或数值不对({len(values)}, 应为 {given.count})。", f"The signal '{name}' has gaps or another length ({len(values)}, not {given.count}).")  # fmt: skip
            yield _fault(problem, "signal", message, Text("请补全信号。", "Complete the signals."))


def _stage(stage: Stage) -> Iterator[Problem]:
    for unit in stage.units:
        names = [rest.name for rest in unit.rests]
        if unit.rests and (unit.rests[0].leave_ticks or any(rest.enter_ticks for rest in unit.rests)):
            message = Text(f"产线“{unit.id}”的第一种停歇须可立即离开, 且都不得有进入时间。", f"The first rest of line '{unit.id}' must need no time to leave, and none may need time to enter.")  # fmt: skip
            yield _fault(None, "rest", message, Text("把空转写在最前, 降温时间并入升温。", "Put idling first; count cooling with warming up."))  # fmt: skip
        if unit.starts_from is not None and unit.starts_from not in names:
            message = Text(f"产线“{unit.id}”没有状态“{unit.starts_from}”。", f"Line '{unit.id}' has no rest '{unit.starts_from}'.")  # fmt: skip
            yield _fault(
                None, "rest", message, Text(f"可选: {', '.join(names)}。", f"Choose one of: {', '.join(names)}.")
            )
        if any(rest.power_kw < 0 or rest.leave_kw < 0 for rest in unit.rests):
            yield _fault(None, "power", Text(f"产线“{unit.id}”的功率小于零。", f"Line '{unit.id}' has a power below zero."), Text("请改正。", "Mend it."))  # fmt: skip
        if any(w.first >= w.last for w in unit.windows) or any(a.last > b.first for a, b in pairwise(unit.windows)):
            yield _fault(None, "shift", Text(f"产线“{unit.id}”的班次重叠或倒置。", f"The shifts of line '{unit.id}' overlap or end before they begin."), Text("请按时间先后列出。", "List them in order of time."))  # fmt: skip


def _lot(problem: FlowShop, lot: Lot) -> Iterator[Problem]:
    if len(lot.tasks) != len(problem.stages):
        message = Text(f"批次“{lot.id}”有 {len(lot.tasks)} 道工序, 工段有 {len(problem.stages)} 个。", f"Lot '{lot.id}' has {len(lot.tasks)} tasks for {len(problem.stages)} stages.")  # fmt: skip
        yield _fault(problem, "tasks", message, Text("每个工段一道(可为空)。", "One task a stage; it may be empty."))
        return
    for stage, task in zip(problem.stages, lot.tasks, strict=True):
        units = [unit.id for unit in stage.units]
        if task.units and not set(task.units) & set(units):
            message = Text(f"批次“{lot.id}”在工段“{stage.id}”没有可用产线({', '.join(task.units)})。", f"No line of stage '{stage.id}' can do lot '{lot.id}' ({', '.join(task.units)}).")  # fmt: skip
            yield _fault(problem, "no_unit", message, Text(f"可选: {', '.join(units)}。", f"Choose among: {', '.join(units)}."))  # fmt: skip
        if any(not np.isfinite(power) or power < 0 for power in task.power_kw):
            message = Text(f"批次“{lot.id}”在“{stage.id}”的功率小于零或不是数。", f"Lot '{lot.id}' has a power at '{stage.id}' below zero or no number.")  # fmt: skip
            yield _fault(problem, "power", message, Text("请改正。", "Mend it."))


def open_slots(problem: FlowShop, unit: Unit) -> int:
    """Return the slots in which a line may work."""
    if not unit.windows:
        return problem.slots
    return sum(max(0, min(problem.slots, w.last) - max(0, w.first)) for w in unit.windows)


def _capacity(problem: FlowShop) -> Iterator[Problem]:
    """Work that each stage, and each group of lots that only one line can do, needs beside what is open."""
    for m, stage in enumerate(problem.stages):
        busy = [lot for lot in problem.lots if lot.tasks[m].slots]
        groups = {frozenset(unit.id for unit in stage.units): busy}
        for lot in busy:
            if lot.tasks[m].units:
                only = frozenset(lot.tasks[m].units)
                groups[only] = [one for one in busy if one.tasks[m].units and set(one.tasks[m].units) <= only]
        for units, lots in groups.items():
            work = sum(lot.tasks[m].slots for lot in lots)
            room = sum(open_slots(problem, unit) for unit in stage.units if unit.id in units)
            if work > room:
                name = stage.id if len(units) == len(stage.units) else f"{stage.id} ({', '.join(sorted(units))})"
                message = Text(f"工段“{name}”的 {len(lots)} 批要 {work} 个时段, 开放的只有 {room} 个。", f"Stage '{name}' needs {work} slots of work for {len(lots)} lots and has {room} open.")  # fmt: skip
                yield _fault(problem, "capacity", message, Text("请加班次、加长期间或减少批次。", "Add shifts, give more time, or take fewer lots."))  # fmt: skip


def _times(problem: FlowShop) -> Iterator[Problem]:
    """A lot that, alone in the shop, cannot meet its deadline or the end."""
    for lot in problem.lots:
        passages = sum(stage.passage_slots for stage in problem.stages[lot.entry : -1])
        least = lot.release_slot + sum(task.slots for task in lot.tasks) + passages
        limit = problem.slots if lot.deadline_slot is None else min(problem.slots, lot.deadline_slot)
        if least > limit:
            message = Text(f"批次“{lot.id}”最早第 {least} 格完成, 期限是第 {limit} 格。", f"Lot '{lot.id}' ends in slot {least} at the earliest; its limit is slot {limit}.")  # fmt: skip
            yield _fault(problem, "deadline", message, Text("请放宽期限或提前放行。", "Give a later limit or an earlier release."))  # fmt: skip
