"""From an empty folder to a first inventory in a real browser: by somebody who has never seen a terminal."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import HEADER
from tests.web.conftest import PASSWORD, Running, serving
from tests.web.test_web_day import picture

from zerofactory.runs import plant as plants
from zerofactory.runs import verify
from zerofactory.runs.context import open_context
from zerofactory.site.load import plant as load_plant
from zerofactory.store.schema import ACTIVITIES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
# A day's amount of each register of the template, read once a day at midnight of the plant's clock; the parts add up to less
# than the whole, as the template's difference meter wants it.
DAILY = {"E-00": 90000, "E-ST": 12000, "E-BD": 20000, "E-PT": 30000, "E-AS": 10000, "G-OVEN": 8000, "G-RTO": 2000, "G-BOILER": 1500}  # fmt: skip
DAYS = 31
WIDE = {"width": 1300, "height": 900}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve a folder with nothing in it."""
    with serving(tmp_path_factory.mktemp("first"), None) as found:
        rows = [
            f"{meter},2025-{1 + day // DAYS:02d}-{day % DAYS + 1:02d} 00:00,{1000 + rate * day}"
            for meter, rate in DAILY.items()
            for day in range(DAYS + 1)
        ]
        (found.inbox / "抄表.csv").write_text("\n".join(("表计,时间,读数", *rows, "")), encoding="utf-8")
        lines = (
            "diesel-trucks,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,\n"
            "vehicles,2025-01-01,2025-01-31,5000,辆,,invoiced,P-1,\n"
        )
        (found.inbox / "台账.csv").write_text(HEADER + lines, encoding="utf-8")
        (found.inbox / "表计.csv").write_text(
            "编号,名称,介质,类型,单位,车间,上级,倍率\nE-ST-1,冲压一线,电力,累计表,kWh,冲压车间,E-ST,abc\n",
            encoding="utf-8",
        )
        (found.inbox / "表计2.csv").write_text(
            "编号,名称,介质,类型,单位,车间,上级,倍率\nE-ST-1,冲压一线,电力,累计表,kWh,冲压车间,E-ST,800\n",
            encoding="utf-8",
        )
        yield found


def folder_of(running: Running) -> Path:
    return running.inbox.parent / "plant"


def go_on(page: Page, step: str) -> None:
    """Go on to a step, and wait until it is drawn and connected."""
    page.click("#zf-next")
    page.wait_for_url(f"**/start?step={step}", timeout=60_000)
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector("#zf-main")
    page.wait_for_function("window.socket?.connected ?? true")


def enter(page: Page, empty: Running) -> None:
    page.goto(f"{empty.address}/login")
    page.wait_for_selector("#zf-submit")
    settled_login(page)
    page.fill("#zf-login", "li")
    page.fill("#zf-password", PASSWORD)
    page.click("#zf-submit")
    page.wait_for_url(lambda url: "login" not in url, timeout=60_000)


def settled_login(page: Page) -> None:
    page.wait_for_function("window.socket?.connected ?? true")


def test_a_plant_is_made_and_every_answer_is_asked_for(empty: Running, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport=WIDE)
    page = context.new_page()
    page.goto(empty.welcome)
    page.wait_for_selector("#zf-name")
    settled_login(page)
    for name, value in (("login", "li"), ("name", "李敏"), ("password", PASSWORD)):
        page.fill(f"#zf-{name}", value)
    page.click("#zf-submit")
    page.wait_for_url("**/start*", timeout=60_000)  # whatever one asks for, there is nothing before there is a plant
    page.goto(f"{empty.address}/inventory")
    page.wait_for_url("**/start*")
    settled(page)
    page.get_by_text("这里还没有工厂").first.wait_for()
    picture(page, "first-1-empty")
    page.click("#zf-make")
    page.get_by_text("没有填写").first.wait_for(timeout=60_000)
    assert page.get_by_text("没有填写").count() == 4  # name, id, province, organisation: each at its field
    assert not (folder_of(empty) / "factory.toml").exists()
    picture(page, "first-2-faults")
    page.fill("#zf-plant-name", "安徽一厂")
    page.fill("#zf-plant-id", "ah-1")
    page.click("#zf-plant-region")
    page.fill("#zf-plant-region", "安徽")
    page.get_by_role("option", name=re.compile("安徽")).first.click()
    page.fill("#zf-organisation-name", "某某汽车")
    page.click("#zf-make")
    page.wait_for_url("**/start?step=shops", timeout=60_000)
    plant, problems = load_plant((folder_of(empty) / "factory.toml").read_text(encoding="utf-8"))
    assert problems == []
    assert plant is not None
    assert (plant.id, plant.name.zh, plant.region, plant.organisation.name.zh) == (
        "ah-1",
        "安徽一厂",
        "CN-安徽",
        "某某汽车",
    )
    context.close()


