"""The problem of a plant's energy: assets, loads by carrier, prices inside the assets, carbon factors and what is asked for.

Everything that can be wrong with it is told before a solver starts (`faults`): holes in series, series of another length than
the grid (8760 against 8784 hours), an asset that costs nothing, prices by which buying and selling at once would earn without
end, a cap below what is possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import numpy as np

from zerofactory.assets.asset import Asset, Conditions, Setting, Values, asset, input_problems, values_of, with_defaults
from zerofactory.assets.block import CARRIERS, Amount, AssetBlock, Flow, over
from zerofactory.assets.grid import Floats, Grid
from zerofactory.errors import NotFound, Problem, Text

Role = Literal["grid", "on_site", "direct_line", "contract", "fossil", "other"]
Regime = Literal["location", "market_annual", "market_hourly"]
Objective = Literal["cost", "emissions"]
REGIMES: tuple[Regime, ...] = ("location", "market_annual", "market_hourly")
OBJECTIVES: tuple[Objective, ...] = ("cost", "emissions")
ELECTRICITY = "electricity"
PURCHASED, EXPORTED, RENEWABLE = "purchased_electricity", "exported_electricity", "on_site_renewable"
CONTRACT = "green_power_contract"
# Booked without adding to the total: exports stand apart, own sun and wind emit nothing, contracts are claims.
NO_FACTOR = (EXPORTED, RENEWABLE, CONTRACT)
ROLES: Mapping[str, Role] = {
    "grid_connection": "grid",
    "photovoltaic": "on_site",
    "wind_turbine": "on_site",
    "direct_line": "direct_line",
    "green_power_contract": "contract",
    "combined_heat_power": "fossil",
}
GRAMS_PER_TONNE = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One asset of the problem: its linear part, and what its physics needs to be replayed without a solver.

    ``role`` says where its electricity comes from, for shares and claims. ``profile`` is what weather makes of it. A block of
    one's own needs no ``kind``.
    """

    id: str
    title: Text
    block: AssetBlock
    role: Role = "other"
    kind: Asset | None = None
    values: Values | None = None
    conditions: Conditions | None = None
    profile: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def is_candidate(self) -> bool:
        """Whether its size is to be decided."""
        return bool(self.block.sizes)


@dataclass(frozen=True, slots=True)
class Goals:
    """What is asked for; None asks nothing.

    Parameters
    ----------
    regime : rule under which purchased electricity emits: all of it at the average factor (``location``), or what contracts do
        not cover by the month (``market_annual``) or by the interval (``market_hourly``) at the residual factor.
    carbon_cap_t : tonnes of CO2e over the grid under that regime.
    annual_matched_fraction, hourly_matched_fraction : least share of electricity from clean sources, matched over the year or in
        every interval.
    non_fossil_fraction : least share of electricity from own generation, direct lines and contracts, by the month.
    physical_fraction : least share from own generation and direct lines only.
    """

    objective: Objective = "cost"
    regime: Regime = "location"
    carbon_cap_t: float | None = None
    carbon_price_cny_per_t: float = 0.0
    annual_matched_fraction: float | None = None
    hourly_matched_fraction: float | None = None
    non_fossil_fraction: float | None = None
    physical_fraction: float | None = None
    budget_cny: float | None = None
    roof_area_m2: float | None = None
    grid_limit_kw: float | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """What one unit left in a store at the end of the grid is worth (rolling dispatch)."""

    asset: str
    variable: str
    value_cny_per_unit: float


