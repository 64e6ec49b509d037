"""The probability of a verdict: against closed forms, shared parts, and the accounting simulation of the same records."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.evaluation.evaluation_cases import evaluated, facts, stated

from zerofactory.accounting.spread import Z95, Part
from zerofactory.errors import Misuse
from zerofactory.evaluation.amount import Amount, Facts
from zerofactory.evaluation.confidence import draw, keeps, probability
from zerofactory.evaluation.indicator import indicator

DRAWS = 40_000
NEAR = 4 * 0.5 / math.sqrt(DRAWS)  # four standard errors of a share


def sure(found: Facts, criterion: str, thresholds: str, name: str = "gb_t_36132_2025") -> tuple[str, float | None]:
    result = evaluated(name, found, thresholds, draws=DRAWS)
    finding = next(one for one in result.findings if one.criterion == criterion)
    return finding.verdict, finding.confidence_fraction


@pytest.mark.parametrize(
    ("limit", "half"), [(0.21, 0.10), (0.2, 0.10), (0.19, 0.05), (0.25, 0.20), (0.3, 0.6), (0.15, 0.8)]
)
def test_one_uncertain_amount_agrees_with_the_closed_form(limit: float, half: float):
    plant = facts({"energy@plant": 50_000.0, "vehicles": 250_000.0}, {"energy@plant": half})
    verdict, confidence = sure(plant, "gb36132.01", stated("gb36132.01", "tce/vehicle", limit, limit / 2))
    expected = probability(0.2, 0.2 * half, limit, "negative")
    if half < 0.30:
        assert expected == pytest.approx(stats.norm.cdf(limit, 0.2, 0.2 * half / Z95), abs=1e-12)
    else:
        sigma = math.sqrt(math.log1p((half / Z95) ** 2))
        assert expected == pytest.approx(
            stats.lognorm.cdf(limit, sigma, scale=0.2 * math.exp(-(sigma**2) / 2)), abs=1e-12
        )
    assert confidence == pytest.approx(expected if verdict == "met" else 1 - expected, abs=NEAR)


def test_a_certain_value_is_certain():
    plant = facts({"energy@plant": 50_000.0, "vehicles": 250_000.0})
    assert sure(plant, "gb36132.01", stated("gb36132.01", "tce/vehicle", 0.21, 0.1)) == ("met", 1.0)
    assert sure(plant, "gb36132.01", stated("gb36132.01", "tce/vehicle", 0.19, 0.1)) == ("not_met", 1.0)


def test_what_both_sides_of_a_ratio_share_cancels():
    def plant(shared: bool) -> Facts:
        keys = ("meter:a", "meter:a") if shared else ("meter:a", "meter:b")
        parts = {key: Part(key, "meter", 0.1, "normal") for key in keys}
        amounts = {"co2@location": Amount(100.0, {keys[0]: 10.0}), "energy@plant": Amount(50.0, {keys[1]: 5.0})}
        return Facts("2025", amounts, parts)

    one = indicator("carbon_per_energy")
    same = draw(plant(True), DRAWS).values(one, {"view": "location"})
    apart = draw(plant(False), DRAWS).values(one, {"view": "location"})
    assert same.std() < 1e-9
    assert apart.std() == pytest.approx(2.0 * math.hypot(0.1, 0.1) / Z95, rel=0.03)


def test_parts_are_drawn_in_their_own_shape():
    parts = {
        "low": Part("low", "factor", 0.5, "lognormal"),
        "tri": Part("tri", "factor", 0.4, "triangular", 0.4, 1.2),
    }
    amounts = {"co2@location": Amount(100.0, {"low": 50.0}), "vehicles": Amount(100.0, {"tri": 40.0})}
    drawn = draw(Facts("2025", amounts, parts), DRAWS)
    assert stats.skew(drawn.of("co2@location")) > 0.4
    assert drawn.of("co2@location").std() == pytest.approx(50.0 / Z95, rel=0.03)
    assert drawn.of("vehicles").min() >= 40.0
    assert drawn.of("vehicles").max() <= 120.0


def test_many_small_parts_together_keep_variance_and_covariance():
    generator = np.random.default_rng(5)
    sizes = generator.uniform(0.5, 1.5, 400)
    keys = [f"document:{number}" for number in range(400)]
    parts = {key: Part(key, "document", 0.05, "normal") for key in keys}
    one = Amount(1000.0, dict(zip(keys, sizes.tolist(), strict=True)))
    half = Amount(500.0, dict(zip(keys[:200], sizes[:200].tolist(), strict=True)))
    drawn = draw(Facts("2025", {"co2@location": one, "vehicles": half}, parts), DRAWS)
    covariance = np.cov(drawn.of("co2@location"), drawn.of("vehicles"))
    assert covariance[0, 0] == pytest.approx(float((sizes**2).sum()) / Z95**2, rel=0.05)
    assert covariance[0, 1] == pytest.approx(float((sizes[:200] ** 2).sum()) / Z95**2, rel=0.05)


def test_the_same_facts_and_seed_give_the_same_draws_and_new_amounts_move_no_large_part():
    parts = {"meter:a": Part("meter:a", "meter", 0.1, "normal")}
    first = Facts("2025", {"co2@location": Amount(100.0, {"meter:a": 10.0})}, parts)
    more = Facts("2025", {**first.amounts, "vehicles": Amount(9.0, {"meter:z": 1.0})}, parts)
    assert np.array_equal(draw(first, 100).of("co2@location"), draw(first, 100).of("co2@location"))
    assert np.allclose(draw(first, 100).of("co2@location"), draw(more, 100).of("co2@location"), rtol=1e-12)
    assert not np.array_equal(draw(first, 100, 1).of("co2@location"), draw(first, 100, 2).of("co2@location"))
    with pytest.raises(Misuse):
        draw(first, 1)


def test_probability_of_a_grade_is_that_of_all_it_asks_for_together():
    plant = facts(
        {"footprint@12": 100.0, "credits_retired": 100.0, "credit_age_years": 1.0, "claim_number": 1.0, "verification": 1.0,
         "holds@closed_period": 1.0, "holds@both_views": 1.0}, {"footprint@12": 0.05}
    )  # fmt: skip
    from tests.evaluation.evaluation_cases import shown

    proof = tuple(shown(f"iso_14068_1_2023/iso14068.{name}") for name in ("hier", "plan", "residual", "report"))
    found = evaluated("iso_14068_1_2023", plant, attested=proof, draws=DRAWS)
    assert found.grades[0].outcome == "reached"
    assert found.grades[0].probability == pytest.approx(0.5, abs=NEAR)  # the balance is exactly zero: a coin


@given(st.floats(0.01, 1e6), st.floats(0.0, 0.29), st.floats(-1e6, 1e6), st.sampled_from(["positive", "negative"]))
def test_probabilities_of_both_sides_add_up_to_one(value: float, half: float, limit: float, direction: str):
    other = "negative" if direction == "positive" else "positive"
    one = probability(value, value * half, limit, direction)  # type: ignore[arg-type]
    two = probability(value, value * half, limit, other)  # type: ignore[arg-type]
    assert 0.0 <= one <= 1.0
    if half > 1e-9:
        assert one + two == pytest.approx(1.0)


def test_equal_within_rounding_keeps_a_limit_unless_it_is_strict():
    third = np.array([0.1 + 0.2])
    assert keeps(third, 0.3, "negative").tolist() == [1.0]
    assert keeps(third, 0.3, "positive").tolist() == [1.0]
    assert keeps(third, 0.3, "positive", strict=True).tolist() == [0.0]
    assert keeps(np.array([np.nan, np.inf]), 0.3, "positive").tolist() == [0.0, 0.0]


def test_a_value_attested_as_a_whole_carries_its_own_half_width():
    from dataclasses import replace

    from tests.evaluation.evaluation_cases import shown

    said = replace(shown("gb_t_36132_2025/gb36132.01", "amount", 0.2), unit="tce/vehicle", half_width_fraction=0.1)
    entry = stated("gb36132.01", "tce/vehicle", 0.21, 0.1)
    finding = next(
        one
        for one in evaluated("gb_t_36132_2025", facts({}), entry, (said,), 100).findings
        if one.criterion == "gb36132.01"
    )
    assert finding.verdict == "met"
    assert finding.confidence_fraction == pytest.approx(stats.norm.cdf(0.21, 0.2, 0.02 / Z95), abs=1e-12)
