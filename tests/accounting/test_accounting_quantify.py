"""Quantify: grams, order, faults all together, recomputing."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.accounting.quantify import emissions, quantify
from zerofactory.accounting.recompute import recompute
from zerofactory.accounting.record import RECORDS
from zerofactory.errors import FaultyData
from zerofactory.factors.load import factor_book

KINDS = {
    "gas": "stationary_combustion", "fork": "mobile_combustion", "grid": "purchased_electricity", "cold": "refrigerant_leakage",
    "weld": "weld_shielding_gas", "voc": "voc_oxidation", "made": "production_output",
}  # fmt: skip


def some(activity: Any, frame: Any) -> pl.DataFrame:
    return frame(
        activity(1, "gas", "stationary_combustion", 12.5, "万Nm3", item="natural_gas"),
        activity(2, "fork", "mobile_combustion", 800.0, "L", item="diesel", detail={"use": "offroad"}),
        activity(3, "grid", "purchased_electricity", 1_234_567.891, "kWh", tier="metered"),
        activity(4, "cold", "refrigerant_leakage", 12.0, "kg", item="R410A", detail={"method": "service"}),
        activity(5, "made", "production_output", 25_000.0, "vehicle", item="vehicle"),
    )


def test_records_fit_their_table_and_recompute(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    plant, activities = plant_with(KINDS), some(activity, frame)
    made = quantify(activities, plant, factor_book(), closing=True, known_at=known)
    assert made.problems == ()
    assert RECORDS.check(made.records) == []
    assert made.records["record_id"].is_unique().all()
    assert recompute(made.records, activities, plant, factor_book(), known) == []
    assert made.records.filter(pl.col("source_id") == "made").is_empty()


def test_every_record_says_which_factor_and_why(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    made = quantify(some(activity, frame), plant_with(KINDS), factor_book(), known_at=known)
    for row in made.records.to_dicts():
        reason = json.loads(row["reason"])
        assert reason["zh"]
        assert reason["en"]
        resolution = made.resolutions[f"{row['factor_id']} [{row['factor_unit']}]"]
        assert resolution.value == row["factor_value"]
        assert row["uncertainty_fraction"] > 0


def test_figures_by_hand(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    made = quantify(some(activity, frame), plant_with(KINDS), factor_book(), known_at=known).records
    grams = {(row["source_id"], row["gas"], row["regime"]): row["emissions_gco2e"] for row in made.to_dicts()}
    assert grams["gas", "CO2", "any"] == round(12.5 * 389.31 * 15.3 * 0.99 * 44 / 12 * 1000)
    assert grams["gas", "CH4", "any"] == round(12.5 * 0.38931 * 29.8 * 1000)
    assert grams["fork", "CO2", "any"] == round(0.8 * 0.835 * 42.652 * 20.2 * 0.98 * 44 / 12 * 1000)
    assert grams["grid", "CO2", "location"] == round(1_234_567.891 * 573.7)
    assert grams["grid", "CO2", "market_annual"] == round(1_234_567.891 * 609.6)
    assert grams["cold", "HFC-32", "any"] == (6 * 771 * 1000)
    assert grams["cold", "HFC-125", "any"] == (6 * 3740 * 1000)


def test_half_a_gram_rounds_to_even() -> None:
    half = pl.DataFrame({"quantity": [0.5, 1.5, 2.5], "factor_value": [0.001] * 3, "gwp": [1.0] * 3})
    assert emissions(half).to_list() == [0, 2, 2]


def test_an_emission_beyond_whole_grams_is_refused_and_never_wraps() -> None:
    vast = pl.DataFrame({"source_id": ["sf6"], "quantity": [1e12], "factor_value": [1000.0], "gwp": [24300.0]})
    with pytest.raises(FaultyData) as caught:
        emissions(vast)
    assert [problem.code for problem in caught.value.problems] == ["accounting.too_large"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_matter(seed: int) -> None:
    activities, plant = _many()
    once = quantify(activities, plant, factor_book())
    again = quantify(activities.sample(fraction=1.0, shuffle=True, seed=seed), plant, factor_book())
    assert again.records.equals(once.records)
    assert again.problems == once.problems


def _many() -> tuple[pl.DataFrame, Any]:
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("plant_for_tests", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    row = module.make_activity
    contract = {
        "instrument_kind": "gec", "vintage_year": 2025, "market": "CN", "beneficiary": module.NAME, "retired": "yes",
        "sole_claim": "yes", "rate_attribute": "yes",
    }  # fmt: skip
    rows = [row(i, "grid", "purchased_electricity", 1000.0 + i / 7, "kWh") for i in range(1, 40)]
    rows += [row(i, "gas", "stationary_combustion", i / 3, "Nm3", item="natural_gas") for i in range(40, 80)]
    rows += [row(100, "gec", "green_power_contract", 20.0, "MWh", detail=contract)]
    return module.make_frame(*rows), module.make_plant({**KINDS, "gec": "green_power_contract"})


def test_all_faults_come_together(plant_with: Any, activity: Any, frame: Any) -> None:
    activities = frame(
        activity(1, "gas", "stationary_combustion", 1.0, "t", item="unobtainium"),
        activity(2, "gas", "stationary_combustion", 1.0, "kWp", item="natural_gas"),
        activity(3, "fork", "mobile_combustion", 1.0, "t", item="diesel"),
        activity(4, "cold", "refrigerant_leakage", 1.0, "kg", item="R410A", detail={"method": "guess"}),
        activity(5, "weld", "weld_shielding_gas", 1.0, "t", item="mixed_gas", detail={"co2_fraction": 0.2}),
        activity(6, "nobody", "stationary_combustion", 1.0, "t", item="diesel"),
        activity(7, "made", "perpetual_motion", 1.0, "t"),
        activity(8, "grid", "purchased_electricity", 1.0, "kg"),
        activity(9, "grid", "purchased_electricity", 1000.0, "kWh"),
    )
    made = quantify(activities, plant_with(KINDS), factor_book())
    assert len(made.problems) == 8
    for problem in made.problems:
        assert problem.message.zh
        assert problem.message.en
        assert problem.severity == "error"
    assert set(made.records["activity_id"]) == {f"{9:016x}"}


def test_a_repeated_activity_is_refused(plant_with: Any, activity: Any, frame: Any) -> None:
    row = activity(1, "grid", "purchased_electricity", 1.0, "kWh")
    made = quantify(frame(row, row), plant_with(KINDS), factor_book())
    assert [problem.code for problem in made.problems] == ["accounting.repeated_activity"]


def test_low_confidence_stops_a_closing_until_accepted(plant_with: Any, activity: Any, frame: Any) -> None:
    activities = frame(activity(1, "voc", "voc_oxidation", 1.0, "t"))
    plant = plant_with(KINDS)
    assert quantify(activities, plant, factor_book()).problems == ()
    refused = quantify(activities, plant, factor_book(), closing=True)
    assert [problem.code for problem in refused.problems] == ["factors.low_confidence"]
    accepting = plant_with(KINDS, '[[accounting.accept]]\nfactor = "expert.voc.carbon"\nreason = "溶剂表未齐"')
    made = quantify(activities, accepting, factor_book(), closing=True)
    assert made.problems == ()
    assert made.records["emissions_gco2e"].to_list() == [round(1000 * 0.75 * 44 / 12 * 1000)]


def test_gas_meter_temperature_is_a_visible_choice(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    activities = frame(activity(1, "gas", "stationary_combustion", 1000.0, "m3", item="natural_gas"))
    plain = quantify(activities, plant_with(KINDS), factor_book(), known_at=known).records
    warm = quantify(activities, plant_with(KINDS, "gas_meter_celsius = 20.0"), factor_book(), known_at=known).records
    assert plain["emissions_gco2e"][0] == round(0.1 * 389.31 * 15.3 * 0.99 * 44 / 12 * 1000)
    assert warm["emissions_gco2e"][0] / plain["emissions_gco2e"][0] == pytest.approx(273.15 / 293.15, rel=1e-6)
    assert "20 ℃" in json.loads(warm["reason"][0])["zh"]
    assert "m3 = Nm3" in json.loads(plain["reason"][0])["en"]


def test_uncertainty_is_root_sum_square(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    made = quantify(some(activity, frame), plant_with(KINDS), factor_book(), known_at=known).records
    gas = made.filter((pl.col("source_id") == "gas") & (pl.col("gas") == "CO2"))
    assert gas["uncertainty_fraction"][0] == pytest.approx((0.01**2 + 0.0392**2) ** 0.5)


def test_gwp_set_is_the_plants(plant_with: Any, activity: Any, frame: Any) -> None:
    activities = frame(
        activity(1, "cold", "refrigerant_leakage", 10.0, "kg", item="HFC-134a", detail={"method": "service"})
    )
    for gwp_set, expected in (("AR4", 1430), ("AR5", 1300), ("AR6", 1530)):
        made = quantify(activities, plant_with(KINDS, f'gwp_set = "{gwp_set}"'), factor_book()).records
        assert made["emissions_gco2e"].to_list() == [expected * 10_000]


def test_recompute_names_what_was_changed(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    plant, activities = plant_with(KINDS), some(activity, frame)
    records = quantify(activities, plant, factor_book(), known_at=known).records
    changed = records.with_columns(
        pl.when(pl.col("source_id") == "cold").then(pl.col("emissions_gco2e") + 1).otherwise(pl.col("emissions_gco2e"))
    )
    problems = recompute(changed, activities, plant, factor_book(), known)
    assert {problem.column for problem in problems} == {"emissions_gco2e"}
    assert len(problems) == 2
    assert len(recompute(records[1:], activities, plant, factor_book(), known)) == 1
    assert len(recompute(records, activities[1:], plant, factor_book(), known)) == 3


def test_a_reversal_undoes_its_record(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    plant, activities = plant_with(KINDS), some(activity, frame)
    records = quantify(activities, plant, factor_book(), known_at=known).records
    undone = records[:1].with_columns(
        reverses=pl.col("record_id"),
        record_id=pl.col("record_id") + ".reversal",
        emissions_gco2e=-pl.col("emissions_gco2e"),
    )
    assert recompute(pl.concat([records, undone]), activities, plant, factor_book(), known) == []
    wrong = undone.with_columns(emissions_gco2e=pl.col("emissions_gco2e") + 5)
    assert len(recompute(pl.concat([records, wrong]), activities, plant, factor_book(), known)) == 1


def test_a_misspelt_detail_is_refused_not_ignored(plant_with: Any, activity: Any, frame: Any) -> None:
    activities = frame(activity(1, "voc", "voc_oxidation", 1.0, "t", detail={"carbon_fracton": 0.9}))
    made = quantify(activities, plant_with(KINDS), factor_book())
    assert [problem.code for problem in made.problems] == ["accounting.unknown_detail"]


def test_an_instrument_cannot_be_claimed_by_hand(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    claimed = frame(activity(1, "grid", "purchased_electricity", 1.0, "MWh", detail={"instrument": "gec"}))
    made = quantify(claimed, plant_with(KINDS), factor_book(), known_at=known).records
    assert made.filter(pl.col("regime") == "market_annual")["emissions_gco2e"].to_list() == [609_600]


def test_no_activities_give_no_records(plant_with: Any, frame: Any) -> None:
    made = quantify(frame(), plant_with(KINDS), factor_book())
    assert RECORDS.check(made.records) == []
    assert (made.records.height, made.problems) == (0, ())
