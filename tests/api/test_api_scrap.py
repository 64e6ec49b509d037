"""Quality losses over HTTP: the runs' own figures, requests bounded, faults with their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import Someone
from tests.runs.quality_plant import QUALITY, furnish, verdicts

from zerofactory.periods import Period
from zerofactory.runs import inspect_book, scrap
from zerofactory.runs.context import Context, clock
from zerofactory.store.workspace import Workspace


@pytest.fixture
def losing(root: Path) -> Path:
    """Return the folder of the plant 'east' with quality.toml and the table it names."""
    furnish(root / "east", "", 'defects = "defects.csv"\n' + QUALITY)
    return root / "east"


def test_figures_are_those_of_the_runs(someone: Callable[..., Someone], losing: Path) -> None:
    reader = someone("viewer")
    told: Any = reader.get("/v1/scrap/account", site="east", period="2025-03")
    own = scrap.run(Context(Workspace.open(losing), clock(), "test"), scrap.Asked(Period.parse("2025-03")))
    assert told["total"]["kgco2e"]["value"] == pytest.approx(own.total.kgco2e.value)
    assert {one["key"] for one in told["by"]["defect"]} == {"split", "sag", "dirt"}
    value: Any = reader.get("/v1/scrap/value", site="east", period="2025-03", part="panel")
    assert [one["part"] for one in value["parts"]] == ["panel"]
    recovered: Any = reader.get("/v1/scrap/recover", site="east", period="2025-03")
    assert recovered["materials"][0]["material"] == "sheet"
    inspect_book.append(Context(Workspace.open(losing), clock(), "test"), verdicts(), {})
    judged: Any = reader.get("/v1/scrap/threshold", site="east", period="2025-03", part="panel", model="eye")
    assert judged["defective_from"] == "audit"
    assert judged["best"]["cny"]["cost"] <= judged["present"]["cny"]["cost"]


def test_faults_and_wild_requests_are_answered(someone: Callable[..., Someone], losing: Path) -> None:
    reader = someone("viewer")
    for asked in ({"period": "March"}, {"period": "2025-03", "file": "/etc/passwd"}, {"period": "2025-03", "good": 0}):
        path = "/v1/scrap/value" if "good" in asked else "/v1/scrap/account"
        assert reader.client.get(path, params={"site": "east", **asked}).status_code == 422
    wild = {"period": "2025-03", "stations": ["booth"], "days": 10_000}
    assert reader.post("/v1/scrap/twin?site=east", wild).status_code == 422  # type: ignore[attr-defined]
    (losing / "defects.csv").write_text("日期,零件,缺陷,处置,件数\n2025-03-01,roof,split,报废,1\n", encoding="utf-8")
    answer = reader.client.get("/v1/scrap/account", params={"site": "east", "period": "2025-03"})
    assert answer.status_code == 422, answer.text
    assert "roof" in answer.text
    assert "defects.csv" in answer.text
