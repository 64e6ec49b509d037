"""The line now over HTTP: told from the readings there are, as of a moment, and as the start of a what-if."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.api.test_api_twin_scenarios import CALENDAR, TWIN
from tests.conftest import NOW, readings_of

from zerofactory.runs import import_data
from zerofactory.runs.context import Context
from zerofactory.store.workspace import Workspace

METERED = TWIN.replace("working = 100 } }", 'working = 100 }, meters = ["E1"] }')


@pytest.fixture
def plant(root: Path, tmp_path: Path) -> Path:
    """Return the first plant with a twin whose station hangs on the incoming meter."""
    folder = root / "east"
    (folder / "twin.toml").write_text(METERED, encoding="utf-8")
    content = (folder / "factory.toml").read_text(encoding="utf-8")
    (folder / "factory.toml").write_text(content + CALENDAR, encoding="utf-8")
    readings_of((3,)).write_parquet(tmp_path / "r.parquet")
    import_data.run(Context(Workspace.open(folder), NOW, "test"), [tmp_path / "r.parquet"])
    return folder


@pytest.mark.usefixtures("plant")
def test_now_is_told_and_begins_a_what_if(someone: object) -> None:
    viewer = someone("viewer")  # type: ignore[operator]
    told = viewer.get("/v1/twin/now")
    assert (told["source"], told["stations"][0]["state"], told["stations"][0]["quality"]) == ("live", None, "stale")
    before = viewer.get("/v1/twin/now", at="2025-03-05T10:00:00")
    assert before["stations"][0]["power_kw"] > 100.0
    assert before["stations"][0]["state"] == "working"
    run = viewer.get("/v1/twin", begin="2025-03-05T10:00", days=1, runs=2)
    assert (run["begin"], run["resumed"]) == ("2025-03-05T10:00:00", True)
    assert run["seen"]["stations"][0]["state"] == "working"
    assert viewer.client.get("/v1/twin?begin=now").status_code == 422
    assert viewer.client.get("/v1/twin/now?at=2999-01-01T00:00:00").status_code == 422
