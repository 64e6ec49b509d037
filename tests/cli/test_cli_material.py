"""zf material: both languages within 100 columns, JSON, exit codes, files that `zf import` takes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

import zerofactory.reference_plant
from zerofactory.reference_plant.series import plant_text

Call = Callable[..., subprocess.CompletedProcess[str]]
PACKAGED = Path(zerofactory.reference_plant.__file__).parent / "material"


@pytest.fixture
def plant(zf: Call, tmp_path: Path) -> Path:
    """Return an empty book with the reference plant's own plant file."""
    folder = tmp_path / "plant"
    assert zf("init", str(folder)).returncode == 0
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "words", [("slit",), ("sheet", "--time", "3"), ("mix",), ("nest", "--time", "2")], ids=lambda w: w[0]
)
def test_the_commands_need_nothing_but_the_workspace(zf: Call, plant: Path, words: tuple[str, ...]) -> None:
    for language in ("zh", "en"):
        done = zf("material", *words, "-w", str(plant), language=language)
        assert done.returncode == 0, done.stdout + done.stderr
        assert max(cell_len(line) for line in done.stdout.splitlines()) <= 100
        assert ("独立检查通过" if language == "zh" else "Independent check passed") in done.stdout


def test_json_tells_plan_bound_saving_and_book(zf: Call, plant: Path) -> None:
    told = json.loads(zf("material", "sheet", "--time", "3", "-w", str(plant), "--json").stdout)
    assert told["checked"] is True
    assert told["bounds"][0]["bound"] <= told["bounds"][0]["value"]
    assert told["saving"]["saved_kg"] > 0
    assert told["saving"]["book"]["saved_gco2e"] > 0
    assert {one["use"] for one in told["saving"]["routes"]} == {"route", "low", "high"}
    mixed = json.loads(zf("material", "mix", "-w", str(plant), "--json").stdout)
    assert mixed["conflict"] is None
    assert mixed["shadow_prices"]


def test_what_is_written_is_imported_as_it_is(zf: Call, plant: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = zf("material", "mix", "-w", str(plant), "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    imported = zf("import", str(out / "mix-activities.csv"), "-w", str(plant), "--json")
    assert imported.returncode == 0, imported.stdout
    assert json.loads(imported.stdout)["files"][0]["status"] == "imported"
    assert "material_mix" in zf("list", "runs", "-w", str(plant), "--json").stdout


def test_faults_leave_with_two_and_their_place(zf: Call, plant: Path) -> None:
    shutil.copytree(PACKAGED, plant / "material")
    orders = plant / "material" / "slit_orders.csv"
    orders.write_text(orders.read_text(encoding="utf-8").replace(",335,16,", ",1600,16,"), encoding="utf-8")
    done = zf("material", "slit", "-w", str(plant))
    assert done.returncode == 2
    assert "slit_orders.csv 第5行" in done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(zf("material", "slit", "-w", str(plant), "--json").stdout)
    assert told["problems"][0]["row"] == 5


def test_a_clash_of_limits_leaves_with_two_and_says_which(zf: Call, plant: Path) -> None:
    shutil.copytree(PACKAGED, plant / "material")
    path = plant / "material" / "mix.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("0.45", "0.98"), encoding="utf-8")
    done = zf("material", "mix", "-w", str(plant), language="en")
    assert done.returncode == 2
    assert "cannot be met together" in done.stdout


def test_another_file_may_be_named(zf: Call, plant: Path, tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "elsewhere")
    done = zf("material", "mix", "--file", str(tmp_path / "elsewhere" / "mix.toml"), "-w", str(plant))
    assert done.returncode == 0, done.stderr
    lost = zf("material", "mix", "--file", str(tmp_path / "none.toml"), "-w", str(plant))
    assert lost.returncode == 2
    assert "none.toml" in lost.stderr
