"""One contract for every rule book: it loads, cites, stands in both languages where it speaks to people, and can be evaluated."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from tests.evaluation.evaluation_cases import evaluated, facts

from zerofactory.evaluation.finding import FINDINGS
from zerofactory.evaluation.rules import rules_of
from zerofactory.standards.criteria import evaluation_book, evaluation_names

NAMES = evaluation_names()


def test_the_books_that_the_field_asks_for():
    assert set(NAMES) == {
        "auto_zero_carbon_factory", "energy_carbon_centre_2025", "gb_t_23331_2020", "gb_t_36132_2018", "gb_t_36132_2025",
        "ghg_protocol_corporate", "ict_zero_carbon_factory_2022", "iso_14064_1_2018", "iso_14068_1_2023",
        "miit_zero_carbon_factory_2026", "pas_2060_2014", "qc_t_1160_2022", "sbti_net_zero", "t_ceca_g_0171_2022",
        "t_cieccpa_002_2021", "t_cieccpa_030_2023", "zero_carbon_park_2025",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_is_bilingual_and_cited(name: str):
    book = evaluation_book(name)
    assert book.citations
    for one in book.criteria:
        assert one.title.zh, one.id
        assert one.title.en, one.id
        assert one.source_ref, one.id
        for threshold in (one.base, one.lead):
            if threshold is not None:
                assert len(threshold.source) > 5, one.id
                assert len(threshold.date) == 10, one.id
    for grade in book.grades:
        assert grade.title.zh
        assert grade.title.en
        assert grade.source_ref


@pytest.mark.parametrize("name", NAMES)
def test_indicators_parameters_and_units_fit(name: str):
    rules = rules_of(evaluation_book(name))
    assert {form.indicator for one in rules.book.criteria for form in one.forms} <= set(rules.indicators)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_plant_is_judged_and_meets_nothing_it_must_show(name: str):
    found = evaluated(name, facts({}))
    frame = FINDINGS.frame([one.row() for one in found.findings])
    assert FINDINGS.check(frame) == []
    assert found.passed is not True
    assert found.grade is None
    assert {one.verdict for one in found.findings if one.kind == "mandatory"} <= {
        "not_met",
        "unknown",
        "not_applicable",
    }
    assert found.score is None or found.score.points == 0.0


def test_withdrawn_books_name_their_successors():
    withdrawn = {name: evaluation_book(name).successor for name in NAMES if evaluation_book(name).status == "withdrawn"}
    assert withdrawn == {"gb_t_36132_2018": "gb_t_36132_2025", "pas_2060_2014": "iso_14068_1_2023"}


def test_only_our_own_book_is_a_proposal_and_it_says_so():
    proposals = [name for name in NAMES if evaluation_book(name).proposal]
    assert proposals == ["auto_zero_carbon_factory"]
    book = evaluation_book("auto_zero_carbon_factory")
    assert "proposal" in book.title.en
    assert "建议稿" in book.title.zh
    assert sum(one.weight or 0.0 for one in book.criteria) == pytest.approx(100.0)
    assert all(one.rationale.zh and one.rationale.en for one in book.criteria)


SOURCES = Path(os.environ.get("ZF_REFERENCE", "/nonexistent")) / "evaluation"


@pytest.mark.skipif(not SOURCES.is_dir(), reason="ZF_REFERENCE names no folder of reference tables")
@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("gbt36132_2025", "gb_t_36132_2025"), ("gbt36132_2018_legacy", "gb_t_36132_2018"), ("qct1160_2022", "qc_t_1160_2022"),
        ("miit_zero_carbon_factory_2026", "miit_zero_carbon_factory_2026"), ("sbti", "sbti_net_zero"),
        ("energy_carbon_centre_functions", "energy_carbon_centre_2025"), ("iso14064_1_2018", "iso_14064_1_2018"),
        ("tceca_g_0171_2022", "t_ceca_g_0171_2022"), ("ghgp_scopes", "ghg_protocol_corporate"),
    ],
)  # fmt: skip
def test_every_row_of_the_reference_tables_is_a_criterion_with_its_source(table: str, name: str):
    book = {one.id: one for one in evaluation_book(name).criteria}
    for row in csv.DictReader((SOURCES / f"{table}.csv").read_text(encoding="utf-8").splitlines()):
        if row["id"] in ("gb36132.score",):
            continue
        one = book[row["id"]]
        assert one.source_ref == row["source_ref"]
        assert one.provenance == row["provenance"]
        assert one.clause == row["clause"]
        if row["weight"]:
            assert one.weight == float(row["weight"])
        if (
            not row["benchmark_base"]
            and not row["benchmark_lead"]
            and one.forms
            and one.forms[0].indicator != "book_holds"
        ):
            assert all(t is None or len(t.source) > 5 for t in (one.base, one.lead))
