"""Which factor, and why: region, year, the day of knowing, confidence, pins, no silent fallback."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.errors import NotFound
from zerofactory.factors import vocabulary
from zerofactory.factors.load import factor_book, read_set
from zerofactory.factors.resolve import Scope, Unresolved, check, find

BOOK = factor_book()
SHANGHAI = Scope("CN-上海", date(2025, 6, 30), known_at=date(2026, 1, 15))


def refused(role: str, scope: Scope, item: str | None = None) -> Unresolved:
    with pytest.raises(Unresolved) as caught:
        find(BOOK, role, scope, item)
    problem = caught.value.problem
    assert problem.message.zh
    assert problem.message.en
    assert problem.hint.zh
    assert problem.hint.en
    return caught.value


@pytest.mark.parametrize(
    ("on", "known_at", "factor_id", "value"),
    [
        (date(2025, 6, 30), date(2026, 1, 15), "cn.grid.prov.shanghai.2023", 0.5737),
        (date(2025, 6, 30), None, "cn.grid.prov.shanghai.2023", 0.5737),
        (date(2025, 6, 30), date(2025, 12, 31), "cn.grid.prov.shanghai.2023", 0.5737),
        (date(2025, 6, 30), date(2025, 12, 30), "cn.grid.prov.shanghai.2022", 0.5849),
        (date(2025, 6, 30), date(2025, 6, 1), "cn.grid.prov.shanghai.2022", 0.5849),
        (date(2024, 6, 30), date(2024, 12, 25), "cn.grid.prov.shanghai.2021", 0.5834),
        (date(2022, 6, 30), None, "cn.grid.prov.shanghai.2022", 0.5849),
        (date(2021, 6, 30), None, "cn.grid.prov.shanghai.2021", 0.5834),
    ],
)
def test_grid_factor_is_the_newest_published_not_later_than_the_reporting_year(on, known_at, factor_id, value):
    found = find(BOOK, "grid.average", Scope("CN-上海", on, known_at=known_at))
    assert (found.factor.id, found.factor.value) == (factor_id, value)


@pytest.mark.parametrize(
    ("level", "factor_id", "value"),
    [
        ("province", "cn.grid.prov.jiangsu.2023", 0.5827),
        ("region", "cn.grid.reg.east.2023", 0.5500),
        ("nation", "cn.grid.nat.2023", 0.5306),
    ],
)
def test_grid_factor_is_of_the_plants_own_level(level, factor_id, value):
    found = find(BOOK, "grid.average", replace(SHANGHAI, region="CN-江苏", grid_level=level))
    assert found.factor.id == factor_id
    if level != "province":
        assert found.factor.value == value


def test_all_thirty_provinces_have_a_factor_and_five_places_ask():
    provinces = [region.id for region in vocabulary.regions().values() if region.level == "province"]
    without = []
    for province in provinces:
        try:
            assert find(BOOK, "grid.average", replace(SHANGHAI, region=province)).factor.region == province
        except Unresolved:
            without.append(province)
    assert without == ["CN-西藏", "CN-香港", "CN-澳门"]


def test_no_province_factor_is_a_question_not_the_national_factor():
    problem = refused("grid.average", replace(SHANGHAI, region="CN-西藏")).problem
    assert problem.code == "factors.no_place"
    assert "cn.grid.nat.2023" in problem.hint.en
    assert "grid_level" in problem.hint.en


def test_inner_mongolia_lies_in_two_grids_so_the_region_is_a_question():
    assert refused("grid.average", replace(SHANGHAI, region="CN-内蒙古", grid_level="region")).problem.code == (
        "factors.no_place"
    )


def test_reason_tells_place_years_announcement_and_what_was_not_yet_known():
    reason = find(BOOK, "grid.average", replace(SHANGHAI, known_at=date(2025, 6, 1))).reason
    for part in (
        "上海",
        "省级",
        "因子年2022",
        "报告年2025",
        "公告2024年第33号",
        "2024-12-26公布",
        "尚未公布",
        "2025-12-31",
    ):
        assert part in reason.zh
    for part in ("Shanghai", "provincial", "Factor year 2022", "reporting year 2025", "Announcement 2024 No.33",
                 "published 2024-12-26", "Not yet published then: cn.grid.prov.shanghai.2023"):  # fmt: skip
        assert part in reason.en


def test_residual_mix_is_the_proxy_and_says_so():
    found = find(BOOK, "grid.residual", SHANGHAI)
    assert (found.factor.id, found.factor.value) == ("cn.grid.nat_excl.2023", 0.6096)
    assert "中国未公布剩余结构因子" in found.reason.zh
    assert "no residual mix" in found.reason.en


# --- the traps of choosing -------------------------------------------------------------------------------------------


def test_trap_5_footprint_factors_are_never_a_grid_average():
    for year in (2023, 2024, 2025):
        found = find(BOOK, "grid.average", replace(SHANGHAI, on=date(year, 6, 1), grid_level="nation", known_at=None))
        assert found.factor.value not in (0.6205, 0.5777)
        assert found.factor.gas == "CO2"
    assert find(BOOK, "grid.footprint", replace(SHANGHAI, on=date(2024, 6, 1))).factor.value == 0.5777


def test_trap_6_notice_factors_are_not_the_statistical_average():
    nation = replace(SHANGHAI, grid_level="nation", known_at=None)
    assert find(BOOK, "grid.average", replace(nation, on=date(2021, 6, 1))).factor.value == 0.5568
    assert find(BOOK, "grid.average", replace(nation, on=date(2022, 6, 1))).factor.value == 0.5366
    assert find(BOOK, "grid.ets", replace(nation, on=date(2021, 6, 1))).factor.value == 0.5810
    assert find(BOOK, "grid.ets", replace(nation, on=date(2022, 6, 1))).factor.value == 0.5703


def test_trap_7_equivalent_and_equal_value_are_different_roles():
    assert find(BOOK, "coal_equivalent", SHANGHAI, "electricity").factor.value == 0.1229
    assert refused("coal_equivalent.equal_value", SHANGHAI, "electricity").problem.code == "factors.none"


def test_natural_gas_coal_equivalent_is_of_the_same_calorific_value_as_its_carbon():
    assert find(BOOK, "coal_equivalent", SHANGHAI, "natural_gas").factor.id == "gb2589.ng_high"


@pytest.mark.parametrize(
    "factor_id", ["cn.grid.om.east.2019", "cn.elfp.nat.2023", "cn.grid.ets.2022rep", "cn-t1.ng.ncv"]
)
def test_a_factor_of_another_role_cannot_be_pinned(factor_id):
    pinned = replace(SHANGHAI, pins={"grid.average": (factor_id, "we like it")})
    error = refused("grid.average", pinned)
    assert error.problem.code == "factors.pin_role"
    rule = vocabulary.role(BOOK.factor(factor_id).role).rule
    assert rule.zh in error.problem.message.zh
    assert rule.en in error.problem.message.en
    assert "factors.pin_role" in {problem.code for problem in check(BOOK, pinned)}


# --- pins --------------------------------------------------------------------------------------------------------------


def test_a_pin_is_used_and_the_reason_says_who_and_why():
    pinned = replace(SHANGHAI, pins={"grid.average:electricity": ("cn.grid.reg.east.2022", "集团统一口径")})
    found = find(BOOK, "grid.average", pinned)
    assert found.factor.id == "cn.grid.reg.east.2022"
    assert "工厂指定" in found.reason.zh
    assert "集团统一口径" in found.reason.zh
    assert "集团统一口径" in found.reason.en


@pytest.mark.parametrize(
    ("pin", "code"),
    [
        ("cn.grid.nat.1999", "factors.pin_unknown"),
        ("cn.grid.nat.2023", "factors.pin_time"),
    ],
)
def test_a_pin_obeys_existence_and_the_day_of_knowing(pin, code):
    scope = replace(SHANGHAI, known_at=date(2025, 6, 1), pins={"grid.average": (pin, "x")})
    assert refused("grid.average", scope).problem.code == code


def test_a_pin_of_another_item_is_refused():
    scope = replace(SHANGHAI, pins={"fuel.ncv": ("cn-t1.diesel.ncv", "x")})
    assert refused("fuel.ncv", scope, "natural_gas").problem.code == "factors.pin_item"


def test_a_pin_may_take_an_alternative_value():
    scope = replace(SHANGHAI, pins={"coal_equivalent:natural_gas": ("gb2589.ng", "supplier gas of 35.5 MJ/m3")})
    assert find(BOOK, "coal_equivalent", scope, "天然气").factor.value == 1.2143


# --- confidence ----------------------------------------------------------------------------------------------------------


def test_low_confidence_is_shown_before_and_refused_at_closing_unless_accepted_by_name():
    scope = replace(SHANGHAI, on=date(2019, 6, 30))
    open_month = find(BOOK, "grid.average", scope)
    assert open_month.factor.confidence == "low"
    assert "可信度低" in open_month.reason.zh
    error = refused("grid.average", replace(scope, closing=True))
    assert error.problem.code == "factors.low_confidence"
    assert open_month.factor.id in error.problem.hint.en
    accepted = replace(scope, closing=True, accepted={open_month.factor.id: "no other figure for 2019"})
    assert "no other figure for 2019" in find(BOOK, "grid.average", accepted).reason.en


def test_a_pinned_low_confidence_factor_still_needs_acceptance_at_closing():
    pinned = replace(SHANGHAI, closing=True, pins={"voc.carbon": ("expert.voc.carbon", "no analysis yet")})
    assert refused("voc.carbon", pinned, "mixed_solvent").problem.code == "factors.low_confidence"


# --- never silent ------------------------------------------------------------------------------------------------------


def test_sets_only_used_by_name_are_never_the_default():
    for item in BOOK.items("fuel.ncv"):
        for tables in (("CN-T1",), ("CN-T1", "CN-T2", "IPCC-2006")):
            try:
                found = find(BOOK, "fuel.ncv", replace(SHANGHAI, fuel_sets=tables), item)
            except Unresolved:
                continue
            assert BOOK.sets[found.factor.set_id].family in tables
    named = replace(SHANGHAI, fuel_sets=("CN-NCSC",))
    assert find(BOOK, "fuel.cc", named, "natural_gas").factor.value == 15.242055


def test_a_table_that_is_missing_the_fuel_is_a_question():
    error = refused("fuel.ncv", SHANGHAI, "jet_kerosene")
    assert error.problem.code == "factors.no_set"
    assert "cn-t2.jet.ncv" in error.choices


def test_a_slip_in_fuel_sets_is_not_skipped():
    assert refused("fuel.ncv", replace(SHANGHAI, fuel_sets=("CN-T9", "CN-T1")), "diesel").problem.code == (
        "factors.unknown_table"
    )


def test_factors_that_must_be_named_are_listed():
    error = refused("fuel.road_ch4", SHANGHAI, "biogasoline")
    assert error.problem.code == "factors.only_named"
    assert len(error.choices) == 2


def test_a_question_without_an_item_that_has_many_answers_is_ambiguous():
    assert refused("process.carbonate", SHANGHAI).problem.code == "factors.ambiguous"


def test_a_factor_of_another_country_is_not_borrowed():
    assert refused("waste", SHANGHAI, "metals_landfill").problem.code == "factors.no_place"


def test_a_default_table_that_applies_anywhere_says_whose_it_is():
    found = find(BOOK, "leak.operation", SHANGHAI, "switchgear_mv_sealed")
    assert (found.factor.value, found.factor.region) == (0.002, "EU")
    assert "欧盟" in found.reason.zh
    assert "European Union" in found.reason.en


def test_unknown_role_and_region_raise_with_near_names():
    with pytest.raises(NotFound) as caught:
        find(BOOK, "grid.averge", SHANGHAI)
    assert "grid.average" in caught.value.choices
    with pytest.raises(NotFound) as caught:
        find(BOOK, "grid.average", replace(SHANGHAI, region="上海"))
    assert caught.value.choices == ("CN-上海",)


def test_a_plants_slips_are_found_all_at_once():
    scope = Scope(
        "Shanghai",
        date(2025, 1, 1),
        fuel_sets=("X",),
        pins={"grid.averge": ("a", "b"), "grid.average": ("cn.grid.ets.2021rep", " "), "heat.default": ("nope", "x")},
        accepted={"zz": ""},
    )
    codes = sorted(problem.code.removeprefix("factors.") for problem in check(BOOK, scope, "AR7"))
    assert codes == sorted(
        ["unknown_region", "unknown_table", "unknown_role", "pin_role", "no_reason", "unknown_factor",
         "unknown_factor", "no_reason", "unknown_gwp_set"]
    )  # fmt: skip
    assert check(BOOK, SHANGHAI, "AR6") == []


def test_a_plants_own_factor_is_used_only_when_named():
    own, problems = read_set(
        "id,role,item,name_zh,name_en,value,unit,region,source,confidence\n"
        "own.heat,heat.default,heat,供热公司因子,heat supplier,0.085,tCO2/GJ,CN-上海,supplier statement 2025,high\n",
        "our_factors",
    )
    assert own is not None
    assert not problems
    book = factor_book([own])
    assert find(book, "heat.default", SHANGHAI).factor.value == 0.11
    pinned = replace(SHANGHAI, pins={"heat.default:heat": ("own.heat", "verified statement of the supplier")})
    assert find(book, "heat.default", pinned).factor.value == 0.085


# --- bitemporality as a property ---------------------------------------------------------------------------------------

DAYS = st.dates(date(2005, 1, 1), date(2027, 12, 31))
QUESTIONS = sorted({(factor.role, factor.item) for factor in BOOK.by_id.values()})


@settings(max_examples=300, deadline=None)
@given(
    question=st.sampled_from(QUESTIONS),
    region=st.sampled_from(sorted(vocabulary.regions())),
    on=DAYS,
    known_at=st.none() | DAYS,
    level=st.sampled_from(["province", "region", "nation"]),
    pin=st.none() | st.sampled_from(sorted(BOOK.by_id)),
)
def test_never_published_after_knowing_nor_valid_after_the_reporting_year(question, region, on, known_at, level, pin):
    role, item = question
    scope = Scope(region, on, known_at=known_at, grid_level=level, fuel_sets=BOOK.families,
                  pins={f"{role}:{item}": (pin, "x")} if pin else {})  # fmt: skip
    try:
        found = find(BOOK, role, scope, item)
    except Unresolved:
        return
    factor = found.factor
    assert factor.published_on is None or known_at is None or factor.published_on <= known_at
    assert factor.factor_year is None or factor.factor_year <= on.year
    assert factor.role == role or factor.role in vocabulary.role(role).pin_also
    assert found.reason.zh
    assert found.reason.en


@settings(max_examples=100, deadline=None)
@given(on=st.dates(date(2021, 1, 1), date(2027, 1, 1)), first=DAYS, second=DAYS)
def test_knowing_more_never_gives_an_older_factor(on, first, second):
    early, late = sorted((first, second))
    scope = Scope("CN-浙江", on, known_at=early)
    try:
        before = find(BOOK, "grid.average", scope).factor
    except Unresolved:
        return
    after = find(BOOK, "grid.average", replace(scope, known_at=late)).factor
    assert (after.factor_year or 0) >= (before.factor_year or 0)
