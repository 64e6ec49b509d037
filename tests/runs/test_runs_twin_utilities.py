"""Utilities beside a twin: driven by its states, accounted with it, changed by scenarios, faults told together."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.errors import FaultyData
from zerofactory.optimisation.utilities import compressed_air
from zerofactory.reference_plant.series import plant_text
from zerofactory.runs import import_data, twin, twin_file, twin_utilities, twin_utilities_file, twin_utilities_fit
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.emitted import World
from zerofactory.store.workspace import Workspace

PLANT = (
    SMALL_PLANT
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]

[[lines]]
id = "booth"
name = { zh = "喷漆室", en = "booth" }
shop = "paint"
"""
)
TWIN = """
[[stations]]
line = "booth"
cycle = { kind = "exponential", mean_s = 60 }
warm_up_s = 1800
draws.electricity = { power = { off = 2, idle = 40, working = 100 }, meters = ["E1"] }
draws.natural_gas = { power = { off = 0, idle = 5, working = 8 }, meters = ["G1"] }
"""
UTILITIES = """
gas_kwh_per_nm3 = 10.8
weather = { place = "shanghai" }
takes_over = [{ station = "booth", carrier = "natural_gas" }]

[[booths]]
id = "cabin"
name = { zh = "喷房", en = "cabin" }
shop = "paint"
stations = ["booth"]
supply_m3_per_h = 40000
window = { low_celsius = 22, high_celsius = 25, low_fraction = 0.5, high_fraction = 0.7 }
rest = { low_celsius = 5, high_celsius = 40 }
flow_fraction = { off = 0.2 }
fan_kw = 60
fan_heat_fraction = 0.5
heat_from = "gas"
cool_from = "cold"
meters = { natural_gas = ["G1"] }

[network]
volume_m3 = 10
celsius = 25
needed_kpa = 600
leaks = [{ number = 10, diameter_mm = 3, discharge_fraction = 0.61 }]

[[compressors]]
id = "c1"
name = { zh = "空压机", en = "compressor" }
shop = "utilities"
control = "load"
flow_nm3_per_h = 1200
power_kw = 140
load_kpa = 650
unload_kpa = 700
unloaded_fraction = 0.25
stop_after_s = 600

[[air]]
id = "guns"
stations = ["booth"]
nm3_per_h = { working = 500, idle = 100 }

[[halls]]
id = "hall"
name = { zh = "厂房", en = "hall" }
shop = "paint"
envelope_kw_per_k = 8
heat_kwh_per_k = 120
gains_fraction = 0.8
heat_celsius = 18
cool_celsius = 26
heat_kw = 400
cool_kw = 400
heat_from = "hot"
cool_from = "cold"

[[loops]]
id = "hot"
name = { zh = "热水", en = "hot water" }
hot = true
supply_celsius = 70
return_celsius = 50

[[heaters]]
id = "district"
name = { zh = "区域供热", en = "district heat" }
shop = "utilities"
loop = "hot"
kind = "district"
heat_kw = 500

[[loops]]
id = "cold"
name = { zh = "冷冻水", en = "chilled water" }
hot = false
supply_celsius = 7
return_celsius = 12

[[chillers]]
id = "chiller"
name = { zh = "冷水机", en = "chiller" }
shop = "utilities"
loop = "cold"
cooling_kw = 800
rated_eer_fraction = 5
rated_condenser_celsius = 30
approach_k = 5
least_condenser_celsius = 15
eer_maximum_fraction = 9
"""
WINTER = twin.Asked(date(2025, 1, 6), days=2, warm_up_days=1, runs=2, seed=4)
SUMMER = twin.Asked(date(2025, 7, 14), days=2, warm_up_days=1, runs=2, seed=4)


