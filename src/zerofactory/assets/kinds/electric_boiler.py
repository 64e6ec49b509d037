"""Electric boiler: heat = efficiency · power."""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.size import capacity
from zerofactory.errors import Text


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the boiler does: the wish cut to its size."""
    del at
    return Stepped(
        state, {"power_kw": min(max(action["power_kw"], 0.0), values["heat_kw"] / values["efficiency_fraction"])}
    )


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the boiler."""
    size, efficiency = capacity(values, conditions, "heat", "kw"), values["efficiency_fraction"]
    power, rows = size.ceiling(Variable("power_kw"), 1.0 / efficiency)
    flows = (Flow("electricity", "power_kw", -1.0), Flow(values.text("heat_level"), "power_kw", efficiency))
    return AssetBlock("electric_boiler", (*size.variables, power), rows, flows, sizes=size.sizes)


ASSET = Asset(
    id="electric_boiler",
    title=Text("电锅炉", "electric boiler"),
    actions=("power_kw",),
    size="heat_kw",
    step=step,
    block=block,
    reference="GB/T 10180-2017 工业锅炉热工性能试验规程; EN 12953-11 (indirect efficiency: losses of the surface only)",
    example=Example(
        text=Text("1 MW 供热, 效率 98 %", "1 MW of heat at 98 %"),
        given={"heat_kw": 980.0, "efficiency_fraction": 0.98},
        action={"power_kw": 1500.0},
        expected={"power_kw": 1000.0},
        citation="by hand: 980 / 0.98",
    ),
)
