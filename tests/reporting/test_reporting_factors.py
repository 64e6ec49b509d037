"""What repeats in the factor tables stands once, and everything else refers to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zerofactory.errors import Text
from zerofactory.reporting.sections import emissions, evidence, factors

if TYPE_CHECKING:
    from zerofactory.reporting.statement import Statement


def test_every_factor_names_its_source_and_its_products(full: Statement) -> None:
    read, sources = factors.factors(full), factors.factor_sources(full)
    marks = {row[0] for row in sources.rows}
    assert len(read.rows) == len(full.factors)
    assert len(sources.rows) == 3
    assert {row[6] for row in read.rows} == marks
    assert [row[7] for row in read.rows] == ["R1", "R2", "R2", "R3"]


def test_places_in_one_document_stand_together(full: Statement) -> None:
    (guideline,) = [str(row[1]) for row in factors.factor_sources(full).rows if "核算方法与报告指南" in str(row[1])]
    assert guideline.endswith("附录二 表2.1 第3行, 第4行")


def test_a_reason_says_the_choice_once_and_no_value_or_source(full: Statement) -> None:
    rows = factors.factor_reasons(full).rows
    assert [row[0] for row in rows] == ["R1", "R2", "R3"]
    assert rows[1][1] == Text("按次序取第一种。", "By order the first.")
    assert isinstance(rows[1][2], Text)
    assert rows[1][2].zh.count("kgCO2/Nm3") == 3
    assert rows[0][1] == full.applied_factors[0].reason


def test_the_workbook_keeps_the_whole_reason(full: Statement) -> None:
    assert [row[4] for row in factors.applied_factors(full).rows] == [line.reason for line in full.applied_factors]


def test_gases_stand_in_the_order_of_the_standard(full: Statement) -> None:
    titles = [row[0] for row in emissions.gases(full).rows]
    assert [title.zh.split()[-1] for title in titles if isinstance(title, Text)] == [
        "CO₂", "CH₄", "N₂O", "HFCs", "PFCs", "SF₆", "NF₃", "合计",
    ]  # fmt: skip


def test_single_gases_stand_under_their_family(full: Statement) -> None:
    from zerofactory.reporting.statement import GasLine

    names = ("CO2", "HFC-134a", "HFC-32", "HFO-1")
    split = replace(full, gases=tuple(GasLine(name, Text(name, name), 1, 0, 1.0) for name in names))
    rows = {
        str(row[0].zh if isinstance(row[0], Text) else row[0]).strip(): row[4] for row in emissions.gases(split).rows
    }
    assert rows["氢氟碳化物 HFCs"] == 2
    assert rows["其中 HFC-134a"] == 1
    assert rows["六氟化硫 SF₆"] == 0
    assert rows["合计"] == 4


def test_methods_list_the_sources_they_are_for(full: Statement) -> None:
    rows = evidence.methods(full).rows
    assert len(rows) == 2
    assert rows[0][2] == Text("燃气锅炉、涂装烘干炉", "Gas boilers; Paint ovens")


@pytest.mark.parametrize("table", [factors.factors, factors.applied_factors, factors.factor_sources, factors.gwp])
def test_without_factors_it_says_so(bare: Statement, table: object) -> None:
    made = table(bare)  # type: ignore[operator]
    assert made.rows == ()
    assert made.note is not None
