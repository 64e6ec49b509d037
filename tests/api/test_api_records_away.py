"""A database that cannot be reached is 503 with a way to wait; its address is in the log, not in the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

AWAY = "postgresql://ann:s3cret@127.0.0.1:1/zf?connect_timeout=2"


def test_a_database_that_is_away_is_503_and_its_address_stays_inside(
    someone: Callable[..., Any], root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")
    viewer = someone("viewer")
    (root / "east" / "book.db").unlink(missing_ok=True)
    (root / "east" / "book.postgresql").write_text("zf_book_east\n", encoding="utf-8")
    monkeypatch.setenv("ZF_DATABASE_URL", AWAY)
    with caplog.at_level(logging.ERROR, logger="zerofactory.api"):
        answer = viewer.client.get("/v1/journal", params={"site": "east"})
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["problems"][0]["code"] == "store.away"
    assert "127.0.0.1" not in answer.text
    assert "127.0.0.1:1/zf" in caplog.text
    assert "s3cret" not in answer.text + caplog.text
