"""Health by hand: a plant of five meters whose faults are known, and meter cover counted on fingers."""

from __future__ import annotations

import numpy as np
import pytest

from zerofactory.metering.grid import grid_of
from zerofactory.metering.interval import ESTIMATED, MEASURED, MISSING, MeterMonth
from zerofactory.metering.register import no_bridges
from zerofactory.monitoring.cover import cover_rules, meter_cover
from zerofactory.monitoring.health import Clock, Seen, health, whole
from zerofactory.periods import Period
from zerofactory.reference_plant import series
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant
from zerofactory.store.workspace import read_plant

MARCH = Period(2025, 3)
TEXT = (
    """
[plant]
id = "t"
name = "t"
time_zone = "Asia/Shanghai"
region = "CN-上海"
[organisation]
name = "t"
[[shops]]
id = "paint"
kind = "paint"
name = "paint"
[[shops]]
id = "body"
kind = "body"
name = "body"
"""
    + "".join(
        f'[[meters]]\nid = "{name}"\nname = "{name}"\ncarrier = "{carrier}"\nkind = "interval"\nunit = "{unit}"\n{more}\n'
        for name, carrier, unit, more in [
            ("E0", "electricity", "kWh", 'shop = "paint"'),
            ("E1", "electricity", "kWh", 'shop = "paint"\nparent = "E0"'),
            ("E2", "electricity", "MWh", 'shop = "body"\nparent = "E0"'),
            ("E3", "electricity", "kWh", 'shop = "body"\nparent = "E0"\nautomatic = false'),
            ("G0", "natural_gas", "Nm3", 'shop = "paint"'),
        ]
    )
    + """
[[sources]]
id = "diesel"
kind = "mobile_combustion"
name = "trucks"
shop = "body"
item = "diesel"
detail = { use = "road" }
[[sources]]
id = "oven"
kind = "stationary_combustion"
name = "oven"
item = "natural_gas"
meters = ["G0"]
[[assets]]
id = "big"
kind = "fan"
name = "fan"
shop = "paint"
parameters = { power_kw = 100.0, meter = "E1" }
[[assets]]
id = "blind"
kind = "fan"
name = "fan"
shop = "paint"
parameters = { power_kw = 250.0 }
[[assets]]
id = "small"
kind = "fan"
name = "fan"
shop = "paint"
parameters = { power_kw = 99.0 }
"""
)


@pytest.fixture(scope="module")
def plant() -> Plant:
    made, problems = load_plant(TEXT)
    assert made is not None, problems
    return made


def seen(plant: Plant) -> Seen:
    """Return a hundred slots over: E1 late by ten slots, E2 half estimated, E3 by hand, G0 silent."""
    grid = grid_of(plant, MARCH)
    amount = np.zeros((5, grid.slots), dtype=np.int64)
    state = np.zeros((5, grid.slots), dtype=np.uint8)
    for row, (milli, until) in enumerate([(10_000, 100), (4_000, 90), (5, 100), (0, 100), (0, 0)]):
        amount[row, :until], state[row, :until] = milli, MEASURED
    state[2, :50] = ESTIMATED
    names = tuple(meter.id for meter in plant.meters)
    units = tuple(meter.amount_unit for meter in plant.meters)
    month = MeterMonth(names, units, (15,) * 5, grid, amount, state, no_bridges())
    return Seen(month, 100, np.array([100, 90, 100, 100, 0]), [1.0, 9000.0, 1.0, 1.0, None])


def test_rates_states_closure_and_shares(plant: Plant) -> None:
    found = health(seen(plant), plant, [Clock("bus", "up", 95.0, False)])
    assert found.collection_fraction == pytest.approx((100 + 90 + 50) / 500)
    assert found.completeness_fraction == pytest.approx(390 / 500)
    assert [one.state for one in found.meters] == ["ok", "late", "estimated", "ok", "silent"]
    assert [one.late_minutes for one in found.meters] == [0, 150, 0, 0, 1500]
    assert found.meters[1].collected_fraction == 0.9
    assert found.meters[2].estimated_fraction == 0.5
    closure = found.closures[0]
    assert (closure.parent_amount, closure.children_amount) == (400.0, 40 * 4.0 + 40 * 5.0)  # only slots all have read
    assert closure.error_fraction == pytest.approx(0.1)
    assert not closure.within
    totals = {(one.id, one.carrier): one for one in found.totals}
    assert totals["paint", "electricity"].amount == 360.0
    assert totals["paint", "electricity"].estimated_fraction == 0.0
    assert ("body", "electricity") not in totals  # MWh and kWh are not added up unasked
    assert found.as_json()["clocks"] == [{"connection": "bus", "state": "up", "skew_seconds": 95.0, "within": False}]


def test_a_closed_month_is_judged_over_all_its_slots(plant: Plant) -> None:
    month = seen(plant).month
    found = health(whole(month, plant), plant)
    assert found.meters[0].slots_due == 2976
    assert found.meters[0].state == "late"
    assert found.meters[4].last_at is None
    assert month.state[4].tolist().count(MISSING) == 2976


def test_cover_counted_by_hand(plant: Plant) -> None:
    lines = {(one.level, one.energy): one for one in meter_cover(plant)}
    assert (lines["plant", "electricity"].needed, lines["plant", "electricity"].there) == (1, 1)
    diesel = lines["plant", "oil_products"]
    assert (diesel.needed, diesel.there, diesel.lacking, diesel.is_met) == (1, 0, ("diesel",), False)
    assert (lines["unit", "electricity"].needed, lines["unit", "electricity"].there) == (2, 2)
    equipment = lines["equipment", "electricity"]
    assert (equipment.needed, equipment.there, equipment.lacking) == (2, 1, ("blind",))
    assert equipment.required_fraction == 0.95
    assert equipment.is_met is False
    assert lines["plant", "natural_gas"].is_met is True


def test_the_requirement_says_where_it_is_from_and_how_sure_it_is() -> None:
    rules = cover_rules()
    assert rules.standard == "GB 17167-2006"
    assert "4.3" in rules.clause
    assert rules.status in ("verified", "secondary", "placeholder")
    for title, required in rules.required.values():
        assert title.zh
        assert title.en
        assert required["plant"] >= required["unit"] >= required["equipment"] > 0.5


def test_the_reference_plant_names_the_meters_of_its_main_equipment() -> None:
    lines = {(one.level, one.energy): one for one in meter_cover(read_plant(series.plant_text()))}
    assert lines["equipment", "electricity"].is_met
    assert lines["equipment", "natural_gas"].is_met
    assert lines["unit", "steam"].lacking == ("paint",)
    assert (
        lines["plant", "electricity"].needed == 7
    )  # two incomers, export, four roofs; the contract's stations are not ours
