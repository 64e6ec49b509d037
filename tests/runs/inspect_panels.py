"""A model of brushed panels, trained once for all tests that need one."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import NOW, SMALL_PLANT
from tests.runs.test_runs_inspect import panel

from zerofactory.runs.context import Context, stamp
from zerofactory.runs.inspect_parts import Asked, train
from zerofactory.store.workspace import Workspace

GOOD, PITTED = 20, 8


@lru_cache(maxsize=1)
def _trained() -> TemporaryDirectory[str]:
    kept = TemporaryDirectory(prefix="zf-panels-")
    plant = Path(kept.name) / "plant"
    plant.mkdir()
    (plant / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    made = Workspace.create(plant, at=stamp(NOW), actor="test")
    for number in range(GOOD):
        panel(Path(kept.name) / "learn" / "ok", number)
    for number in range(PITTED):
        panel(Path(kept.name) / "learn" / "pit", number, "pit")
    train(Context(made, NOW, "test"), Asked(Path(kept.name) / "learn", "panels", side=96))
    return kept


def give_model(plant: Path) -> None:
    """Put the model ``panels`` v1 (classes ok and pit) into a workspace."""
    shutil.copytree(Path(_trained().name) / "plant" / "models", plant / "models")
