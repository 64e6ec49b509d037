"""`zf footprint`: what a user sees, the exit codes, and the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zerofactory.cli.main import app
from zerofactory.reference_plant import generate


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZF_NOW", "2026-01-15T00:00:00Z")
    monkeypatch.setenv("ZF_ACTOR", "test")
    folder = tmp_path / "plant"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    generate._write_products(folder)
    return folder


def test_import_list_and_refuse(workspace: Path) -> None:
    call = CliRunner().invoke
    seat = workspace / "products" / "suppliers" / "seat-set.json"
    done = call(app, ["footprint", "import", str(seat), "-w", str(workspace), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.output)["booked"][0]["kgco2e"] == 168.4
    listed = json.loads(call(app, ["footprint", "list", "-w", str(workspace), "--json"]).output)["footprints"]
    assert [(one["unit"], one["valid_to"][:10]) for one in listed] == [("piece", "2027-12-31")]
    assert "seat" not in call(app, ["footprint", "list", "-w", str(workspace)]).output.split("\n")[0]
    late = call(app, ["footprint", "import", str(seat), "-w", str(workspace), "--used-on", "2030-01-01", "--json"])
    assert late.exit_code == 2
    assert "footprint.expired" in {problem["code"] for problem in json.loads(late.output)["problems"]}


def test_an_open_period_and_an_unknown_product(workspace: Path) -> None:
    call = CliRunner().invoke
    for arguments in (["show"], ["export", "--format", "pact", "--out", str(workspace / "x.json")]):
        done = call(
            app, ["footprint", *arguments, "--product", "nothing", "--period", "2025", "-w", str(workspace), "--json"]
        )
        assert done.exit_code == 2
        assert json.loads(done.output)["problems"][0]["code"] == "name.not_found"
    assert not (workspace / "x.json").exists()


def test_the_group_shows_its_commands() -> None:
    shown = CliRunner().invoke(app, ["footprint", "--help"]).output
    for name in ("show", "export", "import", "list"):
        assert name in shown
