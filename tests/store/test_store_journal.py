"""The journal refuses change, chains every row, and names what was tampered with."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from zerofactory.errors import Misuse
from zerofactory.store.journal import Journal
from zerofactory.store.schema import FACTS, RUNS, make, metadata
from zerofactory.store.sqlite_file import SqliteFile


def row(name: str) -> pl.DataFrame:
    return RUNS.frame([{n: f"{n} {name}" for n in RUNS.names}])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture
def journal(path: Path) -> Journal:
    database = SqliteFile(path)
    database.create(make)
    made = Journal(database)
    for name in ("one", "two", "three"):
        with made.writing(at=name, kind="import", actor="t") as writer:
            writer.append(RUNS, row(name))
            writer.payload = {"name": name}
    return made


def tamper(path: Path, sql: str) -> None:
    """Change the file behind the triggers' back, as someone with a database browser would."""
    with sqlite3.connect(path) as connection:
        for schema in (*FACTS,):
            for verb in ("update", "delete"):
                connection.execute(f"DROP TRIGGER IF EXISTS {schema.name}_refuses_{verb}")
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS journal_refuses_{verb}")
        assert connection.execute(sql).rowcount == 1


def test_sound_book_has_no_problem(journal: Journal) -> None:
    assert journal.check() == []
    assert [entry.seq for entry in journal.entries()] == [1, 2, 3]


@pytest.mark.parametrize("table", [schema.name for schema in FACTS] + ["journal"])
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_tables_refuse_update_and_delete(journal: Journal, path: Path, table: str, verb: str) -> None:
    with sqlite3.connect(path) as connection:
        triggers = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name=?", (table,)
            )
        ]
        assert f"{table}_refuses_{verb.lower()}" in triggers
        if table in ("runs", "journal"):
            column = "outcome" if table == "runs" else "payload"
            statement = f"UPDATE {table} SET {column} = 'x'" if verb == "UPDATE" else f"DELETE FROM {table}"
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("UPDATE runs SET outcome = 'better' WHERE row_number = 2", {"store.row_changed"}),
        ("DELETE FROM runs WHERE row_number = 2", {"store.row_missing", "store.row_changed"}),
        ("DELETE FROM runs WHERE row_number = 3", {"store.table_head"}),
        ("UPDATE journal SET payload = '{}' WHERE seq = 2", {"store.entry_changed"}),
        ("UPDATE runs SET row_hash = 'abc' WHERE row_number = 3", {"store.row_changed", "store.table_head"}),
    ],
)
def test_tampering_is_found_and_named(journal: Journal, path: Path, sql: str, codes: set[str]) -> None:
    tamper(path, sql)
    problems = journal.check()
    dropped = [problem for problem in problems if problem.code == "store.guard_missing"]
    assert len(dropped) == 2 * (len(FACTS) + 1), "whoever tampers drops the guards first; each is named"
    found = [problem for problem in problems if problem not in dropped]
    assert {problem.code for problem in found} == codes
    assert all(problem.message.zh and problem.message.en and problem.row for problem in found)


def test_reading_the_file_and_reading_through_the_engine_give_the_same(journal: Journal, path: Path) -> None:
    direct, journal = journal, Journal(SqliteFile(path, pooled=True))
    assert direct.entries() == journal.entries()
    assert direct.last() == journal.last()
    assert direct.check() == []
    for where in (None, {"run_id": "run_id two"}, {"run_id": ["run_id one", "run_id two"]}, {"run_id": []}):
        assert direct.rows(RUNS, where).equals(journal.rows(RUNS, where))
        assert direct.active(RUNS, where, until=2).equals(journal.active(RUNS, where, until=2))
    assert direct.lines(RUNS, [1, 2]) == journal.lines(RUNS, [1, 2])
    assert direct.entries_with(RUNS, {"run_id": ["run_id two"]}) == {2}
    with pytest.raises(Misuse, match="no column"):
        direct.rows(RUNS, {"1 = 1 --": "x"})


def test_a_failed_write_leaves_nothing(journal: Journal) -> None:
    def fail() -> None:
        with journal.writing(at="four", kind="import", actor="t") as writer:
            writer.append(RUNS, row("four"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert journal.check() == []
    assert journal.rows(RUNS).height == 3


def test_reversal_takes_back_and_rebooking_counts_again(journal: Journal) -> None:
    taken = journal.rows(RUNS).head(1).drop("reverses")
    with journal.writing(at="four", kind="reverse", actor="t") as writer:
        writer.reverse(RUNS, taken, f"~{writer.seq}")
    assert journal.active(RUNS)["run_id"].to_list() == ["run_id two", "run_id three"]
    with journal.writing(at="five", kind="import", actor="t") as writer:
        writer.append(RUNS, taken)
    assert journal.active(RUNS)["run_id"].to_list() == ["run_id two", "run_id three", "run_id one"]
    assert journal.active(RUNS, until=3).height == 3
    assert journal.rows(RUNS).height == 5
    assert journal.check() == []


def test_reversal_of_nothing_is_chained_as_it_is_kept(journal: Journal) -> None:
    from zerofactory.store.schema import ACTIVITIES

    kinds = {"text": "x", "integer": 1, "number": 0.0, "flag": True, "moment": datetime(2025, 1, 1, tzinfo=UTC)}
    plain = {column.name: kinds[column.dtype] for column in ACTIVITIES.columns}
    rows = ACTIVITIES.frame([plain | {"activity_id": str(n), "quantity": float(n % 2)} for n in range(9)])
    with journal.writing(at="four", kind="close", actor="t") as writer:
        writer.append(ACTIVITIES, rows)
    with journal.writing(at="five", kind="close", actor="t") as writer:
        writer.reverse(ACTIVITIES, rows, "~5")
    assert journal.rows(ACTIVITIES)["quantity"].to_list() == [0.0, 1.0] * 4 + [0.0] + [0.0, -1.0] * 4 + [0.0]
    assert journal.check() == []


def test_nan_is_refused(journal: Journal) -> None:
    from zerofactory.store.schema import RECORDS

    values: dict[str, object] = {}
    kinds = {"text": "x", "integer": 1, "number": float("nan"), "flag": True, "moment": None}
    for column in RECORDS.columns:
        values[column.name] = kinds[column.dtype]
    with pytest.raises(Misuse), journal.writing(at="x", kind="close", actor="t") as writer:
        writer.append(RECORDS, RECORDS.frame([values]))


def test_the_same_schema_compiles_for_postgresql() -> None:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    for table in metadata().tables.values():
        text = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "CREATE TABLE" in text
        assert "DATETIME" not in text
