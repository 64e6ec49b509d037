"""The book of electricity: hand-made cases for each of the six regimes, and no watt-hour lost whatever the meters say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.claims import CLAIMS, EMISSIONS, failed_rules, last_day, rules
from zerofactory.accounting.cover import covered_by_month, eligible
from zerofactory.accounting.hours import matched_load
from zerofactory.accounting.origin_rows import supply_by_origin
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, PowerBook, Supply
from zerofactory.accounting.regime import Factors, causes, regimes
from zerofactory.accounting.storage import Store, route
from zerofactory.errors import NotFound
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope
from zerofactory.site.load import plant as read_plant

FACTORS = Factors(factor_book(), Scope(region="CN-上海", on=date(2025, 1, 1), known_at=date(2026, 1, 15)))
AVERAGE, RESIDUAL, NATION, FOOTPRINT = 0.5737, 0.6096, 0.5306, 0.5777  # kgCO2/kWh, 公告2025年第47号; footprint 2024
SLOTS = 6
whole = st.lists(st.integers(-(10**6), 10**9), min_size=SLOTS, max_size=SLOTS)
positive = st.lists(st.integers(0, 10**9), min_size=SLOTS, max_size=SLOTS)


def book(
    grid: list[int],
    own: list[int],
    *supplies: Supply,
    line: list[int] | None = None,
    sold: bool = False,
    stores: tuple[Store, ...] = (),
    second_month_from: int | None = None,
) -> PowerBook:
    months = np.zeros(len(grid), dtype=np.int32)
    labels, starts = ["2025-01"], [datetime(2024, 12, 31, 16, tzinfo=UTC)]
    if second_month_from is not None:
        months[second_month_from:] = 1
        labels, starts = [*labels, "2025-02"], [*starts, datetime(2025, 1, 31, 16, tzinfo=UTC)]
    energy = {ON_SITE: np.array(own), DIRECT_LINE: np.array(line or [0] * len(grid)), GRID: np.array(grid)}
    return PowerBook(tuple(labels), tuple(starts), 60, months, energy, supplies, sold, stores)


def contract(amount: int, profile: list[int] | None = None, **given: object) -> Supply:
    shape = None if profile is None else np.array(profile)
    return Supply("C", "green_power", str(given.pop("month", "2025-01")), amount, (), shape, **given)  # type: ignore[arg-type]


def grams(power: PowerBook) -> dict[str, int]:
    return {name: regime.apply(power, FACTORS).emissions_gco2e for name, regime in regimes().items()}


def matched(power: PowerBook) -> dict[str, int]:
    return {name: int(regime.apply(power, FACTORS).matched_wh.sum()) for name, regime in regimes().items()}


def test_six_regimes_with_a_contract_greater_than_the_load_of_an_hour() -> None:
    """Grid 1, 2, 3, 4 kWh; sun 0.5; a contract of 6 kWh that blows 5 kWh in the first hour and 1 in the last."""
    power = book([1000, 2000, 3000, 4000], [500, 0, 0, 0], contract(6000, [5000, 0, 0, 1000]))
    assert grams(power) == {
        "location": round(10_000 * AVERAGE),
        "market_annual": round(4_000 * RESIDUAL),
        "market_hourly": round(8_000 * RESIDUAL),
        "china_physical": round(10_000 * AVERAGE),
        "china_programme": round(4_000 * NATION),
        "eu_battery": round(10_000 * FOOTPRINT),
    }
    assert matched(power) == {
        "location": 500, "market_annual": 6500, "market_hourly": 2500,
        "china_physical": 500, "china_programme": 6500, "eu_battery": 500,
    }  # fmt: skip


def test_six_regimes_with_a_direct_line_and_sold_certificates_of_own_generation() -> None:
    power = book([1000], [2000], line=[3000], sold=True)
    sold = round(2000 * RESIDUAL)
    assert grams(power) == {
        "location": round(1000 * AVERAGE),
        "market_annual": round(1000 * RESIDUAL) + sold,
        "market_hourly": round(1000 * RESIDUAL) + sold,
        "china_physical": round(1000 * AVERAGE),
        "china_programme": round(1000 * NATION),
        "eu_battery": round(1000 * FOOTPRINT),
    }
    assert matched(power)["market_annual"] == 3000
    assert matched(power)["china_physical"] == 5000


def test_six_regimes_with_a_store_keep_their_totals_and_move_the_matched_load() -> None:
    """Noon: 1000 Wh of sun, 500 used, 500 stored. Evening: 400 come out at 80 %, 600 of the grid beside them."""
    store = Store("b", np.array([500, 0]), np.array([0, 400]), 800_000)
    plain, power = book([0, 600], [1000, 0]), book([0, 600], [1000, 0], stores=(store,))
    assert grams(power) == grams(plain), "a store makes and removes no emission: its loss is consumption"
    assert power.load_wh.tolist() == [500, 1000]
    for regime in regimes().values():
        own = matched_load(power, regime.apply(power, FACTORS).matched_wh)
        assert own.tolist() == [500, 400], "in the evening 400 of 1000 are the sun of noon"


def test_a_store_filled_by_the_grid_gives_nothing_green() -> None:
    store = Store("b", np.array([500, 0]), np.array([0, 400]), 800_000)
    power = book([1000, 600], [0, 0], stores=(store,))
    physical = regimes()["china_physical"].apply(power, FACTORS)
    assert matched_load(power, physical.matched_wh).tolist() == [0, 0]


def test_export_while_importing_is_not_taken_off_the_grid() -> None:
    """The sun meter less the export meter is negative in the second hour: the grid's part of that hour stays whole."""
    power = book([1000, 1000], [500, -200])
    assert int(power.consumption_wh.sum()) == 2300
    assert grams(power)["location"] == round(2000 * AVERAGE)
    assert sum(int(wh.sum()) for wh in supply_by_origin(power).values()) == 2300


