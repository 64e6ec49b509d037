"""A plant's own table: all faults at once; search, calendar, the book."""

from __future__ import annotations

from datetime import date

import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.factors.calendar import best_before
from zerofactory.factors.load import factor_book, read_set
from zerofactory.factors.resolve import search

HEADER = "id,role,item,name_zh,name_en,value,unit,region,valid_from,valid_to,source,confidence\n"
GOOD = "own.1,heat.default,heat,甲,a,0.1,tCO2/GJ,CN,2025-01-01,,s,high\n"


def test_every_fault_of_a_table_is_reported_with_its_row():
    text = HEADER + GOOD + (
        "own.1,heat.default,heat,甲,a,0.1,tCO2/GJ,CN,,,s,high\n"
        "own.2,heat.defalt,heat,甲,a,0.1,tCO2/GJ,CN,,,s,high\n"
        "own.3,heat.default,heat,甲,a,nought,tCO2/GJ,CN,,,s,high\n"
        "own.4,heat.default,heat,甲,a,0.1,tCO2/furlong,CN,,,s,high\n"
        "own.5,heat.default,heat,甲,a,0.1,tCO2/GJ,上海,,,s,high\n"
        "own.6,heat.default,heat,甲,a,0.1,tCO2/GJ,CN,2025-13-01,,s,high\n"
        "own.7,heat.default,heat,甲,a,0.1,tCO2/GJ,CN,2025-02-01,2025-01-01,s,high\n"
        "own.8,heat.default,heat,甲,a,0.1,tCO2/GJ,CN,,,s,certain\n"
        "own.9,heat.default,heat,,a,0.1,tCO2/GJ,CN,,,,high\n"
        "own.10,heat.default\n"
    )  # fmt: skip
    factor_set, problems = read_set(text, "own")
    assert factor_set is None
    found = [(problem.row, problem.code.removeprefix("factors."), problem.column) for problem in problems]
    assert found == [
        (3, "repeated_id", "id"),
        (4, "unknown_role", "role"),
        (5, "not_a_number", "value"),
        (6, "unknown_unit", "unit"),
        (7, "unknown_region", "region"),
        (8, "not_a_date", "valid_from"),
        (9, "dates_reversed", "valid_to"),
        (10, "confidence", "confidence"),
        (11, "empty", "name_zh"),
        (11, "empty", "source"),
        (12, "row_length", None),
    ]
    for problem in problems:
        assert problem.file == "own.csv"
        assert problem.message.zh
        assert problem.message.en
        assert problem.hint.zh
        assert problem.hint.en


def test_missing_columns_are_all_named():
    factor_set, problems = read_set("id,role,item\n", "own")
    assert factor_set is None
    assert {problem.column for problem in problems} == {
        "name_zh", "name_en", "value", "unit", "region", "source", "confidence",
    }  # fmt: skip
    assert read_set("", "own")[0] is None


def test_a_good_table_keeps_further_columns_and_the_printed_number():
    factor_set, problems = read_set(
        HEADER.strip() + ",laboratory\n" + GOOD.replace("0.1,", "0.100,").strip() + ",TÜV\n", "own"
    )
    assert not problems
    assert factor_set is not None
    factor = factor_set.factors[0]
    assert (factor.value, factor.value_text, factor.extra) == (0.1, "0.100", {"laboratory": "TÜV"})


def test_an_id_that_is_taken_is_refused():
    factor_set, _ = read_set(HEADER + GOOD.replace("own.1", "cn.heat.default"), "own")
    assert factor_set is not None
    with pytest.raises(FaultyData) as caught:
        factor_book([factor_set])
    assert [problem.code for problem in caught.value.problems] == ["factors.repeated_id"]


def test_an_unknown_id_lists_near_ones():
    with pytest.raises(NotFound) as caught:
        factor_book().factor("cn.grid.prov.shanghai.2024")
    assert "cn.grid.prov.shanghai.2023" in caught.value.choices


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cn.grid.nat.2022", "cn.grid.nat.2022"),
        ("上海 电力", "cn.grid.prov.shanghai.2023"),
        ("R-134a AR6", "gwp.hfc-134a.ar6"),
        ("乙炔 切割", "acetylene"),
        ("shanghai", "cn.grid.prov.shanghai.2023"),
    ],
)
def test_search_in_both_languages(text, first):
    assert search(factor_book(), text)[0].id == first


def test_search_for_nothing_finds_nothing():
    assert search(factor_book(), "") == []
    assert search(factor_book(), "no such thing") == []


def test_calendar_lists_what_is_due_and_not_what_has_a_newer_edition():
    book = factor_book()
    due = best_before(book, date(2026, 11, 22), within_days=60)
    assert [entry.best_before for entry in due] == sorted(entry.best_before for entry in due)
    shanghai = [entry for entry in due if entry.factor.id.startswith("cn.grid.prov.shanghai")]
    assert [(entry.factor.id, entry.best_before, entry.days_left) for entry in shanghai] == [
        ("cn.grid.prov.shanghai.2023", date(2026, 12, 31), 39)
    ]
    assert not any(entry.factor.role == "gwp" for entry in due)
    assert best_before(book, date(2020, 1, 1)) == [
        entry for entry in best_before(book, date(2020, 1, 1)) if entry.best_before <= date(2020, 1, 1)
    ]


def test_grid_editions_last_until_the_next_one_is_expected():
    days = {factor.best_before for factor in factor_book().sets["cn_grid_2022"].factors}
    assert days == {date(2025, 12, 31)}  # the day on which the 2023 factors came out
