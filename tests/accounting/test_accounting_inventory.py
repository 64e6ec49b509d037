"""Inventory: one set of records, three standards, two regimes, seven views."""

from __future__ import annotations

from typing import Any, get_args

import polars as pl
import pytest

from zerofactory.accounting.inventory import By, fold, names_of
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import Misuse
from zerofactory.factors.load import factor_book
from zerofactory.standards.load import standard

ISO, GHGP, CN = standard("iso_14064_1_2018"), standard("ghg_protocol_corporate"), standard("cn_machinery_2015")
KINDS = {
    "gas": "stationary_combustion", "fork": "mobile_combustion", "grid": "purchased_electricity", "cold": "refrigerant_leakage",
    "weld": "weld_shielding_gas", "bio": "stationary_combustion", "out": "exported_electricity", "heat": "purchased_heat",
    "make": "equipment_making_leakage", "dry": "dry_ice",
}  # fmt: skip


@pytest.fixture
def records(plant_with: Any, activity: Any, frame: Any, known: Any) -> pl.DataFrame:
    activities = frame(
        activity(1, "gas", "stationary_combustion", 10.0, "万Nm3", item="natural_gas", shop="paint"),
        activity(2, "fork", "mobile_combustion", 1.0, "t", item="diesel", detail={"use": "offroad"}, shop="body"),
        activity(3, "grid", "purchased_electricity", 1000.0, "MWh", shop="body"),
        activity(4, "cold", "refrigerant_leakage", 10.0, "kg", item="R401A", detail={"method": "service"}),
        activity(5, "weld", "weld_shielding_gas", 2.0, "t", item="co2", shop="body"),
        activity(6, "bio", "stationary_combustion", 3.0, "t", item="wood", tier="estimated", estimated_fraction=1.0),
        activity(7, "out", "exported_electricity", 100.0, "MWh"),
        activity(8, "heat", "purchased_heat", 500.0, "GJ", item="heat", period="2025-07"),
        activity(9, "make", "equipment_making_leakage", 100.0, "fill", item="SF6"),
        activity(10, "dry", "dry_ice", 1.0, "t", item="dry_ice"),
    )
    plant = plant_with(KINDS, 'fuel_sets = ["CN-T1", "IPCC-2006"]')
    made = quantify(activities, plant, factor_book(), known_at=known)
    assert made.problems == ()
    return made.records


def grams(records: pl.DataFrame, source: str, gas: str | None = None) -> int:
    chosen = records.filter(pl.col("source_id") == source)
    chosen = chosen.filter(pl.col("gas") == gas) if gas else chosen
    return int(chosen["emissions_gco2e"].sum())


@pytest.mark.parametrize("by", get_args(By))
@pytest.mark.parametrize("book", [ISO, GHGP, CN], ids=lambda book: book.id)
def test_lines_add_up_to_the_total(records: pl.DataFrame, book: Any, by: By) -> None:
    for regime in book.regimes:
        inventory = fold(records, book, regime, by)
        assert sum(line.emissions_gco2e for line in inventory.lines) == inventory.total_gco2e
        assert sum(line.share_fraction for line in inventory.lines) == pytest.approx(1.0)
        assert sum(inventory.by_gas_gco2e.values()) == inventory.total_gco2e
        assert inventory.regimes_gco2e[regime] == inventory.total_gco2e
        assert all(line.title.zh and line.title.en for line in inventory.lines)


def test_nothing_is_lost(records: pl.DataFrame) -> None:
    for book in (ISO, GHGP):
        inventory = fold(records, book, "location", "category")
        seen = records.filter(pl.col("regime") != "market_annual")["emissions_gco2e"].sum()
        assert inventory.total_gco2e + sum(inventory.apart_gco2e.values()) == seen


def test_iso_total_uses_the_location_based_figure(records: pl.DataFrame) -> None:
    assert ISO.default_regime == "location"
    inventory = fold(records, ISO, ISO.default_regime, "category")
    lines = {line.key: line.emissions_gco2e for line in inventory.lines}
    assert lines["2.1"] == 573_700_000
    assert inventory.regimes_gco2e["market_annual"] - inventory.regimes_gco2e["location"] == 609_600_000 - 573_700_000


def test_china_counts_co2_of_fuel_welding_making_and_net_energy_only(records: pl.DataFrame) -> None:
    inventory = fold(records, CN, "location", "category")
    lines = {line.key: line.emissions_gco2e for line in inventory.lines}
    fuel = grams(records, "gas", "CO2") + grams(records, "fork", "CO2")
    assert lines == {
        "fuel": fuel,
        "process_welding": 2_000_000,
        "process_equipment": grams(records, "make"),
        "electricity": 573_700_000 - 57_370_000,
        "heat": 55_000_000,
    }


def test_exported_energy_stands_apart_and_is_not_deducted(records: pl.DataFrame) -> None:
    inventory = fold(records, ISO, "location", "scope")
    assert inventory.apart_gco2e["exported"] == 57_370_000
    assert {line.key for line in inventory.lines} == {"1", "2"}


def test_titles_are_the_plants(records: pl.DataFrame, plant_with: Any) -> None:
    names = names_of(plant_with(KINDS))
    assert {line.title.zh for line in fold(records, ISO, "location", "shop", names).lines} == {"涂装车间", "焊装车间"}
    assert "源gas" in {line.title.zh for line in fold(records, ISO, "location", "source", names).lines}
    assert {line.title.zh for line in fold(records, ISO, "location", "class").lines} <= set("人机料法环")


def test_period_months_and_estimated_share(records: pl.DataFrame) -> None:
    inventory = fold(records, ISO, "location", "month")
    assert inventory.period == "2025-06–2025-07"
    assert [line.key for line in inventory.lines] == ["2025-06", "2025-07"]
    counted = grams(records, "bio", "CH4") + grams(records, "bio", "N2O")
    assert inventory.estimated_fraction == pytest.approx(counted / inventory.total_gco2e)
    assert 0 < inventory.uncertainty_fraction < 0.2


def test_misuse_is_refused(records: pl.DataFrame) -> None:
    with pytest.raises(Misuse):
        fold(records, CN, "market_annual", "shop")
    mixed = pl.concat([records, records.with_columns(gwp_set=pl.lit("AR5"))])
    with pytest.raises(Misuse):
        fold(mixed, ISO, "location", "shop")


def test_an_empty_book_folds_to_zero(records: pl.DataFrame) -> None:
    inventory = fold(records.clear(), ISO, "location", "shop", period="2025")
    assert (inventory.total_gco2e, inventory.lines, inventory.period) == (0, (), "2025")
