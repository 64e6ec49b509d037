"""GB/T 36132-2025: cases worked by hand from formulas B.1 to B.28 and the scoring rule of clause 5, to the digit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from tests.evaluation.evaluation_cases import evaluated, facts, shown, stated

from zerofactory.evaluation.assess import points_of
from zerofactory.evaluation.indicator import indicator, measure
from zerofactory.standards.criteria import evaluation_book

BOOK = "gb_t_36132_2025"
VEHICLES = 250_000.0
PLANT = {
    "vehicles": VEHICLES,
    "output_value": 3_000_000.0,
    "energy@plant": 50_000.0,  # tce: B.1 0.2 tce/vehicle
    "co2@location": 150_000.0,  # t: B.3 0.6 t/vehicle
    "onsite_electricity": 30_000_000.0,
    "direct_electricity": 0.0,
    "contract_electricity": 70_000_000.0,
    "tce_per_kwh": 0.0001229,  # B.5: 100 GWh = 12 290 tce of 50 000 = 0.2458
    "material_input": 225_000.0,  # B.6 0.9 t/vehicle
    "water_intake": 750_000.0,  # B.8 3 m3/vehicle
    "water_reused": 6_750_000.0,  # B.10 0.9
    "solid_waste": 60_000.0,
    "solid_waste_recovered": 57_000.0,  # B.11 0.95
    "green_investment": 45_000.0,
    "output_value_3y": 9_000_000.0,  # 0.5 %
    "pollutant_discharged": 125_000.0,  # 0.5 kg/vehicle
    "products": 4.0,
    "products_footprint": 3.0,
    "land_area": 1_000_000.0,  # B.24 0.25 vehicle/m2
    **{f"function@{number:02d}": float(number <= 6) for number in range(1, 14)},
}
THRESHOLDS = "".join(
    [
        stated("gb36132.01", "tce/vehicle", 0.30, 0.10),  # (0.2-0.3)/(0.1-0.3) = 1/2 -> 4
        stated("gb36132.02", "tCO2/vehicle", 0.80, 0.40),  # 1/2 -> 4
        stated("gb36132.03", "%", 10, 30),  # (0.2458-0.1)/0.2 = 0.729 -> 5.832
        stated("gb36132.05", "t/vehicle", 1.0, 0.8),  # 1/2 -> 4
        stated("gb36132.06", "m3/vehicle", 5.0, 2.0),  # 2/3 -> 16/3
        stated("gb36132.07", "%", 80, 95),  # 2/3 -> 16/3
        stated("gb36132.08", "%", 80, 95),  # at the lead value -> 6
        stated("gb36132.10", "%", 0.25, 1.0),  # 1/3 -> 4/3
        stated("gb36132.11", "kg/vehicle", 0.4, 0.2),  # worse than base -> 0
        stated("gb36132.13", "%", 50, 100),  # 1/2 -> 4
        stated("gb36132.14", "vehicle/m2", 0.15, 0.30),  # 2/3 -> 16/3
    ]
)
EXPECTED = {
    "gb36132.01": 4, "gb36132.02": 4, "gb36132.03": Fraction("5.832"), "gb36132.04": Fraction("4.5"), "gb36132.05": 4,
    "gb36132.06": Fraction(16, 3), "gb36132.07": Fraction(16, 3), "gb36132.08": 6, "gb36132.09": Fraction("3.6"),
    "gb36132.10": Fraction(4, 3), "gb36132.11": 0, "gb36132.12": 8, "gb36132.13": 4, "gb36132.14": Fraction(16, 3),
}  # fmt: skip
SHOWN = (
    shown(f"{BOOK}/gb36132.basic.a"),
    shown(f"{BOOK}/gb36132.basic.b"),
    shown(f"{BOOK}/gb36132.basic.c"),
    shown(f"{BOOK}/gb36132.09", value=0.6),  # 6 × 0.6 = 3.6
    shown(f"{BOOK}/gb36132.12"),  # 8
)


def test_the_whole_table_by_hand():
    found = evaluated(BOOK, facts(PLANT), THRESHOLDS, SHOWN)
    points = {one.criterion: one.points for one in found.findings if one.kind == "scored"}
    assert points == pytest.approx({name: float(value) for name, value in EXPECTED.items()}, abs=1e-12)
    assert found.passed is True
    assert found.score is not None
    assert found.score.points == pytest.approx(float(sum(EXPECTED.values())), abs=1e-12)  # 61.265 333…
    assert found.score.points == pytest.approx(61.26533333333333, abs=1e-12)
    assert {one.id: one.possible for one in found.score.dimensions} == {
        "energy": 30, "resources": 30, "production": 16, "product": 16, "land": 8,
    }  # fmt: skip
    assert {one.id: one.points for one in found.score.dimensions} == pytest.approx(
        {
            "energy": 18.332,
            "resources": 20.666666666666668,
            "production": 4.933333333333334,
            "product": 12,
            "land": 16 / 3,
        }
    )
    assert found.score.most == found.score.points


@pytest.mark.parametrize("veto", ["gb36132.basic.a", "gb36132.basic.b", "gb36132.basic.c"])
def test_one_basic_requirement_not_shown_vetoes_whatever_the_score(veto: str):
    kept = tuple(one for one in SHOWN if not one.subject.endswith(veto))
    found = evaluated(BOOK, facts(PLANT), THRESHOLDS, kept)
    assert found.passed is False
    assert {one.criterion: one.verdict for one in found.findings}[veto] == "not_met"
    assert found.score is not None
    assert found.score.points == pytest.approx(61.26533333333333)


@pytest.mark.parametrize(
    ("value", "base", "lead", "expected"),
    [
        (0.10, 0.30, 0.10, 8.0), (0.05, 0.30, 0.10, 8.0), (0.30, 0.30, 0.10, 0.0), (0.31, 0.30, 0.10, 0.0),
        (0.25, 0.30, 0.10, 2.0), (0.15, 0.30, 0.10, 6.0), (0.20, 0.20, 0.20, 8.0), (0.21, 0.20, 0.20, 0.0),
    ],
)  # fmt: skip
def test_the_line_between_base_and_lead(value: float, base: float, lead: float, expected: float):
    plant = facts({"energy@plant": value * VEHICLES, "vehicles": VEHICLES})
    found = evaluated(BOOK, plant, stated("gb36132.01", "tce/vehicle", base, lead))
    finding = next(one for one in found.findings if one.criterion == "gb36132.01")
    assert finding.points == pytest.approx(expected, abs=1e-12)


def test_eight_of_twelve_functions_give_full_marks_and_the_thirteenth_does_not_count():
    criterion = evaluation_book(BOOK).criterion("gb36132.04")
    assert [points_of(criterion, float(count)) for count in (0, 4, 8, 12)] == [0.0, 3.0, 6.0, 6.0]
    used = {f"function@{number:02d}": 1.0 for number in range(1, 14)}
    assert measure(indicator("platform_functions"), {"count": 12.0}, facts(used)).value == 12.0
    assert measure(indicator("platform_functions"), {"count": 13.0}, facts(used)).value == 13.0


def test_blank_thresholds_stay_blank_and_give_no_points():
    found = evaluated(BOOK, facts(PLANT), "", SHOWN)
    blank = {one.criterion for one in found.findings if one.verdict == "unknown"}
    assert blank == {"gb36132.01", "gb36132.02", "gb36132.03", "gb36132.05", "gb36132.06", "gb36132.07", "gb36132.08",
                     "gb36132.10", "gb36132.11", "gb36132.13", "gb36132.14", "gb36132.b.25", "gb36132.b.27", "gb36132.b.28"}  # fmt: skip
    assert found.score is not None
    assert found.score.points == pytest.approx(4.5 + 3.6 + 8)
    assert found.score.most == pytest.approx(4.5 + 3.6 + 8 + 80)


def test_only_the_ends_of_the_line_are_certain_where_one_threshold_is_blank():
    plant = facts({"energy@plant": 50_000.0, "vehicles": VEHICLES})  # 0.2 tce a vehicle

    def of(base: float | None, lead: float | None) -> tuple[str, float | None]:
        found = evaluated(BOOK, plant, stated("gb36132.01", "tce/vehicle", base, lead))
        finding = next(one for one in found.findings if one.criterion == "gb36132.01")
        return finding.verdict, finding.points

    assert of(0.15, None) == ("not_met", 0.0)
    assert of(0.25, None) == ("unknown", None)
    assert of(None, 0.25) == ("met", 8.0)
    assert of(None, 0.15) == ("unknown", None)


@pytest.mark.parametrize(
    ("name", "parameters", "given", "expected"),
    [
        ("energy_intensity", {"per": "vehicles"}, {"energy@plant": 50_000, "vehicles": 250_000}, 0.2),  # B.1
        ("energy_intensity", {"per": "output_value"}, {"energy@plant": 50_000, "output_value": 4_000_000}, 0.0125),  # B.2
        ("carbon_intensity", {"per": "vehicles", "view": "location"}, {"co2@location": 150_000, "vehicles": 250_000}, 0.6),  # B.3
        ("carbon_intensity", {"per": "output_value", "view": "location"}, {"co2@location": 150_000, "output_value": 3_000_000}, 0.05),  # B.4
        ("material_intensity", {"per": "vehicles"}, {"material_input": 225_000, "vehicles": 250_000}, 0.9),  # B.6
        ("material_intensity", {"per": "output_value"}, {"material_input": 225_000, "output_value": 3_000_000}, 0.075),  # B.7
        ("water_intensity", {"per": "vehicles"}, {"water_intake": 750_000, "vehicles": 250_000}, 3.0),  # B.8
        ("water_intensity", {"per": "output_value"}, {"water_intake": 750_000, "output_value": 3_000_000}, 0.25),  # B.9
        ("water_reuse", {}, {"water_intake": 750_000, "water_reused": 6_750_000}, 0.9),  # B.10
        ("solid_waste_recovery", {}, {"solid_waste": 62_000, "solid_waste_recovered": 60_000}, 60 / 62),  # B.11: Z 60 000 + Zw 2 000
        ("pollutant_intensity", {"of": "waste_water_generated", "per": "vehicles"}, {"waste_water_generated": 500_000, "vehicles": 250_000}, 2.0),
        ("pollutant_intensity", {"of": "waste_gas_discharged", "per": "output_value"}, {"waste_gas_discharged": 600_000, "output_value": 3_000_000}, 0.2),
        ("pollutant_intensity", {"of": "pollutant_discharged", "per": "vehicles"}, {"pollutant_discharged": 125_000, "vehicles": 250_000}, 0.5),
        ("land_output", {"of": "vehicles"}, {"vehicles": 250_000, "land_area": 1_000_000}, 0.25),  # B.24
        ("land_output", {"of": "output_value"}, {"output_value": 3_000_000, "land_area": 1_000_000}, 3.0),  # B.26
        ("capacity_equivalence", {}, {"time_quota_output": 100_000 * 1.0 + 150_000 * 1.2, "vehicles": 250_000}, 1.12),  # B.25
        ("building_coefficient", {}, {"footprint_area": 420_000, "land_area": 1_000_000}, 0.42),  # B.27
        ("floor_area_ratio", {}, {"floor_area": 300_000 + 2 * 450_000, "land_area": 1_000_000}, 1.2),  # B.28
    ],
)  # fmt: skip
def test_formulas_of_annex_b(name: str, parameters: dict[str, str], given: dict[str, float], expected: float):
    found = measure(indicator(name), parameters, facts({key: float(value) for key, value in given.items()}))
    assert found.value == pytest.approx(expected, rel=1e-14)


def test_renewable_rate_counts_each_kilowatt_hour_once():
    found = measure(indicator("renewable_rate"), {}, facts(PLANT))
    assert found.value == pytest.approx(100_000_000 * 0.0001229 / 50_000, rel=1e-14)
    assert found.value == pytest.approx(0.2458, rel=1e-12)


def test_a_division_by_nothing_is_no_value():
    found = evaluated(BOOK, facts({**PLANT, "vehicles": 0.0}), THRESHOLDS, SHOWN)
    finding = next(one for one in found.findings if one.criterion == "gb36132.01")
    assert (finding.value, finding.verdict, finding.points) == (None, "unknown", None)
