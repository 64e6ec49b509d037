"""The phone page with a running camera: Chromium's fake one shows a code made here; refused, missing, insecure, left: told in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import segno
from tests.conftest import NOW, SMALL_PLANT
from tests.runs.camera_month import blurred, learned, shoot
from tests.web.conftest import CHROMIUM, FLAGS, PASSWORD
from tests.web.day_plant import Served, served

from zerofactory.runs import alarms
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

pytestmark = pytest.mark.slow
PATIENT = 60_000
PHONE = {"width": 390, "height": 844}
CODE = "BX-2026-0042"
WIDE, HIGH = 640, 480
HOLD = """() => { const real = fetch; window.held = []; window.answered = 0;
  window.fetch = (url, asked) => String(url).includes('/codes') && !asked.body.has('codes_only')
    ? new Promise((go) => held.push(() => go(real(url, asked).then((told) => { answered += 1; return told; })))) : real(url, asked); }"""
FAKE = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"


def film(path: Path, text: str) -> Path:
    """Write what the fake camera sees: a code on grey paper, as uncompressed video (YUV4MPEG2)."""
    symbol = np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], dtype=np.uint8)
    dots = np.kron(np.pad(symbol, 4) == 0, np.ones((8, 8)))
    grey = np.full((HIGH, WIDE), 150, dtype=np.uint8)
    top, left = (HIGH - len(dots)) // 2, (WIDE - len(dots)) // 2
    grey[top : top + len(dots), left : left + len(dots)] = 16 + 219 * dots
    plain = np.full(HIGH * WIDE // 2, 128, dtype=np.uint8)
    head = f"YUV4MPEG2 W{WIDE} H{HIGH} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + 5 * (b"FRAME\n" + grey.tobytes() + plain.tobytes()))
    return path


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    """Return what starts browsers; skip where none is installed."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; .ci/run installs one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as found:
        yield found


