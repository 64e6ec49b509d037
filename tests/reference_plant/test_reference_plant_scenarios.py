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
    "booth-chillers-down", "casting-cell", "chiller-down", "climate-window", "compressor-down", "heat-pump", "leak-repair", "low-temperature-cure", "new-line", "pv-and-storage",
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
    for name, cause in (("booth-chillers-down", "booth-water"), ("compressor-down", "network")):
        assert changes[name]["output"] == -changes[name]["stopped_pieces"] < 0, "vehicles are lost"
        assert changes[name][f"{cause}_stopped_h"] > 0
        assert changes[name]["stops_unsettled"] == 0
    assert changes["booth-chillers-down"]["booth-water_stopped_h"] == 3.25, (
        "3 h, less 15 min borne, and 30 min to start"
    )
    assert changes["heat-pump"]["natural_gas"] < 0 < changes["heat-pump"]["electricity"]
    for name, carrier in (("servo-press", "electricity"), ("leak-repair", "electricity"), ("climate-window", "electricity"), ("low-temperature-cure", "natural_gas")):  # fmt: skip
        assert changes[name][carrier] < 0
        assert changes[name]["output"] == 0
    costs = {one.scenario.id: one.costs for one in found.scenarios if one.costs is not None}
    each = {
        name: {row.kind: row.each[2].mean for row in one.rows if row.each is not None} for name, one in costs.items()
    }
    assert all({"energy", "basic", "labour", "total"} <= set(kinds) for kinds in each.values())
    assert each["third-shift"]["energy"] < 0 < costs["third-shift"].rows[2].difference.mean, (
        "more people, energy shared by more"
    )
    assert each["pv-and-storage"]["energy"] < 0 < each["pv-and-storage"]["basic"], "the battery fills in the valley"
    assert each["volume-plus-10"]["labour"] > 0, "overtime is dearer than the hours it is added to"
    for name in ("new-line", "casting-cell", "heat-pump", "servo-press", "leak-repair", "pv-and-storage"):
        payback = costs[name].payback
        assert payback is not None
        assert (payback.entry.status, bool(payback.entry.source)) == ("placeholder", True)
    assert all("capital" in costs[name].left_out for name in ("third-shift", "weekend-shift", "topcoat-down"))
    assert costs["new-line"].labour is not None
    assert costs["new-line"].labour[1].unstated == (), "somebody stands at every station"
    demand = next(one.demand for one in found.scenarios if one.scenario.id == "volume-plus-10")
    assert demand is not None
    assert demand.is_met
    assert 0 < demand.overtime_h_per_day <= 6


def test_a_chiller_out_of_use_costs_vehicles_on_hot_days(plant: Context) -> None:
    hot = twin.Asked(date(2025, 7, 22), days=2, warm_up_days=1, runs=2)
    change = twin_scenario.named(plant, "chiller-down").change
    kept, lost = twin.run(plant, hot), twin.run(plant, hot, changed=change)
    assert kept.paired["stopped_pieces"] == (0.0, 0.0), "as it is, nothing stops"
    assert min(lost.paired["stopped_pieces"]) > 0
    assert [a - b for a, b in zip(kept.paired["output"], lost.paired["output"], strict=True)] == list(lost.paired["stopped_pieces"])  # fmt: skip
    assert 0.0 < min(lost.paired["chilled-water_stopped_h"]) < 24.0, "not the whole time"
