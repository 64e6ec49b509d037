"""Published figures of the value chain: steel by route, freight and travel of the United Kingdom, spend of the United States, CBAM."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from zerofactory.accounting.cbam import specific_embedded
from zerofactory.accounting.source import Ask, sources
from zerofactory.accounting.upstream import fuel_upstream
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope

Detail = Mapping[str, str | float]


def kilograms(kind: str, item: str, unit: str, detail: Detail | None = None, region: str = "GB") -> float:
    where = Scope(region, date(2025, 6, 1), date(2026, 1, 15))
    return sum(flow.factor.value for flow in sources()[kind].flows(Ask(factor_book(), where, item, unit, detail or {})))


@pytest.mark.parametrize(("route", "tonnes"), [("bf_bof", 2.33), ("eaf", 0.68), ("dri_eaf", 1.37)])
def test_steel_by_route_of_worldsteel(route: str, tonnes: float) -> None:
    """worldsteel Sustainability Indicators 2022: tCO2 per tonne of crude steel cast."""
    assert kilograms("purchased_goods", "steel", "t", {"route": route}, "CN-上海") / 1000 == pytest.approx(tonnes)


def test_worldsteel_lies_around_the_band_of_the_starting_document() -> None:
    """The starting document gives 0.5 (scrap EAF) to 2.1 (BF-BOF) tCO2/t at 596 g/kWh."""
    low, high = (factor_book().factor(name).value for name in ("deck.steel.eaf", "deck.steel.bf_bof"))
    assert (low, high) == (0.5, 2.1)
    eaf = kilograms("purchased_goods", "steel", "t", {"route": "eaf"}, "CN-上海") / 1000
    blast = kilograms("purchased_goods", "steel", "t", {"route": "bf_bof"}, "CN-上海") / 1000
    assert eaf == pytest.approx(low, rel=0.4)
    assert blast == pytest.approx(high, rel=0.12)


FREIGHT = [
    ("truck_average_uk", "t·km", 0.10163),
    ("truck_articulated_uk", "t·km", 0.07703),
    ("truck_rigid_uk", "t·km", 0.17146),
    ("van_diesel", "vehicle·km", 0.25561),
    ("rail_uk", "t·km", 0.02779),
    ("ship_container", "t·km", 0.01612),
    ("ship_car_carrier", "t·km", 0.03852),
    ("ship_bulk", "t·km", 0.00353),
    ("air_long_haul_with_rf", "t·km", 0.89939),
    ("air_long_haul_without_rf", "t·km", 0.5313),
]


@pytest.mark.parametrize(("item", "unit", "printed"), FREIGHT, ids=[row[0] for row in FREIGHT])
def test_freight_of_the_united_kingdom(item: str, unit: str, printed: float) -> None:
    """UK Government conversion factors 2025, freighting goods: 20 t over 150 km, 3 000 t·km."""
    if unit == "t·km":
        got = 20 * kilograms("upstream_transport", item, "t", {"distance_km": 150.0})
        assert got == pytest.approx(3000 * printed, rel=1e-12)
    assert kilograms("downstream_transport", item, unit) == pytest.approx(printed, rel=1e-12)


@pytest.mark.parametrize(
    ("item", "detail", "printed"),
    [
        ("rail_uk", {}, 0.03546),
        ("coach", {}, 0.02776),
        ("flight_domestic", {"radiative_forcing": "with"}, 0.22928),
        ("flight_domestic", {"radiative_forcing": "without"}, 0.13552),
        ("flight_short_economy", {"radiative_forcing": "with"}, 0.12576),
        ("flight_short_business", {"radiative_forcing": "without"}, 0.11152),
        ("flight_international", {"radiative_forcing": "with"}, 0.14253),
    ],
)  # fmt: skip
def test_travel_of_the_united_kingdom(item: str, detail: Detail, printed: float) -> None:
    """UK Government conversion factors 2025, business travel, kgCO2e per passenger·km."""
    assert kilograms("business_travel", item, "person·km", detail) == pytest.approx(printed, rel=1e-12)


def test_transport_of_the_chinese_building_standard() -> None:
    """GB/T 51366-2019 Appendix E: 18 t diesel truck 0.129, 30 t 0.078, rail average 0.010 kgCO2e/(t·km)."""
    for item, printed in (("truck_diesel_18t", 0.129), ("truck_diesel_30t", 0.078), ("rail", 0.010)):
        assert kilograms("upstream_transport", item, "t·km", None, "CN-上海") == pytest.approx(printed)


def test_an_electric_van_is_rebased_from_british_to_chinese_power() -> None:
    """The British row embeds 0.177 kgCO2e/kWh; ours is kWh/km × the plant's grid, so it must be several times as much."""
    british = factor_book().factor("uk25.van.average_up_to_3.5_tonnes.battery_electric_vehicle.km").value
    per_kwh = {"kwh_per_km": british / 0.177}
    assert kilograms("upstream_transport", "van_electric", "vehicle·km", per_kwh, "CN-上海") == pytest.approx(
        british * 0.5737 / 0.177
    )


@pytest.mark.parametrize(
    ("item", "unit", "printed", "tolerance"),
    [
        ("natural_gas", "t", 329.35093, None),
        ("gasoline", "L", 0.59732, 0.03),
        ("diesel", "L", 0.62611, 0.03),
        ("gasoline", "t", 813.54729, 0.04),
        ("diesel", "t", 746.95319, 0.01),
        ("natural_gas", "Nm3", 0.26299, 0.10),
    ],
)  # fmt: skip
def test_well_to_tank_per_litre_and_tonne(item: str, unit: str, printed: float, tolerance: float | None) -> None:
    """UK conversion factors 2020 print well-to-tank per net kWh, litre and tonne; ours per kWh × the Chinese calorific value.

    They differ by the calorific values of the two countries: diesel and petrol within 4 %, gas within 10 % (0 °C against 15 °C).
    """
    if tolerance is None:
        assert factor_book().factor("uk20.wtt.natural_gas").value == 0.02649
        return
    got = fuel_upstream(factor_book(), Scope("CN-上海", date(2025, 6, 1)), item, unit).value
    assert got == pytest.approx(printed, rel=tolerance)


@pytest.mark.parametrize(
    ("item", "printed"),
    [("seats_and_trim", 0.333), ("other_vehicle_parts", 0.265), ("engine_parts", 0.259), ("steel", 0.787)],
)
def test_spend_of_the_united_states(item: str, printed: float) -> None:
    """US EPA Supply Chain GHG Emission Factors v1.3.0, with margins, kgCO2e per US dollar of 2022."""
    assert kilograms("purchased_goods", item, "USD") == pytest.approx(printed, rel=1e-12)


def test_cbam_example_of_a_course() -> None:
    """academy.emitwise.com (understanding embedded emissions): 100 t of steel with 200 tCO2e → 2 tCO2e/t."""
    assert specific_embedded(200.0, 0.0, 100.0).total_tco2e_per_t == 2.0
