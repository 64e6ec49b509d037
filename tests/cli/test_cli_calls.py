"""Every command in both languages: what it prints, its JSON, its exit code, and what it says to a wrong call."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from tests.database import on_sqlite_only

from zerofactory.cli.main import app

Call = Callable[..., subprocess.CompletedProcess[str]]


def commands(command: Any, words: str = "") -> list[str]:
    """Return the words of every command."""
    children = getattr(command, "commands", None)
    if children is None:
        return [words]
    return [line for name, child in children.items() for line in commands(child, f"{words} {name}".strip())]


CHINESE = re.compile(r"[\u4e00-\u9fff]")

COMMANDS = ["", *commands(typer.main.get_command(app))]
READING = [
    ("check",),
    ("list",),
    *(("list", kind) for kind in ("sources", "standards", "factor-sets", "units", "cuts", "best-before", "shops",
                                  "meters", "plant-sources", "documents", "runs", "seals", "journal")),
    ("verify",),
    ("inventory", "show", "--period", "2025-03"),
    ("inventory", "show", "--period", "2025-03", "--standard", "cn_machinery_2015", "--by", "gas"),
    ("inventory", "show", "--period", "2025-03", "--regime", "market_annual", "--by", "shop"),
    ("explain", "electricity@2025-03"),
    ("factor", "find", "柴油"),
    ("factor", "resolve", "--source", "diesel", "--date", "2025-03-31"),
]  # fmt: skip
WRONG = {
    ("chek",): ("check", 2),
    ("close",): ("--period", 2),
    ("close", "--perid", "2025-03"): ("--period", 2),
    ("close", "--period"): ("--period", 2),
    ("close", "--period", "2025-13"): ("2025-13", 2),
    ("close", "--period", "2025-03"): ("--revise", 2),
    ("close", "--period", "2026-12"): ("2026-12", 2),
    ("close", "--period", "2025-03", "--revise"): ("--reason", 2),
    ("inventory", "show", "--period", "2024"): ("2024-12", 2),
    ("inventory", "show", "--period", "2025-1x"): ("2025-1x", 2),
    ("inventory", "show", "--period", "2025-03", "--standard", "iso_14064"): ("iso_14064_1_2018", 2),
    ("inventory", "show", "--period", "2025-03", "--by", "shops"): ("shop", 2),
    ("inventory", "show", "--period", "2025-03", "--regime", "market"): ("market_annual", 2),
    ("explain", "elektricity@2025-03"): ("electricity@2025-03", 2),
    ("factor", "resolve", "--source", "dissel", "--date", "2025-03-31"): ("diesel", 2),
    ("factor", "resolve", "--source", "diesel", "--date", "20250331"): ("2025-03-31", 2),
    ("list", "meter"): ("meters", 2),
    ("import", "nothing.csv"): ("nothing.csv", 2),
    ("reverse", "nothing", "--reason", "test"): ("zf list documents", 2),
    ("report", "--period", "2025-03", "--out", "x.doc"): (".pdf", 2),
    ("report", "--period", "2025-03", "--regime", "market", "--out", "x.pdf"): ("market_annual", 2),
    ("template", "--for", "readings", "--out", "x.csv"): (".xlsx", 2),
    ("template", "--for", "meters", "--out", "x.xlsx"): ("readings", 2),
}


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_reading_commands_speak_both_languages_within_100_columns(
    zf: Call, closed: Path, arguments: tuple[str, ...]
) -> None:
    for language in ("zh", "en"):
        done = zf(*arguments, "-w", str(closed), language=language)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
        assert "Traceback" not in done.stderr
        assert max(cell_len(line) for line in done.stdout.splitlines()) <= 100


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_reading_commands_give_json(zf: Call, closed: Path, arguments: tuple[str, ...]) -> None:
    done = zf(*arguments, "-w", str(closed), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize(("arguments", "said", "code"), [(a, s, c) for a, (s, c) in WRONG.items()])
def test_wrong_calls_are_answered_with_the_way_out(
    zf: Call, closed: Path, arguments: tuple[str, ...], said: str, code: int
) -> None:
    place = () if arguments[-1] == "--period" else ("-w", str(closed))
    told = zf(*arguments, *place)
    assert told.returncode == code, told.stdout
    assert said in told.stderr
    assert CHINESE.search(told.stderr)
    assert "Traceback" not in told.stderr
    if not place:
        return
    as_json = zf(*arguments, *place, "--json", language="en")
    assert as_json.returncode == code
    problems: list[dict[str, Any]] = json.loads(as_json.stdout)["problems"]
    assert problems
    assert all(CHINESE.search(p["message"]["zh"]) and p["message"]["en"] for p in problems)


def test_the_inventory_has_the_promised_keys(zf: Call, closed: Path) -> None:
    shown = json.loads(zf("inventory", "show", "--period", "2025-03", "--json", "-w", str(closed)).stdout)
    assert isinstance(shown["total_gco2e"], int)
    assert {"key", "title", "emissions_gco2e", "share_fraction"} <= set(shown["lines"][0])
    assert sum(line["emissions_gco2e"] for line in shown["lines"]) == shown["total_gco2e"]


def test_writing_commands_give_json(zf: Call, closed: Path, tmp_path: Path) -> None:
    more = tmp_path / "april.csv"
    more.write_text(
        "排放源,开始日期,结束日期,数量,单位,凭证号\ndiesel,2025-04-01,2025-04-30,1,t,D-2504\n", encoding="utf-8"
    )
    place = ("-w", str(closed), "--json")
    checked = json.loads(zf("import", str(more), "--dry-run", *place).stdout)
    assert checked["files"][0]["status"] == "checked"
    assert json.loads(zf("import", str(more), *place).stdout)["files"][0]["status"] == "imported"
    again = zf("import", str(more), *place)
    assert (again.returncode, json.loads(again.stdout)["files"][0]["status"]) == (0, "already_imported")
    assert json.loads(zf("reverse", "D-2504", "--reason", "误录", *place).stdout)["reversed"] == 1
    revised = zf("close", "--period", "2025-03", "--revise", "--reason", "复核", *place)
    assert json.loads(revised.stdout)["months"][0]["revision"] == 1
    assert json.loads(zf("verify", *place).stdout)["clean"] is True
    form = json.loads(zf("template", "--for", "activities", "--out", str(tmp_path / "form.xlsx"), *place).stdout)
    assert form["bytes"] > 0
    report = zf("report", "--period", "2025-03", "--out", str(tmp_path / "r.xlsx"), *place)
    assert json.loads(report.stdout)["bytes"] > 0
    assert json.loads(zf("init", str(tmp_path / "new"), "--json").stdout)["files"]


@on_sqlite_only
def test_a_broken_book_is_exit_code_1(zf: Call, closed: Path) -> None:
    evidence = next((closed / "evidence").rglob("*.csv"))
    evidence.chmod(0o644)
    evidence.write_text("not what was imported", encoding="utf-8")
    done = zf("verify", "-w", str(closed))
    assert done.returncode == 1
    assert evidence.name in done.stderr
    (closed / "book.db").write_text("not a database", encoding="utf-8")
    for suffix in ("-wal", "-shm"):
        closed.joinpath(f"book.db{suffix}").unlink(missing_ok=True)
    done = zf("check", "-w", str(closed), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"][0]["code"] == "store.book_unreadable"


def test_workspace_is_named_before_or_behind_the_command_or_is_here(zf: Call, closed: Path) -> None:
    outputs = {
        zf("-w", str(closed), "list", "meters").stdout,
        zf("list", "meters", "-w", str(closed)).stdout,
        zf("list", "meters", "--workspace", "plant").stdout,
    }
    assert len(outputs) == 1
    assert "G-1" in outputs.pop()


def test_outside_a_workspace_the_way_in_is_told(zf: Call) -> None:
    for command in (("check",), ("verify",), ("list", "meters"), ("close", "--period", "2025")):
        done = zf(*command, language="en")
        assert done.returncode == 2
        assert "zf init DIR" in done.stderr
    assert zf("list", "standards").returncode == 0
    assert zf("factor", "find", "R410A").returncode == 0


@pytest.mark.parametrize(
    ("variables", "chinese"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "ZF_LANG": "zh"}, True),
        ({"LANG": "zh_CN.UTF-8", "ZF_LANG": "en"}, False),
    ],
)
def test_language_is_zf_lang_then_locale_then_chinese(zf_apart: Call, variables: dict[str, str], chinese: bool) -> None:
    done = zf_apart("-h", **variables)
    assert done.returncode == 0
    assert bool(CHINESE.search(done.stdout)) is chinese


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_complete_in_both_languages(zf_apart: Call, command: str) -> None:
    zh, en = (zf_apart(*command.split(), "--help", ZF_LANG=language).stdout for language in ("zh", "en"))
    assert zh.startswith("用法:")
    assert "Show this message" not in zh
    assert en.startswith("Usage:")
    assert not CHINESE.search(en)
    assert not command or "--json" in en
    assert "<str>" not in en + zh


def test_a_factor_nobody_knows_is_said_in_words(zf: Call) -> None:
    done = zf("factor", "find", "zzzz")
    assert (done.returncode, "zzzz" in done.stdout) == (0, True)
    assert json.loads(zf("factor", "find", "zzzz", "--json").stdout) == []


def test_ids_in_listings_are_not_cut(zf: Call, closed: Path) -> None:
    for kind in ("factor-sets", "plant-sources", "documents"):
        rows = json.loads(zf("list", kind, "-w", str(closed), "--json").stdout)
        shown = zf("list", kind, "-w", str(closed)).stdout
        assert all(str(next(iter(row.values()))) in shown for row in rows)


def test_a_port_that_is_taken_is_told_before_anything_else(tmp_path: Path) -> None:
    """No link to become the administrator is printed by a server that cannot serve."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        words = ("serve", "--port", str(other.getsockname()[1]), "--json", "-w", str(tmp_path))
        done = subprocess.run([sys.executable, "-m", "zerofactory.cli", *words], capture_output=True, check=False)
    assert done.returncode == 2
    assert [one["code"] for one in json.loads(done.stdout)["problems"]] == ["serve.port"]
    assert list(tmp_path.iterdir()) == []
