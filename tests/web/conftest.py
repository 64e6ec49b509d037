"""A running server over a small plant, as a user starts it; and a browser where there is one."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import HEADER, NOW, SMALL_PLANT, readings_of

from zerofactory.runs.context import stamp
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

PASSWORD = "stone lamp river"  # noqa: S105  (of the tests alone)
DOCUMENT = HEADER + "diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,\n"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Running:
    """A server that answers at ``address``; ``welcome`` is the link it printed."""

    address: str
    welcome: str
    inbox: Path


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start `zf serve` on a plant with a plant file and an empty book; stop it at the end."""
    with serving(tmp_path_factory.mktemp("web"), SMALL_PLANT) as found:
        yield found


@contextmanager
def serving(folder: Path, plant_text: str | None, *options: str, access: str = "") -> Iterator[Running]:
    """Serve a plant with this plant file and an empty book while entered; without one, an empty folder.

    ``access`` is the text of ``access.toml``, where ADDRESS stands for the address of the server.
    """
    plant, inbox = folder / "plant", folder / "inbox"
    plant.mkdir()
    inbox.mkdir()
    if plant_text is not None:
        (plant / "factory.toml").write_text(plant_text, encoding="utf-8")
        Workspace.create(plant, at=stamp(NOW), actor="test")
    readings_of((1,)).write_parquet(inbox / "读数.parquet")
    (inbox / "单据.csv").write_text(DOCUMENT, encoding="utf-8")
    (inbox / "坏单据.csv").write_text(DOCUMENT.replace("1000", "-5"), encoding="utf-8")
    port = _free_port()
    command = [sys.executable, "-m", "zerofactory.cli", "serve", "-w", str(plant), "--port", str(port), *options]
    if access:
        text = access.replace("ADDRESS", f"http://127.0.0.1:{port}")
        (plant / "access.toml").write_text(text, encoding="utf-8")
    environment = {**os.environ, "ZF_LANG": "zh", "PYTHONUNBUFFERED": "1", "NICEGUI_SCREEN_TEST_PORT": ""}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process, folder / "log")
            link = re.search(r"http\S+/welcome\S+", (folder / "log").read_text(encoding="utf-8"))
            assert link is not None
            yield Running(address, link.group(), inbox)
        finally:
            process.terminate()
            process.wait(60)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try what a real browser does a second time, and tell that it had to be (R in the progress of the run)."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module")  # its event loop must be gone before another module of the same process starts one
def browser() -> Iterator[Browser]:
    """Return a real browser; skip where none is installed (`.ci/run` installs one)."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; .ci/run installs one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        fresh = found.new_context

        def patient(**options: Any) -> BrowserContext:
            context = fresh(**options)
            context.set_default_timeout(60_000)  # a machine of many tests is slow, and that is no fault of a page
            return context

        found.new_context = patient  # type: ignore[method-assign]
        yield found
        found.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{address}/login", timeout=30) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))