def workspace(folder: Path, utilities: str | None = UTILITIES, more: str = "") -> Context:
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT + more, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    if utilities is not None:
        (folder / "utilities.toml").write_text(utilities, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


@pytest.fixture
def plant(tmp_path: Path) -> Context:
    return workspace(tmp_path / "plant")


def test_without_the_file_nothing_changes_and_with_it_the_rows_are_the_difference(plant: Context, tmp_path: Path) -> None:  # fmt: skip
    bare = twin.run(workspace(tmp_path / "bare", None), WINTER)
    assert bare.around is None
    assert bare.as_json()["utilities"] == []
    found = twin.run(plant, WINTER)
    assert found.around is not None
    assert found.paired["output"] == bare.paired["output"]
    rows = {one.id: one for one in found.around.utilities}
    power = sum(one.energy["electricity"].mean for one in rows.values() if "electricity" in one.energy)
    assert found.energy["electricity"].mean == pytest.approx(bare.energy["electricity"].mean + power)
    # The gas of the station is taken over by the booth: it is counted once.
    assert found.energy["natural_gas"].mean == pytest.approx(rows["cabin"].energy["natural_gas"].mean)
    assert rows["cabin"].wasted["natural_gas"].mean < rows["cabin"].energy["natural_gas"].mean
    assert found.energy["heat"].mean == pytest.approx(rows["district"].energy["heat"].mean)
    assert 0.0 < rows["c1"].wasted["electricity"].mean < rows["c1"].energy["electricity"].mean
    assert json.loads(json.dumps(found.as_json()))["remarks"][0]["remark"] == "air_leaked_nm3"


def test_utilities_are_booked_as_the_line_is(plant: Context) -> None:
    found = twin.run(plant, WINTER)
    one = found.usages[0]
    world = World(plant.workspace.plant, plant.workspace.factor_book, 2025)
    bought = twin.quantities(world, one, found.skip)
    by_item: dict[str, float] = {}
    for item, amount in bought.items():
        by_item[item.item] = by_item.get(item.item, 0.0) + amount
    for carrier in ("electricity", "natural_gas", "heat"):
        assert by_item[carrier] == pytest.approx(one.total(carrier, found.skip), abs=0.01)
    # District heat: 0.11 t CO2 a GJ, scope 2 (the default of the accounts).
    heat = world.emitted({item: amount for item, amount in bought.items() if item.item == "heat"})
    assert heat[2] / 1e6 == pytest.approx(one.total("heat", found.skip) * 0.0036 * 0.11, rel=1e-3)


def test_a_file_of_nothing_takes_nothing(tmp_path: Path) -> None:
    none = workspace(tmp_path / "none", 'gas_kwh_per_nm3 = 10.8\nweather = { place = "shanghai" }\n')
    found, bare = twin.run(none, WINTER), twin.run(workspace(tmp_path / "bare", None), WINTER)
    assert found.paired == bare.paired
    assert found.around is not None
    assert found.around.utilities == ()


def test_a_failed_chiller_makes_a_hall_warm(plant: Context) -> None:
    failed = {"utilities": {"chillers": {"chiller": {"available": False}}}}
    kept, lost = twin.run(plant, SUMMER), twin.run(plant, SUMMER, changed=failed)
    assert kept.around is not None
    assert lost.around is not None
    assert max(kept.paired["cold_unmet_kwh"]) == 0.0
    assert min(lost.paired["cold_unmet_kwh"]) > 100.0
    assert min(lost.paired["hall_highest_celsius"]) > max(kept.paired["hall_highest_celsius"]) + 1.0
    assert "chiller" in {one.id for one in lost.around.utilities}
    assert next(one for one in lost.around.remarks if one.id == "cold_unmet_h").alarming
    assert lost.paired["output"] == kept.paired["output"]


def test_a_chiller_that_fails_for_an_afternoon_is_missed_for_an_afternoon(plant: Context) -> None:
    down = {"utilities": {"down": [{"utility": "chiller", "day": 2, "at": "11:00", "hours": 3}]}}
    kept, lost = twin.run(plant, SUMMER), twin.run(plant, SUMMER, changed=down)
    first, second = (one.usages[0].aside for one in (kept, lost))
    assert first is not None
    assert second is not None
    row = first.ids.index("chiller")
    out = slice((1 + 1) * 96 + 44, (1 + 1) * 96 + 56)  # the day before is run and left out
    assert first.used["electricity"][row, out].min() > 0.0
    assert second.used["electricity"][row, out].max() == 0.0
    assert second.used["electricity"][row, : out.start] == pytest.approx(first.used["electricity"][row, : out.start])
    # What was not served is caught up with: the chiller takes more when it is back.
    assert second.used["electricity"][row, out.stop] > first.used["electricity"][row, out.stop]
    assert 2.0 <= lost.paired["cold_unmet_h"][0] <= 4.0
    with pytest.raises(FaultyData) as caught:
        twin.run(
            plant, SUMMER, changed={"utilities": {"down": [{"utility": "hall", "day": 1, "at": "11:00", "hours": 3}]}}
        )
    assert caught.value.problems[0].column == "down.hall.utility"


def test_a_store_and_mended_leaks_can_be_tried(plant: Context) -> None:
    change: dict[str, Any] = {
        "network": {"leaks": []},
        "add": {"tanks": [{
            "id": "ice", "name": {"zh": "蓄冷罐", "en": "cold store"}, "loop": "cold", "volume_m3": 100, "layers": 2,
            "loss_kw_per_k": 0.02, "around_celsius": 30, "charge_kw": 300, "charge_hours": [0, 1, 2, 3, 4, 5],
        }]},
    }  # fmt: skip
    before, after = twin.run(plant, SUMMER), twin.run(plant, SUMMER, changed={"utilities": change})
    assert max(after.paired["air_leaked_nm3"]) == 0.0 < min(before.paired["air_leaked_nm3"])
    first, second = (one.usages[0].aside for one in (before, after))
    assert first is not None
    assert second is not None
    row = first.ids.index("chiller")
    night = np.arange(288) // 4 % 24 < 6
    assert second.used["electricity"][row, night].sum() > first.used["electricity"][row, night].sum()
    c1 = first.ids.index("c1")
    assert second.used["electricity"][c1].sum() < first.used["electricity"][c1].sum()


def test_a_station_that_is_taken_away_leaves_its_booth_off(plant: Context) -> None:
    more = {"add": {"stations": [{"id": "other", "name": {"zh": "另", "en": "other"}, "shop": "paint", "cycle": {"mean_s": 60}}]}, "remove": ["booth"]}  # fmt: skip
    found = twin.run(plant, WINTER, changed=more)
    assert found.around is not None
    cabin = next(one for one in found.around.utilities if one.id == "cabin")
    assert cabin.energy["electricity"].mean == pytest.approx(60.0 * 0.2**3 * 48.0)
    assert cabin.wasted["electricity"].mean == pytest.approx(cabin.energy["electricity"].mean)


def test_readings_of_utilities_go_to_their_meters(plant: Context, tmp_path: Path) -> None:
    found = twin.run(plant, WINTER)
    file = tmp_path / "twin.csv"
    twin.readings(found, file)
    with file.open(encoding="utf-8", newline="") as opened:
        total = sum(float(row["value"]) for row in csv.DictReader(opened) if row["meter"] == "G1")
    assert total == pytest.approx(found.usages[0].total("natural_gas", found.skip), abs=0.2)


def test_weather_may_be_a_file_and_its_gaps_are_told(tmp_path: Path) -> None:
    text = UTILITIES.replace('weather = { place = "shanghai" }', 'weather = { file = "weather.csv", altitude_m = 100 }')
    context = workspace(tmp_path / "plant", text)
    rows = ["started_at,ambient_celsius,dew_point_celsius,ghi_w_per_m2"]
    begin = datetime(2025, 1, 5, tzinfo=UTC)
    rows += [
        f"{(begin + timedelta(hours=hour)).replace(tzinfo=None)},{-10 + hour * 0.1:.1f},-15,0" for hour in range(72)
    ]
    (tmp_path / "plant" / "weather.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = twin.run(context, WINTER)
    beside = twin_utilities_file.read(context, twin_file.read(context))
    assert beside is not None
    outdoors = twin_utilities.weather_on(context, beside.weather, date(2025, 1, 5), found.usages[0])
    assert outdoors.celsius[[0, 3, 4, -1]] == pytest.approx([-10.0, -10.0, -9.9, -2.9])
    assert outdoors.pressure_pa < 101_325.0
    with pytest.raises(FaultyData) as caught:
        twin.run(context, twin.Asked(date(2025, 1, 7), days=2, warm_up_days=1, runs=1))
    assert "2025-01-07T16:00:00" in caught.value.problems[0].message.en


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    bad = (
        UTILITIES.replace('cool_from = "cold"\nmeters', 'cool_from = "hot"\nmeters')
        .replace("load_kpa = 650", "load_kpa = 720")
        .replace("heat_celsius = 18", "heat_celsius = 27")
        .replace("low_celsius = 22", "low_celsius = 26")
        .replace("return_celsius = 12", "return_celsius = 3")
    )
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "a", bad), WINTER)
    where = {problem.column for problem in caught.value.problems}
    assert where == {"booths.cabin.cool_from", "compressors.c1.load_kpa", "halls.hall.heat_celsius", "booths.cabin.window", "loops.cold"}  # fmt: skip
    assert all(problem.file == "utilities.toml" and problem.hint.zh for problem in caught.value.problems)
    parts = UTILITIES.replace("eer_maximum_fraction = 9", "eer_maximum_fraction = 9\npart_load = [0.5, 0.8, 0.1]") + (
        '[[tanks]]\nid = "pot"\nname = { zh = "罐", en = "pot" }\nloop = "cold"\nvolume_m3 = 0.5\nlayers = 1\nloss_kw_per_k = 1\n'
        "around_celsius = 20\ncharge_kw = 5\ncharge_hours = [24]\n"
    )
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "d", parts), WINTER)
    where = {problem.column for problem in caught.value.problems}
    assert where == {"chillers.chiller.part_load", "tanks.pot.loss_kw_per_k", "tanks.pot.charge_hours"}
    names = UTILITIES.replace('stations = ["booth"]\nsupply', 'stations = ["both"]\nsupply').replace('["G1"]', '["E1"]')
    names = names.replace('place = "shanghai"', 'place = "shanghai", file = "weather.csv"').replace("idle = 100", "idel = 1")  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "b", names), WINTER)
    where = {problem.column for problem in caught.value.problems}
    assert where == {"booths.cabin.stations", "booths.cabin.meters.natural_gas", "weather", "air.guns.nm3_per_h"}
    form = UTILITIES.replace("fan_kw = 60", "fan_kw = -1\nfans = 3").replace("layers", "x")
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "c", form), WINTER)
    assert {problem.column for problem in caught.value.problems} == {"booths.cabin.fan_kw", "booths.cabin.fans"}


