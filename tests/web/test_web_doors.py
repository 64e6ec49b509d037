"""The doors of the pages without a browser: what an HTTP client can try."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.request

import pytest
from tests.web.conftest import Running

from zerofactory.runs.cookies import local
from zerofactory.web.frame import pages


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


def ask(running: Running, path: str) -> tuple[int, dict[str, str]]:
    opener = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    try:
        with opener.open(running.address + path, timeout=60) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_every_page_sends_a_stranger_to_the_login(running: Running) -> None:
    for page in pages().values():
        status, headers = ask(running, page.path)
        assert status == 303, page.path
        assert headers["location"].startswith("/login?next=")
        assert headers["content-security-policy"].startswith("default-src 'self'")


def test_menu_addresses_and_titles_are_one_each() -> None:
    found = list(pages().values())
    assert len({page.path for page in found}) == len({page.title.zh for page in found}) == len(found)
    assert all(page.title.zh and page.title.en for page in found)


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_after_logging_in_nobody_is_sent_elsewhere(target: str) -> None:
    assert local(target) == "/"


def test_after_logging_in_one_comes_back() -> None:
    assert local("/inventory?period=2025") == "/inventory?period=2025"


def test_a_wrong_link_makes_no_account(running: Running) -> None:
    assert ask(running, "/welcome?code=guess")[0] == 200
    assert ask(running, "/logout")[0] == 303
