"""A book moved into the database and back: the same rows, hashes and head; nobody writes to the one that was left."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import NOW, SMALL_PLANT
from tests.database import meddling

from zerofactory.errors import BookBroken, FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import close, import_data, inventory, reverse, store, verify
from zerofactory.runs.context import Context, stamp
from zerofactory.store.access import AccessStore, Trace
from zerofactory.store.journal import Journal
from zerofactory.store.schema import FACTS, REVISION
from zerofactory.store.sqlite_file import SqliteFile
from zerofactory.store.workspace import Workspace

MARCH = Period(2025, 3)
Writer = Callable[..., Path]


@pytest.fixture
def closed(on_sqlite: None, small: Context, write_readings: Writer, write_form: Writer) -> Context:
    """Return a small plant in a file, March closed, one document taken back: flags, nulls, floats and reversals."""
    form = write_form("diesel,2025-03-01,2025-03-31,12.5,t,,结算,D1,", "diesel,2025-04-01,2025-04-30,3,t,,结算,D2,")
    import_data.run(small, [write_readings(3), form])
    reverse.run(Context(Workspace.open(small.workspace.folder), NOW, "test"), "D2", "twice")
    close.run(Context(Workspace.open(small.workspace.folder), NOW, "test"), MARCH)
    return Context(Workspace.open(small.workspace.folder), NOW, "test")


def everything(journal: Journal) -> dict[str, object]:
    return {schema.name: journal.rows(schema).to_dicts() for schema in FACTS} | {"journal": journal.entries()}


def again(context: Context) -> Context:
    return Context(Workspace.open(context.workspace.folder), context.now, context.actor)


def test_there_and_back_every_row_and_the_head_are_the_same(
    closed: Context, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = closed.workspace.folder, everything(closed.workspace.journal)
    totals = inventory.read(closed, MARCH, "iso_14064_1_2018").total_gco2e
    head = verify.run(closed).head
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    (moved,) = store.move(folder, "postgresql")
    assert (moved["head"], moved["entries"]) == (head, len(before["journal"]))  # type: ignore[arg-type]
    there = again(closed)
    assert there.workspace.database.dialect == "postgresql"
    assert everything(there.workspace.journal) == before
    assert verify.run(there).clean
    assert inventory.read(there, MARCH, "iso_14064_1_2018").total_gco2e == totals
    assert not (folder / "book.db").exists()
    assert (folder / str(moved["kept_as"])).is_file()
    assert store.move(folder, "postgresql") == [], "it is there already"
    reverse.run(there, "D1", "wrong", into_closed=True)
    (back,) = store.move(folder, "sqlite")
    assert back["entries"] == len(before["journal"]) + 1  # type: ignore[arg-type]
    monkeypatch.delenv("ZF_DATABASE_URL")
    assert verify.run(again(closed)).head == back["head"]
    assert not (folder / "book.postgresql").exists()


def test_who_has_the_left_book_open_cannot_write_to_it(
    closed: Context, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = closed.workspace.folder
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    store.move(folder, "postgresql")
    with pytest.raises(Exception, match="unable to open"):
        reverse.run(closed, "D1", "late", into_closed=True)
    assert not (folder / "book.db").exists()
    there = again(closed)
    store.move(folder, "sqlite")
    with pytest.raises(FaultyData) as raised:
        reverse.run(there, "D1", "late", into_closed=True)
    assert raised.value.problems[0].code == "store.book_missing"


def test_a_file_that_a_server_has_open_is_not_moved(
    closed: Context, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    monkeypatch.setattr("zerofactory.store.sqlite_file.ALONE_MILLISECONDS", 100)
    path = closed.workspace.folder / "book.db"
    with closing(SqliteFile(path).connect()) as other:
        other.execute("SELECT COUNT(*) FROM journal").fetchall()
        with pytest.raises(FaultyData) as raised:
            store.move(closed.workspace.folder, "postgresql")
    assert raised.value.problems[0].code == "store.in_use"
    assert path.is_file()
    assert not (closed.workspace.folder / "book.postgresql").exists()


def test_a_broken_book_stays_where_it_is(closed: Context, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with meddling(closed.workspace.folder) as book:
        book.drop_guard("records", "UPDATE")
        book.execute("UPDATE records SET emissions_gco2e = 1 WHERE row_number = 2")
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    with pytest.raises(BookBroken):
        store.move(closed.workspace.folder, "postgresql")
    assert (closed.workspace.folder / "book.db").is_file()


def test_a_folder_and_a_variable_that_disagree_are_told(
    closed: Context, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = closed.workspace.folder
    with pytest.raises(FaultyData) as raised:
        store.move(folder, "postgresql")
    assert raised.value.problems[0].code == "store.no_address"
    with pytest.raises(NotFound, match="place"):
        store.move(folder, "oracle")
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    with pytest.raises(FaultyData) as raised:
        Workspace.open(folder)
    assert raised.value.problems[0].code == "store.two_places"
    (book,) = store.status(folder).books
    assert (book.place, book.entries > 0, book.problems[0].code) == ("sqlite", True, "store.two_places")
    store.move(folder, "postgresql")
    monkeypatch.delenv("ZF_DATABASE_URL")
    with pytest.raises(FaultyData) as raised:
        Workspace.open(folder)
    assert raised.value.problems[0].code == "store.no_address"
    (folder / "book.postgresql").write_text("records; DROP SCHEMA public", encoding="utf-8")
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    with pytest.raises(FaultyData) as raised:
        Workspace.open(folder)
    assert raised.value.problems[0].code == "store.name_unreadable"


def test_a_group_moves_with_its_accounts_and_they_go_on(
    on_sqlite: None,
    tmp_path: Path,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
        Workspace.create(tmp_path / name, at=stamp(NOW), actor="test")
    accounts = AccessStore.in_folder(tmp_path)
    user = accounts.add_user("ann", "Ann", "hash", at=stamp(NOW))
    accounts.grant(user.user_id, "east", "viewer")
    secret, _ = accounts.open_session(user.user_id, at=stamp(NOW), expires_at="2030")
    line = Trace(stamp(NOW), "ann", "east", "GET", "x", "done", "::1")
    accounts.trace(line)
    accounts.engine.dispose()
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    from zerofactory.cli.main import main

    def zf(*words: str) -> dict[str, list[dict[str, str]]]:
        monkeypatch.setattr(sys, "argv", ["zf", "store", *words, "-w", str(tmp_path), "--json"])
        with pytest.raises(SystemExit) as left:
            main()
        out = capsys.readouterr().out
        assert left.value.code == 0, out
        return dict(json.loads(out))

    assert len(zf("move", "--to", "postgresql")["moved"]) == 3
    assert {book["place"] for book in zf("status")["books"]} == {"postgresql"}
    assert [book["after"] for book in zf("upgrade")["books"]] == [REVISION, REVISION]
    for place, count in (("postgresql", 2), ("sqlite", 3)):
        there = AccessStore.in_folder(tmp_path)
        assert there.user_called("ann") == user
        assert there.grants(user.user_id) == {"east": "viewer"}
        assert there.session(secret) is not None
        there.trace(line)  # numbered after what was copied
        assert [number for number, _ in there.trail()] == list(range(count, 0, -1))
        there.engine.dispose()
        if place == "postgresql":
            zf("move", "--to", "sqlite")
            monkeypatch.delenv("ZF_DATABASE_URL")
    assert (tmp_path / "access.db").stat().st_mode & 0o077 == 0


def test_cut_off_before_the_switch_the_file_is_still_the_book(
    closed: Context, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, head = closed.workspace.folder, verify.run(closed).head
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.move(folder, "postgresql")
    assert (folder / "book.postgresql").is_file()
    with monkeypatch.context() as patch:
        patch.delenv("ZF_DATABASE_URL")
        assert verify.run(again(closed)).head == head
    (moved,) = store.move(folder, "postgresql")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.move(folder, "sqlite")
    assert verify.run(again(closed)).head == head == moved["head"]
    assert [path.name for path in folder.glob("*.partial")] == []
    assert len(store.move(folder, "sqlite")) == 1


def test_a_server_that_is_away_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZF_DATABASE_URL", "postgresql://ann@127.0.0.1:1/zf?connect_timeout=2")
    from zerofactory.runs import init

    with pytest.raises(FaultyData) as raised:
        init.run(tmp_path / "new")
    assert raised.value.problems[0].code == "store.away"
    assert not (tmp_path / "new").exists()
