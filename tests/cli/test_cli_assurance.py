"""The commands of restatement, base year, package, keys and assurance: they run, speak both languages, give JSON and codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zerofactory.cli.main import app
from zerofactory.periods import Period
from zerofactory.runs import close, import_data
from zerofactory.runs.context import Context

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]


@pytest.fixture
def folder(
    small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("ZF_NOW", "2026-02-01T00:00:00+08:00")
    monkeypatch.setenv("ZF_LANG", "en")
    form = write_form("diesel,2025-01-01,2025-02-28,12,t,,结算,D1,")
    import_data.run(small, [write_readings(*range(1, 13)), form])
    close.run(reopen(small), Period(2025), known_at=date(2026, 1, 15))
    return small.workspace.folder


def zf(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def test_restate_and_base_year(folder: Path) -> None:
    where = ("-w", str(folder))
    told = json.loads(zf("restate", *where, "--period", "2025", "--gwp", "AR4", "--known-at", "2025-06-01", "--json"))
    assert told["order"] == ["data", "boundary", "method", "factor"]
    total = told["total"]
    assert sum(total["by_cause_gco2e"].values()) == total["difference_gco2e"] != 0
    assert "add up to the" in zf("restate", *where, "--period", "2025")
    assert "revision" in zf("restate", *where, "--period", "2025", "--as-filed", "r9", code=2)
    assert "book" in zf("restate", *where, "--period", "2025", "--against", "x", code=2)
    fixed = json.loads(zf("base-year", "fix", *where, "--period", "2025", "--json"))
    assert fixed["base_year_id"] == "base-2025.v0"
    shown = json.loads(zf("base-year", "show", *where, "--json"))
    assert shown["recalculation_required"] is False
    assert "organic growth" in zf("base-year", "show", *where)
    zf("base-year", "fix", *where, "--period", "2025", code=2)


def test_key_package_and_verify(folder: Path, tmp_path: Path) -> None:
    where, key, out = ("-w", str(folder)), str(tmp_path / "k.pem"), str(tmp_path / "p.zip")
    public = json.loads(zf("key", "new", "--out", key, "--json"))
    assert json.loads(zf("key", "show", key, "--json")) == public
    zf("key", "new", "--out", key, code=2)
    assert "Signed" in zf("package", *where, "--period", "2025-01", "--out", out, "--sign-key", key)
    told = json.loads(zf("verify", out, "--json"))
    assert told["clean"]
    assert told["signed_by"] == public["fingerprint"]
    assert public["fingerprint"] in zf("verify", out)
    content = Path(out).read_bytes()
    Path(out).write_bytes(content[:90_000] + bytes([content[90_000] ^ 1]) + content[90_001:])
    zf("verify", out, code=1)
    zf("verify", str(tmp_path / "absent.zip"), code=2)
    assert "Not signed" in zf("package", *where, "--period", "2025-01", "--out", out)
    assert "Not signed" in zf("verify", out)
    assert "sound" in zf("verify", *where)


def test_assurance(folder: Path) -> None:
    where = ("-w", str(folder), "--period", "2025")
    plan = json.loads(zf("assurance", "plan", *where, "--verifier", "Third Party", "--level", "limited", "--json"))
    assert plan["samples"]
    zf("assurance", "plan", *where, "--verifier", "Third Party", "--level", "full", code=2)
    assert "2025-F1" in zf("assurance", "open", *where, "--subject", "diesel", "--text", "t", "--misstatement", "0.001")
    zf("assurance", "open", *where, "--subject", "diesel", "--text", "grave", "--material")
    zf("assurance", "correct", "2025-F2", *where, "--entry", "999", code=2)
    zf("assurance", "statement", *where, code=2)
    assert "closed" in zf("assurance", "close", "2025-F1", *where, "--text", "rounding")
    shown = json.loads(zf("assurance", "show", *where, "--json"))
    assert [finding["state"] for finding in shown["findings"]] == ["closed", "opened"]
    assert "Findings" in zf("assurance", "show", *where)
