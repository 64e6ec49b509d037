"""The commands of the shells: what they print, what they write, and that the server stays on this machine."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.runs import plant_with_shells
from typer.testing import CliRunner

from zerofactory.cli.main import app


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant_with_shells.build(tmp_path_factory.mktemp("cli-shells") / "plant")


def told(*words: str, code: int = 0) -> str:
    """Return what a command prints."""
    done = CliRunner().invoke(app, ["aas", *words])
    assert done.exit_code == code, done.output
    return done.output


def test_what_there_is_and_what_is_missing(plant: Path) -> None:
    shown = told("list", "-w", str(plant))
    assert "station/oven" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
    found = json.loads(told("list", "--json", "-w", str(plant)))
    oven = next(one for one in found["shells"] if one["id"] == "oven")
    assert (oven["kind"], oven["missing"]) == ("station", [])
    assert oven["submodels"] == ["Nameplate", "HierarchicalStructures", "SimulationModels"]
    assert [one["code"] for one in found["problems"]] == ["shells.nameplate"]


def test_files_are_written_by_their_names(plant: Path, tmp_path: Path) -> None:
    made = json.loads(told("export", "--out", str(tmp_path / "a.aasx"), "--json", "-w", str(plant)))
    assert made["shells"] == 7
    told("export", "--out", str(tmp_path / "b.json"), "--shell", "line/booth-1", "-w", str(plant))
    one = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert [shell["idShort"] for shell in one["assetAdministrationShells"]] == ["line_booth_1"]
    told("export", "--out", str(tmp_path / "c.xml"), "-w", str(plant), code=2)
    told("export", "--out", str(tmp_path / "d.json"), "--shell", "line/none", "-w", str(plant), code=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.aasx", "b.json"]


def test_the_server_is_for_this_machine_alone(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda _, sockets: seen.extend(one.getsockname() for one in sockets))
    address = json.loads(told("serve", "--port", "0", "--json", "-w", str(plant)))["api"]
    ((host, port),) = seen
    assert host == "127.0.0.1"
    assert address == f"http://127.0.0.1:{port}/aas/api/v3.0"
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = json.loads(told("serve", "--port", str(other.getsockname()[1]), "--json", "-w", str(plant), code=2))
    assert [one["code"] for one in refused["problems"]] == ["serve.port"]
