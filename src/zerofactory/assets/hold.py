"""Hold or restart: equipment that must be hot when production runs, and between two runs is held hot or let go cold.

    fuel[t] = hold · on[t] + (run − hold) · operating[t] + restart / warm-up · Σ start[t − j],  j < warm-up intervals
    start[t] ≥ on[t] − on[t−1],   on[t] = 1 in production and over the warm-up before it

    Σ start[t − j] ≤ on[t],  j < warm-up intervals                    (a restart once begun is finished)

``on`` is 0 or 1; relaxed it lies between (a lower bound of the cost). A restart takes its energy evenly over the warm-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np

from zerofactory.assets.asset import At, Conditions, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Emission, Flow, Row, Term, Variable
from zerofactory.assets.grid import Floats
from zerofactory.errors import Problem, Text


def warm_up_intervals(values: Values, hours: float) -> int:
    """Return over how many intervals a restart spreads."""
    return max(1, ceil(values["warm_up_hours"] / hours - 1e-9))


def profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return when it must be on: in production and over the warm-up before it (1 or 0)."""
    running = conditions.array("operating_fraction") > 0
    needed = running.copy()
    for ahead in range(1, warm_up_intervals(values, conditions.grid.step_hours) + 1):
        needed[:-ahead] |= running[ahead:]
    return {"needed": needed.astype(np.float64)}


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what it does: on when needed or wished; fuel follows."""
    count = warm_up_intervals(values, at.hours)
    earlier = [state.get(f"start_{back}", 0.0) for back in range(1, count)]
    on = max(min(max(action["on"], 0.0), 1.0), at.series["needed"], sum(earlier))
    start = max(on - state["on"], 0.0)
    recent = [start, *earlier]
    warming = sum(recent)
    fuel = values["hold_kw"] * on + (values["running_kw"] - values["hold_kw"]) * at.series["operating_fraction"]
    fuel += values["restart_kwh"] / (count * at.hours) * warming
    after = {"on": on, **{f"start_{back}": recent[back - 1] for back in range(1, count)}}
    return Stepped(after, {"on": on, "start": start, "fuel_kw": fuel})


def block(block_id: str, values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part."""
    hours = conditions.grid.step_hours
    count = warm_up_intervals(values, hours)
    before = conditions.before("on")
    needed = profile(values, conditions)["needed"]
    extra = (values["running_kw"] - values["hold_kw"]) * conditions.array("operating_fraction")
    burst = values["restart_kwh"] / (count * hours)
    starts = tuple(Term("start", 1.0, shift=back, initial=_recent(conditions, back)) for back in range(count))
    heat = tuple(replace(term, coefficient=-burst) for term in starts)
    return AssetBlock(
        block_id,
        (
            Variable("on", lower=needed, upper=1.0, unit="1", integer=conditions.integer),
            Variable("start", upper=1.0, cost_cny=values["start_cny"], unit="1", integer=conditions.integer),
            Variable("fuel_kw", upper=values["burner_kw"]),
        ),
        (
            Row("start", (Term("start"), Term("on", -1.0), Term("on", 1.0, shift=1, initial=before)), ">="),
            Row("fuel", (Term("fuel_kw"), Term("on", -values["hold_kw"]), *heat), "=", extra),
            Row("finish", (*starts, Term("on", -1.0)), "<="),
        ),
        _flows(values),
        emissions=_emissions(values),
    )


def _recent(conditions: Conditions, back: int) -> Floats | None:
    """Return the restarts of the ``back`` intervals before the first one, the earliest first; None when cyclic."""
    if not back or conditions.before("on") is None:
        return None
    recent = [conditions.initial.get(f"start_{ago}", 0.0) for ago in range(back, 0, -1)]
    return np.asarray(recent[: conditions.grid.length])


def _flows(values: Values) -> tuple[Flow, ...]:
    gas = values.text("fuel") == "natural_gas"
    fuel = (
        Flow("natural_gas", "fuel_kw", -1.0 / values["ncv_kwh_per_nm3"])
        if gas
        else Flow("electricity", "fuel_kw", -1.0)
    )
    flows = [fuel, Flow("electricity", "on", -values["fan_kw"])]
    if values["heat_recovery_fraction"] > 0:
        flows.append(Flow(values.text("heat_level"), "fuel_kw", values["heat_recovery_fraction"]))
    return tuple(flows)


def _emissions(values: Values) -> tuple[Emission, ...]:
    if values.text("fuel") != "natural_gas":
        return ()
    return (Emission("fuel_kw", "stationary_combustion", "natural_gas", 1.0 / values["ncv_kwh_per_nm3"], "Nm3"),)


def check(values: Values) -> list[Problem]:
    """Return the faults of its powers: hold ≤ running, and the burner must manage running and a restart."""
    worst = max(values["running_kw"], values["hold_kw"] + values["restart_kwh"] / max(values["warm_up_hours"], 1e-9))
    if values["hold_kw"] <= values["running_kw"] and worst <= values["burner_kw"] * (1 + 1e-9):
        return []
    message = Text(
        f"保温、运行或重启所需功率({worst:,.0f} kW)与燃烧器({values['burner_kw']:,.0f} kW)不符。",
        f"Hold, run or restart ({worst:,.0f} kW) does not fit the burner ({values['burner_kw']:,.0f} kW).",
    )
    hint = Text(
        "应有 hold ≤ running ≤ burner, 且预热时间足够长。", "Have hold ≤ running ≤ burner and a long enough warm-up."
    )
    return [fault("hold_powers", message, hint, "burner_kw")]
