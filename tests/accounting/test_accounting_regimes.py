"""Claim regimes against hand-made cases: four intervals, two origins, contracts with and without a profile."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.cover import covered_by_month, eligible
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, PowerBook, Supply
from zerofactory.accounting.regime import Factors, regimes
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope

FACTORS = Factors(factor_book(), Scope(region="CN-上海", on=date(2025, 1, 1), known_at=date(2026, 1, 15)))
AVERAGE, RESIDUAL, NATION, FOOTPRINT = 0.5737, 0.6096, 0.5306, 0.5777


def book(
    grid: list[int], own: list[int], *supplies: Supply, sold: bool = False, line: list[int] | None = None
) -> PowerBook:
    return PowerBook(
        labels=("2025-01",),
        starts=(datetime(2024, 12, 31, 16, tzinfo=UTC),),
        minutes=15,
        months=np.zeros(len(grid), dtype=np.int32),
        energy_wh={ON_SITE: np.array(own), DIRECT_LINE: np.array(line or [0] * len(grid)), GRID: np.array(grid)},
        supplies=supplies,
        certificates_sold=sold,
    )


def contract(amount: int, profile: list[int] | None = None, failed: tuple[str, ...] = ()) -> Supply:
    return Supply("C1", "green_power", "2025-01", amount, failed, None if profile is None else np.array(profile))


def grams(regime: str, power: PowerBook) -> int:
    return regimes()[regime].apply(power, FACTORS).emissions_gco2e


def test_by_hand() -> None:
    power = book([1000, 2000, 3000, 4000], [500, 0, 0, 500], contract(4000, [4000, 0, 0, 0]))
    assert grams("location", power) == round(10_000 * AVERAGE)
    assert grams("market_annual", power) == round(6_000 * RESIDUAL)
    assert grams("market_hourly", power) == round(9_000 * RESIDUAL), "only 1000 Wh meet in the first interval"
    assert grams("china_physical", power) == round(10_000 * AVERAGE)
    assert grams("china_programme", power) == round(6_000 * NATION)
    assert grams("eu_battery", power) == round(10_000 * FOOTPRINT)


def test_a_contract_without_profile_is_not_spread_over_the_hours() -> None:
    result = regimes()["market_hourly"].apply(book([1000], [0], contract(1000)), FACTORS)
    assert result.emissions_gco2e == round(1000 * RESIDUAL)
    assert "C1" in result.remarks[0].zh
    assert "profile" in result.remarks[0].en


def test_a_contract_that_fails_a_criterion_covers_nothing() -> None:
    power = book([1000], [0], contract(1000, [1000], failed=("retired",)))
    for name in ("market_annual", "market_hourly", "china_programme"):
        result = regimes()[name].apply(power, FACTORS)
        assert next(part.energy_wh for part in result.parts if part.key == "contract") == 0
        assert "retired" in result.remarks[0].en


def test_sold_certificates_take_the_green_away_in_the_market_view_only() -> None:
    power = book([0], [1000], sold=True)
    assert grams("market_annual", power) == round(1000 * RESIDUAL)
    assert grams("location", power) == 0
    assert grams("china_physical", power) == 0


def test_direct_line_is_physical() -> None:
    power = book([1000], [0], line=[3000])
    result = regimes()["china_physical"].apply(power, FACTORS)
    assert int(result.matched_wh.sum()) == 3000


def test_cover_is_exact_and_never_beyond_the_load_of_a_slot() -> None:
    power = book([7, 0, 11, 3], [0, 0, 0, 0], contract(13))
    covered = covered_by_month(power, eligible(power)[0])
    assert int(covered.sum()) == 13
    assert (covered <= np.array([7, 0, 11, 3])).all()


@given(
    st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
    st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
    st.integers(0, 10**10),
    st.booleans(),
)
def test_every_regime_accounts_for_every_watt_hour(grid: list[int], own: list[int], offered: int, sold: bool) -> None:
    power = book(grid, own, contract(offered, [offered // 4] * 4), sold=sold)
    for regime in regimes().values():
        result = regime.apply(power, FACTORS)
        assert result.energy_wh == sum(grid) + sum(own)
        assert 0 <= int(result.matched_wh.sum()) <= result.energy_wh


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4), st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_hourly_matching_never_claims_more_than_annual(grid: list[int], profile: list[int]) -> None:
    power = book(grid, [0] * 4, contract(sum(profile), profile))
    annual, hourly = (regimes()[name].apply(power, FACTORS) for name in ("market_annual", "market_hourly"))
    assert int(hourly.matched_wh.sum()) <= int(annual.matched_wh.sum())


@pytest.mark.parametrize("name", list(regimes()))
def test_every_regime_is_named_and_cited(name: str) -> None:
    regime = regimes()[name]
    assert regime.title.zh
    assert regime.title.en
    assert regime.reference
