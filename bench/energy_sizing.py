"""The year LP of joint sizing and dispatch: PV, wind, battery, boiler, heat pump, heat store, time-of-use, twelve peaks, export, cap.

Three things are measured: build and solve against the bare solver on the same matrix; 35 040 quarter hours; and, where they are
installed in an environment of their own (``make peers``, or its interpreter in ZF_PEERS), PyPSA and oemof-solph on the same problem.
The year is made by a fixed seed, so that everybody solves the same figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.clock import Measured, Parts, apart, row

HERE = Path(__file__).resolve().parent
PEERS = ("pypsa_year.py", "oemof_year.py")
CAP_T = 88_000.0
# What every tool is given; units in the names. Prices and efficiencies are round figures, no quotations.
FIGURES: dict[str, float] = {
    "discount_fraction": 0.08, "pv_capex_cny_per_kw": 3000.0, "pv_life_years": 25.0, "pv_maximum_kw": 60_000.0,
    "wind_capex_cny_per_kw": 5500.0, "wind_life_years": 20.0, "wind_maximum_kw": 25_000.0,
    "battery_capex_cny_per_kwh": 1000.0, "battery_life_years": 15.0, "battery_maximum_kwh": 400_000.0, "battery_efficiency_fraction": 0.95,
    "battery_c_rate_per_hour": 0.5, "battery_self_discharge_fraction_per_hour": 4e-5,
    "boiler_capex_cny_per_kw": 400.0, "boiler_life_years": 20.0, "boiler_maximum_kw": 60_000.0, "boiler_efficiency_fraction": 0.92,
    "ncv_kwh_per_nm3": 10.8142, "gas_cny_per_nm3": 3.7, "gas_gco2e_per_nm3": 2162.0,
    "pump_capex_cny_per_kw": 2500.0, "pump_life_years": 20.0, "pump_maximum_kw": 60_000.0,
    "store_capex_cny_per_kwh": 150.0, "store_life_years": 20.0, "store_maximum_kwh": 400_000.0, "store_rate_per_hour": 0.25,
    "store_efficiency_fraction": 0.99, "store_loss_fraction_per_hour": 0.005,
    "import_limit_kw": 90_000.0, "export_limit_kw": 40_000.0, "export_cny_per_kwh": 0.25, "peak_cny_per_kw_month": 40.0,
}  # fmt: skip


def year(per_hour: int = 1) -> dict[str, Any]:
    """Return the series of a year in kW, CNY/kWh, g/kWh and °C by interval."""
    rng = np.random.default_rng(2025)
    hours, length = 8760, 8760 * per_hour
    time_h = np.arange(length) / per_hour
    clock, day = time_h % 24, time_h // 24
    season = np.cos(2 * np.pi * (day - 200) / 365)
    work = day % 7 < 5
    cloud = np.repeat(rng.uniform(0.25, 1.0, 365), 24 * per_hour)
    breeze = np.empty(hours)
    breeze[0], gusts = 0.3, rng.normal(0, 0.06, hours)
    for hour in range(1, hours):
        breeze[hour] = np.clip(breeze[hour - 1] * 0.97 + 0.009 + gusts[hour], 0, 1)
    dark, peak = (clock < 6) | (clock >= 22), ((clock >= 8) & (clock < 15)) | ((clock >= 18) & (clock < 21))
    shift = np.where((clock >= 7) & (clock < 23), 1.0, 0.2) * np.where(work, 1.0, 0.4)
    return {
        "per_hour": per_hour,
        "sun": np.clip(np.sin((clock - 6) / 12 * np.pi), 0, None) * (0.75 + 0.2 * season) * cloud,
        "wind": np.repeat(breeze, per_hour),
        "load_kw": 1e3 * (20 + 15 * shift + np.clip(rng.normal(0, 1, length), -2, 2)),
        "heat_kw": 1e3 * (6 + 8 * np.clip(0.3 - season, 0, None) + 4 * np.where((clock >= 6) & (clock < 22) & work, 1.0, 0.2)),
        "price": np.select([dark, peak], [0.30, 0.95], 0.62),
        "gco2e_per_kwh": 570 + 100 * np.cos(2 * np.pi * (clock - 20) / 24) + 30 * season,
        "ambient": 16 + 11 * season + 4 * np.sin((clock - 9) / 24 * 2 * np.pi),
    }  # fmt: skip


def problem(data: dict[str, Any], cap_t: float = CAP_T) -> Any:
    """Return the problem as this package states it."""
    from zerofactory.assets.asset import Conditions
    from zerofactory.assets.grid import Grid
    from zerofactory.optimisation.energy.problem import EnergyProblem, Goals, use_of
    from zerofactory.periods import Period

    f = FIGURES
    grid = Grid(Period(2025).start("Asia/Shanghai"), 60 // data["per_hour"], len(data["price"]))

    def use(name: str, kind: str, given: dict[str, float | str], series: dict[str, Any], **more: Any) -> Any:
        found, problems = use_of(name, kind, given, Conditions(grid, series, **more))
        assert found is not None, [one.sentence("en") for one in problems]
        return found

    def bought(what: str, unit: str) -> dict[str, float | str]:
        return {f"capex_cny_per_{unit}": f[f"{what}_capex_cny_per_{unit}"], f"opex_cny_per_{unit}_year": 0.0, "lifetime_years": f[f"{what}_life_years"]}  # fmt: skip

    uses = (
        use("grid", "grid_connection",
            {"transformer_kva": 1e6, "import_limit_kw": f["import_limit_kw"], "export_limit_kw": f["export_limit_kw"], "load_loss_fraction": 0.0},
            {"import_price_cny_per_kwh": data["price"], "export_price_cny_per_kwh": f["export_cny_per_kwh"]},
            monthly={"demand_price_cny_per_kw_month": f["peak_cny_per_kw_month"]}),
        use("pv", "photovoltaic", {"peak_maximum_kw": f["pv_maximum_kw"], **bought("pv", "kw")}, {"yield_kw_per_kw": data["sun"]}, sized=True),
        use("wind", "wind_turbine", {"rated_maximum_kw": f["wind_maximum_kw"], **bought("wind", "kw")}, {"yield_kw_per_kw": data["wind"]}, sized=True),
        use("battery", "battery",
            {"capacity_maximum_kwh": f["battery_maximum_kwh"], **bought("battery", "kwh"), "charge_efficiency_fraction": f["battery_efficiency_fraction"],
             "discharge_efficiency_fraction": f["battery_efficiency_fraction"], "c_rate_per_hour": f["battery_c_rate_per_hour"], "minimum_charge_fraction": 0.0,
             "self_discharge_fraction_per_hour": f["battery_self_discharge_fraction_per_hour"], "cycle_life_cycles": 50_000.0}, {}, sized=True),
        use("gas", "gas_supply", {"limit_nm3_per_h": 1e5}, {"gas_price_cny_per_nm3": f["gas_cny_per_nm3"]}),
        use("boiler", "gas_boiler",
            {"heat_maximum_kw": f["boiler_maximum_kw"], **bought("boiler", "kw"), "efficiency_fraction": f["boiler_efficiency_fraction"],
             "ncv_kwh_per_nm3": f["ncv_kwh_per_nm3"], "heat_level": "heat_high"}, {}, sized=True),
        use("pump", "heat_pump", {"heat_maximum_kw": f["pump_maximum_kw"], **bought("pump", "kw"), "heat_level": "heat_high"}, {"ambient_celsius": data["ambient"]}, sized=True),
        use("store", "thermal_storage",
            {"capacity_maximum_kwh": f["store_maximum_kwh"], **bought("store", "kwh"), "carrier": "heat_high", "rate_per_hour": f["store_rate_per_hour"],
             "charge_efficiency_fraction": f["store_efficiency_fraction"], "discharge_efficiency_fraction": f["store_efficiency_fraction"],
             "loss_fraction_per_hour": f["store_loss_fraction_per_hour"]}, {}, sized=True),
    )  # fmt: skip
    loads = {"electricity": data["load_kw"], "heat_high": data["heat_kw"]}
    factors = {("purchased_electricity", "electricity"): data["gco2e_per_kwh"], ("stationary_combustion", "natural_gas"): f["gas_gco2e_per_nm3"]}  # fmt: skip
    return EnergyProblem(
        grid, uses, loads, factors, goals=Goals(carbon_cap_t=cap_t), discount_fraction=f["discount_fraction"]
    )


def ours(parts: Parts, per_hour: int) -> dict[str, Any]:
    """Build, solve and check; the data are not timed."""
    from zerofactory.optimisation.energy.assembly import assemble
    from zerofactory.optimisation.energy.check import check
    from zerofactory.optimisation.energy.sizing import plan_of
    from zerofactory.optimisation.solving import by_clarabel

    given = problem(year(per_hour))
    assembled: Any = parts.time("build", lambda: assemble(given))
    solution: Any = parts.time("solve", lambda: by_clarabel.solve(assembled.program))
    plan = plan_of(assembled, solution)
    passed: Any = parts.time("check", lambda: check(plan))
    return {
        "objective": solution.report.objective, "passed": passed.passed, "size": assembled.program.size,
        "sizes": {one.asset: round(one.size, 1) for one in plan.sizes}, "iterations": solution.report.iterations,
        "shadow_cny_per_t": round(-plan.shadow_prices["carbon_cap"], 2),
    }  # fmt: skip


def bare(parts: Parts) -> dict[str, Any]:
    """The same matrix handed to the solver as it is; only the solver is timed."""
    import clarabel
    from scipy import sparse

    from zerofactory.optimisation.energy.assembly import assemble

    program = assemble(problem(year())).program
    rows, columns, _ = program.size
    matrix = sparse.csc_matrix((program.values, program.indices, program.starts), shape=(rows, columns))
    equal = program.row_lower == program.row_upper
    above, below = np.isfinite(program.row_upper) & ~equal, np.isfinite(program.row_lower) & ~equal
    capped, floored = np.isfinite(program.upper), np.isfinite(program.lower)
    unit = sparse.identity(columns, format="csr")
    dense = matrix.tocsr()
    stacked = sparse.vstack([dense[equal], dense[above], -dense[below], unit[capped], -unit[floored]]).tocsc()
    right = np.concatenate([program.row_upper[equal], program.row_upper[above], -program.row_lower[below], program.upper[capped], -program.lower[floored]])  # fmt: skip
    cones = [clarabel.ZeroConeT(int(equal.sum())), clarabel.NonnegativeConeT(len(right) - int(equal.sum()))]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_iter = 400
    solved: Any = parts.time(
        "solve",
        lambda: clarabel.DefaultSolver(
            sparse.csc_matrix((columns, columns)), program.cost, stacked, right, cones, settings
        ).solve(),
    )
    return {"objective": float(solved.obj_val), "status": str(solved.status), "iterations": int(solved.iterations)}


def first(data: dict[str, Any], hours: int) -> dict[str, Any]:
    """Return the first hours of a year's series."""
    return {name: series if name == "per_hour" else series[: hours * data["per_hour"]] for name, series in data.items()}