@dataclass(frozen=True, slots=True, eq=False)
class EnergyProblem:
    """A plant's energy over a grid.

    Parameters
    ----------
    loads : carrier → need in each interval, in the carrier's rate (kW, Nm3/h, kg/h).
    factors : (kind of emission source, item) → gCO2e per unit in which assets state the item (kWh, Nm3); by interval or one.
    residual_gco2e_per_kwh : factor of electricity that no contract covers, for the market regimes.
    surplus : carriers of which more may be made than is used (blown off without cost).
    roof_m2_per_unit : asset → the roof that a unit of its size takes.
    sells_own_only : what is sold in an interval is at most the own generation of it (余电上网), never power that was bought.
    """

    grid: Grid
    uses: tuple[Use, ...]
    loads: Mapping[str, Amount]
    factors: Mapping[tuple[str, str], Amount] = field(default_factory=dict)
    residual_gco2e_per_kwh: float | None = None
    goals: Goals = Goals()
    discount_fraction: float = 0.08
    surplus: tuple[str, ...] = ()
    terminal: tuple[Terminal, ...] = ()
    roof_m2_per_unit: Mapping[str, float] = field(default_factory=dict)
    sells_own_only: bool = False

    def use(self, name: str) -> Use:
        """Return an asset by id; raise `NotFound` otherwise."""
        for one in self.uses:
            if one.id == name:
                return one
        raise NotFound(Text("设备", "asset"), name, tuple(one.id for one in self.uses))

    def load(self, carrier: str) -> Floats:
        """Return the need of a carrier in each interval."""
        return over(self.loads.get(carrier, 0.0), self.grid.length)

    @property
    def carriers(self) -> tuple[str, ...]:
        """Carriers that have a load or a flow, in the order of the table."""
        used = {flow.carrier for use in self.uses for flow in use.block.flows}
        used |= {given.carrier for use in self.uses for given in use.block.given}
        return tuple(name for name in CARRIERS if name in used or name in self.loads)

    def factor(self, source: str, item: str) -> Floats:
        """Return the grams of CO2e per unit of an item in each interval."""
        if source in NO_FACTOR:
            return np.zeros(self.grid.length)
        return over(self.factors[source, item], self.grid.length)


def use_of(
    name: str, kind_id: str, given: Mapping[str, Setting], conditions: Conditions, title: Text | None = None
) -> tuple[Use | None, list[Problem]]:
    """Return one asset of a kind, or every fault of its parameters and series.

    Parameters
    ----------
    given : parameters by name; those absent take the default of the kind's table.
    conditions : the grid, the series the kind asks for, whether its size is decided.
    """
    kind = asset(kind_id)
    values, problems = values_of(kind, given, sized=conditions.sized)
    conditions = with_defaults(kind, conditions)
    if values is not None:
        problems = [*problems, *input_problems(kind, values, conditions)]
    if values is None or problems:
        return None, [problem.at(column=name) for problem in problems]
    shown = title or kind.title
    profile = kind.profile(values, conditions)
    block = kind.block(values, conditions).renamed(name)
    return Use(name, shown, block, ROLES.get(kind_id, "other"), kind, values, conditions, profile), []


def electric(use: Use, sign: int) -> tuple[Flow, ...]:
    """Return the flows of an asset into (+1) or out of (−1) the electricity bus."""
    return tuple(
        flow
        for flow in use.block.flows
        if flow.carrier == ELECTRICITY and sign * float(np.asarray(flow.coefficient).sum()) > 0
    )


def metered_kwh(use: Use, flow: Flow, grid: Grid) -> Floats:
    """Return the kWh that a unit of a variable counts at its own meter over an interval: what its asset books, else its flow."""
    for one in use.block.emissions:
        if one.variable == flow.variable and one.unit == "kWh":
            return over(one.quantity, grid.length) * grid.step_hours
    return np.abs(over(flow.coefficient, grid.length)) * grid.step_hours


def settled(use: Use, grid: Grid) -> dict[str, Floats]:
    """Return the variables of a contract that settle kWh, with the kWh of a unit over an interval; nothing for other assets."""
    booked = [one for one in use.block.emissions if one.source == CONTRACT and use.role == "contract"]
    return {one.variable: over(one.quantity, grid.length) * grid.step_hours for one in booked}


