"""A stranger at the door: what was tried against the server, and what it answers now."""

from __future__ import annotations

import base64
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from tests.api.conftest import PASSWORD, Someone
from tests.database import all_that_is_kept, on_sqlite_only

from zerofactory.api.app import Settings, create
from zerofactory.api.door import Visit, still
from zerofactory.api.nouns.live import Seats
from zerofactory.errors import FaultyData
from zerofactory.runs import access, uploads
from zerofactory.runs.context import clock, stamp
from zerofactory.runs.kept import Kept
from zerofactory.runs.sites import Server, Sites
from zerofactory.store.access import ANY_SITE, AccessStore

People = Callable[..., Someone]
Client = Callable[[], TestClient]


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({}, True),  # a program
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://plant.example", "X-Forwarded-Host": "plant.example"}, True),  # behind a proxy
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_a_page_of_another_origin_cannot_log_anybody_in(
    app_client: Client, headers: dict[str, str], is_let_in: bool
) -> None:
    body = {"login": "viewer-east", "password": PASSWORD}
    answer = app_client().post("/v1/session", json=body, headers=headers)
    assert answer.status_code == (201 if is_let_in else 403)
    if not is_let_in:
        assert answer.json()["problems"][0]["code"] == "request.foreign"
        assert "set-cookie" not in answer.headers


def test_a_stranger_may_send_a_login_but_no_file(someone: People, app_client: Client) -> None:
    heavy = b"x" * 999_990 + b"-" * 100  # over a million bytes; the server's own bound here is a million as well
    stranger = app_client()
    refused = stranger.post("/v1/session", content=b'"' + heavy + b'"', headers={"Content-Type": "application/json"})
    assert refused.status_code == 413


def test_a_large_form_is_read_only_for_who_is_known(group: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(group, tmp_path / "group"))
    app = create(root, Settings(upload_megabytes=20))
    client = TestClient(app, raise_server_exceptions=False)
    form = {"files": [("files", ("a.csv", b"a" * 3_000_000))]}
    assert client.post("/v1/imports", **form).status_code == 413  # type: ignore[arg-type]
    forged = {"Authorization": "Bearer guess"}
    assert client.post("/v1/imports", headers=forged, **form).status_code == 413  # type: ignore[arg-type]
    csrf = client.post("/v1/session", json={"login": "recorder-east", "password": PASSWORD}).json()["csrf"]
    known = client.post("/v1/imports", headers={"X-CSRF-Token": csrf}, **form)  # type: ignore[arg-type]
    assert known.status_code == 422  # it was read: the file is no table
    words = client.post("/v1/reversals", content=b" " * 3_000_000, headers={"X-CSRF-Token": csrf})
    assert words.status_code == 413


@pytest.mark.parametrize(
    "content",
    [deep(100_000), b'{"a":' * 50_000, b'{"login": "\\ud800", "password": "x"}', b'{"login": NaN, "password": "x"}', b"\xff\xfe", b'{"login": "a\\u0000", "password": "\\u0000"}'],
)  # fmt: skip
def test_absurd_words_are_refused_without_an_internal_error(app_client: Client, content: bytes) -> None:
    answer = app_client().post("/v1/session", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_absurd_numbers_are_refused_without_an_internal_error(someone: People) -> None:
    chief = someone("administrator", ANY_SITE)
    for path in ("/v1/trail?before=99999999999999999999", "/v1/budgets?site=east&year=99999999999999999999"):
        assert chief.client.get(path).status_code in (404, 422), path
    assert chief.client.get("/v1/check", headers={"Authorization": b"Bearer \xff"}).status_code == 401


def test_a_crowd_of_guesses_at_once_is_throttled_like_a_queue(app_client: Client) -> None:
    most = access.policy()["login"]["failures_per_login"]

    def guess(number: int) -> int:
        login = " VIEWER-east " if number % 2 else "viewer-EAST"  # spaces and case are no second login
        body = {"login": login, "password": f"guess number {number}"}
        return app_client().post("/v1/session", json=body, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(12)))
    assert answers.count(401) == most
    assert answers.count(429) == 12 - most


