"""Gas boiler: heat = efficiency · calorific value · gas.

The efficiency is against the net calorific value, as on a Chinese name plate (GB/T 10180); gas in Nm3 (0 °C), as booked.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values
from zerofactory.assets.block import AssetBlock, Emission, Flow, Variable
from zerofactory.assets.size import capacity
from zerofactory.errors import Text


def heat_kwh_per_nm3(values: Values) -> float:
    """Return the heat of one Nm3."""
    return values["efficiency_fraction"] * values["ncv_kwh_per_nm3"]


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the boiler does: the wish cut to its size."""
    del at
    gas = min(max(action["gas_nm3_per_h"], 0.0), values["heat_kw"] / heat_kwh_per_nm3(values))
    return Stepped(state, {"gas_nm3_per_h": gas})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the boiler."""
    size = capacity(values, conditions, "heat", "kw")
    heat = heat_kwh_per_nm3(values)
    running = values["running_cny_per_kwh"] * heat * conditions.grid.step_hours
    gas, rows = size.ceiling(Variable("gas_nm3_per_h", cost_cny=running, unit="Nm3/h"), 1.0 / heat)
    return AssetBlock(
        "gas_boiler",
        (*size.variables, gas),
        rows,
        (Flow("natural_gas", gas.name, -1.0), Flow(values.text("heat_level"), gas.name, heat)),
        sizes=size.sizes,
        emissions=(Emission(gas.name, "stationary_combustion", "natural_gas", 1.0, "Nm3"),),
    )


ASSET = Asset(
    id="gas_boiler",
    title=Text("燃气锅炉", "gas boiler"),
    actions=("gas_nm3_per_h",),
    size="heat_kw",
    step=step,
    block=block,
    reference="GB/T 10180-2017 工业锅炉热工性能试验规程 (效率); GB 24500-2020 工业锅炉能效限定值及能效等级; "
    "NDRC 2013 指南: 天然气低位发热量 389.31 GJ/万Nm3",
    example=Example(
        text=Text("每小时 100 标方, 效率 92 %", "100 Nm3 an hour at 92 %"),
        given={"heat_kw": 7000.0, "efficiency_fraction": 0.92},
        action={"gas_nm3_per_h": 100.0},
        expected={"gas_nm3_per_h": 100.0},
        citation="by hand: 100 Nm3/h · 10.8142 kWh/Nm3 · 0.92 = 994.9 kW, below 7000 kW",
    ),
)
