"""The pages are run: every command is given in order, its exit code checked, and what it prints compared with the page.

In a page, a block ``console`` holds commands after ``$`` and what they print (``…`` stands for anything); other blocks after
``<!-- file: NAME -->`` are written to that file. ``<!-- exit: 2 -->`` before a block: its last command leaves with that code.
``<!-- start: open -->`` puts a copy of the tiny plant in ``plant/`` (``open``: March 2025 imported; ``closed``: closed).
``<!-- not run -->`` before a block: it is only read. A ``toml`` block without a file is added to ``plant/factory.toml``.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "tiny-plant"
RUN = [
    *sorted((DOCS / "how-to").glob("[a-z]*.md")),
    DOCS / "tutorial.md",
    pytest.param(DOCS / "reference-plant.md", marks=pytest.mark.slow),
    pytest.param(DOCS / "standard" / "worked-evaluation.md", marks=pytest.mark.slow),
]
BLOCK = re.compile(r"((?:<!-- [^>]* -->\n)*)```(\w+)\n(.*?)```", re.DOTALL)
MARK = re.compile(r"<!-- (file|exit|start|not run)(?:: ([^>]*?))? -->")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page with the marks before it."""

    language: str
    text: str
    marks: dict[str, str]


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"<!-- start: (\w+) -->|" + BLOCK.pattern, text, re.DOTALL):
        if found[1]:
            yield Block("start", found[1], {})
        else:
            yield Block(found[3], found[4], {m[1]: m[2] or "" for m in MARK.finditer(found[2])})


def commands_of(block: Block) -> list[tuple[str, list[str]]]:
    """Return each command with the lines the page shows after it."""
    told: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            told.append((line[2:], []))
        elif told:
            told[-1][1].append(line)
    return told


def run(command: str, cwd: Path) -> tuple[int, str]:
    """Run one line; ``zf`` within this process, anything else in a shell."""
    words = [
        str(path) if "*" in word else word
        for word in shlex.split(command)
        for path in (sorted(p.relative_to(cwd) for p in cwd.glob(word)) if "*" in word else [word])
    ]
    if words[0] != "zf":
        done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr
    from zerofactory.cli.main import main

    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        patch.setattr(sys, "argv", words)
        patch.chdir(cwd)
        try:
            main()
        except SystemExit as left:
            return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def agrees(shown: list[str], printed: str) -> bool:
    """Tell whether a page's lines are what was printed; ``…`` stands for anything in a line, alone for any lines."""
    wanted = [line.rstrip() for line in shown]
    while wanted and not wanted[-1]:
        wanted.pop()
    if not wanted:
        return True
    lines = [r"(?:[^\n]*\n)*" if line == "…" else re.escape(line).replace("…", r"[^\n]*") + r"\n" for line in wanted]
    got = "".join(line.rstrip() + "\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch("".join(lines), got) is not None


@pytest.fixture
def as_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the day, the name, the width and the language that the pages are written for."""
    for name, value in {
        "ZF_NOW": "2026-01-15T00:00:00Z", "ZF_ACTOR": "li.na", "ZF_LANG": "zh", "COLUMNS": "100",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


def start(kind: str, cwd: Path) -> None:
    """Put a copy of the tiny plant in ``plant/``."""
    assert run("zf init plant", cwd)[0] == 0
    shutil.copy(EXAMPLE / "factory.toml", cwd / "plant" / "factory.toml")
    files = [str(EXAMPLE / "documents-2025-03.csv"), str(EXAMPLE / "readings-2025-03.csv")]
    assert run(shlex.join(["zf", "import", *files, "-w", "plant"]), cwd)[0] == 0
    if kind == "closed":
        assert run("zf close --period 2025-03 -w plant", cwd)[0] == 0


@pytest.mark.usefixtures("as_reader")
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_page_runs_as_it_says(page: Path, tmp_path: Path) -> None:
    count = 0
    for block in blocks_of(page):
        if block.language == "start":
            start(block.text, tmp_path)
        elif "file" in block.marks:
            target = tmp_path / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.language == "toml":
            with (tmp_path / "plant" / "factory.toml").open("a", encoding="utf-8") as plant:
                plant.write("\n" + block.text)
        elif block.language == "console" and "not run" not in block.marks:
            told = commands_of(block)
            for place, (command, shown) in enumerate(told):
                code, printed = run(command, tmp_path)
                wanted = int(block.marks.get("exit", "0")) if place == len(told) - 1 else 0
                assert code == wanted, f"$ {command}\n{printed}"
                assert agrees(shown, printed), f"$ {command}\n{printed}\n--- the page says\n" + "\n".join(shown)
                count += 1
    assert count >= 2


def test_the_examples_of_the_tutorial_are_the_files_in_the_folder() -> None:
    written = {b.marks["file"]: b.text for b in blocks_of(DOCS / "tutorial.md") if "file" in b.marks}
    assert written["tiny/factory.toml"] == (EXAMPLE / "factory.toml").read_text(encoding="utf-8")
    assert written["documents.csv"] == (EXAMPLE / "documents-2025-03.csv").read_text(encoding="utf-8")
