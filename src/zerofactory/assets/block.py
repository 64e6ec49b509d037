"""The neutral door between an asset and any solver: variables, rows and flows as arrays, with no solver in sight.

An asset describes its part of a linear problem as an `AssetBlock`. Whoever solves (`optimisation`) joins blocks over the
`Flow`s of each carrier; whoever checks evaluates the same rows on a schedule without a solver (`row_violation`).

    Variable   a column (or one per interval or month) with bounds and a cost
    Row        Σ coefficient · variable  ≤ = ≥  bound      per interval, month, group, or once
    Flow       what a variable puts into (+) or takes out of (−) the bus of a carrier
    Given      what enters (+) or leaves (−) a bus whatever is decided
    Size       the variable that is a purchase: its capital and yearly cost
    Emission   what one unit of a variable puts into the book: kind of source, item, quantity and unit

Conventions
-----------
* An ``interval`` variable has one value an interval. Rates (kW, kg/h, Nm3/h) are means of the interval; stocks (kWh, kg,
  Nm3) are what is there at its **end**.
* ``cost_cny`` is what one unit of the variable costs over the interval, the month or the grid as it stands: an energy price
  is already multiplied by the hours of an interval. Investment is not in it: that is `Size`, per unit and year.
* A `Term` with ``shift=1`` reads the variable one interval before. What lies before the first interval is the last one
  (cyclic) unless the term gives ``initial``.
* Inside a row ``per="interval"`` a ``month`` variable stands for the month of the interval and a ``one`` variable for
  itself. Inside rows of any other ``per`` an interval variable is **summed** over the intervals of the month, of the group,
  or of the grid (coefficients per interval, so energy needs the hours of an interval as a factor).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from zerofactory.assets.grid import Floats, Grid, Integers
from zerofactory.errors import Misuse, Text

__all__ = ["AssetBlock", "Emission", "Flow", "Given", "Grid", "Row", "Size", "Term", "Variable"]

Length = Literal["interval", "month", "one"]
Per = Literal["interval", "month", "group", "one"]
Sense = Literal["<=", "=", ">="]
Amount = float | Floats
Values = Mapping[str, Amount]

CARRIERS: Mapping[str, tuple[str, Text]] = {
    "electricity": ("kW", Text("电力", "electricity")),
    "heat_high": ("kW", Text("高温热(80 °C 以上)", "heat above 80 °C")),
    "heat_low": ("kW", Text("低温热", "low-temperature heat")),
    "cold": ("kW", Text("冷", "cold")),
    "compressed_air": ("Nm3/h", Text("压缩空气", "compressed air")),
    "hydrogen": ("kg/h", Text("氢气", "hydrogen")),
    "natural_gas": ("Nm3/h", Text("天然气", "natural gas")),
    "diesel": ("L/h", Text("柴油", "diesel")),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the problem, named inside its block.

    ``lower``, ``upper`` and ``cost_cny`` are one number or one per interval (month). ``integer`` asks for whole numbers.
    """

    name: str
    length: Length = "interval"
    lower: Amount = 0.0
    upper: Amount = float("inf")
    cost_cny: Amount = 0.0
    unit: str = "kW"
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """``coefficient`` · variable, ``shift`` intervals before.

    ``initial`` stands before the first interval: one number, or ``shift`` of them, the earliest first (None: cyclic).
    """

    variable: str
    coefficient: Amount = 1.0
    shift: int = 0
    initial: Amount | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One family of linear conditions. ``group`` gives the group of each interval from 0 on, −1 for none (``per="group"``)."""

    name: str
    terms: tuple[Term, ...]
    sense: Sense
    bound: Amount = 0.0
    per: Per = "interval"
    group: Integers | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """What one unit of an interval variable puts into the bus of a carrier (+) or takes out of it (−), in its unit."""

    carrier: str
    variable: str
    coefficient: Amount = 1.0


@dataclass(frozen=True, slots=True)
class Given:
    """What enters (+) or leaves (−) the bus of a carrier in each interval whatever is decided, in the carrier's unit."""

    carrier: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Size:
    """A purchase: the ``one`` variable that is its size, what a unit costs to buy and to keep, and how long it lives.

    ``fixed_cny`` is paid once whatever the size (shown in the cost; not part of a linear problem).
    """

    variable: str
    unit: str
    capex_cny_per_unit: float
    opex_cny_per_unit_year: float
    lifetime_years: float
    fixed_cny: float = 0.0

    def annual_cny_per_unit(self, discount_fraction: float) -> float:
        """Return what one unit costs a year: annuity of the price plus upkeep.

        Examples
        --------
        >>> round(Size("size_kw", "kW", 3000.0, 30.0, 25.0).annual_cny_per_unit(0.06), 4)
        264.6802
        """
        return (
            self.capex_cny_per_unit * annuity_fraction(discount_fraction, self.lifetime_years)
            + self.opex_cny_per_unit_year
        )


@dataclass(frozen=True, slots=True)
class Emission:
    """What one unit of a variable, kept for one hour, puts into the book: ``quantity`` in ``unit`` of ``item``.

    ``source`` is the kind of emission source that books it (``stationary_combustion``, ``purchased_electricity`` …); no
    factor is known here. For a ``one`` or ``month`` variable the quantity is per unit, without hours.
    """

    variable: str
    source: str
    item: str
    quantity: Amount = 1.0
    unit: str = "kWh"


