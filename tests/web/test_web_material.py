"""The page of material: a layout drawn by the plant's own server, its figures, nothing serious for a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.instruments.conftest import NOW
from tests.web.conftest import PASSWORD
from tests.web.day_plant import served

from zerofactory.reference_plant.series import plant_text
from zerofactory.runs.context import stamp
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
PATIENT = 120_000


def test_layouts_and_figures_are_drawn_and_nothing_is_fetched_from_outside(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    folder = tmp_path_factory.mktemp("material")
    plant = folder / "plant"
    plant.mkdir()
    (plant / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(plant, at=stamp(NOW), actor="test")
    with served(plant, folder, folder / "log") as running:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
        told = {"code": running.welcome.split("code=")[1], "login": "li", "name": "李敏", "password": PASSWORD}
        assert context.request.post(f"{running.address}/v1/accounts", data=told).status == 201
        page, outside = context.new_page(), []
        page.on("request", lambda asked: outside.append(asked.url) if "127.0.0.1" not in asked.url and not asked.url.startswith(("data:", "blob:")) else None)  # fmt: skip
        page.goto(f"{running.address}/material?kind=sheet")
        page.wait_for_selector("#zf-main svg[role=img]", timeout=PATIENT)
        assert "材料利用率" in page.inner_text("#zf-main")
        assert page.locator("#zf-main svg[role=img] title").first.text_content() == "板料剪切下料(虚构)"
        serious = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        page.goto(f"{running.address}/material?kind=mix")
        page.get_by_text("影子价格").first.wait_for(timeout=PATIENT)
        assert "EN AC-46000" in page.inner_text("#zf-main")
        assert outside == []
        context.close()
