"""Move a book between a file in its folder and a schema of a database: every row with its hash, checked before anything is switched.

One step switches: while `book.db` is there the folder's own file is the book, so renaming it (away, or into place) moves the truth
at once. What was moved is kept under another name, and nobody can go on writing to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from zerofactory.errors import BookBroken, FaultyData, Problem, Text
from zerofactory.store.database import (
    BOOK_FILE,
    BOOK_NAME,
    Database,
    address,
    new_schema_name,
    no_address,
    open_schema,
    schema_named_in,
    write_schema_name,
)
from zerofactory.store.edition import bring_up
from zerofactory.store.journal import ENTRY, Journal, flags_of, stored_columns, with_flags
from zerofactory.store.postgres import PostgresSchema
from zerofactory.store.schema import FACTS, make
from zerofactory.store.sqlite_file import SqliteFile

ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: from where, to where, under which name the old is kept, and the head that both have."""

    source: str
    target: str
    kept_as: str
    entries: int
    rows: int
    head: str


def into_database(folder: Path, stamp: str) -> Moved:
    """Move the book of a folder from its file into the database; ``stamp`` marks the file that is kept."""
    source = SqliteFile(folder / BOOK_FILE)
    if not address():
        raise FaultyData([no_address(BOOK_FILE)])
    bring_up(source)
    with source.locked(), alone(source):
        target = open_schema(new_schema_name(folder))
        moved = _copied(source, target)
        write_schema_name(folder / BOOK_NAME, target.name)  # not heeded while the file is there
    kept = f"{BOOK_FILE}.moved-{stamp}"
    source.path.rename(folder / kept)
    return Moved(BOOK_FILE, target.name, kept, *moved)


def into_file(folder: Path, stamp: str) -> Moved:
    """Move the book of a folder from the database into its own file."""
    named = folder / BOOK_NAME
    source = open_schema(schema_named_in(named))
    assert isinstance(source, PostgresSchema)  # noqa: S101  (a schema is one of PostgreSQL)
    bring_up(source)
    target = SqliteFile(folder / f"{BOOK_FILE}.{stamp}.partial")
    kept = f"{source.name}_moved"
    with source.locked(), source.writing() as connection:
        try:
            moved = _copied(source, target)
            with target.alone():
                pass  # its log is folded in: one file
            source.rename(connection, kept)
            target.path.replace(folder / BOOK_FILE)
        finally:
            target.path.unlink(missing_ok=True)
    named.unlink()
    return Moved(source.name, BOOK_FILE, kept, *moved)


def _copied(source: Database, target: Database) -> tuple[int, int, str]:
    """Copy every row; return entries, rows and head. Raise `BookBroken` when either book is not sound, and keep the old one."""
    journal = Journal(source)
    broken = journal.check()
    if broken:
        raise BookBroken(broken)
    rows: list[int] = []
    target.create(lambda connection: rows.append(_fill(source, target, connection)))
    last, copied = journal.last(), Journal(target)
    broken = copied.check()
    if broken or copied.last() != last or last is None:
        if isinstance(target, PostgresSchema):
            target.drop()
        raise BookBroken(broken)
    return last.seq, rows[0], last.hash


def _fill(source: Database, target: Database, connection: sa.Connection) -> int:
    make(connection)
    count = 0
    for name, columns, flags in _TABLES:
        listed = ", ".join(f'"{column}"' for column in columns)
        query = f'SELECT {listed} FROM {source.table(name)} ORDER BY "{columns[0]}"'  # noqa: S608  (names of our own)
        with source.reading(query, large=True) as rows:
            for batch in _batches(rows):
                target.insert(connection, name, columns, [tuple(with_flags(row, flags)) for row in batch])
                count += len(batch) if name != "journal" else 0
    return count


_TABLES: list[tuple[str, tuple[str, ...], list[int]]] = [
    ("journal", ENTRY, []),
    *(
        (schema.name, ("row_number", *stored_columns(schema), "entry", "row_hash"), [n + 1 for n in flags_of(schema)])
        for schema in FACTS
    ),
]


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch


@contextmanager
def alone(file: SqliteFile) -> Iterator[None]:
    """Hold a file against everybody; raise `FaultyData` when another program has it open."""
    held = file.alone()
    try:
        held.__enter__()
    except sqlite3.OperationalError as error:
        raise FaultyData([_in_use(file.name)]) from error
    try:
        yield
    finally:
        with suppress(sqlite3.Error):
            held.__exit__(None, None, None)


def _in_use(name: str) -> Problem:
    return Problem(
        "store.in_use",
        Text(f"{name} 正被另一个程序打开。", f"{name} is open in another program."),
        Text("请先停下 zf serve 与 zf collect, 再迁移。", "Stop zf serve and zf collect, then move it."),
        file=name,
    )
