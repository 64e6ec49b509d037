"""Accounts in a real browser: the company's login, a new password, an invitation, a reset link; and the bounds of two pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.api.company_provider import SECRET, Provider
from tests.api.company_provider import running as answering
from tests.conftest import HEADER, SMALL_PLANT
from tests.web.conftest import PASSWORD, Running, serving

from zerofactory.runs.context import open_context
from zerofactory.store.access import AccessStore

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
ANOTHER = "paper moon garden"
CONFIG = """
[company]
issuer = "{0}"
address = "ADDRESS"
client_id = "zerofactory"
client_secret_env = "ZF_TEST_SECRET"
title = "晨星账户"
roles = [{{value = "carbon", site = "plant", role = "viewer"}}]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve the small plant with a company's login and uploads of at most one megabyte."""
    with pytest.MonkeyPatch.context() as patch, answering(Provider()) as provider:
        patch.setenv("ZF_TEST_SECRET", SECRET)
        folder = tmp_path_factory.mktemp("accounts")
        with serving(folder, SMALL_PLANT, "--upload-mb", "1", access=CONFIG.format(provider.issuer)) as found:
            yield found


@pytest.fixture(scope="module")
def chief(place: Running, browser: Browser) -> Iterator[Page]:
    """Return the page of the first administrator."""
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(place.welcome)
    fill(page, login="li", name="李敏", password=PASSWORD)
    page.wait_for_url(lambda url: "welcome" not in url, timeout=60_000)
    yield page
    page.context.close()


def ready(page: Page) -> None:
    page.wait_for_function("window.socket?.connected ?? true")


def fill(page: Page, **values: str) -> None:
    """Fill the form of a door and send it."""
    page.wait_for_selector("#zf-submit")
    ready(page)
    for name, value in values.items():
        page.fill(f"#zf-{name}", value)
    page.click("#zf-submit")


def test_a_person_of_the_company_comes_in_by_one_button(place: Running, browser: Browser) -> None:
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(f"{place.address}/inventory")
    page.wait_for_selector("#zf-company")
    assert "晨星账户" in page.inner_text("#zf-company")
    page.click("#zf-company")
    page.wait_for_url(f"{place.address}/inventory**", timeout=60_000)
    page.get_by_role("heading", name="清单").first.wait_for()
    page.goto(f"{place.address}/account")
    page.get_by_text("在公司里改").wait_for()
    page.goto(f"{place.address}/v1/company/callback?state=guess&code=guess")
    page.goto(f"{place.address}/logout")
    page.goto(f"{place.address}/v1/company/callback?state=guess&code=guess")
    page.get_by_text("请重新登录").wait_for()
    page.context.close()


def test_invite_reset_and_change_the_password(place: Running, chief: Page, browser: Browser) -> None:
    chief.goto(f"{place.address}/users")
    ready(chief)
    chief.get_by_role("button", name="邀请", exact=True).click()
    link = chief.locator("input[readonly][value*='/welcome?code=']")
    link.wait_for()
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(str(link.input_value()))
    fill(page, login="wang", name="王芳", password=PASSWORD)
    page.wait_for_url(lambda url: "welcome" not in url, timeout=60_000)
    page.goto(f"{place.address}/account")
    fill(page, present="wrong guess here", password=ANOTHER)
    page.get_by_text("现在的密码不对").wait_for()
    page.reload()
    fill(page, present=PASSWORD, password=ANOTHER)
    page.wait_for_function(
        "!document.querySelector('#zf-present') || document.querySelector('#zf-present').value === ''"
    )
    chief.goto(f"{place.address}/users")
    ready(chief)
    chief.get_by_label("用户", exact=True).click()
    chief.get_by_role("option", name="wang", exact=True).click()
    chief.get_by_role("button", name="密码重置链接").click()
    link = chief.locator("input[readonly][value*='/reset?code=']")
    link.wait_for()
    other = browser.new_context(locale="zh-CN").new_page()
    other.goto(str(link.input_value()))
    fill(other, password=PASSWORD)
    other.wait_for_url(lambda url: "reset" not in url, timeout=60_000)
    page.goto(f"{place.address}/account")
    assert "/login" in page.url  # the reset ended every session
    store = AccessStore.in_folder(place.inbox.parent / "plant")
    assert {"wang", "li"} <= {user.login for user in store.users()}
    assert {"reset link", "reset password", "change password"} <= {
        line.action.removeprefix("page ") for _, line in store.trail(None)
    }
    page.context.close()
    other.context.close()


def test_files_beyond_the_bound_are_refused_on_the_page_and_leave_nothing(place: Running, chief: Page) -> None:
    large = place.inbox / "large.csv"
    large.write_text(HEADER + "diesel,2025-01-01,2025-01-31,1,L,diesel,invoiced,D-1,\n" * 30_000, encoding="utf-8")
    assert large.stat().st_size > 1_000_000
    entries = len(open_context(place.inbox.parent / "plant").workspace.journal.entries())
    chief.goto(f"{place.address}/import")
    ready(chief)
    sent: list[str] = []
    chief.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    chief.locator("input[type=file]").first.set_input_files(str(large))
    chief.get_by_text("没有上传").first.wait_for()
    assert sent == []  # the browser itself did not send it; the server's own bound has its test in test_web_attacks
    assert len(open_context(place.inbox.parent / "plant").workspace.journal.entries()) == entries


def test_the_budget_page_takes_the_year_of_its_address_and_nothing_else(place: Running, chief: Page) -> None:
    chief.goto(f"{place.address}/budget?year=2031")
    chief.get_by_text("2031 年还没有预算").first.wait_for()
    for absurd in ("99999999999", "abc", "-202", "二〇二六", "<b>1"):
        chief.goto(f"{place.address}/budget?year={absurd}")
        chief.get_by_text("年还没有预算").first.wait_for()
        assert absurd not in chief.inner_text("main, [role=main]")
