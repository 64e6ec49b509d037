"""Who gets in, what they may do, and that nobody sees another site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.api.conftest import PASSWORD, Someone
from tests.database import all_that_is_kept, meddling

from zerofactory.errors import FaultyData
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore, Trace

People = Callable[..., Someone]
Client = Callable[[], TestClient]


def test_nobody_gets_anything_without_logging_in(app_client: Client) -> None:
    client = app_client()
    described = client.get("/v1/openapi.json").json()
    open_doors = {
        ("post", "/v1/session"),
        ("post", "/v1/accounts"),
        ("post", "/auth/token"),
        ("post", "/v1/password/reset"),
    }
    open_doors |= {
        ("get", "/v1/company"),
        ("get", "/v1/company/login"),
        ("get", "/v1/company/callback"),
        ("get", "/.well-known/openid-configuration"),
    }
    asked = 0
    for path, verbs in described["paths"].items():
        for verb in verbs:
            if (verb, path) not in open_doors:
                concrete = path.replace("{", "").replace("}", "")
                assert client.request(verb, concrete).status_code == 401, (verb, path)
                asked += 1
    assert asked > 15


def test_wrong_login_and_wrong_password_say_the_same(someone: People, app_client: Client) -> None:
    someone("viewer")
    client = app_client()
    wrong = [client.post("/v1/session", json={"login": n, "password": "x"}) for n in ("viewer-east", "nobody")]
    assert [answer.status_code for answer in wrong] == [401, 401]
    assert wrong[0].json() == wrong[1].json()
    assert wrong[0].headers["content-type"] == "application/problem+json"
    assert wrong[0].json()["problems"][0]["message"]["zh"] == "登录名或密码不对。"


def test_guessing_is_throttled_and_says_when_to_come_back(someone: People, app_client: Client) -> None:
    someone("viewer")
    client = app_client()
    most = access.policy()["login"]["failures_per_login"]
    codes = [
        client.post("/v1/session", json={"login": "viewer-east", "password": "x"}).status_code for _ in range(most)
    ]
    assert codes == [401] * most
    shut = client.post("/v1/session", json={"login": "VIEWER-east", "password": PASSWORD})
    assert shut.status_code == 429
    assert int(shut.headers["retry-after"]) > 0


def test_a_site_that_may_not_be_read_does_not_exist(someone: People) -> None:
    east = someone("manager")
    for site in ("west", "nowhere", "../west", "east/../west", "%2e%2e"):
        answer = east.client.get("/v1/check", params={"site": site})
        assert answer.status_code == 404, site
        assert "west" not in answer.json()["problems"][0]["hint"]["zh"]
    rows = east.get("/v1/sites")
    assert [row["site"] for row in rows["items"]] == ["east"]  # type: ignore[index]


def test_who_may_read_several_must_say_which(someone: People) -> None:
    both = someone("viewer", ANY_SITE)
    assert both.client.get("/v1/check").status_code == 400
    assert both.client.get("/v1/check", params={"site": "west"}).status_code == 200


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("viewer", set()), ("verifier", set()), ("recorder", {"reversals"}), ("manager", {"reversals", "closings"}), ("administrator", {"reversals", "closings", "invitations"})],
)  # fmt: skip
def test_each_role_may_what_it_may(someone: People, role: str, allowed: set[str]) -> None:
    person = someone(role)
    bodies = {
        "reversals": {"document": "none", "reason": "test"},
        "closings": {"period": "2025-01"},
        "invitations": {"role": "viewer"},
    }
    for noun, body in bodies.items():
        status = person.post(f"/v1/{noun}", body).status_code  # type: ignore[attr-defined]
        assert (status != 403) == (noun in allowed), (role, noun, status)


def test_a_write_without_the_form_token_is_refused_and_leaves_nothing(someone: People) -> None:
    manager = someone("manager")
    for headers in ({}, {"X-CSRF-Token": "guess"}):
        answer = manager.client.post("/v1/closings", json={"period": "2025-01"}, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["problems"][0]["code"] == "access.csrf"


def test_session_ends_by_logging_out_by_time_and_by_idling(someone: People, store: AccessStore) -> None:
    viewer = someone("viewer")
    secret = viewer.client.cookies["zf_session"]
    now = clock()
    assert access.by_session(store, secret, now) is not None
    assert access.by_session(store, secret, now + timedelta(hours=13)) is None
    again = someone("viewer")
    idle = again.client.cookies["zf_session"]
    assert access.by_session(store, idle, now + timedelta(minutes=121)) is None
    assert again.client.get("/v1/me").status_code == 401  # idling ended it for good
    assert viewer.client.delete("/v1/session", headers={"X-CSRF-Token": viewer.csrf}).status_code == 200
    assert access.by_session(store, secret, now) is None


def test_a_token_can_do_what_it_was_made_for_until_it_is_revoked(someone: People, app_client: Client) -> None:
    manager = someone("manager")
    made = manager.post("/v1/tokens", {"name": "meter room", "scopes": ["read"], "site": "east"}).json()  # type: ignore[attr-defined]
    robot = app_client()
    robot.headers["Authorization"] = f"Bearer {made['token']}"
    assert robot.get("/v1/check").status_code == 200
    assert robot.post("/v1/closings", json={"period": "2025-01"}).status_code == 403
    assert robot.post("/v1/tokens", json={"name": "more", "scopes": ["read"]}).status_code == 403
    gone = manager.client.delete(f"/v1/tokens/{made['token_id']}", headers={"X-CSRF-Token": manager.csrf})
    assert gone.status_code == 200
    assert robot.get("/v1/check").status_code == 401


def test_a_token_ends_and_never_exceeds_its_maker(someone: People, store: AccessStore) -> None:
    viewer = someone("viewer")
    refused = viewer.post("/v1/tokens", {"name": "", "scopes": ["manage", "fly"], "days": 9999})
    codes = {problem["code"] for problem in refused.json()["problems"]}  # type: ignore[attr-defined]
    assert codes == {"access.token_name", "access.token_days", "access.token_scope", "name.not_found"}
    made = viewer.post("/v1/tokens", {"name": "a day", "scopes": ["read"], "days": 1}).json()  # type: ignore[attr-defined]
    assert access.by_token(store, made["token"], clock() + timedelta(hours=23)) is not None
    assert access.by_token(store, made["token"], clock() + timedelta(hours=25)) is None


def test_the_first_administrator_is_made_by_a_link_that_works_once(nobody_yet: Path, app_client: Client) -> None:
    store = AccessStore.in_folder(nobody_yet)
    code = access.first_invitation(store, clock())
    assert code is not None
    body = {"code": code, "login": "li", "name": "李", "password": PASSWORD}
    weak = app_client().post("/v1/accounts", json={**body, "password": "li"})
    assert weak.status_code == 422
    first = app_client()
    assert first.post("/v1/accounts", json=body).status_code == 201
    assert first.get("/v1/me").json()["sites"]["west"] == list(access.PERMISSIONS)
    assert app_client().post("/v1/accounts", json={**body, "login": "mallory"}).status_code == 401
    assert access.first_invitation(store, clock()) is None


def test_an_invitation_gives_its_role_and_runs_out(someone: People, app_client: Client, store: AccessStore) -> None:
    chief = someone("administrator")
    code = chief.post("/v1/invitations", {"role": "recorder"}).json()["code"]  # type: ignore[attr-defined]
    assert store.invite(code, at=stamp(clock() + timedelta(hours=169))) is None
    client = app_client()
    made = client.post("/v1/accounts", json={"code": code, "login": "wang", "password": PASSWORD})
    assert made.status_code == 201
    assert client.get("/v1/me").json()["sites"] == {"east": ["read", "inspect", "record"]}


def test_a_shut_out_user_is_out_at_once(someone: People) -> None:
    chief, viewer = someone("administrator", ANY_SITE), someone("viewer")
    assert viewer.client.get("/v1/me").status_code == 200
    local = someone("administrator")
    assert local.client.delete("/v1/users/viewer-east", headers={"X-CSRF-Token": local.csrf}).status_code == 403
    done = chief.client.delete("/v1/users/viewer-east", params={"site": "east"}, headers={"X-CSRF-Token": chief.csrf})
    assert done.status_code == 200
    assert viewer.client.get("/v1/me").status_code == 401


def test_a_site_administrator_cannot_touch_the_chief_or_himself(someone: People) -> None:
    someone("administrator", ANY_SITE)
    local = someone("administrator")
    for login, status in (("administrator-any", 403), ("administrator-east", 409), ("ghost", 404)):
        answer = local.client.put(f"/v1/users/{login}/role", json={"role": ""}, headers={"X-CSRF-Token": local.csrf})
        assert answer.status_code == status, login


def test_every_write_leaves_a_line_that_cannot_be_changed(someone: People, store: AccessStore, root: Path) -> None:
    manager = someone("manager")
    manager.post("/v1/reversals", {"document": "none", "reason": "test"})
    number, line = store.trail("east")[0]
    assert (line.login, line.action, line.outcome[:6]) == ("manager-east", "POST /v1/reversals", "failed")
    with pytest.raises(Exception, match="append-only"), meddling(root, "access") as raw:
        raw.execute("UPDATE audit SET login = 'nobody' WHERE number = ?", (number,))
    with pytest.raises(Exception, match="append-only"), meddling(root, "access") as raw:
        raw.execute("DELETE FROM audit")


def test_no_secret_is_stored(someone: People, root: Path) -> None:
    viewer = someone("viewer")
    made = viewer.post("/v1/tokens", {"name": "t", "scopes": ["read"]}).json()  # type: ignore[attr-defined]
    kept = all_that_is_kept(root)
    assert b"$argon2id$" in kept
    for secret in (PASSWORD, made["token"], viewer.client.cookies["zf_session"]):
        assert secret.encode() not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in root.glob("access.db*"))


def test_weak_passwords_are_refused_with_every_reason() -> None:
    with pytest.raises(FaultyData) as caught:
        access.hash_password("lilili", "li")
    assert len(caught.value.problems) == 3
    assert access.hash_password("long enough phrase", "li").startswith("$argon2id$")


def test_trail_reads_back_in_pages(store: AccessStore) -> None:
    for number in range(5):
        store.trace(Trace(stamp(clock()), "a", "east", f"act {number}", "", "done", ""))
    newest = store.trail("east", limit=2)
    assert [line.action for _, line in newest] == ["act 4", "act 3"]
    assert [line.action for _, line in store.trail("east", limit=9, before=newest[-1][0])] == [
        "act 2",
        "act 1",
        "act 0",
    ]
