"""The independent check: a plan judged again without the solver and without the matrix it was solved with.

    balance     what flows into the bus of each carrier equals load and what flows out, in every interval
    limit       every bound and every condition of every asset holds
    physics     the asset's own physics, given the plan's wishes, does what the plan says (sampled intervals, states included)
    goal        cap, shares, budget, roof, grid limit, counted from the flows
    cost        running cost, annuities and carbon, added up asset by asset, equal what the solver said
    bill, tonnes are added by whoever has the tariff and the accounts (`Finding`s of its own).

It runs after every solve; a plan with a finding is not shown as a result.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory.assets.asset import At, Values
from zerofactory.assets.block import AssetBlock, Variable, flow_of, over, row_value, slots_of
from zerofactory.assets.grid import Floats
from zerofactory.errors import Text
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import Use
from zerofactory.optimisation.energy.wish import WISH_TITLES

TOLERANCE = 1e-5  # of the largest figure of what is checked
BOTH_WAYS = 1e-3  # of the largest import: a meter nets what passes it both ways within an interval
LOAD_SHARE = 1e-2
SAMPLED_INTERVALS = 48


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a plan: what, where, by how much."""

    code: str
    where: str
    message: Text
    size: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"code": self.code, "where": self.where, "message": {"zh": self.message.zh, "en": self.message.en}, "size": self.size}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """What the check found; empty means passed. ``worst_fraction`` is the largest deviation met, passed or not."""

    findings: tuple[Finding, ...]
    worst_fraction: float
    runtime_s: float

    @property
    def passed(self) -> bool:
        """Whether the plan may be shown."""
        return not self.findings

    def with_findings(self, more: Collection[Finding]) -> Check:
        """Return the check with findings of others: bill, tonnes."""
        return Check((*self.findings, *more), self.worst_fraction, self.runtime_s)


@dataclass(slots=True)
class _Notes:
    """Findings so far, and the worst deviation; ``floor`` is the least scale: nothing is judged finer than the plant's loads."""

    findings: list[Finding]
    floor: float = 1.0
    worst: float = 0.0

    def deviation(self, code: str, where: str, gap: float, scale: float) -> None:
        """Note a gap when it is more than the tolerance of its scale."""
        share = abs(gap) / max(scale, self.floor)
        self.worst = max(self.worst, share)
        if share <= TOLERANCE:
            return
        title = CODES[code]
        self.findings.append(
            Finding(code, where, Text(f"{title.zh}“{where}”差 {gap:,.6g}。", f"{title.en} '{where}' is off by {gap:,.6g}."), gap)
        )  # fmt: skip


CODES: Mapping[str, Text] = {
    "check.balance": Text("能量平衡", "balance of"),
    "check.bound": Text("上下限", "bound of"),
    "check.row": Text("约束", "condition"),
    "check.physics": Text("物理重放", "physics of"),
    "check.goal": Text("目标", "goal"),
    "check.cost": Text("费用合计", "cost"),
    "check.both_ways": Text("同时购电与上网", "buying and selling at once at"),
    "check.bill": Text("电费账单", "bill of"),
    "check.tonnes": Text("核算吨数", "booked tonnes of"),
}


def check(plan: Plan, relaxed: Collection[str] = (), priced: bool = True, eased: float = 0.0) -> Check:
    """Return what is wrong with a plan.

    Parameters
    ----------
    relaxed : wishes that were allowed to give way (the nearest plan of a conflict), by row name.
    priced : compare the cost with the solver's objective.
    eased : share by which every other wish was eased against rounding (the nearest plan).
    """
    started = time.perf_counter()
    notes = _Notes([], _floor(plan))
    missing = _missing(plan)
    if missing:
        text = Text(f"缺少或不是有限数: {missing}。", f"Missing or not finite: {missing}.")
        return Check(
            (Finding("check.value", missing, text, float("nan")),), float("nan"), time.perf_counter() - started
        )
    for carrier in plan.problem.carriers:
        _balance(plan, carrier, notes, (f"balance:{carrier}" in relaxed, eased))
    for use in plan.problem.uses:
        _bounds(plan, use, notes)
        _rows(plan, use, notes)
        _physics(plan, use, notes)
    both = np.minimum(plan.origin.grid, plan.origin.sold)
    if both.max() > BOTH_WAYS * max(1.0, float(plan.origin.grid.max())):
        notes.deviation("check.both_ways", f"grid[{int(both.argmax())}]", float(both.max()), 1.0)
    beyond = plan.origin.contract - plan.origin.grid
    scale = float(plan.origin.grid.max())
    notes.deviation("check.row", f"settled[{int(beyond.argmax())}]", max(float(beyond.max()), 0.0), scale)
    for name, gap, scale in _goals(plan):
        if f"wish:{name}" not in relaxed:
            notes.deviation("check.goal", name, max(gap - eased * scale, 0.0), scale)
    if priced:
        total = plan.costs.total_cny
        scale = sum(abs(cost) for cost in plan.costs.running_cny.values()) + abs(plan.costs.annuity_cny)
        notes.deviation("check.cost", "total", total - plan.report.objective, scale)
    return Check(tuple(notes.findings), notes.worst, time.perf_counter() - started)


