"""Bodies that no program should send: told as problems in both languages before anything is done with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient
from tests.contract.test_contract_wording import assert_in_its_language

from zerofactory.errors import Problem

BODIES = {
    "brackets": ("[" * 50_000, "request.json", "括号或键套得太深"),
    "closed brackets": ("[" * 500 + "]" * 500, "request.json", "括号或键套得太深"),
    "a long number": ('{"period": ' + "9" * 5000 + "}", "request.json", "数字太长"),
    "a wide number": ('{"period": ' + "9" * 30 + "}", "request.json", "整数超出 64 位"),
    "no number": ('{"period": NaN}', "request.json", "NaN 不是有限的数"),
    "half a character": ('{"period": "\\ud800"}', "request.json", "半个字符"),
    "a key twice": ('{"period": "2025-01", "period": "2025-02"}', "request.json", "键 period 写了两次"),
    "NUL": ('{"period": "\\u0000"}', "request.json", "空字符"),
    "cut off": ('{"period": ', "request.json", "这里应是一个值"),
    "another kind": ('{"period": 3}', "request.string_type", "值不对: 应为文字"),
    "a list": ("[1]", "request.model_attributes_type", "值不对: 应为一组键和值"),
    "no key": ("{}", "request.missing", "缺少这个键"),
}


def test_absurd_bodies_are_told(someone: Callable[..., Any]) -> None:
    manager = someone("manager")
    for name, (content, code, said) in BODIES.items():
        headers = {"Content-Type": "application/json", "X-CSRF-Token": manager.csrf, "Idempotency-Key": name}
        answer = manager.client.post("/v1/closings", content=content, headers=headers)
        assert answer.status_code == 422, name
        assert answer.headers["content-type"] == "application/problem+json"
        problems = [Problem.from_json(one) for one in answer.json()["problems"]]
        assert (problems[0].code, said in problems[0].message.zh) == (code, True), (name, problems)
        for one in problems:
            assert_in_its_language(one.message, ("period", "NaN", "NUL", "UTF"))


def test_the_doors_of_other_programs_tell_it_in_their_form(app_client: Callable[[], TestClient]) -> None:
    client = app_client()
    headers = {"Content-Type": "application/cloudevents+json"}
    for path, key in (("/3/events", "message"), ("/v1/session", "detail")):
        answer = client.post(path, content="[" * 50_000, headers=headers)
        assert answer.status_code == 422
        assert "nested too deep" in answer.json()[key] or "套得太深" in answer.json()[key]


def test_a_sound_body_is_taken_in_pieces(someone: Callable[..., Any]) -> None:
    manager = someone("manager")
    headers = {"Content-Type": "application/json; charset=utf-8", "X-CSRF-Token": manager.csrf}
    pieces = iter([b'{"period"', b": ", b'"no period"', b"}"])
    answer = manager.client.post("/v1/closings", content=pieces, headers=headers)
    assert answer.status_code == 422
    assert not answer.json()["problems"][0]["code"].startswith("request.")  # read, and refused for what it says
