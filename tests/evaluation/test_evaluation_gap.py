"""The gap: limits that close it when they are met, in the terms of the roadmap where it can steer, and what people must bring."""

from __future__ import annotations

import pytest
from tests.evaluation.evaluation_cases import evaluated, facts
from tests.evaluation.test_evaluation_claims import BEST, OWN_SHOWN, SHOPS
from tests.evaluation.test_evaluation_gbt36132 import PLANT, SHOWN, THRESHOLDS

from zerofactory.evaluation.gap import gap, summary
from zerofactory.planning.lever import lever

OWN = "auto_zero_carbon_factory"
MIDDLE = {**BEST, "contract_electricity": 0.0, "onsite_electricity": 45e6, "direct_electricity": 0.0, "energy@paint": 20_000.0,
          "emissions@plant": 150_000.0, "matched_electricity": 45e6, "credits_retired": 0.0}  # fmt: skip


def test_the_gap_of_a_score_is_the_fewest_criteria_and_closes_it_exactly():
    before = evaluated(OWN, facts(MIDDLE, shops=SHOPS), attested=OWN_SHOWN)
    assert before.score is not None
    found = gap(before)
    assert found.grade is not None
    assert before.grade is not None
    minimum = found.grade.minimum
    assert minimum is not None
    assert found.points_missing == pytest.approx(minimum.value - before.score.points)
    scored = [need for need in found.needs if need.why == "score"]
    assert sum(need.points for need in scored) == pytest.approx(found.points_missing)
    entered = {need.criterion: need.limit.value for need in scored}
    after = before.score.points
    for finding in before.findings:
        if finding.criterion in entered:
            base, lead, weight = finding.base or 0.0, finding.lead or 0.0, finding.weight or 0.0
            after += weight * (entered[finding.criterion] - base) / (lead - base) - (finding.points or 0.0)
    assert after == pytest.approx(minimum.value)


def test_limits_in_the_terms_of_the_roadmap():
    found = gap(evaluated(OWN, facts(MIDDLE, shops=SHOPS), attested=OWN_SHOWN))
    assert found.limits
    for limit in found.limits:
        assert limit.unit == lever(limit.indicator).unit
        assert limit.direction == lever(limit.indicator).good
    assert str(len(found.needs)) in summary(found.needs).en


def test_required_figures_come_before_points():
    short = {**BEST, "credits_retired": 0.0, "contract_electricity": 150e6}
    found = gap(evaluated(OWN, facts(short, shops=SHOPS), attested=OWN_SHOWN))
    assert found.grade is not None
    assert found.grade.id == "zero_carbon"
    required = {need.criterion: need for need in found.needs if need.why == "required"}
    assert set(required) == {"zero.balance", "zero.power"}
    assert required["zero.power"].lever is not None
    assert (required["zero.power"].lever.indicator, required["zero.power"].lever.value) == ("renewable_fraction", 1.0)
    assert required["zero.balance"].lever is None
    assert required["zero.balance"].value == pytest.approx(2_000.0)


def test_missing_evidence_and_data_are_named():
    found = gap(evaluated(OWN, facts(BEST, shops=SHOPS), attested=OWN_SHOWN[1:]))
    assert [one.criterion for one in found.missing] == ["basic.law"]
    assert "没有证据" in found.missing[0].reason.zh


def test_a_book_without_grades_shows_what_is_below_its_thresholds():
    plant = facts({"co2@location": 300.0, "energy@plant": 100.0})
    found = gap(evaluated("miit_zero_carbon_factory_2026", plant))
    need = next(one for one in found.needs if one.criterion == "miit26.1.1")
    assert (need.limit.value, need.limit.direction) == (1.8, "at_most")
    assert need.lever is not None
    assert need.lever.indicator == "emissions_per_tce"
    assert found.grade is None


def test_a_plant_without_gap_needs_nothing():
    found = gap(evaluated(OWN, facts(BEST, shops=SHOPS), attested=OWN_SHOWN))
    assert (found.grade, found.needs, found.missing) == (None, (), ())


def test_vetoes_of_gb_36132_are_the_gap_whatever_the_score():
    found = gap(evaluated("gb_t_36132_2025", facts(PLANT), THRESHOLDS, SHOWN[1:]))
    assert [one.criterion for one in found.missing] == ["gb36132.basic.a"]


def test_a_scored_book_without_grades_shows_every_point_that_is_missing():
    before = evaluated("gb_t_36132_2025", facts(PLANT), THRESHOLDS, SHOWN)
    assert before.score is not None
    found = gap(before)
    assert found.points_missing == pytest.approx(100.0 - before.score.points)
    needs = {need.criterion: need for need in found.needs}
    assert "gb36132.08" not in needs  # at its lead value already
    assert needs["gb36132.01"].points == pytest.approx(4.0)
    assert needs["gb36132.01"].limit.value == pytest.approx(0.10)
    assert needs["gb36132.01"].lever is not None
    assert needs["gb36132.01"].lever.value == pytest.approx(100.0)  # kgce a vehicle
    measured = sum(need.points for need in found.needs)
    assert measured == pytest.approx(found.points_missing - 6 * 0.4)  # the assessor's mark is nobody's figure
