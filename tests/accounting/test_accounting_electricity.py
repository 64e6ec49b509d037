"""Electricity: which kWh a contract covers, which contract is not applied, and what that never changes."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.electricity import share_out, split_by_contract
from zerofactory.accounting.quantify import quantify
from zerofactory.factors.load import factor_book

KINDS = {
    "grid": "purchased_electricity",
    "gec": "green_power_contract",
    "pv": "on_site_renewable",
    "out": "exported_electricity",
}
GOOD = {
    "instrument_kind": "gec", "vintage_year": 2025, "market": "CN", "beneficiary": "示例汽车有限公司", "retired": "yes",
    "sole_claim": "yes", "rate_attribute": "yes", "serials": "GEC-1",
}  # fmt: skip


def total(records: pl.DataFrame, regime: str) -> int:
    return int(records.filter(pl.col("regime") == regime)["emissions_gco2e"].sum())


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_and_are_fair(amount: int, weights: list[int]) -> None:
    shares = share_out(amount, weights)
    if sum(weights) == 0:
        assert shares == [0] * len(weights)
        return
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - amount * weight / sum(weights)) <= 1


def test_a_contract_covers_pro_rata_and_location_stays(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    bought = [
        activity(1, "grid", "purchased_electricity", 100_000.001, "kWh", shop="paint"),
        activity(2, "grid", "purchased_electricity", 33_333.333, "kWh", shop="body"),
        activity(3, "grid", "purchased_electricity", 50.0, "MWh", period="2025-07"),
    ]
    contract = activity(9, "gec", "green_power_contract", 40.0, "MWh", detail=GOOD)
    plant = plant_with(KINDS)
    without = quantify(frame(*bought), plant, factor_book(), known_at=known)
    covered = quantify(frame(*bought, contract), plant, factor_book(), known_at=known)
    assert total(covered.records, "location") == total(without.records, "location")
    location = pl.col("regime") == "location"
    assert covered.records.filter(location).equals(without.records.filter(location))
    parts = covered.records.filter(pl.col("regime") == "market_annual")
    by_factor = dict(parts.group_by("factor_id").agg(pl.col("quantity").sum()).iter_rows())
    assert by_factor["cn.grid.nonfossil"] == pytest.approx(40_000.0, abs=1e-6)
    assert total(without.records, "market_annual") - total(covered.records, "market_annual") == pytest.approx(
        40_000 * 609.6, abs=2
    )


def test_parts_add_up_to_the_activity_exactly(plant_with: Any, activity: Any, frame: Any) -> None:
    bought = [activity(i, "grid", "purchased_electricity", 1000.0 + i / 3, "kWh") for i in range(1, 8)]
    split = split_by_contract(
        frame(*bought, activity(9, "gec", "green_power_contract", 3.3, "MWh", detail=GOOD)), plant_with(KINDS)
    )
    sums = dict(split.parts.group_by("activity_id").agg(pl.col("energy_wh").sum()).iter_rows())
    assert sums == {f"{i:016x}": round((1000.0 + i / 3) * 1000) for i in range(1, 8)}
    assert split.parts.filter(pl.col("instrument") == "gec")["energy_wh"].sum() == 3_300_000


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rate_attribute": "no"}, "criterion 1"),
        ({"sole_claim": "no"}, "criterion 2"),
        ({"retired": "no"}, "criterion 3"),
        ({"beneficiary": "另一家公司"}, "criterion 3"),
        ({"vintage_year": 2023}, "criterion 4"),
        ({"market": "US"}, "criterion 5"),
        ({"instrument_kind": "supplier_rate"}, "criterion 6"),
        ({"instrument_kind": "direct_line", "certificates_sold": "yes"}, "criterion 7"),
    ],
)
def test_a_contract_that_fails_a_criterion_is_not_applied(
    change: dict[str, Any], named: str, plant_with: Any, activity: Any, frame: Any, known: Any
) -> None:
    activities = frame(
        activity(1, "grid", "purchased_electricity", 100.0, "MWh"),
        activity(9, "gec", "green_power_contract", 40.0, "MWh", detail={**GOOD, **change}, document="C-9"),
    )
    made = quantify(activities, plant_with(KINDS), factor_book(), known_at=known)
    assert [problem.severity for problem in made.problems] == ["warning"]
    assert named in made.problems[0].message.en
    assert "C-9" in made.problems[0].message.zh
    assert total(made.records, "market_annual") == 100_000 * 609_600 // 1000


def test_serials_count_once_and_surplus_is_said(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    activities = frame(
        activity(1, "grid", "purchased_electricity", 30.0, "MWh"),
        activity(8, "gec", "green_power_contract", 40.0, "MWh", detail=GOOD, document="A"),
        activity(9, "gec", "green_power_contract", 40.0, "MWh", detail=GOOD, document="B"),
    )
    made = quantify(activities, plant_with(KINDS), factor_book(), known_at=known)
    assert {problem.code for problem in made.problems} == {
        "accounting.instrument_not_applied",
        "accounting.instrument_surplus",
    }
    assert total(made.records, "market_annual") == 0
    assert total(made.records, "location") == 30 * 573_700


def test_the_residual_proxy_is_disclosed(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    made = quantify(
        frame(activity(1, "grid", "purchased_electricity", 1.0, "MWh")),
        plant_with(KINDS),
        factor_book(),
        known_at=known,
    )
    reason = made.records.filter(pl.col("regime") == "market_annual")["reason"][0]
    assert "no residual mix" in reason


def test_factor_year_and_day_of_knowing(plant_with: Any, activity: Any, frame: Any) -> None:
    from datetime import date

    row = frame(activity(1, "grid", "purchased_electricity", 1.0, "MWh"))
    later = quantify(row, plant_with(KINDS), factor_book(), known_at=date(2026, 1, 15)).records
    sooner = quantify(row, plant_with(KINDS), factor_book(), known_at=date(2025, 6, 1)).records
    assert total(later, "location") == 573_700
    assert total(sooner, "location") == 584_900
