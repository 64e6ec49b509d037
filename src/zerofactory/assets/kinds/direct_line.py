"""Direct line (绿电直连): a wind or solar station outside the fence on a line of its own, taken as it comes.

    taken ≤ (1 − line loss) · yield · capacity,   Σ taken ≥ share · Σ available     (take or pay, over the grid)

Energy is paid at the contract price where it is taken; a charge per kW of capacity and year is its `Size` upkeep.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Emission, Flow, Row, Term, Variable
from zerofactory.assets.size import capacity
from zerofactory.errors import Text


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what is taken: the wish cut to what arrives."""
    arrives = (1.0 - values["line_loss_fraction"]) * at.series["yield_kw_per_kw"] * values["capacity_kw"]
    return Stepped(state, {"taken_kw": min(max(action["taken_kw"], 0.0), arrives)})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the line."""
    hours = conditions.grid.step_hours
    size = capacity(values, conditions, "capacity", "kw")
    arriving = (1.0 - values["line_loss_fraction"]) * conditions.array("yield_kw_per_kw")
    taken, rows = size.ceiling(Variable("taken_kw", cost_cny=values["price_cny_per_kwh"] * hours), arriving)
    least = values["least_taken_fraction"] * float(arriving.sum()) * hours
    if least > 0:
        rows = (*rows, _least(size.variables[0].name if size.variables else None, least, hours, values))
    return AssetBlock(
        "direct_line",
        (*size.variables, taken),
        rows,
        (Flow("electricity", "taken_kw"),),
        sizes=size.sizes,
        emissions=(Emission("taken_kw", "green_power_contract", "electricity"),),
    )


def _least(size: str | None, least_hours: float, hours: float, values: Values) -> Row:
    if size is None:
        return Row(
            "least_taken", (Term("taken_kw", hours),), ">=", np.multiply(least_hours, values["capacity_kw"]), per="one"
        )
    return Row("least_taken", (Term("taken_kw", hours), Term(size, -least_hours)), ">=", per="one")


ASSET = Asset(
    id="direct_line",
    title=Text("绿电直连", "direct line"),
    actions=("taken_kw",),
    size="capacity_kw",
    step=step,
    block=block,
    inputs=(Input("yield_kw_per_kw", "1", Text("电源单位装机出力", "output per kW of the station")),),
    reference="发改能源〔2025〕650号 关于有序推动绿电直连发展有关事项的通知 (自用比例与余电上网比例)",
    example=Example(
        text=Text("10 MW 风电直连, 线损 2 %", "10 MW of wind on a direct line, 2 % loss"),
        given={"capacity_kw": 10000.0, "line_loss_fraction": 0.02, "price_cny_per_kwh": 0.35},
        action={"taken_kw": 9000.0},
        series={"yield_kw_per_kw": 0.5},
        expected={"taken_kw": 4900.0},
        citation="by hand: 0.98 · 0.5 · 10 000",
    ),
)
