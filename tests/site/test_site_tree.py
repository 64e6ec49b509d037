"""The meter tree, the boundary in words and the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import Misuse, NotFound, Text
from zerofactory.periods import Period
from zerofactory.site import load
from zerofactory.site.boundary import consolidated_fraction, described
from zerofactory.site.calendar import is_workday, shift_at, shifts_of, workdays
from zerofactory.site.locate import rows_of
from zerofactory.site.model import Calendar, Shift, amount_unit
from zerofactory.site.tree import UnreadableFormula, circle, meter_tree, parse_formula

PLANT = """
[plant]
id = "demo"
name = "示范"
time_zone = "Asia/Shanghai"
region = "CN"
[organisation]
name = "示范"
consolidation = "equity_share"
equity_share_fraction = 0.6
[[boundary.exclusions]]
what = "宿舍"
reason = "不受控"
[[meters]]
id = "a"
name = "a"
carrier = "electricity"
kind = "register"
unit = "kWh"
[[meters]]
id = "b"
name = "b"
carrier = "electricity"
kind = "register"
unit = "kWh"
parent = "a"
[[meters]]
id = "c"
name = "c"
carrier = "electricity"
kind = "virtual"
unit = "kWh"
formula = "a - b"
parent = "a"
[[meters]]
id = "d"
name = "d"
carrier = "electricity"
kind = "virtual"
unit = "kWh"
formula = "2 * c + b"
parent = "b"
"""


def test_tree_opens_virtual_meters_and_knows_descendants() -> None:
    plant, problems = load.plant(PLANT)
    assert plant is not None, problems
    tree = meter_tree(plant)
    assert tree.terms == {"c": {"a": 1, "b": -1}, "d": {"a": 2, "b": -1}}
    assert tree.children == {"a": ("b", "c"), "b": ("d",)}
    assert tree.descendants("a") == ("b", "d", "c")
    assert tree.roots() == ("a",)
    assert consolidated_fraction(plant) == 0.6
    assert any("宿舍" in text.zh for text in described(plant))
    with pytest.raises(NotFound):
        plant.meter("z")


def test_a_tree_of_an_unchecked_plant_is_misuse() -> None:
    plant, _ = load.plant(PLANT)
    assert plant is not None
    object.__setattr__(plant.meters[2], "formula", "c + a")
    with pytest.raises(Misuse):
        meter_tree(plant)


@pytest.mark.parametrize("text", ["", "a b", "a -", "a + 1.5 * b", "a + x", "* a", "a - - b"])
def test_unreadable_formulas(text: str) -> None:
    with pytest.raises(UnreadableFormula):
        parse_formula(text, {"a", "b"})


@given(
    st.dictionaries(st.sampled_from(["grid-in", "paint.2", "车身", "x1"]), st.integers(1, 99), min_size=1), st.data()
)
def test_a_formula_reads_back(terms: dict[str, int], data: st.DataObject) -> None:
    signed = {name: data.draw(st.sampled_from([1, -1])) * number for name, number in terms.items()}
    text = " ".join(f"{'-' if number < 0 else '+'} {abs(number)} * {name}" for name, number in signed.items())
    assert parse_formula(text, signed) == signed


@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=3), max_size=9))
def test_a_circle_is_found_exactly_when_there_is_one(raw: dict[int, list[int]]) -> None:
    links = {str(key): [str(value) for value in values] for key, values in raw.items()}
    left = {key: set(values) for key, values in links.items()}
    while leaves := [key for key, values in left.items() if not values & left.keys()]:
        for key in leaves:
            del left[key]
    found = circle(links)
    assert bool(found) == bool(left)
    for here, following in zip(found, (*found[1:], *found[:1]), strict=True):
        assert following in links[here]


def test_units_of_gauges() -> None:
    assert [amount_unit(unit) for unit in ("kW", "MW", "m3/h", "t/h")] == ["kWh", "MWh", "m3", "t"]
    with pytest.raises(NotFound):
        amount_unit("kWh")


def test_rows_of_nested_tables() -> None:
    rows = rows_of("[a]\nx = 1\n[[b.c]]\ny = 1\n[[b.c]]\ny = 2\n[b.c.d]\nz = 1\n")
    assert rows[("a", "x")] == 2
    assert rows[("b", "c", 1, "y")] == 6
    assert rows[("b", "c", 1, "d", "z")] == 8


def test_workdays_and_shifts() -> None:
    late = Shift(Text("夜班", "night"), time(22), time(6))
    calendar = Calendar((late,), holidays=(date(2025, 1, 1),), extra_workdays=(date(2025, 1, 26),))
    assert not is_workday(calendar, date(2025, 1, 1))
    assert is_workday(calendar, date(2025, 1, 26))
    assert len(workdays(calendar, Period(2025, 1))) == 23
    friday_night = datetime(2025, 1, 3, 18, 30, tzinfo=UTC)  # Saturday 02:30 in Shanghai
    assert shift_at(calendar, friday_night, "Asia/Shanghai") == late
    assert shift_at(calendar, datetime(2025, 1, 4, 18, 30, tzinfo=UTC), "Asia/Shanghai") is None
    assert shift_at(calendar, datetime(2025, 1, 3, 4, tzinfo=UTC), "Asia/Shanghai") is None


def test_a_shift_of_some_weekdays_and_a_day_made_up() -> None:
    early, late = (
        Shift(Text("早班", "early"), time(7), time(15)),
        Shift(Text("中班", "late"), time(15), time(23), (1, 2, 3, 4, 5)),
    )
    calendar = Calendar((early, late), (1, 2, 3, 4, 5, 6), extra_workdays=(date(2025, 10, 11),))
    assert shifts_of(calendar, date(2025, 3, 7)) == (early, late)
    assert shifts_of(calendar, date(2025, 3, 8)) == (early,)
    assert shifts_of(calendar, date(2025, 10, 11)) == (early, late)
    assert shifts_of(calendar, date(2025, 3, 9)) == ()
    saturday_evening = datetime(2025, 3, 8, 10, tzinfo=UTC)
    assert shift_at(calendar, saturday_evening, "Asia/Shanghai") is None
    assert shift_at(calendar, saturday_evening - timedelta(days=1), "Asia/Shanghai") == late
