"""The page of quality losses: its three parts drawn by the plant's own server, in both languages, nothing serious for a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conftest import SMALL_PLANT
from tests.instruments.conftest import NOW
from tests.runs.quality_plant import QUALITY, furnish, verdicts
from tests.web.conftest import PASSWORD
from tests.web.day_plant import served

from zerofactory.runs import inspect_book
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
PATIENT = 120_000


def test_losses_values_and_metals_are_drawn(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    from axe_playwright_python.sync_playwright import Axe

    folder = tmp_path_factory.mktemp("losses")
    plant = folder / "plant"
    plant.mkdir()
    (plant / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    furnish(plant, "", 'defects = "defects.csv"\n' + QUALITY)
    Workspace.create(plant, at=stamp(NOW), actor="test")
    inspect_book.append(Context(Workspace.open(plant), NOW, "test"), verdicts(), {})
    with served(plant, folder, folder / "log") as running:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
        told = {"code": running.welcome.split("code=")[1], "login": "li", "name": "李敏", "password": PASSWORD}
        assert context.request.post(f"{running.address}/v1/accounts", data=told).status == 201
        page, outside = context.new_page(), []
        page.on("request", lambda asked: outside.append(asked.url) if "127.0.0.1" not in asked.url and not asked.url.startswith(("data:", "blob:")) else None)  # fmt: skip
        page.goto(f"{running.address}/quality-losses?period=2025-03")
        page.get_by_text("材料去向").first.wait_for(timeout=PATIENT)
        shown = page.inner_text("#zf-main")
        assert "钢板" in shown or "sheet" in shown
        assert "split" in shown
        serious = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        page.goto(f"{running.address}/quality-losses?period=2025-03&part=value")
        page.get_by_text("一个百分点 元").first.wait_for(timeout=PATIENT)
        assert "漏检" in page.inner_text("#zf-main")
        assert "检测阈值: eye" in page.inner_text("#zf-main")
        page.goto(f"{running.address}/quality-losses?period=2025-03&part=metals")
        page.get_by_text("金属回收率及其出处").first.wait_for(timeout=PATIENT)
        assert "99.3" in page.inner_text("#zf-main")
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        (plant / "defects.csv").write_text("日期,零件,缺陷,处置,件数\n2025-03-01,roof,split,报废,1\n", encoding="utf-8")
        page.goto(f"{running.address}/quality-losses?period=2025-03")
        page.get_by_text("roof").first.wait_for(timeout=PATIENT)
        assert outside == []
        context.close()
