"""Allocation: by hand, and for any amounts the grams shared out are the grams that were there."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.allocation import (
    Basis,
    MeteredUse,
    Output,
    Pool,
    allocate,
    equivalent_units,
    faults,
    share_out,
)
from zerofactory.errors import Misuse

QUOTAS = {"electric": {"body": 72.0, "battery": 90.0}, "petrol": {"body": 60.0, "engine": 100.0}}
SHOPS = ("body", "battery", "engine", "utilities")
MARCH = (Output("electric", "2025-03", 100.0), Output("petrol", "2025-03", 180.0))


def grams(pool: Pool, basis: Basis) -> dict[str, int]:
    return {share.target[0]: share.emissions_gco2e for share in allocate([pool], basis)}


def test_by_hand_equivalent_units() -> None:
    """Electric is first, t0 = 72: k = 1 and 60/72; 100 and 180 × 60/72 = 150 equivalent units; 250 000 g → 1000 g each."""
    assert equivalent_units(QUOTAS, "body") == {"electric": 1, "petrol": Fraction(5, 6)}
    assert grams(Pool("body", "2025-03", "gas", 250_000), Basis(MARCH, QUOTAS)) == {
        "electric": 100_000,
        "petrol": 150_000,
    }


def test_a_shop_that_only_one_product_passes() -> None:
    assert grams(Pool("battery", "2025-03", "x", 999), Basis(MARCH, QUOTAS)) == {"electric": 999}


def test_overhead_by_the_sum_of_quotas() -> None:
    """162 × 100 = 16 200 and 160 × 180 = 28 800 minutes of 45 000."""
    shares = allocate([Pool("utilities", "2025-03", "x", 45_000)], Basis(MARCH, QUOTAS))
    assert [(s.target[0], s.method, s.emissions_gco2e) for s in shares] == [
        ("electric", "overhead", 16_200),
        ("petrol", "overhead", 28_800),
    ]


def test_metered_use_goes_before_quotas() -> None:
    metered = (MeteredUse("electric", "body", "2025-03", 1.0), MeteredUse("petrol", "body", "2025-03", 3.0))
    basis = Basis(MARCH, QUOTAS, metered)
    shares = allocate([Pool("body", "2025-03", "x", 1001)], basis)
    assert [(s.method, s.emissions_gco2e) for s in shares] == [("metered", 250), ("metered", 751)]
    assert faults(basis, SHOPS) == []


def test_a_month_without_output_takes_the_whole_period() -> None:
    shares = allocate([Pool("body", "2025-02", "x", 500)], Basis(MARCH, QUOTAS))
    assert {share.method for share in shares} == {"period"}
    assert sum(share.emissions_gco2e for share in shares) == 500


def test_a_shop_whose_only_product_was_not_made_is_overhead() -> None:
    outputs = (Output("petrol", "2025-03", 5.0), Output("electric", "2025-03", 0.0))
    shares = allocate([Pool("battery", "2025-03", "x", 70)], Basis(outputs, QUOTAS))
    assert {share.method for share in shares} == {"overhead"}
    assert sum(share.emissions_gco2e for share in shares) == 70


def test_work_orders_share_like_products() -> None:
    outputs = (Output("electric", "2025-03", 40.0, "WO-1"), Output("electric", "2025-03", 60.0, "WO-2"))
    shares = allocate([Pool("body", "2025-03", "x", 1000)], Basis(outputs, QUOTAS))
    assert {share.target: share.emissions_gco2e for share in shares} == {
        ("electric", "WO-1"): 400,
        ("electric", "WO-2"): 600,
    }


def test_metered_use_of_a_product_is_shared_by_its_work_orders() -> None:
    outputs = (Output("electric", "2025-03", 40.0, "WO-1"), Output("electric", "2025-03", 60.0, "WO-2"))
    basis = Basis(outputs, QUOTAS, (MeteredUse("electric", "body", "2025-03", 7.0),))
    shares = allocate([Pool("body", "2025-03", "x", 1000)], basis)
    assert {share.target: share.emissions_gco2e for share in shares} == {
        ("electric", "WO-1"): 400,
        ("electric", "WO-2"): 600,
    }
    assert {share.method for share in shares} == {"metered"}


@given(
    st.integers(min_value=-(10**15), max_value=10**15),
    st.lists(st.fractions(min_value=0, max_value=10**6, max_denominator=10**6), min_size=1, max_size=8).filter(any),
)
def test_nothing_is_lost(total: int, weights: list[Fraction]) -> None:
    parts = share_out(total, {(str(i), ""): weight for i, weight in enumerate(weights)})
    assert sum(parts.values()) == total
    whole = sum(weights)
    assert all(abs(part - total * weights[int(name)] / whole) < 1 for (name, _), part in parts.items())


@given(
    st.lists(
        st.tuples(st.sampled_from(SHOPS), st.sampled_from(["2025-03", "2025-04"]), st.integers(-(10**12), 10**12)),
        max_size=12,
    ),
    st.floats(min_value=0.001, max_value=1e6),
    st.floats(min_value=0.001, max_value=1e6),
)
def test_every_pool_keeps_its_grams(amounts: list[tuple[str, str, int]], electric: float, petrol: float) -> None:
    pools = [Pool(shop, period, str(i), value) for i, (shop, period, value) in enumerate(amounts)]
    outputs = (Output("electric", "2025-03", electric), Output("petrol", "2025-03", petrol))
    shares = allocate(pools, Basis(outputs, QUOTAS))
    for pool in pools:
        assert sum(share.emissions_gco2e for share in shares if share.pool is pool) == pool.emissions_gco2e


@pytest.mark.parametrize(
    ("basis", "code"),
    [
        (Basis((), QUOTAS), "footprint.no_output"),
        (Basis((Output("truck", "2025-03", 1.0),), QUOTAS), "footprint.no_quota"),
        (Basis((*MARCH, Output("petrol", "2025-03", -1.0)), QUOTAS), "footprint.negative_amount"),
        (Basis(MARCH, {**QUOTAS, "x": {"roof": 1.0}}), "footprint.unknown_shop"),
        (Basis(MARCH, QUOTAS, (MeteredUse("petrol", "body", "2025-03", 1.0),)), "footprint.metered_in_part"),
        (Basis(MARCH, QUOTAS, (MeteredUse("petrol", "engine", "2025-03", -1.0),)), "footprint.negative_amount"),
        (Basis(MARCH, QUOTAS, (MeteredUse("truck", "engine", "2025-03", 1.0),)), "footprint.metered_not_made"),
        (Basis(MARCH, QUOTAS, (MeteredUse("petrol", "body", "2025-03", 1.0, "WO-9"),)), "footprint.metered_not_made"),
    ],
)
def test_faults(basis: Basis, code: str) -> None:
    assert code in [problem.code for problem in faults(basis, SHOPS)]


def test_nothing_made_is_a_misuse() -> None:
    with pytest.raises(Misuse):
        allocate([Pool("body", "2025-03", "x", 1)], Basis((), QUOTAS))
