"""Compressed-air system: compressors at a specific energy, a receiver as store, leaks, heat of compression.

    made = power / specific energy                                              Nm3/h
    stored[t] = stored[t−1] + h · made − h · delivered,   0 ≤ stored ≤ V · Δp / p0 · T0 / T

What the receiver can give is the ideal gas between its two pressures (isothermal), counted in Nm3 (0 °C, 101.325 kPa).
Leaks run all the time. A share of the power may be taken back as low-temperature heat.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.asset import Asset, At, Conditions, Example, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Flow, Given, Variable
from zerofactory.assets.size import capacity
from zerofactory.assets.storage import Store
from zerofactory.errors import Problem, Text

NORMAL_PRESSURE_KPA = 101.325
ZERO_CELSIUS_KELVIN = 273.15


def receiver_nm3(volume_m3: float, band_kpa: float, air_celsius: float) -> float:
    """Return the normal volume a receiver gives between its two pressures.

    Examples
    --------
    >>> round(receiver_nm3(100.0, 101.325, 0.0), 6)
    100.0
    """
    return volume_m3 * band_kpa / NORMAL_PRESSURE_KPA * ZERO_CELSIUS_KELVIN / (ZERO_CELSIUS_KELVIN + air_celsius)


def usable_nm3(values: Values) -> float:
    """Return the contents of the receiver above its lowest pressure when full."""
    return receiver_nm3(
        values["receiver_m3"], values["pressure_maximum_kpa"] - values["pressure_minimum_kpa"], values["air_celsius"]
    )


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the system does: power cut to its size and to the room in the receiver, delivery to what is there."""
    specific = values["specific_kwh_per_nm3"]
    power = min(max(action["compressor_kw"], 0.0), values["power_kw"])
    stored, made, delivered = Store(1.0, at.hours, at.hours).advance(
        state["stored_nm3"], (power / specific, action["delivered_nm3_per_h"]), (0.0, usable_nm3(values))
    )
    return Stepped(
        {"stored_nm3": stored},
        {"compressor_kw": made * specific, "delivered_nm3_per_h": delivered, "stored_nm3": stored},
    )


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the system."""
    hours = conditions.grid.step_hours
    size = capacity(values, conditions, "power", "kw")
    power, rows = size.ceiling(Variable("compressor_kw"))
    delivered = Variable("delivered_nm3_per_h", unit="Nm3/h")
    stored = Variable("stored_nm3", upper=usable_nm3(values), unit="Nm3")
    store = Store(1.0, hours / values["specific_kwh_per_nm3"], hours)
    balance = store.row(stored.name, power.name, delivered.name, conditions.before(stored.name))
    flows = [Flow("electricity", power.name, -1.0), Flow("compressed_air", delivered.name)]
    if values["heat_recovery_fraction"] > 0:
        flows.append(Flow("heat_low", power.name, values["heat_recovery_fraction"]))
    leak = Given("compressed_air", -values["leak_nm3_per_h"])
    return AssetBlock(
        "compressed_air",
        (*size.variables, power, delivered, stored),
        (balance, *rows),
        tuple(flows),
        (leak,),
        size.sizes,
    )


def _check(values: Values) -> list[Problem]:
    if values["pressure_minimum_kpa"] <= values["pressure_maximum_kpa"]:
        return []
    message = Text("储气罐最低压力高于最高压力。", "The lowest pressure of the receiver is above the highest.")
    return [fault("air_pressures", message, Text("请改正压力。", "Mend the pressures."), "pressure_minimum_kpa")]


ASSET = Asset(
    id="compressed_air",
    title=Text("压缩空气系统", "compressed-air system"),
    actions=("compressor_kw", "delivered_nm3_per_h"),
    states=("stored_nm3",),
    size="power_kw",
    start=lambda values: {"stored_nm3": values["initial_fraction"] * usable_nm3(values)},
    step=step,
    block=block,
    check=_check,
    reference="ISO 1217:2009 (specific energy of compressors); GB 19153-2019 容积式空气压缩机能效; US DOE, Improving Compressed Air "
    "System Performance (2016), part 2 (receivers, leaks, heat recovery); ideal gas law",
    example=Example(
        text=Text("110 kW 压 1 小时, 比功率 0.11", "110 kW for an hour at 0.11 kWh/Nm3"),
        given={"power_kw": 500.0, "specific_kwh_per_nm3": 0.11, "receiver_m3": 1000.0, "pressure_minimum_kpa": 600.0,
               "pressure_maximum_kpa": 803.65, "air_celsius": 0.0},
        state={"stored_nm3": 500.0},
        action={"compressor_kw": 110.0, "delivered_nm3_per_h": 800.0},
        expected={"compressor_kw": 110.0, "delivered_nm3_per_h": 800.0, "stored_nm3": 700.0},
        citation="by hand: 110 / 0.11 = 1000 Nm3/h; 500 + 1000 − 800",
    ),
)  # fmt: skip
