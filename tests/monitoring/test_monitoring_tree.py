"""Grams through the meter tree: by hand, and whatever the amounts, the shares of an activity add up."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.factors.load import factor_book
from zerofactory.monitoring.booking import Booking
from zerofactory.monitoring.tree import Carrying
from zerofactory.periods import Period
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant

METERS = [
    ("IN1", "kWh", None, "paint"), ("IN2", "kWh", None, "paint"), ("TOP", "kWh", None, "paint"), ("P", "kWh", "TOP", "paint"),
    ("B", "kWh", "TOP", "body"), ("P1", "kWh", "P", "paint"), ("P2", "MWh", "P", "paint"), ("P11", "kWh", "P1", "paint"),
    ("W", "m3", None, "paint"),
]  # fmt: skip
TEXT = (
    '[plant]\nid = "t"\nname = "t"\ntime_zone = "Asia/Shanghai"\nregion = "CN-上海"\n[organisation]\nname = "t"\n'
    '[[shops]]\nid = "paint"\nkind = "paint"\nname = "paint"\n[[shops]]\nid = "body"\nkind = "body"\nname = "body"\n'
    + "".join(
        f'[[meters]]\nid = "{name}"\nname = "m"\ncarrier = "{"water" if unit == "m3" else "electricity"}"\n'
        f'kind = "interval"\nunit = "{unit}"\nshop = "{shop}"\n' + (f'parent = "{parent}"\n' if parent else "")
        for name, unit, parent, shop in METERS
    )
    + '[[sources]]\nid = "bought"\nkind = "purchased_electricity"\nname = "bought"\nitem = "electricity"\n'
    'meters = ["IN1", "IN2"]\nsplit = ["P", "B"]\n'
)


@pytest.fixture(scope="module")
def plant() -> Plant:
    made, problems = load_plant(TEXT)
    assert made is not None, problems
    return made


@pytest.fixture(scope="module")
def carrying(plant: Plant) -> tuple[Booking, Carrying]:
    names = tuple(meter.id for meter in plant.meters)
    booking = Booking(plant, factor_book(()), Period(2025, 3), names, date(2026, 1, 15))
    return booking, Carrying(plant, booking.groups, names, booking.has_factor)


def test_by_hand(carrying: tuple[Booking, Carrying]) -> None:
    _, tree = carrying
    kwh = [60, 40, 104, 50, 30, 20, 0.025, 5, 7]
    sums = np.array([round(amount * 1000) for amount in kwh])
    grams, has = tree.of(sums, np.array([6000, 4000]))  # paint, body
    assert grams.tolist() == [6000, 4000, 13000, 6000, 4000, 2400, 3000, 600, 0]
    assert has.tolist() == [True] * 8 + [False]


@given(st.lists(st.integers(-5_000, 10**9), min_size=9, max_size=9))
def test_shares_add_up(carrying: tuple[Booking, Carrying], amounts: list[int]) -> None:
    booking, tree = carrying
    sums = np.array(amounts)
    booked = booking.of(sums)
    assert booked.quantity_milli.sum() == amounts[0] + amounts[1]
    grams, _ = tree.of(sums, booked.emissions_gco2e)
    assert grams[0] + grams[1] == booked.emissions_gco2e.sum() == grams[3] + grams[4]
