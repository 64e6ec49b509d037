"""The document form: what it accepts, and every fault it tells, in Chinese and English."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.errors import Problem, Text
from zerofactory.metering.activity import ACTIVITIES, form_columns, from_form, overlaps
from zerofactory.tables import Column

HEADERS = ("排放源", "开始日期", "结束日期", "数量", "单位", "品种", "数据来源", "凭证号", "备注")
GOOD = ("diesel", "2025-03-01", "2025-03-31", "1,250.5", "公斤", "柴油", "结算", "CY-03", None)


@pytest.fixture(scope="module")
def kinds(bench: Any) -> dict[str, Any]:
    details = (
        Column("method", "text", Text("方法", "method"), choices=("service", "screening")),
        Column("leak_fraction", "number", Text("泄漏率", "leak rate"), nullable=True, minimum=0.0, maximum=1.0),
        Column("serials", "text", Text("证书编号", "serial numbers"), nullable=True),
    )
    balance = (("opening", 1), ("purchased", 1), ("closing", -1))
    return {
        "fuel": bench.kind(("mass", "volume"), ("diesel", "gasoline"), item_required=True),
        "gas": bench.kind(("mass",), (), balance=balance, details=details),
    }


@pytest.fixture(scope="module")
def plant(bench: Any) -> Any:
    sources = [
        bench.source("diesel"),
        bench.source("cars", item="gasoline"),
        bench.source("chiller", "gas", detail={"method": "service"}, shop="body"),
        bench.source("cylinders", "gas"),
        bench.source("grid", "fuel", meters=("m",)),
        bench.source("odd", "no_such_kind"),
    ]
    return bench.plant([bench.meter("m")], sources)


def form(*rows: tuple[Any, ...], headers: tuple[str, ...] = HEADERS) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict.fromkeys(headers, pl.String), orient="row")


def changed(**cells: str | None) -> tuple[str | None, ...]:
    places = {
        "source": 0,
        "start": 1,
        "end": 2,
        "quantity": 3,
        "unit": 4,
        "item": 5,
        "tier": 6,
        "document": 7,
        "note": 8,
    }
    row: list[str | None] = list(GOOD)
    for name, value in cells.items():
        row[places[name]] = value
    return tuple(row)


def test_a_good_row_becomes_an_activity(plant: Any, kinds: Any) -> None:
    frame, problems = from_form(form(GOOD), plant, kinds, "f.xlsx")
    assert problems == []
    assert ACTIVITIES.check(frame) == []
    row = frame.row(0, named=True)
    assert row["started_at"] == datetime(2025, 2, 28, 16, tzinfo=UTC)
    assert row["ended_at"] == datetime(2025, 3, 31, 16, tzinfo=UTC)
    wanted = {
        "source_id": "diesel",
        "source_kind": "fuel",
        "shop": "paint",
        "period": "2025-03",
        "item": "diesel",
        "quantity": 1250.5,
        "unit": "kg",
        "tier": "invoiced",
        "estimated_fraction": 0.0,
        "detail": "{}",
        "document": "CY-03",
        "evidence": None,
        "note": None,
    }
    assert {name: row[name] for name in wanted} == wanted


def test_english_headers_typed_cells_and_names_of_sources(plant: Any, kinds: Any) -> None:
    frame = pl.DataFrame(
        {
            " Source* ": ["source cars"],
            "start date": [date(2025, 3, 1)],
            "END": [datetime(2025, 3, 1, 12)],  # noqa: DTZ001
            "Quantity (L)": [12],
            "unit": ["L"],
        }
    )
    rows, problems = from_form(frame, plant, kinds)
    assert problems == []
    assert rows.select("source_id", "item", "quantity", "unit", "tier").row(0) == (
        "cars",
        "gasoline",
        12.0,
        "L",
        "invoiced",
    )


def test_balance_and_particulars(plant: Any, kinds: Any) -> None:
    headers = (*HEADERS, "期初库存", "purchased", "期末库存", "方法", "泄漏率")
    rows = [
        (
            "chiller",
            "2025-01-01",
            "2025-01-31",
            None,
            "kg",
            "R410A",
            None,
            None,
            "盘点",
            "0.3",
            "0.1",
            "0.2",
            None,
            "0.25",
        ),
        (
            "cylinders",
            "2025-01-01",
            "2025-01-31",
            "7",
            "kg",
            None,
            "估算",
            None,
            None,
            None,
            None,
            None,
            "screening",
            None,
        ),
    ]
    frame, problems = from_form(form(*rows, headers=headers), plant, kinds)
    assert problems == []
    first, second = frame.iter_rows(named=True)
    assert (first["quantity"], first["shop"], first["item"]) == (0.2, "body", "R410A")
    assert first["detail"] == '{"leak_fraction":0.25,"method":"service"}'
    assert first["note"] == "盘点; 期初库存 0.3 + 本期购入 0.1 - 期末库存 0.2"
    assert (second["detail"], second["tier"], second["estimated_fraction"]) == (
        '{"method":"screening"}',
        "estimated",
        1.0,
    )


def test_empty_lines_are_left_out_and_rows_keep_their_numbers(plant: Any, kinds: Any) -> None:
    empty = tuple([None] * 8 + ["  "])
    frame, problems = from_form(
        form(GOOD, empty, changed(unit="bogus", document="2", start="2025-04-01", end="2025-04-02")), plant, kinds
    )
    assert [problem.row for problem in problems] == [4]
    assert len(frame) == 0


FAULTS = [
    ({"source": "nobody"}, "unknown_source", "排放源"),
    ({"source": None}, "unknown_source", "排放源"),
    ({"source": "grid"}, "source_is_metered", "排放源"),
    ({"source": "odd"}, "unknown_kind", "排放源"),
    ({"start": "2025-02-30"}, "unreadable_date", "开始日期"),
    ({"end": "soon"}, "unreadable_date", "结束日期"),
    ({"start": "1925-03-01"}, "unreadable_date", "开始日期"),
    ({"start": "2025011"}, "unreadable_date", "开始日期"),
    ({"start": "2025105"}, "unreadable_date", "开始日期"),
    ({"start": "2025-04-01"}, "end_before_start", "结束日期"),
    ({"start": "2019-12-31"}, "outside_plant_life", "开始日期"),
    ({"quantity": "many"}, "not_a_number", "数量"),
    ({"quantity": "inf"}, "not_a_number", "数量"),
    ({"quantity": "-3"}, "negative", "数量"),
    ({"quantity": "1e15"}, "too_large", "数量"),
    ({"quantity": None}, "no_quantity", "数量"),
    ({"unit": "bogus"}, "unknown_unit", "单位"),
    ({"unit": None}, "no_unit", "单位"),
    ({"unit": "kWh"}, "wrong_unit", "单位"),
    ({"item": "coal"}, "unknown_item", "品种"),
    ({"item": None}, "no_item", "品种"),
    ({"source": "cars"}, "item_differs", "品种"),
    ({"tier": "guess"}, "unknown_tier", "数据来源"),
]


@pytest.mark.parametrize(("cells", "code", "column"), FAULTS)
def test_each_fault(plant: Any, kinds: Any, cells: dict[str, str | None], code: str, column: str) -> None:
    frame, problems = from_form(form(changed(**cells)), plant, kinds, "f.csv")
    assert len(frame) == 0
    told = [problem for problem in problems if problem.code == f"metering.{code}"]
    assert len(told) == 1, problems
    bilingual(told[0])
    assert (told[0].file, told[0].row, told[0].column) == ("f.csv", 2, column)


def bilingual(problem: Problem) -> None:
    for text in (problem.message, problem.hint):
        assert text.zh
        assert text.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
        assert text.zh != text.en
    assert "{value}" not in problem.sentence("zh") + problem.sentence("en")


@pytest.mark.parametrize(
    ("headers", "cells", "code", "column"),
    [
        (("期初库存", "期末库存"), ("5", "1"), "quantity_and_balance", "数量"),
        (("期初库存", "期末库存"), ("-5", None), "negative", "期初库存"),
        (("泄漏率",), ("2",), "out_of_range", "泄漏率"),
        (("泄漏率",), ("x",), "not_a_number", "泄漏率"),
        (("方法",), ("magic",), "not_a_choice", "方法"),
        ((), (), "missing_detail", "method"),
    ],
)
def test_faults_of_balance_and_particulars(
    plant: Any, kinds: Any, headers: tuple[str, ...], cells: tuple[str | None, ...], code: str, column: str
) -> None:
    row = ("cylinders", "2025-01-01", "2025-01-31", "7", "kg", None, None, None, None, *cells)
    _, problems = from_form(form(row, headers=(*HEADERS, *headers)), plant, kinds)
    told = {problem.code: problem for problem in problems}
    assert f"metering.{code}" in told
    bilingual(told[f"metering.{code}"])
    assert told[f"metering.{code}"].column == column


def test_a_negative_balance_and_a_column_of_another_kind(plant: Any, kinds: Any) -> None:
    headers = (*HEADERS, "期初库存", "期末库存")
    short = ("chiller", "2025-01-01", "2025-01-31", None, "kg", None, None, None, None, "1", "5")
    foreign = (*GOOD, "1", None)
    _, problems = from_form(form(short, foreign, headers=headers), plant, kinds)
    assert [(problem.code, problem.row, problem.column) for problem in problems] == [
        ("metering.negative_balance", 2, "期初库存"),
        ("metering.not_for_this_source", 3, "期初库存"),
    ]
    for problem in problems:
        bilingual(problem)


def test_faults_of_the_header(plant: Any, kinds: Any) -> None:
    frame = form(GOOD).with_columns(颜色=pl.lit("red"), 计量单位=pl.lit("kg"))
    _, problems = from_form(frame, plant, kinds, "f.csv")
    assert {(problem.code, problem.row, problem.column) for problem in problems} == {
        ("metering.unknown_column", 1, "颜色"),
        ("metering.repeated_column", 1, "计量单位"),
    }
    _, problems = from_form(form(GOOD).drop("单位", "排放源"), plant, kinds)
    assert [(problem.code, problem.column) for problem in problems] == [
        ("metering.missing_column", "排放源"),
        ("metering.missing_column", "单位"),
    ]
    _, problems = from_form(form(), plant, kinds)
    assert [problem.code for problem in problems] == ["metering.no_rows"]
    for problem in problems:
        bilingual(problem)


def test_ten_faults_come_together(plant: Any, kinds: Any) -> None:
    rows = [changed(**cells, document=str(index)) for index, (cells, _, _) in enumerate(FAULTS)]
    _, problems = from_form(form(*rows), plant, kinds)
    told = {(problem.row, problem.code) for problem in problems}
    assert {(index + 2, f"metering.{code}") for index, (_, code, _) in enumerate(FAULTS)} <= told
    assert [problem.row for problem in problems] == sorted(problem.row or 0 for problem in problems)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({}, {"document": "other", "start": "2025-03-31", "end": "2025-04-30"}, "overlap"),
        ({}, {"document": None, "start": "2025-03-05", "end": "2025-03-05"}, "overlap"),
        ({}, {"document": "other", "start": "2025-03-05", "end": "2025-03-05"}, "overlap"),
        ({}, {"document": "other", "start": "2025-02-01", "end": "2025-03-01"}, "overlap"),
        ({}, {"start": "2025-05-01", "end": "2025-05-31"}, "repeated_document"),
        ({"end": "2025-03-01"}, {"end": "2025-03-01", "document": "other"}, None),
        ({"end": "2025-03-01"}, {"end": "2025-03-01"}, "repeated_document"),
        ({"end": "2025-03-01", "document": None}, {"end": "2025-03-01", "document": None}, "overlap"),
        ({}, {"start": "2025-04-01", "end": "2025-04-30", "document": "other"}, None),
        ({}, {"item": "gasoline", "document": "other"}, None),
        ({}, {"source": "cars", "item": None}, None),
    ],
)
def test_overlaps_inside_a_form(
    plant: Any, kinds: Any, first: dict[str, str], second: dict[str, str], code: str | None
) -> None:
    for rows in ([changed(**first), changed(**second)], [changed(**second), changed(**first)]):
        _, problems = from_form(form(*rows), plant, kinds)
        assert [problem.code for problem in problems] == ([f"metering.{code}"] if code else [])
        for problem in problems:
            bilingual(problem)
            assert problem.message.en.count("row 2") + problem.message.en.count("row 3") == 1


@pytest.mark.parametrize(
    ("booked", "new", "clashes"),
    [
        ({}, {}, True),
        ({}, {"start": "2025-03-31", "end": "2025-05-02", "document": "x"}, True),
        ({"start": "2025-02-10"}, {"start": "2025-02-01", "end": "2025-02-10", "document": "x"}, True),
        ({}, {"start": "2025-04-01", "end": "2025-04-30", "document": "x"}, False),
        ({}, {"start": "2025-03-09", "end": "2025-03-09", "document": "x"}, True),
        ({"end": "2025-03-01"}, {"end": "2025-03-01", "document": "x"}, False),
        ({"end": "2025-03-01"}, {"end": "2025-03-01"}, True),
        ({"end": "2025-03-01"}, {"document": "x"}, True),
        ({}, {"item": "gasoline"}, False),
    ],
)
def test_overlaps_with_the_book(
    plant: Any, kinds: Any, booked: dict[str, str], new: dict[str, str], clashes: bool
) -> None:
    old, fresh = (from_form(form(changed(**cells)), plant, kinds)[0] for cells in (booked, new))
    problems = overlaps(fresh, old, "f.csv")
    assert bool(problems) is clashes
    for problem in problems:
        bilingual(problem)
        assert problem.code == "metering.already_booked"
        assert problem.file == "f.csv"
    assert overlaps(fresh, ACTIVITIES.empty()) == []


def test_two_instruments_of_one_source_are_no_overlap(plant: Any, kinds: Any) -> None:
    headers = (*HEADERS, "证书编号", "方法")
    rows = [
        ("cylinders", "2025-01-01", "2025-01-31", "7", "kg", None, None, None, None, serial, "service")
        for serial in ("A-1", "A-2")
    ]
    frame, problems = from_form(form(*rows, headers=headers), plant, kinds)
    assert problems == []
    assert overlaps(frame.head(1), frame.tail(1)) == []
    _, problems = from_form(form(rows[0], rows[0], headers=headers), plant, kinds)
    assert [problem.code for problem in problems] == ["metering.overlap"]


def test_a_document_over_months_is_split_by_days(plant: Any, kinds: Any) -> None:
    frame, problems = from_form(form(changed(start="2024-12-20", end="2025-02-10", quantity="53")), plant, kinds)
    assert problems == []
    assert frame["period"].to_list() == ["2024-12", "2025-01", "2025-02"]
    assert frame["quantity"].to_list() == [12.0, 31.0, 10.0]
    assert frame["started_at"].to_list()[1:] == frame["ended_at"].to_list()[:-1]
    assert all("2024-12-20..2025-02-10" in note for note in frame["note"])
    assert frame["activity_id"].n_unique() == 3


@settings(max_examples=40, deadline=None)
@given(
    quantity=st.decimals(0, 10**9, places=6),
    start=st.dates(date(2020, 1, 1), date(2026, 1, 1)),
    days=st.integers(0, 800),
    time_zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_parts_of_a_split_document_add_up(
    bench: Any, kinds: Any, quantity: Any, start: date, days: int, time_zone: str
) -> None:
    plant = bench.plant([], [bench.source("diesel")], time_zone)
    end = date.fromordinal(start.toordinal() + days)
    row = changed(start=start.isoformat(), end=end.isoformat(), quantity=str(quantity))
    frame, problems = from_form(form(row), plant, kinds)
    assert problems == []
    assert sum(round(part * 10**6) for part in frame["quantity"]) == round(float(quantity) * 10**6)
    assert frame["period"].to_list() == sorted(set(frame["period"]))
    assert ACTIVITIES.check(frame) == []


def test_the_columns_of_a_form_are_titled_in_both_languages(kinds: Any) -> None:
    columns = form_columns(kinds.values())
    names = [column.name for column in columns]
    assert names[:4] == ["source", "start", "end", "quantity"]
    assert {"opening", "purchased", "closing", "method", "leak_fraction"} <= set(names)
    assert all(column.title.zh != column.title.en for column in columns)


def test_ids_do_not_depend_on_the_order_of_rows(plant: Any, kinds: Any) -> None:
    rows = [changed(), changed(start="2025-04-01", end="2025-04-30", document="x")]
    one, _ = from_form(form(*rows), plant, kinds)
    other, _ = from_form(form(*reversed(rows)), plant, kinds)
    assert sorted(one["activity_id"]) == sorted(other["activity_id"])


def test_a_moment_with_a_zone_is_no_date() -> None:
    from zerofactory.metering.cells import dates

    zoned = pl.Series([datetime(2025, 1, 31, 16, tzinfo=UTC)])
    assert dates(zoned).to_list() == [None]
    assert dates(pl.Series(["20250131", "2025131"])).to_list() == [date(2025, 1, 31), None]
