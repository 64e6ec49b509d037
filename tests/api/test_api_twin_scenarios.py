"""What-if over HTTP: scenarios by name, comparisons kept by those who may record, bounds on what is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.api.conftest import Someone

TWIN = """
[[stations]]
id = "one"
name = { zh = "一", en = "one" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 60 }
draws.electricity = { power = { off = 2, idle = 40, working = 100 } }
"""
LONGER = 'title = { zh = "加班", en = "longer" }\novertime_h = 1\n'
CALENDAR = """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]
"""
MISSING = ["energy", "basic", "labour", "carbon", "capital"]
OVER = {"first": "2025-01-06", "days": 2, "runs": 1}


@pytest.fixture
def plant(root: Path) -> Path:
    """Return the first plant with a twin and a scenario."""
    folder = root / "east"
    (folder / "scenarios").mkdir()
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    (folder / "scenarios" / "longer.toml").write_text(LONGER, encoding="utf-8")
    content = (folder / "factory.toml").read_text(encoding="utf-8")
    (folder / "factory.toml").write_text(content + CALENDAR, encoding="utf-8")
    return folder


def test_scenarios_are_compared_kept_and_read(someone: object, plant: Path) -> None:
    clerk, viewer = someone("recorder"), someone("viewer")  # type: ignore[operator]
    assert [one["scenario"] for one in viewer.get("/v1/twin/scenarios")["items"]] == ["longer"]
    assert viewer.post("/v1/twin/comparisons", {"scenarios": ["longer"], "over": OVER}).status_code == 403
    answer = clerk.post("/v1/twin/comparisons", {"scenarios": ["longer"], "over": OVER})
    assert answer.status_code == 200, answer.text
    name = answer.json()["comparison"]
    assert [one["comparison"] for one in viewer.get("/v1/twin/comparisons")["items"]] == [name]
    told = viewer.get(f"/v1/twin/comparisons/{name}")
    assert told["scenarios"][0]["differences"]["output"]["mean"] == 120
    assert [one["kind"] for one in told["scenarios"][0]["costs"]["left_out"]] == MISSING
    assert (plant / "twin" / "comparisons" / f"{name}.json").is_file()
    assert viewer.client.get("/v1/twin/comparisons/none").status_code == 404


def test_what_is_asked_is_bounded_and_no_path_leads_out(someone: object, plant: Path) -> None:
    clerk: Someone = someone("recorder")  # type: ignore[operator]
    (plant.parent / "secret.toml").write_text(LONGER, encoding="utf-8")
    for scenarios, status in (([], 422), (["longer"] * 11, 422), (["../../secret"], 422), (["secret.toml"], 404), (["longer", "longer"], 422)):  # fmt: skip
        assert clerk.post("/v1/twin/comparisons", {"scenarios": scenarios, "over": OVER}).status_code == status
    assert clerk.post("/v1/twin/comparisons", {"scenarios": ["longer"], "over": {"days": 400}}).status_code == 422
    many = {"name": "m", "change": {"stations": {"one": {"machines": 10**9}}}, **OVER}
    assert clerk.post("/v1/twin/comparison", many).status_code == 422
    outside = {"name": "m", "change": {"utilities": {"weather": {"file": "../secret.toml"}}}, **OVER}
    answer = clerk.post("/v1/twin/comparison", outside)
    assert answer.status_code == 422
    assert "twin.scenario_path" in answer.text
    strange = {"name": "m", "change": {"stations": 3}, **OVER}
    assert clerk.post("/v1/twin/comparison", strange).status_code == 422


def test_a_measure_needs_a_plan_and_writing_it_the_right(someone: object, plant: Path) -> None:
    viewer: Someone = someone("viewer")  # type: ignore[operator]
    asked = {"measure": "led_daylight", "scenario": "longer", "over": OVER}
    assert viewer.post("/v1/twin/measure", asked).status_code == 422
    assert viewer.post("/v1/twin/measure", {**asked, "measure": "magic"}).status_code == 404
    assert viewer.post("/v1/twin/measure/tested", asked).status_code == 403
