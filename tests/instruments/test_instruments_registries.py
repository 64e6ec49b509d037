"""Every registry reads a worked export; hostile rows are told with their row and the heading of their column."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from zerofactory.instruments.eligibility import BY_THE_BOOK, TESTS
from zerofactory.instruments.neutrality import CHECKS, neutrality_standards
from zerofactory.instruments.registry import Reading, read, registries, registry
from zerofactory.instruments.rule import rules
from zerofactory.store.schema import FACTS

READING = Reading("export.csv", "0" * 64, date(2026, 3, 1), ("示例汽车有限公司", "Example Motor Co., Ltd."))
WORKED = {
    "gec": {
        "绿证编码起": "11111111111111111202503000000111", "绿证编码止": "11111111111111111202503000010011", "数量": "100",
        "电量生产年月": "202503", "项目编码": "11111111111111111", "能源类型": "光伏", "账户名称": "示例汽车有限公司",
    },
    "ccer": {
        "起始编号": "CCER-1", "终止编号": "CCER-500", "数量": "500", "减排起始": "2024/1/1", "减排结束": "2024年12月31日",
        "项目编号": "P1", "项目类型": "造林碳汇",
    },
    "cea": {"起始编号": "CEA25-0001", "终止编号": "CEA25-0900", "数量": "900", "年度": "2025", "品种代码": "CEA25"},
    "irec": {
        "Certificate From": "0000-0000-1000", "Certificate To": "0000-0000-1019", "Volume (MWh)": "20",
        "Production Period Start": "01/12/2023", "Production Period End": "31/12/2023", "Device Code": "D1", "Country": "China",
    },
    "go": {
        "Certificate Number From": "570304000000000000000012345678", "Certificate Number To": "570304000000000000000012345777",
        "Volume": "100", "Production Start": "2025-05-01", "Production End": "2025-05-31", "GSRN": "G1", "Country": "DE",
    },
    "verra": {
        "Serial Number": "0001-000001-000100-VCS-VCU-003-VER-US-0003-01012020-31122020-1", "Quantity Issued": "100",
        "Vintage Start": "01/01/2020", "Vintage End": "31/12/2020", "ID": "0003", "Country/Area": "US",
    },
    "gold_standard": {
        "Serial Number": "GS1-1-KE-GS7495-16-2025-30645-608-30350", "Quantity": "29743", "Vintage": "2025", "GSID": "GS7495",
        "Country": "KE",
    },
    "cdm": {
        "Start Serial": "CN-5-1000001-2-2-0-4321", "End Serial": "CN-5-1000900-2-2-0-4321", "Quantity": "900",
        "Monitoring Period Start": "2019-01-01", "Monitoring Period End": "2019-12-31", "Project Reference": "4321", "Country": "CN",
    },
    "tree_planting": {"起始编号": "T-1", "终止编号": "T-12", "固碳量(tCO2e)": "12", "监测年度": "2025", "地块编号": "A"},
}  # fmt: skip
SIZES = {
    "gec": 100,
    "ccer": 500,
    "cea": 900,
    "irec": 20,
    "go": 100,
    "verra": 100,
    "gold_standard": 29743,
    "cdm": 900,
    "tree_planting": 12,
}


def table(*rows: dict[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict.fromkeys(rows[0], pl.String()), orient="row")


def test_every_registry_has_a_worked_export() -> None:
    assert set(WORKED) == set(registries())


@pytest.mark.parametrize("name", WORKED)
def test_a_worked_export_gives_its_batch(name: str) -> None:
    batches, problems = read(registry(name), table(WORKED[name]), READING)
    assert problems == []
    (batch,) = batches
    assert batch.amount == SIZES[name]
    assert batch.kind in {"gec", "ccer", "cea", "irec", "go", "vcs", "gs", "cer", "tree"}
    assert batch.file_row == 2
    form = registry(name)
    assert form.reference
    assert form.title.zh != form.title.en
    assert form.status in ("verified", "secondary", "placeholder")


@pytest.mark.parametrize("name", WORKED)
def test_a_missing_column_and_an_empty_cell_are_told(name: str) -> None:
    for column in registry(name).columns:
        heading = next((one for one in column.headings if one in WORKED[name]), None)
        if not column.needed or heading is None:
            continue
        without = {key: text for key, text in WORKED[name].items() if key != heading}
        _, problems = read(registry(name), table(without), READING)
        assert [(p.code, p.row) for p in problems] == [("instruments.missing_column", 1)]
        _, problems = read(registry(name), table({**WORKED[name], heading: None}), READING)
        assert ("instruments.empty", 2, heading) in [(p.code, p.row, p.column) for p in problems]


def test_a_vintage_that_contradicts_the_serial_is_told() -> None:
    row = {**WORKED["verra"], "Vintage End": "31/12/2021"}
    _, problems = read(registry("verra"), table(row), READING)
    assert [(p.code, p.row, p.column) for p in problems] == [("instruments.registry_check", 2, "Vintage Start")]


def test_bundled_certificates_are_green_power_and_settle_equals_certificates() -> None:
    row = {**WORKED["gec"], "交易方式": "绿电交易", "结算电量(MWh)": "99.5"}
    batches, problems = read(registry("gec"), table(row), READING)
    assert batches[0].kind == "green_power"
    assert [(p.code, p.column) for p in problems] == [("instruments.ppa", "结算电量(MWh)")]


def test_money_in_another_currency_and_unknown_states_are_refused() -> None:
    row = {**WORKED["gec"], "单价": "3", "币种": "USD", "状态": "已转让"}
    _, problems = read(registry("gec"), table(row), READING)
    assert [(p.code, p.column) for p in problems] == [
        ("instruments.not_cny", "单价"),
        ("instruments.status_unknown", "状态"),
    ]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"绿证编码起": "5.70304E+29", "绿证编码止": "5.70304E+29"}, "instruments.serial_scientific"),
        (
            {"绿证编码起": "A-1", "绿证编码止": "A-99999999999999999999", "数量": "99999999999999999999"},
            "instruments.too_many_units",
        ),
        ({"绿证编码起": "A-5", "绿证编码止": "A-1"}, "instruments.serial_backwards"),
        ({"绿证编码起": "绿证", "绿证编码止": "绿证"}, "instruments.serial_unreadable"),
        ({"数量": "-5"}, "instruments.not_whole"),
        ({"数量": "nan"}, "instruments.not_a_number"),
        ({"电量生产年月": "2025-13"}, "instruments.date_unreadable"),
        ({"电量生产年月": "0025-01"}, "instruments.date_unreadable"),
        ({"单价": "-1"}, "instruments.negative_price"),
        ({"自发自用": "maybe"}, "instruments.not_yes_or_no"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_cells_are_refused(cells: dict[str, str], code: str) -> None:
    _, problems = read(registry("gec"), table({**WORKED["gec"], **cells}), READING)
    assert code in {problem.code for problem in problems}
    assert {problem.row for problem in problems} == {2}


def test_every_rule_is_tested_and_cited() -> None:
    for rule in rules().values():
        assert rule.clause
        assert rule.status in ("verified", "secondary", "placeholder")
        assert rule.text.zh != rule.text.en
        assert not rule.mandatory or rule.test in {*TESTS, *BY_THE_BOOK}, rule.id
        assert set(rule.kinds) <= {"*", "gec", "green_power", "irec", "go", "ccer", "cea", "vcs", "gs", "cer", "tree"}
    for standard in neutrality_standards().values():
        for one in standard.requirements:
            known = {"offset": set(TESTS), "gate": {"reduce_first"}, "declare": set(CHECKS)}[one.stage]
            assert not one.mandatory or one.test in known, one.id
            assert one.clause


def test_every_field_of_the_ledger_has_its_column() -> None:
    import csv
    from importlib.resources import files

    tables = {schema.name: schema for schema in FACTS}
    text = (files("zerofactory.instruments") / "ledger_fields.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        assert row["column"] in tables[row["table"]].names, row["field"]
