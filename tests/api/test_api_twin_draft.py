"""A first twin over HTTP: written by who may decide, once."""

from __future__ import annotations

from pathlib import Path


def test_a_first_twin_is_written_once_by_who_may_decide(root: Path, someone: object) -> None:
    file = root / "east" / "twin.toml"
    assert not file.exists()
    refused = someone("recorder").post("/v1/twin/draft", {"takt_s": 60})  # type: ignore[operator]
    assert refused.status_code == 403
    manager = someone("manager")  # type: ignore[operator]
    unknown = manager.post("/v1/twin/draft", {})
    assert unknown.status_code == 422
    assert unknown.json()["problems"][0]["code"] == "twin.no_output"
    assert not file.exists()
    made = manager.post("/v1/twin/draft", {"takt_s": 60})
    assert made.status_code == 200, made.text
    assert made.json()["file"] == "twin.toml"
    assert [one["id"] for one in made.json()["stations"]] == ["paint"]
    text = file.read_text(encoding="utf-8")
    again = manager.post("/v1/twin/draft", {"takt_s": 50})
    assert again.status_code == 422
    assert again.json()["problems"][0]["code"] == "twin.there"
    assert file.read_text(encoding="utf-8") == text
