"""SBTi, neutrality and zero-carbon schemes: cases by hand, and plants that must fail."""

from __future__ import annotations

import pytest
from tests.evaluation.evaluation_cases import evaluated, facts, shown

from zerofactory.evaluation.assess import Evaluation
from zerofactory.evaluation.finding import Finding
from zerofactory.standards.criteria import evaluation_book

HELD = {
    "holds@closed_period": 1.0,
    "holds@both_views": 1.0,
    "holds@base_year_policy": 1.0,
    "holds@energy_and_direct": 1.0,
}


def of(found: Evaluation, criterion: str) -> Finding:
    return next(one for one in found.findings if one.criterion == criterion)


def outcome(found: Evaluation, grade: str) -> str:
    return next(str(one.outcome) for one in found.grades if one.grade.id == grade)


# --- SBTi

TARGET = {
    "target_coverage_12": 0.96,
    "target_coverage_3_near": 0.70,
    "target_coverage_3_long": 0.91,
    "scope3_share": 0.90,
    "target_reduction": 0.42,
    "target_year": 2030.0,
    "base_year": 2022.0,
    "submission_year": 2024.0,
    "target_long": 0.90,
    "target_residual": 0.10,
    **HELD,
}


def test_a_target_that_conforms():
    found = evaluated("sbti_net_zero", facts(TARGET))
    assert outcome(found, "near_term") == "reached"
    assert outcome(found, "net_zero") == "reached"
    assert found.grade is not None
    assert found.grade.id == "net_zero"


@pytest.mark.parametrize(
    ("reduction", "base_year", "target_year", "required", "verdict"),
    [
        (0.42, 2022, 2030, 0.42, "met"),  # min(2022, 2020) = 2020: ten years
        (0.419, 2022, 2030, 0.42, "not_met"),
        (0.462, 2019, 2030, 0.462, "met"),  # eleven years from 2019
        (0.42, 2019, 2030, 0.462, "not_met"),
        (0.21, 2020, 2025, 0.21, "met"),
        (0.21, 2023, 2026, 0.252, "not_met"),  # six years from 2020, not three from 2023
    ],
)
def test_absolute_contraction(reduction: float, base_year: int, target_year: int, required: float, verdict: str):
    given = {**TARGET, "target_reduction": reduction, "base_year": float(base_year), "target_year": float(target_year)}
    finding = of(evaluated("sbti_net_zero", facts(given)), "sbti1.aca")
    assert finding.value == pytest.approx(reduction / required, rel=1e-12)
    assert finding.verdict == verdict


@pytest.mark.parametrize(
    ("share", "coverage", "verdict"),
    [(0.39, 0.1, "not_applicable"), (0.40, 0.66, "not_met"), (0.40, 0.67, "met"), (0.95, 0.67, "met")],
)
def test_scope_3_target_is_asked_from_40_per_cent_on(share: float, coverage: float, verdict: str):
    found = evaluated("sbti_net_zero", facts({**TARGET, "scope3_share": share, "target_coverage_3_near": coverage}))
    assert of(found, "sbti1.cov3near").verdict == verdict
    assert outcome(found, "near_term") == ("missed" if verdict == "not_met" else "reached")


@pytest.mark.parametrize(("submitted", "year", "least", "most"), [(2024, 2028, "not_met", "met"), (2024, 2029, "met", "met"),
                                                                  (2024, 2034, "met", "met"), (2024, 2035, "met", "not_met")])  # fmt: skip
def test_near_term_horizon_of_five_to_ten_years(submitted: int, year: int, least: str, most: str):
    found = evaluated(
        "sbti_net_zero", facts({**TARGET, "submission_year": float(submitted), "target_year": float(year)})
    )
    assert (of(found, "sbti1.near").verdict, of(found, "sbti1.near.most").verdict) == (least, most)


def test_progress_on_the_linear_path():
    # E_b 200 000 in 2020; at 4.2 % a year 2025 asks for 21 %; 160 000 t is 20 % -> 0.952380…
    given = {
        "base_emissions": 200_000.0,
        "base_year": 2020.0,
        "year": 2025.0,
        "emissions_scope1": 25_000.0,
        "emissions_scope2": 135_000.0,
    }
    finding = of(evaluated("sbti_net_zero", facts(given)), "sbti1.progress")
    assert finding.value == pytest.approx(0.2 / 0.21, rel=1e-12)
    assert finding.verdict == "not_met"


