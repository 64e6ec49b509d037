"""Where the accounts of a server live: `access.db` beside the books, or a schema of the database that ``ZF_DATABASE_URL`` names.

The same rule as for a book (`database.py`): the folder says where, the variable how; one that disagrees is an error. The tables of
accounts only grow by new tables, which are made when a server starts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from zerofactory.errors import FaultyData
from zerofactory.store.database import address, new_schema_name, no_address, open_schema, schema_named_in, two_places
from zerofactory.store.database import write_schema_name_once as write_once
from zerofactory.store.postgres import PostgresSchema, lock_key, told, wait_for

ACCESS_FILE = "access.db"
ACCESS_NAME = "access.postgresql"
BUSY_MILLISECONDS = 30_000


def engine_in(folder: Path) -> sa.Engine:
    """Return the database of the accounts of a folder, made where there is none; raise `FaultyData` when it cannot be said where."""
    file, named = folder / ACCESS_FILE, folder / ACCESS_NAME
    if not address():
        if named.is_file() and not file.exists():
            raise FaultyData([no_address(ACCESS_NAME)])
        return sqlite_engine(file)
    if file.exists():
        raise FaultyData([two_places(ACCESS_FILE)])
    if not named.is_file():
        write_once(named, new_schema_name(folder, "access"))
    return schema_engine(schema_named_in(named))


def sqlite_engine(path: Path) -> sa.Engine:
    """Return the file of the accounts, readable by its owner alone."""
    path.touch(mode=0o600)
    if path.stat().st_mode & 0o077:  # copied here from elsewhere; SQLite gives its side files the same rights
        path.chmod(0o600)
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, poolclass=sa.pool.QueuePool, connect_args={"check_same_thread": False})
    sa.event.listen(engine, "connect", _configure)
    return engine


def schema_engine(name: str) -> sa.Engine:
    """Return the schema of the accounts, made where it is missing."""
    database = open_schema(name)
    assert isinstance(database, PostgresSchema)  # noqa: S101  (a schema is one of PostgreSQL)
    if not database.exists():
        database.create(lambda _: None)
    return database.engine


def schema_of(engine: sa.Engine) -> str:
    """Return the schema that an engine of PostgreSQL names its tables in; empty for SQLite."""
    return str(engine.get_execution_options().get("schema_translate_map", {}).get(None, ""))


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Hold one short transaction of the one writer, so that what is counted stands until it is written."""
    with _told(engine), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            wait_for(connection, f"SELECT pg_advisory_xact_lock({lock_key(schema_of(engine))})")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def rows(engine: sa.Engine, query: sa.Select[Any]) -> Sequence[Any]:
    """Return every row of a query."""
    with _told(engine), engine.connect() as connection:
        return connection.execute(query).all()


def _told(engine: sa.Engine) -> AbstractContextManager[None]:
    return nullcontext() if engine.dialect.name == "sqlite" else told(engine.url, schema_of(engine))


def prepare(engine: sa.Engine, tables: sa.MetaData) -> None:
    """Make the tables that are missing; the trail refuses every change from its first line."""
    with writing(engine) as connection:
        there = set(sa.inspect(connection).get_table_names(schema=schema_of(engine) or None))
        missing = [table for name, table in tables.tables.items() if name not in there]
        tables.create_all(connection, missing, checkfirst=False)
        for statement in _append_only(engine) if missing else ():
            connection.exec_driver_sql(statement)


def _append_only(engine: sa.Engine) -> Iterator[str]:
    if engine.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER IF NOT EXISTS audit_refuses_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )
        return
    place = schema_of(engine)
    yield (
        f'CREATE OR REPLACE FUNCTION "{place}".audit_append_only() RETURNS trigger AS $$ '
        "BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$ LANGUAGE plpgsql"
    )
    yield (
        f'CREATE OR REPLACE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON "{place}".audit '
        f'FOR EACH STATEMENT EXECUTE FUNCTION "{place}".audit_append_only()'
    )


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
