"""The ten traps that produce wrong totals: one test each."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import Ask, sources
from zerofactory.errors import FaultyData
from zerofactory.factors.load import factor_book
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope, find
from zerofactory.standards.load import standard

ISO = standard("iso_14064_1_2018")


def ask(item: str | None, unit: str, detail: dict[str, str | float] | None = None, **scope: Any) -> Ask:
    where = Scope(region="CN-上海", on=date(2025, 6, 1), known_at=date(2026, 1, 15), **scope)
    return Ask(factor_book(), where, item, unit, detail or {})


def kilograms(kind: str, question: Ask) -> dict[str, float]:
    return {flow.gas: flow.factor.value for flow in sources()[kind].flows(question)}


def test_1_natural_gas_is_per_ten_thousand_normal_cubic_metres() -> None:
    per_10k = kilograms("stationary_combustion", ask("natural_gas", "万Nm3"))["CO2"]
    per_one = kilograms("stationary_combustion", ask("natural_gas", "Nm3"))["CO2"]
    assert per_10k == pytest.approx(21_622, rel=1e-4)
    assert per_10k / per_one == pytest.approx(10_000)
    assert kilograms("stationary_combustion", ask("diesel", "t"))["CO2"] == pytest.approx(3095.91, rel=1e-5)


def test_2_tonnes_of_carbon_per_terajoule_against_gigajoules() -> None:
    diesel = kilograms("stationary_combustion", ask("diesel", "t"))["CO2"]
    assert diesel / 1000 == pytest.approx(42.652 * 20.2 * 0.98 * 44 / 12 / 1000)
    assert 2.5 < diesel / 1000 < 3.5


def test_3_forty_four_twelfths_exactly() -> None:
    (flow, *_) = sources()["stationary_combustion"].flows(ask("gasoline", "t"))
    assert flow.factor.value == pytest.approx(43.07 * 18.9 * 0.98 * (44 / 12), rel=1e-14)
    assert flow.factor.value != pytest.approx(43.07 * 18.9 * 0.98 * 3.664, rel=1e-5)


def test_4_welding_gas_volume_to_mass_and_the_forty_four() -> None:
    pure = kilograms("weld_shielding_gas", ask("co2", "kg"))["CO2"]
    assert pure == pytest.approx(1.0, rel=1e-14)
    mixed = kilograms("weld_shielding_gas", ask("mixed_gas", "kg", {"co2_fraction": 0.2, "ar_fraction": 0.8}))["CO2"]
    assert mixed == pytest.approx(0.2 * 44.01 / (0.2 * 44.01 + 0.8 * 39.95), rel=1e-12)
    assert mixed != pytest.approx(0.2, rel=0.05), "volume fractions are not mass fractions"
    with pytest.raises(FaultyData):
        kilograms("weld_shielding_gas", ask("mixed_gas", "kg", {"co2_fraction": 0.2, "ar_fraction": 0.7}))


def test_5_footprint_factors_never_enter_an_inventory() -> None:
    per_kwh = kilograms("purchased_electricity", ask("electricity", "kWh"))["CO2"]
    per_mwh = kilograms("purchased_electricity", ask("electricity", "MWh"))["CO2"]
    assert per_mwh == pytest.approx(1000 * per_kwh)
    for wrong in ("cn.elfp.nat.2023", "cn.elfp.nat.2024"):
        with pytest.raises(Unresolved):
            kilograms("purchased_electricity", ask("electricity", "kWh", pins={"grid.average": (wrong, "try")}))


def test_6_ets_notice_factors_are_not_statistical_averages() -> None:
    nation = {"grid_level": "nation"}
    for year, average in ((2021, 0.5568), (2022, 0.5366)):
        scope = Scope("CN-上海", date(year, 6, 1), None, **nation)  # type: ignore[arg-type]
        assert find(factor_book(), "grid.average", scope, item="electricity").factor.value == average
    with pytest.raises(Unresolved):
        kilograms(
            "purchased_electricity", ask("electricity", "kWh", pins={"grid.average": ("cn.grid.ets.2022rep", "try")})
        )


def test_7_equivalent_and_equal_value_are_not_mixed(plant_with: Any, activity: Any, frame: Any) -> None:
    plant = plant_with({"grid": "purchased_electricity"})
    activities = frame(activity(1, "grid", "purchased_electricity", 1000.0, "MWh"))
    plain = energy_consumption(activities, plant, factor_book())
    assert (plain.total_tce, plain.equal_value_tce) == (pytest.approx(122.9), None)
    both = energy_consumption(activities, plant, factor_book(), coal_rate_kgce_per_kwh=0.3)
    assert (both.total_tce, both.equal_value_tce) == (pytest.approx(122.9), pytest.approx(300.0))


def test_8_hcfc_and_cfc_stay_out_of_the_total(plant_with: Any, activity: Any, frame: Any) -> None:
    plant = plant_with({"cold": "refrigerant_leakage"})
    activities = frame(
        activity(1, "cold", "refrigerant_leakage", 10.0, "kg", item="HCFC-22", detail={"method": "service"}),
        activity(2, "cold", "refrigerant_leakage", 10.0, "kg", item="R401A", detail={"method": "service"}),
    )
    inventory = fold(quantify(activities, plant, factor_book()).records, ISO, "location", "gas")
    assert [line.key for line in inventory.lines] == ["HFC-152a"]
    assert inventory.total_gco2e == round(1.3 * 164 * 1000)
    assert inventory.apart_gco2e["non_kyoto"] == round((10 + 5.3) * 1960 * 1000) + round(3.4 * 597 * 1000)


def test_9_biogenic_co2_apart_its_methane_and_nitrous_oxide_counted(plant_with: Any, activity: Any, frame: Any) -> None:
    plant = plant_with({"bio": "stationary_combustion"}, 'fuel_sets = ["CN-T1", "IPCC-2006"]')
    for item in ("biogas", "biodiesel", "wood"):
        activities = frame(activity(1, "bio", "stationary_combustion", 1.0, "t", item=item))
        records = quantify(activities, plant, factor_book()).records
        inventory = fold(records, ISO, "location", "gas")
        assert {line.key for line in inventory.lines} == {"CH4", "N2O"}
        carbon = records.filter(pl.col("gas") == "CO2")["emissions_gco2e"].sum()
        assert inventory.apart_gco2e["biogenic_co2"] == carbon > 0
        assert records.filter(pl.col("gas") == "CH4")["gwp"].to_list() == [27.0]


def test_10_certificates_never_change_the_location_based_figure(plant_with: Any, activity: Any, frame: Any) -> None:
    plant = plant_with({"grid": "purchased_electricity", "gec": "green_power_contract"})
    detail = {
        "instrument_kind": "gec", "vintage_year": 2025, "market": "CN", "beneficiary": "示例汽车有限公司", "retired": "yes",
        "sole_claim": "yes", "rate_attribute": "yes",
    }  # fmt: skip
    bought = [activity(i, "grid", "purchased_electricity", 1000.0 / i, "kWh") for i in range(1, 30)]
    bare = quantify(frame(*bought), plant, factor_book()).records
    for covered_kwh in (0.001, 1.0, 77.7, 1e9):
        contract = activity(99, "gec", "green_power_contract", covered_kwh, "kWh", detail=detail)
        records = quantify(frame(*bought, contract), plant, factor_book()).records
        assert fold(records, ISO, "location", "source").total_gco2e == fold(bare, ISO, "location", "source").total_gco2e
        assert (
            fold(records, ISO, "market_annual", "source").total_gco2e
            <= fold(bare, ISO, "market_annual", "source").total_gco2e
        )
