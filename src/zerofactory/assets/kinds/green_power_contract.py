"""Green-power contract (绿电交易): power of a named station through the public grid, settled by interval, at a premium.

    settled ≤ yield · capacity

The energy itself comes through the grid connection and is paid there; here stands what the contract adds (price
difference plus environmental value) and what it lets the plant claim. Nothing flows into the bus: who joins blocks keeps
``settled`` at or below the import of the same interval.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Emission, Variable
from zerofactory.assets.size import capacity
from zerofactory.errors import Text


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what is settled: the wish cut to what the station makes for the plant."""
    made = at.series["yield_kw_per_kw"] * values["capacity_kw"]
    return Stepped(state, {"settled_kw": min(max(action["settled_kw"], 0.0), made)})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the contract."""
    hours = conditions.grid.step_hours
    size = capacity(values, conditions, "capacity", "kw")
    cost = values["premium_cny_per_kwh"] * hours
    settled, rows = size.ceiling(Variable("settled_kw", cost_cny=cost), conditions.array("yield_kw_per_kw"))
    emission = Emission("settled_kw", "green_power_contract", "electricity")
    return AssetBlock("green_power_contract", (*size.variables, settled), rows, sizes=size.sizes, emissions=(emission,))


ASSET = Asset(
    id="green_power_contract",
    title=Text("绿电合同", "green power contract"),
    actions=("settled_kw",),
    size="capacity_kw",
    step=step,
    block=block,
    inputs=(Input("yield_kw_per_kw", "1", Text("电站单位装机出力", "output per kW of the station")),),
    reference="发改能源〔2024〕1113号 电力中长期交易基本规则—绿色电力交易专章 (电能量与绿证价格分列, 分时结算)",
    example=Example(
        text=Text("合同 20 MW, 单位出力 0.3", "20 MW contracted at a yield of 0.3"),
        given={"capacity_kw": 20000.0, "premium_cny_per_kwh": 0.02},
        action={"settled_kw": 8000.0},
        series={"yield_kw_per_kw": 0.3},
        expected={"settled_kw": 6000.0},
        citation="by hand: 0.3 · 20 000",
    ),
)
