"""The products of the reference plant: their files are sound, they weigh what they say, and each part has a figure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from zerofactory.accounting.bill_of_materials import needs
from zerofactory.accounting.product_stages import Materials, end_of_life_lines, material_lines, use_lines
from zerofactory.errors import errors_of
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope
from zerofactory.reference_plant import generate, series
from zerofactory.reporting.exchange import pact
from zerofactory.runs.product_files import ProductFiles, read_products
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant

MODELS = ("electric-suv", "hybrid-sedan", "petrol-sedan")
SCOPE = Scope("CN-上海", date(2025, 12, 31), date(2026, 1, 15))


@pytest.fixture(scope="module")
def plant() -> Plant:
    found, problems = load_plant(series.plant_text())
    assert found is not None, problems
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("products")
    generate._write_products(made)
    return made


@pytest.fixture(scope="module")
def products(folder: Path, plant: Plant) -> ProductFiles:
    return read_products(folder, plant)


def test_every_model_has_its_files(products: ProductFiles, plant: Plant) -> None:
    assert set(products.profiles) == set(products.bills) == {product.id for product in plant.products} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_bill_weighs_about_what_the_vehicle_does(products: ProductFiles, name: str) -> None:
    """Sheet comes in gross, so a bill weighs 1.0 to 1.3 times the vehicle, batteries (in kWh, about 6 kg each) included."""
    mass = sum(
        need.mass_kg or 6.0 * need.quantity * (need.part.part == "battery-cells")
        for need in needs(products.bills[name])
    )
    assert 1.0 <= mass / products.profiles[name].mass_kg <= 1.3


@pytest.mark.parametrize("name", MODELS)
def test_every_part_and_stage_has_a_figure(products: ProductFiles, plant: Plant, name: str) -> None:
    profile = products.profiles[name]
    ground = Materials(factor_book(), SCOPE, datetime(2025, 12, 31, tzinfo=UTC), {}, {})
    lines, cut_offs, problems = material_lines(products.bills[name], profile.mass_kg, ground)
    assert errors_of(problems) == ()
    assert problems == []
    assert 0 < sum(entry.mass_fraction or 0 for entry in cut_offs) < 0.01
    later = [
        *use_lines(profile, factor_book(), SCOPE, plant.accounting.gwp_set),
        *end_of_life_lines(profile, factor_book(), SCOPE),
    ]
    assert all(line.kgco2e > 0 for line in (*lines, *later))


def test_whole_lives_stand_in_the_order_of_published_studies(products: ProductFiles, plant: Plant) -> None:
    """Making: electric over hybrid over petrol. Use: the other way round."""
    ground = Materials(factor_book(), SCOPE, datetime(2025, 12, 31, tzinfo=UTC), {}, {})
    materials = {n: sum(x.kgco2e for x in material_lines(products.bills[n], 1.0, ground)[0]) for n in MODELS}
    use = {n: sum(x.kgco2e for x in use_lines(products.profiles[n], factor_book(), SCOPE, "AR6")) for n in MODELS}
    assert materials["electric-suv"] > materials["hybrid-sedan"] > materials["petrol-sedan"]
    assert use["electric-suv"] < use["hybrid-sedan"] < use["petrol-sedan"]


def test_the_suppliers_file_reads(folder: Path) -> None:
    entries, problems = pact.read((folder / "products" / "suppliers" / "seat-set.json").read_bytes())
    assert len(entries) == 1
    assert [problem.code for problem in problems] == []
