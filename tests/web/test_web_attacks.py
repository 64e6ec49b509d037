"""A stranger at the pages: foreign sockets, hostile names, and pages that stay open after the right to them has ended."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from nicegui import ui
from tests.conftest import HEADER, NOW, SMALL_PLANT
from tests.web.conftest import PASSWORD, Running, serving

from zerofactory.errors import NotFound
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.runs.cookies import local
from zerofactory.runs.sites import Server, Sites
from zerofactory.store.access import AccessStore
from zerofactory.store.workspace import Workspace
from zerofactory.web import act as acting
from zerofactory.web import visit as visits
from zerofactory.web.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>{{constructor.constructor('window.hit=1')()}}"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport="
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="}  # fmt: skip


def status(running: Running, verb: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(urlsplit(running.address).netloc, timeout=60)
    try:
        connection.request(verb, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_foreign_page_gets_no_socket_and_our_own_does(running: Running) -> None:
    for origin, answers in ((running.address, 101), ("https://evil.example", 403), ("null", 403)):
        assert status(running, "GET", SOCKET + "websocket", {**UPGRADE, "Origin": origin}) == answers, origin
    foreign = {"Origin": "http://127.0.0.1:1"}  # another port of this machine is another origin
    assert status(running, "GET", SOCKET + "polling", foreign) == 403
    assert status(running, "POST", SOCKET + "polling", foreign) == 403
    assert status(running, "GET", SOCKET + "polling", {"Origin": running.address}) == 200


def test_a_foreign_link_does_not_log_anybody_out(running: Running) -> None:
    connection = http.client.HTTPConnection(urlsplit(running.address).netloc, timeout=60)
    connection.request("GET", "/logout", headers={"Sec-Fetch-Site": "cross-site"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["location"], answer.headers["set-cookie"]) == (303, "/", None)
    connection.close()


@pytest.mark.parametrize("target", ["/\t/evil.example", "/\n/evil.example", "/\r\n//evil.example", "/\u202e//x", " /x"])
def test_no_letter_a_browser_drops_leads_elsewhere(target: str) -> None:
    assert local(target) == "/"


def test_a_large_body_of_a_stranger_is_not_read(running: Running) -> None:
    connection = http.client.HTTPConnection(urlsplit(running.address).netloc, timeout=60)
    path = "/_nicegui/client/guess/upload/1"
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(2 * 1024**3)}
    connection.request("POST", path, headers=headers)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.fixture
def looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[AccessStore, Visit]:
    """Return a manager who has a page open."""
    monkeypatch.setattr(visits, "LOOK_AGAIN_SECONDS", -1.0)
    (tmp_path / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    Workspace.create(tmp_path, at=stamp(NOW), actor="test")
    store = AccessStore.in_folder(tmp_path)
    sites = Sites(tmp_path)
    (site,) = sites.folders()
    user = store.add_user("li", "Li", access.hash_password(PASSWORD, "li"), at=stamp(clock()))
    store.grant(user.user_id, site, "manager")
    secret, _ = access.log_in(store, "li", PASSWORD, access.Knock(), clock())
    person = access.by_session(store, secret, clock())
    assert person is not None
    return store, Visit(Server(sites, store, False, 1), person, site, (site,), "zh", {}, False, secret, "192.0.2.7")


def test_an_open_page_shows_nothing_more_after_logging_out(looking: tuple[AccessStore, Visit]) -> None:
    store, visit = looking
    assert visit.context.actor == "li"
    store.end_session(visit.secret)
    assert not visit.holds()
    with pytest.raises(NotFound):
        _ = visit.context


def test_an_open_page_of_who_lost_his_role_shows_nothing_more(looking: tuple[AccessStore, Visit]) -> None:
    store, visit = looking
    store.grant(visit.person.user.user_id, visit.site, "")
    assert not visit.holds()
    with pytest.raises(NotFound):
        visit.kept("anything", lambda _: 1)


def test_a_button_pressed_after_logging_out_does_nothing_and_is_noted(
    looking: tuple[AccessStore, Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, visit = looking
    shown: list[object] = []
    monkeypatch.setattr(acting, "_show", lambda *told: shown.append(told))
    store.end_session(visit.secret)
    done: list[int] = []

    class Place:
        def clear(self) -> None: ...

    place: ui.element = Place()  # type: ignore[assignment]
    found = asyncio.run(acting.act(visit, "manage", "close", lambda _: done.append(1), place))
    assert (found, done, len(shown)) == (None, [], 1)
    line = store.trail(visit.site)[0][1]
    assert (line.login, line.action, line.outcome, line.address) == ("li", "page close", "refused", "192.0.2.7")


@pytest.mark.slow
def test_names_that_are_programs_stay_words(browser: Browser, tmp_path: Path) -> None:
    text = SMALL_PLANT.replace("小厂", json.dumps(HOSTILE)[1:-1])
    assert HOSTILE.split(">", maxsplit=1)[0] in text
    with serving(tmp_path, text) as running:
        context = browser.new_context(locale="zh-CN")
        page, dialogs = context.new_page(), []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        code = running.welcome.split("code=")[1]
        asked = context.request
        made = asked.post(
            f"{running.address}/v1/accounts", data={"code": code, "login": "li", "name": HOSTILE, "password": PASSWORD}
        )
        assert made.status == 201, made.text()
        headers = {"X-CSRF-Token": made.json()["csrf"]}
        row = f'diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,"{HOSTILE}","=1+1 {HOSTILE}"\n'
        files = {"name": f"{HOSTILE.replace('/', '')}.csv", "mimeType": "text/csv", "buffer": (HEADER + row).encode()}
        sent = asked.post(f"{running.address}/v1/imports", headers=headers, multipart={"files": files})
        assert sent.status == 200, sent.text()
        readings = {"name": "r.parquet", "mimeType": "x/y", "buffer": (running.inbox / "读数.parquet").read_bytes()}
        assert asked.post(f"{running.address}/v1/imports", headers=headers, multipart={"files": readings}).status == 200
        closed = asked.post(f"{running.address}/v1/closings", headers=headers, data={"period": "2025-01"})
        assert closed.status == 200, closed.text()
        for path in (
            "/",
            "/why?figure=diesel@2025-01",
            "/lists?kind=documents",
            "/lists?kind=runs",
            "/inventory?by=source&period=2025-01",
            "/import",
            "/users",
            "/journal",
            "/why?figure=<img src=x onerror=window.hit=1>",
            "/login",
        ):
            page.goto(running.address + path)
            page.wait_for_selector("[role=main]", timeout=60_000)
            time.sleep(0.7)
            assert page.evaluate("window.hit") is None, path
        page.goto(f"{running.address}/why?figure=diesel@2025-01")
        page.get_by_text("onerror").first.wait_for(timeout=60_000)  # it is shown, as words
        assert dialogs == []
        context.close()


def test_the_page_itself_holds_no_unescaped_name(running: Running) -> None:
    asked = f"{running.address}/login?next=/%3C/script%3E%3Cscript%3Ewindow.hit=1"
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert b"</script><script>window.hit" not in answer.read()
