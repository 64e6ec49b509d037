"""The workbook read back: real numbers, every checklist item, and no cell that becomes a formula."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from python_calamine import CalamineWorkbook

from zerofactory.errors import Text
from zerofactory.reporting.spreadsheet import SHEETS, render_xlsx, sheet_name

if TYPE_CHECKING:
    from zerofactory.errors import Language
    from zerofactory.reporting.statement import Statement


def rows(book: bytes, key: str, language: Language = "zh") -> list[list[object]]:
    """Rows of one worksheet."""
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name(sheet_name(key, language))
    return [list(row) for row in sheet.to_python(skip_empty_area=False)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_sheets(full: Statement, bare: Statement, language: Language) -> None:
    for statement in (full, bare):
        book = CalamineWorkbook.from_filelike(io.BytesIO(render_xlsx(statement, language)))
        assert book.sheet_names == [sheet_name(key, language) for key in SHEETS]


def test_figures_are_numbers_in_tonnes(full: Statement) -> None:
    found = rows(render_xlsx(full, "en"), "categories", "en")
    total = next(row for row in found if row[1] == "Total")
    assert total[2] == pytest.approx(full.total_gco2e / 1e6, abs=1e-9)
    assert total[3] == 1.0


def test_exact_total_and_moments(full: Statement) -> None:
    book = render_xlsx(full, "zh")
    assert [str(full.total_gco2e)] == [row[1] for row in rows(book, "summary") if row[0] == "排放总量（精确）"]
    gap = next(row for row in rows(book, "quality") if str(row[0]).startswith("涂装空调"))
    assert gap[1] == datetime(2025, 7, 3, 10, 15)  # noqa: DTZ001 - a workbook stores the plant's clock


def test_checklist_names_section_and_sheet(full: Statement) -> None:
    found = [row for row in rows(render_xlsx(full, "zh"), "checklist") if len(str(row[0])) == 1]
    assert [row[0] for row in found if row[0] != "条"] == list("abcdefghijklmnopqrst")
    assert all(all(row[1:5]) for row in found)


def test_factors_carry_their_provenance(full: Statement) -> None:
    found = rows(render_xlsx(full, "zh"), "factors")
    row = next(row for row in found if row[1] == "cn.grid.prov.shanghai.2023")
    assert row[2] == 0.5737
    assert row[4:8] == ["已核对原文", "中", "S1", "R1"]
    sources = rows(render_xlsx(full, "zh"), "factor_notes")
    assert "公告2025年第47号" in next(str(line[1]) for line in sources if line[0] == "S1")


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_text_never_becomes_a_formula(full: Statement, start: str) -> None:
    name = f'{start}HYPERLINK("http://x","y")'
    hostile = replace(full.methods[0], method=Text(name, name))
    book = render_xlsx(replace(full, methods=(hostile, *full.methods[1:])), "zh")
    assert name in [row[1] for row in rows(book, "methods")]
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheets = [parts.read(part).decode() for part in parts.namelist() if "worksheets/sheet" in part]
        assert not any("<f>" in sheet or "<f " in sheet for sheet in sheets)
        assert 'quotePrefix="1"' in parts.read("xl/styles.xml").decode()


def test_same_statement_same_bytes(full: Statement) -> None:
    assert render_xlsx(full, "zh") == render_xlsx(full, "zh")
