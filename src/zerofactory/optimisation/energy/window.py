"""A stretch of a longer problem as it looks from one moment: what is known of the states, of this month's peak, of what comes.

The same assets, priced by the same series; each kind writes its own block anew for the stretch, so nothing about an asset is
said twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from zerofactory.assets.asset import Conditions
from zerofactory.assets.block import Amount, AssetBlock, Emission, Flow, Given, Term, Variable, over
from zerofactory.assets.grid import Floats, Grid
from zerofactory.optimisation.energy.problem import EnergyProblem, Use

PEAK_SO_FAR = "peak_so_far_kw"
LOAD = "load"  # ("load", carrier) is the key of a load; (asset, series) that of an asset's series
Key = tuple[str, str]
States = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Where the plant stands: the interval, the state of every asset before it, the peak of the month so far by asset."""

    slot: int
    states: States
    peak_so_far_kw: Mapping[str, float] = field(default_factory=dict)


def installed(problem: EnergyProblem, sizes: Mapping[str, float]) -> EnergyProblem:
    """Return the problem with every candidate built at a size (absent or nothing: not built)."""
    uses = []
    for use in problem.uses:
        if not use.is_candidate:
            uses.append(use)
            continue
        size = sizes.get(use.id, 0.0)
        if size <= 0.0 or use.kind is None or use.values is None or use.conditions is None or use.kind.size is None:
            continue
        values = use.values.with_values(**{use.kind.size: size})
        conditions = replace(use.conditions, sized=False)
        block = use.kind.block(values, conditions).renamed(use.id)
        uses.append(replace(use, values=values, conditions=conditions, block=block))
    return replace(problem, uses=tuple(uses))


def begun(problem: EnergyProblem) -> EnergyProblem:
    """Return the problem with every state starting where its asset starts, instead of ending as it began."""
    uses = []
    for use in problem.uses:
        if use.kind is None or use.values is None or use.conditions is None or not use.kind.states:
            uses.append(use)
            continue
        conditions = replace(use.conditions, initial={**use.kind.start(use.values), **use.conditions.initial})
        block = use.kind.block(use.values, conditions).renamed(use.id)
        uses.append(replace(use, conditions=conditions, block=block))
    return replace(problem, uses=tuple(uses))


def window(
    problem: EnergyProblem, here: Standpoint, length: int, seen: Mapping[Key, Floats] | None = None
) -> EnergyProblem:
    """Return the problem of the next ``length`` intervals (fewer at the end of the grid).

    Parameters
    ----------
    seen : what is foreseen in place of what will be: ``(load, carrier)`` or ``(asset, series)`` → one value an interval.
    """
    whole, foreseen = problem.grid, seen or {}
    length = min(length, whole.length - here.slot)
    start = whole.start + timedelta(minutes=whole.step_minutes * here.slot)
    grid = Grid(start, whole.step_minutes, length, whole.time_zone)
    cut = slice(here.slot, here.slot + length)
    months = [whole.months.index(month) for month in grid.months]
    loads: dict[str, Amount] = {}
    for carrier in problem.loads:
        loads[carrier] = foreseen.get((LOAD, carrier), problem.load(carrier)[cut])[:length]
    factors = {key: _cut(amount, whole, cut) for key, amount in problem.factors.items()}
    uses = tuple(_stretch(use, whole, grid, (cut, months), (here, foreseen)) for use in problem.uses)
    return replace(problem, grid=grid, uses=uses, loads=loads, factors=factors)


def with_margin(problem: EnergyProblem, margin_kw: Floats) -> EnergyProblem:
    """Return the problem in which import stays a margin below each new peak: what a forecast may be wrong by."""
    uses = []
    for use in problem.uses:
        rows = tuple(
            replace(row, bound=over(row.bound, problem.grid.length) - margin_kw[: problem.grid.length])
            if use.role == "grid" and row.name == "peak"
            else row
            for row in use.block.rows
        )
        uses.append(replace(use, block=replace(use.block, rows=rows)))
    return replace(problem, uses=tuple(uses))


def _stretch(
    use: Use,
    whole: Grid,
    grid: Grid,
    places: tuple[slice, list[int]],
    known: tuple[Standpoint, Mapping[Key, Floats]],
) -> Use:
    cut, months = places
    here, foreseen = known
    if use.kind is None or use.values is None or use.conditions is None:
        return replace(use, block=_cut_block(use.block, whole, cut))
    series = {name: _cut(amount, whole, cut) for name, amount in {**use.conditions.series, **use.profile}.items()}
    series |= {name: array[: grid.length] for (asset, name), array in foreseen.items() if asset == use.id}
    monthly = {name: _months(amount, len(whole.months), months) for name, amount in use.conditions.monthly.items()}
    if use.id in here.peak_so_far_kw:
        so_far = np.zeros(len(months))
        so_far[0] = here.peak_so_far_kw[use.id]
        monthly[PEAK_SO_FAR] = so_far
    conditions = Conditions(grid, series, monthly, here.states.get(use.id, {}), integer=use.conditions.integer)
    profile = {name: np.asarray(series[name]) for name in use.profile}
    block = use.kind.block(use.values, conditions).renamed(use.id)
    return replace(use, block=block, conditions=conditions, profile=profile)


def _cut(amount: Amount, whole: Grid, cut: slice) -> Amount:
    return amount[cut] if isinstance(amount, np.ndarray) and amount.shape == (whole.length,) else amount


def _months(amount: Amount, count: int, months: list[int]) -> Amount:
    return amount[months] if isinstance(amount, np.ndarray) and amount.shape == (count,) else amount


def _cut_block(block: AssetBlock, whole: Grid, cut: slice) -> AssetBlock:
    """Return a block of one's own over a stretch; it has no states, so its rows hold interval by interval."""

    def of(amount: Amount) -> Amount:
        return _cut(amount, whole, cut)

    variables = tuple(
        Variable(v.name, v.length, of(v.lower), of(v.upper), of(v.cost_cny), v.unit, v.integer) for v in block.variables
    )
    rows = tuple(
        replace(
            row,
            terms=tuple(Term(t.variable, of(t.coefficient), t.shift, t.initial) for t in row.terms),
            bound=of(row.bound),
            group=None if row.group is None else row.group[cut],
        )
        for row in block.rows
    )
    flows = tuple(Flow(f.carrier, f.variable, of(f.coefficient)) for f in block.flows)
    given = tuple(Given(g.carrier, of(g.amount)) for g in block.given)
    emissions = tuple(Emission(e.variable, e.source, e.item, of(e.quantity), e.unit) for e in block.emissions)
    return AssetBlock(block.id, variables, rows, flows, given, block.sizes, emissions)