def test_a_scenario_names_what_is_there(plant: Context, tmp_path: Path) -> None:
    change = {"chillers": {"chller": {"available": False}}, "remove": ["nobody"], "boilers": {}}
    with pytest.raises(FaultyData) as caught:
        twin.run(plant, WINTER, changed={"utilities": change})
    assert {problem.column for problem in caught.value.problems} == {"utilities.boilers", "utilities.chillers.chller", "utilities.remove"}  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin.run(
            plant,
            WINTER,
            changed={"utilities": {"chillers": 3, "halls": {"hall": 1}, "remove": "hall", "add": {"tanks": {}}}},
        )
    assert {problem.column for problem in caught.value.problems} == {"utilities.chillers", "utilities.halls.hall", "utilities.remove", "utilities.add.tanks"}  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "bare", None), WINTER, changed={"utilities": {"remove": ["chiller"]}})
    assert caught.value.problems[0].code == "utilities.missing"


def test_the_packaged_utilities_come_near_the_meters_of_the_reference_plant(tmp_path: Path) -> None:
    """A winter day and a summer one of the fictional plant: in-shift means of its meters of January and July 2025."""
    (tmp_path / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(tmp_path, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(tmp_path), NOW, "test")
    near = {
        (1, "booth-1", "natural_gas"): 836, (1, "oven-ed", "natural_gas"): 350, (1, "oven-topcoat", "natural_gas"): 378,
        (1, "compressor-2", "electricity"): 960, (7, "booth-chillers", "electricity"): 4858,
        (7, "chiller-2", "electricity"): 1929, (7, "rto-1", "natural_gas"): 160,
    }  # fmt: skip
    for month, first in ((1, date(2025, 1, 13)), (7, date(2025, 7, 14))):
        found = twin.run(context, twin.Asked(first, days=3, warm_up_days=1, runs=1))
        aside = found.usages[0].aside
        assert aside is not None
        opened = twin_utilities.open_fraction(found.runs[0].line, aside.used["electricity"].shape[1], 900.0) == 1.0
        opened[: found.skip] = False
        for (when, row, carrier), metered in near.items():
            if when == month:
                rate = aside.used[carrier][aside.ids.index(row), opened].mean() * 4.0
                assert rate == pytest.approx(metered, rel=0.3), row


def test_readings_tell_the_leaks_and_the_heat_of_a_hall(tmp_path: Path) -> None:
    """Two winter months: a header that loses 300 Nm3/h at rest, a hall of 12 kW/K that is heated below 14 °C."""
    meters = "".join(
        f'[[meters]]\nid = "{name}"\nname = {{ zh = "{name}", en = "{name}" }}\ncarrier = "{carrier}"\nkind = "interval"\nunit = "{unit}"\nshop = "paint"\nmaximum = 1e6\nminimum = 0.0\n'
        for name, carrier, unit in (("A1", "compressed_air", "Nm3"), ("H1", "heat", "kWh"))
    )
    folder = tmp_path / "plant"
    folder.mkdir()
    text = UTILITIES.replace("needed_kpa = 600\n", 'needed_kpa = 600\nair_meter = "A1"\n')
    text = text.replace('cool_from = "cold"\n\n[[loops]]', 'cool_from = "cold"\nheat_meter = "H1"\n\n[[loops]]')
    (folder / "factory.toml").write_text(PLANT + meters, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    (folder / "utilities.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    rng = np.random.default_rng(2)
    rows = ["meter,time,value"]
    temperature = ["started_at,temperature_degc"]
    begin = datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    for day in range(59):
        degc = float(rng.uniform(-6.0, 12.0))
        temperature.append(f"{begin + timedelta(days=day)},{degc:.2f}")
        for slot in range(96):
            at, opened = begin + timedelta(days=day, minutes=15 * slot), 28 <= slot < 60
            opened = opened and (begin + timedelta(days=day)).weekday() < 5
            rows.append(f"A1,{at},{(900.0 if opened else 300.0) / 4 + rng.uniform(-1, 1):.3f}")
            rows.append(f"E1,{at},{12.5 if opened else 1.0}")
            rows.append(f"H1,{at},{12.0 * (14.0 - degc) / 4 if opened else 0.0:.3f}")
    (tmp_path / "in.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "degc.csv").write_text("\n".join(temperature) + "\n", encoding="utf-8")
    import_data.run(context, [tmp_path / "in.csv"])
    found = {one.table: one for one in twin_utilities_fit.fit(context, ["2025-01", "2025-02"], tmp_path / "degc.csv")}
    air_leak, hall = found["network"].figure, found["halls"].figure
    assert air_leak.low < 300.0 < air_leak.high
    assert hall.mean == pytest.approx(12.0, rel=1e-3)
    twin_utilities_fit.write(context, list(found.values()), ["2025-01", "2025-02"])
    beside = twin_utilities_file.read(context, twin_file.read(context))
    assert beside is not None
    assert beside.utilities.halls[0].envelope_kw_per_k == pytest.approx(12.0, rel=1e-3)
    # 4 K below the set point are the gains: 48 kW, of which the machines bring 0.8 of 50 kW.
    assert beside.utilities.halls[0].gains_kw == pytest.approx(8.0, rel=1e-2)
    network = beside.utilities.network
    assert network is not None
    leak = compressed_air.run(network, beside.utilities.compressors, np.zeros(96), 900.0).leaked_nm3[-48:].mean() * 4
    assert leak == pytest.approx(300.0, rel=0.02)
    (folder / "utilities.fitted.csv").write_text("table,id,key,value\nhalls,hall,gains_kw,much\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin.run(context, WINTER)
    assert (caught.value.problems[0].file, caught.value.problems[0].row) == ("utilities.fitted.csv", 2)


def test_heat_costs_what_the_file_says_and_half_a_cost_is_none(tmp_path: Path) -> None:
    """Two plants with a tariff that differ in the price of heat alone; without one there is no cost."""
    tariff = '\n[tariff]\narea = "shanghai"\nscheme = "two_part_large_industry"\nvoltage = "110kV"\ncarry = "2026-08"\n'
    costs = []
    for name, price in (("dear", "heat_cny_per_kwh = 0.5\n"), ("cheap", "heat_cny_per_kwh = 0.1\n"), ("none", "")):
        context = workspace(
            tmp_path / name, price + UTILITIES.replace('heat_from = "gas"', 'heat_from = "hot"'), tariff
        )
        found = twin.run(context, WINTER)
        costs.append((found.cny, found.energy["heat"].mean))
    (dear, heat), (cheap, _), (none, _) = costs
    assert none is None
    assert dear is not None
    assert cheap is not None
    assert dear.mean - cheap.mean == pytest.approx(0.4 * heat)