def test_intensity_target_is_compound():
    # 7 % a year over eight years: 1 - 0.93^8 = 0.44041…
    given = {**TARGET, "target_intensity": 0.4404, "target_year": 2030.0, "base_year": 2022.0}
    finding = of(evaluated("sbti_net_zero", facts(given)), "sbti1.s3int")
    assert finding.value == pytest.approx(0.4404 / (1 - 0.93**8), rel=1e-12)
    assert finding.verdict == "not_met"


def test_credits_never_count_towards_a_target():
    plain = evaluated("sbti_net_zero", facts(TARGET))
    bought = evaluated("sbti_net_zero", facts({**TARGET, "credits_retired": 1e9}))
    assert [(one.criterion, one.value, one.verdict) for one in plain.findings] == [
        (one.criterion, one.value, one.verdict) for one in bought.findings
    ]


# --- neutrality

NEUTRAL = {
    "footprint@12": 25_000.0, "credits_retired": 25_000.0, "credit_age_years": 3.0, "claim_number": 1.0, "verification": 1.0,
    "coverage": 0.97, "largest_exclusion": 0.004, "retirement_years": 0.5, **HELD,
}  # fmt: skip
ISO_SHOWN = tuple(shown(f"iso_14068_1_2023/iso14068.{name}") for name in ("hier", "plan", "residual", "report"))
PAS_SHOWN = tuple(shown(f"pas_2060_2014/pas2060.{name}") for name in ("plan", "qes", "valid"))


@pytest.mark.parametrize(
    ("retired", "balance", "outcome_"),
    [(24_999.0, 1.0, "missed"), (25_000.0, 0.0, "reached"), (30_000.0, -5_000.0, "reached"), (0.0, 25_000.0, "missed")],
)
def test_neutrality_balance(retired: float, balance: float, outcome_: str):
    found = evaluated("iso_14068_1_2023", facts({**NEUTRAL, "credits_retired": retired}), attested=ISO_SHOWN)
    assert of(found, "iso14068.balance").value == pytest.approx(balance)
    assert outcome(found, "neutral") == outcome_
    old = evaluated("pas_2060_2014", facts({**NEUTRAL, "credits_retired": retired}), attested=PAS_SHOWN)
    assert outcome(old, "neutral") == outcome_


@pytest.mark.parametrize(
    ("change", "criterion"),
    [
        ({"credit_age_years": 6.0}, "iso14068.credits"),
        ({"verification": 0.0}, "iso14068.verify"),
        ({"holds@both_views": 0.0}, "iso14068.market"),
        ({"claim_number": 2.0, "emissions@plant": 30_000.0, "vehicles": 100_000.0, "previous_emissions": 30_000.0,
          "previous_vehicles": 100_000.0}, "iso14068.pathway"),
    ],
)  # fmt: skip
def test_a_claim_that_must_fail_fails(change: dict[str, float], criterion: str):
    found = evaluated("iso_14068_1_2023", facts({**NEUTRAL, **change}), attested=ISO_SHOWN)
    assert of(found, criterion).verdict == "not_met"
    assert found.passed is False
    assert outcome(found, "neutral") == "missed"


def test_reductions_are_asked_from_the_second_period_on():
    grown = {"claim_number": 2.0, "emissions@plant": 30_000.0, "vehicles": 100_000.0, "previous_vehicles": 100_000.0}
    fallen = evaluated(
        "iso_14068_1_2023", facts({**NEUTRAL, **grown, "previous_emissions": 30_001.0}), attested=ISO_SHOWN
    )
    assert of(fallen, "iso14068.pathway").verdict == "met"
    first = evaluated("iso_14068_1_2023", facts(NEUTRAL), attested=ISO_SHOWN)
    assert of(first, "iso14068.pathway").verdict == "not_applicable"
    unknown = evaluated("iso_14068_1_2023", facts({**NEUTRAL, "claim_number": 2.0}), attested=ISO_SHOWN)
    assert outcome(unknown, "neutral") == "undecided"
    assert unknown.grade is None


@pytest.mark.parametrize(
    ("change", "criterion"),
    [({"coverage": 0.949}, "pas2060.scope"), ({"largest_exclusion": 0.01}, "pas2060.scope.exclusion"),
     ({"retirement_years": 1.01}, "pas2060.retire"), ({"footprint@12": 25_001.0}, "pas2060.offset")],
)  # fmt: skip
def test_pas_2060_limits(change: dict[str, float], criterion: str):
    found = evaluated("pas_2060_2014", facts({**NEUTRAL, **change}), attested=PAS_SHOWN)
    assert of(found, criterion).verdict == "not_met"
    assert outcome(found, "neutral") == "missed"


