"""What the command line does, the API does: each command has an operation, or a reason in ``api/commands.csv``."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer

from zerofactory.api.app import create
from zerofactory.cli.main import app


def commands(command: Any, words: str = "") -> list[str]:
    """Return the words of every command, of a group that does something by itself as well."""
    children = getattr(command, "commands", None)
    if children is None:
        return [words]
    own = [words] if words and getattr(command, "invoke_without_command", False) else []
    return own + [line for name, child in children.items() for line in commands(child, f"{words} {name}".strip())]


@pytest.fixture(scope="module")
def listed() -> dict[str, dict[str, str]]:
    with files("zerofactory.api").joinpath("commands.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["command"] for row in rows}) == len(rows)
    return {row["command"]: row for row in rows}


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    paths = create(tmp_path_factory.mktemp("nowhere")).openapi()["paths"]
    return {told["operationId"] for verbs in paths.values() for told in verbs.values()}


def as_operation(command: str) -> str:
    return command.replace("-", "_").replace(" ", "_")


def test_every_command_has_an_operation_or_a_reason(listed: dict[str, dict[str, str]], operations: set[str]) -> None:
    same_name = {name.rstrip("_") for name in operations}
    bare = [
        command
        for command in commands(typer.main.get_command(app))
        if as_operation(command) not in same_name and command not in listed
    ]
    assert bare == [], "add the operation to api/nouns, or the command with its operation or reason to api/commands.csv"


def test_what_is_listed_is_there(listed: dict[str, dict[str, str]], operations: set[str]) -> None:
    known = set(commands(typer.main.get_command(app)))
    for command, row in listed.items():
        assert command in known, command
        if row["operation"]:
            assert row["operation"] in operations, row
            assert not row["reason_zh"] + row["reason_en"], row
        else:
            assert row["reason_zh"], row
            assert row["reason_en"], row
            assert as_operation(command) not in operations, f"{command} has an operation of its own"


def test_handlers_are_short() -> None:
    import ast

    folder = Path(str(files("zerofactory.api"))) / "nouns"
    for file in folder.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and any("ROUTER" in ast.unparse(one) for one in node.decorator_list):
                lines = sum(len(ast.unparse(one).splitlines()) for one in node.body[1:])
                assert lines < 10, f"{file.name}: {node.name} has {lines} lines"