def faults(problem: EnergyProblem) -> list[Problem]:
    """Return everything that is wrong with a problem, before any solver starts.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> grid = Grid(datetime(2024, 1, 1, tzinfo=UTC), 60, 8784)
    >>> [one.code for one in faults(EnergyProblem(grid, (), {"electricity": np.ones(8760)}))]
    ['energy.length', 'energy.no_supply']
    """
    found: list[Problem] = []
    for carrier, amount in problem.loads.items():
        found += _series_faults(problem.grid, f"load:{carrier}", amount)
        if carrier not in CARRIERS:
            found.append(
                _fault("carrier", f"没有能源品种“{carrier}”。", f"There is no carrier '{carrier}'.", Text(f"可选: {', '.join(CARRIERS)}。", f"Choose one of: {', '.join(CARRIERS)}."))
            )  # fmt: skip
    for (source, item), amount in problem.factors.items():
        found += _series_faults(problem.grid, f"factor:{source}:{item}", amount)
    repeated = [use.id for place, use in enumerate(problem.uses) if use.id in {one.id for one in problem.uses[:place]}]
    found += [
        _fault("repeated_asset", f"设备“{name}”出现两次。", f"Asset '{name}' comes twice.", Text("请改用不同的编号。", "Give each its own id."))
        for name in repeated
    ]  # fmt: skip
    for use in problem.uses:
        found += _use_faults(problem, use)
    found += _supply_faults(problem)
    found += _goal_faults(problem)
    return found if found else _possible(problem)


def _series_faults(grid: Grid, name: str, amount: Amount) -> list[Problem]:
    if not isinstance(amount, np.ndarray):
        return []
    if amount.shape != (grid.length,):
        hint = Text(
            "闰年有 8784 小时; 序列应为 UTC 时标, 夏令时切换日有 23 或 25 小时。请补齐或改期间。",
            "A leap year has 8784 hours; series are on UTC, a day of clock change has 23 or 25. Complete the series or change the period.",
        )
        return [
            _fault(
                "length",
                f"“{name}”有 {amount.size:,} 个时段, 期间有 {grid.length:,} 个。",
                f"'{name}' has {amount.size:,} intervals, the period has {grid.length:,}.",
                hint,
            )
        ]
    holes = np.flatnonzero(~np.isfinite(amount))
    if not len(holes):
        return []
    first = (grid.start + timedelta(minutes=int(holes[0]) * grid.step_minutes)).isoformat()
    hint = Text("请导入缺少的读数, 或换一个完整的期间。", "Import what is missing, or choose a complete period.")
    return [
        _fault(
            "missing_hours",
            f"“{name}”缺 {len(holes):,} 个时段, 第一个始于 {first}。",
            f"'{name}' lacks {len(holes):,} intervals, the first from {first}.",
            hint,
        )
    ]


def _use_faults(problem: EnergyProblem, use: Use) -> list[Problem]:
    found = []
    for size in use.block.sizes:
        if size.capex_cny_per_unit <= 0.0 and size.opex_cny_per_unit_year <= 0.0:
            hint = Text("请填写单位投资与年运维费。", "State what a unit costs to buy and to keep.")
            found.append(_fault("asset_without_cost", f"“{use.title.zh}”({use.id})没有费用。", f"'{use.title.en}' ({use.id}) has no cost.", hint))  # fmt: skip
        if size.lifetime_years <= 0.0:
            hint = Text("请填写大于零的寿命。", "Give a life above zero.")
            found.append(_fault("lifetime", f"“{use.title.zh}”({use.id})寿命不是正数。", f"'{use.title.en}' ({use.id}) has no life.", hint))  # fmt: skip
    for variable in use.block.variables:
        if variable.length == "interval":
            found += _price_faults(problem.grid, use, variable.name, variable.cost_cny)
    for emission in use.block.emissions:
        if emission.source not in NO_FACTOR and (emission.source, emission.item) not in problem.factors:
            hint = Text("请在因子中给出。", "Give it among the factors.")
            found.append(
                _fault("no_factor", f"“{use.id}”排放的“{emission.item}”没有因子。", f"There is no factor for '{emission.item}' of '{use.id}'.", hint)
            )  # fmt: skip
    return found


