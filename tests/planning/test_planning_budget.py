"""Budgets: whole amounts split without loss, the year's end by hand and by simulation, the day it breaks, what may still be used."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import Misuse
from zerofactory.periods import Period
from zerofactory.planning.budget import (
    Budget,
    Month,
    allowances,
    last_year,
    limit_of,
    seasonal,
    split,
    terms,
    year_end,
)
from zerofactory.site.model import Calendar

EVERY_DAY = Calendar(weekdays=(1, 2, 3, 4, 5, 6, 7))
LABELS = [month.label for month in Period(2026).months()]


def flat(total: int, kind: str = "carbon") -> Budget:
    cells = split(total, {("paint", label): 1 for label in LABELS})
    return Budget("carbon" if kind == "carbon" else "energy", 2026, 1, cells, "given", "")


def months(year: int, *amounts: int) -> list[Month]:
    return [Month(f"{year}-{number:02d}", amount) for number, amount in enumerate(amounts, start=1)]


@given(
    st.integers(min_value=0, max_value=10**15),
    st.dictionaries(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(LABELS)), st.integers(0, 10**12), min_size=1),
)  # fmt: skip
def test_cells_add_up_to_the_amount_and_none_is_off_by_a_gram(total: int, weights: dict[tuple[str, str], int]) -> None:
    if not any(weights.values()):
        with pytest.raises(Misuse):
            split(total, weights)
        return
    cells = split(total, weights)
    assert sum(cells.values()) == total
    whole = sum(weights.values())
    for cell, amount in cells.items():
        assert abs(amount * whole - total * weights[cell]) < whole


def test_last_year_moves_on_by_a_year_and_sales_are_no_weight() -> None:
    assert last_year({("paint", "2025-03"): 7, ("utilities", "2025-03"): -4}, 2026) == {
        ("paint", "2026-03"): 7,
        ("utilities", "2026-03"): 0,
    }


def test_seasonal_split_follows_shops_and_days() -> None:
    weights = seasonal({("paint", "2025-11"): 300, ("body", "2025-11"): 100}, 2026, EVERY_DAY)
    by_month = {label: weights[("paint", label)] for label in LABELS}
    assert by_month["2026-02"] / by_month["2026-01"] == pytest.approx(28 / 31, rel=1e-6)
    assert weights[("paint", "2026-01")] == pytest.approx(3 * weights[("body", "2026-01")], rel=1e-6)


def test_year_end_by_hand_last_year_times_recent_level() -> None:
    known = months(2025, *[100] * 6, *[200] * 6) + months(2026, 110, 110, 110)
    end = year_end(flat(2000), known, EVERY_DAY)
    assert end.used == 330
    level = (200 + 200 + 200) / 600  # the last six months known are half of 2025 and do not count without 2024
    assert level == 1.0
    assert end.expected == 330 + round((100 * 3 + 200 * 6) * 1.1)
    assert end.low < end.expected < end.high
    assert end.status in ("within", "at_risk")
    assert "1.100" in end.method.en


def test_year_end_without_a_last_year_goes_by_days() -> None:
    known = months(2026, 310, 280, 310)  # ten a day
    end = year_end(flat(3650), known, EVERY_DAY)
    assert end.expected == 3650
    assert end.method.en.startswith("mean per day")


def test_a_finished_year_has_no_interval() -> None:
    end = year_end(flat(1300), months(2026, *[100] * 12), EVERY_DAY)
    assert (end.used, end.expected, end.low, end.high) == (1200, 1200, 1200, 1200)
    assert end.status == "within"
    assert end.breaks_on is None


def test_the_day_it_breaks_by_hand() -> None:
    known = months(2026, 310, 280, 310)
    end = year_end(flat(900 + 105), known, EVERY_DAY)  # 105 are left: ten a day, the eleventh day of April
    assert end.status == "will_break"
    assert end.breaks_on == date(2026, 4, 11)
    assert end.breaks_early_on is not None
    assert end.breaks_early_on <= end.breaks_on
    gone = year_end(flat(800), known, EVERY_DAY)
    assert gone.status == "broken"


def test_half_a_month_counts_for_half() -> None:
    known = [*months(2026, 310, 280), Month("2026-03", 155, 0.5)]
    end = year_end(flat(3650), known, EVERY_DAY)
    assert end.used == 745
    assert end.expected == 3650


def test_interval_covers_as_often_as_it_says() -> None:
    """Years whose months scatter by 5 % around a season and a level: about nine in ten end inside."""
    random = np.random.Generator(np.random.PCG64(11))
    season = 1000.0 * (1.0 + 0.3 * np.cos(np.arange(12) / 12 * 2 * np.pi))
    inside = 0
    runs = 400
    for _ in range(runs):
        three = [
            season * np.exp(random.normal(0.0, 0.03)) * np.exp(0.05 * random.standard_normal(12)) for _ in range(3)
        ]
        known = [month for year, part in zip((2024, 2025), three, strict=False) for month in months(year, *np.rint(part).astype(int).tolist())]  # fmt: skip
        this = np.rint(three[2]).astype(int).tolist()
        end = year_end(flat(12_000), known + months(2026, *this[:5]), EVERY_DAY)
        inside += end.low <= sum(this) <= end.high
    assert abs(inside / runs - terms()["confidence_fraction"]) < 0.08


@given(st.lists(st.integers(0, 300), min_size=12, max_size=12), st.integers(0, 11))
def test_what_may_still_be_used_keeps_the_year(amounts: list[int], over: int) -> None:
    budget = Budget("carbon", 2026, 1, split(1200, {(s, m): 1 for s in ("a", "b") for m in LABELS}), "given", "")
    used = {("a", label): amount for label, amount in zip(LABELS[:over], amounts, strict=False)}
    left = allowances(budget, used, LABELS[:over])
    spent = sum(used.values())
    assert sum(amount for (shop, _), amount in left.items() if shop == "a") == (max(600 - spent, 0) if over < 12 else 0)
    assert sum(amount for (shop, _), amount in left.items() if shop == "b") == 600
    assert {month for _, month in left} == set(LABELS[over:])


def test_a_budget_is_a_limit_for_the_roadmap() -> None:
    limit = limit_of(flat(5_000_000))
    assert (limit.indicator, limit.value, limit.unit, limit.year) == ("emissions_12", 5.0, "tCO2e", 2026)
    assert limit.met_by(4.9)
    energy = limit_of(flat(29_307_600_000_000 // 3600, "energy"))
    assert energy.value == pytest.approx(1000.0 / 1000.0, rel=1e-3) or energy.unit == "tce"
