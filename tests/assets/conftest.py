"""What the tests of assets share: a week of invented outside conditions, and a bare assembly of one block for scipy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from zerofactory.assets.asset import Asset, Conditions, Setting, Values, values_of
from zerofactory.assets.block import AssetBlock, Row, groups_of, over, row_count, slots_of
from zerofactory.assets.grid import Grid

Series = dict[str, NDArray[np.float64]]


def outside(kind: Asset, grid: Grid, seed: int) -> Series:
    """Return every series the kind asks for, invented but plausible."""
    rng = np.random.default_rng(seed)
    hour = grid.minute_of_day / 60.0
    sun = np.clip(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0, None)
    working = ((hour >= 8) & (hour < 20)).astype(float)
    given = np.cumsum(working * 30.0) * grid.step_hours
    known = {
        "yield_kw_per_kw": sun * rng.uniform(0.3, 1.0, grid.length),
        "ambient_celsius": 18.0 + 10.0 * sun + rng.normal(0, 2, grid.length),
        "import_price_cny_per_kwh": rng.uniform(0.2, 1.2, grid.length),
        "export_price_cny_per_kwh": np.full(grid.length, 0.15),
        "gas_price_cny_per_nm3": np.full(grid.length, 3.5),
        "operating_fraction": working,
        "drawn_t_per_h": working * rng.uniform(0.5, 1.5, grid.length),
        "available_kw": working * rng.uniform(100, 900, grid.length),
        "need_kw": 400.0 + 600.0 * working,
        "latest_kwh": np.maximum(given - 150.0, 0.0),
        "earliest_kwh": given + 60.0,
        "plugged_kw": np.full(grid.length, 60.0),
    }
    return {one.name: known[one.name] for one in kind.inputs if one.name in known}


MONTHLY = {"demand_price_cny_per_kw_month": 40.0, "capacity_price_cny_per_kva_month": 25.0, "peak_so_far_kw": 0.0}


def conditions_of(kind: Asset, values: Values, grid: Grid, seed: int, *, sized: bool = False) -> Conditions:
    return Conditions(grid, outside(kind, grid, seed), MONTHLY, {} if sized else dict(kind.start(values)), sized)


def example_values(kind: Asset, *, sized: bool = False, **more: Setting) -> Values:
    given = {**kind.example.given, **more}
    if sized and kind.size:
        noun, _, unit = kind.size.rpartition("_")
        given[f"{noun}_maximum_{unit}"] = given[kind.size]
    values, problems = values_of(kind, given, sized=sized)
    assert values is not None, [problem.sentence("en") for problem in problems]
    return values


@pytest.fixture
def two_days() -> Grid:
    return Grid(datetime(2025, 6, 30, 4, tzinfo=UTC), 60, 48)  # from noon in Shanghai over the end of a month


def _matrix(block: AssetBlock, grid: Grid, first: dict[str, int], row: Row) -> tuple[Any, Any]:
    """Return the coefficients of one row family and its bound, by the definition of a block alone."""
    groups, count = groups_of(row, grid), row_count(row, grid)
    bound = over(row.bound, count).copy()
    rows, columns, values = [], [], []
    for term in row.terms:
        variable = block.variable(term.variable)
        if variable.length == "interval":
            weight = over(term.coefficient, grid.length)
            for slot in range(grid.length):
                at = slot if groups is None else int(groups[slot])
                if at < 0:
                    continue
                source = slot - term.shift
                if source < 0 and term.initial is not None:
                    bound[at] -= weight[slot] * over(term.initial, term.shift)[slot]
                    continue
                rows.append(at)
                columns.append(first[variable.name] + source % grid.length)
                values.append(weight[slot])
        else:
            weight = over(term.coefficient, count)
            for at in range(count):
                month = int(grid.month_of[at]) if row.per == "interval" else at
                rows.append(at)
                columns.append(first[variable.name] + (month if variable.length == "month" else 0))
                values.append(weight[at])
    return (rows, columns, values, count), bound


def solve_alone(block: AssetBlock, grid: Grid, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return a corner of what the block allows, in a random direction; buses are free."""
    rng = np.random.default_rng(seed)
    first, total = {}, 0
    for variable in block.variables:
        first[variable.name], total = total, total + slots_of(variable.length, grid)
    blocks: dict[str, list[Any]] = {"<=": [], "=": []}
    bounds: dict[str, list[Any]] = {"<=": [], "=": []}
    for row in block.rows:
        (rows, columns, values, count), bound = _matrix(block, grid, first, row)
        sign = -1.0 if row.sense == ">=" else 1.0
        side = "=" if row.sense == "=" else "<="
        blocks[side].append(
            coo_matrix((sign * np.asarray(values, dtype=float), (rows, columns)), (count, total)).toarray()
        )
        bounds[side].append(sign * bound)
    limits = np.concatenate(
        [
            np.stack([over(v.lower, n), np.minimum(over(v.upper, n), 1e6)], 1)
            for v in block.variables
            if (n := slots_of(v.length, grid))
        ]
    )
    done = linprog(
        rng.normal(size=total),
        A_ub=np.concatenate(blocks["<="]) if blocks["<="] else None,
        b_ub=np.concatenate(bounds["<="]) if bounds["<="] else None,
        A_eq=np.concatenate(blocks["="]) if blocks["="] else None,
        b_eq=np.concatenate(bounds["="]) if bounds["="] else None,
        bounds=limits,
        method="highs",
    )
    assert done.status == 0, f"{block.id}: {done.message}"
    return {v.name: done.x[first[v.name] : first[v.name] + slots_of(v.length, grid)] for v in block.variables}
