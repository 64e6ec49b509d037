"""From the blocks of the assets to one linear program, and back from its answer to named series.

    minimise   Σ running cost + Σ annuity · size + carbon price · emissions − value of what is left in stores
    so that    every row of every asset holds, the bus of every carrier balances in every interval, and every goal is met

Columns are ``<asset>.<variable>``, rows ``<asset>.<row>``, ``balance:<carrier>`` and, for what was asked, ``wish:<name>`` (those
are what `conflict` may let give way). Shares and claims follow the book of electricity (`accounting`): consumption is what
comes from the grid, own generation and direct lines, less what goes out; unmatched is what neither they nor contracts cover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zerofactory.assets.block import Amount, AssetBlock, Emission, Row, Variable, groups_of, over, row_count, slots_of
from zerofactory.assets.grid import Floats, Grid, Integers
from zerofactory.optimisation.energy.problem import (
    ELECTRICITY,
    GRAMS_PER_TONNE,
    PURCHASED,
    EnergyProblem,
    Use,
    electric,
    margin_cny,
    metered_kwh,
    most_of,
    settled,
)
from zerofactory.optimisation.energy.wish import WISH_TITLES, load_title
from zerofactory.optimisation.solving.conflict import Wish
from zerofactory.optimisation.solving.linear import Block, Draft, LinearProgram, Sense, Solution

LOAD_WEIGHT, GOAL_WEIGHT = 10.0, 1.0
SHARE_UNITS = 1e3  # a row of shares counts thousandths of the load, so that it keeps to the size of the others
Linear = dict[str, Any]  # column → coefficients


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """A problem as a program, with the wishes that may give way.

    ``emissions`` and ``cost`` are coefficient vectors over the columns: grams under the goal's regime, and CNY.
    """

    problem: EnergyProblem
    program: LinearProgram
    wishes: tuple[Wish, ...]
    emissions_gco2e: Floats
    cost_cny: Floats

    def values(self, solution: Solution) -> dict[str, dict[str, Floats]]:
        """Return the answer as asset → variable → values."""
        return {
            use.id: {one.name: solution.value(f"{use.id}.{one.name}") for one in use.block.variables}
            for use in self.problem.uses
        }


def assemble(problem: EnergyProblem) -> Assembled:
    """Return a problem as a linear program."""
    draft = Draft()
    columns: dict[str, Block] = {}
    for use in problem.uses:
        for variable in use.block.variables:
            columns[f"{use.id}.{variable.name}"] = _column(draft, problem, use, variable)
    for use in problem.uses:
        for row in use.block.rows:
            _row(draft, problem.grid, use.block, row, columns)
    wishes = [_balance(draft, problem, carrier, columns) for carrier in problem.carriers]
    _settle(draft, problem, columns)
    if problem.sells_own_only:
        _sell_own(draft, problem, columns)
    unmatched = {group: _unmatched(draft, problem, group, columns) for group in _groupings(problem)}
    grams = emission_terms(problem, unmatched)
    wishes += list(_goals(draft, problem, columns, grams, unmatched))
    program = draft.finish()
    emissions = np.zeros(len(program.cost))
    for name, coefficient in grams.items():
        emissions[program.columns[name].span] += coefficient
    cost = program.cost
    if problem.goals.carbon_price_cny_per_t:
        priced = cost + emissions * (problem.goals.carbon_price_cny_per_t / GRAMS_PER_TONNE)
        program = program.changed(cost={name: priced[block.span] for name, block in program.columns.items()})
    return Assembled(problem, program, tuple(wish for wish in wishes if wish is not None), emissions, cost)


def _column(draft: Draft, problem: EnergyProblem, use: Use, variable: Variable) -> Block:
    count = slots_of(variable.length, problem.grid)
    cost = over(variable.cost_cny, count)
    for size in use.block.sizes:
        if size.variable == variable.name:
            cost = cost + size.annual_cny_per_unit(problem.discount_fraction) * problem.grid.years
    for last in problem.terminal:
        if (last.asset, last.variable) == (use.id, variable.name):
            cost[-1] -= last.value_cny_per_unit
    name = f"{use.id}.{variable.name}"
    idle = use.role == "contract" and not _counts_contracts(problem) and np.min(cost) >= 0.0 >= np.max(variable.lower)
    return draft.add_columns(name, count, variable.lower, 0.0 if idle else variable.upper, cost, variable.integer)


def _counts_contracts(problem: EnergyProblem) -> bool:
    """Whether anything asked for counts contracts; if not, a contract that costs something is not signed."""
    goals = problem.goals
    shares = (goals.annual_matched_fraction, goals.hourly_matched_fraction, goals.non_fossil_fraction)
    return goals.regime != "location" or any(share is not None for share in shares)


def _row(draft: Draft, grid: Grid, block: AssetBlock, row: Row, columns: Mapping[str, Block]) -> None:
    """Put one family of rows of an asset."""
    count, groups = row_count(row, grid), groups_of(row, grid)
    bound = over(row.bound, count)
    for term in row.terms:
        if term.shift and term.initial is not None:
            bound[: term.shift] -= over(term.coefficient, grid.length)[: term.shift] * term.initial
    made = draft.add_rows(f"{block.id}.{row.name}", count, row.sense, bound)
    for term in row.terms:
        variable, column = block.variable(term.variable), columns[f"{block.id}.{term.variable}"]
        if variable.length == "interval":
            _interval_term(
                draft, made, column, (groups, over(term.coefficient, grid.length)), (term.shift, term.initial)
            )
        else:
            month = variable.length == "month"
            places = column.places[grid.month_of] if month and row.per == "interval" else column.places
            draft.put(made, places, over(term.coefficient, count))


def _interval_term(
    draft: Draft,
    made: Block,
    column: Block,
    placed: tuple[Integers | None, Floats],
    shifted: tuple[int, Amount | None],
) -> None:
    groups, coefficient = placed
    shift, initial = shifted
    places = np.roll(column.places, shift)
    rows = made.places if groups is None else made.first + groups
    there = np.ones(len(places), dtype=np.bool_) if groups is None else groups >= 0
    if shift and initial is not None:
        there[:shift] = False
    draft.put(rows[there], places[there], coefficient[there])


def _balance(draft: Draft, problem: EnergyProblem, carrier: str, columns: Mapping[str, Block]) -> Wish | None:
    """Put the bus of a carrier; where there is a load it is a wish that the load is met."""
    load, length = problem.load(carrier), problem.grid.length
    needed = load.copy()
    for use in problem.uses:
        for given in use.block.given:
            if given.carrier == carrier:
                needed -= over(given.amount, length)
    sense: Sense = ">=" if carrier in problem.surplus else "="
    made = draft.add_rows(f"balance:{carrier}", length, sense, needed)
    for use in problem.uses:
        for flow in use.block.flows:
            if flow.carrier == carrier:
                draft.put(made, columns[f"{use.id}.{flow.variable}"], over(flow.coefficient, length))
    if not (load > 0).any():
        return None
    return Wish(made.name, load_title(carrier), 1.0, "", -np.maximum(load, 0.0), -1.0, LOAD_WEIGHT)


def _groupings(problem: EnergyProblem) -> tuple[str, ...]:
    """Return over which spans unmatched electricity must be known: interval, month, one."""
    goals, wanted = problem.goals, []
    if goals.hourly_matched_fraction is not None or goals.regime == "market_hourly":
        wanted.append("interval")
    if goals.non_fossil_fraction is not None or goals.regime == "market_annual":
        wanted.append("month")
    if goals.annual_matched_fraction is not None:
        wanted.append("one")
    return tuple(wanted)


def origin_terms(problem: EnergyProblem) -> tuple[Linear, Linear, Linear, Linear]:
    """Return kWh by column: bought or burnt, covered by contracts, own and direct, and consumption."""
    dirty, cover, clean, consumption = Linear(), Linear(), Linear(), Linear()
    for use in problem.uses:
        cover |= {f"{use.id}.{name}": kwh for name, kwh in settled(use, problem.grid).items()}
        if use.role in ("other", "contract"):
            continue
        for sign in (1, -1):
            for flow in electric(use, sign):
                kwh, name = sign * metered_kwh(use, flow, problem.grid), f"{use.id}.{flow.variable}"
                consumption[name] = consumption.get(name, 0.0) + kwh
                if sign > 0 or use.role != "grid":
                    part = {"grid": dirty, "fossil": dirty}.get(use.role, clean)
                    part[name] = part.get(name, 0.0) + kwh
    return dirty, cover, clean, consumption


def _settle(draft: Draft, problem: EnergyProblem, columns: Mapping[str, Block]) -> None:
    """Put: what contracts settle in an interval is at most what the grid delivers in it."""
    _, cover, _, _ = origin_terms(problem)
    if not cover:
        return
    made = draft.add_rows("settled", problem.grid.length, "<=", 0.0)
    for name, kwh in cover.items():
        draft.put(made, columns[name], kwh / problem.grid.step_hours)
    for use in problem.uses:
        if use.role == "grid":
            for flow in electric(use, 1):
                kwh = metered_kwh(use, flow, problem.grid)
                draft.put(made, columns[f"{use.id}.{flow.variable}"], -kwh / problem.grid.step_hours)


def _sell_own(draft: Draft, problem: EnergyProblem, columns: Mapping[str, Block]) -> None:
    """Put: what is sold in an interval is at most the own generation of it.

    Where selling pays more than buying costs, a plan would do both at once, which a meter nets: there, what is sold is at most
    what own generation at its greatest leaves over from the load.
    """
    made = draft.add_rows("sold", problem.grid.length, "<=", 0.0)
    surplus = -problem.load(ELECTRICITY) * problem.grid.step_hours
    for use in problem.uses:
        if use.role in ("grid", "on_site"):
            sign = -1 if use.role == "grid" else 1
            for flow in electric(use, sign):
                kwh = metered_kwh(use, flow, problem.grid)
                draft.put(made, columns[f"{use.id}.{flow.variable}"], -sign * kwh)
                surplus += 0.0 if use.role == "grid" else kwh * most_of(problem, use, flow.variable)
    for use in problem.uses:
        if use.role == "grid":
            tempting = margin_cny(problem, use) < 0.0
            if tempting.any():  # a row an interval, idle elsewhere: the structure stays while the hours roll on
                bound = np.where(tempting, np.maximum(surplus, 0.0), np.inf)
                limited = draft.add_rows(f"surplus:{use.id}", problem.grid.length, "<=", bound)
                for flow in electric(use, -1):
                    draft.put(limited, columns[f"{use.id}.{flow.variable}"], metered_kwh(use, flow, problem.grid))


def _unmatched(draft: Draft, problem: EnergyProblem, grouping: str, columns: Mapping[str, Block]) -> Block:
    """Add ``unmatched ≥ bought and burnt − covered`` by interval, month or as a whole, in kWh."""
    grid = problem.grid
    groups = {"interval": np.arange(grid.length), "month": grid.month_of, "one": np.zeros(grid.length, dtype=np.int64)}[
        grouping
    ]
    count = int(groups.max()) + 1
    unmatched = draft.add_columns(f"unmatched:{grouping}", count)
    made = draft.add_rows(f"unmatched:{grouping}", count, ">=", 0.0)
    draft.put(made, unmatched, 1.0)
    dirty, cover, _, _ = origin_terms(problem)
    for terms, sign in ((dirty, -1.0), (cover, 1.0)):
        for name, kwh in terms.items():
            draft.put(made.first + groups, columns[name], sign * kwh)
    return unmatched


def emission_terms(problem: EnergyProblem, unmatched: Mapping[str, Block]) -> Linear:
    """Return grams of CO2e per unit of each column under the regime of the goals."""
    grams = Linear()
    regime = problem.goals.regime
    for use in problem.uses:
        for emission in use.block.emissions:
            if emission.source == PURCHASED and regime != "location":
                continue
            name = f"{use.id}.{emission.variable}"
            grams[name] = grams.get(name, 0.0) + grams_per_unit(problem, use, emission)
    span = {"market_hourly": "interval", "market_annual": "month"}.get(regime)
    if span is not None and problem.residual_gco2e_per_kwh is not None:
        block = unmatched[span]
        grams[block.name] = np.full(block.count, problem.residual_gco2e_per_kwh)
    return grams


def grams_per_unit(problem: EnergyProblem, use: Use, emission: Emission) -> Floats:
    """Return grams of CO2e per unit of an emitting variable over its interval (or once)."""
    variable = use.block.variable(emission.variable)
    slots, factor = slots_of(variable.length, problem.grid), problem.factor(emission.source, emission.item)
    if variable.length == "interval":
        return over(emission.quantity, slots) * factor * problem.grid.step_hours
    return over(emission.quantity, slots) * float(factor.mean())


def _goals(
    draft: Draft, problem: EnergyProblem, columns: Mapping[str, Block], grams: Linear, unmatched: Mapping[str, Block]
) -> Iterator[Wish]:
    goals = problem.goals
    everything = {**columns, **{block.name: block for block in unmatched.values()}}
    if goals.carbon_cap_t is not None:
        terms = {name: grams_each / GRAMS_PER_TONNE for name, grams_each in grams.items()}
        yield _most(draft, everything, "carbon_cap", terms, goals.carbon_cap_t)
    shares = (
        ("annual_matched", goals.annual_matched_fraction, "one"),
        ("hourly_matched", goals.hourly_matched_fraction, "interval"),
        ("non_fossil", goals.non_fossil_fraction, "month"),
    )
    for name, fraction, grouping in shares:
        if fraction is not None:
            yield _share(draft, everything, (name, fraction), unmatched[grouping].name, problem)
    if goals.physical_fraction is not None:
        yield _physical(draft, everything, goals.physical_fraction, problem)
    if goals.budget_cny is not None:
        capex = {
            f"{use.id}.{size.variable}": np.array([size.capex_cny_per_unit])
            for use in problem.uses for size in use.block.sizes
        }  # fmt: skip
        yield _most(draft, everything, "budget", capex, goals.budget_cny)
    if goals.roof_area_m2 is not None:
        area = {
            f"{use.id}.{size.variable}": np.array([problem.roof_m2_per_unit[use.id]])
            for use in problem.uses for size in use.block.sizes if use.id in problem.roof_m2_per_unit
        }  # fmt: skip
        yield _most(draft, everything, "roof_area", area, goals.roof_area_m2)
    if goals.grid_limit_kw is not None:
        yield _grid_limit(draft, problem, columns, goals.grid_limit_kw)


def _most(draft: Draft, columns: Mapping[str, Block], name: str, terms: Linear, bound: float) -> Wish:
    made = draft.add_rows(f"wish:{name}", 1, "<=", bound)
    for column, coefficient in terms.items():
        draft.put(made, columns[column], coefficient)
    title, unit = WISH_TITLES[name]
    scale = max(bound, 1.0)
    return Wish(made.name, title, bound, unit, scale, scale, GOAL_WEIGHT)


def _share(
    draft: Draft, columns: Mapping[str, Block], asked: tuple[str, float], unmatched: str, problem: EnergyProblem
) -> Wish:
    """Put: unmatched ≤ (1 − share) · consumption, in thousandths of the load."""
    name, fraction = asked
    _, _, _, consumption = origin_terms(problem)
    made, scale = draft.add_rows(f"wish:{name}", 1, "<=", 0.0), share_scale(problem)
    draft.put(made, columns[unmatched], scale)
    for column, kwh in consumption.items():
        draft.put(made, columns[column], -(1.0 - fraction) * scale * kwh)
    left = {unmatched: np.ones(columns[unmatched].count)}
    return _share_wish(made.name, asked, _share_measure(columns, left, consumption))


def _physical(draft: Draft, columns: Mapping[str, Block], fraction: float, problem: EnergyProblem) -> Wish:
    """Put: bought or burnt ≤ (1 − share) · consumption."""
    dirty, _, _, consumption = origin_terms(problem)
    made, scale = draft.add_rows("wish:physical", 1, "<=", 0.0), share_scale(problem)
    for column, kwh in consumption.items():
        own = dirty.get(column, np.zeros_like(kwh))
        draft.put(made, columns[column], scale * (own - (1.0 - fraction) * kwh))
    return _share_wish(made.name, ("physical", fraction), _share_measure(columns, dirty, consumption))


def share_scale(problem: EnergyProblem) -> float:
    """Return what a kWh counts in a row of shares."""
    return SHARE_UNITS / max(float(problem.load(ELECTRICITY).sum()) * problem.grid.step_hours, 1.0)


def _share_measure(columns: Mapping[str, Block], left: Linear, whole: Linear) -> Callable[[Floats], float]:
    """Return what reads 1 − left ÷ whole from an answer."""

    def measure(x: Floats) -> float:
        parts = [sum(float(kwh @ x[columns[name].span]) for name, kwh in terms.items()) for terms in (left, whole)]
        return 1.0 - parts[0] / parts[1]

    return measure


def _share_wish(row: str, asked: tuple[str, float], measure: Callable[[Floats], float]) -> Wish:
    name, fraction = asked
    scale = max(fraction, 1e-3) * SHARE_UNITS
    return Wish(row, WISH_TITLES[name][0], fraction, "", scale, -fraction, GOAL_WEIGHT, measure)


def _grid_limit(draft: Draft, problem: EnergyProblem, columns: Mapping[str, Block], limit_kw: float) -> Wish:
    length = problem.grid.length
    made = draft.add_rows("wish:grid_limit", length, "<=", limit_kw)
    for use in problem.uses:
        if use.role == "grid":
            for flow in electric(use, 1):
                draft.put(made, columns[f"{use.id}.{flow.variable}"], over(flow.coefficient, length))
    title, unit = WISH_TITLES["grid_limit"]
    scale = max(limit_kw, 1.0)
    return Wish(made.name, title, limit_kw, unit, scale, scale, GOAL_WEIGHT)