def test_certificates_cover_by_the_month_and_never_the_next_one() -> None:
    power = book([100, 100, 500], [0, 0, 0], contract(400), contract(50, month="2025-02"), second_month_from=2)
    covered = covered_by_month(power, eligible(power)[0])
    assert covered.tolist() == [100, 100, 50]


def test_a_claim_on_a_year_waits_for_the_whole_year() -> None:
    power = book([100], [0], contract(400, month="2025", claimed=True))
    good, remarks = eligible(power)
    assert good == []
    assert "whole year" in remarks[0].en


def test_a_claim_under_one_regime_counts_there_alone() -> None:
    power = book([1000], [0], contract(400, regime="china_programme"))
    assert matched(power)["china_programme"] == 400
    assert matched(power)["market_annual"] == 0


def test_why_a_regime_differs_adds_up() -> None:
    power = book([1000, 2000, 3000, 4000], [500, 0, 0, 0], contract(6000, [5000, 0, 0, 1000]), sold=True)
    base = regimes()["location"].apply(power, FACTORS)
    for name, regime in regimes().items():
        result = regime.apply(power, FACTORS)
        found = causes(result, base)
        assert sum(cause.effect_gco2e for cause in found) == result.emissions_gco2e - base.emissions_gco2e
        assert regime.principle.zh
        assert regime.principle.en
        if name == "market_annual":
            assert "0.6096" in " ".join(cause.text.en for cause in found)


PLANT, _ = read_plant(
    '[plant]\nid = "p"\nname = "厂"\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\ncurrency = "CNY"\n'
    '[organisation]\nname = "测试公司"\n[[shops]]\nid = "a"\nkind = "other"\nname = "全厂"\n',
    "factory.toml",
)


def failed(**given: object) -> tuple[str, ...]:
    row = {"claim_id": "x", "instrument": "gec", "covers": "electricity", "amount_wh": 1000, "vintage": "2025-03", "market": "CN",
           "beneficiary": "测试公司", "regime": "any", "period": "2025-03", "retired_on": "2026-01-05"}  # fmt: skip
    assert PLANT is not None
    return failed_rules(row | given, PLANT, ["测试公司"])


def test_claims_are_judged_by_rule() -> None:
    assert failed() == ()
    assert failed(retired_on=None) == ("retired",)
    assert failed(retired_on="2027-03-01") == ("expired",)
    assert failed(retired_on="2027-02-28") == ()
    assert failed(vintage="2023-03", period="2023-03", retired_on="2025-12-31") == ()
    assert failed(vintage="2023-03", period="2023-03", retired_on="2026-01-01") == ("expired",)
    assert failed(vintage="2024-12") == ("vintage_year",)
    assert failed(market="US", beneficiary="X") == ("market", "beneficiary")
    assert failed(instrument="unheard_of") == ("instrument",)
    with pytest.raises(NotFound):
        last_day("unheard_of", "2025-03")
    assert all(rule.source and rule.status in ("verified", "secondary", "placeholder") for rule in rules().values())


def test_a_claim_row_fits_the_table() -> None:
    rows = [
        {"claim_id": "a", "instrument": "gec", "covers": "electricity", "amount_wh": 1000, "vintage": "2025-03", "market": "CN",
         "beneficiary": "x", "regime": "any", "period": "2025"},
        {"claim_id": "b", "instrument": "ccer", "covers": EMISSIONS, "amount_gco2e": 5, "vintage": "2025-03", "market": "CN",
         "beneficiary": "x", "regime": "any", "period": "2025"},
    ]  # fmt: skip
    assert CLAIMS.check(CLAIMS.frame(rows)) == []


@given(
    st.tuples(whole, whole),
    st.tuples(positive, positive, positive),
    st.integers(0, 10**10),
    st.integers(500_000, 1_000_000),
    st.integers(1, 5),
)
def test_no_watt_hour_is_lost(
    meters: tuple[list[int], list[int]], flows: tuple[list[int], ...], offered: int, ppm: int, cut: int
) -> None:
    """Any meters: negative slots (export while importing), a store out of step, contracts by hour, month and month's end."""
    (grid, own), (wind, charge, discharge) = meters, flows
    store = Store("b", np.array(charge), np.array(discharge), ppm)
    supplies = (contract(sum(wind), wind), contract(offered), contract(offered // 3, month="2025-02"))
    power = book(grid, own, *supplies, stores=(store,), second_month_from=cut)
    parts = supply_by_origin(power)
    assert sum(parts.values()).tolist() == power.consumption_wh.tolist()
    routed = route(parts, power.stores)
    assert sum(routed.load_wh().values()).tolist() == power.load_wh.tolist()
    for regime in regimes().values():
        assert regime.apply(power, FACTORS).energy_wh == int(power.consumption_wh.sum())
