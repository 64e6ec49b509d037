"""The line on its pages in a real browser: played, paused, wound to the end, read as a table, on a telephone, in 3D; scenarios compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tests.runs.test_runs_twin import PLANT
from tests.runs.test_runs_twin_replay import BUSY
from tests.web.conftest import PASSWORD, Running, serving
from tests.web.test_web_day import picture

from zerofactory.runs.context import open_context
from zerofactory.runs.twin_replay import Asked, replay

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.slow
DAY = "2025-01-09"
PATIENT = 60_000
IMPACTS = ("serious", "critical")
TARIFF = """
[tariff]
area = "shanghai"
scheme = "two_part_large_industry"
voltage = "110kV"
carry = "2026-08"
gas = "reference_plant"
"""
COSTS = """
[wage]
cny_per_h = 40
source = "test"
on = 2025-01-01
status = "placeholder"
[crews]
people = { booth = 4, oven = 2 }
source = "test"
on = 2025-01-01
status = "placeholder"
"""
LONGER = """
title = { zh = "长两小时", en = "two hours longer" }
overtime_h = 2
[investment]
investment_cny = 10_000
life_years = 10
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve a small plant with a twin."""
    folder = tmp_path_factory.mktemp("line")
    with serving(folder, PLANT + TARIFF) as found:
        (folder / "plant" / "twin.toml").write_text(BUSY, encoding="utf-8")
        (folder / "plant" / "costs.toml").write_text(COSTS, encoding="utf-8")
        (folder / "plant" / "scenarios").mkdir()
        (folder / "plant" / "scenarios" / "longer.toml").write_text(LONGER, encoding="utf-8")
        yield found


@pytest.fixture(scope="module")
def entered(browser: Browser, line: Running) -> Iterator[BrowserContext]:
    """Return a browser in which the administrator is logged in."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    told = {"code": line.welcome.split("code=")[1], "login": "li", "name": "李敏", "password": PASSWORD}
    assert context.request.post(f"{line.address}/v1/accounts", data=told).status == 201
    yield context
    context.close()


def look(entered: BrowserContext, line: Running, path: str, ready: str = "#zf-stage[data-ready]") -> Page:
    """Return a page that stands, in Chinese."""
    entered.add_cookies([{"name": "zf_lang", "value": "zh", "url": line.address}])
    page = entered.new_page()
    page.faults = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
    page.goto(line.address + path)
    page.wait_for_selector(ready, timeout=PATIENT)
    return page


def axe(page: Page) -> list[str]:
    """Return what axe finds in light and dark."""
    from axe_playwright_python.sync_playwright import Axe

    found: list[str] = []
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    for dark in (False, True):
        page.evaluate(f"Quasar.Dark.set({str(dark).lower()})")
        page.wait_for_timeout(50)
        faults: list[dict[str, Any]] = Axe().run(page).response["violations"]
        found += [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in faults if one["impact"] in IMPACTS]
    return found


def test_a_day_is_played_paused_and_wound_to_its_end(entered: BrowserContext, line: Running) -> None:
    page = look(entered, line, f"/twin/line?day={DAY}")
    page.wait_for_function("document.querySelectorAll('.zf-line-dot').length > 0", timeout=PATIENT)
    clock = page.locator(".zf-line-clock")
    first = clock.inner_text()
    assert first >= "01-09 06:59"  # it begins a minute before work does
    page.wait_for_function("(was) => document.querySelector('.zf-line-clock').textContent > was", arg=first)
    play = page.locator("[data-play]")
    assert play.get_attribute("aria-label") == "暂停"
    play.focus()
    page.keyboard.press("Enter")
    assert play.get_attribute("aria-label") == "播放"
    stood = clock.inner_text()
    page.wait_for_timeout(200)
    assert clock.inner_text() == stood
    page.locator(".zf-line-scrub").focus()
    page.keyboard.press("End")
    told = replay(open_context(line.inbox.parent / "plant"), Asked(date.fromisoformat(DAY)))
    assert page.locator("[data-figure=output] .zf-line-value").inner_text().replace(",", "") == str(told.output)
    kwh = float(page.locator("[data-figure=electricity] .zf-line-value").inner_text().replace(",", ""))
    assert kwh == pytest.approx(told.counters["electricity"][-1], abs=1.0)
    assert page.locator("[data-station=booth] .zf-line-state").text_content() == "○ 停机 2/2"
    page.locator(".zf-line-table summary").focus()
    page.keyboard.press("Enter")
    page.locator(".zf-line-table tbody tr", has_text="喷漆室").get_by_text("停机").wait_for()
    page.locator(".zf-line-pace").focus()
    page.keyboard.press("End")
    assert page.locator(".zf-line-pacetext").inner_text() == "3600×"
    picture(page, "line-1-day")
    assert axe(page) == []
    assert page.faults == []  # type: ignore[attr-defined]
    page.close()


