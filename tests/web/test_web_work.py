"""Long work on pages: it survives a reload, it may be cancelled, and of two browsers that close the same month one wins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.conftest import SMALL_PLANT, readings_of
from tests.web.conftest import PASSWORD, Running, serving
from tests.web.test_web_day import enter, picture

from zerofactory.runs import import_data, verify
from zerofactory.runs.context import open_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve the small plant with two years of readings, nothing closed."""
    with serving(tmp_path_factory.mktemp("work"), SMALL_PLANT) as found:
        for which in (2024, 2025):
            path = found.inbox / f"{which}.parquet"
            readings_of(tuple(range(1, 13)), which).write_parquet(path)
            import_data.run(open_context(found.inbox.parent / "plant"), [path])
        yield found


@pytest.fixture(scope="module")
def account(year: Running, browser: Browser) -> Running:
    """Make the account that the tests log in with."""
    page = browser.new_page(locale="zh-CN")
    page.goto(year.welcome)
    page.wait_for_selector("#zf-name")
    page.wait_for_function("window.socket?.connected ?? true")
    for name, value in (("login", "li"), ("name", "李敏"), ("password", PASSWORD)):
        page.fill(f"#zf-{name}", value)
    page.click("#zf-submit")
    page.wait_for_url(lambda url: "welcome" not in url, timeout=60_000)
    page.close()
    return year


def closing(page: Page, running: Running, period: str) -> None:
    """Go to the page of closing and choose a period."""
    page.goto(f"{running.address}/close")
    page.wait_for_selector("#zf-close")
    page.wait_for_function("window.socket?.connected ?? true")
    page.get_by_label("月份", exact=True).click()
    page.get_by_role("option", name=period, exact=True).click()


def seals(running: Running) -> list[str]:
    return sorted(open_context(running.inbox.parent / "plant").workspace.seals()["period"].to_list())


def test_a_closing_survives_a_reload_and_is_cancelled_from_another_browser(account: Running, browser: Browser) -> None:
    one, two = browser.new_context(locale="zh-CN"), browser.new_context(locale="zh-CN")
    here, there = one.new_page(), two.new_page()
    enter(here, account)
    enter(there, account)
    closing(here, account, "2024")
    there.goto(f"{account.address}/jobs")
    there.get_by_text("服务启动以来没有长时间的工作").wait_for()
    with open_context(
        account.inbox.parent / "plant"
    ).workspace.locked():  # the work waits for us, however quick the machine
        here.click("#zf-close")
        here.locator(".zf-work").wait_for(timeout=60_000)
        picture(here, "work-1-closing")
        there.locator(".zf-cancel").click(timeout=60_000)
        here.reload()
        here.wait_for_selector("#zf-close")
    there.get_by_role("cell", name="已取消").wait_for(timeout=60_000)
    assert seals(account) == []  # twelve months were being worked out; none is half closed
    assert verify.run(open_context(account.inbox.parent / "plant")).clean
    picture(there, "work-2-cancelled")
    one.close()
    two.close()


def test_two_browsers_close_the_same_month_one_wins_the_other_is_told(account: Running, browser: Browser) -> None:
    pages = [browser.new_context(locale="zh-CN").new_page() for _ in range(2)]
    for page in pages:
        enter(page, account)
        closing(page, account, "2024-01")
    for page in pages:
        page.click("#zf-close")
    pages[1].get_by_role("alert").wait_for(timeout=60_000)
    told = pages[1].inner_text("[role=alert]")
    assert "正在做同一件事" in told or "已封存" in told
    pages[0].get_by_text("2024-01 已封存:").wait_for(timeout=60_000)
    picture(pages[1], "work-3-told")
    assert seals(account) == ["2024-01"]
    for page in pages:
        page.context.close()


def test_the_whole_book_is_verified_with_its_progress_on_the_page(account: Running, browser: Browser) -> None:
    page = browser.new_context(locale="zh-CN").new_page()
    enter(page, account)
    page.goto(f"{account.address}/journal")
    page.get_by_role("button", name="核验整本账").click()
    page.get_by_text("账本完好").wait_for(timeout=60_000)
    page.goto(f"{account.address}/jobs")
    page.get_by_role("link", name="核验整本账").wait_for()
    page.context.close()
