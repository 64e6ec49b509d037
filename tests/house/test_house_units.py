"""Units against pint, an independent table, and against the definitions of the field."""

from __future__ import annotations

import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory import units
from zerofactory.errors import NotFound

PINT = pint.UnitRegistry()
SAME = {
    "kWh": "kilowatt_hour", "MWh": "megawatt_hour", "GJ": "gigajoule", "MJ": "megajoule", "TJ": "terajoule", "kJ": "kilojoule",
    "kg": "kilogram", "t": "metric_ton", "g": "gram", "lb": "pound", "m3": "meter**3", "L": "liter", "US_gal": "US_liquid_gallon",
    "km": "kilometer", "mile": "mile", "m2": "meter**2", "ha": "hectare", "h": "hour", "kW": "kilowatt", "MW": "megawatt",
    "MPa": "megapascal", "short_ton": "US_ton", "Gg": "gigagram",
}  # fmt: skip


@pytest.mark.parametrize("given_unit", SAME)
@pytest.mark.parametrize("wanted_unit", SAME)
def test_ratio_agrees_with_pint(given_unit: str, wanted_unit: str) -> None:
    left, right = PINT(SAME[given_unit]), PINT(SAME[wanted_unit])
    if left.dimensionality != right.dimensionality:
        with pytest.raises(units.WrongDimension):
            units.ratio(given_unit, wanted_unit)
    else:
        assert math.isclose(units.ratio(given_unit, wanted_unit), left.to(right).magnitude, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("value", "given_unit", "wanted_unit", "expected"),
    [
        (1, "tce", "GJ", 29.3076), (1, "万tce", "tce", 10000), (1, "kgce", "MJ", 29.3076), (1, "万Nm3", "Nm3", 10000),
        (1, "万元", "元", 10000), (1, "万度", "MWh", 10), (2.5, "万t·km", "t·km", 25000), (1, "short_ton·mile", "t·km", 1.459972),
        (3, "公斤", "t", 0.003), (1, "吨公里", "t·km", 1),
    ],
)  # fmt: skip
def test_units_of_the_field(value: float, given_unit: str, wanted_unit: str, expected: float) -> None:
    assert units.convert(value, given_unit, wanted_unit) == pytest.approx(expected, rel=1e-6)


def test_normal_and_metered_cubic_metres_do_not_mix() -> None:
    with pytest.raises(units.WrongDimension) as caught:
        units.ratio("m3", "Nm3")
    problem = caught.value.as_problem()
    assert "万Nm3" in problem.hint.zh
    assert "cannot become" in problem.message.en


def test_unknown_unit_lists_near_ones() -> None:
    with pytest.raises(NotFound) as caught:
        units.parse("kWhh")
    assert "kWh" in caught.value.choices


@given(
    st.floats(min_value=-1e12, max_value=1e12),
    st.sampled_from([u for u in units.symbols() if units.parse(u).dimension == "energy"]),
)
def test_conversion_there_and_back(value: float, unit: str) -> None:
    assert units.convert(units.convert(value, unit, "kWh"), "kWh", unit) == pytest.approx(value, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("unit", units.symbols())
def test_every_unit_is_named_in_both_languages(unit: str) -> None:
    title = units.parse(unit).title
    assert title.zh
    assert title.en
    assert title.zh != title.en
    assert units.parse(title.zh) == units.parse(unit)
