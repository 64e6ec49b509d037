"""What inspectors say is learned from, on the command line as a user does it; poisoned labels are refused all the same."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from tests.runs.test_runs_inspect import panel

from zerofactory.cli.main import main
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import Said, correct


def zf(monkeypatch: pytest.MonkeyPatch, plant: Path, *words: str) -> tuple[int, str]:
    """Run a command on a plant; return its exit code and what it printed."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["zf", *words, "-w", str(plant)])
    monkeypatch.setenv("ZF_LANG", "en")
    monkeypatch.setenv("ZF_ACTOR", "wang")
    with redirect_stdout(out), redirect_stderr(out):
        try:
            main()
        except SystemExit as left:
            return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_from_a_first_model_to_a_second_by_what_inspectors_say(
    small: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = small.workspace.folder
    for number in range(20):
        panel(tmp_path / "good" / "ok", number)
        panel(tmp_path / "line", 100 + number)
    for number in range(7):
        panel(tmp_path / "line", 200 + number, "pit")

    def told(*words: str) -> Any:
        code, printed = zf(monkeypatch, plant, *words, "--json")
        assert code == 0, printed
        return json.loads(printed)

    told("inspect", "train", str(tmp_path / "good"), "--model", "panels", "--side", "64")
    taken = told("inspect", "take", str(tmp_path / "line"), "--shop", "paint", "--station", "P10")
    assert len(taken) == 27
    wanted = told("inspect", "queue", "--limit", "40")
    assert len(wanted) == 27
    first = next(one for one in wanted if one["part_code"].startswith("pit"))
    row = told("inspect", "label", first["image_sha256"][:16], "pit", "--disposition", "scrap", "--cause", "material")
    assert (row["decided_by"], row["actor"], row["corrects"]) == ("inspector", "wang", first["defect_id"])
    for one in wanted:
        if one is not first:
            said = Said("scrap", "pit") if one["part_code"].startswith("pit") else Said("accept")
            correct(small, one["defect_id"], said)
    assert len(told("inspect", "defects")) == 27
    assert len(told("inspect", "defects", "--every")) == 54
    code, printed = zf(monkeypatch, plant, "inspect", "defects", "--csv")
    assert (code, len(printed.splitlines())) == (0, 28)
    code, printed = zf(monkeypatch, plant, "inspect", "audit")
    assert "bad of passed" in printed
    card = told("inspect", "train", "--model", "panels", "--side", "64", "--from-queue")
    assert (card["version"], card["images"], card["classes"]) == (2, 27, ["ok", "pit"])
    assert card["metrics"]["auroc"][0] > 0.95
    told("inspect", "label", first["image_sha256"][:16], "ok")
    code, printed = zf(monkeypatch, plant, "inspect", "train", "--model", "panels", "--side", "64", "--from-queue", "--shop", "paint")  # fmt: skip
    assert code == 2
    assert first["part_code"] in printed
    assert "contradicted" in printed
    code, printed = zf(monkeypatch, plant, "inspect", "queue")
    assert "disagree" in printed
    assert zf(monkeypatch, plant, "inspect", "label", "zzzzzz", "ok")[0] == 2
    assert zf(monkeypatch, plant, "inspect", "train", "--model", "x", "--from-queue", "--station", "nowhere")[0] == 2
    assert zf(monkeypatch, plant, "inspect", "take", str(tmp_path / "no"), "--shop", "paint")[0] == 2
