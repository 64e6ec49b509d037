"""What is public, and how quickly the command answers."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import zerofactory

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "accounting", "assets", "api", "cli", "client", "connectors", "discover", "errors", "evaluation", "factors", "instruments", "metering", "monitoring", "notation", "optimisation", "periods", "planning", "reference_plant",
    "reporting", "runs", "site", "standards", "store", "tables", "units", "web", "wording",
}  # fmt: skip
HEAVY = (
    "polars",
    "numpy",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "pydantic",
    "matplotlib",
    "typst",
    "xlsxwriter",
    "yaml",
    "python_calamine",
    "sklearn",
    "pandas",
    "pvlib",
    "scipy",
    "highspy",
    "clarabel",
    "fastapi",
    "nicegui",
    "uvicorn",
    "argon2",
    "pyvrp",
    "ortools",
    "numba",
    "spyrrow",
    "shapely",
    "ezdxf",
    "svgelements",
    "zxingcpp",
    "basyx",
)


def test_rooms_are_the_ones_we_know() -> None:
    folder = Path(zerofactory.__file__).parent
    found = {
        p.stem
        for p in folder.iterdir()
        if (p.suffix == ".py" or (p / "__init__.py").is_file()) and p.stem != "__init__"
    }
    assert found == ROOMS


def test_help_loads_no_heavy_library() -> None:
    code = f"import sys; import zerofactory.cli.main; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_dependency_is_locked_with_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for requirement in requires("zerofactory") or []:
        name = requirement.split(">")[0].split("=")[0].split("[")[0].strip().lower()
        assert f"\n{name}==" in f"\n{lock.lower()}", name
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "index-url" not in lock
