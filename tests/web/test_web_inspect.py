"""Inspection on a phone as an inspector uses it: a photograph, a code, two taps; and without a network nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import segno
from tests.conftest import NOW, SMALL_PLANT
from tests.runs.inspect_panels import give_model
from tests.runs.test_runs_inspect import panel
from tests.web.conftest import PASSWORD
from tests.web.day_plant import Served, served

from zerofactory.runs.context import stamp
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

pytestmark = pytest.mark.slow
PATIENT = 60_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def inspecting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a plant that has a model of panels, panels to photograph and a label with a code."""
    folder = tmp_path_factory.mktemp("inspecting")
    plant = folder / "plant"
    plant.mkdir()
    (plant / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    Workspace.create(plant, at=stamp(NOW), actor="test")
    give_model(plant)
    panel(folder, 100, "pit")
    panel(folder, 101)
    segno.make("BX-2026-0001", error="m", micro=False).save(str(folder / "label.png"), scale=8, border=6)
    return folder


def person(browser: Browser, running: Served) -> BrowserContext:
    """Return a phone whose owner has made an account."""
    phone = browser.new_context(locale="zh-CN", viewport=PHONE, has_touch=True, is_mobile=True)
    told = {"code": running.welcome.split("code=")[1], "login": "wang", "name": "王强", "password": PASSWORD}
    assert phone.request.post(f"{running.address}/v1/accounts", data=told).status == 201
    return phone


def test_an_inspector_photographs_scans_and_taps(browser: Browser, inspecting: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with served(inspecting / "plant", inspecting, inspecting / "log") as running:
        phone = person(browser, running)
        page, outside = phone.new_page(), []
        page.on("request", lambda asked: outside.append(asked.url) if "127.0.0.1" not in asked.url and not asked.url.startswith(("data:", "blob:")) else None)  # fmt: skip
        page.goto(f"{running.address}/inspect/scan")
        page.wait_for_selector("#zf-scan[data-ready]", timeout=PATIENT)
        page.tap("#zf-good")
        page.get_by_text("请先拍照或输入零件码").wait_for(timeout=PATIENT)
        page.set_input_files("#zf-photo", inspecting / "pit100.png")
        page.get_by_text("照片里没有读到码").wait_for(timeout=PATIENT)
        page.set_input_files("#zf-code-photo", inspecting / "label.png")
        page.wait_for_function("document.querySelector('#zf-code').value === 'BX-2026-0001'", timeout=PATIENT)
        assert "得分" not in page.inner_text("#zf-scan"), "what the model thinks comes after the verdict"
        page.tap("#zf-not-good")
        page.locator("#zf-bad label", has_text="pit").tap()
        page.locator("#zf-bad label", has_text="料").tap()
        page.tap("#zf-scan summary")
        boxes = page.evaluate(
            "[...document.querySelectorAll('#zf-scan *')].map((one) => one.getBoundingClientRect().right)"
        )
        assert max(boxes) <= PHONE["width"]
        assert [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")] == []  # fmt: skip
        page.tap("#zf-scrap")
        page.get_by_text("与模型一致").wait_for(timeout=PATIENT)
        assert "模型: 不合格" in page.inner_text("#zf-opinion")
        page.wait_for_function("document.querySelector('#zf-heat').naturalWidth > 0", timeout=PATIENT)

        phone.set_offline(True)
        page.set_input_files("#zf-photo", inspecting / "ok101.png")
        page.get_by_text("没有网络").first.wait_for(timeout=PATIENT)
        page.fill("#zf-code", "BX-2026-0002")
        page.tap("#zf-good")
        page.get_by_text("已存在本机").wait_for(timeout=PATIENT)
        assert "1 件待上传" in page.inner_text("#zf-waiting-box")
        phone.set_offline(False)
        page.goto(f"{running.address}/inspect/scan")  # the phone was put away and taken out again
        page.wait_for_selector("#zf-scan[data-ready]", timeout=PATIENT)
        page.wait_for_function("document.querySelector('#zf-waiting-box').hidden", timeout=PATIENT)
        listed = phone.request.get(f"{running.address}/v1/inspect/defects?every=true").json()["items"]
        assert [(row["part_code"], row["decided_by"], row["disposition"]) for row in listed] == [
            ("BX-2026-0002", "inspector", "accept"), ("BX-2026-0002", "model", "accept"),
            ("BX-2026-0001", "inspector", "scrap"), ("BX-2026-0001", "model", "recheck"),
        ]  # fmt: skip
        assert listed[2]["cause"] == "material"
        token = page.evaluate("window.zfScan.csrf")
        state = phone.storage_state()
        phone.close()
        desk(browser, running, state, token, inspecting)
        assert outside == []


def desk(browser: Browser, running: Served, state: Any, token: str, inspecting: Path) -> None:
    """Work through the queue at a desk with keys, and look at every part of the page."""
    from axe_playwright_python.sync_playwright import Axe

    desk = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800}, storage_state=state)
    for name, code in (("pit100.png", "Q-1"), ("ok101.png", "Q-2")):
        image = {"name": name, "mimeType": "image/png", "buffer": (inspecting / name).read_bytes()}
        form = {"part_code": code, "shop": "paint", "image": image}
        answer = desk.request.post(
            f"{running.address}/v1/inspect/parts", multipart=form, headers={"X-CSRF-Token": token}
        )
        assert answer.status == 200, answer.text()
    page = desk.new_page()
    page.goto(f"{running.address}/inspect")
    for _ in range(2):
        page.wait_for_function("document.querySelector('#zf-shown')?.naturalWidth > 0", timeout=PATIENT)
        code = page.inner_text("#zf-part")[:3]
        page.keyboard.press("1" if code == "Q-1" else "0")
        page.wait_for_function(f"document.querySelector('#zf-last').innerText.startsWith('{code}')", timeout=PATIENT)
        assert "panels v1" in page.inner_text("#zf-last")
    page.get_by_text("没有要看的图片").wait_for(timeout=PATIENT)
    for part, word in (("recent", "Q-1"), ("audit", "放过的零件中不合格"), ("models", "panels v1")):
        page.goto(f"{running.address}/inspect?part={part}")
        page.get_by_text(word).first.wait_for(timeout=PATIENT)
        page.wait_for_function("[...document.querySelectorAll('.zf-shot img')].every((one) => one.naturalWidth > 0)", timeout=PATIENT)  # fmt: skip
        serious = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], part
    rows = desk.request.get(f"{running.address}/v1/inspect/defects?every=true").json()["items"]
    assert {(row["part_code"], row["defect"], row["disposition"]) for row in rows[:2]} == {
        ("Q-1", "pit", "recheck"),
        ("Q-2", "ok", "accept"),
    }
    desk.close()
