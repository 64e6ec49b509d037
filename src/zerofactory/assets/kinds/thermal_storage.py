"""Thermal store, hot or cold: a tank with losses of its contents and in charging and discharging.

    stored[t] = (1 − loss)^h · stored[t−1] + ηc · h · charge[t] − h / ηd · discharge[t]

``carrier`` says whose heat (``heat_high``, ``heat_low``) or cold it keeps. The loss is that of a tank of one temperature:
proportional to the contents above the useless level.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.size import capacity
from zerofactory.assets.storage import Store, kept_fraction
from zerofactory.errors import Text

WATER_KWH_PER_M3_K = 1.163  # 1000 kg/m3 · 4.1868 kJ/(kg K) / 3600, IT calorie definition


def water_volume_m3(capacity_kwh: float, spread_kelvin: float) -> float:
    """Return the volume of water that keeps an amount of heat over a temperature spread.

    Examples
    --------
    >>> round(water_volume_m3(1163.0, 20.0), 6)
    50.0
    """
    return capacity_kwh / (WATER_KWH_PER_M3_K * spread_kelvin)


def store_of(values: Values, hours: float) -> Store:
    """Return the balance of the tank over an interval."""
    return Store(
        kept_fraction(values["loss_fraction_per_hour"], hours),
        values["charge_efficiency_fraction"] * hours,
        hours / values["discharge_efficiency_fraction"],
    )


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the tank does: wishes cut to the rate limit and to what fits."""
    size = values["capacity_kwh"]
    limit = values["rate_per_hour"] * size
    wishes = (min(action["charge_kw"], limit), min(action["discharge_kw"], limit))
    stored, charge, discharge = store_of(values, at.hours).advance(state["stored_kwh"], wishes, (0.0, size))
    return Stepped({"stored_kwh": stored}, {"charge_kw": charge, "discharge_kw": discharge, "stored_kwh": stored})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the tank."""
    size = capacity(values, conditions, "capacity", "kwh")
    charge, charge_rows = size.ceiling(Variable("charge_kw"), values["rate_per_hour"])
    discharge, discharge_rows = size.ceiling(Variable("discharge_kw"), values["rate_per_hour"])
    stored, ceiling = size.ceiling(Variable("stored_kwh", unit="kWh"))
    balance = store_of(values, conditions.grid.step_hours).row(
        "stored_kwh", "charge_kw", "discharge_kw", conditions.before("stored_kwh")
    )
    carrier = values.text("carrier")
    return AssetBlock(
        "thermal_storage",
        (*size.variables, charge, discharge, stored),
        (balance, *charge_rows, *discharge_rows, *ceiling),
        (Flow(carrier, "charge_kw", -1.0), Flow(carrier, "discharge_kw")),
        sizes=size.sizes,
    )


ASSET = Asset(
    id="thermal_storage",
    title=Text("蓄热(冷)罐", "thermal store"),
    actions=("charge_kw", "discharge_kw"),
    states=("stored_kwh",),
    size="capacity_kwh",
    start=lambda values: {"stored_kwh": values["initial_fraction"] * values["capacity_kwh"]},
    step=step,
    block=block,
    reference="Duffie & Beckman, Solar Engineering of Thermal Processes, 4th ed., ch. 8 (fully mixed tank); "
    "IEA ETSAP Technology Brief E17 (2013), sensible heat: efficiency 50-90 %",
    example=Example(
        text=Text("1000 kWh 热水罐静置 1 小时损失 1 %", "a 1000 kWh tank at rest loses 1 % in an hour"),
        given={"capacity_kwh": 1000.0, "carrier": "heat_high", "loss_fraction_per_hour": 0.01},
        state={"stored_kwh": 600.0},
        action={"charge_kw": 0.0, "discharge_kw": 0.0},
        expected={"stored_kwh": 594.0, "charge_kw": 0.0, "discharge_kw": 0.0},
        citation="by hand: 600 · 0.99",
    ),
)
