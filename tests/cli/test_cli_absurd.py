"""Absurd files of every kind in a workspace: `zf` tells the fault in Chinese with its file, ends with 2, and changes nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.cli.conftest import within
from tests.conftest import NOW

from zerofactory.reference_plant.series import plant_text
from zerofactory.runs.context import stamp
from zerofactory.store.workspace import Workspace

DEEP = "x = " + "[" * 100_000
DOTTED = "a." * 100_000 + "a = 1"
LONG = "x = " + "9" * 5000
HALF = "第一行\n".encode("gb18030")
FILES: Mapping[str, tuple[tuple[str, ...], bytes]] = {
    "factory.toml": (("check",), DEEP.encode()),
    "plan.toml": (("plan", "set", "plan.toml"), DOTTED.encode()),
    "tariffs/reference_plant.toml": (("energy", "bill", "--period", "2025-03"), DEEP.encode()),
    "products/electric-suv.toml": (("footprint", "offered"), LONG.encode()),
    "routes.toml": (("route", "list"), HALF),
    "connections.toml": (("collect", "--once"), DEEP.encode()),
    "devices/own.yaml": (("collect", "--once"), b"x: " + b"[" * 200_000),
    "commands.toml": (("energy", "run", "--dry-run"), DEEP.encode()),
    "thresholds.toml": (("evaluate", "standards"), DOTTED.encode()),
    "standards/own.yaml": (("evaluate", "standards"), b"a: &a [*a]"),
    "alarms.toml": (("alarms", "scan", "--period", "2025-03"), LONG.encode()),
    "energy.toml": (("energy", "size"), DEEP.encode()),
    "logistics.toml": (("logistics", "plan"), HALF),
    "line.toml": (("schedule", "line", "--day", "2025-03-03"), DEEP.encode()),
    "schedule.toml": (("schedule", "solve"), DOTTED.encode()),
    "feed.toml": (("schedule", "feed", "--day", "2025-03-03"), LONG.encode()),
    "group.toml": (("schedule", "plants"), DEEP.encode()),
    "material/slit.toml": (("material", "slit"), DEEP.encode()),
    "material/mix.toml": (("material", "mix"), b"x = 1\0"),
    "quality.toml": (("scrap", "recover", "--period", "2025-03"), DOTTED.encode()),
    "shells.toml": (("aas", "list"), DEEP.encode()),
    "twin.toml": (("twin", "run", "--days", "1", "--runs", "2"), DEEP.encode()),
    "utilities.toml": (("twin", "run", "--days", "1", "--runs", "2"), LONG.encode()),
    "scenarios/own.toml": (("twin", "scenarios"), DEEP.encode()),
    "inspect.toml": (("inspect", "queue"), DEEP.encode()),
}  # fmt: skip

BESIDE = {"devices/own.yaml": ("connections.toml", "[[connections]]\nid = 'a'\nprotocol = 'modbus_tcp'\n")}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the reference plant with an empty book."""
    folder = tmp_path_factory.mktemp("absurd")
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return folder


def state_of(folder: Path) -> dict[str, str]:
    """Return the digest of every file of a workspace that holds something."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".db-shm", ".db-wal", ".lock")
    }


@pytest.mark.parametrize("name", FILES)
def test_an_absurd_file_is_told_in_chinese_and_nothing_changes(plant: Path, name: str) -> None:
    arguments, content = FILES[name]
    path = plant / name
    was = path.read_bytes() if path.is_file() else None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    beside, text = BESIDE.get(name, (name, ""))
    if text:
        (plant / beside).write_text(text, encoding="utf-8")
    before = state_of(plant)
    try:
        done = within((*arguments, "-w", str(plant)), plant, {"ZF_LANG": "zh"})
        assert state_of(plant) == before
    finally:
        path.unlink() if was is None else path.write_bytes(was)
        if text:
            (plant / beside).unlink()
    told = done.stdout + done.stderr
    assert "Traceback" not in told
    assert done.returncode == 2, told
    assert path.name in told
    assert re.search("不是有效的 (TOML|YAML)|不是 UTF-8", told), told


OPTIONS = {
    ("twin", "run", "--days", "0"): ("--days 的值不对: 不能小于 1。", "--days: it must be at least 1."),
    ("twin", "run", "--days", "many"): ("--days 的值不对: 应为整数。", "--days: it must be a whole number."),
    ("energy", "run", "--margin", "3"): ("--margin 的值不对: 不能大于 0.99。", "--margin: it must be at most 0.99."),
    ("energy", "override", "maybe"): ("请写 on 或 off。", "Say on or off."),
    ("plant", "put", "shops", "--entry", "[" * 100_000): ("括号或键套得太深", "nested too deep"),
}


@pytest.mark.parametrize("arguments", OPTIONS, ids=lambda arguments: " ".join(arguments)[:30])
def test_an_absurd_option_is_told_in_both_languages(plant: Path, arguments: tuple[str, ...]) -> None:
    for language, said in zip(("zh", "en"), OPTIONS[arguments], strict=True):
        done = within((*arguments, "-w", str(plant)), plant, {"ZF_LANG": language})
        assert done.returncode == 2
        assert said in done.stdout + done.stderr
