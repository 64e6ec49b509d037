"""What a step may do: make the tables that a file beside it lists, append-only from their first row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from zerofactory.errors import Misuse
from zerofactory.store.schema import guarding

TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "int": sa.Integer(),
    "bigint": sa.BigInteger(),
    "double": sa.Double(),
    "bool": sa.Boolean(),
    "rowid": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
}


def create_tables(revision: str) -> None:
    """Create the tables of a step that are not there, with their guards, inside the transaction of the upgrade."""
    connection = op.get_bind()
    there = set(sa.inspect(connection).get_table_names())
    missing = [table for table in tables_of(revision) if table.name not in there]
    for table in missing:
        table.create(connection)
    for statement in guarding(connection.dialect.name, (table.name for table in missing)):
        connection.exec_driver_sql(statement)


def tables_of(revision: str) -> Iterator[sa.Table]:
    """Yield the tables that a step lists, as they were when it was written."""
    text = (files("zerofactory.store.migrations") / "versions" / f"{revision}.csv").read_text(encoding="utf-8")
    made = sa.MetaData()
    for name, rows in groupby(csv.DictReader(text.splitlines()), key=lambda row: row["table"]):
        yield sa.Table(name, made, *(_column(row) for row in rows))


def _column(row: dict[str, str]) -> sa.Column[Any]:
    return sa.Column(
        row["column"], TYPES[row["type"]], nullable=row["nullable"] == "yes",
        primary_key=row["key"] == "primary", unique=True if row["key"] == "unique" else None, autoincrement=False,
    )  # fmt: skip


def no_way_back() -> None:
    """Refuse to undo a step: a book is append-only, and its tables hold facts."""
    raise Misuse("a book is append-only: there is no way back to an earlier edition; restore a back-up instead")
