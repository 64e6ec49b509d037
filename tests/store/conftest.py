"""A schema of one's own on the test server, and a switch that puts new books there."""

from __future__ import annotations

import secrets

import pytest

from zerofactory.store.postgres import PostgresSchema, url_of
from zerofactory.store.schema import make


@pytest.fixture
def schema(postgres_url: str) -> PostgresSchema:
    """Return an empty book in a schema of its own."""
    made = PostgresSchema(url_of(postgres_url), f"zf_book_test_{secrets.token_hex(4)}")
    made.create(make)
    return made


@pytest.fixture
def on_postgres(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let new books be opened on PostgreSQL, whatever the other tests run on."""
    monkeypatch.setenv("ZF_DATABASE_URL", postgres_url)
    return postgres_url


@pytest.fixture
def on_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new books be opened in files, whatever the other tests run on."""
    monkeypatch.delenv("ZF_DATABASE_URL", raising=False)
