"""Budgets of a workspace: versions are kept, used is what the book says, an open month counts as far as it has come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import budget, close, import_data
from zerofactory.runs.context import Context
from zerofactory.store.schema import SEALS

Write = Callable[..., Path]
Reopen = Callable[[Context], Context]
KNOWN = date(2026, 1, 15)


@pytest.fixture
def quarter(small: Context, reopen: Reopen, write_readings: Write) -> Context:
    """Return the small plant with three closed months."""
    import_data.run(small, [write_readings(1, 2, 3)])
    for month in (1, 2, 3):
        close.run(reopen(small), Period(2025, month), KNOWN)
    return reopen(small)


def test_used_is_what_the_seals_say_to_the_gram(quarter: Context) -> None:
    budget.set_(quarter, budget.Asked(2025, carbon_gco2e=400_000_000, split="seasonal"))
    [view] = budget.show(quarter, 2025)
    sealed = dict(quarter.workspace.journal.active(SEALS).select("period", "total_gco2e").iter_rows())
    assert {line.key: line.used for line in view.lines if line.state == "closed"} == sealed
    assert view.end.used == sum(sealed.values())
    assert sum(line.budget for line in view.lines) == view.budget.total == 400_000_000
    [by_shop] = budget.show(quarter, 2025, by="shop")
    assert sum(line.used for line in by_shop.lines) == view.end.used
    assert {line.key for line in by_shop.lines} == {"paint", "utilities"}


def test_every_version_stays_in_the_book_and_the_newest_holds(quarter: Context) -> None:
    budget.set_(quarter, budget.Asked(2025, carbon_gco2e=400_000_000, split="seasonal"))
    budget.set_(quarter, budget.Asked(2025, carbon_gco2e=300_000_000, split="seasonal", reason="board"))
    first, second = budget.versions(quarter, "carbon", 2025)
    assert (first.total, second.total, second.version, second.reason) == (400_000_000, 300_000_000, 2, "board")
    assert budget.show(quarter)[0].budget == second
    assert quarter.workspace.journal.check() == []


def test_an_open_month_counts_as_far_as_it_has_come_and_equals_the_closed_one(
    quarter: Context, reopen: Reopen, write_readings: Write
) -> None:
    budget.set_(quarter, budget.Asked(2025, carbon_gco2e=400_000_000, energy_wh=10**12, split="seasonal"))
    import_data.run(quarter, [write_readings(4, name="april.parquet")])
    live = {view.budget.kind: view for view in budget.show(reopen(quarter), 2025)}
    april = {kind: next(line for line in view.lines if line.key == "2025-04") for kind, view in live.items()}
    assert april["carbon"].state == "provisional"
    close.run(reopen(quarter), Period(2025, 4), KNOWN)
    done = {view.budget.kind: view for view in budget.show(reopen(quarter), 2025)}
    for kind, line in april.items():
        closed = next(one for one in done[kind].lines if one.key == "2025-04")
        assert closed.state == "closed"
        assert closed.used == line.used


def test_energy_is_what_the_meters_counted(quarter: Context) -> None:
    budget.set_(quarter, budget.Asked(2025, energy_wh=10**12, split="seasonal"))
    [view] = budget.show(quarter, 2025, kind="energy")
    january = next(line.used for line in view.lines if line.key == "2025-01")
    electricity_wh = 31 * 96 * 50_000  # a wave around 50 kWh a quarter hour
    gas_wh = 31 * 96 * 2.5 * 389.31e6 / 1e4 / 3.6  # 389.31 GJ per 10 000 Nm3 (NDRC)
    assert january == pytest.approx(electricity_wh * 0.1229 * 29.3076 / 3.6 + gas_wh, rel=2e-3)


def test_a_split_by_last_year_needs_all_of_it(quarter: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        budget.set_(quarter, budget.Asked(2026, carbon_gco2e=1000))
    assert caught.value.problems[0].code == "budget.no_last_year"
    assert "2025-04" in caught.value.problems[0].message.en


def test_a_given_split_is_checked_row_by_row(quarter: Context, tmp_path: Path) -> None:
    path = tmp_path / "shares.csv"
    path.write_text("shop,month,share\npaint,2026-01,3\nutilities,2026-02,1\n", encoding="utf-8")
    [made] = budget.set_(quarter, budget.Asked(2026, carbon_gco2e=1001, split="given", file=path))
    assert made.cells == {("paint", "2026-01"): 751, ("utilities", "2026-02"): 250}
    path.write_text("shop,month,share\npaintt,2026-01,3\npaint,2027-02,1\npaint,2026-03,x\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        budget.set_(quarter, budget.Asked(2026, carbon_gco2e=1000, split="given", file=path))
    assert [problem.row for problem in caught.value.problems] == [2, 3, 4]


def test_the_constraint_for_plans_is_what_is_left_by_shop_and_month(quarter: Context) -> None:
    budget.set_(quarter, budget.Asked(2025, carbon_gco2e=400_000_000, split="seasonal"))
    left = budget.current(quarter, "carbon", 2025)
    [view] = budget.show(quarter, 2025)
    assert {month for _, month in left} == {f"2025-{number:02d}" for number in range(4, 13)}
    shops = view.budget.by_shop()
    spent = {line.key: line.used for line in budget.show(quarter, 2025, by="shop")[0].lines}
    for shop, total in shops.items():
        assert sum(amount for (one, _), amount in left.items() if one == shop) == max(total - spent[shop], 0)


def test_wrong_wishes_are_refused(quarter: Context) -> None:
    for asked in (budget.Asked(2026), budget.Asked(2026, carbon_gco2e=-5)):
        with pytest.raises(FaultyData):
            budget.set_(quarter, asked)
    with pytest.raises(NotFound):
        budget.set_(quarter, budget.Asked(2026, carbon_gco2e=5, split="evenly"))
    with pytest.raises(NotFound):
        budget.show(quarter, 2031)
