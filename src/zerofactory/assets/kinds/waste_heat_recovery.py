"""Waste-heat recovery: part of a stream of waste heat, through an exchanger, to a heat bus; pumps take electricity.

recovered ≤ effectiveness · available,   recovered ≤ size
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.size import capacity
from zerofactory.errors import Text


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what is recovered: the wish cut to the exchanger and to what there is."""
    there = values["effectiveness_fraction"] * at.series["available_kw"]
    return Stepped(state, {"recovered_kw": min(max(action["recovered_kw"], 0.0), there, values["heat_kw"])})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the recovery."""
    size = capacity(values, conditions, "heat", "kw")
    there = np.multiply(values["effectiveness_fraction"], conditions.amount("available_kw"))
    recovered, rows = size.ceiling(Variable("recovered_kw", upper=there))
    flows = (
        Flow(values.text("heat_level"), "recovered_kw"),
        Flow("electricity", "recovered_kw", -values["pump_fraction"]),
    )
    return AssetBlock("waste_heat_recovery", (*size.variables, recovered), rows, flows, sizes=size.sizes)


ASSET = Asset(
    id="waste_heat_recovery",
    title=Text("余热回收", "waste-heat recovery"),
    actions=("recovered_kw",),
    size="heat_kw",
    step=step,
    block=block,
    inputs=(Input("available_kw", "kW", Text("可回收的余热", "waste heat there is")),),
    reference="Kays & London, Compact Heat Exchangers, 3rd ed., ch. 2 (effectiveness); GB/T 1028-2018 工业余能资源评价方法",
    example=Example(
        text=Text("800 kW 余热, 效能 0.7", "800 kW of waste heat at 0.7"),
        given={"heat_kw": 1000.0, "effectiveness_fraction": 0.7},
        action={"recovered_kw": 900.0},
        series={"available_kw": 800.0},
        expected={"recovered_kw": 560.0},
        citation="by hand: 0.7 · 800",
    ),
)
