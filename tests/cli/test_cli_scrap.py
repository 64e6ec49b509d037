"""zf scrap: both languages within 100 columns, JSON, exit codes, files that other commands take."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from zerofactory.reference_plant.series import plant_text

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plant(zf: Call, tmp_path: Path) -> Path:
    """Return an empty book with the reference plant's own plant file."""
    folder = tmp_path / "plant"
    assert zf("init", str(folder)).returncode == 0
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "words", [("account", "--by", "cause"), ("value", "--good", "26000"), ("recover",), ("charge",)], ids=lambda w: w[0]
)
def test_the_commands_need_nothing_but_the_workspace(zf: Call, plant: Path, words: tuple[str, ...]) -> None:
    for language in ("zh", "en"):
        done = zf("scrap", *words, "--period", "2025-03", "-w", str(plant), language=language)
        assert done.returncode == 0, done.stdout + done.stderr
        assert max(cell_len(line) for line in done.stdout.splitlines()) <= 100
    told = zf("scrap", *words, "--period", "2025-03", "-w", str(plant), "--json")
    assert json.loads(told.stdout)["period"] == "2025-03"


def test_account_and_charge_write_what_others_take(zf: Call, plant: Path, tmp_path: Path) -> None:
    done = zf("scrap", "account", "--period", "2025-03", "--out", "loss", "-w", str(plant))
    assert done.returncode == 0, done.stderr
    assert "zf import scrap-activities.csv" in done.stdout
    imported = zf("import", "loss/scrap-activities.csv", "-w", str(plant))
    assert imported.returncode == 0, imported.stdout + imported.stderr
    again = json.loads(zf("scrap", "account", "--period", "2025-03", "-w", str(plant), "--json").stdout)
    assert again["book"]["to_book"] == 0
    assert zf("scrap", "charge", "--period", "2025-03", "--out", "charge", "-w", str(plant)).returncode == 0
    assert zf("material", "mix", "--file", "charge/mix.toml", "-w", str(plant)).returncode == 0


def test_faults_leave_with_two_and_say_where(zf: Call, plant: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("日期,零件,缺陷,处置,件数\n2025-03-01,body,dirt,返工,-1\n", encoding="utf-8")
    done = zf("scrap", "account", "--period", "2025-03", "--file", "bad.csv", "-w", str(plant))
    assert done.returncode == 2
    assert "bad.csv" in done.stdout + done.stderr
    assert zf("scrap", "account", "--period", "2025-03", "--by", "weather", "-w", str(plant)).returncode == 2
    assert zf("scrap", "account", "--period", "2031-03", "-w", str(plant)).returncode == 2
