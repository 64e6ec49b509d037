"""Gas supply: natural gas from the network, up to the limit of the connection, at a price that may rise by steps.

A step price (阶梯气价) rises with the amount of the month: gas = Σ step_k, step_k(month) ≤ width_k. As prices rise, the
cheapest steps fill first without any integer. The steps come with the tariff as monthly inputs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Row, Term, Variable
from zerofactory.assets.grid import Floats
from zerofactory.errors import Text

STEPS = ("second", "third")


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return the gas drawn: the wish cut to the limit."""
    del at
    return Stepped(state, {"gas_nm3_per_h": min(max(action["gas_nm3_per_h"], 0.0), values["limit_nm3_per_h"])})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the supply; steps above the first are monthly surcharges beyond their thresholds."""
    hours = conditions.grid.step_hours
    price = np.multiply(conditions.amount("gas_price_cny_per_nm3"), hours)
    gas = Variable("gas_nm3_per_h", upper=values["limit_nm3_per_h"], cost_cny=price, unit="Nm3/h")
    variables, rows = [gas], []
    for name in STEPS:
        threshold, surcharge = f"gas_{name}_step_from_nm3", f"gas_{name}_step_surcharge_cny_per_nm3"
        if threshold in conditions.monthly:
            above = f"above_{name}_nm3"
            variables.append(Variable(above, "month", cost_cny=conditions.per_month(surcharge), unit="Nm3"))
            rows.append(_above(above, conditions.per_month(threshold), hours))
    return AssetBlock("gas_supply", tuple(variables), tuple(rows), (Flow("natural_gas", gas.name),))


def _above(name: str, threshold: Floats, hours: float) -> Row:
    return Row(name, (Term("gas_nm3_per_h", hours), Term(name, -1.0)), "<=", threshold, per="month")


ASSET = Asset(
    id="gas_supply",
    title=Text("天然气供应", "gas supply"),
    actions=("gas_nm3_per_h",),
    step=step,
    block=block,
    inputs=(Input("gas_price_cny_per_nm3", "CNY/Nm3", Text("气价", "price of gas")),),
    reference="发改价格〔2014〕467号 (居民阶梯气价; 非居民由供气合同约定); GB/T 18603 天然气计量系统技术要求",
    example=Example(
        text=Text("接口 3 000 Nm3/h, 欲用 3 500", "3 000 Nm3/h of connection, 3 500 wished"),
        given={"limit_nm3_per_h": 3000.0},
        action={"gas_nm3_per_h": 3500.0},
        expected={"gas_nm3_per_h": 3000.0},
        citation="the limit of the connection",
    ),
)
