"""Move the accounts of a server between `access.db` and a schema of a database, as a book is moved: copied whole, then switched."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from zerofactory.errors import FaultyData
from zerofactory.store.access import META, AccessStore
from zerofactory.store.access_place import ACCESS_FILE, ACCESS_NAME, schema_engine, schema_of, sqlite_engine, writing
from zerofactory.store.database import address, new_schema_name, no_address, schema_named_in, write_schema_name
from zerofactory.store.move import alone
from zerofactory.store.sqlite_file import SqliteFile


def accounts_into_database(folder: Path, stamp: str) -> str:
    """Move the accounts of a folder from their file into the database; return the name of the schema."""
    if not address():
        raise FaultyData([no_address(ACCESS_FILE)])
    file = folder / ACCESS_FILE
    with alone(SqliteFile(file)):
        pass  # nobody has it open; its log is folded in
    name = new_schema_name(folder, "access")
    source, target = AccessStore(sqlite_engine(file)).engine, AccessStore(schema_engine(name)).engine
    with writing(source) as reading:
        _copy(reading, target)
    source.dispose()
    write_schema_name(folder / ACCESS_NAME, name)  # not heeded while the file is there
    kept = folder / f"{ACCESS_FILE}.moved-{stamp}"
    with alone(SqliteFile(file)):
        pass
    file.rename(kept)
    return name


def accounts_into_file(folder: Path, stamp: str) -> str:
    """Move the accounts of a folder from the database into their own file; return its name."""
    named = folder / ACCESS_NAME
    source = AccessStore(schema_engine(schema_named_in(named))).engine
    partial = folder / f"{ACCESS_FILE}.{stamp}.partial"
    target = AccessStore(sqlite_engine(partial)).engine
    with writing(source) as reading:
        _copy(reading, target)
        target.dispose()
        with alone(SqliteFile(partial)):
            pass
        name = schema_of(source)
        reading.exec_driver_sql(f'ALTER SCHEMA "{name}" RENAME TO "{name}_moved"')
        partial.replace(folder / ACCESS_FILE)
    named.unlink()
    return ACCESS_FILE


def _copy(source: sa.Connection, target: sa.Engine) -> None:
    with writing(target) as connection:
        for table in META.tables.values():
            rows = [dict(row._mapping) for row in source.execute(sa.select(table))]
            if rows:
                connection.execute(table.insert(), rows)
        if connection.dialect.name == "postgresql":
            for table in META.tables.values():
                _go_on_counting(connection, table, schema_of(target))


def _go_on_counting(connection: sa.Connection, table: sa.Table, schema: str) -> None:
    """Let a numbered table go on after the highest number that was copied."""
    column = table.autoincrement_column
    if column is None:
        return
    most = connection.execute(sa.select(sa.func.max(column))).scalar_one()
    if most is not None:
        place = f'"{schema}"."{table.name}"'
        connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(place, column.name), most)))
