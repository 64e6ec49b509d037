"""A plan: what each asset does in every interval, how large it is, and what that costs and emits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.assets.block import CARRIERS, cost_cny, over
from zerofactory.assets.grid import Floats
from zerofactory.errors import Text
from zerofactory.optimisation.energy.origin import Origin, origins
from zerofactory.optimisation.energy.problem import GRAMS_PER_TONNE, NO_FACTOR, PURCHASED, EnergyProblem
from zerofactory.optimisation.solving.result import SolveReport
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

AMOUNT_UNITS = {"kW": "kWh", "Nm3/h": "Nm3", "kg/h": "kg", "L/h": "L"}

DISPATCH = TableSchema(
    name="dispatch",
    title=Text("调度", "Dispatch"),
    columns=(
        Column("asset", "text", Text("设备", "asset")),
        Column("carrier", "text", Text("能源品种", "carrier"), choices=tuple(CARRIERS)),
        Column("started_at", "moment", Text("时段起点", "start of the interval")),
        Column("minutes", "integer", Text("时段长度", "length of the interval"), unit="min", minimum=1),
        Column(
            "energy", "number", Text("能量", "energy"), note=Text("进母线为正, 取用为负", "into the bus +, out of it −")
        ),
        Column("unit", "text", Text("单位", "unit"), choices=tuple(AMOUNT_UNITS.values())),
    ),
    key=("asset", "carrier", "started_at"),
)

DUST = 1e-4  # of the largest size: below it an interior point leaves dust

PlanValues = Mapping[str, Mapping[str, Floats]]


@dataclass(frozen=True, slots=True)
class Sized:
    """One size that was decided. ``is_built`` is false where nothing but the dust of the solver is left of it."""

    asset: str
    title: Text
    size: float
    unit: str
    at_limit: bool
    is_built: bool
    capex_cny: float
    annuity_cny: float
    upkeep_cny: float
    lifetime_years: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an asset puts into the book in a month: the kind of source, item, amount and unit; accounting does the rest."""

    asset: str
    source: str
    item: str
    month: str
    quantity: float
    unit: str


@dataclass(frozen=True, slots=True)
class Costs:
    """CNY over the grid: running by asset, annuities and upkeep of what is bought, carbon price."""

    running_cny: Mapping[str, float]
    annuity_cny: float
    upkeep_cny: float
    carbon_cny: float

    @property
    def operating_cny(self) -> float:
        """What is paid without the capital: running cost and upkeep."""
        return sum(self.running_cny.values()) + self.upkeep_cny

    @property
    def total_cny(self) -> float:
        """Everything: what the objective counts."""
        return self.operating_cny + self.annuity_cny + self.carbon_cny


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """An answer to a problem. ``values`` is asset → variable → values; everything else follows from it.

    ``shadow_prices`` says by how much the cost changes when a goal is loosened by one of its unit.
    """

    problem: EnergyProblem
    values: PlanValues
    report: SolveReport
    shadow_prices: Mapping[str, float]

    @property
    def sizes(self) -> tuple[Sized, ...]:
        """The sizes that were decided."""
        return sizes(self.problem, self.values)

    @property
    def costs(self) -> Costs:
        """What the plan costs."""
        return costs(self.problem, self.values)

    @property
    def origin(self) -> Origin:
        """Where the electricity comes from, by interval."""
        return origins(self.problem, self.values)

    @property
    def emissions_t(self) -> float:
        """Tonnes of CO2e over the grid under the regime of the goals, by the problem's own factors."""
        return emissions_t(self.problem, self.values)

    @property
    def capex_cny(self) -> float:
        """What is bought, at today's price, fixed parts included."""
        return sum(one.capex_cny for one in self.sizes)

    def quantities(self) -> tuple[Quantity, ...]:
        """Return what every asset puts into the book, by month."""
        return quantities(self.problem, self.values)

    def dispatch(self) -> pl.DataFrame:
        """Return rows of DISPATCH; a carrier that an asset never touches gives no row."""
        return dispatch_rows(self.problem, self.values)


