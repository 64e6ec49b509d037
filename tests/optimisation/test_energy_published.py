"""Sizing on open data against the answers of other tools, found beforehand on the same figures.

Data: oemof-solph's storage investment example (MIT; folder in ZF_DATA). The tools' answers: oemof-solph 0.6.5 with HiGHS.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.optimisation.energy_cases import GRID_FACTOR, asset_use, problem_of, source

from zerofactory.assets.grid import Grid
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals
from zerofactory.optimisation.energy.sizing import size
from zerofactory.periods import Period

ROOT = Path(__file__).resolve().parents[2]
DATA = (
    Path(os.environ.get("ZF_DATA", str(ROOT.parent / "shared" / "data")))
    / "energy_systems"
    / "oemof_storage_investment"
)
FILE = DATA / "storage_investment.csv"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.is_file(), reason="the example's data are not here (folder in ZF_DATA)"),
]


def investment(gas_share: float | None) -> EnergyProblem:
    """All technologies at 1000 a unit over 20 years at 5 %, gas at 0.04 with 58 %, a store of six hours and 80 %."""
    data = pl.read_csv(FILE)
    grid = Grid.of_period(Period(2025), 60)
    bought = {"lifetime_years": 20.0}
    each = {"capex_cny_per_kw": 1000.0, "opex_cny_per_kw_year": 0.0, **bought}
    store = {
        "capacity_maximum_kwh": 1e9, "capex_cny_per_kwh": 1000.0, "opex_cny_per_kwh_year": 0.0, "charge_efficiency_fraction": 1.0,
        "discharge_efficiency_fraction": 0.8, "c_rate_per_hour": 1 / 6, "minimum_charge_fraction": 0.0,
        "self_discharge_fraction_per_hour": 0.0, "cycle_life_cycles": 50_000.0, **bought,
    }  # fmt: skip
    uses = (
        source("gas", 0.04 / 0.58, grid),
        asset_use("wind", "wind_turbine", {"rated_maximum_kw": 1e9, **each}, grid, {"yield_kw_per_kw": data["wind"].to_numpy()}, sized=True),
        asset_use("pv", "photovoltaic", {"peak_maximum_kw": 1e9, **each}, grid, {"yield_kw_per_kw": data["pv"].to_numpy()}, sized=True),
        asset_use("store", "battery", store, grid, sized=True),
    )  # fmt: skip
    load = data["demand_el"].to_numpy()
    # gas burnt per kWh of load is the "emission": one gram a kWh of gas
    cap = None if gas_share is None else gas_share * float(load.sum()) / 1e6
    factors = {GRID_FACTOR: np.float64(1 / 0.58)}
    return problem_of(grid, uses, load, discount_fraction=0.05, factors=factors, goals=Goals(carbon_cap_t=cap))


def test_the_cheapest_mix_of_the_example() -> None:
    answer = size(investment(None))
    assert answer.plan is not None
    assert answer.plan.costs.total_cny == pytest.approx(112_686_100.41, rel=1e-6)
    found = {one.asset: one for one in answer.plan.sizes}
    assert found["wind"].size == pytest.approx(455_670.858, rel=1e-4)
    assert not found["pv"].is_built
    assert not found["store"].is_built
