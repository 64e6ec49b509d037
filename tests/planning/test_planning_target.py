"""Targets against hand-computed and published figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import FaultyData, Misuse, NotFound, Text
from zerofactory.planning.framework import framework, published_targets, sectors
from zerofactory.planning.pathway import Base, pathway
from zerofactory.planning.target import (
    Sector,
    Target,
    compound_intensity,
    linear_path,
    progress_fraction,
    required_reduction,
    sda_intensity,
)

CELLS = {
    (1, "paint", "1.1"): 333_333_331,
    (1, "body", "1.3"): 7,
    (2, "paint", "2.1"): 666_666_667,
    (3, "utilities", "4.1"): 10**12,
}
BASE = Base(2020, CELLS, {2020: 1000.0})


def _target(**more: object) -> Target:
    given_ = {"id": "t", "title": Text("目标", "target"), "method": "absolute", "scope": "1+2", "target_year": 2030}
    return Target(**(given_ | more))  # type: ignore[arg-type]


def test_absolute_contraction_is_the_published_42_percent_by_2030() -> None:
    """SBTi: 4.2 % a year linear is 42 % by 2030 from base year 2020."""
    way = pathway(_target(framework="sbti_v1", rule="aca_1_5c"), BASE)
    assert way.base_gco2e == 1_000_000_005
    assert way.limits_gco2e[2030] == 580_000_002  # 0.58 x 1 000 000 005 = 580 000 002.9, rounded down
    assert way.limits_gco2e[2025] == 790_000_003  # 0.79 x 1 000 000 005 = 790 000 003.95


def test_a_later_base_year_owes_the_years_since_2020() -> None:
    """Base 2025, target 2030: 4.2 % x (2030 - 2020) = 42 % within five years, 8.4 % a year."""
    later = Base(2025, {(1, "paint", "1.1"): 1000}, {2025: 1.0})
    way = pathway(_target(framework="sbti_v1", rule="aca_1_5c"), later)
    assert [way.limits_gco2e[year] for year in range(2025, 2031)] == [1000, 916, 832, 748, 664, 580]


def test_an_earlier_base_year_counts_from_itself() -> None:
    assert required_reduction(0.042, 2015, 2030) == pytest.approx(0.63)
    assert required_reduction(0.042, 2000, 2030) == 1.0


def test_long_term_is_ninety_percent_by_2050_and_stays() -> None:
    way = pathway(_target(framework="sbti_v1", rule="long_term", target_year=2055, scope="all"), BASE)
    whole = sum(CELLS.values())
    assert max(way.limits_gco2e) == 2050
    assert way.limit(2050) == way.limit(2060) == whole // 10
    assert way.limit(2019) is None


def test_a_published_goal_of_a_maker_as_a_stated_target() -> None:
    """Volkswagen: production 90 % below 2018 by 2040 (volkswagen-group.com/en/nature-18174)."""
    goal = next(one for one in published_targets() if one.company.en == "Volkswagen Group" and one.year == 2040)
    assert goal.base_year == 2018
    assert goal.reduction_fraction == 0.90
    path = linear_path(2_200_000, goal.reduction_fraction, goal.base_year, goal.year)
    assert path[2029] == 1_210_000  # half way: 45 % of 2.2 t gone
    assert path[2040] == 220_000


def test_sectoral_approach_by_hand() -> None:
    """d = 12 - 2 = 10, p = (6 - 2)/(10 - 2) = 0.5; share of the market 1 % then 2 %: m = 0.01 / 0.02 = 0.5; CI = 4.5."""
    way = Sector(
        "s",
        Text("", ""),
        {2020: 10.0, 2030: 6.0, 2050: 2.0},
        {2020: 100.0, 2030: 200.0, 2050: 200.0},
        "t",
        "u",
        "",
        "placeholder",
    )
    assert sda_intensity((12.0, 1.0, 4.0), way, 2020, 2030) == pytest.approx(10 * 0.5 * 0.5 + 2)


def test_sectoral_approach_meets_the_sector_in_2050_and_the_company_in_the_base_year() -> None:
    way = sectors()["vehicle_manufacturing_illustration"]
    assert way.status == "placeholder"
    assert sda_intensity((0.9, 1e5, 2e5), way, 2020, 2050) == pytest.approx(0.06)
    assert sda_intensity((0.9, 1e5, 1e5), way, 2020, 2020) == pytest.approx(0.9)


def test_sda_limits_follow_the_output() -> None:
    way = pathway(
        _target(
            method="sda", framework="sbti_v1", rule="sda", sector="vehicle_manufacturing_illustration", target_year=2050
        ),
        Base(2020, {(1, "p", "1"): 10**9}, {2020: 1000.0}),
    )
    sector = sectors()["vehicle_manufacturing_illustration"]
    by_hand = (1.0 - 0.06) * (0.35 - 0.06) / (0.60 - 0.06) * ((1000 / 77.6e6) / (1000 / 95e6)) + 0.06
    assert way.limits_gco2e[2030] == int(by_hand * 1e6 * 1000)
    assert sector.intensity_in(2030) == 0.35


def test_compound_intensity_is_seven_percent_a_year() -> None:
    assert compound_intensity(10.0, 0.07, 10) == pytest.approx(4.839823071799)  # 10 x 0.93^10
    way = pathway(_target(method="intensity", framework="sbti_v1", rule="intensity_3", scope="3"), BASE)
    assert way.limits_gco2e[2021] == int(10**12 * 0.93)


def test_a_blank_number_is_refused_and_not_invented() -> None:
    with pytest.raises(FaultyData) as refused:
        pathway(_target(framework="sbti_v2", rule="scope_1", scope="1"), BASE)
    assert refused.value.problems[0].code == "planning.blank_number"


def test_unknown_names_list_the_choices() -> None:
    with pytest.raises(NotFound) as unknown:
        framework("sbti")
    assert "sbti_v1" in unknown.value.choices
    with pytest.raises(Misuse):
        linear_path(1, 0.5, 2030, 2030)


def test_progress() -> None:
    assert progress_fraction(1000, 700, 580) == pytest.approx(300 / 420)
    assert progress_fraction(1000, 1100, 580) < 0
    assert progress_fraction(1000, 1000, 1000) == 1.0


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15), st.sampled_from([0.1, 0.42, 0.9, 1.0]))
def test_shares_add_up_to_the_gram(one: int, two: int, three: int, reduction: float) -> None:
    base = Base(2025, {(1, "a", "1"): one, (2, "a", "2"): two, (2, "b", "2"): three}, {2025: 1.0})
    way = pathway(_target(method="stated", reduction_fraction=reduction, target_year=2037), base)
    for year, limit in way.limits_gco2e.items():
        assert sum(way.shares_gco2e[year].values()) == (limit if one + two + three else 0)
    assert all(
        earlier >= later
        for earlier, later in zip(list(way.limits_gco2e.values()), list(way.limits_gco2e.values())[1:], strict=False)
    )
