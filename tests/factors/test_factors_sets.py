"""The packaged factor sets: nothing lost, nothing changed, every row well formed."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from importlib.resources import files

import pytest

from zerofactory.errors import Text
from zerofactory.factors import vocabulary
from zerofactory.factors.load import COLUMNS, factor_book, packaged_sets, read_set
from zerofactory.factors.model import Found
from zerofactory.factors.product import unit_scale

COUNTS = {
    "auto_plant_benchmarks": 51, "cn_carbonates": 11, "cn_electricity_footprint": 11, "cn_fuel_density": 3,
    "cn_fuels_2013": 88, "cn_fuels_2015_machinery": 76, "cn_fuels_2015_other": 104, "cn_fuels_ncsc": 8,
    "cn_grid_2012_legacy": 12, "cn_grid_2018": 30, "cn_grid_2021": 40, "cn_grid_2022": 40, "cn_grid_2023": 40,
    "cn_grid_context": 1, "cn_grid_ets": 3, "cn_grid_project_2019": 6, "cn_heat_and_contract": 2,
    "cn_machinery_2015_process": 2, "co2e_identity": 5, "energy_losses_recalled": 1, "gbt_2589_2020": 21,
    "gbt_51366_2019": 45, "ghgp_2024_fuels": 8, "ghgp_2024_grid": 5, "ghgp_2024_transport_us": 12, "gwp_ipcc": 179,
    "industry_deck_2022": 4, "ipcc_2006_fuels": 185, "ipcc_2006_process": 4, "ipcc_2006_waste": 14,
    "leakage_ghgp_screening": 8, "leakage_ipcc_2006": 37, "leakage_us_epa_2014": 2, "materials_literature": 7,
    "materials_published": 5, "materials_recalled": 31, "pedigree": 52, "process_constants": 11,
    "refrigerant_blends": 63, "sequestration_ipcc_2006": 18, "steam_enthalpy": 25, "transport_recalled": 8,
    "uk_2020_wtt_fuels": 19, "uk_2025_grid": 4, "uk_2025_materials": 45, "uk_2025_transport": 180,
    "uk_2025_waste": 55, "uncertainty_instruments": 35, "uncertainty_ipcc_2006": 19, "unit_constants": 5,
    "us_epa_supply_chain_2022_selection": 40, "waste_recalled": 4, "world_grid_recalled": 8, "worldsteel_2022": 5,
}  # fmt: skip
DIGEST = "f2c381a5b382824c4b0a93eeb77b87949b471fede30222d03e2b3ef0d66e06eb"
FOLDER = files("zerofactory.factors") / "sets"
SETS = [factor_set.id for factor_set in packaged_sets()]


def test_every_set_holds_the_number_of_factors_it_was_taken_over_with():
    assert {s.id: len(s.factors) for s in packaged_sets()} == COUNTS
    assert sum(COUNTS.values()) == 1697


def test_every_value_is_kept_to_the_digit():
    lines = sorted(f"{factor.id}={factor.value_text}" for factor in factor_book().by_id.values())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == DIGEST


@pytest.mark.parametrize("name", SETS)
def test_every_row_passes_the_checks_of_a_plants_own_table(name: str):
    text = (FOLDER / name / "factors.csv").read_text(encoding="utf-8")
    factor_set, problems = read_set(text, name)
    assert not problems
    assert factor_set is not None
    assert len(factor_set.factors) == COUNTS[name]


@pytest.mark.parametrize("name", SETS)
def test_every_set_says_what_it_is(name: str):
    factor_set = factor_book().sets[name]
    for text in (factor_set.title, factor_set.publisher, factor_set.note):
        assert text.zh
        assert text.en
    assert factor_set.edition
    assert factor_set.licence
    header = next(csv.reader([(FOLDER / name / "factors.csv").read_text(encoding="utf-8").splitlines()[0]]))
    assert tuple(header[: len(COLUMNS)]) == COLUMNS


def test_every_factor_has_source_titles_and_known_words():
    for factor in factor_book().by_id.values():
        assert factor.title.zh, factor.id
        assert factor.title.en, factor.id
        assert factor.source, factor.id
        assert factor.provenance in {"verified", "expert"}, factor.id
        assert factor.role in vocabulary.roles()
        assert factor.region in vocabulary.regions()
        assert factor.low is None or factor.high is None or factor.low <= factor.high, factor.id


def test_texts_of_the_sets_name_no_place_on_a_machine():
    for name in SETS:
        for file in ("set.toml", "factors.csv"):
            assert not re.search(r"(?i)(/home/|/root/|/tmp/|[a-z]:\\)", (FOLDER / name / file).read_text("utf-8"))


def test_items_and_aliases_mean_one_thing():
    spellings: dict[str, str] = {}
    for item in vocabulary.items().values():
        for name in (item.id, item.title.zh, item.title.en, *item.aliases):
            key = re.sub(r"[\s\-_]+", "", name).lower()
            assert spellings.setdefault(key, item.id) == item.id, name
    known = {factor.item for factor in factor_book().by_id.values()}
    assert set(vocabulary.items()) <= known
    assert all(item.trace_item in vocabulary.items() for item in vocabulary.items().values())


def test_every_region_leads_to_the_world():
    assert all(vocabulary.chain(region)[-1] == "world" for region in vocabulary.regions())


def test_derived_co2_factors_equal_the_product_of_their_terms():
    """Published beside the terms: NCV × CC × OF × 44/12, checks every Chinese fuel of every table."""
    book = factor_book()
    checked = 0
    for derived in book.by_role["fuel.derived_ef"]:
        stem = derived.id.removesuffix(".ef")
        terms = [Found(book.factor(f"{stem}.{part}"), Text("", "")) for part in ("ncv", "cc", "of")]
        scale = unit_scale(terms, derived.unit)
        assert scale is not None
        value = 44 / 12 * scale
        for term in terms:
            value *= term.factor.value
        assert value == pytest.approx(derived.value, rel=2e-4), derived.id
        checked += 1
    assert checked == 69


def test_blend_fractions_add_up_to_one():
    blends: Counter[str] = Counter()
    for factor in factor_book().by_role["blend"]:
        blends[factor.item] += factor.value
    assert len(blends) == 22
    assert all(total == pytest.approx(1.0, abs=1e-9) for total in blends.values()), blends
