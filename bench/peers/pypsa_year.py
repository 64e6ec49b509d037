"""The year LP of `bench.energy_sizing` in PyPSA, solved by HiGHS through ``optimize()``. Runs in an environment of its own.

Usage: python pypsa_year.py year.npz → one line of JSON with seconds, peak memory and objective.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time

import numpy as np
import pandas as pd
import pypsa


def annuity(rate: float, years: float) -> float:
    """Return the yearly payment that pays back one unit."""
    return rate / (1 - (1 + rate) ** -years)


def main() -> None:
    """Build, solve, print."""
    logging.disable(logging.CRITICAL)
    given = np.load(sys.argv[1])
    f = json.loads(str(given["figures"]))
    hours = pd.RangeIndex(len(given["price"]))
    years, span = len(hours) / 8760, int(given["months"].max()) + 1
    started = time.perf_counter()
    n = pypsa.Network()
    n.set_snapshots(hours)
    for bus in ("power", "heat"):
        n.add("Bus", bus)
    n.add("Load", "load", bus="power", p_set=given["load_kw"])
    n.add("Load", "heat-load", bus="heat", p_set=given["heat_kw"])
    n.add("Generator", "import", bus="power", p_nom=f["import_limit_kw"], marginal_cost=given["price"])
    n.add(
        "Generator",
        "export",
        bus="power",
        p_nom=f["export_limit_kw"],
        p_min_pu=-1.0,
        p_max_pu=0.0,
        marginal_cost=f["export_cny_per_kwh"],
    )

    def cost(what: str, unit: str = "kw") -> float:
        return f[f"{what}_capex_cny_per_{unit}"] * annuity(f["discount_fraction"], f[f"{what}_life_years"]) * years

    for what, series in (("pv", "sun"), ("wind", "wind")):
        n.add(
            "Generator",
            what,
            bus="power",
            p_nom_extendable=True,
            p_nom_max=f[f"{what}_maximum_kw"],
            p_max_pu=given[series],
            capital_cost=cost(what),
        )
    rate = f["battery_c_rate_per_hour"]
    n.add(
        "StorageUnit", "battery", bus="power", p_nom_extendable=True, p_nom_max=f["battery_maximum_kwh"] * rate, max_hours=1 / rate, p_min_pu=-1.0,
        efficiency_store=f["battery_efficiency_fraction"], efficiency_dispatch=f["battery_efficiency_fraction"],
        standing_loss=f["battery_self_discharge_fraction_per_hour"], cyclic_state_of_charge=True, capital_cost=cost("battery", "kwh") / rate,
    )  # fmt: skip
    rate = f["store_rate_per_hour"]
    n.add(
        "StorageUnit", "store", bus="heat", p_nom_extendable=True, p_nom_max=f["store_maximum_kwh"] * rate, max_hours=1 / rate, p_min_pu=-1.0,
        efficiency_store=f["store_efficiency_fraction"], efficiency_dispatch=f["store_efficiency_fraction"],
        standing_loss=f["store_loss_fraction_per_hour"], cyclic_state_of_charge=True, capital_cost=cost("store", "kwh") / rate,
    )  # fmt: skip
    heat = f["boiler_efficiency_fraction"] * f["ncv_kwh_per_nm3"]
    n.add(
        "Generator",
        "boiler",
        bus="heat",
        p_nom_extendable=True,
        p_nom_max=f["boiler_maximum_kw"],
        marginal_cost=f["gas_cny_per_nm3"] / heat,
        capital_cost=cost("boiler"),
    )
    cop = np.minimum(0.45 * (85 + 273.15) / np.maximum(85 - (given["ambient"] - 5), 1e-9), 8.0)
    n.add(
        "Link",
        "pump",
        bus0="power",
        bus1="heat",
        efficiency=cop,
        p_nom_extendable=True,
        p_nom_max=f["pump_maximum_kw"],
        p_max_pu=1 / cop,
        capital_cost=cost("pump"),
    )
    made = time.perf_counter()

    def more(network: pypsa.Network, _: object) -> None:
        m = network.model
        power = m["Generator-p"]
        names = power.dims
        name = "name" if "name" in names else "Generator"
        bought = power.sel({name: "import"})
        months = pd.RangeIndex(span, name="month")
        peak = m.add_variables(lower=0, coords=[months], name="peak")
        place = pd.Series(given["months"], index=hours)
        for month in months:
            inside = place.index[place == month]
            m.add_constraints(bought.sel(snapshot=inside) - peak.sel(month=month) <= 0, name=f"peak-{month}")
        grams = (bought * (given["gco2e_per_kwh"] / 1e6)).sum() + (
            power.sel({name: "boiler"}) * (f["gas_gco2e_per_nm3"] / heat / 1e6)
        ).sum()
        m.add_constraints(grams <= f["cap_t"], name="cap")
        m.objective = m.objective + f["peak_cny_per_kw_month"] * peak.sum()

    n.optimize(
        solver_name="highs",
        solver_options={"solver": "ipm", "run_crossover": "off", "output_flag": False, "threads": 1},
        extra_functionality=more,
        include_objective_constant=False,
    )
    done = time.perf_counter()
    print(json.dumps({
        "tool": f"PyPSA {pypsa.__version__} optimize(), HiGHS ipm", "objective": float(n.objective),
        "seconds": {"network": made - started, "optimize": done - made},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "sizes": {"pv": float(n.generators.p_nom_opt["pv"]), "battery_kw": float(n.storage_units.p_nom_opt["battery"])},
    }))  # fmt: skip


if __name__ == "__main__":
    main()
