"""The year LP of `bench.energy_sizing` in oemof-solph, solved by HiGHS. Runs in an environment of its own.

Usage: python oemof_year.py year.npz → one line of JSON with seconds, peak memory and objective.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pyomo.environ as po
from oemof import solph
from oemof.solph.components import Converter, GenericStorage, Sink, Source


def annuity(rate: float, years: float) -> float:
    """Return the yearly payment that pays back one unit."""
    return rate / (1 - (1 + rate) ** -years)


def main() -> None:
    """Build, solve, print."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    given = np.load(sys.argv[1])
    f = json.loads(str(given["figures"]))
    length = len(given["price"])
    years = length / 8760
    started = time.perf_counter()
    es = solph.EnergySystem(
        timeindex=pd.date_range("2025-01-01", periods=length + 1, freq="h"), infer_last_interval=False
    )
    power, heat = solph.Bus(label="power"), solph.Bus(label="heat")
    es.add(power, heat)

    def bought(what: str, unit: str = "kw") -> solph.Investment:
        cost = f[f"{what}_capex_cny_per_{unit}"] * annuity(f["discount_fraction"], f[f"{what}_life_years"]) * years
        return solph.Investment(ep_costs=cost, maximum=f[f"{what}_maximum_{unit}"])

    grid = Source(
        label="import",
        outputs={power: solph.Flow(nominal_capacity=f["import_limit_kw"], variable_costs=list(given["price"]))},
    )
    sold = Sink(
        label="export",
        inputs={power: solph.Flow(nominal_capacity=f["export_limit_kw"], variable_costs=-f["export_cny_per_kwh"])},
    )
    es.add(grid, sold)
    for what, series in (("pv", "sun"), ("wind", "wind")):
        es.add(
            Source(label=what, outputs={power: solph.Flow(nominal_capacity=bought(what), maximum=list(given[series]))})
        )
    es.add(Sink(label="load", inputs={power: solph.Flow(nominal_capacity=1, fix=list(given["load_kw"]))}))
    es.add(Sink(label="heat-load", inputs={heat: solph.Flow(nominal_capacity=1, fix=list(given["heat_kw"]))}))
    for what, bus, rate, loss in (
        ("battery", power, f["battery_c_rate_per_hour"], f["battery_self_discharge_fraction_per_hour"]),
        ("store", heat, f["store_rate_per_hour"], f["store_loss_fraction_per_hour"]),
    ):
        efficiency = f[f"{what}_efficiency_fraction"]
        es.add(GenericStorage(
            label=what, inputs={bus: solph.Flow(nominal_capacity=solph.Investment())}, outputs={bus: solph.Flow(nominal_capacity=solph.Investment())},
            nominal_capacity=bought(what, "kwh"), loss_rate=loss, balanced=True, inflow_conversion_factor=efficiency, outflow_conversion_factor=efficiency,
            invest_relation_input_capacity=rate, invest_relation_output_capacity=rate,
        ))  # fmt: skip
    per_nm3 = f["boiler_efficiency_fraction"] * f["ncv_kwh_per_nm3"]
    boiler = Source(
        label="boiler",
        outputs={heat: solph.Flow(nominal_capacity=bought("boiler"), variable_costs=f["gas_cny_per_nm3"] / per_nm3)},
    )
    cop = np.minimum(0.45 * (85 + 273.15) / np.maximum(85 - (given["ambient"] - 5), 1e-9), 8.0)
    pump = Converter(
        label="pump",
        inputs={power: solph.Flow()},
        outputs={heat: solph.Flow(nominal_capacity=bought("pump"))},
        conversion_factors={heat: list(cop)},
    )
    es.add(boiler, pump)
    model = solph.Model(es)
    months = given["months"]
    model.peak = po.Var(range(int(months.max()) + 1), domain=po.NonNegativeReals)
    model.peaks = po.Constraint(range(length), rule=lambda m, t: m.flow[grid, power, t] <= m.peak[int(months[t])])
    bought_t, burnt_t = given["gco2e_per_kwh"] / 1e6, f["gas_gco2e_per_nm3"] / per_nm3 / 1e6
    model.cap = po.Constraint(
        expr=sum(
            model.flow[grid, power, t] * bought_t[t] + model.flow[boiler, heat, t] * burnt_t for t in range(length)
        )
        <= f["cap_t"]
    )
    model.objective.expr += f["peak_cny_per_kw_month"] * sum(model.peak[i] for i in model.peak)
    made = time.perf_counter()
    model.solve(
        solver="highs",
        solve_kwargs={"tee": False},
        cmdline_options={"solver": "ipm", "run_crossover": "off", "threads": 1},
    )
    done = time.perf_counter()
    print(json.dumps({
        "tool": f"oemof-solph {solph.__version__}, HiGHS ipm", "objective": float(po.value(model.objective)),
        "seconds": {"model": made - started, "solve": done - made}, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
