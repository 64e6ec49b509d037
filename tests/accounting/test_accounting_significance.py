"""The significance test: scores against a threshold, at least 95 % in, nothing of 1 % out."""

from __future__ import annotations

import pytest

from zerofactory.accounting.significance import Assessment, assess, rules, sentence
from zerofactory.errors import Text
from zerofactory.site.load import plant as read_plant
from zerofactory.site.model import Judgement, Significance
from zerofactory.standards.load import standard

BOOK = standard("iso_14064_1_2018")
INDIRECT = [category.id for category in BOOK.categories if category.scope == 3]
REASON = Text("理由", "reason")


def judged(category: str, score: int, estimate: float | None = None, included: bool = True) -> Judgement:
    return Judgement(category, included, score, score, score, score, REASON, estimated_tco2e=estimate)


def judge_all(booked: dict[str, int], *special: Judgement) -> Assessment:
    own = {entry.category: entry for entry in special}
    rest = [own.get(name) or judged(name, 1, 0.0, included=name in booked) for name in INDIRECT]
    return assess(Significance(categories=tuple(rest)), booked, BOOK)


def codes(result: Assessment) -> list[str]:
    return [problem.code.removeprefix("accounting.") for problem in result.problems]


def test_a_complete_inventory_has_no_fault() -> None:
    result = judge_all({"4.1": 600_000_000, "5.1": 400_000_000}, judged("5.1", 5))
    assert result.complete
    assert result.included_fraction == 1.0
    line = next(line for line in result.lines if line.category == "5.1")
    assert (line.score, line.significant) == (5.0, True)
    assert "100.0 %" in sentence(result).zh


def test_a_large_exclusion_is_named() -> None:
    result = judge_all({"4.1": 90_000_000}, judged("5.1", 1, 10.0, included=False))
    assert result.included_fraction == pytest.approx(0.9)
    assert codes(result) == ["exclusion_too_large", "too_little_included"]


def test_a_significant_category_left_out_is_named() -> None:
    result = judge_all({"4.1": 1_000_000_000}, judged("5.1", 5, 1.0, included=False))
    assert codes(result) == ["significant_left_out"]


def test_an_unjudged_category_is_named() -> None:
    result = assess(None, {"4.1": 1}, BOOK)
    assert codes(result) == ["not_judged"] * (len(INDIRECT) - 1)


def test_an_unknown_category_is_named() -> None:
    result = assess(Significance(categories=(judged("9.9", 3),)), {}, BOOK)
    assert "unknown_category" in codes(result)


def test_a_threshold_of_the_plant_counts() -> None:
    entry = judged("4.1", 2)
    strict = assess(Significance(threshold_score=1.5, categories=(entry,)), {"4.1": 1}, BOOK)
    loose = assess(Significance(threshold_score=4.5, categories=(entry,)), {"4.1": 1}, BOOK)
    first = {True: strict, False: loose}
    assert [next(x for x in result.lines if x.category == "4.1").significant for result in first.values()] == [
        True,
        False,
    ]


def test_every_rule_has_a_source() -> None:
    assert all(rule["source"] and rule["status"] in ("verified", "secondary", "expert") for rule in rules().values())


def test_the_plant_file_takes_scores_and_refuses_wrong_ones() -> None:
    text = """
[plant]
id = "p"
name = "p"
time_zone = "Asia/Shanghai"
region = "CN-上海"
[organisation]
name = "o"
[[boundary.significance.categories]]
category = "5.1"
included = true
influence = 4
risk = 9
stakeholder = 3
data_access = 2
estimated_tco2e = -1.0
reason = "why"
[[boundary.significance.categories]]
category = "5.1"
included = true
influence = 4
risk = 3
stakeholder = 3
data_access = 2
reason = "why"
"""
    made, problems = read_plant(text)
    assert made is None
    assert sorted(problem.code for problem in problems) == [
        "site.out_of_range", "site.out_of_range", "site.repeated_category",
    ]  # fmt: skip
    made, problems = read_plant(
        text.replace("risk = 9", "risk = 5").replace("= -1.0", "= 1.0").replace('"5.1"', '"5.3"', 1)
    )
    assert problems == []
    assert made is not None
    assert made.boundary.significance is not None
    assert [entry.category for entry in made.boundary.significance.categories] == ["5.3", "5.1"]