def _price_faults(grid: Grid, use: Use, name: str, cost: Amount) -> list[Problem]:
    gaps = np.flatnonzero(~np.isfinite(np.atleast_1d(cost)))
    if not len(gaps):
        return []
    first = (grid.start + timedelta(minutes=int(gaps[0]) * grid.step_minutes)).isoformat()
    hint = Text("电价表须覆盖期间的每个时段。", "The tariff must cover every interval of the period.")
    return [
        _fault(
            "tariff_gap",
            f"“{use.id}.{name}”的价格缺 {len(gaps):,} 个时段, 第一个始于 {first}。",
            f"The price of '{use.id}.{name}' lacks {len(gaps):,} intervals, the first from {first}.",
            hint,
        )
    ]


def _supply_faults(problem: EnergyProblem) -> list[Problem]:
    """Return carriers that nothing can supply, and prices that earn without end."""
    found = []
    drawn = {flow.carrier for use in problem.uses for flow in use.block.flows if np.min(flow.coefficient) < 0}
    for carrier in dict.fromkeys((*problem.loads, *sorted(drawn))):
        load = np.atleast_1d(problem.loads.get(carrier, 0.0))
        needed = carrier in drawn or bool(np.nanmax(load, initial=0.0) > 0)
        supplied = any(
            [
                flow.carrier == carrier and np.max(flow.coefficient) > 0
                for use in problem.uses
                for flow in use.block.flows
            ]
            + [
                given.carrier == carrier and np.max(given.amount) > 0
                for use in problem.uses
                for given in use.block.given
            ]
        )
        if needed and not supplied:
            hint = Text("请加入能供应它的设备。", "Add an asset that supplies it.")
            found.append(_fault("no_supply", f"没有设备供应“{carrier}”。", f"No asset supplies '{carrier}'.", hint))
    for use in problem.uses:
        found += _arbitrage(problem, use)
    return found


def _arbitrage(problem: EnergyProblem, use: Use) -> list[Problem]:
    """A connection that buys below the price at which it sells, without a limit, would earn without end."""
    bought, sold = electric(use, 1), electric(use, -1)
    if use.role != "grid" or not bought or not sold:
        return []
    length = problem.grid.length
    into, out = use.block.variable(bought[0].variable), use.block.variable(sold[0].variable)
    margin = margin_cny(problem, use)
    limited = np.isfinite(over(into.upper, length)) | np.isfinite(over(out.upper, length)) | bool(use.block.sizes)
    cheap = np.flatnonzero((margin < -1e-12) & ~limited)
    if not len(cheap):
        return []
    hint = Text("请给进线功率上限, 或核对上网电价。", "Limit the connection, or check the export price.")
    return [_fault("arbitrage", f"有 {len(cheap):,} 个时段购电价低于上网电价且无功率上限, 会无限获利。", f"In {len(cheap):,} intervals buying is cheaper than selling and nothing limits it.", hint)]  # fmt: skip


def margin_cny(problem: EnergyProblem, use: Use) -> Floats:
    """Return what buying and selling a unit at once costs in each interval; below zero it earns."""
    length, total = problem.grid.length, np.zeros(problem.grid.length)
    bought, sold = electric(use, 1), electric(use, -1)
    if not bought or not sold:
        return total
    for flow in (bought[0], sold[0]):
        total += over(use.block.variable(flow.variable).cost_cny, length)
    return total


def _goal_faults(problem: EnergyProblem) -> list[Problem]:
    goals, found = problem.goals, []
    for name in ("annual_matched_fraction", "hourly_matched_fraction", "non_fossil_fraction", "physical_fraction"):
        value = getattr(goals, name)
        if value is not None and not 0.0 <= value <= 1.0:
            hint = Text("请写 0 到 1 之间的数, 80 % 写 0.8。", "Write a number from 0 to 1; 80 % is 0.8.")
            found.append(_fault("fraction", f"“{name}”= {value:g} 不在 0 与 1 之间。", f"'{name}' = {value:g} is not between 0 and 1.", hint))  # fmt: skip
    for name in ("carbon_cap_t", "budget_cny", "roof_area_m2", "grid_limit_kw"):
        value = getattr(goals, name)
        if value is not None and (not np.isfinite(value) or value < 0.0):
            hint = Text("请写不小于零的数。", "Write a number that is not below zero.")
            found.append(_fault("negative_goal", f"“{name}”= {value:g} 小于零。", f"'{name}' = {value:g} is below zero.", hint))  # fmt: skip
    if goals.regime != "location" and problem.residual_gco2e_per_kwh is None:
        hint = Text(
            "请给出剩余结构因子, 或用基于位置的口径。", "Give the residual factor, or use the location-based regime."
        )
        found.append(
            _fault(
                "no_residual", "市场口径需要剩余结构因子。", "A market-based regime needs the residual factor.", hint
            )
        )
    return found