@contextmanager
def seeing(driver: Playwright, *flags: str) -> Iterator[Browser]:
    """Return a browser with these flags."""
    found = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    plant = folder / "plant"
    plant.mkdir()
    (plant / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    context = Context(Workspace.create(plant, at=stamp(NOW), actor="test"), NOW, "test")
    learned(context)
    days = [date(2026, 1, 12), date(2026, 1, 13)]
    shoot(context, ("paint", "ST-1"), days, {days[1]: blurred})
    [alarm] = alarms.scan(context, alarms.Asked(days[0], days[1] + timedelta(days=1))).raised
    assert alarm.row["rule"] == "inspection_drift"
    shutil.rmtree(plant / "models")  # the alarm stays; the phone is without a model
    with served(plant, folder, folder / "log") as found:
        yield found


@pytest.fixture(scope="module")
def state(driver: Playwright, running: Served) -> Any:
    """Return the cookies of somebody who has made an account."""
    with seeing(driver) as browser:
        context = browser.new_context()
        told = {"code": running.welcome.split("code=")[1], "login": "wang", "name": "王强", "password": PASSWORD}
        assert context.request.post(f"{running.address}/v1/accounts", data=told).status == 201
        return context.storage_state()


def phone(browser: Browser, state: Any, language: str = "zh-CN") -> BrowserContext:
    found = browser.new_context(locale=language, viewport=PHONE, has_touch=True, is_mobile=True, storage_state=state)  # type: ignore[arg-type]
    found.set_default_timeout(PATIENT)
    return found


def opened(context: BrowserContext, running: Served, before: str = "") -> Page:
    page = context.new_page()
    if before:
        page.add_init_script(before)
    page.goto(f"{running.address}/inspect/scan")
    page.wait_for_selector("#zf-scan[data-ready]", timeout=PATIENT)
    return page


def faults(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")]  # fmt: skip


def told(page: Page, text: str) -> None:
    page.wait_for_function("(text) => document.querySelector('#zf-live-told').textContent.includes(text)", arg=text, timeout=PATIENT)  # fmt: skip


def test_a_code_before_the_camera_fills_the_form_and_the_verdict_is_booked(
    driver: Playwright, running: Served, state: Any, tmp_path: Path
) -> None:
    seen = film(tmp_path / "code.y4m", CODE)
    with seeing(driver, FAKE, ALLOWED, f"--use-file-for-fake-video-capture={seen}") as browser:
        context = phone(browser, state)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if not one.url.startswith(("data:", "blob:")) else None)
        answer = page.goto(f"{running.address}/inspect/scan")
        assert answer is not None
        assert "camera=(self)" in answer.headers["permissions-policy"]
        assert "camera=()" in context.request.get(f"{running.address}/inspect").headers["permissions-policy"]
        page.wait_for_selector("#zf-scan[data-ready]", timeout=PATIENT)
        page.evaluate("() => { window.buzzed = []; navigator.vibrate = (ms) => buzzed.push(ms); }")
        page.tap("#zf-live-start")
        page.wait_for_function("(code) => document.querySelector('#zf-code').value === code", arg=CODE, timeout=PATIENT)
        told(page, CODE)
        assert page.evaluate("buzzed.length") == 1
        right = (
            "Math.max(...[...document.querySelectorAll('#zf-scan *')].map((one) => one.getBoundingClientRect().right))"
        )
        assert page.evaluate(right) <= PHONE["width"]
        assert page.get_attribute("#zf-live", "data-state") == "on"
        for dark in (False, True):
            page.evaluate(f"Quasar.Dark.set({str(dark).lower()})")
            page.add_style_tag(content="* { transition: none !important; }")
            assert faults(page) == []
        page.evaluate(HOLD)
        page.tap("#zf-shot")
        page.wait_for_function("document.querySelector('#zf-preview').naturalWidth > 0 && held.length === 1", timeout=PATIENT)  # fmt: skip
        page.evaluate("delete document.querySelector('#zf-live').dataset.looks")
        page.tap("#zf-good")
        page.get_by_text("已登记").wait_for(timeout=PATIENT)
        page.wait_for_function("Number(document.querySelector('#zf-live').dataset.looks) > 3", timeout=PATIENT)
        assert page.input_value("#zf-code") == "", "the part just booked still lies there"
        page.evaluate("() => { document.querySelector('#zf-live').dataset.looks = 0; held.forEach((go) => go()); }")
        page.wait_for_function("answered === 1 && Number(document.querySelector('#zf-live').dataset.looks) > 3", timeout=PATIENT)  # fmt: skip
        assert page.input_value("#zf-code") == "", "what was read from a picture that is booked comes too late"
        row = context.request.get(f"{running.address}/v1/inspect/defects").json()["items"][0]
        assert (row["part_code"], row["decided_by"], row["disposition"]) == (CODE, "inspector", "accept")
        kept = context.request.get(f"{running.address}/v1/inspect/images/{row['image_sha256']}")
        assert kept.ok
        assert len(kept.body()) > 5000
        page.evaluate("window.track = document.querySelector('#zf-video').srcObject.getVideoTracks()[0]")
        page.tap("#zf-live-stop")
        told(page, "摄像头已关")
        assert page.evaluate("track.readyState") == "ended"
        page.tap("#zf-live-start")
        page.wait_for_selector("#zf-live[data-state=on]", timeout=PATIENT)
        page.evaluate("window.track = document.querySelector('#zf-video').srcObject.getVideoTracks()[0]")
        page.evaluate("dispatchEvent(new Event('pagehide'))")
        assert page.evaluate("track.readyState") == "ended"
        assert [one for one in asked if not one.startswith((running.address, running.address.replace("http", "ws")))] == []  # fmt: skip
        context.close()


def test_a_code_that_was_typed_stays_and_the_browser_may_read_by_itself(
    driver: Playwright, running: Served, state: Any, tmp_path: Path
) -> None:
    own = """window.showing = ['OWN-1'];
    window.BarcodeDetector = class {
      static async getSupportedFormats() { return ['qr_code', 'data_matrix', 'code_128', 'ean_13']; }
      async detect() { return window.showing.map((text) => ({ rawValue: text })); }
    };"""
    with seeing(
        driver, FAKE, ALLOWED, f"--use-file-for-fake-video-capture={film(tmp_path / 'code.y4m', CODE)}"
    ) as browser:
        context = phone(browser, state, "en-GB")
        page = opened(context, running, own)
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if "/codes" in one.url else None)
        assert page.inner_text("#zf-live-start") == "Scan continuously"
        page.fill("#zf-code", "TYPED-1")
        page.tap("#zf-live-start")
        page.wait_for_function("Number(document.querySelector('#zf-live').dataset.looks) > 2", timeout=PATIENT)
        assert page.input_value("#zf-code") == "TYPED-1"
        page.fill("#zf-code", "")
        page.wait_for_function("document.querySelector('#zf-code').value === 'OWN-1'", timeout=PATIENT)
        told(page, "Part code: OWN-1")
        page.tap("#zf-good")
        page.get_by_text("Booked.").wait_for(timeout=PATIENT)
        page.evaluate("() => { document.querySelector('#zf-live').dataset.looks = 0; showing = ['OWN-1', 'OWN-2']; }")
        page.wait_for_function("document.querySelector('#zf-code').value === 'OWN-2'", timeout=PATIENT)  # the next one
        page.evaluate("() => { showing = ['OWN-3', 'OWN-4']; }")
        told(page, "Several codes")
        assert page.input_value("#zf-code") == "OWN-2"
        page.evaluate("() => { showing = []; }")
        told(page, "Hold the code")  # no trouble is told that is over
        page.evaluate("() => { showing = ['OWN-5']; }")
        page.wait_for_function("document.querySelector('#zf-code').value === 'OWN-5'", timeout=PATIENT)
        assert sent == []
        assert faults(page) == []
        page.tap(
            "#zf-shot"
        )  # the picture's own code goes before one that was only seen; the next part waits for its verdict
        page.wait_for_function("(code) => document.querySelector('#zf-code').value === code", arg=CODE, timeout=PATIENT)
        page.evaluate("() => { document.querySelector('#zf-live').dataset.looks = 0; showing = ['OWN-6']; }")
        page.wait_for_function("Number(document.querySelector('#zf-live').dataset.looks) > 2", timeout=PATIENT)
        assert page.input_value("#zf-code") == CODE, "the picture of one part under the code of another"
        context.close()


