"""Bill of materials: nested amounts, and each way a table can be wrong, told with its row."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.bill_of_materials import BILL, Bill, needs, read_bill, rings
from zerofactory.errors import Problem

HEADERS = ["零部件", "上级", "数量", "单位", "供应商碳足迹", "材料", "再生材料", "再生比例", "取舍", "备注"]


def bill(*rows: str) -> tuple[Bill | None, list[Problem]]:
    cells = [[cell.strip() or None for cell in row.split("|")] for row in rows]
    columns = {name: [row[i] if i < len(row) else None for row in cells] for i, name in enumerate(HEADERS)}
    return read_bill(pl.DataFrame(columns, schema=dict.fromkeys(HEADERS, pl.String)), "car", "products/car.csv")


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def test_levels_multiply() -> None:
    """A car holds 4 wheels, a wheel 8 kg of steel and 5 bolts of 0.1 kg."""
    found, problems = bill(
        "wheel|  |4|件", "rim|wheel|8|kg||steel_bf_bof", "bolt|wheel|5|件", "bolt-steel|bolt|0.1|kg||steel_bf_bof"
    )
    assert problems == []
    assert found is not None
    assert {need.path: need.quantity for need in needs(found)} == {
        ("wheel", "rim"): 32.0,
        ("wheel", "bolt", "bolt-steel"): 2.0,
    }


def test_a_part_under_two_parents_counts_under_both() -> None:
    found, problems = bill("a||1|件", "b||2|件", "bolt|a|3|kg||x", "bolt|b|5|kg||x")
    assert problems == []
    assert found is not None
    assert sum(need.quantity for need in needs(found)) == 3 + 10


def test_a_cycle_is_named() -> None:
    found, problems = bill("a|c|1|件", "b|a|1|件", "c|b|1|件")
    assert found is None
    cycle = next(problem for problem in problems if problem.code == "bill.cycle")
    assert "a → b → c → a" in cycle.message.zh
    assert "a → b → c → a" in cycle.message.en
    assert cycle.file == "products/car.csv"


def test_a_part_inside_itself() -> None:
    assert "a → a" in next(p for p in bill("a|a|1|件")[1] if p.code == "bill.cycle").message.en


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("steel||-1|kg||x", "bill.negative"),
        ("steel||abc|kg||x", "bill.not_a_number"),
        ("steel||nan|kg||x", "bill.not_a_number"),
        ("steel||1|", "bill.empty"),
        ("steel||1|kgg||x", "name.not_found"),
        ("steel||1|kg", "bill.no_ground"),
        ("steel||1|kg|pf-1|x", "bill.no_ground"),
        ("steel||1|kg||x|y", "bill.recycled"),
        ("steel||1|kg||x||0.5", "bill.recycled"),
        ("steel||1|kg||x|y|1.5", "bill.above_one"),
        ("steel||1|kg||x|y|-0.5", "bill.negative"),
        ("steel||1|kg||||| 是", "bill.cut_off_reason"),
        ("steel||1|kg||||| 也许", "bill.not_yes_no"),
        ("steel|nowhere|1|kg||x", "bill.unknown_parent"),
    ],
)
def test_faults_of_a_row(row: str, code: str) -> None:
    found, problems = bill("ok||1|kg||x", row)
    assert found is None
    problem = next(problem for problem in problems if problem.code == code)
    assert problem.row == 3
    assert problem.message.zh
    assert problem.message.en


def test_all_faults_are_told_together() -> None:
    _, problems = bill("a||-1|kg||x", "b||x|kg||x", "c||1|foo||x")
    assert {problem.row for problem in problems} == {2, 3, 4}


def test_an_assembly_with_a_figure_of_its_own_counts_twice() -> None:
    assert codes(bill("seat||1|件|pf-1", "frame|seat|3|kg||x")[1]) == ["bill.counted_twice"]


def test_repeated_row_and_unknown_column() -> None:
    assert codes(bill("a||1|kg||x", "a||2|kg||x")[1]) == ["bill.repeated"]
    frame = pl.DataFrame({"零部件": ["a"], "数量": ["1"], "颜色": ["红"]})
    assert sorted(codes(read_bill(frame, "car", "f")[1])) == ["bill.missing_column", "bill.unknown_column"]


def test_english_headers_and_a_cut_off() -> None:
    frame = pl.DataFrame({"part": ["oil"], "quantity": ["2"], "unit": ["公斤"], "cut_off": ["yes"], "note": ["small"]})
    found, problems = read_bill(frame, "car", "f")
    assert problems == []
    assert found is not None
    assert (found.parts[0].unit, found.parts[0].cut_off) == ("kg", True)
    assert {column.title.en for column in BILL.columns}.isdisjoint({""})


@given(st.integers(2, 30))
def test_a_ring_of_any_length_is_found(size: int) -> None:
    below = {str(i): [str((i + 1) % size)] for i in range(size)}
    found = list(rings(below))
    assert len(found) == 1
    assert len(found[0]) == size + 1


def test_a_deep_bill_does_not_exhaust_the_stack() -> None:
    rows = ["p0||1|件", *(f"p{i}|p{i - 1}|1|件" for i in range(1, 3000)), "end|p2999|7|kg||x"]
    found, problems = bill(*rows)
    assert problems == []
    assert found is not None
    assert [need.quantity for need in needs(found)] == [7.0]
