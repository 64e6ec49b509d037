"""What the description promises is what is answered: every operation asked with made-up data, for two roles, always the same.

The requests are made by schemathesis from ``/v1/openapi.json`` with a fixed seed: right ones, wrong ones and absurd ones.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conftest import HEADER, NOW, SMALL_PLANT, readings_of

from zerofactory.api.app import Settings, create
from zerofactory.periods import Period
from zerofactory.runs import access, close, import_data
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore
from zerofactory.store.workspace import Workspace

EXAMPLES = 6  # of each operation and role; half as many wrong ones
KNOWN = {"period": "2025-01", "standard": "iso_14064_1_2018", "figure": "diesel@2025-01", "meter": "G1", "text": "柴油", "source_id": "diesel",
         "on": "2025-01-31", "kind": "documents", "form": "inventory", "by": "category"}  # fmt: skip
SEED = 20260701
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SLOW = {  # asked by tests of their own: they answer for minutes, or begin processes
    "live_events", "jobs_begin", "energy_size", "energy_dispatch", "energy_backtest", "forecast_backtest", "forecast_make", "plan_guide",
    "plan_solve_roadmap", "plan_roadmap",
}  # fmt: skip


SOLVING = {"schedule", "material", "logistics", "twin"}  # rooms that solve for long: asked with wrong data alone here


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plant with a closed month."""
    folder = tmp_path_factory.mktemp("described") / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    readings_of((1,)).write_parquet(folder.parent / "readings.parquet")
    form = folder.parent / "documents.csv"
    form.write_text(HEADER + "diesel,2025-01-01,2025-01-31,1,t,,结算,D-1,\n", encoding="utf-8")
    import_data.run(Context(Workspace.open(folder), NOW, "test"), [folder.parent / "readings.parquet", form])
    close.run(Context(Workspace.open(folder), NOW, "test"), Period.parse("2025-01"), known_at=date(2026, 1, 15))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_every_operation_answers_as_described(made: Path, tmp_path: Path, role: str) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "plant"))
    store = AccessStore.in_folder(folder)
    user = store.add_user("robot", "robot", "", at=stamp(clock()))
    store.grant(user.user_id, ANY_SITE, role)
    scopes = tuple(access.ROLES[role][1])
    token, _ = access.new_token(
        store, access.Person(user, {ANY_SITE: role}), access.TokenAsked("test", scopes), clock()
    )
    app = create(folder, Settings(upload_megabytes=1))
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    failures, asked = [], 0
    for found in schema.get_all_operations():
        operation = found.ok()
        name = str(operation.definition.raw["operationId"])
        if name in SLOW:
            continue
        try:
            asked += ask(operation, token)
        except (Exception, BaseExceptionGroup) as failure:  # all are told together
            told = getattr(failure, "exceptions", (failure,))
            failures += [f"{name}: {type(one).__name__}: {str(one)[:600]}" for one in told]
    assert failures == [], "\n\n".join(failures)
    assert asked > 400


def ask(operation: Any, token: str) -> int:
    """Ask one operation with right data, with wrong data, and with what this plant has; return how often."""
    count = 0
    names = {parameter.name for parameter in operation.query}
    inside = {parameter.name for parameter in operation.path_parameters}
    likely = {
        "query": {n: KNOWN[n] for n in names if n in KNOWN},
        "path_parameters": {n: KNOWN[n] for n in inside if n in KNOWN},
    }
    ways = [
        (operation.as_strategy(GenerationMode.POSITIVE), EXAMPLES),
        (operation.as_strategy(GenerationMode.NEGATIVE), EXAMPLES // 2),
    ]
    if set(operation.definition.raw.get("tags", ())) & SOLVING:
        ways = ways[1:]
    elif any(likely.values()):
        ways.append((operation.as_strategy(GenerationMode.POSITIVE, **{k: v for k, v in likely.items() if v}), 1))
    for cases, times in ways:

        @seed(SEED)
        @settings(
            max_examples=times, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=cases)
        def one(case: Any) -> None:
            nonlocal count
            count += 1
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

        try:
            one()
        except Unsatisfiable:
            assert times == EXAMPLES // 2, (
                "no right request can be made"
            )  # where nothing is asked, nothing can be wrong
    return count
