"""The manager's day in a real browser, in Chinese and in English: from logging in to the declaration granted, downloaded, and out.

A file with faults is mended and imported, a month closed, figures opened, the plan seen to, credits imported, reserved and
retired, a declaration refused with every reason and then granted when nothing is left open. The verifier, who works with her
own tools on the same book, concludes in between.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pypdf
import pytest
from tests.instruments.conftest import NOW
from tests.web.conftest import PASSWORD
from tests.web.day_plant import YEAR, Served, nearly_neutral, served

from zerofactory.accounting.assurance import Terms
from zerofactory.instruments.neutrality import neutrality_standards
from zerofactory.instruments.registry import registries
from zerofactory.runs import assurance, declare, neutral, verify
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import ledger
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow
PICTURES = os.environ.get("ZF_SCREENSHOTS")
STANDARD = "auto_zero_carbon_factory"
PATIENT = 60_000


@dataclass
class Hand:
    """Somebody at the browser: goes to pages, presses what is named, in one language."""

    page: Page
    plant: Served
    language: str
    shots: int = 0

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def go(self, path: str) -> None:
        self.page.goto(self.plant.address + path)
        self.page.wait_for_selector("#zf-main h1, #zf-main [aria-level='1']", timeout=PATIENT)
        self.page.wait_for_function("window.socket?.connected ?? true")

    def sees(self, zh: str, en: str) -> Locator:
        found = self.page.get_by_text(self.say(zh, en)).first
        found.wait_for(timeout=PATIENT)
        return found

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label, exact=True).locator("visible=true").first.click()
        self.page.get_by_role("option", name=option).first.click()

    def write(self, label: str, text: str, nth: int = 0) -> None:
        self.page.get_by_label(label, exact=True).locator("visible=true").nth(nth).fill(text)

    def picture(self, name: str) -> None:
        self.shots += 1
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{PICTURES}/day-{self.language}-{self.shots:02d}-{name}.png", full_page=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day")
    nearly_neutral(folder / "made")
    return folder


@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_logging_in_to_the_declaration_and_out(
    browser: Browser, built: Path, tmp_path: Path, language: str
) -> None:
    import shutil

    made = Path(shutil.copytree(built / "made", tmp_path / "made"))
    with served(made / "plant", made / "inbox", tmp_path / "log") as running:
        context = browser.new_context(
            locale="zh-CN" if language == "zh" else "en-GB",
            viewport={"width": 1440, "height": 900},
            accept_downloads=True,
        )
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        hand = Hand(page, running, language)
        for part in (
            logs_in,
            imports_and_closes,
            looks_into_it,
            sees_to_the_plan,
            brings_credits_in,
            declares,
            reports,
            logs_out,
        ):
            part(hand)
        assert faults == []
        context.close()
    assert verify.run(book(running)).problems == ()


def book(running: Served) -> Context:
    return Context(Workspace.open(running.plant), NOW, "verifier")


def logs_in(hand: Hand) -> None:
    page = hand.page
    page.goto(hand.plant.welcome)
    page.wait_for_selector("#zf-name")
    page.wait_for_function("window.socket?.connected ?? true")
    for name, text in (("login", "li"), ("name", "李敏"), ("password", PASSWORD)):
        page.fill(f"#zf-{name}", text)
    page.click("#zf-submit")
    page.wait_for_url(lambda url: "welcome" not in url, timeout=PATIENT)
    assert page.evaluate("document.documentElement.lang") == hand.say("zh-CN", "en-US")
    hand.go("/")
    hand.sees("未关闭报警", "Alarms standing")
    hand.sees("各口径", "under each regime")
    hand.picture("overview")
    hand.go("/live")
    hand.picture("live")
    hand.go("/alarms")
    hand.sees("没有报警", "No alarms")
    hand.picture("alarms")


def imports_and_closes(hand: Hand) -> None:
    page = hand.page
    hand.go("/import")
    page.set_input_files("input[type=file]", str(hand.plant.inbox / "十二月-有错.csv"))
    page.wait_for_selector("[role=alert]", timeout=PATIENT)
    told = page.inner_text("[role=alert]")
    assert "diesl" in told  # an unknown source, and a negative amount: both at once, in place
    assert re.search(hand.say("第2行", "row 2"), told)
    hand.picture("faults")
    page.set_input_files("input[type=file]", str(hand.plant.inbox / "十二月.csv"))
    page.locator("#zf-confirm").click(timeout=PATIENT)
    hand.sees("已导入", "imported")
    hand.go("/close")
    page.click("#zf-close")
    hand.sees("2025-12 已封存", "2025-12 closed")
    hand.picture("closed")


def looks_into_it(hand: Hand) -> None:
    page = hand.page
    hand.go("/inventory?period=2025-12&by=source")
    page.get_by_role("link", name="diesel", exact=True).click()
    hand.page.get_by_text("D-202512").first.wait_for(timeout=PATIENT)
    hand.picture("why")
    hand.go("/evaluation?period=2025")
    why = page.get_by_role("button", name=re.compile(hand.say("^为什么: ", "^Why: "))).nth(1)
    why.wait_for(timeout=PATIENT)
    why.click()
    page.wait_for_selector(".q-dialog [role=heading]", timeout=PATIENT)
    hand.picture("finding")
    page.keyboard.press("Escape")
    page.wait_for_selector(".q-dialog", state="detached", timeout=PATIENT)


def sees_to_the_plan(hand: Hand) -> None:
    page = hand.page
    hand.go("/plan?part=roles")
    page.get_by_label(hand.say("总经理: 负责人", "general manager: holder")).fill("王芳")
    page.get_by_text(hand.say("保存并登记新版计划", "Save as a new version of the plan")).click()
    hand.sees("修改计划须说明原因", "needs a reason")
    hand.write(hand.say("修改的原因", "Why it changes"), "换人")
    page.get_by_text(hand.say("保存并登记新版计划", "Save as a new version of the plan")).click()
    hand.sees("已登记为 plan-2024.v2", "Booked as plan-2024.v2")
    assert 'holder = "王芳"' in (hand.plant.plant / "plan.toml").read_text(encoding="utf-8")
    hand.picture("roles")
    hand.go("/plan?part=tasks")
    hand.sees("签发方针", "issue the policy")
    hand.write(hand.say("证据在哪里", "Where the evidence is"), "OA-2026-17")
    page.click("#zf-task")
    page.get_by_role("cell", name=hand.say("完成", "done"), exact=True).first.wait_for(timeout=PATIENT)
    assert "OA" not in page.inner_text("table")  # the table counts evidence; the checklist shows it
    hand.picture("tasks")


def brings_credits_in(hand: Hand) -> None:
    page = hand.page
    hand.go("/instruments?part=import")
    hand.choose(hand.say("登记机构", "Registry"), hand.say("自愿减排", registries()["ccer"].title.en))
    page.set_input_files("input[type=file]", str(hand.plant.inbox / "ccer-wrong.csv"))
    page.wait_for_selector("[role=alert]", timeout=PATIENT)
    assert "ccer-wrong.csv" in page.inner_text("[role=alert]")
    hand.picture("credits-faults")
    page.set_input_files("input[type=file]", str(hand.plant.inbox / "ccer.csv"))
    page.locator("#zf-confirm").click(timeout=PATIENT)
    hand.sees("已导入", "imported")
    hand.go("/instruments")
    hand.sees("CCER", "CCER")
    hand.picture("position")
    hand.go("/instruments?part=expiry")
    hand.picture("expiry")


def declares(hand: Hand) -> None:
    page, file = hand.page, str(hand.plant.inbox / "依据.txt")
    address = f"/declaration?period=2025&standard={STANDARD}"
    hand.go(address)
    page.click("#zf-declare")
    page.wait_for_selector("[role=alert] >> nth=1", timeout=PATIENT)  # refused: the page's list, and the answer's
    state = declare.standing(book(hand.plant), YEAR, STANDARD)
    told = page.inner_text("[role=alert] >> nth=0")
    assert len(state.problems) >= 4
    for problem in state.problems:  # every reason with its clause
        assert re.sub(r"\s", "", problem.message.in_language("zh" if hand.language == "zh" else "en")) in re.sub(
            r"\s", "", told
        )
    assert declare.made_before(book(hand.plant), YEAR, STANDARD) == []
    hand.picture("refused")

    _measure(hand, address, ("绿证覆盖外购电", hand.say("完成", "done"), "640", "", ""))
    _measure(hand, address, ("电动卡车", hand.say("不可行", "infeasible"), "", "无适用车型", file))
    for topic, text, proof in (
        (hand.say("管理计划", "management plan"), "plan-2024.v2", file),
        (hand.say("公开披露", "public disclosure"), "https://example.com/2025", ""),
    ):
        hand.go(address)
        hand.choose(hand.say("主题", "Topic"), topic)
        hand.write(hand.say("说明或网址", "Text or address"), text)
        if proof:
            page.locator("input[type=file]").nth(1).set_input_files(proof)
            page.wait_for_selector(".q-uploader__file--uploaded", timeout=PATIENT)
        page.click("#zf-evidence")
        hand.sees(text, text)
    assurance.plan(book(hand.plant), YEAR, "CQC", Terms("reasonable", 0.05, 1))
    assurance.conclude(book(hand.plant), YEAR)
    _offsets(hand)

    hand.go(address)
    hand.sees("可以声明", "may be declared")
    hand.picture("ready")
    page.click("#zf-declare")
    page.wait_for_selector("img.zf-sheet", timeout=PATIENT)
    with page.expect_download() as got:
        page.click("#zf-download")
    text = _text(Path(got.value.path()).read_bytes())
    for wanted in ("示例汽车有限公司", "CCER-000001", "NEA-2025", "REG-9", "CQC", "2025-N1"):
        assert wanted in text, wanted
    hand.picture("declared")
    hand.go(address)
    hand.sees("2025-N1", "2025-N1")


def _measure(hand: Hand, address: str, told: tuple[str, str, str, str, str]) -> None:
    title, outcome, saved, reason, file = told
    hand.go(address)
    hand.write(hand.say("措施", "Measure"), title)
    hand.choose(hand.say("结果", "Outcome"), outcome)
    if saved:
        hand.write(hand.say("减排 tCO2e", "Saved tCO2e"), saved)
    if reason:
        hand.write(hand.say("理由", "Reason"), reason)
    if file:
        hand.page.locator("input[type=file]").nth(0).set_input_files(file)
        hand.page.wait_for_selector(".q-uploader__file--uploaded", timeout=PATIENT)
    hand.page.click("#zf-measure")
    hand.page.get_by_role("cell", name=title).first.wait_for(timeout=PATIENT)


def _offsets(hand: Hand) -> None:
    page, now = hand.page, book(hand.plant)
    balance = neutral.balance(now, ledger(now.workspace), neutrality_standards()[STANDARD], YEAR)
    units = -(-balance.residual_gco2e // 1_000_000)
    hand.go("/instruments?part=claims")
    hand.choose(hand.say("用途", "Use"), hand.say("碳中和抵消", "offset in a neutrality claim"))
    hand.choose(hand.say("种类", "Kind"), "CCER")
    hand.write(hand.say("数量", "Units"), str(units))
    hand.choose(hand.say("标准", "Standard"), hand.say("汽车行业零碳工厂", "zero-carbon"))
    hand.write(hand.say("原因", "Reason"), "residual of 2025")
    page.click("#zf-reserve")
    hand.sees("C0002: 已预留", "C0002: reserved")
    hand.picture("reserved")
    hand.go("/instruments?part=claims")
    hand.write(hand.say("注销凭证号", "Certificate of retirement"), "REG-9")
    page.click("#zf-step")
    hand.sees("C0002: 已注销", "C0002: retired")
    hand.picture("retired")


def _text(pdf: bytes) -> str:
    pages = pypdf.PdfReader(BytesIO(pdf)).pages
    return re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in pages))


def reports(hand: Hand) -> None:
    page = hand.page
    hand.go("/reports?period=2025")
    page.click("#zf-preview")
    page.wait_for_selector("img.zf-sheet", timeout=PATIENT)
    assert page.locator("img.zf-sheet").first.get_attribute("alt")
    hand.picture("report")
    checks: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
        (hand.say("下载 PDF", "Download PDF"), lambda content: content.startswith(b"%PDF")),
        (hand.say("下载 XLSX", "Download XLSX"), lambda content: content.startswith(b"PK")),
        (hand.say("下载核查包", "Download the package"), lambda content: content.startswith(b"PK")),
        (hand.say("下载 AASX", "Download AASX"), lambda content: b"aasx/data.json" in content),
    )
    for name, is_right in checks:
        with page.expect_download(timeout=PATIENT) as got:
            page.get_by_role("button", name=name).click()
        assert is_right(Path(got.value.path()).read_bytes()), name


def logs_out(hand: Hand) -> None:
    page = hand.page
    page.get_by_role("button", name=hand.say("账户", "Account")).click()
    page.get_by_text(hand.say("退出", "Log out")).last.click()
    page.wait_for_url(lambda url: "/login" in url, timeout=PATIENT)
    page.goto(f"{hand.plant.address}/declaration")
    assert "/login" in page.url
