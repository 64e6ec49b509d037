"""Import: all faults of all files at once and nothing written, or everything written once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from zerofactory.errors import FaultyData
from zerofactory.periods import Period
from zerofactory.runs import close, import_data, reverse, verify
from zerofactory.runs.context import Context
from zerofactory.store.schema import ACTIVITIES, BATCHES

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]

TEN_FAULTS = (
    "nowhere,2025-01-01,2025-01-31,5,t,,结算,A1,",  # unknown source
    "diesel,2025-13-01,2025-01-31,5,t,,结算,A2,",  # unreadable date
    "diesel,2025-02-01,2025-01-31,5,t,,结算,A3,",  # ends before it starts
    "diesel,2025-03-01,2025-03-31,five,t,,结算,A4,",  # not a number
    "diesel,2025-04-01,2025-04-30,5,bushel,,结算,A5,",  # unknown unit
    "diesel,2025-05-01,2025-05-31,5,km,,结算,A6,",  # wrong dimension
    "diesel,2025-06-01,2025-06-30,-5,t,,结算,A7,",  # negative
    "diesel,2025-07-01,2025-07-31,5,t,unobtainium,结算,A8,",  # unknown item
    "diesel,2025-08-01,2025-08-31,,t,,结算,A9,",  # no quantity
    "diesel,2025-09-01,2025-09-30,5,t,,猜的,A10,",  # unknown tier
)


def problems_of(work: Callable[[], object]) -> list[tuple[int | None, str]]:
    with pytest.raises(FaultyData) as caught:
        work()
    for problem in caught.value.problems:
        assert problem.message.zh
        assert problem.message.en
        assert problem.message.zh != problem.message.en
        assert problem.file
    return [(problem.row, problem.code) for problem in caught.value.problems]


def test_ten_faults_in_one_file_give_ten_problems_and_nothing_is_imported(small: Context, write_form: Writer) -> None:
    path = write_form(*TEN_FAULTS, "diesel,2025-10-01,2025-10-31,5,t,,结算,A11,")
    found = problems_of(lambda: import_data.run(small, [path]))
    assert sorted({row for row, _ in found}) == list(range(2, 12))
    assert len({code for _, code in found}) >= 10
    assert len(found) == len(set(found)) == 10
    assert small.workspace.journal.rows(ACTIVITIES).is_empty()
    assert small.workspace.journal.rows(BATCHES).is_empty()


def test_faults_of_every_file_come_together(small: Context, write_form: Writer, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "表计,时间,读数\nE9,2025-01-01 00:00,1\nE1,never,1\nE1,2025-01-01 00:15,99999\nE1,2025-01-01 00:17,1\n",
        encoding="utf-8",
    )
    form = write_form("diesel,2025-04-01,2025-04-30,5,bushel,,结算,A5,")
    good = write_form("diesel,2025-04-01,2025-04-30,5,t,,结算,A6,", name="good.csv")
    found = problems_of(lambda: import_data.run(small, [bad, form, good, tmp_path / "absent.csv"]))
    assert len(found) == 6
    assert small.workspace.journal.rows(BATCHES).is_empty()
    assert not list(small.workspace.folder.glob("series/**/*.parquet"))


def test_dry_run_writes_nothing(small: Context, write_form: Writer) -> None:
    (result,) = import_data.run(small, [write_form("diesel,2025-04-01,2025-04-30,5,t,,结算,A6,")], dry_run=True)
    assert (result.status, result.rows, result.periods) == ("checked", 1, ("2025-04",))
    assert small.workspace.journal.rows(BATCHES).is_empty()


def test_the_same_content_counts_once(small: Context, write_form: Writer, reopen: Reopen) -> None:
    one = write_form("diesel,2025-04-01,2025-04-30,5,t,,结算,A6,")
    two = one.with_name("copy.csv")
    two.write_bytes(one.read_bytes())
    results = import_data.run(small, [one, two])
    assert [result.status for result in results] == ["imported", "already_imported"]
    (again,) = import_data.run(reopen(small), [two])
    assert again.status == "already_imported"
    assert small.workspace.journal.rows(ACTIVITIES).height == 1


def test_overlapping_documents_are_refused_in_the_file_and_against_the_book(
    small: Context, write_form: Writer, reopen: Reopen
) -> None:
    twice = write_form("diesel,2025-04-01,2025-04-30,5,t,,结算,A6,", "diesel,2025-04-20,2025-05-10,5,t,,结算,A7,")
    assert problems_of(lambda: import_data.run(small, [twice])) == [(3, "metering.overlap")]
    import_data.run(small, [write_form("diesel,2025-04-01,2025-04-30,5,t,,结算,A6,", name="a.csv")])
    other = write_form("diesel,2025-04-30,2025-05-10,5,t,,结算,A8,", name="b.csv")
    assert [code for _, code in problems_of(lambda: import_data.run(reopen(small), [other]))] == [
        "metering.already_booked"
    ]


def test_a_reversed_document_can_be_booked_again(small: Context, write_form: Writer, reopen: Reopen) -> None:
    import_data.run(small, [write_form("diesel,2025-04-01,2025-04-30,5,t,,结算,A6,", name="a.csv")])
    assert reverse.run(reopen(small), "A6", "数量写错") == 1
    import_data.run(reopen(small), [write_form("diesel,2025-04-01,2025-04-30,6,t,,结算,A6,", name="b.csv")])
    booked = small.workspace.journal.active(ACTIVITIES)
    assert booked["quantity"].to_list() == [6.0]
    assert small.workspace.journal.rows(ACTIVITIES)["quantity"].to_list() == [5.0, -5.0, 6.0]
    assert verify.run(reopen(small)).clean


def test_reversal_needs_a_reason_and_something_to_reverse(small: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        reverse.run(small, "nothing", " ")
    assert {problem.code for problem in caught.value.problems} == {"reverse.no_reason", "reverse.nothing"}


def test_a_closed_month_takes_late_facts_only_on_demand_and_counts_them_on_revision(
    small: Context, write_form: Writer, write_readings: Writer, reopen: Reopen
) -> None:
    import_data.run(small, [write_readings(1), write_form("diesel,2025-01-01,2025-01-31,5,t,,结算,A1,")])
    (first,) = close.run(reopen(small), Period(2025, 1))
    late = write_form("diesel,2025-01-01,2025-01-31,1,t,,结算,B1,", name="late.csv")
    codes = [code for _, code in problems_of(lambda: import_data.run(reopen(small), [late]))]
    assert "import.period_closed" in codes
    reverse.run(reopen(small), "A1", "更正", into_closed=True)
    import_data.run(reopen(small), [late], into_closed=True)
    assert verify.run(reopen(small)).clean
    with pytest.raises(FaultyData, match="reason"):
        close.run(reopen(small), Period(2025, 1), revise=True)
    later = replace(reopen(small), now=small.now + timedelta(days=1))
    (second,) = close.run(later, Period(2025, 1), revise=True, reason="柴油数量更正")
    assert (second.revision, second.status) == (1, "revised")
    assert second.total_gco2e < first.total_gco2e
    assert verify.run(reopen(small)).clean


def test_late_correction_of_a_reading_wins_by_what_was_known_last(
    small: Context, write_readings: Writer, tmp_path: Path, reopen: Reopen
) -> None:
    import_data.run(small, [write_readings(1)])
    fix = tmp_path / "fix.csv"
    fix.write_text("表计,时间,读数,单位\nE1,2025-01-10 08:00,0.5,MWh\n", encoding="utf-8")
    import_data.run(replace(reopen(small), now=small.now + timedelta(hours=1)), [fix])
    close.run(reopen(small), Period(2025, 1))
    amounts = small.workspace.journal.active(ACTIVITIES, {"source_id": "electricity"})
    plain = pl.read_parquet(write_readings(1, name="again.parquet")).filter(pl.col("meter") == "E1")
    old = plain.filter(pl.col("time") == pl.datetime(2025, 1, 10, 8))["value"][0]
    assert amounts["quantity"][0] == pytest.approx(plain["value"].sum() - old + 500.0, abs=1e-6)


def test_a_workbook_of_a_million_rows_is_read_or_refused_clearly(small: Context, tmp_path: Path) -> None:
    """A million readings of one meter in one sheet: far off the grid of 2025, so the answer is a list of faults, not a hang."""
    import xlsxwriter

    path = tmp_path / "million.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["表计", "时间", "读数"])
        for row in range(1, 1_000_001):
            sheet.write_row(row, 0, ["E9", "2025-01-01 00:00", 1])
    with pytest.raises(FaultyData) as caught:
        import_data.run(small, [path])
    assert 1 <= len(caught.value.problems) <= 2000
    assert small.workspace.journal.rows(BATCHES).is_empty()


def test_a_late_first_reading_of_a_month_names_the_month_before_too(
    small: Context, write_readings: Writer, tmp_path: Path, reopen: Reopen
) -> None:
    import_data.run(small, [write_readings(1, 2, 3)])
    close.run(reopen(small), Period(2025, 2))
    close.run(reopen(small), Period(2025, 1))
    path = tmp_path / "late.csv"
    path.write_text("meter,time,value\nG1,2025-02-01 00:00,107441\n", encoding="utf-8")
    (told,) = import_data.run(reopen(small), [path], into_closed=True)
    (warning,) = told.warnings
    assert warning.code == "import.to_revise"
    assert "2025-01, 2025-02" in warning.message.en


def test_a_file_whose_document_was_taken_back_is_not_called_done(
    small: Context, write_form: Writer, reopen: Reopen
) -> None:
    path = write_form("diesel,2025-01-01,2025-01-31,2,t,,,D1,")
    import_data.run(small, [path])
    reverse.run(reopen(small), "D1", "wrong")
    (again,) = import_data.run(reopen(small), [path])
    assert again.status == "already_imported"
    assert [problem.code for problem in again.warnings] == ["import.reversed_since"]