def sizes(problem: EnergyProblem, values: PlanValues) -> tuple[Sized, ...]:
    """Return the sizes that were decided and what each costs."""
    found = []
    for use in problem.uses:
        for size in use.block.sizes:
            amount = float(values[use.id][size.variable][0])
            upper = float(np.max(use.block.variable(size.variable).upper))
            is_built = amount > DUST * (upper if np.isfinite(upper) else 1.0)
            fixed = size.fixed_cny if is_built else 0.0
            each = size.annual_cny_per_unit(problem.discount_fraction)
            upkeep = size.opex_cny_per_unit_year * amount * problem.grid.years
            whole = each * amount * problem.grid.years
            found.append(
                Sized(
                    use.id, use.title, amount, size.unit, bool(np.isfinite(upper) and amount >= upper * (1.0 - 1e-6) > 0.0), is_built,
                    size.capex_cny_per_unit * amount + fixed, whole - upkeep, upkeep, size.lifetime_years,
                )
            )  # fmt: skip
    return tuple(found)


def costs(problem: EnergyProblem, values: PlanValues) -> Costs:
    """Return what a plan costs, asset by asset, without the program it was found with."""
    running = {use.id: cost_cny(use.block, problem.grid, values[use.id]) for use in problem.uses}
    for last in problem.terminal:
        running[last.asset] -= last.value_cny_per_unit * float(values[last.asset][last.variable][-1])
    bought = sizes(problem, values)
    carbon = emissions_t(problem, values) * problem.goals.carbon_price_cny_per_t
    return Costs(running, sum(one.annuity_cny for one in bought), sum(one.upkeep_cny for one in bought), carbon)


def emissions_t(problem: EnergyProblem, values: PlanValues) -> float:
    """Return tonnes of CO2e: fuels by factor, and purchased electricity as the regime of the goals has it."""
    grams, regime = 0.0, problem.goals.regime
    for use in problem.uses:
        for emission in use.block.emissions:
            if emission.source in NO_FACTOR or (emission.source == PURCHASED and regime != "location"):
                continue
            factor = problem.factor(emission.source, emission.item)
            amount = over(values[use.id][emission.variable], problem.grid.length) * over(
                emission.quantity, problem.grid.length
            )
            grams += float(amount @ factor) * problem.grid.step_hours
    if regime != "location" and problem.residual_gco2e_per_kwh is not None:
        grouping = "interval" if regime == "market_hourly" else "month"
        grams += origins(problem, values).unmatched_kwh(problem.grid, grouping) * problem.residual_gco2e_per_kwh
    return grams / GRAMS_PER_TONNE


def quantities(problem: EnergyProblem, values: PlanValues) -> tuple[Quantity, ...]:
    """Return the amounts that a plan books, by asset, source, item and month."""
    grid, found = problem.grid, []
    for use in problem.uses:
        for emission in use.block.emissions:
            amount = over(values[use.id][emission.variable], grid.length) * over(emission.quantity, grid.length)
            by_month = np.bincount(grid.month_of, weights=amount * grid.step_hours, minlength=len(grid.months))
            found += [
                Quantity(use.id, emission.source, emission.item, month, float(total), emission.unit)
                for month, total in zip(grid.months, by_month, strict=True)
            ]
    return tuple(found)


def dispatch_rows(problem: EnergyProblem, values: PlanValues) -> pl.DataFrame:
    """Return rows of DISPATCH."""
    import polars as pl

    from zerofactory.assets.block import flow_of

    grid, frames = problem.grid, [DISPATCH.empty()]
    starts = pl.Series("started_at", grid.started_us).cast(pl.Datetime("us", "UTC"))
    for use in problem.uses:
        for carrier in dict.fromkeys(flow.carrier for flow in use.block.flows):
            rate = flow_of(use.block, carrier, grid, values[use.id])
            frame = pl.DataFrame({"started_at": starts, "energy": rate * grid.step_hours})
            frames.append(
                frame.select(
                    pl.lit(use.id).alias("asset"),
                    pl.lit(carrier).alias("carrier"),
                    "started_at",
                    pl.lit(grid.step_minutes, pl.Int64).alias("minutes"),
                    "energy",
                    pl.lit(AMOUNT_UNITS[CARRIERS[carrier][0]]).alias("unit"),
                )
            )
    return pl.concat(frames)
