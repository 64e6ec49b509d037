"""The same journal on a real PostgreSQL: written, read, guarded; one writer at a time; killed, locked out and cut off."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.errors import FaultyData
from zerofactory.runs.context import Context, stamp
from zerofactory.store import postgres
from zerofactory.store.edition import bring_up
from zerofactory.store.journal import Journal
from zerofactory.store.postgres import PostgresSchema, engine_of, url_of
from zerofactory.store.schema import QUALITY, RUNS
from zerofactory.store.workspace import Workspace

pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")


def append(journal: Journal, name: str) -> None:
    with journal.writing(at=name, kind="import", actor="t") as writer:
        writer.append(RUNS, RUNS.frame([{column: f"{column} {name}" for column in RUNS.names}]))


def code_of(raised: pytest.ExceptionInfo[FaultyData]) -> str:
    return raised.value.problems[0].code


def test_a_book_on_postgresql(schema: PostgresSchema) -> None:
    journal = Journal(schema)
    bring_up(schema)
    for name in ("one", "two", "three"):
        append(journal, name)
    assert journal.check() == []
    assert [entry.seq for entry in journal.entries()] == [1, 2, 3]
    assert journal.rows(RUNS, {"run_id": ["run_id one", "run_id two"]}).height == 2
    assert journal.rows(RUNS, {"run_id": []}).is_empty()
    assert journal.active(RUNS, until=2).height == 2
    assert journal.rows(QUALITY).is_empty()
    with journal.writing(at="four", kind="reverse", actor="t") as writer:
        writer.reverse(RUNS, journal.rows(RUNS, {"run_id": "run_id one"}).drop("reverses"), "~4")
    assert journal.active(RUNS)["run_id"].to_list() == ["run_id two", "run_id three"]
    for statement in ("UPDATE {} SET outcome = 'better'", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), schema.engine.begin() as connection:
            connection.exec_driver_sql(statement.format(schema.table("runs")))
    assert journal.check() == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER runs_refuses_update ON {0}.runs",
        "ALTER TABLE {0}.runs DISABLE TRIGGER runs_refuses_update",
        """DROP TRIGGER runs_refuses_update ON {0}.runs; CREATE TRIGGER runs_refuses_update BEFORE UPDATE ON {0}.runs
           FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION {0}.refuse_change()""",
    ],
)
def test_a_guard_that_is_gone_or_off_or_toothless_is_named(schema: PostgresSchema, statement: str) -> None:
    append(Journal(schema), "one")
    with schema.engine.begin() as connection:
        connection.exec_driver_sql(statement.format(f'"{schema.name}"'))
    (problem,) = Journal(schema).check()
    assert problem.code == "store.guard_missing"
    assert "runs_refuses_update" in problem.message.en


def test_a_guard_whose_function_was_emptied_is_named(schema: PostgresSchema) -> None:
    append(Journal(schema), "one")
    with schema.engine.begin() as connection:
        connection.exec_driver_sql(
            f'CREATE OR REPLACE FUNCTION "{schema.name}".refuse_change() RETURNS trigger AS $$ '
            "BEGIN RETURN NULL; END $$ LANGUAGE plpgsql"
        )
    assert len(Journal(schema).check()) == len(schema.triggers())


def test_two_plants_in_one_database_are_apart(on_postgres: str, tmp_path: Path) -> None:
    journals = []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
        Workspace.create(tmp_path / name, at=stamp(NOW), actor="test")
        journals.append(Workspace.open(tmp_path / name).journal)
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["book.postgresql", "factory.toml"]
    append(journals[0], "mine")
    assert [journal.rows(RUNS).height for journal in journals] == [1, 0]
    assert [journal.check() for journal in journals] == [[], []]


def test_a_book_cut_off_after_its_name_was_noted_is_made_under_that_name(on_postgres: str, tmp_path: Path) -> None:
    (tmp_path / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    (tmp_path / "book.postgresql").write_text(f"zf_book_cut_{os.urandom(4).hex()}\n", encoding="utf-8")
    with pytest.raises(FaultyData) as raised:
        Workspace.open(tmp_path)
    assert code_of(raised) == "store.book_missing"
    Workspace.create(tmp_path, at=stamp(NOW), actor="test")
    assert Workspace.open(tmp_path).database.name.startswith("zf_book_cut_")
    with pytest.raises(FaultyData) as raised:
        Workspace.create(tmp_path, at=stamp(NOW), actor="test")
    assert code_of(raised) == "store.already_there"


def test_many_writers_at_once_make_one_chain(schema: PostgresSchema) -> None:
    journal = Journal(schema)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: append(journal, f"n{number}"), range(40)))
    assert [entry.seq for entry in journal.entries()] == list(range(1, 41))
    assert journal.check() == []


def test_as_many_writers_as_a_server_has_threads_do_not_starve_one_another(schema: PostgresSchema) -> None:
    journals = [Journal(PostgresSchema(schema.url, schema.name)) for _ in range(40)]
    start = threading.Barrier(40)

    def work(number: int) -> None:
        start.wait()
        with journals[number]._database.locked():
            seen = journals[number].rows(RUNS).height  # who writes reads meanwhile, over another connection
            append(journals[number], f"n{number:02} after {seen}")

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(work, range(40)))
    said = [entry.at.partition(" after ")[2] for entry in journals[0].entries()]
    assert said == [str(number) for number in range(40)]


def test_who_waits_too_long_for_the_lock_is_told(schema: PostgresSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "BUSY_SECONDS", 1)
    other = PostgresSchema(schema.url, schema.name)
    with schema.locked():
        with pytest.raises(FaultyData) as raised, other.locked():
            pytest.fail("two hold the lock")
        append(Journal(schema), "mine")  # who holds it writes
    assert code_of(raised) == "store.busy"
    with other.locked():
        append(Journal(other), "theirs")
    assert Journal(schema).check() == []


def test_a_lock_is_free_for_another_thread_when_it_ends_and_not_before(schema: PostgresSchema) -> None:
    order: list[str] = []

    def second() -> None:
        with schema.locked():
            order.append("second")

    with schema.locked():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.5)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_who_loses_the_connection_that_holds_the_lock_writes_nothing(schema: PostgresSchema) -> None:
    append(Journal(schema), "one")

    def cut_off() -> None:
        with schema.locked():
            held = schema._held[threading.get_ident()]
            number = held.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            held.commit()
            with engine_of(schema.url.render_as_string(hide_password=False)).begin() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({number})")
            append(Journal(schema), "too late")

    with pytest.raises(FaultyData) as raised:
        cut_off()
    assert code_of(raised) == "store.away"
    assert [entry.at for entry in Journal(schema).entries()] == ["one"]
    with schema.locked():  # the server freed it
        append(Journal(schema), "two")
    assert Journal(schema).check() == []


def test_killed_in_the_middle_the_book_is_whole_and_free(schema: PostgresSchema, postgres_url: str) -> None:
    append(Journal(schema), "one")
    code = f"""
