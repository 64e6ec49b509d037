"""The plant file and long work over HTTP: the same checks, the same one winner, and nothing for who may not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.api.conftest import PASSWORD, Someone
from tests.conftest import readings_of

from zerofactory.api.app import create
from zerofactory.runs import access, import_data
from zerofactory.runs.context import clock, open_context
from zerofactory.store.access import ANY_SITE, AccessStore


def administrator(root: Path) -> Someone:
    """Log in an administrator of every site of a folder."""
    store = AccessStore.in_folder(root)
    code = access.first_invitation(store, clock())
    assert code is not None
    client = TestClient(create(root))
    answer = client.post("/v1/accounts", json={"code": code, "login": "li", "name": "Li", "password": PASSWORD})
    assert answer.status_code in (200, 201), answer.text
    return Someone(client, answer.json()["csrf"])


@pytest.fixture
def chief(tmp_path: Path) -> Someone:
    """Return an administrator of an empty folder."""
    root = tmp_path / "fresh"
    root.mkdir()
    return administrator(root)


ASKED = {"template": "components", "id": "ah-1", "name": "安徽一厂", "organisation": "某某集团", "region": "CN-安徽"}


def test_a_plant_is_made_in_an_empty_folder_once(chief: Someone) -> None:
    assert {one["id"] for one in chief.get("/v1/plant-templates")} >= {"vehicle", "battery", "components", "empty"}  # type: ignore[attr-defined]
    assert (
        chief.client.post(
            "/v1/plant",
            content=json.dumps({**ASKED, "name": "\ud800"}),
            headers={"X-CSRF-Token": chief.csrf, "Content-Type": "application/json"},
        ).status_code
        == 422
    )
    wrong = chief.post("/v1/plant", {**ASKED, "name": "", "region": "CN-火星"})
    assert wrong.status_code == 422
    assert {problem["column"] for problem in wrong.json()["problems"]} == {"plant.name", "plant.region"}
    made = chief.post("/v1/plant", ASKED)
    assert made.status_code == 200, made.text
    assert [step["done"] for step in made.json()["steps"]] == [True, *[False] * 6]
    assert chief.get("/v1/plant")["document"]["plant"]["id"] == "ah-1"  # type: ignore[index]
    assert chief.post("/v1/plant", ASKED).status_code == 422
    assert chief.get("/v1/plant/steps")["next"] == "shops"  # type: ignore[index]


def test_entries_are_checked_and_the_second_of_two_is_told(chief: Someone) -> None:
    chief.post("/v1/plant", ASKED)
    seen = chief.get("/v1/plant")
    shops = [*seen["document"]["shops"], {"id": "lab", "kind": "other", "name": "实验室"}]  # type: ignore[index]
    headers = {"X-CSRF-Token": chief.csrf}
    body = {"entries": shops, "based_on": seen["sha256"]}  # type: ignore[index]
    assert chief.client.put("/v1/plant/shops", json=body, headers=headers).status_code == 200
    late = chief.client.put("/v1/plant/shops", json=body, headers=headers)
    assert late.status_code == 422
    assert late.json()["problems"][0]["code"] == "plant.changed_since"
    faulty = chief.post("/v1/plant/meters", {"entry": {"id": "X", "name": "x", "carrier": "electricity", "kind": "register", "unit": "kWhh"}})  # fmt: skip
    assert faulty.json()["problems"][0]["column"].startswith("meters[")
    for odd in (
        {"entry": {"id": [[None]]}},
        {"entry": {}},
        {"entry": {"id": "X", "name": "\ud800"}},
        {"entry": {"id": "\x00", "name": {"a": {"b": [1, {"c": None}]}}}},
    ):
        sent = chief.client.post(
            "/v1/plant/meters", content=json.dumps(odd), headers={**headers, "Content-Type": "application/json"}
        )
        assert sent.status_code == 422
    assert chief.client.delete("/v1/plant/shops/lab", headers=headers).status_code == 200
    assert chief.client.delete("/v1/plant/shops/lab", headers=headers).status_code == 404
    found = chief.get("/v1/plant/versions")
    assert [one["part"] for one in found] == ["template", "shops", "shops"]  # type: ignore[union-attr]
    back = chief.client.put("/v1/plant", json={"version": found[1]["sha256"]}, headers=headers)  # type: ignore[index]
    assert back.json()["changed"] == ["shops.lab"]
    assert chief.client.put("/v1/plant", json={}, headers=headers).status_code == 422


def test_meters_go_out_and_come_in_as_a_list(chief: Someone) -> None:
    chief.post("/v1/plant", ASKED)
    content = chief.client.get("/v1/meter-list").content
    answer = chief.client.post(
        "/v1/meter-list", files={"files": ("表计.csv", content)}, headers={"X-CSRF-Token": chief.csrf}
    )
    assert answer.json() == {"rows": 7, "added": [], "changed": [], "written": True, "problems": []}
    worse = content.replace("累计表".encode(), "什么表".encode())
    answer = chief.client.post(
        "/v1/meter-list", files={"files": ("表计.csv", worse)}, headers={"X-CSRF-Token": chief.csrf}
    )
    assert answer.status_code == 422
    assert {problem["column"] for problem in answer.json()["problems"]} == {"类型"}
    assert len(chief.get("/v1/plant/tree")) == 7  # type: ignore[arg-type]
    assert any(offer["shop"] == "casting" for offer in chief.get("/v1/plant/sources"))  # type: ignore[attr-defined]


def test_who_may_only_look_changes_nothing(root: Path) -> None:
    client = TestClient(create(root))
    answer = client.post("/v1/session", json={"login": "viewer-east", "password": PASSWORD})
    viewer = Someone(client, answer.json()["csrf"])
    assert client.get("/v1/plant", params={"site": "west"}).status_code == 404
    assert viewer.post("/v1/plant", ASKED).status_code == 403
    assert viewer.post("/v1/plant/shops", {"entry": {"id": "x"}}).status_code == 403
    assert viewer.post("/v1/jobs", {"kind": "close", "parameters": {"period": "2025-01"}}).status_code == 403
    assert viewer.get("/v1/jobs") == []


def test_a_closing_is_begun_followed_and_told_to_the_second(root: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(root / "east", tmp_path / "alone"))
    path = tmp_path / "readings.parquet"
    readings_of((1,)).write_parquet(path)
    import_data.run(open_context(alone), [path])
    chief = administrator(alone)
    asked = {"kind": "close", "parameters": {"period": "2025-01"}}
    begun = chief.post("/v1/jobs", asked)
    assert begun.status_code == 202
    again = chief.post("/v1/jobs", asked)
    assert again.status_code == 422
    assert again.json()["problems"][0]["code"] == "jobs.going_on"
    job = begun.json()
    for _ in range(6):
        job = chief.get(begun.headers["location"], wait_seconds=10)
        if job["state"] not in ("waiting", "running"):  # type: ignore[index]
            break
    assert job["state"] == "done", job  # type: ignore[index]
    assert job["result"]["months"][0]["period"] == "2025-01"  # type: ignore[index]
    gone = chief.client.delete(begun.headers["location"], headers={"X-CSRF-Token": chief.csrf})
    assert gone.json()["state"] == "done"  # what has ended stays as it is
    assert chief.client.get("/v1/jobs/0123456789abcdef").status_code == 404
    assert chief.post("/v1/jobs", {"kind": "import", "parameters": {"folder": "/etc"}}).status_code == 422
    store = AccessStore.in_folder(alone)
    assert store.grants(store.user_called("li").user_id) == {ANY_SITE: "administrator"}  # type: ignore[union-attr]