def test_each_step_saves_and_may_be_left_and_gone_back_to(empty: Running, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport=WIDE)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    enter(page, empty)
    page.goto(f"{empty.address}/start")  # another browser, another day: it goes on where it was left
    settled(page)
    page.get_by_role("heading", name="车间").wait_for()
    page.click("#zf-add-shops")
    page.fill("#zf-name", "食堂")
    page.fill("#zf-id", "canteen")
    page.click("#zf-kind")
    page.get_by_role("option", name="其他").click()
    page.click("#zf-save")
    page.get_by_role("cell", name="canteen", exact=True).wait_for(timeout=60_000)
    picture(page, "first-3-shops")
    go_on(page, "meters")
    _meters(page, empty)
    go_on(page, "sources")
    _sources(page)
    page.get_by_role("button", name="上一步").click()
    page.wait_for_url("**/start?step=meters")
    settled(page)
    page.get_by_role("cell", name="E-ST-1", exact=True).first.wait_for()
    document = tomllib.loads((folder_of(empty) / "factory.toml").read_text(encoding="utf-8"))
    assert [meter["multiplier"] for meter in document["meters"] if meter["id"] == "E-00"] == [2]
    assert {pin["role"] for pin in document["accounting"]["pin"]} == {"fuel.offroad_ch4:lpg", "fuel.offroad_n2o:lpg"}
    assert faults == []
    context.close()


def _meters(page: Page, empty: Running) -> None:
    page.get_by_role("button", name="修改 E-00").click()
    page.fill("#zf-multiplier", "倍")
    page.click("#zf-save")
    page.get_by_text("应为数").wait_for(timeout=60_000)  # the fault is at its field, and nothing was written
    picture(page, "first-4-meter")
    page.fill("#zf-multiplier", "2")
    page.click("#zf-save")
    page.get_by_role("dialog").wait_for(state="hidden", timeout=60_000)
    page.set_input_files(".zf-meters input[type=file]", str(empty.inbox / "表计.csv"))
    page.get_by_role("alert").wait_for(timeout=60_000)
    assert "第2行" in page.inner_text("[role=alert]")
    picture(page, "first-5-list")
    page.set_input_files(".zf-meters input[type=file]", str(empty.inbox / "表计2.csv"))
    page.get_by_role("cell", name="E-ST-1", exact=True).first.wait_for(timeout=60_000)


def _sources(page: Page) -> None:
    page.get_by_text("每个排放源都有因子").wait_for()
    page.get_by_text(re.compile("^总装车间 · ")).click()
    page.get_by_role("button", name="选用 液化气叉车").first.click()
    page.click("#zf-save")
    page.get_by_text("因子要由您决定").wait_for(timeout=60_000)
    picture(page, "first-6-missing")
    for left in (1, 0):
        page.get_by_label("理由(会写进报告)").first.fill("发动机与道路车辆相同")
        page.get_by_role("button", name="采用").first.click()
        if left:
            page.get_by_text("N2O").first.wait_for(timeout=60_000)
    page.get_by_text("每个排放源都有因子").wait_for(timeout=60_000)


def test_data_come_in_and_the_first_month_is_closed(empty: Running, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport=WIDE)
    page = context.new_page()
    enter(page, empty)
    page.goto(f"{empty.address}/start?step=sources")
    settled(page)
    go_on(page, "data")
    page.set_input_files(".q-uploader input[type=file]", [str(empty.inbox / "抄表.csv"), str(empty.inbox / "台账.csv")])
    page.locator("#zf-confirm").click(timeout=60_000)
    page.get_by_text("去封存").wait_for(timeout=60_000)
    page.reload()
    settled(page)
    page.get_by_role("cell", name="抄表.csv", exact=True).wait_for()  # what has come is there after a reload
    picture(page, "first-7-data")
    go_on(page, "close")
    page.click("#zf-close")
    page.get_by_text("2025-01 已封存").wait_for(timeout=60_000)
    picture(page, "first-8-closed")
    go_on(page, "inventory")
    page.get_by_text("2025-01 范围一+二").wait_for(timeout=60_000)
    picture(page, "first-9-inventory")
    page.get_by_role("link", name="为什么?").click()
    page.wait_for_url("**/inventory?period=2025-01")
    context.close()
    opened = open_context(folder_of(empty))
    assert verify.run(opened).clean
    assert {version.actor for version in plants.versions(opened)} == {"li"}
    electricity = 90000 * DAYS * 2  # the register's advance times the ratio that was typed in
    booked = opened.workspace.journal.active(ACTIVITIES, {"source_id": "electricity"})["quantity"].sum()
    assert booked == pytest.approx(electricity)


def test_on_a_telephone_in_english_every_page_of_the_plant_fits(empty: Running, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 800})
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    enter(page, empty)
    for path, heading in (
        ("/start", "First steps"),
        ("/plant", "Plant and meters"),
        ("/plant?part=sources", "Plant and meters"),
        ("/plant?part=versions", "Plant and meters"),
        ("/readings?meter=E-00&period=2025-01&span=week", "Readings and quality"),
        ("/activities?period=2025-01", "Activities"),
        ("/jobs", "Work going on"),
    ):
        page.goto(f"{empty.address}{path}")
        page.get_by_role("heading", name=heading).wait_for()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        picture(page, f"phone-{heading.split()[0].lower()}")
    assert faults == []
    context.close()
