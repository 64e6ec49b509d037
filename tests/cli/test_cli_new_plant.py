"""The starting plant file: valid as it stands, and kept byte for byte whatever an editor does to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from zerofactory.site.load import plant
from zerofactory.site.model import SHOP_KINDS

Call = Callable[..., subprocess.CompletedProcess[str]]
TEXT = (files("zerofactory.runs") / "new_plant.toml").read_text(encoding="utf-8")


def test_it_is_valid_and_typical() -> None:
    made, problems = plant(TEXT)
    assert problems == []
    assert made is not None
    assert (
        {shop.kind for shop in made.shops} >= {"stamping", "body", "paint", "assembly", "utilities"} <= set(SHOP_KINDS)
    )
    assert any(meter.parent for meter in made.meters)
    assert any(meter.formula for meter in made.meters)
    assert any(not source.meters for source in made.sources)
    assert not made.fictional


def test_a_new_workspace_checks_clean(zf: Call) -> None:
    made = zf("init", "new")
    assert made.returncode == 0, made.stderr
    assert "zf check" in made.stdout
    checked = zf("check", "-w", "new")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert zf("template", "--for", "activities", "--out", "form.xlsx", "-w", "new").returncode == 0
    assert zf("init", "new").returncode == 2


@pytest.mark.parametrize("change", ["crlf", "bom"])
def test_a_plant_file_from_a_windows_editor_closes_and_verifies(zf: Call, closed: Path, change: str) -> None:
    content = (closed / "factory.toml").read_bytes()
    changed = content.replace(b"\n", b"\r\n") if change == "crlf" else b"\xef\xbb\xbf" + content
    (closed / "factory.toml").write_bytes(changed)
    done = zf("close", "--period", "2025-03", "--revise", "--reason", "复核", "-w", str(closed))
    assert done.returncode == 0, done.stderr
    verified = zf("verify", "-w", str(closed))
    assert verified.returncode == 0, verified.stderr
    assert zf("explain", "electricity@2025-03", "-w", str(closed)).returncode == 0


def test_a_plant_file_in_gbk_is_told_with_its_line(zf: Call, closed: Path) -> None:
    text = (closed / "factory.toml").read_text(encoding="utf-8")
    (closed / "factory.toml").write_bytes(text.encode("gbk"))
    done = zf("check", "-w", str(closed))
    assert done.returncode == 2
    assert "UTF-8" in done.stderr
