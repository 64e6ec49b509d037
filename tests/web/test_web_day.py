"""The manager's day in a real browser, from the one-time link to the figure opened down to its document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.web.conftest import PASSWORD, Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
PICTURES = os.environ.get("ZF_SCREENSHOTS")


def picture(page: Page, name: str) -> None:
    """Keep a picture of a page where ``ZF_SCREENSHOTS`` names a folder."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def enter(page: Page, running: Running) -> None:
    """Log in on the page that asks for it."""
    page.goto(f"{running.address}/login")
    _type_in(page)


def _type_in(page: Page) -> None:
    page.wait_for_selector("#zf-submit")
    page.wait_for_function("window.socket?.connected ?? true")
    page.fill("#zf-login", "li")
    page.fill("#zf-password", PASSWORD)
    page.click("#zf-submit")
    page.wait_for_url(lambda url: "welcome" not in url and "login" not in url, timeout=60_000)


def test_from_the_link_to_an_opened_figure(running: Running, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1400, "height": 900})
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    outside: list[str] = []
    page.on("request", lambda asked: outside.append(asked.url) if not asked.url.startswith((running.address, running.address.replace("http", "ws"), "data:", "blob:")) else None)  # fmt: skip

    page.goto(f"{running.address}/inventory?period=2025-01")
    assert "/login?next=" in page.url  # nobody looks without logging in
    page.goto(running.welcome)
    page.wait_for_selector("#zf-name")
    page.fill("#zf-name", "李敏")
    _type_in(page)
    page.get_by_text("还没有封存的月份").wait_for()  # an empty book says what to do
    picture(page, "01-empty")
    page.get_by_role("button", name="导入读数和凭证").click()

    page.set_input_files("input[type=file]", [str(running.inbox / "坏单据.csv")])
    page.get_by_text("1 个问题").wait_for(timeout=60_000)
    assert "坏单据.csv" in page.inner_text("[role=alert]")
    picture(page, "02-faults")
    page.set_input_files("input[type=file]", [str(running.inbox / "读数.parquet"), str(running.inbox / "单据.csv")])
    page.locator("#zf-confirm").click(timeout=60_000)
    page.get_by_text("已导入").first.wait_for(timeout=60_000)

    page.goto(f"{running.address}/close")
    page.get_by_role("button", name="封存").click()
    page.get_by_text("2025-01 已封存").wait_for(timeout=60_000)
    picture(page, "03-closed")
    page.goto(f"{running.address}/inventory?period=2025-01&by=source")
    page.get_by_role("link", name="diesel", exact=True).click()
    page.get_by_text("D-1").first.wait_for(timeout=60_000)
    picture(page, "04-why")
    page.goto(f"{running.address}/journal")
    page.get_by_role("button", name="核验整本账").click()
    page.get_by_text("账本完好").wait_for(timeout=60_000)
    assert faults == []
    assert outside == []  # everything comes from the plant's own server
    context.close()


def test_english_dark_and_a_telephone(running: Running, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 800})
    page = context.new_page()
    enter(page, running)
    page.get_by_role("heading", name="Overview").wait_for()
    page.evaluate("document.cookie='zf_dark=1;path=/'")
    page.goto(f"{running.address}/inventory")
    page.get_by_role("heading", name="Inventory").wait_for()
    page.wait_for_selector("body.body--dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "05-phone")
    context.close()
