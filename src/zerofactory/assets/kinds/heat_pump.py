"""Heat pump for process heat: heat = COP · power, the COP by source and sink temperature.

    COP = η · T_sink / (T_sink − T_source)      temperatures in K, at the outlet of the sink and the inlet of the source

The share η of the Carnot figure is 40-60 % in the survey of machines up to 160 °C (Arpagaus 2018, section 3 and figure 9).
``source`` is the outside air, water of a stated temperature, or the plant's own low-temperature heat, which it then draws.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.grid import Floats
from zerofactory.assets.size import capacity
from zerofactory.errors import Problem, Text

ZERO_CELSIUS_KELVIN = 273.15


def cop(sink_celsius: float, source_celsius: Floats, second_law_fraction: float, highest: float) -> Floats:
    """Return the coefficient of performance, cut at ``highest`` where the lift is small.

    Examples
    --------
    >>> [round(float(c), 3) for c in cop(90.0, np.array([30.0, 10.0]), 0.5, 8.0)]
    [3.026, 2.27]
    """
    lift = np.maximum(sink_celsius - source_celsius, 1e-9)
    return np.minimum(second_law_fraction * (sink_celsius + ZERO_CELSIUS_KELVIN) / lift, highest)


def profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return the COP of each interval."""
    length = conditions.grid.length
    air = values.text("source") == "air"
    source = conditions.array("ambient_celsius") if air else np.full(length, values["source_celsius"])
    source = source - values["source_approach_kelvin"]
    return {"cop": cop(values["sink_celsius"], source, values["second_law_fraction"], values["cop_maximum_fraction"])}


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the heat pump does: the wish cut so that the heat stays within its size."""
    power = min(max(action["power_kw"], 0.0), values["heat_kw"] / at.series["cop"])
    return Stepped(state, {"power_kw": power})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the heat pump."""
    size = capacity(values, conditions, "heat", "kw")
    performance = profile(values, conditions)["cop"]
    running = values["running_cny_per_kwh"] * performance * conditions.grid.step_hours
    power, rows = size.ceiling(Variable("power_kw", cost_cny=running), 1.0 / performance)
    flows = [Flow("electricity", power.name, -1.0), Flow(values.text("heat_level"), power.name, performance)]
    if values.text("source") == "heat_low":
        flows.append(Flow("heat_low", power.name, -(performance - 1.0)))
    return AssetBlock("heat_pump", (*size.variables, power), rows, tuple(flows), sizes=size.sizes)


def _check(values: Values) -> list[Problem]:
    problems = []
    if values.text("source") == "heat_low" and values.text("heat_level") == "heat_low":
        message = Text("热泵不能以低温热为源供低温热。", "A heat pump cannot lift low heat to low heat.")
        problems.append(
            fault(
                "heat_pump_levels",
                message,
                Text("请改 heat_level 或 source。", "Change heat_level or source."),
                "source",
            )
        )
    if values.text("source") != "air" and values["source_celsius"] >= values["sink_celsius"]:
        message = Text("热源温度不低于供热温度。", "The source is not colder than the sink.")
        problems.append(
            fault("heat_pump_lift", message, Text("请改正两处温度。", "Mend the two temperatures."), "source_celsius")
        )
    return problems


ASSET = Asset(
    id="heat_pump",
    title=Text("热泵", "heat pump"),
    actions=("power_kw",),
    size="heat_kw",
    step=step,
    block=block,
    profile=profile,
    check=_check,
    inputs=(Input("ambient_celsius", "°C", Text("室外气温", "outside air"), when=("source", "air")),),
    reference="Arpagaus et al., High temperature heat pumps, Energy 152 (2018) 985-1010, doi 10.1016/j.energy.2018.03.166; "
    "Carnot bound: GB/T 25861-2023 蒸汽压缩循环高温热泵机组",
    example=Example(
        text=Text("30 °C 源、90 °C 供热, COP 3.03", "30 °C source, 90 °C sink: COP 3.03"),
        given={"heat_kw": 1000.0, "source": "water", "source_celsius": 30.0, "sink_celsius": 90.0,
               "second_law_fraction": 0.5, "source_approach_kelvin": 0.0},
        action={"power_kw": 500.0},
        series={"cop": 3.02625},
        expected={"power_kw": 330.4419661},
        citation="by hand: 0.5 · 363.15 / 60 = 3.02625; 1000 / 3.02625",
    ),
)  # fmt: skip
