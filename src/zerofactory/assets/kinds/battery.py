"""Battery: charge and discharge with losses, C-rate, self-discharge, wear; calendar and cycle life in its size.

    stored[t] = (1 − self)^h · stored[t−1] + ηc · h · charge[t] − h / ηd · discharge[t]
    minimum · capacity ≤ stored ≤ maximum · capacity,   charge, discharge ≤ C-rate · capacity

Wear: one discharged kWh uses 1 / (cycle life · usable depth) of the battery. Where the battery stands already its
replacement price is charged per kWh (dispatch); where it is bought, the throughput is kept within what the calendar life
allows (sizing), so that the price is not counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Flow, Row, Term, Variable
from zerofactory.assets.size import Capacity, capacity
from zerofactory.assets.storage import Store, kept_fraction
from zerofactory.errors import Problem, Text


def store_of(values: Values, hours: float) -> Store:
    """Return the balance of the battery over an interval."""
    return Store(
        kept_fraction(values["self_discharge_fraction_per_hour"], hours),
        values["charge_efficiency_fraction"] * hours,
        hours / values["discharge_efficiency_fraction"],
    )


def wear_cny_per_kwh(values: Values) -> float:
    """Return what one discharged kWh wears off: stated, or replacement price / (cycle life · usable depth)."""
    if values.has("wear_cny_per_kwh"):
        return values["wear_cny_per_kwh"]
    return values["capex_cny_per_kwh"] / (values["cycle_life_cycles"] * _depth(values))


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the battery does: wishes cut to the power limit and to what fits."""
    size = values["capacity_kwh"]
    limit = values["c_rate_per_hour"] * size
    bounds = (values["minimum_charge_fraction"] * size, values["maximum_charge_fraction"] * size)
    wishes = (min(action["charge_kw"], limit), min(action["discharge_kw"], limit))
    stored, charge, discharge = store_of(values, at.hours).advance(state["stored_kwh"], wishes, bounds)
    return Stepped({"stored_kwh": stored}, {"charge_kw": charge, "discharge_kw": discharge, "stored_kwh": stored})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the battery."""
    hours = conditions.grid.step_hours
    size = capacity(values, conditions, "capacity", "kwh")
    wear = 0.0 if conditions.sized else wear_cny_per_kwh(values) * hours
    charge, charge_rows = size.ceiling(Variable("charge_kw"), values["c_rate_per_hour"])
    discharge, discharge_rows = size.ceiling(Variable("discharge_kw", cost_cny=wear), values["c_rate_per_hour"])
    stored, ceiling = size.ceiling(Variable("stored_kwh", unit="kWh"), values["maximum_charge_fraction"])
    stored, floor = size.floor(stored, values["minimum_charge_fraction"])
    balance = store_of(values, hours).row("stored_kwh", "charge_kw", "discharge_kw", conditions.before("stored_kwh"))
    return AssetBlock(
        "battery",
        (*size.variables, charge, discharge, stored),
        (balance, *charge_rows, *discharge_rows, *ceiling, *floor, *_life(values, conditions, size)),
        (Flow("electricity", "charge_kw", -1.0), Flow("electricity", "discharge_kw")),
        sizes=size.sizes,
    )


def _life(values: Values, conditions: Conditions, size: Capacity) -> tuple[Row, ...]:
    if not conditions.sized:
        return ()
    cycles = values["cycle_life_cycles"] / values["lifetime_years"] * conditions.grid.years * _depth(values)
    return (
        Row("life_throughput", (Term("discharge_kw", conditions.grid.step_hours), Term(size.variables[0].name, -cycles)), "<=", per="one"),
    )  # fmt: skip


def _depth(values: Values) -> float:
    return values["maximum_charge_fraction"] - values["minimum_charge_fraction"]


def _check(values: Values) -> list[Problem]:
    if (
        _depth(values) > 0
        and values["minimum_charge_fraction"] <= values["initial_fraction"] <= values["maximum_charge_fraction"]
    ):
        return []
    message = Text("荷电下限、初值、上限应由小到大。", "Lowest, first and highest charge should ascend.")
    return [
        fault(
            "battery_bounds",
            message,
            Text("请改正这三个参数。", "Mend the three parameters."),
            "minimum_charge_fraction",
        )
    ]


ASSET = Asset(
    id="battery",
    title=Text("电池储能", "battery"),
    actions=("charge_kw", "discharge_kw"),
    states=("stored_kwh",),
    size="capacity_kwh",
    start=lambda values: {"stored_kwh": values["initial_fraction"] * values["capacity_kwh"]},
    step=step,
    block=block,
    check=_check,
    reference="Kirschen & Strbac, Fundamentals of Power System Economics; NREL ATB 2024 (doi 10.25984/2377191), utility-scale "
    "battery storage; GB/T 36276-2023 电力储能用锂离子电池 (能量效率, 循环寿命)",
    example=Example(
        text=Text("从 500 kWh 以 100 kW 充 1 小时", "from 500 kWh, one hour of charging at 100 kW"),
        given={"capacity_kwh": 1000.0, "charge_efficiency_fraction": 0.9, "self_discharge_fraction_per_hour": 0.0},
        state={"stored_kwh": 500.0},
        action={"charge_kw": 100.0, "discharge_kw": 0.0},
        expected={"stored_kwh": 590.0, "charge_kw": 100.0, "discharge_kw": 0.0},
        citation="by hand: 500 + 0.9 · 100 · 1 h",
    ),
)
