"""`zf logistics plan|fleet`: both languages within 100 columns, JSON, documents that import, and wrong calls answered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.conftest import NOW, SMALL_PLANT, readings_of
from tests.runs.test_runs_logistics import SOURCES

from zerofactory.runs import import_data
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

Call = Callable[..., subprocess.CompletedProcess[str]]
INSTANCE = """StringID Type x y demand ReadyTime DueDate ServiceTime
D0 d 0 0 0 0 500 0
S0 f 60 0 0 0 500 0
C0 c 100 0 5 0 400 10

Q Vehicle fuel tank capacity /100.0/
C Vehicle load capacity /10.0/
r fuel consumption rate /1.0/
g inverse refueling rate /0.5/
v average Velocity /1.0/
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the small plant with the reference plant's logistics and readings of March."""
    folder = tmp_path_factory.mktemp("logistics") / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(SMALL_PLANT + SOURCES, encoding="utf-8")
    network = (files("zerofactory.reference_plant") / "logistics.toml").read_text(encoding="utf-8")
    (folder / "logistics.toml").write_text(network, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    march = folder / "readings.parquet"
    readings_of((3,)).write_parquet(march)
    import_data.run(Context(Workspace.open(folder), NOW, "test"), [march])
    return folder


@pytest.mark.parametrize(
    "arguments", [("plan", "--pareto", "3"), ("fleet", "--day", "2025-03-11", "--seconds", "1")], ids=" ".join
)
def test_commands_speak_both_languages_within_100_columns(zf: Call, ready: Path, arguments: tuple[str, ...]) -> None:
    for language in ("zh", "en"):
        done = zf("logistics", *arguments, "-w", str(ready), language=language)
        assert done.returncode == 0, done.stderr
        assert max(cell_len(line) for line in done.stdout.splitlines()) <= 100


def test_a_plan_as_json_and_its_documents(zf: Call, ready: Path, tmp_path: Path) -> None:
    done = zf("logistics", "plan", "--period", "2025-03", "--out", str(tmp_path / "out"), "-w", str(ready), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["after"]["check"]["passed"]
    assert told["need"]["residuals"]
    assert {one["id"] for one in told["packaging"]} == {"casting-boxes", "seat-racks"}
    made = tmp_path / "out" / "activities-2025-03.csv"
    assert zf("import", "--dry-run", str(made), "-w", str(ready)).returncode == 0


def test_a_fleet_as_json(zf: Call, ready: Path) -> None:
    done = zf("logistics", "fleet", "--day", "2025-03-11", "--seconds", "1", "-w", str(ready), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["day"] == "2025-03-11"
    assert told["rounds"]["emissions_gco2e"] < told["rounds_by_diesel"]["emissions_gco2e"]
    assert told["dock"]["cost_cny"] <= told["dock"]["at_once_cny"]
    assert [one["id"] for one in told["in_plant"]] == ["forklifts", "agvs"]


def test_an_instance_needs_no_workspace(zf: Call, tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    file.write_text(INSTANCE, encoding="utf-8")
    done = zf("logistics", "fleet", "--instance", str(file), "--json")
    assert done.returncode == 0, done.stderr
    rounds = json.loads(done.stdout)["rounds"]
    assert (rounds["status"], rounds["vehicles"], rounds["distance_km"]) == ("optimal", 1, 200.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "--target", "speed"), "emissions"),
        (("plan", "--cap", "much"), "70%"),
        (("plan", "--period", "2025-13"), "2025-13"),
        (("plan", "--cap", "1%"), ""),
        (("plan", "--file", "nothing.toml"), "nothing.toml"),
        (("fleet", "--day", "yesterday"), "2025-07-14"),
        (("fleet", "--day", "2025-09-01"), "--day"),
        (("fleet", "--instance", "nothing.txt"), "nothing.txt"),
        (("fleet", "--recharge", "half"), "partial"),
    ],
)
def test_wrong_calls_are_answered_with_the_way_out(
    zf: Call, ready: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = zf("logistics", *arguments, "-w", str(ready))
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