def _floor(plan: Plan) -> float:
    """Return a hundredth of the largest load."""
    return LOAD_SHARE * max((float(np.abs(plan.problem.load(name)).max()) for name in plan.problem.loads), default=1.0)


def _missing(plan: Plan) -> str:
    for use in plan.problem.uses:
        for one in use.block.variables:
            given = plan.values.get(use.id, {}).get(one.name)
            if given is None or len(given) != slots_of(one.length, plan.problem.grid) or not np.isfinite(given).all():
                return f"{use.id}.{one.name}"
    return ""


def _balance(plan: Plan, carrier: str, notes: _Notes, slack: tuple[bool, float]) -> None:
    problem = plan.problem
    may_lack, eased = slack
    load = problem.load(carrier)
    flows = [flow_of(use.block, carrier, problem.grid, plan.values[use.id]) for use in problem.uses]
    gap = np.sum(flows, axis=0) - load
    if carrier in problem.surplus:
        gap = np.minimum(gap, 0.0)
    if may_lack:
        gap = np.maximum(gap, 0.0)
    gap = np.where(gap < 0.0, np.minimum(gap + eased * np.abs(load), 0.0), gap)
    scale = max(float(np.abs(load).max()), *(float(np.abs(flow).max()) for flow in flows))
    slot = int(np.abs(gap).argmax())
    notes.deviation("check.balance", f"{carrier}[{slot}]", float(gap[slot]), scale)


def _scale(plan: Plan, use: Use, variable: Variable) -> float:
    """Return the size of a variable's figures, by which its deviations are judged."""
    given = float(np.abs(plan.values[use.id][variable.name]).max())
    upper = np.abs(np.atleast_1d(np.asarray(variable.upper, dtype=np.float64)))
    finite = upper[np.isfinite(upper)]
    return max(given, float(finite.max()) if len(finite) and float(finite.max()) < 1e12 else 0.0)


def _bounds(plan: Plan, use: Use, notes: _Notes) -> None:
    for variable in use.block.variables:
        given = plan.values[use.id][variable.name]
        below = float((over(variable.lower, len(given)) - given).max())
        above = float((given - over(variable.upper, len(given))).max())
        notes.deviation("check.bound", f"{use.id}.{variable.name}", max(below, above, 0.0), _scale(plan, use, variable))


def _rows(plan: Plan, use: Use, notes: _Notes) -> None:
    grid, values = plan.problem.grid, plan.values[use.id]
    for row in use.block.rows:
        left = row_value(use.block, row, grid, values)
        gap = left - over(row.bound, len(left))
        worst = {"<=": np.maximum(gap, 0.0), ">=": np.maximum(-gap, 0.0), "=": np.abs(gap)}[row.sense]
        slot = int(worst.argmax())
        scale = _row_scale(use.block, row.terms, values, summed=row.per != "interval")
        bound = np.abs(over(row.bound, len(left)))
        scale = max(scale, float(bound[bound < 1e12].max(initial=0.0)))
        scale = scale if row.per == "interval" else max(scale, notes.floor * grid.hours)
        notes.deviation("check.row", f"{use.id}.{row.name}[{slot}]", float(worst[slot]), scale)


def _row_scale(block: AssetBlock, terms: tuple, values: Mapping[str, Floats], *, summed: bool) -> float:  # type: ignore[type-arg]
    largest = 0.0
    for term in terms:
        product = np.abs(np.asarray(term.coefficient)) * np.abs(values[term.variable])
        total = summed and block.variable(term.variable).length == "interval"
        largest = max(largest, float(product.sum() if total else product.max()))
    return largest


