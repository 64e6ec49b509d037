"""The bill of a month against sums made by hand, in whole fen."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from zerofactory.assets.bill import (
    Metered,
    Terms,
    bill,
    energy_by_band,
    fen,
    national_rules,
    power_factor_adjustment,
    to_fen,
)
from zerofactory.assets.grid import Grid, Integers
from zerofactory.assets.tariff_file import tariff
from zerofactory.errors import FaultyData, Misuse
from zerofactory.periods import Period

AUGUST = Grid.of_period(Period.parse("2026-08"), 15)
SHANGHAI = tariff("shanghai", "two_part_large_industry", "110kV")


def even(wh: int, grid: Grid = AUGUST) -> Integers:
    return np.full(grid.length, wh, dtype=np.int64)


def amounts(terms: Terms, metered: Metered) -> dict[str, int]:
    return {line.code: line.amount_fen for line in bill(SHANGHAI, terms, AUGUST, metered).lines}


def test_an_even_month_by_hand() -> None:
    """4 MW all August in Shanghai, 110 kV. Per day 2 h sharp, 8 h peak (8-12, 14-15, 18-21), 6 h flat, 8 h valley.

    sharp  31·2·4000 = 248 000 kWh · 1.259662 = 312 396.18      peak 992 000 · 1.023772 = 1 015 581.82
    flat   744 000 · 0.604413 = 449 683.27                      valley 992 000 · 0.289894 = 287 574.85
    demand 4000 kW · 38.4 = 153 600.00
    """
    found = amounts(Terms(), Metered(even(1_000_000)))
    assert found == {
        "energy.sharp_peak": 31_239_618, "energy.peak": 101_558_182, "energy.flat": 44_968_327, "energy.valley": 28_757_485,
        "basic.maximum": 15_360_000,
    }  # fmt: skip
    total = bill(SHANGHAI, Terms(), AUGUST, Metered(even(1_000_000))).total_fen
    assert total == sum(found.values()) == 221_883_612


def test_load_discount_from_260_hours() -> None:
    """2 976 000 kWh: on 11 446 kVA it is 260.003 kWh/kVA and the demand price falls by a tenth; on 11 447 kVA it is 259.98."""
    cheap = amounts(Terms(transformer_kva=11_446.0), Metered(even(1_000_000)))
    full = amounts(Terms(transformer_kva=11_447.0), Metered(even(1_000_000)))
    assert (cheap["basic.maximum"], full["basic.maximum"]) == (13_824_000, 15_360_000)


def test_demand_is_the_highest_quarter_hour() -> None:
    energy = even(1_000_000)
    energy[100] = 1_250_100
    found = bill(SHANGHAI, Terms(), AUGUST, Metered(energy))
    assert found.peak_kw == 5000.4
    assert found.peak_at_slot == 100
    assert {line.code: line.amount_fen for line in found.lines}["basic.maximum"] == 19_201_536  # 5000.4 · 38.4


def test_capacity_and_contract_demand() -> None:
    by_capacity = amounts(Terms("capacity", transformer_kva=12_500.0), Metered(even(1_000_000)))
    assert by_capacity["basic.capacity"] == 30_000_000  # 12 500 kVA · 24
    within = amounts(Terms("contract", contract_demand_kw=3_900.0), Metered(even(1_000_000)))
    assert within["basic.contract"] == 14_976_000  # 3 900 · 38.4; 4 000 is below 105 % of it
    assert "basic.excess" not in within
    beyond = amounts(Terms("contract", contract_demand_kw=3_500.0), Metered(even(1_000_000)))
    assert beyond["basic.excess"] == 2_496_000  # (4 000 − 3 675) · 76.8
    for terms, wanted in ((Terms("contract"), "contract_demand_kw"), (Terms("capacity"), "transformer_kva")):
        with pytest.raises(FaultyData, match=wanted):
            bill(SHANGHAI, terms, AUGUST, Metered(even(1)))


def test_power_factor_by_the_tables_of_1983() -> None:
    """Published corners: 0.90 → 0.95 and above −0.75 %; 0.89 +0.5 %; 0.70 +10 %; 0.65 +15 %; below, 2 % each 0.01."""
    for standard, power_factor, share in (
        ("0.90", "1.00", "-0.0075"), ("0.90", "0.95", "-0.0075"), ("0.90", "0.94", "-0.006"), ("0.90", "0.91", "-0.0015"),
        ("0.90", "0.90", "0"), ("0.90", "0.89", "0.005"), ("0.90", "0.70", "0.10"), ("0.90", "0.65", "0.15"), ("0.90", "0.64", "0.17"),
        ("0.85", "0.94", "-0.011"), ("0.85", "0.84", "0.005"), ("0.85", "0.65", "0.10"), ("0.85", "0.60", "0.15"), ("0.85", "0.59", "0.17"),
        ("0.80", "0.92", "-0.013"), ("0.80", "0.79", "0.005"), ("0.80", "0.60", "0.10"), ("0.80", "0.55", "0.15"), ("0.80", "0.54", "0.17"),
    ):  # fmt: skip
        assert power_factor_adjustment(Decimal(standard), Decimal(power_factor)) == Decimal(share), (
            standard,
            power_factor,
        )
    with pytest.raises(Misuse):
        power_factor_adjustment(Decimal("0.7"), Decimal("0.9"))


def test_power_factor_leaves_the_funds_alone() -> None:
    """P 1 MWh, Q 0.75 Mvarh a quarter hour: power factor 0.80, 5 % more on energy without funds plus the basic charge."""
    terms = Terms(power_factor_standard=Decimal("0.90"))
    found = bill(SHANGHAI, terms, AUGUST, Metered(even(1_000_000), reactive_varh=even(750_000)))
    lines = {line.code: line for line in found.lines}
    funds = fen(2_976_000_000, Decimal("0.029115"))
    assert funds == 8_664_624
    base = found.energy_fen - funds + lines["basic.maximum"].amount_fen
    assert lines["power_factor"].amount_fen == round(base * 0.05)
    assert lines["power_factor"].price == Decimal("0.05")


def test_a_stated_power_factor_serves_without_reactive_readings() -> None:
    terms = Terms(power_factor_standard=Decimal("0.90"))
    stated = amounts(terms, Metered(even(1_000_000), power_factor=Decimal("0.80")))
    read = amounts(terms, Metered(even(1_000_000), reactive_varh=even(750_000)))
    assert stated == read
    assert "power_factor" not in amounts(terms, Metered(even(1_000_000)))


def test_surplus_and_green_power() -> None:
    terms = Terms(green_premium_cny_per_kwh=Decimal("0.03"))
    found = amounts(terms, Metered(even(1_000_000), export_wh=even(1_000), green_wh=500_000_000))
    assert found["export"] == -123_653  # 2 976 kWh · 0.4155 = 1 236.528
    assert found["green"] == 1_500_000


def test_parts_add_up_to_the_energy_charge() -> None:
    found = bill(SHANGHAI, Terms(), AUGUST, Metered(even(777_777)))
    assert sum(found.parts_fen.values()) == found.energy_fen
    total = 777_777 * AUGUST.length
    assert found.parts_fen["government_funds"] == fen(total, Decimal("0.029115"))


def test_market_energy_with_negative_hours() -> None:
    """Half the month at −0.10, half at +0.30 CNY/kWh, 1 kWh each: 1 488 · (0.30 − 0.10) = 297.60; the rest regulated."""
    price = np.where(np.arange(AUGUST.length) % 2 == 0, -0.10, 0.30)
    found = bill(SHANGHAI, Terms(), AUGUST, Metered(even(1_000), market_cny_per_kwh=price))
    lines = {line.code: line for line in found.lines}
    assert lines["energy.market"].amount_fen == 29_760
    assert lines["energy.regulated"].price == Decimal("0.175514")
    assert lines["energy.regulated"].amount_fen == fen(2_976_000, Decimal("0.175514"))
    assert sum(found.parts_fen.values()) == found.energy_fen


def test_hourly_readings_are_warned_about() -> None:
    hourly = Grid.of_period(Period.parse("2026-08"), 60)
    found = bill(SHANGHAI, Terms(), hourly, Metered(even(4_000_000, hourly)))
    assert [problem.code for problem in found.problems] == ["assets.tariff_demand_coarse"]
    assert found.energy_fen == bill(SHANGHAI, Terms(), AUGUST, Metered(even(1_000_000))).energy_fen


@pytest.mark.parametrize("seed", range(20))
def test_energy_by_band_is_exact_in_sum(seed: int) -> None:
    """Beijing single part has borders on whole hours; a grid of 120 minutes puts some inside: every Wh is still somewhere."""
    beijing = tariff("beijing", "two_part_large_industry", "1-10kV")
    grid = Grid.of_period(Period.parse("2026-08"), 120)
    energy = np.random.default_rng(seed).integers(0, 2_000_000, grid.length)
    by_band, mixed = energy_by_band(beijing, grid, Metered(energy))
    assert sum(by_band.values()) == int(energy.sum())
    assert mixed > 0


def test_a_bill_says_that_hot_days_were_left_out() -> None:
    """Sichuan: July has its sharp peak anyhow; June has it only on hot days, which readings do not tell."""
    sichuan = tariff("sichuan", "two_part_large_industry", "110kV", "2026-08")
    for month, said in (("2026-07", False), ("2026-06", True)):
        grid = Grid.of_period(Period.parse(month), 15)
        found = bill(sichuan, Terms(), grid, Metered(even(1_000, grid)))
        assert ("assets.tariff_hot_days_rest" in {problem.code for problem in found.problems}) is said
    june = Grid.of_period(Period.parse("2026-06"), 15)
    hot = Metered(even(1_000, june), ambient_celsius=np.full(june.length, 36.0))
    sharp = {line.code: line.quantity for line in bill(sichuan, Terms(), june, hot).lines}["energy.sharp_peak"]
    assert sharp == 28 * 3 * 4  # from the third day on, three hours of four quarters


def test_rounding_is_half_up_once_a_line() -> None:
    assert to_fen(Decimal("0.005")) == 1
    assert to_fen(Decimal("-0.005")) == -1
    assert fen(1, Decimal("0.6")) == 0
    assert fen(8_333_333, Decimal("0.000600")) == 500  # 4.9999998 CNY


def test_a_bill_is_of_one_month() -> None:
    with pytest.raises(Misuse):
        bill(SHANGHAI, Terms(), Grid.of_period(Period.parse("2026"), 60), Metered(even(1)))
    july = Grid.of_period(Period.parse("2025-07"), 15)
    with pytest.raises(FaultyData, match="2025-07"):
        bill(SHANGHAI, Terms(), july, Metered(even(1, july)))


def test_national_rules_say_where_they_are_from() -> None:
    rules = national_rules()
    assert "526" in rules["demand"]["load_discount_source"]
    assert "1583" in rules["demand"]["contract_source"]
    assert "215" in rules["power_factor"]["source"]