def test_no_evidence_is_not_met_and_lost_or_expired_evidence_neither():
    from datetime import date

    for proof in ((), (shown("iso_14068_1_2023/iso14068.plan", kept=False),),
                  (shown("iso_14068_1_2023/iso14068.plan", until=date(2026, 5, 31)),),
                  (shown("iso_14068_1_2023/iso14068.plan", state="not_met"),)):  # fmt: skip
        others = tuple(one for one in ISO_SHOWN if not one.subject.endswith("plan"))
        found = evaluated("iso_14068_1_2023", facts(NEUTRAL), attested=(*others, *proof))
        assert of(found, "iso14068.plan").verdict == "not_met"
        assert outcome(found, "neutral") == "missed"


def test_a_mandatory_criterion_is_not_waived_by_saying_it_does_not_apply():
    waived = tuple(shown(one.subject, state="not_applicable") for one in ISO_SHOWN)
    found = evaluated("iso_14068_1_2023", facts(NEUTRAL), attested=waived)
    assert of(found, "iso14068.plan").verdict == "not_met"
    assert found.passed is False


# --- zero-carbon factories


def test_miit_index_at_its_edges():
    edge = {
        "co2@location": 180.0, "energy@plant": 100.0, "tce_per_kwh": 0.0001, "onsite_electricity": 100_000.0, "direct_electricity": 0.0,
        "contract_electricity": 200_000.0, "electricity": 1_000_000.0,
    }  # fmt: skip
    found = evaluated("miit_zero_carbon_factory_2026", facts(edge))
    verdicts = {name: of(found, f"miit26.{name}") for name in ("1.1", "1.2", "1.3")}
    assert {name: (one.value, one.verdict) for name, one in verdicts.items()} == {
        "1.1": (pytest.approx(1.8), "met"), "1.2": (pytest.approx(0.3), "met"), "1.3": (pytest.approx(0.1), "met"),
    }  # fmt: skip
    worse = evaluated(
        "miit_zero_carbon_factory_2026", facts({**edge, "co2@location": 180.1, "onsite_electricity": 99_999.0})
    )
    assert [of(worse, f"miit26.{name}").verdict for name in ("1.1", "1.2", "1.3")] == ["not_met", "not_met", "not_met"]


@pytest.mark.parametrize(
    ("energy", "carbon", "core"),
    [(150_000.0, 20_000.0, ("not_applicable", "not_applicable")), (200_000.0, 40_000.0, ("met", "not_applicable")),
     (999_999.0, 250_000.0, ("not_met", "not_applicable")), (1_000_000.0, 300_000.0, ("not_applicable", "met")),
     (2_000_000.0, 600_001.0, ("not_applicable", "not_met"))],
)  # fmt: skip
def test_park_core_index_by_energy_band(energy: float, carbon: float, core: tuple[str, str]):
    found = evaluated("zero_carbon_park_2025", facts({"energy@plant": energy, "co2@location": carbon}))
    assert (of(found, "zcp.core.a").verdict, of(found, "zcp.core.b").verdict) == core
    assert found.passed is {"met": True, "not_met": False}.get(core[0] if core[0] != "not_applicable" else core[1])


def test_six_stars_need_every_kilowatt_hour_and_stay_undecided_without_the_score():
    names = ("basic", "systems", "plan", "disclose")
    proof = tuple(shown(f"t_ceca_g_0171_2022/ceca.{name}") for name in names)
    power = {**HELD, "verification": 1.0, "footprint@12": 0.0, "credits_retired": 0.0, "electricity": 100.0,
             "onsite_electricity": 20.0, "direct_electricity": 0.0}  # fmt: skip
    full = evaluated("t_ceca_g_0171_2022", facts({**power, "contract_electricity": 80.0}), attested=proof)
    assert outcome(full, "type1_six_star") == "undecided"
    assert full.grade is None
    short = evaluated("t_ceca_g_0171_2022", facts({**power, "contract_electricity": 79.9}), attested=proof)
    assert outcome(short, "type1_six_star") == "missed"


# --- our own proposal

