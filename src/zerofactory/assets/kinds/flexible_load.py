"""Flexible load: part of a need that may be lowered now and made up for (or done ahead) within the same day.

    used = need + raised − lowered,   lowered ≤ share · need,   raised ≤ limit
    owed[t] = owed[t−1] + h · lowered − h · raised,   |owed| ≤ most,   owed = 0 at the end of each local day

The bounds of ``owed`` close towards the end of the day with what can still be made up for, so that no wish leads astray.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Given, Variable
from zerofactory.assets.grid import DAY_MINUTES, HOUR_MINUTES, Floats, Grid
from zerofactory.assets.storage import Store
from zerofactory.errors import Text


def hours_left(grid: Grid) -> Floats:
    """Return the hours of the local day left after each interval."""
    return np.maximum(DAY_MINUTES - grid.minute_of_day - grid.step_minutes, 0) / HOUR_MINUTES


def profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return the least and the most that may be owed at the end of each interval."""
    grid = conditions.grid
    could = values["flexible_fraction"] * conditions.array("need_kw") * grid.step_hours
    running = np.cumsum(could)
    last = np.searchsorted(grid.day_of, grid.day_of, side="right") - 1  # the last interval of the same day
    ahead = running[last] - running
    cut_short = (grid.day_of == grid.day_of[-1]) & (hours_left(grid)[-1] > 0)  # the grid ends within this day
    most = values["owed_maximum_kwh"]
    return {
        "owed_most_kwh": np.minimum(most, values["raise_kw"] * hours_left(grid)),
        "owed_least_kwh": -np.where(cut_short, most, np.minimum(most, ahead)),
    }


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the load does: wishes cut to the limits; what could no longer be made up for is made up for now."""
    share = values["flexible_fraction"] * at.series["need_kw"]
    lowered, raised = min(action["lowered_kw"], share), min(action["raised_kw"], values["raise_kw"])
    least, most = at.series["owed_least_kwh"], at.series["owed_most_kwh"]
    owed, lowered, raised = Store(1.0, at.hours, at.hours).advance(state["owed_kwh"], (lowered, raised), (least, most))
    if owed > most:
        more = min((owed - most) / at.hours, values["raise_kw"] - raised)
        owed, raised = owed - more * at.hours, raised + more
    elif owed < least:
        more = min((least - owed) / at.hours, share - lowered)
        owed, lowered = owed + more * at.hours, lowered + more
    return Stepped({"owed_kwh": owed}, {"lowered_kw": lowered, "raised_kw": raised, "owed_kwh": owed})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the load."""
    hours = conditions.grid.step_hours
    need, limits = conditions.array("need_kw"), profile(values, conditions)
    price = values["shift_cny_per_kwh"] * hours
    before = conditions.before("owed_kwh")
    return AssetBlock(
        "flexible_load",
        (
            Variable("lowered_kw", upper=values["flexible_fraction"] * need, cost_cny=price),
            Variable("raised_kw", upper=values["raise_kw"]),
            Variable("owed_kwh", lower=limits["owed_least_kwh"], upper=limits["owed_most_kwh"], unit="kWh"),
        ),
        (Store(1.0, hours, hours).row("owed_kwh", "lowered_kw", "raised_kw", before),),
        (Flow(values.text("carrier"), "raised_kw", -1.0), Flow(values.text("carrier"), "lowered_kw")),
        given=(Given(values.text("carrier"), -need),),
    )


ASSET = Asset(
    id="flexible_load",
    title=Text("可调负荷", "flexible load"),
    actions=("lowered_kw", "raised_kw"),
    states=("owed_kwh",),
    start=lambda values: {"owed_kwh": 0.0},
    step=step,
    block=block,
    profile=profile,
    inputs=(Input("need_kw", "kW", Text("原计划用能", "need as planned")),),
    reference="Zerrahn & Schill, Energy 84 (2015) 840-845, doi 10.1016/j.energy.2015.03.037 (load shifting with hold-over); "
    "GB/T 37016-2018 电力用户需求响应节约电力测量与验证技术要求",
    example=Example(
        text=Text("1000 kW 中最多让出 20 %", "of 1000 kW at most 20 % can be lowered"),
        given={"flexible_fraction": 0.2, "raise_kw": 300.0, "owed_maximum_kwh": 500.0},
        state={"owed_kwh": 100.0},
        action={"lowered_kw": 300.0, "raised_kw": 0.0},
        series={"need_kw": 1000.0, "owed_least_kwh": -500.0, "owed_most_kwh": 500.0},
        expected={"lowered_kw": 200.0, "raised_kw": 0.0, "owed_kwh": 300.0},
        citation="by hand: 0.2 · 1000; 100 + 200",
    ),
)
