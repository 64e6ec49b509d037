"""Shielding gas of welding (CO2 气体保护焊): the CO2 in the gas is emitted.

E = Σ P(CO2) × W / Σ(P × M) × M(CO2), with volume fractions P, molar masses M and gas mass W = opening + purchased −
closing − sold (机械设备制造企业温室气体排放核算方法与报告指南(试行), CO2气体保护焊; standards 3.3). Fractions are by
volume, so they are turned into mass first; dropping the molar mass of CO2 is trap 4. Pure CO2 gives E = W.
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number, fault
from zerofactory.accounting.terms import derived, per_unit
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

PARTS = {"CO2": "co2_fraction", "Ar": "ar_fraction", "O2": "o2_fraction", "He": "he_fraction", "N2": "n2_fraction"}
TOLERANCE = 1e-6
MOLAR_VOLUME_M3_PER_KMOL = 8.314462618 * 273.15 / 101.325


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the shielding gas."""
    fractions = _fractions(ask)
    if units.parse(ask.unit).dimension == "normal_volume":
        share, method = _mass_per_volume(ask, fractions), "P × M / 22.414"
    else:
        share, method = _mass_fraction(ask, fractions), "P × M / Σ(P × M)"
    return (Flow("CO2", per_unit([share], "CO2", ask.unit), method),)


def _fractions(ask: Ask) -> dict[str, float]:
    """Return the volume fraction of each part; they are stated for a mixture and must add up to one."""
    if ask.item == "co2":
        return {"CO2": 1.0}
    given = {gas: ask.number(name, 0.0, 1.0) for gas, name in PARTS.items() if ask.has(name)}
    total = sum(given.values())
    if "CO2" not in given or abs(total - 1.0) > TOLERANCE:
        raise FaultyData(
            [
                fault(
                    "fractions_do_not_add_up",
                    Text(
                        f"混合气体积分数之和为 {total:g}, 应为 1。", f"Volume fractions add up to {total:g}, not to 1."
                    ),
                    Text(
                        "请按气体合格证填写各组分(含 co2_fraction)。",
                        "Fill in every part from the gas certificate, CO2 included.",
                    ),
                    column="co2_fraction",
                )
            ]
        )
    return given


def _mass_fraction(ask: Ask, fractions: dict[str, float]) -> Found:
    """Return kg CO2 per kg of gas.

    Examples
    --------
    80 % argon, 20 % CO2 by volume: 0.2 × 44.01 / (0.2 × 44.01 + 0.8 × 39.95) = 0.2159 kg/kg

    >>> round(0.2 * 44.01 / (0.2 * 44.01 + 0.8 * 39.95), 4)
    0.2159
    """
    masses = {gas: find(ask.book, "molar_mass", ask.scope, item=gas).factor for gas in fractions}
    total = sum(fraction * masses[gas].value for gas, fraction in fractions.items())
    value = fractions["CO2"] * masses["CO2"].value / total
    mixture = "+".join(f"{fraction:g}{gas}" for gas, fraction in fractions.items())
    title = Text(f"混合气 {mixture} 的CO2质量分数", f"mass fraction of CO2 in {mixture}")
    return derived(f"weld.mass_fraction({mixture})", value, "kg/kg", title, tuple(masses.values()))


def _mass_per_volume(ask: Ask, fractions: dict[str, float]) -> Found:
    """Return kg CO2 per Nm3 of gas: P × M / 22.414 (ideal gas at 0 °C and 101.325 kPa)."""
    mass = find(ask.book, "molar_mass", ask.scope, item="CO2").factor
    value = fractions["CO2"] * mass.value / MOLAR_VOLUME_M3_PER_KMOL
    title = Text("每标方混合气的CO2质量", "mass of CO2 per Nm3 of gas")
    return derived(f"weld.mass_per_volume({fractions['CO2']:g}CO2)", value, "kg/Nm3", title, (mass,))


SOURCE = Source(
    id="weld_shielding_gas",
    title=Text("焊接保护气", "shielding gas of welding"),
    scope=1,
    categories=categories("1.3", "s1.process", "process_welding"),
    class_4m1e="material",
    units=("mass", "normal_volume"),
    items=("co2", "mixed_gas"),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    details=tuple(
        detail_number(name, Text(f"{gas}体积分数", f"volume fraction of {gas}"), "fraction", 1.0)
        for gas, name in PARTS.items()
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.gas_turbine", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行), CO2气体保护焊: E = Σ[P×W/Σ(P×M)×44]",
    example=Example(
        text=Text("混合气(CO2 20 %, Ar 80 %)1 t", "1 t of mixed gas (20 % CO2, 80 % argon by volume)"),
        item="mixed_gas",
        quantity=1.0,
        unit="t",
        detail={"co2_fraction": 0.2, "ar_fraction": 0.8},
        expected_kg={"CO2": 1000 * 0.2 * 44.01 / (0.2 * 44.01 + 0.8 * 39.95)},
        citation="机械设备制造企业指南公式; M(CO2) 44.01, M(Ar) 39.95 g/mol",
    ),
    note=Text("现场配气的, 二氧化碳按纯气(co2)登记。", "Where gas is mixed on site, book the CO2 as pure gas (co2)."),
)
