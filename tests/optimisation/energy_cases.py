"""Small plants for the tests of energy: blocks written by hand, so that answers can be worked out on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from zerofactory.assets.asset import Conditions
from zerofactory.assets.block import AssetBlock, Emission, Flow, Row, Size, Term, Variable
from zerofactory.assets.grid import Grid
from zerofactory.errors import Text
from zerofactory.optimisation.energy.problem import EnergyProblem, Role, Use, use_of

GRID_FACTOR = ("purchased_electricity", "electricity")
GAS_FACTOR = ("stationary_combustion", "natural_gas")


def hours(length: int, step_minutes: int = 60) -> Grid:
    """Return a grid that starts a year in Shanghai."""
    return Grid(datetime(2024, 12, 31, 16, tzinfo=UTC), step_minutes, length)


def source(
    name: str, price: Any, grid: Grid, role: Role = "grid", upper: Any = np.inf, carrier: str = "electricity"
) -> Use:
    """Return something that supplies a carrier at a price a kWh; from the grid it is booked as bought."""
    booked = (Emission("import_kw", *GRID_FACTOR),) if role == "grid" else ()
    cost = np.multiply(price, grid.step_hours)
    block = AssetBlock(
        name,
        (Variable("import_kw", upper=upper, cost_cny=cost),),
        flows=(Flow(carrier, "import_kw"),),
        emissions=booked,
    )
    return Use(name, Text(name, name), block, role)


def plant(
    name: str, output: Any, annual: float, role: Role = "on_site", upper: float = np.inf, running: float = 0.0
) -> Use:
    """Return a candidate whose output is at most ``output`` · size and whose unit costs ``annual`` a year (upkeep only)."""
    block = AssetBlock(
        name,
        (Variable("size_kw", "one", upper=upper), Variable("out_kw", cost_cny=running)),
        (Row("ceiling", (Term("out_kw"), Term("size_kw", np.negative(output))), "<="),),
        (Flow("electricity", "out_kw"),),
        sizes=(Size("size_kw", "kW", 0.0, annual, 20.0),),
    )
    return Use(name, Text(name, name), block, role)


def asset_use(
    name: str, kind: str, given: Mapping[str, Any], grid: Grid, series: Mapping[str, Any] | None = None, **more: Any
) -> Use:
    """Return an asset of a kind; fails the test when it has faults."""
    use, problems = use_of(name, kind, given, Conditions(grid, series=series or {}, **more))
    assert use is not None, [one.sentence("en") for one in problems]
    return use


def problem_of(grid: Grid, uses: tuple[Use, ...], load: Any, **more: Any) -> EnergyProblem:
    """Return a problem with an electric load and an hourly grid factor of 500 g/kWh."""
    factors = {GRID_FACTOR: 500.0, GAS_FACTOR: 2000.0} | more.pop("factors", {})
    return EnergyProblem(grid, uses, {"electricity": load, **more.pop("loads", {})}, factors, **more)
