"""The book over HTTP: what the command line says, and hostile requests that get a clear answer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.api.conftest import Someone

from zerofactory.periods import Period
from zerofactory.runs import inventory
from zerofactory.runs.context import Context, clock
from zerofactory.runs.uploads import safe_name
from zerofactory.store.workspace import Workspace

People = Callable[..., Someone]
DIESEL = "diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,\n"
HEADER = "排放源,开始日期,结束日期,数量,单位,品种,数据来源,凭证号,备注\n"


def send(person: Someone, files: list[tuple[str, bytes]], **form: str):  # type: ignore[no-untyped-def]
    parts = [("files", (name, content)) for name, content in files]
    return person.client.post("/v1/imports", files=parts, data=form, headers={"X-CSRF-Token": person.csrf})


@pytest.fixture
def filled(someone: People, write_readings: Callable[..., Path]) -> Someone:
    """Return a manager whose plant has a month of readings and a document."""
    manager = someone("manager")
    answer = send(manager, [("读数.parquet", write_readings(1).read_bytes()), ("单据.csv", (HEADER + DIESEL).encode())])
    assert answer.status_code == 200, answer.text
    assert [one["file"] for one in answer.json()["files"]] == ["读数.parquet", "单据.csv"]
    return manager


def test_the_month_from_upload_to_inventory_is_that_of_the_runs(filled: Someone, root: Path) -> None:
    closed = filled.post("/v1/closings", {"period": "2025-01", "known_at": "2026-01-15"})
    assert closed.status_code == 200, closed.text  # type: ignore[attr-defined]
    found = filled.get("/v1/inventory", period="2025-01")
    context = Context(Workspace.open(root / "east"), clock(), "test")
    expected = inventory.as_json(inventory.read(context, Period.parse("2025-01"), "iso_14064_1_2018"))
    assert found == expected
    assert found["total_gco2e"] == closed.json()["months"][0]["total_gco2e"] > 0  # type: ignore[attr-defined, index]
    opened = filled.get("/v1/explain/diesel@2025-01")
    assert opened["children"]  # type: ignore[index]
    origins = filled.get("/v1/electricity/origins", period="2025-01")
    assert {line["origin"] for line in origins["origins"]} == {"residual"}  # type: ignore[index]
    assert filled.get("/v1/verification")["clean"] is True  # type: ignore[index]


def test_etag_holds_until_the_book_changes(filled: Someone) -> None:
    first = filled.client.get("/v1/check")
    tag = {"If-None-Match": first.headers["etag"]}
    assert filled.client.get("/v1/check", headers=tag).status_code == 304
    reversed_ = filled.post("/v1/reversals", {"document": "D-1", "reason": "test"})
    assert reversed_.json() == {"document": "D-1", "reversed": 1}  # type: ignore[attr-defined]
    assert filled.client.get("/v1/check", headers=tag).status_code == 200


def test_a_write_sent_twice_with_one_key_is_done_once(filled: Someone) -> None:
    headers = {"X-CSRF-Token": filled.csrf, "Idempotency-Key": "k-1"}
    body = {"document": "D-1", "reason": "test"}
    first = filled.client.post("/v1/reversals", json=body, headers=headers)
    second = filled.client.post("/v1/reversals", json=body, headers=headers)
    assert first.json() == second.json() == {"document": "D-1", "reversed": 1}
    assert second.headers["idempotent-replayed"] == "true"
    other = filled.client.post("/v1/reversals", json={**body, "reason": "else"}, headers=headers)
    assert other.status_code == 422
    without = filled.client.post("/v1/reversals", json=body, headers={"X-CSRF-Token": filled.csrf})
    assert without.status_code in (404, 422)  # it has been taken back already


def test_every_fault_of_an_upload_comes_back_at_once(someone: People) -> None:
    wrong = HEADER + DIESEL.replace("1000", "-5") + "ghost,2025-01-01,2025-01-31,1,L,diesel,invoiced,D-2,\n"
    answer = send(someone("recorder"), [("bad.csv", wrong.encode())])
    assert answer.status_code == 422
    problems = answer.json()["problems"]
    assert {problem["row"] for problem in problems} == {2, 3}
    assert {problem["file"] for problem in problems} == {"bad.csv"}


def test_two_managers_close_the_same_month_and_one_is_told(filled: Someone, someone: People) -> None:
    other = someone("manager")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda who: who.post("/v1/closings", {"period": "2025-01"}), (filled, other)))
    assert sorted(a.status_code for a in answers) == [200, 409]  # type: ignore[attr-defined]
    told = next(a.json() for a in answers if a.status_code == 409)  # type: ignore[attr-defined]
    assert told["problems"][0]["code"] == "close.already_closed"
    assert filled.get("/v1/verification")["clean"] is True  # type: ignore[index]


@pytest.mark.parametrize(
    "name",
    ["../../etc/cron.d/x.csv", "..\\..\\x.csv", "/etc/passwd", "a\x00b.csv", "CON.csv", "." * 300, "x" * 5000 + ".csv"],
)
def test_hostile_names_stay_inside(someone: People, name: str, root: Path) -> None:
    before = set(root.rglob("*"))
    answer = send(someone("recorder"), [(name, (HEADER + DIESEL).encode())])
    assert answer.status_code in (200, 400, 422)
    assert "/" not in safe_name(name)
    new = {path.parent.name for path in set(root.rglob("*")) - before}
    assert new <= {"group", "east", "evidence", "series"} or all(
        len(part) == 2 for part in new - {"group", "east", "evidence", "series"}
    )


def test_a_flood_of_bytes_is_stopped_on_the_way(someone: People) -> None:
    person = someone("recorder")
    assert send(person, [("big.csv", b"a" * 2_000_000)]).status_code == 413
    lying = person.client.post(
        "/v1/imports", content=iter([b"x" * 700_000] * 3), headers={"X-CSRF-Token": person.csrf, "Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert lying.status_code == 413


def test_what_a_file_is_not_is_said(someone: People) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    cases = {
        "a.exe": (b"MZ", "upload.kind"),
        "a.xlsx": (b"hello", "upload.content"),
        "b.csv": (b"a\0b", "upload.content"),
        "c.xlsx": (bomb.getvalue(), "upload.inflates"),
    }
    for name, (content, code) in cases.items():
        answer = send(someone("recorder"), [(name, content)])
        assert answer.status_code == 422, name
        assert [problem["code"] for problem in answer.json()["problems"]] == [code]


def test_answers_carry_the_headers_that_keep_a_browser_safe(someone: People) -> None:
    headers = someone("viewer").client.get("/v1/me").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


def test_wrong_requests_are_problems_in_the_language_asked(someone: People) -> None:
    viewer = someone("viewer")
    for path, status in (
        ("/v1/inventory?period=never", 422),
        ("/v1/inventory", 422),
        ("/v1/lists/zebras", 404),
        ("/v1/nothing", 404),
        ("/v1/inventory?period=2025&standard=x", 404),
    ):
        answer = viewer.client.get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    assert viewer.client.get("/v1/nothing?lang=en").json()["title"] == "Not found"
    assert viewer.client.get("/v1/nothing").json()["title"] == "没有找到"


def test_long_lists_come_in_pages(someone: People) -> None:
    viewer = someone("viewer")
    first = viewer.client.get("/v1/lists/sources", params={"limit": 10})
    seen, answer = list(first.json()["items"]), first
    while "link" in answer.headers:
        answer = viewer.client.get(answer.headers["link"].split(">")[0].lstrip("<"))
        seen += answer.json()["items"]
    assert len(seen) == first.json()["total"] == len({row["id"] for row in seen}) > 10


def test_evaluation_over_http_is_that_of_the_runs(filled: Someone, root: Path) -> None:
    from zerofactory.runs import evaluate

    assert filled.post("/v1/closings", {"period": "2025-01", "known_at": "2026-01-15"}).status_code == 200  # type: ignore[attr-defined]
    found = filled.get("/v1/evaluation", period="2025-01", standard="gb_t_36132_2025")
    context = Context(Workspace.open(root / "east"), clock(), "test")
    gathered = evaluate.gather(context, Period.parse("2025-01"))
    assert found == evaluate.as_json(evaluate.evaluate(gathered, "gb_t_36132_2025"))
    listed = filled.get("/v1/evaluation/standards")["items"]  # type: ignore[index]
    every = filled.get("/v1/evaluations", period="2025-01")["items"]  # type: ignore[index]
    assert [book["id"] for book in listed] == [one["standard"] for one in every]
    unknown = filled.client.get("/v1/evaluation", params={"period": "2025-01", "standard": "gb_36132"})
    assert unknown.status_code == 404
    assert "gb_t_36132_2025" in unknown.text
