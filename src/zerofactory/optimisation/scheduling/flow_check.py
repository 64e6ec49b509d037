"""Check of a plan of a flow shop, without the search: every rule slot by slot, and the objective counted again.

Nothing of the compiled search or of `flow_plan` is used: what each unit draws is written down anew from the visits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan, FlowShop, Lot, Stage, Unit, Visit

ROOM = 1e-6


@dataclass(frozen=True, slots=True)
class FlowCheck:
    """What the check found, and the figures it counted itself."""

    problems: tuple[Problem, ...]
    carbon_gco2e: float
    cost_cny: float
    tardiness_slots: float

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(
    problem: FlowShop, plan: FlowPlan, carbon_gco2e: float | None = None, cost_cny: float | None = None
) -> FlowCheck:
    """Return what is wrong with a plan; figures given are compared with those counted here."""
    found = list(_complete(problem, plan))
    if found:
        return FlowCheck(tuple(found), float("nan"), float("nan"), float("nan"))
    for m, stage in enumerate(problem.stages):
        found += _stage(problem, plan, m, stage)
    found += _between(problem, plan)
    found += _deadlines(problem, plan)
    carbon, cost = _counted(problem, plan)
    last = {visit.lot: visit.end_slot for visit in plan.visits if visit.stage == problem.stages[-1].id}
    tardiness = sum(
        lot.weight * max(0, last[lot.id] - lot.due_slot) for lot in problem.lots if lot.due_slot is not None
    )
    for name, told, own in (("gCO2e", carbon_gco2e, carbon), ("CNY", cost_cny, cost)):
        if told is not None and abs(told - own) > ROOM * max(1.0, abs(own)):
            found.append(_fault("figure", f"{name}: 计划写 {told:,.3f}, 重算为 {own:,.3f}。", f"{name}: the plan says {told:,.3f}, counted again {own:,.3f}."))  # fmt: skip
    return FlowCheck(tuple(found), carbon, cost, tardiness)


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text("结果不采用; 请报告此问题。", "The result is not used; please report this.")
    return Problem(f"flow_check.{code}", Text(zh, en), hint)


def _complete(problem: FlowShop, plan: FlowPlan) -> Iterator[Problem]:
    """Every lot once at every stage, on a unit that can do it, for as long as its task takes, in the order told."""
    seen = Counter((visit.lot, visit.stage) for visit in plan.visits)
    wanted = {(lot.id, stage.id) for lot in problem.lots for stage in problem.stages[lot.entry :]}
    for pair in sorted(set(seen) ^ wanted) + [pair for pair, count in seen.items() if count > 1]:
        yield _fault("visits", f"批次 {pair[0]} 在工段 {pair[1]} 应恰有一次。", f"Lot {pair[0]} must be at stage {pair[1]} exactly once.")  # fmt: skip
    if sorted(plan.order) != sorted(lot.id for lot in problem.lots):
        yield _fault("order", "顺序与批次不一致。", "The order does not hold each lot once.")
    lots = {lot.id: lot for lot in problem.lots}
    for m, stage in enumerate(problem.stages):
        units = {unit.id for unit in stage.units}
        for visit in (one for one in plan.visits if one.stage == stage.id and one.lot in lots):
            task = lots[visit.lot].tasks[m]
            if visit.end_slot - visit.start_slot != len(task.power_kw):
                yield _fault("length", f"批次 {visit.lot} 在 {stage.id} 的时长不对。", f"Lot {visit.lot} has another length at {stage.id}.")  # fmt: skip
            if visit.unit not in (task.units or units) or visit.unit not in units:
                yield _fault("unit", f"批次 {visit.lot} 不能在 {visit.unit} 上做。", f"Lot {visit.lot} cannot run on {visit.unit}.")  # fmt: skip


def _stage(problem: FlowShop, plan: FlowPlan, m: int, stage: Stage) -> Iterator[Problem]:
    """No overlap, set-ups and warming up fit, shifts kept, order kept, store not overfull."""
    place = {name: k for k, name in enumerate(plan.order)}
    visits = sorted((one for one in plan.visits if one.stage == stage.id), key=lambda one: place[one.lot])
    lots = {lot.id: lot for lot in problem.lots}
    for unit in stage.units:
        before: Visit | None = None
        for visit in (one for one in visits if one.unit == unit.id):
            yield from _fits(problem, (m, stage, unit), (before, visit), lots)
            before = visit
    for first, second in pairwise(visits):
        if len(stage.units) > 1 and second.end_slot < first.end_slot:
            yield _fault("overtaking", f"{stage.id}: 批次 {second.lot} 超过了 {first.lot}。", f"{stage.id}: lot {second.lot} overtakes {first.lot}.")  # fmt: skip
    if stage.store_lots is not None and m < len(problem.stages) - 1:
        left = {one.lot: one.end_slot + stage.passage_slots for one in visits}
        taken = {one.lot: one.start_slot for one in plan.visits if one.stage == problem.stages[m + 1].id}
        for slot in range(problem.slots):
            waiting = sum(left[name] <= slot < taken[name] for name in left)
            if waiting > stage.store_lots:
                yield _fault("store", f"{stage.id} 后的缓存在第 {slot} 格有 {waiting} 批, 容量 {stage.store_lots}。", f"The store after {stage.id} holds {waiting} lots in slot {slot}; it takes {stage.store_lots}.")  # fmt: skip
                break


def _fits(problem: FlowShop, where: tuple[int, Stage, Unit], pair: tuple[Visit | None, Visit], lots: dict[str, Lot]) -> Iterator[Problem]:  # fmt: skip
    m, stage, unit = where
    before, visit = pair
    free, setup = 0, 0
    if before is not None:
        free = before.end_slot
        setup = stage.setup_slots.get((lots[before.lot].tasks[m].family, lots[visit.lot].tasks[m].family), 0)
    rest = [one for one in unit.rests if one.name == visit.rest]
    if visit.rest and not rest:
        yield _fault("rest", f"{unit.id} 没有状态“{visit.rest}”。", f"{unit.id} has no rest '{visit.rest}'.")
    if unit.rests and not rest and (before is not None or unit.starts_from):
        yield _fault("rest", f"{unit.id}: 批次 {visit.lot} 前没有写明状态。", f"{unit.id}: no rest is told before lot {visit.lot}.")  # fmt: skip
    if before is None and unit.starts_from and visit.rest != unit.starts_from:
        yield _fault(
            "rest", f"{unit.id} 开始时应为“{unit.starts_from}”。", f"{unit.id} starts from '{unit.starts_from}'."
        )
    ramp = rest[0].leave_ticks if rest else 0
    if visit.start_slot - setup - ramp < free:
        yield _fault("overlap", f"{unit.id}: 批次 {visit.lot} 开始过早(第 {visit.start_slot} 格; 前一批到 {free}, 换型 {setup}, 升温 {ramp})。", f"{unit.id}: lot {visit.lot} starts too early (slot {visit.start_slot}; before it work to {free}, set-up {setup}, warming {ramp}).")  # fmt: skip
    if visit.end_slot > problem.slots:
        yield _fault("horizon", f"批次 {visit.lot} 超出期间。", f"Lot {visit.lot} runs over the end.")
    if unit.windows and not all(any(w.first <= slot < w.last for w in unit.windows) for slot in range(visit.start_slot, visit.end_slot)):  # fmt: skip
        yield _fault("shift", f"批次 {visit.lot} 在 {unit.id} 的班次之外。", f"Lot {visit.lot} lies outside the shifts of {unit.id}.")  # fmt: skip


def _between(problem: FlowShop, plan: FlowPlan) -> Iterator[Problem]:
    """Each lot passes the stages in turn, after the passage, without waiting too long; the order is kept everywhere."""
    at = {(visit.lot, visit.stage): visit for visit in plan.visits}
    for first, second in pairwise(problem.stages):
        for lot in problem.lots:
            if (lot.id, first.id) not in at:
                continue
            ready = at[lot.id, first.id].end_slot + first.passage_slots
            waited = at[lot.id, second.id].start_slot - ready
            if waited < 0:
                yield _fault("passage", f"批次 {lot.id} 未到 {second.id} 就开始。", f"Lot {lot.id} starts at {second.id} before it arrives.")  # fmt: skip
            if first.longest_wait_slots is not None and waited > first.longest_wait_slots:
                yield _fault("wait", f"批次 {lot.id} 在 {first.id} 后等了 {waited} 格, 最多 {first.longest_wait_slots}。", f"Lot {lot.id} waits {waited} slots after {first.id}; {first.longest_wait_slots} at most.")  # fmt: skip
    for stage in problem.stages:
        if len(stage.units) > 1:
            continue
        there = [name for name in plan.order if (name, stage.id) in at]
        for before, after in pairwise(there):
            if at[after, stage.id].start_slot < at[before, stage.id].end_slot:
                yield _fault("order", f"{stage.id}: {before} 与 {after} 的先后不对。", f"{stage.id}: {before} and {after} are not in order.")  # fmt: skip


def _deadlines(problem: FlowShop, plan: FlowPlan) -> Iterator[Problem]:
    for lot in problem.lots:
        begun = min((v.start_slot for v in plan.visits if v.lot == lot.id), default=0)
        ended = max((v.end_slot for v in plan.visits if v.lot == lot.id), default=0)
        if begun < lot.release_slot:
            yield _fault("release", f"批次 {lot.id} 在放行前开始。", f"Lot {lot.id} starts before its release.")
        if lot.deadline_slot is not None and ended > lot.deadline_slot:
            yield _fault("deadline", f"批次 {lot.id} 晚于最后期限。", f"Lot {lot.id} ends after its deadline.")


def _counted(problem: FlowShop, plan: FlowPlan) -> tuple[float, float]:
    """Return gCO2e and CNY that the plan adds at the meter, slot by slot."""
    load = [0.0] * problem.slots
    lots, carbon, cost = {lot.id: lot for lot in problem.lots}, 0.0, 0.0
    for m, stage in enumerate(problem.stages):
        for unit in stage.units:
            rests = {one.name: one for one in unit.rests}
            mine = sorted((v for v in plan.visits if v.stage == stage.id and v.unit == unit.id), key=lambda v: plan.order.index(v.lot))  # fmt: skip
            for k, visit in enumerate(mine):
                for slot, power in enumerate(lots[visit.lot].tasks[m].power_kw, visit.start_slot):
                    load[slot] += power
                edge = visit.start_slot
                if k:
                    pair = lots[mine[k - 1].lot].tasks[m].family, lots[visit.lot].tasks[m].family
                    carbon, cost = carbon + stage.setup_gco2e.get(pair, 0.0), cost + stage.setup_cny.get(pair, 0.0)
                    for _ in range(stage.setup_slots.get(pair, 0)):
                        edge -= 1
                        load[edge] += stage.setup_kw
                if visit.rest in rests:
                    for _ in range(rests[visit.rest].leave_ticks):
                        edge -= 1
                        load[edge] += rests[visit.rest].leave_kw
                    for slot in range(mine[k - 1].end_slot if k else edge, edge):
                        load[slot] += rests[visit.rest].power_kw
    every = problem.signals.interval_ticks
    for slot, own in enumerate(load):
        place = slot // every
        other = 0.0 if problem.signals.other_kw is None else float(problem.signals.other_kw[place])
        onsite = 0.0 if problem.signals.onsite_kw is None else float(problem.signals.onsite_kw[place])
        drawn = (max(0.0, own + other - onsite) - max(0.0, other - onsite)) * problem.slot_minutes / 60.0
        carbon += drawn * float(problem.signals.intensity_gco2e_per_kwh[place])
        cost += drawn * float(problem.signals.price_cny_per_kwh[place])
    return carbon, cost
