"""What of the book a product carries: electricity re-based, upstream of electricity left out, air and biogenic parts told apart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from zerofactory.accounting.product_pools import pools_of
from zerofactory.accounting.record import RECORDS
from zerofactory.factors.load import factor_book
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope

SHANGHAI = Scope("CN-上海", date(2025, 3, 31), date(2026, 1, 15))
COUNTER = iter(range(10_000))


def record(kind: str, grams: int, **given: Any) -> dict[str, Any]:
    moment = datetime(2025, 3, 1, tzinfo=UTC)
    row = {
        "record_id": str(next(COUNTER)), "activity_id": "a", "source_id": kind, "source_kind": kind, "shop": "body",
        "period": "2025-03", "started_at": moment, "ended_at": moment, "quantity": 1.0, "unit": "kWh", "tier": "metered",
        "estimated_fraction": 0.0, "method": "", "regime": "any", "factor_id": "", "factor_value": 1.0, "factor_unit": "",
        "gas": "CO2", "biogenic": False, "kyoto": True, "gwp_set": "AR6", "gwp": 1.0, "emissions_gco2e": grams, "scope": 1,
        "uncertainty_fraction": 0.0, "reason": "",
    }  # fmt: skip
    return row | given


def pools(
    *records: dict[str, Any], activities: list[dict[str, Any]] | None = None, scope: Scope = SHANGHAI
) -> dict[str, int]:
    empty = pl.DataFrame(schema=RECORDS.polars_schema())
    on_site = RECORDS.frame(activities) if activities else empty
    made = pools_of(RECORDS.frame(list(records)) if records else empty, on_site, factor_book(), scope)
    assert made.total_gco2e == sum(pool.emissions_gco2e for pool in made.pools)
    return {pool.key: pool.emissions_gco2e for pool in made.pools}


def test_purchased_electricity_is_counted_again() -> None:
    """2 MWh × 0.5777 kgCO2e/kWh = 1 155.4 kg in place of the 1 147.4 kg of the inventory; the market view is left aside."""
    found = pools(
        record("purchased_electricity", 1_147_400, quantity=2.0, unit="MWh", regime="location"),
        record("purchased_electricity", 0, quantity=2.0, unit="MWh", regime="market_annual"),
    )
    assert found == {"manufacturing|purchased_electricity|fossil": 1_155_400}


def test_electricity_made_on_site_has_the_factor_of_its_kind() -> None:
    found = pools(activities=[record("on_site_renewable", 0, quantity=1000.0)])
    assert found == {"manufacturing|on_site_renewable|fossil": 54_500}


def test_upstream_of_electricity_is_inside_the_factor() -> None:
    found = pools(
        record("fuel_and_energy_upstream", 5, item="electricity", scope=3),
        record("fuel_and_energy_upstream", 7, item="natural_gas", scope=3),
    )
    assert found == {"manufacturing|fuel_and_energy_upstream|fossil": 7}


def test_components_are_told_apart() -> None:
    found = pools(
        record("upstream_transport", 11, item="air_international_without_rf", scope=3),
        record("upstream_transport", 13, item="rail", scope=3),
        record("wastewater", 17, gas="CH4"),
        record("stationary_combustion", 19, biogenic=True),
        record("refrigerant_leakage", 23, gas="HCFC-22", kyoto=False),
    )
    assert found == {
        "raw_materials|upstream_transport|aviation": 11,
        "raw_materials|upstream_transport|fossil": 13,
        "manufacturing|wastewater|biogenic_other": 17,
        "manufacturing|stationary_combustion|biogenic_co2": 19,
        "manufacturing|refrigerant_leakage|fossil": 23,
    }


@pytest.mark.parametrize("kind", ["purchased_goods", "capital_goods", "commuting", "business_travel", "use_of_sold_vehicles", "exported_electricity", "tree_removal"])  # fmt: skip
def test_what_a_product_does_not_carry(kind: str) -> None:
    assert pools(record(kind, 100, scope=3)) == {}


def test_estimated_parts_are_no_primary_data() -> None:
    made = pools_of(
        RECORDS.frame([record("stationary_combustion", 100), record("stationary_combustion", 300, tier="estimated")]),
        pl.DataFrame(schema=RECORDS.polars_schema()), factor_book(), SHANGHAI,
    )  # fmt: skip
    assert list(made.estimated_fraction.values()) == [0.75]


def test_a_country_without_a_footprint_factor_is_a_question() -> None:
    abroad = Scope("GB", date(2025, 3, 31), date(2026, 1, 15))
    with pytest.raises(Unresolved) as caught:
        pools(record("purchased_electricity", 1, regime="location"), scope=abroad)
    assert "grid.footprint" in caught.value.problem.message.en


def test_the_factor_is_the_newest_known_on_the_day() -> None:
    early = Scope("CN-上海", date(2025, 3, 31), date(2025, 6, 1))
    found = pools(record("purchased_electricity", 1, quantity=1000.0, regime="location"), scope=early)
    assert list(found.values()) == [620_500]
