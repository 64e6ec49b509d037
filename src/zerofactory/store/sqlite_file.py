"""A book in one SQLite file: WAL, every commit flushed. What only reads goes straight to the file, without SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlalchemy as sa

BUSY_SECONDS = 60
ALONE_MILLISECONDS = 3_000  # a command that reads is over by then; a server is not
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
LOCK_FILE = ".lock.db"


class SqliteFile:
    """The records of one book in one file. ``pooled`` keeps connections open, for a server that asks with every request."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, pooled: bool = False) -> None:
        self.path = path
        self._pooled = pooled
        self._alone: sqlite3.Connection | None = None

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    def table(self, name: str) -> str:
        """Return how a query names a table."""
        return name

    def connect(self, *, make: bool = False, check_same_thread: bool = True) -> sqlite3.Connection:
        """Return a connection to the file; one that is gone is not made anew behind the reader's back."""
        mode = "rwc" if make else "rw"
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None,
            check_same_thread=check_same_thread,
        )  # fmt: skip

    @cached_property
    def engine(self) -> sa.Engine:
        """The file as SQLAlchemy writes to it."""
        return self._engine(make=False)

    def _engine(self, *, make: bool) -> sa.Engine:
        import sqlalchemy as sa

        pool = sa.pool.QueuePool if self._pooled else sa.pool.NullPool
        engine = sa.create_engine(
            "sqlite://", poolclass=pool, creator=lambda: self.connect(make=make, check_same_thread=not self._pooled)
        )
        sa.event.listen(engine, "connect", configure)
        return engine

    @contextmanager
    def reading(
        self, query: str, parameters: Sequence[object] = (), *, large: bool = False
    ) -> Iterator[Iterator[tuple[Any, ...]]]:
        """Run one query; hand out its rows as they are read."""
        if self._alone is not None:
            yield iter(self._alone.execute(query, tuple(parameters)))
        elif self._pooled:
            with self.engine.connect() as connected:
                yield (tuple(row) for row in connected.exec_driver_sql(query, tuple(parameters)))
        else:
            with closing(self.connect()) as connection:
                yield iter(connection.execute(query, tuple(parameters)))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open one transaction of the one writer."""
        with self.engine.connect() as connection, _transaction(connection):
            yield connection

    def insert(
        self, connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        """Add rows to a table inside an open transaction."""
        listed, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({listed}) VALUES ({marks})", list(rows))  # noqa: S608

    def create(self, make: Callable[[sa.Connection], None]) -> None:
        """Make the file and what it holds in one transaction."""
        with self._engine(make=True).connect() as connection, _transaction(connection):
            make(connection)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold an exclusive transaction on an empty SQLite file beside the book: it works alike on every system."""
        lock = sqlite3.connect(self.path.with_name(LOCK_FILE), timeout=BUSY_SECONDS, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            lock.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the file against every other reader and writer, its log folded in; raise when somebody has it open."""
        with closing(self.connect()) as connection:
            connection.execute(f"PRAGMA busy_timeout = {ALONE_MILLISECONDS}")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            self._alone = connection
            try:
                yield
            finally:
                self._alone = None
                connection.execute("ROLLBACK")

    def tables(self) -> set[str]:
        """Return the names of the tables that are there."""
        with self.reading(_TABLES) as rows:
            return {name for (name,) in rows}

    def noted(self, table: str) -> tuple[set[str], list[str]]:
        """Return the tables that are there, and what one of them holds: over one connection, whose opening is what takes time."""
        with closing(self.connect()) if self._alone is None else nullcontext(self._alone) as connection:
            there = {name for (name,) in connection.execute(_TABLES)}
            held = connection.execute(f"SELECT * FROM {table}") if table in there else ()  # noqa: S608  (a name of ours)
            return there, [str(value) for (value,) in held]

    def triggers(self) -> dict[str, str]:
        """Return the text of every trigger that stops a change."""
        with self.reading("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'") as rows:
            return {name: " ".join(str(sql).split()) for name, sql in rows if "ABORT" in str(sql)}


@contextmanager
def _transaction(connection: sa.Connection) -> Iterator[None]:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def configure(connection: sqlite3.Connection, _record: object) -> None:
    """Make a connection wait for others, keep a write-ahead log and flush every commit."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
