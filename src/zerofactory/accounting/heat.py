"""Heat: how steam and hot water in tonnes become gigajoules, and gigajoules CO2.

Hot water: AD = m[t] × (T − 20) × 4.1868 / 1000. Steam: AD = m[t] × (h − 83.74) / 1000, h in kJ/kg at the absolute pressure
(gauge + 0.1 MPa) (机械设备制造企业温室气体排放核算方法与报告指南(试行), 净购入热力; standards 3.6).
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.source import Ask, Flow, detail_number, detail_text, fault
from zerofactory.accounting.terms import derived, per_unit
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.model import Factor, Found
from zerofactory.factors.resolve import find, steam_enthalpy

WATER_KJ_PER_KG_K = 4.1868
FEED_CELSIUS = 20.0
STATES = ("saturated", "superheated")
SUPPLIER = Text("供方热力因子", "factor of the heat supplier")
ENTHALPY = Text("蒸汽焓", "enthalpy of the steam")
TEMPERATURE = Text("热水或过热蒸汽温度", "temperature of hot water or superheated steam")
DETAILS = (
    detail_number("supplier_factor", SUPPLIER, "tCO2/GJ"),
    detail_text("steam_state", "蒸汽状态", "state of the steam", STATES),
    detail_number(
        "pressure_mpa", Text("蒸汽绝对压力(表压+0.1)", "absolute pressure of the steam (gauge + 0.1)"), "MPa", 25.0
    ),
    detail_number("enthalpy_kj_per_kg", ENTHALPY, "kJ/kg", 4000.0),
    detail_number("temperature_celsius", TEMPERATURE, "degC", 600.0),
)


def heat_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return CO2 in kg per activity unit of heat (an energy, or a mass of steam or hot water)."""
    factor, certain = _factor(ask)
    if units.parse(ask.unit).dimension == "energy":
        resolution = per_unit([factor], "CO2", ask.unit)
    else:
        resolution = per_unit([heat_content(ask), factor], "CO2", ask.unit)
    return (Flow("CO2", resolution, "AD × EF", uncertainty=certain),)


def _factor(ask: Ask) -> tuple[Found, str | None]:
    if ask.has("supplier_factor"):
        return ask.stated("supplier_factor", "tCO2/GJ", SUPPLIER), None
    if ask.item == "cooling":
        raise FaultyData(
            [
                fault(
                    "no_default_for_cooling",
                    Text("外购冷量没有缺省因子。", "There is no default factor for purchased cooling."),
                    Text(
                        "请填写供方因子 supplier_factor (tCO2/GJ)。",
                        "State the supplier's factor, supplier_factor (tCO2/GJ).",
                    ),
                    column="supplier_factor",
                )
            ]
        )
    return find(ask.book, "heat.default", ask.scope, item="heat"), "ef.heat.default"


def heat_content(ask: Ask) -> Found:
    """Return GJ per tonne of steam or hot water.

    Examples
    --------
    Saturated steam at 0.8 MPa: (2768.3 − 83.74) / 1000 = 2.6846 GJ/t

    >>> round((2768.3 - 83.74) / 1000, 4)
    2.6846
    """
    if ask.item == "hot_water":
        celsius = ask.number("temperature_celsius", FEED_CELSIUS, 200.0)
        value = (celsius - FEED_CELSIUS) * WATER_KJ_PER_KG_K / 1000
        title = Text(f"{celsius:g} ℃ 热水的热量", f"heat of hot water at {celsius:g} °C")
        return derived(f"heat.hot_water({celsius:g})", value, "GJ/t", title, ())
    if ask.item == "steam":
        return _steam(ask)
    raise FaultyData(
        [
            fault(
                "unit_of_item",
                Text(
                    f"“{ask.item}”不能用质量单位“{ask.unit}”。",
                    f"'{ask.item}' cannot take the unit of mass '{ask.unit}'.",
                ),
                Text("请用 GJ、MWh 等热量单位。", "Use a unit of heat such as GJ or MWh."),
                column="unit",
            )
        ]
    )


def _steam(ask: Ask) -> Found:
    feed = find(ask.book, "steam.reference", ask.scope, item="water_20_celsius").factor
    if ask.has("enthalpy_kj_per_kg"):
        given = ask.stated("enthalpy_kj_per_kg", "kJ/kg", ENTHALPY, feed.value, 4000.0).factor
        enthalpy, name = given.value, given.id
        rows: tuple[Factor, ...] = (given,)
    else:
        superheated = ask.choice("steam_state", STATES) == "superheated"
        pressure = ask.number("pressure_mpa")
        celsius = ask.number("temperature_celsius") if superheated else None
        enthalpy, rows = steam_enthalpy(ask.book, pressure, celsius)
        name = f"{pressure:g}MPa" + (f",{celsius:g}C" if celsius is not None else ",saturated")
    title = Text("蒸汽热量(焓差)", "heat of the steam (difference of enthalpy)")
    return derived(f"heat.steam({name})", (enthalpy - feed.value) / 1000, "GJ/t", title, (*rows, feed))