def _possible(problem: EnergyProblem) -> list[Problem]:
    """Return a problem when a cap lies below a bound that needs no solver; what lies above it may still clash (see conflict)."""
    cap = problem.goals.carbon_cap_t
    if cap is None or problem.goals.regime != "location":
        return []
    least = least_emissions_t(problem)
    if cap >= least * (1.0 - 1e-9):
        return []
    hint = Text(
        f"请把上限提高到 {least:,.0f} t 以上, 或增加清洁电源。",
        f"Raise the cap above {least:,.0f} t, or add clean supply.",
    )
    return [_fault("cap_impossible", f"碳上限 {cap:,.1f} t 低于任何方案的排放 {least:,.1f} t。", f"The cap of {cap:,.1f} t is below the {least:,.1f} t that any plan emits.", hint)]  # fmt: skip


def least_emissions_t(problem: EnergyProblem) -> float:
    """Return tonnes below which no plan can fall: electricity that clean assets of greatest size leave to the grid, over the year.

    A bound, not the least: stores are lossless here, every clean kWh is used, and heat is free.
    """
    if any(use.role == "fossil" or (use.role == "other" and _makes_power(use)) for use in problem.uses):
        return 0.0
    clean = np.zeros(problem.grid.length)
    cheapest = np.inf
    for use in problem.uses:
        for flow in electric(use, 1):
            if use.role == "grid":
                cheapest = min(cheapest, *(_grams(problem, use, flow.variable) or [np.inf]))
            elif use.role in ("on_site", "direct_line"):
                clean += over(flow.coefficient, problem.grid.length) * most_of(problem, use, flow.variable)
        for given in use.block.given:
            if given.carrier == ELECTRICITY:
                clean += over(given.amount, problem.grid.length)
    if not np.isfinite(cheapest) or not np.isfinite(clean).all():
        return 0.0
    left = float(problem.load(ELECTRICITY).sum() - clean.sum()) * problem.grid.step_hours
    return max(0.0, left) * cheapest / GRAMS_PER_TONNE


def _makes_power(use: Use) -> bool:
    """Whether an asset turns another carrier into electricity (a fuel cell, say); a store does not."""
    return bool(electric(use, 1)) and not electric(use, -1)


def _grams(problem: EnergyProblem, use: Use, variable: str) -> list[float]:
    return [
        float((problem.factor(one.source, one.item) * over(one.quantity, problem.grid.length)).min())
        for one in use.block.emissions
        if one.variable == variable and (one.source, one.item) in problem.factors
    ]


def most_of(problem: EnergyProblem, use: Use, name: str) -> Floats:
    """Return the most an interval variable can be: its bound, or its ceiling at the greatest size."""
    length = problem.grid.length
    most = over(use.block.variable(name).upper, length)
    sizes = {size.variable: use.block.variable(size.variable).upper for size in use.block.sizes}
    for row in use.block.rows:
        terms = {term.variable: term for term in row.terms}
        others = [term for term in row.terms if term.variable != name]
        if (
            name in terms
            and row.sense == "<="
            and len(others) == 1
            and others[0].variable in sizes
            and row.per == "interval"
        ):
            with np.errstate(invalid="ignore"):
                ceiling = over(row.bound, length) - over(others[0].coefficient, length) * sizes[others[0].variable]
            most = np.fmin(most, np.nan_to_num(ceiling / over(terms[name].coefficient, length), nan=0.0, posinf=np.inf))
    return most


def _fault(code: str, zh: str, en: str, hint: Text) -> Problem:
    return Problem(code=f"energy.{code}", message=Text(zh, en), hint=hint)
