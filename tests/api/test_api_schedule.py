"""Scheduling over HTTP: solved, shown, judged, re-planned; a faulty problem answers with its faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.api.conftest import Someone

Login = Callable[[str], Someone]
FJS = "2 2\n2 1 1 5 1 2 4\n2 1 2 3 1 1 2\n"


def test_a_job_shop_is_solved_judged_and_shown(someone: Login) -> None:
    reader = someone("viewer")
    answer: Any = reader.post("/v1/schedule/solve", {"fjs": FJS, "seconds": 2, "repeatable": True})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["objective"], told["bound"], told["check"]) == ("optimal", 9.0, 9.0, [])
    judged: Any = reader.post("/v1/schedule/check", {"fjs": FJS, "rows": told["rows"]}).json()  # type: ignore[attr-defined]
    assert judged["passed"]
    assert judged["measures"]["makespan_minutes"] == 9.0
    shown: Any = reader.post("/v1/schedule/show", {"fjs": FJS, "rows": told["rows"]}).json()  # type: ignore[attr-defined]
    assert shown["rows"] == told["rows"]
    moved = [{**row, "started_at": told["rows"][0]["started_at"], "ended_at": told["rows"][0]["ended_at"]} if row["operation"] == "J2-2" else row for row in told["rows"]]  # fmt: skip
    refused: Any = reader.post("/v1/schedule/check", {"fjs": FJS, "rows": moved})
    assert refused.status_code in (200, 422)
    assert refused.status_code == 422 or not refused.json()["passed"]


def test_a_faulty_problem_and_a_wrong_machine_are_told(someone: Login) -> None:
    reader = someone("viewer")
    answer: Any = reader.post("/v1/schedule/solve", {"fjs": "1 1\n1 1 4 5\n", "seconds": 1})
    assert answer.status_code == 422
    assert "schedule.fjs" in answer.text
    none: Any = reader.post("/v1/schedule/solve", {"seconds": 1})
    assert none.status_code == 422
    assert "schedule_file.absent" in none.text
