"""Melting and holding furnace: fuel for melting and for holding; molten metal as store between melting and casting.

    molten[t] = molten[t−1] + h · melted − h · drawn,   minimum ≤ molten ≤ bath
    fuel = melting energy · melted + holding power                                     (kW)

What the casting machines draw is a need of production (``drawn_t_per_h``); when to melt is free.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Emission, Flow, Row, Term, Variable
from zerofactory.errors import Problem, Text


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the furnace does: melting cut to its rate and to the room, raised where the bath would run low."""
    drawn, before = at.series["drawn_t_per_h"], state["molten_t"]
    least = (values["bath_minimum_t"] - before) / at.hours + drawn
    most = (values["bath_t"] - before) / at.hours + drawn
    melted = min(max(action["melted_t_per_h"], least, 0.0), most, values["melting_t_per_h"])
    molten = before + at.hours * (melted - drawn)
    fuel = values["melting_kwh_per_t"] * melted + values["holding_kw"]
    return Stepped({"molten_t": molten}, {"melted_t_per_h": melted, "molten_t": molten, "fuel_kw": fuel})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the furnace."""
    hours = conditions.grid.step_hours
    molten = Term("molten_t", -1.0, shift=1, initial=conditions.before("molten_t"))
    gas = values.text("fuel") == "natural_gas"
    per_kw = 1.0 / values["ncv_kwh_per_nm3"]
    return AssetBlock(
        "furnace",
        (
            Variable("melted_t_per_h", upper=values["melting_t_per_h"], unit="t/h"),
            Variable("molten_t", lower=values["bath_minimum_t"], upper=values["bath_t"], unit="t"),
            Variable("fuel_kw", upper=values["burner_kw"]),
        ),
        (
            Row("bath", (Term("molten_t"), molten, Term("melted_t_per_h", -hours)), "=", np.multiply(-hours, conditions.amount("drawn_t_per_h"))),
            Row("fuel", (Term("fuel_kw"), Term("melted_t_per_h", -values["melting_kwh_per_t"])), "=", values["holding_kw"]),
        ),
        (Flow("natural_gas", "fuel_kw", -per_kw) if gas else Flow("electricity", "fuel_kw", -1.0),),
        emissions=(Emission("fuel_kw", "stationary_combustion", "natural_gas", per_kw, "Nm3"),) if gas else (),
    )  # fmt: skip


def _check(values: Values) -> list[Problem]:
    needed = values["melting_kwh_per_t"] * values["melting_t_per_h"] + values["holding_kw"]
    if values["bath_minimum_t"] <= values["bath_t"] and needed <= values["burner_kw"] * (1 + 1e-9):
        return []
    message = Text(
        f"满负荷需 {needed:,.0f} kW 或熔池上下限与铭牌不符。",
        f"Full melting needs {needed:,.0f} kW, or the bath bounds do not fit.",
    )
    return [fault("furnace_limits", message, Text("请核对燃烧器功率与熔池。", "Check burner and bath."), "burner_kw")]


ASSET = Asset(
    id="furnace",
    title=Text("熔炼保温炉", "melting and holding furnace"),
    actions=("melted_t_per_h",),
    states=("molten_t",),
    start=lambda values: {"molten_t": 0.5 * (values["bath_minimum_t"] + values["bath_t"])},
    step=step,
    block=block,
    check=_check,
    inputs=(Input("drawn_t_per_h", "t/h", Text("压铸取用铝液", "molten metal drawn by casting")),),
    reference="JRC, Best Available Techniques Reference Document for the Smitheries and Foundries Industry (2005), 2.4 and 3.2; "
    "GB/T 30587-2014 铝熔炼炉能耗 (单位产品能耗); enthalpy of molten aluminium about 300 kWh/t at 720 °C",
    example=Example(
        text=Text("熔 2 t/h, 取 1.5 t/h, 1 小时", "2 t/h melted, 1.5 t/h drawn, one hour"),
        given={"melting_t_per_h": 2.5, "melting_kwh_per_t": 900.0, "holding_kw": 200.0, "burner_kw": 3000.0, "bath_t": 10.0, "bath_minimum_t": 2.0},
        state={"molten_t": 5.0},
        action={"melted_t_per_h": 2.0},
        series={"drawn_t_per_h": 1.5},
        expected={"melted_t_per_h": 2.0, "molten_t": 5.5, "fuel_kw": 2000.0},
        citation="by hand: 5 + 2 − 1.5; 900 · 2 + 200",
    ),
)  # fmt: skip