def test_logging_in_well_many_times_locks_nobody_out(app_client: Client) -> None:
    body = {"login": "viewer-east", "password": PASSWORD}
    most = access.policy()["login"]["failures_per_login"]
    assert {app_client().post("/v1/session", json=body).status_code for _ in range(most + 2)} == {201}


def test_a_password_typed_as_login_is_kept_nowhere(app_client: Client, root: Path) -> None:
    app_client().post("/v1/session", json={"login": PASSWORD + " oops", "password": "x"})
    assert b"oops" not in all_that_is_kept(root)


def test_without_a_code_nobody_makes_the_server_hash(app_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(access, "hash_password", never)
    body = {"code": "guess", "login": "m", "password": PASSWORD}
    assert app_client().post("/v1/accounts", json=body).status_code == 401


def basic(token: dict[str, str]) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{token['token_id']}:{token['token']}".encode()).decode()}


def test_a_token_that_may_not_read_buys_none_that_may(someone: People, app_client: Client) -> None:
    recorder = someone("recorder")
    made = recorder.post("/v1/tokens", {"name": "meters", "scopes": ["record"]}).json()  # type: ignore[attr-defined]
    grant = {"grant_type": "client_credentials"}
    assert app_client().post("/auth/token", data=grant, headers=basic(made)).status_code == 401


def test_what_was_given_for_a_token_ends_with_it(someone: People, app_client: Client) -> None:
    viewer = someone("viewer")
    made = viewer.post("/v1/tokens", {"name": "customer", "scopes": ["read"]}).json()  # type: ignore[attr-defined]
    given = app_client().post("/auth/token", data={"grant_type": "client_credentials"}, headers=basic(made)).json()
    robot = app_client()
    robot.headers["Authorization"] = f"Bearer {given['access_token']}"
    assert robot.get("/v1/check").status_code == 200
    viewer.client.delete(f"/v1/tokens/{made['token_id']}", headers={"X-CSRF-Token": viewer.csrf})
    assert robot.get("/v1/check").status_code == 401


def test_a_viewer_everywhere_who_administers_one_site_cannot_demote_the_chief(
    someone: People, store: AccessStore
) -> None:
    mixed = store.user_called("viewer-any")
    assert mixed is not None
    store.grant(mixed.user_id, "east", "administrator")
    person = someone("viewer", ANY_SITE)
    body, headers = {"role": "viewer"}, {"X-CSRF-Token": person.csrf}
    answer = person.client.put("/v1/users/administrator-any/role", params={"site": "east"}, json=body, headers=headers)
    assert answer.status_code == 403
    assert person.client.delete("/v1/users/viewer-east", params={"site": "east"}, headers=headers).status_code == 403


def test_a_token_of_the_chief_for_one_site_shuts_nobody_out_of_all(someone: People, app_client: Client) -> None:
    chief = someone("administrator", ANY_SITE)
    asked = {"name": "east only", "scopes": ["read", "administer"], "site": "east"}
    made = chief.post("/v1/tokens", asked).json()  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert app_client().delete("/v1/users/viewer-any", headers=headers).status_code == 403
    assert app_client().get("/v1/trail", headers=headers).status_code == 200  # of east alone
    assert app_client().get("/v1/check", params={"site": "west"}, headers=headers).status_code == 404


def test_two_administrators_who_shut_each_other_out_get_a_new_link(store: AccessStore) -> None:
    assert access.first_invitation(store, clock()) is None
    for user in store.users():
        if store.grants(user.user_id).get(ANY_SITE) == "administrator":
            store.disable(user.user_id)
    code = access.first_invitation(store, clock())
    assert code is not None
    account = access.Account("new chief", "", PASSWORD)
    access.accept(store, code, account, clock())
    assert store.has_chief()


def test_the_trail_tells_refused_writes_tokens_and_roles_but_no_secret(someone: People, store: AccessStore) -> None:
    viewer, chief = someone("viewer"), someone("administrator", ANY_SITE)
    viewer.post("/v1/closings?site=east&password=hunter2", {"period": "2025-01"})
    made = viewer.post("/v1/tokens?token=hunter2", {"name": "t", "scopes": ["read"], "site": "east"}).json()  # type: ignore[attr-defined]
    headers = {"X-CSRF-Token": chief.csrf}
    chief.client.put("/v1/users/viewer-east/role?site=east&code=hunter2", json={"role": "recorder"}, headers=headers)
    lines = [line for _, line in store.trail()]
    assert ("viewer-east", "POST /v1/closings", "refused") in {(x.login, x.action, x.outcome) for x in lines}
    assert f"{made['token_id']} read" in {line.target for line in lines if line.action == "new token"}
    assert "viewer-east recorder" in {line.target for line in lines if line.action == "grant"}
    assert "hunter2" not in repr(lines)
    assert made["token"] not in repr(lines)
    whole = chief.get("/v1/trail")["items"]  # type: ignore[index]
    assert {"log_in", "grant"} <= {line["action"] for line in whole}


def test_a_key_left_in_hand_by_a_killed_server_works_again(store: AccessStore) -> None:
    rules, now = access.policy()["answers"], clock()

    def begin(at_minutes: float, digest: str = "d") -> object:
        at = now + timedelta(minutes=at_minutes)
        lost, over = at - timedelta(minutes=rules["in_hand_minutes"]), at - timedelta(hours=rules["kept_hours"])
        return store.begin_answer("u", "k", digest, at=stamp(at), lost=stamp(lost), over=stamp(over))

    assert begin(0) is None  # ours; and now the server is killed
    held = begin(rules["in_hand_minutes"] - 1)
    assert held is not None
    assert held.status == 0  # type: ignore[attr-defined]
    assert begin(rules["in_hand_minutes"] + 1) is None
    store.keep_answer("u", "k", 200, b"done")
    assert begin(rules["in_hand_minutes"] + 90) is not None  # an answer stays ...
    assert begin(rules["kept_hours"] * 60 + 90) is None  # ... for two days


@on_sqlite_only
def test_rights_of_the_access_files_are_the_owners_alone(root: Path) -> None:
    (root / "access.db").chmod(0o644)  # as a copy from elsewhere would be
    store = AccessStore.in_folder(root)
    store.forgive("x")
    found = list(root.glob("access.db*"))
    assert {path.name for path in found} >= {"access.db", "access.db-wal"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in found)


def test_an_archive_that_lies_about_its_size_is_a_bomb(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    raw = bytearray(packed.getvalue())
    for start, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = raw.index(start) + place
        assert int.from_bytes(raw[at : at + 4], "little") == 300_000_000
        raw[at : at + 4] = (1000).to_bytes(4, "little")
    lying, cut = tmp_path / "lying.xlsx", tmp_path / "cut.xlsx"
    lying.write_bytes(raw)
    cut.write_bytes(packed.getvalue()[:-30])
    for path in (lying, cut):
        assert [problem.code for problem in uploads.untypical(path)] == ["upload.inflates"]
    sound = tmp_path / "sound.xlsx"
    with zipfile.ZipFile(sound, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"0123456789" * 50_000)
        archive.writestr("b.xml", b"as it is", zipfile.ZIP_STORED)
    assert list(uploads.untypical(sound)) == []


def test_a_parquet_of_few_bytes_and_endless_rows_is_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "many.parquet"
    pl.select(pl.repeat(1.0, 2_000_000).alias("value")).write_parquet(path)
    assert path.stat().st_size < 100_000
    assert list(uploads.untypical(path)) == []
    bounded = {"upload": {**access.policy()["upload"], "parquet_rows": 1_000_000}}
    monkeypatch.setattr(uploads, "policy", lambda: bounded)
    assert [problem.code for problem in uploads.untypical(path)] == ["upload.inflates"]


def test_one_person_cannot_hold_every_stream() -> None:
    seats, rules = Seats(), access.policy()["flood"]
    held = [seats.seat("li") for _ in range(rules["streams_per_person"])]
    assert all(seat.__enter__() for seat in held)
    with pytest.raises(Exception, match="Too many streams"):
        seats.refuse_over("li")
    with seats.seat("li") as is_free:
        assert not is_free
    seats.refuse_over("wang")
    for seat in held:
        seat.__exit__(None, None, None)
    seats.refuse_over("li")


def test_what_the_asker_may_not_know_is_not_in_another_ones_kept_answer(someone: People) -> None:
    """Answers are kept by site and address; the right is asked for before, so a kept one opens nothing."""
    both, east = someone("viewer", ANY_SITE), someone("viewer")
    first = both.client.get("/v1/check", params={"site": "west"})
    assert first.status_code == 200
    tag = {"If-None-Match": first.headers["etag"]}
    assert east.client.get("/v1/check", params={"site": "west"}, headers=tag).status_code == 404
    assert both.client.get("/v1/check", params={"site": "east"}).json() != first.json()
    assert "小厂west" not in east.client.get("/v1/check").text


def test_deeply_nested_documents_are_refused(someone: People) -> None:
    person = someone("recorder")
    files = [("files", ("deep.json", deep(200_000)))]
    answer = person.client.post("/v1/footprints", files=files, headers={"X-CSRF-Token": person.csrf})
    assert answer.status_code == 422, answer.text


def test_a_role_named_in_a_hostile_way_is_not_found(someone: People) -> None:
    chief = someone("administrator")
    for role in ("root", "'; DROP TABLE users;--", "*"):
        assert chief.post("/v1/invitations", {"role": role}).status_code == 404  # type: ignore[attr-defined]
    quoted = chief.client.get("/v1/explain/x' OR '1'='1")
    assert quoted.status_code in (404, 422)
    assert json.loads(quoted.content)["status"] == quoted.status_code


def test_a_weak_password_uses_up_no_code(nobody_yet: Path) -> None:
    store = AccessStore.in_folder(nobody_yet)
    code = access.first_invitation(store, clock())
    assert code is not None
    with pytest.raises(FaultyData):
        access.accept(store, code, access.Account("li", "", "short"), clock())
    assert store.invite(code, at=stamp(clock())) == (ANY_SITE, "administrator")


def test_a_long_answer_ends_with_the_session(someone: People, root: Path, store: AccessStore) -> None:
    viewer = someone("viewer")
    secret = viewer.client.cookies["zf_session"]
    server = Server(Sites(root), store, False, 1)
    app = SimpleNamespace(state=SimpleNamespace(server=server))
    request = Request({"type": "http", "method": "GET", "headers": [(b"cookie", f"zf_session={secret}".encode())], "app": app})  # fmt: skip
    person = access.by_session(store, secret, clock())
    assert person is not None
    visit = Visit(server, person, "east", server.sites.context("east", "test"))
    assert still(request, visit)
    store.grant(person.user.user_id, "east", "")
    assert not still(request, visit)
    store.grant(person.user.user_id, "east", "viewer")
    assert still(request, visit)
    viewer.client.delete("/v1/session", headers={"X-CSRF-Token": viewer.csrf})
    assert not still(request, visit)


def test_the_same_asked_in_a_thousand_spellings_does_not_fill_the_memory() -> None:
    kept = Kept(1000, most_bytes=10_000)
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"x" * 1000

    for spelling in range(100):
        assert len(kept.get(str(spelling), make)) == 1000
    assert len(made) == 100
    kept.get("99", make)
    kept.get("91", make)
    assert len(made) == 100  # the newest ten are kept
    kept.get("89", make)
    assert len(made) == 101  # an older one is not
    assert len(kept.get("huge", lambda: b"x" * 20_000)) == 20_000
    kept.get("99", make)
    assert len(made) == 102


def test_an_event_of_a_customer_is_in_the_trail(someone: People, store: AccessStore) -> None:
    event = {"type": "org.wbcsd.pact.ProductFootprint.RequestCreatedEvent.3", "specversion": "1.0", "id": "e-7", "source": "//customer.example", "data": {"productId": ["urn:x:1"]}}  # fmt: skip
    assert someone("viewer").post("/3/events", event).status_code == 200  # type: ignore[attr-defined]
    told = {line.target for _, line in store.trail("east") if line.action == "pact event"}
    assert told == {f"{event['type']} e-7 //customer.example"}
