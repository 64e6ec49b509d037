"""The import forms: headers as the import reads them, nothing in the form itself, an example and an explanation."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from python_calamine import CalamineWorkbook

from zerofactory import units
from zerofactory.errors import Misuse, Text
from zerofactory.reporting.template_workbook import MeterChoice, SourceChoice, activities_workbook, readings_workbook
from zerofactory.tables import Column

if TYPE_CHECKING:
    from zerofactory.errors import Language

BOILER = SourceChoice(
    "boiler",
    Text("锅炉", "Boiler"),
    Text("固定燃烧", "stationary combustion"),
    ("normal_volume", "mass"),
    ("natural_gas", "diesel"),
)
COOLANT = SourceChoice(
    "chiller",
    Text("冷水机组", "Chiller"),
    Text("冷媒逸散", "refrigerant leakage"),
    ("mass",),
    (),
    True,
    (("opening", 1), ("purchased", 1), ("closing", -1)),
    (Column("method", "text", Text("方法", "method"), choices=("balance", "service")),),
)
METER = MeterChoice("E-001", Text("总进线", "Main incomer"), "register", "kWh")
HEADERS = {
    "zh": ["排放源", "开始日期", "结束日期", "数量", "单位", "品种", "数据来源", "凭证号", "备注"],
    "en": ["source", "start", "end", "quantity", "unit", "item", "tier", "document", "note"],
}


def sheets(book: bytes) -> dict[str, list[list[object]]]:
    """Rows of every sheet by name, the first sheet first."""
    read = CalamineWorkbook.from_filelike(io.BytesIO(book))
    return {name: [list(row) for row in read.get_sheet_by_name(name).to_python()] for name in read.sheet_names}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_headers_of_the_document_form(language: Language) -> None:
    form, *others = sheets(activities_workbook([BOILER, COOLANT], 2025, language)).values()
    assert form == [HEADERS[language] + ["opening", "purchased", "closing", "method"]]
    assert others[0][0] == form[0]


def test_headings_can_be_given() -> None:
    headings = {"opening": Text("期初", "opening")}
    form = next(iter(sheets(activities_workbook([COOLANT], 2025, "zh", headings)).values()))
    assert form[0][9] == "期初"


def test_example_uses_what_the_source_allows() -> None:
    example = list(sheets(activities_workbook([BOILER, COOLANT], 2025)).values())[1]
    boiler, coolant = (dict(zip(example[0], row, strict=True)) for row in example[1:3])
    assert boiler["单位"] == "Nm3"
    assert boiler["品种"] == "natural_gas"
    assert boiler["数量"] == 1000.0
    assert coolant["数量"] == ""
    assert coolant["opening"] == 100.0
    assert coolant["method"] == "balance"


def test_help_explains_every_column_and_unit_in_two_languages() -> None:
    explained = list(sheets(activities_workbook([BOILER, COOLANT], 2025)).values())[2]
    by_name = {row[0]: row for row in explained}
    for name in [*HEADERS["zh"], "opening", "method"]:
        assert by_name[name][2]
        assert by_name[name][3]
    for symbol in (*units.symbols_of("mass"), *units.symbols_of("normal_volume")):
        assert symbol in by_name
    assert by_name["method"][4] == "balance, service"
    assert by_name["method"][5] == "chiller"


def test_help_names_the_items_in_two_languages() -> None:
    boiler = replace(BOILER, item_names={"natural_gas": Text("天然气", "natural gas")})
    explained = list(sheets(activities_workbook([boiler, COOLANT], 2025)).values())[2]
    assert ["natural_gas", "", "天然气", "natural gas"] in [row[:4] for row in explained]


def test_lists_follow_the_source() -> None:
    with zipfile.ZipFile(io.BytesIO(activities_workbook([BOILER, COOLANT], 2025))) as parts:
        form = parts.read("xl/worksheets/sheet1.xml").decode()
        names = parts.read("xl/workbook.xml").decode()
    assert "<formula1>choice_ids</formula1>" in form
    assert "OFFSET(first_unit,MATCH($A2,choice_ids,0)-1,0,1," in form
    assert '"metered,invoiced,estimated"' in form
    assert "$A$2:$A$3</definedName>" in names


@pytest.mark.parametrize(
    ("language", "headers"),
    [("zh", ["表计", "时间", "读数", "单位", "质量"]), ("en", ["meter", "time", "value", "unit", "quality"])],
)
def test_readings_form(language: Language, headers: list[str]) -> None:
    form, example, *_others = sheets(readings_workbook([METER], 2025, language)).values()
    assert form == [headers]
    assert example[1][:4] == ["E-001", "2025-01-01 00:00", 120.5, "kWh"]


def test_a_plant_without_meters_still_gets_a_form() -> None:
    assert next(iter(sheets(readings_workbook([], 2025)).values()))


def test_a_source_without_units_is_a_bug() -> None:
    with pytest.raises(Misuse):
        activities_workbook([SourceChoice("x", Text("x", "x"), Text("x", "x"), ())], 2025)


def test_same_plant_same_bytes() -> None:
    assert activities_workbook([BOILER], 2025) == activities_workbook([BOILER], 2025)
