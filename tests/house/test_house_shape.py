"""The shape of the house: small files, small functions, few parameters, no rooms named after nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "src" / "zerofactory").rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS = 500, 60, 6
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "service", "misc", "core"}
FACES = "cli"  # a command's parameters are its options; its body stays thin instead


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_file_and_its_functions_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    for function in functions(path):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < MAX_FUNCTION_LINES, function.name
        count = len(
            [
                a
                for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
                if a.arg not in ("self", "cls")
            ]
        )
        if FACES not in path.parts:
            assert count <= MAX_PARAMETERS, f"{function.name} has {count} parameters"


def test_no_room_is_named_after_nothing() -> None:
    assert [
        str(path) for path in MODULES if path.stem in FORBIDDEN_NAMES or FORBIDDEN_NAMES & set(path.parts[-3:-1])
    ] == []


def test_inheritance_is_for_exceptions_and_doors_only() -> None:
    allowed = {
        "Exception",
        "ValueError",
        "ZeroFactoryError",
        "Protocol",
        "BaseModel",
        "StrEnum",
        "NamedTuple",
        "TypedDict",
        "Unpickler",  # how the standard library restricts what a pickle may name
    }
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(b).split("[")[0].split(".")[-1] for b in node.bases}
                local_models = {b for b in bases if b.startswith("_")}  # private pydantic forms at the doors
                found += [f"{path.stem}.{node.name}({b})" for b in bases - allowed - local_models]
    assert found == []


def test_every_public_function_says_what_it_does() -> None:
    silent = []
    for path in MODULES:
        if FACES in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree) and path.name != "__init__.py":
            silent.append(str(path))
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{path.stem}.{node.name}")
    assert silent == []


def test_nothing_below_the_shell_reads_clock_or_environment() -> None:
    shell = {"store", "connectors", "runs", "cli"}
    forbidden = ("datetime.now(", "date.today(", "time.time(", "os.environ", "os.getenv", "import socket")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in MODULES
        if not shell & set(path.relative_to(ROOT / "src" / "zerofactory").parts)
        for word in forbidden
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
