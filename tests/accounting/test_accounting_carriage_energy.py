"""Carriage by the energy it used: fuel, electrolytic hydrogen, hubs; each by its own figure, and in agreement with fuel booked at home."""

from __future__ import annotations

from datetime import date

import pytest

from zerofactory.accounting.source import Ask, sources
from zerofactory.errors import FaultyData
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope

GRID = 0.5737  # kgCO2/kWh, 上海 2023, 公告2025年第47号


def ask(item: str, unit: str, detail: dict[str, str | float]) -> Ask:
    where = Scope("CN-上海", date(2025, 6, 1), date(2026, 1, 15), fuel_sets=("CN-T1",))
    return Ask(factor_book(), where, item, unit, detail)


def kilograms(question: Ask, kind: str = "upstream_transport") -> dict[str, float]:
    found: dict[str, float] = {}
    for flow in sources()[kind].flows(question):
        found[flow.gas] = found.get(flow.gas, 0.0) + flow.factor.value
    return found


@pytest.mark.parametrize(
    ("item", "fuel", "unit"), [("truck_diesel_by_fuel", "diesel", "L"), ("truck_lng_by_fuel", "lng", "kg")]
)
def test_a_carrier_s_fuel_emits_what_our_own_would(item: str, fuel: str, unit: str) -> None:
    carried = kilograms(ask(item, "vehicle·km", {"fuel_per_km": 0.34}))
    own = kilograms(ask(fuel, unit, {"use": "road"}), "mobile_combustion")
    assert carried == pytest.approx({gas: 0.34 * amount for gas, amount in own.items()})


def test_diesel_by_hand() -> None:
    """34 L/100 km at about 2.6 kg CO2 a litre: 0.88 kg a kilometre; the upstream adds about a quarter."""
    burnt = kilograms(ask("truck_diesel_by_fuel", "vehicle·km", {"fuel_per_km": 0.34}))
    whole = kilograms(ask("truck_diesel_by_fuel", "vehicle·km", {"fuel_per_km": 0.34, "well_to_wheel": "yes"}))
    assert burnt["CO2"] == pytest.approx(0.88, abs=0.02)
    assert whole["CO2"] == burnt["CO2"]
    assert whole["CO2e"] == pytest.approx(0.21, abs=0.01)


def test_hydrogen_is_electrolysis_on_the_grid() -> None:
    found = kilograms(ask("truck_hydrogen", "vehicle·km", {"fuel_per_km": 0.085, "kwh_per_kg": 54.0}))
    assert found == pytest.approx({"CO2": 0.085 * 54.0 * GRID})


def test_a_hub_is_its_electricity() -> None:
    assert kilograms(ask("hub_handling", "t", {"kwh_per_t": 2.5})) == pytest.approx({"CO2": 2.5 * GRID})


@pytest.mark.parametrize(
    ("item", "unit", "detail"),
    [
        ("truck_diesel_by_fuel", "t·km", {"fuel_per_km": 0.34}),
        ("truck_diesel_by_fuel", "vehicle·km", {}),
        ("truck_hydrogen", "vehicle·km", {"fuel_per_km": 0.085}),
        ("truck_hydrogen", "vehicle·km", {"fuel_per_km": 0.085, "kwh_per_kg": 20.0}),
        ("hub_handling", "vehicle·km", {"kwh_per_t": 2.5}),
    ],
)
def test_what_is_missing_or_cannot_be_is_a_fault(item: str, unit: str, detail: dict[str, str | float]) -> None:
    with pytest.raises(FaultyData):
        kilograms(ask(item, unit, detail))
