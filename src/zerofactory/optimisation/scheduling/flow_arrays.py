"""A flow shop as the arrays of the compiled search, and back."""

from __future__ import annotations

import numpy as np

from zerofactory.optimisation.scheduling.flow_kernel import Arrays, Floats, Ints, Walk
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan, FlowShop, Lot, Unit, Visit


def arrays(problem: FlowShop) -> Arrays:
    """Return the arrays of a problem without faults."""
    stages, lots, slots = problem.stages, problem.lots, problem.slots
    units = [unit for stage in stages for unit in stage.units]
    first_line = np.cumsum([0, *(len(stage.units) for stage in stages)])
    eligible = np.array(
        [[_can(problem, lot, m, unit) for m, s in enumerate(stages) for unit in s.units] for lot in lots]
    )
    line = np.array([[_first(eligible[j], first_line[m], first_line[m + 1]) for j in range(len(lots))] for m in range(len(stages))])  # fmt: skip
    powers, offset = _powers(problem)
    variants = sorted({lot.variant for lot in lots})
    sizes = np.array([lot.pieces for lot in lots])
    made = np.array([sum(lot.pieces for lot in lots if lot.variant == one) for one in variants])
    names = [rule.option for rule in problem.rules]
    return Arrays(
        np.array([[lot.tasks[m].slots for lot in lots] for m in range(len(stages))], dtype=np.int64),
        offset,
        powers,
        line.astype(np.int64),
        np.repeat(np.arange(len(stages)), [len(stage.units) for stage in stages]).astype(np.int64),
        first_line.astype(np.int64),
        eligible,
        *_setups(problem),
        *_rests(units),
        np.array([_open(unit, slots) for unit in units], dtype=np.int64),
        np.array([[-1 if s.store_lots is None else s.store_lots, s.passage_slots, -1 if s.longest_wait_slots is None else s.longest_wait_slots] for s in stages], dtype=np.int64),
        np.array([[lot.release_slot, _or(lot.deadline_slot, slots), _or(lot.due_slot, slots)] for lot in lots], dtype=np.int64),
        np.array([lot.entry for lot in lots], dtype=np.int64),
        problem.weight,
        problem.spare_kw,
        np.array([variants.index(lot.variant) for lot in lots], dtype=np.int64),
        made / max(1e-9, made.sum()),
        sizes,
        np.array([[rule.most, rule.among] for rule in problem.rules], dtype=np.int64).reshape(-1, 2),
        np.array([[name in lot.options for name in names] for lot in lots], dtype=np.bool_).reshape(len(lots), -1),
        np.array([*(problem.aim.tardiness * lot.weight for lot in lots), problem.aim.makespan, problem.aim.spread, problem.aim.rule]),
    )  # fmt: skip


def _or(value: int | None, other: int) -> int:
    return other if value is None else value


def _can(problem: FlowShop, lot: Lot, stage: int, unit: Unit) -> bool:
    named = lot.tasks[stage].units
    return not named or unit.id in named


def _first(flags: Ints, low: int, high: int) -> int:
    return int(low + np.flatnonzero(flags[low:high])[0])


def _powers(problem: FlowShop) -> tuple[Floats, Ints]:
    powers: list[float] = []
    offset = np.zeros((len(problem.stages), len(problem.lots)), dtype=np.int64)
    for j, lot in enumerate(problem.lots):
        for m, task in enumerate(lot.tasks):
            offset[m, j] = len(powers)
            powers += task.power_kw
    return np.array([*powers, 0.0]), offset


def _setups(problem: FlowShop) -> tuple[Ints, Ints, Floats, Floats]:
    families = [sorted({lot.tasks[m].family for lot in problem.lots}) for m in range(len(problem.stages))]
    most = max(len(own) for own in families)
    family = np.array([[families[m].index(lot.tasks[m].family) for lot in problem.lots] for m in range(len(problem.stages))])  # fmt: skip
    slots = np.zeros((len(problem.stages), most, most), dtype=np.int64)
    cost = np.zeros((len(problem.stages), most, most))
    for m, stage in enumerate(problem.stages):
        for i, before in enumerate(families[m]):
            for k, after in enumerate(families[m]):
                slots[m, i, k] = stage.setup_slots.get((before, after), 0)
                cost[m, i, k] = problem.setup(stage, before, after)
    return family.astype(np.int64), slots, np.array([stage.setup_kw for stage in problem.stages]), cost


def _rests(units: list[Unit]) -> tuple[Floats, Ints, Ints]:
    count = np.array([max(1, len(unit.rests)) for unit in units], dtype=np.int64)
    rest = np.zeros((len(units), int(count.max()), 3))
    first = np.full(len(units), -1, dtype=np.int64)
    for g, unit in enumerate(units):
        for r, one in enumerate(unit.rests):
            rest[g, r] = one.power_kw, one.leave_ticks, one.leave_kw
            if one.name == unit.starts_from:
                first[g] = r
    return rest, count, first


def _open(unit: Unit, slots: int) -> Ints:
    flags = np.zeros(slots, dtype=np.int64)
    for window in unit.windows:
        flags[max(0, window.first) : max(0, window.last)] = 1
    if not unit.windows:
        flags[:] = 1
    return np.concatenate([[0], np.cumsum(flags)])


def walk(a: Arrays, order: Ints, at: int = 0) -> Walk:
    """Return a fresh state of the search: every lot on its first line, all starting in one slot."""
    starts, rests = np.full(a.duration.shape, at, np.int64), np.zeros(a.duration.shape, np.int64)
    return Walk(order.astype(np.int64), a.unit.copy(), starts, rests)


def copied(state: Walk) -> Walk:
    """Return a copy of a state."""
    return Walk(*(part.copy() for part in state))


def walk_of(problem: FlowShop, a: Arrays, plan: FlowPlan) -> Walk:
    """Return a plan as a state of the search."""
    lots = {lot.id: j for j, lot in enumerate(problem.lots)}
    stages = {stage.id: m for m, stage in enumerate(problem.stages)}
    units = {unit.id: g for g, unit in enumerate(unit for stage in problem.stages for unit in stage.units)}
    found = walk(a, np.array([lots[name] for name in plan.order]))
    for visit in plan.visits:
        place = stages[visit.stage], lots[visit.lot]
        found[1][place], found[2][place] = units[visit.unit], visit.start_slot
        rests = next(unit.rests for stage in problem.stages for unit in stage.units if unit.id == visit.unit)
        found[3][place] = next((r for r, one in enumerate(rests) if one.name == visit.rest), -1)
    return found


def plan_of(problem: FlowShop, state: Walk) -> FlowPlan:
    """Return a state of the search as a plan."""
    order, line, start, rest = state
    units = [unit for stage in problem.stages for unit in stage.units]
    visits = []
    for m, stage in enumerate(problem.stages):
        for j in order:
            lot, unit = problem.lots[j], units[line[m, j]]
            if lot.entry > m:
                continue
            name = unit.rests[rest[m, j]].name if unit.rests and rest[m, j] >= 0 else ""
            begin = int(start[m, j])
            visits.append(Visit(lot.id, stage.id, unit.id, begin, begin + lot.tasks[m].slots, name))
    return FlowPlan(tuple(problem.lots[j].id for j in order), tuple(visits))
