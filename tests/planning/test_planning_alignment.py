"""The self-check against frameworks, on cases whose answer is known."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.planning.alignment import checks
from zerofactory.planning.commitment import Head
from zerofactory.planning.pathway import Base, pathway
from zerofactory.planning.target import Target

T = Text("甲", "a")
CELLS = {(1, "p", "1.1"): 100, (2, "p", "2.1"): 300, (3, "u", "4.1"): 500, (3, "u", "5.1"): 100}
BASE = Base(2025, CELLS, {2025: 1.0})


def _head(neutral: int | None = None) -> Head:
    return Head(T, T, T, 2025, 2026, 2050, T, T, T, neutral_year=neutral)


def _target(name: str, scope: str, year: int, cut: float, *categories: str) -> Target:
    return Target(name, T, "stated", scope, year, reduction_fraction=cut, categories=categories)  # type: ignore[arg-type]


def _met(*targets: Target, base: Base = BASE, neutral: int | None = None) -> dict[str, bool | None]:
    ways = [pathway(target, base) for target in targets]
    found = checks(("sbti_v1", "sbti_v2", "cn_dual_carbon"), _head(neutral), base, ways)
    return {f"{one.framework}.{one.rule.id}": one.met for one in found}


def test_a_plan_that_meets_everything() -> None:
    met = _met(
        _target("near", "1+2", 2030, 0.42), _target("one", "1", 2030, 0.42), _target("two", "2", 2030, 0.42),
        _target("goods", "3", 2031, 0.25, "4.1"), _target("long", "all", 2050, 0.90), _target("chain", "3", 2035, 0.25), neutral=2050,
    )  # fmt: skip
    assert all(met.values()), met


def test_nothing_set_meets_nothing_that_is_asked() -> None:
    met = _met()
    assert not any(met.values()), met


def test_a_reduction_just_too_small_for_absolute_contraction_fails() -> None:
    """2025 to 2030 asks 4.2 % x 10 = 42 %."""
    assert _met(_target("near", "1+2", 2030, 0.42))["sbti_v1.aca_1_5c"]
    assert not _met(_target("near", "1+2", 2030, 0.41))["sbti_v1.aca_1_5c"]


def test_scope_3_is_asked_from_forty_percent_on_and_covered_to_two_thirds() -> None:
    """Scope 3 is 600 of 1000 g; category 4.1 alone covers 500 of 600 = 83 %, category 5.1 alone 17 %."""
    assert _met(_target("goods", "3", 2030, 0.25, "4.1"))["sbti_v1.coverage_3_near"]
    assert not _met(_target("use", "3", 2030, 0.25, "5.1"))["sbti_v1.coverage_3_near"]
    small = Base(2025, {(1, "p", "1.1"): 900, (3, "u", "4.1"): 100}, {2025: 1.0})
    assert _met(base=small)["sbti_v1.coverage_3_near"]


def test_a_blended_target_is_not_enough_for_version_two() -> None:
    met = _met(_target("near", "1+2", 2030, 0.42))
    assert met["sbti_v1.coverage_12"]
    assert not met["sbti_v2.scope_1"]
    assert not met["sbti_v2.scope_2"]


def test_five_years_are_the_cycle_of_version_two_and_ten_the_longest_of_version_one() -> None:
    met = _met(_target("far", "1+2", 2036, 0.70))
    assert not met["sbti_v1.near_term"]
    assert not met["sbti_v2.cycle"]
    assert _met(_target("near", "1+2", 2030, 0.42))["sbti_v2.cycle"]
