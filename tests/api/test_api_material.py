"""Material over HTTP: the same plans as the command line, faults with their place, requests bounded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.api.conftest import Someone

import zerofactory.reference_plant
from zerofactory.runs import material_mix
from zerofactory.runs.context import Context, clock
from zerofactory.store.workspace import Workspace

PACKAGED = Path(zerofactory.reference_plant.__file__).parent / "material"
WITHOUT_BOOK = (
    "[book]",
    "day =",
    "document =",
    'metal = "buy',
    "put_in =",
    "output =",
    "scrap =",
)  # the small plant has no steel


@pytest.fixture
def stocked(root: Path) -> Path:
    """Return the folder of the plant 'east' with the reference plant's files, less their booking."""
    folder = root / "east" / "material"
    shutil.copytree(PACKAGED, folder)
    for path in folder.glob("*.toml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(one for one in lines if not one.startswith(WITHOUT_BOOK)), encoding="utf-8")
    return root / "east"


def test_plans_are_those_of_the_runs(someone: Callable[..., Someone], stocked: Path) -> None:
    reader = someone("viewer")
    answer = reader.post("/v1/material/mix?site=east", {})
    assert answer.status_code == 200, answer.text  # type: ignore[attr-defined]
    told = answer.json()  # type: ignore[attr-defined]
    own = material_mix.run(Context(Workspace.open(stocked), clock(), "test"))
    assert told["plan"]["cost_cny"] == pytest.approx(own.plan.cost_cny)
    drawn = reader.post("/v1/material/sheet?site=east", {"seconds": 2, "drawing": "en"}).json()  # type: ignore[attr-defined]
    assert drawn["checked"] is True
    assert drawn["svg"].startswith("<svg")
    assert "Blanks from sheets" in drawn["svg"]


def test_faults_and_wild_requests_are_answered(someone: Callable[..., Someone], stocked: Path) -> None:
    reader = someone("viewer")
    assert reader.post("/v1/material/slit?site=east", {"seconds": 1e9}).status_code == 422  # type: ignore[attr-defined]
    assert reader.post("/v1/material/slit?site=east", {"file": "/etc/passwd"}).status_code == 422  # type: ignore[attr-defined]
    (stocked / "material" / "slit_orders.csv").write_text("id,grade\nA,DC04\n", encoding="utf-8")
    answer = reader.post("/v1/material/slit?site=east", {})
    assert answer.status_code == 422, answer.text  # type: ignore[attr-defined]
    assert "slit_orders.csv" in answer.text  # type: ignore[attr-defined]
