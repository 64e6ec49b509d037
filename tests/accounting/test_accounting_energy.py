"""Energy in tce, and intensities."""

from __future__ import annotations

from typing import Any

import pytest

from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.intensity import intensities
from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import quantify
from zerofactory.factors.load import factor_book
from zerofactory.standards.load import standard

KINDS = {
    "gas": "stationary_combustion", "fork": "mobile_combustion", "grid": "purchased_electricity", "pv": "on_site_renewable",
    "out": "exported_electricity", "steam": "purchased_heat", "made": "production_output", "money": "economic_output",
    "gec": "green_power_contract",
}  # fmt: skip
PIN = (
    '[[accounting.pin]]\nrole = "coal_equivalent:natural_gas"\nfactor = "gb2589.ng_high"\nreason = "与碳核算热值一致"\n'
)


def test_each_carrier_by_its_coefficient(plant_with: Any, activity: Any, frame: Any) -> None:
    activities = frame(
        activity(1, "gas", "stationary_combustion", 1.0, "万Nm3", item="natural_gas"),
        activity(2, "fork", "mobile_combustion", 1000.0, "L", item="diesel", detail={"use": "offroad"}),
        activity(3, "grid", "purchased_electricity", 1000.0, "MWh"),
        activity(4, "pv", "on_site_renewable", 200.0, "MWh", detail={"certificates_sold": "no"}),
        activity(5, "out", "exported_electricity", 100.0, "MWh"),
        activity(
            6,
            "steam",
            "purchased_heat",
            10.0,
            "t",
            item="steam",
            detail={"steam_state": "saturated", "pressure_mpa": 0.8},
        ),
        activity(7, "steam", "purchased_heat", 100.0, "GJ", item="heat"),
        activity(8, "gec", "green_power_contract", 900.0, "MWh"),
    )
    energy = energy_consumption(activities, plant_with(KINDS, PIN), factor_book(), coal_rate_kgce_per_kwh=0.3)
    assert energy.problems == ()
    expected = {
        "stationary_combustion": 10_000 * 1.33 / 1000,
        "mobile_combustion": 1000 * 0.835 * 1.4571 / 1000,
        "purchased_electricity": 122.9,
        "on_site_renewable": 24.58,
        "exported_electricity": -12.29,
    }
    got = {line.source_kind: line.energy_tce for line in energy.lines if line.source_kind in expected}
    assert got == pytest.approx(expected)
    heat = {line.item: line.energy_tce for line in energy.lines if line.source_kind == "purchased_heat"}
    assert heat == pytest.approx({"steam": 10 * 2.68456 * 0.03412, "heat": 3.412})
    assert energy.electricity_kwh == pytest.approx(1_100_000)
    assert energy.equal_value_tce is not None
    assert energy.equal_value_tce - energy.total_tce == pytest.approx(1_100_000 * (0.3 - 0.1229) / 1000)


def test_what_cannot_be_decided_is_a_problem(plant_with: Any, activity: Any, frame: Any) -> None:
    energy = energy_consumption(
        frame(activity(1, "gas", "stationary_combustion", 1.0, "t", item="waste_oils")),
        plant_with(KINDS),
        factor_book(),
    )
    assert len(energy.problems) == 1
    assert energy.total_tce == 0


def test_intensities_need_their_denominator(plant_with: Any, activity: Any, frame: Any, known: Any) -> None:
    rows = [
        activity(1, "grid", "purchased_electricity", 1000.0, "MWh"),
        activity(2, "made", "production_output", 1000.0, "vehicle", item="vehicle"),
        activity(3, "money", "economic_output", 1.0, "亿元", item="output_value"),
    ]
    plant = plant_with(KINDS)
    records = quantify(frame(*rows), plant, factor_book(), known_at=known).records
    inventory = fold(records, standard("iso_14064_1_2018"), "location", "shop")
    found = {one.key: one for one in intensities(inventory, frame(*rows), 122.9)}
    assert found["per_vehicle"].value == pytest.approx(573.7)
    assert found["per_vehicle"].unit == "kgCO2e/vehicle"
    assert found["per_output_value"].value == pytest.approx(573.7 / 10_000)
    assert found["per_energy"].value == pytest.approx(573.7 / 122.9)
    assert "per_value_added" not in found
    assert [one.key for one in intensities(inventory, frame(rows[0]))] == []
