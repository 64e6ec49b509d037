"""Electrolyser with hydrogen store: power → hydrogen at a specific energy, kept until it is drawn; waste heat optional.

made = power / specific energy   kg/h;   stored[t] = stored[t−1] + h · made − h · delivered ≤ store
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.size import capacity
from zerofactory.assets.storage import Store
from zerofactory.errors import Text

LOWER_HEATING_VALUE_KWH_PER_KG = 33.33


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what it does: power cut to its size and to the room in the store, delivery to what is there."""
    specific = values["specific_kwh_per_kg"]
    power = min(max(action["stack_kw"], 0.0), values["power_kw"])
    stored, made, delivered = Store(1.0, at.hours, at.hours).advance(
        state["stored_kg"], (power / specific, action["delivered_kg_per_h"]), (0.0, values["store_kg"])
    )
    return Stepped(
        {"stored_kg": stored}, {"stack_kw": made * specific, "delivered_kg_per_h": delivered, "stored_kg": stored}
    )


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the electrolyser and its store."""
    hours = conditions.grid.step_hours
    size = capacity(values, conditions, "power", "kw")
    wear = values["wear_cny_per_kwh"] * hours
    power, rows = size.ceiling(Variable("stack_kw", cost_cny=wear))
    delivered = Variable("delivered_kg_per_h", unit="kg/h")
    stored = Variable("stored_kg", upper=values["store_kg"], unit="kg")
    store = Store(1.0, hours / values["specific_kwh_per_kg"], hours)
    balance = store.row(stored.name, power.name, delivered.name, conditions.before(stored.name))
    flows = [Flow("electricity", power.name, -1.0), Flow("hydrogen", delivered.name)]
    if values["heat_recovery_fraction"] > 0:
        flows.append(Flow("heat_low", power.name, values["heat_recovery_fraction"]))
    return AssetBlock(
        "electrolyser", (*size.variables, power, delivered, stored), (balance, *rows), tuple(flows), sizes=size.sizes
    )


ASSET = Asset(
    id="electrolyser",
    title=Text("电解制氢与储氢", "electrolyser with store"),
    actions=("stack_kw", "delivered_kg_per_h"),
    states=("stored_kg",),
    size="power_kw",
    start=lambda values: {"stored_kg": values["initial_fraction"] * values["store_kg"]},
    step=step,
    block=block,
    reference="IRENA, Green Hydrogen Cost Reduction (2020), table 6 (50-78 kWh/kg today); GB 32311-2015 水电解制氢系统能效",
    example=Example(
        text=Text("1040 kW 制氢 1 小时", "1040 kW for an hour"),
        given={"power_kw": 2000.0, "specific_kwh_per_kg": 52.0, "store_kg": 500.0},
        state={"stored_kg": 100.0},
        action={"stack_kw": 1040.0, "delivered_kg_per_h": 5.0},
        expected={"stack_kw": 1040.0, "delivered_kg_per_h": 5.0, "stored_kg": 115.0},
        citation="by hand: 1040 / 52 = 20 kg; 100 + 20 − 5",
    ),
)