import os, signal
from zerofactory.store.journal import Journal
from zerofactory.store.postgres import PostgresSchema, url_of
from zerofactory.store.schema import RUNS
schema = PostgresSchema(url_of({postgres_url!r}), {schema.name!r})
with schema.locked(), Journal(schema).writing(at="x", kind="import", actor="t") as writer:
    writer.append(RUNS, RUNS.frame([{{column: column for column in RUNS.names}}]))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{Path.cwd() / 'src'}"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -9
    with schema.locked():
        append(Journal(schema), "two")
    assert [entry.at for entry in Journal(schema).entries()] == ["one", "two"]
    assert Journal(schema).rows(RUNS).height == 2
    assert Journal(schema).check() == []


SECRET = "s3cret w@rd"  # noqa: S105  (of no database)
AWAY = "postgresql://ann:s3cret%20w%40rd@127.0.0.1:1/zf?connect_timeout=2"


def test_a_server_that_is_away_is_told_without_the_password(
    small: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small.workspace.folder
    (folder / "book.db").unlink(missing_ok=True)
    (folder / "book.postgresql").write_text("zf_book_small\n", encoding="utf-8")
    monkeypatch.setenv("ZF_DATABASE_URL", AWAY)
    with pytest.raises(FaultyData) as raised:
        Workspace.open(folder)
    assert code_of(raised) == "store.away"
    told = repr(raised.value.problems) + str(raised.value) + repr(engine_of(url_of(AWAY).render_as_string(False)))
    from zerofactory.cli.main import main

    for words in (["check", "-w", str(folder)], ["store", "status", "-w", str(folder), "--json"]):
        monkeypatch.setattr(sys, "argv", ["zf", *words])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 2
    told += "".join(capsys.readouterr())
    assert "postgresql://ann@127.0.0.1:1/zf" in told
    assert "store.away" in told
    for written in (SECRET, "s3cret"):
        assert written not in told


@pytest.mark.parametrize(
    "address",
    ["mysql://ann:s3cret@host/zf", "ann:s3cret@host/zf", "postgresql://ann:s3cret@host:port/zf", "sqlite:///x"],
)
def test_what_is_no_address_of_postgresql_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(FaultyData) as raised:
        url_of(address)
    assert code_of(raised) == "store.address_unreadable"
    assert "s3cret" not in str(raised.value)


def test_an_option_the_driver_does_not_know_is_an_unreadable_address(postgres_url: str) -> None:
    joint = "&" if "?" in postgres_url else "?"
    with pytest.raises(FaultyData) as raised:
        PostgresSchema(url_of(f"{postgres_url}{joint}colour=s3cret"), "zf_x").tables()
    assert code_of(raised) == "store.address_unreadable"
    assert "s3cret" not in str(raised.value)


def test_a_database_or_a_book_that_is_not_there_is_told(postgres_url: str) -> None:
    other = url_of(postgres_url).set(database="nowhere")
    with pytest.raises(FaultyData) as raised:
        PostgresSchema(other, "zf_x").tables()
    assert code_of(raised) == "store.no_database"
    for ask in (bring_up, lambda book: Journal(book).last()):
        with pytest.raises(FaultyData) as raised:
            ask(PostgresSchema(url_of(postgres_url), "zf_book_of_nobody"))
        assert code_of(raised) == "store.book_missing"


def test_without_the_driver_the_way_to_get_it_is_told() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from zerofactory.errors import FaultyData\n"
        "from zerofactory.store.postgres import PostgresSchema, url_of\n"
        "try: PostgresSchema(url_of('postgresql://h/d'), 'zf_x').tables()\n"
        "except FaultyData as fault: print(fault.problems[0].code, fault.problems[0].hint.en)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd() / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == 'store.no_driver Run pip install "zerofactory[postgres]".'


def test_a_text_that_cannot_be_stored_is_refused_and_nothing_is_written(schema: PostgresSchema) -> None:
    with pytest.raises(FaultyData) as raised:
        append(Journal(schema), "a\x00b")
    assert code_of(raised) == "store.nul"
    assert Journal(schema).entries() == []


def test_a_number_beyond_bounds_is_refused(schema: PostgresSchema) -> None:
    with pytest.raises(FaultyData) as raised, schema.reading("SELECT ?::integer", (10**12,)):
        pytest.fail("a number of twelve digits is no integer of four bytes")
    assert code_of(raised) == "store.unfit"


def test_a_user_without_the_right_is_told(schema: PostgresSchema) -> None:
    with schema.engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE ROLE "{schema.name}" LOGIN')
    with pytest.raises(FaultyData) as raised:
        Journal(PostgresSchema(schema.url.set(username=schema.name), schema.name)).last()
    assert code_of(raised) == "store.no_right"
