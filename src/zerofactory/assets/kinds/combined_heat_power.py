"""Combined heat and power (gas engine): power and heat from the same gas, in fixed shares; heat may be dumped.

power = ηe · calorific value · gas ≤ size,   heat = ηh · calorific value · gas − dumped
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Emission, Flow, Row, Term, Variable
from zerofactory.assets.size import capacity
from zerofactory.errors import Problem, Text


def power_kwh_per_nm3(values: Values) -> float:
    """Return the electricity of one Nm3."""
    return values["electric_efficiency_fraction"] * values["ncv_kwh_per_nm3"]


def heat_kwh_per_nm3(values: Values) -> float:
    """Return the usable heat of one Nm3."""
    return values["heat_efficiency_fraction"] * values["ncv_kwh_per_nm3"]


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the engine does: gas cut to its size, dumped heat to what there is."""
    del at
    gas = min(max(action["gas_nm3_per_h"], 0.0), values["power_kw"] / power_kwh_per_nm3(values))
    dumped = min(max(action["dumped_kw"], 0.0), heat_kwh_per_nm3(values) * gas)
    return Stepped(state, {"gas_nm3_per_h": gas, "dumped_kw": dumped})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the engine."""
    size = capacity(values, conditions, "power", "kw")
    power, heat = power_kwh_per_nm3(values), heat_kwh_per_nm3(values)
    upkeep = values["upkeep_cny_per_kwh"] * power * conditions.grid.step_hours
    gas, rows = size.ceiling(Variable("gas_nm3_per_h", cost_cny=upkeep, unit="Nm3/h"), 1.0 / power)
    dump = Row("dumped_heat", (Term("dumped_kw"), Term(gas.name, -heat)), "<=")
    level = values.text("heat_level")
    return AssetBlock(
        "combined_heat_power",
        (*size.variables, gas, Variable("dumped_kw")),
        (*rows, dump),
        (
            Flow("natural_gas", gas.name, -1.0),
            Flow("electricity", gas.name, power),
            Flow(level, gas.name, heat),
            Flow(level, "dumped_kw", -1.0),
        ),
        sizes=size.sizes,
        emissions=(Emission(gas.name, "stationary_combustion", "natural_gas", 1.0, "Nm3"),),
    )


def _check(values: Values) -> list[Problem]:
    total = values["electric_efficiency_fraction"] + values["heat_efficiency_fraction"]
    if total <= 1.0:
        return []
    message = Text(
        f"电效率与热效率之和为 {total:g}, 超过 1。", f"Electric and heat efficiency sum to {total:g}, above 1."
    )
    return [
        fault("chp_efficiency", message, Text("请改正效率。", "Mend the efficiencies."), "heat_efficiency_fraction")
    ]


ASSET = Asset(
    id="combined_heat_power",
    title=Text("热电联产", "combined heat and power"),
    actions=("gas_nm3_per_h", "dumped_kw"),
    size="power_kw",
    step=step,
    block=block,
    check=_check,
    reference="US EPA CHP Partnership, Catalog of CHP Technologies (2017), section 2 (reciprocating engines); ISO 3046-1",
    example=Example(
        text=Text("每小时 100 标方, 电效率 40 %", "100 Nm3 an hour at 40 % electric"),
        given={"power_kw": 2000.0, "electric_efficiency_fraction": 0.4, "heat_efficiency_fraction": 0.42},
        action={"gas_nm3_per_h": 100.0, "dumped_kw": 1000.0},
        expected={"gas_nm3_per_h": 100.0, "dumped_kw": 454.1964},
        citation="by hand: 0.42 · 10.8142 · 100 = 454.1964 kW of heat",
    ),
)