BEST = {
    "uncertainty": 0.03, "estimated": 0.0, "products": 3.0, "products_footprint": 3.0, "verification": 2.0, "coverage": 1.0,
    "co2@location": 10_000.0, "energy@plant": 40_000.0, "electricity": 300e6, "onsite_electricity": 60e6, "direct_electricity": 60e6,
    "contract_electricity": 180e6, "matched_electricity": 200e6, "tce_per_kwh": 0.00012, "efficient_capacity": 95.0,
    "equipment_capacity": 100.0, "vehicles": 300_000.0, "emissions@plant": 20_000.0, "energy@paint": 9_000.0,
    "energy@body": 3_000.0, "energy@stamping": 1_000.0, "energy@assembly": 1_500.0, "voc_emitted": 100_000.0, "coated_area": 30e6,
    "material_output": 90.0, "material_input": 100.0, "water_reused": 99.0, "water_intake": 0.5, "solid_waste": 10.0,
    "solid_waste_recovered": 10.0, "supplier_primary_share": 0.7, "freight": 1e8, "freight_electric": 4e7, "freight_trips": 0.0,
    "freight_trips_electric": 0.0, "freight_load": 0.0, "freight_all": 1e9, "freight_low_carbon": 9e8, "recycled_material": 50.0,
    "metal_input": 100.0, "scrap": 100.0, "scrap_recovered": 100.0, "meters": 100.0, "meters_automatic": 100.0,
    **{f"function@{number:02d}": 1.0 for number in range(1, 14)}, "base_emissions": 200_000.0, "emissions_scope1": 5_000.0,
    "emissions_scope2": 15_000.0, "credits_retired": 2_000.0, "footprint@12_market": 2_000.0, **HELD,
}  # fmt: skip
SHOPS = ("stamping", "body", "paint", "assembly")
OWN_SHOWN = tuple(
    shown(f"auto_zero_carbon_factory/{name}")
    for name in ("basic.law", "basic.plan", "basic.systems", "digital.control", "claim.disclosure")
)


def test_a_plant_that_does_everything_is_a_zero_carbon_plant():
    found = evaluated("auto_zero_carbon_factory", facts(BEST, shops=SHOPS), attested=OWN_SHOWN)
    assert found.score is not None
    assert found.grade is not None
    assert found.grade.id == "zero_carbon"
    assert 95.0 < found.score.points <= 100.0


@pytest.mark.parametrize(
    ("change", "grade"),
    [
        ({"credits_retired": 1_999.0}, "near_zero"),  # one tonne is left in the balance
        ({"contract_electricity": 170e6}, "near_zero"),  # not every kilowatt-hour is renewable
        (
            {"onsite_electricity": 20e6, "direct_electricity": 0.0, "contract_electricity": 280e6},
            "low_carbon",
        ),  # certificates alone
        ({"verification": 0.0}, None),  # the claim is not verified
        ({"coverage": 0.9}, None),  # a tenth is left outside
        ({"holds@closed_period": 0.0}, None),
    ],
)
def test_a_plant_that_must_not_carry_the_title_does_not(change: dict[str, float], grade: str | None):
    found = evaluated("auto_zero_carbon_factory", facts({**BEST, **change}, shops=SHOPS), attested=OWN_SHOWN)
    assert (found.grade.id if found.grade else None) == grade


def test_shops_that_a_plant_lacks_leave_the_score_and_the_heading_is_scaled_up():
    whole = evaluated("auto_zero_carbon_factory", facts(BEST, shops=SHOPS), attested=OWN_SHOWN)
    without = {name: value for name, value in BEST.items() if name not in ("energy@stamping", "voc_emitted")}
    partly = evaluated("auto_zero_carbon_factory", facts(without, shops=("body", "assembly")), attested=OWN_SHOWN)
    assert of(partly, "making.stamping").verdict == "not_applicable"
    assert of(partly, "making.paint").verdict == "not_applicable"
    assert whole.score is not None
    assert partly.score is not None
    making = next(one for one in partly.score.dimensions if one.id == "making")
    assert making.possible == 28 - 6 - 3 - 1.5 - 2
    lost = sum(
        (one.weight or 0.0) - (one.points or 0.0)
        for one in partly.findings
        if one.criterion.startswith("making.") and one.points is not None
    )
    others = sum((one.weight or 0.0) - (one.points or 0.0) for one in partly.findings if one.points is not None) - lost
    assert partly.score.points == pytest.approx(100.0 - others - lost / making.possible * 28.0)


def test_weights_of_the_headings():
    book = evaluation_book("auto_zero_carbon_factory")
    assert {one.id: one.points for one in book.dimensions} == {
        "accounting": 12, "energy": 30, "making": 28, "chain": 12, "digital": 10, "claim": 8,
    }  # fmt: skip
