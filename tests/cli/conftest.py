"""A tiny closed plant and two ways to call ``zf``: within this process (quick), and as a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "tiny-plant"
LOCALE = ("LANG", "LC_ALL", "LC_MESSAGES", "ZF_LANG")
FIXED = {"ZF_NOW": "2026-01-15T00:00:00Z", "ZF_ACTOR": "test", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
Done = subprocess.CompletedProcess[str]
Call = Callable[..., Done]


def within(arguments: tuple[str, ...], cwd: Path, variables: dict[str, str]) -> Done:
    """Call the command line in this process."""
    from zerofactory.cli.main import main

    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for name in LOCALE:
            patch.delenv(name, raising=False)
        for name, value in (FIXED | variables).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["zf", *arguments])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as left:
                code = int(left.code or 0)
    return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())


def apart(arguments: tuple[str, ...], cwd: Path, variables: dict[str, str]) -> Done:
    """Call the command line as a user does: what is said at its start (help) is in the language asked for."""
    env = {name: value for name, value in os.environ.items() if name not in LOCALE} | FIXED | variables
    command = [sys.executable, "-m", "zerofactory.cli", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


@pytest.fixture(scope="session")
def _closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "plant"
    for step in (
        ("init", str(folder)),
        ("import", str(EXAMPLE / "documents-2025-03.csv"), str(EXAMPLE / "readings-2025-03.csv"), "-w", str(folder)),
        ("close", "--period", "2025-03", "-w", str(folder)),
    ):
        done = within(step, folder.parent, {})
        assert done.returncode == 0, done.stderr
        if step[0] == "init":
            shutil.copy(EXAMPLE / "factory.toml", folder / "factory.toml")
    return folder


@pytest.fixture
def closed(_closed: Path, tmp_path: Path) -> Path:
    """Return a fresh copy of a tiny plant whose March 2025 is closed; ``tmp_path`` is the folder it stands in."""
    return Path(shutil.copytree(_closed, tmp_path / "plant"))


@pytest.fixture
def zf(tmp_path: Path) -> Call:
    """Return a function that calls ``zf`` in the test's own folder."""

    def call(*arguments: str, language: str = "zh", **variables: str) -> Done:
        return within(arguments, tmp_path, {"ZF_LANG": language, **variables})

    return call


@pytest.fixture
def zf_apart(tmp_path: Path) -> Call:
    """Return a function that calls ``zf`` as a process of its own; no language unless one is given."""

    def call(*arguments: str, **variables: str) -> Done:
        return apart(arguments, tmp_path, variables)

    return call
