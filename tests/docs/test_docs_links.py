"""Links resolve, commands in the pages exist, the layout names every room, examples run, the changelog has lines."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer

from zerofactory.accounting.source import Ask, Source
from zerofactory.cli.main import app
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
CALL = re.compile(r"(?:^\$ |`)zf ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?((?: [^`\n]*)?)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_resolves(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [first or second for first, second in LINK.findall(text)]
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []


def commands() -> dict[str, Any]:
    """Return every command by its words."""
    found: dict[str, Any] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found[" ".join(words)] = command
        for name, child in (children or {}).items():
            walk(child, (*words, name))

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_in_a_page_exists(page: Path) -> None:
    known, wrong = commands(), []
    for first, second, rest in CALL.findall(page.read_text(encoding="utf-8")):
        pair = f"{first} {second}"
        command = known.get(pair) or known.get(first)
        if command is None and not any(name.startswith(f"{first} ") for name in known):
            wrong.append(f"zf {pair}")
        if command is not None:
            options = {option for parameter in command.params for option in parameter.opts} | {"-h", "--help"}
            wrong += [
                f"zf {pair} {option}" for option in OPTION.findall(rest.partition("→")[0]) if option not in options
            ]
    assert wrong == []


def test_the_readme_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "zerofactory"
    rooms = [
        path.name if path.is_dir() else path.stem
        for path in package.iterdir()
        if (path / "__init__.py").is_file() or (path.suffix == ".py" and not path.stem.startswith("_"))
    ]
    assert [room for room in rooms if f"`{room}`" not in readme] == []


def test_every_how_to_and_explanation_is_in_its_index() -> None:
    for room in ("how-to", "explanation", "decisions", "reference"):
        folder = ROOT / "docs" / room
        index = (folder / "README.md").read_text(encoding="utf-8")
        assert [p.name for p in folder.glob("*.md") if p.name != "README.md" and f"({p.name})" not in index] == []


def test_the_source_in_the_how_to_reproduces_its_example() -> None:
    page = (ROOT / "docs" / "how-to" / "add-a-source.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(compile(code[1], "add-a-source.md", "exec", dont_inherit=True), names)  # noqa: S102
    made: Source = names["SOURCE"]
    scope = Scope(region="CN-江苏", on=date(2025, 3, 31), known_at=date(2026, 1, 15), fuel_sets=("CN-T1",))
    example = made.example
    flows = made.flows(Ask(factor_book(), scope, example.item, example.unit, example.detail))
    assert {flow.gas: example.quantity * flow.factor.value for flow in flows} == dict(example.expected_kg)


def test_pictures_are_small() -> None:
    pictures = [path for path in (ROOT / "docs" / "pictures").iterdir() if path.suffix in (".png", ".svg")]
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size >= 300_000] == []


def test_the_changelog_has_lines_in_both_languages() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.findall(r"^- (.*?)(?=^- |^## |\Z)", text.partition("## ")[2], re.DOTALL | re.MULTILINE)
    assert entries
    assert all(re.search(r"[\u4e00-\u9fff]", entry) and re.search(r"[A-Za-z]{4}", entry) for entry in entries)
