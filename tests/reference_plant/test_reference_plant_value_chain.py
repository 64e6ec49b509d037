"""The value chain of the reference plant beside published life cycles: Geely 35.2 t a car, CATARC 36.4 t for an electric one."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.significance import assess
from zerofactory.accounting.source import sources
from zerofactory.connectors.tabular import read_table
from zerofactory.factors.load import factor_book
from zerofactory.metering.form import from_form
from zerofactory.reference_plant import generate, series
from zerofactory.reference_plant.documents import vehicles_by_month
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant
from zerofactory.standards.load import standard

TONNE = 1_000_000


@pytest.fixture(scope="module")
def plant() -> Plant:
    found, _ = load_plant(series.plant_text())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, plant: Plant) -> pl.DataFrame:
    folder = generate.write(tmp_path_factory.mktemp("plant") / "demo").folder
    paths = sorted((folder / "inbox").glob("凭证-范围三*.xlsx"))
    assert len(paths) == 4
    activities = pl.concat([from_form(read_table(path), plant, sources(), path.name)[0] for path in paths])
    found = quantify(activities, plant, factor_book(), closing=True, known_at=date(2026, 1, 15))
    assert [problem.sentence("en") for problem in found.problems] == []
    return found.records


def per_vehicle(records: pl.DataFrame, *kinds: str) -> float:
    """Return tonnes per vehicle made of some kinds of source (all but the credit when none is named)."""
    chosen = kinds or tuple(sorted(set(records["source_kind"]) - {"recycling_credit"}))
    grams = records.filter(pl.col("source_kind").is_in(chosen))["emissions_gco2e"].sum()
    return float(grams) / TONNE / sum(vehicles_by_month())


def test_a_car_of_the_fleet_is_near_the_published_life_cycle(records: pl.DataFrame) -> None:
    """Geely ESG report 2022: 35.2 tCO2e per vehicle over its life, all powertrains."""
    published = factor_book().factor("geely.lca.2022").value
    assert published == 35.2
    assert per_vehicle(records) == pytest.approx(published, rel=0.15)


def test_making_and_using_an_electric_car(records: pl.DataFrame) -> None:
    """CATARC's mid-size electric car: 36.4 t, 16 t to make and recycle, 20.4 t to use (with an unchanging grid)."""
    assert factor_book().factor("catarc.bev.lca").value == 36.4
    sold = records.filter(pl.col("source_id") == "sold-electric")
    use = sold["emissions_gco2e"].sum() / TONNE / sold.filter(pl.col("gas") == "CO2")["quantity"].sum()
    assert 0.6 < use / 20.4 < 1.1
    bought = per_vehicle(records, "purchased_goods", "purchased_battery_cells", "capital_goods")
    assert 5.0 < bought < 16.0


def test_the_categories_have_the_usual_order(records: pl.DataFrame) -> None:
    """Use of sold cars first, purchased goods second, everything else small: as every car maker reports."""
    made = fold(records, standard("ghg_protocol_corporate"), "location", "category")
    shares = {line.key: line.share_fraction for line in made.lines}
    assert 0.6 < shares.pop("s3.11") < 0.9
    assert 0.1 < shares.pop("s3.01") < 0.35
    assert sum(shares.values()) < 0.06
    assert made.apart_gco2e["recycling_credit"] > 0


def test_the_method_stands_on_every_purchase(records: pl.DataFrame) -> None:
    bought = records.filter(pl.col("source_kind").is_in(["purchased_goods", "purchased_battery_cells"]))
    methods = dict(bought.select("source_id", "method").unique().sort("source_id").iter_rows())
    assert methods["buy-cells-lfp"] == "supplier PCF × quantity"
    assert methods["buy-cells-nmc"] == "kWh × EF_cell"
    assert methods["buy-seats"] == "spend × EEIO factor"
    assert methods["buy-steel-flat"] == "mass × average factor"


def test_the_significance_test_is_complete(records: pl.DataFrame, plant: Plant) -> None:
    made = fold(records, standard("iso_14064_1_2018"), "location", "category")
    booked = {line.key: line.emissions_gco2e for line in made.lines}
    tested = assess(plant.boundary.significance, booked, standard("iso_14064_1_2018"))
    assert [problem.sentence("en") for problem in tested.problems] == []
    assert tested.included_fraction > 0.95
    assert {line.category for line in tested.lines if line.significant} >= {"4.1", "5.1"}


def test_every_document_says_where_its_amount_is_from() -> None:
    from zerofactory.reference_plant.documents import series as rows

    assert all(row.note for row in rows() if "范围三" in row.file)
