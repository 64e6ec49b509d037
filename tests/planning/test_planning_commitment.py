"""A plan file is read whole or refused with every fault and its place."""

from __future__ import annotations

import pytest

from zerofactory.errors import FaultyData
from zerofactory.planning.commitment import read_plan
from zerofactory.planning.measure import measures
from zerofactory.reference_plant.generate import plan_text

MINIMAL = """
[plan]
title = { zh = "计划", en = "plan" }
commitment = { zh = "减排", en = "reduce" }
scope = { zh = "厂内", en = "on site" }
base_year = 2025
first_year = 2026
last_year = 2030
reduction_strategy = { zh = "甲", en = "a" }
maintenance_strategy = { zh = "乙", en = "b" }
offset_strategy = { zh = "丙", en = "c" }
"""


def _codes(more: str, head: str = MINIMAL) -> dict[str, str | None]:
    with pytest.raises(FaultyData) as refused:
        read_plan(head + more)
    return {problem.column or "": problem.code for problem in refused.value.problems}


def test_the_recommended_plan_is_sound_and_names_people_for_plant_and_supply_chain() -> None:
    plan = read_plan(plan_text())
    assert {role.area for role in plan.mechanism.roles} == {"plant", "supply_chain"}
    assert {task.stage for task in plan.tasks} <= {"plan", "do", "check", "act"}
    assert set(plan.measures) <= set(measures())
    assert all(process.accountable for process in plan.mechanism.processes)
    assert plan.plan.neutral_year is not None


def test_the_smallest_plan_has_the_defaults() -> None:
    plan = read_plan(MINIMAL)
    assert plan.economics.budget(2027) is None
    assert plan.plan.regime == "market_annual"
    assert plan.stated("pv_roof").size is None


@pytest.mark.parametrize(
    ("more", "column"),
    [
        ("[economics]\nbudget_cny = -1\n", "economics.budget_cny"),
        ("[economics]\ndiscount_fraction = 1.5\n", "economics.discount_fraction"),
        ("[economics.volume]\n2027 = 0\n", "economics.volume.2027"),
        ("[measures.pv_roof]\nsize = -5\n", "measures.pv_roof.size"),
        ("[measures.gec_purchase]\nmax_fraction = 1.2\n", "measures.gec_purchase.max_fraction"),
        ("[measures.trees]\nstart_year = 2050\n", "measures.trees.start_year"),
        ('[[end_uses]]\nid = "lighting"\nshare_fraction = 2.0\n', "end_uses.lighting.share_fraction"),
    ],
)
def test_numbers_out_of_range_are_told_with_their_place(more: str, column: str) -> None:
    assert _codes(more) == {column: "planning.range"}


def test_unknown_keys_words_and_books_are_refused_together() -> None:
    found = _codes('surprise = 1\n[economics]\ngrid = "dream"\n[measures.magic]\nsize = 1\n')
    assert found["plan.surprise"] == "planning.unknown_key"
    words = _codes('[economics]\ngrid = "dream"\ncarbon_price = "dear"\n[measures.magic]\nsize = 1\n')
    assert words["economics.grid"] == words["measures"] == "planning.unknown"
    assert "name.not_found" in words.values()
    regime = MINIMAL.replace("base_year", 'regime = "hourly"\nbase_year')
    assert _codes("", regime) == {"plan.regime": "planning.unknown"}


def test_a_category_that_the_standard_does_not_have_is_refused() -> None:
    target = """
[[targets]]
id = "x"
title = { zh = "甲", en = "a" }
method = "stated"
scope = "3"
target_year = 2030
reduction_fraction = 0.2
categories = ["4.1", "9.9"]
"""
    assert _codes(target) == {"targets.categories": "planning.unknown"}


def test_what_is_no_toml_says_so() -> None:
    assert _codes("[plan\n") == {"": "planning.not_toml"}
