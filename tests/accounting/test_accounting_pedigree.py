"""Pedigree: GSD² by the published matrix, the emission-weighted score, and how a plant states it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from zerofactory.accounting.inventory import counted, knowledge_of
from zerofactory.accounting.pedigree import data_quality_score, gsd_squared, half_width, uncertainty_factor
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.spread import Z95, spread_of, stakes
from zerofactory.errors import NotFound
from zerofactory.factors.load import factor_book
from zerofactory.site.load import plant as read_plant
from zerofactory.site.model import Plant
from zerofactory.standards.load import standard

SCORES = {"reliability": 2, "completeness": 2, "temporal": 3, "geographical": 1, "technological": 3}
TEXT = """
[plant]
id = "p"
name = "厂"
time_zone = "Asia/Shanghai"
region = "CN-上海"
[organisation]
name = "公司"
[[shops]]
id = "paint"
kind = "paint"
name = "涂装"
[[sources]]
id = "a"
kind = "stationary_combustion"
name = "甲"
shop = "paint"
item = "natural_gas"
pedigree = {0}
[[sources]]
id = "b"
kind = "stationary_combustion"
name = "乙"
shop = "paint"
item = "natural_gas"
pedigree = {{ reliability = 1, completeness = 1, temporal = 1, geographical = 1, technological = 1 }}
[[sources]]
id = "c"
kind = "stationary_combustion"
name = "丙"
shop = "paint"
item = "natural_gas"
"""


def plant(pedigree: str) -> Plant:
    made, problems = read_plant(TEXT.format(pedigree))
    assert made is not None, [problem.sentence("en") for problem in problems]
    return made


def test_gsd_squared_by_hand() -> None:
    factors = (1.05, 1.02, 1.10, 1.00, 1.20)
    expected = math.exp(math.sqrt(sum(math.log(u) ** 2 for u in factors)))
    assert gsd_squared(SCORES, factor_book()) == pytest.approx(expected, rel=1e-12)
    with_basic = math.exp(math.hypot(math.log(expected), math.log(2.0)))
    assert gsd_squared(SCORES, factor_book(), "transport_tkm") == pytest.approx(with_basic, rel=1e-12)


def test_best_scores_add_nothing_and_worse_ones_never_less() -> None:
    book = factor_book()
    assert gsd_squared(dict.fromkeys(SCORES, 1), book) == 1.0
    for indicator in SCORES:
        factors = [uncertainty_factor(book, indicator, score) for score in range(1, 6)]
        assert factors == sorted(factors)


@pytest.mark.parametrize(("indicator", "score"), [("colour", 1), ("reliability", 0), ("reliability", 6)])
def test_unknown_scores_are_refused(indicator: str, score: int) -> None:
    with pytest.raises(NotFound):
        uncertainty_factor(factor_book(), indicator, score)


def test_half_width_is_that_of_the_lognormal() -> None:
    sigma = math.log(gsd_squared(SCORES, factor_book())) / 2
    assert half_width(SCORES, factor_book()) == pytest.approx(Z95 * math.sqrt(math.exp(sigma**2) - 1), rel=1e-9)


def booked(made: Plant, activity: Callable[..., dict[str, object]], frame: Any) -> pl.DataFrame:
    rows = [
        activity(n, name, "stationary_combustion", amount, "Nm3", item="natural_gas")
        for n, (name, amount) in enumerate((("a", 1000.0), ("b", 3000.0), ("c", 1000.0)), start=1)
    ]
    found = quantify(frame(*rows), made, factor_book(), known_at=date(2026, 1, 15))
    assert found.problems == ()
    return counted(found.records, standard("iso_14064_1_2018"), "location")


def test_score_is_weighted_by_emission(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    made = plant("{ reliability = 4, completeness = 4, temporal = 4, geographical = 3, technological = 5 }")
    found = data_quality_score(booked(made, activity, frame), made, factor_book())
    assert found.score == pytest.approx(0.25 * 4.0 + 0.75 * 1.0)
    assert found.covered_fraction == pytest.approx(0.8)
    assert [one.source_id for one in found.contributors] == ["a", "b"]


def test_a_stated_pedigree_widens_the_record(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    made = plant("{ reliability = 3, technological = 3 }")
    chosen = booked(made, activity, frame).filter(pl.col("gas") == "CO2")
    widths = dict(chosen.select("source_id", "uncertainty_fraction").iter_rows())
    own = half_width({"reliability": 3, "technological": 3}, factor_book())
    assert widths["a"] == pytest.approx(math.hypot(widths["c"], own), rel=1e-12)
    parts = {one.part.key: one.part for one in stakes(spread_of(chosen, None, knowledge_of(made)))}
    assert parts["pedigree:a"].half_width_fraction == pytest.approx(own, rel=1e-6)
    assert parts["pedigree:a"].shape == "lognormal"
    assert "pedigree:c" not in parts


def test_faulty_pedigree_is_told_with_its_place() -> None:
    made, problems = read_plant(TEXT.format("{ reliabilty = 2, temporal = 7 }"))
    assert made is None
    assert [problem.column for problem in problems] == [
        "sources[0].pedigree.reliabilty",
        "sources[0].pedigree.temporal",
    ]
    assert all(problem.row for problem in problems)