@dataclass(frozen=True, slots=True)
class AssetBlock:
    """The linear part of one asset. Names are the block's own; who joins blocks puts ``id`` before them."""

    id: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...] = ()
    flows: tuple[Flow, ...] = ()
    given: tuple[Given, ...] = ()
    sizes: tuple[Size, ...] = ()
    emissions: tuple[Emission, ...] = ()

    def variable(self, name: str) -> Variable:
        """Return a variable by name."""
        for one in self.variables:
            if one.name == name:
                return one
        raise Misuse(f"block {self.id} has no variable {name}")

    def renamed(self, block_id: str) -> AssetBlock:
        """Return the same block under another id."""
        return replace(self, id=block_id)


def annuity_fraction(discount_fraction: float, years: float) -> float:
    """Return the yearly payment that pays back one unit: i / (1 − (1 + i)^−n); 1/n without interest.

    References
    ----------
    建设项目经济评价方法与参数(第三版), 资金回收系数 (A/P, i, n).

    Examples
    --------
    >>> round(annuity_fraction(0.06, 25), 6)
    0.078227
    >>> annuity_fraction(0.0, 20)
    0.05
    """
    if discount_fraction == 0.0:
        return 1.0 / years
    return float(discount_fraction / -np.expm1(-years * np.log1p(discount_fraction)))


def over(amount: Amount, length: int) -> Floats:
    """Return an amount as one number an interval."""
    if isinstance(amount, np.ndarray) and amount.ndim:
        return np.broadcast_to(amount, (length,)).astype(np.float64)
    return np.full(length, amount, dtype=np.float64)


def slots_of(length: Length, grid: Grid) -> int:
    """Return how many values a variable of a length has on a grid."""
    return {"interval": grid.length, "month": len(grid.months), "one": 1}[length]


def groups_of(row: Row, grid: Grid) -> Integers | None:
    """Return the index of the row each interval is summed into, or None for a row per interval."""
    if row.per == "interval":
        return None
    if row.per == "month":
        return grid.month_of
    if row.per == "one":
        return np.zeros(grid.length, dtype=np.int64)
    if row.group is None or len(row.group) != grid.length:
        raise Misuse(f"row {row.name} needs the group of each interval")
    return row.group


def row_count(row: Row, grid: Grid) -> int:
    """Return how many conditions a row stands for on a grid."""
    groups = groups_of(row, grid)
    return grid.length if groups is None else int(groups.max()) + 1


def row_value(block: AssetBlock, row: Row, grid: Grid, values: Values) -> Floats:
    """Return the left side of a row on a schedule: one number per condition."""
    groups, count = groups_of(row, grid), row_count(row, grid)
    total = np.zeros(count)
    for term in row.terms:
        variable = block.variable(term.variable)
        value = over(values[term.variable], slots_of(variable.length, grid))
        if variable.length == "interval":
            product = over(term.coefficient, grid.length) * shifted(value, term)
            if groups is None:
                total += product
            else:
                inside = groups >= 0
                total += np.bincount(groups[inside], weights=product[inside], minlength=count)
            continue
        if variable.length == "month" and row.per == "interval":
            value = value[grid.month_of]
        total += over(term.coefficient, count) * over(value if len(value) > 1 else value[0], count)
    return total


def shifted(value: Floats, term: Term) -> Floats:
    """Return a series as a term reads it: ``shift`` intervals before, cyclic or after its initial value."""
    if term.shift == 0:
        return value
    moved = np.roll(value, term.shift)
    if term.initial is not None:
        first = min(term.shift, len(moved))
        moved[:first] = over(term.initial, term.shift)[:first]
    return moved


def row_violation(block: AssetBlock, row: Row, grid: Grid, values: Values) -> float:
    """Return by how much the worst condition of a row is broken on a schedule (0: all hold)."""
    left = row_value(block, row, grid, values)
    gap = left - over(row.bound, len(left))
    worst = {"<=": gap, ">=": -gap, "=": np.abs(gap)}[row.sense]
    return float(max(worst.max(), 0.0))


def bound_violation(block: AssetBlock, grid: Grid, values: Values) -> float:
    """Return by how much the worst bound of a variable is broken on a schedule (0: all hold)."""
    worst = 0.0
    for variable in block.variables:
        value = over(values[variable.name], slots_of(variable.length, grid))
        worst = max(worst, float((over(variable.lower, len(value)) - value).max()))
        worst = max(worst, float((value - over(variable.upper, len(value))).max()))
    return worst


def flow_of(block: AssetBlock, carrier: str, grid: Grid, values: Values) -> Floats:
    """Return what a block puts into the bus of a carrier in each interval of a schedule (− where it takes)."""
    total = np.zeros(grid.length)
    for flow in block.flows:
        if flow.carrier == carrier:
            total += over(flow.coefficient, grid.length) * over(values[flow.variable], grid.length)
    for given in block.given:
        if given.carrier == carrier:
            total += over(given.amount, grid.length)
    return total


def cost_cny(block: AssetBlock, grid: Grid, values: Values) -> float:
    """Return what a schedule costs to run, investment apart."""
    total = 0.0
    for variable in block.variables:
        slots = slots_of(variable.length, grid)
        total += float(over(variable.cost_cny, slots) @ over(values[variable.name], slots))
    return total