def test_who_wants_little_motion_starts_the_line_himself(
    browser: Browser, entered: BrowserContext, line: Running
) -> None:
    calm = browser.new_context(viewport={"width": 390, "height": 800}, reduced_motion="reduce", storage_state=entered.storage_state())  # fmt: skip
    page = look(calm, line, f"/twin/line?day={DAY}")
    assert page.locator("[data-play]").get_attribute("aria-label") == "播放"
    page.locator("[data-play]").click()
    page.wait_for_timeout(300)
    assert page.locator(".zf-line-dot").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide, high = page.evaluate("document.querySelector('.zf-line-svg').viewBox.baseVal.width"), page.evaluate("document.querySelector('.zf-line-svg').viewBox.baseVal.height")  # fmt: skip
    assert high > wide  # on a telephone the flow runs downwards
    picture(page, "line-2-phone")
    calm.close()


def test_the_scene_takes_the_place_of_the_plan_or_it_is_said_why_not(entered: BrowserContext, line: Running) -> None:
    page = look(entered, line, f"/twin/line?day={DAY}")
    can = page.evaluate("zfLine.hasSpace()")
    page.get_by_role("button", name="三维").click()
    if can:
        page.wait_for_selector("#zf-stage[data-space]", timeout=PATIENT)
        assert page.locator(".zf-line-plan").is_hidden()
        page.get_by_role("button", name="平面").click()
        page.wait_for_selector(".zf-line-scene", state="detached")
    else:
        page.get_by_text("此浏览器没有 WebGL").wait_for(timeout=PATIENT)
    page.wait_for_selector(".zf-line-svg", state="visible")
    assert page.faults == []  # type: ignore[attr-defined]
    page.close()


def test_now_is_told_as_unknown_where_nothing_is_read(entered: BrowserContext, line: Running) -> None:
    page = look(entered, line, "/twin/line?part=live")
    page.get_by_text("0/3 个工位有读数").wait_for(timeout=PATIENT)
    assert (page.locator("[data-station=booth] .zf-line-state").text_content() or "").startswith("? 不明")
    assert axe(page) == []
    assert page.faults == []  # type: ignore[attr-defined]
    page.close()


def test_a_scenario_is_written_compared_and_played(entered: BrowserContext, line: Running) -> None:
    page = look(entered, line, "/twin/compare", "#zf-scenario-save")
    page.wait_for_function("window.socket?.connected ?? true")
    page.click("#zf-scenario-save")
    page.get_by_role("alert").get_by_text("场景没有任何变更").wait_for(timeout=PATIENT)
    page.get_by_label("文件名").fill("more")
    page.get_by_label("标题").fill("多做一成")
    page.get_by_label("班次").fill("06:00-14:00")
    page.click("#zf-scenario-save")
    page.locator("[data-scenario=more]").click(timeout=PATIENT)
    page.get_by_label("首日").fill("2025-01-06")
    page.get_by_label("天数").fill("1")
    page.get_by_label("重复次数").fill("2")
    page.click("#zf-compare")
    page.wait_for_selector(".nicegui-echart svg", timeout=PATIENT)
    page.get_by_role("cell", name="多做一成").wait_for()
    page.click("#zf-keep")
    page.wait_for_url(lambda url: "kept=comparison-" in url, timeout=PATIENT)
    page.wait_for_selector(".nicegui-echart svg", timeout=PATIENT)
    picture(page, "line-3-compared")
    assert axe(page) == []
    page.get_by_role("link", name="播放 多做一成").click()
    page.wait_for_selector("#zf-stage[data-ready]", timeout=PATIENT)
    assert page.faults == []  # type: ignore[attr-defined]
    page.close()


def test_costs_of_a_scenario_are_read_on_a_telephone(browser: Browser, entered: BrowserContext, line: Running) -> None:
    small = browser.new_context(viewport={"width": 390, "height": 800}, storage_state=entered.storage_state())
    page = look(small, line, "/twin/compare", "#zf-scenario-save")
    page.wait_for_function("window.socket?.connected ?? true")
    page.locator("[data-scenario=longer]").click(timeout=PATIENT)
    page.get_by_label("首日").fill("2025-01-06")
    page.get_by_label("天数").fill("1")
    page.get_by_label("重复次数").fill("2")
    page.click("#zf-compare")
    page.wait_for_selector(".zf-costs .nicegui-echart svg", timeout=PATIENT)
    for name in ("能源", "基本电费", "人工", "投资", "合计"):
        page.locator(".zf-cost-table").get_by_role("cell", name=name, exact=True).wait_for(timeout=PATIENT)
    page.get_by_text("其中加班 0 → 12").wait_for()
    page.get_by_text("每年反而多花").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "line-4-costs")
    assert axe(page) == []
    assert page.faults == []  # type: ignore[attr-defined]
    small.close()


def test_the_wall_shows_the_line(entered: BrowserContext, line: Running) -> None:
    page = look(entered, line, "/wall?show=line")
    page.locator("[data-station=oven]").wait_for(timeout=PATIENT)
    assert axe(page) == []
    assert page.faults == []  # type: ignore[attr-defined]
    page.close()


def test_a_wall_without_readings_says_so(entered: BrowserContext, line: Running) -> None:
    page = look(entered, line, "/wall?show=flows", "#zf-main")
    page.get_by_role("alert").get_by_text("还没有读数").wait_for(timeout=PATIENT)
    assert page.locator("[data-station=oven]").is_hidden()
    page.get_by_role("button", name="轮换").click()
    page.locator("[data-station=oven]").wait_for(timeout=PATIENT)  # the line comes first, the flows after a while
    page.close()
