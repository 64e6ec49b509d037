"""Combustion: the flows of a burnt fuel, for fixed equipment and for engines alike.

CO2 = FC × NCV × CC × OF × 44/12 (机械设备制造企业温室气体排放核算方法与报告指南(试行), 化石燃料燃烧; standards 3.1).
CH4, N2O = FC × NCV × EF (IPCC 2006 Vol. 2, eq. 2.1 and 3.2.1, Tables 2.3, 3.2.2, 3.3.1; standards 3.2).
CO2 of biofuels is biogenic and stands apart; their CH4 and N2O count (ISO 14064-1:2018, Annex D).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from zerofactory import units
from zerofactory.accounting.source import Ask, Flow
from zerofactory.accounting.terms import stated
from zerofactory.errors import Text
from zerofactory.factors.model import FuelUse, Origin, Resolution, Term
from zerofactory.factors.resolve import fuel_co2, fuel_gas

GASEOUS = (
    "natural_gas", "coke_oven_gas", "blast_furnace_gas", "oxygen_steel_furnace_gas", "other_gas", "calcium_carbide_gas",
    "gas_works_gas",
)  # fmt: skip
BIOGENIC = ("biogas", "landfill_gas", "biodiesel", "biogasoline", "other_liquid_biofuels", "wood", "charcoal")
UNCERTAINTY_OF_CO2 = {
    "natural_gas": "ef.co2.natural_gas",
    "gasoline": "ef.co2.motor_gasoline",
    "diesel": "ef.co2.gas_diesel",
    "lpg": "ef.co2.lpg",
    "fuel_oil": "ef.co2.residual_fuel_oil",
    "kerosene": "ef.co2.jet_kerosene",
    "anthracite": "ef.co2.anthracite",
    "bituminous": "ef.co2.bituminous",
    "lignite": "ef.co2.lignite",
    "coke": "ef.co2.coke",
    "coke_oven_gas": "ef.co2.coke_oven_gas",
    "blast_furnace_gas": "ef.co2.blast_furnace_gas",
}


def combustion_flows(ask: Ask, use: FuelUse) -> tuple[Flow, ...]:
    """Return CO2, CH4 and N2O of a burnt fuel in kg per activity unit.

    Raises
    ------
    Unresolved
        The factor sets have no value for this fuel, gas or use.
    """
    item = ask.item or ""
    biogenic = item in BIOGENIC
    origin: Origin = "biogenic" if biogenic else "fossil"
    small = "ef.ch4n2o.road" if use == "road" else "ef.ch4.stationary"
    nitrous = "ef.ch4n2o.road" if use == "road" else "ef.n2o.stationary"
    carbon = "IPCC NCV × EF" if biogenic else "NCV × CC × OF × 44/12"
    return (
        Flow(
            "CO2",
            per_metered(ask, lambda unit: fuel_co2(ask.book, ask.scope, item, unit)),
            carbon,
            biogenic=biogenic,
            uncertainty=UNCERTAINTY_OF_CO2.get(item, "ef.co2.fossil.generic"),
        ),
        Flow(
            "CH4",
            per_metered(ask, lambda unit: fuel_gas(ask.book, ask.scope, item, unit, "CH4", use)),
            "NCV × EF",
            origin=origin,
            uncertainty=small,
        ),
        Flow(
            "N2O",
            per_metered(ask, lambda unit: fuel_gas(ask.book, ask.scope, item, unit, "N2O", use)),
            "NCV × EF",
            uncertainty=nitrous,
        ),
    )


def per_metered(ask: Ask, resolve: Callable[[str], Resolution]) -> Resolution:
    """Return the factor per activity unit, with gas billed in m3 brought to 0 °C as the plant has chosen.

    Tables hold per Nm3 (0 °C) while bills are read at 20 °C: Nm3 = m3 × 273.15/293.15. Most reports ignore it, so the
    plant switches it on (``gas_meter_celsius``); either way the choice is a visible term of the factor (standards 3.1).
    """
    unit = units.parse(ask.unit)
    if unit.dimension != "volume" or ask.item not in GASEOUS:
        return resolve(unit.symbol)
    per_normal = resolve("Nm3")
    ratio = units.normal_volume_ratio(ask.gas_meter_celsius) * units.ratio(unit.symbol, "m3")
    title = Text(
        f"燃气计量温度 {ask.gas_meter_celsius:g} ℃ 折算"
        if ask.gas_meter_celsius
        else "燃气体积未作温度折算(m3 视同 Nm3)",
        f"gas metered at {ask.gas_meter_celsius:g} °C"
        if ask.gas_meter_celsius
        else "no temperature correction (m3 = Nm3)",
    )
    term = stated("normal_volume_ratio", ratio, f"Nm3/{unit.symbol}", title)
    gas = units.parse_factor_unit(per_normal.unit).gas or ""
    return replace(
        per_normal,
        id=f"{per_normal.id}*{term.factor.id}",
        value=per_normal.value * ratio,
        unit=f"kg{gas}/{unit.symbol}",
        terms=(*per_normal.terms, Term(term.factor)),
        reason=Text(f"{per_normal.reason.zh}{title.zh}。", f"{per_normal.reason.en} {title.en}."),
    )
