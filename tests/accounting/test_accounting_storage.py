"""Storage on site: what comes out carries the mix of what went in, losses are consumption, no watt-hour is lost or made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.storage import Routed, Store, route, shares
from zerofactory.errors import Misuse

SUN, GRID = "sun", "grid"
amounts = st.lists(st.integers(0, 10**9), min_size=6, max_size=6)


def through(
    sun: list[int],
    grid: list[int],
    charge: list[int],
    discharge: list[int],
    *,
    ppm: int = 1_000_000,
    cap: int | None = None,
) -> Routed:
    store = Store("b", np.array(charge), np.array(discharge), ppm, cap)
    return route({SUN: np.array(sun), GRID: np.array(grid)}, [store])


def totals(routed: Routed, what: str) -> dict[str, int]:
    return {name: int(wh.sum()) for name, wh in getattr(routed, what).items()}


def test_a_day_by_hand() -> None:
    """Night: 600 Wh of grid charge. Noon: 400 Wh of sun. Evening: 800 Wh at 80 % empty a content of 600 grid + 400 sun."""
    done = through([0, 1000, 0], [900, 0, 200], [600, 400, 0], [0, 0, 800], ppm=800_000)
    assert totals(done, "direct_wh") == {SUN: 600, GRID: 500}
    assert totals(done, "charged_wh") == {SUN: 400, GRID: 600}
    assert totals(done, "discharged_wh") == {SUN: 320, GRID: 480}
    assert totals(done, "lost_wh") == {SUN: 80, GRID: 120}
    assert done.content_wh == {"b": {SUN: 0, GRID: 0}}
    assert done.unrecorded_wh == 0


def test_the_mix_is_that_of_the_content_and_not_of_the_latest_charge() -> None:
    done = through([0, 1000, 0, 0], [1000, 0, 0, 0], [1000, 1000, 0, 0], [0, 0, 1000, 1000])
    assert done.discharged_wh[SUN].tolist() == [0, 0, 500, 500]
    assert done.discharged_wh[GRID].tolist() == [0, 0, 500, 500]


def test_what_was_charged_before_the_book_began_is_not_called_green() -> None:
    done = through([0, 500], [100, 0], [0, 0], [300, 0])
    assert done.unrecorded_wh == 300
    assert done.discharged_wh[GRID].tolist() == [300, 0]
    assert done.discharged_wh[SUN].tolist() == [0, 0]


def test_the_opening_content_is_carried_from_the_month_before() -> None:
    store = Store("b", np.array([0]), np.array([100]), 500_000)
    done = route({SUN: np.array([0]), GRID: np.array([50])}, [store], {"b": {SUN: 150, GRID: 50}})
    assert totals(done, "discharged_wh") == {SUN: 75, GRID: 25}
    assert totals(done, "lost_wh") == {SUN: 75, GRID: 25}


def test_content_beyond_the_rated_capacity_has_been_lost() -> None:
    done = through([1000, 0], [0, 0], [1000, 0], [0, 700], cap=700)
    assert totals(done, "lost_wh") == {SUN: 300, GRID: 0}
    assert totals(done, "discharged_wh") == {SUN: 700, GRID: 0}


def test_two_stores_keep_accounts_of_their_own() -> None:
    stores = [
        Store("day", np.array([0, 400]), np.array([0, 0]), 1_000_000),
        Store("night", np.array([400, 0]), np.array([0, 100]), 1_000_000),
    ]
    done = route({SUN: np.array([0, 400]), GRID: np.array([400, 0])}, stores)
    assert done.content_wh == {"day": {SUN: 400, GRID: 0}, "night": {SUN: 0, GRID: 300}}


@given(amounts, amounts, amounts, amounts, st.integers(1, 1_000_000), st.one_of(st.none(), st.integers(0, 10**9)))
def test_every_watt_hour_is_accounted_for(
    sun: list[int], grid: list[int], charge: list[int], discharge: list[int], ppm: int, cap: int | None
) -> None:
    done = through(sun, grid, charge, discharge, ppm=ppm, cap=cap)
    for name, supply in ((SUN, sun), (GRID, grid)):
        assert (done.direct_wh[name] + done.charged_wh[name]).tolist() == supply, (
            "supply = direct + charged, slot by slot"
        )
        assert (done.discharged_wh[name] >= 0).all()
        assert (done.lost_wh[name] >= 0).all()
    used = sum(done.load_wh().values())
    expected = np.array(sun) + np.array(grid) - np.array(charge) + np.array(discharge)
    assert used.tolist() == expected.tolist(), "load = supply - charged + discharged, slot by slot"
    spent = {name: totals(done, "discharged_wh")[name] + totals(done, "lost_wh")[name] for name in (SUN, GRID)}
    spent[GRID] -= done.unrecorded_wh
    for name in (SUN, GRID):
        assert totals(done, "charged_wh")[name] == spent[name] + done.content_wh["b"][name], (
            "no origin turns into another"
        )


@given(
    st.lists(st.lists(st.integers(-5, 10**12), min_size=3, max_size=3), min_size=2, max_size=4),
    st.integers(-(10**12), 10**12),
)
def test_shares_add_up(weights: list[list[int]], amount: int) -> None:
    parts = shares(np.array([amount] * 3), np.array(weights))
    assert (parts.sum(axis=0) == amount).all()


def test_an_efficiency_is_a_fraction() -> None:
    for ppm in (0, 1_000_001):
        with pytest.raises(Misuse, match="efficiency"):
            Store("b", np.array([0]), np.array([0]), ppm)