def _physics(plan: Plan, use: Use, notes: _Notes) -> None:
    """Replay sampled intervals by the asset's own physics, from the state the plan says the interval before ended with."""
    kind, conditions = use.kind, use.conditions
    if kind is None or conditions is None or use.values is None or conditions.grid.length != plan.problem.grid.length:
        return
    own = plan.values[use.id]
    actions = [name for name in kind.actions if name in own]
    if len(actions) < len(kind.actions) or any(name not in own for name in kind.states):
        return
    values = _with_sizes(use, own)
    series = {
        one.name: conditions.array(one.name) for one in kind.inputs if not one.monthly and one.name in conditions.series
    }
    series |= use.profile
    scales = {one.name: _scale(plan, use, one) for one in use.block.variables}
    worst: dict[str, tuple[float, int]] = {}
    for slot in _sample(plan.problem.grid.length, [own[name] for name in actions]):
        state = {}
        for name in kind.states:
            before = conditions.before(name)
            state[name] = float(own[name][slot - 1]) if slot or before is None else before
        at = At(conditions.grid.step_hours, {name: float(given[slot]) for name, given in series.items()})
        done = kind.step(values, state, {name: float(own[name][slot]) for name in actions}, at)
        for name, value in {**done.values, **done.state}.items():
            if name in own:
                gap = value - float(own[name][slot])
                if abs(gap) > abs(worst.get(name, (0.0, 0))[0]):
                    worst[name] = (gap, slot)
    for name, (gap, slot) in worst.items():
        notes.deviation("check.physics", f"{use.id}.{name}[{slot}]", gap, scales[name] * PHYSICS_SLACK)


PHYSICS_SLACK = 10.0  # a state cut at its bound moves its flow by as much again


def _with_sizes(use: Use, own: Mapping[str, Floats]) -> Values:
    assert use.values is not None  # noqa: S101  # narrowing
    found = {size.variable: float(own[size.variable][0]) for size in use.block.sizes}
    return use.values.with_values(**found) if found else use.values


def _sample(length: int, actions: list[Floats]) -> list[int]:
    """Return intervals spread over the grid, and those in which an action is largest."""
    spread = np.unique(np.linspace(0, length - 1, min(length, SAMPLED_INTERVALS)).astype(np.int64))
    return sorted({*spread.tolist(), *(int(np.argmax(action)) for action in actions)})


def _goals(plan: Plan) -> Iterator[tuple[str, float, float]]:
    """Yield each goal with by how much it is missed and the scale of it."""
    goals, grid, origin = plan.problem.goals, plan.problem.grid, plan.origin
    if goals.carbon_cap_t is not None:
        yield "carbon_cap", plan.emissions_t - goals.carbon_cap_t, max(1.0, plan.emissions_t)
    shares = (
        ("annual_matched", goals.annual_matched_fraction, "one"),
        ("hourly_matched", goals.hourly_matched_fraction, "interval"),
        ("non_fossil", goals.non_fossil_fraction, "month"),
    )
    for name, fraction, grouping in shares:
        if fraction is not None:
            yield name, fraction - origin.matched_fraction(grid, grouping), 1.0
    if goals.physical_fraction is not None:
        yield "physical", goals.physical_fraction - origin.physical_fraction, 1.0
    if goals.budget_cny is not None:
        yield "budget", sum(_price(plan, use) for use in plan.problem.uses) - goals.budget_cny, goals.budget_cny
    if goals.roof_area_m2 is not None:
        yield "roof_area", sum(_area(plan, use) for use in plan.problem.uses) - goals.roof_area_m2, goals.roof_area_m2
    if goals.grid_limit_kw is not None:
        bus = sum((np.maximum(flow_of(use.block, "electricity", grid, plan.values[use.id]), 0.0) for use in plan.problem.uses if use.role == "grid"), np.zeros(grid.length))  # fmt: skip
        yield "grid_limit", float(bus.max()) - goals.grid_limit_kw, max(goals.grid_limit_kw, float(bus.max()))


def _price(plan: Plan, use: Use) -> float:
    return sum(one.capex_cny_per_unit * float(plan.values[use.id][one.variable][0]) for one in use.block.sizes)


def _area(plan: Plan, use: Use) -> float:
    each = plan.problem.roof_m2_per_unit.get(use.id, 0.0)
    return sum(each * float(plan.values[use.id][one.variable][0]) for one in use.block.sizes)


def bill_findings(plan: Plan, billed_cny: Mapping[str, float]) -> list[Finding]:
    """Return where what the tariff code bills for a plan differs from what the plan says an asset costs to run."""
    notes = _Notes([])
    running = plan.costs.running_cny
    for name, billed in billed_cny.items():
        notes.deviation("check.bill", name, running[name] - billed, abs(billed))
    return notes.findings


def tonnes_findings(booked_t: Mapping[str, float], own_t: Mapping[str, float]) -> list[Finding]:
    """Return where tonnes that the accounts book for a plan differ from the plan's own, by kind of source."""
    notes = _Notes([], LOAD_SHARE * max(sum(map(abs, booked_t.values())), 1.0))  # meters count whole thousandths
    for name, booked in booked_t.items():
        notes.deviation("check.tonnes", name, own_t.get(name, 0.0) - booked, abs(booked))
    return notes.findings


def goal_title(name: str) -> Text:
    """Return the words of a goal."""
    return WISH_TITLES[name][0]