def test_looking_goes_on_after_an_answer_that_broke_off_and_ends_when_the_page_is_hidden(
    driver: Playwright, running: Served, state: Any
) -> None:
    broken = """() => { const real = fetch; window.broken = 1; window.fetch = async (url, asked) => {
      if (!String(url).includes('/codes') || !broken) return real(url, asked);
      broken = 0;
      return new Response('{"codes": [', { status: 200 });
    }; }"""
    with seeing(driver, FAKE, ALLOWED) as browser:
        context = phone(browser, state)
        page = opened(context, running)
        page.evaluate(broken)
        page.tap("#zf-live-start")
        told(page, "没有网络")
        told(page, "请把码对准方框")
        hidden = """() => { const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (asked) => { window.given = await real(asked); await new Promise((go) => { window.go = go; }); return given; };
          Object.defineProperty(document, 'hidden', { value: true }); }"""
        page.tap("#zf-live-stop")
        page.evaluate(hidden)
        page.tap("#zf-live-start")
        page.wait_for_function("Boolean(window.go)", timeout=PATIENT)
        page.evaluate(
            "() => { document.dispatchEvent(new Event('visibilitychange')); go(); }"
        )  # away while it is asked for
        page.wait_for_function("given.getTracks().every((one) => one.readyState === 'ended')", timeout=PATIENT)
        assert page.is_enabled("#zf-live-start")
        context.close()


@pytest.mark.parametrize(
    ("flags", "words"),
    [((FAKE, "--deny-permission-prompts"), "没有获准使用摄像头"), ((f"{FAKE}=device-count=0", ALLOWED), "没有摄像头")],
    ids=["refused", "no camera"],
)  # fmt: skip
def test_a_camera_that_is_refused_or_missing_is_told_and_photographs_go_on(
    driver: Playwright, running: Served, state: Any, flags: tuple[str, ...], words: str
) -> None:
    with seeing(driver, *flags) as browser:
        context = phone(browser, state)
        page = opened(context, running)
        page.tap("#zf-live-start")
        told(page, words)
        assert page.is_visible("#zf-live-start")
        assert page.is_hidden("#zf-live-box")
        assert page.locator("#zf-photo").is_enabled()
        assert faults(page) == []
        context.close()


def test_the_alarm_of_a_camera_leads_to_inspection(driver: Playwright, running: Served, state: Any) -> None:
    with seeing(driver) as browser:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900}, storage_state=state)
        context.set_default_timeout(PATIENT)
        [alarm] = context.request.get(f"{running.address}/v1/alarms").json()["items"]
        page = context.new_page()
        page.goto(f"{running.address}/alarms?alarm={alarm['alarm']}")
        link = page.locator("#zf-inspection")
        link.wait_for(timeout=PATIENT)
        assert link.get_attribute("href") == "/inspect?part=models"
        cell = page.get_by_role("link", name="plates@paint/ST-1")
        assert cell.get_attribute("href") == "/inspect?part=models"
        page.get_by_text("请擦净镜头").first.wait_for(timeout=PATIENT)
        assert faults(page) == []
        link.click()
        page.get_by_text("还没有模型").wait_for(timeout=PATIENT)
        context.close()


def test_without_https_the_page_says_why_there_is_no_live_picture(
    driver: Playwright, running: Served, state: Any
) -> None:
    with seeing(driver) as browser:
        context = phone(browser, state)
        page = opened(context, running, "Object.defineProperty(window, 'isSecureContext', { value: false });")
        told(page, "不是经 https 打开的")
        assert page.is_hidden("#zf-live-start")
        assert page.locator("#zf-photo").is_enabled()
        context.close()
