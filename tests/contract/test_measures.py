"""Every measure of the catalogue is a sound record: titles, end uses, units, sources of numbers; and the catalogue is whole."""

from __future__ import annotations

import pytest

from zerofactory import units
from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData
from zerofactory.planning.end_use import end_uses
from zerofactory.planning.measure import CLASSES, ORDER, Measure, measure_of, measures
from zerofactory.planning.scenario import carbon_prices, defaults, grids, prices
from zerofactory.site.model import SHOP_KINDS

ASKED = (
    "paint_oven_heat_recovery", "paint_compact_process", "paint_rto_upgrade", "paint_low_temperature_cure", "paint_dry_separation",
    "stamping_servo_press", "body_medium_frequency_welding", "body_fibre_laser", "weld_gas_saver", "body_adhesive_for_welds",
    "compressor_heat_recovery", "compressor_leak_repair", "pump_fan_vfd", "led_daylight", "chiller_optimisation",
    "heat_pump_pretreatment", "electric_boiler", "pv_roof", "battery_storage", "wind_onsite", "green_power_contract", "gec_purchase",
    "gigacasting", "aluminium_scrap_loop", "steel_low_carbon", "aluminium_hydro", "electric_forklifts", "electric_trucks",
    "packaging_loops", "rail_inbound", "water_reuse", "refrigerant_low_gwp", "ccus_pilot", "trees",
)  # fmt: skip


@pytest.mark.parametrize("measure", measures().values(), ids=lambda one: one.id)
def test_a_measure_is_whole(measure: Measure) -> None:
    for text in (measure.title, measure.description):
        assert text.zh
        assert text.en
    assert measure.savings or measure.amounts or measure.cover or measure.credit
    assert measure.life_years >= 1
    assert set(measure.shops) <= set(SHOP_KINDS)
    assert set(measure.excludes) | set(measure.requires) <= set(measures())
    assert {reference.about for reference in measure.references} & {"saving", "cost"}
    assert all(reference.text for reference in measure.references)
    assert (measure.size is not None) == bool(measure.amounts)
    if measure.cover is None and measure.credit is None:
        assert {"saving", "cost"} <= {reference.about for reference in measure.references}


@pytest.mark.parametrize("measure", measures().values(), ids=lambda one: one.id)
def test_what_it_acts_on_exists_in_units_that_fit(measure: Measure) -> None:
    for saving in measure.savings:
        assert 0.0 < saving.fraction <= 1.0
        use = end_uses()[saving.end_use]
        for other in saving.instead:
            kind = sources()[other.source_kind or use.source_kind]
            assert units.parse(other.unit).dimension in kind.units
            assert other.per_unit > 0
            if other.item is not None and kind.items:
                assert other.item in kind.items
    for amount in measure.amounts:
        kind = sources()[amount.source_kind]
        assert units.parse(amount.unit).dimension in kind.units
        if amount.per_size > 0 and amount.source_kind not in ("purchased_electricity",):
            assert {column.name for column in kind.details if not column.nullable} <= set(amount.detail)
    if measure.cover:
        assert 0.0 < measure.cover.max_fraction <= 1.0


def test_exclusions_are_mutual() -> None:
    for measure in measures().values():
        for other in measure.excludes:
            assert measure.id in measures()[other].excludes


def test_the_catalogue_holds_what_was_asked_and_every_class() -> None:
    assert len(measures()) >= 40
    assert set(ASKED) <= set(measures())
    assert {measure.kind for measure in measures().values()} == set(CLASSES) == set(ORDER)
    ranks = [measure.rank for measure in measures().values()]
    assert ranks == sorted(ranks)


def test_no_number_pretends_to_be_better_known_than_it_is() -> None:
    for measure in measures().values():
        for reference in measure.references:
            if "own estimate" in reference.text or "own assumption" in reference.text:
                assert reference.status in ("placeholder", "secondary")
            if reference.status == "placeholder":
                assert "estimate" in reference.text or "assumption" in reference.text


def test_every_end_use_names_a_kind_of_source_and_a_unit_it_takes() -> None:
    used = {saving.end_use for measure in measures().values() for saving in measure.savings}
    for use in end_uses().values():
        kind = sources()[use.source_kind]
        assert units.parse(use.unit).dimension in kind.units
        assert 0.0 < use.share_fraction <= 1.0
        assert set(use.shops) <= set(SHOP_KINDS)
        assert use.source
        assert use.status in ("verified", "secondary", "placeholder")
    assert used <= set(end_uses())


def test_shares_of_one_kind_in_one_shop_leave_room() -> None:
    """No shop's electricity is given away twice by the default shares."""
    for shop in SHOP_KINDS:
        shares = [
            use.share_fraction for use in end_uses().values()
            if use.source_kind == "purchased_electricity" and (not use.shops or shop in use.shops)
        ]  # fmt: skip
        assert sum(shares) <= 1.0


def test_scenarios_and_prices_tell_their_source() -> None:
    for scenario in (*grids().values(), *carbon_prices().values()):
        assert scenario.source
        assert scenario.status in ("verified", "secondary", "placeholder")
    assert grids()["stated"].value(2025) == 1.0
    assert all(grids()["pledged"].value(year) <= grids()["stated"].value(year) for year in range(2025, 2061))
    for price in prices():
        assert price.source_kind in sources()
        assert units.parse(price.unit).dimension in sources()[price.source_kind].units
    assert all({"value", "source", "status", "unit"} == set(row) for row in defaults().values())


def test_a_broken_measure_is_refused_with_every_fault() -> None:
    with pytest.raises(FaultyData) as refused:
        measure_of("x", "title: { zh: 甲, en: A }\nkind: magic\nsurprise: 1\nlife_years: ten\n")
    columns = {problem.column for problem in refused.value.problems}
    assert {"surprise", "kind", "life_years", "description"} <= columns
