"""Sources with several methods: each method by its own figure, and nothing guessed when the method is not stated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from zerofactory.accounting.source import Ask, sources
from zerofactory.errors import FaultyData
from zerofactory.factors.load import factor_book
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope

Detail = Mapping[str, str | float]


def ask(item: str | None, unit: str, detail: Detail | None = None) -> Ask:
    where = Scope("CN-上海", date(2025, 6, 1), date(2026, 1, 15), fuel_sets=("CN-T1", "IPCC-2006"))
    return Ask(factor_book(), where, item, unit, detail or {})


def kilograms(kind: str, question: Ask) -> dict[str, float]:
    return {flow.gas + ("|bio" if flow.biogenic else ""): flow.factor.value for flow in sources()[kind].flows(question)}


@pytest.mark.parametrize(
    ("kind", "item", "unit", "detail", "expected"),
    [
        ("refrigerant_leakage", "HFC-134a", "t", {"method": "mass_balance"}, {"HFC-134a": 1000.0}),
        ("refrigerant_leakage", "R404A", "kg", {"method": "screening", "equipment": "chiller", "years": 1.0},
         {"HFC-125": 0.085 * 0.44, "HFC-143a": 0.085 * 0.52, "HFC-134a": 0.085 * 0.04}),
        ("refrigerant_leakage", "HFC-32", "kg", {"method": "screening", "equipment": "air_conditioning", "years": 0.5},
         {"HFC-32": 0.015}),
        ("vehicle_ac_first_fill", "HFC-134a", "kg", {"method": "balance"}, {"HFC-134a": 1.0}),
        ("vehicle_ac_first_fill", "HFO-1234yf", "fill", {"method": "fills"}, {"HFO-1234yf": 0.342 * 114.04 / 1000}),
        ("vehicle_ac_first_fill", "HFC-134a", "kg", {"method": "rate"}, {"HFC-134a": 0.0035}),
        ("fire_suppressant", "HFC-227ea", "kg",
         {"method": "screening", "equipment": "fixed_fire_suppression", "years": 1.0}, {"HFC-227ea": 0.025}),
        ("sf6_switchgear", "SF6", "kg", {"method": "refill"}, {"SF6": 1.0}),
        ("sf6_switchgear", "SF6", "kg",
         {"method": "nameplate", "equipment": "switchgear_hv_closed", "years": 1.0}, {"SF6": 0.026}),
        ("magnesium_cover_gas", "SF6", "kg", {"method": "consumption"}, {"SF6": 1.0}),
        ("voc_oxidation", None, "kg", {}, {"CO2": 0.75 * 44 / 12}),
        ("weld_shielding_gas", "co2", "Nm3", {}, {"CO2": 44.01 / 22.41396954}),
        ("wastewater", "nitrogen", "kg N", {}, {"N2O": 0.005 * 44 / 28}),
        ("wastewater", "cod", "kg COD", {"treatment": "anaerobic_reactor", "recovered_fraction": 0.9},
         {"CH4": 0.25 * 0.8 * 0.1}),
        ("wastewater", "cod", "kg COD", {"treatment": "aerobic_well_managed"}, {"CH4": 0.0}),
        ("waste_incineration", "industrial_sludge", "t",
         {"dry_matter_fraction": 0.4, "carbon_fraction": 0.5, "fossil_fraction": 0.25},
         {"CO2": 50 * 44 / 12, "CO2|bio": 150 * 44 / 12, "N2O": 0.45}),
        ("waste_incineration", "hazardous_waste", "t", {}, {"CO2": 2000.0, "N2O": 0.1}),
        ("measured_emission", "CO2", "t", {"origin": "biogenic"}, {"CO2|bio": 1000.0}),
        ("measured_emission", "N2O", "kg", {}, {"N2O": 1.0}),
        ("purchased_heat", "steam", "t", {"enthalpy_kj_per_kg": 2783.74}, {"CO2": 2.7 * 110}),
        ("purchased_heat", "steam", "t", {"steam_state": "superheated", "pressure_mpa": 1.0, "temperature_celsius": 250.0},
         {"CO2": (2943.2 - 83.74) / 1000 * 110}),
        ("purchased_heat", "heat", "MWh", {}, {"CO2": 3.6 * 110}),
        ("purchased_heat", "cooling", "GJ", {"supplier_factor": 0.04}, {"CO2": 40.0}),
        ("on_site_renewable", "electricity", "kWh", {"certificates_sold": "no"}, {}),
    ],
)  # fmt: skip
def test_method(kind: str, item: str | None, unit: str, detail: Detail, expected: dict[str, float]) -> None:
    assert kilograms(kind, ask(item, unit, detail)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "item", "unit", "detail", "column"),
    [
        ("refrigerant_leakage", "R410A", "kg", {}, "method"),
        ("refrigerant_leakage", "R410A", "kg", {"method": "screening", "years": 1.0}, "equipment"),
        ("refrigerant_leakage", "R410A", "kg", {"method": "screening", "equipment": "chiller"}, "years"),
        ("vehicle_ac_first_fill", "HFC-134a", "kg", {"method": "fills"}, "unit"),
        ("vehicle_ac_first_fill", "HFC-134a", "fill", {"method": "rate"}, "unit"),
        ("sf6_switchgear", "SF6", "kg", {"method": "nameplate", "years": 1.0}, "equipment"),
        ("magnesium_cover_gas", "HFC-134a", "t", {"method": "casting"}, "item"),
        ("mobile_combustion", "diesel", "t", {}, "use"),
        ("wastewater", "cod", "kg N", {}, "unit"),
        ("wastewater", "cod", "kg COD", {}, "treatment"),
        ("carbonate_use", "caco3", "t", {}, "purity"),
        ("carbonate_use", "caco3", "t", {"purity": 98.0}, "purity"),
        ("waste_incineration", "waste_oil", "t", {"carbon_fraction": 0.8}, "dry_matter_fraction"),
        ("waste_incineration", "waste_plastic", "t", {}, "carbon_fraction"),
        ("measured_emission", "CO2", "t", {}, "origin"),
        ("purchased_heat", "cooling", "GJ", {}, "supplier_factor"),
        ("purchased_heat", "steam", "t", {}, "steam_state"),
        ("purchased_heat", "heat", "t", {}, "unit"),
        ("on_site_renewable", "electricity", "kWh", {}, "certificates_sold"),
    ],
)
def test_what_is_not_stated_is_asked_for(kind: str, item: str, unit: str, detail: Detail, column: str) -> None:
    with pytest.raises(FaultyData) as caught:
        kilograms(kind, ask(item, unit, detail))
    (problem,) = caught.value.problems
    assert problem.column == column
    assert problem.message.zh
    assert problem.hint.en


def test_road_petrol_names_its_technology() -> None:
    """IPCC 2006 Vol. 2 Table 3.2.2 has three technologies; the one taken is named by its id and can be pinned."""
    methane = next(
        flow
        for flow in sources()["mobile_combustion"].flows(ask("gasoline", "t", {"use": "road"}))
        if flow.gas == "CH4"
    )
    assert "road.oxidaton_catalyst" in methane.factor.id or "road.low_mileage" in methane.factor.id
    assert methane.factor.reason.zh


def test_off_road_lpg_has_no_factor_and_says_so() -> None:
    with pytest.raises(Unresolved):
        kilograms("mobile_combustion", ask("lpg", "t", {"use": "offroad"}))
