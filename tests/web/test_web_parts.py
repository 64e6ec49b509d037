"""What the pages rest on: duties changed in the plan file, flows that add up, weeks of a plan, sheets of a report, and charts."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from tests.instruments.conftest import NOW
from tests.web.day_plant import nearly_neutral

from zerofactory.errors import FaultyData
from zerofactory.periods import Period
from zerofactory.planning.commitment import read_plan
from zerofactory.planning.edit import process_of, with_duties
from zerofactory.reference_plant.generate import plan_text
from zerofactory.runs import declare, flows, inventory, report
from zerofactory.runs.context import Context
from zerofactory.runs.energy_week import mondays, week
from zerofactory.runs.plan import current, versions
from zerofactory.runs.plan_edit import Duties, set_duties
from zerofactory.store.workspace import Workspace


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Context:
    made, _ = nearly_neutral(tmp_path_factory.mktemp("parts") / "made")
    return Context(Workspace.open(made), NOW, "test")


def test_only_the_duties_of_the_plan_file_change() -> None:
    text = plan_text()
    before = read_plan(text)
    first = before.mechanism.processes[0]
    asked = process_of(first, {"carbon": "R/I", "director": "A", "energy": "c"})
    after = read_plan(with_duties(text, [asked], {"director": '王"五'}))
    assert (asked.responsible, asked.accountable, asked.consulted, asked.informed) == (("carbon",), "director", ("energy",), ("carbon",))  # fmt: skip
    assert after.mechanism.processes[0] == asked
    assert after.mechanism.processes[1:] == before.mechanism.processes[1:]
    assert after.mechanism.roles[0].holder == '王"五'
    assert (after.plan, after.targets, after.end_uses, after.tasks) == (before.plan, before.targets, before.end_uses, before.tasks)  # fmt: skip


@pytest.mark.parametrize(
    ("letters", "faults"),
    [({"carbon": "R"}, 1), ({"carbon": "R/A", "director": "A"}, 1), ({"director": "A"}, 1), ({"carbon": "X"}, 3)],
)
def test_a_row_needs_one_that_answers_and_one_that_does_it(letters: dict[str, str], faults: int) -> None:
    with pytest.raises(FaultyData) as caught:
        process_of(read_plan(plan_text()).mechanism.processes[0], letters)
    assert len(caught.value.problems) == faults


def test_duties_are_a_further_version_of_the_plan_with_its_reason(plant: Context) -> None:
    good = {"inventory": {"carbon": "R", "director": "A/I"}}
    with pytest.raises(FaultyData) as caught:
        set_duties(plant, Duties({"inventory": {"carbon": "R"}}, {"carbon": " "}, ""))
    assert {problem.code for problem in caught.value.problems} == {"planning.raci", "planning.no_holder", "planning.no_reason"}  # fmt: skip
    assert len(versions(plant)) == 1
    made = set_duties(plant, Duties(good, {"carbon": "周宁"}, "换人"))
    assert (made.version, made.reason) == (2, "换人")
    standing = current(Context(Workspace.open(plant.workspace.folder), NOW, "test")).plan.mechanism
    assert standing.processes[0].informed == ("director",)
    assert standing.role("carbon").holder == "周宁"
    place = plant.workspace.folder / "plan.toml"
    place.write_text(place.read_text(encoding="utf-8") + "\n# 手改\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        set_duties(plant, Duties(good, {}, "again"))
    assert [problem.code for problem in caught.value.problems] == ["planning.not_set"]


def test_flows_add_up_to_the_inventory(plant: Context) -> None:
    found = flows.flows(plant, "2024-03")
    whole = inventory.read(plant, Period(2024, 3), "iso_14064_1_2018", "location", "scope", "1+2")
    assert sum(grams for _, _, grams in found.emissions_gco2e) == whole.total_gco2e
    power = {title.en: mwh for title, _, mwh in found.energy_mwh}
    assert power["purchased electricity"] == pytest.approx(
        100.0 * 0.1229 * 29.3076 / 3.6, rel=1e-6
    )  # GB/T 2589, 当量值


def test_a_report_and_a_draft_can_be_looked_at_before_anything_is_booked(plant: Context) -> None:
    sheets = report.preview(plant, Period(2024), "iso_14064", "en")
    assert len(sheets) >= 3
    assert all(sheet.startswith(b"\x89PNG") for sheet in sheets)
    with pytest.raises(FaultyData) as caught:
        declare.draft(plant, Period(2024), "iso_14068_1_2023")
    state = declare.standing(plant, Period(2024), "iso_14068_1_2023")
    assert caught.value.problems == state.problems
    open_ = {one.id for one, met in declare.demands(state) if not met}
    assert {f"declare.{name}" for name in open_} == {problem.code for problem in state.problems}


def test_a_week_is_cut_out_of_a_plan_and_outside_it_is_refused() -> None:
    from zerofactory.assets.grid import Grid

    start = Period(2025, 3).start("Asia/Shanghai")
    grid = Grid(start, 60, 24 * 17, "Asia/Shanghai")
    load = np.arange(grid.length, dtype=float)
    problem = SimpleNamespace(grid=grid, uses=(), load=lambda _carrier: load, carriers=("electricity",))
    plan = cast(Any, SimpleNamespace(problem=problem, values={}))
    assert mondays(plan) == (date(2025, 3, 1), date(2025, 3, 8))
    found = week(plan, date(2025, 3, 8))
    assert found.load == tuple(float(7 * 24 + n) for n in range(7 * 24))
    assert found.starts[0].isoformat() == "2025-03-08T00:00:00+08:00"
    assert found.starts[1] - found.starts[0] == timedelta(hours=1)
    with pytest.raises(FaultyData):
        week(plan, date(2025, 3, 12))
