"""A plant without a twin drafts its first one on the page, and sees its line in motion."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.runs.test_runs_twin import PLANT
from tests.web.conftest import PASSWORD, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
PATIENT = 60_000


def test_the_first_twin_is_drafted_on_the_page_by_who_may_decide(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, PLANT) as line:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
        told = {"code": line.welcome.split("code=")[1], "login": "li", "name": "李敏", "password": PASSWORD}
        assert context.request.post(f"{line.address}/v1/accounts", data=told).status == 201
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{line.address}/twin/line")
        page.wait_for_selector("#zf-draft", timeout=PATIENT)
        page.wait_for_function("window.socket?.connected ?? true")
        file = tmp_path / "plant" / "twin.toml"
        page.click("#zf-draft")  # nothing is booked yet: the takt is not known
        page.get_by_role("alert").get_by_text("--takt").wait_for(timeout=PATIENT)
        assert not file.exists()
        page.get_by_label("每件用时").fill("60")
        page.click("#zf-draft")
        page.wait_for_selector("#zf-stage[data-ready]", timeout=PATIENT)
        stations = tomllib.loads(file.read_text(encoding="utf-8"))["stations"]
        assert stations
        assert {one["cycle"]["mean_s"] for one in stations} == {60}
        assert faults == []
        context.close()
