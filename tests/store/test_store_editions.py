"""The packaged steps make exactly the tables of the code, on both databases; an older book is brought up, a newer one refused."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from zerofactory.errors import FaultyData, Misuse
from zerofactory.store import migrate
from zerofactory.store.database import Database
from zerofactory.store.edition import bring_up, edition_of
from zerofactory.store.journal import Journal
from zerofactory.store.migrations.steps import no_way_back
from zerofactory.store.postgres import PostgresSchema, url_of
from zerofactory.store.schema import FACTS, REVISION, RUNS, guards, make, metadata
from zerofactory.store.sqlite_file import SqliteFile

New = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> New:
    """Return a function that names a place where no book is."""
    if request.param == "sqlite":
        return lambda: SqliteFile(tmp_path / f"{secrets.token_hex(4)}.db")
    url = url_of(request.getfixturevalue("postgres_url"))
    return lambda: PostgresSchema(url, f"zf_book_edition_{secrets.token_hex(4)}")


def described(database: Database) -> list[tuple[object, ...]]:
    """Return every column of a book as its database describes it."""
    found: list[tuple[object, ...]] = []

    def look(connection: sa.Connection) -> None:
        inspector = sa.inspect(connection)
        for table in sorted(inspector.get_table_names()):
            keys = (inspector.get_pk_constraint(table)["constrained_columns"], inspector.get_unique_constraints(table))
            found.append((table, [list(key) if isinstance(key, list) else key for key in map(names, keys)]))
            found.extend((table, c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table))

    database.create(look)
    return found


def names(key: object) -> object:
    """Return the columns of keys without the names that a database makes up."""
    return [one["column_names"] if isinstance(one, dict) else one for one in key]  # type: ignore[attr-defined]


def test_the_steps_make_what_the_code_has(new: New) -> None:
    stepped, made = new(), new()
    stepped.create(migrate.run_steps)
    made.create(make)
    assert described(stepped) == described(made)
    for book in (stepped, made):
        assert {
            name for name, said in guards(book.dialect).items() if said not in book.triggers().get(name, "")
        } == set()
        assert edition_of(book).is_current
        assert Journal(book).check()[0].code == "store.no_entries"


def test_alembic_finds_nothing_to_add(new: New) -> None:
    stepped, differences = new(), list[object]()

    def compare(connection: sa.Connection) -> None:
        migrate.run_steps(connection)
        options = {"compare_type": True, "compare_server_default": True}
        differences.extend(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))

    stepped.create(compare)
    assert differences == []


def test_the_newest_step_is_the_edition_of_the_code() -> None:
    assert migrate.scripts().get_current_head() == REVISION
    with pytest.raises(Misuse, match="append-only"):
        no_way_back()


def older(database: Database) -> None:
    """Make a book as one of an earlier edition: some tables and the note of its edition are lacking."""

    def take_away(connection: sa.Connection) -> None:
        make(connection)
        for name in ("commands", "budgets", "alembic_version"):
            connection.exec_driver_sql(f"DROP TABLE {name}")

    database.create(take_away)


def test_an_older_book_is_brought_up_and_keeps_what_it_holds(new: New) -> None:
    book = new()
    older(book)
    assert edition_of(book).missing == ("budgets", "commands")
    before = Journal(book).rows(RUNS)
    if book.dialect == "postgresql":  # many servers share it: nobody changes it in passing
        with pytest.raises(FaultyData, match="zf store upgrade"):
            bring_up(book)
        assert migrate.upgrade(book).missing == ("budgets", "commands")
    bring_up(book)
    assert edition_of(book).is_current
    assert Journal(book).rows(RUNS).equals(before)
    assert book.tables() == {"journal", "alembic_version", *(schema.name for schema in FACTS)}


def test_a_book_of_the_first_edition_gets_what_came_since(new: New) -> None:
    book = new()

    def first(connection: sa.Connection) -> None:
        make(connection)
        connection.exec_driver_sql("DROP TABLE defects")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    book.create(first)
    assert edition_of(book).missing == ("defects",)
    assert migrate.upgrade(book).revision == "0001"
    assert edition_of(book).is_current
    assert "defects_refuses_update" in book.triggers()


def test_a_book_of_a_later_program_is_refused(new: New) -> None:
    book = new()

    def later(connection: sa.Connection) -> None:
        make(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    book.create(later)
    with pytest.raises(FaultyData) as raised:
        bring_up(book)
    assert raised.value.problems[0].code == "store.newer_book"


def test_a_next_step_runs_once_and_an_undone_one_leaves_nothing(
    new: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from zerofactory.store import edition, migrations, schema

    book = new()
    book.create(make)
    versions = Path(migrations.__path__[0]) / "versions"
    (tmp_path / "versions").mkdir()
    for path in versions.glob("r*.py"):
        (tmp_path / "versions" / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    head = (
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '9000'\n"
        f"down_revision = {REVISION!r}\nbranch_labels = None\ndepends_on = None\n"
    )
    step = tmp_path / "versions" / "r9000.py"
    body = "def upgrade():\n    op.create_table('extra', sa.Column('x', sa.Text))\n"
    step.write_text(f"{head}{body}    raise ZeroDivisionError\n", encoding="utf-8")
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    config.set_main_option("path_separator", "os")
    monkeypatch.setattr(migrate, "scripts", lambda: ScriptDirectory.from_config(config))
    for room in (migrate, edition, schema):
        monkeypatch.setattr(room, "REVISION", "9000")
    with pytest.raises(ZeroDivisionError):
        migrate.upgrade(book)
    assert "extra" not in book.tables()
    assert edition_of(book).revision == REVISION
    step.write_text(head + body, encoding="utf-8")
    assert migrate.upgrade(book).revision == REVISION
    assert "extra" in book.tables()
    assert edition_of(book).is_current


def test_opening_a_file_of_this_edition_loads_neither_alembic_nor_sqlalchemy(tmp_path: Path) -> None:
    SqliteFile(tmp_path / "book.db").create(make)
    code = (
        "import sys; from pathlib import Path\n"
        "from zerofactory.store.edition import bring_up; from zerofactory.store.sqlite_file import SqliteFile\n"
        f"bring_up(SqliteFile(Path({str(tmp_path)!r}) / 'book.db'))\n"
        "print(sorted({'alembic', 'sqlalchemy', 'psycopg', 'mako'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd() / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