def peer(script: str, hours: int = 8760, cap_t: float = CAP_T) -> tuple[Measured, dict[str, Any]] | str:
    """Run a peer in its own environment; a sentence when that cannot be done."""
    python = Path(os.environ.get("ZF_PEERS") or HERE.parent / ".peers" / "bin" / "python")
    if not python.is_file():
        return "not installed (make peers)"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "year.npz"
        data = first(year(), hours)
        months = problem(data).grid.month_of
        np.savez(file, figures=json.dumps({**FIGURES, "cap_t": cap_t}), months=months, **data)
        done = subprocess.run(
            [str(python), str(HERE / "peers" / script), str(file)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:160]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured(told["seconds"], told["peak_mb"], told["objective"]), told


def run() -> None:
    """Print the figures."""
    print("energy_sizing: year LP, 8760 h, joint sizing and dispatch with a carbon cap")
    plain = apart(bare)
    row("bare Clarabel on the same matrix", plain)
    hour = apart(ours, 1)
    row("zerofactory build + solve + check", hour, plain)
    told: Any = hour.result
    bare_told: Any = plain.result
    solved = hour.seconds["build"] + hour.seconds["solve"]
    print(f"    build + solve ÷ bare {solved / plain.total:.2f} (target 1.25); check ÷ solve {hour.seconds['check'] / hour.seconds['solve']:.2%} (target 5 %)")  # fmt: skip
    print(f"    objective {told['objective']:,.2f}, bare {bare_told['objective']:,.2f}, difference {abs(told['objective'] / bare_told['objective'] - 1):.1e}; {told}")  # fmt: skip
    quarter = apart(ours, 4)
    row("zerofactory 35 040 quarter hours", quarter, plain)
    print(f"    target 60 s; {quarter.result}")
    for script in PEERS:
        found = peer(script)
        if isinstance(found, str):
            print(f"  {script:<34}{found}")
            continue
        measured, other = found
        row(f"{other['tool']}", measured, hour)
        print(f"    {measured.total / solved:.1f} times ours; objective {other['objective']:,.2f}, difference {abs(other['objective'] / told['objective'] - 1):.1e}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(run())
