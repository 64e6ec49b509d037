"""Products of factors: published fuel figures, units, gases, blends, steam."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from zerofactory.errors import Misuse, NotFound
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import (
    Scope,
    Unresolved,
    blend,
    blend_gwp,
    combine,
    find,
    fuel_co2,
    fuel_gas,
    gwp,
    is_kyoto,
    net_calorific_value,
    recompute,
    single,
    steam_enthalpy,
    uncertainty,
    unit_scale,
)

BOOK = factor_book()
PLANT = Scope("CN-上海", date(2025, 6, 30))
IPCC = replace(PLANT, fuel_sets=("IPCC-2006",))


def code_of(question) -> str:
    with pytest.raises(Unresolved) as caught:
        question()
    return caught.value.problem.code


@pytest.mark.parametrize(
    ("item", "unit", "tonnes"),
    [
        ("natural_gas", "万Nm3", 21.621888),  # trap 1: per 10^4 Nm3
        ("diesel", "t", 3.09591),
        ("gasoline", "t", 2.925056),
        ("lpg", "t", 3.10133),
        ("coke", "t", 2.861626),
        ("fuel_oil", "t", 3.170461),
    ],
)
def test_published_fuel_factors_of_the_2013_guidelines(item, unit, tonnes):
    resolution = fuel_co2(BOOK, PLANT, item, unit)
    assert round(resolution.value / 1000, 6) == tonnes
    assert resolution.unit == f"kgCO2/{unit}"
    assert recompute(resolution) == resolution.value


def test_natural_gas_to_the_printed_digit_and_in_the_stated_order():
    resolution = fuel_co2(BOOK, PLANT, "天然气", "万Nm3")
    assert f"{resolution.value / 1000:.3f}" == "21.622"
    assert resolution.id == "cn-t1.ng.ncv*cn-t1.ng.cc*cn-t1.ng.of"
    assert resolution.value == 44 / 12 * 389.31 * 15.3 * 0.99  # trap 2 (tC/TJ with GJ) and trap 3 (44/12, not 3.664)
    assert resolution.confidence == "high"
    assert not resolution.low_confidence


def test_one_fuel_in_many_units_is_one_figure():
    per_tonne = fuel_co2(BOOK, PLANT, "diesel", "t").value
    assert fuel_co2(BOOK, PLANT, "diesel", "kg").value == pytest.approx(per_tonne / 1000, rel=1e-15)
    assert fuel_co2(BOOK, PLANT, "diesel", "L").value == pytest.approx(per_tonne / 1000 * 0.835, rel=1e-15)
    assert fuel_co2(BOOK, PLANT, "natural_gas", "Nm3").value == pytest.approx(2.1621888, rel=1e-7)
    per_gj = fuel_co2(BOOK, PLANT, "natural_gas", "GJ")
    assert per_gj.value == pytest.approx(15.3 * 0.99 * 44 / 12)
    assert per_gj.id == "cn-t1.ng.cc*cn-t1.ng.of"
    assert fuel_co2(BOOK, PLANT, "natural_gas", "kWh").value == pytest.approx(per_gj.value * 0.0036)
    assert net_calorific_value(BOOK, PLANT, "natural_gas", "Nm3").value == pytest.approx(0.038931)


def test_ipcc_tables_take_the_co2_factor_per_heat():
    resolution = fuel_co2(BOOK, IPCC, "diesel", "t")
    assert resolution.id == "ipcc2006.diesel_oil.ncv*ipcc2006.diesel_oil.mfg.ef_co2"
    assert resolution.value == pytest.approx(43.0 * 74.1)
    gas = fuel_co2(BOOK, IPCC, "natural_gas", "Nm3")  # the density turns kg into Nm3
    assert gas.value == pytest.approx(48.0 * 56.1 * 0.7174 / 1000)


def test_the_first_table_that_has_the_fuel_is_used_whole():
    both = replace(PLANT, fuel_sets=("CN-T1", "IPCC-2006"))
    assert fuel_co2(BOOK, both, "wood", "t").id.startswith("ipcc2006.wood.ncv")
    families = {factor.set_id for factor in fuel_co2(BOOK, both, "diesel", "t").factors}
    assert families == {"cn_fuels_2013"}
    assert fuel_co2(BOOK, replace(PLANT, fuel_sets=("CN-T2", "CN-T1")), "diesel", "t").id.startswith("cn-t2.")


def test_a_supplier_calorific_value_may_be_pinned_into_the_product():
    pinned = replace(PLANT, pins={"fuel.ncv:bituminous": ("cn-t2.bituminous.ncv", "closest to our coal analysis")})
    resolution = fuel_co2(BOOK, pinned, "bituminous", "t")
    assert resolution.id == "cn-t2.bituminous.ncv*cn-t1.bituminous.cc*cn-t1.bituminous.of"
    assert "closest to our coal analysis" in resolution.reason.en


def test_doubtful_lng_is_flagged_and_every_term_named_at_closing():
    assert fuel_co2(BOOK, PLANT, "lng", "t").low_confidence
    with pytest.raises(Unresolved) as caught:
        fuel_co2(BOOK, replace(PLANT, closing=True), "lng", "t")
    assert caught.value.problem.code == "factors.low_confidence"
    assert caught.value.choices == ("cn-t1.lng.ncv", "cn-t1.lng.cc", "cn-t1.lng.of")
    accepted = replace(PLANT, closing=True, accepted=dict.fromkeys(caught.value.choices, "supplier analysis pending"))
    assert "supplier analysis pending" in fuel_co2(BOOK, accepted, "lng", "t").reason.en


def test_fuel_questions_that_need_a_decision():
    assert code_of(lambda: fuel_co2(BOOK, PLANT, "jet_kerosene", "t")) == "factors.no_set"
    assert code_of(lambda: fuel_co2(BOOK, PLANT, "natural_gas", "m3")) == "factors.metered_volume"
    assert code_of(lambda: fuel_co2(BOOK, IPCC, "natural_gas", "m3")) == "factors.metered_volume"
    assert code_of(lambda: fuel_co2(BOOK, PLANT, "lpg", "L")) == "factors.no_density"
    assert code_of(lambda: fuel_co2(BOOK, PLANT, "diesel", "km")) == "factors.wrong_unit"
    assert code_of(lambda: fuel_co2(BOOK, replace(PLANT, fuel_sets=("CN-T9", "CN-T1")), "diesel", "t")) == (
        "factors.unknown_table"
    )


@pytest.mark.parametrize(
    ("item", "unit", "gas", "use", "value"),
    [
        ("natural_gas", "万Nm3", "CH4", "stationary", 389.31e-3),
        ("natural_gas", "万Nm3", "N2O", "stationary", 389.31e-4),
        ("diesel", "t", "CH4", "road", 42.652 * 3.9e-3),
        ("diesel", "t", "N2O", "offroad", 42.652 * 28.6e-3),
        ("gasoline", "t", "CH4", "road", 43.07 * 3.8e-3),
        ("gasoline", "L", "N2O", "offroad", 43.07e-3 * 0.745 * 2e-3),
        ("diesel", "GJ", "CH4", "stationary", 3e-3),
    ],
)
def test_methane_and_nitrous_oxide_of_fuels(item, unit, gas, use, value):
    resolution = fuel_gas(BOOK, PLANT, item, unit, gas, use)
    assert resolution.value == pytest.approx(value)
    assert resolution.unit == f"kg{gas}/{unit}"
    assert recompute(resolution) == resolution.value


def test_lng_burns_as_natural_gas_for_its_trace_gases_and_says_so():
    resolution = fuel_gas(BOOK, PLANT, "lng", "t", "CH4", "stationary")
    assert resolution.value == pytest.approx(41.868e-3)
    assert "天然气" in resolution.reason.zh
    assert "natural gas" in resolution.reason.en


def test_an_off_road_factor_that_is_missing_offers_its_neighbours():
    with pytest.raises(Unresolved) as caught:
        fuel_gas(BOOK, PLANT, "lpg", "t", "CH4", "offroad")
    assert "ipcc2006.lpg.road.default.ch4" in caught.value.choices
    pinned = replace(PLANT, pins={"fuel.offroad_ch4:lpg": ("ipcc2006.lpg.road.default.ch4", "forklift engines")})
    assert fuel_gas(BOOK, pinned, "lpg", "t", "CH4", "offroad").value == pytest.approx(50.179 * 62e-3)


def test_fuel_gas_is_for_trace_gases_only():
    with pytest.raises(Misuse):
        fuel_gas(BOOK, PLANT, "diesel", "t", "CO2", "road")


# --- combine -----------------------------------------------------------------------------------------------------------


def test_units_decide_the_conversion_and_refuse_nonsense():
    heat = find(BOOK, "heat.default", PLANT)
    assert single(heat, "kgCO2/GJ").value == 110.0
    assert single(heat).value == 0.11
    assert combine([heat], "kgCO2/GJ", 1000.0).value == 110.0
    with pytest.raises(Misuse, match="dimensions"):
        combine([heat], "kgCO2/t")
    assert unit_scale([heat], "kgCO2/kWh") == pytest.approx(3.6)


def test_steam_brings_its_own_unit_in_the_constant():
    heat = find(BOOK, "heat.default", PLANT)
    enthalpy, rows = steam_enthalpy(BOOK, 1.0)
    resolution = combine([heat], "tCO2/t", (enthalpy - 83.74) / 1000, constant_unit="GJ/t")
    assert [row.id for row in rows] == ["steam.sat.1.0"]
    assert resolution.value == pytest.approx((2777.1 - 83.74) / 1000 * 0.11)


def test_a_divisor_divides():
    density = find(BOOK, "fuel.density", PLANT, "natural_gas")
    ncv = find(BOOK, "fuel.ncv", PLANT, "natural_gas")
    per_kg = combine([ncv, density.inverse()], "GJ/kg")
    assert per_kg.value == pytest.approx(0.038931 / 0.7174)
    assert per_kg.id == "cn-t1.ng.ncv/cn.density.natural_gas"
    assert recompute(per_kg) == per_kg.value


def test_trap_5_a_grid_factor_per_kwh_is_the_same_number_in_tonnes_per_mwh():
    grid = find(BOOK, "grid.average", PLANT)
    assert single(grid, "tCO2/MWh").value == pytest.approx(grid.factor.value)


# --- gases -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gas", "gwp_set", "origin", "value"),
    [
        ("CH4", "AR6", "fossil", 29.8),
        ("CH4", "AR6", "biogenic", 27.0),
        ("CH4", "AR6", None, 27.9),
        ("CH4", "AR5", "fossil", 28),
        ("CH4", "AR4", None, 25),
        ("CH4", "SAR", None, 21),
        ("N2O", "AR6", None, 273),
        ("SF6", "AR6", None, 25200),
        ("NF3", "AR5", None, 16100),
        ("R-1234yf", "AR6", None, 0.501),
        ("R-1234yf", "AR5", None, 1),
        ("CO2", "AR6", "biogenic", 1),
    ],
)
def test_warming_potentials(gas, gwp_set, origin, value):
    assert gwp(BOOK, gas, gwp_set, origin).value == value


def test_the_other_sf6_value_needs_a_pin():
    pins = {"gwp:SF6": ("gwp.sf6.ar6.alt", "as in the GHG Protocol sheet of August 2024")}
    assert gwp(BOOK, "SF6", "AR6", pins=pins).value == 24300
    assert gwp(BOOK, "SF6", "AR5", pins=pins).value == 23500
    assert code_of(lambda: gwp(BOOK, "SF6", "AR6", pins={"gwp:SF6": ("gwp.ch4.ar6", "x")})) == "factors.pin_unknown"


def test_a_report_without_the_gas_is_a_question():
    with pytest.raises(Unresolved) as caught:
        gwp(BOOK, "HFC-134", "AR4")
    assert set(caught.value.choices) == {"gwp.hfc-134.sar", "gwp.hfc-134.tar", "gwp.hfc-134.ar5", "gwp.hfc-134.ar6"}


def test_trap_8_ozone_gases_are_outside_the_kyoto_basket():
    assert not any(is_kyoto(BOOK, gas) for gas in ("R-22", "CFC-12", "HCFC-123", "HFO-1234yf", "R-290", "R-717"))
    assert all(is_kyoto(BOOK, gas) for gas in ("CO2", "CH4", "N2O", "SF6", "NF3", "CF4", "HFC-134a", "HFC-32"))
    assert code_of(lambda: is_kyoto(BOOK, "XYZ")) == "factors.no_gwp"


def test_blends_are_sums_of_their_gases():
    assert blend_gwp(BOOK, "R410A", "AR6") == 0.5 * 771 + 0.5 * 3740 == 2255.5
    assert blend_gwp(BOOK, "R-410A", "AR4") == 2087.5
    assert blend_gwp(BOOK, "R404A", "AR4") == pytest.approx(3921.6)
    assert [gas for gas, _ in blend(BOOK, "r407c")] == ["HFC-32", "HFC-125", "HFC-134a"]
    assert blend(BOOK, "R134a") == (("HFC-134a", None),)
    assert code_of(lambda: blend(BOOK, "R999")) == "factors.unknown_refrigerant"


def test_molar_masses_serve_the_shielding_gas_and_the_filling_loss():
    masses = {gas: find(BOOK, "molar_mass", PLANT, gas).factor.value for gas in ("CO2", "Ar", "O2", "He", "SF6")}
    assert masses == {"CO2": 44.01, "Ar": 39.95, "O2": 32.0, "He": 4.003, "SF6": 146.055}
    lost_mol = find(BOOK, "leak.filling", PLANT, "equipment_filling").factor.value
    assert lost_mol * masses["SF6"] == pytest.approx(50, abs=0.1)  # "about 50 g per fill"


def test_steam_is_read_between_rows_and_never_outside():
    assert steam_enthalpy(BOOK, 0.6, 180)[0] == 2806
    assert code_of(lambda: steam_enthalpy(BOOK, 0.05)) == "factors.outside_steam_table"
    assert code_of(lambda: steam_enthalpy(BOOK, 0.6, 300)) == "factors.outside_steam_table"


def test_uncertainty_is_a_fraction():
    assert uncertainty(BOOK, "ad.fuel.default") == 0.05
    assert uncertainty(BOOK, "ef.co2.natural_gas") == pytest.approx(0.0392)
    assert code_of(lambda: uncertainty(BOOK, "cn.grid.nat.2023")) == "factors.not_an_uncertainty"
    with pytest.raises(NotFound):
        uncertainty(BOOK, "ad.fuel.defalt")
