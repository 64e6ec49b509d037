"""An answer given again at once is never stale and never given to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.api.conftest import Someone

from zerofactory.api.nouns import book
from zerofactory.runs import access, import_data
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore
from zerofactory.store.watch import FileWatch
from zerofactory.store.workspace import Workspace

People = Callable[..., Someone]
CHECK = "/v1/check"


@pytest.fixture(autouse=True)
def sqlite_alone(store: AccessStore) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("only a SQLite file has the number that is watched; with PostgreSQL nothing is kept here")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often the plant is really checked."""
    seen: list[int] = []
    real = book.from_book

    def counting(*asked: object) -> object:
        seen.append(1)
        return real(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(book, "from_book", counting)
    return seen


def test_what_has_not_changed_is_given_again_without_being_made(
    someone: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, seen = someone("viewer"), counted(monkeypatch)
    viewer.client.get(CHECK)  # the session is noted as used
    first = viewer.client.get(CHECK)
    made = len(seen)
    again = viewer.client.get(CHECK)
    assert len(seen) == made
    assert (again.status_code, again.content) == (200, first.content)
    for name in (
        "etag",
        "cache-control",
        "vary",
        "content-type",
        "content-length",
        "content-security-policy",
        "x-content-type-options",
    ):
        assert again.headers[name] == first.headers[name], name
    known = viewer.client.get(CHECK, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", first.headers["etag"])
    assert len(seen) == made


def warm(person: Someone) -> None:
    for _ in range(3):
        assert person.client.get(CHECK).status_code == 200


def test_who_may_no_longer_gets_nothing_at_once(someone: People, store: AccessStore) -> None:
    viewer = someone("viewer")
    warm(viewer)
    user = store.user_called("viewer-east")
    assert user is not None
    AccessStore(store.engine).grant(user.user_id, "east", "")  # by anybody, in any process
    assert viewer.client.get(CHECK).status_code == 404 or viewer.client.get(CHECK).status_code == 400
    store.grant(user.user_id, "east", "viewer")
    warm(viewer)
    store.disable(user.user_id)
    assert viewer.client.get(CHECK).status_code == 401


def test_after_logging_out_and_after_the_end_nothing_is_given(someone: People, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = someone("viewer")
    warm(viewer)
    cookies = dict(viewer.client.cookies)
    assert viewer.client.delete("/v1/session", headers={"X-CSRF-Token": viewer.csrf}).status_code == 200
    for name, value in cookies.items():
        viewer.client.cookies.set(name, value)
    assert viewer.client.get(CHECK).status_code == 401
    other = someone("manager")
    warm(other)
    rules = access.policy()["session"]
    monkeypatch.setenv("ZF_NOW", stamp(clock() + timedelta(minutes=rules["idle_minutes"], seconds=1)))
    assert other.client.get(CHECK).status_code == 401


def test_a_session_that_is_used_does_not_idle_though_its_answers_are_kept(
    someone: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, now = someone("viewer"), clock()
    rules = access.policy()["session"]
    for minutes in range(0, rules["idle_minutes"] + 60, 30):
        monkeypatch.setenv("ZF_NOW", stamp(now + timedelta(minutes=minutes)))
        warm(viewer)


def test_a_token_that_ends_ends(
    someone: People, app_client: Callable[[], TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = someone("viewer").post("/v1/tokens", {"name": "t", "scopes": ["read"], "days": 1}).json()  # type: ignore[attr-defined]
    robot = app_client()
    robot.headers["Authorization"] = f"Bearer {made['token']}"
    warm(Someone(robot, ""))
    monkeypatch.setenv("ZF_NOW", stamp(clock() + timedelta(days=1, seconds=1)))
    assert robot.get(CHECK).status_code == 401


def test_a_changed_book_and_a_changed_plant_file_are_seen_at_once(
    someone: People, root: Path, write_readings: Callable[..., Path]
) -> None:
    viewer = someone("viewer")
    warm(viewer)
    before = viewer.client.get("/v1/journal").json()
    tag = viewer.client.get(CHECK).headers["etag"]
    context = Context(Workspace.open(root / "east"), clock(), "elsewhere")  # another process, as it were
    import_data.run(context, [write_readings(1)])
    assert viewer.client.get(CHECK).headers["etag"] != tag
    assert viewer.client.get("/v1/journal").json()["total"] == before["total"] + 1
    warm(viewer)
    plant = root / "east" / "factory.toml"
    plant.write_text(plant.read_text(encoding="utf-8").replace("小厂east", "大厂east"), encoding="utf-8")
    assert "大厂" in viewer.client.get(CHECK).text
    (root / "east" / "factors").mkdir()
    tag = viewer.client.get(CHECK).headers["etag"]
    (root / "east" / "factors" / "own.csv").write_text("not a factor file", encoding="utf-8")
    assert viewer.client.get(CHECK).headers.get("etag") != tag


def test_a_new_day_is_a_new_answer(
    someone: People, monkeypatch: pytest.MonkeyPatch, app_client: Callable[[], TestClient]
) -> None:
    made = someone("viewer").post("/v1/tokens", {"name": "t", "scopes": ["read"], "days": 9}).json()  # type: ignore[attr-defined]
    robot = app_client()
    robot.headers["Authorization"] = f"Bearer {made['token']}"
    warm(Someone(robot, ""))
    tag = robot.get(CHECK).headers["etag"]
    monkeypatch.setenv("ZF_NOW", stamp(clock() + timedelta(days=1)))
    assert robot.get(CHECK).headers["etag"] != tag


def test_nobody_gets_what_another_asked(someone: People, app_client: Callable[[], TestClient]) -> None:
    both = someone("viewer", ANY_SITE)
    for _ in range(3):
        assert both.client.get(CHECK, params={"site": "west"}).status_code == 200
    assert someone("viewer").client.get(CHECK, params={"site": "west"}).status_code == 404
    assert app_client().get(CHECK, params={"site": "west"}).status_code == 401
    stranger = app_client()
    stranger.cookies.set("zf_session", "guess")
    assert stranger.get(CHECK, params={"site": "west"}).status_code == 401


def test_a_file_that_is_replaced_is_another_file(store: AccessStore, root: Path) -> None:
    watch = FileWatch(root / "access.db")
    before = watch.version()
    assert watch.version() == before
    store.add_user("new", "new", "", at=stamp(clock()))
    after = watch.version()
    assert after != before
    copy = root / "copy.db"
    copy.write_bytes((root / "access.db").read_bytes())
    copy.replace(root / "access.db")
    assert watch.version() != after
    watch.close()
