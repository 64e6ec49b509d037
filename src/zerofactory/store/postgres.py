"""A book in one schema of a PostgreSQL database, reached with psycopg (the extra ``postgres``).

The connections of a process are one pool a database. Tables are named with their schema, so that no state of a session decides
which plant is read. Who holds the one writer's lock writes over the very connection that holds it: when that connection is lost,
so is the lock, and nothing more is written under it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa

from zerofactory.errors import FaultyData
from zerofactory.store.postgres_faults import busy, no_driver, problem_of, unreadable

BUSY_SECONDS = 60
CONNECT_SECONDS = 10
MOST_CONNECTIONS: dict[str, int] = {"reading": 15, "writing": 10}  # of one process; more at once wait for one another
ROWS_AT_ONCE = 5_000
_LOST_AFTER = "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6"


def url_of(address: str) -> sa.URL:
    """Return the address of a database as SQLAlchemy takes it; raise `FaultyData` when it is none. It is never shown whole."""
    try:
        url = sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        raise FaultyData([unreadable()]) from None  # the address may hold a password: nothing of it is told
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise FaultyData([unreadable()])
    return url.set(drivername="postgresql+psycopg")


@lru_cache(maxsize=16)
def engine_of(address: str, purpose: Literal["reading", "writing"] = "reading") -> sa.Engine:
    """Return a pool of connections to one database, one a process and purpose; raise `FaultyData` when the driver is missing.

    Who writes reads meanwhile: with one pool for both, as many writers as it has connections would wait for one another for ever.
    """
    try:
        engine = sa.create_engine(
            address, pool_size=5, max_overflow=MOST_CONNECTIONS[purpose] - 5, pool_pre_ping=True, pool_timeout=BUSY_SECONDS,
            connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "zerofactory"},
        )  # fmt: skip
    except ImportError as error:
        raise FaultyData([no_driver()]) from error
    atexit.register(engine.dispose)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    return engine


class PostgresSchema:
    """The records of one book in one schema."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: sa.URL, name: str) -> None:
        self.url = url
        self._name = name
        self._held: dict[int, sa.Connection] = {}
        self._turn = _turn_of(str(url), name)

    @property
    def name(self) -> str:
        """The name of the schema."""
        return self._name

    @property
    def engine(self) -> sa.Engine:
        """The pool for reading, with tables named in this schema."""
        return self._pool("reading")

    def _pool(self, purpose: Literal["reading", "writing"]) -> sa.Engine:
        whole = engine_of(self.url.render_as_string(hide_password=False), purpose)
        return whole.execution_options(schema_translate_map={None: self._name})

    def table(self, name: str) -> str:
        """Return how a query names a table."""
        return f'"{self._name}"."{name}"'

    @contextmanager
    def reading(
        self, query: str, parameters: Sequence[object] = (), *, large: bool = False
    ) -> Iterator[Iterator[tuple[Any, ...]]]:
        """Run one query; a large answer comes through a cursor of the server, some thousand rows at a time."""
        text, values = query.replace("?", "%s"), tuple(parameters)
        with self._told():
            if large:
                with self.engine.connect().execution_options(yield_per=ROWS_AT_ONCE) as connected:
                    yield (tuple(row) for row in connected.exec_driver_sql(text, values))
            else:
                with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connected:
                    cursor = connected.connection.cursor()
                    cursor.execute(text, values)
                    yield iter(cursor.fetchall())

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open one transaction of the one writer: over the connection that holds the lock, where this thread holds it."""
        held = self._held.get(threading.get_ident())
        with self._told():
            if held is not None:
                with self._transaction(held):
                    yield held
            else:
                with self._in_turn(), self._pool("writing").connect() as connection, self._transaction(connection):
                    yield connection

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Let the threads of this process come to the database one by one: who waits holds no connection."""
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise FaultyData([busy()])
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _transaction(self, connection: sa.Connection) -> Iterator[None]:
        try:
            wait_for(connection, f"LOCK TABLE {self.table('journal')} IN EXCLUSIVE MODE")
            yield
        except BaseException:
            with suppress(sa.exc.SQLAlchemyError):  # what is told is what went wrong first
                connection.rollback()
            raise
        connection.commit()

    def insert(
        self, connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        """Add rows to a table inside an open transaction by COPY, one way over the wire however many they are."""
        listed = ", ".join(f'"{name}"' for name in columns)
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(f"COPY {self.table(table)} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the advisory lock of this book on a connection of its own; the server frees it when the holder dies."""
        me, key = threading.get_ident(), lock_key(self._name)
        with self._told(), self._in_turn(), self._pool("writing").connect() as connection:
            wait_for(connection, f"{_LOST_AFTER}; SELECT pg_advisory_lock({key})")
            connection.commit()
            self._held[me] = connection
            try:
                yield
            finally:
                del self._held[me]
                try:
                    connection.rollback()
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({key})")
                    connection.commit()
                except sa.exc.SQLAlchemyError:
                    connection.invalidate()  # a connection that is closed holds no lock

    def create(self, make: Callable[[sa.Connection], None]) -> None:
        """Make the schema, where it is missing, and what it holds, in one transaction."""
        with self._told(), self.engine.connect() as connection, connection.begin():
            wait_for(connection, f"SELECT pg_advisory_xact_lock({lock_key(self._name)})")
            there = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
            if connection.exec_driver_sql(there, (self._name,)).first() is None:
                connection.exec_driver_sql(f'CREATE SCHEMA "{self._name}"')
            connection.exec_driver_sql(f'SET LOCAL search_path TO "{self._name}"')
            make(connection)

    def rename(self, connection: sa.Connection, name: str) -> None:
        """Give the schema another name at the end of an open transaction: whoever knew the old one writes no more."""
        connection.exec_driver_sql(f'ALTER SCHEMA "{self._name}" RENAME TO "{name}"')

    def drop(self) -> None:
        """Take away a schema that was only just made and turned out unsound."""
        with self._told(), self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f'DROP SCHEMA "{self._name}" CASCADE')

    def exists(self) -> bool:
        """Return whether the schema is there."""
        with self.reading("SELECT 1 FROM pg_namespace WHERE nspname = ?", (self._name,)) as rows:
            return any(rows)

    def tables(self) -> set[str]:
        """Return the names of the tables that are there."""
        with self.reading("SELECT tablename FROM pg_tables WHERE schemaname = ?", (self._name,)) as rows:
            return {name for (name,) in rows}

    def noted(self, table: str) -> tuple[set[str], list[str]]:
        """Return the tables that are there, and what one of them holds."""
        there = self.tables()
        if table not in there:
            return there, []
        with self.reading(f"SELECT * FROM {self.table(table)}") as rows:  # noqa: S608  (names of our own)
            return there, [str(value) for (value,) in rows]

    def triggers(self) -> dict[str, str]:
        """Return what each trigger that is switched on says, and the body of its function."""
        with self.reading(_TRIGGERS, (self._name,)) as rows:
            return {name: f"{text.replace(f'{self._name}.', '')} {' '.join(body.split())}" for name, text, body in rows}

    def _told(self) -> AbstractContextManager[None]:
        return told(self.url, self._name)


@contextmanager
def told(url: sa.URL, name: str) -> Iterator[None]:
    """Tell what the server refuses, or that it is away, as a problem; anything else passes as it is."""
    try:
        yield
    except Exception as error:
        problem = problem_of(error, url, name)
        if problem is None:
            raise
        raise FaultyData([problem]) from error


def wait_for(connection: sa.Connection, statement: str) -> None:
    """Run a statement that waits for others, in a transaction, for a bounded time."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'; {statement}")


def lock_key(name: str) -> int:
    """Return the number of the advisory lock of a book: 63 bits of the hash of its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


@lru_cache(maxsize=1024)
def _turn_of(_address: str, _name: str) -> threading.Lock:
    """Return the lock among the threads of this process for the writer of one book."""
    return threading.Lock()


_TRIGGERS = """
SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE n.nspname = ? AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
"""
