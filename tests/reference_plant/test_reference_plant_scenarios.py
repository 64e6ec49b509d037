"""The what-ifs of the reference plant: each says where its numbers are from, has no fault, and changes what it says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.conftest import NOW

from zerofactory.errors import FaultyData, Text
from zerofactory.planning.measure import measures
from zerofactory.reference_plant.generate import plant_text
from zerofactory.runs import twin, twin_compare, twin_scenario
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

DAY = twin.Asked(date(2025, 7, 8), days=2, warm_up_days=1, runs=1)
NAMES = {
    "casting-cell", "chiller-down", "climate-window", "heat-pump", "leak-repair", "low-temperature-cure", "new-line", "pv-and-storage",
    "servo-press", "third-shift", "topcoat-down", "volume-plus-10", "weekend-shift",
}  # fmt: skip


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Return the reference plant without its data: the twin and the scenarios are packaged."""
    folder: Path = tmp_path_factory.mktemp("scenarios") / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


def test_each_says_where_its_numbers_are_from(plant: Context) -> None:
    found = twin_scenario.listed(plant)
    assert {one.id for one in found} >= NAMES
    for one in found:
        assert one.basis is not None
        assert len(one.basis.zh) > 10
        assert len(one.basis.en) > 10
        assert one.title.zh != one.title.en
        assert one.measure is None or one.measure in measures()


def test_a_draw_that_the_utilities_give_is_not_changed_in_vain(plant: Context) -> None:
    scale = [{"carrier": "natural_gas", "stations": ["electrocoat", "topcoat-1"], "factor": 0.8}]
    draws = {"topcoat-2": {"draws": {"electricity": {"power": {"idle": 1}}}}}
    vain = twin_scenario.Scenario("vain", Text("空", "vain"), {"scale": scale, "stations": draws})
    with pytest.raises(FaultyData) as caught:
        twin_compare.compare(plant, DAY, [vain])
    assert [one.code for one in caught.value.problems] == ["twin.taken_over"] * 3


def test_each_changes_what_it_says(plant: Context) -> None:
    same = twin_scenario.Scenario("same", Text("同", "same"), {"stations": {"trim": {"machines": 1}}})
    found = twin_compare.compare(plant, DAY, (*twin_scenario.listed(plant), same))
    changes = {
        one.scenario.id: {name: value.mean for name, value in one.differences.items()} for one in found.scenarios
    }
    assert not any(changes.pop("same").values()), "utilities too"
    for name in ("third-shift", "volume-plus-10"):
        assert changes[name]["output"] > 0
        assert changes[name]["kgco2e_per_piece"] < 0, "what is drawn while off is shared by more"
    assert changes["topcoat-down"]["output"] < 0
    assert changes["casting-cell"]["natural_gas"] > 0
    assert changes["new-line"]["electricity"] > 0
    assert changes["weekend-shift"]["output"] == 0, "a Tuesday and a Wednesday"
    assert changes["pv-and-storage"]["electricity_purchased"] < 0
    assert changes["chiller-down"]["chilled-water_unmet_kwh"] > 0
    assert changes["heat-pump"]["natural_gas"] < 0 < changes["heat-pump"]["electricity"]
    for name, carrier in (("servo-press", "electricity"), ("leak-repair", "electricity"), ("climate-window", "electricity"), ("low-temperature-cure", "natural_gas")):  # fmt: skip
        assert changes[name][carrier] < 0
        assert changes[name]["output"] == 0
    demand = next(one.demand for one in found.scenarios if one.scenario.id == "volume-plus-10")
    assert demand is not None
    assert demand.is_met
    assert 0 < demand.overtime_h_per_day <= 6
