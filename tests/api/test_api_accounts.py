"""Passwords, reset links, invitations taken back, sessions ended, cookies over TLS, and guessing that shuts nobody out for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.api.conftest import PASSWORD, Someone
from typer.testing import CliRunner

from zerofactory.api.app import Settings, create
from zerofactory.cli.main import app
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore

People = Callable[..., Someone]
Browser = Callable[[], TestClient]
ANOTHER = "paper moon garden"


def log_in(client: TestClient, login: str, password: str = PASSWORD) -> int:
    return client.post("/v1/session", json={"login": login, "password": password}).status_code


def delete(person: Someone, path: str) -> int:
    return person.client.delete(path, headers={"X-CSRF-Token": person.csrf}).status_code


def test_a_new_password_needs_the_present_one_and_ends_every_other_session(
    someone: People, app_client: Browser
) -> None:
    here, elsewhere = someone("viewer"), someone("viewer")
    wrong = here.post("/v1/password", {"present": "guess", "password": ANOTHER})
    assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (401, "access.wrong_password")  # type: ignore[attr-defined]
    weak = here.post("/v1/password", {"present": PASSWORD, "password": "viewer"})
    assert weak.status_code == 422  # type: ignore[attr-defined]
    assert elsewhere.client.get("/v1/me").status_code == 200
    before = here.client.cookies["zf_session"]
    done = here.post("/v1/password", {"present": PASSWORD, "password": ANOTHER})
    assert done.status_code == 201  # type: ignore[attr-defined]
    assert here.client.cookies["zf_session"] != before
    assert here.client.get("/v1/me").status_code == 200
    assert elsewhere.client.get("/v1/me").status_code == 401
    assert (log_in(app_client(), "viewer-east"), log_in(app_client(), "viewer-east", ANOTHER)) == (401, 201)


def test_the_present_password_cannot_be_guessed_from_an_open_session(someone: People) -> None:
    here = someone("viewer")
    most = access.policy()["login"]["failures_per_device"]
    codes = [here.post("/v1/password", {"present": "x", "password": ANOTHER}).status_code for _ in range(most + 1)]  # type: ignore[attr-defined]
    assert codes == [401] * most + [429]
    assert here.post("/v1/password", {"present": PASSWORD, "password": ANOTHER}).status_code == 429  # type: ignore[attr-defined]


def test_a_program_changes_no_password(someone: People, app_client: Browser) -> None:
    made = someone("viewer").post("/v1/tokens", {"name": "t", "scopes": ["read"]}).json()  # type: ignore[attr-defined]
    robot = app_client()
    robot.headers["Authorization"] = f"Bearer {made['token']}"
    assert robot.post("/v1/password", json={"present": PASSWORD, "password": ANOTHER}).status_code == 403
    assert robot.delete("/v1/sessions/guess").status_code == 403


def test_a_reset_link_works_once_and_shuts_what_was_open(
    someone: People, app_client: Browser, store: AccessStore
) -> None:
    chief, lost = someone("administrator", ANY_SITE), someone("viewer")
    first = chief.post("/v1/users/viewer-east/reset?site=east").json()["code"]  # type: ignore[attr-defined]
    code = chief.post("/v1/users/viewer-east/reset?site=east").json()["code"]  # type: ignore[attr-defined]
    use = {"code": code, "password": ANOTHER}
    assert (
        app_client().post("/v1/password/reset", json={**use, "code": first}).status_code == 401
    )  # the newer one replaced it
    assert app_client().post("/v1/password/reset", json={**use, "password": "viewer"}).status_code == 422
    browser = app_client()
    assert browser.post("/v1/password/reset", json=use).status_code == 201
    assert browser.get("/v1/me").json()["login"] == "viewer-east"
    assert lost.client.get("/v1/me").status_code == 401
    assert app_client().post("/v1/password/reset", json=use).status_code == 401
    assert log_in(app_client(), "viewer-east") == 401
    assert code not in (line := " ".join(f"{t.action} {t.target}" for _, t in store.trail(None)))
    assert "reset link viewer-east" in line


def test_a_reset_link_runs_out(someone: People, app_client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    code = someone("administrator", ANY_SITE).post("/v1/users/viewer-east/reset?site=east").json()["code"]  # type: ignore[attr-defined]
    monkeypatch.setenv("ZF_NOW", stamp(clock() + timedelta(hours=access.policy()["reset"]["hours"], seconds=1)))
    assert app_client().post("/v1/password/reset", json={"code": code, "password": ANOTHER}).status_code == 401


def test_a_site_administrator_resets_nobody_who_has_a_role_elsewhere(someone: People, store: AccessStore) -> None:
    local = someone("administrator")
    assert local.post("/v1/users/viewer-any/reset").status_code == 403  # type: ignore[attr-defined]
    assert local.post("/v1/users/administrator-any/reset").status_code == 403  # type: ignore[attr-defined]
    user = store.user_called("viewer-east")
    assert user is not None
    assert local.post("/v1/users/viewer-east/reset").status_code == 201  # type: ignore[attr-defined]
    store.grant(user.user_id, "west", "viewer")
    assert local.post("/v1/users/viewer-east/reset").status_code == 403  # type: ignore[attr-defined]
    assert someone("manager").post("/v1/users/viewer-east/reset").status_code == 403  # type: ignore[attr-defined]


def test_an_invitation_is_withdrawn(someone: People, app_client: Browser) -> None:
    local, west = someone("administrator"), someone("administrator", ANY_SITE)
    code = local.post("/v1/invitations", {"role": "viewer"}).json()["code"]  # type: ignore[attr-defined]
    listed = local.get("/v1/invitations")["items"]  # type: ignore[index]
    assert [(one["role"], one["site"]) for one in listed] == [("viewer", "east")]
    assert code not in json.dumps(listed)
    assert west.get("/v1/invitations", site="west")["items"] == []  # type: ignore[index]
    name = listed[0]["invite_id"]
    assert (
        west.client.delete(f"/v1/invitations/{name}?site=west", headers={"X-CSRF-Token": west.csrf}).status_code == 404
    )
    assert (delete(local, f"/v1/invitations/{name}"), delete(local, f"/v1/invitations/{name}")) == (200, 404)
    body = {"code": code, "login": "new", "password": PASSWORD}
    assert app_client().post("/v1/accounts", json=body).status_code == 401


def test_sessions_are_seen_and_ended_by_their_owner_alone(someone: People) -> None:
    here, elsewhere, other = someone("viewer"), someone("viewer"), someone("manager")
    listed = here.get("/v1/sessions")["items"]  # type: ignore[index]
    assert sorted(one["this"] for one in listed) == [False, True]
    stranger = next(one["session_id"] for one in listed if not one["this"])
    assert elsewhere.client.cookies["zf_session"] not in json.dumps(listed)
    assert delete(other, f"/v1/sessions/{stranger}") == 404
    assert delete(here, f"/v1/sessions/{stranger}") == 200
    assert elsewhere.client.get("/v1/me").status_code == 401
    assert here.client.get("/v1/me").status_code == 200


def test_an_administrator_ends_the_sessions_of_those_at_his_site(someone: People) -> None:
    local, viewer = someone("administrator"), someone("viewer")
    assert len(local.get("/v1/users/viewer-east/sessions")["items"]) == 1  # type: ignore[index]
    assert (delete(local, "/v1/users/viewer-any/sessions"), delete(local, "/v1/users/ghost/sessions")) == (403, 404)
    assert delete(local, "/v1/users/viewer-east/sessions") == 200
    assert viewer.client.get("/v1/me").status_code == 401


def test_strangers_who_guess_shut_out_strangers_alone(app_client: Browser, store: AccessStore, root: Path) -> None:
    rules, owner = access.policy()["login"], app_client()
    assert log_in(owner, "viewer-east") == 201
    owner.cookies.delete("zf_session")  # the browser remembers its user after logging out, too
    server = create(root, Settings())
    for number in range(rules["failures_of_strangers"]):  # many addresses, as a botnet has
        client = TestClient(server, client=(f"10.0.{number}.1", 4000))
        assert log_in(client, "viewer-east", "x") == 401
    assert (
        log_in(TestClient(server, client=("10.9.9.9", 1)), "viewer-east") == 429
    )  # also the right password, from a stranger
    assert log_in(owner, "viewer-east") == 201
    assert log_in(TestClient(server, client=("10.9.9.9", 1)), "manager-east") == 201  # nobody else is concerned
    assert log_in(owner, "manager-east", "x") == 401  # a known browser of one user is a stranger to another


def test_a_stranger_gets_in_again_when_the_guessing_stops_or_by_a_reset_link(
    someone: People, app_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = someone("administrator", ANY_SITE)
    for _ in range(access.policy()["login"]["failures_per_login"]):
        log_in(app_client(), "viewer-east", "x")
    assert log_in(app_client(), "viewer-east") == 429
    code = chief.post("/v1/users/viewer-east/reset?site=east").json()["code"]  # type: ignore[attr-defined]
    assert app_client().post("/v1/password/reset", json={"code": code, "password": ANOTHER}).status_code == 201
    for _ in range(access.policy()["login"]["failures_per_login"]):
        log_in(app_client(), "manager-east", "x")
    monkeypatch.setenv(
        "ZF_NOW", stamp(clock() + timedelta(minutes=access.policy()["login"]["window_minutes"], seconds=1))
    )
    assert log_in(app_client(), "manager-east") == 201


def test_a_stolen_browser_secret_may_not_guess_for_ever(app_client: Browser) -> None:
    owner, thief = app_client(), app_client()
    log_in(owner, "viewer-east")
    thief.cookies.set("zf_device", owner.cookies["zf_device"])
    most = access.policy()["login"]["failures_per_device"]
    assert [log_in(thief, "viewer-east", "x") for _ in range(most + 1)] == [401] * most + [429]


def test_over_tls_cookies_belong_to_this_host_alone(root: Path) -> None:
    client = TestClient(create(root, Settings(secure=True)), base_url="https://testserver")
    answer = client.post("/v1/session", json={"login": "viewer-east", "password": PASSWORD})
    cookies = answer.headers.get_list("set-cookie")
    assert {one.split("=")[0] for one in cookies} == {"__Host-zf_session", "__Host-zf_device"}
    for one in cookies:  # RFC 6265bis, 4.1.3.2: Secure, Path=/, no Domain
        parts = {part.strip().casefold() for part in one.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    assert client.get("/v1/me").status_code == 200
    planted = TestClient(create(root, Settings(secure=True)), base_url="https://testserver")
    planted.cookies.set("zf_session", client.cookies["__Host-zf_session"])  # a name that a neighbour could have planted
    assert planted.get("/v1/me").status_code == 401


def test_a_user_who_was_shut_out_is_let_in_again(someone: People, app_client: Browser) -> None:
    chief, local = someone("administrator", ANY_SITE), someone("administrator")
    assert delete(chief, "/v1/users/viewer-east?site=east") == 200
    assert log_in(app_client(), "viewer-east") == 401
    assert local.post("/v1/users/viewer-east/enabling").status_code == 403  # type: ignore[attr-defined]
    assert chief.post("/v1/users/viewer-east/enabling?site=east").status_code == 200  # type: ignore[attr-defined]
    assert log_in(app_client(), "viewer-east") == 201


def test_the_same_at_the_machine_itself(root: Path, app_client: Browser) -> None:
    place = ("-w", str(root), "--json")

    def told(*words: str) -> Any:
        done = CliRunner().invoke(app, ["users", *words, *place])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert len(told("list")) == 12
    path = told("invite", "--role", "recorder", "--site", "west")["path"]
    name = told("invitations")[0]["invite_id"]
    told("withdraw", name)
    assert told("invitations") == []
    code = path.split("code=")[1]
    assert app_client().post("/v1/accounts", json={"code": code, "login": "n", "password": PASSWORD}).status_code == 401
    browser = app_client()
    log_in(browser, "viewer-east")
    assert len(told("sessions", "viewer-east")) == 1
    assert told("log-out", "viewer-east") == {"login": "viewer-east", "ended": 1}
    assert browser.get("/v1/me").status_code == 401
    reset = told("reset", "viewer-east")["path"].split("code=")[1]
    assert app_client().post("/v1/password/reset", json={"code": reset, "password": ANOTHER}).status_code == 201
    assert told("role", "viewer-east", "--role", "manager", "--site", "east")["roles"] == {"east": "manager"}
    told("disable", "viewer-east")
    assert log_in(app_client(), "viewer-east", ANOTHER) == 401
    told("enable", "viewer-east")
    assert log_in(app_client(), "viewer-east", ANOTHER) == 201
    for wrong in (
        ("reset", "ghost"),
        ("role", "viewer-east", "--role", "king", "--site", "east"),
        ("invite", "--role", "viewer", "--site", "moon"),
    ):
        assert CliRunner().invoke(app, ["users", *wrong, *place]).exit_code == 2
    trail = [line.login for _, line in AccessStore.in_folder(root).trail(None) if line.login.startswith("zf:")]
    assert len(trail) == 7
