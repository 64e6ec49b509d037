"""Scope 3 sources: each method by its own figure, the method on the record, and every fault told in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from zerofactory.accounting.plan import faults_of
from zerofactory.accounting.source import Ask, Flow, sources
from zerofactory.errors import FaultyData
from zerofactory.factors.load import factor_book, read_set
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope

Detail = Mapping[str, str | float]
PCF: Detail = {
    "supplier_pcf": 1.9,
    "supplier_pcf_unit": "kgCO2e/kg",
    "supplier_pcf_boundary": "cradle_to_gate",
    "supplier_pcf_valid_from": "2025-01-01",
    "supplier_pcf_valid_to": "2025-12-31",
    "supplier_pcf_primary_share": 0.7,
}


def ask(
    item: str | None, unit: str, detail: Detail | None = None, region: str = "CN-上海", closing: bool = False
) -> Ask:
    where = Scope(region, date(2025, 6, 1), date(2026, 1, 15), closing=closing)
    return Ask(factor_book(), where, item, unit, detail or {})


def flows(kind: str, question: Ask) -> tuple[Flow, ...]:
    assert faults_of(sources()[kind], question) == []
    return sources()[kind].flows(question)


def kilograms(kind: str, question: Ask) -> float:
    return sum(flow.factor.value for flow in flows(kind, question))


@pytest.mark.parametrize(
    ("kind", "item", "unit", "detail", "expected", "method"),
    [
        ("purchased_goods", "steel", "t", {"route": "bf_bof"}, 2330.0, "mass × average factor"),
        ("purchased_goods", "steel", "t", {"route": "dri_eaf"}, 1370.0, "mass × average factor"),
        ("purchased_goods", "steel", "t", {"route": "eaf"}, 680.0, "mass × average factor"),
        ("purchased_goods", "steel", "t", {"route": "bf_bof", "recycled_fraction": 0.25}, 0.75 * 2330 + 0.25 * 680,
         "mass × average factor, r × EF_rec + (1 − r) × EF_prim"),
        ("purchased_goods", "aluminium", "kg", {"route": "grid_power", "recycled_fraction": 0.3}, 0.7 * 15.5 + 0.3 * 0.7,
         "mass × average factor, r × EF_rec + (1 − r) × EF_prim"),
        ("purchased_goods", "aluminium", "kg", {"route": "hydropower", "recycled_fraction": 1.0}, 0.7,
         "mass × average factor, r × EF_rec + (1 − r) × EF_prim"),
        ("purchased_goods", "cast_iron", "kg", {}, 1.82, "mass × average factor"),
        ("purchased_goods", "steel", "t", PCF, 1900.0, "supplier PCF × quantity"),
        ("purchased_goods", "seats_and_trim", "USD", {}, 0.333, "spend × EEIO factor"),
        ("purchased_goods", "steel", "万元", {"cny_per_usd": 7.2}, 10_000 / 7.2 * 0.787, "spend × EEIO factor"),
        ("purchased_goods", "steel", "CNY", {"cny_per_usd": 8.0, "price_ratio": 0.5}, 0.5 / 8.0 * 0.787,
         "spend × EEIO factor"),
        ("purchased_battery_cells", "nmc", "kWh", {"pack": "no"}, 75.0, "kWh × EF_cell"),
        ("capital_goods", "steel_structure", "t", {}, 2330.0, "mass × average factor"),
        ("upstream_transport", "rail", "t·km", {}, 0.010, "t × km × EF (tank to wheel)"),
        ("upstream_transport", "truck_electric_18t", "vehicle·km", {}, 0.8 * 0.5737, "vehicle·km × kWh/km × grid"),
        ("upstream_transport", "truck_diesel_2t", "万元", {"cny_per_usd": 7.0}, 10_000 / 7 * 0.595, "spend × EEIO factor"),
        ("business_travel", "rail_high_speed", "person·km", {}, 0.035, "person·km × EF"),
        ("commuting", "metro", "person", {"km_per_day": 30.0, "days": 20.0}, 30 * 20 * 0.05, "person·km × EF"),
        ("commuting", "car_electric", "person·km", {"persons_per_car": 2.0}, 0.5 * 0.14 * 0.5737,
         "vehicle·km × kWh/km × grid"),
        ("waste_by_route", "hazardous_waste", "t", {"disposal": "incineration"}, 2000.0, "mass × EF of the route"),
        ("leased_assets", "heat", "GJ", {}, 110.0, "AD × EF"),
        ("leased_out_assets", "electricity", "kWh", {}, 0.5737, "kWh × grid"),
    ],
)  # fmt: skip
def test_method(kind: str, item: str, unit: str, detail: Detail, expected: float, method: str) -> None:
    made = flows(kind, ask(item, unit, detail))
    assert sum(flow.factor.value for flow in made) == pytest.approx(expected, rel=1e-9)
    assert {flow.method for flow in made} == {method}


@pytest.mark.parametrize(
    ("kind", "item", "unit", "detail", "expected"),
    [
        ("upstream_transport", "truck_articulated_uk", "t·km", {}, 0.07703),
        ("upstream_transport", "truck_articulated_uk", "t·km", {"well_to_wheel": "yes"}, 0.07703 + 0.01799),
        ("downstream_transport", "ship_car_carrier", "t", {"distance_km": 1000.0}, 38.52),
        ("upstream_transport", "van_diesel", "vehicle·km", {}, 0.25561),
        ("business_travel", "flight_international_business", "person·km", {"radiative_forcing": "without"}, 0.18701),
        ("business_travel", "hotel_china", "night", {}, 53.5),
        ("commuting", "home_working", "h", {}, 0.33378),
        ("waste_by_route", "waste_water", "m3", {"disposal": "sewer"}, 0.17088),
        ("purchased_goods", "tyres", "t", {}, 3335.5719),
    ],
)  # fmt: skip
def test_british_rows_in_britain(kind: str, item: str, unit: str, detail: Detail, expected: float) -> None:
    assert kilograms(kind, ask(item, unit, detail, "GB")) == pytest.approx(expected, rel=1e-9)


def test_the_supplier_comes_before_the_average_and_says_so() -> None:
    (flow,) = flows("purchased_goods", ask("steel", "t", {**PCF, "route": "bf_bof"}))
    assert flow.factor.value == pytest.approx(1900.0)
    assert "70 %" in flow.factor.reason.zh
    assert "2025-12-31" in flow.factor.reason.en


def test_steel_shows_the_band_of_the_starting_document() -> None:
    (flow,) = flows("purchased_goods", ask("steel", "t", {"route": "eaf"}))
    assert "0.5" in flow.factor.reason.zh
    assert "2.1" in flow.factor.reason.zh
    assert "596" in flow.factor.reason.en


def test_spend_says_when_prices_are_not_corrected() -> None:
    (plain,) = flows("purchased_goods", ask("steel", "USD"))
    (corrected,) = flows("purchased_goods", ask("steel", "USD", {"price_ratio": 0.9}))
    assert "not brought" in plain.factor.reason.en
    assert "not brought" not in corrected.factor.reason.en
    assert plain.factor.low_confidence


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"supplier_pcf_unit": "kgCO2e/kWh"}, "supplier_pcf_unit"),
        ({"supplier_pcf_unit": "kWh/kg"}, "supplier_pcf_unit"),
        ({"supplier_pcf_unit": "apples"}, "supplier_pcf_unit"),
        ({"supplier_pcf_unit": ""}, "supplier_pcf_unit"),
        ({"supplier_pcf_boundary": "gate_to_gate"}, "supplier_pcf_boundary"),
        ({"supplier_pcf_boundary": "cradle_to_grave"}, "supplier_pcf_boundary"),
        ({"supplier_pcf_boundary": ""}, "supplier_pcf_boundary"),
        ({"supplier_pcf_valid_to": "2025-05-31"}, "supplier_pcf_expired"),
        ({"supplier_pcf_valid_from": "2025-07-01"}, "supplier_pcf_period"),
        ({"supplier_pcf_valid_from": "1 January"}, "supplier_pcf_period"),
        ({"supplier_pcf_valid_to": ""}, "supplier_pcf_period"),
        ({"supplier_pcf_valid_to": "2024-12-31"}, "supplier_pcf_period"),
    ],
)  # fmt: skip
def test_a_faulty_supplier_footprint_is_refused(change: Detail, code: str) -> None:
    with pytest.raises(FaultyData) as caught:
        sources()["purchased_goods"].flows(ask("steel", "t", {**PCF, **change}))
    assert [problem.code for problem in caught.value.problems] == [f"accounting.{code}"]
    for problem in caught.value.problems:
        assert problem.message.zh
        assert problem.hint.en


def test_every_fault_of_a_supplier_footprint_is_told_at_once() -> None:
    wrong = {**PCF, "supplier_pcf_unit": "kg", "supplier_pcf_boundary": "", "supplier_pcf_valid_to": "2020-01-01"}
    with pytest.raises(FaultyData) as caught:
        sources()["purchased_battery_cells"].flows(ask("lfp", "kWh", wrong))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("kind", "item", "unit", "detail", "column"),
    [
        ("purchased_goods", "steel", "t", {}, "route"),
        ("purchased_goods", "steel", "t", {"route": "charcoal"}, "route"),
        ("purchased_goods", "cast_iron", "t", {"route": "eaf"}, "route"),
        ("purchased_goods", "cast_iron", "t", {"recycled_fraction": 0.5}, "recycled_fraction"),
        ("purchased_goods", "aluminium", "t", {"route": "world", "recycled_fraction": 1.5}, "recycled_fraction"),
        ("purchased_goods", "steel", "CNY", {}, "cny_per_usd"),
        ("purchased_goods", "steel", "CNY", {"cny_per_usd": 0.0}, "cny_per_usd"),
        ("purchased_goods", "brake_systems", "t", {}, "unit"),
        ("purchased_goods", "packaging_wood", "CNY", {"cny_per_usd": 7.0}, "unit"),
        ("purchased_battery_cells", "lfp", "kWh", {}, "pack"),
        ("upstream_transport", "rail", "t", {}, "distance_km"),
        ("upstream_transport", "rail", "t", {"distance_km": -5.0}, "distance_km"),
        ("upstream_transport", "rail", "vehicle·km", {}, "unit"),
        ("upstream_transport", "truck_electric_49t", "t·km", {}, "unit"),
        ("upstream_transport", "rail", "t·km", {"well_to_wheel": "yes"}, "well_to_wheel"),
        ("business_travel", "flight_domestic", "person·km", {}, "radiative_forcing"),
        ("business_travel", "hotel_china", "person·km", {}, "unit"),
        ("commuting", "metro", "person", {"days": 20.0}, "km_per_day"),
        ("commuting", "car_electric", "person·km", {"persons_per_car": 0.5}, "persons_per_car"),
        ("waste_by_route", "plastics", "t", {}, "disposal"),
        ("waste_by_route", "plastics", "t", {"disposal": "sewer"}, "disposal"),
        ("waste_by_route", "hazardous_waste", "m3", {"disposal": "incineration"}, "unit"),
        ("use_of_sold_vehicles", "battery_electric", "vehicle", {"lifetime_km": 2e5, "well_to_wheel": "no"}, "kwh_per_100km"),
        ("use_of_sold_vehicles", "petrol", "vehicle", {"lifetime_km": 2e5, "well_to_wheel": "no"}, "litres_per_100km"),
        ("use_of_sold_vehicles", "plug_in_hybrid", "vehicle", {"lifetime_km": 2e5, "well_to_wheel": "no"},
         "electric_share_fraction"),
        ("end_of_life_vehicles", "vehicle", "vehicle", {"residue_fraction": 0.2}, "mass_kg_per_unit"),
    ],
)  # fmt: skip
def test_what_is_not_stated_is_asked_for(kind: str, item: str, unit: str, detail: Detail, column: str) -> None:
    with pytest.raises(FaultyData) as caught:
        sources()[kind].flows(ask(item, unit, detail))
    assert caught.value.problems[0].column == column
    assert caught.value.problems[0].message.zh
    assert caught.value.problems[0].hint.en


def test_a_recalled_average_must_be_accepted_before_closing() -> None:
    with pytest.raises(Unresolved) as caught:
        sources()["purchased_goods"].flows(ask("electronics", "kg", closing=True))
    assert caught.value.problem.code == "factors.low_confidence"
    assert "expert.electronics" in caught.value.choices


def test_a_foreign_factor_is_never_borrowed_in_silence() -> None:
    with pytest.raises(Unresolved) as caught:
        sources()["purchased_goods"].flows(ask("tyres", "t"))
    assert caught.value.problem.code == "factors.no_place"


def test_an_expired_factor_is_refused() -> None:
    header = "id,role,item,name_zh,name_en,value,unit,gas,region,valid_from,valid_to,published_on,best_before,source,"
    header += "source_ref,provenance,confidence,note,low,high\n"
    row = "own.truck,transport.road_freight,hgv_all_hgvs_average_laden_tkm,自有,own,0.09,kgCO2e/t·km,CO2e,CN-上海,2020-01-01,"
    own, problems = read_set(header + row + "2024-12-31,,,carrier,,verified,high,,,\n", "own")
    assert own is not None, problems
    where = Scope("CN-上海", date(2025, 6, 1), date(2026, 1, 15))
    with pytest.raises(Unresolved) as caught:
        sources()["upstream_transport"].flows(Ask(factor_book((own,)), where, "truck_average_uk", "t·km"))
    assert caught.value.problem.code == "factors.no_time"


def test_use_of_sold_vehicles_by_hand() -> None:
    """One petrol car, 150 000 km at 6 L/100 km: 9 000 L; one electric car whose grid falls 5 % a year over two years."""
    petrol = {"lifetime_km": 150_000.0, "litres_per_100km": 6.0, "well_to_wheel": "no"}
    by_gas = {f.gas: f.factor.value for f in flows("use_of_sold_vehicles", ask("petrol", "vehicle", petrol))}
    per_litre = 0.745 / 1000 * 43.070 * 18.9 * 0.98 * 44 / 12
    assert by_gas["CO2"] == pytest.approx(9000 * per_litre, rel=1e-3)
    assert 0 < by_gas["CH4"] < 10
    assert 0 < by_gas["N2O"] < 10
    electric = {
        "lifetime_km": 100_000.0, "kwh_per_100km": 15.0, "lifetime_years": 2.0, "grid_decline_fraction": 0.05,
        "well_to_wheel": "no",
    }  # fmt: skip
    got = kilograms("use_of_sold_vehicles", ask("battery_electric", "vehicle", electric))
    assert got == pytest.approx(15_000 * 0.5306 * 0.975, rel=1e-12)
    both = petrol | electric | {"lifetime_km": 100_000.0, "electric_share_fraction": 0.4}
    hybrid = flows("use_of_sold_vehicles", ask("plug_in_hybrid", "vehicle", both))
    assert hybrid[-1].factor.value == pytest.approx(0.4 * got, rel=1e-12)
    assert hybrid[0].factor.value == pytest.approx(0.6 * by_gas["CO2"] / 1.5, rel=1e-12)


def test_the_upstream_of_fuel_is_added_when_asked_for() -> None:
    petrol = {"lifetime_km": 150_000.0, "litres_per_100km": 6.0, "well_to_wheel": "yes"}
    tank = flows("use_of_sold_vehicles", ask("petrol", "vehicle", petrol))[-1]
    assert tank.gas == "CO2e"
    assert tank.factor.value == pytest.approx(9000 * 0.745 * 43.070 / 3.6 * 0.06552, rel=1e-3)


def test_sold_abroad_means_the_grid_abroad() -> None:
    detail = {
        "lifetime_km": 100_000.0, "kwh_per_100km": 15.0, "lifetime_years": 10.0, "grid_decline_fraction": 0.0,
        "well_to_wheel": "no", "use_region": "GB",
    }  # fmt: skip
    assert kilograms("use_of_sold_vehicles", ask("battery_electric", "vehicle", detail)) == pytest.approx(
        15_000 * 0.177
    )


def test_upstream_of_fuels_power_and_heat() -> None:
    gas = kilograms("fuel_and_energy_upstream", ask("natural_gas", "万Nm3"))
    assert gas == pytest.approx(389.31 / 3.6 * 1000 * 0.02649, rel=1e-9)
    assert kilograms("fuel_and_energy_upstream", ask("natural_gas", "m3")) == pytest.approx(gas / 10_000, rel=1e-9)
    heat = flows("fuel_and_energy_upstream", ask("heat", "GJ"))
    assert [flow.factor.value for flow in heat] == pytest.approx([0.02595 / 0.0036, 110 * 0.05 / 0.95])
    question = ask("electricity", "kWh")
    pins = {"grid.upstream:electricity": ("uk.wtt_gen.2025", "stand-in")}
    where = Scope("CN-上海", date(2025, 6, 1), date(2026, 1, 15), pins=pins)
    power = flows("fuel_and_energy_upstream", Ask(question.book, where, "electricity", "kWh"))
    assert [flow.factor.value for flow in power] == pytest.approx([0.0459, 0.5737 * 0.0454 / (1 - 0.0454)])
    assert "stand-in" in power[0].factor.reason.en
    british = flows("fuel_and_energy_upstream", ask("electricity", "kWh", region="GB"))
    assert [flow.factor.value for flow in british] == pytest.approx([0.0459, 0.01853])


def test_a_recycling_credit_is_the_difference_and_stands_apart() -> None:
    detail = {"route": "bf_bof", "recovered_fraction": 0.9}
    assert kilograms("recycling_credit", ask("steel", "t", detail)) == pytest.approx(0.9 * (2330 - 680))
    kind = sources()["recycling_credit"]
    assert kind.apart == "recycling_credit"
    assert not kind.categories
