"""`zf live` and `zf health`: tables within 100 columns in both languages, JSON, the stream, and a clean Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from zerofactory.runs import import_data
from zerofactory.runs.context import Context

Write = Callable[..., Path]


@pytest.fixture
def plant(small: Context, reopen: Callable[[Context], Context], write_readings: Write) -> Path:
    """Return a workspace of the small plant with the readings of March 2025."""
    import_data.run(reopen(small), [write_readings(3)])
    return small.workspace.folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from zerofactory.cli.main import main; main()", *arguments]


def zf(*arguments: str, lang: str = "zh") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ZF_LANG": lang, "COLUMNS": "100"}
    return subprocess.run(command(*arguments), capture_output=True, text=True, env=environment, timeout=60, check=False)


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in line)


@pytest.mark.parametrize(("lang", "by"), [("zh", "site"), ("zh", "meter"), ("en", "shop")])
def test_the_table_fits_and_says_what_it_is(plant: Path, lang: str, by: str) -> None:
    done = zf("live", "--once", "--by", by, "-w", str(plant), lang=lang)
    said = done.stdout
    assert done.returncode == 0, done.stderr
    assert max(width(line) for line in said.splitlines()) <= 100
    assert ("暂计" if lang == "zh" else "provisional") in said
    assert ("最新读数" if lang == "zh" else "newest reading") in said
    assert ("估算" if lang == "zh" else "estimated") in said
    assert "2025-03" in said
    assert ("无费用" if lang == "zh" else "No cost") in said


def test_json_has_every_level_and_whole_grams(plant: Path) -> None:
    content = json.loads(zf("live", "--json", "--by", "all", "-w", str(plant)).stdout)
    assert content["event"] == "snapshot"
    assert content["totals"]["provisional"] is True
    assert content["totals"]["total_gco2e"] == content["rows"]["site/site/total"]["month_gco2e"] > 10**6
    levels = {row["level"] for row in content["rows"].values()}
    assert levels == {"site", "shop", "meter"}
    meter = content["rows"]["meter/E1/electricity"]
    assert isinstance(meter["month_gco2e"], int)
    assert meter["month_cny"] is None
    assert meter["power_kw"] > 0


@pytest.mark.parametrize("form", ["--stream", "--sse"])
def test_the_stream_ends_cleanly_on_ctrl_c(plant: Path, form: str) -> None:
    words = command("live", form, "--every", "0.2", "-w", str(plant))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        assert first.startswith("id: 1" if form == "--sse" else '{"event":"snapshot"')
        while '"version":2' not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
    assert child.returncode == 0
    assert "Traceback" not in told


def test_on_a_terminal_the_table_is_renewed_until_ctrl_c(plant: Path) -> None:
    pty = pytest.importorskip("pty")
    here, there = pty.openpty()
    environment = {**os.environ, "ZF_LANG": "zh", "COLUMNS": "100", "LINES": "40", "TERM": "xterm"}
    words = command("live", "--every", "0.2", "-w", str(plant))
    with subprocess.Popen(words, stdin=there, stdout=there, stderr=subprocess.PIPE, env=environment) as child:
        os.close(there)
        seen = b""
        while seen.count("数据至".encode()) < 3:
            seen += os.read(here, 65_536)
        child.send_signal(signal.SIGINT)
        try:
            while True:
                seen += os.read(here, 65_536)
        except OSError:
            pass  # the other end is closed
        _, told = child.communicate(timeout=60)
    os.close(here)
    assert child.returncode == 0
    assert "已停止查看" in seen.decode()
    assert b"Traceback" not in told


def test_the_stream_ends_after_its_time_and_when_nobody_reads(plant: Path) -> None:
    child = zf("live", "--stream", "--every", "0.1", "--for", "3", "-w", str(plant))
    versions = [json.loads(line)["version"] for line in child.stdout.splitlines()]
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) >= 2
    assert child.returncode == 0
    words = command("live", "--stream", "--every", "0.1", "-w", str(plant))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as cut:
        assert cut.stdout is not None
        assert cut.stderr is not None
        cut.stdout.readline()
        cut.stdout.close()
        assert "Traceback" not in cut.stderr.read()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_health_as_table_and_json(plant: Path, lang: str) -> None:
    done = zf("health", "--all", "-w", str(plant), lang=lang)
    said = done.stdout
    assert done.returncode == 0
    assert max(width(line) for line in said.splitlines()) <= 100
    assert "GB 17167-2006" in said
    assert ("自动采集率 100.00%" if lang == "zh" else "100.00% collected") in said
    content = json.loads(zf("health", "--json", "--period", "2025-03", "-w", str(plant)).stdout)
    assert content["collection_fraction"] == 1.0
    assert [meter["id"] for meter in content["meters"]] == ["E1", "G1"]
    assert content["cover"]["standard"] == "GB 17167-2006"


def test_wrong_words_and_no_readings_are_told(small: Context) -> None:
    for arguments, code in ((("live", "--once", "--by", "city"), 2), (("live", "--once"), 2), (("health",), 2),
                            (("live", "--once", "--period", "2025"), 2), (("health", "--period", "noon"), 2)):  # fmt: skip
        done = zf(*arguments, "-w", str(small.workspace.folder))
        assert done.returncode == code
        assert "Traceback" not in done.stderr + done.stdout
